//! The HTTP client that deliveries go out by.
//!
//! It makes its own exchange instead of using hyper or reqwest: how a request looks on the wire is what hookctl is for,
//! and those spell header names in lower case, order them by themselves, and cannot tell whether any byte of a request
//! had gone out when a connection broke, which is what [`Outcome::Unreachable`] promises. A request is one block of
//! bytes and the answer's head is httparse's to read, so there is little of it. Connecting, with TLS and proxies, is
//! left to hyper-util and rustls.

use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, Method};
use reqwest::Url;
use tokio::time::{Instant, timeout_at};

use crate::error::Error;
use crate::journal::record::Answer;
use crate::payload::Headers;
use crate::payload::retry::AttemptOutcome;

use super::connect::{BoxedStream, Connector};
use super::exchange::{ClientConnection, ExchangeError};
use super::request::WireRequest;
use super::{answer, connect, tls};

/// How many redirects are followed where a provider follows any; reqwest's and Python requests' habit is more than
/// enough to find a loop.
const REDIRECTS: usize = 10;

/// How many bytes of an answer's body are read: enough for its first line, and for all of most. The rest is left unread,
/// and with it the connection.
const ANSWER_BYTES: usize = 16 * 1024;

/// How long the body may take after the head: an answer that has no end must not hold up the next delivery.
const ANSWER_TIME: Duration = Duration::from_secs(1);

/// How receivers are reached.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientOptions {
    /// Whether any certificate is good enough.
    pub(crate) insecure: bool,
    /// The certificates to trust, instead of the system's: a file in PEM form.
    pub(crate) cacert: Option<String>,
    /// The client's certificate in PEM form, with its key behind it or in a file of its own.
    pub(crate) cert: Option<String>,
    /// The client's key in PEM form.
    pub(crate) key: Option<String>,
    /// The proxy for every request, instead of the environment's.
    pub(crate) proxy: Option<Url>,
}

/// A request to make.
#[derive(Clone, Debug)]
pub(crate) struct OutgoingRequest {
    /// Where to.
    pub(crate) url: Url,
    /// How.
    pub(crate) method: Method,
    /// In this order and spelling; `host` and `content-length` come at the end where they are missing.
    pub(crate) headers: Headers,
    /// The exact bytes.
    pub(crate) body: Bytes,
    /// How long to wait for the answer.
    pub(crate) timeout: Duration,
    /// Whether redirects are followed.
    pub(crate) follow: bool,
    /// Whether a redirected request says where it comes from.
    pub(crate) referer: bool,
    /// Headers that are for this origin only, beside those that always are: a redirect to another goes without them.
    pub(crate) kept: Vec<HeaderName>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct IncomingResponse {
    /// In the words of retry profiles.
    pub(crate) outcome: AttemptOutcome,
    /// From connecting to the answer's head, milliseconds.
    pub(crate) ms: f64,
    /// The first line of the answer's body, or how it came about when there was a redirect.
    pub(crate) line: Option<String>,
    /// When the answer's head was there, so that a reader may count from another beginning than `ms` does.
    pub(crate) answered_at: Option<Instant>,
    /// Why nothing came back, in words.
    pub(crate) error: Option<String>,
    /// The same as a kind, where it is one.
    pub(crate) cause: Option<NoResponse>,
}

/// Why nothing came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoResponse {
    /// Nobody listens there.
    Refused,
    /// The host has no address.
    Unresolved,
    /// The connection was reset.
    Reset,
    /// The connection was closed without an answer.
    Closed,
    /// There was no connection, or no answer, in time.
    TimedOut,
    /// TLS did not come about.
    Tls,
    /// What came back is no answer.
    Malformed,
}

impl IncomingResponse {
    /// One of which nothing else is known.
    pub(crate) fn of(outcome: AttemptOutcome, ms: f64) -> Self {
        IncomingResponse { outcome, ms, line: None, answered_at: None, error: None, cause: None }
    }
}

/// Something that delivers requests: a real client, or a test's.
pub(crate) trait Transport {
    /// Makes one attempt. Never fails: that nothing came back is an outcome too.
    fn deliver(&self, request: OutgoingRequest) -> impl Future<Output = IncomingResponse>;
}

/// The real client. Its connections are kept and used again.
pub(crate) struct Client {
    connector: Connector,
    idle: Mutex<Vec<(Url, ClientConnection<BoxedStream>)>>,
}

/// How long an attempt may take, from connecting to the answer.
#[derive(Clone, Copy)]
struct AttemptDeadline {
    length: Duration,
    end: Instant,
}

