//! coglet, Rust: cog 0.17 and later. Measured on 0.23.1.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::json::object::items;
use crate::json::value::string;

use super::run::{Failure, Run, RunOutcome, StepAction};
use super::{CogMoment, CogOutcome, Prediction};

/// What happens, as coglet learns of it.
pub(crate) fn moments(run: &Run) -> Vec<(Duration, CogMoment)> {
    let mut moments = vec![(Duration::ZERO, CogMoment::Start)];
    // The worker's stream hands on whole lines, or what is flushed; what is left at the end is lost (in fact it turns up
    // in the logs of the next prediction). stdout and stderr are one.
    let mut unfinished = String::new();
    for step in &run.steps {
        let moment = match &step.does {
            StepAction::Log { text, flush } => {
                unfinished += text;
                let whole = if *flush { unfinished.len() } else { unfinished.rfind('\n').map_or(0, |end| end + 1) };
                let rest = unfinished.split_off(whole);
                match std::mem::replace(&mut unfinished, rest) {
                    log if log.is_empty() => continue,
                    log => CogMoment::Log(log),
                }
            }
            StepAction::Output(output) => CogMoment::Piece(output.clone()),
            StepAction::Metrics(metrics) => CogMoment::Metrics(metrics.clone()),
        };
        moments.push((step.at, moment));
    }
    let mut at_end = |moment| moments.push((run.end.at, moment));
    let outcome = match &run.end.how {
        RunOutcome::Succeeded(output) => {
            if !run.iterator {
                let whole = output.as_deref().unwrap_or("null");
                pieces(whole).into_iter().for_each(|piece| at_end(CogMoment::Piece(piece.to_owned())));
                at_end(CogMoment::Whole(whole.to_owned()));
            }
            CogOutcome::Succeeded
        }
        RunOutcome::Failed(failure) => CogOutcome::Failed(worded(failure, run.iterator)),
        RunOutcome::Canceled => CogOutcome::Canceled,
    };
    at_end(CogMoment::End(outcome));
    moments
}

/// The `output` deliveries of a plain return: one for each element of a list, one for any other value, none for `null`.
fn pieces(whole: &str) -> Vec<&str> {
    match items(whole) {
        Some(items) => items,
        None if whole == "null" => Vec::new(),
        None => vec![whole],
    }
}

/// The error of a failure. There is no traceback anywhere.
fn worded(failure: &Failure, iterator: bool) -> String {
    let raised = match failure {
        Failure::Error(error) => return error.clone(),
        Failure::Exit(_) => return "Worker crashed".to_owned(),
        Failure::Raises(raised) => raised,
    };
    let (class, message) = raised.split_once(": ").unwrap_or((raised, ""));
    // The class goes without its module: `_queue.Empty` is `Empty: `.
    let class = class.rsplit('.').next().unwrap_or(class);
    let doing = if iterator { "Generator iteration error" } else { "Prediction failed" };
    format!("Prediction failed: {doing}: {class}: {message}")
}

/// A prediction as coglet keeps it. Numbers become what `serde_json` makes of them: coglet's own JSON library.
pub(crate) struct CogletState {
    id: String,
    logs: String,
    iterator: bool,
    pieces: Vec<Value>,
    whole: Option<Value>,
    metrics: Map<String, Value>,
    ending_metrics: Map<String, Value>,
    outcome: Option<CogOutcome>,
}

/// In order of the keys, as coglet writes it.
#[derive(Serialize)]
struct Sent<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    id: &'a str,
    logs: &'a str,
    metrics: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Output<'a>>,
    status: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Output<'a> {
    Pieces(&'a [Value]),
    Whole(&'a Value),
}

impl CogletState {
    pub(crate) fn new(run: &Run, id: Option<&str>, started_at: Timestamp) -> Self {
        CogletState {
            id: id.map_or_else(|| format!("pred_{:x}", started_at.as_nanosecond()), str::to_owned),
            logs: String::new(),
            iterator: run.iterator,
            pieces: Vec::new(),
            whole: None,
            metrics: Map::new(),
            ending_metrics: run.end.metrics.as_deref().map(object).unwrap_or_default(),
            outcome: None,
        }
    }

    fn output(&self) -> Option<Output<'_>> {
        // An iterator that ends well has an output, though it be empty.
        let complete = self.iterator && self.outcome == Some(CogOutcome::Succeeded);
        match &self.whole {
            Some(whole) => Some(Output::Whole(whole)),
            None if self.pieces.is_empty() && !complete => None,
            None => Some(Output::Pieces(&self.pieces)),
        }
    }
}

impl Prediction for CogletState {
    fn take(&mut self, moment: CogMoment, now: Duration) {
        match moment {
            CogMoment::Start | CogMoment::Streams => {}
            CogMoment::Log(log) => self.logs += &log,
            CogMoment::Metrics(metrics) => self.metrics.extend(object(&metrics)),
            CogMoment::Piece(piece) => self.pieces.push(value(&piece)),
            CogMoment::Whole(whole) => self.whole = Some(value(&whole)),
            CogMoment::End(outcome) => {
                self.metrics.append(&mut self.ending_metrics);
                self.metrics.entry("predict_time").or_insert_with(|| now.as_secs_f64().into());
                self.outcome = Some(outcome);
            }
        }
    }

    fn body(&self) -> String {
        let sent = Sent {
            error: self.outcome.as_ref().and_then(CogOutcome::error),
            id: &self.id,
            logs: &self.logs,
            metrics: &self.metrics,
            output: self.output(),
            status: self.outcome.as_ref().map_or("processing", CogOutcome::status),
        };
        // Strings, maps of strings and numbers that were read from JSON: nothing that could fail.
        serde_json::to_string(&sent).unwrap_or_default()
    }
}

/// JSON that was checked when the run was read.
fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| string(text).map_or(Value::Null, |text| text.into()))
}

fn object(text: &str) -> Map<String, Value> {
    match value(text) {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
