//! Shows a selected delivery: checked again, diagnosed, and with fields blanked.

use super::check::diagnose;
use super::config::Config;
use super::redact::Redactor;
use super::stats::Statistics;
use super::view::{View, Viewer};
use crate::error::{Error, Exit};
use crate::event::{Event, JournalRow, Note, OutputState, Sink, line_of};
use crate::journal::redaction::Redaction;
use crate::journal::{Record, Summary};
use crate::payload::history::lifecycle::{CODES, Unfinished};
use crate::signature::trace::trace;
use crate::signature::{Policy, Verdict};

pub(crate) struct Presenter<'a> {
    config: &'a Config,
    sink: &'a Sink,
    viewer: Viewer<'a>,
    redactor: Redactor<'a>,
    /// How many deliveries were shown or counted.
    shown: usize,
    /// How many deliveries could not be checked again, by their recorded verdicts.
    uncheckable: Vec<(String, usize)>,
    /// How many deliveries were exported with a signature over fields that are blanked now.
    broken: usize,
    exit: Exit,
}

impl<'a> Presenter<'a> {
    pub(crate) fn new(config: &'a Config, sink: &'a Sink) -> Self {
        Presenter {
            config,
            sink,
            viewer: Viewer::new(&config.view, &config.zone, sink),
            redactor: Redactor::new(&config.redact),
            shown: 0,
            uncheckable: Vec::new(),
            broken: 0,
            exit: Exit::Done,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.shown == 0
    }

    /// Adds deliveries that a scanner counted.
    pub(crate) fn add_counted(&mut self, count: usize) {
        self.shown += count;
    }

    pub(crate) fn merge(&mut self, statistics: Statistics) {
        self.viewer.merge(statistics);
    }

    /// Shows a delivery, whose signature was checked again where secrets were given.
    pub(crate) async fn show(&mut self, mut row: JournalRow) -> Result<OutputState, Error> {
        self.shown += 1;
        let Config { policy, view, redact, now, .. } = self.config;
        if !policy.secrets.is_empty() {
            self.add_verdict(&row);
        }
        if view.counts() {
            return self.viewer.show(row, None).await;
        }
        if !policy.secrets.is_empty() {
            diagnose(&mut row.record, policy, *now);
        }
        if self.config.explain {
            row.trace = trace(&row.record.delivery, policy);
        }
        // A known secret is never shown, even where the journal keeps it.
        if view.is_shared() || !policy.secrets.is_empty() {
            let Policy { secrets, scheme, .. } = policy;
            Redaction::of(secrets, *scheme).record(&mut row.record);
        }
        let record = &mut row.record;
        let about = record.payload.as_ref().and_then(|payload| payload.id.clone());
        if !redact.is_empty() {
            let is_signed = record.verdict != Verdict::Unsigned;
            let blanked = self.redactor.blank(record);
            // The trace shows the bytes that were signed, and the secret.
            if blanked.request {
                row.trace = None;
            }
            self.broken += usize::from(blanked.body && is_signed && matches!(view, View::Export(..)));
        }
        if !policy.secrets.is_empty() || view.is_shared() || !redact.is_empty() {
            // A row of a table does not show the line.
            row.line = (*view != View::Table).then(|| line_of(&row.record));
        }
        if matches!(view, View::Whole(_)) {
            mark_recorded(&mut row.record);
        }
        self.viewer.show(row, about).await
    }

    /// Adds a verdict to the exit code and to the notes at the end.
    fn add_verdict(&mut self, row: &JournalRow) {
        if row.record.verdict.is_invalid() {
            self.exit = Exit::Signature;
        }
        if row.record.verdict == Verdict::Unchecked {
            let recorded =
                Summary::parse(&row.line()).map_or_else(|| "unchecked".to_owned(), |line| line.verdict.into_owned());
            match self.uncheckable.iter_mut().find(|(verdict, _)| *verdict == recorded) {
                Some((_, n)) => *n += 1,
                None => self.uncheckable.push((recorded, 1)),
            }
        }
    }

    /// Shows what is known only after `count` deliveries.
    pub(crate) async fn end(&mut self, unfinished: Vec<Unfinished>, count: usize) -> Result<(), Error> {
        if self.viewer.end(unfinished, count).await?.is_closed() {
            return Ok(());
        }
        for note in self.notes(count) {
            if self.sink.send(note).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn notes(&self, count: usize) -> Vec<Event> {
        let mut notes = Vec::new();
        let uncheckable: usize = self.uncheckable.iter().map(|(_, n)| n).sum();
        if uncheckable > 0 {
            let recorded = self.uncheckable.iter().filter(|(verdict, _)| verdict != "unchecked");
            let recorded: Vec<String> = recorded.map(|(verdict, n)| format!("{n} as {verdict}")).collect();
            let list =
                if recorded.is_empty() { String::new() } else { format!(" (recorded: {})", recorded.join(", ")) };
            notes.push(Note::warning(format!(
                "{uncheckable} of {} deliveries could not be checked again{list}: their secret was redacted when \
                 they were recorded (--record-secrets keeps it), or their body exceeded a limit",
                self.shown
            )));
        }
        if self.broken > 0 {
            notes.push(Note::warning(format!(
                "{} of the signatures are invalid now: --redact blanked fields that they cover",
                self.broken
            )));
        }
        if self.shown > 0 && !self.config.view.counts() {
            notes.extend(
                self.redactor.without_effect().map(|path| Note::warning(format!("--redact {path} blanked nothing"))),
            );
        }
        if self.config.explain && !matches!(self.config.view, View::Whole(_)) {
            notes.push(Note::info("--explain applies to one delivery: choose it with --show N"));
        }
        match (self.shown, count) {
            (0, 0) => notes.push(Note::info("there are no deliveries")),
            (0, _) => {
                let suggestion = self.config.query.suggestion().map(|near| format!("; did you mean {near}?"));
                let text = format!("none of {count} deliveries matches{}", suggestion.unwrap_or_default());
                notes.push(Note::info(text));
            }
            _ => {}
        }
        notes
    }

    /// The exit code for the signatures of the shown deliveries, where they were checked again.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }
}

/// Recorded warnings name other deliveries by the numbers of the run that recorded them, not by the table's numbers.
fn mark_recorded(record: &mut Record) {
    for warning in record.warnings.iter_mut().filter(|warning| CODES.contains(&warning.code.as_str())) {
        warning.message.push_str(" (by the numbers of its own run)");
    }
}
