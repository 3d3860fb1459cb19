//! What a package must hold to, as far as one machine can tell. `.ci/run` builds and installs it.

use std::process::Command;

use serde_json::Value;

use crate::support::repository;

/// `1.89` or `1.89.0` as numbers.
fn version(text: &str) -> (u32, u32) {
    let mut parts = text.split('.').map(|part| part.parse().unwrap());
    (parts.next().unwrap(), parts.next().unwrap())
}

/// That our own code needs nothing newer is clippy's to say, which reads the same line.
#[test]
fn no_dependency_wants_a_newer_rust_than_we_name() {
    let mut metadata = Command::new(env!("CARGO"));
    metadata.args(["metadata", "--locked", "--format-version", "1"]).current_dir(repository(""));
    let output = metadata.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let own = packages.iter().find(|package| package["name"] == "hookctl").unwrap();
    let ours = version(own["rust_version"].as_str().unwrap());
    let newer: Vec<_> = packages
        .iter()
        .filter(|package| package["rust_version"].as_str().is_some_and(|theirs| version(theirs) > ours))
        .map(|package| format!("{} {} wants {}", package["name"], package["version"], package["rust_version"]))
        .collect();
    assert!(packages.len() > 100 && newer.is_empty(), "{newer:#?}");
}
