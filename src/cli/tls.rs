//! How a receiver is reached: the flags that `curl` has too, under its names.

use clap::{Args, ValueHint};
use url::Url;

use super::values;

/// Flags about connections.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArgs {
    /// Take any certificate for good
    #[arg(short = 'k', long)]
    pub(crate) insecure: bool,
    /// Trust the certificates in this PEM file instead of the system's
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(hide_short_help = true)]
    pub(crate) cacert: Option<String>,
    /// Client certificate, a PEM file, which may hold its key too
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(hide_short_help = true)]
    pub(crate) cert: Option<String>,
    /// Key of the client certificate, a PEM file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(hide_short_help = true)]
    pub(crate) key: Option<String>,
    /// Go by this proxy: host:port, http://…, https://…, socks5h://…
    ///
    /// Without, the proxy of HTTP_PROXY, HTTPS_PROXY, ALL_PROXY is taken, except to NO_PROXY and to this machine itself.
    #[arg(long, value_name = "URL", value_parser = values::proxy, value_hint = ValueHint::Url)]
    #[arg(hide_short_help = true)]
    pub(crate) proxy: Option<Url>,
    /// Accepted for the sake of curl's users: HTTP/1.1 is what is always sent
    #[arg(long = "http1.1")]
    #[arg(hide_short_help = true)]
    pub(crate) http1_1: bool,
    /// Do not follow redirects, though the provider does
    #[arg(long)]
    #[arg(hide_short_help = true)]
    pub(crate) no_follow: bool,
}
