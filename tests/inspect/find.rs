//! Filters, --follow, and sources that are not journals.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Stdio};

use super::captured::Captured;
use super::inspect;
use crate::support::program::{Finished, Watchdog, command};

fn numbers(finished: &Finished) -> Vec<usize> {
    let first = |row: &str| row.split_whitespace().next().and_then(|first| first.parse().ok());
    finished.stdout.lines().filter_map(first).collect()
}

#[test]
fn every_filter_selects_its_deliveries() {
    let journal = Captured::journal();
    let cases: [(&[&str], &[usize]); 28] = [
        (&["--status", "failed"], &[14]),
        (&["--status", "FAILED"], &[14]),
        (&["--status", "failed, succeeded"], &[10, 14, 15, 16, 17]),
        (&["--event", "completed"], &[10, 14, 15, 16, 17]),
        (&["-e", "st*,completed", "--status", "processing"], &[1, 18]),
        (&["--provider", "cog", "--last", "1"], &[19]),
        (&["--provider", "COG", "--last", "1"], &[19]),
        (&["--provider", "each::labs"], &[]),
        (&["--provider", "openai"], &[]),
        (&["--provider", "OpenAI"], &[]),
        (&["--verdict", "Unsigned,invalid", "--last", "1"], &[19]),
        (&["--verdict", "wrong_secret"], &[]),
        (&["--verdict", "unsigned", "--last", "2"], &[18, 19]),
        (&["--verdict", "invalid"], &[]),
        (&["--since", "2026-11-20T21:23:18Z"], &[10]),
        (&["--since", "1795209798"], &[10]),
        (&["--since", "2026-11-20 21:23:18"], &[10]),
        (&["--since", "2030-01-01"], &[]),
        (&["--since", "1ms"], &[]),
        (&["--search", "yielding 3"], &[8, 9, 10]),
        (&["--search", "coglet/0.23.1", "--status", "processing", "--last", "1"], &[9]),
        (&["--search", "Yielding 3"], &[]),
        (&["--search", "Invalid input dimensions\""], &[14]),
        (&["--where", ".answer.status == 500"], &[15, 16]),
        (&["--where", ".seq > 3", "--where", ".seq < 6"], &[4, 5]),
        (&["--where", ".seq > 3 and (.body | length) > 400", "--id", "ptext-failure"], &[14]),
        (&["--id", "record-7"], &[7]),
        (&["--id", "piter-success", "--event", "output", "--last", "2"], &[8, 9]),
    ];
    for (arguments, expected) in cases {
        let finished = inspect(&[&[journal.path()], arguments].concat()).exits(0);
        assert_eq!(numbers(&finished), expected, "{arguments:?}: {finished:#?}");
        let data = inspect(&[&[journal.path(), "--json"], arguments].concat()).exits(0);
        let expected: Vec<&String> = expected.iter().map(|number| &journal.lines[number - 1]).collect();
        assert_eq!(data.stdout.lines().collect::<Vec<_>>(), expected, "{arguments:?}");
        let piped = inspect(&[&["-", "--json"], arguments].concat()).stdin(journal.lines.join("\n")).exits(0);
        assert_eq!(piped.stdout, data.stdout, "{arguments:?}");
    }
}

#[test]
fn filters_select_the_same_lines_in_any_spelling() {
    let (own, journal) = (Captured::journal(), Captured::spelled_by_another_program());
    assert!(own.lines[0].starts_with("{\"type\":\"delivery\",\"v\":1,\"seq\":1,"), "{}", own.lines[0]);
    assert!(journal.lines[0].starts_with("{\"answer\""), "{}", journal.lines[0]);
    for arguments in [
        &["--status", "failed"][..],
        &["--id", "piter-success"],
        &["--id", "record-7"],
        &["--search", "yielding 3"],
        &["--event", "completed", "--provider", "cog"],
        &["--where", ".answer.status == 500"],
        &["--show", "12"],
        &["--timeline"],
        &["--timeline", "--status", "processing"],
        &["--timeline", "--id", "piter-success", "--status", "succeeded"],
    ] {
        let [theirs, ours] = [&journal, &own].map(|journal| inspect(&[&[journal.path()], arguments].concat()).exits(0));
        assert_eq!(ours.stdout, theirs.stdout, "{arguments:?}");
    }
    let mut torn = own.lines.clone();
    torn[3].truncate(200);
    let torn = Captured::of(torn);
    inspect(&[torn.path(), "--id", "nobody"]).exits(0).says("line 4 is damaged").says("none of 18 deliveries matches");
}

