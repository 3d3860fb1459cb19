//! Makes connections: direct or through a proxy, with or without TLS.

use std::error::Error as StdError;
use std::future::poll_fn;
use std::io;
use std::sync::{Arc, OnceLock};

use http::Uri;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service;
use url::Url;

use super::options::ClientOptions;
use super::origin::is_same_origin;
use super::outcome::NoResponse;
use super::proxy::{ProxyRules, authority, is_socks};
use super::tls;
use crate::error::{Error, os_reason};

pub(crate) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Duplex for S {}

pub(crate) type BoxedStream = Box<dyn Duplex>;

type BoxedError = Box<dyn StdError + Send + Sync>;

pub(crate) struct Connector {
    tcp: HttpConnector,
    options: ClientOptions,
    proxies: ProxyRules,
    /// The URL of the deliveries. The client's certificate is sent to this origin alone.
    target: Url,
    /// Made on first use: reading the system's certificates takes time.
    tls: OnceLock<Arc<ClientConfig>>,
    /// Without the client's certificate: for proxies and for other origins.
    anonymous: OnceLock<Arc<ClientConfig>>,
}

impl Connector {
    /// A connector for requests to `url`. The error is a certificate or key that cannot be used.
    pub(crate) fn new(url: &Url, options: &ClientOptions) -> Result<Self, Error> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let proxies = ProxyRules::new(options.proxy.as_ref());
        let (options, target) = (options.clone(), url.clone());
        let connector = Connector { tcp, options, proxies, target, tls: OnceLock::new(), anonymous: OnceLock::new() };
        // An unusable file of --cacert, --cert or --key is an error even for plain HTTP.
        let ClientOptions { cacert, cert, key, .. } = &connector.options;
        if url.scheme() == "https" || cacert.is_some() || cert.is_some() || key.is_some() {
            connector.tls(true)?;
        }
        Ok(connector)
    }

    /// Connects to a URL's host, or to its proxy. The error is the reason as [`reason`] returns it.
    pub(crate) async fn connect(&self, url: &Url) -> Result<BoxedStream, (Option<NoResponse>, String)> {
        let Some(proxy) = self.proxies.intercept(url) else {
            return self.open(url, None).await.map_err(|error| reason(&*error, url));
        };
        let opened = self.open(url, Some(&proxy)).await;
        // No cause: the error is the proxy's, and a direct connection might fail differently.
        opened.map_err(|error| {
            (None, format!("through the proxy {}: {}", host_and_port(proxy.uri()), reason(&*error, url).1))
        })
    }

    pub(crate) fn proxies(&self) -> &ProxyRules {
        &self.proxies
    }

    async fn open(&self, url: &Url, proxy: Option<&Intercept>) -> Result<BoxedStream, BoxedError> {
        let (secure, authority) = (url.scheme() == "https", authority(url)?);
        let is_target = is_same_origin(url, &self.target);
        let Some(proxy) = proxy else {
            return if secure {
                call(self.secure(self.tcp.clone(), is_target)?, authority).await
            } else {
                call(self.tcp.clone(), authority).await
            };
        };
        let proxy_uri = proxy.uri().clone();
        if is_socks(&proxy_uri) {
            let mut socks = SocksV5::new(proxy_uri.clone(), self.tcp.clone());
            if let Some((user, password)) = proxy.raw_auth() {
                socks = socks.with_auth(user.to_owned(), password.to_owned());
            }
            // As curl: with socks5h the proxy resolves the name.
            let socks = socks.local_dns(proxy_uri.scheme_str() == Some("socks5"));
            return call(self.secure(socks, is_target)?, authority).await;
        }
        let connector = self.secure(self.tcp.clone(), false)?;
        if !secure {
            return call(connector, proxy_uri).await;
        }
        let mut tunnel = Tunnel::new(proxy_uri, connector);
        if let Some(credentials) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(credentials.clone());
        }
        call(self.secure(tunnel, is_target)?, authority).await
    }

    /// Adds TLS for https URLs, with the client's certificate at the target.
    fn secure<C>(&self, inner: C, is_target: bool) -> Result<HttpsConnector<C>, BoxedError> {
        Ok(HttpsConnector::from((inner, self.tls(is_target)?)))
    }

    fn tls(&self, is_target: bool) -> Result<Arc<ClientConfig>, Error> {
        let made = if is_target { &self.tls } else { &self.anonymous };
        if let Some(config) = made.get() {
            return Ok(Arc::clone(config));
        }
        let config = if is_target {
            tls::config(&self.options)?
        } else {
            tls::config(&ClientOptions { cert: None, key: None, ..self.options.clone() })?
        };
        Ok(Arc::clone(made.get_or_init(|| Arc::new(config))))
    }
}

async fn call<C>(mut connector: C, uri: Uri) -> Result<BoxedStream, BoxedError>
where
    C: Service<Uri, Error: Into<BoxedError>>,
    C::Response: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    poll_fn(|cx| connector.poll_ready(cx)).await.map_err(Into::into)?;
    Ok(Box::new(TokioIo::new(connector.call(uri).await.map_err(Into::into)?)))
}

fn host_and_port(uri: &Uri) -> &str {
    uri.authority().map_or("", |authority| authority.as_str())
}

/// The cause of a failed connection, if it is a known cause, and the message.
pub(crate) fn reason(error: &(dyn StdError + 'static), url: &Url) -> (Option<NoResponse>, String) {
    let host = url.host_str().unwrap_or_default();
    if let Some(message) = causes(error).find_map(|cause| tls::describe(cause, host)) {
        return (Some(NoResponse::Tls), message);
    }
    let kinds: Vec<_> =
        causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind).collect();
    if url.scheme() == "https" && kinds.contains(&io::ErrorKind::UnexpectedEof) {
        let message = format!("{host} closed the connection in the middle of the TLS handshake: is it http://?");
        return (Some(NoResponse::Tls), message);
    }
    // The innermost cause is the system's own.
    let text = os_reason(causes(error).last().unwrap_or(error));
    // The standard library has no kind for a failed lookup.
    if let Some(why) = text.strip_prefix("failed to lookup address information: ") {
        return (Some(NoResponse::Unresolved), format!("there is no host {host}: {}", os_reason(why)));
    }
    let cause = kinds.last().and_then(|kind| match kind {
        io::ErrorKind::ConnectionRefused => Some(NoResponse::Refused),
        io::ErrorKind::ConnectionReset => Some(NoResponse::Reset),
        io::ErrorKind::TimedOut => Some(NoResponse::TimedOut),
        _ => None,
    });
    (cause, text)
}

/// An error and what caused it.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| {
        // `source` of an I/O error skips the error that it wraps.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped.map(|inner| inner as &(dyn StdError + 'static)).or(error.source())
    })
}
