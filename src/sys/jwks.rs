//! Public keys in a JWK set: read from a file or from where a provider publishes them, once a run; and served.

use std::time::Duration;

use reqwest::Url;

use crate::error::Error;
use crate::http::install_crypto;
use crate::journal::input;
use crate::signature::{Secret, keypair};

pub(crate) mod serve;

pub(crate) use serve::{JwksServer, serve};

/// How large a set may be that is fetched: whoever publishes it decides what comes.
const FETCHED: usize = 1024 * 1024;

/// How long the set may take to come.
const FETCH_TIME: Duration = Duration::from_secs(10);

/// Reads the Ed25519 keys of a JWK set at a path or a URL.
pub(crate) fn read(source: &str) -> Result<Vec<Secret>, Error> {
    let text = match source.parse::<Url>() {
        Ok(url) if matches!(url.scheme(), "http" | "https") => fetch(&url)?,
        _ => String::from_utf8_lossy(&input::payload(source)?).into_owned(),
    };
    keypair::read_jwks(&text).map_err(|reason| Error::Jwks { what: said(source), reason })
}

/// A source as it may be said: of a URL neither name nor password.
fn said(source: &str) -> String {
    match source.parse::<Url>() {
        Ok(mut url) if url.has_host() => {
            // Refused only by URLs that cannot have any.
            let _ = url.set_username("").and_then(|()| url.set_password(None));
            url.into()
        }
        _ => source.to_owned(),
    }
}

fn fetch(url: &Url) -> Result<String, Error> {
    let failed = |reason: String| Error::Jwks { what: said(url.as_str()), reason };
    let unsent = |error: reqwest::Error| failed(error.without_url().to_string());
    install_crypto();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::Setup { what: "the runtime", reason: error.to_string() })?;
    runtime.block_on(async {
        let client = reqwest::Client::builder().timeout(FETCH_TIME).build().map_err(unsent)?;
        let response = client.get(url.clone()).send().await.and_then(reqwest::Response::error_for_status);
        let mut response = response.map_err(unsent)?;
        let mut set = Vec::new();
        while let Some(part) = response.chunk().await.map_err(unsent)? {
            set.extend_from_slice(&part);
            if set.len() > FETCHED {
                return Err(failed(format!("it is larger than {FETCHED} bytes, more than is read")));
            }
        }
        Ok(String::from_utf8_lossy(&set).into_owned())
    })
}
