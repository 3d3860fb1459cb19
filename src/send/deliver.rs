//! The retry loop: attempts and waits, until the receiver acknowledges a delivery or its provider would give up.

use std::cell::Cell;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::sleep;

use super::attempt::record;
use super::attempt_recorder::{AttemptRecorder, Stop, stopped};
use super::config::Config;
use super::request::Prepared;
use crate::clock::Now;
use crate::error::{Error, Exit};
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
    recorder: AttemptRecorder,
    shown: Shown,
    /// Whether the advice to start a listener was given.
    advised: Cell<bool>,
    stop: Stop,
}

/// The limit of an attempt where neither the retry profile nor the provider documents one.
const TIMEOUT: Duration = Duration::from_secs(30);

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
            recorder: AttemptRecorder::new(journal, stop.clone()),
            shown,
            advised: Cell::new(false),
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
        stopped(&self.stop).await
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
        let mut ended = DeliveryEnd { attempts: attempt, acknowledged, exit, closed: false, exhausted: false, reply };
        if shown || self.recorder.has_journal() {
            let mut record = record(prepared, self.config, headers, at, attempt, Some(&ended.reply));
            ended.exit = self.recorder.record(&mut record).await?.unwrap_or(exit);
            ended.closed = shown && (self.emit_attempt(record).await || self.advise(&ended.reply).await);
        }
        Ok(ended)
    }

    async fn emit_attempt(&self, record: Record) -> bool {
        let event = if self.shown == Shown::Failed { Event::Failed } else { Event::Delivery };
        self.emit(event(record.into())).await
    }

    /// Emits the last event of a run, after the warning about attempts that were not recorded.
    pub(crate) async fn finish(&self, last: Event) {
        if let Some(warning) = self.recorder.unrecorded(self.config.record.as_deref()) {
            self.emit(Note::warning(warning)).await;
        }
        // When the output is closed, there is nothing left to stop.
        self.emit(last).await;
    }

    /// Advises once to start a listener, where the port is closed. Returns `true` when the output is closed.
    async fn advise(&self, reply: &IncomingResponse) -> bool {
        let Some(command) = self.config.listener.as_ref().filter(|_| reply.cause == Some(NoResponse::Refused)) else {
            return false;
        };
        if self.advised.replace(true) {
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
mod tests;
