//! The payload: a body read in one vocabulary, whoever sent it.

use std::borrow::Cow;

use bytes::Bytes;

use super::body::{self, Body, Json, Object};
use super::delivery::Headers;
use super::provider::{self, Progress, Provider, Shape, Status};

/// What a body says. Larger fields are slices of the body; nothing is copied.
#[derive(Clone, Debug)]
pub struct Payload {
    /// Who sent it.
    pub provider: &'static Provider,
    /// In which of the provider's forms.
    pub shape: &'static Shape,
    /// The status, where its word is known.
    pub status: Option<Status>,
    /// The status as the provider spelled it.
    pub raw_status: Option<String>,
    /// What happened.
    pub event: Option<Event>,
    /// The id of the prediction or execution.
    pub id: Option<String>,
    /// Further ids under the provider's names for them: `track_id`, `workflow_id`, …
    pub ids: Vec<(&'static str, String)>,
    /// What was made; absent where there is nothing, or where it holds only the error.
    pub output: Option<Json>,
    /// What it was made from.
    pub input: Option<Json>,
    /// Why it failed, of a failed one.
    pub error: Option<String>,
    /// What was logged, where that is text.
    pub logs: Option<String>,
    /// Times and costs.
    pub metrics: Option<Json>,
}

/// What a delivery reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `completed`, `output`, `workflow.completed`, …
    pub name: Cow<'static, str>,
    /// Whether the body does not name it and it was told from the other fields.
    pub inferred: bool,
}

impl Payload {
    /// Reads a body; `None` when it is not JSON. With `named`, the provider is that one whatever the body looks like.
    pub fn read(body: &Bytes, headers: &Headers, named: Option<&'static Provider>) -> Option<Payload> {
        let object = match Body::of(body) {
            Body::Object(object) => object,
            Body::Value(_) => Object::default(),
            Body::Empty | Body::Broken(_) | Body::Text(_) | Body::Binary => return None,
        };
        let (provider, shape) = provider::detect(&object, headers, named);
        Some(Payload::of(body, &object, provider, shape))
    }

    /// Reads a body as this shape of this provider; `None` when it is not JSON.
    pub fn read_as(body: &Bytes, provider: &'static Provider, shape: &'static Shape) -> Option<Payload> {
        match Body::of(body) {
            Body::Object(object) => Some(Payload::of(body, &object, provider, shape)),
            Body::Value(_) => Some(Payload::of(body, &Object::default(), provider, shape)),
            Body::Empty | Body::Broken(_) | Body::Text(_) | Body::Binary => None,
        }
    }

    fn of(body: &Bytes, object: &Object<'_>, provider: &'static Provider, shape: &'static Shape) -> Payload {
        let fields = &shape.fields;
        let value =
            |paths: &[&str]| first(object, paths).map(|text| Json::within(body, text)).filter(|v| !v.is_blank());
        let word = |paths: &[&str]| first(object, paths).and_then(body::scalar).map(Cow::into_owned);

        let raw_status = word(fields.status);
        let status = raw_status.as_deref().and_then(|word| shape.status(word));
        let failed = status == Some(Status::Failed);
        let error = failed.then(|| reason(object, fields.error)).flatten();
        let logs = word(fields.logs).filter(|logs| !logs.is_empty());
        let output = value(fields.output).filter(|_| !(failed && holds_the_error(shape)));

        let named = word(fields.event).map(|name| Event { name: Cow::Owned(name), inferred: false });
        let event = named.or_else(|| {
            let progress = Progress { status, output: output.is_some(), logs: logs.is_some() };
            (shape.inferred_event)(progress).map(|name| Event { name: Cow::Borrowed(name), inferred: true })
        });
        let ids = fields.ids.iter().filter_map(|(name, path)| Some((*name, word(&[*path])?))).collect();

        Payload {
            provider,
            shape,
            status,
            raw_status,
            event,
            id: word(fields.id),
            ids,
            output,
            input: value(fields.input),
            error,
            logs,
            metrics: value(fields.metrics),
        }
    }

