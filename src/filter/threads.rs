//! Runs jq filters on separate threads, with a time limit, and with a deep stack because senders may nest JSON deeply.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use futures_util::stream::{FuturesOrdered, StreamExt};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::time::{Instant, timeout};

use super::jq::{FilterAborted, FilterInput, FilterLimits, FilterResult, Jq, Members};
use crate::error::Error;

/// The most steps of a filter on one record: about a second, in which a filter allocates some hundred megabytes at most. Every
/// thread may run a filter at once.
const STEPS: u64 = 10_000_000;

/// The most time of a filter on one record.
const TIME: Duration = Duration::from_secs(2);

/// How long a filter may take to stop: a filter stops between two steps, and not within one. Also the interval at which the
/// time is checked.
const GRACE: Duration = Duration::from_millis(100);

/// The stack of a thread in bytes. The system provides the pages as they are used.
const STACK: usize = if usize::BITS > 32 { 512 << 20 } else { 32 << 20 };

/// The outcome of one filter on one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FilterOutcome {
    Found(FilterResult),
    /// The filter was aborted on this record; the reason.
    Failed(String),
    /// The filter took too long, now or on a record before, and is not run again; the reason.
    Endless(String),
}

#[derive(Debug)]
pub(crate) struct FilterThreads {
    workers: Vec<Worker>,
    count: usize,
}

/// Some of the records that are run together.
type Part = (Arc<Vec<String>>, Range<usize>);

/// A thread with a copy of the filters.
#[derive(Debug)]
struct Worker {
    parts: std::sync::mpsc::Sender<Part>,
    /// Has a message for each part that is done.
    done: UnboundedReceiver<()>,
    shared: Arc<Shared>,
    /// Whether the thread is in a step that does not end.
    is_lost: bool,
}

/// State shared by a worker and its thread.
#[derive(Debug, Default)]
struct Shared {
    /// The number of the current run: one filter on one record.
    run: AtomicU64,
    /// Runs up to this number must stop.
    stopped: AtomicU64,
    /// The outcomes of the current part so far.
    outcomes: Mutex<Vec<FilterOutcome>>,
}

impl Shared {
    /// The lock ignores poison: nothing panics while it is held, and the list is whole at any time.
    fn outcomes(&self) -> MutexGuard<'_, Vec<FilterOutcome>> {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FilterThreads {
    /// Starts up to `threads` threads: fewer where the system has no memory for their stacks.
    pub(crate) fn start(filters: &[Jq], threads: usize) -> Result<Self, Error> {
        let mut workers = vec![Worker::start(filters)?];
        workers.extend((1..threads).map_while(|_| Worker::start(filters).ok()));
        Ok(FilterThreads { workers, count: filters.len() })
    }

    pub(crate) fn threads(&self) -> usize {
        self.workers.len()
    }

    /// Runs every filter on a record, given as its line in a journal.
    pub(crate) async fn run(&mut self, record: String) -> Vec<FilterOutcome> {
        self.run_all(&Arc::new(vec![record])).await
    }

    /// Runs every filter on every record, on all threads at once. The outcomes are in the order of the records, and within a
    /// record in the order of the filters.
    ///
    /// Where an endless filter decides about a record, the records after it are not run to the end, and their threads are
    /// not used again: the caller stops at that record.
    pub(crate) async fn run_all(&mut self, records: &Arc<Vec<String>>) -> Vec<FilterOutcome> {
        let share = records.len().div_ceil(self.workers.len()).max(1);
        let parts = (0..records.len()).step_by(share).map(|from| from..records.len().min(from + share));
        let count = self.count;
        let work =
            self.workers.iter_mut().zip(parts).map(|(worker, part)| worker.run((Arc::clone(records), part), count));
        let mut parts: FuturesOrdered<_> = work.collect();
        let mut outcomes = Vec::new();
        let mut finished = 0;
        while let Some(part) = parts.next().await {
            let is_over = part.chunks(count.max(1)).any(is_decided_by_endless);
            outcomes.extend(part);
            finished += 1;
            if is_over && !parts.is_empty() {
                drop(parts);
                self.workers[finished..].iter_mut().for_each(|worker| worker.is_lost = true);
                break;
            }
        }
        outcomes.resize(records.len() * count, skipped());
        outcomes
    }
}

