//! Many of the same: each delivery with its own id and signature, side by side, at a rate, and measured.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use hdrhistogram::{CreationError, Histogram};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::deliver::{DeliveryEnd, Driver};
use super::request::Template;
use super::schedule::Schedule;
use crate::clock::{after, due};
use crate::error::{Error, Exit};
use crate::event::{Event, Latency, LoadProgress, LoadReport, count};
use crate::http::Transport;
use crate::payload::retry::AttemptOutcome;

/// How many, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Load {
    /// Deliveries in all.
    pub(crate) count: u64,
    /// How many are under way at the same time at most.
    pub(crate) concurrency: usize,
    /// How many leave in a second; without, as many as the receiver takes.
    pub(crate) rate: Option<f64>,
}

/// The longest latency that is told apart, in microseconds.
const HOUR: u64 = 3_600_000_000;

/// How often progress is said.
const TICK: Duration = Duration::from_millis(100);

/// Sends them, the sources taking turns.
pub(crate) async fn run<T: Transport>(
    driver: &Driver<'_, T>,
    courses: Vec<Schedule>,
    load: Load,
) -> Result<Exit, Error> {
    let legs = courses.iter().flat_map(Schedule::legs);
    let molds = legs.map(|leg| Template::of(leg.parcel.clone())).collect();
    let run =
        Run { driver, molds, load, started: Instant::now(), next: Cell::new(0), result: RefCell::new(Counts::new()?) };
    let workers = load.concurrency.min(usize::try_from(load.count).unwrap_or(usize::MAX));
    let mut workers: FuturesUnordered<_> = (0..workers).map(|_| run.work()).collect();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            ended = workers.next() => match ended {
                Some(ended) => ended?,
                None => break,
            },
            _ = ticks.tick() => {
                driver.say(Event::Progress(run.progress())).await;
            }
        }
    }
    drop(workers);
    let (exit, report) = run.report();
    // The last thing said: a writer that has gone by now has nothing to miss.
    driver.say(Event::Load(Box::new(report))).await;
    Ok(exit)
}

struct Run<'a, 'b, T> {
    driver: &'a Driver<'b, T>,
    molds: Vec<Template>,
    load: Load,
    started: Instant,
    next: Cell<u64>,
    result: RefCell<Counts>,
}

struct Counts {
    exit: Exit,
    done: u64,
    acknowledged: u64,
    expected: u64,
    attempts: u64,
    /// Microseconds from when a delivery was due to its answer.
    latency: Histogram<u64>,
    statuses: Vec<(u16, u64)>,
    errors: Vec<(String, u64)>,
}

impl<T: Transport> Run<'_, '_, T> {
    /// Sends one delivery after the other until all are taken.
    async fn work(&self) -> Result<(), Error> {
        while let Some(number) = self.take() {
            // At a rate, the time counts from when a delivery was due: one that waits for a slow receiver is late, and
            // leaving that out would praise the receiver for it (coordinated omission).
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
            let parcel = self.molds[number as usize % self.molds.len()].another(self.driver.config());
            let ended = self.driver.drive(&parcel).await?;
            self.result.borrow_mut().add(&ended, begun);
            if ended.is_end() {
                self.stop(ended.exit);
            }
        }
        Ok(())
    }

    /// The number of the next delivery.
    fn take(&self) -> Option<u64> {
        let number = self.next.get();
        self.next.set(number + 1);
        (number < self.load.count).then_some(number)
    }

    /// Leaves the rest.
    fn stop(&self, exit: Exit) {
        self.next.set(self.load.count);
        let mut result = self.result.borrow_mut();
        result.exit = result.exit.and(exit);
    }

    fn progress(&self) -> LoadProgress {
        let result = self.result.borrow();
        LoadProgress {
            done: result.done,
            of: self.load.count,
            failed: result.done - result.expected,
            elapsed: self.started.elapsed(),
        }
    }

    fn report(self) -> (Exit, LoadReport) {
        let elapsed = self.started.elapsed();
        let counts = self.result.into_inner();
        let latency = &counts.latency;
        let at = |quantile: f64| Duration::from_micros(latency.value_at_quantile(quantile));
        let report = LoadReport {
            requested: self.load.count,
            deliveries: counts.done,
            acknowledged: counts.acknowledged,
            expected: counts.expected,
            attempts: counts.attempts,
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

impl Counts {
    fn new() -> Result<Self, Error> {
        let failed = |error: CreationError| Error::Setup { what: "the histogram", reason: error.to_string() };
        Ok(Counts {
            exit: Exit::Done,
            done: 0,
            acknowledged: 0,
            expected: 0,
            attempts: 0,
            // Three digits: finer than what two runs have in common.
            latency: Histogram::new_with_bounds(1, HOUR, 3).map_err(failed)?,
            statuses: Vec::new(),
            errors: Vec::new(),
        })
    }

    fn add(&mut self, ended: &DeliveryEnd, begun: Instant) {
        self.exit = self.exit.and(ended.exit);
        self.done += 1;
        self.attempts += u64::from(ended.attempts);
        self.acknowledged += u64::from(ended.acknowledged);
        self.expected += u64::from(ended.exit == Exit::Done);
        let reply = &ended.reply;
        match reply.outcome {
            AttemptOutcome::Answered { status, .. } => {
                count(&mut self.statuses, status);
                // Of what never was answered there is no latency.
                let took = reply.answered_at.map_or_else(|| begun.elapsed(), |at| at.duration_since(begun));
                self.latency.saturating_record(took.as_micros() as u64);
            }
            AttemptOutcome::Unreachable | AttemptOutcome::Unknown => {
                count(&mut self.errors, reply.error.clone().unwrap_or_else(|| "no answer".to_owned()));
            }
        }
    }
}
