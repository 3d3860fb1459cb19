//! What `-h`, `--help` and completions say.

use crate::support::program::hookctl;

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
fn the_short_help_reminds_and_the_long_one_teaches() {
    for command in COMMANDS {
        let page = |flag| hookctl([command, flag]).exits(0).stdout;
        let (short, long) = (page("-h"), page("--help"));
        assert!(short.lines().count() <= long.lines().count(), "{command}");
        let examples = long.matches(&format!("  hookctl {command} ")).count();
        assert!(long.contains("Examples:") && examples >= 3, "{command}: {long}");
    }
}

#[test]
fn names_of_payloads_and_files_complete_a_source() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("failure.json"), "{}").unwrap();
    let run =
        hookctl(["--", "hookctl", "send", "fai"]).env("HOOKCTL_COMPLETE", "fish").current_dir(dir.path()).exits(0);
    let candidates: Vec<_> = run.stdout.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(candidates, ["failed", "failure.json"]);
    assert_eq!(completed(&["hookctl", "send", "cog/s"]), ["cog/succeeded", "cog/stream"]);
}

#[test]
fn values_and_flags_complete() {
    assert_eq!(completed(&["hookctl", "listen", "--scheme", "eachlabs"]), ["eachlabs-timestamped", "eachlabs"]);
    assert_eq!(completed(&["hookctl", "send", "success", "--retry", "model"]), ["modelslab", "modelslab-workflow"]);
    assert_eq!(completed(&["hookctl", "inspect", "--time"]), ["--timeline"]);
    assert!(completed(&["hookctl", ""]).starts_with(&["listen".to_owned(), "send".to_owned(), "inspect".to_owned()]));
}
