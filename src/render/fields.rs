//! The words for what is known of a delivery. Everything from outside is escaped here.

use super::paint::Paint;
use super::time::milliseconds;
use super::{escape, fold};
use crate::journal::Record;
use crate::journal::record::{Answer, AnsweredBy, ConnectionAction, Duplicate};
use crate::json::Json;
use crate::json::JsonType;
use crate::json::value;
use crate::payload::encoding;
use crate::payload::headers::REDACTED;
use crate::payload::{Delivery, Kind, Payload, Status};
use crate::signature::Trace;
use crate::signature::Verdict;
use crate::signature::secret::MAIN;

/// A label and what stands behind it.
type Field = (&'static str, String);

/// Columns of a status.
pub(crate) const STATUS: usize = 10;

/// How much of one value is shown; `-v` and `inspect` show the whole body.
const VALUE: usize = 300;

/// How many elements of an array are shown, and how many members of an object.
const ITEMS: usize = 3;
const MEMBERS: usize = 8;

/// The status in the one vocabulary; of an unknown one the provider's word; `no status` without any, and `not JSON`.
pub(crate) fn status_word(payload: Option<&Payload>) -> String {
    let Some(payload) = payload else { return "not JSON".to_owned() };
    match (payload.status, &payload.raw_status) {
        (Some(status), _) => status.name().to_owned(),
        (None, Some(word)) => word.clone(),
        (None, None) => "no status".to_owned(),
    }
}

/// A word in the colour of a delivery's status. What a delivery says whose signature does not hold is nobody's word.
pub(crate) fn status(record: &Record, word: &str, paint: Paint) -> String {
    let status = record.payload.as_ref().and_then(|payload| payload.status);
    if record.verdict.is_invalid() { paint.quiet(word) } else { status_name(status, word, paint) }
}

/// A word in the colour of a status.
pub(crate) fn status_name(status: Option<Status>, word: &str, paint: Paint) -> String {
    match status {
        Some(Status::Succeeded) => paint.good(word),
        Some(Status::Failed) => paint.bad(word),
        Some(Status::Processing | Status::Starting) => paint.busy(word),
        Some(Status::Canceled) | None => paint.warn(word),
    }
}

/// The verdict, and why and what to do when it is a bad one.
pub(crate) fn signature(record: &Record, paint: Paint) -> Vec<Field> {
    let blanked = record.delivery.headers.iter().any(|(_, value)| value == REDACTED);
    let verdict = &record.verdict;
    let with = |secret: &str| if secret == MAIN { String::new() } else { format!(", secret {}", escape::line(secret)) };
    let text = match verdict {
        Verdict::Verified { scheme, secret } => {
            format!("{} {}{}", paint.good("✓ verified"), escape::line(scheme), with(secret))
        }
        Verdict::Authenticated { scheme, secret } => {
            let scheme = escape::line(scheme);
            format!("{} {scheme}{}; the body is not covered", paint.good("✓ authenticated"), with(secret))
        }
        Verdict::Invalid { scheme, reason, hint } => {
            let scheme = scheme.as_deref().map(|scheme| format!(" {}", escape::line(scheme))).unwrap_or_default();
            let why = format!("✗ {}", reason.name());
            // Forged on purpose, and found out.
            let why = if record.is_expected() == Some(true) { paint.quiet(why) } else { paint.bad(why) };
            let why = format!("{why}{scheme}");
            return vec![("signed", why), ("hint", escape::line(hint).into_owned())];
        }
        Verdict::Unsigned => paint.quiet("no signature"),
        Verdict::Unchecked if !record.body_was_read() => paint.quiet("not checked: the body was not taken in"),
        Verdict::Unchecked if blanked => {
            paint.quiet("not checked: no secret was given, or it was redacted when recorded")
        }
        Verdict::Unchecked => paint.quiet("not checked: no secret was given"),
    };
    vec![("signed", text)]
}

/// How a signature was checked, invisible characters made visible.
pub(crate) fn account(account: &Trace) -> Vec<Field> {
    const SHOWN: usize = 2000;
    let (name, summary) = account.scheme;
    let mut fields = vec![("scheme", format!("{name}: {summary}"))];
    let (header, values) = &account.header;
    if values.is_empty() {
        fields.push(("header", format!("{header} is not there")));
    }
    fields.extend(values.iter().map(|value| ("header", format!("{header}: {}", escape::line(value)))));
    let told = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let cut = text.char_indices().nth(SHOWN).map_or(text.len(), |(end, _)| end);
        let more = if cut < text.len() { "…" } else { "" };
        format!("{} bytes: {}{more}", bytes.len(), escape::line(&text[..cut]))
    };
    if let Some(signed) = &account.signed {
        fields.push(("over", told(signed)));
    }
    let is_alone = account.expected.len() == 1;
    fields.extend(account.expected.iter().map(|(label, value)| {
        let whose = if is_alone && label == MAIN { String::new() } else { format!(" ({})", escape::line(label)) };
        let matches = if values.iter().any(|given| given.contains(value.as_str())) { ", which matches" } else { "" };
        ("gives", format!("{}{whose}{matches}", escape::line(value)))
    }));
    if let Some(body) = &account.body_signed {
        fields.push(("body", format!("as it was signed, {}", told(body))));
    }
    fields
}

