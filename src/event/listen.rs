//! Events of `listen`.

use std::path::PathBuf;
use std::time::Duration;

use crate::journal::Record;
use crate::payload::Payload;

/// The listener accepts connections.
#[derive(Clone, Debug)]
pub struct Ready {
    /// `http://127.0.0.1:8080`
    pub(crate) url: String,
    pub(crate) port: u16,
    /// The URL of the tunnel.
    pub(crate) public_url: Option<String>,
    /// The file of a certificate made for this run.
    pub(crate) cacert: Option<PathBuf>,
    /// Whether other machines can connect.
    pub(crate) exposed: bool,
    pub(crate) verifies: bool,
    /// A command that sends a delivery to this listener.
    pub(crate) send_command: Option<String>,
}

/// A file of an output that was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The number of the delivery.
    pub(crate) seq: u64,
    pub(crate) file: PathBuf,
    pub(crate) media_type: Option<String>,
    pub(crate) bytes: u64,
}

/// The counters of a listener.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Deliveries that were answered by the script, or refused because of their signature.
    pub(crate) deliveries: u64,
    /// By status, in the order of their first delivery.
    pub(crate) statuses: Vec<(&'static str, u64)>,
    /// By verdict, in the same order.
    pub(crate) verdicts: Vec<(&'static str, u64)>,
    /// Repeats of an earlier delivery.
    pub(crate) duplicates: u64,
    /// Requests that were not acknowledged: because of their signature, a limit, or a read error.
    pub(crate) not_accepted: u64,
    /// Expectations that failed.
    pub(crate) unmet: u64,
    /// The number of `--count`.
    pub(crate) awaited: Option<u64>,
    pub(crate) elapsed: Duration,
}

impl Tally {
    pub(crate) fn add(&mut self, record: &Record) {
        self.deliveries += 1;
        count(&mut self.statuses, outcome(record.payload.as_ref()));
        count(&mut self.verdicts, record.verdict.name());
        self.duplicates += u64::from(record.duplicate.is_some());
    }
}

/// Adds one to the count of a key. Keys stay in the order in which they first occur.
pub(crate) fn count<K: PartialEq>(counts: &mut Vec<(K, u64)>, key: K) {
    match counts.iter_mut().find(|(known, _)| *known == key) {
        Some((_, n)) => *n += 1,
        None => counts.push((key, 1)),
    }
}

/// The key of a delivery in [`Tally::statuses`]. Not the provider's own word: senders could make up any number of words.
fn outcome(payload: Option<&Payload>) -> &'static str {
    match payload.map(|payload| (payload.status, &payload.raw_status)) {
        None => "not JSON",
        Some((Some(status), _)) => status.name(),
        Some((None, Some(_))) => "unknown status",
        Some((None, None)) => "no status",
    }
}