/// Whether an endless filter decides about a record: the filters before it hold.
fn is_decided_by_endless(outcomes: &[FilterOutcome]) -> bool {
    let decisive = outcomes.iter().find(|outcome| !outcome.holds());
    matches!(decisive, Some(FilterOutcome::Endless(_)))
}

impl FilterOutcome {
    pub(crate) fn holds(&self) -> bool {
        matches!(self, FilterOutcome::Found(result) if result.holds)
    }
}

impl Worker {
    fn start(filters: &[Jq]) -> Result<Self, Error> {
        let (parts, todo) = std::sync::mpsc::channel::<Part>();
        let (done_sender, done) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared::default());
        let mut runner = Runner::new(filters, Arc::clone(&shared));
        let work = move || {
            todo.into_iter().all(|(records, part)| {
                // The records after one that an endless filter decides about are skipped.
                let _ = records[part].iter().all(|record| runner.run(record));
                done_sender.send(()).is_ok()
            })
        };
        // The handle is dropped: the program may end while a filter runs.
        let started = thread::Builder::new().name("jq".into()).stack_size(STACK).spawn(work);
        started.map_err(|error| Error::Setup { what: "the thread for jq filters", reason: error.to_string() })?;
        Ok(Worker { parts, done, shared, is_lost: false })
    }

    /// Runs every filter on every record of a part: `count` outcomes for each record.
    async fn run(&mut self, part: Part, count: usize) -> Vec<FilterOutcome> {
        let wanted = part.1.len() * count;
        if self.is_lost || self.parts.send(part).is_err() {
            return vec![lost(); wanted];
        }
        self.wait().await;
        let mut outcomes = std::mem::take(&mut *self.shared.outcomes());
        outcomes.resize(wanted, lost());
        outcomes
    }

    /// Waits until a part is done, and stops filters that take too long.
    async fn wait(&mut self) {
        let (mut run, mut since) = (self.shared.run.load(Ordering::Relaxed) + 1, Instant::now());
        loop {
            match timeout(GRACE, self.done.recv()).await {
                Ok(Some(())) => return,
                Ok(None) => {
                    self.is_lost = true;
                    return;
                }
                Err(_) => {}
            }
            let now = self.shared.run.load(Ordering::Relaxed);
            if now != run {
                (run, since) = (now, Instant::now());
            }
            if since.elapsed() >= TIME + GRACE {
                self.is_lost = true;
                self.shared.outcomes().push(endless(&format!("{TIME:?}")));
                return;
            }
            if since.elapsed() >= TIME {
                self.shared.stopped.store(run, Ordering::Relaxed);
            }
        }
    }
}

fn lost() -> FilterOutcome {
    FilterOutcome::Endless("it is not run any more: a filter before it did not end, and cannot be stopped".to_owned())
}

fn skipped() -> FilterOutcome {
    FilterOutcome::Endless("it is not run any more: it did not end before".to_owned())
}

fn endless(limit: &str) -> FilterOutcome {
    FilterOutcome::Endless(format!("it does not end: it was stopped after {limit}"))
}

/// Runs filters on their thread.
struct Runner {
    /// Each with whether it is endless, and so not run again.
    filters: Vec<(Jq, bool)>,
    /// The members of records that the filters use, where their tokens show them.
    members: Option<Members>,
    shared: Arc<Shared>,
    run: u64,
}

