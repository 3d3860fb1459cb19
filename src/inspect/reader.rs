//! Journals, read line by line as if they were one, and which of their deliveries are shown.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::query::{Failures, Sieve};
use super::showing::{Showing, explain};
use super::story::Stories;
use super::stream::Stream;
use super::{Config, check_again};
use crate::error::{Error, Exit};
use crate::event::{Audience, Entry, Event, Note, Reading, Sink};
use crate::io::filters::{Filters, Judged};
use crate::io::journal::{self, Next};
use crate::io::signals::Signals;
use crate::payload::record::{Glance, Parsed, Record};

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
    /// The user's wish to stop, where that is not left to the system.
    signals: Option<&'a mut Signals>,
    sieve: Sieve,
    /// Those of `--where`.
    filters: Option<Filters>,
    /// Deliveries read so far, whatever the filters say.
    count: usize,
    /// When the newest delivery so far came.
    newest: Option<Timestamp>,
    streams: Vec<Stream>,
    stories: Stories,
    showing: Showing<'a>,
    /// Of how many deliveries a filter could not judge.
    failures: Failures,
    /// Of `--last N`, the newest N so far.
    kept: VecDeque<Kept>,
    /// Whether they were shown: what comes later is shown as it comes.
    is_released: bool,
    told: Instant,
}

impl<'a> Reader<'a> {
    /// A reader that has read nothing.
    pub fn new(config: &'a Config, sink: &'a Sink, signals: Option<&'a mut Signals>) -> Result<Self, Error> {
        let filters = &config.query.filters;
        Ok(Reader {
            config,
            sink,
            signals,
            sieve: Sieve::of(&config.query, config.view.tells_stories()),
            filters: if filters.is_empty() { None } else { Some(Filters::start(filters.clone())?) },
            count: 0,
            newest: None,
            streams: Vec::new(),
            stories: Stories::default(),
            showing: Showing::new(config, sink),
            failures: Failures::default(),
            kept: VecDeque::new(),
            is_released: false,
            told: Instant::now(),
        })
    }

    /// Reads one journal to its end: of a pipe, until the other side closes it.
    pub async fn read(&mut self, mut stream: Stream) -> Result<Audience, Error> {
        let mut audience = match stream.begins {
            Some(begins) if self.newest.is_some_and(|newest| begins < newest) => {
                let text = format!(
                    "{} begins before what was read until there ends: the order is not that of time",
                    stream.name
                );
                self.say(Note::warning(text)).await
            }
            _ => Audience::Listening,
        };
        if !audience.is_closed() {
            audience = self.drain(&mut stream).await?;
        }
        while !audience.is_closed() && stream.is_open() {
            let (stop, closed) = (stopping(&mut self.signals), self.sink.closed());
            audience = tokio::select! {
                () = stop => Audience::Closed,
                () = closed => Audience::Closed,
                () = stream.wait() => self.drain(&mut stream).await?,
            };
        }
        self.streams.push(stream);
        Ok(audience)
    }

