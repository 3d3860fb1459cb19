use super::general::{DOUBLING_FOR_THREE_DAYS, GITHUB, SHOPIFY, STANDARD_WEBHOOKS, STRIPE};
use super::*;
use crate::payload::provider::{
    assemblyai, bfl, cog, eachlabs, elevenlabs, fal, huggingface, kie, luma, modelslab, openai, replicate,
    retry_profiles, runpod,
};

fn answered(status: u16) -> AttemptOutcome {
    AttemptOutcome::Answered { status, retry_after: None }
}

/// Seconds from the first attempt to each later one, when every outcome is the same.
fn schedule(profile: &RetryProfile, terminal: bool, outcome: AttemptOutcome) -> Vec<f64> {
    let mut at = Duration::ZERO;
    let mut times = vec![0.0];
    for attempt in 1.. {
        let NextStep::Retry(wait) = profile.next(attempt, terminal, outcome) else { break };
        at += wait;
        times.push(at.as_secs_f64());
    }
    times
}

#[test]
fn schedules_are_as_measured_or_documented() {
    let coglet = [0.0, 0.2, 0.6, 1.4, 3.0, 6.2, 12.6, 25.4, 51.0, 102.2, 204.6, 307.0, 409.4];
    assert_eq!(schedule(&cog::RETRY_COGLET, true, answered(500)), coglet);
    let python = [0.0, 0.0, 0.2, 0.6, 1.4, 3.0, 6.2, 12.6, 25.4, 51.0, 102.2, 204.6, 324.6];
    assert_eq!(schedule(&cog::RETRY_PYTHON, true, answered(503)), python);
    assert_eq!(schedule(&eachlabs::RETRY_A, true, answered(500)), [0.0, 30.0, 150.0, 750.0]);
    assert_eq!(schedule(&eachlabs::RETRY_B, true, answered(404)), [0.0, 10.0, 20.0]);
    assert_eq!(schedule(&modelslab::RETRY_GENERATION, true, answered(500)), [0.0]);
    assert_eq!(schedule(&modelslab::RETRY_WORKFLOW, true, AttemptOutcome::Unreachable).len(), 4);
}

#[test]
fn schedules_of_the_other_providers_and_of_the_standard() {
    const HOUR: f64 = 3600.0;
    let of = |profile: &RetryProfile| schedule(profile, true, answered(500));
    assert_eq!(of(&replicate::RETRY), [0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 63.0]);
    assert_eq!(of(&bfl::RETRY), [0.0, 1.0, 6.0, 36.0]);
    assert_eq!(of(&runpod::RETRY), [0.0, 10.0, 20.0]);
    assert_eq!(of(&assemblyai::RETRY), [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0]);
    assert_eq!(schedule(&luma::RETRY, false, AttemptOutcome::Unknown).len(), 4);
    for once in [&huggingface::RETRY, &elevenlabs::RETRY, &kie::RETRY, &GITHUB] {
        assert_eq!(of(once), [0.0], "{}", once.name);
    }
    // Documented spans, and the number of retries within them.
    for (profile, retries, hours) in [(&fal::RETRY, 10, 2.0), (&SHOPIFY, 8, 4.0)] {
        let times = of(profile);
        assert_eq!((times.len() - 1, times.last().copied()), (retries, Some(hours * HOUR)), "{}", profile.name);
    }
    for days in [&openai::RETRY, &STRIPE] {
        let last = of(days).last().copied().unwrap();
        let next = DOUBLING_FOR_THREE_DAYS.last().unwrap().as_secs_f64() * 2.0;
        assert!(last < 72.0 * HOUR && last + next > 72.0 * HOUR, "{}: {last}", days.name);
    }
    let later = [0.0, 0.5, 2.5, 7.5, 17.5, 31.5, 51.5, 75.5].map(|hours| hours * HOUR + 305.0);
    assert_eq!(of(&STANDARD_WEBHOOKS), [&[0.0, 5.0], later.as_slice()].concat());
}

#[test]
fn some_statuses_end_the_retries() {
    let cases: [(&RetryProfile, u16, bool); 12] = [
        (&STANDARD_WEBHOOKS, 410, false),
        (&STANDARD_WEBHOOKS, 404, true),
        (&STANDARD_WEBHOOKS, 307, true),
        (&openai::RETRY, 302, true),
        (&openai::RETRY, 410, true),
        (&assemblyai::RETRY, 400, false),
        (&assemblyai::RETRY, 499, false),
        (&assemblyai::RETRY, 500, true),
        (&assemblyai::RETRY, 301, true),
        (&replicate::RETRY, 404, true),
        (&replicate::RETRY, 502, true),
        (&replicate::RETRY, 302, false),
    ];
    for (profile, status, again) in cases {
        let next = profile.next(1, true, answered(status));
        assert_eq!(matches!(next, NextStep::Retry(_)), again, "{} after {status}: {next:?}", profile.name);
        assert!(again || next == NextStep::GiveUp(StopReason::NotRetried), "{} after {status}: {next:?}", profile.name);
    }
    assert_eq!(replicate::RETRY.attempts(false), 1, "progress reports are sent once");
}

