//! A payload made ready: edited, with its scheme, headers and retry profile.

use std::sync::OnceLock;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::cog;
use super::{Config, NewId};
use crate::error::Error;
use crate::event::DrillExpectation;
use crate::http::host;
use crate::journal::Redaction;
use crate::json::JsonType;
use crate::json::Object;
use crate::json::edit::Edit;
use crate::payload::provider::{HeaderLine, Provider, Shape, generic};
use crate::payload::retry::{self, RetryProfile};
use crate::payload::{Delivery, FieldName, Headers, Payload};
use crate::signature::scheme::BadKey;
use crate::signature::tamper::another_secret;
use crate::signature::trace::{Trace, account};
use crate::signature::{Choice, Policy, Scheme, Secret, Tamper, detect};

pub(crate) use super::template::Template;

/// What a provider without a documented signature is signed as.
const BORROWED: &str = "eachlabs";

/// A payload made ready.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    /// The source's name.
    pub(crate) name: String,
    /// The file that holds the body as it goes out, where one does.
    pub(crate) file: Option<String>,
    /// The exact bytes that go out.
    pub(crate) body: Bytes,
    /// Who sends it.
    pub(crate) provider: &'static Provider,
    /// In which form.
    pub(crate) shape: &'static Shape,
    /// What it is signed with, the first being the one that counts; empty when it goes out unsigned.
    pub(crate) schemes: Vec<&'static Scheme>,
    /// Whether the provider documents no signature and the scheme is another's.
    pub(crate) borrowed_scheme: bool,
    /// When it is sent again.
    pub(crate) retry: RetryProfile,
    /// The case of a drill that it belongs to, and what a good handler answers.
    pub(crate) case: Option<(&'static str, DrillExpectation)>,
    /// How it goes out.
    pub(crate) method: Method,
    /// The headers that it was recorded with, in place of the provider's own.
    pub(crate) recorded: Option<Headers>,
    /// Headers that replace the provider's.
    pub(crate) further: Vec<(HeaderName, HeaderValue)>,
    /// The bytes that are signed: the body as it was before anybody tampered with it.
    pub(crate) signed: Bytes,
    /// What these say, once somebody wants to know: of a hundred thousand of one kind nobody does.
    pub(crate) read: OnceLock<Option<Payload>>,
    /// What is wrong with it, and the secret that is not the receiver's.
    pub(crate) tampered: Option<(Tamper, Option<Secret>)>,
    /// The message id of schemes that have one; it stays the same over retries.
    pub(crate) message_id: String,
}

impl Prepared {
    /// A body of a known form: edited, with the provider's own scheme and retries unless others were asked for.
    pub(crate) fn pack(
        name: &str,
        body: &Bytes,
        provider: &'static Provider,
        shape: &'static Shape,
        config: &Config,
    ) -> Result<Self, Error> {
        Prepared::plain(name, body, provider, shape, config.id.as_ref(), config)?.asked(config)
    }

    /// One of several bodies of a run, which has its id already.
    pub(crate) fn of_run(name: &str, body: &Bytes, shape: &'static Shape, config: &Config) -> Result<Self, Error> {
        Prepared::plain(name, body, cog::provider(), shape, None, config)?.asked(config)
    }

    fn plain(
        name: &str,
        body: &Bytes,
        provider: &'static Provider,
        shape: &'static Shape,
        id: Option<&NewId>,
        config: &Config,
    ) -> Result<Self, Error> {
        let body = edited(name, body, shape, id, config)?;
        let (schemes, borrowed_scheme) = schemes(shape, config);
        Ok(Prepared {
            name: name.to_owned(),
            signed: body.clone(),
            file: None,
            body,
            provider,
            shape,
            schemes,
            borrowed_scheme,
            retry: config.retry.clone().unwrap_or_else(|| shape.retry.clone()),
            case: None,
            method: Method::POST,
            recorded: None,
            further: Vec::new(),
            read: OnceLock::new(),
            tampered: None,
            message_id: message_id(),
        })
    }

    pub(crate) fn asked(self, config: &Config) -> Result<Self, Error> {
        match config.tamper {
            Some(tamper) => self.tampered(tamper, config),
            None => Ok(self),
        }
    }

