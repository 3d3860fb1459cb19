//! What changed between two deliveries, field by field.

use crate::event::{Change, Diff, Entry};
use crate::payload::Body;
use crate::payload::body::{self, JsonType, Object};
use crate::payload::record::Record;
use crate::payload::signature;

/// Deeper than this, values are compared as text.
const DEPTH: usize = 64;

/// What changed from one delivery to another.
pub fn between(a: &Entry, b: &Entry) -> Diff {
    let mut changes = Vec::new();
    let (first, second) = (&a.record, &b.record);
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

fn push(changes: &mut Vec<Change>, path: &str, before: Option<String>, after: Option<String>, volatile: bool) {
    if before != after {
        changes.push(Change { path: path.to_owned(), before, after, volatile });
    }
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn word(changes: &mut Vec<Change>, path: &str, a: &str, b: &str) {
    push(changes, path, Some(json(a)), Some(json(b)), false);
}

fn headers(changes: &mut Vec<Change>, a: &Record, b: &Record) {
    let (a, b) = (&a.delivery.headers, &b.delivery.headers);
    let names = a.raw().chain(b.raw()).map(|(name, _)| name.plain().as_str());
    let mut seen = Vec::new();
    for name in names {
        if seen.contains(&name) {
            continue;
        }
        seen.push(name);
        let value = |headers: &crate::payload::Headers| {
            let values: Vec<_> = headers.all(name).collect();
            (!values.is_empty()).then(|| json(&values.join(", ")))
        };
        push(changes, &format!("headers.{name}"), value(a), value(b), is_volatile_header(name));
    }
}

fn bodies(changes: &mut Vec<Change>, a: &Record, b: &Record) {
    let (a, b) = (a.delivery.held(), b.delivery.held());
    let is_json = |bytes: &[u8]| Body::of(bytes).why_not_json().is_none();
    match (std::str::from_utf8(&a), std::str::from_utf8(&b)) {
        (Ok(first), Ok(second)) if is_json(&a) && is_json(&b) => {
            values(changes, "body", Some(first.trim()), Some(second.trim()), DEPTH);
        }
        _ => word(changes, "body", &String::from_utf8_lossy(&a), &String::from_utf8_lossy(&b)),
    }
}

/// Compares two JSON texts, of which one may not be there.
fn values(changes: &mut Vec<Change>, path: &str, a: Option<&str>, b: Option<&str>, depth: usize) {
    let both = a.zip(b);
    if a == b || both.is_some_and(|(a, b)| body::string(a).is_some() && body::string(a) == body::string(b)) {
        return;
    }
    let kinds = both.filter(|_| depth > 0).map(|(a, b)| (JsonType::of(a), JsonType::of(b)));
    match (both, kinds) {
        (Some((a, b)), Some((JsonType::Object, JsonType::Object))) => objects(changes, path, a, b, depth),
        (Some((a, b)), Some((JsonType::Array, JsonType::Array))) => {
            let (a, b) = (body::items(a).unwrap_or_default(), body::items(b).unwrap_or_default());
            for index in 0..a.len().max(b.len()) {
                let (a, b) = (a.get(index).copied(), b.get(index).copied());
                values(changes, &format!("{path}.{index}"), a, b, depth - 1);
            }
        }
        _ => push(changes, path, a.map(str::to_owned), b.map(str::to_owned), is_volatile_field(path)),
    }
}

fn objects(changes: &mut Vec<Change>, path: &str, a: &str, b: &str, depth: usize) {
    let (Some(a), Some(b)) = (Object::parse(a), Object::parse(b)) else { return };
    for (key, value) in a.members() {
        // Of a key that occurs twice the last one counts.
        if a.get(key).is_some_and(|last| std::ptr::eq(last, value)) {
            values(changes, &format!("{path}.{key}"), Some(value), b.get(key), depth - 1);
        }
    }
    for (key, value) in b.members().filter(|(key, _)| a.get(key).is_none()) {
        values(changes, &format!("{path}.{key}"), None, Some(value), depth - 1);
    }
}

/// Headers that differ between any two deliveries, or follow from the body: proofs, their time stamps, ids, traces.
fn is_volatile_header(name: &str) -> bool {
    const NAMES: [&str; 5] = ["content-length", "date", "traceparent", "tracestate", "x-github-delivery"];
    const ENDS: [&str; 3] = ["-timestamp", "-id", "-triggered-at"];
    let is_proof = || signature::ALL.iter().any(|scheme| scheme.signature.contains(&name));
    NAMES.contains(&name) || ENDS.iter().any(|end| name.ends_with(end)) || is_proof()
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
        let told = |side: &Option<String>| side.clone().unwrap_or_else(|| "-".into());
        changes
            .iter()
            .map(|change| format!("{} {} {}", change.path, told(&change.before), told(&change.after)))
            .collect()
    }

    #[test]
    fn fields_are_compared_by_what_they_hold() {
        let none: [&str; 0] = [];
        assert_eq!(changed(r#"{"a": [1, {"b":"\u00e9"}]}"#, r#"{"a":[1,{"b":"é"}]}"#), none);
        assert_eq!(changed(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#), none, "order says nothing");
        assert_eq!(changed(r#"{"a":1.0,"a":3}"#, r#"{"a":1.0}"#), ["body.a 3 1.0"]);
        assert_eq!(
            changed(r#"{"s":"x","o":["a"],"gone":null}"#, r#"{"s":"y","o":["a","b"],"new":{}}"#),
            [r#"body.s "x" "y""#, r#"body.o.1 - "b""#, "body.gone null -", "body.new - {}"]
        );
        assert_eq!(changed("[1]", "{}"), ["body [1] {}"]);
        let deep = |end| format!("{}{end}{}", "[".repeat(5000), "]".repeat(5000));
        assert_eq!(changed(&deep("1"), &deep("2")).len(), 1);
    }

    #[test]
    fn what_always_differs_is_known() {
        for name in ["webhook-signature", "webhook-id", "x-webhook-timestamp", "stripe-signature", "date"] {
            assert!(is_volatile_header(name), "{name}");
        }
        assert!(!is_volatile_header("content-type") && !is_volatile_header("user-agent"));
        assert!(is_volatile_field("body.completed_at") && !is_volatile_field("body.output"));
    }
}
