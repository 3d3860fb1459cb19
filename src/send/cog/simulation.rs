//! A Cog run step by step: which delivery is sent when, in either flavor.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use url::Url;

use super::coglet;
use super::error::RunError;
use super::event::CogEvent;
use super::prediction::{CogChange, CogOutcome, LastFailure, Prediction};
use super::python;
use super::run::{Filter, Run};
use crate::payload::provider::Provider;
use crate::payload::provider::cog::Flavor;

/// The provider of a run's deliveries.
pub fn provider() -> &'static Provider {
    &crate::payload::provider::cog::PROVIDER
}

/// The default of `COG_THROTTLE_RESPONSE_INTERVAL`.
const INTERVAL: Duration = Duration::from_millis(500);

/// The user's options, which override the run file.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The server that sends.
    pub flavor: Flavor,
    /// The throttle interval, instead of the run's.
    pub throttle: Option<Duration>,
    /// Only these events, instead of the run's filter.
    pub events: Option<Vec<CogEvent>>,
    /// The prediction's id, instead of the run's.
    pub id: Option<String>,
}

/// A delivery that Cog makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// When the delivery is sent, since the start of the run.
    pub at: Duration,
    /// The event.
    pub event: CogEvent,
    /// The exact bytes of the body.
    pub body: Bytes,
    /// Whether the delivery is retried until it is acknowledged.
    pub(crate) terminal: bool,
    /// Whether the sender waits for the POST to return before it does anything else. Otherwise a later delivery can
    /// overtake this one.
    pub(crate) in_line: bool,
}

/// A run that is being sent.
pub struct Simulation {
    flavor: Flavor,
    changes: VecDeque<(Duration, CogChange)>,
    prediction: Box<dyn Prediction + Send>,
    events: Vec<CogEvent>,
    interval: Duration,
    /// The time from which the throttle counts its interval.
    last: Option<Duration>,
    /// Whether a terminal delivery was given up.
    given_up: bool,
}

impl Simulation {
    /// The run as the flavor of `settings` sends it. Fails if coglet would refuse the request for the run.
    pub fn new(run: &Run, settings: &Settings, started_at: Timestamp) -> Result<Self, RunError> {
        let Settings { flavor, throttle, events, id } = settings;
        let interval = throttle.or(run.throttle).unwrap_or(INTERVAL);
        let id = id.as_ref().or(run.id.as_ref()).map(String::as_str);
        let events = match (events, &run.filter) {
            (Some(events), _) | (None, Filter::Only(events)) => events.clone(),
            (None, Filter::Null) if *flavor == Flavor::Coglet => return Err(RunError::NullFilter),
            (None, Filter::Absent | Filter::Null) => CogEvent::ALL.to_vec(),
        };
        let (changes, prediction, events): (_, Box<dyn Prediction + Send>, _) = match flavor {
            Flavor::Python => (
                python::changes(run, interval),
                Box::new(python::PythonState::new(run, id, started_at)),
                // `webhook_events_filter or default_events()`: an empty list counts as none.
                if events.is_empty() { CogEvent::ALL.to_vec() } else { events },
            ),
            Flavor::Coglet => (coglet::changes(run), Box::new(coglet::CogletState::new(run, id, started_at)), events),
        };
        let flavor = *flavor;
        Ok(Simulation { flavor, changes: changes.into(), prediction, events, interval, last: None, given_up: false })
    }

    /// The time of the next change, with or without a delivery; `None` at the end.
    pub(crate) fn due(&self) -> Option<Duration> {
        self.changes.front().map(|(at, _)| *at)
    }

    /// Applies the next change, at `now` or at its own time, whichever is later. Returns the delivery that Cog makes of
    /// the change, if any.
    pub(crate) fn advance(&mut self, now: Duration) -> Option<Planned> {
        let (at, change) = self.changes.pop_front()?;
        let now = now.max(at);
        let event = change.event();
        self.prediction.apply(change, now);
        let event = event.filter(|event| self.events.contains(event) && self.passes(*event, now))?;
        if self.flavor == Flavor::Coglet {
            self.last = Some(now);
        }
        Some(self.planned(event, now))
    }

    /// A POST has returned. Python's throttle counts from this time (`update_last_sent_response_time` comes after the
    /// POST); coglet's counts from the sending.
    pub(crate) fn returned(&mut self, at: Duration) {
        if self.flavor == Flavor::Python {
            self.last = self.last.max(Some(at));
        }
    }

    /// The last retry of the terminal delivery to `url` has failed. Python treats the failure as an error of the
    /// prediction and reports it once (`handle_event` calls `failed(str(e))`; when that fails too, the worker's
    /// `_publish` swallows it); coglet sends nothing.
    pub(crate) fn give_up(&mut self, at: Duration, url: &Url, failure: LastFailure) -> Option<Planned> {
        if self.flavor == Flavor::Coglet || self.given_up {
            return None;
        }
        self.given_up = true;
        self.prediction.apply(CogChange::End(CogOutcome::Failed(python::retries_exceeded(url, failure))), at);
        Some(self.planned(CogEvent::Completed, at))
    }

    /// All deliveries to a receiver that takes `answers_after` for every response.
    pub fn play(mut self, answers_after: Duration) -> Vec<Planned> {
        let mut deliveries: Vec<Planned> = Vec::new();
        let mut free = Duration::ZERO;
        let mut in_flight = None;
        while let Some(due) = self.due() {
            let now = due.max(free);
            if let Some(at) = in_flight.take_if(|at| *at < now) {
                self.returned(at);
            }
            let Some(planned) = self.advance(now) else { continue };
            let back = now + answers_after;
            if planned.in_line {
                self.returned(back);
                free = back;
            } else {
                in_flight = Some(back);
            }
            deliveries.push(planned);
        }
        deliveries
    }

    /// A throttled delivery is dropped, not delayed.
    fn passes(&self, event: CogEvent, now: Duration) -> bool {
        let exempt = match self.flavor {
            Flavor::Python => event == CogEvent::Completed,
            Flavor::Coglet => matches!(event, CogEvent::Completed | CogEvent::Output),
        };
        exempt || self.last.is_none_or(|last| now.saturating_sub(last) >= self.interval)
    }

    fn planned(&self, event: CogEvent, at: Duration) -> Planned {
        Planned {
            at,
            event,
            body: self.prediction.body().into(),
            terminal: event == CogEvent::Completed,
            // Python posts `start` from the request's thread, and every other event from the thread of the worker's events.
            in_line: self.flavor == Flavor::Python && event != CogEvent::Start,
        }
    }
}
