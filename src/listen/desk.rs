//! One delivery after the other: read, judged, recorded, answered, said.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, EXPECT, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use jiff::Timestamp;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::Config;
use super::answer::{Item, Script, Turns};
use super::body::{self, Memory, Reading, Refusal, Share};
use super::books::{Books, Judged};
use super::clerk::{self, Delivered, Entry};
use super::expect::{Bench, Judge};
use super::forward::{App, Change};
use super::limits::{LAST_TIME, Limits, TARGET_BYTES, WAITING};
use super::outputs::Outputs;
use super::reply::{Content, End, Ended, Reply, response, torn};
use super::socket::Line;
use super::wait::{Progress, Until};
use crate::clock::Clock;
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
    pub(super) policy: Policy,
    allow_invalid: bool,
    pub(super) keep_secrets: bool,
    max_body: u64,
    pub(super) limits: Limits,
    memory: Memory,
    script: Script,
    turns: Mutex<Turns>,
    /// Room beside the thread that serves all connections.
    beside: Arc<Semaphore>,
    app: Option<App>,
    ack_budget: Option<Duration>,
    clock: Arc<dyn Clock>,
    pub(super) sink: Sink,
    /// To the clerk, who keeps the books. Journal, stream and counts have one order, that in which answers are ready.
    entries: mpsc::Sender<Entry>,
    pub(super) outputs: Option<Outputs>,
    pub(super) bench: Bench,
    pub(super) until: Option<Until>,
    progress: watch::Sender<Progress>,
    /// Whether the listener ends, so that nothing may be waited for any more.
    ending: watch::Sender<bool>,
}

/// From this size of a body on, in bytes, it pays to hand it to another thread: a digest over it takes a tenth of a
/// millisecond, handing it over some hundredth.
const LARGE: usize = 128 * 1024;

/// A request that was read.
struct Arrival {
    delivery: Delivery,
    remote: SocketAddr,
    /// When it was complete, by the clock.
    at: Timestamp,
    /// The same, for measuring.
    ended: Instant,
    /// How much memory its body takes, unpacked.
    held: usize,
    /// Its share of what all bodies together may take.
    share: Share,
}

impl Arrival {
    fn with(mut self, body: Bytes, share: Share) -> Self {
        (self.held, self.share) = (body.len(), share);
        self.delivery.body = body;
        self
    }

    fn judged(self, payload: Option<Payload>, verdict: Verdict, reply: Reply) -> Judged {
        let ms = self.ended.elapsed().as_secs_f64() * 1000.0;
        let warnings = payload.as_ref().map(lint::warnings).unwrap_or_default();
        let Arrival { delivery, remote, at, held, share, .. } = self;
        Judged { delivery, payload, verdict, warnings, reply, remote, at, ms, held, share }
    }

    /// One whose body was not taken in.
    fn limited(self, why: Warning, reply: Reply) -> Judged {
        Judged { warnings: vec![why], ..self.judged(None, Verdict::Unchecked, reply) }
    }
}

/// A delivery on the books.
pub struct Entered {
    /// How it ends.
    reply: Reply,
    /// What is told of it when it has ended: of one that is let hang. The others are told of already.
    step: Option<Step>,
}

impl From<Reply> for Entered {
    fn from(reply: Reply) -> Self {
        Entered { reply, step: None }
    }
}

/// Lets whoever waits know of a delivery when it is over, however that comes.
struct Step {
    progress: watch::Sender<Progress>,
    step: Progress,
}

impl Drop for Step {
    fn drop(&mut self) {
        if self.step.is_any() {
            self.progress.send_modify(|progress| progress.add(self.step));
        }
    }
}

