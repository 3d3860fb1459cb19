//! The fields of a delivery as text. Text from outside is escaped here.

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

/// A label and its text.
type Field = (&'static str, String);

/// Columns of a status.
pub(crate) const STATUS: usize = 10;

/// Characters of a value that are shown; `-v` and `inspect` show the whole body.
const VALUE: usize = 300;

/// Elements of an array that are shown.
const ITEMS: usize = 3;

/// Members of an object that are shown.
const MEMBERS: usize = 8;

/// hookctl's name of the status, or the provider's own word if it is unknown; `no status`; `not JSON`.
pub(crate) fn status_word(payload: Option<&Payload>) -> String {
    let Some(payload) = payload else { return "not JSON".to_owned() };
    match (payload.status, &payload.raw_status) {
        (Some(status), _) => status.name().to_owned(),
        (None, Some(word)) => word.clone(),
        (None, None) => "no status".to_owned(),
    }
}

/// A word in the colour of a delivery's status. The status of a delivery with an invalid signature is not coloured.
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

/// The verdict, with the reason and the hint of an invalid signature.
pub(crate) fn signature(record: &Record, paint: Paint) -> Vec<Field> {
    let is_redacted = record.delivery.headers.iter().any(|(_, value)| value == REDACTED);
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
            // A forgery sent on purpose, which the handler refused.
            let why = if record.is_expected() == Some(true) { paint.quiet(why) } else { paint.bad(why) };
            let why = format!("{why}{scheme}");
            return vec![("signed", why), ("hint", escape::line(hint).into_owned())];
        }
        Verdict::Unsigned => paint.quiet("no signature"),
        Verdict::Unchecked if !record.body_was_read() => paint.quiet("not checked: the body was not read"),
        Verdict::Unchecked if is_redacted => {
            paint.quiet("not checked: no secret was given, or it was redacted when recorded")
        }
        Verdict::Unchecked => paint.quiet("not checked: no secret was given"),
    };
    vec![("signed", text)]
}

/// How a signature was checked, with invisible characters escaped.
pub(crate) fn trace(trace: &Trace) -> Vec<Field> {
    const SHOWN: usize = 2000;
    let (name, summary) = trace.scheme;
    let mut fields = vec![("scheme", format!("{name}: {summary}"))];
    let (header, values) = &trace.header;
    if values.is_empty() {
        fields.push(("header", format!("{header} is missing")));
    }
    fields.extend(values.iter().map(|value| ("header", format!("{header}: {}", escape::line(value)))));
    let shown = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let cut = text.char_indices().nth(SHOWN).map_or(text.len(), |(end, _)| end);
        let more = if cut < text.len() { "…" } else { "" };
        format!("{} bytes: {}{more}", bytes.len(), escape::line(&text[..cut]))
    };
    if let Some(signed) = &trace.signed {
        fields.push(("signed", shown(signed)));
    }
    let is_alone = trace.expected.len() == 1;
    fields.extend(trace.expected.iter().map(|(label, value)| {
        let label = if is_alone && label == MAIN { String::new() } else { format!(" ({})", escape::line(label)) };
        let matches = if values.iter().any(|given| given.contains(value.as_str())) { ", matches" } else { "" };
        ("expected", format!("{}{label}{matches}", escape::line(value)))
    }));
    if let Some(body) = &trace.body_signed {
        fields.push(("body", format!("as signed, {}", shown(body))));
    }
    fields
}

/// The length of a body, and whether it ends in a newline, which is easily overlooked.
pub(crate) fn size(body: &[u8]) -> String {
    let end = if body.ends_with(b"\n") { ", ends with a newline" } else { "" };
    let unit = if body.len() == 1 { "byte" } else { "bytes" };
    format!("{} {unit}{end}", body.len())
}

/// How a sent delivery is signed.
pub(crate) fn signed_as(verdict: &Verdict, paint: Paint) -> String {
    match verdict {
        Verdict::Verified { scheme, .. } => format!("signed {scheme}"),
        Verdict::Authenticated { scheme, .. } => format!("authenticated by {scheme}"),
        Verdict::Invalid { reason, .. } => paint.warn(format!("invalid signature: {}", reason.name())),
        Verdict::Unsigned => "unsigned".to_owned(),
        Verdict::Unchecked => "original signature; --secret signs again".to_owned(),
    }
}

/// The fields of a payload, most important first.
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

/// Provider, status, event and ids, for a payload that is inspected by itself.
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

