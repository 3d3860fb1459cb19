//! The retry loop: attempts and waits, until the receiver acknowledges a delivery or its provider would give up.

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::{Mutex, watch};
use tokio::time::sleep;

use super::attempt::record;
use super::config::Config;
use super::request::Prepared;
use crate::clock::Now;
use crate::error::{Error, Exit, os_reason};
use crate::event::{Event, Note, PlannedRetry, SentTally, Sink};
use crate::http::{IncomingResponse, NoResponse, OutgoingRequest, Transport};
use crate::journal::Record;
use crate::journal::Redaction;
use crate::journal::writer::AsyncWriter;
use crate::payload::Headers;
use crate::payload::provider::HeaderLine;
use crate::payload::retry::{AttemptOutcome, NextStep, Statuses, StopReason};
use crate::signature::scheme::OnRetry;

/// Sends requests to one receiver.
pub(crate) struct Driver<'a, T> {
    transport: &'a T,
    clock: Now,
    sink: &'a Sink,
    config: &'a Config,
    state: RefCell<RunState>,
    journal: Option<Mutex<AsyncWriter>>,
    shown: Shown,
    stop: Stop,
}

/// The limit of an attempt where neither the retry profile nor the provider documents one.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Time for the journal to take the records of interrupted attempts. A pipe needs some: a thread writes to it.
const GRACE: Duration = Duration::from_millis(250);

/// The attempts that have an event of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Every,
    /// Attempts without an acknowledgement, or without the expected status.
    Failed,
    None,
}

impl Shown {
    pub(crate) fn of(config: &Config) -> Self {
        if config.drill {
            Shown::None
        } else if config.load.is_some() && !config.data {
            Shown::Failed
        } else {
            Shown::Every
        }
    }
}

/// The advice after 401 for a signed delivery.
pub(crate) const COMPARE: &str = "compare --secret and --scheme with what the receiver checks";

/// Holds the exit code once the user wants to stop.
pub(crate) type Stop = watch::Receiver<Option<Exit>>;

/// Shared by the deliveries in flight.
#[derive(Default)]
struct RunState {
    seq: u64,
    /// Whether the advice to start a listener was given.
    advised: bool,
    /// The attempts that the user's stop left out of the journal.
    unrecorded: Option<Unrecorded>,
}

struct Unrecorded {
    attempts: u64,
    /// Why the first of these attempts was not recorded.
    cause: String,
}

#[derive(Default)]
struct RecordedAttempt {
    /// Whether the output was closed.
    closed: bool,
    /// The exit code of the user's stop, if the stop ended the wait for the journal.
    stopped: Option<Exit>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DeliveryEnd {
    pub(crate) attempts: u32,
    /// Whether the last response was 2xx.
    pub(crate) acknowledged: bool,
    pub(crate) exit: Exit,
    /// Whether the output was closed.
    pub(crate) closed: bool,
    /// Whether the last retry failed, too.
    pub(crate) exhausted: bool,
    /// The last response.
    pub(crate) reply: IncomingResponse,
}

impl DeliveryEnd {
    pub(crate) fn count_in(&self, tally: &mut SentTally) {
        tally.deliveries += 1;
        tally.attempts += u64::from(self.attempts);
        tally.acknowledged += u64::from(self.acknowledged);
        tally.expected += u64::from(self.exit == Exit::Done);
    }

