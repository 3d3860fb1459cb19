//! Which proxy a request goes through: the proxy of `--proxy`, or of the environment.

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use url::Url;

use super::origin::is_loopback;

pub(crate) struct ProxyRules {
    matcher: Matcher,
    /// Whether the user named the proxy.
    is_named: bool,
}

/// A plain HTTP request that the proxy forwards, instead of a tunnel through the proxy.
#[derive(Debug)]
pub(crate) struct ProxyForwarding {
    /// The value of `proxy-authorization`.
    pub(crate) credentials: Option<HeaderValue>,
}

impl ProxyRules {
    pub(crate) fn new(proxy: Option<&Url>) -> Self {
        let matcher = match proxy {
            Some(proxy) => Matcher::builder().all(proxy.as_str()).build(),
            None => Matcher::from_system(),
        };
        ProxyRules { matcher, is_named: proxy.is_some() }
    }

    /// The proxy for requests to this URL.
    pub(crate) fn intercept(&self, url: &Url) -> Option<Intercept> {
        // A proxy of the environment cannot reach this machine's own addresses; a proxy that was named is used for all.
        if !self.is_named && is_loopback(url) {
            return None;
        }
        self.matcher.intercept(&authority(url).ok()?)
    }

    /// `Some` if requests to `url` are sent to a proxy that forwards plain HTTP, without a tunnel.
    pub(crate) fn forwarding(&self, url: &Url) -> Option<ProxyForwarding> {
        let proxy = self.intercept(url).filter(|proxy| url.scheme() == "http" && !is_socks(proxy.uri()))?;
        Some(ProxyForwarding { credentials: proxy.basic_auth().cloned() })
    }
}

pub(crate) fn is_socks(uri: &Uri) -> bool {
    uri.scheme_str().is_some_and(|scheme| scheme.starts_with("socks"))
}

/// Scheme, host and port: all that a connection needs.
pub(crate) fn authority(url: &Url) -> Result<Uri, http::Error> {
    let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
    Uri::builder().scheme(url.scheme()).authority(format!("{host}:{port}")).path_and_query("/").build()
}
