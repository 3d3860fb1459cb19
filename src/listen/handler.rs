//! Where deliveries are handled, one after the other: read, judged, handed to the clerk, answered.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::available_parallelism;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, EXPECT, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::sleep;

use super::Config;
use super::body::{self, BodyError, BodyLimits, BodyMemory};
use super::connection::ConnectionState;
use super::expectations::{CheckerTask, ExpectationChecker};
use super::forward::{App, AppChange};
use super::limits::{LAST_TIME, ListenLimits, TARGET_BYTES, WAITING};
use super::outputs::Outputs;
use super::recorder;
use super::recorder::{Decided, RecorderMsg};
use super::response::{ConnectionClosed, HandlerResponse, ResponseBody, ResponseKind, response, torn};
use super::script::{Script, ScriptItem, ScriptPosition};
use super::session::{PendingDelivery, Session};
use super::shutdown::{ListenProgress, Until};
use crate::clock::Clock;
use crate::error::Error;
use crate::event::{Note, Sink};
use crate::journal::Redaction;
use crate::journal::file::Journal;
use crate::journal::record::AnsweredBy;
use crate::payload::delivery::method_name;
use crate::payload::lint::Warning;
use crate::payload::{Delivery, Headers, Payload, Provider};
use crate::signature::Policy;

use super::verify::ReceivedRequest;

/// Where deliveries are handled.
pub(crate) struct Handler {
    pub(crate) provider: Option<&'static Provider>,
    pub(crate) policy: Policy,
    pub(crate) allow_invalid: bool,
    pub(crate) keep_secrets: bool,
    pub(crate) max_body: u64,
    pub(crate) limits: ListenLimits,
    pub(crate) memory: BodyMemory,
    pub(crate) script: Script,
    pub(crate) turns: Mutex<ScriptPosition>,
    /// Room beside the thread that serves all connections.
    pub(crate) beside: Arc<Semaphore>,
    pub(crate) app: Option<App>,
    pub(crate) ack_budget: Option<Duration>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sink: Sink,
    /// To the clerk, who keeps the books. Journal, stream and counts have one order, that in which answers are ready.
    pub(crate) entries: mpsc::Sender<RecorderMsg>,
    pub(crate) outputs: Option<Outputs>,
    pub(crate) bench: CheckerTask,
    pub(crate) until: Option<Until>,
    pub(crate) progress: watch::Sender<ListenProgress>,
    /// Whether the listener ends, so that nothing may be waited for any more.
    pub(crate) ending: watch::Sender<bool>,
}

/// How a request ends.
pub(crate) struct HandlerResult {
    pub(crate) reply: HandlerResponse,
    /// What is told of it then, where that is still to be told.
    pub(crate) step: Option<DeferredProgress>,
}

impl From<HandlerResponse> for HandlerResult {
    fn from(reply: HandlerResponse) -> Self {
        HandlerResult { reply, step: None }
    }
}

/// What the clerk says of a delivery that was entered.
pub(crate) struct Recorded {
    /// Whether it is answered as was decided, and not as one that is recorded nowhere.
    pub(crate) stands: bool,
    /// What is told of it when it has ended: of one that is let hang. The others are told of without it.
    pub(crate) step: Option<DeferredProgress>,
}

/// Lets whoever waits know of a delivery when it is over, however that comes.
pub(crate) struct DeferredProgress {
    progress: watch::Sender<ListenProgress>,
    step: ListenProgress,
}

impl Drop for DeferredProgress {
    fn drop(&mut self) {
        if self.step.is_any() {
            self.progress.send_modify(|progress| progress.add(self.step));
        }
    }
}

