//! The sink that writes text for people.

use std::io::{self, Write};

use super::block::{Block, message};
use super::progress::{Bar, Countdown};
use super::show::Show;
use super::style::TextStyle;
use super::table::Table;
use super::time::duration;
use super::{diff, drill, escape, fields, stats, summary, timeline};
use crate::event::{DrillResult, Event, LoadProgress, Note, PlannedRetry, ReadProgress, Ready, Skipped, TableTotals};
use crate::journal::Record;
use crate::signature::Trace;
use crate::signature::Verdict;

/// The sink for people: results go to `out`, everything else to `err`.
pub struct Human<O, E> {
    out: O,
    err: E,
    style: TextStyle,
    table: Table,
    countdown: Option<Countdown>,
    bar: Option<Bar>,
    /// Whether the help page about signatures was mentioned.
    has_mentioned_help: bool,
}

impl<O: Write, E: Write> Human<O, E> {
    /// Writes results to `out` and everything else to `err`.
    pub fn new(out: O, err: E, style: TextStyle) -> Self {
        let table = Table::new(style.width, style.zone.clone());
        Human { out, err, style, table, countdown: None, bar: None, has_mentioned_help: false }
    }

    fn result(&mut self, text: &str) -> io::Result<()> {
        if self.style.results { self.out.write_all(text.as_bytes()) } else { Ok(()) }
    }

    /// Formats a record only if it is shown: with `--json` it is not, and a load test has many.
    fn record(&mut self, record: &Record, text: impl FnOnce(&TextStyle, &Record) -> String) -> io::Result<()> {
        if self.style.results { self.out.write_all(text(&self.style, record).as_bytes()) } else { Ok(()) }
    }

    fn note_line(&mut self, text: &str) -> io::Result<()> {
        if self.style.quiet() {
            return Ok(());
        }
        // Earlier results must appear before this line if both streams go to one terminal.
        self.out.flush()?;
        writeln!(self.err, "{text}")
    }

    fn ready(&mut self, ready: &Ready) -> io::Result<()> {
        let paint = self.style.err;
        self.note_line(&format!("listening on {}", paint.strong(&ready.url)))?;
        if let Some(url) = &ready.public_url {
            self.note_line(&format!("public URL {}", paint.strong(escape::line(url))))?;
        }
        if ready.exposed {
            let warning =
                "anyone who can reach this machine can send requests here; --host 127.0.0.1 accepts only local ones";
            self.note(&Note { is_warning: true, text: warning.into() })?;
        }
        if !ready.verifies {
            self.note_line(&paint.quiet("signatures are not checked: give --secret to verify them"))?;
        }
        // Only on a terminal, and uncut, so that the command can be copied.
        if let (Some(command), true, true) = (&ready.send_command, self.style.live, self.style.results) {
            self.note_line(&format!("{} {}", paint.quiet("try it:"), escape::line(command)))?;
        }
        Ok(())
    }

    fn note(&mut self, note: &Note) -> io::Result<()> {
        let paint = self.style.err;
        let text = escape::line(&note.text);
        if note.is_warning {
            // Also shown with --quiet: something went wrong.
            self.out.flush()?;
            let line = message(&paint.warn("warning:"), &text, self.style.err_width);
            return writeln!(self.err, "{line}");
        }
        self.note_line(&message(&paint.quiet("note:"), &text, self.style.err_width))
    }

    fn retry(&mut self, retry: &PlannedRetry) -> io::Result<()> {
        let paint = self.style.err;
        let count = format!("retry {} of {}", retry.retry, retry.of);
        let provider_waits = format!("({} waits {})", retry.label, duration(retry.provider_waits));
        let text = format!("       {count} in {} {provider_waits}", duration(retry.wait));
        self.note_line(&paint.quiet(text))?;
        self.err.flush()?;
        if self.style.live && !self.style.quiet() {
            self.countdown = Countdown::start(&format!("     {count} in"), retry.wait);
        }
        Ok(())
    }

    /// How a request is signed. Goes to standard error, so that the request itself can be piped.
    fn traces(&mut self, traces: &[Trace]) -> io::Result<()> {
        for trace in traces {
            let mut block = Block::new("", 0, self.style.err_width);
            for (label, value) in fields::trace(trace) {
                block.uncut(&self.style.err.quiet(label), label.len(), &value);
            }
            self.note_line(&format!("\n{}", block.into_text().trim_end()))?;
        }
        Ok(())
    }

    fn drilled(&mut self, drilled: &DrillResult) -> io::Result<()> {
        self.result(&drill::case(drilled, self.style.out, self.style.width, self.style.verbose()))
    }

