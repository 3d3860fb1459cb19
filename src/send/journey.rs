//! Courses driven one after the other, each delivery at its time.

use tokio::time::{Instant, sleep_until};

use super::course::{Course, Leg};
use super::drive::{Driver, Ended, faster};
use crate::error::{Error, Exit};
use crate::event::{Event, Note, SentTally};
use crate::io::client::Transport;

/// Drives every course, and says what came of all.
pub async fn run<T: Transport>(driver: &Driver<'_, T>, courses: Vec<Course>) -> Result<Exit, Error> {
    let started = Instant::now();
    let mut journey = Journey { driver, tally: SentTally::default(), exit: Exit::Done };
    for course in courses {
        if journey.travel(course).await?.is_break() {
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
type Going = std::ops::ControlFlow<()>;

impl<T: Transport> Journey<'_, '_, T> {
    async fn travel(&mut self, mut course: Course) -> Result<Going, Error> {
        let started = Instant::now();
        while let Some(Leg { at, parcel }) = course.next_leg() {
            let due = started + faster(at, self.driver.config().gap_speed);
            tokio::select! {
                () = sleep_until(due) => {}
                exit = self.driver.stopped() => {
                    self.exit = exit;
                    self.say_interrupted(1 + course.rest().count()).await;
                    return Ok(Going::Break(()));
                }
            }
            let ended = self.driver.drive(&parcel).await?;
            self.count(&ended);
            if ended.is_end() {
                self.say_interrupted(course.rest().count()).await;
                return Ok(Going::Break(()));
            }
        }
        Ok(Going::Continue(()))
    }

    fn count(&mut self, ended: &Ended) {
        self.tally.deliveries += 1;
        self.tally.attempts += u64::from(ended.attempts);
        self.tally.acknowledged += u64::from(ended.acknowledged);
        self.tally.expected += u64::from(ended.exit == Exit::Done);
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
