//! `--count`: many deliveries, each with its own id and signature, concurrently and at a rate, with measured latencies.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use hdrhistogram::{CreationError, Histogram};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::config::Load;
use super::deliver::{DeliveryEnd, Driver};
use super::schedule::Schedule;
use super::template::Template;
use crate::clock::{after, due};
use crate::error::{Error, Exit};
use crate::event::{Event, Latency, LoadProgress, LoadReport, SentTally, count};
use crate::http::Transport;
use crate::payload::retry::AttemptOutcome;

/// The longest latency that the histogram holds, in microseconds.
const HOUR: u64 = 3_600_000_000;

/// The interval of progress events.
const TICK: Duration = Duration::from_millis(100);

/// The sources take turns.
pub(crate) async fn run<T: Transport>(
    driver: &Driver<'_, T>,
    schedules: Vec<Schedule>,
    load: Load,
) -> Result<Exit, Error> {
    let scheduled = schedules.iter().flat_map(Schedule::scheduled);
    let run = LoadRun {
        driver,
        templates: scheduled.map(|scheduled| Template::of(scheduled.prepared.clone())).collect(),
        load,
        started: Instant::now(),
        next: Cell::new(0),
        counts: RefCell::new(LoadCounts::new()?),
    };
    let concurrency = load.concurrency.min(usize::try_from(load.count).unwrap_or(usize::MAX));
    let mut workers: FuturesUnordered<_> = (0..concurrency).map(|_| run.work()).collect();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            ended = workers.next() => match ended {
                Some(ended) => ended?,
                None => break,
            },
            _ = ticks.tick() => {
                driver.emit(Event::Progress(run.progress())).await;
            }
        }
    }
    drop(workers);
    let (exit, report) = run.report();
    driver.finish(Event::Load(Box::new(report))).await;
    Ok(exit)
}

struct LoadRun<'a, 'b, T> {
    driver: &'a Driver<'b, T>,
    templates: Vec<Template>,
    load: Load,
    started: Instant,
    /// The number of the next delivery, from 0.
    next: Cell<u64>,
    counts: RefCell<LoadCounts>,
}

struct LoadCounts {
    exit: Exit,
    tally: SentTally,
    /// Microseconds from a delivery's due time to its response.
    latency: Histogram<u64>,
    statuses: Vec<(u16, u64)>,
    errors: Vec<(String, u64)>,
}

impl<T: Transport> LoadRun<'_, '_, T> {
    /// Sends one delivery after another, until none is left.
    async fn work(&self) -> Result<(), Error> {
        while let Some(number) = self.take() {
            // With --rate, a latency starts at the due time of the delivery: a delivery that had to wait for a slow
            // receiver starts late, and its wait is part of the latency (coordinated omission).
            let mut begun = Instant::now();
            if let Some(rate) = self.load.rate {
                let wait = Duration::try_from_secs_f64(number as f64 / rate).unwrap_or(Duration::MAX);
                begun = after(self.started, wait);
                tokio::select! {
                    biased;
                    exit = self.driver.stopped() => {
                        self.stop(exit);
                        return Ok(());
                    }
                    () = due(begun) => {}
                }
            }
            let prepared = self.templates[number as usize % self.templates.len()].copy();
            let ended = self.driver.deliver(&prepared).await?;
            self.counts.borrow_mut().add(&ended, begun);
            if ended.stops_run() {
                self.stop(ended.exit);
            }
        }
        Ok(())
    }

    fn take(&self) -> Option<u64> {
        let number = self.next.get();
        self.next.set(number + 1);
        (number < self.load.count).then_some(number)
    }

    /// Starts no more deliveries.
    fn stop(&self, exit: Exit) {
        self.next.set(self.load.count);
        let mut counts = self.counts.borrow_mut();
        counts.exit = counts.exit.and(exit);
    }

    fn progress(&self) -> LoadProgress {
        let counts = self.counts.borrow();
        LoadProgress {
            done: counts.tally.deliveries,
            of: self.load.count,
            failed: counts.tally.deliveries - counts.tally.expected,
            elapsed: self.started.elapsed(),
        }
    }

    fn report(self) -> (Exit, LoadReport) {
        let elapsed = self.started.elapsed();
        let counts = self.counts.into_inner();
        let latency = &counts.latency;
        let at = |quantile: f64| Duration::from_micros(latency.value_at_quantile(quantile));
        let report = LoadReport {
            requested: self.load.count,
            deliveries: counts.tally.deliveries,
            acknowledged: counts.tally.acknowledged,
            expected: counts.tally.expected,
            attempts: counts.tally.attempts,
            elapsed,
            latency: (!latency.is_empty()).then(|| Latency {
                p50: at(0.5),
                p90: at(0.9),
                p99: at(0.99),
                max: Duration::from_micros(latency.max()),
            }),
            statuses: counts.statuses,
            errors: counts.errors,
        };
        (counts.exit, report)
    }
}

impl LoadCounts {
    fn new() -> Result<Self, Error> {
        let failed = |error: CreationError| Error::Setup { what: "the histogram", reason: error.to_string() };
        Ok(LoadCounts {
            exit: Exit::Done,
            tally: SentTally::default(),
            // Three significant digits: finer than the difference between two runs.
            latency: Histogram::new_with_bounds(1, HOUR, 3).map_err(failed)?,
            statuses: Vec::new(),
            errors: Vec::new(),
        })
    }

    fn add(&mut self, ended: &DeliveryEnd, begun: Instant) {
        self.exit = self.exit.and(ended.exit);
        ended.count_in(&mut self.tally);
        let reply = &ended.reply;
        match reply.outcome {
            AttemptOutcome::Answered { status, .. } => {
                count(&mut self.statuses, status);
                let took = reply.answered_at.map_or_else(|| begun.elapsed(), |at| at.duration_since(begun));
                self.latency.saturating_record(took.as_micros() as u64);
            }
            AttemptOutcome::Unreachable | AttemptOutcome::Unknown => {
                count(&mut self.errors, reply.error.clone().unwrap_or_else(|| "no answer".to_owned()));
            }
        }
    }
}
