//! Handles one request: reads the body, verifies the delivery, decides the response, records the delivery, and responds.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, EXPECT, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use tokio::sync::watch;
use tokio::time::sleep;

use super::body::{self, BodyError, BodyLimits, BodyMemory};
use super::config::Config;
use super::forward::{App, AppChange};
use super::limits::{APP_GRACE_TIME, ListenLimits, TARGET_BYTES};
use super::pending::ReceivedRequest;
use super::recorder::{DeferredProgress, Recorded, RecorderHandle};
use super::response::{ConnectionClosed, HandlerResponse, ResponseBody, ResponseKind, response, truncated};
use super::script::{Script, ScriptItem, ScriptPosition};
use super::socket::ConnectionState;
use super::verify::Verifier;
use crate::clock::Now;
use crate::error::Error;
use crate::event::{Note, Sink};
use crate::journal::record::AnsweredBy;
use crate::journal::{Record, Redaction};
use crate::payload::delivery::method_name;
use crate::payload::lint::Warning;
use crate::payload::{Delivery, Headers, Payload};

pub(crate) struct Handler {
    verifier: Arc<Verifier>,
    allow_invalid: bool,
    max_body: u64,
    memory: BodyMemory,
    pub(crate) limits: ListenLimits,
    script: Script,
    position: Mutex<ScriptPosition>,
    app: Option<App>,
    ack_budget: Option<Duration>,
    recorder: RecorderHandle,
    sink: Sink,
    clock: Now,
    /// Becomes true when the shutdown begins: from then on the delays of the script end at once.
    ending: watch::Sender<bool>,
}

/// The decided response of a request, and the progress to publish when the connection has ended.
struct HandlerResult {
    response: HandlerResponse,
    progress: Option<DeferredProgress>,
}

impl HandlerResult {
    /// The result of a delivery after the recorder has taken the delivery.
    fn recorded(response: HandlerResponse, recorded: Recorded) -> Self {
        let response = if recorded.replaced { HandlerResponse::not_recorded() } else { response };
        HandlerResult { response, progress: recorded.progress }
    }
}

impl From<HandlerResponse> for HandlerResult {
    fn from(response: HandlerResponse) -> Self {
        HandlerResult { response, progress: None }
    }
}

impl Handler {
    pub(crate) fn new(config: &Config, recorder: RecorderHandle, sink: Sink, clock: Now) -> Result<Self, Error> {
        let redaction = Redaction::of(&config.policy.secrets, config.policy.scheme);
        let memory = BodyMemory::of_deliveries(&config.limits, config.max_body);
        let app = config.forward_to.clone().map(|url| App::at(url, &redaction, &config.limits)).transpose()?;
        Ok(Handler {
            verifier: Arc::new(Verifier::new(config, memory.clone())),
            allow_invalid: config.allow_invalid,
            max_body: config.max_body,
            memory,
            limits: config.limits,
            script: config.script.clone(),
            position: Mutex::new(ScriptPosition::new(config.respond_each)),
            app: app.filter(|_| config.script.forwards()),
            ack_budget: config.ack_budget,
            recorder,
            sink,
            clock,
            ending: watch::channel(false).0,
        })
    }

    /// Cuts every wait of a script short: delays end, and connections of responses that hang are closed.
    pub(crate) fn begin_shutdown(&self) {
        self.ending.send_replace(true);
    }

    /// Resolves when the shutdown begins.
    pub(crate) async fn shutdown_begun(&self) {
        // Cannot fail: `self.ending` keeps the channel open.
        let _ = self.ending.subscribe().wait_for(|ends| *ends).await;
    }

    /// Waits for `time`, or until the shutdown begins.
    async fn wait(&self, time: Duration) {
        tokio::select! {
            () = sleep(time) => {}
            () = self.shutdown_begun() => {}
        }
    }

    /// Whether a response may hang for as long as the sender waits.
    pub(crate) fn may_hang(&self) -> bool {
        self.script.hangs()
    }

    /// Whether every response is short enough to copy after the head.
    pub(crate) fn responds_briefly(&self) -> bool {
        self.script.is_brief()
    }

    /// Whether deliveries are forwarded to the app.
    pub(crate) fn forwards(&self) -> bool {
        self.app.is_some()
    }

