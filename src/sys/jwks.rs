//! JWK sets of public keys: read from a file or a URL, once a run, and served by `send --serve-jwks`.

use std::time::Duration;

use url::Url;

use crate::error::Error;
use crate::http::fetch::{FetchLimits, fetch};
use crate::http::origin::without_credentials;
use crate::journal::input;
use crate::signature::{Secret, keypair};

pub(crate) mod serve;

pub(crate) use serve::{JwksServer, serve};

/// Limits for a set that another server sends.
const LIMITS: FetchLimits = FetchLimits { size: 1024 * 1024, time: Duration::from_secs(10) };

/// Reads the Ed25519 keys of a JWK set at a path or a URL.
pub(crate) fn read(source: &str) -> Result<Vec<Secret>, Error> {
    let text = match source.parse::<Url>() {
        Ok(url) if matches!(url.scheme(), "http" | "https") => fetch_set(&url)?,
        _ => String::from_utf8_lossy(&input::payload(source)?).into_owned(),
    };
    keypair::read_jwks(&text).map_err(|reason| Error::Jwks { what: redacted(source), reason })
}

/// A source without the name and password of a URL.
fn redacted(source: &str) -> String {
    match source.parse::<Url>() {
        Ok(url) if url.has_host() => without_credentials(url).into(),
        _ => source.to_owned(),
    }
}

fn fetch_set(url: &Url) -> Result<String, Error> {
    let set = fetch(url, LIMITS).map_err(|reason| Error::Jwks { what: redacted(url.as_str()), reason })?;
    Ok(String::from_utf8_lossy(&set).into_owned())
}
