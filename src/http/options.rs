//! The options of the client, as curl's flags have them.

use url::Url;

#[derive(Clone, Debug, Default)]
pub(crate) struct ClientOptions {
    /// Whether any certificate is accepted.
    pub(crate) insecure: bool,
    /// The certificates to trust instead of the system's: a PEM file.
    pub(crate) cacert: Option<String>,
    /// The client's certificate: a PEM file, with the key after it or in a file of its own.
    pub(crate) cert: Option<String>,
    /// The client's key: a PEM file.
    pub(crate) key: Option<String>,
    /// The proxy for every request, instead of the environment's.
    pub(crate) proxy: Option<Url>,
}
