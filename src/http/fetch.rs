//! GET requests of hookctl itself, such as key sets: limited in size and time, with the proxy rules of deliveries.

use std::time::Duration;

use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use url::Url;

use super::origin::is_loopback;
use super::tls::install_crypto;

/// As many redirects as reqwest follows by itself.
const REDIRECTS: usize = 10;

/// The limits of one fetch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FetchLimits {
    /// In bytes.
    pub(crate) size: usize,
    /// From connecting to the end of the body.
    pub(crate) time: Duration,
}

/// Fetches a URL on a runtime of its own. The error is the reason, in words without the URL.
pub(crate) fn fetch(url: &Url, limits: FetchLimits) -> Result<Vec<u8>, String> {
    install_crypto();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot set up the runtime: {error}"))?;
    runtime.block_on(async {
        let fetched = tokio::time::timeout(limits.time, get(url, limits.size)).await;
        fetched.unwrap_or_else(|_| Err(format!("no answer within {:?}", limits.time)))
    })
}

async fn get(url: &Url, limit: usize) -> Result<Vec<u8>, String> {
    let reason = |error: reqwest::Error| error.without_url().to_string();
    let mut response = follow(url).await?.error_for_status().map_err(reason)?;
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(reason)? {
        body.extend_from_slice(&piece);
        if body.len() > limit {
            return Err(format!("it is larger than the limit of {limit} bytes"));
        }
    }
    Ok(body)
}

/// Follows redirects one by one: only a URL with a loopback host bypasses the proxy.
async fn follow(url: &Url) -> Result<Response, String> {
    let reason = |error: reqwest::Error| error.without_url().to_string();
    let mut url = url.clone();
    for _ in 0..=REDIRECTS {
        let builder = Client::builder().redirect(Policy::none());
        // reqwest uses the environment's proxy for loopback addresses too.
        let builder = if is_loopback(&url) { builder.no_proxy() } else { builder };
        let client = builder.build().map_err(reason)?;
        let response = client.get(url.clone()).send().await.map_err(reason)?;
        if !response.status().is_redirection() {
            return Ok(response);
        }
        let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
        let Some(next) = location.and_then(|location| url.join(location).ok()) else { return Ok(response) };
        url = next;
    }
    Err("too many redirects".into())
}
