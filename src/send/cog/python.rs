//! The Python server: cog 0.16.12 and earlier. Measured on 0.16.12.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::fmt::temporal::Pieces;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use url::Url;

use crate::json::Object;
use crate::signature::reserialize::{
    EmptyObject, Layout, MemberOrder, NumberStyle, Spelling, StringEscapes, Surroundings, Tree,
};

use super::prediction::{CogChange, CogOutcome, LastFailure, Prediction};
use super::run::{Failure, Run, RunOutcome, StepAction};

/// `json.dumps` with its defaults.
const DUMPS: Spelling = Spelling {
    layout: Layout::Spaced,
    order: MemberOrder::Once,
    strings: StringEscapes::Ascii,
    numbers: NumberStyle::Python,
    empty: EmptyObject::AsSent,
    ends: Surroundings::Bare,
};

/// Below this interval, no `start` is sent (`SKIP_START_EVENT`).
const SKIP_START_BELOW: Duration = Duration::from_millis(100);

/// The changes of a run, in the order in which the server learns of them.
///
/// In the real server two threads race; this is the usual order. `start` is posted concurrently with the first event, so its
/// body has neither logs nor output, and does not throttle that event (in all but a few recordings). A log reaches the
/// server through one thread more than an output does, and yet mostly arrives first if it was written first.
pub(crate) fn changes(run: &Run, interval: Duration) -> Vec<(Duration, CogChange)> {
    let mut changes = Vec::new();
    if interval >= SKIP_START_BELOW {
        changes.push((Duration::ZERO, CogChange::Start));
    }
    if run.iterator {
        changes.push((Duration::ZERO, CogChange::Streams));
    }
    let mut lines = LogLines::default();
    for step in &run.steps {
        let mut at_step = |change| changes.push((step.at, change));
        match &step.action {
            StepAction::Log { text, .. } => lines.push(text).into_iter().for_each(|line| at_step(CogChange::Log(line))),
            StepAction::Output(output) => at_step(CogChange::OutputItem(output.clone())),
            StepAction::Metrics(metrics) => at_step(CogChange::Metrics(metrics.clone())),
        }
    }
    let mut at_end = |change| changes.push((run.end.at, change));
    let outcome = match &run.end.outcome {
        RunOutcome::Succeeded(output) => {
            // `if result:` drops an empty or zero result.
            if let Some(output) = output.as_deref().filter(|output| is_truthy(output)) {
                at_end(CogChange::Output(output.to_owned()));
            }
            CogOutcome::Succeeded
        }
        RunOutcome::Failed(failure) => {
            let (log, outcome) = fail(failure, run.iterator, &mut lines);
            log.into_iter().for_each(|log| at_end(CogChange::Log(log)));
            outcome
        }
        RunOutcome::Canceled => CogOutcome::Canceled,
    };
    lines.drain().into_iter().for_each(|line| at_end(CogChange::Log(line)));
    at_end(CogChange::End(outcome));
    changes
}

/// The lines that a failure adds to the logs, and the outcome.
fn fail(failure: &Failure, iterator: bool, lines: &mut LogLines) -> (Vec<String>, CogOutcome) {
    match failure {
        Failure::Error(error) => (Vec::new(), CogOutcome::Failed(error.clone())),
        Failure::Raises(raised) => {
            // stderr: an unfinished line of stdout is not affected.
            let mut logs = LogLines::default().push(&traceback(raised, iterator));
            let (class, message) = class_and_message(raised);
            // A `BaseException` that is no `Exception` ends the worker, after the streams were drained.
            let code = match class {
                "SystemExit" if message.is_empty() => 0,
                "SystemExit" => message.parse().unwrap_or(1),
                "KeyboardInterrupt" | "GeneratorExit" => 1,
                _ => return (logs, CogOutcome::Failed(message.to_owned())),
            };
            logs.extend(lines.drain());
            let (log, outcome) = worker_died(code);
            logs.push(log);
            (logs, outcome)
        }
        Failure::Exit(code) => {
            // The unfinished line is lost.
            *lines = LogLines::default();
            let (log, outcome) = worker_died(*code);
            (vec![log], outcome)
        }
    }
}

/// The log and the outcome: `traceback.format_exc()` of the server itself, logged in one piece, and `FatalWorkerException`.
fn worker_died(code: i32) -> (String, CogOutcome) {
    let error = format!("Prediction failed for an unknown reason. It might have run out of memory? (exitcode {code})");
    let log = format!(
        "Traceback (most recent call last):\n  \
         File \"{COG}/runner.py\", line 491, in _handle_done\n    f.result()\n  \
         File \"{PYTHON}/concurrent/futures/_base.py\", line 449, in result\n    \
         return self.__get_result()\n           ^^^^^^^^^^^^^^^^^^^\n  \
         File \"{PYTHON}/concurrent/futures/_base.py\", line 401, in __get_result\n    \
         raise self._exception\ncog.server.exceptions.FatalWorkerException: {error}\n"
    );
    (log, CogOutcome::Failed(error))
}