    /// Whether no other delivery may start.
    pub(crate) fn stops_run(&self) -> bool {
        self.closed || matches!(self.exit, Exit::Interrupted | Exit::Terminated)
    }
}

impl<'a, T: Transport> Driver<'a, T> {
    pub(crate) fn new(
        transport: &'a T,
        clock: Now,
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

    pub(crate) fn config(&self) -> &'a Config {
        self.config
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Resolves when the user wants to stop.
    pub(crate) async fn stopped(&self) -> Exit {
        let mut stop = self.stop.clone();
        let exit = stop.wait_for(Option::is_some).await.ok().and_then(|exit| *exit);
        match exit {
            Some(exit) => exit,
            // The sender is gone, so no signal can come any more.
            None => std::future::pending().await,
        }
    }

    /// Returns `true` when the output is closed.
    pub(crate) async fn emit(&self, event: Event) -> bool {
        self.sink.send(event).await.is_err()
    }

    /// The headers of a request, signed now.
    pub(crate) fn sign(&self, prepared: &Prepared) -> Result<Headers, Error> {
        prepared.headers((self.clock)())
    }

    /// Sends a request, and retries as its profile says.
    pub(crate) async fn deliver(&self, prepared: &Prepared) -> Result<DeliveryEnd, Error> {
        // Lazy, as `is_terminal` reads the body: of the many deliveries of a load next to none is retried.
        let of = || prepared.retry.attempts(prepared.content.is_terminal());
        let renews = prepared.signing.schemes.first().is_some_and(|scheme| scheme.on_retry == OnRetry::Renew);
        let mut headers = self.sign(prepared)?;
        let mut attempt = 0;
        loop {
            attempt += 1;
            if attempt > 1 && renews {
                headers = self.sign(prepared)?;
            }
            let mut ended = self.attempt(prepared, headers.clone(), attempt).await?;
            if ended.stops_run() {
                self.warn_interrupted(prepared, &ended, of()).await;
                return Ok(ended);
            }
            if ended.exit == Exit::Done {
                return Ok(ended);
            }
            let wait = match prepared.retry.next(attempt, prepared.content.is_terminal(), ended.reply.outcome) {
                NextStep::Retry(_) if self.has_no_address(prepared, &ended.reply) => {
                    let text = "no retry: the host of --to has no address; check its spelling";
                    ended.closed = self.emit(Note::info(text)).await;
                    return Ok(ended);
                }
                NextStep::Retry(wait) => wait,
                NextStep::GiveUp(StopReason::NotRetried) => {
                    let text = format!("{} does not retry after this response", prepared.retry.label);
                    ended.closed = self.emit(Note::info(text)).await;
                    return Ok(ended);
                }
                NextStep::GiveUp(StopReason::Exhausted) => return Ok(DeliveryEnd { exhausted: true, ..ended }),
                NextStep::Done => return Ok(ended),
            };
            let retry = PlannedRetry {
                subject: prepared.content.subject().to_owned(),
                retry: attempt,
                of: of() - 1,
                provider_waits: wait,
                wait: faster(wait, self.config.retry_speed),
                label: prepared.retry.label.to_owned(),
            };
            let pause = retry.wait;
            if self.emit(Event::Retry(retry)).await {
                return Ok(DeliveryEnd { closed: true, ..ended });
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = self.sink.closed() => return Ok(DeliveryEnd { closed: true, ..ended }),
                exit = self.stopped() => {
                    ended.exit = exit;
                    self.warn_interrupted(prepared, &ended, of()).await;
                    return Ok(ended);
                }
            }
        }
    }

    /// Whether the host of `--to` has no address, so that a retry would fail in the same way. Not with `--retry`: the user
    /// may be waiting for the name to resolve. Not where redirects are followed: the host may be a redirect's.
    fn has_no_address(&self, prepared: &Prepared, reply: &IncomingResponse) -> bool {
        reply.cause == Some(NoResponse::Unresolved) && self.config.retry.is_none() && !self.follows(prepared)
    }

    fn follows(&self, prepared: &Prepared) -> bool {
        self.config.follow && prepared.content.shape.follows_redirects
    }

    /// Makes one attempt and records it.
    pub(crate) async fn attempt(
        &self,
        prepared: &Prepared,
        headers: Headers,
        attempt: u32,
    ) -> Result<DeliveryEnd, Error> {
        let at = (self.clock)();
        let follow = self.follows(prepared);
        let outgoing = OutgoingRequest {
            url: prepared.endpoint.url.clone(),
            method: prepared.method.clone(),
            headers: headers.clone(),
            body: prepared.body.clone(),
            timeout: timeout(prepared, self.config),
            follow,
            referer: prepared.content.shape.headers.contains(&HeaderLine::Referer),
            origin_only: if follow { prepared.kept_headers(&headers) } else { Vec::new() },
        };
        let (reply, stopped) = tokio::select! {
            reply = self.transport.deliver(outgoing) => (reply, None),
            // The receiver may have read the request.
            exit = self.stopped() => {
                (IncomingResponse { error: Some("interrupted".into()), ..IncomingResponse::of(AttemptOutcome::Unknown, 0.0) }, Some(exit))
            }
        };
        let reply = if self.config.keep_secrets { reply } else { redacted(reply, &prepared.signing.redaction()) };
        let acknowledged = matches!(reply.outcome, AttemptOutcome::Answered { status: 200..=299, .. });
        let exit = stopped.unwrap_or_else(|| exit_for(reply.outcome, self.config.expect_status.as_ref()));
        let shown = self.shown == Shown::Every || (self.shown == Shown::Failed && exit != Exit::Done);
        let recorded = if shown || self.journal.is_some() {
            self.record(record(prepared, self.config, headers, at, attempt, Some(&reply)), shown).await?
        } else {
            RecordedAttempt::default()
        };
        let exit = recorded.stopped.unwrap_or(exit);
        let closed = recorded.closed || (shown && self.advise(&reply).await);
        Ok(DeliveryEnd { attempts: attempt, acknowledged, exit, closed, exhausted: false, reply })
    }

    /// Numbers a record, appends the record to the journal, and sends its event if `shown`.
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
        let closed = shown && self.emit(event(record.into())).await;
        Ok(RecordedAttempt { closed, stopped })
    }

