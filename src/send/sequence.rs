//! Sends schedules one after another, each delivery at its time.

use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::Instant;

use super::cog::{LastFailure, Planned, Simulation};
use super::deliver::{COMPARE, DeliveryEnd, Driver, faster};
use super::request::Prepared;
use super::schedule::{Deliveries, RunSchedule, Schedule};
use crate::clock::{after, due};
use crate::error::{Error, Exit};
use crate::event::{Event, Note, SentTally};
use crate::http::{IncomingResponse, NoResponse, Transport};
use crate::payload::retry::AttemptOutcome;

/// Ends with the totals of all schedules.
pub(crate) async fn run<T: Transport>(driver: &Driver<'_, T>, schedules: Vec<Schedule>) -> Result<Exit, Error> {
    let started = Instant::now();
    let mut sequencer = Sequencer { driver, tally: SentTally::default(), exit: Exit::Done, refused: 0 };
    for (index, schedule) in schedules.iter().enumerate() {
        let remaining = match schedule {
            Schedule::Run(run) => sequencer.run_cog(run).await?,
            Schedule::Fixed(_) | Schedule::Journal(_) => {
                sequencer.run_fixed(schedule.read(driver.config())?, schedule.count()).await?
            }
        };
        if let Remaining::Behind(count) = remaining {
            let later = schedules[index + 1..].iter().map(Schedule::count).sum::<usize>();
            sequencer.warn_interrupted(count + later).await;
            break;
        }
    }
    sequencer.tally.elapsed = started.elapsed();
    if let (Some(tamper), Exit::Expectation) = (driver.config().tamper, sequencer.exit) {
        let text = format!("the handler did not refuse {}: it must answer 4xx", tamper.summary());
        driver.emit(Note::warning(text)).await;
    }
    if sequencer.refused > 0 && sequencer.refused == sequencer.tally.deliveries {
        let mend =
            if driver.config().secrets.is_empty() { "give the receiver's secret with --secret" } else { COMPARE };
        driver.emit(Note::info(format!("401 means a missing or invalid signature: {mend}"))).await;
    }
    driver.finish(Event::Sent(sequencer.tally)).await;
    Ok(sequencer.exit)
}

struct Sequencer<'a, 'b, T> {
    driver: &'a Driver<'b, T>,
    tally: SentTally,
    exit: Exit,
    /// Deliveries with an unexpected 401.
    refused: u64,
}

/// The deliveries of a schedule that were not sent.
enum Remaining {
    Nothing,
    /// The run was stopped before this many deliveries.
    Behind(usize),
}

impl<T: Transport> Sequencer<'_, '_, T> {
    /// Sends each delivery at its time, but only after the previous delivery has ended, so that the order is kept.
    async fn run_fixed(&mut self, deliveries: Deliveries<'_>, count: usize) -> Result<Remaining, Error> {
        let started = Instant::now();
        for (sent, scheduled) in deliveries.enumerate() {
            let scheduled = scheduled?;
            tokio::select! {
                biased;
                exit = self.driver.stopped() => {
                    self.exit = exit;
                    return Ok(Remaining::Behind(count.saturating_sub(sent)));
                }
                () = due(after(started, faster(scheduled.at, self.driver.config().gap_speed))) => {}
            }
            let ended = self.driver.deliver(&scheduled.prepared).await?;
            self.count(&ended);
            if ended.stops_run() {
                return Ok(Remaining::Behind(count.saturating_sub(sent + 1)));
            }
        }
        Ok(Remaining::Nothing)
    }

