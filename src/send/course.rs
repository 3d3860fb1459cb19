//! What goes out when: the deliveries of one source in the order and at the times at which they leave.

use std::collections::VecDeque;
use std::time::Duration;

use super::Config;
use super::parcel::Parcel;
use super::source::{Matter, Source};
use crate::error::Error;

/// A delivery with its place in time.
#[derive(Clone, Debug)]
pub struct Leg {
    /// When it leaves, since the start of its course, in the course's own time.
    pub at: Duration,
    /// What leaves.
    pub parcel: Parcel,
}

/// The deliveries of one source.
#[derive(Debug)]
pub struct Course {
    legs: VecDeque<Leg>,
}

impl Course {
    /// The course of a source as the user asked for it.
    pub fn of(source: Source, config: &Config) -> Result<Self, Error> {
        let name = source.name;
        let legs = match source.matter {
            Matter::Payload { body, provider, shape } => {
                let mut parcel = Parcel::pack(&name, &body, provider, shape, config)?;
                parcel.file = source.file.filter(|_| parcel.body == body);
                vec![Leg { at: Duration::ZERO, parcel }]
            }
            Matter::Journal(recording) => {
                let replay = |(at, delivery)| Ok(Leg { at, parcel: Parcel::replay(&name, &delivery, config)? });
                recording.deliveries.into_iter().map(replay).collect::<Result<_, Error>>()?
            }
        };
        let wanted = |leg: &Leg| config.events.as_ref().is_none_or(|events| leg.parcel.is_one_of(events));
        let legs = legs.into_iter().filter(wanted);
        Ok(Course::of_legs(legs.flat_map(|leg| std::iter::repeat_n(leg, 1 + config.duplicate)).collect()))
    }

    /// A course of these, in this order.
    pub fn of_legs(legs: Vec<Leg>) -> Self {
        Course { legs: legs.into() }
    }

    /// The next delivery.
    pub fn next_leg(&mut self) -> Option<Leg> {
        self.legs.pop_front()
    }

    /// Those that are still to come.
    pub fn rest(&self) -> impl Iterator<Item = &Leg> {
        self.legs.iter()
    }
}

/// All deliveries of these in another order. The times at which one leaves stay; which one it is changes.
pub fn shuffled(courses: Vec<Course>, seed: u64) -> Course {
    let (mut times, mut parcels) = (Vec::new(), Vec::new());
    let mut start = Duration::ZERO;
    for course in courses {
        let end = course.legs.back().map_or(Duration::ZERO, |leg| leg.at);
        for leg in course.legs {
            times.push(start + leg.at);
            parcels.push(leg.parcel);
        }
        start += end;
    }
    fastrand::Rng::with_seed(seed).shuffle(&mut parcels);
    Course::of_legs(times.into_iter().zip(parcels).map(|(at, parcel)| Leg { at, parcel }).collect())
}