    /// A GET or HEAD is greeted, or passed to the app of `--forward-to`; a target over [`TARGET_BYTES`] is answered 414. Every
    /// other request is a delivery.
    ///
    /// The future is moved with each delivery, and is as large as the largest set of values held at once. So the request is
    /// taken apart before the future begins, and futures that are rarely awaited, here and below, are boxed.
    pub(crate) fn receive(
        self: Arc<Self>,
        request: Request<Incoming>,
        remote: Arc<str>,
        connection: ConnectionState,
    ) -> impl Future<Output = Result<Response<ResponseBody>, ConnectionClosed>> {
        let (head, incoming) = request.into_parts();
        let is_get = matches!(head.method, Method::GET | Method::HEAD);
        let expects_continue = head.headers.contains_key(EXPECT);
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
        let delivery = Delivery {
            method: method_name(&head.method),
            target: target.to_owned(),
            http: if head.version == Version::HTTP_10 { "1.0" } else { "1.1" }.into(),
            headers: Headers::from(head.headers),
            body: Bytes::new(),
        };
        async move {
            let app = self.app.as_ref();
            if is_get && app.is_none() {
                return Ok(greeting());
            }
            if delivery.target.len() > TARGET_BYTES {
                return Box::pin(self.reject_target(&remote)).await;
            }
            let time = self.limits.body_time;
            let limits = BodyLimits { max: self.max_body, time, memory: &self.memory, reserve_up_front: false };
            let body = body::read(incoming, limits, expects_continue).await;
            connection.request_done();
            if let (true, Some(app)) = (is_get, app) {
                return Box::pin(self.pass_get(app, delivery, body.map(|(body, share)| share.bind(body)), &connection))
                    .await;
            }
            let received = ReceivedRequest::new(delivery, &remote, (self.clock)());
            let result = match body {
                Ok((body, memory)) => self.handle(received.with_body(body, memory)).await,
                Err(error) => Box::pin(self.reject(received, error)).await,
            };
            self.respond(result, &connection).await
        }
    }