/// How many bytes a body has, and whether it ends in one that is easily overlooked.
pub(crate) fn size(body: &[u8]) -> String {
    let end = if body.ends_with(b"\n") { ", the last is a newline" } else { "" };
    let unit = if body.len() == 1 { "byte" } else { "bytes" };
    format!("{} {unit}{end}", body.len())
}

/// How a delivery goes out, in a word or two.
pub(crate) fn signed_as(verdict: &Verdict, paint: Paint) -> String {
    match verdict {
        Verdict::Verified { scheme, .. } => format!("signed {scheme}"),
        Verdict::Authenticated { scheme, .. } => format!("authenticated by {scheme}"),
        Verdict::Invalid { reason, .. } => paint.warn(format!("signature does not hold: {}", reason.name())),
        Verdict::Unsigned => "unsigned".to_owned(),
        Verdict::Unchecked => "signed as it was given; --secret signs anew".to_owned(),
    }
}

/// What a payload says, most important first.
pub(crate) fn payload(payload: &Payload, paint: Paint) -> Vec<Field> {
    let mut fields = Vec::new();
    if let Some(error) = &payload.error {
        fields.push(("error", paint.bad(short(error))));
    }
    if let Some(output) = &payload.output {
        fields.push(("output", brief(output)));
    }
    if let Some(input) = &payload.input {
        fields.push(("input", brief(input)));
    }
    if let Some(logs) = payload.logs.as_ref().filter(|logs| payload.error.as_ref() != Some(*logs)) {
        fields.push(("logs", last_line(logs)));
    }
    if let Some(metrics) = &payload.metrics {
        fields.push(("metrics", measured(metrics)));
    }
    if !payload.ids.is_empty() {
        let ids = payload.ids.iter().map(|(name, id)| format!("{name} {}", short(id)));
        fields.push(("ids", ids.collect::<Vec<_>>().join(" · ")));
    }
    fields
}

/// Who and what: for a payload that is looked at by itself.
pub(crate) fn identity(payload: &Payload, paint: Paint) -> Vec<Field> {
    let mut fields = vec![("payload", format!("{}: {}", paint.strong(payload.provider.label), payload.shape.title))];
    let raw = payload.raw_status.as_deref().filter(|raw| payload.status.map(Status::name) != Some(*raw));
    let spelled = match (payload.status, raw) {
        (Some(_), Some(raw)) => format!(" (sent as \"{}\")", short(raw)),
        _ => String::new(),
    };
    if !payload.shape.fields.status.is_empty() {
        fields.push((
            "status",
            format!("{}{spelled}", status_name(payload.status, &short(&status_word(Some(payload))), paint)),
        ));
    }
    if let Some(event) = &payload.event {
        let inferred = if event.inferred { " (inferred: the body does not name it)" } else { "" };
        fields.push(("event", format!("{}{}", short(&event.name), paint.quiet(inferred))));
    }
    if let Some(id) = &payload.id {
        fields.push(("id", paint.strong(short(id))));
    }
    if let Some(key) = payload.key() {
        fields.push(("key", format!("{} {}", short(&key), paint.quiet("(deduplicate on this)"))));
    }
    fields
}

