//! What is expected of every counted delivery, and what came of it.

use crate::error::Exit;
use crate::io::junit::Case;
use crate::payload::history::lifecycle::{Unfinished, shown};
use crate::payload::jq::{Input, Jq};
use crate::payload::record::Record;
use crate::payload::signature::Verdict;

/// What is expected of every counted delivery.
#[derive(Clone, Debug, Default)]
pub struct Expectations {
    /// These filters are true of its record.
    pub filters: Vec<Jq>,
    /// It verified, or came with the right secret.
    pub valid: bool,
    /// Nothing about it is suspicious.
    pub strict: bool,
}

/// One expectation and what came of it.
struct Checked {
    expected: String,
    /// Why it did not come true,
    failure: Option<String>,
    /// and how the program ends then.
    exit: Exit,
}

impl Expectations {
    fn check(&self, record: &Record) -> Vec<Checked> {
        let input = if self.filters.is_empty() { None } else { Input::read(&record.to_line()) };
        let filters = self.filters.iter().map(|filter| {
            let failure = match input.as_ref().map(|input| filter.judge(input)) {
                Some(finding) if finding.holds => None,
                Some(finding) => Some(format!("found {}", finding.found)),
                None => Some("its record is not to be read".to_owned()),
            };
            Checked { expected: filter.text().to_owned(), failure, exit: Exit::Expectation }
        });
        let valid = self.valid.then(|| {
            let failure = unproven(&record.verdict);
            Checked { expected: "--require-valid".into(), failure, exit: Exit::Signature }
        });
        let strict = self.strict.then(|| {
            let failure = record.warnings.first().map(|warning| format!("{}: {}", warning.code, warning.message));
            Checked { expected: "--strict".into(), failure, exit: Exit::Expectation }
        });
        filters.chain(valid).chain(strict).collect()
    }
}

/// How many cases a report holds; what comes after is judged, and told where it fails, but not listed.
const LISTED: usize = 100_000;

/// The expectations and all that came of them so far.
#[derive(Debug)]
pub struct Judge {
    expectations: Expectations,
    exit: Exit,
    failed: u64,
    cases: Vec<Case>,
    not_listed: u64,
}

impl Judge {
    /// Nothing has come yet.
    pub fn new(expectations: Expectations) -> Self {
        Judge { expectations, exit: Exit::Done, failed: 0, cases: Vec::new(), not_listed: 0 }
    }

    /// Judges one delivery: a sentence for every expectation that it fails.
    pub fn judge(&mut self, record: &Record) -> Vec<String> {
        let id = record.payload.as_ref().and_then(|payload| payload.id.as_deref());
        let which = id.map_or(format!("#{}", record.seq), |id| format!("#{} {}", record.seq, shown(id)));
        let checked = self.expectations.check(record);
        checked.into_iter().filter_map(|checked| self.enter(&which, checked)).collect()
    }

    /// Judges that a prediction has not ended: a sentence that says so.
    pub fn unfinished(&mut self, Unfinished { id, seq, status }: &Unfinished) -> String {
        let warning = format!("no_terminal_event: its last was {status} in #{seq}");
        let checked = Checked { expected: "--strict".into(), failure: Some(warning.clone()), exit: Exit::Expectation };
        let failed = if self.expectations.strict { self.enter(id, checked) } else { None };
        failed.unwrap_or_else(|| format!("{id}: {warning}"))
    }

    /// Enters one case, and gives the sentence for one that failed.
    fn enter(&mut self, which: &str, Checked { expected, failure, exit }: Checked) -> Option<String> {
        let sentence = failure.as_ref().map(|failure| format!("expectation failed: {which}: {expected}: {failure}"));
        if failure.is_some() {
            self.exit = self.exit.and(exit);
            self.failed += 1;
        }
        if self.cases.len() < LISTED {
            self.cases.push(Case { name: format!("{which}: {expected}"), judgement: failure.into() });
        } else {
            self.not_listed += 1;
        }
        sentence
    }

    /// How many expectations failed.
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// The exit code that they ask for.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Whether anything is expected of which nothing could come true or fail, because no delivery came.
    pub fn is_idle(&self) -> bool {
        let Expectations { filters, valid, strict } = &self.expectations;
        (!filters.is_empty() || *valid || *strict) && self.cases.is_empty()
    }

    /// Every case for a report.
    pub fn cases(&self) -> Vec<Case> {
        let mut cases = self.cases.clone();
        if self.not_listed > 0 {
            let name = format!("{} more, {} failed in all", self.not_listed, self.failed);
            let failure = (self.failed > 0).then(|| name.clone());
            cases.push(Case { name, judgement: failure.into() });
        }
        cases
    }
}

/// Why a verdict proves nothing.
fn unproven(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Verified { .. } | Verdict::Authenticated { .. } => None,
        Verdict::Invalid { reason, .. } => Some(reason.name().to_owned()),
        Verdict::Unsigned | Verdict::Unchecked => Some(verdict.name().to_owned()),
    }
}
