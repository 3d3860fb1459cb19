//! Journals, read line by line as if they were one, and what becomes of each delivery.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::query::Sieve;
use super::redact::redacted;
use super::story::Stories;
use super::stream::Stream;
use super::view::Views;
use super::{Config, check_again};
use crate::error::{Error, Exit};
use crate::event::{Entry, Event, Note, Reading, Sink};
use crate::io::filters::{Filters, Judged};
use crate::io::journal::{self, Next};
use crate::io::signals::Signals;
use crate::payload::record::{Glance, Parsed, Record};
use crate::payload::redaction::Redaction;
use crate::payload::signature::explain::account::account;
use crate::payload::signature::{Policy, Verdict};
use crate::payload::{Delivery, Headers};

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

    /// What it means that something was said, or could not be.
    pub fn after(said: Result<(), crate::event::Closed>) -> Self {
        if said.is_ok() { Audience::Listening } else { Audience::Closed }
    }
}

/// How often a journal that is followed is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// How many lines are read between two looks at the clock.
const LINES: usize = 1000;

/// How often progress is told; what takes no longer needs none.
const TELL: Duration = Duration::from_millis(500);

/// A delivery that is kept back until the end of the files.
struct Kept {
    number: usize,
    line: String,
    /// `None` where a glance was enough so far: most of those that are kept are never shown.
    record: Option<Box<Record>>,
    /// How to speak of its line.
    place: String,
}

/// What becomes of a delivery after a glance.
enum Taken {
    /// The filters leave it out, or no more is needed of it.
    No,
    /// It is kept back unread.
    Unread,
    /// It is wanted, and was read.
    Read(Box<Record>),
}

/// Reads journals one after the other as if they were one.
pub struct Reader<'a> {
    config: &'a Config,
    sink: &'a Sink,
    sieve: Sieve,
    /// Those of `--where`.
    filters: Option<Filters>,
    /// Deliveries read so far, whatever the filters say.
    count: usize,
    shown: usize,
    streams: Vec<Stream>,
    stories: Stories,
    views: Views<'a>,
    /// Of `--last N`, the newest N so far.
    kept: VecDeque<Kept>,
    /// Whether they were shown: what comes later is shown as it comes.
    is_released: bool,
    /// How many could not be checked again.
    uncheckable: usize,
    exit: Exit,
    told: Instant,
}

impl<'a> Reader<'a> {
    /// A reader that has read nothing.
    pub fn new(config: &'a Config, sink: &'a Sink) -> Result<Self, Error> {
        let filters = &config.query.filters;
        Ok(Reader {
            config,
            sink,
            sieve: Sieve::of(&config.query),
            filters: if filters.is_empty() { None } else { Some(Filters::start(filters.clone())?) },
            count: 0,
            shown: 0,
            streams: Vec::new(),
            stories: Stories::default(),
            views: Views::new(&config.view, &config.zone, sink),
            kept: VecDeque::new(),
            is_released: false,
            uncheckable: 0,
            exit: Exit::Done,
            told: Instant::now(),
        })
    }

    /// Reads one journal to its end.
    pub async fn read(&mut self, mut stream: Stream) -> Result<Audience, Error> {
        let audience = self.drain(&mut stream).await?;
        self.streams.push(stream);
        Ok(audience)
    }

