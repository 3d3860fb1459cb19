//! The apps of `examples/` with their smoke tests, and the unchanged steps of the CI recipes.

use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::{path_with_hookctl, run_with};
use crate::support::program::Watchdog;
use crate::support::repository;

/// A copy of an app of `examples/`, with its packages installed.
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

/// A port that is free now; another process may take the port later.
fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

/// Runs a script in the folder. Returns whether the script succeeded, and its output. The output goes to a file: background
/// processes of the script would keep a pipe open.
fn run_script(script: &str, folder: &Path, path: OsString, variables: &[(String, String)]) -> (bool, String) {
    let output = folder.join("output");
    let file = fs::File::create(&output).unwrap();
    let mut command = Command::new("bash");
    command.args(["-c", script]).current_dir(folder).env("PATH", path).env("PYTHONDONTWRITEBYTECODE", "1");
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
    let mut child = command.spawn().unwrap();
    let _watchdog = Watchdog::over(child.id());
    let status = child.wait().unwrap();
    (status.success(), fs::read_to_string(output).unwrap())
}

/// Runs a script that must succeed.
#[track_caller]
fn bash(script: &str, folder: &Path, path: OsString, variables: &[(String, String)]) {
    let (succeeded, output) = run_script(script, folder, path, variables);
    assert!(succeeded, "after\n{script}\n{output}");
}

/// Asserts that all of the drill's cases in a JUnit report passed.
#[track_caller]
fn assert_passed(report: &Path) {
    let report = fs::read_to_string(report).unwrap();
    assert!(report.contains("<testcase") && report.contains("failures=\"0\""), "{report}");
    for case in ["duplicate", "tampered body", "unknown status", "1 MiB body"] {
        assert!(report.contains(case), "no {case} in {report}");
    }
}

#[track_caller]
fn assert_smoke_test_passes(name: &str) {
    let app = app(name);
    bash("./smoke.sh", app.path(), path_with_hookctl(&[]), &[("PORT".into(), free_port())]);
    assert_passed(&app.path().join("hookctl.xml"));
}

#[test]
#[ignore = "needs tests/interop/peers/install.sh"]
fn the_fastapi_app_passes_its_smoke_test() {
    assert_smoke_test_passes("fastapi");
}

#[test]
#[ignore = "needs tests/interop/peers/install.sh"]
fn the_express_app_passes_its_smoke_test() {
    assert_smoke_test_passes("express");
}

/// A CI recipe as JSON.
fn recipe(name: &str) -> Value {
    let mut command = super::peers::installed("python");
    command.args(["-c", "import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))"]);
    let text = fs::read(repository("examples/ci").join(name)).unwrap();
    serde_json::from_str(&run_with(command, &text)).unwrap()
}

/// The environment of a recipe: an app, and installers that install nothing.
struct RecipeRun {
    app: TempDir,
    variables: Vec<(String, String)>,
}

impl RecipeRun {
    /// The installers only record their arguments, as everything is installed already. `cargo install --root` links `hookctl`
    /// into that folder.
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
        variables.iter_mut().find(|(name, _)| name == "PORT").expect("a PORT").1 = free_port();
        RecipeRun { app, variables }
    }

    /// Runs the steps up to the first that fails.
    fn run(&self, steps: &[&str]) -> (bool, String) {
        let path = path_with_hookctl(&[&self.app.path().join("bin")]);
        let script = format!("trap 'kill $(jobs -p) 2>/dev/null || :' EXIT\nset -eo pipefail\n{}", steps.join("\n"));
        run_script(&script, self.app.path(), path, &self.variables)
    }
}

/// Asserts that a recipe leaves its artifacts; that a broken app fails the recipe with the app's output; and that the steps of
/// `always` succeed even then.
#[track_caller]
fn assert_recipe_works(example: &str, variables: &Value, steps: &[&str], always: &[&str], artifacts: &[&str]) {
    let working = RecipeRun::of(example, variables);
    let (succeeded, output) = working.run(&[steps, always].concat());
    assert!(succeeded, "{output}");
    let at = |name: &str| working.app.path().join(name);
    let installed = fs::read_to_string(at("bin/installed")).unwrap();
    assert!(installed.contains("cargo install --locked ") && installed.contains(" hookctl\n"), "{installed}");
    assert!(artifacts.contains(&"hookctl.html") && artifacts.contains(&"hookctl.xml"), "{artifacts:?}");
    for artifact in artifacts {
        // An app may log nothing.
        let length = fs::metadata(at(artifact)).unwrap().len();
        assert!(length > 0 || *artifact == "app.log", "{artifact}");
    }
    assert_passed(&at("hookctl.xml"));

    let broken = RecipeRun::of(example, variables);
    for (file, text) in [("app.py", "raise SystemExit('no database')"), ("app.mjs", "throw new Error('no database')")] {
        fs::write(broken.app.path().join(file), text).unwrap();
    }
    let (succeeded, output) = broken.run(steps);
    let log = output.split("the app has ended:").nth(1);
    assert!(!succeeded && log.is_some_and(|log| log.contains("no database")), "{output}");
    let (succeeded, output) = broken.run(always);
    assert!(succeeded && output.is_empty(), "{output}");
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().map(|text| text.as_str().expect("text"))
}

#[test]
#[ignore = "needs tests/interop/peers/install.sh"]
fn the_recipe_for_github_actions_works() {
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
    assert_recipe_works("fastapi", &job["env"], &runs(false), &runs(true), &artifacts);
}

#[test]
#[ignore = "needs tests/interop/peers/install.sh"]
fn the_recipe_for_gitlab_works() {
    let recipe = recipe("gitlab-ci.yml");
    let job = &recipe["webhooks"];
    let steps: Vec<_> = ["before_script", "script"].into_iter().flat_map(|part| texts(&job[part])).collect();
    let always: Vec<_> = texts(&job["after_script"]).collect();
    assert!(steps.len() > 5 && always.len() == 1);
    assert!(texts(&job["cache"]["paths"]).eq([".hookctl"]));
    let kept = &job["artifacts"];
    let artifacts: Vec<_> = texts(&kept["paths"]).chain(kept["reports"]["junit"].as_str()).collect();
    assert_recipe_works("express", &job["variables"], &steps, &always, &artifacts);
}
