//! Reads journals as one, in batches of lines that several threads scan, and shows the selected deliveries.

use std::collections::VecDeque;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::check::{diagnose, update_verdict};
use super::config::Config;
use super::present::Presenter;
use super::scan::{LineResult, LineScanner, ScanTask, ScannedBatch, ScannedLine, parse};
use super::sessions::Sessions;
use super::where_filter::{WhereFilter, WhereResults, WhereVerdict};
use crate::error::{Error, Exit};
use crate::event::{Event, JournalRow, Note, OutputState, ReadProgress, Sink, line_of};
use crate::journal::Record;
use crate::journal::reader::{JournalReader, LineBatch, too_long};
use crate::journal::records::damaged;
use crate::sys::signals::Signals;

/// How often a journal is read on with --follow.
const POLL: Duration = Duration::from_millis(200);

/// The largest number of scanning threads: more would wait for the thread that reads.
const THREADS: usize = 4;

/// How often progress is shown.
const PROGRESS: Duration = Duration::from_millis(500);

/// A delivery that `--last` keeps until the end of the files.
struct Kept {
    number: usize,
    line: String,
    /// `None` where the summary was enough so far: most kept deliveries are never shown.
    record: Option<Box<Record>>,
    /// The source and line, for messages.
    place: String,
}

pub(crate) struct Pipeline<'a> {
    config: &'a Config,
    sink: &'a Sink,
    /// Signals that end --follow; without it the system handles them.
    signals: Option<&'a mut Signals>,
    /// How many batches are scanned at the same time.
    threads: usize,
    /// The scanner of each thread.
    scanners: Vec<LineScanner<'a>>,
    where_filter: Option<WhereFilter<'a>>,
    /// Buffers to be used again.
    buffers: Vec<Vec<u8>>,
    /// How many deliveries were read, whatever the filters select.
    count: usize,
    /// When the newest delivery so far came.
    newest: Option<Timestamp>,
    journals: Vec<JournalReader>,
    sessions: Sessions,
    presenter: Presenter<'a>,
    /// With `--last N`, the newest N so far.
    kept: VecDeque<Kept>,
    /// Whether the kept deliveries were shown: later deliveries are shown as they come.
    is_released: bool,
    progress_shown: Instant,
}

