//! Warnings about one payload, by the rules of its provider. Unknown extra fields are fine.

use serde::{Deserialize, Serialize};

use super::nearest;
use super::provider::{Kind, Status};
use super::read::Payload;
use crate::json::JsonType;

/// A warning about a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// A stable name: `unknown_status`.
    #[serde(default)]
    pub(crate) code: String,
    /// The dotted path of the field.
    #[serde(default)]
    pub(crate) path: String,
    /// A sentence for people.
    #[serde(default)]
    pub(crate) message: String,
}

impl Warning {
    pub(crate) fn new(code: &str, path: &str, message: String) -> Self {
        Warning { code: code.into(), path: path.into(), message }
    }
}

/// Ids from documentation that are not real ids.
const PLACEHOLDERS: [&str; 5] = ["string", "your_prediction_id", "prediction_id", "xxx", "null"];

/// Every warning about one payload. A body of an unknown provider has no rules to break, and a field that the shape does not
/// have cannot be missing: some payloads only report that a result can be fetched.
pub fn warnings(payload: &Payload) -> Vec<Warning> {
    if payload.shape.kind == Kind::Other {
        return Vec::new();
    }
    let found = [status(payload), id(payload), output(payload), error(payload)].into_iter().flatten();
    found.chain(metrics(payload)).collect()
}

fn wrong_type(path: &str, kind: JsonType, expected: &str) -> Warning {
    Warning::new("wrong_type", path, format!("`{path}` is {}, not {expected}", kind.noun()))
}

/// The warning about a status or id that is neither a string nor a number.
fn not_scalar(payload: &Payload, path: &str) -> Option<Warning> {
    let (path, kind) = payload.not_scalar.iter().find(|(known, _)| *known == path)?;
    Some(wrong_type(path, *kind, "a string"))
}

fn status(payload: &Payload) -> Option<Warning> {
    let path = payload.shape.fields.status.first()?;
    match (&payload.raw_status, payload.status) {
        (_, Some(_)) => None,
        (None, _) => not_scalar(payload, path)
            .or_else(|| Some(Warning::new("missing_status", path, format!("`{path}` is missing or empty")))),
        (Some(word), None) => {
            let label = payload.provider.label;
            let known = payload.shape.statuses.iter().map(|(known, _)| *known);
            let near = nearest(&word.to_lowercase(), known).map(|near| format!("; did you mean \"{near}\"?"));
            let message = format!("\"{}\" is not a status of {label}{}", brief(word), near.unwrap_or_default());
            Some(Warning::new("unknown_status", path, message))
        }
    }
}

/// A word cut to a length that can be quoted.
fn brief(word: &str) -> String {
    const LONGEST: usize = 64;
    match word.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &word[..end]),
        None => word.to_owned(),
    }
}

fn id(payload: &Payload) -> Option<Warning> {
    let path = payload.shape.fields.id.first()?;
    match &payload.id {
        None => not_scalar(payload, path).or_else(|| {
            Some(Warning::new("missing_id", path, format!("`{path}` is missing: duplicates cannot be recognised")))
        }),
        Some(id) if id.trim().is_empty() || PLACEHOLDERS.iter().any(|known| id.eq_ignore_ascii_case(known)) => {
            Some(Warning::new("placeholder_id", path, format!("\"{}\" is a placeholder, not an id", brief(id))))
        }
        Some(_) => None,
    }
}

fn output(payload: &Payload) -> Option<Warning> {
    let path = payload.shape.fields.output.first()?;
    let missing = payload.status == Some(Status::Succeeded) && payload.output.is_none();
    missing.then(|| {
        Warning::new("success_without_output", path, format!("the status is succeeded, but `{path}` is empty"))
    })
}

fn error(payload: &Payload) -> Option<Warning> {
    let paths = payload.shape.fields.error;
    let path = paths.first()?;
    let missing = payload.status == Some(Status::Failed) && payload.error.is_none();
    missing.then(|| {
        let fields = match paths {
            [field] => format!("`{field}` has no reason"),
            _ => format!("none of `{}` has a reason", paths.join("`, `")),
        };
        Warning::new("failure_without_reason", path, format!("the status is failed, but {fields}"))
    })
}

/// Metrics that are numbers for every provider that documents them.
const NUMERIC: [&str; 3] = ["predict_time", "total_time", "cost"];

