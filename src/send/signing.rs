//! How requests are signed: the schemes, the secrets, and what `--tamper` changes.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::config::Config;
use crate::error::Error;
use crate::journal::Redaction;
use crate::payload::provider::Shape;
use crate::payload::{Delivery, Headers};
use crate::signature::scheme::BadKey;
use crate::signature::tamper::another_secret;
use crate::signature::{Choice, Policy, Scheme, Secret, Tamper};
use crate::signature::{Trace, trace::trace};

/// The scheme for providers that document no signature.
const BORROWED: &str = "eachlabs";

#[derive(Clone, Debug)]
pub(crate) struct Signing {
    /// The schemes that sign; the first one is verified and shown. Empty when the request is not signed.
    pub(crate) schemes: Vec<&'static Scheme>,
    /// Whether the provider documents no signature, and [`BORROWED`] signs instead.
    pub(crate) is_borrowed: bool,
    /// The scheme of `--scheme`.
    choice: Choice,
    /// The first one signs.
    secrets: Arc<[Secret]>,
    tamper: Option<Tamper>,
    /// The secret that signs instead, for `--tamper secret`.
    wrong_secret: Option<Secret>,
    /// For schemes that sign a message id. Retries keep the id.
    pub(crate) message_id: String,
}

impl Signing {
    pub(crate) fn new(shape: &Shape, config: &Config) -> Self {
        let (schemes, is_borrowed) = schemes(shape, config);
        Signing {
            schemes,
            is_borrowed,
            choice: config.scheme,
            secrets: Arc::clone(&config.secrets),
            tamper: None,
            wrong_secret: None,
            message_id: message_id(),
        }
    }

    pub(crate) fn set_scheme(&mut self, scheme: &'static Scheme) {
        self.schemes = vec![scheme];
        self.is_borrowed = false;
    }

    pub(crate) fn renew_message_id(&mut self) {
        self.message_id = message_id();
    }

    pub(crate) fn has_secret(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// Makes the signing wrong in a way that a good handler notices. `name` is the source's.
    pub(crate) fn tamper(&mut self, tamper: Tamper, name: &str) -> Result<(), Error> {
        let refused = |why: String| Error::Usage(format!("--tamper {tamper} does not fit {name}: {why}"));
        let Some(scheme) = self.schemes.first() else {
            return Err(refused("it is not signed; sign it with --secret".into()));
        };
        if !self.has_secret() && tamper.needs_secret() {
            return Err(refused("it needs a new signature; sign with --secret".into()));
        }
        if let Some(why) = tamper.unnoticed(scheme) {
            return Err(refused(format!("it is signed as {}, which {why}", scheme.name)));
        }
        if tamper == Tamper::Secret {
            self.wrong_secret = Some(another_secret(scheme, &*random()?));
        }
        self.tamper = Some(tamper);
        Ok(())
    }

    /// The body that is sent for a signed body.
    pub(crate) fn tampered_body(&self, signed: &Bytes) -> Bytes {
        self.tamper.map_or_else(|| signed.clone(), |tamper| tamper.body(signed))
    }

    pub(crate) fn tamper_headers(&self, headers: &mut Headers) {
        if let Some(tamper) = self.tamper {
            self.schemes.iter().for_each(|scheme| tamper.headers(scheme, headers));
        }
    }

    /// The headers that sign a body at `now`; none without a secret. `name` is the source's.
    pub(crate) fn sign(
        &self,
        body: &Bytes,
        name: &str,
        now: Timestamp,
    ) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        let Some(secret) = self.wrong_secret.as_ref().or(self.secrets.first()) else { return Ok(Vec::new()) };
        let now = now.as_second();
        let mut headers = Vec::new();
        for scheme in &self.schemes {
            let signed_at = self.tamper.map_or(now, |tamper| tamper.time(scheme, now));
            let signed = scheme.for_secret(secret).sign(body, secret, signed_at, &self.message_id);
            headers.extend(signed.map_err(|source| Error::BadSecret {
                secret: match source {
                    BadKey::NoField => format!("{} with {name}", scheme.name),
                    _ => secret.describe(),
                },
                scheme: scheme.name,
                source,
            })?);
        }
        Ok(headers)
    }

    pub(crate) fn redaction(&self) -> Redaction<'_> {
        Redaction::new(&self.secrets, self.schemes.iter().copied().chain(self.choice.named()))
    }

    /// The policy of a handler that has the same secret.
    pub(crate) fn policy(&self) -> Policy {
        let scheme = self.schemes.first().map_or(self.choice, |scheme| Choice::Named(scheme));
        Policy { scheme, secrets: self.secrets.to_vec(), tolerance: None }
    }

    /// How each scheme arrives at the signature of these headers.
    pub(crate) fn traces(&self, headers: &Headers, body: &Bytes) -> Vec<Trace> {
        let Some(secret) = self.secrets.first() else { return Vec::new() };
        let delivery = Delivery::bare(headers.clone(), body.clone());
        let trace = |scheme: &&'static Scheme| {
            let scheme = Choice::Named(scheme.for_secret(secret));
            trace(&delivery, &Policy { scheme, secrets: vec![secret.clone()], tolerance: None })
        };
        self.schemes.iter().filter_map(trace).collect()
    }

    /// Whether tampering replaces the value of this header, so that the value holds no secret.
    pub(crate) fn replaces(&self, name: &HeaderName) -> bool {
        let mut signatures = self.schemes.iter().flat_map(|scheme| scheme.signature);
        self.tamper.is_some_and(Tamper::replaces_proof)
            && signatures.any(|signature| name.as_str().eq_ignore_ascii_case(signature))
    }
}

/// The schemes that sign, and whether they are borrowed.
fn schemes(shape: &Shape, config: &Config) -> (Vec<&'static Scheme>, bool) {
    if config.secrets.is_empty() {
        return (Vec::new(), false);
    }
    if let Choice::Named(scheme) = config.scheme {
        return (vec![scheme], false);
    }
    let own: Vec<_> = shape.schemes.iter().filter_map(|name| Scheme::named(name)).collect();
    if own.is_empty() { (Scheme::named(BORROWED).into_iter().collect(), true) } else { (own, false) }
}

/// Random bytes for a key.
pub(crate) fn random() -> Result<Zeroizing<[u8; 32]>, Error> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).map_err(|error| Error::random(&error))?;
    Ok(bytes)
}

fn message_id() -> String {
    ["msg_", Uuid::new_v4().simple().encode_lower(&mut Uuid::encode_buffer())].concat()
}
