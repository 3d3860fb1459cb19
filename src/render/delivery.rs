//! One delivery as text: received, sent, planned, recorded, examined.

use jiff::Timestamp;

use super::block::{Block, cut};
use super::paint::Paint;
use super::style::TextStyle;
use super::table::fill;
use super::time::milliseconds;
use super::{compact, escape, fields, fold, pretty};
use crate::event::{Examined, JournalRow, Plan};
use crate::journal::Record;
use crate::journal::record::{SentAttempt, SentOutcome};
use crate::payload::{Payload, Status};
use crate::signature::Trace;

impl TextStyle {
    /// A received delivery.
    pub(crate) fn received(&self, record: &Record) -> String {
        let paint = self.out;
        let time = self.clock_time(record.at);
        let mut block = Block::new(&format!("{}  ", paint.quiet(&time)), time.len() + 2, self.width);
        let headline = self.headline(record, &format!("#{}", record.seq), time.len() + 2);
        if self.compact {
            block.head(&format!("{headline}  {}", compact::rest(record, paint)));
        } else {
            block.head(&headline);
            self.fields(record, &mut block);
            if self.verbose() {
                self.headers_and_body(record, &mut block);
            }
        }
        block.into_text()
    }

    /// `succeeded   each::labs  abc123-def456-ghi789  #1`
    fn headline(&self, record: &Record, mark: &str, before: usize) -> String {
        let paint = self.out;
        let word = fill(&fields::short(&fields::status_word(record.payload.as_ref())), fields::STATUS);
        let mut parts = vec![fields::status(record, &word, paint)];
        if let Some(payload) = &record.payload {
            parts.push(format!("{:10}", payload.provider.label));
            parts.extend(event(payload, record.sent.is_some()));
            parts.extend(payload.id.as_deref().map(|id| paint.strong(escape::line(id))));
        }
        let line = parts.join("  ");
        // The number of the delivery is never cut.
        let columns = self.width.map(|width| width.saturating_sub(before + mark.len() + 2));
        format!("{}  {}", cut(&line, columns), paint.quiet(mark)).trim_end().to_owned()
    }

