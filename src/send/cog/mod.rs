//! Cog runs: from what a model does, and when, the deliveries that Cog makes of it.
//!
//! Pure: no clock, no socket, no sleep. The caller has the time and tells it; a [`Simulation`] says what goes out.
//!
//! A run is a synchronous model's: coglet words the error of an async one otherwise (`Async prediction failed`), and keeps
//! back what an async generator yields until it ends.
//!
//! Measured on cog 0.16.12 (`python/cog/server/{runner,webhook,response_throttler,worker,helpers}.py`) and coglet 0.23.1,
//! by a model that does what a run file says (`tests/interop/cog/`).
//!
//! ```text
//! while let Some(due) = simulation.due() {
//!     sleep until `due`, or until the in-line POST before it has returned
//!     simulation.returned(at)                     for each POST that has returned since
//!     if let Some(planned) = simulation.advance(now) {
//!         if planned.in_line { post, with its retries, and wait for it } else { post in a task of its own }
//!         if the terminal one was never acknowledged { simulation.gave_up(…) and post that too }
//!     }
//! }
//! ```

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use url::Url;

pub(crate) mod coglet;
pub(crate) mod error;
pub(crate) mod python;
pub(crate) mod run;
#[cfg(test)]
mod tests;

use crate::payload::provider::Provider;
pub use crate::payload::provider::cog::Flavor;
pub(crate) use error::RunError;
pub use run::Run;

use run::Filter;

/// Who sends what a run gives.
pub fn provider() -> &'static Provider {
    &crate::payload::provider::cog::PROVIDER
}

/// `COG_THROTTLE_RESPONSE_INTERVAL` where nothing sets it.
const INTERVAL: Duration = Duration::from_millis(500);

/// What a delivery tells of. The request does not name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CogEvent {
    /// The prediction has begun.
    Start,
    /// There is more output.
    Output,
    /// There are more logs.
    Logs,
    /// It has ended.
    Completed,
}

impl CogEvent {
    /// All, in Cog's own order.
    pub const ALL: [CogEvent; 4] = [CogEvent::Start, CogEvent::Output, CogEvent::Logs, CogEvent::Completed];

    /// The word for it in `webhook_events_filter`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            CogEvent::Start => "start",
            CogEvent::Output => "output",
            CogEvent::Logs => "logs",
            CogEvent::Completed => "completed",
        }
    }

    /// The event of this name; case counts.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        CogEvent::ALL.into_iter().find(|event| event.name() == name)
    }
}

/// What the user says beside the run file.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Who sends.
    pub flavor: Flavor,
    /// The interval, instead of the run's.
    pub throttle: Option<Duration>,
    /// Only these events, instead of the run's filter.
    pub events: Option<Vec<CogEvent>>,
    /// The prediction's id, instead of the run's.
    pub id: Option<String>,
}

/// A delivery that Cog makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// When, since the start of the run.
    pub at: Duration,
    /// What it tells of.
    pub event: CogEvent,
    /// Byte for byte.
    pub body: Bytes,
    /// Whether it is retried until it is acknowledged.
    pub(crate) terminal: bool,
    /// Whether the sender does nothing else until the POST has returned. Otherwise it goes on, and a later delivery can
    /// overtake this one.
    pub(crate) in_line: bool,
}

/// Something that happens to a prediction, as its server learns of it.
#[derive(Debug)]
pub(crate) enum CogMoment {
    /// It has begun.
    Start,
    /// The model turns out to be a generator.
    Streams,
    /// It has logged this.
    Log(String),
    /// It has recorded metrics: a JSON object.
    Metrics(String),
    /// There is this JSON more of output.
    Piece(String),
    /// This JSON is the whole output.
    Whole(String),
    /// It has ended.
    End(CogOutcome),
}

impl CogMoment {
    fn event(&self) -> Option<CogEvent> {
        match self {
            CogMoment::Start => Some(CogEvent::Start),
            CogMoment::Log(_) => Some(CogEvent::Logs),
            CogMoment::Piece(_) => Some(CogEvent::Output),
            CogMoment::End(_) => Some(CogEvent::Completed),
            CogMoment::Streams | CogMoment::Metrics(_) | CogMoment::Whole(_) => None,
        }
    }
}

/// How a prediction ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CogOutcome {
    Succeeded,
    Failed(String),
    Canceled,
}

impl CogOutcome {
    fn status(&self) -> &'static str {
        match self {
            CogOutcome::Succeeded => "succeeded",
            CogOutcome::Failed(_) => "failed",
            CogOutcome::Canceled => "canceled",
        }
    }

    fn error(&self) -> Option<&str> {
        match self {
            CogOutcome::Failed(error) => Some(error),
            CogOutcome::Succeeded | CogOutcome::Canceled => None,
        }
    }
}

/// The prediction as its server keeps it, in order to send it.
trait Prediction {
    /// Takes in what happened.
    fn take(&mut self, moment: CogMoment, now: Duration);

    /// As it is sent now.
    fn body(&self) -> String;
}

/// What came of the last attempt at a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LastFailure {
    /// An answer with a status that is retried.
    Status(u16),
    /// Nobody listens there.
    Refused,
    /// The connection was reset.
    Reset,
    /// The connection was closed without an answer.
    Closed,
    /// The host has no address.
    Unresolved,
}