/// Python's path in the images that Cog builds.
const PYTHON: &str = "/usr/local/lib/python3.11";
const COG: &str = "/usr/local/lib/python3.11/site-packages/cog/server";

/// The output of `traceback.print_exc()` in the worker. Cog's files and lines are those of 0.16.12; the model's file and line
/// are invented.
fn traceback(raised: &str, iterator: bool) -> String {
    let (line, call) = if iterator {
        (753, "for r in result:\n")
    } else {
        (743, "result = predict(**payload)\n             ^^^^^^^^^^^^^^^^^^\n")
    };
    let raise = match class_and_message(raised) {
        (class, "") => class.to_owned(),
        (class, message) => format!("{class}({})", Value::from(message)),
    };
    format!(
        "Traceback (most recent call last):\n\
         File \"{COG}/worker.py\", line 891, in _handle_predict_error\nyield\n\
         File \"{COG}/worker.py\", line {line}, in _predict\n{call}\
         File \"/src/predict.py\", line 17, in predict\nraise {raise}\n{raised}\n"
    )
}

/// Splits `ValueError: no`; the message may be empty.
fn class_and_message(raised: &str) -> (&str, &str) {
    raised.split_once(": ").unwrap_or((raised, ""))
}

fn is_truthy(json: &str) -> bool {
    match serde_json::from_str(json) {
        Ok(Value::Null | Value::Bool(false)) | Err(_) => false,
        Ok(Value::Bool(true)) => true,
        Ok(Value::Number(number)) => number.as_f64() != Some(0.0),
        Ok(Value::String(text)) => !text.is_empty(),
        Ok(Value::Array(items)) => !items.is_empty(),
        Ok(Value::Object(members)) => !members.is_empty(),
    }
}

/// `StreamRedirector`: logs line by line, without the white space around a line, and without empty lines.
#[derive(Default)]
struct LogLines {
    unfinished: String,
}

impl LogLines {
    fn push(&mut self, text: &str) -> Vec<String> {
        // The pipe is read as text, with universal newlines.
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let mut lines = Vec::new();
        let mut parts = text.split('\n').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                self.unfinished += part;
                break;
            }
            // Only the part that ends the line is stripped, not the unfinished part before.
            let line = std::mem::take(&mut self.unfinished) + part.trim_matches(is_space);
            if !line.is_empty() {
                lines.push(line + "\n");
            }
        }
        lines
    }

    fn drain(&mut self) -> Option<String> {
        let line = std::mem::take(&mut self.unfinished);
        (!line.is_empty()).then(|| line + "\n")
    }
}

/// As in `str.strip`.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// `str()` of the exception that `requests` raises after its last retry, with the messages of urllib3 2.
pub(crate) fn retries_exceeded(url: &Url, failure: LastFailure) -> String {
    let scheme = if url.scheme() == "https" { "HTTPS" } else { "HTTP" };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port_or_known_default().unwrap_or_default();
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let connection = format!("{scheme}Connection(host='{host}', port={port})");
    let aborted = |how: &str| format!("ProtocolError('Connection aborted.', {how})");
    let cause = match failure {
        LastFailure::Status(status) => format!("ResponseError('too many {status} error responses')"),
        LastFailure::Refused => format!(
            "NewConnectionError(\"{connection}: Failed to establish a new connection: [Errno 111] Connection refused\")"
        ),
        LastFailure::Reset => aborted("ConnectionResetError(104, 'Connection reset by peer')"),
        LastFailure::Closed => aborted("RemoteDisconnected('Remote end closed connection without response')"),
        LastFailure::Unresolved => format!(
            "NameResolutionError(\"{connection}: Failed to resolve '{host}' ([Errno -2] Name or service not known)\")"
        ),
    };
    let path = url.path();
    format!(
        "{scheme}ConnectionPool(host='{host}', port={port}): Max retries exceeded with url: {path}{query} (Caused by {cause})"
    )
}

/// Members that hold JSON hold it as the server will write it.
pub(crate) struct PythonState {
    input: String,
    output: PythonOutput,
    id: String,
    created_at: String,
    started_at: Timestamp,
    completed_at: Option<Timestamp>,
    logs: String,
    outcome: Option<CogOutcome>,
    metrics: Vec<(String, String)>,
    ending_metrics: Vec<(String, String)>,
}

enum PythonOutput {
    None,
    Value(String),
    Items(Vec<String>),
}

impl PythonState {
    pub(crate) fn new(run: &Run, id: Option<&str>, started_at: Timestamp) -> Self {
        let null = || "null".to_owned();
        PythonState {
            // Numbers stay as the client sent them: Python's spelling would depend on the types of the model's inputs.
            input: spell(&run.input, Spelling { numbers: NumberStyle::AsSent, ..DUMPS }),
            output: PythonOutput::None,
            id: id.map_or_else(null, |id| DUMPS.quote(id)),
            created_at: run.created_at.as_deref().map_or_else(null, created_at),
            started_at,
            completed_at: None,
            logs: String::new(),
            outcome: None,
            metrics: Vec::new(),
            ending_metrics: run.end.metrics.as_deref().map(members).unwrap_or_default(),
        }
    }