/// The journal as hookctl writes it, so that lines take the fast path.
fn rewritten(journal: &Captured) -> Captured {
    let lines = inspect(&[journal.path(), "--json", "--redact", "headers.x-none"]).exits(0).stdout;
    Captured::of(lines.lines().map(str::to_owned).collect())
}

#[test]
fn search_finds_text_that_json_escapes() {
    let mut journal = Captured::journal();
    let mut record: serde_json::Value = serde_json::from_str(&journal.lines[0]).unwrap();
    record["body"] =
        r#"{"id":"a","status":"processing","logs":"caf\u00e9 \ud83c\udf05 it said \"say\" in C:\\x\/y\nend"}"#.into();
    journal.lines[2] = record.to_string();
    let theirs = Captured::of(journal.lines);
    let ours = rewritten(&theirs);
    let found = ["café", "é 🌅", "\"say\"", "C:\\x/y", "y\nend", "caf\\u00e9", "\\\"say"];
    for text in found {
        for journal in [&theirs, &ours] {
            assert_eq!(numbers(&inspect(&[journal.path(), "--search", text]).exits(0)), [3], "{text}");
        }
    }
}

#[test]
fn statuses_are_found_in_any_case() {
    let ours = rewritten(&Captured::journal());
    for (filter, expected) in [("fAILED", &[14][..]), ("Failed,Succeeded", &[10, 14, 15, 16, 17]), ("fail", &[])] {
        assert_eq!(numbers(&inspect(&[ours.path(), "--status", filter]).exits(0)), expected, "{filter}");
    }
}

#[test]
fn a_reason_is_a_filter_and_is_counted() {
    let journal = Captured::journal();
    let mut lines = journal.lines.clone();
    for (index, reason) in [(1, "wrong_secret"), (2, "missing_signature"), (3, "wrong_secret")] {
        let mut record: serde_json::Value = serde_json::from_str(&lines[index]).unwrap();
        record["signature"] =
            serde_json::json!({"verdict": "invalid", "scheme": "bearer", "reason": reason, "hint": "compare"});
        lines[index] = record.to_string();
    }
    let journal = Captured::of(lines);
    let found = |list: &str| numbers(&inspect(&[journal.path(), "--verdict", list]).exits(0));
    assert_eq!(found("wrong_secret"), [2, 4]);
    assert_eq!(found("missing_signature,WRONG_SECRET"), [2, 3, 4]);
    assert_eq!(found("invalid"), [2, 3, 4]);
    let stats = inspect(&[journal.path(), "--stats", "--json"]).exits(0).json().remove(0);
    assert_eq!(stats["reasons"], serde_json::json!({"missing_signature": 1, "wrong_secret": 2}));
    let all = inspect(&[rewritten(&journal).path(), "--stats", "--json", "--where", "."]).exits(0).json().remove(0);
    assert_eq!(all["reasons"], stats["reasons"]);
    inspect(&[journal.path(), "--stats"]).exits(0).prints("invalid     wrong_secret                   2");
}

#[test]
fn a_filter_that_does_not_end_is_an_error_with_the_line() {
    let journal = Captured::journal();
    let place = format!("{}, line 1: it does not end: it was stopped after ", journal.path());
    for filter in ["last(range(infinite))", "[range(infinite)]"] {
        let finished = inspect(&[journal.path(), "--where", filter]).exits(1);
        finished.says(&format!("error: --where {filter}, on {place}"));
    }
    // Others of the same journal are not harmed by what nests too deep, or calls itself too deep.
    let deep = journal.lines[0].replacen(
        r#""type":"delivery""#,
        &format!(r#""type":"delivery","x":{}"#, "[".repeat(20_000)),
        1,
    );
    let deep = deep.replace(&"[".repeat(20_000), &format!("{}{}", "[".repeat(20_000), "]".repeat(20_000)));
    let with = Captured::of(vec![deep, journal.lines[1].clone()]);
    let finished = inspect(&[with.path(), "--where", ".answer.status == 200"]).exits(0);
    assert_eq!(numbers(&finished), [2]);
    finished.says("line 1 is left out");
    let recursive = "def f: 1 + f; f";
    let finished = inspect(&[with.path(), "--where", recursive]).exits(0);
    assert!(numbers(&finished).is_empty());
    finished.says(&format!("line 2 is left out: --where {recursive}: it recurses too deeply"));
}

#[cfg(target_os = "linux")]
#[test]
fn filters_run_on_several_threads() {
    let journal = Captured::journal();
    // The stack of one of them takes half of it.
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "ulimit -v 1000000; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_hookctl")]);
    shell.args(["inspect", journal.path(), "--json", "--where", ".answer.status == 500"]);
    let finished = shell.output().unwrap();
    let rows: String = journal.lines[14..16].iter().map(|line| format!("{line}\n")).collect();
    assert_eq!(String::from_utf8_lossy(&finished.stdout), rows, "{finished:?}");
    assert!(finished.status.success(), "{finished:?}");
}

