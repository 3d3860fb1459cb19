//! One delivery after the other: read, judged, recorded, answered, said.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, EXPECT, HeaderValue};
use http::{Method, Request, Response, StatusCode, Version};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::sync::watch;

use super::Config;
use super::body::{self, Refusal};
use crate::clock::{Clock, record_id};
use crate::event::{Note, Sink, Tally};
use crate::io::journal::Journal;
use crate::payload::history::{History, Repeat};
use crate::payload::record::{Answer, By, Duplicate, Earlier, Record};
use crate::payload::signature::{self, Policy, Verdict};
use crate::payload::{Delivery, Headers, Payload, Provider, lint};

/// Where deliveries are handled.
pub struct Desk {
    provider: Option<&'static Provider>,
    policy: Policy,
    allow_invalid: bool,
    keep_secrets: bool,
    max_body: u64,
    clock: Arc<dyn Clock>,
    sink: Sink,
    /// Everything that must change together, so that journal, stream and counts have one order.
    books: Mutex<Books>,
    counter: watch::Sender<u64>,
}

struct Books {
    seq: u64,
    journal: Option<Journal>,
    journal_fails: bool,
    history: History,
    tally: Tally,
}

/// What the listener answers, and who decided it.
struct Reply {
    status: StatusCode,
    by: By,
    body: Bytes,
}

impl Reply {
    fn new(status: StatusCode, by: By, body: impl Into<Bytes>) -> Self {
        Reply { status, by, body: body.into() }
    }

    fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

impl Desk {
    /// A desk with empty books.
    pub fn new(
        config: &Config,
        journal: Option<Journal>,
        sink: Sink,
        clock: Arc<dyn Clock>,
        counter: watch::Sender<u64>,
    ) -> Self {
        let books =
            Books { seq: 0, journal, journal_fails: false, history: History::default(), tally: Tally::default() };
        Desk {
            provider: config.provider,
            policy: config.policy.clone(),
            allow_invalid: config.allow_invalid,
            keep_secrets: config.keep_secrets,
            max_body: config.max_body,
            clock,
            sink,
            books: Mutex::new(books),
            counter,
        }
    }

