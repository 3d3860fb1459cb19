//! What is expected of every counted delivery, and what came of it.

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

/// What is expected of every counted delivery.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expectations {
    /// These filters are true of its record.
    pub(crate) filters: Vec<Jq>,
    /// It verified, or came with the right secret.
    pub(crate) valid: bool,
    /// Nothing about it is suspicious.
    pub(crate) strict: bool,
}

/// One expectation and what came of it.
struct Checked {
    expected: String,
    /// Why it did not come true,
    failure: Option<String>,
    /// and how the program ends then.
    exit: Exit,
}

/// How `--require-valid` is called.
const VALID: &str = "--require-valid";

/// How `--strict` is called.
const STRICT: &str = "--strict";

impl Expectations {
    /// Whether anything is expected.
    fn is_any(&self) -> bool {
        !self.filters.is_empty() || self.valid || self.strict
    }

    /// Every one of them.
    fn all(&self) -> impl Iterator<Item = &str> {
        let valid = self.valid.then_some(VALID);
        let strict = self.strict.then_some(STRICT);
        self.filters.iter().map(Jq::text).chain(valid).chain(strict)
    }

    /// Checks what needs no filter.
    fn check(&self, record: &Record) -> impl Iterator<Item = Checked> {
        let valid = self.valid.then(|| {
            let failure = unproven(&record.verdict);
            Checked { expected: VALID.into(), failure, exit: Exit::Signature }
        });
        let strict = self.strict.then(|| {
            let failure = record.warnings.first().map(|warning| format!("{}: {}", warning.code, warning.message));
            Checked { expected: STRICT.into(), failure, exit: Exit::Expectation }
        });
        valid.into_iter().chain(strict)
    }
}

/// How many cases a report holds; what comes after is judged, and told where it fails, but not listed.
const LISTED: usize = 100_000;

/// The expectations and all that came of them so far.
#[derive(Debug)]
pub(crate) struct ExpectationChecker {
    expectations: Expectations,
    filters: Option<FilterThreads>,
    exit: Exit,
    judged: u64,
    failed: u64,
    /// Every case, where a report is to be written.
    cases: Option<Vec<JunitCase>>,
    not_listed: u64,
}

impl ExpectationChecker {
    /// Nothing has come yet. `reports` says that the cases are wanted in the end.
    pub(crate) fn new(expectations: Expectations, reports: bool) -> Result<Self, Error> {
        let filters = &expectations.filters;
        let filters = if filters.is_empty() { None } else { Some(FilterThreads::start(filters, 1)?) };
        let cases = reports.then(Vec::new);
        Ok(ExpectationChecker { expectations, filters, exit: Exit::Done, judged: 0, failed: 0, cases, not_listed: 0 })
    }

    /// Judges one delivery: a sentence for every expectation that it fails.
    async fn judge(&mut self, record: &Record) -> Vec<String> {
        let id = record.payload.as_ref().and_then(|payload| payload.id.as_deref());
        let which = id.map_or(format!("#{}", record.seq), |id| format!("#{} {}", record.seq, shown(id)));
        let judged = match &mut self.filters {
            Some(filters) => filters.run(String::from_utf8_lossy(&record.to_line()).into_owned()).await,
            None => Vec::new(),
        };
        let filters = self.expectations.filters.iter().zip(judged).map(|(filter, judged)| {
            let failure = match judged {
                FilterOutcome::Found(finding) if finding.holds => None,
                FilterOutcome::Found(finding) => Some(format!("found {}", finding.found)),
                FilterOutcome::Failed(why) | FilterOutcome::Endless(why) => Some(why),
            };
            Checked { expected: filter.text().to_owned(), failure, exit: Exit::Expectation }
        });
        let checked: Vec<_> = filters.chain(self.expectations.check(record)).collect();
        self.judged += 1;
        checked.into_iter().filter_map(|checked| self.enter(&which, Some(record), checked)).collect()
    }

    /// Judges that a prediction has not ended: a sentence that says so.
    pub(crate) fn check_unfinished(&mut self, Unfinished { id, seq, status }: &Unfinished) -> String {
        let warning = format!("no_terminal_event: its last was {status} in #{seq}");
        let checked = Checked { expected: STRICT.into(), failure: Some(warning.clone()), exit: Exit::Expectation };
        let failed = if self.expectations.strict { self.enter(id, None, checked) } else { None };
        failed.unwrap_or_else(|| format!("{id}: {warning}"))
    }

    /// Enters one case, and gives the sentence for one that failed.
    fn enter(&mut self, which: &str, record: Option<&Record>, checked: Checked) -> Option<String> {
        let Checked { expected, failure, exit } = checked;
        let sentence = failure.as_ref().map(|failure| format!("expectation failed: {which}: {expected}: {failure}"));
        if failure.is_some() {
            self.exit = self.exit.and(exit);
            self.failed += 1;
        }
        match &mut self.cases {
            Some(cases) if cases.len() < LISTED => {
                // Of what came true there is nothing to find out.
                let details = record.filter(|_| failure.is_some()).map(details).unwrap_or_default();
                let ms = record.and_then(|record| record.answer.as_ref()).map(|answer| answer.ms);
                cases.push(JunitCase { ms, details, ..JunitCase::new(format!("{which}: {expected}"), failure) });
            }
            _ => self.not_listed += 1,
        }
        sentence
    }

