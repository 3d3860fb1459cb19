//! A running listener, and its output line by line.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use serde_json::Value;

use super::program::{Watchdog, command};

/// `hookctl listen --port 0 --json …`, ready. Killed on drop.
pub struct Listener {
    child: Child,
    watchdog: Option<Watchdog>,
    lines: Box<dyn BufRead + Send>,
    pub url: String,
    pub port: u16,
    /// The first line.
    pub ready: Value,
}

impl Listener {
    /// Starts the listener with further arguments, and waits until it is ready.
    pub fn start(arguments: &[&str]) -> Self {
        let mut command = command();
        command.args(["listen", "--port", "0", "--json"]).args(arguments);
        Listener::spawn(command)
    }

    /// Starts a command that has `--port 0 --json` among its arguments.
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

    /// The next line of standard output as JSON.
    #[track_caller]
    pub fn next(&mut self) -> Value {
        serde_json::from_str(&self.next_line()).expect("a line of JSON")
    }

    /// The next line of standard output, without its newline.
    #[track_caller]
    pub fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("the output is readable");
        assert!(!line.is_empty(), "the listener has ended");
        line.trim_end_matches('\n').to_owned()
    }

    /// Reads standard output to its end in a thread, so that the listener never waits for a reader. Returns the number of
    /// deliveries, and the last line.
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

    /// Ends the limit on the listener's run time.
    pub fn may_take_long(&mut self) {
        self.watchdog = None;
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends raw bytes on a new connection, and returns the whole response.
    pub fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the listener accepts");
        stream.write_all(request).expect("the request is written");
        stream.shutdown(Shutdown::Write).expect("the request ends");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("a response");
        String::from_utf8(answer).expect("the response is text")
    }

    /// Posts a body, and returns the whole response.
    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> String {
        let mut request = format!("POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        self.raw(&[request.as_bytes(), body].concat())
    }

    /// Reads standard error up to a line that contains `text`, and returns that line.
    #[track_caller]
    pub fn says(&mut self, text: &str) -> String {
        let stderr = self.child.stderr.as_mut().expect("a pipe");
        // Byte by byte, to leave the lines after it for `wait`.
        let (mut line, mut byte) = (Vec::new(), [0]);
        loop {
            assert_eq!(stderr.read(&mut byte).expect("the output is readable"), 1, "no {text:?} on standard error");
            line.push(byte[0]);
            if byte[0] == b'\n' {
                let read = String::from_utf8(std::mem::take(&mut line)).expect("standard error is text");
                if read.contains(text) {
                    return read;
                }
            }
        }
    }

    /// Sends a signal: `INT`, `TERM`, `KILL`.
    pub fn signal(&self, name: &str) {
        let mut kill = std::process::Command::new("kill");
        let ended = kill.args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(ended.expect("kill runs").success());
    }

    /// Waits for the exit. Returns the exit code, the rest of standard output, and the rest of standard error.
    pub fn wait(mut self) -> (Option<i32>, String, String) {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.lines.read_to_string(&mut stdout).expect("the rest of standard output is text");
        self.child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("standard error is text");
        (self.child.wait().expect("it ends").code(), stdout, stderr)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // Fails if the process has exited by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
