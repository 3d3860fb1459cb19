//! jq filters on threads of their own: with a deep stack, for what a sender nests deep, and a time by which each must end.

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

/// How many steps a filter may take for one record: a second or so, in which it cannot gather more than some hundred
/// megabytes. Every thread may do so at once.
const STEPS: u64 = 10_000_000;

/// How long it may take.
const TIME: Duration = Duration::from_secs(2);

/// How long it may take to stop when its time is up: it can at each of its steps, but not within one. Also how often
/// somebody looks whether it is.
const GRACE: Duration = Duration::from_millis(100);

/// The stack of a thread. It is taken from the system as it is used.
const STACK: usize = if usize::BITS > 32 { 512 << 20 } else { 32 << 20 };

/// What came of one filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FilterOutcome {
    /// It came to its end.
    Found(FilterResult),
    /// It did not on this record, for this reason.
    Failed(String),
    /// It took too long, now or before, and is not run again.
    Endless(String),
}

/// Filters, ready to run on records.
#[derive(Debug)]
pub(crate) struct FilterThreads {
    workers: Vec<Worker>,
    count: usize,
}

/// Some of the records.
type Part = (Arc<Vec<String>>, Range<usize>);

/// A thread with filters of its own.
#[derive(Debug)]
struct Worker {
    parts: std::sync::mpsc::Sender<Part>,
    /// Tells that a part is judged.
    done: UnboundedReceiver<()>,
    shared: Arc<Shared>,
    /// Whether the thread is lost in a step that does not end.
    is_lost: bool,
}

/// What both sides see.
#[derive(Debug, Default)]
struct Shared {
    /// The run that is under way: one filter on one record.
    run: AtomicU64,
    /// The last one that must stop.
    stopped: AtomicU64,
    /// What was found of the part so far.
    judged: Mutex<Vec<FilterOutcome>>,
}

impl Shared {
    /// Nobody panics with it in hand; what was found is whole all the same.
    fn judged(&self) -> MutexGuard<'_, Vec<FilterOutcome>> {
        self.judged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FilterThreads {
    /// Starts so many threads, or fewer where there is no room for more stacks.
    pub(crate) fn start(filters: &[Jq], threads: usize) -> Result<Self, Error> {
        let mut workers = vec![Worker::start(filters)?];
        workers.extend((1..threads).map_while(|_| Worker::start(filters).ok()));
        Ok(FilterThreads { workers, count: filters.len() })
    }

    /// How many threads there are.
    pub(crate) fn threads(&self) -> usize {
        self.workers.len()
    }

    /// Runs every filter on a record, given as its line.
    pub(crate) async fn judge(&mut self, record: String) -> Vec<FilterOutcome> {
        self.judge_all(&Arc::new(vec![record])).await
    }

    /// Runs every filter on every record, side by side where there are several threads. The answers come in the order of
    /// the records, and of the filters.
    ///
    /// Where a filter that does not end decides about one of several records, those behind it are given up, and so are the
    /// threads that have them: whoever asks has no use for more.
    pub(crate) async fn judge_all(&mut self, records: &Arc<Vec<String>>) -> Vec<FilterOutcome> {
        let share = records.len().div_ceil(self.workers.len()).max(1);
        let parts = (0..records.len()).step_by(share).map(|from| from..records.len().min(from + share));
        let count = self.count;
        let work =
            self.workers.iter_mut().zip(parts).map(|(worker, part)| worker.judge((Arc::clone(records), part), count));
        let mut parts: FuturesOrdered<_> = work.collect();
        let (mut judged, mut finished) = (Vec::new(), 0);
        while let Some(part) = parts.next().await {
            let is_over = part.chunks(count.max(1)).any(decides_by_no_end);
            judged.extend(part);
            finished += 1;
            if is_over && !parts.is_empty() {
                drop(parts);
                self.workers[finished..].iter_mut().for_each(|worker| worker.is_lost = true);
                break;
            }
        }
        judged.resize(records.len() * count, given_up());
        judged
    }
}

/// Whether it is one that does not end that decides about a record: whatever comes before it is true.
fn decides_by_no_end(judged: &[FilterOutcome]) -> bool {
    let decisive = judged.iter().find(|judged| !judged.holds());
    matches!(decisive, Some(FilterOutcome::Endless(_)))
}

impl FilterOutcome {
    /// Whether the filter is true of the record.
    pub(crate) fn holds(&self) -> bool {
        matches!(self, FilterOutcome::Found(finding) if finding.holds)
    }
}

impl Worker {
    fn start(filters: &[Jq]) -> Result<Self, Error> {
        let (parts, todo) = std::sync::mpsc::channel::<Part>();
        let (tell, done) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared::default());
        let mut runner = Runner::new(filters, Arc::clone(&shared));
        let work = move || {
            todo.into_iter().all(|(records, part)| {
                // What is behind one that a filter without an end decides about is of no use.
                let _ = records[part].iter().all(|record| runner.judge(record));
                tell.send(()).is_ok()
            })
        };
        // Not waited for: the program may end before it.
        let started = thread::Builder::new().name("jq".into()).stack_size(STACK).spawn(work);
        started.map_err(|error| Error::Setup { what: "the thread for jq filters", reason: error.to_string() })?;
        Ok(Worker { parts, done, shared, is_lost: false })
    }

