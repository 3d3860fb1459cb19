//! What becomes of a delivery that the filters leave: it is checked again, explained, blanked, shown.

use super::Config;
use super::redact::Redactor;
use super::stats::Statistics;
use super::view::{View, Viewer};
use crate::error::{Error, Exit};
use crate::event::{Event, JournalRow, Note, OutputState, Sink, line_of};
use crate::journal::Record;
use crate::journal::Summary;
use crate::journal::redaction::Redaction;
use crate::payload::history::lifecycle::{CODES, Unfinished};
use crate::signature;
use crate::signature::trace::trace;
use crate::signature::{Policy, Verdict};

/// Showing under way.
pub(crate) struct Presenter<'a> {
    config: &'a Config,
    sink: &'a Sink,
    views: Viewer<'a>,
    redactor: Redactor<'a>,
    /// How many were shown or counted.
    shown: usize,
    /// How many could not be checked again, by the verdict that was recorded.
    uncheckable: Vec<(String, usize)>,
    /// How many were handed on with a signature over what is blanked now.
    broken: usize,
    exit: Exit,
}

impl<'a> Presenter<'a> {
    /// Nothing was shown yet.
    pub(crate) fn new(config: &'a Config, sink: &'a Sink) -> Self {
        Presenter {
            config,
            sink,
            views: Viewer::new(&config.view, &config.zone, sink),
            redactor: Redactor::new(&config.redact),
            shown: 0,
            uncheckable: Vec::new(),
            broken: 0,
            exit: Exit::Done,
        }
    }

    /// Whether nothing was shown so far.
    pub(crate) fn is_silent(&self) -> bool {
        self.shown == 0
    }

    /// Takes note of deliveries that were counted elsewhere, of which nothing more is wanted.
    pub(crate) fn counted(&mut self, count: usize) {
        self.shown += count;
    }

    /// Takes over what was counted elsewhere.
    pub(crate) fn count(&mut self, statistics: Statistics) {
        self.views.count(statistics);
    }

    /// Shows a delivery, of which the signature was checked again where secrets were given.
    pub(crate) async fn show(&mut self, mut entry: JournalRow) -> Result<OutputState, Error> {
        self.shown += 1;
        let Config { policy, view, redact, now, .. } = self.config;
        if !policy.secrets.is_empty() {
            self.judge(&entry);
        }
        if view.counts() {
            return self.views.show(entry, None).await;
        }
        if !policy.secrets.is_empty() {
            explain(&mut entry.record, policy, *now);
        }
        if self.config.explain {
            entry.trace = trace(&entry.record.delivery, policy);
        }
        // A secret that is known is never shown, even where the journal keeps it.
        if view.is_handed_on() || !policy.secrets.is_empty() {
            let Policy { secrets, scheme, .. } = policy;
            Redaction::of(secrets, *scheme).record(&mut entry.record);
        }
        let record = &mut entry.record;
        let about = record.payload.as_ref().and_then(|payload| payload.id.clone());
        if !redact.is_empty() {
            let is_signed = record.verdict != Verdict::Unsigned;
            let blanked = self.redactor.blank(record);
            // It tells what was signed, and with what.
            if blanked.request {
                entry.trace = None;
            }
            self.broken += usize::from(blanked.body && is_signed && matches!(view, View::Export(..)));
        }
        if !policy.secrets.is_empty() || view.is_handed_on() || !redact.is_empty() {
            // A row for people has no use for it.
            entry.line = (*view != View::Table).then(|| line_of(&entry.record));
        }
        if matches!(view, View::Whole(_)) {
            mark_recorded(&mut entry.record);
        }
        self.views.show(entry, about).await
    }

    /// What the signature means for the exit code, and for what is said at the end.
    fn judge(&mut self, entry: &JournalRow) {
        if entry.record.verdict.is_invalid() {
            self.exit = Exit::Signature;
        }
        if entry.record.verdict == Verdict::Unchecked {
            let recorded =
                Summary::parse(&entry.line()).map_or_else(|| "unchecked".to_owned(), |line| line.verdict.into_owned());
            match self.uncheckable.iter_mut().find(|(verdict, _)| *verdict == recorded) {
                Some((_, n)) => *n += 1,
                None => self.uncheckable.push((recorded, 1)),
            }
        }
    }

    /// Says what can be said only at the end of `count` deliveries.
    pub(crate) async fn end(&mut self, unfinished: Vec<Unfinished>, count: usize) -> Result<(), Error> {
        if self.views.end(unfinished, count).await?.is_closed() {
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
            let told = self.uncheckable.iter().filter(|(verdict, _)| verdict != "unchecked");
            let told: Vec<String> = told.map(|(verdict, n)| format!("{n} as {verdict}")).collect();
            let recorded = if told.is_empty() { String::new() } else { format!(" (recorded: {})", told.join(", ")) };
            notes.push(Note::warning(format!(
                "{uncheckable} of {} deliveries could not be checked again{recorded}: their secret was redacted when \
                 they were recorded (--record-secrets keeps it), or their body was not taken in",
                self.shown
            )));
        }
        if self.broken > 0 {
            notes.push(Note::warning(format!(
                "{} of the signatures no longer hold: what they cover was blanked by --redact",
                self.broken
            )));
        }
        if self.shown > 0 && !self.config.view.counts() {
            notes.extend(
                self.redactor.without_effect().map(|path| Note::warning(format!("--redact {path} blanked nothing"))),
            );
        }
        if self.config.explain && !matches!(self.config.view, View::Whole(_)) {
            notes.push(Note::info("--explain speaks of one delivery: choose it with --show N"));
        }
        match (self.shown, count) {
            (0, 0) => notes.push(Note::info("there are no deliveries")),
            (0, _) => {
                let meant = self.config.query.meant().map(|near| format!("; did you mean {near}?"));
                let text = format!("none of {count} deliveries matches{}", meant.unwrap_or_default());
                notes.push(Note::info(text));
            }
            _ => {}
        }
        notes
    }

    /// What the signatures of the shown deliveries mean for the exit code, when they were checked again.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }
}

/// Finds out why a signature that was checked does not hold: this takes too long for those that are not shown.
pub(crate) fn explain(record: &mut Record, policy: &Policy, now: Option<jiff::Timestamp>) {
    if record.verdict.is_invalid() {
        let verdict = std::mem::replace(&mut record.verdict, Verdict::Unchecked);
        let now = now.unwrap_or(record.at).as_second();
        record.verdict = signature::why(&record.delivery, policy, now, verdict);
    }
}

/// What was recorded of other deliveries calls them by numbers of their own run, not by those of the table.
fn mark_recorded(record: &mut Record) {
    for warning in record.warnings.iter_mut().filter(|warning| CODES.contains(&warning.code.as_str())) {
        warning.message.push_str(" (by the numbers of its own run)");
    }
}
