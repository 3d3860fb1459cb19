//! A listener under way, with everything that it says as it comes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use serde_json::Value;

use super::program::{Watchdog, command};

/// `hookctl listen --port 0 --json …`, ready. Ended when dropped.
pub struct Listener {
    child: Child,
    watchdog: Option<Watchdog>,
    lines: Box<dyn BufRead + Send>,
    pub url: String,
    pub port: u16,
    /// Its first line.
    pub ready: Value,
}

impl Listener {
    /// Starts it with these further arguments and waits until it is ready.
    pub fn start(arguments: &[&str]) -> Self {
        let mut command = command();
        command.args(["listen", "--port", "0", "--json"]).args(arguments);
        Listener::spawn(command)
    }

    /// The same for a command of one's own, which must say `--port 0 --json`.
    pub fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the listener starts");
        let stdout = child.stdout.take().expect("standard output is a pipe");
        let watchdog = Some(Watchdog::over(child.id()));
        let lines = Box::new(BufReader::new(stdout));
        let mut listener = Listener { child, watchdog, lines, url: String::new(), port: 0, ready: Value::Null };
        let ready = listener.next();
        assert_eq!(ready["type"], "ready", "{ready}");
        listener.url = ready["url"].as_str().expect("a URL").to_owned();
        listener.port = ready["port"].as_u64().expect("a port").try_into().expect("a port");
        listener.ready = ready;
        listener
    }

    /// The next object that it says.
    #[track_caller]
    pub fn next(&mut self) -> Value {
        serde_json::from_str(&self.next_line()).expect("a line of JSON")
    }

    /// The next line that it says, without its newline.
    #[track_caller]
    pub fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("the listener speaks");
        assert!(!line.is_empty(), "the listener has ended");
        line.trim_end_matches('\n').to_owned()
    }

    /// Takes all that it says from here on, so that it never waits for a reader: how many deliveries it told of, and its
    /// last line.
    pub fn drain(&mut self) -> JoinHandle<(u64, String)> {
        let lines = std::mem::replace(&mut self.lines, Box::new(std::io::empty()));
        std::thread::spawn(move || {
            let (mut deliveries, mut last) = (0, String::new());
            for line in lines.lines().map_while(Result::ok) {
                deliveries += u64::from(line.starts_with(r#"{"type":"delivery""#));
                last = line;
            }
            (deliveries, last)
        })
    }

    /// Lets it run as long as it takes.
    pub fn may_take_long(&mut self) {
        self.watchdog = None;
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends raw bytes on a connection of their own and gives the whole answer.
    pub fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the listener accepts");
        stream.write_all(request).expect("the request goes out");
        stream.shutdown(Shutdown::Write).expect("the request ends");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer comes back");
        String::from_utf8(answer).expect("the answer is text")
    }

    /// Posts a body with these headers and gives the whole answer.
    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> String {
        let mut request = format!("POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        self.raw(&[request.as_bytes(), body].concat())
    }

    /// Reads standard error until a line with this text, and gives that line.
    #[track_caller]
    pub fn says(&mut self, text: &str) -> String {
        let stderr = self.child.stderr.as_mut().expect("a pipe");
        // Byte by byte: what comes behind it is left for `wait`.
        let (mut line, mut byte) = (Vec::new(), [0]);
        loop {
            assert_eq!(stderr.read(&mut byte).expect("the listener speaks"), 1, "the listener never said {text:?}");
            line.push(byte[0]);
            if byte[0] == b'\n' {
                let said = String::from_utf8(std::mem::take(&mut line)).expect("standard error is text");
                if said.contains(text) {
                    return said;
                }
            }
        }
    }

    /// Sends it a signal, by its number's name: `INT`, `TERM`, `KILL`.
    pub fn signal(&self, name: &str) {
        let mut kill = std::process::Command::new("kill");
        let ended = kill.args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(ended.expect("kill runs").success());
    }

    /// Waits for its end: the exit code, the rest of standard output, and all of standard error.
    pub fn wait(mut self) -> (Option<i32>, String, String) {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.lines.read_to_string(&mut stdout).expect("the rest of standard output is text");
        self.child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("standard error is text");
        (self.child.wait().expect("it ends").code(), stdout, stderr)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
