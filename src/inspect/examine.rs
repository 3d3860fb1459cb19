//! One payload: its provider, its fields, its warnings and its signature.

use bytes::Bytes;
use http::HeaderName;

use super::check::check;
use super::config::Config;
use crate::clock::Now;
use crate::error::{Error, Exit};
use crate::event::Examined;
use crate::journal::{Record, Redaction};
use crate::payload::{Delivery, Headers, Payload, lint};
use crate::signature;
use crate::signature::trace::trace;
use crate::signature::{Choice, Scheme};

pub(crate) fn examine(name: &str, body: Bytes, config: &Config, clock: Now) -> Result<(Examined, Exit), Error> {
    let headers: Headers = config.headers.iter().cloned().collect();
    let mut delivery = Delivery::bare(headers, body);
    let payload = delivery.payload(config.provider);
    if payload.is_none() && config.policy.secrets.is_empty() {
        return Err(Error::not_json(name, &delivery.body));
    }
    if let Some(value) = &config.signature {
        delivery.headers.set(signature_header(payload.as_ref(), config.policy.scheme), value.clone());
    }
    let now = config.now.unwrap_or_else(clock);
    let checked = check(&delivery, &config.policy, now, payload.as_ref());
    let verdict = signature::why(&delivery, &config.policy, now.as_second(), checked);
    let trace = config.explain.then(|| trace(&delivery, &config.policy)).flatten();
    let exit = if verdict.is_invalid() { Exit::Signature } else { Exit::Done };
    let mut record = Record {
        warnings: payload.as_ref().map(lint::warnings).unwrap_or_default(),
        payload,
        verdict,
        ..Record::bare(now, delivery)
    };
    Redaction::of(&config.policy.secrets, config.policy.scheme).record(&mut record);
    Ok((Examined { record, trace }, exit))
}

/// The header that `--signature` sets: the header of the named scheme, else of the provider's, else of each::labs.
fn signature_header(payload: Option<&Payload>, choice: Choice) -> HeaderName {
    let own = || payload.and_then(|payload| payload.shape.schemes.first()).and_then(|name| Scheme::named(name));
    let scheme = match choice {
        Choice::Named(scheme) => Some(scheme),
        Choice::Auto => own(),
    };
    HeaderName::from_static(scheme.map_or("x-webhook-signature", |scheme| scheme.signature[0]))
}
