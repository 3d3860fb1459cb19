//! The official signature libraries, in a Python and a Node process that answer for as long as the test runs.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::program::Watchdog;
use crate::support::repository;

pub type Headers = BTreeMap<String, String>;

/// The libraries for Node; all others are for Python.
const ON_NODE: [&str; 3] = ["octokit", "shopify", "replicate"];

/// Both processes; each starts with its first request.
#[derive(Default)]
pub struct Peers {
    python: Option<Peer>,
    node: Option<Peer>,
}

impl Peers {
    /// Verifies a delivery by the library. Returns the library's error.
    pub fn verify(&mut self, library: &str, secret: &str, headers: &Headers, body: &[u8]) -> Result<(), String> {
        let answer = self.ask(
            library,
            &json!({"op": "verify", "library": library, "secret": secret, "headers": headers,
                    "body_base64": STANDARD.encode(body)}),
        );
        match answer["ok"].as_bool().unwrap() {
            true => Ok(()),
            false => Err(answer["why"].as_str().unwrap().to_owned()),
        }
    }

    /// The headers with the library's signature.
    pub fn sign(&mut self, library: &str, secret: &str, body: &[u8], timestamp: i64) -> Headers {
        let answer = self.ask(
            library,
            &json!({"op": "sign", "library": library, "secret": secret, "id": "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
                    "timestamp": timestamp, "body_base64": STANDARD.encode(body)}),
        );
        serde_json::from_value(answer["headers"].clone()).unwrap()
    }

    fn ask(&mut self, library: &str, request: &Value) -> Value {
        let peer = match ON_NODE.contains(&library) {
            true => self.node.get_or_insert_with(Peer::node),
            false => self.python.get_or_insert_with(Peer::python),
        };
        peer.ask(request)
    }
}

/// A process that answers each line of JSON with a line of JSON. Killed on drop.
struct Peer {
    child: Child,
    _watchdog: Watchdog,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    fn python() -> Self {
        let mut command = installed("python");
        command.arg(repository("tests/interop/peers/peer.py"));
        Peer::spawn(command)
    }

    fn node() -> Self {
        let mut command = installed("node");
        // With `--eval`, Node finds the packages of the working directory, not of the script's folder.
        command.args(["--input-type=module", "--eval", include_str!("peers/peer.mjs")]);
        Peer::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{error}: install the libraries with tests/interop/peers/install.sh"));
        let requests = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Peer { _watchdog: Watchdog::over(child.id()), child, requests, answers }
    }

    fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.requests, "{request}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?} to {request}"))
    }
}

/// Runs a script with the installed npm packages. Returns its output.
pub fn node(script: &str, arguments: &[&str], stdin: &[u8]) -> String {
    let mut command = installed("node");
    command.args(["--input-type=module", "--eval", script, "--"]).args(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let _watchdog = Watchdog::over(child.id());
    child.stdin.take().unwrap().write_all(stdin).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "node ended with {}", output.status);
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// A program that install.sh has installed.
pub fn installed(name: &str) -> Command {
    let peers = repository("target/peers");
    let mut command = Command::new(peers.join("venv/bin").join(name));
    command.current_dir(peers).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Fails if the process has exited by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