impl AttemptDeadline {
    /// The same, but at most so long from now.
    fn at_most(self, length: Duration) -> Self {
        AttemptDeadline { end: self.end.min(Instant::now() + length), ..self }
    }

    fn starting(now: Instant, length: Duration) -> Self {
        // One beyond the end of time is none.
        const EVER: Duration = Duration::from_secs(u32::MAX as u64);
        AttemptDeadline { length, end: now.checked_add(length).unwrap_or(now + EVER) }
    }

    /// What the work gives, unless time runs out first.
    async fn within<T>(self, work: impl Future<Output = T>) -> Option<T> {
        timeout_at(self.end, work).await.ok()
    }
}

/// An attempt without an answer.
struct Failure {
    outcome: AttemptOutcome,
    cause: Option<NoResponse>,
    reason: String,
}

/// An answer, and when it came.
struct TimedResponse {
    head: answer::ResponseHead,
    line: Option<String>,
    at: Instant,
}

impl Client {
    /// Sets the client up for requests to `url`.
    pub(crate) fn new(url: &Url, options: &ClientOptions) -> Result<Self, Error> {
        Ok(Client { connector: Connector::new(url, options)?, idle: Mutex::default() })
    }

    /// Makes one request: on a kept connection if there is one, else on a fresh one.
    async fn make(&self, request: &WireRequest, limit: AttemptDeadline) -> Result<TimedResponse, Failure> {
        if let Some(kept) = self.take_idle(&request.url).await {
            match self.exchange(kept, request, limit).await {
                // It was gone before the first byte went out: nothing was delivered, and the next is a first delivery.
                Err(Failure { outcome: AttemptOutcome::Unreachable, .. }) => {}
                settled => return settled,
            }
        }
        let connected = limit.within(self.connector.connect(&request.url)).await;
        let late = || (Some(NoResponse::TimedOut), format!("no connection within {:?}", limit.length));
        let stream = connected.unwrap_or_else(|| Err(late())).map_err(|why| unanswered(why, false))?;
        self.exchange(ClientConnection::new(stream), request, limit).await
    }

    async fn exchange(
        &self,
        mut connection: ClientConnection<BoxedStream>,
        request: &WireRequest,
        limit: AttemptDeadline,
    ) -> Result<TimedResponse, Failure> {
        connection.send(request.head(self.connector.forwards(&request.url).as_ref()), request.body.clone());
        let mut head = match limit.within(connection.head()).await {
            Some(Ok(head)) => head,
            Some(Err(broken)) => return Err(failure(&broken, connection.has_sent(), &request.url)),
            None => {
                let late = (Some(NoResponse::TimedOut), format!("no answer within {:?}", limit.length));
                return Err(unanswered(late, connection.has_sent()));
            }
        };
        let at = Instant::now();
        if request.method == Method::HEAD {
            // RFC 9110 section 9.3.2: whatever its headers say, it has no body.
            head.framing = answer::Framing::Length(0);
        }
        let mut body = Vec::new();
        // A line is all that is shown; what comes behind it is read for the sake of a connection that is kept.
        let keep = head.keep_alive;
        let is_enough = |body: &[u8]| body.len() >= ANSWER_BYTES || (!keep && has_line(body));
        let whole = connection.body(&mut head.framing, &mut body, is_enough);
        if limit.at_most(ANSWER_TIME).within(whole).await == Some(true) && keep && connection.is_settled() {
            self.idle().push((request.url.clone(), connection));
        }
        Ok(TimedResponse { head, line: Answer::line_of(&body), at })
    }