    /// Runs every filter on every record of a part, each of which has `count` answers.
    async fn judge(&mut self, part: Part, count: usize) -> Vec<FilterOutcome> {
        let wanted = part.1.len() * count;
        if self.is_lost || self.parts.send(part).is_err() {
            return vec![lost(); wanted];
        }
        self.finished().await;
        let mut judged = std::mem::take(&mut *self.shared.judged());
        judged.resize(wanted, lost());
        judged
    }

    /// Waits until a part is judged, and stops what takes too long.
    async fn finished(&mut self) {
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
                self.shared.judged().push(endless(&format!("{TIME:?}")));
                return;
            }
            if since.elapsed() >= TIME {
                self.shared.stopped.store(run, Ordering::Relaxed);
            }
        }
    }
}

fn lost() -> FilterOutcome {
    FilterOutcome::Endless(
        "it is not run any more, since one before it has not ended, and cannot be stopped".to_owned(),
    )
}

fn given_up() -> FilterOutcome {
    FilterOutcome::Endless("it is not run any more, since it did not end before".to_owned())
}

fn endless(limit: &str) -> FilterOutcome {
    FilterOutcome::Endless(format!("it does not end: it was stopped after {limit}"))
}

/// The other side: who runs them.
struct Runner {
    /// With whether it once did not end, after which it is not run again.
    filters: Vec<(Jq, bool)>,
    /// The members of records that they look at, where that can be told.
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

    /// Runs every filter on a record; whether it is worth going on to another.
    fn judge(&mut self, record: &str) -> bool {
        let input = match &self.members {
            Some(members) => FilterInput::read_members(record, members),
            None => FilterInput::read(record.as_bytes()),
        };
        let (mut holds, mut goes_on_behind) = (true, true);
        for (filter, is_endless) in &mut self.filters {
            self.run += 1;
            self.shared.run.store(self.run, Ordering::Relaxed);
            let goes_on = || self.shared.stopped.load(Ordering::Relaxed) < self.run;
            let limits = FilterLimits { steps: STEPS, stack: STACK / 8, goes_on: &goes_on };
            let judged = match &input {
                _ if *is_endless => given_up(),
                None => FilterOutcome::Failed("its record is not to be read".to_owned()),
                Some(input) => match filter.judge(input, limits) {
                    Ok(finding) => FilterOutcome::Found(finding),
                    Err(FilterAborted::Stopped) => endless(&format!("{TIME:?}")),
                    Err(FilterAborted::Steps) => endless(&format!("{STEPS} steps")),
                    Err(unended) => FilterOutcome::Failed(unended.to_string()),
                },
            };
            let has_no_end = matches!(judged, FilterOutcome::Endless(_));
            goes_on_behind &= !(holds && has_no_end);
            holds &= judged.holds();
            *is_endless |= has_no_end;
            self.shared.judged().push(judged);
        }
        goes_on_behind
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

    /// In a letter each: true, not true, without an end.
    fn letters(judged: &[FilterOutcome]) -> String {
        let letter = |judged: &FilterOutcome| match judged {
            FilterOutcome::Found(finding) if finding.holds => 't',
            FilterOutcome::Found(_) | FilterOutcome::Failed(_) => 'n',
            FilterOutcome::Endless(_) => 'e',
        };
        judged.iter().map(letter).collect()
    }

    const NO_END: &str = "if .a == 0 then last(range(infinite)) else true end";

    #[tokio::test]
    async fn answers_come_in_the_order_of_the_records_and_of_the_filters() {
        let mut filters = filters(&[".a > 1", ".a < 3"], 2);
        let records = records(&[r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#]);
        assert_eq!(letters(&filters.judge_all(&records).await), "nttttn");
    }

    #[tokio::test]
    async fn nobody_waits_for_what_is_behind_one_that_does_not_end() {
        let mut filters = filters(&[NO_END], 2);
        let three = records(&[r#"{"a":1}"#, r#"{"a":0}"#, r#"{"a":2}"#]);
        let judged = filters.judge_all(&three).await;
        assert_eq!(letters(&judged), "tee");
        assert_eq!(judged[2], given_up());
        // What the other thread says of it is not taken for an answer to anything else.
        assert!(filters.workers[1].is_lost);
    }

    #[tokio::test]
    async fn one_that_does_not_end_decides_only_where_those_before_it_are_true() {
        let mut filters = filters(&[".a > 0", NO_END], 2);
        let judged = filters.judge_all(&records(&[r#"{"a":0}"#, r#"{"a":0}"#, r#"{"a":1}"#])).await;
        assert_eq!(letters(&judged), "nenett");
    }
}
