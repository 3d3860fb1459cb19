//! TLS as curl's flags have it, and the words for what goes wrong with it.

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

use super::client::ClientOptions;
use super::pem;
use super::pem::{Identity, NamedFile};
use crate::error::Error;

/// Chooses the cryptography of TLS, once for the program.
pub(crate) fn install_crypto() {
    // Fails only when it was chosen before, which then serves as well.
    let _ = ring::default_provider().install_default();
}

/// The configuration for every connection.
pub(crate) fn config(options: &ClientOptions) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let failed = |error: rustls::Error| Error::Setup { what: "TLS", reason: error.to_string() };
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().map_err(failed)?;
    let verifier: Arc<dyn ServerCertVerifier> = match &options.cacert {
        _ if options.insecure => Arc::new(NoVerifier(provider)),
        Some(file) => Arc::new(PinnedVerifier::new(file, provider)?),
        None => Arc::new(System::new(provider).map_err(failed)?),
    };
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = match identity(options)? {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => builder
            .with_client_auth_cert(chain, key)
            .map_err(|error| Error::Usage(format!("--cert and --key do not go together: {error}")))?,
    };
    // All that is spoken here.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The client's certificate and key.
fn identity(options: &ClientOptions) -> Result<Option<Identity>, Error> {
    match (&options.cert, &options.key) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Error::Usage("--key is the key of a certificate: name that with --cert".into())),
        (Some(file), key) => pem::identity(NamedFile { flag: "--cert", file }, key.as_deref(), "--key").map(Some),
    }
}

/// Trusts the certificates of a file, and those that they have issued.
#[derive(Debug)]
struct PinnedVerifier {
    issuers: Arc<WebPkiServerVerifier>,
    certificates: Vec<CertificateDer<'static>>,
}

impl PinnedVerifier {
    fn new(file: &str, provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let certificates = pem::certificates(NamedFile { flag: "--cacert", file })?;
        let unusable = |reason: String| Error::Usage(format!("--cacert: {file} cannot be used: {reason}"));
        let mut roots = RootCertStore::empty();
        for certificate in &certificates {
            roots.add(certificate.clone()).map_err(|error| unusable(error.to_string()))?;
        }
        let issuers = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        Ok(PinnedVerifier { issuers: issuers.map_err(|error| unusable(error.to_string()))?, certificates })
    }
}

impl ServerCertVerifier for PinnedVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.issuers.verify_server_cert(end_entity, intermediates, name, ocsp, now) {
            // What `openssl req -x509` makes is marked as an issuer's and used as a server's. curl takes it where it is
            // the very one that was named. Its dates were checked before this.
            Err(rustls::Error::InvalidCertificate(error))
                if is_issuers(&error) && self.certificates.iter().any(|named| named == end_entity) =>
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
        self.issuers.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.issuers.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.issuers.supported_verify_schemes()
    }
}

/// Whether a server's certificate was refused for being an issuer's. rustls has no variant for it.
fn is_issuers(error: &CertificateError) -> bool {
    matches!(error, CertificateError::Other(other) if other.to_string() == "CaUsedAsEndEntity")
}

/// Trusts anyone (`--insecure`); only that the other side holds its certificate's key is still checked.
#[derive(Debug)]
struct NoVerifier(Arc<CryptoProvider>);

impl ServerCertVerifier for NoVerifier {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// What is wrong with TLS, where that is what is wrong.
pub(crate) fn words(error: &(dyn StdError + 'static), host: &str) -> Option<String> {
    use CertificateError as Bad;
    use rustls::Error as Tls;
    let certificate = |why: &str, mend: &str| format!("the certificate of {host} is not trusted: {why} ({mend})");
    Some(match error.downcast_ref::<rustls::Error>()? {
        Tls::InvalidCertificate(bad) => match bad {
            Bad::UnknownIssuer => certificate("its issuer is not known", "use --cacert FILE or -k"),
            Bad::Expired | Bad::ExpiredContext { .. } => certificate("it has expired", "-k takes it all the same"),
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
                certificate("it is for another name", "-k takes it all the same")
            }
            bad if is_issuers(bad) => certificate("it is an issuer's own", "use --cacert FILE or -k"),
            bad => certificate(&bad.to_string(), "use --cacert FILE or -k"),
        },
        Tls::InvalidMessage(_) => format!("{host} does not speak TLS here: is it http://?"),
        Tls::AlertReceived(alert) => refused(*alert),
        other => format!("TLS with {host} failed: {other}"),
    })
}

/// Why the receiver broke the handshake off, if that is what happened. With TLS 1.3 it may say so only after the client
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
            "the receiver wants a client certificate (use --cert FILE and --key FILE)".to_owned()
        }
        alert => format!("the receiver broke the TLS handshake off: {alert:?}"),
    }
}
