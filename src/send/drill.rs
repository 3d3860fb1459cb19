//! `--drill`: the whole pack against a handler, and what a good one does.

use std::time::Instant;

use bytes::Bytes;
use futures_util::future::try_join_all;
use http::HeaderValue;
use http::header::CONTENT_TYPE;

use super::deliver::{COMPARE, DeliveryEnd, Driver};
use super::request::{Prepared, Template};
use super::schedule::Schedule;
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

/// How many of the same are sent at once.
const AT_ONCE: usize = 5;

/// What to do when a receiver refuses what nobody signed.
const UNSIGNED: &str = "it went out unsigned: give the receiver's secret with --secret";

/// The size of a large output, in bytes of base64.
const LARGE: usize = 1024 * 1024;

/// Sends the pack.
pub(crate) async fn run<T: Transport>(driver: &Driver<'_, T>, courses: Vec<Schedule>) -> Result<Exit, Error> {
    // Of a run, the delivery that ends it.
    let ([course], Some(leg)) = (&courses[..], courses.iter().flat_map(Schedule::legs).last()) else {
        return Err(Error::Usage("a drill takes one payload: its cases are made of it".into()));
    };
    if !course.is_run() && course.legs().count() > 1 {
        return Err(Error::Usage("a drill takes one payload, not a journal: its cases are made of it".into()));
    }
    let report = driver
        .config()
        .report
        .as_deref()
        .map(|path| JunitReport::create(path, &driver.config().secrets))
        .transpose()?;
    let started = Instant::now();
    let (pattern, tally) = (&leg.parcel, DrillTally::default());
    let mut drill = Drill { driver, pattern, refused: None, hangs: false, results: Vec::new(), tally };
    let exit = drill.cases().await;
    // What stopped it is told where the rest is: a report without a failure would be taken for a good one.
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
    /// What every case is made of.
    pattern: &'a Prepared,
    /// What the good delivery was answered, where that was no acknowledgement.
    refused: Option<DrillResponse>,
    /// Whether the good delivery was waited for in vain: every other would take as long.
    hangs: bool,
    results: Vec<junit::JunitCase>,
    tally: DrillTally,
}

/// What a case sends: these one after the other, or all at once.
struct CaseRequests {
    parcels: Vec<Prepared>,
    at_once: bool,
}

impl CaseRequests {
    fn in_turn(parcels: Vec<Prepared>) -> Result<Self, String> {
        Ok(CaseRequests { parcels, at_once: false })
    }

    /// The same, each with the name of its case.
    fn of(mut self, case: &DrillCase) -> Self {
        self.parcels.iter_mut().for_each(|parcel| parcel.case = Some((case.name, case.wants)));
        self
    }
}

/// What came of a case.
struct CaseResult {
    drilled: DrillResult,
    ended: Vec<DeliveryEnd>,
    /// The event and the prediction that the first delivery is about, where one went out.
    about: Option<String>,
}

impl<T: Transport> Drill<'_, '_, T> {
    /// Runs every case, and says what came of all.
    async fn cases(&mut self) -> Result<Exit, Error> {
        let mut exit = Exit::Done;
        self.driver.say(Event::DrillBegin).await;
        for case in &cases::ALL {
            let CaseResult { drilled, ended, about } = self.case(case).await?;
            if let Some(end) = ended.iter().find(|ended| ended.is_end()) {
                let text = format!("interrupted at the case \"{}\": the rest was not sent", case.name);
                self.driver.say(Note::warning(text)).await;
                exit = end.exit;
                break;
            }
            let failed = matches!(drilled.verdict, DrillVerdict::Failed(_));
            if let Some(reply) = ended.first().map(|ended| &ended.reply)
                && case.sends == CaseKind::One
                && reply.outcome == AttemptOutcome::Unreachable
            {
                return Err(Error::Unreachable { reason: reply.error.clone().unwrap_or_default() });
            }
            if failed && case.sends == CaseKind::One {
                self.refused = drilled.answers.first().cloned();
                self.hangs = ended.first().is_some_and(|ended| ended.reply.cause == Some(NoResponse::TimedOut));
            }
            if failed {
                exit = if self.hangs { Exit::Unacknowledged } else { Exit::Expectation };
            }
            self.tally.add(&drilled.verdict);
            self.results.push(reported(&drilled, about));
            if self.driver.say(Event::Drilled(Box::new(drilled))).await {
                return Ok(exit);
            }
        }
        self.driver.say(Event::DrillEnd(self.tally)).await;
        if let Some(answer) = &self.refused {
            let advice = self.advice(answer);
            // The good one is the first.
            if let Some(good) = self.results.first_mut() {
                good.details.push(("advice", advice.clone()));
            }
            self.driver.say(Note::warning(advice)).await;
        }
        Ok(exit)
    }

