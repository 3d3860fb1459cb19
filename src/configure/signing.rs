//! From the flags about signatures to secrets and a policy.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::cli::{CheckingArgs, SigningArgs};
use crate::error::Error;
use crate::payload::builtin;
use crate::render::prompt;
use crate::send::signing;
use crate::signature::secret::MAIN;
use crate::signature::{Choice, Policy, Scheme, Secret, keypair};
use crate::sys::{jwks, secrets};

pub(crate) fn choice(signing: &SigningArgs) -> Choice {
    let named = signing.scheme.named();
    let Some(header) = &signing.signature_header else { return named.map_or(Choice::Auto, Choice::Named) };
    // each::labs does not document the header of its generation A.
    let scheme = named.or_else(|| Scheme::named("eachlabs"));
    scheme.map_or(Choice::Auto, |scheme| Choice::Named(scheme.with_header(header)))
}

pub(crate) fn secrets(signing: &SigningArgs) -> Result<Vec<Secret>, Error> {
    secrets::read(&signing.secret, secrets::variable()?, || {
        prompt::secret().map_err(|source| read_error("the secret", source))
    })
}

/// The policy with these secrets and the public keys of `--jwks`.
pub(crate) fn policy(
    signing: &SigningArgs,
    checking: &CheckingArgs,
    mut secrets: Vec<Secret>,
) -> Result<Policy, Error> {
    if let Some(source) = &checking.jwks {
        secrets.extend(jwks::read(source)?);
    }
    // Time stamps are whole seconds, so the tolerance is rounded up.
    let whole = |tolerance: Duration| tolerance.as_secs() + u64::from(tolerance.subsec_nanos() > 0);
    Ok(Policy { scheme: choice(signing), secrets, tolerance: checking.tolerance.map(whole) })
}

/// The secrets of a sender. A scheme with key pairs gets a fresh key pair if no secret is given.
pub(crate) fn sender_secrets(signing: &SigningArgs, serves_jwks: bool) -> Result<Vec<Secret>, Error> {
    let given = secrets(signing)?;
    let named = signing.scheme.named().is_some_and(|scheme| scheme.proof.is_asymmetric());
    let wants_pair = named || serves_jwks;
    if !given.is_empty() || !wants_pair {
        return Ok(given);
    }
    Ok(vec![Secret::new(MAIN, keypair::from_seed(&*signing::random()?).as_bytes())])
}

pub(crate) fn read_error(what: &str, source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::Interrupted => Error::Interrupted,
        _ => Error::Read { what: what.to_owned(), source },
    }
}

/// The built-in payload or the file that `--secret` took for its value, as in `send --secret success`. Only such a name is
/// returned, never another value, so it may be shown.
pub(crate) fn swallowed_source(signing: &SigningArgs) -> Option<String> {
    let names = builtin::names();
    let is_file = |value: &str| value.ends_with(".json") || value.ends_with(".jsonl");
    let is_source = |value: &&str| names.contains(value) || is_file(value) && Path::new(value).is_file();
    let literals = signing.secret.iter().flatten().filter_map(|spec| spec.literal());
    literals.into_iter().find(is_source).map(str::to_owned)
}
