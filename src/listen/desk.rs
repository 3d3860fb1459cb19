//! One delivery after the other: read, judged, recorded, answered, said.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, EXPECT, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use jiff::Timestamp;
use tokio::sync::{self, OwnedMutexGuard, watch};
use tokio::time::sleep;

use super::Config;
use super::answer::{Item, Script, Turns};
use super::body::{self, Refusal};
use super::books::{Books, Counted, Judged};
use super::expect::{Bench, Judge};
use super::forward::{App, Change};
use super::limits::{BODY_TIME, LAST_TIME};
use super::outputs::Outputs;
use super::reply::{Content, End, Ended, Reply, response, torn};
use super::socket::Line;
use super::wait::{Progress, Until};
use crate::clock::{Clock, record_id};
use crate::error::Error;
use crate::event::{Note, Sink};
use crate::io::journal::Journal;
use crate::payload::encoding::{self, Undecoded};
use crate::payload::lint::{self, Warning};
use crate::payload::record::By;
use crate::payload::signature::{self, Policy, Verdict};
use crate::payload::{Delivery, Headers, Payload, Provider, Redaction};

/// Where deliveries are handled.
pub struct Desk {
    provider: Option<&'static Provider>,
    policy: Policy,
    allow_invalid: bool,
    keep_secrets: bool,
    max_body: u64,
    script: Script,
    turns: Mutex<Turns>,
    app: Option<App>,
    ack_budget: Option<Duration>,
    clock: Arc<dyn Clock>,
    sink: Sink,
    /// Whoever holds them is next: journal, stream and counts have one order, that in which answers are ready.
    books: Arc<sync::Mutex<Books>>,
    outputs: Option<Outputs>,
    bench: Bench,
    until: Option<Until>,
    progress: watch::Sender<Progress>,
    /// Whether the listener ends, so that nothing may be waited for any more.
    ending: watch::Sender<bool>,
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

/// A delivery on the books.
struct Entered {
    /// How it ends.
    reply: Reply,
    /// What is told of it when it has ended: of one that is let hang. The others are told of already.
    step: Progress,
}

impl From<Reply> for Entered {
    fn from(reply: Reply) -> Self {
        Entered { reply, step: Progress::default() }
    }
}

/// Lets whoever waits know of a delivery when it is over.
struct Step<'a> {
    progress: &'a watch::Sender<Progress>,
    step: Progress,
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        if self.step.is_any() {
            self.progress.send_modify(|progress| progress.add(self.step));
        }
    }
}

impl Desk {
    /// A desk with empty books.
    pub fn new(
        config: &Config,
        journal: Option<Journal>,
        sink: Sink,
        clock: Arc<dyn Clock>,
        progress: watch::Sender<Progress>,
    ) -> Result<Self, Error> {
        let judge = Judge::new(config.expectations.clone(), config.report.is_some())?;
        let outputs = config.save_outputs.as_deref().map(|folder| Outputs::open(folder, sink.clone())).transpose()?;
        Ok(Desk {
            provider: config.provider,
            policy: config.policy.clone(),
            allow_invalid: config.allow_invalid,
            keep_secrets: config.keep_secrets,
            max_body: config.max_body,
            script: config.script.clone(),
            turns: Mutex::new(Turns::new(config.respond_each)),
            app: config.forward_to.clone().map(App::at).transpose()?,
            ack_budget: config.ack_budget,
            clock,
            bench: Bench::of(judge, sink.clone()),
            sink,
            books: Arc::new(sync::Mutex::new(Books::new(journal, config.events.clone()))),
            outputs,
            until: config.wait.until.clone(),
            progress,
            ending: watch::channel(false).0,
        })
    }

    /// Lets everything that waits be done: delays are over, and senders that hang are let go.
    pub fn end(&self) {
        self.ending.send_replace(true);
    }

    /// Resolves when the listener ends.
    pub async fn ended(&self) {
        // The sender is a field of this very desk.
        let _ = self.ending.subscribe().wait_for(|ends| *ends).await;
    }

    /// Waits so long, or until the listener ends.
    async fn wait(&self, time: Duration) {
        if !time.is_zero() {
            tokio::select! {
                () = sleep(time) => {}
                () = self.ended() => {}
            }
        }
    }

