//! A request made ready to send: content, signing, headers, method and retry profile.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderName, HeaderValue, Method};
use jiff::Timestamp;

use super::config::{Config, Endpoint, NewId};
use super::content::Content;
use super::signing::Signing;
use crate::error::Error;
use crate::event::DrillExpectation;
use crate::http::host;
use crate::journal::Record;
use crate::payload::provider::{HeaderLine, generic};
use crate::payload::retry::{self, RetryProfile};
use crate::payload::{Delivery, FieldName, Headers};
use crate::signature::{Choice, Scheme, Tamper, detect};

#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub(crate) content: Content,
    pub(crate) signing: Signing,
    pub(crate) endpoint: Arc<Endpoint>,
    /// The bytes that are sent: the content's, unless tampered with.
    pub(crate) body: Bytes,
    /// The file that holds exactly `body`, if any.
    pub(crate) file: Option<String>,
    pub(crate) method: Method,
    /// Headers from a journal, instead of the provider's.
    recorded: Option<Headers>,
    /// Headers of a drill case, which replace all others of their names.
    replaced: Vec<(HeaderName, HeaderValue)>,
    pub(crate) retry: RetryProfile,
    /// The case of a drill: its name, and the expected response.
    pub(crate) case: Option<(&'static str, DrillExpectation)>,
}

impl Prepared {
    pub(crate) fn payload(content: Content, config: &Config) -> Result<Self, Error> {
        Prepared::untampered(content, config.id.as_ref(), config)?.tampered(config.tamper)
    }

    /// A delivery of a Cog run, whose bodies have the run's id already.
    pub(crate) fn of_run(content: Content, config: &Config) -> Result<Self, Error> {
        Prepared::untampered(content, None, config)?.tampered(config.tamper)
    }

    /// A recorded delivery, with its end-to-end headers. With a secret, the scheme of the recorded signature signs it
    /// anew. The default is a single attempt, as the journal holds the retries as deliveries of their own.
    pub(crate) fn replay(name: &str, record: Record, config: &Config) -> Result<Self, Error> {
        let delivery = &record.delivery;
        // Read from the decompressed body; the bytes that are sent may be compressed.
        let read = record.payload;
        // A body that is not JSON gets the generic provider's shape.
        let (provider, shape) = read.as_ref().map_or_else(
            || (&generic::PROVIDER, &generic::PROVIDER.shapes[0]),
            |payload| (payload.provider, payload.shape),
        );
        let content = Content::new(name, delivery.body.clone(), provider, shape).with_payload(read);
        let mut prepared = Prepared::untampered(content, config.id.as_ref(), config)?;
        let recorded_scheme = detect(delivery).map(|(scheme, _)| scheme);
        if let (Some(scheme), Choice::Auto) = (recorded_scheme, config.scheme) {
            prepared.signing.set_scheme(scheme);
        }
        let mut headers = delivery.headers.end_to_end();
        if prepared.signing.has_secret() {
            let schemes = recorded_scheme.into_iter().chain(prepared.signing.schemes.iter().copied());
            schemes.flat_map(Scheme::header_names).for_each(|name| headers.remove(name));
        }
        // A delivery from the network has a valid method; a journal line that was written by hand may lack one.
        prepared.method = Method::from_bytes(delivery.method.as_bytes()).unwrap_or(Method::POST);
        prepared.recorded = Some(headers);
        prepared.retry = config.retry.clone().unwrap_or_else(|| retry::ONCE.clone());
        prepared.tampered(config.tamper)
    }

    fn untampered(content: Content, id: Option<&NewId>, config: &Config) -> Result<Self, Error> {
        let content = content.edited(id, config)?;
        let shape = content.shape;
        Ok(Prepared {
            body: content.body.clone(),
            content,
            signing: Signing::new(shape, config),
            endpoint: Arc::clone(&config.endpoint),
            file: None,
            method: Method::POST,
            recorded: None,
            replaced: Vec::new(),
            retry: config.retry.clone().unwrap_or_else(|| shape.retry.clone()),
            case: None,
        })
    }

    pub(crate) fn tampered(mut self, tamper: Option<Tamper>) -> Result<Self, Error> {
        if let Some(tamper) = tamper {
            self.signing.tamper(tamper, &self.content.name)?;
            self.body = self.signing.tampered_body(&self.content.body);
        }
        Ok(self)
    }

    /// The same request with another content body, tampered with in the same way.
    pub(crate) fn with_body(self, body: Bytes) -> Self {
        Prepared { body: self.signing.tampered_body(&body), content: self.content.with_body(body), file: None, ..self }
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.replaced.push((name, value));
        self
    }