    /// A delivery as it was recorded, with the headers that go from end to end. With a secret it is signed afresh, by
    /// the scheme that it came with. A journal has the retries in it, so by itself it is not sent again.
    pub(crate) fn replay(name: &str, delivery: &Delivery, config: &Config) -> Result<Self, Error> {
        let read = Payload::read(&delivery.body, &delivery.headers, None);
        let (provider, shape) = read.map_or_else(generic, |payload| (payload.provider, payload.shape));
        let mut parcel = Prepared::plain(name, &delivery.body, provider, shape, config.id.as_ref(), config)?;
        let came_with = detect(delivery).map(|(scheme, _)| scheme);
        if let (Some(scheme), Choice::Auto) = (came_with, config.scheme) {
            (parcel.schemes, parcel.borrowed_scheme) = (vec![scheme], false);
        }
        let mut headers = delivery.headers.end_to_end();
        if !config.secrets.is_empty() {
            let old = came_with.into_iter().chain(parcel.schemes.iter().copied()).flat_map(Scheme::header_names);
            old.for_each(|name| headers.remove(name));
        }
        // One that was taken for a delivery has one; a line that was written by hand may lack it.
        parcel.method = Method::from_bytes(delivery.method.as_bytes()).unwrap_or(Method::POST);
        parcel.recorded = Some(headers);
        parcel.retry = config.retry.clone().unwrap_or_else(|| retry::ONCE.clone());
        parcel.asked(config)
    }

    /// The same with something wrong about it that a good handler notices.
    pub(crate) fn tampered(mut self, tamper: Tamper, config: &Config) -> Result<Self, Error> {
        let refused = |why: String| Error::Usage(format!("--tamper {tamper} does not fit {}: {why}", self.name));
        let Some(scheme) = self.schemes.first() else {
            return Err(refused("it is not signed; sign it with --secret".into()));
        };
        if config.secrets.is_empty() && tamper.needs_secret() {
            return Err(refused("it takes a signature of our own; give --secret".into()));
        }
        if let Some(why) = tamper.unnoticed(scheme) {
            return Err(refused(format!("it is signed as {}, which {why}", scheme.name)));
        }
        let another = match tamper {
            Tamper::Secret => Some(another_secret(scheme, &*random()?)),
            _ => None,
        };
        self.body = tamper.body(&self.signed);
        self.tampered = Some((tamper, another));
        Ok(self)
    }

    /// The same with this body instead, signed as it is.
    pub(crate) fn with_body(self, body: Bytes) -> Self {
        Prepared { read: OnceLock::new(), file: None, body: body.clone(), signed: body, ..self }
    }

