//! Journals: read line by line, filtered, shown as they are read.

use std::collections::VecDeque;
use std::io::BufRead;

use super::{Config, check_again};
use crate::error::{Error, Exit};
use crate::event::{Entry, Event, Note, Sink};
use crate::io::journal;
use crate::payload::record::{Parsed, Record};
use crate::payload::signature::Verdict;
use crate::payload::signature::explain::account::account;

/// Which deliveries of a journal.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// One, whole: its number or an id.
    pub show: Option<String>,
    /// About this prediction, execution or track id.
    pub id: Option<String>,
    /// With this status.
    pub status: Option<String>,
    /// The last so many.
    pub last: Option<usize>,
}

impl Query {
    /// The first flag that makes sense for journals only, if any is set.
    pub fn flag(&self) -> Option<&'static str> {
        let flags = [
            (self.show.is_some(), "--show"),
            (self.id.is_some(), "--id"),
            (self.status.is_some(), "--status"),
            (self.last.is_some(), "--last"),
        ];
        flags.into_iter().find(|(set, _)| *set).map(|(_, flag)| flag)
    }

    fn takes(&self, record: &Record) -> bool {
        self.id.as_ref().is_none_or(|id| record.has_id(id))
            && self.status.as_ref().is_none_or(|status| record.has_status(status))
    }
}

/// Whether there is still somebody to show things to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// There is.
    Listening,
    /// The output was closed.
    Closed,
}

impl Audience {
    /// Whether the output was closed.
    pub fn is_closed(self) -> bool {
        self == Audience::Closed
    }
}

/// Reads journals one after the other as if they were one.
pub struct Reader<'a> {
    config: &'a Config,
    sink: &'a Sink,
    /// Deliveries read so far, whatever the filters say.
    count: usize,
    shown: usize,
    journals: usize,
    /// Of `--last N`, the newest N so far.
    kept: VecDeque<Entry>,
    /// How many could not be checked again.
    uncheckable: usize,
    exit: Exit,
}

impl<'a> Reader<'a> {
    /// A reader that has read nothing.
    pub fn new(config: &'a Config, sink: &'a Sink) -> Self {
        Reader {
            config,
            sink,
            count: 0,
            shown: 0,
            journals: 0,
            kept: VecDeque::new(),
            uncheckable: 0,
            exit: Exit::Done,
        }
    }

    /// Reads one journal, of which `head` was read already.
    pub async fn read(&mut self, name: &str, head: &[u8], input: &mut dyn BufRead) -> Result<Audience, Error> {
        self.journals += 1;
        let mut input = std::io::Read::chain(head, input);
        let mut line = Vec::new();
        let mut number = 0;
        loop {
            let more = journal::next_line(&mut input, &mut line);
            if !more.map_err(|source| Error::Read { what: name.to_owned(), source })? {
                return Ok(Audience::Listening);
            }
            number += 1;
            if self.line(name, number, &line).await.is_closed() {
                return Ok(Audience::Closed);
            }
        }
    }

    async fn line(&mut self, name: &str, number: usize, line: &[u8]) -> Audience {
        let text = String::from_utf8_lossy(line);
        if text.trim().is_empty() {
            return Audience::Listening;
        }
        match Record::parse(&text) {
            Ok(Parsed::Delivery(record)) => self.delivery(*record, text.into_owned()).await,
            Ok(Parsed::Other(_)) => Audience::Listening,
            Err(damage) => {
                self.say(Note::warning(format!("{name}, line {number} is damaged and left out: {}", damage.0))).await
            }
        }
    }

    async fn delivery(&mut self, record: Record, line: String) -> Audience {
        self.count += 1;
        if !self.config.query.takes(&record) {
            return Audience::Listening;
        }
        let entry = Entry { number: self.count, record, line, account: None };
        if let Some(which) = &self.config.query.show {
            let wanted = entry.record.has_id(which) || which.parse() == Ok(entry.number);
            return if wanted { self.show(entry).await } else { Audience::Listening };
        }
        match self.config.query.last {
            Some(last) => {
                self.kept.push_back(entry);
                if self.kept.len() > last {
                    self.kept.pop_front();
                }
                Audience::Listening
            }
            None => self.show(entry).await,
        }
    }

    async fn show(&mut self, mut entry: Entry) -> Audience {
        self.shown += 1;
        if !self.config.policy.secrets.is_empty() {
            self.check_again(&mut entry);
        }
        if self.config.explain {
            entry.account = account(&entry.record.delivery, &self.config.policy);
        }
        let entry = Box::new(entry);
        self.say(if self.config.query.show.is_some() { Event::Entry(entry) } else { Event::Row(entry) }).await
    }

    /// Checks a delivery that is shown: finding out why one is invalid takes too long for those that are not.
    fn check_again(&mut self, entry: &mut Entry) {
        let record = &mut entry.record;
        record.verdict = check_again(record, &self.config.policy, self.config.now);
        self.uncheckable += usize::from(record.verdict == Verdict::Unchecked);
        if record.verdict.is_invalid() {
            self.exit = Exit::Signature;
        }
        entry.line = String::from_utf8_lossy(&record.to_line()).trim_end().to_owned();
    }

    async fn say(&self, event: Event) -> Audience {
        if self.sink.say(event).await.is_ok() { Audience::Listening } else { Audience::Closed }
    }

    /// Shows what was kept back, and says so when nothing was found.
    pub async fn finish(&mut self) -> Result<(), Error> {
        while let Some(entry) = self.kept.pop_front() {
            if self.show(entry).await.is_closed() {
                return Ok(());
            }
        }
        if self.uncheckable > 0 {
            let text = format!(
                "{} of {} deliveries could not be checked again: their secret was redacted when they were recorded \
                 (--record-secrets keeps it), or their body was not taken in",
                self.uncheckable, self.shown
            );
            self.say(Note::warning(text)).await;
        }
        if self.journals == 0 || self.shown > 0 {
            return Ok(());
        }
        match &self.config.query.show {
            Some(which) => Err(Error::NoSuchDelivery { which: which.clone(), count: self.count }),
            None => {
                self.say(Note::info(format!("none of {} deliveries matches", self.count))).await;
                Ok(())
            }
        }
    }

    /// What the signatures of the shown deliveries mean for the exit code, when they were checked again.
    pub fn exit(&self) -> Exit {
        self.exit
    }
}
