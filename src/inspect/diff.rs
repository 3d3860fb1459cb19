//! Compares two deliveries field by field.

use crate::event::{Diff, FieldChange, JournalRow};
use crate::journal::Record;
use crate::json::JsonType;
use crate::json::Object;
use crate::json::object;
use crate::json::string::quoted;
use crate::json::value;
use crate::payload::Body;
use crate::signature;

/// Values nested deeper are compared as text.
const DEPTH: usize = 64;

pub(crate) fn between(a: &JournalRow, b: &JournalRow) -> Diff {
    let mut changes = Vec::new();
    let first = &a.record;
    let second = &b.record;
    word(&mut changes, "method", &first.delivery.method, &second.delivery.method);
    word(&mut changes, "target", &first.delivery.target, &second.delivery.target);
    headers(&mut changes, first, second);
    bodies(&mut changes, first, second);
    word(&mut changes, "signature.verdict", first.verdict.name(), second.verdict.name());
    let status = |record: &Record| record.answer.as_ref().and_then(|answer| answer.status).map(|s| s.to_string());
    push(&mut changes, "answer.status", status(first), status(second), false);
    Diff { numbers: [a.number, b.number], titles: [title(first), title(second)], at: [first.at, second.at], changes }
}

fn title(record: &Record) -> String {
    let Some(payload) = &record.payload else { return "not JSON".to_owned() };
    let status = payload.status.map(|status| status.name()).or(payload.raw_status.as_deref());
    let words = [Some(payload.provider.label), status, payload.id.as_deref()];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn push(changes: &mut Vec<FieldChange>, path: &str, before: Option<String>, after: Option<String>, volatile: bool) {
    if before != after {
        changes.push(FieldChange { path: path.to_owned(), before, after, volatile });
    }
}

fn word(changes: &mut Vec<FieldChange>, path: &str, a: &str, b: &str) {
    push(changes, path, Some(quoted(a)), Some(quoted(b)), false);
}

fn headers(changes: &mut Vec<FieldChange>, a: &Record, b: &Record) {
    let first = &a.delivery.headers;
    let second = &b.delivery.headers;
    let names = first.raw().chain(second.raw()).map(|(name, _)| name.plain().as_str());
    let mut seen = Vec::new();
    for name in names {
        if seen.contains(&name) {
            continue;
        }
        seen.push(name);
        let value = |headers: &crate::payload::Headers| {
            let values: Vec<_> = headers.all(name).collect();
            (!values.is_empty()).then(|| quoted(&values.join(", ")))
        };
        push(changes, &format!("headers.{name}"), value(first), value(second), is_volatile_header(name));
    }
}

fn bodies(changes: &mut Vec<FieldChange>, first: &Record, second: &Record) {
    let a = first.delivery.decoded_body();
    let b = second.delivery.decoded_body();
    let is_json = |bytes: &[u8]| Body::of(bytes).why_not_json().is_none();
    match (std::str::from_utf8(&a), std::str::from_utf8(&b)) {
        (Ok(before), Ok(after)) if is_json(&a) && is_json(&b) => {
            values(changes, "body", Some(before.trim()), Some(after.trim()), DEPTH);
        }
        _ => word(changes, "body", &String::from_utf8_lossy(&a), &String::from_utf8_lossy(&b)),
    }
}

/// Compares two JSON texts, one of which may be missing.
fn values(changes: &mut Vec<FieldChange>, path: &str, a: Option<&str>, b: Option<&str>, depth: usize) {
    let both = a.zip(b);
    if a == b || both.is_some_and(|(a, b)| is_same_scalar(a, b)) {
        return;
    }
    let kinds = both.filter(|_| depth > 0).map(|(a, b)| (JsonType::of(a), JsonType::of(b)));
    match (both, kinds) {
        (Some((a, b)), Some((JsonType::Object, JsonType::Object))) => objects(changes, path, a, b, depth),
        (Some((a, b)), Some((JsonType::Array, JsonType::Array))) => {
            arrays(changes, path, &object::items(a).unwrap_or_default(), &object::items(b).unwrap_or_default(), depth);
        }
        _ => push(changes, path, a.map(str::to_owned), b.map(str::to_owned), is_volatile_field(path)),
    }
}

/// Whether two strings or numbers are equal, however they are spelled.
fn is_same_scalar(a: &str, b: &str) -> bool {
    match (JsonType::of(a), JsonType::of(b)) {
        (JsonType::String, JsonType::String) => value::string(a) == value::string(b),
        (JsonType::Number, JsonType::Number) => decimal(a).is_some_and(|a| Some(a) == decimal(b)),
        _ => false,
    }
}

/// A number without rounding: whether it is negative, its digits, and the power of ten of its last digit. `None` where that
/// power exceeds 64 bits.
fn decimal(text: &str) -> Option<(bool, String, i64)> {
    let (mantissa, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = [whole.trim_start_matches('-'), fraction].concat();
    let digits = all.trim_start_matches('0');
    let shortest = digits.trim_end_matches('0');
    if shortest.is_empty() {
        return Some((false, String::new(), 0));
    }
    let exponent = power.parse::<i64>().ok()?.checked_sub(fraction.len() as i64)?;
    let last = exponent.checked_add((digits.len() - shortest.len()) as i64)?;
    Some((whole.starts_with('-'), shortest.to_owned(), last))
}

/// Of arrays with different lengths, equal items at both ends are skipped: an item that was inserted or removed at the front
/// changes no other.
fn arrays(changes: &mut Vec<FieldChange>, path: &str, a: &[&str], b: &[&str], depth: usize) {
    let alike = |a: &str, b: &str| {
        let mut found = Vec::new();
        values(&mut found, "", Some(a), Some(b), depth - 1);
        found.is_empty()
    };
    let shorter = a.len().min(b.len());
    let mut start = 0;
    let mut end = 0;
    if a.len() != b.len() {
        start = (0..shorter).take_while(|index| alike(a[*index], b[*index])).count();
        let from_end = |n: &usize| alike(a[a.len() - 1 - n], b[b.len() - 1 - n]);
        end = (0..shorter - start).take_while(from_end).count();
    }
    for index in start..a.len().max(b.len()) - end {
        let item = |items: &[&'_ str]| (index < items.len() - end).then(|| items[index].to_owned());
        values(changes, &format!("{path}.{index}"), item(a).as_deref(), item(b).as_deref(), depth - 1);
    }
}

/// The path of a member. A name with a dot or a quotation mark is quoted.
fn member(path: &str, key: &str) -> String {
    let is_plain = !key.is_empty() && !key.contains(['.', '"']);
    if is_plain { format!("{path}.{key}") } else { format!("{path}.{}", quoted(key)) }
}

fn objects(changes: &mut Vec<FieldChange>, path: &str, a: &str, b: &str, depth: usize) {
    let (Some(before), Some(after)) = (Object::parse(a), Object::parse(b)) else { return };
    for (key, value) in before.members() {
        // The last of several members with the same key counts.
        if before.get(key).is_some_and(|last| std::ptr::eq(last, value)) {
            values(changes, &member(path, key), Some(value), after.get(key), depth - 1);
        }
    }
    for (key, value) in after.members().filter(|(key, _)| before.get(key).is_none()) {
        values(changes, &member(path, key), None, Some(value), depth - 1);
    }
}

/// Headers that differ between any two deliveries, or follow from the body: signatures, time stamps, ids, traces.
fn is_volatile_header(name: &str) -> bool {
    const NAMES: [&str; 6] = ["content-length", "date", "traceparent", "tracestate", "x-github-delivery", "svix-id"];
    // Not every id: a user's id is the same in all deliveries of that user.
    const ENDS: [&str; 7] =
        ["-timestamp", "-triggered-at", "webhook-id", "event-id", "request-id", "trace-id", "correlation-id"];
    let is_signature = || signature::ALL.iter().any(|scheme| scheme.signature.contains(&name));
    NAMES.contains(&name) || ENDS.iter().any(|end| name.ends_with(end)) || is_signature()
}

/// Times of day within a body.
fn is_volatile_field(path: &str) -> bool {
    let key = path.rsplit('.').next().unwrap_or_default();
    key.ends_with("_at") || key == "timestamp" || key.ends_with("_timestamp")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(a: &str, b: &str) -> Vec<String> {
        let mut changes = Vec::new();
        values(&mut changes, "body", Some(a), Some(b), DEPTH);
        let text = |side: &Option<String>| side.clone().unwrap_or_else(|| "-".into());
        changes
            .iter()
            .map(|change| format!("{} {} {}", change.path, text(&change.before), text(&change.after)))
            .collect()
    }

    #[test]
    fn fields_are_compared_by_their_values() {
        let none: [&str; 0] = [];
        assert_eq!(changed(r#"{"a": [1, {"b":"\u00e9"}]}"#, r#"{"a":[1,{"b":"é"}]}"#), none);
        assert_eq!(changed(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#), none, "the order of members does not count");
        assert_eq!(changed(r#"{"a":1.0,"a":3}"#, r#"{"a":1.0}"#), ["body.a 3 1.0"]);
        assert_eq!(
            changed(r#"{"s":"x","o":["a"],"gone":null}"#, r#"{"s":"y","o":["a","b"],"new":{}}"#),
            [r#"body.s "x" "y""#, r#"body.o.1 - "b""#, "body.gone null -", "body.new - {}"]
        );
        assert_eq!(changed("[1]", "{}"), ["body [1] {}"]);
        assert_eq!(
            changed(r#"{"a.b":1,"a":{"b":1},"":1}"#, r#"{"a.b":2,"a":{"b":3}}"#),
            [r#"body."a.b" 1 2"#, "body.a.b 1 3", r#"body."" 1 -"#]
        );
        let deep = |end| format!("{}{end}{}", "[".repeat(5000), "]".repeat(5000));
        assert_eq!(changed(&deep("1"), &deep("2")).len(), 1);
    }

    #[test]
    fn an_inserted_item_changes_no_other() {
        assert_eq!(changed("[1,2,3]", "[0,1,2,3]"), ["body.0 - 0"]);
        assert_eq!(changed("[1,2,3]", r#"[1,"new",2,3]"#), [r#"body.1 - "new""#]);
        assert_eq!(changed(r#"[{"a":1},{"b":2},3]"#, r#"[{"b":2.0},3]"#), [r#"body.0 {"a":1} -"#]);
        assert_eq!(changed("[1,2,3,4]", "[1,5,4]"), ["body.1 2 5", "body.2 3 -"]);
        assert_eq!(changed("[]", "[1]"), ["body.0 - 1"]);
        assert_eq!(changed("[1,1]", "[1]"), ["body.1 1 -"]);
        assert_eq!(changed("[1,2]", "[2,1]"), ["body.0 1 2", "body.1 2 1"]);
    }

    #[test]
    fn numbers_are_compared_by_their_values() {
        let same =
            [("1.0", "1.00"), ("1", "1e0"), ("-0", "0.0"), ("1200", "1.2E+3"), ("0.05", "5e-2"), ("1e999", "10e998")];
        for (a, b) in same {
            assert!(changed(a, b).is_empty(), "{a} {b}");
        }
        let differ = [
            ("1", "-1"),
            ("12345678901234567890", "12345678901234567891"),
            ("0.1", "0.10000000000000001"),
            ("1e99999999999999999999", "1e99999999999999999998"),
        ];
        for (a, b) in differ {
            assert_eq!(changed(a, b).len(), 1, "{a} {b}");
        }
    }

    #[test]
    fn volatile_fields_are_known() {
        for name in ["webhook-signature", "webhook-id", "x-webhook-timestamp", "stripe-signature", "date"] {
            assert!(is_volatile_header(name), "{name}");
        }
        for name in ["content-type", "user-agent", "x-user-id", "x-fal-webhook-user-id", "x-model-id"] {
            assert!(!is_volatile_header(name), "{name}");
        }
        assert!(is_volatile_field("body.completed_at") && !is_volatile_field("body.output"));
    }
}