    /// The same with this header instead of the provider's.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.further.push((name, value));
        self
    }

    /// An event of the same prediction that comes before this one, where the provider sends any.
    pub(crate) fn earlier(&self) -> Option<Self> {
        let id = self.payload()?.id.clone()?;
        self.provider.fixtures.iter().filter(|fixture| fixture.variant == self.shape.variant).find_map(|fixture| {
            let body = Bytes::from_static(fixture.body.as_bytes());
            let payload = Payload::read_as(&body, self.provider, self.shape)?;
            let edit = new_id(&NewId::Given(id.clone()), fixture.body, self.shape).ok()?;
            let body = edit.apply(fixture.body).ok().filter(|_| !payload.is_terminal())?;
            Some(Prepared { message_id: message_id(), ..self.clone().with_body(body.into()) })
        })
    }

    /// The headers in wire order, signed at `now`.
    pub(crate) fn headers(&self, config: &Config, now: Timestamp) -> Result<Headers, Error> {
        let mut headers = match &self.recorded {
            Some(recorded) => self.recorded_headers(recorded, config, now)?,
            None => self.own_headers(config, now)?,
        };
        if !headers.has(HOST.as_str()) {
            headers.push(HOST, host(&config.to));
        }
        if !headers.has(CONTENT_LENGTH.as_str()) {
            headers.push(CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        }
        if let Some((tamper, _)) = &self.tampered {
            self.schemes.iter().for_each(|scheme| tamper.headers(scheme, &mut headers));
        }
        for (index, (name, value)) in config.headers.iter().enumerate() {
            // The first of a name replaces ours, further ones of the user's come along, as in curl.
            match config.headers[..index].iter().any(|(earlier, _)| earlier == name) {
                true => headers.push(name.clone(), value.clone()),
                false => headers.set(name.clone(), value.clone()),
            }
        }
        for (name, value) in &self.further {
            headers.set(name.clone(), value.clone());
        }
        Ok(headers)
    }

    fn own_headers(&self, config: &Config, now: Timestamp) -> Result<Headers, Error> {
        let mut headers = Headers::default();
        for line in self.shape.headers {
            match *line {
                HeaderLine::Is(name, value) => {
                    headers.push(FieldName::from_static(name), HeaderValue::from_static(value))
                }
                HeaderLine::Signature => {
                    for (name, value) in self.sign(config, now)? {
                        headers.push(name, value);
                    }
                }
                // Nothing has led here.
                HeaderLine::Referer => {}
                HeaderLine::Host(name) => headers.push(FieldName::from_static(name), host(&config.to)),
                HeaderLine::ContentLength(name) => {
                    headers.push(FieldName::from_static(name), HeaderValue::from(self.body.len()));
                }
            }
        }
        Ok(headers)
    }

    fn recorded_headers(&self, recorded: &Headers, config: &Config, now: Timestamp) -> Result<Headers, Error> {
        let mut headers = recorded.clone();
        headers.change(HOST, host(&config.to));
        if headers.has(CONTENT_LENGTH.as_str()) {
            headers.change(CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        }
        for (name, value) in self.sign(config, now)? {
            headers.push(name, value);
        }
        Ok(headers)
    }

    fn sign(&self, config: &Config, now: Timestamp) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        let (tamper, another) =
            self.tampered.as_ref().map_or((None, None), |(tamper, another)| (Some(tamper), another.as_ref()));
        let Some(secret) = another.or(config.secrets.first()) else { return Ok(Vec::new()) };
        let mut headers = Vec::new();
        for scheme in &self.schemes {
            let now = tamper.map_or(now.as_second(), |tamper| tamper.time(scheme, now.as_second()));
            let signed = scheme.for_secret(secret).sign(&self.signed, secret, now, &self.message_id);
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

    /// What may not be shown of it.
    pub(crate) fn redaction<'a>(&self, config: &'a Config) -> Redaction<'a> {
        Redaction::new(&config.secrets, self.schemes.iter().copied().chain(config.scheme.named()))
    }

    /// The headers that no redirect takes to another origin: those that hold a secret, and what the user gave for the
    /// receiver alone. A header that the provider sends as well stays, though the user may have changed it.
    pub(crate) fn kept_headers(&self, config: &Config, headers: &Headers) -> Vec<HeaderName> {
        let redaction = self.redaction(config);
        let is_providers = |name: &HeaderName| {
            let is =
                |line: &HeaderLine| matches!(line, HeaderLine::Is(is, _) if name.as_str().eq_ignore_ascii_case(is));
            self.shape.headers.iter().any(is)
        };
        let is_users = |name: &HeaderName| config.headers.iter().any(|(own, _)| own.plain() == name);
        let kept = headers.raw().filter(|(name, value)| {
            let name = name.plain();
            redaction.hides(name, value.as_bytes()) || is_users(name) && !is_providers(name)
        });
        kept.map(|(name, _)| name.plain().clone()).collect()
    }

    /// Whether the tampering has put something of its own into this header, which is nobody's secret.
    pub(crate) fn makes_up(&self, name: &HeaderName, config: &Config) -> bool {
        let replaced = self.tampered.as_ref().is_some_and(|(tamper, _)| tamper.replaces_proof());
        let mut proofs = self.schemes.iter().flat_map(|scheme| scheme.signature);
        let is_proof = proofs.any(|proof| name.as_str().eq_ignore_ascii_case(proof));
        replaced && is_proof && !config.headers.iter().any(|(own, _)| own.plain() == name)
    }

    /// How these headers come to be, by each scheme.
    pub(crate) fn accounts(&self, config: &Config, headers: &Headers) -> Vec<Trace> {
        let Some(secret) = config.secrets.first() else { return Vec::new() };
        let delivery = Delivery::bare(headers.clone(), self.body.clone());
        let account = |scheme: &&'static Scheme| {
            let scheme = Choice::Named(scheme.for_secret(secret));
            account(&delivery, &Policy { scheme, secrets: vec![secret.clone()], tolerance: None })
        };
        self.schemes.iter().filter_map(account).collect()
    }

    /// Whether it goes out as it was recorded, with a signature or without.
    pub(crate) fn is_replayed(&self, config: &Config) -> bool {
        self.recorded.is_some() && config.secrets.is_empty()
    }

    /// Whether it goes out with the signature that it was recorded with.
    pub(crate) fn is_replayed_as_signed(&self, config: &Config) -> bool {
        self.is_replayed(config) && !self.schemes.is_empty()
    }

    /// Whether its recorded time stamp is older at `now` than its scheme allows.
    pub(crate) fn is_out_of_date(&self, config: &Config, now: Timestamp) -> bool {
        let (Some(recorded), Some(scheme), true) = (&self.recorded, self.schemes.first(), config.secrets.is_empty())
        else {
            return false;
        };
        let claim = scheme.claim(&Delivery::bare(recorded.clone(), self.signed.clone()));
        claim.is_ok_and(|claim| scheme.off_by(&claim, now.as_second(), None).is_some())
    }

    /// What it says, after the edits and before anybody tampered with it.
    pub(crate) fn payload(&self) -> Option<&Payload> {
        self.read.get_or_init(|| Payload::read_as(&self.signed, self.provider, self.shape)).as_ref()
    }

    /// What to call the prediction in a message.
    pub(crate) fn subject(&self) -> &str {
        self.payload().and_then(|payload| payload.id.as_deref()).unwrap_or(&self.name)
    }

    /// Whether it ends the prediction.
    pub(crate) fn is_terminal(&self) -> bool {
        self.payload().is_none_or(Payload::is_terminal)
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

/// Bytes that nobody can guess, for a key.
pub(crate) fn random() -> Result<Zeroizing<[u8; 32]>, Error> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).map_err(|error| Error::random(&error))?;
    Ok(bytes)
}

