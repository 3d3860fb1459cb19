//! The retry loop: attempts and waits, until the receiver acknowledges or the provider would give up.

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::{Mutex, watch};
use tokio::time::sleep;

use super::Config;
use super::attempt::record;
use super::request::Prepared;
use crate::clock::Clock;
use crate::error::{Error, Exit};
use crate::event::{Event, Note, PlannedRetry, Sink};
use crate::http::{IncomingResponse, NoResponse, OutgoingRequest, Transport};
use crate::journal::Record;
use crate::journal::Redaction;
use crate::journal::writer::AsyncWriter;
use crate::payload::Headers;
use crate::payload::provider::HeaderLine;
use crate::payload::retry::{AttemptOutcome, NextStep, Statuses, StopReason};
use crate::signature::scheme::OnRetry;

/// Drives parcels to one receiver.
pub(crate) struct Driver<'a, T> {
    transport: &'a T,
    clock: &'a dyn Clock,
    sink: &'a Sink,
    config: &'a Config,
    state: RefCell<RunState>,
    journal: Option<Mutex<AsyncWriter>>,
    shown: Shown,
    stop: Stop,
}

/// Which attempts are shown one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// All of them.
    Every,
    /// Those that were not answered as they should be.
    Failed,
    /// None: what matters is said of several together.
    None,
}

/// What to do when a receiver refuses what was signed.
pub(crate) const COMPARE: &str = "compare --secret and --scheme with what the receiver checks";

/// The user's wish to stop, once there is one.
pub(crate) type Stop = watch::Receiver<Option<Exit>>;

/// What deliveries that are under way at the same time have in common.
#[derive(Default)]
struct RunState {
    seq: u64,
    /// Whether a note has told how to start a listener.
    advised: bool,
    /// Whether a note has told that the user's stop left an attempt out of the journal.
    unrecorded: bool,
}

/// What came of recording and showing an attempt.
#[derive(Default)]
struct RecordedAttempt {
    /// Whether nobody reads the output any more.
    closed: bool,
    /// The user's stop, where it ended the wait for the journal.
    stopped: Option<Exit>,
}

/// How a delivery ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DeliveryEnd {
    /// How many requests it took.
    pub(crate) attempts: u32,
    /// Whether the last was answered 2xx.
    pub(crate) acknowledged: bool,
    /// The exit code that it stands for.
    pub(crate) exit: Exit,
    /// Whether nobody reads the output any more.
    pub(crate) closed: bool,
    /// Whether the last retry was used up.
    pub(crate) exhausted: bool,
    /// What came of the last request.
    pub(crate) reply: IncomingResponse,
}

impl DeliveryEnd {
    /// Whether nothing may come after it.
    pub(crate) fn is_end(&self) -> bool {
        self.closed || matches!(self.exit, Exit::Interrupted | Exit::Terminated)
    }
}

impl<'a, T: Transport> Driver<'a, T> {
    /// A driver that has sent nothing yet.
    pub(crate) fn new(
        transport: &'a T,
        clock: &'a dyn Clock,
        sink: &'a Sink,
        journal: Option<AsyncWriter>,
        config: &'a Config,
        shown: Shown,
        stop: Stop,
    ) -> Self {
        Driver {
            transport,
            clock,
            sink,
            config,
            state: RefCell::default(),
            journal: journal.map(Mutex::new),
            shown,
            stop,
        }
    }

