//! Notes before the first request: how requests are signed, and what about them is unusual.

use jiff::Timestamp;

use super::config::Config;
use super::prepare::PreparedRun;
use super::request::Prepared;
use crate::event::{Event, Note};
use crate::signature::keypair;

/// Each note once, however many requests it is about.
pub(crate) fn notes(run: &PreparedRun, config: &Config, now: Timestamp) -> Vec<Event> {
    let mut notes: Vec<String> = Vec::new();
    let mut add = |text: String| {
        if !notes.contains(&text) {
            notes.push(text);
        }
    };
    for prepared in run.requests().filter(|prepared| !prepared.is_replayed()) {
        if config.secrets.is_empty() {
            add("no secret: deliveries are sent unsigned (sign with --secret)".into());
        } else if prepared.signing.is_borrowed {
            let content = &prepared.content;
            let (label, scheme) = (content.provider.label, prepared.signing.schemes[0].name);
            let name = &content.name;
            add(match content.provider.name {
                "generic" => format!("{name}: unknown provider, signed as {scheme} (choose with --scheme)"),
                _ => format!("{name}: {label} documents no signature; signed as {scheme} here, the real one is not"),
            });
        }
    }
    let count = |is: &dyn Fn(&Prepared) -> bool| run.requests().filter(|prepared| is(prepared)).count();
    let replayed = count(&Prepared::is_replayed);
    let unsigned = replayed - count(&Prepared::is_replayed_as_signed);
    if unsigned > 0 {
        add(format!(
            "{unsigned} of {replayed} recorded deliveries are sent unsigned, as they were received (sign with --secret)"
        ));
    }
    if let Some(keys) = public_keys(run, config) {
        add(format!("a handler verifies the signatures with the public key, as a JWK set: {keys}"));
    }
    if let Some(tamper) = config.tamper {
        add(format!("tampered with: {}; a good handler answers 4xx", tamper.summary()));
    }
    let old = count(&|prepared| prepared.is_out_of_date(now));
    if old > 0 {
        let stamps =
            if old == 1 { "1 recorded time stamp is".to_owned() } else { format!("{old} recorded time stamps are") };
        add(format!(
            "{stamps} outside the tolerance by now: a handler that checks answers 4xx (sign anew with --secret)"
        ));
    }
    if let Some(seed) = config.shuffle {
        add(format!("shuffled; --seed {seed} repeats this order"));
    }
    if config.secrets.len() > 1 {
        add(format!("of {} secrets the first signs", config.secrets.len()));
    }
    notes.into_iter().map(Note::info).collect()
}

/// The public key of the key pair that signs, as a JWK set; `None` without a key pair.
pub(crate) fn public_keys(run: &PreparedRun, config: &Config) -> Option<String> {
    let secret = config.secrets.first()?;
    let schemes = run.requests().filter_map(|prepared| prepared.signing.schemes.first());
    let mut schemes = schemes.map(|scheme| scheme.for_secret(secret));
    schemes.any(|scheme| scheme.proof.is_asymmetric()).then(|| keypair::jwks(secret).ok()).flatten()
}
