//! The walk of CONTRIBUTING.md, taken: a provider is its file, its payload and its place in the list, and nothing else.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::repository;

/// The code block in this language.
fn block<'a>(text: &'a str, language: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("```{language}\n")).unwrap_or_else(|| panic!("a block of {language}"));
    rest.split_once("\n```").unwrap().0
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::copy(from, to).unwrap();
    }
}

#[test]
#[ignore = "builds the program once more"]
fn a_provider_is_added_as_contributing_says() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path();
    for part in ["src", "fixtures", "benches", "Cargo.toml", "Cargo.lock", "README.md"] {
        let from = repository(part);
        if from.exists() {
            copy(&from, &source.join(part));
        }
    }
    fs::create_dir(source.join("tests")).unwrap();
    fs::write(source.join("tests/main.rs"), "").unwrap();
    // Under another package name, the build reuses the built dependencies and does not overwrite the program under test.
    for file in ["Cargo.toml", "Cargo.lock"] {
        let text = fs::read_to_string(source.join(file)).unwrap();
        let text = text.replacen("name = \"hookctl\"\nversion", "name = \"walked\"\nversion", 1);
        let text = text.replacen("[[bin]]\nname = \"hookctl\"", "[[bin]]\nname = \"walked\"", 1);
        fs::write(source.join(file), text.replacen("[lib]\n", "[lib]\nname = \"hookctl\"\n", 1)).unwrap();
    }

    let text = fs::read_to_string(repository("CONTRIBUTING.md")).unwrap();
    let (_, text) = text.split_once("## Adding a provider").unwrap();
    let payload = block(text, "json");
    fs::write(source.join("src/payload/provider/acme.rs"), block(text, "rust")).unwrap();
    fs::create_dir(source.join("fixtures/acme")).unwrap();
    fs::write(source.join("fixtures/acme/done.json"), payload).unwrap();
    let list = source.join("src/payload/provider.rs");
    let listed = fs::read_to_string(&list).unwrap();
    let listed = listed.replacen("pub(crate) mod ", "pub(crate) mod acme;\npub(crate) mod ", 1);
    let all = "ALL: &[&Provider] = &[\n";
    assert!(text.contains("`pub(crate) mod acme;`") && text.contains("`&acme::PROVIDER,`") && listed.contains(all));
    fs::write(&list, listed.replacen(all, &format!("{all}    &acme::PROVIDER,\n"), 1)).unwrap();

    let program = Path::new(env!("CARGO_BIN_EXE_hookctl")).with_file_name("walked");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--offline", "--bin", "walked", "--target-dir"]);
    build.arg(program.parent().unwrap().parent().unwrap()).current_dir(source);
    let built = build.output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));

    let hookctl = |arguments: &[&str], stdin: &str| {
        let mut command = Command::new(&program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?} ended with {}", output.status);
        String::from_utf8(output.stdout).unwrap()
    };
    let request = hookctl(&["send", "acme/done", "--to", "1", "--secret", "k", "--dry-run", "-q"], "");
    let signature = request.lines().find(|line| line.to_lowercase().starts_with("x-hub-signature-256: ")).unwrap();
    assert!(request.trim_end().ends_with(payload), "{request}");
    let told = hookctl(&["inspect", "-", "--secret", "k", "-H", signature], payload);
    for part in ["Acme", "succeeded", "j-1", "https://acme.example/a.png", "verified github"] {
        assert!(told.contains(part), "no {part} in {told}");
    }
    let help = hookctl(&["send", "--help"], "");
    for part in ["  acme/               done", "  acme                after 10 s and 1 m"] {
        assert!(help.contains(part), "no {part:?} in {help}");
    }
}