/// What it means, in a sentence for a newcomer.
pub(crate) fn meaning(payload: &Payload) -> String {
    let label = payload.provider.label;
    let what = match payload.shape.kind {
        Kind::Prediction => "the prediction",
        Kind::Workflow => "the workflow",
        Kind::Notice => return format!("{label} reports an event: act on it, answer 2xx"),
        Kind::Other => return "hookctl does not know this sender; the fields are guessed by their usual names".into(),
    };
    match payload.status {
        Some(Status::Succeeded) if payload.shape.fields.output.is_empty() => {
            format!("{what} ended well: answer 2xx, then fetch the result, which is not in here")
        }
        Some(Status::Succeeded) => format!("{what} ended well: take the output, answer 2xx"),
        Some(Status::Failed) => format!("{what} failed for good: {label} sends nothing more about it"),
        Some(Status::Canceled) => format!("{what} was canceled: nothing more will come"),
        Some(Status::Processing | Status::Starting) => format!("{what} is under way: more deliveries will follow"),
        None if payload.raw_status.is_none() => format!("{what} is said to be in no state; see the warning"),
        None => format!("{label} documents no such status; see the warning"),
    }
}

/// Which delivery a repeat repeats.
pub(crate) fn repeat(duplicate: Option<&Duplicate>, paint: Paint) -> Option<String> {
    let duplicate = duplicate?;
    let Some(seen) = &duplicate.seen else { return Some(format!("of the record {}", escape::line(&duplicate.id))) };
    let (of, last) = (format!("#{}", seen.seq), seen.last);
    Some(match (seen.answered, seen.same_body) {
        (Some(200..=299), true) => paint.warn(format!("duplicate of {of}, the same body")),
        (Some(200..=299), false) => paint.warn(format!("duplicate of {of} with another body")),
        (answered, same_body) => {
            let how = answered.map_or("got no answer".into(), |status| format!("was answered {status}"));
            let text = format!("comes again after #{last} {how}");
            if same_body { text } else { paint.warn(text + ", with another body") }
        }
    })
}

/// How large a body is, and how it is compressed: `237 B`, `180 B gzip`.
fn body_size(delivery: &Delivery) -> String {
    // A field of the body may have been blanked since it came.
    let came = delivery.headers.get("content-length").and_then(|length| length.parse().ok());
    let size = fold::size(came.unwrap_or(delivery.body.len() as u64));
    match encoding::named(&delivery.headers).as_slice() {
        [] => size,
        names => format!("{size} {}", escape::line(&names.join(", "))),
    }
}

/// A status in the colour of its class.
pub(crate) fn answer_status(status: u16, paint: Paint) -> String {
    match status {
        200..=299 => paint.good(status),
        400.. => paint.bad(status),
        _ => paint.warn(status),
    }
}

/// A status and what was done to it, in a word: `200`, `reset`, `broken`. Where its sender said which answers are right,
/// the colour goes by that.
pub(crate) fn outcome(answer: &Answer, expected: Option<bool>, paint: Paint) -> String {
    match (answer.status, answer.did) {
        (Some(status), None) if expected == Some(true) => paint.good(status),
        (Some(status), None) if expected == Some(false) => paint.bad(status),
        (Some(status), None) => answer_status(status, paint),
        (_, Some(deed)) => paint.bad(deed_name(deed)),
        (None, None) => paint.bad("none"),
    }
}

fn deed_name(deed: ConnectionAction) -> &'static str {
    match deed {
        ConnectionAction::Hang => "hang",
        ConnectionAction::Close => "close",
        ConnectionAction::Reset => "reset",
        ConnectionAction::Truncate => "broken",
        ConnectionAction::Other => "other",
    }
}

/// `POST /hook`
pub(crate) fn request(delivery: &Delivery) -> String {
    format!("{} {}", escape::line(&delivery.method), escape::line(&delivery.target))
}

