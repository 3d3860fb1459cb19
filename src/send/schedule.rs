//! What goes out when: the deliveries of one source in the order and at the times at which they leave.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::cog::{self, CogEvent, Planned, Run, RunError, Settings, Simulation};
use super::request::Prepared;
use super::source::{Source, SourceKind};
use super::{Config, NewId};
use crate::error::Error;
use crate::payload::events::Events;
use crate::payload::nearest;
use crate::payload::provider::Shape;

/// A delivery with its place in time.
#[derive(Clone, Debug)]
pub(crate) struct Scheduled {
    /// When it leaves, since the start of its course, in the course's own time.
    pub(crate) at: Duration,
    /// What leaves.
    pub(crate) parcel: Prepared,
}

/// The deliveries of one source.
#[derive(Debug)]
pub(crate) enum Schedule {
    /// Known from the start.
    Fixed(VecDeque<Scheduled>),
    /// Made on the way: what Cog sends depends on how fast it is answered.
    Run(Box<RunSchedule>),
}

/// A Cog run to be sent.
#[derive(Debug)]
pub(crate) struct RunSchedule {
    name: String,
    run: Run,
    settings: Settings,
    /// What it comes to when every answer is there at once.
    preview: Vec<Scheduled>,
}

impl Schedule {
    /// The course of a source as the user asked for it.
    pub(crate) fn of(source: Source, config: &Config, now: Timestamp) -> Result<Self, Error> {
        let name = source.name;
        let legs = match source.matter {
            SourceKind::Payload { body, provider, shape } => {
                let mut parcel = Prepared::pack(&name, &body, provider, shape, config)?;
                parcel.file = source.file.filter(|_| parcel.body == body);
                vec![Scheduled { at: Duration::ZERO, parcel }]
            }
            SourceKind::Journal(recording) => {
                let replay = |(at, delivery)| Ok(Scheduled { at, parcel: Prepared::replay(&name, &delivery, config)? });
                recording.deliveries.into_iter().map(replay).collect::<Result<_, Error>>()?
            }
            SourceKind::Run(run) => return Ok(Schedule::Run(Box::new(RunSchedule::new(name, run, config, now)?))),
        };
        let events = config.events.as_ref().map(|names| Events::parse(&names.join(","))).transpose();
        let events = events.map_err(|reason| Error::Usage(format!("--events: {reason}")))?;
        let wanted = |leg: &Scheduled| events.as_ref().is_none_or(|events| events.take(leg.parcel.payload()));
        Ok(Schedule::Fixed(repeated(legs.into_iter().filter(wanted), config).collect()))
    }

    /// Whether it is a Cog run, of which a filter may leave nothing at all.
    pub(crate) fn is_run(&self) -> bool {
        matches!(self, Schedule::Run(_))
    }

    /// Its deliveries, as far as they can be known before they leave.
    pub(crate) fn legs(&self) -> impl Iterator<Item = &Scheduled> {
        let (fixed, preview) = match self {
            Schedule::Fixed(legs) => (Some(legs.iter()), None),
            Schedule::Run(run) => (None, Some(run.preview.iter())),
        };
        fixed.into_iter().flatten().chain(preview.into_iter().flatten())
    }
}

/// Each of these, as often as it is to be sent.
fn repeated(legs: impl Iterator<Item = Scheduled>, config: &Config) -> impl Iterator<Item = Scheduled> {
    let times = 1 + config.duplicate;
    legs.flat_map(move |leg| std::iter::repeat_n(leg, times))
}

impl RunSchedule {
    fn new(name: String, run: Run, config: &Config, now: Timestamp) -> Result<Self, Error> {
        let events = config.events.as_ref().map(|names| names.iter().map(|name| event(name)).collect()).transpose()?;
        let id = config.id.as_ref().map(|id| match id {
            NewId::Fresh => Uuid::new_v4().simple().to_string(),
            NewId::Given(id) => id.clone(),
        });
        let settings = Settings { flavor: config.flavor.unwrap_or_default(), throttle: config.throttle, events, id };
        let mut course = RunSchedule { name, run, settings, preview: Vec::new() };
        let planned = course.start(now)?.play(Duration::ZERO);
        let legs =
            planned.iter().map(|planned| Ok(Scheduled { at: planned.at, parcel: course.parcel(planned, config)? }));
        let legs: Vec<Scheduled> = legs.collect::<Result<_, Error>>()?;
        course.preview = repeated(legs.into_iter(), config).collect();
        Ok(course)
    }

    /// The run from its beginning.
    pub(crate) fn start(&self, now: Timestamp) -> Result<Simulation, Error> {
        let failed = |error: RunError| Error::BadRun { what: self.name.clone(), reason: error.to_string() };
        Simulation::new(&self.run, &self.settings, now).map_err(failed)
    }

    /// A delivery of it made ready.
    pub(crate) fn parcel(&self, planned: &Planned, config: &Config) -> Result<Prepared, Error> {
        Prepared::of_run(&self.name, &planned.body, self.shape(), config)
    }

    fn shape(&self) -> &'static Shape {
        cog::provider().shape(self.settings.flavor.variant())
    }
}

fn event(name: &str) -> Result<CogEvent, Error> {
    let names = || CogEvent::ALL.iter().map(|event| event.name());
    CogEvent::parse(name).ok_or_else(|| {
        let near = nearest(name, names()).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        let names = names().collect::<Vec<_>>().join(", ");
        Error::Usage(format!("--events: Cog has no event \"{name}\", only {names}{near}"))
    })
}

/// All deliveries of these in another order. The times at which one leaves stay; which one it is changes.
pub(crate) fn shuffled(courses: &[Schedule], seed: u64) -> Schedule {
    let (mut times, mut parcels) = (Vec::new(), Vec::new());
    let mut start = Duration::ZERO;
    for course in courses {
        let mut end = Duration::ZERO;
        for leg in course.legs() {
            times.push(start + leg.at);
            parcels.push(leg.parcel.clone());
            end = leg.at;
        }
        start += end;
    }
    fastrand::Rng::with_seed(seed).shuffle(&mut parcels);
    Schedule::Fixed(times.into_iter().zip(parcels).map(|(at, parcel)| Scheduled { at, parcel }).collect())
}
