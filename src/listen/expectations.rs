//! Checks every counted delivery against `--expect`, `--require-valid` and `--strict`.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::error::{Error, Exit};
use crate::event::{DrillVerdict, Note, Sink};
use crate::filter::jq::Jq;
use crate::filter::threads::{FilterOutcome, FilterThreads};
use crate::journal::Record;
use crate::payload::history::lifecycle::{Unfinished, shown};
use crate::signature::Verdict;
use crate::sys::junit::JunitCase;

#[derive(Clone, Debug, Default)]
pub(crate) struct Expectations {
    /// Filters that must be true of the record.
    pub(crate) filters: Vec<Jq>,
    /// `--require-valid`: whether the verdict must be verified or authenticated.
    pub(crate) valid: bool,
    /// Whether a warning is a failure.
    pub(crate) strict: bool,
}

/// The result of one expectation.
struct Checked {
    expected: String,
    /// Absent where the expectation was met.
    failure: Option<String>,
    /// The exit code of a failure.
    exit: Exit,
}

const VALID: &str = "--require-valid";

const STRICT: &str = "--strict";

impl Expectations {
    fn is_empty(&self) -> bool {
        self.filters.is_empty() && !self.valid && !self.strict
    }

    /// The text of every expectation.
    fn all(&self) -> impl Iterator<Item = &str> {
        let valid = self.valid.then_some(VALID);
        let strict = self.strict.then_some(STRICT);
        self.filters.iter().map(Jq::text).chain(valid).chain(strict)
    }

    /// Checks the expectations that need no filter.
    fn check_flags(&self, record: &Record) -> impl Iterator<Item = Checked> {
        let valid = self.valid.then(|| {
            let failure = not_valid(&record.verdict);
            Checked { expected: VALID.into(), failure, exit: Exit::Signature }
        });
        let strict = self.strict.then(|| {
            let failure = record.warnings.first().map(|warning| format!("{}: {}", warning.code, warning.message));
            Checked { expected: STRICT.into(), failure, exit: Exit::Expectation }
        });
        valid.into_iter().chain(strict)
    }
}

/// How many cases a report lists. Later deliveries are checked, and their failures noted, but not listed.
const LISTED: usize = 100_000;

/// The expectations and their results so far.
#[derive(Debug)]
pub(crate) struct ExpectationChecker {
    expectations: Expectations,
    filters: Option<FilterThreads>,
    exit: Exit,
    checked: u64,
    failed: u64,
    /// Every case, where a report will be written.
    cases: Option<Vec<JunitCase>>,
    not_listed: u64,
}

impl ExpectationChecker {
    pub(crate) fn new(expectations: Expectations, reports: bool) -> Result<Self, Error> {
        let filters = &expectations.filters;
        let filters = if filters.is_empty() { None } else { Some(FilterThreads::start(filters, 1)?) };
        let cases = reports.then(Vec::new);
        Ok(ExpectationChecker { expectations, filters, exit: Exit::Done, checked: 0, failed: 0, cases, not_listed: 0 })
    }

    /// Checks one delivery. Returns a sentence for every expectation that failed.
    async fn check(&mut self, record: &Record) -> Vec<String> {
        let id = record.payload.as_ref().and_then(|payload| payload.id.as_deref());
        let subject = id.map_or(format!("#{}", record.seq), |id| format!("#{} {}", record.seq, shown(id)));
        let results = match &mut self.filters {
            Some(filters) => filters.run(String::from_utf8_lossy(&record.to_line()).into_owned()).await,
            None => Vec::new(),
        };
        let filters = self.expectations.filters.iter().zip(results).map(|(filter, result)| {
            let failure = match result {
                FilterOutcome::Found(finding) if finding.holds => None,
                FilterOutcome::Found(finding) => Some(format!("found {}", finding.found)),
                FilterOutcome::Failed(why) | FilterOutcome::Endless(why) => Some(why),
            };
            Checked { expected: filter.text().to_owned(), failure, exit: Exit::Expectation }
        });
        let checked: Vec<_> = filters.chain(self.expectations.check_flags(record)).collect();
        self.checked += 1;
        checked.into_iter().filter_map(|checked| self.add_case(&subject, Some(record), checked)).collect()
    }

    /// Checks a prediction without a terminal event. Returns the sentence for a note.
    pub(crate) fn check_unfinished(&mut self, Unfinished { id, seq, status }: &Unfinished) -> String {
        let warning = format!("no_terminal_event: its last was {status} in #{seq}");
        let checked = Checked { expected: STRICT.into(), failure: Some(warning.clone()), exit: Exit::Expectation };
        let failed = if self.expectations.strict { self.add_case(id, None, checked) } else { None };
        failed.unwrap_or_else(|| format!("{id}: {warning}"))
    }

