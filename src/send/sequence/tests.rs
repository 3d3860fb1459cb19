use std::cell::RefCell;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::sleep;

use super::*;
use crate::event;
use crate::http::OutgoingRequest;
use crate::send::cog;
use crate::send::cog::Flavor;
use crate::send::config::{Config, Load};
use crate::send::deliver::Shown;
use crate::send::load;
use crate::send::source::{self, Source, SourceKind};

/// Responds with each answer (seconds, status) in turn, then with the last one, and records the time and body of each
/// request.
struct Slow {
    answers: Vec<(f64, u16)>,
    started: Instant,
    seen: RefCell<Vec<(f64, String)>>,
}

impl Transport for Slow {
    async fn deliver(&self, request: OutgoingRequest) -> IncomingResponse {
        let (wait, status) = {
            let mut seen = self.seen.borrow_mut();
            let body = String::from_utf8(request.body.to_vec()).unwrap();
            seen.push((self.started.elapsed().as_secs_f64(), body));
            self.answers[(seen.len() - 1).min(self.answers.len() - 1)]
        };
        sleep(Duration::from_secs_f64(wait)).await;
        IncomingResponse::of(AttemptOutcome::Answered { status, retry_after: None }, wait * 1000.0)
    }
}

/// The requests as `seconds status logs output`, the events, and the exit code. `stop_after` is in seconds.
async fn play(
    schedules: Vec<Schedule>,
    answers: &[(f64, u16)],
    config: &Config,
    stop_after: Option<f64>,
) -> (Vec<String>, Vec<Event>, Exit) {
    let slow = Slow { answers: answers.to_vec(), started: Instant::now(), seen: RefCell::default() };
    let (sink, mut events) = event::channel(event::Backpressure::Wait);
    let emitted = tokio::spawn(async move {
        let mut emitted = Vec::new();
        while let Some(queued) = events.recv().await {
            emitted.push(queued.event);
        }
        emitted
    });
    let (stop_sender, stop) = watch::channel(None);
    if let Some(seconds) = stop_after {
        tokio::spawn(async move {
            sleep(Duration::from_secs_f64(seconds)).await;
            stop_sender.send_replace(Some(Exit::Interrupted));
        });
    }
    let driver = Driver::new(&slow, jiff::Timestamp::now, &sink, None, config, Shown::Every, stop);
    let exit = match config.load {
        Some(load) => load::run(&driver, schedules, load).await,
        None => run(&driver, schedules).await,
    };
    drop(driver);
    drop(sink);
    let line = |(at, body): (f64, String)| {
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        format!("{at:.1} {} {} {}", body["status"].as_str().unwrap(), body["logs"], body["output"])
    };
    (slow.seen.into_inner().into_iter().map(line).collect(), emitted.await.unwrap(), exit.unwrap())
}

fn run_file(run: &str, config: &Config) -> Vec<Schedule> {
    let run = cog::Run::parse(run).unwrap();
    let source = Source { name: "run".into(), file: None, kind: SourceKind::Run(run) };
    vec![Schedule::of(source, config, Timestamp::UNIX_EPOCH).unwrap()]
}

const LOGS: &str = r#"{"provider":"cog","id":"p","input":{},
    "steps":[{"at":"200ms","log":"a\n"},{"at":"900ms","log":"b\n"}],"end":{"at":"1s","status":"succeeded","output":"x"}}"#;

fn python() -> Config {
    Config { flavor: Some(Flavor::Python), ..Config::plain() }
}