    /// Below the table on a terminal; on standard error otherwise, so that the table can be piped.
    fn listed(&mut self, listed: &TableTotals) -> io::Result<()> {
        match self.style.width {
            _ if self.style.quiet() || !self.style.results => Ok(()),
            Some(_) => self.result(&(message("", &summary::listed(listed), self.style.width) + "\n")),
            None => self.note_line(&message("", &summary::listed(listed), self.style.err_width)),
        }
    }

    fn progress(&mut self, progress: &LoadProgress) {
        if self.style.live && !self.style.quiet() {
            self.bar.get_or_insert_with(|| Bar::start(progress.of)).show(progress);
        }
    }

    fn reading(&mut self, reading: ReadProgress) {
        if self.style.live && !self.style.quiet() {
            self.bar.get_or_insert_with(|| Bar::of_bytes(reading.of)).read(reading.done);
        }
    }

    /// Unchanged bytes; on a terminal, control characters are escaped.
    fn export(&mut self, bytes: &[u8]) -> io::Result<()> {
        match std::str::from_utf8(bytes) {
            Ok(text) if self.style.width.is_some() => {
                self.out.write_all(escape::json(text).replace('\r', "\\r").as_bytes())
            }
            Err(_) if self.style.width.is_some() => self.out.write_all(self.style.out.quiet("(not text)").as_bytes()),
            _ => self.out.write_all(bytes),
        }
    }

    /// Mentions the help page about signatures, once.
    fn mention_help(&mut self, verdict: &Verdict) -> io::Result<()> {
        if !verdict.is_invalid() || !self.style.results || std::mem::replace(&mut self.has_mentioned_help, true) {
            return Ok(());
        }
        let paint = self.style.err;
        self.note_line(&paint.quiet("what each reason means, and what to change: hookctl help signatures"))
    }
}

impl<O: Write, E: Write> Show for Human<O, E> {
    fn show(&mut self, event: &Event) -> io::Result<()> {
        self.countdown = None;
        if !matches!(event, Event::Progress(_) | Event::Reading(_)) {
            self.bar = None;
        }
        match event {
            Event::Ready(ready) => self.ready(ready),
            Event::Delivery(record) if record.sent.is_some() => self.record(record, TextStyle::attempt),
            Event::Delivery(record) => {
                self.record(record, TextStyle::received)?;
                self.mention_help(&record.verdict)
            }
            Event::Failed(record) => self.record(record, TextStyle::failed),
            // For the JSON sink only.
            Event::Lines(_) => Ok(()),
            Event::Saved(saved) => self.result(&summary::saved(saved, self.style.out)),
            Event::Retry(retry) => self.retry(retry),
            Event::Plan(plan) => {
                self.result(&self.style.plan(plan))?;
                self.traces(&plan.traces)
            }
            // Quoted for a shell, which also escapes control characters.
            Event::Curl(command) => self.result(&format!("{command}\n")),
            Event::Payload(examined) => {
                self.result(&self.style.examined(examined))?;
                self.mention_help(&examined.record.verdict)
            }
            Event::Row(entry) => {
                let rows = self.table.row(entry, self.style.out);
                self.result(&rows)
            }
            Event::Entry(entry) => {
                self.result(&self.style.entry(entry))?;
                self.mention_help(&entry.record.verdict)
            }
            Event::Timeline(timeline) => {
                self.result(&timeline::text(timeline, self.style.out, self.style.width, &self.style.zone))
            }
            Event::Listed(listed) => self.listed(listed),
            // A note says that no delivery matched.
            Event::Stats(stats) if stats.deliveries == 0 => Ok(()),
            Event::Stats(stats) => self.result(&stats::text(stats, self.style.out, self.style.width, &self.style.zone)),
            Event::Diff(diff) => self.result(&diff::text(diff, self.style.out, self.style.width)),
            Event::Export(bytes) => self.export(bytes),
            Event::Reading(reading) => {
                self.reading(*reading);
                Ok(())
            }
            Event::Note(note) => self.note(note),
            Event::Skipped(Skipped { deliveries, notes }) => {
                let also = if *notes > 0 { format!(" and {notes} messages") } else { String::new() };
                let text =
                    format!("{deliveries} deliveries{also} were too fast to show; --record keeps every delivery");
                self.note(&Note { is_warning: false, text })
            }
            Event::Received(tally) => self.note_line(&message("", &summary::received(tally), self.style.err_width)),
            Event::Sent(tally) => self.note_line(&summary::sent(tally)),
            Event::Progress(progress) => {
                self.progress(progress);
                Ok(())
            }
            Event::Load(report) => self.result(&summary::load(report, self.style.out, self.style.width)),
            Event::DrillBegin => self.result(&drill::head(self.style.out)),
            Event::Drilled(drilled) => self.drilled(drilled),
            Event::DrillEnd(tally) => self.result(&drill::end(*tally, self.style.out)),
            Event::End => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()?;
        self.err.flush()
    }
}
