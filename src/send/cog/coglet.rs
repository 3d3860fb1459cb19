//! coglet, the server in Rust: cog 0.17 and later. Measured on 0.23.1.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::json::object::items;
use crate::json::value::string;

use super::prediction::{CogChange, CogOutcome, Prediction};
use super::run::{Failure, Run, RunOutcome, StepAction};

/// The changes of a run, in the order in which coglet applies the changes.
pub(crate) fn changes(run: &Run) -> Vec<(Duration, CogChange)> {
    let mut changes = vec![(Duration::ZERO, CogChange::Start)];
    // The worker's stream passes on whole lines, and flushed text. An unfinished line at the end is lost (it appears in
    // the logs of the next prediction). stdout and stderr are one stream.
    let mut unfinished = String::new();
    for step in &run.steps {
        let change = match &step.action {
            StepAction::Log { text, flush } => {
                unfinished += text;
                let end = if *flush { unfinished.len() } else { unfinished.rfind('\n').map_or(0, |end| end + 1) };
                let rest = unfinished.split_off(end);
                match std::mem::replace(&mut unfinished, rest) {
                    log if log.is_empty() => continue,
                    log => CogChange::Log(log),
                }
            }
            StepAction::Output(output) => CogChange::OutputItem(output.clone()),
            StepAction::Metrics(metrics) => CogChange::Metrics(metrics.clone()),
        };
        changes.push((step.at, change));
    }
    let mut at_end = |change| changes.push((run.end.at, change));
    let outcome = match &run.end.outcome {
        RunOutcome::Succeeded(output) => {
            if !run.iterator {
                let output = output.as_deref().unwrap_or("null");
                output_items(output).into_iter().for_each(|item| at_end(CogChange::OutputItem(item.to_owned())));
                at_end(CogChange::Output(output.to_owned()));
            }
            CogOutcome::Succeeded
        }
        RunOutcome::Failed(failure) => CogOutcome::Failed(error_message(failure, run.iterator)),
        RunOutcome::Canceled => CogOutcome::Canceled,
    };
    at_end(CogChange::End(outcome));
    changes
}

/// The `output` deliveries of a plain return: one for each element of a list, one for any other value, none for `null`.
fn output_items(output: &str) -> Vec<&str> {
    match items(output) {
        Some(items) => items,
        None if output == "null" => Vec::new(),
        None => vec![output],
    }
}

/// The `error` of the body. coglet has no traceback.
fn error_message(failure: &Failure, iterator: bool) -> String {
    let raised = match failure {
        Failure::Error(error) => return error.clone(),
        Failure::Exit(_) => return "Worker crashed".to_owned(),
        Failure::Raises(raised) => raised,
    };
    let (class, message) = raised.split_once(": ").unwrap_or((raised, ""));
    // Without the module: `_queue.Empty` becomes `Empty: `.
    let class = class.rsplit('.').next().unwrap_or(class);
    let doing = if iterator { "Generator iteration error" } else { "Prediction failed" };
    format!("Prediction failed: {doing}: {class}: {message}")
}

/// `serde_json` parses and writes the numbers, as in coglet.
pub(crate) struct CogletState {
    id: String,
    logs: String,
    iterator: bool,
    items: Vec<Value>,
    output: Option<Value>,
    metrics: Map<String, Value>,
    ending_metrics: Map<String, Value>,
    outcome: Option<CogOutcome>,
}

/// The members are in alphabetical order, as coglet writes them.
#[derive(Serialize)]
struct CogletBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    id: &'a str,
    logs: &'a str,
    metrics: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<CogletOutput<'a>>,
    status: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum CogletOutput<'a> {
    Items(&'a [Value]),
    Value(&'a Value),
}

impl CogletState {
    pub(crate) fn new(run: &Run, id: Option<&str>, started_at: Timestamp) -> Self {
        CogletState {
            id: id.map_or_else(|| format!("pred_{:x}", started_at.as_nanosecond()), str::to_owned),
            logs: String::new(),
            iterator: run.iterator,
            items: Vec::new(),
            output: None,
            metrics: Map::new(),
            ending_metrics: run.end.metrics.as_deref().map(object).unwrap_or_default(),
            outcome: None,
        }
    }

    fn output(&self) -> Option<CogletOutput<'_>> {
        // An iterator that has succeeded has an output, even if empty.
        let complete = self.iterator && self.outcome == Some(CogOutcome::Succeeded);
        match &self.output {
            Some(output) => Some(CogletOutput::Value(output)),
            None if self.items.is_empty() && !complete => None,
            None => Some(CogletOutput::Items(&self.items)),
        }
    }
}

impl Prediction for CogletState {
    fn apply(&mut self, change: CogChange, now: Duration) {
        match change {
            CogChange::Start | CogChange::Streams => {}
            CogChange::Log(log) => self.logs += &log,
            CogChange::Metrics(metrics) => self.metrics.extend(object(&metrics)),
            CogChange::OutputItem(item) => self.items.push(value(&item)),
            CogChange::Output(output) => self.output = Some(value(&output)),
            CogChange::End(outcome) => {
                self.metrics.append(&mut self.ending_metrics);
                self.metrics.entry("predict_time").or_insert_with(|| now.as_secs_f64().into());
                self.outcome = Some(outcome);
            }
        }
    }

    fn body(&self) -> String {
        let body = CogletBody {
            error: self.outcome.as_ref().and_then(CogOutcome::error),
            id: &self.id,
            logs: &self.logs,
            metrics: &self.metrics,
            output: self.output(),
            status: self.outcome.as_ref().map_or("processing", CogOutcome::status),
        };
        // Strings, and values that were read from JSON: serialising cannot fail.
        serde_json::to_string(&body).unwrap_or_default()
    }
}

/// `text` was checked when the run was parsed.
fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| string(text).map_or(Value::Null, |text| text.into()))
}

fn object(text: &str) -> Map<String, Value> {
    match value(text) {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