#[test]
fn an_invalid_filter_is_refused_with_the_position_of_its_error() {
    let journal = Captured::journal();
    let cases: [(&[&str], &str); 8] = [
        (&["--where", ".payload | lenght"], "there is no filter lenght, did you mean length? at column 12"),
        (&["--where", "(.a"], "closing parenthesis was expected at column 4"),
        (&["--since", "yesterday"], "write a time as 10m (ago), 14:05 or 14:05:30"),
        (&["--since", "5"], "write a time as 10m (ago), 14:05 or 14:05:30"),
        (&["--verdict", "good"], "possible values: verified, authenticated, invalid, unsigned, unchecked, missing_sig"),
        (&["--verdict", "wrong_secret,good"], "invalid value 'good'"),
        (&["--status", "failed,"], "write a list as a,b"),
        (&["--stats", "--timeline"], "cannot be used with"),
    ];
    for (arguments, reason) in cases {
        let finished = inspect(&[&[journal.path()], arguments].concat()).exits(2);
        assert_eq!(finished.stdout, "");
        finished.says(reason);
    }
    inspect(&[journal.path(), "--redact", "a..b"])
        .exits(2)
        .says("--redact: `a..b` is not a path: a key is missing at character 3");
}

#[test]
fn a_source_that_is_not_a_journal_is_named() {
    let journal = Captured::journal();
    let folder = journal.folder.path().to_str().unwrap();
    inspect(&[folder, "--stats"]).exits(1).says("cannot read").says("is a directory");
    let other = journal.file("notes.txt");
    fs::write(&other, "a note\nanother\n").unwrap();
    for flag in
        [&["--timeline"][..], &["--stats"], &["--follow"], &["--where", "."], &["--redact", "a"], &["--diff", "1", "2"]]
    {
        inspect(&[&[other.as_str()], flag].concat()).exits(2).says("is one payload, not a journal").says(flag[0]);
    }
    let empty = journal.file("empty.jsonl");
    fs::write(&empty, "").unwrap();
    for view in ["--timeline", "--stats"] {
        let finished = inspect(&[&empty, view]).exits(0);
        assert_eq!(finished.stdout, "");
        finished.says("there are no deliveries");
    }
    inspect(&[&empty, "--diff", "1", "2"]).exits(2).says("there is no delivery 1 among the 0");
}

#[test]
fn a_cog_run_is_named() {
    let run = crate::support::repository("fixtures/cog/stream.json");
    let finished = inspect(&[run.to_str().unwrap()]).exits(0);
    assert_eq!(finished.stdout, "");
    finished.says("is a Cog run, not a payload").says("--dry-run");
}

