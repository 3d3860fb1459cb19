//! What is made from the program and committed is what the program makes. `BLESS=1 cargo test fresh` rewrites it.

use std::fs;

use hookctl::error::Exit;

use crate::support::program::hookctl;
use crate::support::repository;

/// Compares a committed file with what it should be, or rewrites it.
#[track_caller]
pub fn is_fresh(path: &str, wanted: &str) {
    let file = repository(path);
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, wanted).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == wanted, "{path} is stale: run BLESS=1 cargo test fresh");
}

/// Compares the part of a file between two marks, which stay.
#[track_caller]
fn part_is_fresh(path: &str, mark: &str, wanted: &str) {
    let text = fs::read_to_string(repository(path)).unwrap();
    let (start, end) = (format!("<!-- {mark} -->\n"), format!("<!-- end of {mark} -->"));
    let (before, rest) = text.split_once(&start).unwrap_or_else(|| panic!("{path} has the mark {mark}"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{path} has the end of {mark}"));
    is_fresh(path, &format!("{before}{start}{wanted}{end}{after}"));
}

#[test]
fn committed_completions_are_current() {
    let scripts = [
        ("bash", "hookctl.bash"),
        ("zsh", "_hookctl"),
        ("fish", "hookctl.fish"),
        ("powershell", "_hookctl.ps1"),
        ("elvish", "hookctl.elv"),
    ];
    for (shell, file) in scripts {
        let script = hookctl(["completions", shell]).exits(0).stdout;
        // They either ask the program, or list what there is.
        let asks = script.contains("HOOKCTL_COMPLETE=");
        assert!(asks || script.contains("tolerance"), "{shell}: {script}");
        is_fresh(&format!("completions/{file}"), &script);
    }
}

#[test]
fn committed_man_pages_are_current() {
    is_fresh("completions/man/hookctl.1", &hookctl(["man"]).exits(0).stdout);
    let all = hookctl(["man"]).exits(0).stdout;
    let named = all.split("hookctl\\-").skip(1).filter_map(|rest| rest.split_once("(1)")).map(|(name, _)| name);
    assert_eq!(named.collect::<Vec<_>>(), ["listen", "send", "inspect", "completions", "man", "signatures"]);
    for command in ["listen", "send", "inspect", "signatures", "completions", "man"] {
        let page = hookctl(["man", command]).exits(0).stdout;
        assert!(page.contains(&format!(".TH hookctl-{command} 1")), "{page}");
        is_fresh(&format!("completions/man/hookctl-{command}.1"), &page);
    }
}

#[test]
fn the_readme_has_the_current_exit_codes_and_help() {
    let codes = Exit::MEANINGS.iter().map(|(code, meaning)| format!("| {code} | {meaning} |\n"));
    let table = format!("| code | meaning |\n|---|---|\n{}", codes.collect::<String>());
    part_is_fresh("README.md", "exit codes", &table);
    let help = hookctl(["--help"]).exits(0).stdout;
    part_is_fresh("README.md", "help", &format!("```text\n{help}```\n"));
}

#[test]
fn short_fixture_names_have_the_same_bodies() {
    let read = |path: &str| fs::read(repository(&format!("fixtures/{path}.json"))).unwrap();
    for (short, whole) in
        [("success", "eachlabs/a/success"), ("failed", "eachlabs/a/failed"), ("workflow", "modelslab/workflow")]
    {
        assert_eq!(read(short), read(whole), "{short}");
    }
}

#[test]
fn every_fixture_file_is_built_in() {
    let mut folders = vec![repository("fixtures")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(repository("fixtures")).unwrap().with_extension("");
            let name = name.to_str().unwrap().replace('\\', "/");
            let request = hookctl(["send", &name, "--dry-run", "--to", "1", "-q"])
                .current_dir(&std::env::temp_dir())
                .exits(0)
                .stdout;
            let body = fs::read_to_string(&path).unwrap();
            if body.contains("\"steps\"") {
                assert!(request.contains("POST / HTTP/1.1"), "{name} is a run: {request}");
                continue;
            }
            assert!(request.ends_with(&format!("\n\n{body}\n")), "{name}: {request}");
        }
    }
}