#[tokio::test(start_paused = true)]
async fn python_posts_the_start_concurrently_and_the_rest_in_line() {
    let config = python();
    let (seen, _, exit) = play(run_file(LOGS, &config), &[(2.0, 200)], &config, None).await;
    // The log is posted in line and delays the end; the start was in flight by then.
    insta::assert_debug_snapshot!(seen, @r#"
    [
        "0.0 processing \"\" null",
        "0.2 processing \"a\\n\" null",
        "2.2 succeeded \"a\\nb\\n\" \"x\"",
    ]
    "#);
    assert_eq!(exit, Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn coglet_waits_for_no_response() {
    let config = Config::plain();
    let (seen, ..) = play(run_file(LOGS, &config), &[(2.0, 200)], &config, None).await;
    insta::assert_debug_snapshot!(seen, @r#"
    [
        "0.0 processing \"\" null",
        "0.9 processing \"a\\nb\\n\" null",
        "1.0 processing \"a\\nb\\n\" [\"x\"]",
        "1.0 succeeded \"a\\nb\\n\" \"x\"",
    ]
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_higher_speed_leaves_the_bodies_unchanged() {
    for flavor in [Flavor::Python, Flavor::Coglet] {
        let bodies = |seen: Vec<String>| seen.iter().map(|line| line[4..].to_owned()).collect::<Vec<_>>();
        let plain = Config { flavor: Some(flavor), ..Config::plain() };
        let (real, ..) = play(run_file(LOGS, &plain), &[(0.001, 200)], &plain, None).await;
        for gap_speed in [50.0, 1e300] {
            let fast = Config { gap_speed, flavor: Some(flavor), ..Config::plain() };
            let (seen, ..) = play(run_file(LOGS, &fast), &[(0.001, 200)], &fast, None).await;
            assert_eq!(bodies(seen), bodies(real.clone()), "{flavor:?} {gap_speed}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn python_reports_a_failure_after_its_last_retry() {
    let config = python();
    let end = r#"{"provider":"cog","id":"p","input":{},"end":{"at":"0ms","status":"succeeded","output":"x"},
                  "webhook_events_filter":["completed"]}"#;
    let (seen, _, exit) = play(run_file(end, &config), &[(0.0, 500)], &config, None).await;
    assert_eq!((seen.len(), exit), (26, Exit::Unacknowledged));
    assert!(seen[..13].iter().all(|line| line.contains(" succeeded ")), "{seen:#?}");
    assert!(seen[13..].iter().all(|line| line.contains(" failed ")), "{seen:#?}");
    // A status without a retry is no error to the Python server.
    let (seen, ..) = play(run_file(end, &config), &[(0.0, 404)], &config, None).await;
    assert_eq!(seen.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_the_deliveries_in_flight() {
    let config = Config::plain();
    let mut schedules = run_file(LOGS, &config);
    schedules.push(Schedule::of(source::find("success").unwrap(), &config, Timestamp::UNIX_EPOCH).unwrap());
    let (seen, events, exit) = play(schedules, &[(60.0, 200)], &config, Some(0.95)).await;
    assert_eq!((seen.len(), exit), (2, Exit::Interrupted));
    let recorded = events.iter().filter(|event| matches!(event, Event::Delivery(_))).count();
    assert_eq!(recorded, 2, "{events:#?}");
    let text = "interrupted: 3 deliveries were not sent";
    // The run's output and end, and the second source.
    assert!(events.iter().any(|event| matches!(event, Event::Note(note) if note.text == text)), "{events:#?}");
    assert!(matches!(events.last(), Some(Event::Sent(tally)) if tally.deliveries == 2));
}

#[tokio::test(start_paused = true)]
async fn a_stopped_load_counts_the_deliveries_in_flight() {
    let load = Some(Load { count: 8, concurrency: 4, rate: None });
    let config = Config { load, ..Config::plain() };
    let schedules =
        vec![Schedule::of(source::find("cog/coglet/succeeded").unwrap(), &config, Timestamp::UNIX_EPOCH).unwrap()];
    let (seen, events, exit) = play(schedules, &[(60.0, 200)], &config, Some(0.5)).await;
    assert_eq!((seen.len(), exit), (4, Exit::Interrupted));
    let Some(Event::Load(report)) = events.last() else { panic!("{events:#?}") };
    assert_eq!((report.deliveries, report.attempts, report.requested), (4, 4, 8));
    assert_eq!(report.errors, [("interrupted".to_owned(), 4)]);
}

#[tokio::test(start_paused = true)]
async fn the_smallest_rate_does_not_panic() {
    let load = Some(Load { count: 2, concurrency: 1, rate: Some(1e-300) });
    let config = Config { load, ..Config::plain() };
    let schedules =
        vec![Schedule::of(source::find("cog/coglet/succeeded").unwrap(), &config, Timestamp::UNIX_EPOCH).unwrap()];
    let (seen, _, exit) = play(schedules, &[(0.0, 200)], &config, Some(10.0)).await;
    assert_eq!((seen.len(), exit), (1, Exit::Interrupted));
}