#[test]
fn a_line_that_is_not_a_record_is_skipped() {
    let journal = Captured::journal();
    let mut lines = journal.lines.clone();
    lines.insert(1, r#"{"type":"delivery","v":1,"at":17}"#.into());
    lines.insert(3, format!(r#"{{"type":"delivery","v":1,"x":"{}"#, "a".repeat(20_000_000)));
    lines.insert(5, "[1,2]".into());
    let damaged = Captured::of(lines);
    for view in [&[][..], &["--timeline"], &["--stats"], &["--json"], &["--status", "processing"]] {
        let whole = inspect(&[&[journal.path()], view].concat()).exits(0);
        let finished = inspect(&[&[damaged.path()], view].concat()).exits(0);
        assert_eq!(finished.stdout, whole.stdout, "{view:?}");
        finished.says("line 2 is damaged").says("line 4 is damaged").says("line 6 is damaged");
    }
}

/// A running `inspect --follow`.
struct Follower {
    child: Child,
    lines: BufReader<ChildStdout>,
    _watchdog: Watchdog,
}

impl Follower {
    fn of(path: &str, arguments: &[&str]) -> Self {
        let mut command = command();
        command
            .args(["inspect", path, "--follow", "--json"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Follower { _watchdog: Watchdog::over(child.id()), child, lines }
    }

    fn next(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

#[cfg(unix)]
#[test]
fn several_threads_keep_the_order_of_a_journal() {
    const DAMAGED: usize = 2500;
    // Some megabytes: more than one thread looks at together.
    let journal = Captured::journal();
    let mut lines: Vec<String> = journal.lines.iter().cycle().take(5000).cloned().collect();
    lines[DAMAGED - 1] = r#"{"type":"delivery","v":1,"seq":1,"#.to_owned();
    let large = Captured::of(lines);
    let failed = inspect(&[large.path(), "--status", "failed"]).exits(0);
    let expected =
        (1..5000).filter(|number| (number - 1 + usize::from(*number >= DAMAGED)) % journal.lines.len() == 13);
    assert_eq!(numbers(&failed), expected.collect::<Vec<_>>());
    for arguments in
        [&["--status", "failed"][..], &["--stats"], &["--last", "3"], &["--show", "4321"], &["--diff", "9", "4999"]]
    {
        let file = inspect(&[&[large.path(), "--json"], arguments].concat()).exits(0);
        // A pipe is read by one.
        let piped = inspect(&[&["-", "--json"], arguments].concat()).stdin(large.lines.join("\n")).exits(0);
        assert_eq!(file.stdout, piped.stdout, "{arguments:?}");
        for finished in [file, piped] {
            assert!(finished.stderr.contains(&format!("line {DAMAGED} is damaged")), "{arguments:?}: {finished:#?}");
        }
    }
}

#[test]
fn last_and_follow_show_the_last_deliveries_first() {
    let source = Captured::journal().lines;
    let journal = Captured::of(source[..5].to_vec());
    let mut follower = Follower::of(journal.path(), &["--last", "1"]);
    assert_eq!(follower.next(), source[4]);
    let more: String = source[5..9].iter().map(|line| format!("{line}\n")).collect();
    OpenOptions::new().append(true).open(&journal.path).unwrap().write_all(more.as_bytes()).unwrap();
    assert_eq!([follower.next(), follower.next(), follower.next(), follower.next()], source[5..9]);
    follower.child.kill().unwrap();
    follower.child.wait().unwrap();
}

#[cfg(unix)]
#[test]
fn follow_survives_growth_truncation_and_replacement() {
    let source = Captured::journal().lines;
    let journal = Captured::of(source[..2].to_vec());
    let mut follower = Follower::of(journal.path(), &["--status", "processing"]);
    assert_eq!([follower.next(), follower.next()], source[..2]);
    let mut file = OpenOptions::new().append(true).open(&journal.path).unwrap();
    // One that is left out, and one that is written in two parts.
    writeln!(file, "{}", source[13]).unwrap();
    let (first, second) = source[2].split_at(100);
    write!(file, "{first}").unwrap();
    file.flush().unwrap();
    writeln!(file, "{second}").unwrap();
    assert_eq!(follower.next(), source[2]);
    fs::write(&journal.path, format!("{}\n", source[3])).unwrap();
    assert_eq!(follower.next(), source[3], "it was cut");
    fs::rename(&journal.path, journal.file("hooks.jsonl.1")).unwrap();
    fs::write(&journal.path, format!("{}\n{}\n", source[4], source[5])).unwrap();
    assert_eq!([follower.next(), follower.next()], source[4..6], "it was replaced");
    // A last line without its newline, then a new file.
    write!(OpenOptions::new().append(true).open(&journal.path).unwrap(), "{}", source[6]).unwrap();
    fs::rename(&journal.path, journal.file("hooks.jsonl.2")).unwrap();
    fs::write(&journal.path, format!("{}\n", source[7])).unwrap();
    assert_eq!([follower.next(), follower.next()], source[6..8], "nothing of the old one is lost");
    let id = rustix::process::Pid::from_child(&follower.child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    assert_eq!(follower.child.wait().unwrap().code(), Some(0));
}
