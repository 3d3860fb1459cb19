//! Public keys in a JWK set: read from a file or from where a provider publishes them, once a run; and served.

use std::time::Duration;

use reqwest::Url;

use super::client::install_crypto;
use super::input;
use crate::error::Error;
use crate::payload::signature::{Secret, keypair};

mod serve;

pub use serve::{Served, serve};

/// How long the set may take to come.
const FETCH_TIME: Duration = Duration::from_secs(10);

/// Reads the Ed25519 keys of a JWK set at a path or a URL.
pub fn read(source: &str) -> Result<Vec<Secret>, Error> {
    let text = match source.parse::<Url>() {
        Ok(url) if matches!(url.scheme(), "http" | "https") => fetch(&url)?,
        _ => String::from_utf8_lossy(&input::payload(source)?).into_owned(),
    };
    keypair::read_jwks(&text).map_err(|reason| Error::Jwks { what: source.to_owned(), reason })
}

fn fetch(url: &Url) -> Result<String, Error> {
    let failed = |reason: String| Error::Jwks { what: url.to_string(), reason };
    install_crypto();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::Setup { what: "the runtime", reason: error.to_string() })?;
    runtime.block_on(async {
        let client =
            reqwest::Client::builder().timeout(FETCH_TIME).build().map_err(|error| failed(error.to_string()))?;
        let response = client.get(url.clone()).send().await.and_then(reqwest::Response::error_for_status);
        let response = response.map_err(|error| failed(error.to_string()))?;
        response.text().await.map_err(|error| failed(error.to_string()))
    })
}