#[test]
fn standard_webhooks_waits_at_least_as_long_as_retry_after() {
    let told = |seconds| AttemptOutcome::Answered { status: 429, retry_after: Some(secs(seconds)) };
    assert_eq!(STANDARD_WEBHOOKS.next(1, true, told(60)), NextStep::Retry(secs(60)));
    assert_eq!(STANDARD_WEBHOOKS.next(1, true, told(1)), NextStep::Retry(secs(5)));
    assert_eq!(fal::RETRY.next(1, true, told(3600)), NextStep::Retry(secs(720)));
}

#[test]
fn response_timeouts_are_as_documented() {
    let limits = retry_profiles().filter_map(|profile| Some((profile.name, profile.response_timeout?.as_secs())));
    let documented = [
        ("modelslab", 30),
        ("modelslab-workflow", 30),
        ("cog", 30),
        ("bfl", 30),
        ("assemblyai", 10),
        ("luma", 5),
        ("kie", 15),
        ("standard-webhooks", 15),
        ("github", 10),
        ("shopify", 5),
    ];
    assert_eq!(limits.collect::<Vec<_>>(), documented);
}

#[test]
fn cog_retries_only_the_terminal_delivery_and_only_some_statuses() {
    let cog = &cog::RETRY_COGLET;
    assert_eq!(cog.next(1, false, answered(500)), NextStep::GiveUp(StopReason::Exhausted));
    assert_eq!(cog.next(1, true, answered(400)), NextStep::GiveUp(StopReason::NotRetried));
    assert_eq!(cog.next(1, true, answered(429)), NextStep::Retry(millis(200)));
    assert_eq!(cog.next(1, true, AttemptOutcome::Unknown), NextStep::Retry(millis(200)));
    assert_eq!(cog.next(13, true, answered(500)), NextStep::GiveUp(StopReason::Exhausted));
}

#[test]
fn of_the_two_cog_servers_only_python_obeys_retry_after() {
    let told = |status| AttemptOutcome::Answered { status, retry_after: Some(secs(3)) };
    assert_eq!(cog::RETRY_PYTHON.next(1, true, told(503)), NextStep::Retry(secs(3)));
    assert_eq!(cog::RETRY_PYTHON.next(1, true, told(413)), NextStep::Retry(secs(3)));
    assert_eq!(cog::RETRY_PYTHON.next(1, true, answered(413)), NextStep::GiveUp(StopReason::NotRetried));
    assert_eq!(cog::RETRY_COGLET.next(1, true, told(503)), NextStep::Retry(millis(200)));
    assert_eq!(cog::RETRY_COGLET.next(1, true, told(413)), NextStep::GiveUp(StopReason::NotRetried));
}

#[test]
fn python_ignores_a_wait_of_zero_and_waits_six_hours_at_most() {
    let told = |status, seconds| AttemptOutcome::Answered { status, retry_after: Some(secs(seconds)) };
    assert_eq!(cog::RETRY_PYTHON.next(2, true, told(503, 0)), NextStep::Retry(millis(200)));
    assert_eq!(cog::RETRY_PYTHON.next(2, true, told(413, 0)), NextStep::Retry(millis(200)), "the header is there");
    assert_eq!(cog::RETRY_PYTHON.next(1, true, told(503, 100_000)), NextStep::Retry(secs(21_600)));
}

#[test]
fn any_2xx_acknowledges_and_a_redirect_does_not() {
    for status in [200, 202, 204, 299] {
        assert_eq!(eachlabs::RETRY_A.next(1, true, answered(status)), NextStep::Done);
    }
    assert_eq!(eachlabs::RETRY_A.next(1, true, answered(302)), NextStep::Retry(secs(30)));
    assert_eq!(ONCE.next(1, true, answered(302)), NextStep::GiveUp(StopReason::Exhausted));
}

#[test]
fn profile_names_are_unique() {
    let names: Vec<_> = retry_profiles().map(|profile| profile.name).collect();
    let own = "eachlabs eachlabs-b modelslab modelslab-workflow cog cog-python replicate openai fal bfl runpod \
               huggingface assemblyai elevenlabs luma kie";
    assert_eq!(names.join(" "), format!("{own} standard-webhooks github stripe shopify none"));
}
