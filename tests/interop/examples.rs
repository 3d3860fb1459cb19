//! The apps of `examples/` with their smoke tests, and the steps of the CI recipes beside them, run as they stand there.

use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::{path_with_us, run_with};
use crate::support::program::Watchdog;
use crate::support::repository;

/// An app of `examples/` in a folder of its own, with what it needs installed.
fn app(name: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(repository("examples").join(name)).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
        }
    }
    symlink(repository("target/peers/node_modules"), dir.path().join("node_modules")).unwrap();
    dir
}

/// A port that was free a moment ago.
fn port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

/// Runs a script to its end in that folder: how it ended, and all that it said. What it leaves running keeps no pipe open:
/// it writes into a file.
fn told(script: &str, folder: &Path, path: OsString, variables: &[(String, String)]) -> (bool, String) {
    let output = folder.join("output");
    let file = fs::File::create(&output).unwrap();
    let mut command = Command::new("bash");
    command.args(["-c", script]).current_dir(folder).env("PATH", path).env("PYTHONDONTWRITEBYTECODE", "1");
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
    let mut child = command.spawn().unwrap();
    let _watchdog = Watchdog::over(child.id());
    let ended = child.wait().unwrap();
    (ended.success(), fs::read_to_string(output).unwrap())
}

/// Runs a script that must end well.
#[track_caller]
fn bash(script: &str, folder: &Path, path: OsString, variables: &[(String, String)]) {
    let (is_well, said) = told(script, folder, path, variables);
    assert!(is_well, "after\n{script}\n{said}");
}

/// The drill's cases in a JUnit report, all of which must have passed.
#[track_caller]
fn passed(report: &Path) {
    let report = fs::read_to_string(report).unwrap();
    assert!(report.contains("<testcase") && report.contains("failures=\"0\""), "{report}");
    for case in ["duplicate", "tampered body", "unknown status", "1 MiB body"] {
        assert!(report.contains(case), "no {case} in {report}");
    }
}

#[track_caller]
fn smokes(name: &str) {
    let app = app(name);
    bash("./smoke.sh", app.path(), path_with_us(&[]), &[("PORT".into(), port())]);
    passed(&app.path().join("hookctl.xml"));
}

#[test]
#[ignore = "needs tests/interop/peers/install.sh"]
fn the_fastapi_app_passes_its_smoke_test() {
    smokes("fastapi");
}

#[test]
#[ignore = "needs tests/interop/peers/install.sh"]
fn the_express_app_passes_its_smoke_test() {
    smokes("express");
}

/// A recipe as data.
fn recipe(name: &str) -> Value {
    let mut command = super::peers::installed("python");
    command.args(["-c", "import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))"]);
    let text = fs::read(repository("examples/ci").join(name)).unwrap();
    serde_json::from_str(&run_with(command, &text)).unwrap()
}

/// A recipe that is to be run where it stands, with an app of its own.
struct Kitchen {
    app: TempDir,
    variables: Vec<(String, String)>,
}

