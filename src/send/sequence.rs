//! Courses driven one after the other, each delivery at its time.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::Instant;

use super::cog::{LastFailure, Planned, Simulation};
use super::deliver::{COMPARE, DeliveryEnd, Driver, faster};
use super::request::Prepared;
use super::schedule::{RunSchedule, Schedule, Scheduled};
use crate::clock::{after, due};
use crate::error::{Error, Exit};
use crate::event::{Event, Note, SentTally};
use crate::http::{IncomingResponse, NoResponse, Transport};
use crate::payload::retry::AttemptOutcome;

/// Drives every course, and says what came of all.
pub(crate) async fn run<T: Transport>(driver: &Driver<'_, T>, courses: Vec<Schedule>) -> Result<Exit, Error> {
    let started = Instant::now();
    let mut journey = Sequencer { driver, tally: SentTally::default(), exit: Exit::Done, refused: 0 };
    let mut courses = courses.into_iter();
    while let Some(course) = courses.next() {
        let left = match course {
            Schedule::Fixed(legs) => journey.travel(legs).await?,
            Schedule::Run(course) => journey.run(&course).await?,
        };
        if let Remaining::Behind(left) = left {
            journey.say_interrupted(left + courses.map(|course| course.legs().count()).sum::<usize>()).await;
            break;
        }
    }
    journey.tally.elapsed = started.elapsed();
    if let (Some(tamper), Exit::Expectation) = (driver.config().tamper, journey.exit) {
        let text = format!("the handler did not refuse {}: it must answer 4xx", tamper.summary());
        driver.say(Note::warning(text)).await;
    }
    if journey.refused > 0 && journey.refused == journey.tally.deliveries {
        let first =
            if driver.config().secrets.is_empty() { "give the receiver's secret with --secret" } else { COMPARE };
        driver.say(Note::info(format!("401 says that a signature is missing or does not hold: {first}"))).await;
    }
    // The last thing said: a writer that has gone by now has nothing to miss.
    driver.say(Event::Sent(journey.tally)).await;
    Ok(journey.exit)
}

struct Sequencer<'a, 'b, T> {
    driver: &'a Driver<'b, T>,
    tally: SentTally,
    exit: Exit,
    /// Deliveries that were refused with 401, where that was not expected.
    refused: u64,
}

/// What was left of a course.
enum Remaining {
    /// Nothing.
    Nothing,
    /// So many deliveries, as the user wants no more.
    Behind(usize),
}

impl<T: Transport> Sequencer<'_, '_, T> {
    /// Sends what is known from the start: each at its time, and not before the one before it has ended, so that the
    /// order is that of the course.
    async fn travel(&mut self, mut legs: VecDeque<Scheduled>) -> Result<Remaining, Error> {
        let started = Instant::now();
        while let Some(Scheduled { at, parcel }) = legs.pop_front() {
            tokio::select! {
                biased;
                exit = self.driver.stopped() => {
                    self.exit = exit;
                    return Ok(Remaining::Behind(1 + legs.len()));
                }
                () = due(after(started, faster(at, self.driver.config().gap_speed))) => {}
            }
            let ended = self.driver.drive(&parcel).await?;
            self.count(&ended);
            if ended.is_end() {
                return Ok(Remaining::Behind(legs.len()));
            }
        }
        Ok(Remaining::Nothing)
    }

