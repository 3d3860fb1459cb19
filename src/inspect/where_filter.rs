//! The filters of `--where` at work.

use std::sync::Arc;

use super::query::FilterFailures;
use super::scan::{LineResult, ScannedLine};
use crate::error::Error;
use crate::filter::jq::Jq;
use crate::filter::threads::{FilterOutcome, FilterThreads};

/// How many deliveries a thread with filters judges at most before what it says of them is heard.
const TOGETHER: usize = 256;

/// Filters, and what became of them.
pub(crate) struct WhereFilter<'a> {
    queried: &'a [Jq],
    filters: FilterThreads,
    /// How many deliveries are judged together next: few at first, so that those that slow filters find are soon shown.
    together: usize,
    /// Of how many deliveries one of them could not judge.
    failures: FilterFailures,
}

/// What filters say of some deliveries.
#[derive(Default)]
pub(crate) struct WhereResults {
    lines: Arc<Vec<String>>,
    /// Which is the next of them.
    next: usize,
    /// Of each in turn, by each filter in turn.
    judged: std::vec::IntoIter<FilterOutcome>,
}

/// Whether a delivery stays.
pub(crate) enum WhereVerdict {
    /// Every filter is true of it.
    Yes,
    /// One is not.
    No,
    /// One cannot tell, for this reason.
    Unknown(String),
}

impl<'a> WhereFilter<'a> {
    /// Starts the filters, each on so many threads; `None` where there are none.
    pub(crate) fn start(queried: &'a [Jq], threads: usize) -> Result<Option<Self>, Error> {
        if queried.is_empty() {
            return Ok(None);
        }
        let plain: Vec<Jq> = queried.iter().cloned().map(Jq::without_left_side).collect();
        let filters = FilterThreads::start(&plain, threads)?;
        Ok(Some(WhereFilter { queried, filters, together: 1, failures: FilterFailures::default() }))
    }

    /// How many lines are worth being looked at together.
    pub(crate) fn together(&self) -> usize {
        self.together
    }

    /// Asks about all of these that only the filters decide about.
    pub(crate) async fn ask(&mut self, found: &mut [ScannedLine]) -> WhereResults {
        let lines = found.iter_mut().filter_map(|found| match &mut found.what {
            LineResult::Asked(line) => Some(std::mem::take(line)),
            _ => None,
        });
        let lines = Arc::new(lines.collect::<Vec<_>>());
        self.together = (self.together * 2).min(TOGETHER * self.filters.threads());
        let judged = self.filters.run_all(&lines).await.into_iter();
        WhereResults { lines, next: 0, judged }
    }

    /// The next of those that were asked about, and whether it stays.
    pub(crate) fn next<'n>(
        &mut self,
        answers: &'n mut WhereResults,
        place: &dyn Fn() -> String,
    ) -> Result<(&'n str, WhereVerdict), Error> {
        answers.next += 1;
        let holds = self.holds(answers.judged.by_ref().take(self.queried.len()), place)?;
        Ok((&answers.lines[answers.next - 1], holds))
    }

    /// Whether every filter is true of a line.
    pub(crate) async fn holds_of(&mut self, line: String, place: &dyn Fn() -> String) -> Result<WhereVerdict, Error> {
        let judged = self.filters.run(line).await;
        self.holds(judged, place)
    }

    /// One that does not end on a delivery would not on others either.
    fn holds(
        &mut self,
        judged: impl IntoIterator<Item = FilterOutcome>,
        place: &dyn Fn() -> String,
    ) -> Result<WhereVerdict, Error> {
        // All are taken, though the first may decide.
        let judged: Vec<FilterOutcome> = judged.into_iter().collect();
        for (filter, judged) in self.queried.iter().zip(judged) {
            let filter = filter.text();
            match judged {
                FilterOutcome::Found(finding) if finding.holds => {}
                FilterOutcome::Found(finding) => {
                    self.failures.note(finding);
                    return Ok(WhereVerdict::No);
                }
                FilterOutcome::Failed(why) => {
                    return Ok(WhereVerdict::Unknown(format!("{} is left out: --where {filter}: {why}", place())));
                }
                FilterOutcome::Endless(reason) => {
                    return Err(Error::Filter { filter: filter.to_owned(), place: place(), reason });
                }
            }
        }
        Ok(WhereVerdict::Yes)
    }

    /// The sentence about those that could not be judged.
    pub(crate) fn told(&self) -> Option<String> {
        self.failures.told()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> ScannedLine {
        ScannedLine { line: 1, delivery: 1, what: LineResult::Asked(line.to_owned()) }
    }

    #[tokio::test]
    async fn few_are_judged_together_at_first() {
        let queried = [Jq::parse(".a == 1").unwrap()];
        let mut asking = WhereFilter::start(&queried, 1).unwrap().unwrap();
        let mut sizes = Vec::new();
        for _ in 0..10 {
            sizes.push(asking.together());
            let mut found = [asked(r#"{"a":1}"#), asked(r#"{"a":2}"#)];
            let mut answers = asking.ask(&mut found).await;
            let place = || "a line".to_owned();
            assert!(matches!(asking.next(&mut answers, &place).unwrap(), (r#"{"a":1}"#, WhereVerdict::Yes)));
            assert!(matches!(asking.next(&mut answers, &place).unwrap(), (r#"{"a":2}"#, WhereVerdict::No)));
        }
        assert_eq!(sizes, [1, 2, 4, 8, 16, 32, 64, 128, 256, 256]);
    }
}
