//! The options of one run of `listen`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::expectations::Expectations;
use super::limits::ListenLimits;
use super::script::Script;
use super::stop_conditions::StopConditions;
use super::tls::Certificate;
use super::tunnel::TunnelClient;
use crate::payload::Provider;
use crate::payload::events::Events;
use crate::signature::Policy;

#[derive(Debug)]
pub(crate) struct Config {
    /// Address or name to listen on.
    pub(crate) host: String,
    /// Port; 0 takes a free port.
    pub(crate) port: u16,
    /// Present for HTTPS.
    pub(crate) certificate: Option<Certificate>,
    /// The provider, when the user named it.
    pub(crate) provider: Option<&'static Provider>,
    pub(crate) policy: Policy,
    /// Whether a delivery with an invalid signature gets the same response as any other.
    pub(crate) allow_invalid: bool,
    pub(crate) script: Script,
    /// Whether every distinct delivery starts the script from its beginning.
    pub(crate) respond_each: bool,
    pub(crate) forward_to: Option<Url>,
    /// The time in which a response must be ready, instead of the provider's own limit.
    pub(crate) ack_budget: Option<Duration>,
    /// The path of the journal.
    pub(crate) record: Option<PathBuf>,
    /// Whether every batch is synced to the disk before its responses are sent.
    pub(crate) record_sync: bool,
    /// The folder for the files within outputs.
    pub(crate) save_outputs: Option<PathBuf>,
    /// Whether records keep header values that are secrets.
    pub(crate) keep_secrets: bool,
    /// The largest body in bytes.
    pub(crate) max_body: u64,
    /// The limits without a flag.
    pub(crate) limits: ListenLimits,
    /// The deliveries to show and count; `None` for all deliveries.
    pub(crate) events: Option<Events>,
    pub(crate) wait: StopConditions,
    /// Checked against every delivery that counts.
    pub(crate) expectations: Expectations,
    /// The JUnit XML file.
    pub(crate) report: Option<PathBuf>,
    pub(crate) tunnel: Option<&'static TunnelClient>,
    /// The command that sends to this listener, without its `--to`.
    pub(crate) send_command: Option<String>,
    /// The command to run once the listener is ready, or empty.
    pub(crate) command: Vec<OsString>,
    /// Whether standard output is data, so that the command must not write there.
    pub(crate) data_on_stdout: bool,
}
