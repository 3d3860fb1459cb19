//! Timelines and differences, as people and as programs see them.

use serde_json::{Value, json};

use super::captured::Captured;
use super::inspect;
use crate::support::program::command;
use crate::support::terminal::Terminal;

/// `hookctl inspect JOURNAL ARGUMENTS…` in a terminal of that many columns.
pub fn screen(journal: &Captured, arguments: &[&str], columns: u16) -> String {
    let mut command = command();
    command.args(["inspect", journal.path()]).args(arguments);
    command.envs([("TERM", "xterm"), ("PAGER", "cat"), ("NO_COLOR", "1")]);
    console::strip_ansi_codes(&Terminal::spawn(command, columns).all()).into_owned()
}

#[test]
fn a_timeline_shows_gaps_to_scale_and_what_is_wrong_at_80_columns() {
    let journal = Captured::journal();
    insta::assert_snapshot!(screen(&journal, &["--timeline"], 80), @"
    Cog  piter-success  succeeded  10 deliveries in 2.41 s, 11-20 21:23:16
        #1         0  ●                          start        processing  -   200
        #2   +1.2 ms  ●                          output       processing  -   200
        #3   +602 ms   ─────●                    output       processing  -   200
        #4   +602 ms        ●                    output       processing  -   200
        #5   +602 ms        ○                    output       processing  -   200
                       duplicate of #3, the same body
        #6   +1.20 s         ─────●              output       processing  -   200
        #7   +1.20 s              ●              output       processing  -   200
                       overtaken: #6 was further: this delivery was overtaken on the
                         way, or reports less than before
        #8   +1.80 s               ─────●        output       processing  -   200
        #9   +1.80 s                    ●        output       processing  -   200
       #10   +2.41 s                     ─────◆  completed    succeeded   -   200

    Cog  ptext-failure  failed  4 deliveries in 906 ms, 11-20 21:21:26
       #11         0  ●                          logs         processing  -   200
       #12  +0.54 ms  ○                          logs         processing  -   200
                       duplicate of #11, the same body
       #13   +602 ms   ───────────────●          logs         processing  -   200
       #14   +906 ms                   ───────◆  completed    failed      -   200

    Cog  pretry-500-500-200  succeeded  3 deliveries in 602 ms, 11-20 21:22:24
       #15         0  ◆                          completed    succeeded   -   500
       #16   +201 ms   ───────○                  completed    succeeded   -   500
                       sent again after #15 was answered 500
       #17   +602 ms           ───────────────○  completed    succeeded   -   200
                       sent again after #16 was answered 500

    Cog  wjx3whax6rf4vphkegkhcvpv6a  no end  2 deliveries in 604 ms, 11-20 21:21:23
       #18         0  ●                          start        processing  -   200
       #19   +604 ms   ───────────────────────●  logs         processing  -   200
                       no_terminal_event: the end did not come: its last was
                         processing in #19
    ");
}

#[test]
fn a_timeline_has_more_room_at_120_columns() {
    let journal = Captured::journal();
    insta::assert_snapshot!(screen(&journal, &["--timeline", "--id", "piter-success"], 120), @r#"
    Cog  piter-success  succeeded  10 deliveries in 2.41 s, 11-20 21:23:16
        #1         0  ●                                                             start        processing  -   200
        #2   +1.2 ms  ●                                                             output       processing  -   200
        #3   +602 ms   ──────────────●                                              output       processing  -   200
        #4   +602 ms                 ●                                              output       processing  -   200
        #5   +602 ms                 ○                                              output       processing  -   200
                       duplicate of #3, the same body
        #6   +1.20 s                  ─────────────●                                output       processing  -   200
        #7   +1.20 s                               ●                                output       processing  -   200
                       overtaken: #6 was further: this delivery was overtaken on the way, or reports less than before
        #8   +1.80 s                                ──────────────●                 output       processing  -   200
        #9   +1.80 s                                              ●                 output       processing  -   200
       #10   +2.41 s                                               ──────────────◆  completed    succeeded   -   200
    "#);
}

#[test]
fn a_timeline_repeats_no_hint() {
    let mut lines = Captured::journal().lines;
    lines.truncate(2);
    for line in &mut lines {
        let mut record: Value = serde_json::from_str(line).unwrap();
        record["signature"] =
            json!({"verdict": "invalid", "scheme": "bearer", "reason": "wrong_secret", "hint": "compare the tokens"});
        *line = record.to_string();
    }
    lines[1] = lines[1].replace("piter-success", "a-prediction-whose-id-is-so-long-that-its-end-is-missed");
    lines.push(lines[1].replace("record-2", "record-3"));
    let shown = screen(&Captured::of(lines), &["--timeline"], 80);
    assert_eq!(shown.matches("wrong_secret: compare the tokens").count(), 2, "once a prediction: {shown}");
    assert!(shown.contains("wrong_secret: see #2\n"), "{shown}");
    let heading = "Cog  a-prediction-whos…ts-end-is-missed  2 deliveries in 0.00 ms, 11-20 21:23:16\n";
    assert!(shown.contains(heading), "{shown}");
}

#[test]
fn one_id_twice_is_its_first_two_deliveries() {
    let journal = Captured::journal();
    let numbers = |a: &str, b: &str| {
        let diff = inspect(&[journal.path(), "--diff", a, b, "--json"]).exits(0).json().remove(0);
        (diff["a"].as_u64().unwrap(), diff["b"].as_u64().unwrap())
    };
    assert_eq!(numbers("piter-success", "piter-success"), (1, 2));
    assert_eq!(numbers("piter-success", "ptext-failure"), (1, 11));
    assert_eq!(numbers("3", "3"), (3, 3));
    inspect(&[journal.path(), "--diff", "record-1", "record-1"]).exits(2).says("there is no delivery record-1");
}

#[test]
fn a_size_is_that_of_the_received_body() {
    let journal = Captured::journal();
    let plain = inspect(&[journal.path(), "--show", "10"]).exits(0).stdout;
    let size = plain.lines().find(|line| line.contains("  answer ")).unwrap().to_owned();
    let redacted = inspect(&[journal.path(), "--show", "10", "--redact", "logs", "--redact", "output"]).exits(0).stdout;
    assert!(redacted.contains(&size) && redacted.contains("<redacted>"), "{size}: {redacted}");
    assert!(plain.contains("\n\n  content-type: "), "{plain}");
    assert_eq!(inspect(&[journal.path(), "--show", "10", "-v"]).exits(0).stdout, plain);
}

#[test]
fn a_difference_is_shown_field_by_field() {
    let journal = Captured::journal();
    insta::assert_snapshot!(screen(&journal, &["--diff", "2", "record-10"], 80), @r#"
    - #2  Cog processing piter-success  2026-11-20T21:23:16.181763Z
    + #10  Cog succeeded piter-success  2026-11-20T21:23:18.587700Z
    ~ headers.content-length  "100" → "191"
    ~ body.logs
          yielding 0
        + yielding 1
        + yielding 2
        + yielding 3
    + body.metrics.predict_time  2.407315364
    + body.output.1  "chunk 1"
    + body.output.2  "chunk 2"
    + body.output.3  "chunk 3"
    ~ body.status  "processing" → "succeeded"
    "#);
    assert!(screen(&journal, &["--diff", "3", "5"], 80).ends_with("no differences\n"));
    let finished = inspect(&[journal.path(), "--diff", "12", "14", "--json"]).exits(0);
    let diff = &finished.json()[0];
    assert_eq!((&diff["type"], &diff["a"], &diff["b"]), (&json!("diff"), &json!(12), &json!(14)));
    let changes: Vec<_> = diff["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| {
            format!(
                "{} {} {}",
                change["path"].as_str().unwrap(),
                change["change"].as_str().unwrap(),
                change["volatile"]
            )
        })
        .collect();
    assert_eq!(
        changes,
        [
            "headers.content-length changed true",
            "body.logs changed false",
            "body.status changed false",
            "body.completed_at added true",
            "body.error added false",
        ]
    );
    inspect(&[journal.path(), "--diff", "1", "99"]).exits(2).says("there is no delivery 99 among the 19");
}

/// The number, repeat and warnings of every delivery, and the warnings of the timeline.
fn summary_of(timeline: &Value) -> Vec<String> {
    let codes = |warnings: &Value| {
        let codes = warnings.as_array().unwrap().iter().map(|warning| warning["code"].as_str().unwrap().to_owned());
        codes.collect::<Vec<_>>().join(" ")
    };
    let deliveries = timeline["deliveries"].as_array().unwrap().iter();
    let remarkable = deliveries.filter_map(|delivery| {
        let repeat = &delivery["repeat"];
        let of = if repeat.is_null() { String::new() } else { format!("repeats {} ", repeat["of"]) };
        let said = of + &codes(&delivery["warnings"]);
        (!said.is_empty()).then(|| format!("#{} {}", delivery["number"], said.trim()))
    });
    remarkable.chain([format!("{} {}", timeline["end"], codes(&timeline["warnings"]))]).collect()
}

#[test]
fn a_timeline_is_data_with_json() {
    let journal = Captured::journal();
    let timelines = inspect(&[journal.path(), "--timeline", "--json"]).exits(0).json();
    assert!(timelines.iter().all(|timeline| timeline["type"] == "timeline" && timeline["provider"] == "cog"));
    assert_eq!(summary_of(&timelines[0]), ["#5 repeats 3", "#7 overtaken", "\"succeeded\" "]);
    assert_eq!(summary_of(&timelines[1]), ["#12 repeats 11", "\"failed\" "], "both threads sent the same");
    assert_eq!(summary_of(&timelines[2]), ["#16 repeats 15", "#17 repeats 15", "\"succeeded\" "]);
    assert_eq!(summary_of(&timelines[3]), ["null no_terminal_event"]);
    assert_eq!(timelines[0]["ms"], 2407.115);
    assert_eq!(timelines[2]["deliveries"][1]["repeat"]["answered"], 500, "a retry, not a duplicate");
}

#[test]
fn a_filter_adds_no_warning() {
    let journal = Captured::journal();
    let timelines = inspect(&[journal.path(), "--timeline", "--json", "--status", "processing"]).exits(0).json();
    assert_eq!(
        timelines.iter().map(|timeline| timeline["warnings"].as_array().unwrap().len()).collect::<Vec<_>>(),
        [0, 0, 1]
    );
}

#[test]
fn a_contradiction_within_a_lifecycle_is_a_warning_of_its_delivery() {
    let mut lines = Captured::journal().lines;
    lines.truncate(10);
    // Once more after the end, with more than was known then.
    lines.push(lines[8].replace("\\\"chunk 3\\\"", "\\\"chunk 3\\\",\\\"chunk 4\\\",\\\"chunk 5\\\""));
    // An end with another body, and a status that nobody knows.
    lines.push(lines[9].replace("yielding 3", "yielding 4"));
    lines.push(lines[9].replace("succeeded", "succeded").replace("piter-success", "string"));
    let journal = Captured::of(lines);
    let timelines = inspect(&[journal.path(), "--timeline", "--json"]).exits(0).json();
    let after =
        ["#5 repeats 3", "#7 overtaken", "#11 after_terminal", "#12 repeats 10 duplicate_differs", "\"succeeded\" "];
    assert_eq!(summary_of(&timelines[0]), after);
    let codes = summary_of(&timelines[1]);
    assert!(codes[0].contains("unknown_status") && codes[0].contains("placeholder_id"), "{codes:?}");
}
