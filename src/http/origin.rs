//! The origin of a URL: scheme, host and port.

use http::HeaderValue;
use url::{Host, Position, Url};

pub(crate) fn is_same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host_str() == other.host_str()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// Whether a URL leads to this machine by its loopback address or name.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        // RFC 6761 section 6.3.
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// The URL without user name and password.
pub(crate) fn without_credentials(mut url: Url) -> Url {
    // Fails only for a URL that cannot have credentials.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    url
}

/// The `host` header for a URL.
pub(crate) fn host(url: &Url) -> HeaderValue {
    // A URL's host is ASCII without spaces, so it always is a header value.
    HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort]).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        for host in ["127.0.0.1", "127.8.9.10", "[::1]", "localhost", "LOCALHOST", "app.localhost"] {
            assert!(is_loopback(&format!("http://{host}:3000/").parse().unwrap()), "{host}");
        }
        for host in ["128.0.0.1", "[::2]", "localhost.example", "notlocalhost", "10.0.0.1"] {
            assert!(!is_loopback(&format!("http://{host}/").parse().unwrap()), "{host}");
        }
    }
}