    /// The counts so far.
    pub fn tally(&self, awaited: Option<u64>, elapsed: Duration) -> Tally {
        Tally { awaited, elapsed, ..self.books().tally.clone() }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        // A handler that panicked left whole numbers behind, so the books still serve.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Handles one request.
    pub async fn receive(&self, request: Request<Incoming>, remote: SocketAddr) -> Response<Full<Bytes>> {
        if matches!(*request.method(), Method::GET | Method::HEAD) {
            return greeting();
        }
        let (head, incoming) = request.into_parts();
        let expects = head.headers.contains_key(EXPECT);
        let read = body::read(incoming, self.max_body, expects).await;
        let ended = Instant::now();
        let delivery = Delivery {
            method: head.method.as_str().to_owned(),
            target: head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned(),
            http: if head.version == Version::HTTP_10 { "1.0" } else { "1.1" }.to_owned(),
            headers: Headers::from(head.headers),
            body: Bytes::new(),
        };
        let reply = match read {
            Ok(body) => self.judge(Delivery { body, ..delivery }, remote, ended).await,
            Err(Refusal::TooLarge) => {
                let reply = Reply::new(StatusCode::PAYLOAD_TOO_LARGE, By::Limit, r#"{"error":"body too large"}"#);
                self.enter(delivery, None, Verdict::Unchecked, reply, remote, ended).await
            }
            Err(Refusal::TooSlow) => {
                let reply = Reply::new(StatusCode::REQUEST_TIMEOUT, By::Limit, r#"{"error":"body too slow"}"#);
                self.enter(delivery, None, Verdict::Unchecked, reply, remote, ended).await
            }
            Err(Refusal::CutOff) => {
                self.refused(remote, "it ended before its body was complete").await;
                Reply::new(StatusCode::BAD_REQUEST, By::Refused, r#"{"error":"body cut off"}"#)
            }
        };
        reply.into_response()
    }

    /// Notes a request that never became a delivery.
    pub async fn refused(&self, remote: SocketAddr, why: &str) {
        self.books().tally.refused += 1;
        let text = format!("a request from {remote} could not be read: {why}");
        // A writer that has gone ends the listener by itself.
        let _ = self.sink.say(Note::warning(text)).await;
    }

    async fn judge(&self, delivery: Delivery, remote: SocketAddr, ended: Instant) -> Reply {
        let payload = Payload::read(&delivery.body, &delivery.headers, self.provider);
        let provider = payload.as_ref().map(|payload| payload.provider);
        let verdict = signature::check(&delivery, &self.policy, self.clock.now().as_second(), provider);
        let reply = match &verdict {
            Verdict::Invalid { reason, .. } if !self.allow_invalid => {
                let body = format!(r#"{{"error":"invalid signature","reason":"{}"}}"#, reason.name());
                Reply::new(StatusCode::UNAUTHORIZED, By::Refused, body)
            }
            _ => Reply::new(StatusCode::OK, By::Script, r#"{"received":true}"#),
        };
        self.enter(delivery, payload, verdict, reply, remote, ended).await
    }

    /// Puts a delivery on the books: numbered, written to the journal, counted, said. Between the place in the writer's
    /// queue and the end nothing waits, so a sender that hangs up cannot leave it half entered.
    async fn enter(
        &self,
        delivery: Delivery,
        payload: Option<Payload>,
        verdict: Verdict,
        mut reply: Reply,
        remote: SocketAddr,
        ended: Instant,
    ) -> Reply {
        let at = self.clock.now();
        let place = self.sink.place(delivery.body.len()).await;
        let id = record_id(at);
        let mut books = self.books();
        books.seq += 1;
        let seq = books.seq;
        let repeat = payload
            .as_ref()
            .and_then(|payload| books.history.note(payload, &delivery.body, &verdict, seq, &id, reply.status.as_u16()));
        let warnings = payload.as_ref().map(lint::warnings).unwrap_or_default();
        let ms = ended.elapsed().as_secs_f64() * 1000.0;
        let mut record = Record {
            seq,
            id,
            at,
            remote: Some(remote.to_string()),
            delivery: if self.keep_secrets { delivery } else { delivery.redacted(&self.policy.secrets) },
            payload,
            verdict,
            duplicate: repeat.map(duplicate),
            warnings,
            answer: Some(Answer::new(reply.status.as_u16(), reply.by, ms)),
            sent: None,
        };
        if let Err(failed) = books.keep(&record) {
            reply = Reply::new(StatusCode::SERVICE_UNAVAILABLE, By::Refused, r#"{"error":"not recorded"}"#);
            record.answer = Some(Answer::new(503, reply.by, ms));
            books.history.answered(record.payload.as_ref(), &record.delivery.body, &record.verdict, 503);
            self.complain(&mut books, failed);
        } else {
            books.journal_fails = false;
        }
        let counted = books.count(&record);
        if let Ok(place) = place {
            place.say(Arc::new(record));
        }
        drop(books);
        if counted {
            self.counter.send_modify(|count| *count += 1);
        }
        reply
    }

    /// Says that the journal cannot be written, once until it can be again.
    fn complain(&self, books: &mut Books, failed: crate::error::Error) {
        if !std::mem::replace(&mut books.journal_fails, true) {
            let sink = self.sink.clone();
            let text = format!("{failed}; deliveries are answered 503 until it can be written again");
            tokio::spawn(async move { sink.say(Note::warning(text)).await });
        }
    }
}

impl Books {
    fn keep(&mut self, record: &Record) -> Result<(), crate::error::Error> {
        match &mut self.journal {
            Some(journal) => journal.append(&record.to_line()),
            None => Ok(()),
        }
    }

    /// Counts a record; `true` when it is one that `--count` waits for: a delivery that was judged.
    fn count(&mut self, record: &Record) -> bool {
        let status = record.answer.as_ref().map_or(0, |answer| answer.status);
        let judged = !matches!(status, 408 | 413 | 503);
        match judged {
            true => self.tally.add(record),
            false => self.tally.refused += 1,
        }
        judged
    }
}

fn duplicate(repeat: Repeat) -> Duplicate {
    let seen = Earlier { seq: repeat.of.seq, answered: repeat.of.answered, same_body: repeat.same_body };
    Duplicate { id: repeat.of.id, seen: Some(seen) }
}

/// What a browser or a health check gets to see. It is no delivery.
fn greeting() -> Response<Full<Bytes>> {
    let text = "hookctl is listening: POST a webhook to any path\n";
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
