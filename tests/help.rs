//! What `-h`, `--help` and completions say.

use crate::support::program::hookctl;
use crate::support::repository;

const COMMANDS: [&str; 4] = ["listen", "send", "inspect", "completions"];

/// What a shell gets for the last of these words.
fn completed(words: &[&str]) -> Vec<String> {
    let index = (words.len() - 1).to_string();
    let run = hookctl(["--"].iter().chain(words))
        .env("HOOKCTL_COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", &index)
        .env("_CLAP_IFS", "\n");
    run.exits(0).stdout.lines().map(str::to_owned).collect()
}

#[test]
fn help_fits_terminals_of_80_and_120_columns() {
    for columns in [80, 120] {
        for page in [&["help", "signatures"][..], &["-h"], &["--help"]] {
            fits(page, columns);
        }
        for command in COMMANDS {
            fits(&[command, "-h"], columns);
            fits(&[command, "--help"], columns);
        }
    }
}

#[track_caller]
fn fits(page: &[&str], columns: usize) {
    let text = hookctl(page).env("COLUMNS", columns.to_string()).exits(0).stdout;
    for line in text.lines() {
        assert!(line.chars().count() <= columns, "{page:?} at {columns}: {line}");
    }
}

#[test]
fn the_long_help_has_more_lines_than_the_short_help_and_has_examples() {
    for command in COMMANDS {
        let page = |flag| hookctl([command, flag]).exits(0).stdout;
        let (short, long) = (page("-h"), page("--help"));
        assert!(short.lines().count() <= long.lines().count(), "{command}");
        let examples = long.matches(&format!("  hookctl {command} ")).count();
        assert!(long.contains("Examples:") && examples >= 3, "{command}: {long}");
    }
}

#[test]
fn the_short_help_has_at_most_90_lines_and_names_every_flag() {
    for command in ["listen", "send", "inspect"] {
        let page = |flag| hookctl([command, flag]).env("COLUMNS", "80").exits(0).stdout;
        let (short, long) = (page("-h"), page("--help"));
        assert!(short.lines().count() <= 90, "{command}: {} lines", short.lines().count());
        let told = long.lines().map(str::trim).filter(|line| line.starts_with('-'));
        let names = told.flat_map(|line| line.split([' ', '=', '['])).filter(|word| word.starts_with("--"));
        for name in names {
            assert!(short.contains(name), "{command} -h does not name {name}");
        }
        let examples = short.split("Examples:\n").nth(1).expect("examples");
        assert!(examples.lines().all(|line| line.starts_with("  hookctl ")), "one is broken: {examples}");
    }
    let begin = hookctl(["-h"]).env("COLUMNS", "80").exits(0).stdout;
    let commands = begin.lines().filter(|line| line.starts_with("  hookctl ")).count();
    assert_eq!(commands, 5, "one is broken: {begin}");
}

#[test]
fn names_of_payloads_and_files_complete_a_source() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("failure.json"), "{}").unwrap();
    let run =
        hookctl(["--", "hookctl", "send", "fai"]).env("HOOKCTL_COMPLETE", "fish").current_dir(dir.path()).exits(0);
    let candidates: Vec<_> = run.stdout.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(candidates, ["failed", "failure.json"]);
    let files = |words: &[&str]| {
        let run =
            hookctl(["--", "hookctl"].iter().chain(words)).env("HOOKCTL_COMPLETE", "fish").current_dir(dir.path());
        run.exits(0).stdout.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(files(&["listen", "--report", "jun"]), ["junit="]);
    assert_eq!(files(&["listen", "--report", "junit=fai"]), ["junit=failure.json"]);
    assert_eq!(files(&["listen", "--", "./fai"]), ["./failure.json"]);
    assert_eq!(completed(&["hookctl", "send", "cog/s"]), ["cog/succeeded", "cog/stream"]);
}

#[test]
fn values_and_flags_complete() {
    assert_eq!(completed(&["hookctl", "listen", "--scheme", "eachlabs"]), ["eachlabs-timestamped", "eachlabs"]);
    assert_eq!(completed(&["hookctl", "send", "success", "--retry", "model"]), ["modelslab", "modelslab-workflow"]);
    assert_eq!(completed(&["hookctl", "inspect", "--time"]), ["--timeline"]);
    assert_eq!(completed(&["hookctl", "listen", "--provider=ea"]), ["--provider=eachlabs"]);
    assert_eq!(completed(&["hookctl", "help", "insp"]), ["inspect"]);
    assert_eq!(completed(&["hookctl", "help", "sig"]), ["signatures"]);
    assert!(completed(&["hookctl", "help", ""]).contains(&"signatures".to_owned()));
    assert!(!completed(&["hookctl", ""]).contains(&"signatures".to_owned()));
    assert!(completed(&["hookctl", "listen", "--", "bas"]).contains(&"bash".to_owned()), "a program of the path");
    assert!(completed(&["hookctl", ""]).starts_with(&["listen".to_owned(), "send".to_owned(), "inspect".to_owned()]));
}

#[test]
fn help_of_help_prints_the_help_page() {
    let page = hookctl(["help"]).exits(0).stdout;
    for flag in ["--help", "-h"] {
        assert_eq!(hookctl(["help", flag]).exits(0).stdout, page);
    }
    assert_eq!(hookctl(["help", "listen", "--help"]).exits(0).stdout, hookctl(["listen", "--help"]).exits(0).stdout);
}

#[test]
fn an_invalid_completion_shell_does_not_stop_a_command() {
    hookctl(["send", "success"]).env("HOOKCTL_COMPLETE", "1").exits(2).says("--to is missing");
}

/// The words of a command, as a shell takes them, up to where it ends: two spaces, a comment, a pipe, a file.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    let line = line.split(" # ").next().unwrap();
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            (' ', None) if matches!(chars.peek(), Some(' ' | '|' | '>')) => break,
            (' ', None) => words.push(std::mem::take(&mut word)),
            _ => word.push(c),
        }
    }
    words.push(word);
    words
}

#[test]
fn every_command_in_help_and_readme_parses() {
    let read = |path: &str| std::fs::read_to_string(repository(path)).unwrap();
    let mut shown: Vec<String> = Vec::new();
    for page in [
        &["help", "signatures"][..],
        &["-h"],
        &["listen", "--help"],
        &["send", "--help"],
        &["inspect", "--help"],
        &["completions", "-h"],
    ] {
        let text = hookctl(page).env("COLUMNS", "120").exits(0).stdout;
        shown.extend(text.lines().filter_map(|line| line.strip_prefix("  ")).map(str::to_owned));
    }
    for path in ["README.md", "CONTRIBUTING.md"] {
        let text = read(path);
        shown.extend(text.lines().map(str::to_owned));
        shown.extend(text.split('`').map(|text| text.replace('\n', " ")));
    }
    // A word in capitals stands for something.
    let is_meant = |words: &Vec<String>| {
        words[0] == "hookctl"
            && words.len() > 1
            && !words[1..].iter().any(|word| ["COMMAND", "SHELL", "SOURCE"].contains(&&**word))
    };
    let commands: Vec<_> = shown.iter().map(|line| words(line)).filter(is_meant).collect();
    assert!(commands.len() > 50, "{commands:?}");
    for command in commands {
        let parsed = hookctl::cli::command().try_get_matches_from(&command);
        let is_help = |error: &clap::Error| error.kind() == clap::error::ErrorKind::DisplayHelp;
        if let Some(error) = parsed.err().filter(|error| !is_help(error)) {
            panic!("{command:?}: {error}");
        }
    }
}
