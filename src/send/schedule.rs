//! The deliveries of a source, in the order and at the times at which they are sent.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::cog::{self, CogEvent, Planned, Run, RunError, Settings, Simulation};
use super::config::{Config, NewId};
use super::content::Content;
use super::request::Prepared;
use super::source::{Source, SourceKind};
use crate::error::Error;
use crate::payload::events::Events;
use crate::payload::nearest;
use crate::payload::provider::Shape;

#[derive(Clone, Debug)]
pub(crate) struct Scheduled {
    /// When the delivery is sent, since the start of its schedule, at speed 1.
    pub(crate) at: Duration,
    pub(crate) prepared: Prepared,
}

/// The deliveries of one source.
#[derive(Debug)]
pub(crate) enum Schedule {
    /// Known from the start.
    Fixed(VecDeque<Scheduled>),
    /// Made while sending: the deliveries of a Cog run depend on how fast the responses arrive.
    Run(Box<RunSchedule>),
}

#[derive(Debug)]
pub(crate) struct RunSchedule {
    name: String,
    run: Run,
    settings: Settings,
    /// The deliveries to a receiver that responds immediately.
    preview: Vec<Scheduled>,
}

impl Schedule {
    pub(crate) fn of(source: Source, config: &Config, now: Timestamp) -> Result<Self, Error> {
        let name = source.name;
        let deliveries = match source.matter {
            SourceKind::Payload { body, provider, shape } => {
                let mut prepared = Prepared::payload(Content::new(&name, body.clone(), provider, shape), config)?;
                prepared.file = source.file.filter(|_| prepared.body == body);
                vec![Scheduled { at: Duration::ZERO, prepared }]
            }
            SourceKind::Journal(replay) => {
                let replayed =
                    |(at, delivery)| Ok(Scheduled { at, prepared: Prepared::replay(&name, &delivery, config)? });
                replay.deliveries.into_iter().map(replayed).collect::<Result<_, Error>>()?
            }
            SourceKind::Run(run) => return Ok(Schedule::Run(Box::new(RunSchedule::new(name, run, config, now)?))),
        };
        let events = config.events.as_ref().map(|names| Events::parse(&names.join(","))).transpose();
        let events = events.map_err(|reason| Error::Usage(format!("--events: {reason}")))?;
        let is_wanted = |scheduled: &Scheduled| {
            events.as_ref().is_none_or(|events| events.match_payload(scheduled.prepared.content.payload()))
        };
        Ok(Schedule::Fixed(repeated(deliveries.into_iter().filter(is_wanted), config).collect()))
    }

    /// Whether this is a Cog run, of which a filter may leave no delivery at all.
    pub(crate) fn is_run(&self) -> bool {
        matches!(self, Schedule::Run(_))
    }

    /// The deliveries, of a run as far as they are known before the first response.
    pub(crate) fn scheduled(&self) -> impl Iterator<Item = &Scheduled> {
        let (fixed, preview) = match self {
            Schedule::Fixed(deliveries) => (Some(deliveries.iter()), None),
            Schedule::Run(run) => (None, Some(run.preview.iter())),
        };
        fixed.into_iter().flatten().chain(preview.into_iter().flatten())
    }
}

/// Each delivery `1 + --duplicate` times.
fn repeated(deliveries: impl Iterator<Item = Scheduled>, config: &Config) -> impl Iterator<Item = Scheduled> {
    let times = 1 + config.duplicate;
    deliveries.flat_map(move |scheduled| std::iter::repeat_n(scheduled, times))
}

impl RunSchedule {
    fn new(name: String, run: Run, config: &Config, now: Timestamp) -> Result<Self, Error> {
        let events = config.events.as_ref().map(|names| names.iter().map(|name| event(name)).collect()).transpose()?;
        let id = config.id.as_ref().map(|id| match id {
            NewId::Fresh => Uuid::new_v4().simple().to_string(),
            NewId::Given(id) => id.clone(),
        });
        let settings = Settings { flavor: config.flavor.unwrap_or_default(), throttle: config.throttle, events, id };
        let mut schedule = RunSchedule { name, run, settings, preview: Vec::new() };
        let planned = schedule.start(now)?.play(Duration::ZERO);
        let scheduled =
            |planned: &Planned| Ok(Scheduled { at: planned.at, prepared: schedule.prepare(planned, config)? });
        let deliveries: Vec<Scheduled> = planned.iter().map(scheduled).collect::<Result<_, Error>>()?;
        schedule.preview = repeated(deliveries.into_iter(), config).collect();
        Ok(schedule)
    }

    /// The run from its beginning.
    pub(crate) fn start(&self, now: Timestamp) -> Result<Simulation, Error> {
        let failed = |error: RunError| Error::BadRun { what: self.name.clone(), reason: error.to_string() };
        Simulation::new(&self.run, &self.settings, now).map_err(failed)
    }

    pub(crate) fn prepare(&self, planned: &Planned, config: &Config) -> Result<Prepared, Error> {
        let content = Content::new(&self.name, planned.body.clone(), cog::provider(), self.shape());
        Prepared::of_run(content, config)
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

/// The deliveries of all schedules in another order. The times stay; which delivery is sent at which time changes.
pub(crate) fn shuffled(schedules: &[Schedule], seed: u64) -> Schedule {
    let mut times = Vec::new();
    let mut requests = Vec::new();
    let mut start = Duration::ZERO;
    for schedule in schedules {
        let mut end = Duration::ZERO;
        for scheduled in schedule.scheduled() {
            times.push(start + scheduled.at);
            requests.push(scheduled.prepared.clone());
            end = scheduled.at;
        }
        start += end;
    }
    fastrand::Rng::with_seed(seed).shuffle(&mut requests);
    Schedule::Fixed(times.into_iter().zip(requests).map(|(at, prepared)| Scheduled { at, prepared }).collect())
}
