//! A receiver that answers what it is told and remembers every byte. Plain sockets, so that what it sees is what was sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What a target answers to one request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A status, with further header lines and a body.
    Status(u16, &'static str, &'static str),
    /// These bytes, and the end of the connection.
    Raw(&'static [u8]),
    /// These bytes after the head was read, whatever else is still to come; then the end of the connection.
    Early(&'static [u8]),
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
    /// The number of the connection that it came on, from 1.
    pub connection: usize,
    /// The exact bytes up to the body.
    pub head: String,
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
        Target::start_at(([127, 0, 0, 1], 0).into(), answers)
    }

    /// The same at an address of one's own.
    pub fn start_at(address: SocketAddr, answers: &[Answer]) -> Self {
        Target::speaking("http", address, answers, |stream| stream)
    }

    /// The same over TLS.
    pub fn with_tls(answers: &[Answer], config: ServerConfig) -> Self {
        let config = Arc::new(config);
        Target::speaking("https", ([127, 0, 0, 1], 0).into(), answers, move |stream| {
            let connection = ServerConnection::new(Arc::clone(&config)).expect("a configuration");
            StreamOwned::new(connection, stream)
        })
    }

    fn speaking<S: Read + Write + Send>(
        scheme: &str,
        address: SocketAddr,
        answers: &[Answer],
        speak: impl Fn(TcpStream) -> S + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).expect("a free port");
        let url = format!("{scheme}://{}/hook", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answers, seen, speak) = (answers.to_vec(), Arc::clone(&requests), Arc::new(speak));
        std::thread::spawn(move || {
            for (index, stream) in listener.incoming().flatten().enumerate() {
                let (answers, seen, speak) = (answers.clone(), Arc::clone(&seen), Arc::clone(&speak));
                std::thread::spawn(move || serve(speak(stream), index + 1, &answers, &seen));
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
fn serve(stream: impl Read + Write, connection: usize, answers: &[Answer], seen: &Mutex<Vec<Request>>) {
    let mut stream = BufReader::new(stream);
    while let Some(mut request) = read_head(&mut stream, connection) {
        let is_early = |number: usize| matches!(answers[number.min(answers.len() - 1)], Answer::Early(_));
        let number = seen.lock().expect("no server panicked").len();
        if !is_early(number) && read_body(&mut stream, &mut request).is_none() {
            return;
        }
        let (answer, by) = {
            let mut seen = seen.lock().expect("no server panicked");
            seen.push(request);
            let answer = answers[seen.len().min(answers.len()) - 1].clone();
            let by = if let Answer::By(handler) = &answer { Some(handler(&seen)) } else { None };
            (answer, by)
        };
        let stream = stream.get_mut();
        let mut answered = |status: u16, headers: &str, body: &str| {
            let length = body.len();
            let text = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n{body}");
            stream.write_all(text.as_bytes()).and_then(|()| stream.flush()).is_ok()
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
            Answer::Raw(bytes) | Answer::Early(bytes) => {
                // It may have ended first.
                let _ = stream.write_all(bytes).and_then(|()| stream.flush());
                return;
            }
            Answer::Close => return,
            Answer::Hang => loop {
                std::thread::park();
            },
        }
    }
}

fn read_head(reader: &mut impl BufRead, connection: usize) -> Option<Request> {
    let mut head = String::new();
    let mut next = || {
        let start = head.len();
        reader.read_line(&mut head).ok().filter(|read| *read > 0)?;
        Some(head[start..].trim_end().to_owned())
    };
    let line = next()?;
    let mut headers = Vec::new();
    while let Some((name, value)) = next()?.split_once(':') {
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    Some(Request { at: Instant::now(), connection, head, line, headers, body: Vec::new() })
}

fn read_body(reader: &mut impl Read, request: &mut Request) -> Option<()> {
    request.body = vec![0; request.header("content-length").map_or(0, |length| length.parse().expect("a length"))];
    reader.read_exact(&mut request.body).ok()?;
    request.at = Instant::now();
    Some(())
}
