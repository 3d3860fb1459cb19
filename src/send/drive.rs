//! The retry loop: attempts and waits, until the receiver acknowledges or the provider would give up.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::sleep;

use super::Config;
use super::parcel::Parcel;
use crate::clock::{Clock, record_id};
use crate::error::{Error, Exit};
use crate::event::{Event, Note, Retry, Sink};
use crate::io::client::{Outgoing, Reply, Transport};
use crate::io::journal::Journal;
use crate::io::signals::Signals;
use crate::payload::provider::HeaderLine;
use crate::payload::record::{Answer, By, Record, Sent, SentOutcome};
use crate::payload::retry::{Next, Outcome, Statuses, Why};
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
                follow: self.config.follow && parcel.shape.follows_redirects,
                referer: parcel.shape.headers.contains(&HeaderLine::Referer),
            };
            let reply = tokio::select! {
                reply = self.transport.deliver(outgoing) => reply,
                signal = signals.next() => {
                    // What was under way may have arrived.
                    let lost = Reply { outcome: Outcome::Unknown, ms: 0.0, line: None, error: Some("interrupted".into()) };
                    self.keep(record(parcel, self.config, headers, at, attempt, Some(&lost))).await?;
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
            let wait = match next {
                _ if ended.exit == Exit::Done => break,
                Next::Retry(wait) => wait,
                Next::GiveUp(Why::NotRetried) => {
                    let text = format!("{} does not retry after this answer", parcel.retry.label);
                    ended.closed = self.sink.say(Note::info(text)).await.is_err();
                    break;
                }
                Next::GiveUp(Why::Exhausted) | Next::Done => break,
            };
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
            Some(Answer { line: reply.line.clone(), ..Answer::new(status, By::Receiver, reply.ms) })
        }
        Outcome::Unreachable | Outcome::Unknown => None,
    });
    let sent = Sent {
        attempt,
        of: parcel.retry.attempts(parcel.is_terminal()),
        url: config.to.to_string(),
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
        ..Record::unsent(at, if config.keep_secrets { delivery } else { delivery.redacted(&config.secrets) })
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use reqwest::Url;
    use tokio::time::Instant;

    use super::*;
    use crate::clock::System;
    use crate::event;
    use crate::io::client::Options;
    use crate::payload::retry::RetryProfile;
    use crate::payload::signature::{Choice, Secret};
    use crate::send::source;

    /// Answers these in turn, the last one again and again, and notes when and with which headers it was asked.
    struct Script {
        outcomes: Vec<Outcome>,
        seen: RefCell<Vec<(Instant, Headers)>>,
    }

    impl Transport for Script {
        async fn deliver(&self, request: Outgoing) -> Reply {
            let mut seen = self.seen.borrow_mut();
            let outcome = self.outcomes[seen.len().min(self.outcomes.len() - 1)];
            seen.push((Instant::now(), request.headers));
            Reply { outcome, ms: 1.0, line: None, error: None }
        }
    }

    fn answered(status: u16) -> Outcome {
        Outcome::Answered { status, retry_after: None }
    }

    fn config(scheme: Choice, secret: Option<&str>, retry: Option<RetryProfile>, expect: Option<Statuses>) -> Config {
        Config {
            sources: Vec::new(),
            to: Url::parse("http://localhost:1/hook").unwrap(),
            edits: Vec::new(),
            id: None,
            headers: Vec::new(),
            scheme,
            secrets: secret.map(|secret| Secret::new("main", secret)).into_iter().collect(),
            retry,
            speed: 1.0,
            timeout: Duration::from_secs(30),
            expect_status: expect,
            record: None,
            keep_secrets: false,
            dry_run: false,
            curl: false,
            connection: Options::default(),
            follow: true,
        }
    }

    /// Seconds from the first attempt to each, how it ended, and the headers of each.
    async fn drive(name: &str, outcomes: &[Outcome], config: Config) -> (Vec<f64>, Ended, Vec<Headers>) {
        let script = Script { outcomes: outcomes.to_vec(), seen: RefCell::default() };
        let (sink, mut events) = event::channel(true);
        let drain = tokio::spawn(async move { while events.recv().await.is_some() {} });
        let parcel = Parcel::pack(source::find(name).unwrap(), &config).unwrap();
        let mut driver = Driver::new(&script, &System, &sink, None, &config);
        let ended = driver.drive(&parcel, &mut Signals::take().unwrap()).await.unwrap();
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
        let outcomes = [answered(500), Outcome::Unknown, Outcome::Unreachable, answered(204)];
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
            drive("failed", &[Outcome::Unreachable], config(Choice::Auto, None, None, expect(400, 499))).await;
        assert_eq!((ended.attempts, ended.exit), (4, Exit::Unacknowledged));
    }

    #[tokio::test(start_paused = true)]
    async fn python_waits_as_long_as_it_is_told() {
        let told = Outcome::Answered { status: 503, retry_after: Some(Duration::from_secs(3)) };
        let (times, ..) =
            drive("cog/python/succeeded", &[told, told, answered(200)], config(Choice::Auto, None, None, None)).await;
        assert_times(&times, &[0.0, 3.0, 6.0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_speed_beyond_all_measure_does_not_panic() {
        let slow = Config { speed: f64::MIN_POSITIVE, ..config(Choice::Auto, None, None, None) };
        assert_eq!(faster(Duration::from_secs(30), slow.speed), Duration::MAX);
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
