//! One HTTP request as it crossed the wire.

use std::borrow::Cow;

use bytes::Bytes;
use http::Method;

use super::encoding;
use super::headers::Headers;
use super::provider::Provider;
use super::read::Payload;

/// A request that was sent or received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// `POST`; empty for a payload file that was read without its request.
    pub method: Cow<'static, str>,
    /// Path and query as on the request line; empty for a payload file.
    pub target: String,
    /// `1.1` or `1.0`; empty for a payload file.
    pub http: Cow<'static, str>,
    /// Headers in the order of arrival, repeated headers included.
    pub headers: Headers,
    /// The exact bytes.
    pub body: Bytes,
}

impl Delivery {
    /// A body with its known headers, but without a request line.
    pub fn bare(headers: Headers, body: Bytes) -> Self {
        Delivery { method: Cow::default(), target: String::new(), http: Cow::default(), headers, body }
    }

    /// The decompressed body; the bytes as sent where the body cannot be decompressed.
    pub(crate) fn decoded_body(&self) -> Bytes {
        encoding::decode(&self.headers, &self.body, encoding::LARGEST).unwrap_or_else(|_| self.body.clone())
    }

    /// Reads the body as a payload: of `provider`, or else of the detected provider. `None` where the body is not JSON.
    pub(crate) fn payload(&self, provider: Option<&'static Provider>) -> Option<Payload> {
        let decoded = encoding::decode(&self.headers, &self.body, encoding::LARGEST).ok()?;
        Payload::read(&decoded, &self.headers, provider)
    }
}

/// A method as it goes over the wire. `POST`, the method of nearly all webhooks, is not copied.
pub(crate) fn method_name(method: &Method) -> Cow<'static, str> {
    match *method {
        Method::POST => "POST".into(),
        _ => method.as_str().to_owned().into(),
    }
}
