//! The retry loop: attempts and waits, until the receiver acknowledges or the provider would give up.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Url;
use tokio::time::sleep;

use super::Config;
use super::parcel::Parcel;
use crate::clock::{Clock, record_id};
use crate::error::{Error, Exit};
use crate::event::{Event, Note, Retry, Sink};
use crate::io::client::{Outgoing, Reply, Transport};
use crate::io::journal::Journal;
use crate::io::signals::Signals;
use crate::payload::record::{Answer, By, Record, Sent, SentOutcome};
use crate::payload::retry::{Next, Outcome, Statuses};
use crate::payload::signature::scheme::OnRetry;
use crate::payload::signature::{self, Policy};
use crate::payload::{Delivery, Headers, lint};

/// Drives parcels to one receiver.
pub struct Driver<'a, T> {
    transport: &'a T,
    clock: &'a dyn Clock,
    sink: &'a Sink,
    journal: Option<Journal>,
    config: &'a Config,
    seq: u64,
}

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How many requests it took.
    pub attempts: u32,
    /// Whether the last was answered 2xx.
    pub acknowledged: bool,
    /// The exit code that it stands for.
    pub exit: Exit,
    /// Whether nobody reads the output any more.
    pub closed: bool,
}

impl<'a, T: Transport> Driver<'a, T> {
    /// A driver that has sent nothing yet.
    pub fn new(
        transport: &'a T,
        clock: &'a dyn Clock,
        sink: &'a Sink,
        journal: Option<Journal>,
        config: &'a Config,
    ) -> Self {
        Driver { transport, clock, sink, journal, config, seq: 0 }
    }

    /// Sends one parcel, again and again where its profile says so.
    pub async fn drive(&mut self, parcel: &Parcel, signals: &mut Signals) -> Result<Ended, Error> {
        let of = parcel.retry.attempts(parcel.is_terminal());
        let renews = parcel.schemes.first().is_some_and(|scheme| scheme.on_retry == OnRetry::Renew);
        let mut headers = parcel.headers(self.config, self.clock.now())?;
        let mut ended = Ended { attempts: 0, acknowledged: false, exit: Exit::Unacknowledged, closed: false };
        for attempt in 1.. {
            if attempt > 1 && renews {
                headers = parcel.headers(self.config, self.clock.now())?;
            }
            ended.attempts = attempt;
            let at = self.clock.now();
            let outgoing = Outgoing {
                url: self.config.to.clone(),
                headers: headers.clone(),
                body: parcel.body.clone(),
                timeout: self.config.timeout,
                follow: parcel.shape.follows_redirects,
            };
            let reply = tokio::select! {
                reply = self.transport.deliver(outgoing) => reply,
                signal = signals.next() => {
                    self.say_interrupted(parcel, attempt, of).await;
                    return Ok(Ended { exit: signal, ..ended });
                }
            };
            ended.acknowledged = matches!(reply.outcome, Outcome::Answered { status: 200..=299, .. });
            ended.exit = judge(self.config.expect_status.as_ref(), reply.outcome);
            let record = record(parcel, self.config, headers.clone(), at, attempt, Some(&reply));
            if self.keep(record).await? {
                return Ok(Ended { closed: true, ..ended });
            }
            let next = parcel.retry.next(attempt, parcel.is_terminal(), reply.outcome);
            let (Next::Retry(wait), false) = (next, ended.exit == Exit::Done) else { break };
            let retry = Retry {
                subject: parcel.subject().to_owned(),
                retry: attempt,
                of: of - 1,
                provider_waits: wait,
                wait: faster(wait, self.config.speed),
                label: parcel.retry.label.to_owned(),
            };
            let pause = retry.wait;
            if self.sink.say(Event::Retry(retry)).await.is_err() {
                return Ok(Ended { closed: true, ..ended });
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = self.sink.closed() => return Ok(Ended { closed: true, ..ended }),
                signal = signals.next() => {
                    self.say_interrupted(parcel, attempt, of).await;
                    return Ok(Ended { exit: signal, ..ended });
                }
            }
        }
        Ok(ended)
    }