impl<'a> Pipeline<'a> {
    pub(crate) fn new(config: &'a Config, sink: &'a Sink, signals: Option<&'a mut Signals>) -> Result<Self, Error> {
        let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS);
        Ok(Pipeline {
            config,
            sink,
            signals,
            threads,
            scanners: (0..threads).map(|_| LineScanner::new(config)).collect(),
            where_filter: WhereFilter::start(&config.query.filters, threads)?,
            buffers: Vec::new(),
            count: 0,
            newest: None,
            journals: Vec::new(),
            sessions: Sessions::default(),
            presenter: Presenter::new(config, sink),
            kept: VecDeque::new(),
            is_released: false,
            progress_shown: Instant::now(),
        })
    }

    /// Reads one journal to its end; a pipe, until its writer closes it.
    pub(crate) async fn read(&mut self, mut journal: JournalReader) -> Result<OutputState, Error> {
        let mut output = match journal.begins {
            Some(begins) if self.newest.is_some_and(|newest| begins < newest) => {
                let text = format!(
                    "{} begins before the deliveries read so far end: deliveries are not in the order of time",
                    journal.name
                );
                self.send(Note::warning(text)).await
            }
            _ => OutputState::Open,
        };
        if !output.is_closed() {
            output = self.drain(&mut journal).await?;
        }
        while !output.is_closed() && journal.is_open() {
            let stop = stopped(&mut self.signals);
            let closed = self.sink.closed();
            output = tokio::select! {
                () = stop => OutputState::Closed,
                () = closed => OutputState::Closed,
                () = journal.wait() => self.drain(&mut journal).await?,
            };
        }
        self.journals.push(journal);
        Ok(output)
    }

    /// Reads on as the journals grow, until a signal or the end of the output. A pipe has been read to its end.
    pub(crate) async fn follow(&mut self) -> Result<(), Error> {
        let mut journals = std::mem::take(&mut self.journals);
        journals.retain(JournalReader::is_file);
        while !journals.is_empty() {
            for journal in &mut journals {
                if self.drain(journal).await?.is_closed() {
                    return Ok(());
                }
                if journal.is_replaced() {
                    // Lines written between the last read and the change.
                    if self.drain(journal).await?.is_closed() || self.finish_line(journal).await?.is_closed() {
                        return Ok(());
                    }
                    let text = format!("{} was begun anew", journal.name);
                    journal.reopen()?;
                    if self.send(Note::info(text)).await.is_closed() || self.drain(journal).await?.is_closed() {
                        return Ok(());
                    }
                }
            }
            tokio::select! {
                () = stopped(&mut self.signals) => return Ok(()),
                () = self.sink.closed() => return Ok(()),
                () = tokio::time::sleep(POLL) => {}
            }
        }
        Ok(())
    }

    /// Reads all lines that are there.
    async fn drain(&mut self, journal: &mut JournalReader) -> Result<OutputState, Error> {
        let mut batches = self.batches(journal)?;
        while !batches.is_empty() {
            let ahead = self.scan(&batches, journal)?;
            for (index, batch) in batches.iter().enumerate() {
                let scanned = std::mem::take(&mut self.scanners[index].scanned);
                if self.take_batch(scanned, batch.is_too_long, journal).await?.is_closed() {
                    return Ok(OutputState::Closed);
                }
            }
            self.buffers.extend(batches.into_iter().map(|batch| batch.bytes));
            batches = match ahead {
                Some(ahead) => ahead,
                None => self.batches(journal)?,
            };
            self.show_progress(journal).await;
            if self.is_stopped().await {
                return Ok(OutputState::Closed);
            }
        }
        Ok(OutputState::Open)
    }

    /// Reads a last line without a newline.
    async fn finish_line(&mut self, journal: &mut JournalReader) -> Result<OutputState, Error> {
        let Some(batch) = journal.take_unfinished() else { return Ok(OutputState::Open) };
        let task = self.task();
        self.scanners[0].scan(&batch, task);
        let scanned = std::mem::take(&mut self.scanners[0].scanned);
        self.take_batch(scanned, false, journal).await
    }

    /// As many batches as can be scanned at the same time.
    fn batches(&mut self, journal: &mut JournalReader) -> Result<Vec<LineBatch>, Error> {
        let is_parallel = journal.is_file() && !self.config.view.selects_by_number();
        let wanted = if is_parallel { self.threads } else { 1 };
        let mut batches = Vec::new();
        while batches.len() < wanted {
            match journal.next_batch(self.buffers.pop().unwrap_or_default(), self.config.follow)? {
                Some(batch) => batches.push(batch),
                None => break,
            }
        }
        Ok(batches)
    }

    /// Scans batches, one thread each. Meanwhile the next batches of a file are read; reading a pipe could wait.
    fn scan(&mut self, batches: &[LineBatch], journal: &mut JournalReader) -> Result<Option<Vec<LineBatch>>, Error> {
        let task = self.task();
        let mut scanners = std::mem::take(&mut self.scanners);
        let work = scanners.iter_mut().zip(batches);
        let ahead = if journal.is_file() {
            thread::scope(|scope| {
                work.for_each(|(scanner, batch)| drop(scope.spawn(move || scanner.scan(batch, task))));
                self.batches(journal).map(Some)
            })
        } else {
            work.for_each(|(scanner, batch)| scanner.scan(batch, task));
            Ok(None)
        };
        self.scanners = scanners;
        ahead
    }

    /// Whether a signal came since the last batch.
    async fn is_stopped(&mut self) -> bool {
        if self.signals.is_none() {
            return false;
        }
        // Lets the runtime receive signals.
        tokio::task::yield_now().await;
        tokio::select! {
            biased;
            () = stopped(&mut self.signals) => true,
            () = std::future::ready(()) => false,
        }
    }

    /// Shows progress, as long as no deliveries are shown.
    async fn show_progress(&mut self, journal: &JournalReader) {
        let shows_deliveries = !self.presenter.is_empty() && self.config.view.is_shown_while_read();
        if shows_deliveries || self.progress_shown.elapsed() < PROGRESS {
            return;
        }
        self.progress_shown = Instant::now();
        // A closed output is noticed with the next delivery.
        let _ = self.sink.send(Event::Reading(ReadProgress { done: journal.bytes_read(), of: journal.size })).await;
    }

    /// Handles the lines of a scanned batch, in their order.
    async fn take_batch(
        &mut self,
        scanned: ScannedBatch,
        is_too_long: bool,
        journal: &mut JournalReader,
    ) -> Result<OutputState, Error> {
        let lines = journal.lines;
        let deliveries = self.count;
        journal.lines += scanned.lines;
        self.presenter.add_counted(scanned.counted);
        self.newest = self.newest.max(scanned.newest);
        if is_too_long {
            return Ok(self.send(Note::warning(too_long(&journal.name, journal.lines))).await);
        }
        let mut found = scanned.found.into_iter().peekable();
        while found.peek().is_some() {
            let limit = self.where_filter.as_ref().map_or(usize::MAX, WhereFilter::batch_size);
            let mut some: Vec<ScannedLine> = found.by_ref().take(limit).collect();
            let mut results = match &mut self.where_filter {
                Some(filter) => filter.run(&mut some).await,
                None => WhereResults::default(),
            };
            for ScannedLine { line, delivery, result } in some {
                let place = || format!("{}, line {}", journal.name, lines + line);
                self.count = deliveries + delivery;
                if self.take_line(result, &mut results, &place).await?.is_closed() {
                    return Ok(OutputState::Closed);
                }
            }
        }
        self.count = deliveries + scanned.deliveries;
        Ok(OutputState::Open)
    }

    async fn take_line(
        &mut self,
        result: LineResult,
        results: &mut WhereResults,
        place: &dyn Fn() -> String,
    ) -> Result<OutputState, Error> {
        match result {
            LineResult::Damaged(damage) => Ok(self.send(damaged_note(&place(), &damage)).await),
            LineResult::Unparsed(line) => {
                self.keep(Kept { number: self.count, line, record: None, place: place() });
                Ok(OutputState::Open)
            }
            LineResult::Undecided(_) => {
                let Some(filter) = &mut self.where_filter else { return Ok(OutputState::Open) };
                let (line, verdict) = filter.next(results, place)?;
                if self.passes(verdict).await {
                    self.take_undecided(line.to_owned(), place).await
                } else {
                    Ok(OutputState::Open)
                }
            }
            LineResult::Selected(row) => self.take_row(*row, place).await,
            LineResult::InSession(mut row, is_selected) => {
                self.sessions.add(&mut row.record, self.count);
                if is_selected && self.config.query.matches_record(&row.record) {
                    self.take_row(*row, place).await
                } else {
                    Ok(OutputState::Open)
                }
            }
        }
    }

    /// Shows or keeps a delivery that is not parsed yet.
    async fn take_undecided(&mut self, line: String, place: &dyn Fn() -> String) -> Result<OutputState, Error> {
        match parse(&line) {
            Ok(record) => {
                self.show(JournalRow { number: self.count, record: *record, line: Some(line), trace: None }, place)
                    .await
            }
            Err(damage) => Ok(self.send(damaged_note(&place(), &damage)).await),
        }
    }

    fn task(&self) -> ScanTask<'a> {
        ScanTask { config: self.config, keeps_back: self.keeps_back(), before: self.count }
    }

    /// Shows or keeps a delivery, where the filters of `--where` select it too.
    async fn take_row(&mut self, mut row: JournalRow, place: &dyn Fn() -> String) -> Result<OutputState, Error> {
        row.number = self.count;
        if let Some(filter) = &mut self.where_filter {
            let Config { policy, now, .. } = self.config;
            let line = if policy.secrets.is_empty() {
                row.line().into_owned()
            } else {
                diagnose(&mut row.record, policy, *now);
                line_of(&row.record)
            };
            let verdict = filter.run_one(line, place).await?;
            if !self.passes(verdict).await {
                return Ok(OutputState::Open);
            }
        }
        self.show(row, place).await
    }

    /// Shows a delivery, or keeps it for `--last`.
    async fn show(&mut self, row: JournalRow, place: &dyn Fn() -> String) -> Result<OutputState, Error> {
        if !self.keeps_back() {
            return self.presenter.show(row).await;
        }
        let line = row.line().into_owned();
        let JournalRow { number, record, .. } = row;
        self.keep(Kept { number, line, record: Some(Box::new(record)), place: place() });
        Ok(OutputState::Open)
    }

    /// Whether the filters of `--where` select a delivery. Where a filter fails, a warning gives the reason.
    async fn passes(&self, verdict: WhereVerdict) -> bool {
        if let WhereVerdict::Unknown(why) = &verdict {
            // A closed output is noticed with the next delivery.
            self.send(Note::warning(why.clone())).await;
        }
        matches!(verdict, WhereVerdict::Yes)
    }

    fn keeps_back(&self) -> bool {
        self.config.query.last.is_some() && !self.is_released
    }

    fn keep(&mut self, kept: Kept) {
        self.kept.push_back(kept);
        if self.config.query.last.is_some_and(|last| self.kept.len() > last) {
            self.kept.pop_front();
        }
    }

    async fn send(&self, event: Event) -> OutputState {
        OutputState::of(self.sink.send(event).await)
    }

    /// Shows the deliveries that `--last` kept.
    pub(crate) async fn release(&mut self) -> Result<OutputState, Error> {
        self.is_released = true;
        while let Some(Kept { number, line, record, place }) = self.kept.pop_front() {
            let read = record.map_or_else(|| self.parse_kept(&line), Ok);
            let output = match read {
                Ok(record) => {
                    self.presenter.show(JournalRow { number, record: *record, line: Some(line), trace: None }).await?
                }
                Err(damage) => self.send(damaged_note(&place, &damage)).await,
            };
            if output.is_closed() {
                return Ok(output);
            }
        }
        Ok(OutputState::Open)
    }

    /// Parses the line of a kept delivery.
    fn parse_kept(&self, line: &str) -> Result<Box<Record>, String> {
        let mut record = parse(line)?;
        update_verdict(&mut record, self.config);
        Ok(record)
    }

    /// Shows what is known only at the end of all journals.
    pub(crate) async fn finish(&mut self) -> Result<(), Error> {
        if self.journals.is_empty() {
            return Ok(());
        }
        for scanner in std::mem::take(&mut self.scanners) {
            self.presenter.merge(scanner.statistics);
        }
        if let Some(note) = self.where_filter.as_ref().and_then(WhereFilter::note) {
            self.send(Note::warning(note)).await;
        }
        self.presenter.end(self.sessions.unfinished(), self.count).await
    }

    /// The exit code for the signatures of the shown deliveries, where they were checked again.
    pub(crate) fn exit(&self) -> Exit {
        self.presenter.exit()
    }
}

/// Waits for a signal. Never returns if `signals` is `None`.
pub(crate) async fn stopped(signals: &mut Option<&mut Signals>) {
    match signals {
        Some(signals) => drop(signals.next().await),
        None => std::future::pending().await,
    }
}

fn damaged_note(place: &str, damage: &str) -> Event {
    Note::warning(damaged(place, damage))
}