/// A run as it is being sent.
pub struct Simulation {
    flavor: Flavor,
    moments: VecDeque<(Duration, CogMoment)>,
    prediction: Box<dyn Prediction + Send>,
    events: Vec<CogEvent>,
    interval: Duration,
    /// When the throttle's clock was last set.
    last: Option<Duration>,
    /// Whether a terminal delivery has been given up.
    given_up: bool,
}

impl Simulation {
    /// The run as this flavor sends it, from `started_at` on.
    pub fn new(run: &Run, settings: &Settings, started_at: Timestamp) -> Result<Self, RunError> {
        let Settings { flavor, throttle, events, id } = settings;
        let interval = throttle.or(run.throttle).unwrap_or(INTERVAL);
        let id = id.as_ref().or(run.id.as_ref()).map(String::as_str);
        let events = match (events, &run.filter) {
            (Some(events), _) | (None, Filter::Only(events)) => events.clone(),
            (None, Filter::Null) if *flavor == Flavor::Coglet => return Err(RunError::NullFilter),
            (None, Filter::Absent | Filter::Null) => CogEvent::ALL.to_vec(),
        };
        let (moments, prediction, events): (_, Box<dyn Prediction + Send>, _) = match flavor {
            Flavor::Python => (
                python::moments(run, interval),
                Box::new(python::PythonState::new(run, id, started_at)),
                // `webhook_events_filter or default_events()`: an empty list is as good as none.
                if events.is_empty() { CogEvent::ALL.to_vec() } else { events },
            ),
            Flavor::Coglet => (coglet::moments(run), Box::new(coglet::CogletState::new(run, id, started_at)), events),
        };
        let flavor = *flavor;
        Ok(Simulation { flavor, moments: moments.into(), prediction, events, interval, last: None, given_up: false })
    }

    /// When the next thing happens in the run, whether or not Cog tells of it; `None` at the end.
    pub(crate) fn due(&self) -> Option<Duration> {
        self.moments.front().map(|(at, _)| *at)
    }

    /// Lets the next thing happen, `now` or when it is due, whichever is later, and gives the delivery that Cog makes of
    /// it, if it makes one.
    pub(crate) fn advance(&mut self, now: Duration) -> Option<Planned> {
        let (at, moment) = self.moments.pop_front()?;
        let now = now.max(at);
        let event = moment.event();
        self.prediction.take(moment, now);
        let event = event.filter(|event| self.events.contains(event) && self.passes(*event, now))?;
        if self.flavor == Flavor::Coglet {
            self.last = Some(now);
        }
        Some(self.planned(event, now))
    }

    /// A POST has returned. Python's throttle counts from here (`update_last_sent_response_time` comes after the POST);
    /// coglet's does not care.
    pub(crate) fn returned(&mut self, at: Duration) {
        if self.flavor == Flavor::Python {
            self.last = self.last.max(Some(at));
        }
    }

    /// The terminal delivery to `url` was given up after its last retry. Python takes that for an error of the
    /// prediction and reports it anew, once (`handle_event` calls `failed(str(e))`; when that fails too, the worker's
    /// `_publish` swallows it); coglet says nothing.
    pub(crate) fn gave_up(&mut self, at: Duration, url: &Url, failure: LastFailure) -> Option<Planned> {
        if self.flavor == Flavor::Coglet || self.given_up {
            return None;
        }
        self.given_up = true;
        self.prediction.take(CogMoment::End(CogOutcome::Failed(python::retries_exceeded(url, failure))), at);
        Some(self.planned(CogEvent::Completed, at))
    }

    /// All deliveries to a receiver that takes `answers_after` for every answer.
    pub fn play(mut self, answers_after: Duration) -> Vec<Planned> {
        let mut deliveries: Vec<Planned> = Vec::new();
        let mut free = Duration::ZERO;
        let mut under_way = None;
        while let Some(due) = self.due() {
            let now = due.max(free);
            if let Some(at) = under_way.take_if(|at| *at < now) {
                self.returned(at);
            }
            let Some(planned) = self.advance(now) else { continue };
            let back = now + answers_after;
            if planned.in_line {
                self.returned(back);
                free = back;
            } else {
                under_way = Some(back);
            }
            deliveries.push(planned);
        }
        deliveries
    }

    /// A throttled delivery is dropped, and never sent later.
    fn passes(&self, event: CogEvent, now: Duration) -> bool {
        let free = match self.flavor {
            Flavor::Python => event == CogEvent::Completed,
            Flavor::Coglet => matches!(event, CogEvent::Completed | CogEvent::Output),
        };
        free || self.last.is_none_or(|last| now.saturating_sub(last) >= self.interval)
    }

    fn planned(&self, event: CogEvent, at: Duration) -> Planned {
        Planned {
            at,
            event,
            body: self.prediction.body().into(),
            terminal: event == CogEvent::Completed,
            // Python posts `start` from the thread of the request and all else from that of the worker's events.
            in_line: self.flavor == Flavor::Python && event != CogEvent::Start,
        }
    }
}