    /// Sends a run as Cog does: what its server posts in line holds up what comes after, all else goes side by side.
    async fn run(&mut self, course: &RunSchedule) -> Result<Remaining, Error> {
        let driver = self.driver;
        let mut simulation = course.start(driver.now())?;
        let mut pace = RunClock { real: Instant::now(), run: Duration::ZERO, speed: driver.config().gap_speed };
        let mut under_way = FuturesUnordered::new();
        let (mut in_line, mut stopped) = (false, false);
        // What went out last beside the rest, and has not returned: at a higher speed, too, it is overtaken only by what
        // would overtake it in real time, and the Python server's throttle knows of its return.
        let mut beside: Option<RunClock> = None;
        loop {
            let leaves = |at| pace.due(at).max(beside.as_ref().map_or(pace.real, |beside| beside.due(at)));
            let next = simulation.due().filter(|_| !in_line && !stopped).map(leaves);
            if next.is_none() && under_way.is_empty() {
                break;
            }
            tokio::select! {
                biased;
                Some(posted) = under_way.next() => {
                    let FinishedDelivery { planned, times, took } = posted?;
                    times.iter().for_each(|ended| self.count(ended));
                    // A slow answer is slow at any speed.
                    let back = planned.at + took;
                    simulation.returned(back);
                    if !planned.in_line {
                        beside = beside.filter(|beside| beside.run != planned.at);
                    } else {
                        in_line = false;
                        pace = RunClock { real: Instant::now(), run: back, ..pace };
                    }
                    stopped |= times.iter().any(DeliveryEnd::is_end);
                    if let Some(again) = second_report(&mut simulation, driver, &planned, &times, back) {
                        driver.say(Note::info(SECOND_REPORT)).await;
                        in_line = true;
                        under_way.push(post(driver, course.parcel(&again, driver.config())?, again));
                    }
                }
                // Whatever is under way ends by itself.
                exit = driver.stopped(), if under_way.is_empty() => {
                    self.exit = exit;
                    stopped = true;
                }
                () = due(next.unwrap_or(pace.real)), if next.is_some() => {
                    let Some(planned) = simulation.advance(pace.run) else { continue };
                    in_line = planned.in_line;
                    if !in_line {
                        beside = Some(RunClock { real: Instant::now(), run: planned.at, speed: 1.0 });
                    }
                    under_way.push(post(driver, course.parcel(&planned, driver.config())?, planned));
                }
            }
        }
        Ok(if stopped { Remaining::Behind(simulation.play(Duration::ZERO).len()) } else { Remaining::Nothing })
    }

    fn count(&mut self, ended: &DeliveryEnd) {
        self.tally.deliveries += 1;
        self.tally.attempts += u64::from(ended.attempts);
        self.tally.acknowledged += u64::from(ended.acknowledged);
        self.tally.expected += u64::from(ended.exit == Exit::Done);
        let is_refused = matches!(ended.reply.outcome, AttemptOutcome::Answered { status: 401, .. });
        self.refused += u64::from(is_refused && ended.exit != Exit::Done);
        self.exit = self.exit.and(ended.exit);
    }

    async fn say_interrupted(&self, left: usize) {
        let text = match left {
            0 => return,
            1 => "interrupted: 1 delivery would still have come".to_owned(),
            _ => format!("interrupted: {left} deliveries would still have come"),
        };
        // The program ends here anyway.
        self.driver.say(Note::warning(text)).await;
    }
}

/// How the time of a run passes: from a moment at which both clocks were read, at the chosen speed.
struct RunClock {
    real: Instant,
    run: Duration,
    speed: f64,
}

impl RunClock {
    /// When something at this time of the run is due; at once where that has passed.
    fn due(&self, at: Duration) -> Instant {
        after(self.real, faster(at.saturating_sub(self.run), self.speed))
    }
}

/// A delivery of a run that has ended, with its repeats.
struct FinishedDelivery {
    planned: Planned,
    times: Vec<DeliveryEnd>,
    took: Duration,
}

async fn post<T: Transport>(
    driver: &Driver<'_, T>,
    parcel: Prepared,
    planned: Planned,
) -> Result<FinishedDelivery, Error> {
    let started = Instant::now();
    let mut times = Vec::new();
    for _ in 0..=driver.config().duplicate {
        times.push(driver.drive(&parcel).await?);
        if times.iter().any(DeliveryEnd::is_end) {
            break;
        }
    }
    Ok(FinishedDelivery { planned, times, took: started.elapsed() })
}

/// Cog's Python server, run against a receiver that never acknowledges.
const SECOND_REPORT: &str =
    "Cog's Python server takes the failed delivery for a failed prediction, and reports that too";

/// What Python's server reports when its last retry has failed.
fn second_report<T: Transport>(
    simulation: &mut Simulation,
    driver: &Driver<'_, T>,
    planned: &Planned,
    times: &[DeliveryEnd],
    at: Duration,
) -> Option<Planned> {
    let last = times.last().filter(|last| planned.terminal && last.exhausted)?;
    simulation.gave_up(at, &driver.config().to, last_failure(&last.reply)?)
}

/// How the last attempt failed, where Python's words for it are known.
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