    fn set_metric(&mut self, name: String, value: String) {
        match self.metrics.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.metrics.push((name, value)),
        }
    }

    fn end(&mut self, outcome: CogOutcome, now: Duration) {
        let elapsed = SignedDuration::try_from(now).unwrap_or(SignedDuration::MAX);
        let completed_at = self.started_at.saturating_add(elapsed).unwrap_or(Timestamp::MAX);
        let (time, given): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.ending_metrics).into_iter().partition(|(name, _)| name == PREDICT_TIME);
        given.into_iter().for_each(|(name, value)| self.set_metric(name, value));
        if outcome == CogOutcome::Succeeded {
            // `timedelta.total_seconds()`
            let measured = (completed_at.as_microsecond() - self.started_at.as_microsecond()) as f64 / 1e6;
            let measured = || spell(&Value::from(measured).to_string(), DUMPS);
            let time = time.into_iter().next_back().map_or_else(measured, |(_, time)| time);
            self.set_metric(PREDICT_TIME.to_owned(), time);
        }
        self.completed_at = Some(completed_at);
        self.outcome = Some(outcome);
    }
}

/// Measured by the server, for a prediction that succeeded.
const PREDICT_TIME: &str = "predict_time";

impl Prediction for PythonState {
    fn apply(&mut self, change: CogChange, now: Duration) {
        match change {
            CogChange::Start => {}
            CogChange::Streams => self.output = PythonOutput::Items(Vec::new()),
            CogChange::Log(log) => self.logs += &log,
            CogChange::Metrics(metrics) => {
                members(&metrics).into_iter().for_each(|(name, value)| self.set_metric(name, value));
            }
            CogChange::OutputItem(item) => match &mut self.output {
                PythonOutput::Items(items) => items.push(spell(&item, DUMPS)),
                PythonOutput::None | PythonOutput::Value(_) => {
                    self.output = PythonOutput::Items(vec![spell(&item, DUMPS)])
                }
            },
            CogChange::Output(output) => self.output = PythonOutput::Value(spell(&output, DUMPS)),
            CogChange::End(outcome) => self.end(outcome, now),
        }
    }

    fn body(&self) -> String {
        let output = match &self.output {
            PythonOutput::None => "null".to_owned(),
            PythonOutput::Value(value) => value.clone(),
            PythonOutput::Items(items) => format!("[{}]", items.join(", ")),
        };
        let time = |at: Timestamp| DUMPS.quote(&isoformat(Offset::UTC.to_datetime(at), Some(Offset::UTC)));
        let error = self.outcome.as_ref().and_then(CogOutcome::error).map(|error| DUMPS.quote(error));
        let metrics = self.metrics.iter().map(|(name, value)| format!("{}: {value}", DUMPS.quote(name)));
        let metrics: Vec<_> = metrics.collect();
        let status = self.outcome.as_ref().map_or("processing", CogOutcome::status);
        // Members that were never set are left out (`exclude_unset`).
        let members = [
            ("input", Some(self.input.clone())),
            ("output", Some(output)),
            ("id", Some(self.id.clone())),
            ("created_at", Some(self.created_at.clone())),
            ("started_at", Some(time(self.started_at))),
            ("completed_at", self.completed_at.map(time)),
            ("logs", Some(DUMPS.quote(&self.logs))),
            ("error", error),
            ("status", Some(DUMPS.quote(status))),
            ("metrics", (!metrics.is_empty()).then(|| format!("{{{}}}", metrics.join(", ")))),
        ];
        let members = members.into_iter().filter_map(|(name, value)| Some(format!("\"{name}\": {}", value?)));
        format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
    }
}

/// `json` was checked when the run was parsed.
fn spell(json: &str, spelling: Spelling) -> String {
    Tree::parse(json).map_or_else(|| json.to_owned(), |tree| spelling.spell(&tree))
}

fn members(json: &str) -> Vec<(String, String)> {
    let members = Object::parse(json).unwrap_or_default().into_members();
    members.into_iter().map(|(name, value)| (name.into_owned(), spell(value, DUMPS))).collect()
}

/// The client's time, as pydantic parses and Python writes it, with the client's offset.
fn created_at(text: &str) -> String {
    let read = Pieces::parse(text).ok().and_then(|pieces| {
        let datetime = pieces.date().to_datetime(pieces.time()?);
        Some(isoformat(datetime, pieces.to_numeric_offset()))
    });
    DUMPS.quote(read.as_deref().unwrap_or(text))
}

/// `datetime.isoformat()`: microseconds are left out if they are 0.
fn isoformat(datetime: DateTime, offset: Option<Offset>) -> String {
    let seconds = datetime.strftime("%Y-%m-%dT%H:%M:%S");
    let micros = match datetime.subsec_nanosecond() / 1000 {
        0 => String::new(),
        micros => format!(".{micros:06}"),
    };
    let offset = offset.map_or_else(String::new, |offset| {
        let minutes = offset.seconds() / 60;
        let sign = if minutes < 0 { '-' } else { '+' };
        format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
    });
    format!("{seconds}{micros}{offset}")
}
