//! The content of a delivery: a body after its edits, and how its provider reads it.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use uuid::Uuid;

use super::config::{Config, NewId};
use crate::error::Error;
use crate::json::edit::Edit;
use crate::json::{JsonType, Object};
use crate::payload::Payload;
use crate::payload::provider::{Provider, Shape};

#[derive(Clone, Debug)]
pub(crate) struct Content {
    /// The source's name.
    pub(crate) name: String,
    pub(crate) provider: &'static Provider,
    pub(crate) shape: &'static Shape,
    /// After [`Content::edited`] the bytes that are signed.
    pub(crate) body: Bytes,
    /// The body as a payload, read at the first use: the 100,000 deliveries of a `--count` never need it.
    payload: OnceLock<Option<Arc<Payload>>>,
}

impl Content {
    pub(crate) fn new(name: &str, body: Bytes, provider: &'static Provider, shape: &'static Shape) -> Self {
        Content { name: name.to_owned(), provider, shape, body, payload: OnceLock::new() }
    }

    pub(crate) fn edited(self, id: Option<&NewId>, config: &Config) -> Result<Self, Error> {
        if id.is_none() && config.edits.is_empty() {
            return Ok(self);
        }
        let failed = |flag: &'static str, reason: String| Error::Edit { flag, what: self.name.clone(), reason };
        let not_text = || failed("--set", "it is not text".to_owned());
        let mut text = String::from_utf8(self.body.to_vec()).map_err(|_| not_text())?;
        if let Some(id) = id {
            let edit = new_id(id, &text, self.shape).map_err(|reason| failed("--id", reason))?;
            text = edit.apply(&text).map_err(|error| failed("--id", error.to_string()))?;
        }
        for (flag, edit) in &config.edits {
            text = edit.apply(&text).map_err(|error| failed(flag, error.to_string()))?;
        }
        Ok(self.with_body(text.into()))
    }

    /// Presets the payload of a body that is compressed.
    pub(crate) fn with_payload(self, payload: Option<Payload>) -> Self {
        Content { payload: OnceLock::from(payload.map(Arc::new)), ..self }
    }

    pub(crate) fn with_body(self, body: Bytes) -> Self {
        Content { body, payload: OnceLock::new(), ..self }
    }

    pub(crate) fn payload(&self) -> Option<&Payload> {
        let read = || Payload::read_as(&self.body, self.provider, self.shape).map(Arc::new);
        self.payload.get_or_init(read).as_deref()
    }

    /// The name of the delivery in messages: the prediction's id, or the source's name.
    pub(crate) fn subject(&self) -> &str {
        self.payload().and_then(|payload| payload.id.as_deref()).unwrap_or(&self.name)
    }

    /// Whether the delivery ends its prediction.
    pub(crate) fn is_terminal(&self) -> bool {
        self.payload().is_none_or(Payload::is_terminal)
    }

    /// The body of an earlier event of the same prediction; `None` if the provider sends one event per prediction.
    pub(crate) fn earlier_body(&self) -> Option<Bytes> {
        let id = self.payload()?.id.clone()?;
        self.provider.fixtures.iter().filter(|fixture| fixture.variant == self.shape.variant).find_map(|fixture| {
            let body = Bytes::from_static(fixture.body.as_bytes());
            let payload = Payload::read_as(&body, self.provider, self.shape)?;
            let edit = new_id(&NewId::Given(id.clone()), fixture.body, self.shape).ok()?;
            edit.apply(fixture.body).ok().filter(|_| !payload.is_terminal()).map(Bytes::from)
        })
    }
}

/// The edit that sets the prediction's id, in the JSON type of the id that it replaces.
pub(crate) fn new_id(id: &NewId, text: &str, shape: &Shape) -> Result<Edit, String> {
    let no_field = || "it has no field for an id".to_owned();
    let object = Object::parse(text).ok_or_else(no_field)?;
    let paths = shape.fields.id;
    let path = paths.iter().find(|path| object.at(path).is_some()).or(paths.first()).ok_or_else(no_field)?;
    let was_number = object.at(path).map(JsonType::of) == Some(JsonType::Number);
    let json = match id {
        // Not `u64::from_str`: Rust takes `007`, which is not valid JSON.
        NewId::Given(value) if was_number && serde_json::from_str::<u64>(value).is_ok() => value.clone(),
        NewId::Given(value) => serde_json::Value::from(value.as_str()).to_string(),
        NewId::Fresh => fresh_id(was_number),
    };
    Edit::set_json(path, json).map_err(|error| error.to_string())
}

/// A random id, as JSON.
pub(crate) fn fresh_id(is_number: bool) -> String {
    if is_number {
        // Eight digits, as in ModelsLab's examples.
        (10_000_000 + Uuid::new_v4().as_u128() % 90_000_000).to_string()
    } else {
        ["\"", Uuid::new_v4().hyphenated().encode_lower(&mut Uuid::encode_buffer()), "\""].concat()
    }
}