    /// The idempotency key: what a handler may take as the same delivery come again. Provider, id and event; the status
    /// where there is no event. `None` without an id.
    pub fn key(&self) -> Option<String> {
        let (id, event) = (self.id.as_ref()?, self.event.as_ref());
        let what = event.map(|event| event.name.as_ref()).or(self.raw_status.as_deref());
        Some(match what {
            Some(what) => format!("{}/{id}/{what}", self.provider.name),
            None => format!("{}/{id}", self.provider.name),
        })
    }

    /// Whether nothing comes after it. An unknown status may be the last, so it counts as terminal: a sender that
    /// retries only terminal deliveries must not give up on it.
    pub fn is_terminal(&self) -> bool {
        self.status.is_none_or(Status::is_terminal)
    }
}

/// The first path that has a value other than `null`.
fn first<'a>(object: &Object<'a>, paths: &[&str]) -> Option<&'a str> {
    paths.iter().filter_map(|path| object.at(path)).find(|value| *value != "null")
}

/// The first path that gives a reason in words. Blank ones do not: each::labs always sends `"error": ""`.
fn reason(object: &Object<'_>, paths: &[&str]) -> Option<String> {
    let texts = paths.iter().filter_map(|path| object.at(path)).filter_map(body::scalar);
    texts.map(Cow::into_owned).find(|text| !text.trim().is_empty())
}

