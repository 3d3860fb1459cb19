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

use super::run::{Failure, Run, RunOutcome, StepAction};
use super::{CogMoment, CogOutcome, LastFailure, Prediction};

/// `json.dumps` as it stands.
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

/// What happens, as the server learns of it.
///
/// Two threads race in the real one; what is usual is here. `start` is posted beside the first event, and
/// so its body has neither logs nor output, and does not throttle that event (all but a few recordings). A log reaches the server through
/// one thread more than an output does, and yet mostly comes first if it was written first.
pub(crate) fn moments(run: &Run, interval: Duration) -> Vec<(Duration, CogMoment)> {
    let mut moments = Vec::new();
    if interval >= SKIP_START_BELOW {
        moments.push((Duration::ZERO, CogMoment::Start));
    }
    if run.iterator {
        moments.push((Duration::ZERO, CogMoment::Streams));
    }
    let mut lines = Lines::default();
    for step in &run.steps {
        let mut now = |moment| moments.push((step.at, moment));
        match &step.does {
            StepAction::Log { text, .. } => lines.take(text).into_iter().for_each(|line| now(CogMoment::Log(line))),
            StepAction::Output(output) => now(CogMoment::Piece(output.clone())),
            StepAction::Metrics(metrics) => now(CogMoment::Metrics(metrics.clone())),
        }
    }
    let mut at_end = |moment| moments.push((run.end.at, moment));
    let outcome = match &run.end.how {
        RunOutcome::Succeeded(output) => {
            // `if result:`, so that an empty or zero result is none at all.
            if let Some(output) = output.as_deref().filter(|output| is_truthy(output)) {
                at_end(CogMoment::Whole(output.to_owned()));
            }
            CogOutcome::Succeeded
        }
        RunOutcome::Failed(failure) => {
            let (log, outcome) = failed(failure, run.iterator, &mut lines);
            log.into_iter().for_each(|log| at_end(CogMoment::Log(log)));
            outcome
        }
        RunOutcome::Canceled => CogOutcome::Canceled,
    };
    lines.drain().into_iter().for_each(|line| at_end(CogMoment::Log(line)));
    at_end(CogMoment::End(outcome));
    moments
}

/// What a failure adds to the logs, after the lines so far, and the outcome.
fn failed(failure: &Failure, iterator: bool, lines: &mut Lines) -> (Vec<String>, CogOutcome) {
    match failure {
        Failure::Error(error) => (Vec::new(), CogOutcome::Failed(error.clone())),
        Failure::Raises(raised) => {
            // To stderr, so beside what stdout has not ended.
            let mut logs = Lines::default().take(&traceback(raised, iterator));
            let (class, message) = class_and_message(raised);
            // What is no `Exception` ends the worker, after the streams have been drained.
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
            // What it had not ended is lost.
            *lines = Lines::default();
            let (log, outcome) = worker_died(*code);
            (vec![log], outcome)
        }
    }
}

/// `FatalWorkerException`, and `traceback.format_exc()` of the server itself, which is logged in one piece.
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

/// Where Python is in the images that Cog builds.
const PYTHON: &str = "/usr/local/lib/python3.11";
const COG: &str = "/usr/local/lib/python3.11/site-packages/cog/server";

