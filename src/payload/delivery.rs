//! One HTTP request as it crossed the wire.

use std::borrow::Cow;

use bytes::Bytes;
use http::Method;

use super::encoding;
use super::headers::Headers;
use super::provider::Provider;
use super::read::Payload;

/// A request: what was sent, or what arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// `POST`; empty for a payload file that was read without its request.
    pub method: Cow<'static, str>,
    /// Path and query as on the request line; empty for a payload file.
    pub target: String,
    /// `1.1` or `1.0`; empty for a payload file.
    pub http: Cow<'static, str>,
    /// In the order of their first coming, repeated ones included.
    pub headers: Headers,
    /// The exact bytes.
    pub body: Bytes,
}

impl Delivery {
    /// A body with the headers that are known of it, but without a request line.
    pub fn bare(headers: Headers, body: Bytes) -> Self {
        Delivery { method: Cow::default(), target: String::new(), http: Cow::default(), headers, body }
    }

    /// What its body holds when the compression is undone; where that cannot be, its bytes as sent.
    pub(crate) fn held(&self) -> Bytes {
        encoding::decode(&self.headers, &self.body, encoding::LARGEST).unwrap_or_else(|_| self.body.clone())
    }

    /// What its body says, to this provider's rules where it is known; `None` where it is not JSON.
    pub(crate) fn payload(&self, provider: Option<&'static Provider>) -> Option<Payload> {
        let held = encoding::decode(&self.headers, &self.body, encoding::LARGEST).ok()?;
        Payload::read(&held, &self.headers, provider)
    }
}

/// A method as it goes over the wire. Nearly all webhooks come with the same.
pub(crate) fn method_name(method: &Method) -> Cow<'static, str> {
    match *method {
        Method::POST => "POST".into(),
        _ => method.as_str().to_owned().into(),
    }
}
