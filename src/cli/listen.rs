//! Flags of `listen`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};
use clap_complete::engine::ArgValueCompleter;
use url::Url;

use super::completers;
use super::shared::{CheckingArgs, OutputArgs, SigningArgs};
use super::topics::exit_codes;
use super::values::{self, Pick, PickParser};
use crate::filter::jq::Jq;
use crate::payload::events::Events;
use crate::payload::provider::Provider;

pub(crate) const EXAMPLES: &str = "\
Examples:
  hookctl listen --secret env:KEY                  receive on 8080, verify
  hookctl listen -s env:KEY --forward-to 3000      verify, pass on to your app
  hookctl listen --record hooks.jsonl              keep every delivery
  hookctl listen -s s3cret -p 0 -- ./app-test.sh   run a command against it
  hookctl listen --count 2 --timeout 30s --json    wait for two, as JSON Lines
  hookctl listen --until terminal --timeout 1m     wait for a prediction's end
  hookctl listen --respond 503x2,hang=35s,200      fail twice, hang, accept
  hookctl listen --count 2 --expect '.payload.status == \"succeeded\"'";

pub(crate) fn long_help() -> String {
    format!("{EXAMPLES}\n\n{}\n\n{}", values::provider_list(), exit_codes())
}

/// The tunnel clients that `listen` can start.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum TunnelName {
    Ngrok,
    Localtunnel,
    Cloudflared,
    Bore,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The important fields, one per line
    Block,
    /// One line
    Compact,
}