impl Desk {
    /// A desk, with a clerk at empty books.
    pub fn open(
        config: &Config,
        journal: Option<Journal>,
        sink: Sink,
        clock: Arc<dyn Clock>,
        progress: watch::Sender<Progress>,
    ) -> Result<Arc<Self>, Error> {
        let redaction = Redaction::of(&config.policy.secrets, config.policy.scheme);
        let judge = Judge::new(config.expectations.clone(), config.report.is_some())?;
        let outputs = config.save_outputs.as_deref().map(|folder| Outputs::open(folder, sink.clone())).transpose()?;
        let (entries, entered) = mpsc::channel(WAITING);
        let desk = Arc::new(Desk {
            provider: config.provider,
            policy: config.policy.clone(),
            allow_invalid: config.allow_invalid,
            keep_secrets: config.keep_secrets,
            max_body: config.max_body,
            limits: config.limits,
            memory: Memory::of_deliveries(&config.limits, config.max_body),
            script: config.script.clone(),
            turns: Mutex::new(Turns::new(config.respond_each)),
            beside: Arc::new(Semaphore::new(available_parallelism().map_or(0, |cores| cores.get() - 1))),
            app: config.forward_to.clone().map(|url| App::at(url, &redaction, &config.limits)).transpose()?,
            ack_budget: config.ack_budget,
            clock,
            bench: Bench::of(judge, sink.clone()),
            sink,
            entries,
            outputs,
            until: config.wait.until.clone(),
            progress,
            ending: watch::channel(false).0,
        });
        let books = Books::new(config.events.clone());
        tokio::spawn(clerk::work(Arc::clone(&desk), books, journal, entered));
        Ok(desk)
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

    /// Everything that was written down, when all before this has been entered. Nothing is entered after it.
    pub async fn close(&self) -> Result<Books, Error> {
        let (asks, books) = oneshot::channel();
        // A clerk that has gone has left no books.
        let _ = self.entries.send(Entry::Close(asks)).await;
        books.await.map_err(|_| Error::Setup { what: "the books", reason: "their clerk stopped".into() })
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

    /// Whether deliveries are passed on, each over a connection of its own.
    pub fn forwards(&self) -> bool {
        self.script.forwards()
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
        if head.uri.path_and_query().is_some_and(|target| target.as_str().len() > TARGET_BYTES) {
            self.refused(remote, &format!("its path and query are longer than {TARGET_BYTES} bytes")).await;
            return Ok(response(StatusCode::URI_TOO_LONG, plain(), Bytes::from_static(b"the path is too long\n")));
        }
        let Limits { body_time: time, .. } = self.limits;
        let read = body::read(incoming, Reading { max: self.max_body, time, memory: &self.memory }, expects).await;
        line.whole();
        let delivery = Delivery {
            method: head.method.as_str().to_owned(),
            target: head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned(),
            http: if head.version == Version::HTTP_10 { "1.0" } else { "1.1" }.to_owned(),
            headers: Headers::from(head.headers),
            body: Bytes::new(),
        };
        if let (true, Some(app)) = (looks, app) {
            let reply = match read {
                Ok((body, _share)) => self.forward(app, &Delivery { body, ..delivery }).await,
                Err(_) => Reply::new(StatusCode::BAD_REQUEST, By::Limit, r#"{"error":"body not taken in"}"#),
            };
            return self.carry_out(reply.into(), &line).await;
        }
        let (at, ended) = (self.clock.now(), Instant::now());
        let arrival = Arrival { delivery, remote, at, ended, held: 0, share: Share::default() };
        let entered = match read {
            Ok((body, share)) => self.judge(arrival.with(body, share)).await,
            Err(Refusal::Crowded) => self.enter(self.too_crowded(arrival)).await,
            Err(Refusal::TooLarge) => self.enter(self.too_large(arrival)).await,
            Err(Refusal::TooSlow) => {
                let reply = Reply::new(StatusCode::REQUEST_TIMEOUT, By::Limit, r#"{"error":"body too slow"}"#);
                let why = Warning::new("body_too_slow", "", format!("the body took longer than {time:?}"));
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
        let Entered { reply, step: _step } = entered;
        match reply.end {
            End::Answer { status, headers, body } => {
                line.answered();
                Ok(response(status, headers, body))
            }
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
        // A clerk that has gone counts nothing any more.
        let _ = self.entries.send(Entry::Refused).await;
        let text = format!("a request from {remote} could not be read: {why}");
        // A writer that has gone ends the listener by itself.
        let _ = self.sink.remark(Note::warning(text)).await;
    }

    async fn judge(self: &Arc<Self>, mut arrival: Arrival) -> Entered {
        // Whatever is packed may be as large as can be: so much must be free while it is unpacked.
        let mut room = Share::default();
        if !encoding::named(&arrival.delivery.headers).is_empty() {
            let largest = usize::try_from(self.max_body).unwrap_or(usize::MAX);
            if self.memory.take(largest, &mut room).await.is_err() {
                return self.enter(self.too_crowded(arrival)).await;
            }
        }
        let delivery = &arrival.delivery;
        let held = encoding::decode(&delivery.headers, &delivery.body, self.max_body);
        if held == Err(Undecoded::TooLarge) {
            return self.enter(self.too_large(arrival)).await;
        }
        let unpacked =
            held.as_ref().map_or(0, |held| if held.as_ptr() == delivery.body.as_ptr() { 0 } else { held.len() });
        arrival.held += unpacked;
        room.keep(unpacked);
        arrival.share.add(room);
        let (payload, verdict) = self.examine(&mut arrival, held.as_ref().ok()).await;
        let refused = verdict.is_invalid() && !self.allow_invalid;
        let reply = match refused {
            true => Reply::new(StatusCode::UNAUTHORIZED, By::Refused, r#"{"error":"invalid signature"}"#),
            false => self.reply(&arrival.delivery, payload.as_ref()).await,
        };
        let mut judged = arrival.judged(payload, verdict, reply);
        judged.warnings.extend(self.too_late(&judged));
        if let Err(Undecoded::Flawed(reason)) = held {
            judged.warnings.push(Warning::new("body_not_decoded", "", reason));
        }
        if refused {
            // What is not acknowledged need not be recorded before it is answered.
            let reply = judged.reply.clone();
            let _ = self.hand_in(judged, None).await;
            return reply.into();
        }
        self.enter(judged).await
    }

    /// What a delivery says, and what is said of its signature. A large one is examined beside the thread that serves all
    /// connections, unless another one is there already: then that would only wait.
    async fn examine(self: &Arc<Self>, arrival: &mut Arrival, held: Option<&Bytes>) -> (Option<Payload>, Verdict) {
        let now = arrival.at.as_second();
        if arrival.held >= LARGE
            && let Ok(permit) = Arc::clone(&self.beside).try_acquire_owned()
        {
            let (desk, delivery, held) = (Arc::clone(self), arrival.delivery.clone(), held.cloned());
            // It goes along: a sender that hangs up meanwhile does not give back what is still held here.
            let share = std::mem::take(&mut arrival.share);
            let examined = spawn_blocking(move || {
                let examined = desk.look_at(&delivery, held.as_ref(), now);
                drop(permit);
                (examined, share)
            });
            if let Ok((examined, share)) = examined.await {
                arrival.share = share;
                return examined;
            }
        }
        self.look_at(&arrival.delivery, held, now)
    }

    fn look_at(&self, delivery: &Delivery, held: Option<&Bytes>, now: i64) -> (Option<Payload>, Verdict) {
        let payload = held.and_then(|held| Payload::read(held, &delivery.headers, self.provider));
        let provider = payload.as_ref().map(|payload| payload.provider);
        let verdict = signature::check(delivery, &self.policy, now, provider);
        (payload, verdict)
    }

    /// Refuses a body that is larger than it may be, as sent or as what it holds.
    fn too_large(&self, arrival: Arrival) -> Judged {
        let reply = Reply::new(StatusCode::PAYLOAD_TOO_LARGE, By::Limit, r#"{"error":"body too large"}"#);
        let text = format!("the body is over {} bytes, see --max-body", self.max_body);
        arrival.limited(Warning::new("body_too_large", "", text), reply)
    }

    /// Refuses a body for which there is no memory now.
    fn too_crowded(&self, arrival: Arrival) -> Judged {
        let reply = Reply::new(StatusCode::SERVICE_UNAVAILABLE, By::Limit, r#"{"error":"too many bodies at once"}"#);
        let text =
            format!("all bodies together were over {} bytes, more than are held at once", self.limits.held_bytes);
        arrival.limited(Warning::new("too_many_bodies", "", text), reply)
    }

    /// What the script says to a delivery, when its time has come.
    async fn reply(&self, delivery: &Delivery, payload: Option<&Payload>) -> Reply {
        let key = || payload.and_then(Payload::key);
        let taken = self.turns.lock().unwrap_or_else(PoisonError::into_inner).take(key, &delivery.body);
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
        let _ = self.sink.remark(note).await;
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
    pub(super) async fn explain(self: &Arc<Self>, mut judged: Judged) -> Judged {
        let (desk, delivery, verdict) = (Arc::clone(self), judged.delivery.clone(), judged.verdict.clone());
        let now = judged.at.as_second();
        let why = move || signature::why(&delivery, &desk.policy, now, verdict);
        // Without an explanation it keeps the verdict that it has.
        if let Ok(explained) = spawn_blocking(why).await {
            judged.verdict = explained;
        }
        judged
    }

    /// Puts a delivery on the books, and gives how it ends.
    async fn enter(&self, judged: Judged) -> Entered {
        let (asks, entered) = oneshot::channel();
        let _ = self.hand_in(judged, Some(asks)).await;
        // After the end nothing is entered.
        entered.await.unwrap_or_else(|_| Reply::not_recorded().into())
    }

    /// Hands a delivery to the clerk. From there on a sender that hangs up cannot leave it half entered.
    async fn hand_in(&self, judged: Judged, asks: Option<oneshot::Sender<Entered>>) -> Result<(), Ended> {
        let unexplained = judged.verdict.is_invalid();
        let delivered = Box::new(Delivered { judged, unexplained, asks });
        self.entries.send(Entry::Delivery(delivered)).await.map_err(|_| Ended)
    }

    /// Lets whoever waits know of a delivery that ends like this: of one that is let hang not before that is over.
    pub(super) fn entered(&self, reply: Reply, step: Progress) -> Entered {
        if matches!(reply.end, End::Hang(_)) {
            return Entered { reply, step: Some(Step { progress: self.progress.clone(), step }) };
        }
        self.progress.send_modify(|progress| progress.add(step));
        reply.into()
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
