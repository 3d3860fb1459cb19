//! `--drill`: every case of the drill against a handler, compared with what a good handler does.

use std::time::Instant;

use bytes::Bytes;
use futures_util::future::try_join_all;
use http::HeaderValue;
use http::header::CONTENT_TYPE;

use super::content::Content;
use super::deliver::{COMPARE, DeliveryEnd, Driver};
use super::request::Prepared;
use super::schedule::Schedule;
use super::template::Template;
use crate::error::{Error, Exit};
use crate::event::{DrillExpectation, DrillResponse, DrillResult, DrillTally, DrillVerdict, Event, Note};
use crate::http::{IncomingResponse, NoResponse, Transport};
use crate::json::edit::Edit;
use crate::payload::provider::Fields;
use crate::payload::retry::AttemptOutcome;
use crate::sys::junit;
use crate::sys::junit::JunitReport;

pub(crate) mod cases;
pub(crate) mod twice;

use cases::{CaseKind, DrillCase};

/// How many copies a case sends at once.
const AT_ONCE: usize = 5;

/// The advice after 401 or 403 for an unsigned delivery.
const UNSIGNED: &str = "it was not signed; give the receiver's secret with --secret";

/// The size of a large output, in bytes of base64.
const LARGE: usize = 1024 * 1024;

pub(crate) async fn run<T: Transport>(driver: &Driver<'_, T>, schedules: Vec<Schedule>) -> Result<Exit, Error> {
    // The last delivery: of a run, the one that ends the prediction.
    let ([schedule], Some(last)) = (&schedules[..], schedules.iter().flat_map(Schedule::scheduled).last()) else {
        return Err(Error::Usage("a drill takes one payload: every case is made from it".into()));
    };
    if !schedule.is_run() && schedule.scheduled().count() > 1 {
        return Err(Error::Usage("a drill takes one payload, not a journal: every case is made from it".into()));
    }
    let config = driver.config();
    let report = config.report.as_deref().map(|path| JunitReport::create(path, &config.secrets)).transpose()?;
    let started = Instant::now();
    let mut drill = Drill {
        driver,
        original: &last.prepared,
        refused: None,
        hangs: false,
        results: Vec::new(),
        tally: DrillTally::default(),
    };
    let exit = drill.run_cases().await;
    // An error is reported as the failure of its case: a report without a failure would pass in CI.
    if let (Err(error), Some(case)) = (&exit, cases::ALL.get(drill.results.len())) {
        drill.results.push(junit::JunitCase::new(case.name, DrillVerdict::Failed(error.to_string())));
    }
    if let Some(report) = report {
        report.write("hookctl send --drill", &drill.results, started.elapsed())?;
    }
    exit
}

struct Drill<'a, 'b, T> {
    driver: &'a Driver<'b, T>,
    /// The request that every case is made from.
    original: &'a Prepared,
    /// The response to the good delivery, unless it was accepted.
    refused: Option<DrillResponse>,
    /// Whether the good delivery timed out. All other cases are skipped then, as each would take as long.
    hangs: bool,
    results: Vec<junit::JunitCase>,
    tally: DrillTally,
}

struct CaseRequests {
    requests: Vec<Prepared>,
    /// Whether all requests are sent at the same time, instead of one after another.
    at_once: bool,
}

impl CaseRequests {
    fn in_turn(requests: Vec<Prepared>) -> Result<Self, String> {
        Ok(CaseRequests { requests, at_once: false })
    }

    fn of(mut self, case: &DrillCase) -> Self {
        self.requests.iter_mut().for_each(|request| request.case = Some((case.name, case.wants)));
        self
    }
}

struct CaseResult {
    result: DrillResult,
    ends: Vec<DeliveryEnd>,
    /// The event and the prediction of the first request; `None` when the case was skipped.
    about: Option<String>,
}

impl<T: Transport> Drill<'_, '_, T> {
    async fn run_cases(&mut self) -> Result<Exit, Error> {
        let mut exit = Exit::Done;
        self.driver.emit(Event::DrillBegin).await;
        for case in &cases::ALL {
            let CaseResult { result, ends, about } = self.run_case(case).await?;
            if let Some(end) = ends.iter().find(|end| end.stops_run()) {
                let text = format!("interrupted at the case \"{}\": the cases after it were not sent", case.name);
                self.driver.emit(Note::warning(text)).await;
                exit = end.exit;
                break;
            }
            let failed = matches!(result.verdict, DrillVerdict::Failed(_));
            if let Some(reply) = ends.first().map(|end| &end.reply)
                && case.sends == CaseKind::One
                && reply.outcome == AttemptOutcome::Unreachable
            {
                return Err(Error::Unreachable { reason: reply.error.clone().unwrap_or_default() });
            }
            if failed && case.sends == CaseKind::One {
                self.refused = result.answers.first().cloned();
                self.hangs = ends.first().is_some_and(|end| end.reply.cause == Some(NoResponse::TimedOut));
            }
            if failed {
                exit = if self.hangs { Exit::Unacknowledged } else { Exit::Expectation };
            }
            self.tally.add(&result.verdict);
            self.results.push(junit_case(&result, about));
            if self.driver.emit(Event::Drilled(Box::new(result))).await {
                return Ok(exit);
            }
        }
        self.driver.finish(Event::DrillEnd(self.tally)).await;
        if let Some(answer) = &self.refused {
            let advice = self.advice(answer);
            // The good delivery is the first case.
            if let Some(good) = self.results.first_mut() {
                good.details.push(("advice", advice.clone()));
            }
            self.driver.emit(Note::warning(advice)).await;
        }
        Ok(exit)
    }