/// What was answered to what.
pub(crate) fn answer(record: &Record, paint: Paint) -> Option<String> {
    let answer = record.answer.as_ref()?;
    let what = match answer.did {
        None => outcome(answer, record.is_expected(), paint),
        Some(ConnectionAction::Hang) => paint.bad("none, the sender waits,"),
        Some(ConnectionAction::Close) => paint.bad("none, the connection was closed,"),
        Some(ConnectionAction::Reset) => paint.bad("none, the connection was reset,"),
        Some(ConnectionAction::Truncate) => paint.bad("broken off,"),
        Some(ConnectionAction::Other) => paint.bad("none that this hookctl knows,"),
    };
    let request = request(&record.delivery);
    let size = body_size(&record.delivery);
    let whose = if answer.by == AnsweredBy::Forward { " from the app" } else { "" };
    // What an app says when all is well is its sender's to read.
    let said = answer.line.as_deref().filter(|_| !answer.status.is_some_and(|status| (200..300).contains(&status)));
    let said = said.map(|line| format!(": {}", short(line))).unwrap_or_default();
    Some(format!("{what} in {}{whose} to {request}, {size}{said}", milliseconds(answer.ms)))
}

/// Text from outside on one line, not endless.
pub(crate) fn short(text: &str) -> String {
    if let Some(folded) = fold::folded(text) {
        return folded;
    }
    let end = if text.len() > VALUE { text.char_indices().nth(VALUE) } else { None };
    match end {
        Some((end, _)) => format!("{}…", escape::line(&text[..end])),
        None => escape::line(text).into_owned(),
    }
}

/// A value in brief: a string as it is, the members of an object, the elements of an array.
fn brief(json: &Json) -> String {
    match json.kind() {
        JsonType::String => json.string().map_or_else(String::new, |text| short(&text)),
        JsonType::Array => {
            let items = json.items().unwrap_or_default();
            let shown: Vec<_> = items.iter().take(ITEMS).map(|item| inner(item, false)).collect();
            shown.join(" · ") + &more(items.len(), ITEMS)
        }
        JsonType::Object => members(json, |key, value| format!("{} {}", short(key), inner(value, true))),
        JsonType::Number | JsonType::Bool | JsonType::Null => json.text().to_owned(),
    }
}

fn more(count: usize, shown: usize) -> String {
    if count > shown { format!(" · and {} more", count - shown) } else { String::new() }
}

/// A value within another.
fn inner(value: &str, quoted: bool) -> String {
    match JsonType::of(value) {
        JsonType::String => {
            let text = short(&value::string(value).unwrap_or_default());
            if quoted { format!("\"{text}\"") } else { text }
        }
        JsonType::Object => "{…}".to_owned(),
        JsonType::Array => "[…]".to_owned(),
        JsonType::Number | JsonType::Bool | JsonType::Null => value.to_owned(),
    }
}

fn members(json: &Json, show: impl Fn(&str, &str) -> String) -> String {
    let Some(object) = json.object() else { return String::new() };
    let shown: Vec<_> = object.members().take(MEMBERS).map(|(key, value)| show(key, value)).collect();
    shown.join(" · ") + &more(object.members().len(), MEMBERS)
}

/// Metrics with the units that providers document for them.
fn measured(json: &Json) -> String {
    if json.kind() != JsonType::Object {
        return brief(json);
    }
    members(json, |key, value| match key {
        "predict_time" | "total_time" if JsonType::of(value) == JsonType::Number => {
            format!("{} {} s", short(key), rounded(value))
        }
        "cost" if JsonType::of(value) == JsonType::Number => format!("{} ${value}", short(key)),
        _ => format!("{} {}", short(key), inner(value, true)),
    })
}

/// Seconds to the millisecond: coglet sends nine digits.
fn rounded(value: &str) -> String {
    match value.split_once('.') {
        Some((whole, digits)) if digits.len() > 3 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            value.parse::<f64>().map_or_else(|_| format!("{whole}.{digits}"), |seconds| format!("{seconds:.3}"))
        }
        _ => inner(value, true),
    }
}

fn last_line(logs: &str) -> String {
    let lines: Vec<&str> = logs.lines().filter(|line| !line.trim().is_empty()).collect();
    match lines.as_slice() {
        [] => "blank".to_owned(),
        [only] => short(only),
        [.., last] => format!("{} · the last of {} lines", short(last), lines.len()),
    }
}
