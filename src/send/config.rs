//! The options of `hookctl send`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use url::Url;

use crate::http::ClientOptions;
use crate::json::edit::Edit;
use crate::payload::FieldName;
use crate::payload::provider::cog::Flavor;
use crate::payload::retry::{RetryProfile, Statuses};
use crate::signature::{Choice, Secret, Tamper};

#[derive(Debug)]
pub(crate) struct Config {
    /// Files, `-`, or names of built-in payloads.
    pub(crate) sources: Vec<String>,
    pub(crate) endpoint: Arc<Endpoint>,
    /// Edits of every body, each with its flag, in the order in which they apply.
    pub(crate) edits: Vec<(&'static str, Edit)>,
    /// The prediction's id, instead of the one in the body.
    pub(crate) id: Option<NewId>,
    /// The scheme, or the provider's own.
    pub(crate) scheme: Choice,
    /// The first one signs; all are redacted.
    pub(crate) secrets: Arc<[Secret]>,
    /// The retry profile, or the provider's own.
    pub(crate) retry: Option<RetryProfile>,
    /// The waits between retries are divided by this number.
    pub(crate) retry_speed: f64,
    /// The gaps within a sequence are divided by this number.
    pub(crate) gap_speed: f64,
    /// The events of a sequence to send; `None` sends all events.
    pub(crate) events: Option<Vec<String>>,
    /// The Cog server that sends a run.
    pub(crate) flavor: Option<Flavor>,
    /// The throttle interval of the Cog server, instead of the run's.
    pub(crate) throttle: Option<Duration>,
    /// How many more times each delivery is sent.
    pub(crate) duplicate: usize,
    /// The seed of the shuffle.
    pub(crate) shuffle: Option<u64>,
    pub(crate) tamper: Option<Tamper>,
    pub(crate) load: Option<Load>,
    pub(crate) drill: bool,
    /// The file for the drill's results as JUnit XML.
    pub(crate) report: Option<PathBuf>,
    /// The limit of an attempt; without it, the documented limit of the retry profile or the provider applies.
    pub(crate) timeout: Option<Duration>,
    /// The statuses that are expected; without them, 2xx.
    pub(crate) expect_status: Option<Statuses>,
    /// The journal's path.
    pub(crate) record: Option<PathBuf>,
    /// Whether records keep header values that are secrets.
    pub(crate) keep_secrets: bool,
    pub(crate) dry_run: bool,
    /// Whether to print curl commands and send nothing.
    pub(crate) curl: bool,
    pub(crate) connection: ClientOptions,
    /// Whether redirects are followed where the provider follows redirects.
    pub(crate) follow: bool,
    /// Whether the output is JSON, which has every attempt.
    pub(crate) data: bool,
    /// The port on which to serve the public key of the key pair.
    pub(crate) serve_jwks: Option<u16>,
    /// The `hookctl listen` command that would receive the deliveries; `None` unless the endpoint is this machine.
    pub(crate) listener: Option<String>,
}

/// Where deliveries go, and the headers that the user adds to each request.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) url: Url,
    /// Each header replaces the provider's header of the same name, or is added.
    pub(crate) headers: Vec<(FieldName, HeaderValue)>,
}

impl Endpoint {
    /// Whether the user gave a header of this name.
    pub(crate) fn has_header(&self, name: &http::HeaderName) -> bool {
        self.headers.iter().any(|(own, _)| own.plain() == name)
    }
}

/// A new id for a prediction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NewId {
    /// A fresh id for every source.
    Fresh,
    Given(String),
}

/// `--count` and its options.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Load {
    pub(crate) count: u64,
    /// The most deliveries in flight at the same time.
    pub(crate) concurrency: usize,
    /// Deliveries started per second; without it, the next one starts when a response arrives.
    pub(crate) rate: Option<f64>,
}

#[cfg(test)]
impl Config {
    /// Every option at its default, and both speeds 1.
    pub(crate) fn plain() -> Self {
        let url = "http://localhost:1/hook".parse().expect("a URL");
        Config {
            sources: Vec::new(),
            endpoint: Arc::new(Endpoint { url, headers: Vec::new() }),
            edits: Vec::new(),
            id: None,
            scheme: Choice::Auto,
            secrets: Arc::new([]),
            retry: None,
            retry_speed: 1.0,
            gap_speed: 1.0,
            events: None,
            flavor: None,
            throttle: None,
            duplicate: 0,
            shuffle: None,
            tamper: None,
            load: None,
            drill: false,
            report: None,
            timeout: None,
            expect_status: None,
            record: None,
            keep_secrets: false,
            dry_run: false,
            data: false,
            curl: false,
            connection: ClientOptions::default(),
            follow: true,
            serve_jwks: None,
            listener: None,
        }
    }
}