    fn advice(&self, answer: &DrillResponse) -> String {
        let is_signed = self.is_signed();
        let (how, mend) = match &answer.status {
            Ok(status @ (401 | 403)) if is_signed => (format!("refused ({status})"), COMPARE),
            Ok(status @ (401 | 403)) => (format!("refused ({status})"), UNSIGNED),
            Ok(status @ (404 | 405)) => (format!("refused ({status})"), "check the path of --to"),
            Ok(status @ 400..=499) => (format!("refused ({status})"), "read the receiver's response"),
            Ok(status) => (format!("answered {status}"), "fix that first"),
            Err(error) => (format!("not answered ({error})"), "fix that first"),
        };
        format!("even the good delivery was {how}, so this drill proves little: {mend}")
    }

    fn is_signed(&self) -> bool {
        !self.original.signing.schemes.is_empty()
    }

    /// The reason why these responses prove nothing: the good delivery was refused with the same status.
    fn proves_nothing(&self, replies: &[IncomingResponse]) -> Option<String> {
        let Ok(status @ 400..=499) = self.refused.as_ref()?.status else { return None };
        let is_same = |reply: &IncomingResponse| matches!(reply.outcome, AttemptOutcome::Answered { status: same, .. } if same == status);
        replies.iter().all(is_same).then(|| format!("refused ({status}) like the good delivery: proves nothing"))
    }

    async fn run_case(&self, case: &'static DrillCase) -> Result<CaseResult, Error> {
        let result = |replies: &[IncomingResponse], verdict: DrillVerdict| DrillResult {
            name: case.name,
            expectation: case.wants,
            sent: self.sent(case),
            why: case.why,
            answers: replies.iter().map(response).collect(),
            note: note(case, replies).filter(|_| verdict == DrillVerdict::Passed),
            verdict,
        };
        let skipped =
            |why| CaseResult { result: result(&[], DrillVerdict::Skipped(why)), ends: Vec::new(), about: None };
        if self.hangs {
            return Ok(skipped("not sent: the good delivery timed out".to_owned()));
        }
        let requests = match self.requests(case.sends).and_then(|requests| self.signable(requests)) {
            Ok(requests) => requests.of(case),
            Err(why) => return Ok(skipped(why)),
        };
        let ends = self.send(&requests).await?;
        let replies: Vec<IncomingResponse> = ends.iter().map(|end| end.reply.clone()).collect();
        let verdict = match self.proves_nothing(&replies) {
            Some(why) => DrillVerdict::Skipped(why),
            None => verify(case, &replies),
        };
        let about = requests.requests.first().map(|request| about(&request.content));
        Ok(CaseResult { result: result(&replies, verdict), ends, about })
    }

    fn sent(&self, case: &DrillCase) -> String {
        match case.sends {
            CaseKind::Tampered(_) => case.what.to_owned(),
            _ if !self.is_signed() => format!("{}, unsigned", case.what),
            CaseKind::Body(_) => format!("{}, signed", case.what),
            _ => case.what.to_owned(),
        }
    }

    /// The requests of a case, or the reason why there are none.
    fn requests(&self, sends: CaseKind) -> Result<CaseRequests, String> {
        let request = Template::of(self.original.clone()).copy();
        let one = |request| CaseRequests::in_turn(vec![request]);
        match sends {
            CaseKind::One => one(request),
            CaseKind::Twice => CaseRequests::in_turn(vec![request; 2]),
            CaseKind::AtOnce => Ok(CaseRequests { requests: vec![request; AT_ONCE], at_once: true }),
            CaseKind::OutOfOrder => match request.content.earlier_body() {
                Some(body) => {
                    let mut earlier = request.clone().with_body(body);
                    earlier.signing.renew_message_id();
                    CaseRequests::in_turn(vec![request, earlier])
                }
                None => Err(format!("{} sends one event per prediction", request.content.provider.label)),
            },
            CaseKind::Tampered(tamper) => match request.signing.schemes.first() {
                None => Err("there is no signature; sign with --secret".to_owned()),
                Some(scheme) => match tamper.unnoticed(scheme) {
                    Some(why) => Err(format!("{} {why}", scheme.name)),
                    None => one(request.tampered(Some(tamper)).map_err(|error| error.to_string())?),
                },
            },
            CaseKind::ContentType(value) => one(request.with_header(CONTENT_TYPE, HeaderValue::from_static(value))),
            CaseKind::Body(body) => one(request.with_body(Bytes::from_static(body.as_bytes()))),
            CaseKind::Large => {
                let image = format!("\"data:image/png;base64,{}\"", "iVBORw0K".repeat(LARGE / 8));
                one(with_field(request, |fields| fields.output, image, "output")?)
            }
            CaseKind::Status(word) => {
                one(with_field(request, |fields| fields.status, format!("\"{word}\""), "status")?)
            }
        }
    }

