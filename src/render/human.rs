//! Text for people.

use std::io::{self, Write};

use jiff::Timestamp;

use super::Show;
use super::block::{Block, cut, message};
use super::paint::Paint;
use super::progress::{Bar, Countdown};
use super::table::{Table, fill};
use super::time::{Zone, duration, milliseconds};
use super::{compact, diff, drill, escape, fields, fold, pretty, stats, summary, timeline};
use crate::event::{Drilled, Entry, Event, Examined, Listed, Note, Plan, Progress, Reading, Ready, Retry, Skipped};
use crate::payload::record::{Record, Sent, SentOutcome};
use crate::payload::signature::Verdict;
use crate::payload::signature::explain::account::Account;
use crate::payload::{Payload, Status};

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
pub struct Style {
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
    style: Style,
    table: Table,
    countdown: Option<Countdown>,
    bar: Option<Bar>,
    /// Whether the head of a drill's table is out.
    drilling: bool,
    /// Whether it was said where more about signatures is to be read.
    pointed: bool,
}

impl<O: Write, E: Write> Human<O, E> {
    /// Writes to these.
    pub fn new(out: O, err: E, style: Style) -> Self {
        let table = Table::new(style.width, style.zone.clone());
        Human { out, err, style, table, countdown: None, bar: None, drilling: false, pointed: false }
    }

    fn quiet(&self) -> bool {
        self.style.verbosity == Verbosity::Quiet
    }

    fn verbose(&self) -> bool {
        self.style.verbosity == Verbosity::Verbose
    }

    fn result(&mut self, text: &str) -> io::Result<()> {
        if self.style.results { self.out.write_all(text.as_bytes()) } else { Ok(()) }
    }