    /// Everything below the headline.
    fn fields(&self, record: &Record, block: &mut Block) {
        let paint = self.out;
        for (label, value) in fields::signature(record, paint) {
            block.wrapped(&paint.quiet(label), label.len(), &value);
        }
        if let Some(payload) = &record.payload {
            for (label, value) in fields::payload(payload, paint) {
                match label {
                    // Uncut, so that the value can be copied.
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

    /// How the signature was checked.
    fn trace(&self, trace: Option<&Trace>, block: &mut Block) {
        let Some(trace) = trace else { return };
        block.line("");
        for (label, value) in fields::trace(trace) {
            block.uncut(&self.out.quiet(label), label.len(), &value);
        }
    }

    fn headers_and_body(&self, record: &Record, block: &mut Block) {
        let paint = self.out;
        for (name, value) in record.delivery.headers.iter() {
            // Uncut, so that a signature can be copied.
            block.text(&format!("{}: {}", paint.name(escape::line(name)), escape::line(&value)));
        }
        let body = record.delivery.decoded_body();
        match std::str::from_utf8(&body) {
            Ok(text) if record.payload.is_some() => block.text(&pretty::json(text, paint, false)),
            Ok("") => {}
            Ok(text) => text.lines().for_each(|line| block.line(&escape::line(line))),
            Err(_) => block.line(&paint.quiet(format!("binary, {}", fold::size(body.len() as u64)))),
        }
    }

    /// One attempt to send a delivery; the first attempt includes the headline.
    pub(crate) fn attempt(&self, record: &Record) -> String {
        let Some(sent) = &record.sent else { return String::new() };
        let paint = self.out;
        let mut text = String::new();
        if sent.attempt == 1 {
            let size = fold::size(record.delivery.body.len() as u64);
            let verdict = fields::signed_as(&record.verdict, paint);
            let request = format!("{} {}", escape::line(&record.delivery.method), escape::line(&sent.url));
            let mut block = Block::new(&format!("{} ", paint.strong("→")), 2, self.width);
            block.head(&self.headline(record, "", 2));
            block.line(&paint.quiet(format!("{request} · {size} · {verdict}")));
            if self.verbose() {
                self.headers_and_body(record, &mut block);
            }
            text.push_str(&block.into_text());
        }
        let number = format!("{}/{}", sent.attempt, sent.of);
        let line = format!("  {}  {}", paint.quiet(number), attempted(record, sent, paint));
        text + &cut(&line, self.width) + "\n"
    }

    /// A failed delivery of a load test, on one line.
    pub(crate) fn failed(&self, record: &Record) -> String {
        let Some(sent) = &record.sent else { return String::new() };
        let paint = self.out;
        let id = record.payload.as_ref().and_then(|payload| payload.id.as_deref()).unwrap_or_default();
        let line = format!("{} {}  {}", paint.bad("✗"), escape::line(id), attempted(record, sent, paint));
        cut(&line, self.width).into_owned() + "\n"
    }

    /// A request of `--dry-run`.
    pub(crate) fn plan(&self, plan: &Plan) -> String {
        let paint = self.out;
        let delivery = &plan.record.delivery;
        let mut text = format!("{} {} HTTP/{}\n", delivery.method, escape::line(&delivery.target), delivery.http);
        for (name, value) in delivery.headers.iter() {
            text.push_str(&format!("{}: {}\n", paint.name(escape::line(name)), escape::line(&value)));
        }
        text.push('\n');
        match std::str::from_utf8(&delivery.body) {
            // The exact bytes, so that a copy has the same signature; only control characters are escaped.
            Ok(body) if self.width.is_some() => text.push_str(&escape::json(body).replace('\r', "\\r")),
            Ok(body) => text.push_str(&escape::json(body)),
            Err(_) => text.push_str(&paint.quiet("(not text)")),
        }
        text.push('\n');
        text
    }

    /// One payload of `inspect`.
    pub(crate) fn examined(&self, examined: &Examined) -> String {
        let paint = self.out;
        let record = &examined.record;
        let mut block = Block::new("", 0, self.width);
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
        self.fields(record, &mut block);
        if self.verbose() {
            self.headers_and_body(record, &mut block);
        }
        self.trace(examined.trace.as_ref(), &mut block);
        if !self.verbose() && !self.quiet() {
            block.line("");
            let decoded = record.delivery.decoded_body();
            let body = std::str::from_utf8(&decoded).unwrap_or_default();
            match record.payload {
                Some(_) => block.text(&pretty::json(body, paint, true)),
                None => body.lines().take(20).for_each(|line| block.line(&escape::line(line))),
            }
        }
        block.into_text()
    }

    /// One delivery of a journal, in full.
    pub(crate) fn entry(&self, entry: &JournalRow) -> String {
        let record = &entry.record;
        let paint = self.out;
        let mut block = Block::new("", 2, self.width);
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
            if let Some(case) = &sent.case {
                let wanted = sent.expect_status.as_ref().map(|statuses| format!(": a good handler answers {statuses}"));
                let case = format!("{}{}", escape::line(case), wanted.unwrap_or_default());
                block.wrapped(&paint.quiet("drill"), 5, &case);
            }
            if let Some(error) = &sent.error {
                block.field(&paint.quiet("failed"), 6, &paint.bad(escape::line(error)));
            }
        }
        block.field(&paint.quiet("record"), 6, &escape::line(&record.id));
        self.fields(record, &mut block);
        self.trace(entry.trace.as_ref(), &mut block);
        block.line("");
        self.headers_and_body(record, &mut block);
        block.into_text()
    }

    fn clock_time(&self, at: Timestamp) -> String {
        let time = self.zone.to_datetime(at).time();
        format!("{:02}:{:02}:{:02}.{:03}", time.hour(), time.minute(), time.second(), time.millisecond())
    }
}

/// How an attempt ended: `200 in 1.2 ms  {"ok":true}`.
fn attempted(record: &Record, sent: &SentAttempt, paint: Paint) -> String {
    match (&record.answer, sent.outcome) {
        (Some(answer), _) => {
            let line = answer.line.as_deref().map(|line| format!("  {}", paint.quiet(escape::line(line))));
            let outcome = fields::outcome(answer, record.is_expected(), paint);
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

/// The event in the headline, unless the status says the same. Of a sent delivery, hookctl inferred the event itself.
fn event(payload: &Payload, is_sent: bool) -> Option<String> {
    let event = payload.event.as_ref()?;
    let name = escape::line(&event.name);
    if !event.inferred {
        return Some(name.into_owned());
    }
    if payload.status.is_some_and(Status::is_terminal) {
        return None;
    }
    Some(if is_sent { name.into_owned() } else { format!("{name} (inferred)") })
}
