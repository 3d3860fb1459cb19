//! The HTTP client that sends deliveries.
//!
//! The client makes its own exchange instead of using hyper or reqwest: how a request looks on the wire is what hookctl is
//! for. Both libraries spell header names in lower case and order headers by themselves. Neither can tell whether any byte
//! of a request had gone out when a connection broke, which is what [`AttemptOutcome::Unreachable`] promises. A request is
//! one block of bytes, and httparse reads the response's head, so the exchange is small. Connecting, with TLS and proxies,
//! is left to hyper-util and rustls.

use std::time::Duration;

use http::Method;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::body::IncomingBody;
use super::connect::{self, BoxedStream, Connector};
use super::exchange::{ClientConnection, ExchangeError};
use super::idle::IdleConnections;
use super::options::ClientOptions;
use super::outcome::{FailedAttempt, IncomingResponse, NoResponse};
use super::request::{OutgoingRequest, WireRequest};
use super::response::{Framing, ResponseHead};
use super::tls;
use crate::clock::after;
use crate::error::Error;
use crate::journal::record::Answer;
use crate::payload::retry::AttemptOutcome;

/// How many redirects are followed where a provider follows any; reqwest's and Python requests' habit is more than
/// enough to find a loop.
const REDIRECTS: usize = 10;

/// How many bytes of a response's body are read: enough for its first line, and for all of most bodies. The rest is left
/// unread, and with it the connection.
const ANSWER_BYTES: usize = 16 * 1024;

/// The time for the body after the head: a response without an end must not hold up the next delivery.
const ANSWER_TIME: Duration = Duration::from_secs(1);

/// Something that sends requests: a real client, or a test's.
pub(crate) trait Transport {
    /// Sends `request`, and returns the outcome. A failed connection is an outcome, not an error.
    fn deliver(&self, request: OutgoingRequest) -> impl Future<Output = IncomingResponse>;
}

/// The real client. Its connections are kept and used again.
pub(crate) struct Client {
    connector: Connector,
    idle: IdleConnections,
}

/// The end of an attempt: how long it may take from connecting to the response's head.
#[derive(Clone, Copy)]
pub(crate) struct AttemptDeadline {
    length: Duration,
    end: Instant,
}

impl AttemptDeadline {
    /// For a caller that limits the time itself.
    pub(crate) fn none() -> Self {
        AttemptDeadline::starting(Instant::now(), Duration::MAX)
    }

    fn starting(now: Instant, length: Duration) -> Self {
        AttemptDeadline { length, end: after(now, length) }
    }

    /// This deadline, or `length` from now if that is earlier.
    fn at_most(self, length: Duration) -> Self {
        AttemptDeadline { end: self.end.min(Instant::now() + length), ..self }
    }

    /// The result of `work`; `None` if the deadline passes first.
    async fn within<T>(self, work: impl Future<Output = T>) -> Option<T> {
        timeout_at(self.end, work).await.ok()
    }
}

/// A response whose head has come and whose body has not been read.
pub(crate) struct OpenResponse {
    pub(crate) head: ResponseHead,
    /// When the head came.
    at: Instant,
    connection: ClientConnection<BoxedStream>,
}

/// A response whose body [`Client::finish`] has read.
struct TimedResponse {
    head: ResponseHead,
    /// The first line of the body.
    line: Option<String>,
    at: Instant,
}

impl Client {
    /// Sets the client up for requests to `url`.
    pub(crate) fn new(url: &Url, options: &ClientOptions) -> Result<Self, Error> {
        Ok(Client { connector: Connector::new(url, options)?, idle: IdleConnections::default() })
    }

    /// Closes idle connections after `limit`.
    pub(crate) fn closing_idle_after(self, limit: Duration) -> Self {
        Client { idle: IdleConnections::new(Some(limit)), ..self }
    }

    /// Sends one request and waits for the head of its response: on a kept connection if one is good, else on a new one.
    pub(crate) async fn open(
        &self,
        request: &WireRequest,
        deadline: AttemptDeadline,
    ) -> Result<OpenResponse, FailedAttempt> {
        if let Some(kept) = self.idle.take(&request.url).await {
            match self.exchange(kept, false, request, deadline).await {
                // The connection was gone before the first byte went out: nothing was delivered, so the next connection
                // carries a first delivery.
                Err(FailedAttempt { outcome: AttemptOutcome::Unreachable, .. }) => {}
                result => return result,
            }
        }
        let connected = deadline.within(self.connector.connect(&request.url)).await;
        let late = || (Some(NoResponse::TimedOut), format!("no connection within {:?}", deadline.length));
        let stream = connected.unwrap_or_else(|| Err(late())).map_err(|why| FailedAttempt::new(why, false))?;
        self.exchange(ClientConnection::new(stream), true, request, deadline).await
    }