    /// Appends a line to the journal. The user's stop ends the wait for a pipe that is not read, after [`GRACE`].
    async fn append(&self, journal: &Mutex<AsyncWriter>, line: Bytes) -> Result<Option<Exit>, Error> {
        let written = async { journal.lock().await.write(&line).await };
        let grace = async {
            self.stopped().await;
            sleep(GRACE).await;
        };
        let cause = tokio::select! {
            // The write comes first: a line that was written is not counted as lost.
            biased;
            written = written => match (written.error, *self.stop.borrow()) {
                (None, _) => return Ok(None),
                (Some(error), None) => return Err(error),
                (Some(Error::Journal { source, .. }), Some(_)) => os_reason(&source),
                (Some(error), Some(_)) => error.to_string(),
            },
            () = grace => format!("the write took longer than {GRACE:?}"),
        };
        let mut state = self.state.borrow_mut();
        state.unrecorded.get_or_insert(Unrecorded { attempts: 0, cause }).attempts += 1;
        Ok(*self.stop.borrow())
    }

    /// Emits the last event of a run, after the warning about attempts that were not recorded.
    pub(crate) async fn finish(&self, last: Event) {
        let unrecorded = self.state.borrow_mut().unrecorded.take();
        if let Some(Unrecorded { attempts, cause }) = unrecorded {
            let path = self.config.record.as_deref().unwrap_or(Path::new("the journal")).display();
            let noun = if attempts == 1 { "attempt" } else { "attempts" };
            self.emit(Note::warning(format!("interrupted: {path} lacks {attempts} {noun}: {cause}"))).await;
        }
        // When the output is closed, there is nothing left to stop.
        self.emit(last).await;
    }

    /// Advises once to start a listener, where the port is closed. Returns `true` when the output is closed.
    async fn advise(&self, reply: &IncomingResponse) -> bool {
        let Some(command) = self.config.listener.as_ref().filter(|_| reply.cause == Some(NoResponse::Refused)) else {
            return false;
        };
        if std::mem::replace(&mut self.state.borrow_mut().advised, true) {
            return false;
        }
        self.emit(Note::info(format!(
            "nothing listens on that port: start your handler, or, in another terminal: {command}"
        )))
        .await
    }