    /// Sends a run as Cog does: a POST in line delays the POSTs after it, all others are concurrent.
    async fn run_cog(&mut self, schedule: &RunSchedule) -> Result<Remaining, Error> {
        let driver = self.driver;
        let mut simulation = schedule.start(driver.now())?;
        let mut clock = RunClock { real: Instant::now(), run: Duration::ZERO, speed: driver.config().gap_speed };
        let mut in_flight = FuturesUnordered::new();
        let mut in_line = false;
        let mut stopped = false;
        // The last concurrent POST that has not returned. Its clock has speed 1: also at a higher speed, only deliveries
        // that would overtake this POST in real time do so, and the Python server's throttle learns of its return.
        let mut concurrent: Option<RunClock> = None;
        loop {
            let leaves = |at| clock.due(at).max(concurrent.as_ref().map_or(clock.real, |post| post.due(at)));
            let next = simulation.due().filter(|_| !in_line && !stopped).map(leaves);
            if next.is_none() && in_flight.is_empty() {
                break;
            }
            tokio::select! {
                biased;
                Some(finished) = in_flight.next() => {
                    let FinishedDelivery { planned, ends, took } = finished?;
                    ends.iter().for_each(|ended| self.count(ended));
                    // Not divided by the speed: a slow response is slow at any speed.
                    let returned_at = planned.at + took;
                    simulation.returned(returned_at);
                    if planned.in_line {
                        in_line = false;
                        clock = RunClock { real: Instant::now(), run: returned_at, ..clock };
                    } else {
                        concurrent = concurrent.filter(|post| post.run != planned.at);
                    }
                    stopped |= ends.iter().any(DeliveryEnd::stops_run);
                    if let Some(again) = second_report(&mut simulation, driver, &planned, &ends, returned_at) {
                        driver.emit(Note::info(SECOND_REPORT)).await;
                        in_line = true;
                        in_flight.push(post(driver, schedule.prepare(&again, driver.config())?, again));
                    }
                }
                // The deliveries in flight end by themselves.
                exit = driver.stopped(), if in_flight.is_empty() => {
                    self.exit = exit;
                    stopped = true;
                }
                () = due(next.unwrap_or(clock.real)), if next.is_some() => {
                    let Some(planned) = simulation.advance(clock.run) else { continue };
                    in_line = planned.in_line;
                    if !in_line {
                        concurrent = Some(RunClock { real: Instant::now(), run: planned.at, speed: 1.0 });
                    }
                    in_flight.push(post(driver, schedule.prepare(&planned, driver.config())?, planned));
                }
            }
        }
        Ok(if stopped { Remaining::Behind(simulation.play(Duration::ZERO).len()) } else { Remaining::Nothing })
    }

    fn count(&mut self, ended: &DeliveryEnd) {
        ended.count_in(&mut self.tally);
        let is_refused = matches!(ended.reply.outcome, AttemptOutcome::Answered { status: 401, .. });
        self.refused += u64::from(is_refused && ended.exit != Exit::Done);
        self.exit = self.exit.and(ended.exit);
    }

    async fn warn_interrupted(&self, left: usize) {
        let text = match left {
            0 => return,
            1 => "interrupted: 1 delivery was not sent".to_owned(),
            _ => format!("interrupted: {left} deliveries were not sent"),
        };
        // Whether the output is closed does not matter: the program ends here.
        self.driver.emit(Note::warning(text)).await;
    }
}

/// Converts the time of a run to real time. At the instant `real` the run's time was `run`; since then it passes `speed`
/// times faster.
struct RunClock {
    real: Instant,
    run: Duration,
    speed: f64,
}

impl RunClock {
    /// The instant of a time of the run; `real` where that time has passed.
    fn due(&self, at: Duration) -> Instant {
        after(self.real, faster(at.saturating_sub(self.run), self.speed))
    }
}

struct FinishedDelivery {
    planned: Planned,
    /// The end of the delivery, and of each `--duplicate` of it.
    ends: Vec<DeliveryEnd>,
    took: Duration,
}

async fn post<T: Transport>(
    driver: &Driver<'_, T>,
    prepared: Prepared,
    planned: Planned,
) -> Result<FinishedDelivery, Error> {
    let started = Instant::now();
    let mut ends = Vec::new();
    for _ in 0..=driver.config().duplicate {
        ends.push(driver.deliver(&prepared).await?);
        if ends.iter().any(DeliveryEnd::stops_run) {
            break;
        }
    }
    Ok(FinishedDelivery { planned, ends, took: started.elapsed() })
}

/// Measured: Cog's Python server against a receiver that never acknowledges.
const SECOND_REPORT: &str =
    "Cog's Python server treats the failed delivery as a failed prediction, and now reports that failure";

/// The delivery that the Python server makes after its last retry has failed.
fn second_report<T: Transport>(
    simulation: &mut Simulation,
    driver: &Driver<'_, T>,
    planned: &Planned,
    ends: &[DeliveryEnd],
    at: Duration,
) -> Option<Planned> {
    let last = ends.last().filter(|last| planned.terminal && last.exhausted)?;
    simulation.give_up(at, &driver.config().endpoint.url, last_failure(&last.reply)?)
}

/// `None` for failures whose message in Python is not known.
fn last_failure(reply: &IncomingResponse) -> Option<LastFailure> {
    if let AttemptOutcome::Answered { status, .. } = reply.outcome {
        return Some(LastFailure::Status(status));
    }
    match reply.cause? {
        NoResponse::Refused => Some(LastFailure::Refused),
        NoResponse::Unresolved => Some(LastFailure::Unresolved),
        NoResponse::Reset => Some(LastFailure::Reset),
        NoResponse::Closed => Some(LastFailure::Closed),
        NoResponse::TimedOut | NoResponse::Tls | NoResponse::Malformed => None,
    }
}

#[cfg(test)]
mod tests;
