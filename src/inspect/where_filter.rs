//! Runs the jq filters of `--where`.

use std::sync::Arc;

use super::scan::{LineResult, ScannedLine};
use crate::error::Error;
use crate::filter::jq::{FilterResult, Jq};
use crate::filter::threads::{FilterOutcome, FilterThreads};

/// The largest number of deliveries that each filter thread gets at a time.
const LARGEST_BATCH: usize = 256;

pub(crate) struct WhereFilter<'a> {
    filters: &'a [Jq],
    threads: FilterThreads,
    /// The size of the next batch: small at first, so that the first results of slow filters are soon shown.
    batch_size: usize,
    failures: FilterFailures,
}

/// The results of the filters for a batch of deliveries.
#[derive(Default)]
pub(crate) struct WhereResults {
    lines: Arc<Vec<String>>,
    /// The index of the next line.
    next: usize,
    /// For each line in turn, of each filter in turn.
    outcomes: std::vec::IntoIter<FilterOutcome>,
}

/// Whether the filters select a delivery.
pub(crate) enum WhereVerdict {
    Yes,
    No,
    /// A filter failed: the note with the reason.
    Unknown(String),
}

impl<'a> WhereFilter<'a> {
    /// Starts the filters, each on this many threads; `None` without filters.
    pub(crate) fn start(filters: &'a [Jq], threads: usize) -> Result<Option<Self>, Error> {
        if filters.is_empty() {
            return Ok(None);
        }
        let plain: Vec<Jq> = filters.iter().cloned().map(Jq::without_left_side).collect();
        let threads = FilterThreads::start(&plain, threads)?;
        Ok(Some(WhereFilter { filters, threads, batch_size: 1, failures: FilterFailures::default() }))
    }

    pub(crate) fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// Runs the filters on all undecided lines.
    pub(crate) async fn run(&mut self, found: &mut [ScannedLine]) -> WhereResults {
        let lines = found.iter_mut().filter_map(|found| match &mut found.result {
            LineResult::Undecided(line) => Some(std::mem::take(line)),
            _ => None,
        });
        let lines = Arc::new(lines.collect::<Vec<_>>());
        self.batch_size = (self.batch_size * 2).min(LARGEST_BATCH * self.threads.threads());
        let outcomes = self.threads.run_all(&lines).await.into_iter();
        WhereResults { lines, next: 0, outcomes }
    }

    /// The next line of a batch, and whether the filters select it.
    pub(crate) fn next<'n>(
        &mut self,
        results: &'n mut WhereResults,
        place: &dyn Fn() -> String,
    ) -> Result<(&'n str, WhereVerdict), Error> {
        results.next += 1;
        let verdict = self.verdict(results.outcomes.by_ref().take(self.filters.len()), place)?;
        Ok((&results.lines[results.next - 1], verdict))
    }

    pub(crate) async fn run_one(&mut self, line: String, place: &dyn Fn() -> String) -> Result<WhereVerdict, Error> {
        let outcomes = self.threads.run(line).await;
        self.verdict(outcomes, place)
    }

    /// The verdict of all filters on one delivery. An endless filter is an error: it would not end on other deliveries either.
    fn verdict(
        &mut self,
        outcomes: impl IntoIterator<Item = FilterOutcome>,
        place: &dyn Fn() -> String,
    ) -> Result<WhereVerdict, Error> {
        // Reads every outcome of this line, even if the first decides: the outcomes of the next line follow.
        let outcomes: Vec<FilterOutcome> = outcomes.into_iter().collect();
        for (filter, outcome) in self.filters.iter().zip(outcomes) {
            let filter = filter.text();
            match outcome {
                FilterOutcome::Found(finding) if finding.holds => {}
                FilterOutcome::Found(finding) => {
                    self.failures.add(finding);
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

    /// The note about deliveries on which a filter failed.
    pub(crate) fn note(&self) -> Option<String> {
        self.failures.note()
    }
}

/// Deliveries on which a filter of `--where` failed.
#[derive(Debug, Default)]
struct FilterFailures {
    count: usize,
    first: String,
}

impl FilterFailures {
    fn add(&mut self, FilterResult { found, failed, .. }: FilterResult) {
        if failed {
            self.count += 1;
            if self.count == 1 {
                self.first = found;
            }
        }
    }

    fn note(&self) -> Option<String> {
        let deliveries = if self.count == 1 { "1 delivery".to_owned() } else { format!("{} deliveries", self.count) };
        let text = || format!("--where failed on {deliveries}, which it leaves out; it gave {}", self.first);
        (self.count > 0).then(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undecided(line: &str) -> ScannedLine {
        ScannedLine { line: 1, delivery: 1, result: LineResult::Undecided(line.to_owned()) }
    }

    #[tokio::test]
    async fn the_first_batches_are_small() {
        let filters = [Jq::parse(".a == 1").unwrap()];
        let mut filter = WhereFilter::start(&filters, 1).unwrap().unwrap();
        let mut sizes = Vec::new();
        for _ in 0..10 {
            sizes.push(filter.batch_size());
            let mut found = [undecided(r#"{"a":1}"#), undecided(r#"{"a":2}"#)];
            let mut results = filter.run(&mut found).await;
            let place = || "a line".to_owned();
            assert!(matches!(filter.next(&mut results, &place).unwrap(), (r#"{"a":1}"#, WhereVerdict::Yes)));
            assert!(matches!(filter.next(&mut results, &place).unwrap(), (r#"{"a":2}"#, WhereVerdict::No)));
        }
        assert_eq!(sizes, [1, 2, 4, 8, 16, 32, 64, 128, 256, 256]);
    }
}
