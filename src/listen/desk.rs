//! One delivery after the other: read, judged, recorded, answered, said.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, EXPECT, HeaderValue};
use http::{Method, Request, Response, StatusCode, Version};
use http_body_util::Full;
use hyper::body::Incoming;
use jiff::Timestamp;
use tokio::sync::{Mutex, OwnedMutexGuard, watch};

use super::Config;
use super::body::{self, Refusal};
use super::limits::BODY_TIME;
use crate::clock::{Clock, record_id};
use crate::event::{Note, Sink, Tally};
use crate::io::journal::Journal;
use crate::payload::history::{History, Repeat};
use crate::payload::lint::{self, Warning};
use crate::payload::record::{Answer, By, Duplicate, Earlier, Record};
use crate::payload::signature::{self, Policy, Verdict};
use crate::payload::{Delivery, Headers, Payload, Provider};

/// Where deliveries are handled.
pub struct Desk {
    provider: Option<&'static Provider>,
    policy: Policy,
    allow_invalid: bool,
    keep_secrets: bool,
    max_body: u64,
    clock: Arc<dyn Clock>,
    sink: Sink,
    /// Everything that must change together. Whoever holds it is next: journal, stream and counts have one order, that
    /// of arrival.
    books: Arc<Mutex<Books>>,
    counter: watch::Sender<u64>,
}

struct Books {
    seq: u64,
    journal: Option<Journal>,
    journal_fails: bool,
    history: History,
    tally: Tally,
}

/// A request that was read.
struct Arrival {
    delivery: Delivery,
    remote: SocketAddr,
    /// When it was complete, by the clock.
    at: Timestamp,
    /// The same, for measuring.
    ended: Instant,
}

impl Arrival {
    fn with(mut self, body: Bytes) -> Self {
        self.delivery.body = body;
        self
    }

    fn judged(self, payload: Option<Payload>, verdict: Verdict, reply: Reply) -> Judged {
        let ms = self.ended.elapsed().as_secs_f64() * 1000.0;
        let warnings = payload.as_ref().map(lint::warnings).unwrap_or_default();
        Judged { delivery: self.delivery, payload, verdict, warnings, reply, remote: self.remote, at: self.at, ms }
    }

    /// One whose body was not taken in.
    fn limited(self, why: Warning, reply: Reply) -> Judged {
        Judged { warnings: vec![why], ..self.judged(None, Verdict::Unchecked, reply) }
    }
}

/// A request of which everything is known, its answer included.
struct Judged {
    delivery: Delivery,
    payload: Option<Payload>,
    verdict: Verdict,
    warnings: Vec<Warning>,
    reply: Reply,
    remote: SocketAddr,
    at: Timestamp,
    /// From its last byte to the answer being ready.
    ms: f64,
}