    /// How many expectations failed.
    pub(crate) fn failed(&self) -> u64 {
        self.failed
    }

    /// The exit code that they ask for.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// Whether anything is expected of which nothing could come true or fail, because no delivery came.
    pub(crate) fn is_idle(&self) -> bool {
        self.expectations.is_any() && self.judged == 0
    }

    /// Every case for a report.
    pub(crate) fn cases(&self) -> Vec<JunitCase> {
        let mut cases = self.cases.clone().unwrap_or_default();
        if self.is_idle() {
            let idle = |expected: &str| JunitCase::new(expected, DrillVerdict::Skipped(NOTHING_CHECKED.into()));
            cases.extend(self.expectations.all().map(idle));
        }
        if self.not_listed > 0 {
            let name = format!("{} more, {} failed in all", self.not_listed, self.failed);
            let failure = (self.failed > 0).then(|| name.clone());
            cases.push(JunitCase::new(name, failure));
        }
        cases
    }
}

/// What is said when nothing came that could have been judged.
pub(crate) const NOTHING_CHECKED: &str = "no delivery came, so nothing that was expected was put to the test";

/// How many deliveries wait to be judged at most. When filters are slower than the deliveries come, answers wait too.
const WAITING: usize = 16;

/// The judge at work, beside the deliveries: no answer waits for a filter.
#[derive(Debug)]
pub(crate) struct CheckerTask {
    jobs: mpsc::Sender<CheckerJob>,
    is_idle: bool,
}

#[derive(Debug)]
enum CheckerJob {
    Judge(Arc<Record>),
    /// Ends the work, when all before it are judged.
    Rise(oneshot::Sender<ExpectationChecker>),
}

/// A place for one delivery before the judge.
pub(crate) struct CheckerSlot<'a>(mpsc::Permit<'a, CheckerJob>);

impl CheckerSlot<'_> {
    /// Lets a delivery be judged.
    pub(crate) fn check(self, record: Arc<Record>) {
        self.0.send(CheckerJob::Judge(record));
    }
}

impl CheckerTask {
    /// Sets a judge to work.
    pub(crate) fn start(mut judge: ExpectationChecker, sink: Sink) -> Self {
        let (jobs, mut waiting) = mpsc::channel(WAITING);
        let is_idle = !judge.expectations.is_any();
        tokio::spawn(async move {
            while let Some(job) = waiting.recv().await {
                let record = match job {
                    CheckerJob::Judge(record) => record,
                    // Whoever does not wait any more has no use for it.
                    CheckerJob::Rise(tell) => return drop(tell.send(judge)),
                };
                for failure in judge.judge(&record).await {
                    // A writer that has gone ends the listener by itself.
                    let _ = sink.send_or_skip(Note::warning(failure)).await;
                }
            }
        });
        CheckerTask { jobs, is_idle }
    }

    /// Waits for a place for one delivery, where anything is expected. Taken before it is recorded, so that after that
    /// there is nothing to wait for.
    pub(crate) async fn reserve(&self) -> Option<CheckerSlot<'_>> {
        if self.is_idle {
            return None;
        }
        // The other side ends only with the listener.
        self.jobs.reserve().await.ok().map(CheckerSlot)
    }

    /// Waits until all are judged, and lets the judge go.
    pub(crate) async fn finish(&self) -> Result<ExpectationChecker, Error> {
        let (tell, told) = oneshot::channel();
        let _ = self.jobs.send(CheckerJob::Rise(tell)).await;
        told.await.map_err(|error| Error::Setup { what: "the judge of --expect", reason: error.to_string() })
    }
}

/// What a report tells of a delivery that failed an expectation.
fn details(record: &Record) -> Vec<(&'static str, String)> {
    let payload = record.payload.as_ref();
    let what = payload.map_or_else(
        || "not JSON".to_owned(),
        |payload| {
            let event = payload.event.as_ref().map(|event| event.name.as_ref());
            let status = payload.status.map(|status| status.name()).or(payload.raw_status.as_deref());
            // Where it is not just the status over again.
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
        ("came", what),
        ("at", format!("{:.6}", record.at)),
        ("signature", signature),
        ("answered", answer.map_or_else(|| "not at all".to_owned(), |status| status.to_string())),
    ]
}

/// Why a verdict proves nothing.
fn unproven(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Verified { .. } | Verdict::Authenticated { .. } => None,
        Verdict::Invalid { reason, .. } => Some(reason.name().to_owned()),
        Verdict::Unsigned | Verdict::Unchecked => Some(verdict.name().to_owned()),
    }
}
