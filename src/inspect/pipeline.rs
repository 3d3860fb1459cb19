//! Journals, read in batches of lines as if they were one, and which of their deliveries are shown.

use std::collections::VecDeque;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::Config;
use super::present::{Presenter, explain};
use super::scan::{LineResult, LineScanner, ScanTask, ScannedBatch, ScannedLine, check, parse};
use super::sessions::Sessions;
use super::stream::{JournalStream, LineBatchRead};
use super::where_filter::{WhereFilter, WhereResults, WhereVerdict};
use crate::error::{Error, Exit};
use crate::event::{Event, JournalRow, Note, OutputState, ReadProgress, Sink, line_of};
use crate::journal::Record;
use crate::journal::file;
use crate::sys::signals::Signals;

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
pub(crate) struct Pipeline<'a> {
    config: &'a Config,
    sink: &'a Sink,
    /// The user's wish to stop, where that is not left to the system.
    signals: Option<&'a mut Signals>,
    /// How many batches are looked at side by side.
    threads: usize,
    /// One for each of them.
    sifts: Vec<LineScanner<'a>>,
    /// The filters of `--where`.
    asking: Option<WhereFilter<'a>>,
    /// Buffers to be used again.
    spare: Vec<Vec<u8>>,
    /// Deliveries read so far, whatever the filters say.
    count: usize,
    /// When the newest delivery so far came.
    newest: Option<Timestamp>,
    streams: Vec<JournalStream>,
    stories: Sessions,
    showing: Presenter<'a>,
    /// Of `--last N`, the newest N so far.
    kept: VecDeque<Kept>,
    /// Whether they were shown: what comes later is shown as it comes.
    is_released: bool,
    told: Instant,
}