    /// What to do first when even the good delivery was not accepted.
    fn advice(&self, answer: &DrillResponse) -> String {
        let (how, first) = match &answer.status {
            Ok(status @ (401 | 403)) if self.pattern.schemes.is_empty() => (format!("refused ({status})"), UNSIGNED),
            Ok(status @ (401 | 403)) => (format!("refused ({status})"), COMPARE),
            Ok(status @ (404 | 405)) => (format!("refused ({status})"), "check the path of --to"),
            Ok(status @ 400..=499) => (format!("refused ({status})"), "see what the receiver says against it"),
            Ok(status) => (format!("answered {status}"), "mend that first"),
            Err(error) => (format!("not answered ({error})"), "mend that first"),
        };
        format!("even the good delivery was {how}, so this drill proves little: {first}")
    }

    /// Why an answer says nothing: the good delivery was refused just so.
    fn proves_nothing(&self, replies: &[IncomingResponse]) -> Option<String> {
        let Ok(status @ 400..=499) = self.refused.as_ref()?.status else { return None };
        let is_same = |reply: &IncomingResponse| matches!(reply.outcome, AttemptOutcome::Answered { status: same, .. } if same == status);
        replies.iter().all(is_same).then(|| format!("refused ({status}) as the good one was: proves nothing"))
    }

    async fn case(&self, case: &'static DrillCase) -> Result<CaseResult, Error> {
        let drilled = |replies: &[IncomingResponse], judgement: DrillVerdict| DrillResult {
            name: case.name,
            expectation: case.wants,
            sent: self.what(case),
            why: case.why,
            answers: replies.iter().map(answered).collect(),
            note: remark(case, replies).filter(|_| judgement == DrillVerdict::Passed),
            verdict: judgement,
        };
        let skipped =
            |why| CaseResult { drilled: drilled(&[], DrillVerdict::Skipped(why)), ended: Vec::new(), about: None };
        if self.hangs {
            return Ok(skipped("not sent: the good one got no answer in time".to_owned()));
        }
        // What cannot be signed, as the field that is signed is not there, cannot be sent either.
        let signable =
            |volley: CaseRequests| match volley.parcels.iter().find_map(|parcel| self.driver.sign(parcel).err()) {
                Some(error) => Err(error.to_string()),
                None => Ok(volley),
            };
        let volley = match self.volley(case.sends).and_then(signable) {
            Ok(volley) => volley.of(case),
            Err(why) => return Ok(skipped(why)),
        };
        let ended = self.fire(&volley).await?;
        let replies: Vec<IncomingResponse> = ended.iter().map(|ended| ended.reply.clone()).collect();
        let judgement = match self.proves_nothing(&replies) {
            Some(why) => DrillVerdict::Skipped(why),
            None => judge(case, &replies),
        };
        let about = volley.parcels.first().map(about);
        Ok(CaseResult { drilled: drilled(&replies, judgement), ended, about })
    }

    /// What is sent, in words.
    fn what(&self, case: &DrillCase) -> String {
        match case.sends {
            CaseKind::Tampered(_) => case.what.to_owned(),
            _ if self.pattern.schemes.is_empty() => format!("{}, unsigned", case.what),
            CaseKind::Body(_) => format!("{}, signed", case.what),
            _ => case.what.to_owned(),
        }
    }

    /// What a case sends, or why it cannot.
    fn volley(&self, sends: CaseKind) -> Result<CaseRequests, String> {
        let config = self.driver.config();
        let parcel = Template::of(self.pattern.clone()).another(config);
        let one = |parcel| CaseRequests::in_turn(vec![parcel]);
        match sends {
            CaseKind::One => one(parcel),
            CaseKind::Twice => CaseRequests::in_turn(vec![parcel; 2]),
            CaseKind::AtOnce => Ok(CaseRequests { parcels: vec![parcel; AT_ONCE], at_once: true }),
            CaseKind::OutOfOrder => match parcel.earlier() {
                Some(earlier) => CaseRequests::in_turn(vec![parcel, earlier]),
                None => Err(format!("{} sends one event a prediction", parcel.provider.label)),
            },
            CaseKind::Tampered(tamper) => match parcel.schemes.first() {
                None => Err("nothing is signed; give --secret".to_owned()),
                Some(scheme) => match tamper.unnoticed(scheme) {
                    Some(why) => Err(format!("{} {why}", scheme.name)),
                    None => one(parcel.tampered(tamper, config).map_err(|error| error.to_string())?),
                },
            },
            CaseKind::ContentType(value) => one(parcel.with_header(CONTENT_TYPE, HeaderValue::from_static(value))),
            CaseKind::Body(body) => one(parcel.with_body(Bytes::from_static(body.as_bytes()))),
            CaseKind::Large => {
                let image = format!("\"data:image/png;base64,{}\"", "iVBORw0K".repeat(LARGE / 8));
                one(self.with_field(parcel, |fields| fields.output, image, "output")?)
            }
            CaseKind::Status(word) => {
                one(self.with_field(parcel, |fields| fields.status, format!("\"{word}\""), "status")?)
            }
        }
    }