impl Handler {
    /// A desk, with a clerk at empty books.
    pub(crate) fn open(
        config: &Config,
        journal: Option<Journal>,
        sink: Sink,
        clock: Arc<dyn Clock>,
        progress: watch::Sender<ListenProgress>,
    ) -> Result<Arc<Self>, Error> {
        let redaction = Redaction::of(&config.policy.secrets, config.policy.scheme);
        let judge = ExpectationChecker::new(config.expectations.clone(), config.report.is_some())?;
        let outputs = config.save_outputs.as_deref().map(|folder| Outputs::open(folder, sink.clone())).transpose()?;
        let (entries, entered) = mpsc::channel(WAITING);
        let desk = Arc::new(Handler {
            provider: config.provider,
            policy: config.policy.clone(),
            allow_invalid: config.allow_invalid,
            keep_secrets: config.keep_secrets,
            max_body: config.max_body,
            limits: config.limits,
            memory: BodyMemory::of_deliveries(&config.limits, config.max_body),
            script: config.script.clone(),
            turns: Mutex::new(ScriptPosition::new(config.respond_each)),
            beside: Arc::new(Semaphore::new(available_parallelism().map_or(0, |cores| cores.get() - 1))),
            app: config.forward_to.clone().map(|url| App::at(url, &redaction, &config.limits)).transpose()?,
            ack_budget: config.ack_budget,
            clock,
            bench: CheckerTask::of(judge, sink.clone()),
            sink,
            entries,
            outputs,
            until: config.wait.until.clone(),
            progress,
            ending: watch::channel(false).0,
        });
        let books = Session::new(config.events.clone());
        tokio::spawn(recorder::work(Arc::clone(&desk), books, journal, entered));
        Ok(desk)
    }

    /// Lets everything that waits be done: delays are over, and senders that hang are let go.
    pub(crate) fn end(&self) {
        self.ending.send_replace(true);
    }

    /// Resolves when the listener ends.
    pub(crate) async fn ended(&self) {
        // The sender is a field of this very desk.
        let _ = self.ending.subscribe().wait_for(|ends| *ends).await;
    }

    /// Waits so long, or until the listener ends.
    async fn wait(&self, time: Duration) {
        tokio::select! {
            () = sleep(time) => {}
            () = self.ended() => {}
        }
    }

    /// Everything that was written down, when all before this has been entered. Nothing is entered after it.
    pub(crate) async fn close(&self) -> Result<Session, Error> {
        let (asks, books) = oneshot::channel();
        // A clerk that has gone has left no books.
        let _ = self.entries.send(RecorderMsg::Close(asks)).await;
        books.await.map_err(|_| Error::Setup { what: "the books", reason: "their clerk stopped".into() })
    }

    /// What came of the expectations, when all deliveries have been judged.
    pub(crate) async fn judged(&self) -> Result<ExpectationChecker, Error> {
        self.bench.rise().await
    }

    /// Waits until the files of all deliveries so far are saved.
    pub(crate) async fn outputs_saved(&self) {
        if let Some(outputs) = &self.outputs {
            outputs.saved().await;
        }
    }

    /// Whether a sender may be let hang for as long as it likes.
    pub(crate) fn lets_hang(&self) -> bool {
        self.script.hangs()
    }

    /// Whether all answers are short.
    pub(crate) fn answers_briefly(&self) -> bool {
        self.script.is_brief()
    }

    /// Whether deliveries are passed on, each over a connection of its own.
    pub(crate) fn forwards(&self) -> bool {
        self.script.forwards()
    }

