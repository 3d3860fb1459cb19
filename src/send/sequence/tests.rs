use std::cell::RefCell;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::sleep;

use super::*;
use crate::clock::System;
use crate::event;
use crate::http::OutgoingRequest;
use crate::send::cog::Flavor;
use crate::send::deliver::Shown;
use crate::send::load::{self, Load};
use crate::send::source::{self, Source, SourceKind};
use crate::send::{Config, cog};

/// Answers after so many seconds each, the last one again and again, and notes when it was asked what.
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

/// What was asked when, as `seconds logs output`, what was said, and how it ended. A wish to stop comes after so long.
async fn play(
    courses: Vec<Schedule>,
    answers: &[(f64, u16)],
    config: &Config,
    stop_after: Option<f64>,
) -> (Vec<String>, Vec<Event>, Exit) {
    let slow = Slow { answers: answers.to_vec(), started: Instant::now(), seen: RefCell::default() };
    let (sink, mut events) = event::channel(event::Backpressure::Wait);
    let said = tokio::spawn(async move {
        let mut said = Vec::new();
        while let Some(queued) = events.recv().await {
            said.push(queued.event);
        }
        said
    });
    let (wish, stop) = watch::channel(None);
    if let Some(seconds) = stop_after {
        tokio::spawn(async move {
            sleep(Duration::from_secs_f64(seconds)).await;
            wish.send_replace(Some(Exit::Interrupted));
        });
    }
    let driver = Driver::new(&slow, &System, &sink, None, config, Shown::Every, stop);
    let exit = match config.load {
        Some(load) => load::run(&driver, courses, load).await,
        None => run(&driver, courses).await,
    };
    drop(driver);
    drop(sink);
    let line = |(at, body): (f64, String)| {
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        format!("{at:.1} {} {} {}", body["status"].as_str().unwrap(), body["logs"], body["output"])
    };
    (slow.seen.into_inner().into_iter().map(line).collect(), said.await.unwrap(), exit.unwrap())
}

fn course(run: &str, config: &Config) -> Vec<Schedule> {
    let run = cog::Run::parse(run).unwrap();
    let source = Source { name: "run".into(), file: None, matter: SourceKind::Run(run) };
    vec![Schedule::of(source, config, Timestamp::UNIX_EPOCH).unwrap()]
}

const LOGS: &str = r#"{"provider":"cog","id":"p","input":{},
    "steps":[{"at":"200ms","log":"a\n"},{"at":"900ms","log":"b\n"}],"end":{"at":"1s","status":"succeeded","output":"x"}}"#;

fn python() -> Config {
    Config { flavor: Some(Flavor::Python), ..Config::plain() }
}

#[tokio::test(start_paused = true)]
async fn python_posts_the_start_beside_what_it_posts_in_line() {
    let config = python();
    let (seen, _, exit) = play(course(LOGS, &config), &[(2.0, 200)], &config, None).await;
    // The log is posted in line and holds up the rest; the start was on its way by then.
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
async fn coglet_waits_for_no_answer() {
    let config = Config::plain();
    let (seen, ..) = play(course(LOGS, &config), &[(2.0, 200)], &config, None).await;
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
async fn at_a_higher_speed_the_bodies_are_the_same() {
    for flavor in [Flavor::Python, Flavor::Coglet] {
        let bodies = |seen: Vec<String>| seen.iter().map(|line| line[4..].to_owned()).collect::<Vec<_>>();
        let plain = Config { flavor: Some(flavor), ..Config::plain() };
        let (real, ..) = play(course(LOGS, &plain), &[(0.001, 200)], &plain, None).await;
        for gap_speed in [50.0, 1e300] {
            let fast = Config { gap_speed, flavor: Some(flavor), ..Config::plain() };
            let (seen, ..) = play(course(LOGS, &fast), &[(0.001, 200)], &fast, None).await;
            assert_eq!(bodies(seen), bodies(real.clone()), "{flavor:?} {gap_speed}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn python_reports_again_when_its_last_retry_has_failed() {
    let config = python();
    let end = r#"{"provider":"cog","id":"p","input":{},"end":{"at":"0ms","status":"succeeded","output":"x"},
                  "webhook_events_filter":["completed"]}"#;
    let (seen, _, exit) = play(course(end, &config), &[(0.0, 500)], &config, None).await;
    assert_eq!((seen.len(), exit), (26, Exit::Unacknowledged));
    assert!(seen[..13].iter().all(|line| line.contains(" succeeded ")), "{seen:#?}");
    assert!(seen[13..].iter().all(|line| line.contains(" failed ")), "{seen:#?}");
    // An answer that it does not retry is no error to it.
    let (seen, ..) = play(course(end, &config), &[(0.0, 404)], &config, None).await;
    assert_eq!(seen.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wish_to_stop_loses_nothing_that_is_under_way() {
    let config = Config::plain();
    let mut courses = course(LOGS, &config);
    courses.push(Schedule::of(source::find("success").unwrap(), &config, Timestamp::UNIX_EPOCH).unwrap());
    let (seen, said, exit) = play(courses, &[(60.0, 200)], &config, Some(0.95)).await;
    assert_eq!((seen.len(), exit), (2, Exit::Interrupted));
    let recorded = said.iter().filter(|event| matches!(event, Event::Delivery(_))).count();
    assert_eq!(recorded, 2, "{said:#?}");
    let told = |text: &str| said.iter().any(|event| matches!(event, Event::Note(note) if note.text == text));
    // The output, the end, and the source behind the run.
    assert!(told("interrupted: 3 deliveries would still have come"), "{said:#?}");
    assert!(matches!(said.last(), Some(Event::Sent(tally)) if tally.deliveries == 2));
}

#[tokio::test(start_paused = true)]
async fn a_load_that_is_stopped_counts_what_was_under_way() {
    let load = Some(Load { count: 8, concurrency: 4, rate: None });
    let config = Config { load, ..Config::plain() };
    let courses =
        vec![Schedule::of(source::find("cog/coglet/succeeded").unwrap(), &config, Timestamp::UNIX_EPOCH).unwrap()];
    let (seen, said, exit) = play(courses, &[(60.0, 200)], &config, Some(0.5)).await;
    assert_eq!((seen.len(), exit), (4, Exit::Interrupted));
    let Some(Event::Load(report)) = said.last() else { panic!("{said:#?}") };
    assert_eq!((report.deliveries, report.attempts, report.requested), (4, 4, 8));
    assert_eq!(report.errors, [("interrupted".to_owned(), 4)]);
}

#[tokio::test(start_paused = true)]
async fn a_rate_beyond_all_measure_waits_and_does_not_panic() {
    let load = Some(Load { count: 2, concurrency: 1, rate: Some(1e-300) });
    let config = Config { load, ..Config::plain() };
    let courses =
        vec![Schedule::of(source::find("cog/coglet/succeeded").unwrap(), &config, Timestamp::UNIX_EPOCH).unwrap()];
    let (seen, _, exit) = play(courses, &[(0.0, 200)], &config, Some(10.0)).await;
    assert_eq!((seen.len(), exit), (1, Exit::Interrupted));
}