    /// Adds one case. Returns a sentence where the expectation failed.
    fn add_case(&mut self, subject: &str, record: Option<&Record>, checked: Checked) -> Option<String> {
        let Checked { expected, failure, exit } = checked;
        let sentence = failure.as_ref().map(|failure| format!("expectation failed: {subject}: {expected}: {failure}"));
        if failure.is_some() {
            self.exit = self.exit.and(exit);
            self.failed += 1;
        }
        match &mut self.cases {
            Some(cases) if cases.len() < LISTED => {
                // Only a failure needs details.
                let details = record.filter(|_| failure.is_some()).map(details).unwrap_or_default();
                let ms = record.and_then(|record| record.answer.as_ref()).map(|answer| answer.ms);
                cases.push(JunitCase { ms, details, ..JunitCase::new(format!("{subject}: {expected}"), failure) });
            }
            _ => self.not_listed += 1,
        }
        sentence
    }

    pub(crate) fn failed(&self) -> u64 {
        self.failed
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// Whether there are expectations, and no delivery was checked.
    pub(crate) fn nothing_checked(&self) -> bool {
        !self.expectations.is_empty() && self.checked == 0
    }

    pub(crate) fn cases(&self) -> Vec<JunitCase> {
        let mut cases = self.cases.clone().unwrap_or_default();
        if self.nothing_checked() {
            let skipped = |expected: &str| JunitCase::new(expected, DrillVerdict::Skipped(NOTHING_CHECKED.into()));
            cases.extend(self.expectations.all().map(skipped));
        }
        if self.not_listed > 0 {
            let name = format!("{} more, {} failed in all", self.not_listed, self.failed);
            let failure = (self.failed > 0).then(|| name.clone());
            cases.push(JunitCase::new(name, failure));
        }
        cases
    }
}

pub(crate) const NOTHING_CHECKED: &str = "no delivery arrived, so no expectation was checked";

/// The length of the checker's queue, in deliveries. When filters are slower than deliveries, responses wait too.
const CHECK_QUEUE: usize = 16;

/// The task of an [`ExpectationChecker`]: no response waits for a filter.
#[derive(Debug)]
pub(crate) struct CheckerTask {
    jobs: mpsc::Sender<CheckerJob>,
    has_no_expectations: bool,
}

#[derive(Debug)]
enum CheckerJob {
    Check(Arc<Record>),
    /// Ends the task when all earlier jobs are done.
    Finish(oneshot::Sender<ExpectationChecker>),
}

pub(crate) struct CheckerSlot<'a>(mpsc::Permit<'a, CheckerJob>);

impl CheckerSlot<'_> {
    pub(crate) fn check(self, record: Arc<Record>) {
        self.0.send(CheckerJob::Check(record));
    }
}

impl CheckerTask {
    pub(crate) fn start(mut checker: ExpectationChecker, sink: Sink) -> Self {
        let (jobs, mut waiting) = mpsc::channel(CHECK_QUEUE);
        let has_no_expectations = checker.expectations.is_empty();
        tokio::spawn(async move {
            while let Some(job) = waiting.recv().await {
                let record = match job {
                    CheckerJob::Check(record) => record,
                    // Fails when the caller of `finish` no longer waits.
                    CheckerJob::Finish(sender) => return drop(sender.send(checker)),
                };
                for failure in checker.check(&record).await {
                    sink.note(Note::warning(failure)).await;
                }
            }
        });
        CheckerTask { jobs, has_no_expectations }
    }

    /// Waits for a queue slot. Without expectations no delivery is checked, so there is no slot.
    pub(crate) async fn reserve(&self) -> Option<CheckerSlot<'_>> {
        if self.has_no_expectations {
            return None;
        }
        // The task ends only with the listener.
        self.jobs.reserve().await.ok().map(CheckerSlot)
    }

    /// Waits until all deliveries are checked, and returns the checker.
    pub(crate) async fn finish(&self) -> Result<ExpectationChecker, Error> {
        let (sender, checker) = oneshot::channel();
        let _ = self.jobs.send(CheckerJob::Finish(sender)).await;
        checker.await.map_err(|error| Error::Setup { what: "the check of --expect", reason: error.to_string() })
    }
}

/// The details of a report about a delivery that failed an expectation.
fn details(record: &Record) -> Vec<(&'static str, String)> {
    let payload = record.payload.as_ref();
    let summary = payload.map_or_else(
        || "not JSON".to_owned(),
        |payload| {
            let event = payload.event.as_ref().map(|event| event.name.as_ref());
            let status = payload.status.map(|status| status.name()).or(payload.raw_status.as_deref());
            // An event that only repeats the status is left out.
            let event = event.filter(|event| Some(*event) != status);
            let words = [Some(payload.provider.label), event, status];
            words.into_iter().flatten().map(shown).collect::<Vec<_>>().join(", ")
        },
    );
    let signature = match &record.verdict {
        Verdict::Invalid { reason, hint, .. } => format!("{}: {hint}", reason.name()),
        verdict => verdict.name().to_owned(),
    };
    let answer = record.answer.as_ref().and_then(|answer| answer.status);
    vec![
        ("came", summary),
        ("at", format!("{:.6}", record.at)),
        ("signature", signature),
        ("answered", answer.map_or_else(|| "not at all".to_owned(), |status| status.to_string())),
    ]
}

/// The reason why a verdict is not valid.
fn not_valid(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Verified { .. } | Verdict::Authenticated { .. } => None,
        Verdict::Invalid { reason, .. } => Some(reason.name().to_owned()),
        Verdict::Unsigned | Verdict::Unchecked => Some(verdict.name().to_owned()),
    }
}