    /// Writes a record to the journal and says it; `true` when nobody listens any more.
    async fn keep(&mut self, mut record: Record) -> Result<bool, Error> {
        self.seq += 1;
        record.seq = self.seq;
        if let Some(journal) = &mut self.journal {
            journal.append(&record.to_line())?;
        }
        Ok(self.sink.say(Event::Delivery(record.into())).await.is_err())
    }

    async fn say_interrupted(&self, parcel: &Parcel, attempt: u32, of: u32) {
        let left = of - attempt;
        let text = match left {
            0 => format!("interrupted: {} was not acknowledged", parcel.subject()),
            1 => format!("interrupted: 1 retry of {} would still have come", parcel.subject()),
            _ => format!("interrupted: {left} retries of {} would still have come", parcel.subject()),
        };
        // The program ends here anyway.
        let _ = self.sink.say(Note::warning(text)).await;
    }
}

/// A wait of the provider's, passing `speed` times faster.
fn faster(wait: Duration, speed: f64) -> Duration {
    Duration::try_from_secs_f64(wait.as_secs_f64() / speed).unwrap_or(Duration::MAX)
}

/// What an answer means. A status that was expected by name is an expectation; without, 2xx is an acknowledgement.
fn judge(expected: Option<&Statuses>, outcome: Outcome) -> Exit {
    match (outcome, expected) {
        (Outcome::Answered { status, .. }, Some(expected)) if expected.contains(status) => Exit::Done,
        (Outcome::Answered { .. }, Some(_)) => Exit::Expectation,
        (Outcome::Answered { status: 200..=299, .. }, None) => Exit::Done,
        (Outcome::Answered { .. } | Outcome::Unreachable | Outcome::Unknown, _) => Exit::Unacknowledged,
    }
}

/// A URL as it may be shown: without the user's password.
pub fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Refused only by URLs that cannot have any, such as `data:`; those are none to send to.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    url.to_string()
}

/// The record of an attempt; without a reply, of one that is not made.
pub fn record(
    parcel: &Parcel,
    config: &Config,
    headers: Headers,
    at: Timestamp,
    attempt: u32,
    reply: Option<&Reply>,
) -> Record {
    let target = match config.to.query() {
        Some(query) => format!("{}?{query}", config.to.path()),
        None => config.to.path().to_owned(),
    };
    let delivery = Delivery { method: "POST".into(), target, http: "1.1".into(), headers, body: parcel.body.clone() };
    // What a handler with the same secret finds.
    let policy = Policy { scheme: config.scheme, secrets: config.secrets.clone(), tolerance: None };
    let verdict = signature::check(&delivery, &policy, at.as_second(), Some(parcel.provider));
    let answer = reply.and_then(|reply| match reply.outcome {
        Outcome::Answered { status, .. } => {
            Some(Answer { status, by: By::Receiver, ms: (reply.ms * 100.0).round() / 100.0, line: reply.line.clone() })
        }
        Outcome::Unreachable | Outcome::Unknown => None,
    });
    let sent = Sent {
        attempt,
        of: parcel.retry.attempts(parcel.is_terminal()),
        url: shown(&config.to),
        outcome: reply.map(|reply| match reply.outcome {
            Outcome::Answered { .. } => SentOutcome::Answered,
            Outcome::Unreachable => SentOutcome::Unreachable,
            Outcome::Unknown => SentOutcome::Unknown,
        }),
        error: reply.and_then(|reply| reply.error.clone()),
    };
    let payload = parcel.payload.clone();
    Record {
        id: record_id(at),
        warnings: payload.as_ref().map(lint::warnings).unwrap_or_default(),
        payload,
        verdict,
        answer,
        sent: Some(sent),
        ..Record::unsent(at, if config.keep_secrets { delivery } else { delivery.redacted() })
    }
}
