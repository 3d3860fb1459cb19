//! Signatures that others published or computed, checked by the real program.

use std::fs;

use serde_json::Value;

use super::inspect;
use crate::support::repository;

/// One of `tests/data/signatures.json`.
struct Vector {
    id: String,
    arguments: Vec<String>,
    secret: String,
    body: String,
    valid: bool,
}

impl Vector {
    fn read(vector: &Value) -> Option<Self> {
        let scheme = vector["scheme"].as_str()?;
        let mut arguments: Vec<String> = ["--scheme", scheme].map(str::to_owned).into();
        // fal's keys come in a set of their own; every other secret is one line.
        let (flag, secret) = match vector["secret"].as_str() {
            Some(secret) => (["--secret", "@secret"], secret.to_owned()),
            None => (["--jwks", "secret"], vector["jwks"].to_string()),
        };
        arguments.extend(flag.map(str::to_owned));
        for (name, value) in vector["headers"].as_object()? {
            arguments.extend(["-H".to_owned(), format!("{name}: {}", value.as_str()?)]);
        }
        if let Some(now) = vector["now"].as_i64() {
            arguments.extend(["--now".to_owned(), now.to_string()]);
        }
        Some(Vector {
            id: vector["id"].as_str()?.to_owned(),
            arguments,
            secret,
            body: vector["body"].as_str()?.to_owned(),
            valid: vector["valid"].as_bool()?,
        })
    }
}

fn vectors() -> Vec<Vector> {
    let text = fs::read_to_string(repository("tests/data/signatures.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    file["vectors"].as_array().unwrap().iter().filter_map(Vector::read).collect()
}

#[test]
fn every_vector_gets_its_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let vectors = vectors();
    assert_eq!(vectors.len(), 35);
    for vector in vectors {
        // From files: a secret may hold anything, and a body must not gain or lose a byte.
        fs::write(folder.path().join("body"), &vector.body).unwrap();
        fs::write(folder.path().join("secret"), format!("{}\n", vector.secret)).unwrap();
        let arguments: Vec<&str> = vector.arguments.iter().map(String::as_str).collect();
        let arguments = [&["body", "--json"], &arguments[..]].concat();
        let finished = inspect(&arguments).current_dir(folder.path()).run();
        let code = if vector.valid { 0 } else { 5 };
        assert_eq!(finished.code, Some(code), "{}: {finished:#?}", vector.id);
        let verdict = finished.json()[0]["signature"]["verdict"].as_str().unwrap().to_owned();
        let valid = matches!(verdict.as_str(), "verified" | "authenticated");
        assert_eq!(valid, vector.valid, "{}: {verdict}", vector.id);
    }
}

#[test]
fn one_changed_byte_of_the_body_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    // Those whose proof leaves the body out cannot notice.
    let uncovered = ["x-webhook-secret-ok", "kie-ok"];
    for vector in vectors().into_iter().filter(|v| v.valid && !uncovered.contains(&v.id.as_str())) {
        fs::write(folder.path().join("body"), format!("{} ", vector.body)).unwrap();
        fs::write(folder.path().join("secret"), &vector.secret).unwrap();
        let arguments: Vec<&str> = vector.arguments.iter().map(String::as_str).collect();
        let arguments = [&["body", "--json"], &arguments[..]].concat();
        let finished = inspect(&arguments).current_dir(folder.path()).run();
        assert_eq!(finished.code, Some(5), "{}: {finished:#?}", vector.id);
    }
}
