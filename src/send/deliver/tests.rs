//! Attempts and waits of the providers' retry profiles, on a paused clock.

use std::cell::RefCell;

use tokio::sync::watch;
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
    let (times, ended, _) = drive("failed", &[answered(401)], config(Choice::Auto, None, None, expect(400, 499))).await;
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
