//! What `listen` waits for and expects: `--events`, `--until`, `--expect`, `--strict`, `--report`.

use serde_json::{Value, json};

use super::{BODY, HOOKCTL, SECRET, status};
use crate::support::listener::Listener;
use crate::support::program::{Finished, hookctl};
use crate::support::repository;

const FAILED: &[u8] = br#"{"id":"p-2","status":"failed","output":null,"input":{},"logs":"no memory"}"#;
const PROGRESS: &[u8] = br#"{"id":"c-1","logs":"","metrics":{},"output":["a"],"status":"processing"}"#;
const END: &[u8] = br#"{"id":"c-1","logs":"","metrics":{},"output":["a"],"status":"succeeded"}"#;

/// Runs a listener with a command to its end.
fn run(arguments: &[&str], command: &[&str]) -> Finished {
    hookctl([&["listen", "--port", "0"], arguments, &["--"], command].concat()).run()
}

fn warnings(stderr: &str) -> Vec<&str> {
    stderr.lines().filter(|line| line.starts_with("warning:")).collect()
}

#[test]
fn an_expectation_holds_for_every_counted_delivery_or_says_for_which_not() {
    let expect = [r#".payload.status == "succeeded""#, ".signature.verdict == \"unsigned\"", ".seq < 3"];
    let arguments: Vec<_> = expect.iter().flat_map(|filter| ["--expect", filter]).collect();
    let good = run(&arguments, &[HOOKCTL, "send", "success", "cog/coglet/succeeded"]);
    assert_eq!((good.code, warnings(&good.stderr).len()), (Some(0), 0), "{good:#?}");
    let bad = run(&arguments, &[HOOKCTL, "send", "success", "failed", "success"]);
    assert_eq!(bad.code, Some(4), "{bad:#?}");
    let wanted = [
        r#"warning: expectation failed: #2 abc123-def456-ghi789: .payload.status == "succeeded": found "failed""#,
        "warning: expectation failed: #3 abc123-def456-ghi789: .seq < 3: found 3",
    ];
    assert_eq!(warnings(&bad.stderr), wanted);
    assert!(bad.stderr.contains("2 expectations failed"), "{}", bad.stderr);
}

#[test]
fn a_filter_that_cannot_be_read_is_a_usage_error_with_its_place() {
    for (filter, words) in [
        (".payload.status = = 1", "was expected at column 19"),
        (".payload | lenght == 1", "there is no filter lenght, did you mean length? at column 12"),
    ] {
        hookctl(["listen", "--port", "0", "--expect", filter, "--", "true"]).exits(2).says(words).says("--expect");
    }
    hookctl(["listen", "--port", "0", "--report", "x.xml", "--", "true"]).exits(2).says("junit=FILE");
    hookctl(["listen", "--port", "0", "--events", "a,,b", "--", "true"]).exits(2).says("workflow.*");
}

#[test]
fn a_filter_that_does_not_end_fails_and_holds_nothing_up() {
    let filter = "last(range(infinite))";
    let mut listener = Listener::start(&["--expect", filter, "--expect", ".seq < 3"]);
    for seq in 1..=3 {
        // No answer waits for it, and none of the further ones finds it at work again.
        assert_eq!(status(&listener.post("/", &[], BODY)), 200);
        assert_eq!(listener.next()["seq"], seq);
    }
    listener.signal("INT");
    let (code, _, stderr) = listener.wait();
    assert_eq!(code, Some(4), "{stderr}");
    let said = warnings(&stderr);
    let stopped = format!("warning: expectation failed: #1 p-1: {filter}: it does not end: it was stopped after ");
    assert!(said[0].starts_with(&stopped), "{stderr}");
    let again = |seq| {
        format!("warning: expectation failed: #{seq} p-1: {filter}: it is not run any more: it did not end before")
    };
    let wanted = [&again(2), &again(3), "warning: expectation failed: #3 p-1: .seq < 3: found 3"];
    assert_eq!(said[1..], wanted);
}

#[test]
fn a_listener_with_a_filter_that_does_not_end_is_ended_like_any() {
    let mut listener = Listener::start(&["--expect", "[range(infinite)]"]);
    listener.post("/", &[], BODY);
    listener.next();
    listener.signal("INT");
    listener.signal("INT");
    // The first goes unnoticed where both come at once; then the judge is waited for.
    assert!(matches!(listener.wait().0, Some(130 | 4)));
}

#[test]
fn a_filter_that_cannot_be_stopped_keeps_nobody() {
    // One multiplication of numbers with millions of digits: a single step, in which nothing can stop it. Where one
    // happens to end just when its time is up, one of other numbers does not.
    let is_lost = |base: u8| {
        let huge = format!("(reduce range(64) as $i ({base}; . * .)) > 0");
        let run = run(&["--expect", &huge, "--expect", "true"], &[HOOKCTL, "send", "success", "success", "-q"]);
        assert_eq!(run.code, Some(4), "{run:#?}");
        let said = warnings(&run.stderr);
        assert!(said[0].ends_with(&format!("{huge}: it does not end: it was stopped after 2s")), "{run:#?}");
        let is_lost = |said: &&str| said.ends_with("a filter before it did not end, and cannot be stopped");
        // Two filters on two deliveries.
        said.len() == 4 && said[1..].iter().all(is_lost)
    };
    assert!([3, 5, 9].into_iter().any(is_lost));
}

#[test]
fn a_body_that_nests_deep_does_not_harm_a_filter() {
    let body = "[".repeat(1_000_000);
    let mut listener = Listener::start(&["--count", "1", "--expect", ".body | fromjson | length > 0"]);
    assert_eq!(status(&listener.post("/", &[], body.as_bytes())), 200);
    listener.next();
    let (code, _, stderr) = listener.wait();
    assert_eq!(code, Some(4), "{stderr}");
    assert!(stderr.contains("the JSON nests deeper than 10000 levels"), "{stderr}");
}

#[test]
fn an_event_that_is_mistyped_is_doubted() {
    let mistyped = run(&["--events", "complete,mine"], &["true"]);
    assert_eq!(mistyped.code, Some(0), "a sender may have events of its own");
    let wanted = "warning: --events complete: no known provider sends that; did you mean completed?";
    assert_eq!(warnings(&mistyped.stderr), [wanted]);
}

#[test]
fn an_expectation_that_nothing_put_to_the_test_is_said() {
    let run = run(&["--expect", "true"], &["true"]);
    assert_eq!(run.code, Some(0));
    run.says("no delivery arrived, so no expectation was checked");
}

#[test]
fn strict_takes_warnings_for_failures() {
    let odd = r#"exec "$0" send success --unset output -q"#;
    assert_eq!(run(&[], &["sh", "-c", odd, HOOKCTL]).code, Some(0));
    let strict = run(&["--strict"], &["sh", "-c", odd, HOOKCTL]);
    assert_eq!(strict.code, Some(4), "{strict:#?}");
    assert!(warnings(&strict.stderr)[0].contains("--strict: success_without_output: "), "{strict:#?}");
}

#[test]
fn only_chosen_events_are_shown_and_counted_but_all_are_recorded() {
    let journal = tempfile::NamedTempFile::new().unwrap();
    let record = journal.path().to_str().unwrap();
    // Of what is not counted, nothing is expected either.
    let expect = r#".payload.event == "completed""#;
    let arguments = ["--events", "complet*,nothing", "--count", "2", "--record", record, "--expect", expect];
    let mut listener = Listener::start(&arguments);
    for body in [PROGRESS, FAILED, b"not JSON", BODY, END] {
        assert_eq!(status(&listener.post("/", &[], body)), 200);
    }
    let shown = [listener.next()["seq"].clone(), listener.next()["seq"].clone()];
    assert_eq!(shown, [json!(4), json!(5)]);
    let (code, stdout, _) = listener.wait();
    let summary: Value = serde_json::from_str(stdout.trim()).unwrap();
    assert_eq!((code, &summary["deliveries"]), (Some(0), &json!(2)));
    assert_eq!(std::fs::read_to_string(journal.path()).unwrap().lines().count(), 5);
}

#[test]
fn until_ends_at_the_first_delivery_of_its_kind() {
    for (until, last) in
        [("terminal", 2), ("succeeded", 2), ("completed", 2), ("success", 4), ("failed", 3), ("output", 1)]
    {
        let listener = Listener::start(&["--until", until]);
        for body in &[PROGRESS, END, FAILED, BODY][..last] {
            assert_eq!(status(&listener.post("/", &[], body)), 200, "{until}");
        }
        let (code, stdout, stderr) = listener.wait();
        assert_eq!((code, stdout.lines().count()), (Some(0), last + 1), "{until}: {stderr}");
    }
}

#[test]
fn until_is_not_met_by_a_forgery_and_not_after_its_time() {
    let listener = Listener::start(&["--secret", SECRET, "--until", "terminal", "--timeout", "500ms"]);
    assert_eq!(status(&listener.post("/", &[("x-webhook-signature", "00")], BODY)), 401);
    let (code, _, stderr) = listener.wait();
    assert_eq!(code, Some(3));
    assert_eq!(warnings(&stderr), ["warning: waited 500ms: no delivery came that is terminal"]);
}

#[test]
fn until_and_count_must_both_come_true() {
    let listener = Listener::start(&["--until", "terminal", "--count", "2"]);
    listener.post("/", &[], END);
    listener.post("/", &[], PROGRESS);
    assert_eq!(listener.wait().0, Some(0));
    let listener = Listener::start(&["--until", "succeded", "--count", "1", "--timeout", "500ms"]);
    listener.post("/", &[], PROGRESS);
    let (code, _, stderr) = listener.wait();
    assert_eq!(code, Some(3));
    assert!(stderr.contains("did you mean succeeded?"), "{stderr}");
}

#[test]
fn the_graver_code_wins() {
    let send = [HOOKCTL, "send", "failed", "-s", "another secret", "--retry", "none", "--expect-status", "401"];
    let unmet = ["--expect", "false", "--count", "2", "-s", SECRET];
    let code = |arguments: &[&str]| run(arguments, &send).code;
    assert_eq!(code(&unmet[2..]), Some(3));
    assert_eq!(code(&unmet), Some(4), "an expectation before a wait");
    assert_eq!(code(&[&unmet[..], &["--require-valid"]].concat()), Some(5), "a signature before an expectation");
}

#[test]
fn what_the_listener_found_goes_before_the_code_of_its_command() {
    // Not acknowledged, says send; but why, the listener knows.
    let send = [HOOKCTL, "send", "failed", "-s", "another secret", "--retry", "none"];
    let code = |arguments: &[&str]| run(arguments, &send).code;
    assert_eq!(code(&["-s", SECRET]), Some(6));
    assert_eq!(code(&["-s", SECRET, "--count", "2"]), Some(6), "what did not come says less");
    assert_eq!(code(&["-s", SECRET, "--expect", "false"]), Some(4));
    assert_eq!(code(&["-s", SECRET, "--require-valid"]), Some(5));
}

/// The report of a listener that ran a command to its end.
fn report_of(arguments: &[&str], command: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.xml");
    let report = format!("junit={}", file.display());
    run(&[arguments, &["--report", &report]].concat(), command);
    std::fs::read_to_string(file).unwrap()
}

#[test]
fn a_report_tells_of_a_failure_what_came_and_how_long_it_took() {
    let send = [HOOKCTL, "send", "failed"];
    let xml = report_of(&["--expect", ".payload.status == \"succeeded\"", "--expect", ".seq"], &send);
    let (_, failure) = xml.split_once("<failure").expect(&xml);
    let (failure, rest) = failure.split_once("</failure>").unwrap();
    for part in ["came: each::labs, failed\n", "signature: unsigned", "answered: 200", "at: 20"] {
        assert!(failure.contains(part), "no {part} in {xml}");
    }
    assert!(!rest.contains("came:"), "what came true needs no account: {xml}");
    assert_eq!(xml.matches("<testcase").count(), 3, "two expectations and the command: {xml}");
    assert_eq!(xml.matches(" time=").count(), 2 + 2, "of the run, and of the delivery in each: {xml}");
}

#[test]
fn a_report_has_the_command_the_journal_and_what_was_not_tested() {
    let xml = report_of(&["--expect", ".seq", "--strict"], &["sh", "-c", "exit 7"]);
    for words in [
        r#"tests="3" skipped="2" failures="1" errors="0""#,
        r#"name=".seq" classname"#,
        r#"name="--strict" classname"#,
        r#"<skipped message="no delivery arrived"#,
        r#"name="-- sh" classname"#,
        r#"<failure message="it ended with code 7">"#,
    ] {
        assert!(xml.contains(words), "no {words} in {xml}");
    }
    let xml = report_of(&["--timeout", "200ms"], &["sleep", "600"]);
    assert!(xml.contains(r#"<failure message="it was still running">"#), "{xml}");
    let journal = tempfile::NamedTempFile::new().unwrap();
    let xml = report_of(&["--record", journal.path().to_str().unwrap()], &["true"]);
    assert!(xml.contains(r#"tests="2" skipped="0" failures="0""#) && xml.contains("name=\"--record "), "{xml}");
    if cfg!(target_os = "linux") {
        let send = [HOOKCTL, "send", "success", "--retry", "none", "--expect-status", "503"];
        let xml = report_of(&["--record", "/dev/full"], &send);
        assert!(xml.contains(r#"<failure message="deliveries that could not be recorded: 1">"#), "{xml}");
    }
}

#[test]
fn an_early_end_leaves_no_report() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.xml");
    let report = format!("junit={}", file.display());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for arguments in [&["--port", &port, "--", "true"][..], &["--port", "0", "--", "/nowhere/command"]] {
        hookctl([&["listen", "--report", &report], arguments].concat()).exits(1);
        assert!(!file.exists(), "{arguments:?}");
    }
}

/// What python's parser finds in a report: the counts, then each case with its failure.
fn parsed(report: &str) -> Vec<Value> {
    const READ: &str = "
import json, sys, xml.etree.ElementTree as tree
suites = tree.parse(sys.argv[1]).getroot()
assert suites.tag == 'testsuites', suites.tag
for suite in suites:
    assert suite.tag == 'testsuite', suite.tag
    print(json.dumps([suite.get('tests'), suite.get('failures'), suite.get('errors')]))
    for case in suite:
        assert case.tag == 'testcase' and case.get('classname') == 'hookctl listen'
        failure = case.find('failure')
        print(json.dumps([case.get('name'), None if failure is None else failure.get('message')]))
";
    let output = std::process::Command::new("python3").args(["-c", READ, report]).output().expect("python3 runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A listener's report after its time has run out.
fn reported() -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    let report = format!("junit={path}");
    let expect = r#".payload.status == "succeeded""#;
    let arguments = ["--expect", expect, "--require-valid", "--count", "3", "--timeout", "1s", "--report", &report];
    let listener = Listener::start(&arguments);
    listener.post("/", &[], BODY);
    listener.post(
        "/",
        &[],
        "{\"id\":\"<p-2>\\u001b[2J\",\"status\":\"failed\",\"output\":null,\"logs\":\"x\"}".as_bytes(),
    );
    assert_eq!(listener.wait().0, Some(5));
    file.into_temp_path().keep().unwrap();
    path
}

#[test]
fn a_report_is_written_even_when_time_runs_out() {
    let path = reported();
    let xml = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(xml.contains(r#"tests="5" skipped="0" failures="4""#), "{xml}");
    assert!(xml.contains(r#"name="--count 3""#) && xml.contains("2 of 3 deliveries came"), "{xml}");
    assert!(!xml.contains('\x1b'), "{xml}");
}

#[test]
#[ignore = "needs python3"]
fn interop_a_report_is_what_pythons_parser_reads() {
    let path = reported();
    let cases = parsed(&path);
    std::fs::remove_file(&path).unwrap();
    let filter = r#".payload.status == "succeeded""#;
    let wanted = json!([
        ["5", "4", "0"],
        [format!("#1 p-1: {filter}"), null],
        ["#1 p-1: --require-valid", "unsigned"],
        [format!("#2 <p-2>\\u{{1b}}[2J: {filter}"), "found \"failed\""],
        ["#2 <p-2>\\u{1b}[2J: --require-valid", "unsigned"],
        ["--count 3", "2 of 3 deliveries came"],
    ]);
    assert_eq!(Value::from(cases), wanted);
}

#[test]
fn a_report_that_cannot_be_written_is_known_at_once() {
    let run = hookctl(["listen", "--port", "0", "--report", "junit=/nowhere/at/all.xml", "--json", "--", "true"]);
    let run = run.exits(1).says("/nowhere/at/all.xml");
    assert!(run.stdout.is_empty(), "never ready: {run:#?}");
}

/// The test that the README shows, as it stands there.
fn smoke_test() -> Vec<String> {
    let readme = std::fs::read_to_string(repository("README.md")).unwrap();
    let line = readme.lines().find(|line| line.ends_with("-- ./app-test.sh")).expect("the README has a smoke test");
    let line = line.strip_prefix("hookctl ").expect("a command of ours");
    line.split('\'')
        .enumerate()
        .flat_map(|(index, part)| {
            if index % 2 == 1 { vec![part.to_owned()] } else { part.split_whitespace().map(str::to_owned).collect() }
        })
        .collect()
}

#[cfg(unix)]
#[test]
fn the_smoke_test_of_the_readme_with_every_code_that_it_can_end_in() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("app-test.sh");
    let smoke = |more: &[&str], app: &str| {
        std::fs::write(&script, format!("#!/bin/sh\n{app}\n")).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
        let mut arguments = smoke_test();
        // Any port will do here, and half a minute is too long for what never comes.
        arguments.splice(1..1, more.iter().map(|flag| (*flag).to_owned()));
        let time = arguments.iter().position(|argument| argument == "30s").expect("a time");
        arguments[time] = if app.contains("kill") || !app.contains("sleep") { "30s" } else { "300ms" }.into();
        let run = hookctl(arguments).env("HOOKCTL_PORT", "0").env("S", SECRET).env("HOOKCTL", HOOKCTL);
        run.current_dir(folder.path()).run()
    };
    let cases: [(_, &[&str], _); 6] = [
        (0, &[], r#""$HOOKCTL" send success cog/coglet/succeeded"#),
        (3, &[], r#""$HOOKCTL" send success; exec sleep 60"#),
        (4, &[], r#""$HOOKCTL" send success failed"#),
        (
            5,
            &["--require-valid"],
            r#""$HOOKCTL" send success cog/coglet/succeeded -s other --retry none --expect-status 401"#,
        ),
        (7, &[], r#""$HOOKCTL" send success cog/coglet/succeeded; exit 7"#),
        (130, &[], r#""$HOOKCTL" send success; kill -INT "$PPID"; exec sleep 60"#),
    ];
    for (code, more, app) in cases {
        let run = smoke(more, app);
        assert_eq!(run.code, Some(code), "{app}: {run:#?}");
    }
}