    /// A kept connection to the same place that is still good.
    async fn take_idle(&self, url: &Url) -> Option<ClientConnection<BoxedStream>> {
        loop {
            let mut connection = {
                let mut idle = self.idle();
                let place = idle.iter().rposition(|(other, _)| is_same_origin(other, url))?;
                idle.swap_remove(place).1
            };
            if connection.is_quiet().await {
                return Some(connection);
            }
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(Url, ClientConnection<BoxedStream>)>> {
        // What a panic left behind is a list of whole connections all the same.
        self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Transport for Client {
    async fn deliver(&self, outgoing: OutgoingRequest) -> IncomingResponse {
        let started = Instant::now();
        let ms = |at: Instant| at.duration_since(started).as_secs_f64() * 1000.0;
        let limit = AttemptDeadline::starting(started, outgoing.timeout);
        let (follow, referer) = (outgoing.follow, outgoing.referer);
        let mut request = WireRequest::first(outgoing);
        let (mut said, mut hops): (Option<String>, _) = (None, 0);
        loop {
            let answered = match self.make(&request, limit).await {
                Ok(answered) => answered,
                Err(Failure { outcome, cause, reason }) => {
                    let before = said.map(|said| format!("{said}: ")).unwrap_or_default();
                    let error = Some(format!("{before}{reason}"));
                    return IncomingResponse { cause, error, ..IncomingResponse::of(outcome, ms(Instant::now())) };
                }
            };
            let next = if follow && hops < REDIRECTS { request.redirected(&answered.head, referer) } else { None };
            let Some(next) = next else {
                let outcome =
                    AttemptOutcome::Answered { status: answered.head.status, retry_after: answered.head.retry_after };
                let line = said.or(answered.line);
                return IncomingResponse {
                    line,
                    answered_at: Some(answered.at),
                    ..IncomingResponse::of(outcome, ms(answered.at))
                };
            };
            let lost = if next.repeats(&request) { "" } else { ", which gets no body: this delivery was lost" };
            said = Some(format!("after a {} to {}{lost}", answered.head.status, next.url));
            (request, hops) = (next, hops + 1);
        }
    }
}

/// Why there is no answer, and whether the receiver may have the delivery all the same.
fn failure(broken: &ExchangeError, sent: bool, url: &Url) -> Failure {
    match broken {
        // The receiver broke the handshake off, which its last message may only tell once the request is on its way:
        // until the handshake is over it reads no request.
        ExchangeError::Lost(error) => match tls::refusal(error) {
            Some(reason) => Failure { outcome: AttemptOutcome::Unreachable, cause: Some(NoResponse::Tls), reason },
            None => unanswered(connect::reason(error, url), sent),
        },
        ExchangeError::Closed => unanswered((Some(NoResponse::Closed), broken.to_string()), sent),
        ExchangeError::Reset => unanswered((Some(NoResponse::Reset), broken.to_string()), sent),
        ExchangeError::Malformed(_) => unanswered((Some(NoResponse::Malformed), broken.to_string()), sent),
    }
}

fn unanswered((cause, reason): (Option<NoResponse>, String), sent: bool) -> Failure {
    Failure { outcome: if sent { AttemptOutcome::Unknown } else { AttemptOutcome::Unreachable }, cause, reason }
}

pub(crate) fn is_same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host_str() == other.host_str()
        && one.port_or_known_default() == other.port_or_known_default()
}

fn has_line(body: &[u8]) -> bool {
    body.trim_ascii_start().contains(&b'\n')
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    /// A client, and what comes of one request of its to a receiver that does this.
    async fn exchange(receiver: impl AsyncFnOnce(DuplexStream)) -> (Client, TimedResponse) {
        crate::http::install_crypto();
        let url = Url::parse("http://localhost/hook").unwrap();
        let client = Client::new(&url, &ClientOptions::default()).unwrap();
        let outgoing = OutgoingRequest {
            url,
            method: Method::POST,
            headers: Headers::default(),
            body: Bytes::new(),
            timeout: Duration::from_secs(30),
            follow: false,
            referer: false,
            kept: Vec::new(),
        };
        let (request, limit) =
            (WireRequest::first(outgoing), AttemptDeadline::starting(Instant::now(), Duration::from_secs(30)));
        let (near, mut far) = duplex(1024);
        let serve = async {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(far.read_u8().await.unwrap());
            }
            receiver(far).await;
        };
        let answered = client.exchange(ClientConnection::new(Box::new(near)), &request, limit);
        let (answered, ()) = tokio::join!(answered, serve);
        let Ok(answered) = answered else { panic!("no answer") };
        (client, answered)
    }

    const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\na\nb\n\r\n";

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_comes_in_pieces_leaves_the_connection_good() {
        let (client, answered) = exchange(async |mut far: DuplexStream| {
            far.write_all(CHUNKED).await.unwrap();
            // Until what has come was read.
            tokio::time::sleep(Duration::from_millis(5)).await;
            far.write_all(b"0\r\n\r\n").await.unwrap();
        })
        .await;
        assert_eq!((answered.line.as_deref(), client.idle().len()), (Some("a"), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_without_an_end_is_left_soon_and_counts_from_its_head() {
        for (answer, seconds) in [(CHUNKED, 1), (&b"HTTP/1.1 200 OK\r\n\r\na\nb"[..], 0)] {
            let started = Instant::now();
            let (client, answered) = exchange(async |mut far: DuplexStream| {
                far.write_all(answer).await.unwrap();
                let _ = far.read(&mut [0]).await;
            })
            .await;
            assert_eq!((answered.line.as_deref(), client.idle().len()), (Some("a"), 0));
            assert_eq!((answered.at, started.elapsed().as_secs()), (started, seconds));
        }
    }
}