    /// What was asked for.
    pub(crate) fn config(&self) -> &'a Config {
        self.config
    }

    /// The time of day.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Resolves when the user wants to stop.
    pub(crate) async fn stopped(&self) -> Exit {
        let mut stop = self.stop.clone();
        let wish = stop.wait_for(Option::is_some).await.ok().and_then(|wish| *wish);
        match wish {
            Some(exit) => exit,
            // Nobody is left to wish anything.
            None => std::future::pending().await,
        }
    }

    /// Says something; `true` when nobody listens any more.
    pub(crate) async fn say(&self, event: Event) -> bool {
        self.sink.send(event).await.is_err()
    }

    /// The headers of a parcel, signed now.
    pub(crate) fn sign(&self, parcel: &Prepared) -> Result<Headers, Error> {
        parcel.headers(self.config, self.clock.now())
    }

    /// Sends one parcel, again and again where its profile says so.
    pub(crate) async fn drive(&self, parcel: &Prepared) -> Result<DeliveryEnd, Error> {
        // What it says is looked at only where it matters: of the many of a load next to none is sent again.
        let of = || parcel.retry.attempts(parcel.is_terminal());
        let renews = parcel.schemes.first().is_some_and(|scheme| scheme.on_retry == OnRetry::Renew);
        let mut headers = self.sign(parcel)?;
        let mut attempt = 0;
        loop {
            attempt += 1;
            if attempt > 1 && renews {
                headers = self.sign(parcel)?;
            }
            let mut ended = self.attempt(parcel, headers.clone(), attempt).await?;
            if ended.is_end() {
                self.say_interrupted(parcel, &ended, of()).await;
                return Ok(ended);
            }
            if ended.exit == Exit::Done {
                return Ok(ended);
            }
            let wait = match parcel.retry.next(attempt, parcel.is_terminal(), ended.reply.outcome) {
                NextStep::Retry(_) if self.is_nowhere(parcel, &ended.reply) => {
                    let text = "a name that is not known is not tried again: see the host of --to";
                    ended.closed = self.say(Note::info(text)).await;
                    return Ok(ended);
                }
                NextStep::Retry(wait) => wait,
                NextStep::GiveUp(StopReason::NotRetried) => {
                    let text = format!("{} does not retry after this answer", parcel.retry.label);
                    ended.closed = self.say(Note::info(text)).await;
                    return Ok(ended);
                }
                NextStep::GiveUp(StopReason::Exhausted) => return Ok(DeliveryEnd { exhausted: true, ..ended }),
                NextStep::Done => return Ok(ended),
            };
            let retry = PlannedRetry {
                subject: parcel.subject().to_owned(),
                retry: attempt,
                of: of() - 1,
                provider_waits: wait,
                wait: faster(wait, self.config.retry_speed),
                label: parcel.retry.label.to_owned(),
            };
            let pause = retry.wait;
            if self.say(Event::Retry(retry)).await {
                return Ok(DeliveryEnd { closed: true, ..ended });
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = self.sink.closed() => return Ok(DeliveryEnd { closed: true, ..ended }),
                exit = self.stopped() => {
                    ended.exit = exit;
                    self.say_interrupted(parcel, &ended, of()).await;
                    return Ok(ended);
                }
            }
        }
    }

    /// Whether the host of `--to` has no address, so that a retry would only repeat that. Whoever names a profile may be
    /// waiting for the name; and where redirects are followed, it may be one of theirs.
    fn is_nowhere(&self, parcel: &Prepared, reply: &IncomingResponse) -> bool {
        reply.cause == Some(NoResponse::Unresolved) && self.config.retry.is_none() && !self.follows(parcel)
    }

    /// Whether it goes where a redirect leads.
    fn follows(&self, parcel: &Prepared) -> bool {
        self.config.follow && parcel.shape.follows_redirects
    }

    /// Makes one attempt and records it.
    pub(crate) async fn attempt(
        &self,
        parcel: &Prepared,
        headers: Headers,
        attempt: u32,
    ) -> Result<DeliveryEnd, Error> {
        let (at, follow) = (self.clock.now(), self.follows(parcel));
        let outgoing = OutgoingRequest {
            url: self.config.to.clone(),
            method: parcel.method.clone(),
            headers: headers.clone(),
            body: parcel.body.clone(),
            timeout: self.config.patience(parcel),
            follow,
            referer: parcel.shape.headers.contains(&HeaderLine::Referer),
            kept: if follow { parcel.kept_headers(self.config, &headers) } else { Vec::new() },
        };
        let (reply, stopped) = tokio::select! {
            reply = self.transport.deliver(outgoing) => (reply, None),
            // What was under way may have arrived.
            exit = self.stopped() => {
                (IncomingResponse { error: Some("interrupted".into()), ..IncomingResponse::of(AttemptOutcome::Unknown, 0.0) }, Some(exit))
            }
        };
        let reply = if self.config.keep_secrets { reply } else { told(reply, &parcel.redaction(self.config)) };
        let acknowledged = matches!(reply.outcome, AttemptOutcome::Answered { status: 200..=299, .. });
        let exit = stopped.unwrap_or_else(|| judge(self.config.expect_status.as_ref(), reply.outcome));
        let shown = self.shown == Shown::Every || (self.shown == Shown::Failed && exit != Exit::Done);
        let recorded = if shown || self.journal.is_some() {
            self.record(record(parcel, self.config, headers, at, attempt, Some(&reply)), shown).await?
        } else {
            RecordedAttempt::default()
        };
        let exit = recorded.stopped.unwrap_or(exit);
        let closed = recorded.closed || (shown && self.advise(&reply).await);
        Ok(DeliveryEnd { attempts: attempt, acknowledged, exit, closed, exhausted: false, reply })
    }

    /// Numbers a record, appends it to the journal, and sends it to the sink where it is `shown`.
    async fn record(&self, mut record: Record, shown: bool) -> Result<RecordedAttempt, Error> {
        record.seq = {
            let mut state = self.state.borrow_mut();
            state.seq += 1;
            state.seq
        };
        let mut stopped = None;
        if let Some(journal) = &self.journal {
            stopped = self.append(journal, record.to_line().into()).await?;
        }
        let event = if self.shown == Shown::Failed { Event::Failed } else { Event::Delivery };
        let closed = shown && self.say(event(record.into())).await;
        Ok(RecordedAttempt { closed, stopped })
    }

    /// Appends a line to the journal. The user's stop ends the wait for a pipe that nobody empties.
    async fn append(&self, journal: &Mutex<AsyncWriter>, line: Bytes) -> Result<Option<Exit>, Error> {
        let written = async { journal.lock().await.write(&line).await };
        tokio::select! {
            // A file takes the line at once: an attempt that the user interrupted is recorded there.
            biased;
            written = written => match (written.error, *self.stop.borrow()) {
                (None, _) => return Ok(None),
                (Some(error), None) => return Err(error),
                (Some(_), Some(_)) => {}
            },
            _ = self.stopped() => {}
        }
        if !std::mem::replace(&mut self.state.borrow_mut().unrecorded, true) {
            let path = self.config.record.as_deref().unwrap_or(Path::new("the journal")).display();
            self.say(Note::warning(format!("interrupted: {path} lacks the last attempt, which it did not take"))).await;
        }
        Ok(*self.stop.borrow())
    }

    /// Says once how to start a listener where there is none; `true` when nobody listens any more.
    async fn advise(&self, reply: &IncomingResponse) -> bool {
        let Some(command) = self.config.listener.as_ref().filter(|_| reply.cause == Some(NoResponse::Refused)) else {
            return false;
        };
        if std::mem::replace(&mut self.state.borrow_mut().advised, true) {
            return false;
        }
        self.say(Note::info(format!("nobody listens there: start your handler, or, in another terminal: {command}")))
            .await
    }

    async fn say_interrupted(&self, parcel: &Prepared, ended: &DeliveryEnd, of: u32) {
        if self.shown != Shown::Every {
            return;
        }
        let left = of - ended.attempts;
        let text = match left {
            0 => format!("interrupted: {} was not acknowledged", parcel.subject()),
            1 => format!("interrupted: 1 retry of {} would still have come", parcel.subject()),
            _ => format!("interrupted: {left} retries of {} would still have come", parcel.subject()),
        };
        // The program ends here anyway.
        self.say(Note::warning(text)).await;
    }
}