    /// Returns the error of the first request that cannot be signed: the body lacks the field that the scheme signs.
    fn signable(&self, requests: CaseRequests) -> Result<CaseRequests, String> {
        match requests.requests.iter().find_map(|request| self.driver.sign(request).err()) {
            Some(error) => Err(error.to_string()),
            None => Ok(requests),
        }
    }

    async fn send(&self, case: &CaseRequests) -> Result<Vec<DeliveryEnd>, Error> {
        let attempt = |request| async move {
            let headers = self.driver.sign(request)?;
            self.driver.attempt(request, headers, 1).await
        };
        if case.at_once {
            return try_join_all(case.requests.iter().map(attempt)).await;
        }
        let mut ends = Vec::with_capacity(case.requests.len());
        for request in &case.requests {
            ends.push(attempt(request).await?);
        }
        Ok(ends)
    }
}

/// The request with a new value in one field of its body.
fn with_field(
    request: Prepared,
    paths: impl Fn(&Fields) -> &'static [&'static str],
    json: String,
    name: &str,
) -> Result<Prepared, String> {
    let path =
        paths(&request.content.shape.fields).first().ok_or_else(|| format!("the body has no field for the {name}"))?;
    let text = String::from_utf8_lossy(&request.body);
    let edited = Edit::set_json(path, json).and_then(|edit| edit.apply(&text)).map_err(|error| error.to_string())?;
    Ok(request.with_body(edited.into()))
}

/// `completed of abc123`
fn about(content: &Content) -> String {
    let event = content.payload().and_then(|payload| payload.event.as_ref());
    event.map_or_else(|| content.subject().to_owned(), |event| format!("{} of {}", event.name, content.subject()))
}

fn junit_case(result: &DrillResult, about: Option<String>) -> junit::JunitCase {
    let answer = |answer: &DrillResponse| match &answer.status {
        Ok(status) => format!("{status} in {:.1} ms", answer.ms),
        Err(error) => format!("no answer in {:.1} ms: {error}", answer.ms),
    };
    let answers: Vec<String> = result.answers.iter().map(answer).collect();
    let about = about.map(|about| format!(" ({about})")).unwrap_or_default();
    junit::JunitCase {
        name: result.name.to_owned(),
        verdict: result.verdict.clone(),
        ms: result.answers.iter().map(|answer| answer.ms).reduce(f64::max),
        note: result.note,
        details: vec![
            ("sent", format!("{}{about}", result.sent)),
            ("wanted", result.expectation.statuses().to_owned()),
            ("came", answers.join(", ")),
            ("why", result.why.to_owned()),
        ],
    }
}

fn verify(case: &DrillCase, replies: &[IncomingResponse]) -> DrillVerdict {
    let fault = replies.iter().find_map(|reply| fault(case.wants, reply));
    let fault = fault.or_else(|| match case.sends {
        CaseKind::Twice => twice::processed_again(replies),
        CaseKind::AtOnce => twice::processed_often(replies),
        _ => None,
    });
    fault.into()
}

fn note(case: &DrillCase, replies: &[IncomingResponse]) -> Option<&'static str> {
    let is_open = matches!(case.sends, CaseKind::Twice | CaseKind::AtOnce) && !twice::is_conclusive(replies);
    is_open.then_some("acknowledged; the responses do not show whether it was processed twice")
}

fn response(reply: &IncomingResponse) -> DrillResponse {
    let status = match reply.outcome {
        AttemptOutcome::Answered { status, .. } => Ok(status),
        AttemptOutcome::Unreachable | AttemptOutcome::Unknown => {
            Err(reply.error.clone().unwrap_or_else(|| "no answer".to_owned()))
        }
    };
    DrillResponse { status, ms: reply.ms }
}

fn fault(wants: DrillExpectation, reply: &IncomingResponse) -> Option<String> {
    match response(reply).status {
        Ok(status) if wants.allows(status) => None,
        Ok(status) => Some(format!("answered {status}")),
        Err(error) => Some(format!("no answer: {error}")),
    }
}