/// What `traceback.print_exc()` prints in the worker. The files and lines of Cog are those of 0.16.12; that of the model
/// is made up, of course.
fn traceback(raised: &str, iterator: bool) -> String {
    let (line, call) = match iterator {
        true => (753, "for r in result:\n"),
        false => (743, "result = predict(**payload)\n             ^^^^^^^^^^^^^^^^^^\n"),
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

/// `ValueError: no` taken apart; the message is empty where there is none.
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

/// `StreamRedirector`: logs by the line, each bared of the white space around it, empty ones dropped.
#[derive(Default)]
struct Lines {
    unfinished: String,
}

impl Lines {
    fn take(&mut self, text: &str) -> Vec<String> {
        // The pipe is read as text, with universal newlines.
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let mut lines = Vec::new();
        let mut parts = text.split('\n').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                self.unfinished += part;
                break;
            }
            // Only what ends the line is stripped, and not what was kept of it.
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

/// As `str.strip` has it.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// `str()` of the exception that `requests` raises when its retries are used up, as worded by urllib3 2.
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

/// A prediction as the Python server keeps it. What is JSON is kept as it will be written.
pub(crate) struct PythonState {
    input: String,
    output: Output,
    id: String,
    created_at: String,
    started_at: Timestamp,
    completed_at: Option<Timestamp>,
    logs: String,
    outcome: Option<CogOutcome>,
    metrics: Vec<(String, String)>,
    ending_metrics: Vec<(String, String)>,
}

enum Output {
    None,
    Whole(String),
    Pieces(Vec<String>),
}

impl PythonState {
    pub(crate) fn new(run: &Run, id: Option<&str>, started_at: Timestamp) -> Self {
        let null = || "null".to_owned();
        PythonState {
            // The client's own numbers: what Python makes of them depends on the types of the model's inputs.
            input: spell(&run.input, Spelling { numbers: NumberStyle::AsSent, ..DUMPS }),
            output: Output::None,
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

/// Measured by the server, and of what succeeded only.
const PREDICT_TIME: &str = "predict_time";

impl Prediction for PythonState {
    fn take(&mut self, moment: CogMoment, now: Duration) {
        match moment {
            CogMoment::Start => {}
            CogMoment::Streams => self.output = Output::Pieces(Vec::new()),
            CogMoment::Log(log) => self.logs += &log,
            CogMoment::Metrics(metrics) => {
                members(&metrics).into_iter().for_each(|(name, value)| self.set_metric(name, value));
            }
            CogMoment::Piece(piece) => match &mut self.output {
                Output::Pieces(pieces) => pieces.push(spell(&piece, DUMPS)),
                Output::None | Output::Whole(_) => self.output = Output::Pieces(vec![spell(&piece, DUMPS)]),
            },
            CogMoment::Whole(whole) => self.output = Output::Whole(spell(&whole, DUMPS)),
            CogMoment::End(outcome) => self.end(outcome, now),
        }
    }

    fn body(&self) -> String {
        let output = match &self.output {
            Output::None => "null".to_owned(),
            Output::Whole(whole) => whole.clone(),
            Output::Pieces(pieces) => format!("[{}]", pieces.join(", ")),
        };
        let moment = |at: Timestamp| DUMPS.quote(&isoformat(Offset::UTC.to_datetime(at), Some(Offset::UTC)));
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
            ("started_at", Some(moment(self.started_at))),
            ("completed_at", self.completed_at.map(moment)),
            ("logs", Some(DUMPS.quote(&self.logs))),
            ("error", error),
            ("status", Some(DUMPS.quote(status))),
            ("metrics", (!metrics.is_empty()).then(|| format!("{{{}}}", metrics.join(", ")))),
        ];
        let members = members.into_iter().filter_map(|(name, value)| Some(format!("\"{name}\": {}", value?)));
        format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
    }
}

/// JSON that was checked when the run was read, in another spelling.
fn spell(json: &str, spelling: Spelling) -> String {
    Tree::parse(json).map_or_else(|| json.to_owned(), |tree| spelling.spell(&tree))
}

fn members(json: &str) -> Vec<(String, String)> {
    let members = Object::parse(json).unwrap_or_default().into_members();
    members.into_iter().map(|(name, value)| (name.into_owned(), spell(value, DUMPS))).collect()
}

/// The client's time, as pydantic reads and Python writes it: its own offset is kept.
fn created_at(text: &str) -> String {
    let read = Pieces::parse(text).ok().and_then(|pieces| {
        let datetime = pieces.date().to_datetime(pieces.time()?);
        Some(isoformat(datetime, pieces.to_numeric_offset()))
    });
    DUMPS.quote(read.as_deref().unwrap_or(text))
}

/// `datetime.isoformat()`: microseconds, unless there are none.
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
