//! A payload made ready: edited, with its scheme, headers and retry profile.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use uuid::Uuid;

use super::edit::Edit;
use super::source::Source;
use super::{Config, NewId};
use crate::error::Error;
use crate::io::client;
use crate::payload::body::{JsonType, Object};
use crate::payload::provider::{HeaderLine, Provider, Shape};
use crate::payload::retry::RetryProfile;
use crate::payload::signature::explain::account::{Account, account};
use crate::payload::signature::scheme::BadKey;
use crate::payload::signature::{Choice, Policy, Scheme};
use crate::payload::{Delivery, Headers, Name, Payload};

/// What a provider without a documented signature is signed as.
const BORROWED: &str = "eachlabs";

/// A payload made ready.
#[derive(Debug)]
pub struct Parcel {
    /// The source's name.
    pub name: String,
    /// The file that holds the body as it goes out, where one does.
    pub file: Option<String>,
    /// The exact bytes that go out.
    pub body: Bytes,
    /// Who sends it.
    pub provider: &'static Provider,
    /// In which form.
    pub shape: &'static Shape,
    /// What it says, after the edits.
    pub payload: Option<Payload>,
    /// What it is signed with, the first being the one that counts; empty without a secret.
    pub schemes: Vec<&'static Scheme>,
    /// Whether the provider documents no signature and the scheme is another's.
    pub borrowed_scheme: bool,
    /// When it is sent again.
    pub retry: RetryProfile,
    /// The message id of schemes that have one; it stays the same over retries.
    message_id: String,
}

impl Parcel {
    /// Edits a source and decides how it is signed and retried.
    pub fn pack(source: Source, config: &Config) -> Result<Self, Error> {
        let body = edited(&source, config)?;
        let (schemes, borrowed_scheme) = schemes(source.shape, config);
        Ok(Parcel {
            payload: Payload::read_as(&body, source.provider, source.shape),
            file: source.file.filter(|_| body == source.body),
            name: source.name,
            body,
            provider: source.provider,
            shape: source.shape,
            schemes,
            borrowed_scheme,
            retry: config.retry.clone().unwrap_or_else(|| source.shape.retry.clone()),
            message_id: format!("msg_{}", Uuid::new_v4().simple()),
        })
    }

    /// The headers in wire order, signed at `now`.
    pub fn headers(&self, config: &Config, now: Timestamp) -> Result<Headers, Error> {
        let length = || HeaderValue::from(self.body.len());
        let mut headers = Headers::default();
        for line in self.shape.headers {
            match *line {
                HeaderLine::Is(name, value) => headers.push(Name::from_static(name), HeaderValue::from_static(value)),
                HeaderLine::Signature => {
                    for (name, value) in self.sign(config, now)? {
                        headers.push(name, value);
                    }
                }
                // Nothing has led here.
                HeaderLine::Referer => {}
                HeaderLine::Host(name) => headers.push(Name::from_static(name), client::host(&config.to)),
                HeaderLine::ContentLength(name) => headers.push(Name::from_static(name), length()),
            }
        }
        if !headers.has(HOST.as_str()) {
            headers.push(HOST, client::host(&config.to));
        }
        if !headers.has(CONTENT_LENGTH.as_str()) {
            headers.push(CONTENT_LENGTH, length());
        }
        for (index, (name, value)) in config.headers.iter().enumerate() {
            // The first of a name replaces ours, further ones of the user's come along, as in curl.
            match config.headers[..index].iter().any(|(earlier, _)| earlier == name) {
                true => headers.push(name.clone(), value.clone()),
                false => headers.set(name.clone(), value.clone()),
            }
        }
        Ok(headers)
    }

    fn sign(&self, config: &Config, now: Timestamp) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        let Some(secret) = config.secrets.first() else { return Ok(Vec::new()) };
        let mut headers = Vec::new();
        for scheme in &self.schemes {
            let signed = scheme.for_secret(secret).sign(&self.body, secret, now.as_second(), &self.message_id);
            headers.extend(signed.map_err(|source| Error::BadSecret {
                secret: match source {
                    BadKey::NoField => format!("{} with {}", scheme.name, self.name),
                    _ => secret.describe(),
                },
                scheme: scheme.name,
                source,
            })?);
        }
        Ok(headers)
    }

    /// How these headers come to be, by each scheme.
    pub fn accounts(&self, config: &Config, headers: &Headers) -> Vec<Account> {
        let Some(secret) = config.secrets.first() else { return Vec::new() };
        let delivery = Delivery::bare(headers.clone(), self.body.clone());
        let account = |scheme: &&'static Scheme| {
            let scheme = Choice::Named(scheme.for_secret(secret));
            account(&delivery, &Policy { scheme, secrets: vec![secret.clone()], tolerance: None })
        };
        self.schemes.iter().filter_map(account).collect()
    }

    /// What to call the prediction in a message.
    pub fn subject(&self) -> &str {
        self.payload.as_ref().and_then(|payload| payload.id.as_deref()).unwrap_or(&self.name)
    }

    /// Whether it ends the prediction.
    pub fn is_terminal(&self) -> bool {
        self.payload.as_ref().is_none_or(Payload::is_terminal)
    }
}

fn schemes(shape: &Shape, config: &Config) -> (Vec<&'static Scheme>, bool) {
    if config.secrets.is_empty() {
        return (Vec::new(), false);
    }
    if let Choice::Named(scheme) = config.scheme {
        return (vec![scheme], false);
    }
    let own: Vec<_> = shape.schemes.iter().filter_map(|name| Scheme::named(name)).collect();
    match own.is_empty() {
        true => (Scheme::named(BORROWED).into_iter().collect(), true),
        false => (own, false),
    }
}

fn edited(source: &Source, config: &Config) -> Result<Bytes, Error> {
    if config.id.is_none() && config.edits.is_empty() {
        return Ok(source.body.clone());
    }
    // A source is valid JSON, which is UTF-8.
    let mut text = String::from_utf8_lossy(&source.body).into_owned();
    let failed = |flag: &'static str, reason: String| Error::Edit { flag, what: source.name.clone(), reason };
    if let Some(id) = &config.id {
        let edit = new_id(id, &text, source.shape).map_err(|reason| failed("--id", reason))?;
        text = edit.apply(&text).map_err(|error| failed("--id", error.to_string()))?;
    }
    for (flag, edit) in &config.edits {
        text = edit.apply(&text).map_err(|error| failed(flag, error.to_string()))?;
    }
    Ok(Bytes::from(text))
}

/// The edit that gives the prediction another id, of the same JSON type as the one it has.
fn new_id(id: &NewId, text: &str, shape: &Shape) -> Result<Edit, String> {
    let no_field = || "it has no field for an id".to_owned();
    let object = Object::parse(text).ok_or_else(no_field)?;
    let paths = shape.fields.id;
    let path = paths.iter().find(|path| object.at(path).is_some()).or(paths.first()).ok_or_else(no_field)?;
    let was_number = object.at(path).map(JsonType::of) == Some(JsonType::Number);
    let json = match id {
        // `007` is a number to Rust and none to JSON.
        NewId::Given(value) if was_number && serde_json::from_str::<u64>(value).is_ok() => value.clone(),
        NewId::Given(value) => serde_json::Value::from(value.as_str()).to_string(),
        // Eight digits, as in ModelsLab's examples.
        NewId::Fresh if was_number => (10_000_000 + Uuid::new_v4().as_u128() % 90_000_000).to_string(),
        NewId::Fresh => format!("\"{}\"", Uuid::new_v4()),
    };
    Edit::set_json(path, json).map_err(|error| error.to_string())
}