    async fn exchange(
        &self,
        mut connection: ClientConnection<BoxedStream>,
        is_fresh: bool,
        request: &WireRequest,
        deadline: AttemptDeadline,
    ) -> Result<OpenResponse, FailedAttempt> {
        let forwarding = self.connector.proxies().forwarding(&request.url);
        connection.send(request.head(forwarding.as_ref()), request.body.clone());
        let mut head = match deadline.within(connection.head(request.fields)).await {
            Some(Ok(head)) => head,
            Some(Err(broken)) => return Err(failure(&broken, is_fresh, connection.has_sent(), &request.url)),
            None => {
                let late = (Some(NoResponse::TimedOut), format!("no answer within {:?}", deadline.length));
                return Err(FailedAttempt::new(late, connection.has_sent()));
            }
        };
        let at = Instant::now();
        if request.method == Method::HEAD {
            // RFC 9110 section 9.3.2: whatever the headers of a response to HEAD are, it has no body.
            head.framing = Framing::Length(0);
        }
        Ok(OpenResponse { head, at, connection })
    }

    /// Reads as much of the body as a sender shows.
    async fn finish(&self, url: &Url, response: OpenResponse, deadline: AttemptDeadline) -> TimedResponse {
        let OpenResponse { mut head, at, mut connection } = response;
        let mut body = Vec::new();
        // Only the first line is shown. The rest is read so that the connection can be kept.
        let keep = head.keep_alive;
        let is_enough = |body: &[u8]| body.len() >= ANSWER_BYTES || (!keep && has_line(body));
        let whole = connection.body(&mut head.framing, &mut body, is_enough);
        if deadline.at_most(ANSWER_TIME).within(whole).await == Some(true) && keep && connection.is_reusable() {
            self.idle.keep(url, connection);
        }
        TimedResponse { head, line: Answer::line_of(&body), at }
    }

    /// The body of a response, to be read whole.
    pub(crate) fn body(&self, url: &Url, response: OpenResponse) -> IncomingBody {
        let OpenResponse { head, connection, .. } = response;
        let idle = head.keep_alive.then(|| self.idle.clone());
        IncomingBody { url: url.clone(), connection: Some(connection), framing: head.framing, idle }
    }
}

impl Transport for Client {
    async fn deliver(&self, outgoing: OutgoingRequest) -> IncomingResponse {
        let started = Instant::now();
        let ms = |at: Instant| at.duration_since(started).as_secs_f64() * 1000.0;
        let deadline = AttemptDeadline::starting(started, outgoing.timeout);
        let (follow, referer) = (outgoing.follow, outgoing.referer);
        let mut request = WireRequest::first(outgoing);
        let mut redirected: Option<String> = None;
        let mut hops = 0;
        loop {
            let opened = match self.open(&request, deadline).await {
                Ok(opened) => opened,
                Err(FailedAttempt { outcome, cause, reason }) => {
                    let before = redirected.map(|redirected| format!("{redirected}: ")).unwrap_or_default();
                    let error = Some(format!("{before}{reason}"));
                    return IncomingResponse { cause, error, ..IncomingResponse::of(outcome, ms(Instant::now())) };
                }
            };
            let TimedResponse { head, line, at } = self.finish(&request.url, opened, deadline).await;
            let next = if follow && hops < REDIRECTS { request.redirected(&head, referer) } else { None };
            let Some(next) = next else {
                let outcome = AttemptOutcome::Answered { status: head.status, retry_after: head.retry_after };
                let line = redirected.or(line);
                return IncomingResponse { line, answered_at: Some(at), ..IncomingResponse::of(outcome, ms(at)) };
            };
            let lost = if next.repeats(&request) { "" } else { ", which gets no body: this delivery was lost" };
            redirected = Some(format!("after a {} to {}{lost}", head.status, next.url));
            (request, hops) = (next, hops + 1);
        }
    }
}

