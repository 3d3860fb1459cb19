//! `--drill`: the whole pack against a handler, and what a good one does.

use std::time::Instant;

use bytes::Bytes;
use futures_util::future::try_join_all;
use http::HeaderValue;
use http::header::CONTENT_TYPE;

use super::deliver::{COMPARE, Driver, Ended};
use super::request::{Mold, Parcel};
use super::schedule::Course;
use crate::error::{Error, Exit};
use crate::event::{Answered, DrillTally, Drilled, Event, Judgement, Note, Wanted};
use crate::http::{Cause, Reply, Transport};
use crate::json::edit::Edit;
use crate::payload::provider::Fields;
use crate::payload::retry::Outcome;
use crate::sys::junit;
use crate::sys::junit::Report;

pub(crate) mod cases;
pub(crate) mod twice;

use cases::{Case, Sends};

/// How many of the same are sent at once.
const AT_ONCE: usize = 5;

/// What to do when a receiver refuses what nobody signed.
const UNSIGNED: &str = "it went out unsigned: give the receiver's secret with --secret";

/// The size of a large output, in bytes of base64.
const LARGE: usize = 1024 * 1024;

/// Sends the pack.
pub async fn run<T: Transport>(driver: &Driver<'_, T>, courses: Vec<Course>) -> Result<Exit, Error> {
    // Of a run, the delivery that ends it.
    let ([course], Some(leg)) = (&courses[..], courses.iter().flat_map(Course::legs).last()) else {
        return Err(Error::Usage("a drill takes one payload: its cases are made of it".into()));
    };
    if !course.is_run() && course.legs().count() > 1 {
        return Err(Error::Usage("a drill takes one payload, not a journal: its cases are made of it".into()));
    }
    let report =
        driver.config().report.as_deref().map(|path| Report::create(path, &driver.config().secrets)).transpose()?;
    let started = Instant::now();
    let (pattern, tally) = (&leg.parcel, DrillTally::default());
    let mut drill = Drill { driver, pattern, refused: None, hangs: false, results: Vec::new(), tally };
    let exit = drill.cases().await;
    // What stopped it is told where the rest is: a report without a failure would be taken for a good one.
    if let (Err(error), Some(case)) = (&exit, cases::ALL.get(drill.results.len())) {
        drill.results.push(junit::Case::new(case.name, Judgement::Failed(error.to_string())));
    }
    if let Some(report) = report {
        report.write("hookctl send --drill", &drill.results, started.elapsed())?;
    }
    exit
}

struct Drill<'a, 'b, T> {
    driver: &'a Driver<'b, T>,
    /// What every case is made of.
    pattern: &'a Parcel,
    /// What the good delivery was answered, where that was no acknowledgement.
    refused: Option<Answered>,
    /// Whether the good delivery was waited for in vain: every other would take as long.
    hangs: bool,
    results: Vec<junit::Case>,
    tally: DrillTally,
}

/// What a case sends: these one after the other, or all at once.
struct Volley {
    parcels: Vec<Parcel>,
    at_once: bool,
}

impl Volley {
    fn in_turn(parcels: Vec<Parcel>) -> Result<Self, String> {
        Ok(Volley { parcels, at_once: false })
    }

    /// The same, each with the name of its case.
    fn of(mut self, case: &Case) -> Self {
        self.parcels.iter_mut().for_each(|parcel| parcel.case = Some((case.name, case.wants)));
        self
    }
}

/// What came of a case.
struct Fired {
    drilled: Drilled,
    ended: Vec<Ended>,
    /// The event and the prediction that the first delivery is about, where one went out.
    about: Option<String>,
}

