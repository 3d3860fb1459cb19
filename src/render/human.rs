//! Text for people.

use std::io::{self, Write};

use super::Show;
use super::block::{Block, message};
use super::paint::Paint;
use super::progress::{Bar, Countdown};
use super::table::Table;
use super::time::{Zone, duration};
use super::{diff, drill, escape, fields, stats, summary, timeline};
use crate::event::{DrillResult, Event, LoadProgress, Note, PlannedRetry, ReadProgress, Ready, Skipped, TableTotals};
use crate::journal::Record;
use crate::signature::Trace;
use crate::signature::Verdict;

pub(crate) mod delivery;

/// How much to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbosity {
    /// Results only.
    Quiet,
    /// What matters.
    Normal,
    /// Headers and whole bodies too.
    Verbose,
}

/// How to say it.
#[derive(Clone, Debug)]
pub struct TextStyle {
    /// Colours of standard output.
    pub out: Paint,
    /// Colours of standard error.
    pub err: Paint,
    /// Columns of standard output, when it is a terminal; elsewhere nothing is cut.
    pub width: Option<usize>,
    /// Columns of standard error, likewise.
    pub err_width: Option<usize>,
    /// How much to say.
    pub verbosity: Verbosity,
    /// Whether a delivery that was received is one line.
    pub compact: bool,
    /// Whether results are shown here, not as data by another sink.
    pub results: bool,
    /// Whether standard error is a terminal, where a countdown can run.
    pub live: bool,
    /// The zone for times of day.
    pub zone: Zone,
}

/// The sink for people: results on `out`, everything else on `err`.
pub struct Human<O, E> {
    out: O,
    err: E,
    style: TextStyle,
    table: Table,
    countdown: Option<Countdown>,
    bar: Option<Bar>,
    /// Whether it was said where more about signatures is to be read.
    pointed: bool,
}

impl<O: Write, E: Write> Human<O, E> {
    /// Writes to these.
    pub fn new(out: O, err: E, style: TextStyle) -> Self {
        let table = Table::new(style.width, style.zone.clone());
        Human { out, err, style, table, countdown: None, bar: None, pointed: false }
    }

    fn result(&mut self, text: &str) -> io::Result<()> {
        if self.style.results { self.out.write_all(text.as_bytes()) } else { Ok(()) }
    }

    /// Lays a record out only where it is shown: with `--json` it is not, and of a load there are many.
    fn record(&mut self, record: &Record, text: impl FnOnce(&TextStyle, &Record) -> String) -> io::Result<()> {
        if self.style.results { self.out.write_all(text(&self.style, record).as_bytes()) } else { Ok(()) }
    }

    fn aside(&mut self, text: &str) -> io::Result<()> {
        if self.style.quiet() {
            return Ok(());
        }
        // What was said before an aside must stand before it, whichever stream it went to.
        self.out.flush()?;
        writeln!(self.err, "{text}")
    }

    fn ready(&mut self, ready: &Ready) -> io::Result<()> {
        let paint = self.style.err;
        self.aside(&format!("listening on {}", paint.strong(&ready.url)))?;
        if let Some(url) = &ready.public_url {
            self.aside(&format!("from outside at {}", paint.strong(escape::line(url))))?;
        }
        if ready.exposed {
            let warning = "anybody who can reach this machine can post here; --host 127.0.0.1 keeps it to yourself";
            self.note(&Note { is_warning: true, text: warning.into() })?;
        }
        if !ready.verifies {
            self.aside(&paint.quiet("signatures are not checked: give --secret to verify"))?;
        }
        // Only for a person who looks on, and uncut: it is there to be copied.
        if let (Some(command), true, true) = (&ready.send_command, self.style.live, self.style.results) {
            self.aside(&format!("{} {}", paint.quiet("try it:"), escape::line(command)))?;
        }
        Ok(())
    }

    fn note(&mut self, note: &Note) -> io::Result<()> {
        let paint = self.style.err;
        let text = escape::line(&note.text);
        if note.is_warning {
            // Said even when quiet: it is about something that went wrong.
            self.out.flush()?;
            let line = message(&paint.warn("warning:"), &text, self.style.err_width);
            return writeln!(self.err, "{line}");
        }
        self.aside(&message(&paint.quiet("note:"), &text, self.style.err_width))
    }