/// What the listener answers, and who decided it.
#[derive(Clone)]
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
            books: Arc::new(Mutex::new(books)),
            counter,
        }
    }

    /// The counts, when everything before this has been entered.
    pub async fn tally(&self, awaited: Option<u64>, elapsed: Duration) -> Tally {
        Tally { awaited, elapsed, ..self.books.lock().await.tally.clone() }
    }

    /// Handles one request.
    pub async fn receive(self: Arc<Self>, request: Request<Incoming>, remote: SocketAddr) -> Response<Full<Bytes>> {
        if matches!(*request.method(), Method::GET | Method::HEAD) {
            return greeting();
        }
        let (head, incoming) = request.into_parts();
        let expects = head.headers.contains_key(EXPECT);
        let read = body::read(incoming, self.max_body, expects).await;
        let delivery = Delivery {
            method: head.method.as_str().to_owned(),
            target: head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned(),
            http: if head.version == Version::HTTP_10 { "1.0" } else { "1.1" }.to_owned(),
            headers: Headers::from(head.headers),
            body: Bytes::new(),
        };
        let arrival = Arrival { delivery, remote, at: self.clock.now(), ended: Instant::now() };
        let reply = match read {
            Ok(body) => self.judge(arrival.with(body)).await,
            Err(Refusal::TooLarge) => {
                let reply = Reply::new(StatusCode::PAYLOAD_TOO_LARGE, By::Limit, r#"{"error":"body too large"}"#);
                let why = Warning::new(
                    "body_too_large",
                    "",
                    format!("the body is over {} bytes, see --max-body", self.max_body),
                );
                self.enter(arrival.limited(why, reply)).await
            }
            Err(Refusal::TooSlow) => {
                let reply = Reply::new(StatusCode::REQUEST_TIMEOUT, By::Limit, r#"{"error":"body too slow"}"#);
                let why =
                    Warning::new("body_too_slow", "", format!("the body took longer than {} s", BODY_TIME.as_secs()));
                self.enter(arrival.limited(why, reply)).await
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
        self.books.lock().await.tally.refused += 1;
        let text = format!("a request from {remote} could not be read: {why}");
        // A writer that has gone ends the listener by itself.
        let _ = self.sink.say(Note::warning(text)).await;
    }

    async fn judge(self: &Arc<Self>, arrival: Arrival) -> Reply {
        let delivery = &arrival.delivery;
        let payload = Payload::read(&delivery.body, &delivery.headers, self.provider);
        let provider = payload.as_ref().map(|payload| payload.provider);
        let verdict = signature::check(delivery, &self.policy, arrival.at.as_second(), provider);
        let refused = verdict.is_invalid() && !self.allow_invalid;
        let reply = match refused {
            true => Reply::new(StatusCode::UNAUTHORIZED, By::Refused, r#"{"error":"invalid signature"}"#),
            false => Reply::new(StatusCode::OK, By::Script, r#"{"received":true}"#),
        };
        let judged = arrival.judged(payload, verdict, reply.clone());
        if !judged.verdict.is_invalid() {
            return self.enter(judged).await;
        }
        // Finding out why takes milliseconds; whatever comes after waits on the books for that, so that the order stays.
        let books = Arc::clone(&self.books).lock_owned().await;
        let desk = Arc::clone(self);
        let explaining = async move {
            let judged = desk.explain(judged).await;
            desk.enter_into(books, judged).await
        };
        if refused {
            // What is not acknowledged need not be recorded before it is answered.
            tokio::spawn(explaining);
            return reply;
        }
        explaining.await
    }

    /// Finds out why a delivery is invalid, on a thread of its own.
    async fn explain(self: &Arc<Self>, mut judged: Judged) -> Judged {
        let (desk, delivery, verdict) = (Arc::clone(self), judged.delivery.clone(), judged.verdict.clone());
        let now = judged.at.as_second();
        let why = move || signature::why(&delivery, &desk.policy, now, verdict);
        // Without an explanation it keeps the verdict that it has.
        if let Ok(explained) = tokio::task::spawn_blocking(why).await {
            judged.verdict = explained;
        }
        judged
    }

    async fn enter(&self, judged: Judged) -> Reply {
        let books = Arc::clone(&self.books).lock_owned().await;
        self.enter_into(books, judged).await
    }

    /// Puts a delivery on the books: numbered, written to the journal, counted, said. Between the place in the writer's
    /// queue and the end nothing waits, so a sender that hangs up cannot leave it half entered.
    async fn enter_into(&self, mut books: OwnedMutexGuard<Books>, judged: Judged) -> Reply {
        let Judged { delivery, payload, verdict, warnings, mut reply, remote, at, ms } = judged;
        let place = self.sink.place(delivery.body.len()).await;
        let books = &mut *books;
        books.seq += 1;
        let (seq, id) = (books.seq, record_id(at));
        let repeat = payload
            .as_ref()
            .and_then(|payload| books.history.note(payload, &delivery.body, &verdict, seq, &id, reply.status.as_u16()));
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
        match books.keep(&record) {
            Ok(()) => books.journal_fails = false,
            Err(failed) => {
                // Never an acknowledgement; a refusal stays what it is.
                if reply.by == By::Script {
                    reply = Reply::new(StatusCode::SERVICE_UNAVAILABLE, By::Refused, r#"{"error":"not recorded"}"#);
                    record.answer = Some(Answer::new(503, reply.by, ms));
                    books.history.answered(record.payload.as_ref(), &record.delivery.body, &record.verdict, 503);
                }
                self.complain(books, failed);
            }
        }
        let counted = books.count(&record);
        if let Ok(place) = place {
            place.say(Arc::new(record));
        }
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
        if judged {
            self.tally.add(record);
        }
        self.tally.refused += u64::from(!(200..300).contains(&status));
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