    /// Handles one request that came on `line`.
    ///
    /// Its future is moved with each delivery, and is as large as all it may ever hold: so a request is taken apart before,
    /// and whatever is rarely awaited, here and below, is boxed.
    pub(crate) fn receive(
        self: Arc<Self>,
        request: Request<Incoming>,
        remote: Arc<str>,
        line: ConnectionState,
    ) -> impl Future<Output = Result<Response<ResponseBody>, ConnectionClosed>> {
        let (head, incoming) = request.into_parts();
        let looks = matches!(head.method, Method::GET | Method::HEAD);
        let expects = head.headers.contains_key(EXPECT);
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
        let delivery = Delivery {
            method: method_name(&head.method),
            target: target.to_owned(),
            http: if head.version == Version::HTTP_10 { "1.0" } else { "1.1" }.into(),
            headers: Headers::from(head.headers),
            body: Bytes::new(),
        };
        async move {
            let app = self.app.as_ref().filter(|_| self.script.forwards());
            if looks && app.is_none() {
                return Ok(greeting());
            }
            if delivery.target.len() > TARGET_BYTES {
                let why = format!("its path and query are longer than {TARGET_BYTES} bytes");
                Box::pin(self.refused(&remote, &why)).await;
                return Ok(response(StatusCode::URI_TOO_LONG, plain(), Bytes::from_static(b"the path is too long\n")));
            }
            let time = self.limits.body_time;
            let reading = BodyLimits { max: self.max_body, time, memory: &self.memory, at_once: false };
            let read = body::read(incoming, reading, expects).await;
            line.whole();
            if let (true, Some(app)) = (looks, app) {
                let reply = match read {
                    Ok((body, _share)) => Box::pin(self.forward(app, &Delivery { body, ..delivery })).await,
                    Err(_) => HandlerResponse::new(
                        StatusCode::BAD_REQUEST,
                        AnsweredBy::Limit,
                        r#"{"error":"body not taken in"}"#,
                    ),
                };
                return self.carry_out(reply.into(), &line).await;
            }
            let arrival = ReceivedRequest::new(delivery, &remote, self.clock.now());
            let ending = match read {
                Ok((body, share)) => self.judge(arrival.with(body, share)).await,
                Err(BodyError::Crowded) => Box::pin(self.too_crowded(arrival)).await,
                Err(BodyError::TooLarge) => Box::pin(self.too_large(arrival)).await,
                Err(BodyError::TooSlow) => {
                    let reply = HandlerResponse::new(
                        StatusCode::REQUEST_TIMEOUT,
                        AnsweredBy::Limit,
                        r#"{"error":"body too slow"}"#,
                    );
                    let why = Warning::new("body_too_slow", "", format!("the body took longer than {time:?}"));
                    Box::pin(self.limited(arrival, why, reply)).await
                }
                Err(BodyError::CutOff) => {
                    Box::pin(self.refused(&remote, "it ended before its body was complete")).await;
                    HandlerResponse::new(StatusCode::BAD_REQUEST, AnsweredBy::Refused, r#"{"error":"body cut off"}"#)
                        .into()
                }
            };
            self.carry_out(ending, &line).await
        }
    }

    /// Ends a request as it was decided and recorded.
    async fn carry_out(
        &self,
        ending: HandlerResult,
        line: &ConnectionState,
    ) -> Result<Response<ResponseBody>, ConnectionClosed> {
        let HandlerResult { reply, step: _step } = ending;
        match reply.end {
            ResponseKind::Answer { status, headers, body } => {
                line.answered();
                Ok(response(status, headers, body))
            }
            ResponseKind::Truncate => Ok(torn()),
            ResponseKind::Close => Err(ConnectionClosed),
            ResponseKind::Reset => {
                line.reset();
                Err(ConnectionClosed)
            }
            ResponseKind::Hang(time) => {
                Box::pin(self.hang(time, line)).await;
                Err(ConnectionClosed)
            }
        }
    }

    /// Lets a sender wait for so long, or for as long as it likes.
    async fn hang(&self, time: Option<Duration>, line: &ConnectionState) {
        match time {
            Some(Duration::ZERO) => {}
            Some(time) => self.wait(time).await,
            None => tokio::select! {
                () = self.ended() => {}
                () = line.gone() => {}
            },
        }
    }

    /// Answers a request that came in plain text where only HTTPS is spoken.
    pub(crate) async fn in_plain_text(
        self: Arc<Self>,
        remote: Arc<str>,
    ) -> Result<Response<ResponseBody>, ConnectionClosed> {
        self.refused(&remote, "it came as plain HTTP, and here only HTTPS is spoken: the URL must begin with https://")
            .await;
        let text = Bytes::from_static(b"this port speaks HTTPS: the URL must begin with https://\n");
        Ok(response(StatusCode::BAD_REQUEST, plain(), text))
    }

    /// Notes a request that never became a delivery.
    pub(crate) async fn refused(&self, remote: &str, why: &str) {
        // A clerk that has gone counts nothing any more.
        let _ = self.entries.send(RecorderMsg::Refused).await;
        let text = format!("a request from {remote} could not be read: {why}");
        // A writer that has gone ends the listener by itself.
        let _ = self.sink.send_or_skip(Note::warning(text)).await;
    }

    /// What the script says to a delivery, when its time has come.
    pub(crate) async fn reply(&self, delivery: &Delivery, payload: Option<&Payload>) -> HandlerResponse {
        let key = || payload.and_then(Payload::key);
        let taken = self.turns.lock().unwrap_or_else(PoisonError::into_inner).take(key, &delivery.body);
        let ScriptItem { act, delay, .. } = self.script.item(taken);
        if !delay.is_zero() {
            Box::pin(self.wait(*delay)).await;
        }
        match (HandlerResponse::scripted(act), &self.app) {
            (Some(reply), _) => reply,
            (None, Some(app)) => Box::pin(self.forward(app, delivery)).await,
            (None, None) => {
                HandlerResponse::new(StatusCode::BAD_GATEWAY, AnsweredBy::Script, r#"{"error":"there is no app"}"#)
            }
        }
    }

    pub(crate) async fn forward(&self, app: &App, delivery: &Delivery) -> HandlerResponse {
        let end = async {
            self.ended().await;
            sleep(LAST_TIME).await;
        };
        let (reply, change) = tokio::select! {
            answered = app.answer(delivery) => answered,
            () = end => (HandlerResponse::unanswered(StatusCode::GATEWAY_TIMEOUT, "no answer before the end".into()), None),
        };
        let note = match change {
            None => return reply,
            Some(AppChange::Back) => Note::info(format!("the app at {app} answers again")),
            Some(AppChange::Gone(reason)) => {
                let status = reply.status().unwrap_or_default();
                let text = format!(
                    "the app at {app} gave no answer: {reason}; deliveries are answered {status} until it does"
                );
                Note::warning(text)
            }
        };
        // A writer that has gone ends the listener by itself.
        let _ = self.sink.send_or_skip(note).await;
        reply
    }

    /// Puts a delivery on the books that was decided to end like this, and gives how it does.
    pub(crate) async fn enter(&self, pending: Box<PendingDelivery>, reply: HandlerResponse) -> HandlerResult {
        let (asks, entered) = oneshot::channel();
        let _ = self.hand_in(pending, Some(asks)).await;
        match entered.await {
            Ok(Recorded { stands: true, step }) => HandlerResult { reply, step },
            Ok(Recorded { stands: false, step }) => HandlerResult { reply: HandlerResponse::not_recorded(), step },
            // After the end nothing is entered.
            Err(_) => HandlerResponse::not_recorded().into(),
        }
    }

    /// Hands a delivery to the clerk. From there on a sender that hangs up cannot leave it half entered.
    pub(crate) async fn hand_in(
        &self,
        pending: Box<PendingDelivery>,
        asks: Option<oneshot::Sender<Recorded>>,
    ) -> Result<(), ConnectionClosed> {
        let unexplained = pending.record.verdict.is_invalid();
        let delivered = Decided { pending, unexplained, asks };
        self.entries.send(RecorderMsg::Delivery(delivered)).await.map_err(|_| ConnectionClosed)
    }

    /// Lets whoever waits know how far it has come.
    pub(crate) fn progressed(&self, step: ListenProgress) {
        if step.is_any() {
            self.progress.send_modify(|progress| progress.add(step));
        }
    }

    /// Lets whoever waits know that only when the delivery is over.
    pub(crate) fn progressing(&self, step: ListenProgress) -> DeferredProgress {
        DeferredProgress { progress: self.progress.clone(), step }
    }
}

/// What a browser or a health check gets to see where no app is asked. It is no delivery.
fn greeting() -> Response<ResponseBody> {
    let text = "hookctl is listening: POST a webhook to any path\n";
    response(StatusCode::OK, plain(), Bytes::from_static(text.as_bytes()))
}

fn plain() -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))])
}