    /// Everything that was written down, when all before this has been entered.
    pub async fn books(&self) -> sync::MutexGuard<'_, Books> {
        self.books.lock().await
    }

    /// What came of the expectations, when all deliveries have been judged.
    pub async fn judged(&self) -> Result<Judge, Error> {
        self.bench.rise().await
    }

    /// Waits until the files of all deliveries so far are saved.
    pub async fn outputs_saved(&self) {
        if let Some(outputs) = &self.outputs {
            outputs.saved().await;
        }
    }

    /// Whether a sender may be let hang for as long as it likes.
    pub fn lets_hang(&self) -> bool {
        self.script.hangs()
    }

    /// Handles one request that came on `line`.
    pub async fn receive(
        self: Arc<Self>,
        request: Request<Incoming>,
        remote: SocketAddr,
        line: Line,
    ) -> Result<Response<Content>, Ended> {
        let looks = matches!(*request.method(), Method::GET | Method::HEAD);
        let app = self.app.as_ref().filter(|_| self.script.forwards());
        if looks && app.is_none() {
            return Ok(greeting());
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
        if let (true, Some(app)) = (looks, app) {
            let reply = match read {
                Ok(body) => self.forward(app, &Delivery { body, ..delivery }).await,
                Err(_) => Reply::new(StatusCode::BAD_REQUEST, By::Limit, r#"{"error":"body not taken in"}"#),
            };
            return self.carry_out(reply.into(), &line).await;
        }
        let arrival = Arrival { delivery, remote, at: self.clock.now(), ended: Instant::now() };
        let entered = match read {
            Ok(body) => self.judge(arrival.with(body)).await,
            Err(Refusal::TooLarge) => self.enter(self.too_large(arrival)).await,
            Err(Refusal::TooSlow) => {
                let reply = Reply::new(StatusCode::REQUEST_TIMEOUT, By::Limit, r#"{"error":"body too slow"}"#);
                let why =
                    Warning::new("body_too_slow", "", format!("the body took longer than {} s", BODY_TIME.as_secs()));
                self.enter(arrival.limited(why, reply)).await
            }
            Err(Refusal::CutOff) => {
                self.refused(remote, "it ended before its body was complete").await;
                Reply::new(StatusCode::BAD_REQUEST, By::Refused, r#"{"error":"body cut off"}"#).into()
            }
        };
        self.carry_out(entered, &line).await
    }

    /// Ends a request as it was decided and recorded.
    async fn carry_out(&self, entered: Entered, line: &Line) -> Result<Response<Content>, Ended> {
        // Told when this is over, however that comes.
        let _step = Step { progress: &self.progress, step: entered.step };
        match entered.reply.end {
            End::Answer { status, headers, body } => Ok(response(status, headers, body)),
            End::Truncate => Ok(torn()),
            End::Close => Err(Ended),
            End::Reset => {
                line.reset();
                Err(Ended)
            }
            End::Hang(time) => {
                match time {
                    Some(time) => self.wait(time).await,
                    None => tokio::select! {
                        () = self.ended() => {}
                        () = line.gone() => {}
                    },
                }
                Err(Ended)
            }
        }
    }

    /// Answers a request that came in plain text where only HTTPS is spoken.
    pub async fn in_plain_text(self: Arc<Self>, remote: SocketAddr) -> Result<Response<Content>, Ended> {
        self.refused(remote, "it came as plain HTTP, and here only HTTPS is spoken: the URL must begin with https://")
            .await;
        let text = Bytes::from_static(b"this port speaks HTTPS: the URL must begin with https://\n");
        Ok(response(StatusCode::BAD_REQUEST, plain(), text))
    }

    /// Notes a request that never became a delivery.
    pub async fn refused(&self, remote: SocketAddr, why: &str) {
        self.books.lock().await.refuse();
        let text = format!("a request from {remote} could not be read: {why}");
        // A writer that has gone ends the listener by itself.
        let _ = self.sink.say(Note::warning(text)).await;
    }

    async fn judge(self: &Arc<Self>, arrival: Arrival) -> Entered {
        let delivery = &arrival.delivery;
        let held = encoding::decode(&delivery.headers, &delivery.body, self.max_body);
        if held == Err(Undecoded::TooLarge) {
            return self.enter(self.too_large(arrival)).await;
        }
        let read = |held: &Bytes| Payload::read(held, &delivery.headers, self.provider);
        let payload = held.as_ref().ok().and_then(read);
        let provider = payload.as_ref().map(|payload| payload.provider);
        let verdict = signature::check(delivery, &self.policy, arrival.at.as_second(), provider);
        let refused = verdict.is_invalid() && !self.allow_invalid;
        let reply = match refused {
            true => Reply::new(StatusCode::UNAUTHORIZED, By::Refused, r#"{"error":"invalid signature"}"#),
            false => self.reply(delivery, payload.as_ref()).await,
        };
        let mut judged = arrival.judged(payload, verdict, reply.clone());
        judged.warnings.extend(self.too_late(&judged));
        if let Err(Undecoded::Flawed(reason)) = held {
            judged.warnings.push(Warning::new("body_not_decoded", "", reason));
        }
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
            return reply.into();
        }
        explaining.await
    }

    /// Refuses a body that is larger than it may be, as sent or as what it holds.
    fn too_large(&self, arrival: Arrival) -> Judged {
        let reply = Reply::new(StatusCode::PAYLOAD_TOO_LARGE, By::Limit, r#"{"error":"body too large"}"#);
        let text = format!("the body is over {} bytes, see --max-body", self.max_body);
        arrival.limited(Warning::new("body_too_large", "", text), reply)
    }

    /// What the script says to a delivery, when its time has come.
    async fn reply(&self, delivery: &Delivery, payload: Option<&Payload>) -> Reply {
        let key = payload.and_then(Payload::key);
        let taken = self.turns.lock().unwrap_or_else(PoisonError::into_inner).take(key.as_deref(), &delivery.body);
        let Item { act, delay, .. } = self.script.item(taken);
        self.wait(*delay).await;
        match (Reply::scripted(act), &self.app) {
            (Some(reply), _) => reply,
            (None, Some(app)) => self.forward(app, delivery).await,
            (None, None) => Reply::new(StatusCode::BAD_GATEWAY, By::Script, r#"{"error":"there is no app"}"#),
        }
    }

    async fn forward(&self, app: &App, delivery: &Delivery) -> Reply {
        let end = async {
            self.ended().await;
            sleep(LAST_TIME).await;
        };
        let (reply, change) = tokio::select! {
            answered = app.answer(delivery) => answered,
            () = end => (Reply::unanswered(StatusCode::GATEWAY_TIMEOUT, "no answer before the end".into()), None),
        };
        let note = match change {
            None => return reply,
            Some(Change::Back) => Note::info(format!("the app at {app} answers again")),
            Some(Change::Gone(reason)) => {
                let status = reply.status().unwrap_or_default();
                let text = format!(
                    "the app at {app} gave no answer: {reason}; deliveries are answered {status} until it does"
                );
                Note::warning(text)
            }
        };
        // A writer that has gone ends the listener by itself.
        let _ = self.sink.say(note).await;
        reply
    }

    /// Whether the sender had given up before the answer was ready.
    fn too_late(&self, judged: &Judged) -> Option<Warning> {
        judged.reply.status()?;
        let theirs = || {
            let payload = judged.payload.as_ref()?;
            Some((payload.shape.retry.answer_within?, payload.provider.label))
        };
        let (budget, whose) = match self.ack_budget {
            Some(budget) => (budget, "--ack-budget"),
            None => theirs()?,
        };
        let took = Duration::try_from_secs_f64(judged.ms / 1000.0).ok().filter(|took| *took > budget)?;
        let text = format!("the answer was ready after {:.1} s, but {whose} allows {budget:?}", took.as_secs_f64());
        Some(Warning::new("late_answer", "", text))
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

    async fn enter(self: &Arc<Self>, judged: Judged) -> Entered {
        let books = Arc::clone(&self.books).lock_owned().await;
        self.enter_into(books, judged).await
    }

    /// Puts a delivery on the books: numbered, written to the journal, counted, said. Between the place in the writer's
    /// queue and the end nothing waits, so a sender that hangs up cannot leave it half entered.
    async fn enter_into(self: &Arc<Self>, mut books: OwnedMutexGuard<Books>, mut judged: Judged) -> Entered {
        let place = self.sink.place(judged.delivery.body.len()).await;
        let room = match &self.outputs {
            Some(outputs) => outputs.room().await,
            None => None,
        };
        let bench = self.bench.place().await;
        let mut reply = judged.reply.clone();
        if !self.keep_secrets {
            let redaction = Redaction::of(&self.policy.secrets, self.policy.scheme);
            judged.delivery = redaction.delivery(judged.delivery);
            judged.reply.line = judged.reply.line.map(|line| redaction.text(line));
        }
        let mut record = books.record(record_id(judged.at), judged);
        if let Err(failed) = books.keep(&record) {
            // Never an acknowledgement; a refusal stays what it is.
            if reply.may_acknowledge() {
                reply = Reply::new(StatusCode::SERVICE_UNAVAILABLE, By::Refused, r#"{"error":"not recorded"}"#);
                books.correct(&mut record, &reply);
            }
            if let Some(failed) = failed {
                self.complain(&failed);
            }
        }
        let Counted { shown, counted } = books.count(&record);
        let until = self.until.as_ref().is_some_and(|until| until.is_met_by(&record));
        let record = Arc::new(record);
        if let (true, Ok(place)) = (shown, place) {
            place.say(Arc::clone(&record));
        }
        if let (true, Some(bench)) = (counted, bench) {
            bench.judge(Arc::clone(&record));
        }
        // Of a delivery that a signature or a limit speaks against, nothing comes onto the disk.
        if let (true, true, Some(room)) = (shown, reply.is_answered(), room) {
            room.save(record);
        }
        let step = Progress { deliveries: u64::from(counted), until };
        if matches!(reply.end, End::Hang(_)) {
            return Entered { reply, step };
        }
        self.progress.send_modify(|progress| progress.add(step));
        reply.into()
    }

    /// Says that the journal cannot be written.
    fn complain(&self, failed: &Error) {
        let sink = self.sink.clone();
        let text = format!("{failed}; deliveries are answered 503 until it can be written again");
        tokio::spawn(async move { sink.say(Note::warning(text)).await });
    }
}

/// What a browser or a health check gets to see where no app is asked. It is no delivery.
fn greeting() -> Response<Content> {
    let text = "hookctl is listening: POST a webhook to any path\n";
    response(StatusCode::OK, plain(), Bytes::from_static(text.as_bytes()))
}

fn plain() -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))])
}
