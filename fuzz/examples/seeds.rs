//! Writes the seeds of every target to `corpus/`, made from files of the repository:
//! `cargo run --example seeds`.

use std::fs;
use std::path::{Path, PathBuf};

use hookctl::signature;
use hookctl_fuzz::SEPARATOR;
use serde_json::Value;

/// A target's name and its seeds.
type Seeds = (&'static str, Vec<Vec<u8>>);

const SCRIPTS: [&str; 6] = [
    "200",
    "503x2,hang=35s,200",
    "200:delay=2s,429:retry-after=5",
    "200:body=@a.json",
    "close,reset,truncate",
    "forward,503x18446744073709551615,200",
];

const VALUES: [&str; 18] = [
    "3000",
    ":3000/hook",
    "localhost:3000/hook?a=b",
    "https://user:pass@example.com:8443/a%20b#c",
    "[::1]:3000",
    "socks5h://user:pass@127.0.0.1:1080",
    "X-Name: a value",
    "1h30m",
    "500ms",
    "10MiB",
    "2xx,404",
    "1790000000",
    "2026-11-20T21:23:21Z",
    "junit=report.xml",
    "completed,workflow.*",
    "old=env:NAME",
    "@file",
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
];

const SCHEMES: [&str; 4] = [
    "hmac-sha256:header=X-Hub-Signature-256,prefix=sha256=",
    "hmac-sha256:header=X-Sig,encoding=base64",
    "hmac-sha256:header=X-Sig,prefix=v0=,signed=v0:timestamp:body,timestamp-header=X-Time",
    "hmac-sha256:header=X-Sig,encoding=hex,signed=timestamp.body,timestamp-header=X-Sig",
];

const EDITS: [&str; 8] = [
    "input.prompt=a cat",
    "metrics.cost=0.1",
    "output[0]=null",
    "a.\"b.c\"[\"d\"]={\"e\":1}",
    "output[1]=\"x\"",
    "logs",
    ".status=\"failed\"",
    "new.below.it[0].deep=1.50",
];

/// `{"id":"a","status":"success"}`, compressed.
const COMPRESSED: [(&str, &[u8]); 3] = [
    (
        "br",
        b"\x1b\x1c\x00\xe8\x1d\x09\x76\xec\x84\x1b\xc7\xe0\x4e\x29\x42\xb6\
          \x57\x61\x69\xa9\xc3\xd2\x97\x92\x74\x42\x50\x79\xb4\xdc\x06\x22\x64",
    ),
    ("gzip", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b\x04\x00\x43\xbe\xb7\xe8\x01\x00\x00\x00"),
    ("deflate, identity", b"\x78\x9c\x4b\x04\x00\x00\x62\x00\x62"),
];

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let bodies = files(&root.join("fixtures"));
    let journals = files(&root.join("tests/data/captures"));
    let runs = fs::read(root.join("tests/data/cog-runs.jsonl")).expect("the runs");
    let vectors = fs::read(root.join("tests/data/signatures.json")).expect("the vectors");
    let targets: [Seeds; 9] = [
        ("body", bodies.iter().map(|body| [&b"content-type: application/json\0"[..], body].concat()).collect()),
        ("signature", signatures(&vectors, &bodies)),
        ("record", journals.iter().flat_map(|journal| lines(journal)).collect()),
        ("run", runs_of(&runs, &bodies)),
        ("script", texts(&SCRIPTS)),
        ("values", texts(&VALUES)),
        ("scheme", SCHEMES.iter().map(|text| joined(text.as_bytes(), b"{\"id\":1}")).collect()),
        (
            "edit",
            EDITS.iter().zip(bodies.iter().cycle().step_by(3)).map(|(e, body)| joined(e.as_bytes(), body)).collect(),
        ),
        ("encoding", COMPRESSED.iter().map(|(name, body)| joined(name.as_bytes(), body)).collect()),
    ];
    for (target, seeds) in targets {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        fs::create_dir_all(&folder).expect("a folder");
        assert!(!seeds.is_empty(), "{target} has no seeds");
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(folder.join(format!("seed-{number:03}")), seed).expect("a seed");
        }
    }
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn joined(one: &[u8], other: &[u8]) -> Vec<u8> {
    [one, &[SEPARATOR], other].concat()
}

fn lines(file: &[u8]) -> Vec<Vec<u8>> {
    file.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
}

/// All files below a folder, sorted by path.
fn files(folder: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).expect("a folder").map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .flat_map(|path| if path.is_dir() { files(path) } else { vec![fs::read(path).expect("a file")] })
        .collect()
}

/// The vectors, each with its own scheme, and a body for every scheme.
fn signatures(vectors: &[u8], bodies: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let vectors: Value = serde_json::from_slice(vectors).expect("JSON");
    let number = |name: &str| signature::ALL.iter().position(|scheme| scheme.name == name).unwrap_or_default();
    let seed = |scheme: usize, headers: String, body: &[u8]| {
        let choice = u8::try_from(scheme * 3).expect("few schemes");
        [&[choice], headers.as_bytes(), &[SEPARATOR], body].concat()
    };
    let mut seeds = Vec::new();
    for vector in vectors["vectors"].as_array().expect("a list") {
        let header = |(name, value): (&String, &Value)| format!("{name}: {}\n", value.as_str().unwrap_or_default());
        let headers = vector["headers"].as_object().into_iter().flatten().map(header).collect();
        let body = vector["body"].as_str().unwrap_or_default();
        seeds.push(seed(number(vector["scheme"].as_str().unwrap_or_default()), headers, body.as_bytes()));
    }
    let any = (0..signature::ALL.len()).zip(bodies.iter().cycle());
    seeds.extend(any.map(|(scheme, body)| seed(scheme, String::new(), body)));
    seeds
}

/// The recorded runs and the built-in runs.
fn runs_of(recorded: &[u8], bodies: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let built_in = bodies.iter().filter(|body| body.windows(6).any(|part| part == b"\"end\":")).cloned();
    let recorded = lines(recorded).into_iter().filter_map(|line| {
        let line: Value = serde_json::from_slice(&line).ok()?;
        Some(line.get("run")?.to_string().into_bytes())
    });
    built_in.chain(recorded).collect()
}