    fn aside(&mut self, text: &str) -> io::Result<()> {
        if self.quiet() {
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
        if !ready.checks {
            self.aside(&paint.quiet("signatures are not checked: give --secret to verify"))?;
        }
        // Only for a person who looks on, and uncut: it is there to be copied.
        if let (Some(command), true, true) = (&ready.try_it, self.style.live, self.style.results) {
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

    fn received(&self, record: &Record) -> String {
        let paint = self.style.out;
        let time = self.clock_time(record.at);
        let mut block = Block::new(&format!("{}  ", paint.quiet(&time)), time.len() + 2, self.style.width);
        let headline = self.headline(record, &format!("#{}", record.seq), time.len() + 2);
        if self.style.compact {
            block.head(&format!("{headline}  {}", compact::rest(record, paint)));
        } else {
            block.head(&headline);
            self.body_of(record, &mut block);
            if self.verbose() {
                self.whole(record, &mut block);
            }
        }
        block.into_text()
    }

    /// `succeeded   each::labs  abc123-def456-ghi789  #1`
    fn headline(&self, record: &Record, mark: &str, before: usize) -> String {
        let paint = self.style.out;
        let word = fill(&fields::short(&fields::status_word(record.payload.as_ref())), fields::STATUS);
        let mut parts = vec![fields::status(record, &word, paint)];
        if let Some(payload) = &record.payload {
            parts.push(format!("{:10}", payload.provider.label));
            parts.extend(event(payload, record.sent.is_some()));
            parts.extend(payload.id.as_deref().map(|id| paint.strong(escape::line(id))));
        }
        let line = parts.join("  ");
        // What does not fit is cut, but not the mark, by which a delivery is spoken of.
        let room = self.style.width.map(|width| width.saturating_sub(before + mark.len() + 2));
        format!("{}  {}", cut(&line, room), paint.quiet(mark)).trim_end().to_owned()
    }

    /// Everything below the headline.
    fn body_of(&self, record: &Record, block: &mut Block) {
        let paint = self.style.out;
        for (label, value) in fields::signature(record, paint) {
            block.wrapped(&paint.quiet(label), label.len(), &value);
        }
        if let Some(payload) = &record.payload {
            for (label, value) in fields::payload(payload, paint) {
                match label {
                    // What a user copies: the terminal may break the line, but nothing is missing.
                    "output" | "error" => block.uncut(&paint.quiet(label), label.len(), &value),
                    _ => block.field(&paint.quiet(label), label.len(), &value),
                }
            }
        }
        for warning in &record.warnings {
            let text = format!("{}: {}", escape::line(&warning.code), escape::line(&warning.message));
            block.wrapped(&paint.warn("warning"), "warning".len(), &text);
        }
        if let Some(text) = fields::repeat(record.duplicate.as_ref(), paint) {
            block.field(&paint.quiet("repeat"), "repeat".len(), &text);
        }
        if let Some(text) = fields::answer(record, paint) {
            block.field(&paint.quiet("answer"), "answer".len(), &text);
        }
    }

    /// The whole reasoning about a signature.
    fn account(&self, account: Option<&Account>, block: &mut Block) {
        let Some(account) = account else { return };
        block.line("");
        for (label, value) in fields::account(account) {
            block.uncut(&self.style.out.quiet(label), label.len(), &value);
        }
    }

    /// Headers and body as sent.
    fn whole(&self, record: &Record, block: &mut Block) {
        let paint = self.style.out;
        for (name, value) in record.delivery.headers.iter() {
            // Uncut: a signature is copied from here.
            block.text(&format!("{}: {}", paint.name(escape::line(name)), escape::line(&value)));
        }
        let body = record.delivery.held();
        match std::str::from_utf8(&body) {
            Ok(text) if record.payload.is_some() => block.text(&pretty::json(text, paint, false)),
            Ok("") => {}
            Ok(text) => text.lines().for_each(|line| block.line(&escape::line(line))),
            Err(_) => block.line(&paint.quiet(format!("binary, {}", fold::size(body.len() as u64)))),
        }
    }

    /// One attempt of a delivery that is sent; the first brings the headline along.
    fn attempt(&self, record: &Record) -> String {
        let Some(sent) = &record.sent else { return String::new() };
        let paint = self.style.out;
        let mut text = String::new();
        if sent.attempt == 1 {
            let size = fold::size(record.delivery.body.len() as u64);
            let verdict = fields::signed_as(&record.verdict, paint);
            let request = format!("{} {}", escape::line(&record.delivery.method), escape::line(&sent.url));
            let mut block = Block::new(&format!("{} ", paint.strong("→")), 2, self.style.width);
            block.head(&self.headline(record, "", 2));
            block.line(&paint.quiet(format!("{request} · {size} · {verdict}")));
            if self.verbose() {
                self.whole(record, &mut block);
            }
            text.push_str(&block.into_text());
        }
        let number = format!("{}/{}", sent.attempt, sent.of);
        let line = format!("  {}  {}", paint.quiet(number), attempted(record, sent, paint));
        text + &cut(&line, self.style.width) + "\n"
    }

    /// One of many that went wrong, on a line.
    fn failed(&self, record: &Record) -> String {
        let Some(sent) = &record.sent else { return String::new() };
        let paint = self.style.out;
        let id = record.payload.as_ref().and_then(|payload| payload.id.as_deref()).unwrap_or_default();
        let line = format!("{} {}  {}", paint.bad("✗"), escape::line(id), attempted(record, sent, paint));
        cut(&line, self.style.width).into_owned() + "\n"
    }

    fn retry(&mut self, retry: &Retry) -> io::Result<()> {
        let paint = self.style.err;
        let count = format!("retry {} of {}", retry.retry, retry.of);
        let theirs = format!("({} waits {})", retry.label, duration(retry.provider_waits));
        let text = format!("       {count} in {} {theirs}", duration(retry.wait));
        self.aside(&paint.quiet(text))?;
        self.err.flush()?;
        if self.style.live && !self.quiet() {
            self.countdown = Countdown::start(&format!("     {count} in"), retry.wait);
        }
        Ok(())
    }

    fn plan(&self, plan: &Plan) -> String {
        let paint = self.style.out;
        let delivery = &plan.record.delivery;
        let mut text = format!("{} {} HTTP/{}\n", delivery.method, escape::line(&delivery.target), delivery.http);
        for (name, value) in delivery.headers.iter() {
            text.push_str(&format!("{}: {}\n", paint.name(escape::line(name)), escape::line(&value)));
        }
        text.push('\n');
        match std::str::from_utf8(&delivery.body) {
            // The exact bytes, so that what is copied from here signs the same; only what a terminal would obey is not.
            Ok(body) if self.style.width.is_some() => text.push_str(&escape::json(body).replace('\r', "\\r")),
            Ok(body) => text.push_str(&escape::json(body)),
            Err(_) => text.push_str(&paint.quiet("(not text)")),
        }
        text.push('\n');
        text
    }

    /// What is signed of a request; beside the request, so that this can be piped on.
    fn signed(&mut self, accounts: &[Account]) -> io::Result<()> {
        for account in accounts {
            let mut block = Block::new("", 0, self.style.err_width);
            for (label, value) in fields::account(account) {
                block.uncut(&self.style.err.quiet(label), label.len(), &value);
            }
            self.aside(&format!("\n{}", block.into_text().trim_end()))?;
        }
        Ok(())
    }

    fn examined(&self, examined: &Examined) -> String {
        let paint = self.style.out;
        let record = &examined.record;
        let mut block = Block::new("", 0, self.style.width);
        match &record.payload {
            Some(payload) => {
                for (label, value) in fields::identity(payload, paint) {
                    block.field(&paint.quiet(label), label.len(), &value);
                }
                block.wrapped(&paint.quiet("means"), "means".len(), &fields::meaning(payload));
            }
            None => {
                let size = fold::size(record.delivery.body.len() as u64);
                block.field(&paint.quiet("payload"), "payload".len(), &format!("not JSON, {size}"));
            }
        }
        block.field(&paint.quiet("body"), "body".len(), &fields::size(&record.delivery.body));
        self.body_of(record, &mut block);
        if self.verbose() {
            self.whole(record, &mut block);
        }
        self.account(examined.account.as_ref(), &mut block);
        if !self.verbose() && !self.quiet() {
            block.line("");
            let held = record.delivery.held();
            let body = std::str::from_utf8(&held).unwrap_or_default();
            match record.payload {
                Some(_) => block.text(&pretty::json(body, paint, true)),
                None => body.lines().take(20).for_each(|line| block.line(&escape::line(line))),
            }
        }
        block.into_text()
    }

    fn entry(&self, entry: &Entry) -> String {
        let record = &entry.record;
        let paint = self.style.out;
        let mut block = Block::new("", 2, self.style.width);
        block.head(&self.headline(record, &format!("#{}", entry.number), 0));
        let when = format!("{:.6}", record.at);
        block.field(&paint.quiet("at"), 2, &when);
        if !record.delivery.method.is_empty() {
            let request = fields::request(&record.delivery);
            let from = record.remote.as_deref().map(|remote| format!(" from {}", escape::line(remote)));
            block.field(&paint.quiet("request"), 7, &format!("{request}{}", from.unwrap_or_default()));
        }
        if let Some(sent) = &record.sent {
            let text = format!("{} of {} to {}", sent.attempt, sent.of, escape::line(&sent.url));
            block.field(&paint.quiet("attempt"), 7, &text);
            if let Some(error) = &sent.error {
                block.field(&paint.quiet("failed"), 6, &paint.bad(escape::line(error)));
            }
        }
        block.field(&paint.quiet("record"), 6, &escape::line(&record.id));
        self.body_of(record, &mut block);
        self.account(entry.account.as_ref(), &mut block);
        block.line("");
        self.whole(record, &mut block);
        block.into_text()
    }

    fn drilled(&mut self, drilled: &Drilled) -> io::Result<()> {
        let (paint, width) = (self.style.out, self.style.width);
        let head = if std::mem::replace(&mut self.drilling, true) { String::new() } else { drill::head(paint) };
        self.result(&(head + &drill::case(drilled, paint, width, self.verbose())))
    }

    /// Below the table where somebody looks at it; where it is piped on, beside it.
    fn listed(&mut self, listed: &Listed) -> io::Result<()> {
        match self.style.width {
            _ if self.quiet() || !self.style.results => Ok(()),
            Some(_) => self.result(&(message("", &summary::listed(listed), self.style.width) + "\n")),
            None => self.aside(&message("", &summary::listed(listed), self.style.err_width)),
        }
    }

    fn progress(&mut self, progress: &Progress) {
        if self.style.live && !self.quiet() {
            self.bar.get_or_insert_with(|| Bar::start(progress.of)).show(progress);
        }
    }

    fn reading(&mut self, reading: Reading) {
        if self.style.live && !self.quiet() {
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

    fn clock_time(&self, at: Timestamp) -> String {
        at.to_zoned((**self.style.zone).clone()).strftime("%H:%M:%S%.3f").to_string()
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
            Event::Delivery(record) if record.sent.is_some() => self.result(&self.attempt(record)),
            Event::Delivery(record) => {
                self.result(&self.received(record))?;
                self.point(&record.verdict)
            }
            Event::Failed(record) => self.result(&self.failed(record)),
            Event::Saved(saved) => self.result(&summary::saved(saved, self.style.out)),
            Event::Retry(retry) => self.retry(retry),
            Event::Plan(plan) => {
                self.result(&self.plan(plan))?;
                self.signed(&plan.accounts)
            }
            // Quoted for a shell, and free of what a terminal would obey.
            Event::Curl(command) => self.result(&format!("{command}\n")),
            Event::Payload(examined) => {
                self.result(&self.examined(examined))?;
                self.point(&examined.record.verdict)
            }
            Event::Row(entry) => {
                let rows = self.table.row(entry, self.style.out);
                self.result(&rows)
            }
            Event::Entry(entry) => {
                self.result(&self.entry(entry))?;
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

/// How an attempt ended: `200 in 1.2 ms  {"ok":true}`.
fn attempted(record: &Record, sent: &Sent, paint: Paint) -> String {
    match (&record.answer, sent.outcome) {
        (Some(answer), _) => {
            let line = answer.line.as_deref().map(|line| format!("  {}", paint.quiet(escape::line(line))));
            let outcome = fields::outcome(answer, paint);
            format!("{outcome} in {}{}", milliseconds(answer.ms), line.unwrap_or_default())
        }
        (None, Some(SentOutcome::Unknown | SentOutcome::Other)) => {
            let error = sent.error.as_deref().unwrap_or("no answer");
            format!("{}  {}; it may have been processed", paint.warn("unknown"), escape::line(error))
        }
        (None, _) => {
            let error = sent.error.as_deref().unwrap_or("no connection");
            format!("{}  {}", paint.bad("unreachable"), escape::line(error))
        }
    }
}

/// The event in the headline: where it is not just the status over again.
///
/// That it was inferred is no news of what is sent here.
fn event(payload: &Payload, is_sent: bool) -> Option<String> {
    let event = payload.event.as_ref()?;
    let name = escape::line(&event.name);
    match (event.inferred, payload.status.is_some_and(Status::is_terminal)) {
        (false, _) => Some(name.into_owned()),
        (true, false) if is_sent => Some(name.into_owned()),
        (true, false) => Some(format!("{name} (inferred)")),
        (true, true) => None,
    }
}