    /// Goes on reading as the journals grow, until the user or the audience has enough. What came through a pipe is over.
    pub async fn follow(&mut self) -> Result<(), Error> {
        let mut streams = std::mem::take(&mut self.streams);
        streams.retain(Stream::may_grow);
        while !streams.is_empty() {
            for stream in &mut streams {
                if self.drain(stream).await?.is_closed() {
                    return Ok(());
                }
                if stream.is_replaced() {
                    // What was written between the last look and the change.
                    if self.drain(stream).await?.is_closed() || self.finish_line(stream).await?.is_closed() {
                        return Ok(());
                    }
                    let text = format!("{} was begun anew", stream.name);
                    stream.turn()?;
                    if self.say(Note::info(text)).await.is_closed() || self.drain(stream).await?.is_closed() {
                        return Ok(());
                    }
                }
            }
            tokio::select! {
                () = stopping(&mut self.signals) => return Ok(()),
                () = self.sink.closed() => return Ok(()),
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        Ok(())
    }

    /// Reads what there is. The beginning of a line that may go on is kept where the journal is followed.
    async fn drain(&mut self, stream: &mut Stream) -> Result<Audience, Error> {
        loop {
            let next = journal::next_line(&mut stream.input, &mut stream.line);
            let next = next.map_err(|source| Error::Read { what: stream.name.clone(), source })?;
            // The beginning of a line stays with the stream where it may go on.
            if matches!(next, Next::End | Next::Pending)
                || next == Next::Torn && self.config.follow && stream.may_grow()
            {
                return Ok(Audience::Listening);
            }
            stream.number += 1;
            if stream.number.is_multiple_of(LINES) {
                self.tell(stream).await;
                if self.is_stopped().await {
                    return Ok(Audience::Closed);
                }
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

    /// Reads a last line that was left without its end.
    async fn finish_line(&mut self, stream: &mut Stream) -> Result<Audience, Error> {
        if stream.line.is_empty() {
            return Ok(Audience::Listening);
        }
        stream.number += 1;
        self.line(stream).await
    }

    /// Whether the user wants it to stop, in between.
    async fn is_stopped(&mut self) -> bool {
        if self.signals.is_none() {
            return false;
        }
        // So that signals get their turn.
        tokio::task::yield_now().await;
        tokio::select! {
            biased;
            () = stopping(&mut self.signals) => true,
            () = std::future::ready(()) => false,
        }
    }

    /// Tells how far it has come, as long as nothing else is said.
    async fn tell(&mut self, stream: &Stream) {
        if !self.showing.is_silent() && self.config.view.is_shown_while_read() || self.told.elapsed() < TELL {
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
        let Ok(text) = std::str::from_utf8(line) else {
            return Ok(self.say(damaged(&stream.place(), "it is not UTF-8")).await);
        };
        if text.trim().is_empty() {
            return Ok(Audience::Listening);
        }
        let taken = match Glance::of(text) {
            Some(glance) => {
                self.count += 1;
                self.glance(&glance, || parse(text))
            }
            None => match Record::parse(text) {
                Ok(Parsed::Delivery(record)) => {
                    self.count += 1;
                    self.glance(&Glance::from(&*record), || Ok(record.clone()))
                }
                Ok(Parsed::Other(_)) => Ok(Taken::No),
                Err(damage) => Err(damage.0),
            },
        };
        match taken {
            Ok(Taken::Read(record)) => self.delivery(record, text.to_owned(), stream.place()).await,
            Ok(Taken::Unread) => {
                self.keep(Kept { number: self.count, line: text.to_owned(), record: None, place: stream.place() });
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
        self.newest = self.newest.max(Some(glance.at));
        // What a filter leaves out is still part of its prediction's story.
        let tells = self.config.view.tells_stories() && query.is_about(glance);
        let takes = query.takes_at_a_glance(glance) && self.config.view.is_about(self.count, glance);
        let is_counted = takes && self.is_counted_at_a_glance();
        if is_counted {
            self.showing.count(glance);
        }
        if !tells && (!takes || is_counted) {
            return Ok(Taken::No);
        }
        if !tells && self.keeps_back() && !query.wants_all() {
            return Ok(Taken::Unread);
        }
        let mut record = record()?;
        // Before stories are told: a forgery is no part of them.
        self.check_again(&mut record);
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

    async fn delivery(&mut self, mut record: Box<Record>, line: String, place: String) -> Result<Audience, Error> {
        let Config { query, .. } = self.config;
        if !query.takes_wholly(&record) || !self.holds(&mut record, &line, &place).await? {
            return Ok(Audience::Listening);
        }
        if !self.keeps_back() {
            return self.showing.show(Entry { number: self.count, record: *record, line, account: None }).await;
        }
        self.keep(Kept { number: self.count, line, record: Some(record), place });
        Ok(Audience::Listening)
    }

    /// Whether every filter of `--where` is true of a delivery. One that does not end would not on others either.
    async fn holds(&mut self, record: &mut Record, line: &str, place: &str) -> Result<bool, Error> {
        let Some(filters) = &mut self.filters else { return Ok(true) };
        let Config { policy, now, .. } = self.config;
        let line = if policy.secrets.is_empty() {
            line.as_bytes().to_vec()
        } else {
            explain(record, policy, *now);
            record.to_line()
        };
        let judged = filters.judge(line).await;
        for (filter, judged) in self.config.query.filters.iter().zip(judged) {
            let filter = filter.text();
            match judged {
                Judged::Found(finding) if finding.holds => {}
                Judged::Found(finding) => {
                    self.failures.note(finding);
                    return Ok(false);
                }
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

    /// Checks the signature of a delivery again, where secrets were given.
    fn check_again(&self, record: &mut Record) {
        if !self.config.policy.secrets.is_empty() {
            record.verdict = check_again(record, &self.config.policy, self.config.now);
        }
    }

    async fn say(&self, event: Event) -> Audience {
        Audience::after(self.sink.say(event).await)
    }

    /// Shows what was kept back until the end of the files.
    pub async fn release(&mut self) -> Result<Audience, Error> {
        self.is_released = true;
        while let Some(Kept { number, line, record, place }) = self.kept.pop_front() {
            let read = record.map_or_else(|| self.parse_again(&line), Ok);
            let audience = match read {
                Ok(record) => self.showing.show(Entry { number, record: *record, line, account: None }).await?,
                Err(damage) => self.say(damaged(&place, &damage)).await,
            };
            if audience.is_closed() {
                return Ok(audience);
            }
        }
        Ok(Audience::Listening)
    }

    /// Reads the record of a line that was kept back unread.
    fn parse_again(&self, line: &str) -> Result<Box<Record>, String> {
        let mut record = parse(line)?;
        self.check_again(&mut record);
        Ok(record)
    }

    /// Says what can be said only at the end, and so when nothing was found.
    pub async fn finish(&mut self) -> Result<(), Error> {
        if self.streams.is_empty() {
            return Ok(());
        }
        if let Some(note) = self.failures.told() {
            self.say(Note::warning(note)).await;
        }
        self.showing.end(self.stories.unfinished(), self.count).await
    }

    /// What the signatures of the shown deliveries mean for the exit code, when they were checked again.
    pub fn exit(&self) -> Exit {
        self.showing.exit()
    }
}

/// The user's wish to stop; it never comes where that is left to the system.
pub async fn stopping(signals: &mut Option<&mut Signals>) {
    match signals {
        Some(signals) => drop(signals.next().await),
        None => std::future::pending().await,
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
