//! HTTPS: the listener's certificate, and the handshake.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::limits::HANDSHAKE_TIME;
use super::socket::{ConnectionState, Socket};
use crate::error::Error;
use crate::http::pem;
use crate::http::pem::Identity;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Certificate {
    /// A certificate that is made for this run.
    ThrowAway,
    /// The user's own certificate.
    Files {
        /// The certificate, with its chain.
        cert: String,
        /// The key, where the file of the certificate does not hold it.
        key: Option<String>,
    },
}

pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    /// SHA-256 of the certificate.
    fingerprint: String,
    /// A throw-away certificate as a file for senders to trust. The file is deleted with the listener, and never holds the
    /// key.
    shared: Option<NamedTempFile>,
}

/// The names by which this machine reaches itself.
const OWN_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

impl Tls {
    /// The TLS of a listener on this address or name.
    pub(crate) fn new(certificate: &Certificate, host: &str) -> Result<Self, Error> {
        let (identity, shared) = match certificate {
            Certificate::Files { cert, key } => {
                let cert = pem::NamedFile { flag: "--tls-cert", file: cert };
                (pem::identity(cert, key.as_deref(), "--tls-key")?, None)
            }
            Certificate::ThrowAway => {
                let (identity, pem) = throw_away(host).map_err(|error| failed(&error))?;
                (identity, Some(write_pem(&pem).map_err(|error| failed(&error))?))
            }
        };
        let fingerprint = fingerprint(&identity.0[0]);
        let acceptor = TlsAcceptor::from(Arc::new(config(identity)?));
        Ok(Tls { acceptor, fingerprint, shared })
    }

    /// The file of a throw-away certificate.
    pub(crate) fn shared(&self) -> Option<&Path> {
        self.shared.as_ref().map(NamedTempFile::path)
    }

    pub(crate) fn note(&self) -> String {
        match self.shared() {
            None => format!("its certificate has the SHA-256 {}", self.fingerprint),
            Some(path) => {
                let path = path.display();
                let trust = format!("--cacert {path} makes curl and hookctl send trust it, -k too");
                format!("its certificate is made for this run: {trust}; SHA-256 {}", self.fingerprint)
            }
        }
    }

    /// Begins a connection within [`HANDSHAKE_TIME`].
    pub(crate) async fn begin(&self, stream: TcpStream, state: ConnectionState, answer_time: Duration) -> TlsStart {
        match timeout(HANDSHAKE_TIME, self.handshake(stream, state, answer_time)).await {
            Ok(begun) => begun,
            Err(_) => TlsStart::Failed(format!("the TLS handshake took longer than {} s", HANDSHAKE_TIME.as_secs())),
        }
    }

    async fn handshake(&self, stream: TcpStream, state: ConnectionState, answer_time: Duration) -> TlsStart {
        let mut first = [0];
        match stream.peek(&mut first).await {
            Ok(1) if first[0] == HANDSHAKE => {}
            Ok(1) => return TlsStart::Plain(stream),
            _ => return TlsStart::Nothing,
        }
        match self.acceptor.accept(Socket::new(stream, state, answer_time)).await {
            Ok(stream) => TlsStart::Secured(Box::new(stream)),
            Err(error) => TlsStart::Failed(reason(&error)),
        }
    }
}

/// The first byte of every TLS connection: the type of a handshake record (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;

/// The beginning of a connection.
pub(crate) enum TlsStart {
    /// A TLS handshake.
    Secured(Box<TlsStream<Socket>>),
    /// Other bytes, probably plain HTTP. None of them was read.
    Plain(TcpStream),
    /// No bytes: a port scan.
    Nothing,
    /// A failed handshake, with the reason.
    Failed(String),
}

fn config((chain, key): Identity) -> Result<ServerConfig, Error> {
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| failed(&error))?;
    let mut config = builder
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| Error::Usage(format!("--tls-cert and --tls-key cannot be used together: {error}")))?;
    // The listener supports only HTTP/1.x; `curl --http1.0` offers only `http/1.0`.
    config.alpn_protocols = vec![b"http/1.1".to_vec(), b"http/1.0".to_vec()];
    Ok(config)
}

/// A self-signed certificate for this machine's names and the listener's, and the certificate in PEM form.
fn throw_away(host: &str) -> Result<(Identity, String), rcgen::Error> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let names = OWN_NAMES.into_iter().chain((!OWN_NAMES.contains(&host)).then_some(host));
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names.map(str::to_owned).collect::<Vec<_>>())?;
    params.distinguished_name.push(DnType::CommonName, "hookctl listen --tls");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.self_signed(&key)?;
    let identity = (vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()));
    Ok((identity, certificate.pem()))
}

/// Writes a certificate to a file for senders.
fn write_pem(pem: &str) -> io::Result<NamedTempFile> {
    let file = tempfile::Builder::new().prefix("hookctl-").suffix(".pem").tempfile()?;
    std::fs::write(file.path(), pem)?;
    Ok(file)
}

/// As `openssl x509 -fingerprint -sha256` prints it.
fn fingerprint(certificate: &[u8]) -> String {
    Sha256::digest(certificate).iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

fn failed(error: &dyn std::error::Error) -> Error {
    Error::Setup { what: "TLS", reason: error.to_string() }
}

fn reason(error: &io::Error) -> String {
    use rustls::AlertDescription as Alert;
    use rustls::Error::AlertReceived;
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(AlertReceived(Alert::UnknownCA | Alert::BadCertificate | Alert::CertificateUnknown)) => {
            "the sender does not trust the certificate".to_owned()
        }
        Some(AlertReceived(alert)) => format!("the sender broke the TLS handshake off: {alert:?}"),
        Some(other) => format!("the TLS handshake failed: {other}"),
        None => format!("the TLS handshake broke off: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throw_away_certificate_is_for_this_machine_and_the_named_host() {
        for host in ["127.0.0.1", "[::1]", "hooks.test", "0.0.0.0"] {
            let tls = Tls::new(&Certificate::ThrowAway, host).unwrap();
            let path = tls.shared().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("-----BEGIN CERTIFICATE-----\n") && !text.contains("KEY"), "{text}");
            assert!(tls.note().contains(&path.display().to_string()), "{}", tls.note());
            drop(tls);
            assert!(!path.exists(), "the file is deleted with the listener");
        }
    }

    #[test]
    fn a_fingerprint_is_spelled_as_openssl_does() {
        assert!(fingerprint(b"abc").starts_with("BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96"));
    }
}