/// `hookctl listen`
#[derive(Debug, Args)]
pub(crate) struct ListenArgs {
    /// Port; 0 picks a free port
    #[arg(short, long, value_name = "N", default_value_t = 8080)]
    pub(crate) port: u16,
    /// Address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    #[arg(hide_short_help = true)]
    pub(crate) host: String,
    /// Serve HTTPS with a self-signed certificate made for this run
    ///
    /// The certificate is valid for localhost, 127.0.0.1, ::1 and --host. When the listener is ready, it prints the file of
    /// the certificate, for senders to trust. COMMAND gets the file as HOOKCTL_CACERT: a hookctl send in it needs no -k.
    #[arg(long, conflicts_with_all = ["tls_cert", "tls_key"], help_heading = "HTTPS")]
    pub(crate) tls: bool,
    /// Serve HTTPS with this certificate: a PEM file, which may include the key
    #[arg(long, value_name = "PEM", value_hint = ValueHint::FilePath, help_heading = "HTTPS")]
    pub(crate) tls_cert: Option<String>,
    /// Key of the certificate: a PEM file
    #[arg(long, value_name = "PEM", value_hint = ValueHint::FilePath, requires = "tls_cert", help_heading = "HTTPS")]
    #[arg(hide_short_help = true)]
    pub(crate) tls_key: Option<String>,
    /// Open a tunnel to the listener with this client, which must be installed
    ///
    /// The public URL is printed when the listener is ready; COMMAND gets it as HOOKCTL_PUBLIC_URL. The client is stopped
    /// with the listener. A tunnel server of your own is set in the client's own variable: BORE_SERVER, or HOST for
    /// localtunnel.
    #[arg(long, value_name = "CLIENT", value_enum, conflicts_with_all = ["tls", "tls_cert"])]
    pub(crate) tunnel: Option<TunnelName>,
    /// Provider that sends; auto detects it for each delivery
    #[arg(long, value_name = "NAME", default_value = values::AUTO, value_parser = PickParser::<&'static Provider>::new())]
    #[arg(hide_possible_values = true)]
    pub(crate) provider: Pick<&'static Provider>,
    /// Append every delivery to a journal (JSON Lines) before it is answered
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) record: Option<PathBuf>,
    /// Answer only when the delivery is on disk, so that it survives a power cut
    ///
    /// Without it, records survive a crash of hookctl but not a power cut; with it, each batch is fsynced before the answer.
    /// Deliveries that arrive during an fsync share the next one.
    #[arg(long, requires = "record")]
    #[arg(hide_short_help = true)]
    pub(crate) record_sync: bool,
    /// Save the data URLs and base64 of outputs as files in this folder
    ///
    /// A file is named after the prediction's id, the position in the output and the media type. Existing files are never
    /// overwritten. No files are saved for deliveries that are refused or that --events leaves out.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    #[arg(hide_short_help = true)]
    pub(crate) save_outputs: Option<PathBuf>,
    /// Do not redact header values that are secrets
    #[arg(long)]
    #[arg(hide_short_help = true)]
    pub(crate) record_secrets: bool,
    /// Answer 413 to larger bodies
    #[arg(long, value_name = "SIZE", default_value = "10MiB", value_parser = values::size)]
    #[arg(hide_short_help = true)]
    pub(crate) max_body: u64,
    /// Answers, in order: 503x2,hang=35s,200 [default: 200]
    ///
    /// Items are separated by commas; the last one repeats. An item is a status (503; 503x2 for twice), hang or hang=35s
    /// (never answer, or close after this time), close (FIN), reset (RST), truncate (close in the middle of the response)
    /// or forward (the response of --forward-to, and the default with it). An item may be followed by :delay=2s and, if it
    /// is a status, by :retry-after=5 and :body=@FILE. A hanging delivery is counted once its sender gives up, or once the
    /// time is over. A delivery that is answered 401 uses no item.
    #[arg(long, value_name = "SCRIPT", help_heading = "Answers")]
    pub(crate) respond: Option<String>,
    /// Start the script over for every distinct delivery (provider, id and event)
    #[arg(long, help_heading = "Answers")]
    #[arg(hide_short_help = true)]
    pub(crate) respond_each: bool,
    /// Forward deliveries to an app, and answer with its response: 3000, localhost:3000/hook, http://…
    ///
    /// Deliveries go to the path of the URL, or, if the URL has none, to the path that the sender used. Method, headers and
    /// body bytes stay unchanged; Host is the app's. A delivery that is answered 401 is not forwarded. GET and HEAD (a
    /// health check, a provider's challenge) are forwarded without a signature, but neither counted nor recorded.
    #[arg(short, long, value_name = "URL", value_parser = values::url, value_hint = ValueHint::Url)]
    #[arg(help_heading = "Answers")]
    pub(crate) forward_to: Option<Url>,
    /// Warn when an answer takes longer than this, instead of the provider's own limit
    #[arg(long, value_name = "DUR", value_parser = values::duration, help_heading = "Answers")]
    #[arg(hide_short_help = true)]
    pub(crate) ack_budget: Option<Duration>,
    /// Show and count only these events: completed,output,workflow.*; others are still answered and recorded
    #[arg(short, long, value_name = "LIST", value_parser = Events::parse)]
    pub(crate) events: Option<Events>,
    /// Exit once N deliveries have been answered; with --until, once both conditions are met
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Waiting")]
    pub(crate) count: Option<u64>,
    /// Exit at the first delivery with this status or event; terminal is any final status
    #[arg(long, value_name = "STATUS|EVENT|terminal", help_heading = "Waiting")]
    pub(crate) until: Option<String>,
    /// Stop after this time: exit code 3 if --count or --until is not met
    #[arg(long, value_name = "DUR", value_parser = values::duration, help_heading = "Waiting")]
    pub(crate) timeout: Option<Duration>,
    /// Exit with code 4 unless this jq filter is true for every counted delivery; repeatable
    ///
    /// The filter's input is the delivery's record, as printed by --json: '.payload.status == "succeeded"'. The filter is
    /// true when none of its results is false or null. A failure is shown with the value that was found.
    #[arg(long, value_name = "JQ", value_parser = Jq::parse, help_heading = "Waiting")]
    pub(crate) expect: Vec<Jq>,
    /// Treat a warning about a counted delivery as a failed expectation: exit code 4
    ///
    /// A prediction without a final status fails too if --timeout expires or --until is not met; once --count and --until
    /// are met, nothing waits for its end. A delivery that arrives after a later one of the same prediction fails too.
    #[arg(long, help_heading = "Waiting")]
    pub(crate) strict: bool,
    /// Write the results of expectations and waits as JUnit XML
    #[arg(long, value_name = "junit=FILE", value_parser = values::report)]
    #[arg(add = ArgValueCompleter::new(completers::report_files))]
    #[arg(help_heading = "Waiting")]
    pub(crate) report: Option<PathBuf>,
    /// Exit with code 5 if a counted delivery did not verify
    #[arg(long, help_heading = "Signatures")]
    pub(crate) require_valid: bool,
    /// Answer as usual when a signature is invalid, instead of 401
    #[arg(long, help_heading = "Signatures")]
    #[arg(hide_short_help = true)]
    pub(crate) allow_invalid: bool,
    #[command(flatten)]
    pub(crate) checking: CheckingArgs,
    #[command(flatten)]
    pub(crate) signing: SigningArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// Show each delivery as a block of lines, or on one line
    #[arg(long, value_name = "FORM", default_value = "block", value_enum, conflicts_with = "verbose")]
    #[arg(help_heading = "Output")]
    #[arg(hide_short_help = true)]
    pub(crate) format: Format,
    /// Command to run once the listener is ready, with HOOKCTL_TO and HOOKCTL_SECRET set; the listener ends with it
    ///
    /// Its exit code is passed on if it is not 0, unless the listener itself ends with 5 or 4: a hookctl send that gets the
    /// listener's 401 says less than --require-valid. With --count, the listener ends once the command has ended and the
    /// count is reached; after the command has ended, missing deliveries are waited for until --timeout.
    #[arg(last = true, value_name = "COMMAND", help_heading = "Arguments", value_hint = ValueHint::CommandWithArguments)]
    #[arg(add = ArgValueCompleter::new(completers::programs))]
    pub(crate) command: Vec<std::ffi::OsString>,
}
