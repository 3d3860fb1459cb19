//! The end of a run: the last notes, the totals, the report and the exit code.

use std::time::Duration;

use super::config::Config;
use super::expectations::NOTHING_CHECKED;
use super::recorder::RunResult;
use super::run_state::RunState;
use super::stop_conditions::{ListenProgress, StopCause, StopConditions};
use crate::error::{Error, Exit};
use crate::event::{Event, Note, Sink, Tally};
use crate::sys::junit::{JunitCase, JunitReport};

pub(crate) struct RunSummary<'a> {
    pub(crate) config: &'a Config,
    pub(crate) cause: StopCause,
    /// Whether the delivery of `--until` came.
    pub(crate) until: bool,
    pub(crate) elapsed: Duration,
}

impl RunSummary<'_> {
    /// Sends the last events, writes the report, and returns the exit code.
    pub(crate) async fn finish(
        self,
        result: RunResult,
        report: Option<JunitReport>,
        sink: &Sink,
    ) -> Result<Exit, Error> {
        let RunResult { run_state, mut checker } = result;
        let wait = &self.config.wait;
        // A run that stopped for another reason may have stopped before the terminal event.
        let waited = matches!(self.cause, StopCause::TimeUp { .. }) || (wait.until.is_some() && !self.until);
        let unfinished = if waited { run_state.unfinished() } else { Vec::new() };
        let unfinished: Vec<_> = unfinished.iter().map(|prediction| checker.check_unfinished(prediction)).collect();
        let tally = Tally { awaited: wait.count, elapsed: self.elapsed, unmet: checker.failed(), ..run_state.tally() };
        let progress = ListenProgress { deliveries: tally.deliveries, until: self.until };
        let (exit, missing) = wait.exit(self.cause, progress);
        let (journal_exit, journal_note) = run_state.journal_end();
        let unchecked = checker.nothing_checked().then(|| NOTHING_CHECKED.to_owned());
        let skipped = sink.take_skipped();
        let skipped = (!skipped.is_nothing()).then_some(Event::Skipped(skipped));
        let notes = unfinished.into_iter().chain(missing).chain(unchecked).chain(journal_note);
        let notes = notes.map(|text: String| Note::warning(text));
        for event in skipped.into_iter().chain(notes).chain([Event::Received(tally)]) {
            // Fails when the writer has ended.
            let _ = sink.send(event).await;
        }
        if let Some(report) = report {
            let cases = checker.cases().into_iter().chain(wait.cases(progress)).chain(self.cases(&run_state));
            report.write("hookctl listen", &cases.collect::<Vec<_>>(), self.elapsed)?;
        }
        Ok(exit.and(checker.exit()).and(journal_exit))
    }

    /// The cases of a report beside the expectations: the journal and the command.
    fn cases(&self, run_state: &RunState) -> impl Iterator<Item = JunitCase> {
        let Config { record, command, .. } = self.config;
        let unwritten = run_state.unwritten_total();
        let failure = (unwritten > 0).then(|| format!("deliveries that could not be recorded: {unwritten}"));
        let journal = record.as_ref().map(|path| JunitCase::new(format!("--record {}", path.display()), failure));
        let command = command.first().map(|program| {
            JunitCase::new(format!("-- {}", program.to_string_lossy()), StopConditions::command_failure(self.cause))
        });
        journal.into_iter().chain(command)
    }
}