/// A wait of the provider's, passing `speed` times faster.
pub(crate) fn faster(wait: Duration, speed: f64) -> Duration {
    Duration::try_from_secs_f64(wait.as_secs_f64() / speed).unwrap_or(Duration::MAX)
}

/// What an answer means. A status that was expected by name is an expectation; without, 2xx is an acknowledgement.
fn judge(expected: Option<&Statuses>, outcome: AttemptOutcome) -> Exit {
    match (outcome, expected) {
        (AttemptOutcome::Answered { status, .. }, Some(expected)) if expected.contains(status) => Exit::Done,
        (AttemptOutcome::Answered { .. }, Some(_)) => Exit::Expectation,
        (AttemptOutcome::Answered { status: 200..=299, .. }, None) => Exit::Done,
        (AttemptOutcome::Answered { .. } | AttemptOutcome::Unreachable | AttemptOutcome::Unknown, _) => {
            Exit::Unacknowledged
        }
    }
}

/// A reply as it may be shown: a handler may say what it was sent, and a redirect lead where the secret is known.
fn told(reply: IncomingResponse, redaction: &Redaction) -> IncomingResponse {
    let text = |text: Option<String>| text.map(|text| redaction.text(text));
    IncomingResponse { line: text(reply.line), error: text(reply.error), ..reply }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use tokio::time::Instant;

    use super::*;
    use crate::clock::System;
    use crate::event;
    use crate::payload::retry::{self, RetryProfile, general};
    use crate::send::schedule::Schedule;
    use crate::send::source;
    use crate::signature::{Choice, Secret};

    /// Answers these in turn, the last one again and again, and notes when and with which headers it was asked.
    struct Script {
        outcomes: Vec<AttemptOutcome>,
        seen: RefCell<Vec<(Instant, Headers)>>,
        /// Why there is no answer.
        cause: Option<NoResponse>,
    }

    impl Transport for Script {
        async fn deliver(&self, request: OutgoingRequest) -> IncomingResponse {
            let mut seen = self.seen.borrow_mut();
            let outcome = self.outcomes[seen.len().min(self.outcomes.len() - 1)];
            seen.push((Instant::now(), request.headers));
            IncomingResponse { cause: self.cause, ..IncomingResponse::of(outcome, 1.0) }
        }
    }

    fn answered(status: u16) -> AttemptOutcome {
        AttemptOutcome::Answered { status, retry_after: None }
    }

    fn config(scheme: Choice, secret: Option<&str>, retry: Option<RetryProfile>, expect: Option<Statuses>) -> Config {
        let secrets = secret.map(|secret| Secret::new("main", secret)).into_iter().collect();
        Config { scheme, secrets, retry, expect_status: expect, ..Config::plain() }
    }

    /// Seconds from the first attempt to each, how it ended, and the headers of each.
    async fn drive(name: &str, outcomes: &[AttemptOutcome], config: Config) -> (Vec<f64>, DeliveryEnd, Vec<Headers>) {
        drive_by(name, Script { outcomes: outcomes.to_vec(), seen: RefCell::default(), cause: None }, config).await
    }

    async fn drive_by(name: &str, script: Script, config: Config) -> (Vec<f64>, DeliveryEnd, Vec<Headers>) {
        let (sink, mut events) = event::channel(event::Backpressure::Skip);
        let drain = tokio::spawn(async move { while events.recv().await.is_some() {} });
        let course = Schedule::of(source::find(name).unwrap(), &config, Timestamp::UNIX_EPOCH).unwrap();
        let (_wish, stop) = watch::channel(None);
        let driver = Driver::new(&script, &System, &sink, None, &config, Shown::Every, stop);
        let ended = driver.drive(&course.legs().next().unwrap().parcel).await.unwrap();
        drop(sink);
        drain.await.unwrap();
        let seen = script.seen.into_inner();
        let first = seen[0].0;
        let times = seen.iter().map(|(at, _)| at.duration_since(first).as_secs_f64()).collect();
        (times, ended, seen.into_iter().map(|(_, headers)| headers).collect())
    }

    /// Timers of a paused clock go by milliseconds.
    #[track_caller]
    fn assert_times(times: &[f64], expected: &[f64]) {
        let near = times.iter().zip(expected).all(|(time, wanted)| (time - wanted).abs() < 0.02);
        assert!(times.len() == expected.len() && near, "{times:?} is not {expected:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn coglet_tries_thirteen_times_in_seven_minutes() {
        let plain = || config(Choice::Auto, None, None, None);
        let (times, ended, _) = drive("cog/coglet/succeeded", &[answered(500)], plain()).await;
        assert_times(&times, &[0.0, 0.2, 0.6, 1.4, 3.0, 6.2, 12.6, 25.4, 51.0, 102.2, 204.6, 307.0, 409.4]);
        assert_eq!((ended.attempts, ended.exit), (13, Exit::Unacknowledged));
        let (times, ended, _) = drive("cog/coglet/start", &[answered(500)], plain()).await;
        assert_eq!((times.len(), ended.exit), (1, Exit::Unacknowledged));
    }

    #[tokio::test(start_paused = true)]
    async fn an_acknowledgement_ends_it() {
        let outcomes = [answered(500), AttemptOutcome::Unknown, AttemptOutcome::Unreachable, answered(204)];
        let (times, ended, _) = drive("failed", &outcomes, config(Choice::Auto, Some("s"), None, None)).await;
        assert_times(&times, &[0.0, 30.0, 150.0, 750.0]);
        assert_eq!((ended.attempts, ended.acknowledged, ended.exit), (4, true, Exit::Done));
    }

    #[tokio::test(start_paused = true)]
    async fn an_expected_refusal_is_neither_retried_nor_a_failure() {
        let expect = |first, last| Some(Statuses::new(vec![(first, last)]));
        let (times, ended, _) =
            drive("failed", &[answered(401)], config(Choice::Auto, None, None, expect(400, 499))).await;
        assert_eq!((times.len(), ended.exit, ended.acknowledged), (1, Exit::Done, false));
        let (_, ended, _) = drive("failed", &[answered(200)], config(Choice::Auto, None, None, expect(400, 499))).await;
        assert_eq!((ended.attempts, ended.exit), (1, Exit::Expectation), "2xx ends it: no sender tries again");
        let (_, ended, _) =
            drive("failed", &[AttemptOutcome::Unreachable], config(Choice::Auto, None, None, expect(400, 499))).await;
        assert_eq!((ended.attempts, ended.exit), (4, Exit::Unacknowledged));
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_without_an_address_is_not_tried_again_unless_retries_were_asked_for() {
        let twice = RetryProfile::custom(vec![Duration::from_secs(1)]);
        for (name, retry, attempts) in
            [("success", None, 1), ("success", Some(twice), 2), ("cog/coglet/succeeded", None, 13)]
        {
            let cause = Some(NoResponse::Unresolved);
            let script = Script { outcomes: vec![AttemptOutcome::Unreachable], seen: RefCell::default(), cause };
            let (_, ended, _) = drive_by(name, script, config(Choice::Auto, None, retry, None)).await;
            assert_eq!((ended.attempts, ended.exit), (attempts, Exit::Unacknowledged), "{name}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn python_waits_as_long_as_it_is_told() {
        let told = AttemptOutcome::Answered { status: 503, retry_after: Some(Duration::from_secs(3)) };
        let (times, ..) =
            drive("cog/python/succeeded", &[told, told, answered(200)], config(Choice::Auto, None, None, None)).await;
        assert_times(&times, &[0.0, 3.0, 6.0]);
    }

    #[test]
    fn an_attempt_waits_as_long_as_its_profile_does_else_its_provider() {
        let patience = |name: &str, retry: Option<&RetryProfile>| {
            let config = config(Choice::Auto, None, retry.cloned(), None);
            let course = Schedule::of(source::find(name).unwrap(), &config, Timestamp::UNIX_EPOCH).unwrap();
            let leg = course.legs().next().unwrap();
            config.patience(&leg.parcel).as_secs()
        };
        assert_eq!(patience("success", Some(&general::SHOPIFY)), 5);
        assert_eq!(patience("luma/completed", Some(&general::GITHUB)), 10);
        assert_eq!(patience("luma/completed", Some(&retry::ONCE)), 5);
        assert_eq!(patience("success", None), 30);
    }

    #[test]
    fn a_speed_beyond_all_measure_does_not_panic() {
        assert_eq!(faster(Duration::from_secs(30), f64::MIN_POSITIVE), Duration::MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn each_labs_keeps_its_signature() {
        let (_, ended, headers) =
            drive("eachlabs/c/succeeded", &[answered(500)], config(Choice::Auto, Some("s"), None, None)).await;
        assert_eq!(ended.attempts, 3);
        assert!(headers[0].has("x-webhook-timestamp") && headers[0].has("x-webhook-secret"));
        assert!(headers.iter().all(|other| *other == headers[0]));
    }
}
