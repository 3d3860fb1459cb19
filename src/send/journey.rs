//! Courses driven one after the other, each delivery at its time.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Instant, sleep_until};

use super::cog::{LastFailure, Planned, Simulation};
use super::course::{Course, Leg, RunCourse};
use super::drive::{Driver, Ended, faster};
use super::parcel::Parcel;
use crate::error::{Error, Exit};
use crate::event::{Event, Note, SentTally};
use crate::io::client::{Cause, Transport};
use crate::payload::retry::Outcome;

/// Drives every course, and says what came of all.
pub async fn run<T: Transport>(driver: &Driver<'_, T>, courses: Vec<Course>) -> Result<Exit, Error> {
    let started = Instant::now();
    let mut journey = Journey { driver, tally: SentTally::default(), exit: Exit::Done };
    for course in courses {
        let going = match course {
            Course::Fixed(legs) => journey.travel(legs).await?,
            Course::Run(course) => journey.run(&course).await?,
        };
        if going.is_break() {
            break;
        }
    }
    journey.tally.elapsed = started.elapsed();
    if let (Some(tamper), Exit::Expectation) = (driver.config().tamper, journey.exit) {
        let text = format!("the handler did not refuse {}: it must answer 4xx", tamper.summary());
        driver.say(Note::warning(text)).await;
    }
    // The last thing said: a writer that has gone by now has nothing to miss.
    driver.say(Event::Sent(journey.tally)).await;
    Ok(journey.exit)
}

struct Journey<'a, 'b, T> {
    driver: &'a Driver<'b, T>,
    tally: SentTally,
    exit: Exit,
}

/// Whether it goes on.
type Going = ControlFlow<()>;

impl<T: Transport> Journey<'_, '_, T> {
    /// Sends what is known from the start: each at its time, and not before the one before it has ended, so that the
    /// order is that of the course.
    async fn travel(&mut self, mut legs: VecDeque<Leg>) -> Result<Going, Error> {
        let started = Instant::now();
        while let Some(Leg { at, parcel }) = legs.pop_front() {
            tokio::select! {
                () = sleep_until(self.due(started, at)) => {}
                exit = self.driver.stopped() => {
                    self.exit = exit;
                    self.say_interrupted(1 + legs.len()).await;
                    return Ok(Going::Break(()));
                }
            }
            let ended = self.driver.drive(&parcel).await?;
            if self.count(&ended).is_break() {
                self.say_interrupted(legs.len()).await;
                return Ok(Going::Break(()));
            }
        }
        Ok(Going::Continue(()))
    }

    /// Sends a run as Cog does: in line where its server waits for the answer, side by side where it does not.
    async fn run(&mut self, course: &RunCourse) -> Result<Going, Error> {
        let driver = self.driver;
        let started = Instant::now();
        let mut simulation = course.start(driver.now())?;
        let mut under_way = FuturesUnordered::new();
        while let Some(at) = simulation.due() {
            let due = self.due(started, at);
            tokio::select! {
                biased;
                Some(ended) = under_way.next() => {
                    simulation.returned(self.since(started));
                    if self.count(&ended?).is_break() {
                        return self.interrupted(simulation).await;
                    }
                }
                exit = driver.stopped() => {
                    self.exit = exit;
                    while let Some(ended) = under_way.next().await {
                        let _ = self.count(&ended?);
                    }
                    return self.interrupted(simulation).await;
                }
                () = sleep_until(due) => {
                    let Some(planned) = simulation.advance(self.since(started)) else { continue };
                    let parcel = course.parcel(&planned, driver.config())?;
                    if !planned.in_line {
                        (0..=driver.config().duplicate).for_each(|_| under_way.push(drive(driver, parcel.clone())));
                        continue;
                    }
                    for _ in 0..=driver.config().duplicate {
                        let ended = driver.drive(&parcel).await?;
                        simulation.returned(self.since(started));
                        if self.count(&ended).is_break() {
                            return self.interrupted(simulation).await;
                        }
                        let second = self.second_report(&mut simulation, started, &planned, &ended, &parcel);
                        if let Some(planned) = second {
                            let parcel = course.parcel(&planned, driver.config())?;
                            driver.say(Note::info(SECOND_REPORT)).await;
                            let ended = driver.drive(&parcel).await?;
                            if self.count(&ended).is_break() {
                                return Ok(Going::Break(()));
                            }
                        }
                    }
                }
            }
        }
        while let Some(ended) = under_way.next().await {
            if self.count(&ended?).is_break() {
                return Ok(Going::Break(()));
            }
        }
        Ok(Going::Continue(()))
    }

    /// What Python's server reports when its last retry has failed.
    fn second_report(
        &self,
        simulation: &mut Simulation,
        started: Instant,
        planned: &Planned,
        ended: &Ended,
        parcel: &Parcel,
    ) -> Option<Planned> {
        let exhausted = ended.attempts == parcel.retry.attempts(parcel.is_terminal());
        let failure = last_failure(ended)?;
        let gave_up = planned.terminal && exhausted && !ended.acknowledged && ended.exit != Exit::Done;
        gave_up.then(|| simulation.gave_up(self.since(started), &self.driver.config().to, failure)).flatten()
    }

    /// When something at this time of a course is due, at the chosen speed.
    fn due(&self, started: Instant, at: Duration) -> Instant {
        started + faster(at, self.driver.config().gap_speed)
    }

    /// The time of a course that has passed, at the chosen speed.
    fn since(&self, started: Instant) -> Duration {
        faster(started.elapsed(), 1.0 / self.driver.config().gap_speed)
    }

    fn count(&mut self, ended: &Ended) -> Going {
        self.tally.deliveries += 1;
        self.tally.attempts += u64::from(ended.attempts);
        self.tally.acknowledged += u64::from(ended.acknowledged);
        self.tally.expected += u64::from(ended.exit == Exit::Done);
        self.exit = self.exit.and(ended.exit);
        if ended.is_end() { Going::Break(()) } else { Going::Continue(()) }
    }

    async fn interrupted(&self, rest: Simulation) -> Result<Going, Error> {
        self.say_interrupted(rest.play(Duration::ZERO).len()).await;
        Ok(Going::Break(()))
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

/// Cog's Python server, run against a receiver that never acknowledges.
const SECOND_REPORT: &str =
    "Cog's Python server takes the failed delivery for a failed prediction, and reports that too";

async fn drive<T: Transport>(driver: &Driver<'_, T>, parcel: Parcel) -> Result<Ended, Error> {
    driver.drive(&parcel).await
}

/// How the last attempt failed, where Python's words for it are known.
fn last_failure(ended: &Ended) -> Option<LastFailure> {
    let reply = ended.reply.as_ref()?;
    if let Outcome::Answered { status, .. } = reply.outcome {
        return Some(LastFailure::Status(status));
    }
    match reply.cause? {
        Cause::Refused => Some(LastFailure::Refused),
        Cause::Unresolved => Some(LastFailure::Unresolved),
        Cause::Reset => Some(LastFailure::Reset),
        Cause::Closed => Some(LastFailure::Closed),
        Cause::TimedOut | Cause::Tls | Cause::Malformed => None,
    }
}
