//! Notes before the first request: how requests are signed, and which requests are unusual.

use jiff::Timestamp;

use super::config::Config;
use super::request::Prepared;
use crate::event::{Event, Note};
use crate::signature::keypair;

/// Facts about the requests for the notes, added one request at a time: a journal may be larger than the memory.
#[derive(Debug, Default)]
pub(crate) struct RequestFacts {
    count: usize,
    /// How requests are signed, each note once.
    signing: Vec<String>,
    replayed: usize,
    replayed_as_signed: usize,
    out_of_date: usize,
    /// Whether a key pair signs.
    has_key_pair: bool,
}

impl RequestFacts {
    pub(crate) fn add(&mut self, prepared: &Prepared, config: &Config, now: Timestamp) {
        self.count += 1;
        if prepared.is_replayed() {
            self.replayed += 1;
        } else if let Some(note) = signing_note(prepared, config)
            && !self.signing.contains(&note)
        {
            self.signing.push(note);
        }
        self.replayed_as_signed += usize::from(prepared.is_replayed_as_signed());
        self.out_of_date += usize::from(prepared.is_out_of_date(now));
        if let (Some(secret), Some(scheme)) = (config.secrets.first(), prepared.signing.schemes.first()) {
            self.has_key_pair |= scheme.for_secret(secret).proof.is_asymmetric();
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The public key of the key pair that signs, as a JWK set; `None` without a key pair.
    pub(crate) fn public_keys(&self, config: &Config) -> Option<String> {
        config.secrets.first().filter(|_| self.has_key_pair).and_then(|secret| keypair::jwks(secret).ok())
    }

    pub(crate) fn notes(&self, config: &Config) -> Vec<Event> {
        let mut notes = self.signing.clone();
        let replayed = self.replayed;
        let unsigned = replayed - self.replayed_as_signed;
        if unsigned > 0 {
            notes.push(format!(
                "{unsigned} of {replayed} recorded deliveries are sent unsigned, as they were received (sign with \
                 --secret)"
            ));
        }
        if let Some(keys) = self.public_keys(config) {
            notes.push(format!("a handler verifies the signatures with the public key, as a JWK set: {keys}"));
        }
        if let Some(tamper) = config.tamper {
            notes.push(format!("tampered with: {}; a good handler answers 4xx", tamper.summary()));
        }
        if self.out_of_date > 0 {
            let stamps = if self.out_of_date == 1 {
                "1 recorded time stamp is".to_owned()
            } else {
                format!("{} recorded time stamps are", self.out_of_date)
            };
            notes.push(format!(
                "{stamps} outside the tolerance by now: a handler that checks answers 4xx (sign anew with --secret)"
            ));
        }
        if let Some(seed) = config.shuffle {
            notes.push(format!("shuffled; --seed {seed} repeats this order"));
        }
        if config.secrets.len() > 1 {
            notes.push(format!("of {} secrets the first signs", config.secrets.len()));
        }
        notes.into_iter().map(Note::info).collect()
    }
}

/// The note about a request that is not signed, or not as its provider would.
fn signing_note(prepared: &Prepared, config: &Config) -> Option<String> {
    if config.secrets.is_empty() {
        return Some("no secret: deliveries are sent unsigned (sign with --secret)".into());
    }
    let content = &prepared.content;
    let scheme = prepared.signing.schemes.first().filter(|_| prepared.signing.is_borrowed)?.name;
    let (label, name) = (content.provider.label, &content.name);
    Some(match content.provider.name {
        "generic" => format!("{name}: unknown provider, signed as {scheme} (choose with --scheme)"),
        _ => format!("{name}: {label} documents no signature; signed as {scheme} here, the real one is not"),
    })
}
