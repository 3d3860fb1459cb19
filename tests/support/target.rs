//! A receiver that answers what it is told and remembers every byte. Plain sockets, so that what it sees is what was sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// What a target answers to one request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A status, with further header lines and a body.
    Status(u16, &'static str, &'static str),
    /// Nothing: the connection ends after the request was read.
    Close,
    /// Nothing, for as long as the target lives.
    Hang,
    /// What this says: a handler under test. It gets the requests so far, the last being the one to answer.
    By(fn(&[Request]) -> (u16, String)),
}

/// 200 with an empty body.
pub const OK: Answer = Answer::Status(200, "", "");

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    pub at: Instant,
    /// `POST /hook HTTP/1.1`
    pub line: String,
    /// In wire order, names as spelled.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// The value of the first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// A receiver. A test that starts one and never sends to it fails.
pub struct Target {
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Target {
    /// Answers these in turn; the last one again and again.
    pub fn start(answers: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answers, seen) = (answers.to_vec(), Arc::clone(&requests));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, seen) = (answers.clone(), Arc::clone(&seen));
                std::thread::spawn(move || serve(stream, &answers, &seen));
            }
        });
        Target { url, requests }
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no server panicked").clone()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(!self.requests().is_empty(), "the target was never hit");
        }
    }
}

/// Serves one connection until either side has enough.
fn serve(stream: TcpStream, answers: &[Answer], seen: &Mutex<Vec<Request>>) {
    let mut writer = stream.try_clone().expect("a second handle");
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        let (answer, by) = {
            let mut seen = seen.lock().expect("no server panicked");
            seen.push(request);
            let answer = answers[seen.len().min(answers.len()) - 1].clone();
            let by = if let Answer::By(handler) = &answer { Some(handler(&seen)) } else { None };
            (answer, by)
        };
        let mut answered = |status: u16, headers: &str, body: &str| {
            let length = body.len();
            let text = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n{body}");
            writer.write_all(text.as_bytes()).is_ok()
        };
        match answer {
            Answer::Status(status, headers, body) => {
                if !answered(status, headers, body) {
                    return;
                }
            }
            Answer::By(_) => {
                let (status, body) = by.expect("the handler's answer");
                if !answered(status, "", &body) {
                    return;
                }
            }
            Answer::Close => return,
            Answer::Hang => loop {
                std::thread::park();
            },
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok().filter(|read| *read > 0)?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut request = Request { at: Instant::now(), line: line.trim_end().to_owned(), headers, body: Vec::new() };
    request.body = vec![0; request.header("content-length").map_or(0, |length| length.parse().expect("a length"))];
    reader.read_exact(&mut request.body).ok()?;
    request.at = Instant::now();
    Some(request)
}
