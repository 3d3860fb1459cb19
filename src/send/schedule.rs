//! The deliveries of a source, in the order and at the times at which they are sent.

use std::borrow::{BorrowMut, Cow};
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::cog::{self, CogEvent, Planned, Run, RunError, Settings, Simulation};
use super::config::{Config, NewId};
use super::content::Content;
use super::replay::Replay;
use super::request::Prepared;
use super::source::{Source, SourceKind};
use crate::error::Error;
use crate::payload::events::Events;
use crate::payload::nearest::did_you_mean;
use crate::payload::provider::Shape;

#[derive(Clone, Debug)]
pub(crate) struct Scheduled {
    /// When the delivery is sent, since the start of its schedule, at speed 1.
    pub(crate) at: Duration,
    pub(crate) prepared: Prepared,
}

/// Deliveries in memory, or read while they are sent.
pub(crate) type Deliveries<'a> = Box<dyn Iterator<Item = Result<Cow<'a, Scheduled>, Error>> + 'a>;

/// The deliveries of one source.
#[derive(Debug)]
pub(crate) enum Schedule {
    /// Known from the start.
    Fixed(Vec<Scheduled>),
    /// Read while sending: a journal file may be larger than the memory.
    Journal(Box<JournalSchedule>),
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
        match source.kind {
            SourceKind::Payload { body, provider, shape } => {
                let mut prepared = Prepared::payload(Content::new(&name, body.clone(), provider, shape), config)?;
                prepared.file = source.file.filter(|_| prepared.body == body);
                let is_selected = EventFilter::new(config)?.selects(&prepared);
                let selected = is_selected.then_some(Ok(Scheduled { at: Duration::ZERO, prepared }));
                repeated(selected.into_iter(), config).collect::<Result<_, _>>().map(Schedule::Fixed)
            }
            SourceKind::Journal(replay) => {
                Ok(Schedule::Journal(Box::new(JournalSchedule { name, replay: *replay, count: 0 })))
            }
            SourceKind::Run(run) => Ok(Schedule::Run(Box::new(RunSchedule::new(name, run, config, now)?))),
        }
    }

    /// Calls `visit` for every delivery before the first is sent. A journal is read once for this. It stays in memory
    /// where all deliveries are needed at the same time (`--shuffle`, `--count`, `--drill`), and where it comes through a
    /// pipe, which cannot be read again. Returns the notes about the source.
    pub(crate) fn check(
        &mut self,
        config: &Config,
        visit: &mut dyn FnMut(&Prepared) -> Result<(), Error>,
    ) -> Result<Vec<String>, Error> {
        let Schedule::Journal(journal) = self else {
            self.scheduled().try_for_each(|scheduled| visit(&scheduled.prepared))?;
            return Ok(Vec::new());
        };
        let needs_all = config.shuffle.is_some() || config.load.is_some() || config.drill;
        let is_kept = needs_all || !journal.replay.is_file();
        let mut kept = Vec::new();
        let mut count = 0;
        for scheduled in repeated(Replayed::new(&journal.name, &mut journal.replay, config)?, config) {
            let scheduled = scheduled?;
            visit(&scheduled.prepared)?;
            count += 1;
            if is_kept {
                kept.push(scheduled);
            }
        }
        journal.count = count;
        let notes = journal.replay.notes(!config.secrets.is_empty());
        if is_kept {
            *self = Schedule::Fixed(kept);
        }
        Ok(notes)
    }

    /// Whether this is a Cog run. An event filter may leave a run without deliveries.
    pub(crate) fn is_run(&self) -> bool {
        matches!(self, Schedule::Run(_))
    }

    pub(crate) fn count(&self) -> usize {
        match self {
            Schedule::Fixed(deliveries) => deliveries.len(),
            Schedule::Journal(journal) => journal.count,
            Schedule::Run(run) => run.preview.len(),
        }
    }

    /// All deliveries, in order. A journal is read again.
    pub(crate) fn read<'a>(&'a self, config: &'a Config) -> Result<Deliveries<'a>, Error> {
        match self {
            Schedule::Journal(journal) => {
                Ok(Box::new(journal.read(config)?.map(|scheduled| scheduled.map(Cow::Owned))))
            }
            Schedule::Fixed(_) | Schedule::Run(_) => {
                Ok(Box::new(self.scheduled().map(|scheduled| Ok(Cow::Borrowed(scheduled)))))
            }
        }
    }

    /// The deliveries in memory: all of a fixed schedule, none of a journal, and the preview of a run, which assumes an
    /// immediate response.
    pub(crate) fn scheduled(&self) -> impl Iterator<Item = &Scheduled> {
        let (fixed, preview) = match self {
            Schedule::Fixed(deliveries) => (Some(deliveries.iter()), None),
            Schedule::Journal(_) => (None, None),
            Schedule::Run(run) => (None, Some(run.preview.iter())),
        };
        fixed.into_iter().flatten().chain(preview.into_iter().flatten())
    }
}

