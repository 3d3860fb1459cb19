//! The payload: a body in one vocabulary for all providers.

use std::borrow::Cow;

use bytes::Bytes;

use super::body::Body;
use super::detect::detect;
use super::headers::Headers;
use super::provider::{Provider, Shape, Status, WorkProgress};
use crate::json::Object;
use crate::json::value;
use crate::json::{Json, JsonType};

/// The fields of a body. Larger fields are slices of the body and not copied.
#[derive(Clone, Debug)]
pub struct Payload {
    /// The sender.
    pub provider: &'static Provider,
    pub(crate) shape: &'static Shape,
    /// The status, where its word is known.
    pub(crate) status: Option<Status>,
    /// The status in the provider's spelling.
    pub(crate) raw_status: Option<String>,
    pub(crate) event: Option<PayloadEvent>,
    /// The id of the prediction or execution.
    pub id: Option<String>,
    /// Further ids under the provider's names for them: `track_id`, `workflow_id`, …
    pub(crate) ids: Vec<(&'static str, String)>,
    /// The result; `None` where there is none, or where the field holds only the error.
    pub(crate) output: Option<Json>,
    pub(crate) input: Option<Json>,
    /// The reason of a failure.
    pub(crate) error: Option<String>,
    /// The logs, if they are text.
    pub(crate) logs: Option<String>,
    /// Times and costs.
    pub(crate) metrics: Option<Json>,
    /// The paths of status and id where the value is an object, an array or a boolean, with its type.
    pub(crate) not_scalar: Vec<(&'static str, JsonType)>,
}

/// The event that a delivery reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PayloadEvent {
    /// `completed`, `output`, `workflow.completed`, …
    pub(crate) name: Cow<'static, str>,
    /// Whether the body does not name the event and the other fields imply it.
    pub(crate) inferred: bool,
}

/// The members of a JSON body: none where the JSON is not an object. `None` for a body that is not JSON.
fn object(body: &[u8]) -> Option<Object<'_>> {
    match Body::of(body) {
        Body::Object(object) => Some(object),
        Body::Value(_) => Some(Object::default()),
        Body::Empty | Body::Broken(_) | Body::Text(_) | Body::Binary => None,
    }
}

impl Payload {
    /// Reads a body; `None` when it is not JSON. With `named`, only the shape is detected: the provider is `named`.
    pub fn read(body: &Bytes, headers: &Headers, named: Option<&'static Provider>) -> Option<Payload> {
        let object = object(body)?;
        let (provider, shape) = detect(&object, headers, named);
        Some(Payload::of(body, &object, provider, shape))
    }

    /// Reads a body as this shape of this provider; `None` when it is not JSON.
    pub(crate) fn read_as(body: &Bytes, provider: &'static Provider, shape: &'static Shape) -> Option<Payload> {
        Some(Payload::of(body, &object(body)?, provider, shape))
    }

    fn of(body: &Bytes, object: &Object<'_>, provider: &'static Provider, shape: &'static Shape) -> Payload {
        let fields = &shape.fields;
        let value =
            |paths: &[&str]| first(object, paths).map(|text| Json::within(body, text)).filter(|v| !v.is_blank());
        let word = |paths: &[&str]| first(object, paths).and_then(value::scalar).map(Cow::into_owned);

        let raw_status = word(fields.status);
        let status = raw_status.as_deref().and_then(|word| shape.status(word));
        let failed = status == Some(Status::Failed);
        let error = failed.then(|| reason(object, fields.error)).flatten();
        let logs = word(fields.logs).filter(|logs| !logs.is_empty());
        let output = value(fields.output).filter(|_| !(failed && holds_the_error(shape)));

        let named = word(fields.event).map(|event| match word(fields.action) {
            Some(action) => format!("{event}.{action}"),
            None => event,
        });
        let named = named.map(|name| PayloadEvent { name: Cow::Owned(name), inferred: false });
        let event = named.or_else(|| {
            let progress = WorkProgress { status, output: output.is_some(), logs: logs.is_some() };
            (shape.inferred_event)(progress).map(|name| PayloadEvent { name: Cow::Borrowed(name), inferred: true })
        });
        let not_scalar = |path: &&'static str| {
            let kind = JsonType::of(object.at(path)?);
            matches!(kind, JsonType::Object | JsonType::Array | JsonType::Bool).then_some((*path, kind))
        };
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
            not_scalar: [fields.status, fields.id].into_iter().filter_map(|paths| not_scalar(paths.first()?)).collect(),
        }
    }

    /// The idempotency key: a handler may treat deliveries with the same key as repeats. Provider, id and event; the status
    /// where there is no event. `None` without an id.
    pub(crate) fn key(&self) -> Option<String> {
        let (id, event) = (self.id.as_deref()?, self.event.as_ref());
        let event_or_status = event.map(|event| event.name.as_ref()).or(self.raw_status.as_deref());
        let parts = [Some(self.provider.name), Some(id), event_or_status];
        let mut key = String::with_capacity(parts.iter().flatten().map(|part| part.len() + 1).sum());
        for part in parts.into_iter().flatten() {
            key.extend((!key.is_empty()).then_some('/'));
            key.push_str(part);
        }
        Some(key)
    }

    /// Whether this is the last delivery of a prediction. An unknown status may be the last, so it counts as terminal: a
    /// sender that retries only terminal deliveries must not give up on it.
    pub(crate) fn is_terminal(&self) -> bool {
        self.status.is_none_or(Status::is_terminal)
    }
}

/// The first path that has a value other than `null`.
fn first<'a>(object: &Object<'a>, paths: &[&str]) -> Option<&'a str> {
    paths.iter().filter_map(|path| object.at(path)).find(|value| *value != "null")
}

/// The first path with a reason in words. A blank string is none: each::labs always sends `"error": ""`.
fn reason(object: &Object<'_>, paths: &[&str]) -> Option<String> {
    let texts = paths.iter().filter_map(|path| object.at(path)).filter_map(value::scalar);
    texts.map(Cow::into_owned).find(|text| !text.trim().is_empty())
}

/// Whether a failure of this shape puts its error where a success has its output.
fn holds_the_error(shape: &Shape) -> bool {
    let within = |error: &str, output: &str| error.strip_prefix(output).is_some_and(|rest| rest.starts_with('.'));
    shape.fields.error.iter().any(|error| shape.fields.output.iter().any(|output| within(error, output)))
}

#[cfg(test)]
mod tests;