/// The failed attempt for `broken`; `sent`: a byte of the request was sent.
fn failure(broken: &ExchangeError, is_fresh: bool, sent: bool, url: &Url) -> FailedAttempt {
    let kind = match broken {
        // The receiver ended the handshake. With TLS 1.3 its alert may come when the request is on its way already; until
        // the handshake is over the receiver reads no request. On a kept connection the handshake was over before the request.
        ExchangeError::Lost(error) => match tls::refusal(error).filter(|_| is_fresh) {
            Some(reason) => return FailedAttempt::new((Some(NoResponse::Tls), reason), false),
            None => return FailedAttempt::new(connect::reason(error, url), sent),
        },
        ExchangeError::Closed => NoResponse::Closed,
        ExchangeError::Reset => NoResponse::Reset,
        ExchangeError::Malformed(_) => NoResponse::Malformed,
    };
    FailedAttempt::new((Some(kind), broken.to_string()), sent)
}

fn has_line(body: &[u8]) -> bool {
    body.trim_ascii_start().contains(&b'\n')
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::{io, mem};

    use bytes::Bytes;
    use rustls::AlertDescription;
    use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream, ReadBuf, duplex};

    use super::*;
    use crate::payload::Headers;

    /// A client, and the client's response to one request over a new connection to `receiver`.
    async fn exchange(receiver: impl AsyncFnOnce(DuplexStream)) -> (Client, TimedResponse) {
        tls::install_crypto();
        let url = Url::parse("http://localhost/hook").unwrap();
        let client = Client::new(&url, &ClientOptions::default()).unwrap();
        let request = WireRequest::first(empty_post(url));
        let deadline = AttemptDeadline::starting(Instant::now(), Duration::from_secs(30));
        let (near, mut far) = duplex(1024);
        let serve = async {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(far.read_u8().await.unwrap());
            }
            receiver(far).await;
        };
        let exchange = async {
            let opened = client.exchange(ClientConnection::new(Box::new(near)), true, &request, deadline).await;
            client.finish(&request.url, opened.expect("a response"), deadline).await
        };
        let (response, ()) = tokio::join!(exchange, serve);
        (client, response)
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
        assert_eq!((answered.line.as_deref(), client.idle.len()), (Some("a"), 1));
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
            assert_eq!((answered.line.as_deref(), client.idle.len()), (Some("a"), 0));
            assert_eq!((answered.at, started.elapsed().as_secs()), (started, seconds));
        }
    }

    /// A stream without bytes at first, then with a TLS alert.
    struct AlertedReader {
        is_polled: bool,
    }

    impl AsyncRead for AlertedReader {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            if !mem::replace(&mut self.get_mut().is_polled, true) {
                return Poll::Pending;
            }
            let alert = rustls::Error::AlertReceived(AlertDescription::AccessDenied);
            Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, alert)))
        }
    }

    #[tokio::test]
    async fn a_tls_alert_on_a_kept_connection_may_come_after_the_delivery() {
        tls::install_crypto();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        // A second connection is refused.
        drop(listener);
        let client = Client::new(&url, &ClientOptions::default()).unwrap();
        let stream = || Box::new(tokio::io::join(AlertedReader { is_polled: false }, tokio::io::sink()));
        client.idle.keep(&url, ClientConnection::new(stream()));
        let response = client.deliver(empty_post(url.clone())).await;
        assert_eq!((response.outcome, response.cause), (AttemptOutcome::Unknown, Some(NoResponse::Tls)));
    }

    fn empty_post(url: Url) -> OutgoingRequest {
        OutgoingRequest {
            url,
            method: Method::POST,
            headers: Headers::default(),
            body: Bytes::new(),
            timeout: Duration::from_secs(30),
            follow: false,
            referer: false,
            origin_only: Vec::new(),
        }
    }

    #[tokio::test]
    async fn a_kept_connection_that_the_receiver_closed_is_replaced() {
        tls::install_crypto();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let (closed, mut closes) = tokio::sync::mpsc::channel(1);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                assert!(stream.read(&mut [0; 1000]).await.unwrap() > 0);
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                drop(stream);
                closed.send(()).await.unwrap();
            }
        });
        let client = Client::new(&url, &ClientOptions::default()).unwrap();
        for _ in 0..2 {
            let response = client.deliver(empty_post(url.clone())).await;
            assert!(matches!(response.outcome, AttemptOutcome::Answered { status: 200, .. }), "{response:?}");
            closes.recv().await.unwrap();
        }
    }
}