/// Whether a failure of this shape puts its error where a success has its output.
fn holds_the_error(shape: &Shape) -> bool {
    shape.fields.error.iter().any(|path| path.starts_with("output."))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn read(body: &str) -> Payload {
        Payload::read(&Bytes::copy_from_slice(body.as_bytes()), &Headers::default(), None).unwrap()
    }

    /// `provider variant kind event[*] status/raw id`, the star marking an inferred event.
    fn line(payload: &Payload) -> String {
        let event = payload.event.as_ref();
        let event = event.map_or("-".into(), |e| format!("{}{}", e.name, if e.inferred { "*" } else { "" }));
        format!(
            "{} {} {} {event} {}/{} {}",
            payload.provider.name,
            payload.shape.variant,
            payload.shape.kind.name(),
            payload.status.map_or("-", Status::name),
            payload.raw_status.as_deref().unwrap_or("-"),
            payload.id.as_deref().unwrap_or("-"),
        )
    }

    #[test]
    fn every_fixture_is_recognised_as_what_it_is() {
        let lines: Vec<_> = provider::fixtures().map(|(_, f)| format!("{}: {}", f.name, line(&read(f.body)))).collect();
        // Generations B and C have one body; without headers it is taken for the newer.
        insta::assert_snapshot!(lines.join("\n"), @r"
        eachlabs/a/success: eachlabs A prediction completed* succeeded/success abc123-def456-ghi789
        eachlabs/a/failed: eachlabs A prediction failed* failed/failed abc123-def456-ghi789
        eachlabs/b/succeeded: eachlabs C prediction completed* succeeded/succeeded abc123-def456-ghi789
        eachlabs/b/failed: eachlabs C prediction failed* failed/failed abc123-def456-ghi789
        eachlabs/b/failed-code: eachlabs C prediction failed* failed/failed abc123-def456-ghi789
        eachlabs/c/succeeded: eachlabs C prediction completed* succeeded/succeeded abc123-def456-ghi789
        eachlabs/c/failed: eachlabs C prediction failed* failed/failed abc123-def456-ghi789
        eachlabs/workflow/completed: eachlabs workflow workflow completed* succeeded/completed exec-7f3a9c21-5b1e
        eachlabs/workflow/failed: eachlabs workflow workflow failed* failed/failed exec-7f3a9c21-5b1e
        eachlabs/workflow/bulk: eachlabs workflow workflow completed* succeeded/completed exec-7f3a9c21-5b1e
        modelslab/success: modelslab generation prediction completed* succeeded/success abc123-def456
        modelslab/failed: modelslab generation prediction failed* failed/failed abc123-def456
        modelslab/processing: modelslab generation prediction processing* processing/processing abc123-def456
        modelslab/workflow: modelslab workflow workflow workflow.completed succeeded/completed exec_xyz789
        modelslab/workflow-flat: modelslab workflow-flat workflow workflow.completed succeeded/completed 12345
        cog/coglet/start: cog coglet prediction start* processing/processing wjx3whax6rf4vphkegkhcvpv6a
        cog/coglet/output: cog coglet prediction output* processing/processing piter-success
        cog/coglet/logs: cog coglet prediction logs* processing/processing wjx3whax6rf4vphkegkhcvpv6a
        cog/coglet/succeeded: cog coglet prediction completed* succeeded/succeeded wjx3whax6rf4vphkegkhcvpv6a
        cog/coglet/failed: cog coglet prediction completed* failed/failed ptext-failure
        cog/coglet/canceled: cog coglet prediction completed* canceled/canceled ptext-canceled
        cog/python/start: cog python prediction start* processing/processing wjx3whax6rf4vphkegkhcvpv6a
        cog/python/output: cog python prediction output* processing/processing piter-success
        cog/python/logs: cog python prediction logs* processing/processing wjx3whax6rf4vphkegkhcvpv6a
        cog/python/succeeded: cog python prediction completed* succeeded/succeeded wjx3whax6rf4vphkegkhcvpv6a
        cog/python/failed: cog python prediction completed* failed/failed ptext-failure
        cog/python/canceled: cog python prediction completed* canceled/canceled ptext-canceled
        ");
    }

    #[test]
    fn variations_that_providers_really_send() {
        let cases = [
            // ModelsLab: integer ids, `error` for `failed`, `messege`, no track_id.
            (
                r#"{"status":"success","id":12345678,"output":["https://x/y.png"],"generationTime":1.2}"#,
                "modelslab generation prediction completed* succeeded/success 12345678",
            ),
            (
                r#"{"status":"success","id":"1","output":["https://x/y.png"]}"#,
                "modelslab generation prediction completed* succeeded/success 1",
            ),
            (r#"{"status":"error","messege":"bad","id":7}"#, "modelslab generation prediction failed* failed/error 7"),
            (
                r#"{"status":"processing","tip":"x","eta":5,"messege":"","id":7,"output":[],"fetch_result":"u","future_links":[],"meta":{}}"#,
                "modelslab generation prediction processing* processing/processing 7",
            ),
            // Cog: what is never set is left out, and cog 0.9 leaks request fields.
            (r#"{"id":"p","logs":"x\n","status":"processing"}"#, "cog coglet prediction logs* processing/processing p"),
            (
                r#"{"error":"Worker crashed","id":"p","logs":"","metrics":{},"status":"failed"}"#,
                "cog coglet prediction completed* failed/failed p",
            ),
            (
                r#"{"input": {}, "output": null, "id": null, "created_at": null, "started_at": "t", "logs": "", "status": "processing"}"#,
                "cog python prediction start* processing/processing -",
            ),
            (
                r#"{"input": {}, "output": "x", "id": "p", "created_at": null, "started_at": "t", "completed_at": "t", "logs": "", "status": "succeeded", "output_file_prefix": null, "webhook": "u", "webhook_events_filter": []}"#,
                "cog python prediction completed* succeeded/succeeded p",
            ),
            // each::labs without metrics; a workflow of a bulk.
            (
                r#"{"id":"a","status":"success","output":"https://x","input":{}}"#,
                "eachlabs A prediction completed* succeeded/success a",
            ),
            (
                r#"{"id":"a","status":"failed","output":null,"logs":"no"}"#,
                "eachlabs A prediction failed* failed/failed a",
            ),
            (
                r#"{"execution_id":"e","workflow_id":"w","bulk_id":"b","status":"cancelled","started_at":"t","inputs":{}}"#,
                "eachlabs workflow workflow canceled* canceled/cancelled e",
            ),
            // Others.
            (
                r#"{"id":"evt_1","object":"event","type":"response.completed","data":{"id":"resp_1"}}"#,
                "generic generic other response.completed -/- evt_1",
            ),
            (
                r#"{"id":"r","version":"v","created_at":"t","started_at":null,"completed_at":null,"status":"starting","input":{},"output":null,"error":null,"logs":null,"metrics":{}}"#,
                "generic generic other - starting/starting r",
            ),
            (
                r#"{"delayTime":1,"executionTime":2,"id":"r","output":["x"],"status":"COMPLETED"}"#,
                "generic generic other - -/COMPLETED r",
            ),
            (r#"{"transcript_id":"t","status":"completed"}"#, "generic generic other - succeeded/completed t"),
            (
                r#"{"id":"gen","status":"Ready","result":{"sample":"u"},"timestamp":"t"}"#,
                "generic generic other - -/Ready gen",
            ),
            (r#"{}"#, "generic generic other - -/- -"),
            (r#"[1,2]"#, "generic generic other - -/- -"),
        ];
        for (body, expected) in cases {
            assert_eq!(line(&read(body)), expected, "{body}");
        }
    }

    #[test]
    fn a_name_given_by_the_user_or_the_user_agent_wins_over_the_looks() {
        let body = Bytes::from_static(br#"{"id":"x","status":"done"}"#);
        let named = Payload::read(&body, &Headers::default(), Provider::named("modelslab")).unwrap();
        assert_eq!((named.provider.name, named.status, named.raw_status.as_deref()), ("modelslab", None, Some("done")));

        let mut headers = Headers::default();
        headers.push(
            HeaderName::from_static("user-agent"),
            HeaderValue::from_static("cog-worker/0.9.26 python-requests/2"),
        );
        let told = Payload::read(&body, &headers, None).unwrap();
        assert_eq!((told.provider.name, told.shape.variant), ("cog", "python"));
    }

    #[test]
    fn generations_b_and_c_differ_by_their_headers_alone() {
        let body =
            Bytes::from_static(br#"{"exec_id":"x","flow_id":null,"status":"succeeded","output":"u","error":""}"#);
        let with = |name: &'static str| {
            let mut headers = Headers::default();
            headers.push(HeaderName::from_static(name), HeaderValue::from_static("1"));
            Payload::read(&body, &headers, None).unwrap().shape.variant
        };
        assert_eq!(with("x-webhook-secret"), "B");
        assert_eq!(with("x-webhook-timestamp"), "C");
    }

    #[test]
    fn reasons_are_found_where_each_provider_puts_them() {
        let reason = |body: &str| read(body).error;
        let of = |name: &str| provider::fixtures().find(|(_, f)| f.name == name).map(|(_, f)| f.body).unwrap();
        assert_eq!(reason(of("eachlabs/a/failed")).as_deref(), Some("Error: Model timeout after 30s"));
        assert_eq!(reason(of("eachlabs/b/failed")).as_deref(), Some("Model timeout after 30s"));
        assert_eq!(reason(of("eachlabs/b/failed-code")).as_deref(), Some("Model timeout after 30s"));
        assert_eq!(reason(of("modelslab/failed")).as_deref(), Some("Processing failed: Invalid input dimensions"));
        assert_eq!(reason(of("cog/python/failed")).as_deref(), Some("Invalid input dimensions"));
        assert_eq!(reason(of("eachlabs/workflow/failed")).as_deref(), Some("step generate: Model timeout after 30s"));
        assert_eq!(reason(of("eachlabs/a/success")), None);
        assert!(read(of("eachlabs/b/failed")).output.is_none());
    }

    #[test]
    fn keys_name_provider_id_and_event() {
        let key = |body: &str| read(body).key();
        assert_eq!(
            key(r#"{"id":"abc","status":"success","output":"u","input":{}}"#).as_deref(),
            Some("eachlabs/abc/completed")
        );
        assert_eq!(key(r#"{"id":"r","kind":"x"}"#).as_deref(), Some("generic/r"));
        assert_eq!(key(r#"{"status":"success"}"#), None);
    }
}