    /// The headers in wire order, signed at `now`.
    pub(crate) fn headers(&self, now: Timestamp) -> Result<Headers, Error> {
        let mut headers = match &self.recorded {
            Some(recorded) => self.recorded_headers(recorded, now)?,
            None => self.provider_headers(now)?,
        };
        if !headers.has(HOST.as_str()) {
            headers.push(HOST, host(&self.endpoint.url));
        }
        if !headers.has(CONTENT_LENGTH.as_str()) {
            headers.push(CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        }
        self.signing.tamper_headers(&mut headers);
        let given = &self.endpoint.headers;
        for (index, (name, value)) in given.iter().enumerate() {
            // As in curl: the user's first header of a name replaces the provider's, further ones are added.
            if given[..index].iter().any(|(earlier, _)| earlier == name) {
                headers.push(name.clone(), value.clone());
            } else {
                headers.set(name.clone(), value.clone());
            }
        }
        for (name, value) in &self.replaced {
            headers.set(name.clone(), value.clone());
        }
        Ok(headers)
    }

    fn provider_headers(&self, now: Timestamp) -> Result<Headers, Error> {
        let mut headers = Headers::default();
        for line in self.content.shape.headers {
            match *line {
                HeaderLine::Is(name, value) => {
                    headers.push(FieldName::from_static(name), HeaderValue::from_static(value))
                }
                HeaderLine::Signature => {
                    for (name, value) in self.sign(now)? {
                        headers.push(name, value);
                    }
                }
                // Only a redirect sets `referer`.
                HeaderLine::Referer => {}
                HeaderLine::Host(name) => headers.push(FieldName::from_static(name), host(&self.endpoint.url)),
                HeaderLine::ContentLength(name) => {
                    headers.push(FieldName::from_static(name), HeaderValue::from(self.body.len()));
                }
            }
        }
        Ok(headers)
    }

    fn recorded_headers(&self, recorded: &Headers, now: Timestamp) -> Result<Headers, Error> {
        let mut headers = recorded.clone();
        headers.change(HOST, host(&self.endpoint.url));
        if headers.has(CONTENT_LENGTH.as_str()) {
            headers.change(CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        }
        for (name, value) in self.sign(now)? {
            headers.push(name, value);
        }
        Ok(headers)
    }

    fn sign(&self, now: Timestamp) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        self.signing.sign(&self.content.body, &self.content.name, now)
    }

    /// The headers that are not sent to another origin after a redirect: secrets, and the user's headers. A header that
    /// the provider sends as well is sent on, even when the user changed its value.
    pub(crate) fn kept_headers(&self, headers: &Headers) -> Vec<HeaderName> {
        let redaction = self.signing.redaction();
        let is_providers = |name: &HeaderName| {
            let is_named =
                |line: &HeaderLine| matches!(line, HeaderLine::Is(is, _) if name.as_str().eq_ignore_ascii_case(is));
            self.content.shape.headers.iter().any(is_named)
        };
        let kept = headers.raw().filter(|(name, value)| {
            let name = name.plain();
            redaction.hides(name, value.as_bytes()) || self.endpoint.has_header(name) && !is_providers(name)
        });
        kept.map(|(name, _)| name.plain().clone()).collect()
    }

    /// Whether tampering made up the value of this header, so that the value is no secret and may be shown.
    pub(crate) fn makes_up(&self, name: &HeaderName) -> bool {
        self.signing.replaces(name) && !self.endpoint.has_header(name)
    }

    /// Whether the recorded headers are sent unchanged, with the recorded signature if there is one.
    pub(crate) fn is_replayed(&self) -> bool {
        self.recorded.is_some() && !self.signing.has_secret()
    }

    /// Whether the recorded signature is sent.
    pub(crate) fn is_replayed_as_signed(&self) -> bool {
        self.is_replayed() && !self.signing.schemes.is_empty()
    }

    /// Whether the recorded time stamp is outside the tolerance of its scheme at `now`.
    pub(crate) fn is_out_of_date(&self, now: Timestamp) -> bool {
        let (Some(recorded), Some(scheme)) = (&self.recorded, self.signing.schemes.first()) else { return false };
        if self.signing.has_secret() {
            return false;
        }
        let claim = scheme.claim(&Delivery::bare(recorded.clone(), self.content.body.clone()));
        claim.is_ok_and(|claim| scheme.off_by(&claim, now.as_second(), None).is_some())
    }
}