impl<T: Transport> Drill<'_, '_, T> {
    /// Runs every case, and says what came of all.
    async fn cases(&mut self) -> Result<Exit, Error> {
        let mut exit = Exit::Done;
        self.driver.say(Event::DrillBegin).await;
        for case in &cases::ALL {
            let Fired { drilled, ended, about } = self.case(case).await?;
            if let Some(end) = ended.iter().find(|ended| ended.is_end()) {
                let text = format!("interrupted at the case \"{}\": the rest was not sent", case.name);
                self.driver.say(Note::warning(text)).await;
                exit = end.exit;
                break;
            }
            let failed = matches!(drilled.judgement, Judgement::Failed(_));
            if let Some(reply) = ended.first().map(|ended| &ended.reply)
                && case.sends == Sends::One
                && reply.outcome == Outcome::Unreachable
            {
                return Err(Error::Unreachable { reason: reply.error.clone().unwrap_or_default() });
            }
            if failed && case.sends == Sends::One {
                self.refused = drilled.answers.first().cloned();
                self.hangs = ended.first().is_some_and(|ended| ended.reply.cause == Some(Cause::TimedOut));
            }
            if failed {
                exit = if self.hangs { Exit::Unacknowledged } else { Exit::Expectation };
            }
            self.tally.add(&drilled.judgement);
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
    fn advice(&self, answer: &Answered) -> String {
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
    fn proves_nothing(&self, replies: &[Reply]) -> Option<String> {
        let Ok(status @ 400..=499) = self.refused.as_ref()?.status else { return None };
        let is_same = |reply: &Reply| matches!(reply.outcome, Outcome::Answered { status: same, .. } if same == status);
        replies.iter().all(is_same).then(|| format!("refused ({status}) as the good one was: proves nothing"))
    }

    async fn case(&self, case: &'static Case) -> Result<Fired, Error> {
        let drilled = |replies: &[Reply], judgement: Judgement| Drilled {
            name: case.name,
            wants: case.wants,
            what: self.what(case),
            why: case.why,
            answers: replies.iter().map(answered).collect(),
            remark: remark(case, replies).filter(|_| judgement == Judgement::Passed),
            judgement,
        };
        let skipped = |why| Fired { drilled: drilled(&[], Judgement::Skipped(why)), ended: Vec::new(), about: None };
        if self.hangs {
            return Ok(skipped("not sent: the good one got no answer in time".to_owned()));
        }
        // What cannot be signed, as the field that is signed is not there, cannot be sent either.
        let signable = |volley: Volley| match volley.parcels.iter().find_map(|parcel| self.driver.sign(parcel).err()) {
            Some(error) => Err(error.to_string()),
            None => Ok(volley),
        };
        let volley = match self.volley(case.sends).and_then(signable) {
            Ok(volley) => volley.of(case),
            Err(why) => return Ok(skipped(why)),
        };
        let ended = self.fire(&volley).await?;
        let replies: Vec<Reply> = ended.iter().map(|ended| ended.reply.clone()).collect();
        let judgement = match self.proves_nothing(&replies) {
            Some(why) => Judgement::Skipped(why),
            None => judge(case, &replies),
        };
        let about = volley.parcels.first().map(about);
        Ok(Fired { drilled: drilled(&replies, judgement), ended, about })
    }

    /// What is sent, in words.
    fn what(&self, case: &Case) -> String {
        match case.sends {
            Sends::Tampered(_) => case.what.to_owned(),
            _ if self.pattern.schemes.is_empty() => format!("{}, unsigned", case.what),
            Sends::Body(_) => format!("{}, signed", case.what),
            _ => case.what.to_owned(),
        }
    }

    /// What a case sends, or why it cannot.
    fn volley(&self, sends: Sends) -> Result<Volley, String> {
        let config = self.driver.config();
        let parcel = Mold::of(self.pattern.clone()).another(config);
        let one = |parcel| Volley::in_turn(vec![parcel]);
        match sends {
            Sends::One => one(parcel),
            Sends::Twice => Volley::in_turn(vec![parcel; 2]),
            Sends::AtOnce => Ok(Volley { parcels: vec![parcel; AT_ONCE], at_once: true }),
            Sends::OutOfOrder => match parcel.earlier() {
                Some(earlier) => Volley::in_turn(vec![parcel, earlier]),
                None => Err(format!("{} sends one event a prediction", parcel.provider.label)),
            },
            Sends::Tampered(tamper) => match parcel.schemes.first() {
                None => Err("nothing is signed; give --secret".to_owned()),
                Some(scheme) => match tamper.unnoticed(scheme) {
                    Some(why) => Err(format!("{} {why}", scheme.name)),
                    None => one(parcel.tampered(tamper, config).map_err(|error| error.to_string())?),
                },
            },
            Sends::ContentType(value) => one(parcel.with_header(CONTENT_TYPE, HeaderValue::from_static(value))),
            Sends::Body(body) => one(parcel.with_body(Bytes::from_static(body.as_bytes()))),
            Sends::Large => {
                let image = format!("\"data:image/png;base64,{}\"", "iVBORw0K".repeat(LARGE / 8));
                one(self.with_field(parcel, |fields| fields.output, image, "output")?)
            }
            Sends::Status(word) => {
                one(self.with_field(parcel, |fields| fields.status, format!("\"{word}\""), "status")?)
            }
        }
    }

    /// The same with another value of one of its fields.
    fn with_field(
        &self,
        parcel: Parcel,
        paths: impl Fn(&Fields) -> &'static [&'static str],
        json: String,
        what: &str,
    ) -> Result<Parcel, String> {
        let path = paths(&parcel.shape.fields).first().ok_or_else(|| format!("it has no field for the {what}"))?;
        let text = String::from_utf8_lossy(&parcel.body);
        let edited =
            Edit::set_json(path, json).and_then(|edit| edit.apply(&text)).map_err(|error| error.to_string())?;
        Ok(parcel.with_body(edited.into()))
    }

    async fn fire(&self, volley: &Volley) -> Result<Vec<Ended>, Error> {
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
fn about(parcel: &Parcel) -> String {
    let event = parcel.payload().and_then(|payload| payload.event.as_ref());
    event.map_or_else(|| parcel.subject().to_owned(), |event| format!("{} of {}", event.name, parcel.subject()))
}

/// A case as the report tells it.
fn reported(drilled: &Drilled, about: Option<String>) -> junit::Case {
    let answer = |answer: &Answered| match &answer.status {
        Ok(status) => format!("{status} in {:.1} ms", answer.ms),
        Err(error) => format!("no answer in {:.1} ms: {error}", answer.ms),
    };
    let answers: Vec<String> = drilled.answers.iter().map(answer).collect();
    let about = about.map(|about| format!(" ({about})")).unwrap_or_default();
    junit::Case {
        name: drilled.name.to_owned(),
        judgement: drilled.judgement.clone(),
        ms: drilled.answers.iter().map(|answer| answer.ms).reduce(f64::max),
        remark: drilled.remark,
        details: vec![
            ("sent", format!("{}{about}", drilled.what)),
            ("wanted", drilled.wants.statuses().to_owned()),
            ("came", answers.join(", ")),
            ("why", drilled.why.to_owned()),
        ],
    }
}

fn judge(case: &Case, replies: &[Reply]) -> Judgement {
    let fault = replies.iter().find_map(|reply| fault(case.wants, reply));
    let fault = fault.or_else(|| match case.sends {
        Sends::Twice => twice::processed_again(replies),
        Sends::AtOnce => twice::processed_often(replies),
        _ => None,
    });
    fault.into()
}

/// What an acknowledgement of repeats leaves open.
fn remark(case: &Case, replies: &[Reply]) -> Option<&'static str> {
    let is_open = matches!(case.sends, Sends::Twice | Sends::AtOnce) && !twice::tell(replies);
    is_open.then_some("acknowledged; the answers do not tell whether it was processed twice")
}

fn answered(reply: &Reply) -> Answered {
    let status = match reply.outcome {
        Outcome::Answered { status, .. } => Ok(status),
        Outcome::Unreachable | Outcome::Unknown => Err(reply.error.clone().unwrap_or_else(|| "no answer".to_owned())),
    };
    Answered { status, ms: reply.ms }
}

/// What is wrong with an answer.
fn fault(wants: Wanted, reply: &Reply) -> Option<String> {
    match answered(reply).status {
        Ok(status) if wants.allows(status) => None,
        Ok(status) => Some(format!("answered {status}")),
        Err(error) => Some(format!("no answer: {error}")),
    }
}