impl Kitchen {
    /// What would install something only notes that it was asked to: it is installed. A program that is asked for in a
    /// folder of its own is there then.
    fn of(example: &str, variables: &Value) -> Self {
        let app = app(example);
        let bin = app.path().join("bin");
        fs::create_dir(&bin).unwrap();
        for installer in ["cargo", "pip", "npm", "apt-get"] {
            let file = bin.join(installer);
            let script = format!(
                "#!/bin/sh\necho {installer} \"$@\" >>'{}/installed'\n\
                 test \"$3\" != --root || {{ mkdir -p \"$4/bin\" && ln -s \"$(command -v hookctl)\" \"$4/bin\"; }}\n",
                bin.display()
            );
            fs::write(&file, script).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let mut variables: Vec<_> =
            variables.as_object().unwrap().iter().map(|(name, value)| (name.clone(), text(value))).collect();
        variables.iter_mut().find(|(name, _)| name == "PORT").expect("a PORT").1 = port();
        Kitchen { app, variables }
    }

    /// Runs steps one after another, to the first that fails.
    fn run(&self, steps: &[&str]) -> (bool, String) {
        let path = path_with_us(&[&self.app.path().join("bin")]);
        let script = format!("trap 'kill $(jobs -p) 2>/dev/null || :' EXIT\nset -eo pipefail\n{}", steps.join("\n"));
        told(&script, self.app.path(), path, &self.variables)
    }
}

/// A recipe leaves what it promises where all goes well; where the app does not come up it says so, and the steps that
/// `always` run, whatever was before, do not fail as well.
#[track_caller]
fn cooked(example: &str, variables: &Value, steps: &[&str], always: &[&str], artifacts: &[&str]) {
    let kitchen = Kitchen::of(example, variables);
    let (is_well, said) = kitchen.run(&[steps, always].concat());
    assert!(is_well, "{said}");
    let at = |name: &str| kitchen.app.path().join(name);
    let installed = fs::read_to_string(at("bin/installed")).unwrap();
    assert!(installed.contains("cargo install --locked ") && installed.contains(" hookctl\n"), "{installed}");
    assert!(artifacts.contains(&"hookctl.html") && artifacts.contains(&"hookctl.xml"), "{artifacts:?}");
    for artifact in artifacts {
        // An app may have nothing to say.
        let length = fs::metadata(at(artifact)).unwrap().len();
        assert!(length > 0 || *artifact == "app.log", "{artifact}");
    }
    passed(&at("hookctl.xml"));

    let broken = Kitchen::of(example, variables);
    for (file, text) in [("app.py", "raise SystemExit('no database')"), ("app.mjs", "throw new Error('no database')")] {
        fs::write(broken.app.path().join(file), text).unwrap();
    }
    let (is_well, said) = broken.run(steps);
    let told = said.split("the app has ended:").nth(1);
    assert!(!is_well && told.is_some_and(|told| told.contains("no database")), "{said}");
    let (is_well, said) = broken.run(always);
    assert!(is_well && said.is_empty(), "{said}");
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().map(|text| text.as_str().expect("text"))
}

#[test]
#[ignore = "needs tests/interop/peers/install.sh"]
fn the_steps_for_github_actions_do_what_they_say() {
    let recipe = recipe("github-actions.yml");
    let job = &recipe["jobs"]["drill"];
    let steps = job["steps"].as_array().unwrap();
    let runs = |always: bool| -> Vec<_> {
        steps
            .iter()
            .filter(|step| (step["if"] == "always()") == always)
            .filter_map(|step| step["run"].as_str())
            .collect()
    };
    assert_eq!((runs(false).len(), runs(true).len()), (4, 1));
    let cached = steps.iter().find(|step| step["uses"].as_str().is_some_and(|uses| uses.contains("actions/cache")));
    assert!(cached.unwrap()["with"]["path"].as_str().unwrap().contains("~/.cargo/bin/hookctl\n"));
    let kept = steps.iter().find(|step| step["uses"].as_str().is_some_and(|uses| uses.contains("upload-artifact")));
    let kept = kept.unwrap();
    assert_eq!(kept["if"], "always()");
    let artifacts: Vec<_> = kept["with"]["path"].as_str().unwrap().lines().collect();
    cooked("fastapi", &job["env"], &runs(false), &runs(true), &artifacts);
}

#[test]
#[ignore = "needs tests/interop/peers/install.sh"]
fn the_steps_for_gitlab_do_what_they_say() {
    let recipe = recipe("gitlab-ci.yml");
    let job = &recipe["webhooks"];
    let steps: Vec<_> = ["before_script", "script"].into_iter().flat_map(|part| texts(&job[part])).collect();
    let always: Vec<_> = texts(&job["after_script"]).collect();
    assert!(steps.len() > 5 && always.len() == 1);
    assert!(texts(&job["cache"]["paths"]).eq([".hookctl"]));
    let kept = &job["artifacts"];
    let artifacts: Vec<_> = texts(&kept["paths"]).chain(kept["reports"]["junit"].as_str()).collect();
    cooked("express", &job["variables"], &steps, &always, &artifacts);
}
