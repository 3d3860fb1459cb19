//! The client's TLS configuration from curl's flags, and the messages for TLS errors.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier as System;

use super::options::ClientOptions;
use super::pem;
use super::pem::{Identity, NamedFile};
use crate::error::Error;

/// Sets the cryptography of TLS for the program.
pub(crate) fn install_crypto() {
    // Fails only if a provider is installed already.
    let _ = ring::default_provider().install_default();
}

/// The TLS configuration for these options.
pub(crate) fn config(options: &ClientOptions) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let failed = |error: rustls::Error| Error::Setup { what: "TLS", reason: error.to_string() };
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().map_err(failed)?;
    let trust = match &options.cacert {
        _ if options.insecure => Some(Trust::Anyone),
        Some(file) => Some(Trust::pinned(file, Arc::clone(&provider))?),
        None => None,
    };
    let verifier: Arc<dyn ServerCertVerifier> = match trust {
        Some(trust) => Arc::new(CertificateVerifier { trust, provider }),
        None => Arc::new(System::new(provider).map_err(failed)?),
    };
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = match identity(options)? {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => builder
            .with_client_auth_cert(chain, key)
            .map_err(|error| Error::Usage(format!("--cert and --key do not match: {error}")))?,
    };
    // The client speaks HTTP/1.1 alone.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The client's certificate and key.
fn identity(options: &ClientOptions) -> Result<Option<Identity>, Error> {
    match (&options.cert, &options.key) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Error::Usage("--key needs --cert: name the certificate of the key".into())),
        (Some(file), key) => pem::identity(NamedFile { flag: "--cert", file }, key.as_deref(), "--key").map(Some),
    }
}

/// Verifies a receiver's certificate as curl's `-k` and `--cacert` do.
#[derive(Debug)]
struct CertificateVerifier {
    trust: Trust,
    provider: Arc<CryptoProvider>,
}

#[derive(Debug)]
enum Trust {
    /// Accepts any certificate (`--insecure`). The receiver still has to prove that it holds the certificate's key.
    Anyone,
    /// Accepts the certificates of a file, and the certificates that they have issued.
    Pinned { issuers: Arc<WebPkiServerVerifier>, certificates: Vec<CertificateDer<'static>> },
}

impl Trust {
    fn pinned(file: &str, provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let certificates = pem::certificates(NamedFile { flag: "--cacert", file })?;
        let unusable = |reason: String| Error::Usage(format!("--cacert: {file} cannot be used: {reason}"));
        let mut roots = RootCertStore::empty();
        for certificate in &certificates {
            roots.add(certificate.clone()).map_err(|error| unusable(error.to_string()))?;
        }
        let issuers = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        Ok(Trust::Pinned { issuers: issuers.map_err(|error| unusable(error.to_string()))?, certificates })
    }
}

impl ServerCertVerifier for CertificateVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Trust::Pinned { issuers, certificates } = &self.trust else {
            return Ok(ServerCertVerified::assertion());
        };
        match issuers.verify_server_cert(end_entity, intermediates, name, ocsp, now) {
            // What `openssl req -x509` makes is marked as an issuer's certificate and used as a server's. curl accepts such
            // a certificate where the very same was named. Its dates were checked before.
            Err(rustls::Error::InvalidCertificate(error))
                if is_issuers(&error) && certificates.iter().any(|named| named == end_entity) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Whether a server's certificate was refused because it is an issuer's. rustls has no variant for that.
fn is_issuers(error: &CertificateError) -> bool {
    matches!(error, CertificateError::Other(other) if other.to_string() == "CaUsedAsEndEntity")
}

/// The message for an error of TLS; `None` for another error.
pub(crate) fn describe(error: &(dyn StdError + 'static), host: &str) -> Option<String> {
    use CertificateError as Bad;
    use rustls::Error as Tls;
    let certificate = |why: &str, mend: &str| format!("the certificate of {host} is not trusted: {why} ({mend})");
    Some(match error.downcast_ref::<rustls::Error>()? {
        Tls::InvalidCertificate(bad) => match bad {
            Bad::UnknownIssuer => certificate("its issuer is not known", "use --cacert FILE or -k"),
            Bad::Expired | Bad::ExpiredContext { .. } => certificate("it has expired", "-k accepts it"),
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
                certificate("it is for another name", "-k accepts it")
            }
            bad if is_issuers(bad) => {
                certificate("it is a CA certificate, not a server certificate", "use --cacert FILE or -k")
            }
            bad => certificate(&bad.to_string(), "use --cacert FILE or -k"),
        },
        Tls::InvalidMessage(_) => format!("{host} does not speak TLS here: is it http://?"),
        Tls::AlertReceived(alert) => refused(*alert),
        other => format!("TLS with {host} failed: {other}"),
    })
}

/// The reason why the receiver ended the handshake; `None` for another error. With TLS 1.3 the alert may come after the client
/// has finished its part.
pub(crate) fn refusal(error: &io::Error) -> Option<String> {
    use AlertDescription as Alert;
    match error.get_ref()?.downcast_ref::<rustls::Error>()? {
        rustls::Error::AlertReceived(
            alert @ (Alert::CertificateRequired
            | Alert::NoCertificate
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::DecryptError
            | Alert::HandshakeFailure),
        ) => Some(refused(*alert)),
        _ => None,
    }
}

fn refused(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
            "the receiver requires a client certificate (use --cert FILE and --key FILE)".to_owned()
        }
        alert => format!("the receiver ended the TLS handshake: {alert:?}"),
    }
}