fn metrics(payload: &Payload) -> Vec<Warning> {
    let Some((metrics, path)) = payload.metrics.as_ref().zip(payload.shape.fields.metrics.first()) else {
        return Vec::new();
    };
    let Some(object) = metrics.object() else { return vec![wrong_type(path, metrics.kind(), "an object")] };
    let kinds = NUMERIC.iter().filter_map(|name| Some((name, JsonType::of(object.get(name)?))));
    let wrong = kinds.filter(|(_, kind)| !matches!(kind, JsonType::Number | JsonType::Null));
    wrong.map(|(name, kind)| wrong_type(&format!("{path}.{name}"), kind, "a number")).collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::payload::headers::Headers;
    use crate::payload::provider;

    fn codes(body: &str) -> Vec<String> {
        let payload = Payload::read(&Bytes::copy_from_slice(body.as_bytes()), &Headers::default(), None).unwrap();
        warnings(&payload).into_iter().map(|w| format!("{} {}: {}", w.code, w.path, w.message)).collect()
    }

    #[test]
    fn fixtures_have_no_warnings() {
        for (_, fixture) in provider::fixtures() {
            assert_eq!(codes(fixture.body), [""; 0], "{}", fixture.name);
        }
    }

    #[test]
    fn each_rule_names_its_field() {
        let cases = [
            (
                r#"{"id":"a","status":"sucess","output":null,"input":{}}"#,
                "unknown_status status: \"sucess\" is not a status of each::labs; did you mean \"success\"?",
            ),
            (
                r#"{"id":"evt_1","object":"event","created_at":1,"type":"response.complete","data":{"id":"r"}}"#,
                "unknown_status type: \"response.complete\" is not a status of OpenAI; did you mean \"response.completed\"?",
            ),
            (
                r#"{"transcript_id":"t","status":"complete"}"#,
                "unknown_status status: \"complete\" is not a status of AssemblyAI; did you mean \"completed\"?",
            ),
            (
                r#"{"id":"g","generation_type":"video","state":"completed","assets":null}"#,
                "success_without_output assets.video: the status is succeeded, but `assets.video` is empty",
            ),
            (
                r#"{"delayTime":1,"id":"r","status":"FAILED"}"#,
                "failure_without_reason error: the status is failed, but none of `error`, `output.error` has a reason",
            ),
            (
                r#"{"code":200,"msg":"ok","taskId":"string","data":{"info":{"resultUrls":["u"]}}}"#,
                "placeholder_id data.task_id: \"string\" is a placeholder, not an id",
            ),
            (
                r#"{"id":"a","status":"success","output":null,"input":{}}"#,
                "success_without_output output: the status is succeeded, but `output` is empty",
            ),
            (
                r#"{"id":"a","status":"failed","output":null,"input":{}}"#,
                "failure_without_reason error: the status is failed, but none of `error`, `logs` has a reason",
            ),
            (
                r#"{"id":"string","status":"success","output":"u","input":{}}"#,
                "placeholder_id id: \"string\" is a placeholder, not an id",
            ),
            (
                r#"{"id":"a","status":["success"],"output":"u","input":{}}"#,
                "wrong_type status: `status` is an array, not a string",
            ),
            (
                r#"{"id":{"a":1},"status":"success","output":"u","input":{}}"#,
                "wrong_type id: `id` is an object, not a string",
            ),
            (
                r#"{"id":"a","output":"u","input":{},"status":null}"#,
                "missing_status status: `status` is missing or empty",
            ),
            (
                r#"{"id":"a","status":"success","output":"u","input":{},"metrics":{"predict_time":"12,5","cost":null}}"#,
                "wrong_type metrics.predict_time: `metrics.predict_time` is a string, not a number",
            ),
            (
                r#"{"id":"a","status":"sucess","output":["u"],"metrics":{"predict_time":1.5,"cost":0.1}}"#,
                "unknown_status status: \"sucess\" is not a status of each::labs; did you mean \"success\"?",
            ),
            (
                r#"{"id":"a","status":"odd","output":"u","logs":"","metrics":{"predict_time":1.5}}"#,
                "unknown_status status: \"odd\" is not a status of Cog",
            ),
            (
                r#"{"id":"a","status":"success","output":"u","input":{},"metrics":[1]}"#,
                "wrong_type metrics: `metrics` is an array, not an object",
            ),
            (
                r#"{"input": {}, "output": "x", "id": null, "created_at": null, "started_at": "t", "logs": "", "status": "succeeded"}"#,
                "missing_id id: `id` is missing: duplicates cannot be recognised",
            ),
        ];
        for (body, expected) in cases {
            assert_eq!(codes(body), [expected], "{body}");
        }
    }
}