impl Runner {
    fn new(filters: &[Jq], shared: Arc<Shared>) -> Self {
        let members = filters.iter().map(Jq::members).reduce(|one, other| {
            let mut both = one?;
            both.and(&other?);
            Some(both)
        });
        let members = members.flatten();
        Runner { filters: filters.iter().map(|filter| (filter.clone(), false)).collect(), members, shared, run: 0 }
    }

    /// Runs every filter on a record, and returns whether to go on with the next record.
    fn run(&mut self, record: &str) -> bool {
        let input = match &self.members {
            Some(members) => FilterInput::read_members(record, members),
            None => FilterInput::read(record.as_bytes()),
        };
        let mut holds = true;
        let mut is_decided_by_endless = false;
        for (filter, is_endless) in &mut self.filters {
            self.run += 1;
            self.shared.run.store(self.run, Ordering::Relaxed);
            let may_continue = || self.shared.stopped.load(Ordering::Relaxed) < self.run;
            let limits = FilterLimits { steps: STEPS, stack: STACK / 8, may_continue: &may_continue };
            let outcome = match &input {
                _ if *is_endless => skipped(),
                None => FilterOutcome::Failed("the record is not JSON, or nested too deep".to_owned()),
                Some(input) => match filter.run(input, limits) {
                    Ok(result) => FilterOutcome::Found(result),
                    Err(FilterAborted::Stopped) => endless(&format!("{TIME:?}")),
                    Err(FilterAborted::Steps) => endless(&format!("{STEPS} steps")),
                    Err(aborted) => FilterOutcome::Failed(aborted.to_string()),
                },
            };
            let is_endless_now = matches!(outcome, FilterOutcome::Endless(_));
            is_decided_by_endless |= holds && is_endless_now;
            holds &= outcome.holds();
            *is_endless |= is_endless_now;
            self.shared.outcomes().push(outcome);
        }
        !is_decided_by_endless
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(texts: &[&str]) -> Arc<Vec<String>> {
        Arc::new(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    fn filters(texts: &[&str], threads: usize) -> FilterThreads {
        let filters: Vec<Jq> = texts.iter().map(|text| Jq::parse(text).unwrap()).collect();
        FilterThreads::start(&filters, threads).unwrap()
    }

    /// A letter for each outcome: true, not true, endless.
    fn letters(outcomes: &[FilterOutcome]) -> String {
        let letter = |outcome: &FilterOutcome| match outcome {
            FilterOutcome::Found(result) if result.holds => 't',
            FilterOutcome::Found(_) | FilterOutcome::Failed(_) => 'n',
            FilterOutcome::Endless(_) => 'e',
        };
        outcomes.iter().map(letter).collect()
    }

    const NO_END: &str = "if .a == 0 then last(range(infinite)) else true end";

    #[tokio::test]
    async fn outcomes_are_in_the_order_of_the_records_and_of_the_filters() {
        let mut filters = filters(&[".a > 1", ".a < 3"], 2);
        let records = records(&[r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#]);
        assert_eq!(letters(&filters.run_all(&records).await), "nttttn");
    }

    #[tokio::test]
    async fn records_behind_an_endless_filter_are_not_waited_for() {
        let mut filters = filters(&[NO_END], 2);
        let three = records(&[r#"{"a":1}"#, r#"{"a":0}"#, r#"{"a":2}"#]);
        let outcomes = filters.run_all(&three).await;
        assert_eq!(letters(&outcomes), "tee");
        assert_eq!(outcomes[2], skipped());
        // Its late outcomes must not be taken for those of other records.
        assert!(filters.workers[1].is_lost);
    }

    #[tokio::test]
    async fn an_endless_filter_decides_only_where_the_filters_before_it_hold() {
        let mut filters = filters(&[".a > 0", NO_END], 2);
        let outcomes = filters.run_all(&records(&[r#"{"a":0}"#, r#"{"a":0}"#, r#"{"a":1}"#])).await;
        assert_eq!(letters(&outcomes), "nenett");
    }
}
