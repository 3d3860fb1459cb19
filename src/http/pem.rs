//! Certificates and private keys in PEM files.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use zeroize::Zeroizing;

use crate::error::Error;
use crate::journal::input;

/// A certificate with its chain, and its key.
pub(crate) type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// A file, and the flag that names the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NamedFile<'a> {
    pub(crate) flag: &'a str,
    pub(crate) file: &'a str,
}

/// Reads a certificate and its key. As with curl, one file may hold both; `key_flag` names a file for the key alone.
pub(crate) fn identity(cert: NamedFile<'_>, key: Option<&str>, key_flag: &str) -> Result<Identity, Error> {
    let chain = certificates(cert)?;
    let NamedFile { flag, file } = key.map_or(cert, |file| NamedFile { flag: key_flag, file });
    let hint = if key.is_none() { format!(" (name it with {key_flag} FILE)") } else { String::new() };
    let text = Zeroizing::new(Vec::from(input::payload(file)?));
    let key = PrivateKeyDer::from_pem_slice(&text);
    let key = key.map_err(|_| Error::Usage(format!("{flag}: {file} holds no private key in PEM form{hint}")))?;
    Ok((chain, key))
}

/// Reads the certificates of a file, at least one.
pub(crate) fn certificates(NamedFile { flag, file }: NamedFile<'_>) -> Result<Vec<CertificateDer<'static>>, Error> {
    let bytes = input::payload(file)?;
    let found = CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|error| Error::Usage(format!("{flag}: {file} is not PEM: {error}")))?;
    if found.is_empty() {
        return Err(Error::Usage(format!("{flag}: {file} holds no certificate in PEM form")));
    }
    Ok(found)
}