/// The meaning of a payload, in one sentence.
pub(crate) fn meaning(payload: &Payload) -> String {
    let label = payload.provider.label;
    let what = match payload.shape.kind {
        Kind::Prediction => "the prediction",
        Kind::Workflow => "the workflow",
        Kind::Notice => return format!("{label} reports an event: process it, answer 2xx"),
        Kind::Other => return "unknown provider; the fields are guessed from their usual names".into(),
    };
    match payload.status {
        Some(Status::Succeeded) if payload.shape.fields.output.is_empty() => {
            format!("{what} succeeded: answer 2xx, then fetch the result, which is not in the payload")
        }
        Some(Status::Succeeded) => format!("{what} succeeded: use the output, answer 2xx"),
        Some(Status::Failed) => format!("{what} failed: {label} sends nothing more about it"),
        Some(Status::Canceled) => format!("{what} was canceled: nothing more will come"),
        Some(Status::Processing | Status::Starting) => format!("{what} is running: more deliveries will follow"),
        None if payload.raw_status.is_none() => "the payload has no status; see the warning".to_owned(),
        None => format!("{label} does not document this status; see the warning"),
    }
}

/// The earlier delivery that a duplicate repeats.
pub(crate) fn repeat(duplicate: Option<&Duplicate>, paint: Paint) -> Option<String> {
    let duplicate = duplicate?;
    let Some(seen) = &duplicate.seen else { return Some(format!("of record {}", escape::line(&duplicate.id))) };
    let (of, last) = (format!("#{}", seen.seq), seen.last);
    Some(match (seen.answered, seen.same_body) {
        (Some(200..=299), true) => paint.warn(format!("duplicate of {of}, the same body")),
        (Some(200..=299), false) => paint.warn(format!("duplicate of {of} with another body")),
        (answered, same_body) => {
            let how = answered.map_or("got no answer".into(), |status| format!("was answered {status}"));
            let text = format!("sent again after #{last} {how}");
            if same_body { text } else { paint.warn(text + ", with another body") }
        }
    })
}

/// The size of a body and its encoding: `237 B`, `180 B gzip`.
fn body_size(delivery: &Delivery) -> String {
    // A field of the body may have been redacted since.
    let received = delivery.headers.get("content-length").and_then(|length| length.parse().ok());
    let size = fold::size(received.unwrap_or(delivery.body.len() as u64));
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

/// A status, or the failure in a word: `200`, `reset`, `broken`. With `--expect-status`, the colour says whether the answer
/// was expected.
pub(crate) fn outcome(answer: &Answer, expected: Option<bool>, paint: Paint) -> String {
    match (answer.status, answer.did) {
        (Some(status), None) if expected == Some(true) => paint.good(status),
        (Some(status), None) if expected == Some(false) => paint.bad(status),
        (Some(status), None) => answer_status(status, paint),
        (_, Some(action)) => paint.bad(action_name(action)),
        (None, None) => paint.bad("none"),
    }
}

fn action_name(action: ConnectionAction) -> &'static str {
    match action {
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

/// The answer, its time, and the request.
pub(crate) fn answer(record: &Record, paint: Paint) -> Option<String> {
    let answer = record.answer.as_ref()?;
    let what = match answer.did {
        None => outcome(answer, record.is_expected(), paint),
        Some(ConnectionAction::Hang) => paint.bad("none (the connection stays open)"),
        Some(ConnectionAction::Close) => paint.bad("none (connection closed)"),
        Some(ConnectionAction::Reset) => paint.bad("none (connection reset)"),
        Some(ConnectionAction::Truncate) => paint.bad("truncated"),
        Some(ConnectionAction::Other) => paint.bad("unknown (written by a newer hookctl)"),
    };
    let request = request(&record.delivery);
    let size = body_size(&record.delivery);
    let origin = if answer.by == AnsweredBy::Forward { " from the app" } else { "" };
    // The body of a success is not shown: it is for the sender.
    let line = answer.line.as_deref().filter(|_| !answer.status.is_some_and(|status| (200..300).contains(&status)));
    let line = line.map(|line| format!(": {}", short(line))).unwrap_or_default();
    Some(format!("{what} in {}{origin} to {request}, {size}{line}", milliseconds(answer.ms)))
}

/// Text from outside on one line, cut after [`VALUE`] characters.
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

/// A value on one line: a string, the first members of an object, the first elements of an array.
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

/// A member or an element.
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