    async fn handle(&self, mut received: ReceivedRequest) -> HandlerResult {
        if let Err(error) = self.verifier.decode_and_verify(&mut received).await {
            return Box::pin(self.reject(received, error)).await;
        }
        let record = received.record();
        let rejected = record.verdict.is_invalid() && !self.allow_invalid;
        let response = if rejected {
            HandlerResponse::new(StatusCode::UNAUTHORIZED, AnsweredBy::Refused, r#"{"error":"invalid signature"}"#)
        } else {
            self.decide(&record.delivery, record.payload.as_ref()).await
        };
        let mut pending = received.into_pending(&response);
        let late = late_answer(&pending.record, self.ack_budget);
        pending.record.warnings.extend(late);
        if rejected {
            // A rejection acknowledges nothing, so the response need not wait for the journal.
            self.recorder.record_without_waiting(pending).await;
            return response.into();
        }
        HandlerResult::recorded(response, self.recorder.record(pending).await)
    }

    /// The response of the script or the app, after the script's delay. Only accepted deliveries get here, so a 401 consumes no
    /// script item.
    async fn decide(&self, delivery: &Delivery, payload: Option<&Payload>) -> HandlerResponse {
        let key = || payload.and_then(Payload::key);
        let taken = self.position.lock().unwrap_or_else(PoisonError::into_inner).take(key, &delivery.body);
        let ScriptItem { action, delay, .. } = self.script.item(taken);
        if !delay.is_zero() {
            Box::pin(self.wait(*delay)).await;
        }
        match (HandlerResponse::scripted(action), &self.app) {
            (Some(response), _) => response,
            (None, Some(app)) => Box::pin(self.forward(app, delivery)).await,
            (None, None) => {
                HandlerResponse::new(StatusCode::BAD_GATEWAY, AnsweredBy::Script, r#"{"error":"there is no app"}"#)
            }
        }
    }

    /// Returns the response of `result`, or the error that makes hyper close the connection.
    async fn respond(
        &self,
        result: HandlerResult,
        connection: &ConnectionState,
    ) -> Result<Response<ResponseBody>, ConnectionClosed> {
        // `_progress` is held until a hang is over: dropping the value counts the delivery.
        let HandlerResult { response: decided, progress: _progress } = result;
        match decided.kind {
            ResponseKind::Answer { status, headers, body } => {
                connection.response_ready();
                Ok(response(status, headers, body))
            }
            ResponseKind::Truncate => Ok(truncated()),
            ResponseKind::Close => Err(ConnectionClosed),
            ResponseKind::Reset => {
                connection.reset_on_close();
                Err(ConnectionClosed)
            }
            ResponseKind::Hang(time) => {
                Box::pin(self.hang(time, connection)).await;
                Err(ConnectionClosed)
            }
        }
    }

    /// Waits for `time`; without a time, until the sender closes the connection.
    async fn hang(&self, time: Option<Duration>, connection: &ConnectionState) {
        match time {
            Some(Duration::ZERO) => {}
            Some(time) => self.wait(time).await,
            None => tokio::select! {
                () = self.shutdown_begun() => {}
                () = connection.sender_closed() => {}
            },
        }
    }

    /// Responds to a request whose body exceeds a limit, and records the request. A body that was cut off is not recorded: the
    /// request is counted as unreadable.
    async fn reject(&self, received: ReceivedRequest, error: BodyError) -> HandlerResult {
        let (status, body, warning) = match error {
            BodyError::TooLarge => {
                let text = format!("the body is over {} bytes, see --max-body", self.max_body);
                (StatusCode::PAYLOAD_TOO_LARGE, r#"{"error":"body too large"}"#, ("body_too_large", text))
            }
            BodyError::Crowded => {
                let held = self.limits.held_bytes;
                let text = format!("all bodies together were over {held} bytes, more than are held at once");
                (StatusCode::SERVICE_UNAVAILABLE, r#"{"error":"too many bodies at once"}"#, ("too_many_bodies", text))
            }
            BodyError::TooSlow => {
                let text = format!("the body took longer than {:?}", self.limits.body_time);
                (StatusCode::REQUEST_TIMEOUT, r#"{"error":"body too slow"}"#, ("body_too_slow", text))
            }
            BodyError::CutOff => {
                let remote = received.record().remote.as_deref().unwrap_or_default();
                self.unreadable(remote, "it ended before its body was complete").await;
                let body = r#"{"error":"body cut off"}"#;
                return HandlerResponse::new(StatusCode::BAD_REQUEST, AnsweredBy::Refused, body).into();
            }
        };
        let response = HandlerResponse::new(status, AnsweredBy::Limit, body);
        let mut pending = received.into_pending(&response);
        let (code, text) = warning;
        pending.record.warnings.push(Warning::new(code, "", text));
        HandlerResult::recorded(response, self.recorder.record(pending).await)
    }

    async fn reject_target(&self, remote: &str) -> Result<Response<ResponseBody>, ConnectionClosed> {
        self.unreadable(remote, &format!("its path and query are longer than {TARGET_BYTES} bytes")).await;
        Ok(response(StatusCode::URI_TOO_LONG, plain_text(), Bytes::from_static(b"the path is too long\n")))
    }

    /// Answers a request that came in plain text on a port for HTTPS.
    pub(crate) async fn reject_plain_http(
        self: Arc<Self>,
        remote: Arc<str>,
    ) -> Result<Response<ResponseBody>, ConnectionClosed> {
        let reason = "it was plain HTTP, but this port speaks only HTTPS: the URL must begin with https://";
        self.unreadable(&remote, reason).await;
        let text = Bytes::from_static(b"this port speaks HTTPS: the URL must begin with https://\n");
        Ok(response(StatusCode::BAD_REQUEST, plain_text(), text))
    }

    /// Counts a request that never became a delivery, and sends a note.
    pub(crate) async fn unreadable(&self, remote: &str, reason: &str) {
        self.recorder.count_unreadable().await;
        let text = format!("a request from {remote} could not be read: {reason}");
        self.sink.note(Note::warning(text)).await;
    }

    /// Passes a GET or HEAD to the app, without recording the request.
    async fn pass_get(
        &self,
        app: &App,
        request: Delivery,
        body: Result<Bytes, BodyError>,
        connection: &ConnectionState,
    ) -> Result<Response<ResponseBody>, ConnectionClosed> {
        let response = match body {
            Ok(body) => self.forward(app, &Delivery { body, ..request }).await,
            Err(_) => {
                let body = r#"{"error":"body not taken in"}"#;
                HandlerResponse::new(StatusCode::BAD_REQUEST, AnsweredBy::Limit, body)
            }
        };
        self.respond(response.into(), connection).await
    }

    /// The app's response, with a note when the app stops or resumes answering. When the shutdown begins, the app has
    /// [`APP_GRACE_TIME`] left.
    async fn forward(&self, app: &App, delivery: &Delivery) -> HandlerResponse {
        let end = async {
            self.shutdown_begun().await;
            sleep(APP_GRACE_TIME).await;
        };
        let (response, change) = tokio::select! {
            answered = app.answer(delivery) => answered,
            () = end => {
                let reason = "no answer before the end".into();
                (HandlerResponse::unanswered(StatusCode::GATEWAY_TIMEOUT, reason), None)
            }
        };
        let note = match change {
            None => return response,
            Some(AppChange::Back) => Note::info(format!("the app at {app} answers again")),
            Some(AppChange::Gone(reason)) => {
                let status = response.status().unwrap_or_default();
                let text = format!(
                    "the app at {app} gave no answer: {reason}; deliveries are answered {status} until it does"
                );
                Note::warning(text)
            }
        };
        self.sink.note(note).await;
        response
    }
}

/// A warning when the response took longer than `ack_budget`, or without a budget, than the provider waits.
fn late_answer(record: &Record, ack_budget: Option<Duration>) -> Option<Warning> {
    let answer = record.answer.as_ref().filter(|answer| answer.status.is_some())?;
    let of_provider = || {
        let payload = record.payload.as_ref()?;
        Some((payload.shape.retry.response_timeout?, payload.provider.label))
    };
    let (budget, owner) = match ack_budget {
        Some(budget) => (budget, "--ack-budget"),
        None => of_provider()?,
    };
    let took = Duration::try_from_secs_f64(answer.ms / 1000.0).ok().filter(|took| *took > budget)?;
    let text = format!("the answer was ready after {:.1} s, but {owner} allows {budget:?}", took.as_secs_f64());
    Some(Warning::new("late_answer", "", text))
}

/// The response to a browser or a health check where no app is behind the listener.
fn greeting() -> Response<ResponseBody> {
    let text = "hookctl is listening: POST a webhook to any path\n";
    response(StatusCode::OK, plain_text(), Bytes::from_static(text.as_bytes()))
}

fn plain_text() -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))])
}