    /// The same with another value of one of its fields.
    fn with_field(
        &self,
        parcel: Prepared,
        paths: impl Fn(&Fields) -> &'static [&'static str],
        json: String,
        what: &str,
    ) -> Result<Prepared, String> {
        let path = paths(&parcel.shape.fields).first().ok_or_else(|| format!("it has no field for the {what}"))?;
        let text = String::from_utf8_lossy(&parcel.body);
        let edited =
            Edit::set_json(path, json).and_then(|edit| edit.apply(&text)).map_err(|error| error.to_string())?;
        Ok(parcel.with_body(edited.into()))
    }

    async fn fire(&self, volley: &CaseRequests) -> Result<Vec<DeliveryEnd>, Error> {
        let fire = |parcel| async move {
            let headers = self.driver.sign(parcel)?;
            self.driver.attempt(parcel, headers, 1).await
        };
        if volley.at_once {
            return try_join_all(volley.parcels.iter().map(fire)).await;
        }
        let mut ended = Vec::with_capacity(volley.parcels.len());
        for parcel in &volley.parcels {
            ended.push(fire(parcel).await?);
        }
        Ok(ended)
    }
}

/// `completed of abc123`
fn about(parcel: &Prepared) -> String {
    let event = parcel.payload().and_then(|payload| payload.event.as_ref());
    event.map_or_else(|| parcel.subject().to_owned(), |event| format!("{} of {}", event.name, parcel.subject()))
}

/// A case as the report tells it.
fn reported(drilled: &DrillResult, about: Option<String>) -> junit::JunitCase {
    let answer = |answer: &DrillResponse| match &answer.status {
        Ok(status) => format!("{status} in {:.1} ms", answer.ms),
        Err(error) => format!("no answer in {:.1} ms: {error}", answer.ms),
    };
    let answers: Vec<String> = drilled.answers.iter().map(answer).collect();
    let about = about.map(|about| format!(" ({about})")).unwrap_or_default();
    junit::JunitCase {
        name: drilled.name.to_owned(),
        verdict: drilled.verdict.clone(),
        ms: drilled.answers.iter().map(|answer| answer.ms).reduce(f64::max),
        note: drilled.note,
        details: vec![
            ("sent", format!("{}{about}", drilled.sent)),
            ("wanted", drilled.expectation.statuses().to_owned()),
            ("came", answers.join(", ")),
            ("why", drilled.why.to_owned()),
        ],
    }
}

fn judge(case: &DrillCase, replies: &[IncomingResponse]) -> DrillVerdict {
    let fault = replies.iter().find_map(|reply| fault(case.wants, reply));
    let fault = fault.or_else(|| match case.sends {
        CaseKind::Twice => twice::processed_again(replies),
        CaseKind::AtOnce => twice::processed_often(replies),
        _ => None,
    });
    fault.into()
}

/// What an acknowledgement of repeats leaves open.
fn remark(case: &DrillCase, replies: &[IncomingResponse]) -> Option<&'static str> {
    let is_open = matches!(case.sends, CaseKind::Twice | CaseKind::AtOnce) && !twice::tell(replies);
    is_open.then_some("acknowledged; the answers do not tell whether it was processed twice")
}

fn answered(reply: &IncomingResponse) -> DrillResponse {
    let status = match reply.outcome {
        AttemptOutcome::Answered { status, .. } => Ok(status),
        AttemptOutcome::Unreachable | AttemptOutcome::Unknown => {
            Err(reply.error.clone().unwrap_or_else(|| "no answer".to_owned()))
        }
    };
    DrillResponse { status, ms: reply.ms }
}

/// What is wrong with an answer.
fn fault(wants: DrillExpectation, reply: &IncomingResponse) -> Option<String> {
    match answered(reply).status {
        Ok(status) if wants.allows(status) => None,
        Ok(status) => Some(format!("answered {status}")),
        Err(error) => Some(format!("no answer: {error}")),
    }
}
