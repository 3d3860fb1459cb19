//! A receiver with scripted responses that records the exact bytes of every request, over plain sockets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The response to one request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A status, with further header lines and a body.
    Status(u16, &'static str, &'static str),
    /// These bytes, then a close.
    Raw(&'static [u8]),
    /// These bytes after the request head, before the body is read; then a close.
    Early(&'static [u8]),
    /// A close after the request was read.
    Close,
    /// No response, on an open connection.
    Hang,
    /// The status and body that a handler returns for the requests so far; the last one is to be answered.
    By(fn(&[Request]) -> (u16, String)),
}

/// 200 with an empty body.
pub const OK: Answer = Answer::Status(200, "", "");

/// A received request.
#[derive(Clone, Debug)]
pub struct Request {
    pub at: Instant,
    /// The number of its connection, from 1.
    pub connection: usize,
    /// The exact bytes up to the body.
    pub head: String,
    /// `POST /hook HTTP/1.1`
    pub line: String,
    /// In wire order, names in their original case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// The value of the first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// A receiver. Its drop fails the test if the receiver got no request.
pub struct Target {
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Target {
    /// Responds with each answer in turn, then with the last one.
    pub fn start(answers: &[Answer]) -> Self {
        Target::start_at(([127, 0, 0, 1], 0).into(), answers)
    }

    /// [`Target::start`] at a given address.
    pub fn start_at(address: SocketAddr, answers: &[Answer]) -> Self {
        Target::serving("http", address, answers, |stream| stream)
    }

    /// [`Target::start`] over TLS.
    pub fn with_tls(answers: &[Answer], config: ServerConfig) -> Self {
        let config = Arc::new(config);
        Target::serving("https", ([127, 0, 0, 1], 0).into(), answers, move |stream| {
            let connection = ServerConnection::new(Arc::clone(&config)).expect("a configuration");
            StreamOwned::new(connection, stream)
        })
    }

    fn serving<S: Read + Write + Send>(
        scheme: &str,
        address: SocketAddr,
        answers: &[Answer],
        wrap: impl Fn(TcpStream) -> S + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).expect("a free port");
        let url = format!("{scheme}://{}/hook", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answers, seen, wrap) = (answers.to_vec(), Arc::clone(&requests), Arc::new(wrap));
        std::thread::spawn(move || {
            for (index, stream) in listener.incoming().flatten().enumerate() {
                let (answers, seen, wrap) = (answers.clone(), Arc::clone(&seen), Arc::clone(&wrap));
                std::thread::spawn(move || serve(wrap(stream), index + 1, &answers, &seen));
            }
        });
        Target { url, requests }
    }

    /// How many requests came so far.
    pub fn count(&self) -> usize {
        self.requests.lock().expect("no server panicked").len()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no server panicked").clone()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.count() > 0, "the target got no request");
        }
    }
}

/// Serves one connection until either side closes.
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
        let mut respond = |status: u16, headers: &str, body: &str| {
            let length = body.len();
            let text = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n{body}");
            stream.write_all(text.as_bytes()).and_then(|()| stream.flush()).is_ok()
        };
        match answer {
            Answer::Status(status, headers, body) => {
                if !respond(status, headers, body) {
                    return;
                }
            }
            Answer::By(_) => {
                let (status, body) = by.expect("the handler's response");
                if !respond(status, "", &body) {
                    return;
                }
            }
            Answer::Raw(bytes) | Answer::Early(bytes) => {
                // The client may have closed first.
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
