//! Journals, read line by line as if they were one, and what becomes of each delivery.

use std::collections::VecDeque;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Config;
use super::redact::redacted;
use super::sift::{Found, Sift, Sifted, Task, What, check, line_of, parse};
use super::story::Stories;
use super::stream::{Batch, Stream};
use super::view::Views;
use crate::error::{Error, Exit};
use crate::event::{Entry, Event, Note, Reading, Sink};
use crate::io::filters::{Filters, Judged};
use crate::io::journal;
use crate::io::signals::Signals;
use crate::payload::record::Record;
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

/// How many threads look at lines at most: further ones would wait for the one that reads.
const THREADS: usize = 4;

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

/// Reads journals one after the other as if they were one.
pub struct Reader<'a> {
    config: &'a Config,
    sink: &'a Sink,
    /// How many batches are looked at side by side.
    threads: usize,
    /// One for each of them.
    sifts: Vec<Sift>,
    /// Those of `--where`.
    filters: Option<Filters>,
    /// Buffers to be used again.
    spare: Vec<Vec<u8>>,
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
        let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS);
        Ok(Reader {
            config,
            sink,
            threads,
            sifts: (0..threads).map(|_| Sift::new(config)).collect(),
            filters: if filters.is_empty() { None } else { Some(Filters::start(filters.clone())?) },
            spare: Vec::new(),
            count: 0,
            shown: 0,
            streams: Vec::new(),
            stories: Stories::default(),
            views: Views::new(&config.view, sink),
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

    /// Reads what there is.
    async fn drain(&mut self, stream: &mut Stream) -> Result<Audience, Error> {
        let mut batches = self.batches(stream)?;
        while !batches.is_empty() {
            let ahead = self.sift(&batches, stream)?;
            for (index, batch) in batches.iter().enumerate() {
                let sifted = std::mem::take(&mut self.sifts[index].sifted);
                if self.take(sifted, batch.is_too_long, stream).await?.is_closed() {
                    return Ok(Audience::Closed);
                }
            }
            self.spare.extend(batches.into_iter().map(|batch| batch.bytes));
            batches = match ahead {
                Some(ahead) => ahead,
                None => self.batches(stream)?,
            };
            self.tell(stream).await;
        }
        Ok(Audience::Listening)
    }

    /// As many batches as can be looked at side by side.
    fn batches(&mut self, stream: &mut Stream) -> Result<Vec<Batch>, Error> {
        let side_by_side = stream.is_file() && !self.config.view.asks_for_numbers();
        let wanted = if side_by_side { self.threads } else { 1 };
        let mut batches = Vec::new();
        while batches.len() < wanted {
            match stream.batch(self.spare.pop().unwrap_or_default(), self.config.follow)? {
                Some(batch) => batches.push(batch),
                None => break,
            }
        }
        Ok(batches)
    }

    /// Looks at batches, one thread each. Meanwhile those that come next are read, where that does not mean to wait.
    fn sift(&mut self, batches: &[Batch], stream: &mut Stream) -> Result<Option<Vec<Batch>>, Error> {
        let task = self.task();
        let mut sifts = std::mem::take(&mut self.sifts);
        let work = sifts.iter_mut().zip(batches);
        let ahead = if stream.is_file() {
            thread::scope(|scope| {
                work.for_each(|(sift, batch)| drop(scope.spawn(move || sift.batch(batch, task))));
                self.batches(stream).map(Some)
            })
        } else {
            work.for_each(|(sift, batch)| sift.batch(batch, task));
            Ok(None)
        };
        self.sifts = sifts;
        ahead
    }

    /// Tells how far it has come, as long as nothing else is said.
    async fn tell(&mut self, stream: &Stream) {
        if self.shown > 0 && self.config.view.is_shown_while_read() || self.told.elapsed() < TELL {
            return;
        }
        self.told = Instant::now();
        // Whoever has gone is noticed with what matters.
        let _ = self.sink.say(Event::Reading(Reading { done: stream.read(), of: stream.size })).await;
    }

    /// Takes what came of a batch, in the order of its lines.
    async fn take(&mut self, sifted: Sifted, is_too_long: bool, stream: &mut Stream) -> Result<Audience, Error> {
        let (lines, deliveries) = (stream.number, self.count);
        stream.number += sifted.lines;
        self.shown += sifted.counted;
        if is_too_long {
            return Ok(self.say(Note::warning(journal::too_long(&stream.name, stream.number))).await);
        }
        for Found { line, delivery, what } in sifted.found {
            let place = || format!("{}, line {}", stream.name, lines + line);
            self.count = deliveries + delivery;
            let audience = match what {
                What::Damaged(damage) => self.say(damaged(&place(), &damage)).await,
                What::Unread(line) => {
                    self.keep(Kept { number: self.count, line, record: None, place: place() });
                    Audience::Listening
                }
                What::Taken(entry) => self.delivery(*entry, place()).await?,
                What::Told(mut entry, takes) => {
                    self.stories.note(&mut entry.record, self.count);
                    match takes && self.task().passes(&mut entry) {
                        true => self.delivery(*entry, place()).await?,
                        false => Audience::Listening,
                    }
                }
            };
            if audience.is_closed() {
                return Ok(audience);
            }
        }
        self.count = deliveries + sifted.deliveries;
        Ok(Audience::Listening)
    }

    /// What is asked of every line now.
    fn task(&self) -> Task<'a> {
        Task { config: self.config, keeps_back: self.keeps_back(), before: self.count }
    }

    /// Shows a delivery that the filters let pass, or keeps it back.
    async fn delivery(&mut self, mut entry: Entry, place: String) -> Result<Audience, Error> {
        entry.number = self.count;
        if !self.holds(&entry, &place).await? {
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

    async fn say(&self, event: Event) -> Audience {
        Audience::after(self.sink.say(event).await)
    }

    /// Shows what was kept back until the end of the files.
    pub async fn release(&mut self) -> Result<Audience, Error> {
        self.is_released = true;
        while let Some(Kept { number, line, record, place }) = self.kept.pop_front() {
            let audience = match record.map_or_else(|| parse(&line), Ok) {
                Ok(record) => {
                    let mut entry = Entry { number, record: *record, line, account: None };
                    // Where the filters asked for it, that was done.
                    if !self.config.query.asks_for_checks() {
                        check(&mut entry, self.config);
                    }
                    self.show(entry).await?
                }
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
        for sift in &mut self.sifts {
            self.views.count(std::mem::take(&mut sift.statistics));
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
