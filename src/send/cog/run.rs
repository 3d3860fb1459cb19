//! The run file: what a model does and when, as JSON.

use std::time::Duration;

use jiff::fmt::temporal::Pieces;
use serde_json::Value;

use crate::json::JsonType;
use crate::json::Object;
use crate::json::object::items;
use crate::json::value::string;
use crate::payload::body::Body;
use crate::payload::{duration, nearest};
use crate::signature::reserialize::Tree;

use super::error::RunError;
use super::event::CogEvent;

/// A parsed run file: what the model prints, yields and returns, and how the prediction ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The client's id.
    pub(crate) id: Option<String>,
    /// The client's `created_at`: a date and a time.
    pub(crate) created_at: Option<String>,
    /// JSON of the input.
    pub(crate) input: String,
    /// Whether the model is a generator. Follows from the steps, except for a generator that yields nothing.
    pub(crate) iterator: bool,
    /// In chronological order.
    pub(crate) steps: Vec<RunStep>,
    pub(crate) end: RunEnd,
    /// `webhook_events_filter`.
    pub(crate) filter: Filter,
    /// The server's throttle interval.
    pub(crate) throttle: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunStep {
    pub(crate) at: Duration,
    pub(crate) action: StepAction,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StepAction {
    /// Prints. Both servers wait for the end of the line; with `flush`, coglet sends an unfinished line.
    Log { text: String, flush: bool },
    /// Yields JSON.
    Output(String),
    /// A JSON object.
    Metrics(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunEnd {
    pub(crate) at: Duration,
    pub(crate) outcome: RunOutcome,
    /// A JSON object.
    pub(crate) metrics: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RunOutcome {
    /// The JSON that a plain function returns; `None` for `null`.
    Succeeded(Option<String>),
    /// The model raised, or the worker died.
    Failed(Failure),
    Canceled,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// An error message that is sent unchanged.
    Error(String),
    /// The last line of a Python traceback, `ValueError: Invalid input dimensions`.
    Raises(String),
    /// The worker process died with this exit code.
    Exit(i32),
}

/// `webhook_events_filter` of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    Absent,
    Null,
    Only(Vec<CogEvent>),
}

const TOP: [&str; 9] =
    ["provider", "id", "created_at", "input", "iterator", "steps", "end", "webhook_events_filter", "throttle"];
const STEP: [&str; 5] = ["at", "log", "flush", "output", "metrics"];
const END: [&str; 7] = ["at", "status", "output", "error", "raises", "exit_code", "metrics"];
const STATUSES: [&str; 3] = ["succeeded", "failed", "canceled"];

impl Run {
    /// Parses and validates a run file.
    pub fn parse(text: &str) -> Result<Self, RunError> {
        let run = match Body::of(text.as_bytes()) {
            Body::Object(run) => RunMembers { object: run, place: "the run".to_owned() },
            Body::Value(value) => return Err(RunError::NotAnObject(format!("it is {}", JsonType::of(value).noun()))),
            other => return Err(RunError::NotAnObject(other.why_not_json().unwrap_or_default())),
        };
        run.known(&TOP)?;
        let steps = run.get("steps").map_or(Ok(Vec::new()), |steps| read_steps(&run, steps))?;
        let yields = steps.iter().any(|step| matches!(step.action, StepAction::Output(_)));
        let iterator = run.bool("iterator")?.unwrap_or(yields);
        let Some(end) = run.get("end") else {
            let mend = r#""end": {"at": "1s", "status": "succeeded"}"#;
            return Err(RunError::Missing { place: run.place_of("end"), mend });
        };
        let end = read_end(RunMembers::of(end, "the end".to_owned())?, iterator || yields)?;
        in_order(&steps, &end)?;
        if yields && !iterator {
            let (place, wanted) = (run.place_of("iterator"), "true, as there are output steps, or drop it");
            return Err(RunError::WrongType { place, found: "false", wanted });
        }
        Ok(Run {
            id: run.text("id")?,
            created_at: run.text("created_at")?.map(|text| date_and_time(&run, text)).transpose()?,
            input: run.json("input", Some(JsonType::Object))?.unwrap_or_else(|| "{}".to_owned()),
            iterator,
            steps,
            end,
            filter: read_filter(&run)?,
            throttle: run.duration("throttle")?,
        })
    }
}

fn read_steps(run: &RunMembers<'_>, steps: &str) -> Result<Vec<RunStep>, RunError> {
    let Some(steps) = items(steps) else { return Err(run.wrong_type("steps", steps, "an array")) };
    let read = |(index, text): (usize, &str)| {
        let step = RunMembers::of(text, format!("step {}", index + 1))?;
        step.known(&STEP)?;
        let at = step.at()?;
        let flush = step.bool("flush")?.unwrap_or(false);
        let log = step.text("log")?.map(|text| StepAction::Log { text, flush });
        let output = step.json("output", None)?.map(StepAction::Output);
        let metrics = step.json("metrics", Some(JsonType::Object))?.map(StepAction::Metrics);
        let mut actions = [log, output, metrics].into_iter().flatten();
        match (actions.next(), actions.next()) {
            (Some(action), None) => Ok(RunStep { at, action }),
            (Some(_), Some(_)) => Err(RunError::NotOneAction { step: index + 1, does: "several things" }),
            (None, _) => Err(RunError::NotOneAction { step: index + 1, does: "nothing" }),
        }
    };
    steps.into_iter().enumerate().map(read).collect()
}

fn read_end(end: RunMembers<'_>, iterator: bool) -> Result<RunEnd, RunError> {
    end.known(&END)?;
    let Some(status) = end.text("status")? else {
        return Err(RunError::Missing { place: end.place_of("status"), mend: r#""status": "succeeded""# });
    };
    let output = end.json("output", None)?.filter(|output| output != "null");
    let error = end.text("error")?.map(Failure::Error);
    let raises = end.text("raises")?.map(Failure::Raises);
    let exit = end.integer("exit_code")?.map(Failure::Exit);
    let mut reasons = [error, raises, exit].into_iter().flatten();
    let (reason, second) = (reasons.next(), reasons.next());
    let contradiction = |what, mend| Err(RunError::Contradiction { what, mend });
    if second.is_some() {
        return contradiction("more than one reason to fail", "keep one of \"error\", \"raises\" and \"exit_code\"");
    }
    let outcome = match (status.as_str(), reason) {
        ("succeeded", None) if output.is_some() && iterator => {
            return contradiction("an output beside output steps", "an iterator returns nothing; drop \"output\"");
        }
        ("succeeded", None) => RunOutcome::Succeeded(output),
        (_, _) if !STATUSES.contains(&status.as_str()) => {
            let near = nearest(&status, STATUSES);
            return Err(RunError::UnknownWord {
                place: end.place_of("status"),
                found: status,
                nearest: near,
                known: STATUSES.join(", "),
            });
        }
        (_, _) if output.is_some() => {
            return contradiction("an output", "only a run that succeeded returns one; drop it, or use output steps");
        }
        ("failed", Some(reason)) => RunOutcome::Failed(reason),
        ("failed", None) => {
            let mend = r#""raises": "ValueError: Invalid input dimensions", or "error""#;
            return Err(RunError::Missing { place: "the end's reason to fail".to_owned(), mend });
        }
        ("canceled", None) => RunOutcome::Canceled,
        _ => return contradiction("a reason to fail", "only a run with the status \"failed\" has one"),
    };
    Ok(RunEnd { at: end.at()?, outcome, metrics: end.json("metrics", Some(JsonType::Object))? })
}

fn in_order(steps: &[RunStep], end: &RunEnd) -> Result<(), RunError> {
    for (index, pair) in steps.windows(2).enumerate() {
        if pair[1].at < pair[0].at {
            return Err(RunError::StepOutOfOrder { step: index + 2, at: pair[1].at, before: pair[0].at });
        }
    }
    match steps.last() {
        Some(last) if end.at < last.at => Err(RunError::EndsTooEarly { step: steps.len(), at: last.at, end: end.at }),
        _ => Ok(()),
    }
}

fn read_filter(run: &RunMembers<'_>) -> Result<Filter, RunError> {
    const NAME: &str = "webhook_events_filter";
    let Some(text) = run.get(NAME) else { return Ok(Filter::Absent) };
    if JsonType::of(text) == JsonType::Null {
        return Ok(Filter::Null);
    }
    let Some(listed) = items(text) else { return Err(run.wrong_type(NAME, text, "an array of events")) };
    let read = |event: &str| {
        let Some(word) = string(event) else { return Err(run.wrong_type(NAME, text, "an array of events")) };
        CogEvent::parse(&word).ok_or_else(|| RunError::UnknownWord {
            place: format!("an event of {}", run.place_of(NAME)),
            nearest: nearest(&word.to_lowercase(), CogEvent::ALL.map(CogEvent::name)),
            found: word.into_owned(),
            known: CogEvent::ALL.map(CogEvent::name).join(", "),
        })
    };
    listed.into_iter().map(read).collect::<Result<_, _>>().map(Filter::Only)
}

fn date_and_time(run: &RunMembers<'_>, text: String) -> Result<String, RunError> {
    match Pieces::parse(&text) {
        Ok(pieces) if pieces.time().is_some() => Ok(text),
        _ => {
            let reason = "a date and time is written 2026-11-20T21:21:23Z".to_owned();
            Err(RunError::Time { place: run.place_of("created_at"), text, reason })
        }
    }
}

/// The members of an object in the run file, and the object's name in messages.
struct RunMembers<'a> {
    object: Object<'a>,
    place: String,
}

impl<'a> RunMembers<'a> {
    fn of(text: &'a str, place: String) -> Result<Self, RunError> {
        match Object::parse(text) {
            Some(object) => Ok(RunMembers { object, place }),
            None => Err(RunError::WrongType { place, found: JsonType::of(text).noun(), wanted: "an object" }),
        }
    }

    /// Refuses a name that is almost a known name, as a typing error. Other unknown names are the user's notes.
    fn known(&self, known: &[&'static str]) -> Result<(), RunError> {
        for (name, _) in self.object.members() {
            if let Some(near) = nearest(name, known.iter().copied()).filter(|near| *near != name) {
                return Err(RunError::UnknownMember {
                    place: self.place.clone(),
                    found: name.to_owned(),
                    nearest: known.iter().find(|known| **known == near).copied().unwrap_or(near),
                });
            }
        }
        Ok(())
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.object.get(name)
    }

    fn place_of(&self, name: &str) -> String {
        format!("\"{name}\" of {}", self.place)
    }

    fn wrong_type(&self, name: &str, found: &str, wanted: &'static str) -> RunError {
        RunError::WrongType { place: self.place_of(name), found: JsonType::of(found).noun(), wanted }
    }

    /// A string; `null` counts as absent.
    fn text(&self, name: &str) -> Result<Option<String>, RunError> {
        let Some(text) = self.get(name).filter(|text| *text != "null") else { return Ok(None) };
        let read = serde_json::from_str::<Value>(text).map_err(|error| self.unsendable(name, &error))?;
        let Value::String(decoded) = read else { return Err(self.wrong_type(name, text, "a string")) };
        Ok(Some(decoded))
    }

    fn bool(&self, name: &str) -> Result<Option<bool>, RunError> {
        match self.get(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(self.wrong_type(name, other, "true or false")),
        }
    }

    fn integer(&self, name: &str) -> Result<Option<i32>, RunError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| self.wrong_type(name, text, "a whole number"))
    }

    /// JSON as it is in the file, if Cog's servers can parse it.
    fn json(&self, name: &str, wanted: Option<JsonType>) -> Result<Option<String>, RunError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        if let Some(wanted) = wanted.filter(|wanted| *wanted != JsonType::of(text)) {
            return Err(self.wrong_type(name, text, wanted.noun()));
        }
        serde_json::from_str::<Value>(text).map_err(|error| self.unsendable(name, &error))?;
        if Tree::parse(text).is_none() {
            return Err(RunError::Unsendable {
                place: self.place_of(name),
                reason: "it is nested too deep".to_owned(),
            });
        }
        Ok(Some(text.to_owned()))
    }

    fn unsendable(&self, name: &str, error: &serde_json::Error) -> RunError {
        RunError::Unsendable { place: self.place_of(name), reason: error.to_string() }
    }

    fn duration(&self, name: &str) -> Result<Option<Duration>, RunError> {
        let Some(found) = self.get(name) else { return Ok(None) };
        let Some(text) = string(found) else {
            return Err(self.wrong_type(name, found, "a duration, such as \"500ms\""));
        };
        let read = duration::parse(&text).map(Some);
        read.map_err(|reason| RunError::Time { place: self.place_of(name), text: text.into_owned(), reason })
    }

    fn at(&self) -> Result<Duration, RunError> {
        let at = self.duration("at")?;
        at.ok_or_else(|| RunError::Missing { place: self.place_of("at"), mend: r#""at": "500ms""# })
    }
}
