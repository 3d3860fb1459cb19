//! Flags about the connection to a receiver, under the names that curl gives them.

use clap::{Args, ValueHint};
use url::Url;

use super::values;

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArgs {
    /// Accept any TLS certificate (insecure)
    #[arg(short = 'k', long)]
    pub(crate) insecure: bool,
    /// Trust the certificates in this PEM file instead of the system's
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(hide_short_help = true)]
    pub(crate) cacert: Option<String>,
    /// Client certificate: a PEM file, which may include the key
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(hide_short_help = true)]
    pub(crate) cert: Option<String>,
    /// Key of the client certificate: a PEM file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(hide_short_help = true)]
    pub(crate) key: Option<String>,
    /// Use this proxy: host:port, http://…, https://…, socks5h://…
    ///
    /// Without it, the proxy of HTTP_PROXY, HTTPS_PROXY or ALL_PROXY is used, except for hosts in NO_PROXY and for this
    /// machine itself.
    #[arg(long, value_name = "URL", value_parser = values::proxy, value_hint = ValueHint::Url)]
    #[arg(hide_short_help = true)]
    pub(crate) proxy: Option<Url>,
    /// Accepted for compatibility with curl: requests always use HTTP/1.1
    #[arg(long = "http1.1")]
    #[arg(hide_short_help = true)]
    pub(crate) http1_1: bool,
    /// Do not follow redirects, even if the provider does
    #[arg(long)]
    #[arg(hide_short_help = true)]
    pub(crate) no_follow: bool,
}