    /// Goes on reading as the journals grow, until the user or the audience has enough.
    pub async fn follow(&mut self, signals: &mut Signals) -> Result<(), Error> {
        let mut streams = std::mem::take(&mut self.streams);
        loop {
            for stream in &mut streams {
                if self.drain(stream).await?.is_closed() {
                    return Ok(());
                }
                if stream.is_replaced() {
                    let text = format!("{} was begun anew", stream.name);
                    stream.turn()?;
                    if self.say(Note::info(text)).await.is_closed() || self.drain(stream).await?.is_closed() {
                        return Ok(());
                    }
                }
            }
            tokio::select! {
                _ = signals.next() => return Ok(()),
                () = self.sink.closed() => return Ok(()),
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Reads what there is. The beginning of a line that may go on is kept where the journal is followed.
    async fn drain(&mut self, stream: &mut Stream) -> Result<Audience, Error> {
        loop {
            let next = journal::next_line(&mut stream.input, &mut stream.line);
            let next = next.map_err(|source| Error::Read { what: stream.name.clone(), source })?;
            if next == Next::End || next == Next::Torn && self.config.follow {
                return Ok(Audience::Listening);
            }
            stream.number += 1;
            if stream.number.is_multiple_of(LINES) {
                self.tell(stream).await;
            }
            let audience = match next {
                Next::TooLong => self.say(Note::warning(journal::too_long(&stream.name, stream.number))).await,
                _ => self.line(stream).await?,
            };
            stream.line.clear();
            if audience.is_closed() {
                return Ok(audience);
            }
        }
    }

    /// Tells how far it has come, as long as nothing else is said.
    async fn tell(&mut self, stream: &Stream) {
        if self.shown > 0 && self.config.view.is_shown_while_read() || self.told.elapsed() < TELL {
            return;
        }
        self.told = Instant::now();
        // Whoever has gone is noticed with what matters.
        let _ = self.sink.say(Event::Reading(Reading { done: stream.input.read(), of: stream.size })).await;
    }

    async fn line(&mut self, stream: &Stream) -> Result<Audience, Error> {
        let line = stream.line.as_slice();
        if self.sieve.holds_back(line) {
            self.count += 1;
            return Ok(Audience::Listening);
        }
        let text = String::from_utf8_lossy(line);
        if text.trim().is_empty() {
            return Ok(Audience::Listening);
        }
        let taken = match Glance::of(&text) {
            Some(glance) => {
                self.count += 1;
                self.glance(&glance, || parse(&text))
            }
            None => match Record::parse(&text) {
                Ok(Parsed::Delivery(record)) => {
                    self.count += 1;
                    self.glance(&Glance::from(&*record), || Ok(record.clone()))
                }
                Ok(Parsed::Other(_)) => Ok(Taken::No),
                Err(damage) => Err(damage.0),
            },
        };
        match taken {
            Ok(Taken::Read(record)) => self.delivery(record, text.into_owned(), stream.place()).await,
            Ok(Taken::Unread) => {
                self.keep(Kept { number: self.count, line: text.into_owned(), record: None, place: stream.place() });
                Ok(Audience::Listening)
            }
            Ok(Taken::No) => Ok(Audience::Listening),
            Err(damage) => Ok(self.say(damaged(&stream.place(), &damage)).await),
        }
    }

    /// Looks at a delivery, and gives its record where that is wanted.
    fn glance(
        &mut self,
        glance: &Glance<'_>,
        record: impl FnOnce() -> Result<Box<Record>, String>,
    ) -> Result<Taken, String> {
        let query = &self.config.query;
        // What a filter leaves out is still part of its prediction's story.
        let tells = self.config.view.tells_stories() && query.is_about(glance);
        let takes = query.takes_at_a_glance(glance) && self.config.view.is_about(self.count, glance);
        let is_counted = takes && self.is_counted_at_a_glance();
        if is_counted {
            self.shown += 1;
            self.views.count(glance);
        }
        if !tells && (!takes || is_counted) {
            return Ok(Taken::No);
        }
        if !tells && self.keeps_back() && !query.wants_all() {
            return Ok(Taken::Unread);
        }
        let mut record = record()?;
        if tells {
            self.stories.note(&mut record, self.count);
        }
        Ok(if takes { Taken::Read(record) } else { Taken::No })
    }

    /// Whether nothing but a glance is needed of any delivery.
    fn is_counted_at_a_glance(&self) -> bool {
        let Config { view, query, policy, .. } = self.config;
        view.counts() && !query.wants_all() && query.last.is_none() && policy.secrets.is_empty()
    }

    async fn delivery(&mut self, record: Box<Record>, line: String, place: String) -> Result<Audience, Error> {
        let query = &self.config.query;
        let mut entry = Entry { number: self.count, record: *record, line, account: None };
        // Finding out why a signature is invalid takes too long for those that are not shown.
        if query.verdict.is_some() || !query.filters.is_empty() {
            self.check_again(&mut entry);
        }
        if !query.takes_wholly(&entry.record) || !self.holds(&entry, &place).await? {
            return Ok(Audience::Listening);
        }
        if !self.keeps_back() {
            return self.show(entry).await;
        }
        let Entry { number, record, line, .. } = entry;
        self.keep(Kept { number, line, record: Some(Box::new(record)), place });
        Ok(Audience::Listening)
    }

    /// Whether every filter of `--where` is true of a delivery. One that does not end would not on others either.
    async fn holds(&mut self, entry: &Entry, place: &str) -> Result<bool, Error> {
        let Some(filters) = &mut self.filters else { return Ok(true) };
        let judged = filters.judge(entry.line.as_bytes().to_vec()).await;
        for (filter, judged) in self.config.query.filters.iter().zip(judged) {
            let filter = filter.text();
            match judged {
                Judged::Found(finding) if finding.holds => {}
                Judged::Found(_) => return Ok(false),
                Judged::Failed(why) => {
                    // Whoever has gone is noticed with what matters.
                    self.say(Note::warning(format!("{place} is left out: --where {filter}: {why}"))).await;
                    return Ok(false);
                }
                Judged::Endless(reason) => {
                    return Err(Error::Filter { filter: filter.to_owned(), place: place.to_owned(), reason });
                }
            }
        }
        Ok(true)
    }

    fn keeps_back(&self) -> bool {
        self.config.query.last.is_some() && !self.is_released
    }

    /// Keeps one of the last so many.
    fn keep(&mut self, kept: Kept) {
        self.kept.push_back(kept);
        if self.config.query.last.is_some_and(|last| self.kept.len() > last) {
            self.kept.pop_front();
        }
    }

    async fn show(&mut self, mut entry: Entry) -> Result<Audience, Error> {
        self.shown += 1;
        let query = &self.config.query;
        if query.verdict.is_none() && query.filters.is_empty() {
            self.check_again(&mut entry);
        }
        let record = &mut entry.record;
        if !self.config.policy.secrets.is_empty() {
            self.uncheckable += usize::from(record.verdict == Verdict::Unchecked);
            if record.verdict.is_invalid() {
                self.exit = Exit::Signature;
            }
        }
        if self.config.explain {
            entry.account = account(&record.delivery, &self.config.policy);
        }
        if self.config.view.is_handed_on() {
            let Policy { secrets, scheme, .. } = &self.config.policy;
            let delivery = std::mem::replace(&mut record.delivery, Delivery::bare(Headers::default(), Bytes::new()));
            record.delivery = Redaction::of(secrets, *scheme).delivery(delivery);
            entry.line = line_of(record);
        }
        if !self.config.redact.is_empty() {
            *record = redacted(record, &self.config.redact);
            entry.line = line_of(record);
        }
        self.views.show(entry).await
    }

    /// Checks a delivery again, where secrets were given.
    fn check_again(&self, entry: &mut Entry) {
        if self.config.policy.secrets.is_empty() {
            return;
        }
        entry.record.verdict = check_again(&entry.record, &self.config.policy, self.config.now);
        entry.line = line_of(&entry.record);
    }

    async fn say(&self, event: Event) -> Audience {
        Audience::after(self.sink.say(event).await)
    }

    /// Shows what was kept back until the end of the files.
    pub async fn release(&mut self) -> Result<Audience, Error> {
        self.is_released = true;
        while let Some(Kept { number, line, record, place }) = self.kept.pop_front() {
            let audience = match record.map_or_else(|| parse(&line), Ok) {
                Ok(record) => self.show(Entry { number, record: *record, line, account: None }).await?,
                Err(damage) => self.say(damaged(&place, &damage)).await,
            };
            if audience.is_closed() {
                return Ok(audience);
            }
        }
        Ok(Audience::Listening)
    }

    /// Says what can be said only at the end, and so when nothing was found.
    pub async fn finish(&mut self) -> Result<(), Error> {
        if self.streams.is_empty() {
            return Ok(());
        }
        if self.views.end(self.stories.unfinished(), self.count).await?.is_closed() {
            return Ok(());
        }
        if self.uncheckable > 0 {
            let text = format!(
                "{} of {} deliveries could not be checked again: their secret was redacted when they were recorded \
                 (--record-secrets keeps it), or their body was not taken in",
                self.uncheckable, self.shown
            );
            self.say(Note::warning(text)).await;
        }
        if self.shown == 0 {
            self.say(Note::info(format!("none of {} deliveries matches", self.count))).await;
        }
        Ok(())
    }

    /// What the signatures of the shown deliveries mean for the exit code, when they were checked again.
    pub fn exit(&self) -> Exit {
        self.exit
    }
}

fn damaged(place: &str, damage: &str) -> Event {
    Note::warning(format!("{place} is damaged and left out: {damage}"))
}

/// A record whose line was looked at already.
fn parse(line: &str) -> Result<Box<Record>, String> {
    match Record::parse(line) {
        Ok(Parsed::Delivery(record)) => Ok(record),
        Ok(Parsed::Other(kind)) => Err(format!("it is of type {kind}")),
        Err(damage) => Err(damage.0),
    }
}

fn line_of(record: &Record) -> String {
    String::from_utf8_lossy(&record.to_line()).trim_end().to_owned()
}