pub(crate) fn message_id() -> String {
    ["msg_", Uuid::new_v4().simple().encode_lower(&mut Uuid::encode_buffer())].concat()
}

/// The form of a body that is no JSON.
fn generic() -> (&'static Provider, &'static Shape) {
    (&generic::PROVIDER, &generic::PROVIDER.shapes[0])
}

fn edited(name: &str, body: &Bytes, shape: &Shape, id: Option<&NewId>, config: &Config) -> Result<Bytes, Error> {
    if id.is_none() && config.edits.is_empty() {
        return Ok(body.clone());
    }
    let failed = |flag: &'static str, reason: String| Error::Edit { flag, what: name.to_owned(), reason };
    let not_text = || failed("--set", "it is not text".to_owned());
    let mut text = String::from_utf8(body.to_vec()).map_err(|_| not_text())?;
    if let Some(id) = id {
        let edit = new_id(id, &text, shape).map_err(|reason| failed("--id", reason))?;
        text = edit.apply(&text).map_err(|error| failed("--id", error.to_string()))?;
    }
    for (flag, edit) in &config.edits {
        text = edit.apply(&text).map_err(|error| failed(flag, error.to_string()))?;
    }
    Ok(Bytes::from(text))
}

/// The edit that gives the prediction another id, of the same JSON type as the one it has.
pub(crate) fn new_id(id: &NewId, text: &str, shape: &Shape) -> Result<Edit, String> {
    let no_field = || "it has no field for an id".to_owned();
    let object = Object::parse(text).ok_or_else(no_field)?;
    let paths = shape.fields.id;
    let path = paths.iter().find(|path| object.at(path).is_some()).or(paths.first()).ok_or_else(no_field)?;
    let was_number = object.at(path).map(JsonType::of) == Some(JsonType::Number);
    let json = match id {
        // `007` is a number to Rust and none to JSON.
        NewId::Given(value) if was_number && serde_json::from_str::<u64>(value).is_ok() => value.clone(),
        NewId::Given(value) => serde_json::Value::from(value.as_str()).to_string(),
        NewId::Fresh => fresh_id(was_number),
    };
    Edit::set_json(path, json).map_err(|error| error.to_string())
}

/// An id that nothing else has, as JSON.
pub(crate) fn fresh_id(is_number: bool) -> String {
    match is_number {
        // Eight digits, as in ModelsLab's examples.
        true => (10_000_000 + Uuid::new_v4().as_u128() % 90_000_000).to_string(),
        false => ["\"", Uuid::new_v4().hyphenated().encode_lower(&mut Uuid::encode_buffer()), "\""].concat(),
    }
}