impl<'a> Pipeline<'a> {
    /// A reader that has read nothing.
    pub(crate) fn new(config: &'a Config, sink: &'a Sink, signals: Option<&'a mut Signals>) -> Result<Self, Error> {
        let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS);
        Ok(Pipeline {
            config,
            sink,
            signals,
            threads,
            sifts: (0..threads).map(|_| LineScanner::new(config)).collect(),
            asking: WhereFilter::start(&config.query.filters, threads)?,
            spare: Vec::new(),
            count: 0,
            newest: None,
            streams: Vec::new(),
            stories: Sessions::default(),
            showing: Presenter::new(config, sink),
            kept: VecDeque::new(),
            is_released: false,
            told: Instant::now(),
        })
    }

    /// Reads one journal to its end: of a pipe, until the other side closes it.
    pub(crate) async fn read(&mut self, mut stream: JournalStream) -> Result<OutputState, Error> {
        let mut audience = match stream.begins {
            Some(begins) if self.newest.is_some_and(|newest| begins < newest) => {
                let text = format!(
                    "{} begins before what was read until there ends: the order is not that of time",
                    stream.name
                );
                self.say(Note::warning(text)).await
            }
            _ => OutputState::Open,
        };
        if !audience.is_closed() {
            audience = self.drain(&mut stream).await?;
        }
        while !audience.is_closed() && stream.is_open() {
            let (stop, closed) = (stopping(&mut self.signals), self.sink.closed());
            audience = tokio::select! {
                () = stop => OutputState::Closed,
                () = closed => OutputState::Closed,
                () = stream.wait() => self.drain(&mut stream).await?,
            };
        }
        self.streams.push(stream);
        Ok(audience)
    }

    /// Goes on reading as the journals grow, until the user or the audience has enough. What came through a pipe is over.
    pub(crate) async fn follow(&mut self) -> Result<(), Error> {
        let mut streams = std::mem::take(&mut self.streams);
        streams.retain(JournalStream::is_file);
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

    /// Reads what there is.
    async fn drain(&mut self, stream: &mut JournalStream) -> Result<OutputState, Error> {
        let mut batches = self.batches(stream)?;
        while !batches.is_empty() {
            let ahead = self.sift(&batches, stream)?;
            for (index, batch) in batches.iter().enumerate() {
                let sifted = std::mem::take(&mut self.sifts[index].sifted);
                if self.take(sifted, batch.is_too_long, stream).await?.is_closed() {
                    return Ok(OutputState::Closed);
                }
            }
            self.spare.extend(batches.into_iter().map(|batch| batch.bytes));
            batches = match ahead {
                Some(ahead) => ahead,
                None => self.batches(stream)?,
            };
            self.tell(stream).await;
            if self.is_stopped().await {
                return Ok(OutputState::Closed);
            }
        }
        Ok(OutputState::Open)
    }

    /// Reads a last line that was left without its end.
    async fn finish_line(&mut self, stream: &mut JournalStream) -> Result<OutputState, Error> {
        let Some(batch) = stream.last() else { return Ok(OutputState::Open) };
        let task = self.task();
        self.sifts[0].batch(&batch, task);
        let sifted = std::mem::take(&mut self.sifts[0].sifted);
        self.take(sifted, false, stream).await
    }

    /// As many batches as can be looked at side by side.
    fn batches(&mut self, stream: &mut JournalStream) -> Result<Vec<LineBatchRead>, Error> {
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
    fn sift(
        &mut self,
        batches: &[LineBatchRead],
        stream: &mut JournalStream,
    ) -> Result<Option<Vec<LineBatchRead>>, Error> {
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
    async fn tell(&mut self, stream: &JournalStream) {
        if !self.showing.is_silent() && self.config.view.is_shown_while_read() || self.told.elapsed() < TELL {
            return;
        }
        self.told = Instant::now();
        // Whoever has gone is noticed with what matters.
        let _ = self.sink.send(Event::Reading(ReadProgress { done: stream.read(), of: stream.size })).await;
    }

    /// Takes what came of a batch, in the order of its lines.
    async fn take(
        &mut self,
        sifted: ScannedBatch,
        is_too_long: bool,
        stream: &mut JournalStream,
    ) -> Result<OutputState, Error> {
        let (lines, deliveries) = (stream.number, self.count);
        stream.number += sifted.lines;
        self.showing.counted(sifted.counted);
        self.newest = self.newest.max(sifted.newest);
        if is_too_long {
            return Ok(self.say(Note::warning(file::too_long(&stream.name, stream.number))).await);
        }
        let mut found = sifted.found.into_iter().peekable();
        while found.peek().is_some() {
            let together = self.asking.as_ref().map_or(usize::MAX, WhereFilter::together);
            let mut some: Vec<ScannedLine> = found.by_ref().take(together).collect();
            let mut answers = match &mut self.asking {
                Some(asking) => asking.ask(&mut some).await,
                None => WhereResults::default(),
            };
            for ScannedLine { line, delivery, what } in some {
                let place = || format!("{}, line {}", stream.name, lines + line);
                self.count = deliveries + delivery;
                if self.take_one(what, &mut answers, &place).await?.is_closed() {
                    return Ok(OutputState::Closed);
                }
            }
        }
        self.count = deliveries + sifted.deliveries;
        Ok(OutputState::Open)
    }

    /// Takes what came of one line.
    async fn take_one(
        &mut self,
        what: LineResult,
        answers: &mut WhereResults,
        place: &dyn Fn() -> String,
    ) -> Result<OutputState, Error> {
        match what {
            LineResult::Damaged(damage) => Ok(self.say(damaged(&place(), &damage)).await),
            LineResult::Unread(line) => {
                self.keep(Kept { number: self.count, line, record: None, place: place() });
                Ok(OutputState::Open)
            }
            LineResult::Asked(_) => {
                let Some(asking) = &mut self.asking else { return Ok(OutputState::Open) };
                let (line, holds) = asking.next(answers, place)?;
                let line = line.to_owned();
                match self.stays(holds).await {
                    true => self.asked(line, place).await,
                    false => Ok(OutputState::Open),
                }
            }
            LineResult::Taken(entry) => self.delivery(*entry, place).await,
            LineResult::Told(mut entry, takes) => {
                self.stories.note(&mut entry.record, self.count);
                match takes && self.config.query.takes_wholly(&entry.record) {
                    true => self.delivery(*entry, place).await,
                    false => Ok(OutputState::Open),
                }
            }
        }
    }

    /// Shows or keeps back a delivery of which only the line was read so far.
    async fn asked(&mut self, line: String, place: &dyn Fn() -> String) -> Result<OutputState, Error> {
        match parse(&line) {
            Ok(record) => {
                self.show(JournalRow { number: self.count, record: *record, line: Some(line), trace: None }, place)
                    .await
            }
            Err(damage) => Ok(self.say(damaged(&place(), &damage)).await),
        }
    }

    /// What is asked of every line now.
    fn task(&self) -> ScanTask<'a> {
        ScanTask { config: self.config, keeps_back: self.keeps_back(), before: self.count }
    }

    /// Shows a delivery that all filters let pass, those of `--where` too, or keeps it back.
    async fn delivery(&mut self, mut entry: JournalRow, place: &dyn Fn() -> String) -> Result<OutputState, Error> {
        entry.number = self.count;
        if let Some(asking) = &mut self.asking {
            let Config { policy, now, .. } = self.config;
            let line = if policy.secrets.is_empty() {
                entry.line().into_owned()
            } else {
                explain(&mut entry.record, policy, *now);
                line_of(&entry.record)
            };
            let holds = asking.holds_of(line, place).await?;
            if !self.stays(holds).await {
                return Ok(OutputState::Open);
            }
        }
        self.show(entry, place).await
    }

    /// Shows a delivery, or keeps it back.
    async fn show(&mut self, entry: JournalRow, place: &dyn Fn() -> String) -> Result<OutputState, Error> {
        if !self.keeps_back() {
            return self.showing.show(entry).await;
        }
        let line = entry.line().into_owned();
        let JournalRow { number, record, .. } = entry;
        self.keep(Kept { number, line, record: Some(Box::new(record)), place: place() });
        Ok(OutputState::Open)
    }

    /// Whether a delivery stays by the filters of `--where`; says why nobody knows.
    async fn stays(&self, holds: WhereVerdict) -> bool {
        if let WhereVerdict::Unknown(why) = &holds {
            // Whoever has gone is noticed with what matters.
            self.say(Note::warning(why.clone())).await;
        }
        matches!(holds, WhereVerdict::Yes)
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

    async fn say(&self, event: Event) -> OutputState {
        OutputState::of(self.sink.send(event).await)
    }

    /// Shows what was kept back until the end of the files.
    pub(crate) async fn release(&mut self) -> Result<OutputState, Error> {
        self.is_released = true;
        while let Some(Kept { number, line, record, place }) = self.kept.pop_front() {
            let read = record.map_or_else(|| self.parse_again(&line), Ok);
            let audience = match read {
                Ok(record) => {
                    self.showing.show(JournalRow { number, record: *record, line: Some(line), trace: None }).await?
                }
                Err(damage) => self.say(damaged(&place, &damage)).await,
            };
            if audience.is_closed() {
                return Ok(audience);
            }
        }
        Ok(OutputState::Open)
    }

    /// Reads the record of a line that was kept back unread.
    fn parse_again(&self, line: &str) -> Result<Box<Record>, String> {
        let mut record = parse(line)?;
        check(&mut record, self.config);
        Ok(record)
    }

    /// Says what can be said only at the end, and so when nothing was found.
    pub(crate) async fn finish(&mut self) -> Result<(), Error> {
        if self.streams.is_empty() {
            return Ok(());
        }
        for sift in std::mem::take(&mut self.sifts) {
            self.showing.count(sift.statistics);
        }
        if let Some(note) = self.asking.as_ref().and_then(WhereFilter::told) {
            self.say(Note::warning(note)).await;
        }
        self.showing.end(self.stories.unfinished(), self.count).await
    }

    /// What the signatures of the shown deliveries mean for the exit code, when they were checked again.
    pub(crate) fn exit(&self) -> Exit {
        self.showing.exit()
    }
}

/// The user's wish to stop; it never comes where that is left to the system.
pub(crate) async fn stopping(signals: &mut Option<&mut Signals>) {
    match signals {
        Some(signals) => drop(signals.next().await),
        None => std::future::pending().await,
    }
}

fn damaged(place: &str, damage: &str) -> Event {
    Note::warning(format!("{place} is damaged and left out: {damage}"))
}
