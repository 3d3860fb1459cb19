//! jq filters on a thread of their own: with a deep stack, for what a sender nests deep, and a time by which each must end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::timeout;

use crate::error::Error;
use crate::payload::jq::{Finding, Input, Jq, Limits, Unended};

/// How many steps a filter may take for one record: a second or so, in which it cannot gather more than some hundred
/// megabytes.
const STEPS: u64 = 10_000_000;

/// How long it may take.
const TIME: Duration = Duration::from_secs(2);

/// How long it may take to stop when its time is up: it can at each of its steps, but not within one.
const GRACE: Duration = Duration::from_millis(100);

/// The stack of the thread. It is taken from the system as it is used.
const STACK: usize = if usize::BITS > 32 { 512 << 20 } else { 32 << 20 };

/// What came of one filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// It came to its end.
    Found(Finding),
    /// It did not on this record, for this reason.
    Failed(String),
    /// It took too long, now or before, and is not run again.
    Endless(String),
}

/// Filters, ready to run on one record after the other.
#[derive(Debug)]
pub struct Filters {
    records: std::sync::mpsc::Sender<Vec<u8>>,
    judged: UnboundedReceiver<Judged>,
    /// The last run that must stop, as it is counted on both sides: a run is one filter on one record.
    stopped: Arc<AtomicU64>,
    runs: u64,
    count: usize,
    /// Whether the thread is lost in a step that does not end.
    is_lost: bool,
}

impl Filters {
    /// Starts the thread.
    pub fn start(filters: Vec<Jq>) -> Result<Self, Error> {
        let (records, todo) = std::sync::mpsc::channel::<Vec<u8>>();
        let (tell, judged) = mpsc::unbounded_channel();
        let (stopped, count) = (Arc::new(AtomicU64::new(0)), filters.len());
        let filters = filters.into_iter().map(|filter| (filter, false)).collect();
        let mut runner = Runner { filters, stopped: Arc::clone(&stopped), run: 0, tell };
        // Not waited for: the program may end before it.
        let thread = thread::Builder::new().name("jq".into()).stack_size(STACK);
        let started = thread.spawn(move || todo.into_iter().all(|record| runner.judge(&record)));
        started.map_err(|error| Error::Setup { what: "the thread for jq filters", reason: error.to_string() })?;
        Ok(Filters { records, judged, stopped, runs: 0, count, is_lost: false })
    }

    /// Runs every filter on a record, given as its line.
    pub async fn judge(&mut self, record: Vec<u8>) -> Vec<Judged> {
        let mut all = Vec::with_capacity(self.count);
        self.is_lost = self.is_lost || self.records.send(record).is_err();
        for _ in 0..self.count {
            self.runs += 1;
            all.push(self.next().await);
        }
        all
    }

    async fn next(&mut self) -> Judged {
        if self.is_lost {
            return lost();
        }
        if let Ok(judged) = timeout(TIME, self.judged.recv()).await {
            return judged.unwrap_or_else(lost);
        }
        self.stopped.store(self.runs, Ordering::Relaxed);
        match timeout(GRACE, self.judged.recv()).await {
            Ok(judged) => judged.unwrap_or_else(lost),
            Err(_) => {
                self.is_lost = true;
                endless(&format!("{TIME:?}"))
            }
        }
    }
}

fn lost() -> Judged {
    Judged::Endless("it is not run any more, since one before it has not ended, and cannot be stopped".to_owned())
}

fn given_up() -> Judged {
    Judged::Endless("it is not run any more, since it did not end before".to_owned())
}

fn endless(limit: &str) -> Judged {
    Judged::Endless(format!("it does not end: it was stopped after {limit}"))
}

/// The other side: who runs them.
struct Runner {
    /// With whether it once did not end, after which it is not run again.
    filters: Vec<(Jq, bool)>,
    stopped: Arc<AtomicU64>,
    run: u64,
    tell: UnboundedSender<Judged>,
}

impl Runner {
    /// Runs every filter on a record; whether anybody still wants to know.
    fn judge(&mut self, record: &[u8]) -> bool {
        let input = Input::read(record);
        for (filter, is_endless) in &mut self.filters {
            self.run += 1;
            let goes_on = || self.stopped.load(Ordering::Relaxed) < self.run;
            let limits = Limits { steps: STEPS, stack: STACK / 8, goes_on: &goes_on };
            let judged = match &input {
                _ if *is_endless => given_up(),
                None => Judged::Failed("its record is not to be read".to_owned()),
                Some(input) => match filter.judge(input, limits) {
                    Ok(finding) => Judged::Found(finding),
                    Err(Unended::Stopped) => endless(&format!("{TIME:?}")),
                    Err(Unended::Steps) => endless(&format!("{STEPS} steps")),
                    Err(unended) => Judged::Failed(unended.to_string()),
                },
            };
            *is_endless |= matches!(judged, Judged::Endless(_));
            if self.tell.send(judged).is_err() {
                return false;
            }
        }
        true
    }
}