    fn retry(&mut self, retry: &PlannedRetry) -> io::Result<()> {
        let paint = self.style.err;
        let count = format!("retry {} of {}", retry.retry, retry.of);
        let theirs = format!("({} waits {})", retry.label, duration(retry.provider_waits));
        let text = format!("       {count} in {} {theirs}", duration(retry.wait));
        self.aside(&paint.quiet(text))?;
        self.err.flush()?;
        if self.style.live && !self.style.quiet() {
            self.countdown = Countdown::start(&format!("     {count} in"), retry.wait);
        }
        Ok(())
    }

    /// What is signed of a request; beside the request, so that this can be piped on.
    fn signed(&mut self, accounts: &[Trace]) -> io::Result<()> {
        for account in accounts {
            let mut block = Block::new("", 0, self.style.err_width);
            for (label, value) in fields::account(account) {
                block.uncut(&self.style.err.quiet(label), label.len(), &value);
            }
            self.aside(&format!("\n{}", block.into_text().trim_end()))?;
        }
        Ok(())
    }

    fn drilled(&mut self, drilled: &DrillResult) -> io::Result<()> {
        self.result(&drill::case(drilled, self.style.out, self.style.width, self.style.verbose()))
    }

    /// Below the table where somebody looks at it; where it is piped on, beside it.
    fn listed(&mut self, listed: &TableTotals) -> io::Result<()> {
        match self.style.width {
            _ if self.style.quiet() || !self.style.results => Ok(()),
            Some(_) => self.result(&(message("", &summary::listed(listed), self.style.width) + "\n")),
            None => self.aside(&message("", &summary::listed(listed), self.style.err_width)),
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

    /// The bytes as they are; only what a terminal would obey is not.
    fn export(&mut self, bytes: &[u8]) -> io::Result<()> {
        match std::str::from_utf8(bytes) {
            Ok(text) if self.style.width.is_some() => {
                self.out.write_all(escape::json(text).replace('\r', "\\r").as_bytes())
            }
            Err(_) if self.style.width.is_some() => self.out.write_all(self.style.out.quiet("(not text)").as_bytes()),
            _ => self.out.write_all(bytes),
        }
    }

    /// Says once where more is to be read about a signature that does not hold.
    fn point(&mut self, verdict: &Verdict) -> io::Result<()> {
        if !verdict.is_invalid() || !self.style.results || std::mem::replace(&mut self.pointed, true) {
            return Ok(());
        }
        let paint = self.style.err;
        self.aside(&paint.quiet("what each reason means, and what to change: hookctl help signatures"))
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
                self.point(&record.verdict)
            }
            Event::Failed(record) => self.record(record, TextStyle::failed),
            // For programs.
            Event::Lines(_) => Ok(()),
            Event::Saved(saved) => self.result(&summary::saved(saved, self.style.out)),
            Event::Retry(retry) => self.retry(retry),
            Event::Plan(plan) => {
                self.result(&self.style.plan(plan))?;
                self.signed(&plan.traces)
            }
            // Quoted for a shell, and free of what a terminal would obey.
            Event::Curl(command) => self.result(&format!("{command}\n")),
            Event::Payload(examined) => {
                self.result(&self.style.examined(examined))?;
                self.point(&examined.record.verdict)
            }
            Event::Row(entry) => {
                let rows = self.table.row(entry, self.style.out);
                self.result(&rows)
            }
            Event::Entry(entry) => {
                self.result(&self.style.entry(entry))?;
                self.point(&entry.record.verdict)
            }
            Event::Timeline(timeline) => {
                self.result(&timeline::text(timeline, self.style.out, self.style.width, &self.style.zone))
            }
            Event::Listed(listed) => self.listed(listed),
            // That nothing was left is said by itself.
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
            Event::Received(tally) => self.aside(&message("", &summary::received(tally), self.style.err_width)),
            Event::Sent(tally) => self.aside(&summary::sent(tally)),
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