    async fn warn_interrupted(&self, prepared: &Prepared, ended: &DeliveryEnd, of: u32) {
        if self.shown != Shown::Every {
            return;
        }
        let left = of - ended.attempts;
        let subject = prepared.content.subject();
        let text = match left {
            0 => format!("interrupted: {subject} was not acknowledged"),
            1 => format!("interrupted: 1 retry of {subject} was not made"),
            _ => format!("interrupted: {left} retries of {subject} were not made"),
        };
        // Whether the output is closed does not matter: the program ends here.
        self.emit(Note::warning(text)).await;
    }
}

/// Divides a wait by `speed`.
pub(crate) fn faster(wait: Duration, speed: f64) -> Duration {
    Duration::try_from_secs_f64(wait.as_secs_f64() / speed).unwrap_or(Duration::MAX)
}

fn timeout(prepared: &Prepared, config: &Config) -> Duration {
    let documented = prepared.retry.response_timeout.or(prepared.content.shape.retry.response_timeout);
    config.timeout.or(documented).unwrap_or(TIMEOUT)
}

/// With `--expect-status` an unexpected response is a failed expectation, and without it a missing acknowledgement.
fn exit_for(outcome: AttemptOutcome, expected: Option<&Statuses>) -> Exit {
    match (outcome, expected) {
        (AttemptOutcome::Answered { status, .. }, Some(expected)) if expected.contains(status) => Exit::Done,
        (AttemptOutcome::Answered { .. }, Some(_)) => Exit::Expectation,
        (AttemptOutcome::Answered { status: 200..=299, .. }, None) => Exit::Done,
        (AttemptOutcome::Answered { .. } | AttemptOutcome::Unreachable | AttemptOutcome::Unknown, _) => {
            Exit::Unacknowledged
        }
    }
}

/// Without secrets: a handler may echo a request, and a redirect's URL may hold the secret.
fn redacted(reply: IncomingResponse, redaction: &Redaction) -> IncomingResponse {
    let text = |text: Option<String>| text.map(|text| redaction.text(text));
    IncomingResponse { line: text(reply.line), error: text(reply.error), ..reply }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use tokio::time::Instant;

    use super::*;
    use crate::event;
    use crate::payload::retry::{self, RetryProfile, general};
    use crate::send::schedule::Schedule;
    use crate::send::source;
    use crate::signature::{Choice, Secret};

    /// Responds with each outcome in turn, then with the last one, and records the time and headers of each request.
    struct Script {
        outcomes: Vec<AttemptOutcome>,
        seen: RefCell<Vec<(Instant, Headers)>>,
        /// Of a missing response.
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

    /// The seconds from the first attempt to each, the end, and the headers of each attempt.
    async fn drive(name: &str, outcomes: &[AttemptOutcome], config: Config) -> (Vec<f64>, DeliveryEnd, Vec<Headers>) {
        drive_by(name, Script { outcomes: outcomes.to_vec(), seen: RefCell::default(), cause: None }, config).await
    }

    async fn drive_by(name: &str, script: Script, config: Config) -> (Vec<f64>, DeliveryEnd, Vec<Headers>) {
        let (sink, mut events) = event::channel(event::Backpressure::Skip);
        let drain = tokio::spawn(async move { while events.recv().await.is_some() {} });
        let schedule = Schedule::of(source::find(name).unwrap(), &config, Timestamp::UNIX_EPOCH).unwrap();
        let (_stop_sender, stop) = watch::channel(None);
        let driver = Driver::new(&script, Timestamp::now, &sink, None, &config, Shown::Every, stop);
        let ended = driver.deliver(&schedule.scheduled().next().unwrap().prepared).await.unwrap();
        drop(sink);
        drain.await.unwrap();
        let seen = script.seen.into_inner();
        let first = seen[0].0;
        let times = seen.iter().map(|(at, _)| at.duration_since(first).as_secs_f64()).collect();
        (times, ended, seen.into_iter().map(|(_, headers)| headers).collect())
    }

    /// Within 20 ms: timers of a paused clock fire at whole milliseconds.
    #[track_caller]
    fn assert_times(times: &[f64], expected: &[f64]) {
        let near = times.iter().zip(expected).all(|(time, wanted)| (time - wanted).abs() < 0.02);
        assert!(times.len() == expected.len() && near, "{times:?} is not {expected:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn coglet_makes_thirteen_attempts_in_seven_minutes() {
        let plain = || config(Choice::Auto, None, None, None);
        let (times, ended, _) = drive("cog/coglet/succeeded", &[answered(500)], plain()).await;
        assert_times(&times, &[0.0, 0.2, 0.6, 1.4, 3.0, 6.2, 12.6, 25.4, 51.0, 102.2, 204.6, 307.0, 409.4]);
        assert_eq!((ended.attempts, ended.exit), (13, Exit::Unacknowledged));
        let (times, ended, _) = drive("cog/coglet/start", &[answered(500)], plain()).await;
        assert_eq!((times.len(), ended.exit), (1, Exit::Unacknowledged));
    }

    #[tokio::test(start_paused = true)]
    async fn an_acknowledgement_ends_the_retries() {
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
        assert_eq!((ended.attempts, ended.exit), (1, Exit::Expectation), "no sender retries after 2xx");
        let (_, ended, _) =
            drive("failed", &[AttemptOutcome::Unreachable], config(Choice::Auto, None, None, expect(400, 499))).await;
        assert_eq!((ended.attempts, ended.exit), (4, Exit::Unacknowledged));
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_without_an_address_is_not_retried_without_a_profile() {
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
    async fn python_waits_as_long_as_retry_after_demands() {
        let later = AttemptOutcome::Answered { status: 503, retry_after: Some(Duration::from_secs(3)) };
        let (times, ..) =
            drive("cog/python/succeeded", &[later, later, answered(200)], config(Choice::Auto, None, None, None)).await;
        assert_times(&times, &[0.0, 3.0, 6.0]);
    }

    #[test]
    fn the_timeout_is_the_profiles_else_the_providers() {
        let seconds = |name: &str, retry: Option<&RetryProfile>| {
            let config = config(Choice::Auto, None, retry.cloned(), None);
            let schedule = Schedule::of(source::find(name).unwrap(), &config, Timestamp::UNIX_EPOCH).unwrap();
            timeout(&schedule.scheduled().next().unwrap().prepared, &config).as_secs()
        };
        assert_eq!(seconds("success", Some(&general::SHOPIFY)), 5);
        assert_eq!(seconds("luma/completed", Some(&general::GITHUB)), 10);
        assert_eq!(seconds("luma/completed", Some(&retry::ONCE)), 5);
        assert_eq!(seconds("success", None), 30);
    }

    #[test]
    fn the_smallest_speed_does_not_panic() {
        assert_eq!(faster(Duration::from_secs(30), f64::MIN_POSITIVE), Duration::MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn each_labs_retries_with_the_first_signature() {
        let (_, ended, headers) =
            drive("eachlabs/c/succeeded", &[answered(500)], config(Choice::Auto, Some("s"), None, None)).await;
        assert_eq!(ended.attempts, 3);
        assert!(headers[0].has("x-webhook-timestamp") && headers[0].has("x-webhook-secret"));
        assert!(headers.iter().all(|other| *other == headers[0]));
    }
}