/// The events of `--events`.
struct EventFilter(Option<Events>);

impl EventFilter {
    fn new(config: &Config) -> Result<Self, Error> {
        let events = config.events.as_ref().map(|names| Events::parse(&names.join(","))).transpose();
        events.map(EventFilter).map_err(|reason| Error::Usage(format!("--events: {reason}")))
    }

    fn selects(&self, prepared: &Prepared) -> bool {
        self.0.as_ref().is_none_or(|events| events.match_payload(prepared.content.payload()))
    }
}

/// The deliveries of a journal file.
#[derive(Debug)]
pub(crate) struct JournalSchedule {
    name: String,
    /// The first pass, which counted the deliveries.
    replay: Replay,
    count: usize,
}

impl JournalSchedule {
    /// Reads the deliveries again, up to the byte at which the first pass ended.
    fn read<'a>(
        &'a self,
        config: &'a Config,
    ) -> Result<impl Iterator<Item = Result<Scheduled, Error>> + use<'a>, Error> {
        Ok(repeated(Replayed::new(&self.name, self.replay.again()?, config)?, config))
    }
}

/// The deliveries of a journal made ready to send, one at a time.
struct Replayed<'a, R> {
    name: &'a str,
    replay: R,
    config: &'a Config,
    filter: EventFilter,
    /// The recorded time of the first selected delivery. Gaps before this time are not waited for.
    first: Option<Timestamp>,
}

impl<'a, R: BorrowMut<Replay>> Replayed<'a, R> {
    fn new(name: &'a str, replay: R, config: &'a Config) -> Result<Self, Error> {
        Ok(Replayed { name, replay, config, filter: EventFilter::new(config)?, first: None })
    }

    fn read(&mut self) -> Result<Option<Scheduled>, Error> {
        while let Some(record) = self.replay.borrow_mut().next_record()? {
            let recorded_at = record.at;
            let prepared = Prepared::replay(self.name, *record, self.config)?;
            if self.filter.selects(&prepared) {
                let first = *self.first.get_or_insert(recorded_at);
                // Several listeners may have written the journal, each with its own clock: a delivery from before the
                // first is sent right after the delivery before it.
                let at = Duration::try_from(recorded_at.duration_since(first)).unwrap_or_default();
                return Ok(Some(Scheduled { at, prepared }));
            }
        }
        Ok(None)
    }
}

impl<R: BorrowMut<Replay>> Iterator for Replayed<'_, R> {
    type Item = Result<Scheduled, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// Each delivery `1 + --duplicate` times.
fn repeated<I: Iterator<Item = Result<Scheduled, Error>>>(
    deliveries: I,
    config: &Config,
) -> impl Iterator<Item = Result<Scheduled, Error>> + use<I> {
    let times = 1 + config.duplicate;
    deliveries.flat_map(move |scheduled| {
        let (copies, error) = match scheduled {
            Ok(scheduled) => (Some(std::iter::repeat_n(scheduled, times)), None),
            Err(error) => (None, Some(error)),
        };
        copies.into_iter().flatten().map(Ok).chain(error.map(Err))
    })
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
        schedule.preview = repeated(planned.iter().map(scheduled), config).collect::<Result<_, _>>()?;
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
        let near = did_you_mean(name, names());
        let names = names().collect::<Vec<_>>().join(", ");
        Error::Usage(format!("--events: Cog has no event \"{name}\", only {names}{near}"))
    })
}

/// Shuffles the deliveries of all schedules over the times of all schedules.
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
