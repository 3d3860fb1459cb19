//! The app behind the listener: `--forward-to`.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::{CONTENT_LENGTH, HOST, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use tokio::time::timeout;
use url::Url;

use super::body::{self, BodyError, BodyLimits, BodyMemory};
use super::limits::{APP_BODY, APP_IDLE_TIME, APP_TIME, ListenLimits};
use super::response::{HandlerResponse, ResponseKind};
use crate::error::Error;
use crate::http::client::{AttemptDeadline, Client};
use crate::http::options::ClientOptions;
use crate::http::origin::host;
use crate::http::request::WireRequest;
use crate::journal::Redaction;
use crate::journal::record::{Answer, AnsweredBy};
use crate::payload::{Delivery, Headers};

pub(crate) struct App {
    url: Url,
    /// The URL without secrets, for messages.
    shown: String,
    client: Client,
    /// Whether the app gave no response the last time.
    down: AtomicBool,
    /// The memory for the app's responses.
    memory: BodyMemory,
}

/// Whether the app has gone or come back since the last delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AppChange {
    /// The app stopped answering, for this reason.
    Gone(String),
    /// The app answers again.
    Back,
}

impl App {
    /// The app at this URL; messages show the URL without secrets.
    pub(crate) fn at(url: Url, redaction: &Redaction<'_>, limits: &ListenLimits) -> Result<Self, Error> {
        if url.scheme() != "http" {
            let text = "--forward-to speaks plain HTTP only: give the app's http:// address on this machine";
            return Err(Error::Usage(text.into()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            let text = "--forward-to contains a user name and password, which hookctl does not send to the app: remove them from the URL";
            return Err(Error::Usage(text.into()));
        }
        let shown = redaction.text(url.to_string());
        let client = Client::new(&url, &ClientOptions::default())?.closing_idle_after(APP_IDLE_TIME);
        let memory = BodyMemory::new(limits.app_bytes, limits.held_time);
        Ok(App { url, shown, client, down: AtomicBool::new(false), memory })
    }

    /// Forwards a delivery, and returns the app's response; 502 or 504 if the app sends none.
    pub(crate) async fn answer(&self, delivery: &Delivery) -> (HandlerResponse, Option<AppChange>) {
        let answered = match timeout(APP_TIME, self.exchange(delivery)).await {
            Ok(answered) => answered.map_err(|reason| (StatusCode::BAD_GATEWAY, reason)),
            Err(_) => Err((StatusCode::GATEWAY_TIMEOUT, format!("no answer within {} s", APP_TIME.as_secs()))),
        };
        let was_down = self.down.swap(answered.is_err(), Ordering::Relaxed);
        match answered {
            Ok(reply) => (reply, was_down.then_some(AppChange::Back)),
            Err((status, reason)) => {
                (HandlerResponse::unanswered(status, reason.clone()), (!was_down).then_some(AppChange::Gone(reason)))
            }
        }
    }

    /// The app's response, or a response in its place; the error is the reason why the app gave none.
    async fn exchange(&self, delivery: &Delivery) -> Result<HandlerResponse, String> {
        let request = self.request(delivery)?;
        // The caller limits the time for the whole exchange.
        let opened = self.client.open(&request, AttemptDeadline::none()).await.map_err(|failure| failure.reason)?;
        let headers = passed_on(&opened.head.headers, &request.method);
        let status = opened.head.status;
        let status = StatusCode::from_u16(status).map_err(|_| format!("its answer has the status {status}"))?;
        if status.is_informational() {
            let reason = format!("it answered {status}, after which no answer comes that could be passed on");
            return Ok(HandlerResponse::unusable(reason));
        }
        let limits = BodyLimits { max: APP_BODY, time: APP_TIME, memory: &self.memory, reserve_up_front: true };
        let body = match body::collect(&mut self.client.body(&self.url, opened), limits).await {
            // The body takes memory until the sender has read it.
            Ok((body, share)) => share.bind(body),
            Err(BodyError::TooLarge) => {
                let reason = format!("its answer is over {APP_BODY} bytes, more than is passed on");
                return Ok(HandlerResponse::unusable(reason));
            }
            Err(BodyError::Crowded) => {
                let reason = "together with others that are being passed on, its answer takes too much memory";
                return Ok(HandlerResponse::unusable(reason.into()));
            }
            Err(BodyError::CutOff | BodyError::TooSlow) => return Err("its answer broke off".into()),
        };
        let line = Answer::line_of(&body);
        Ok(HandlerResponse { by: AnsweredBy::Forward, kind: ResponseKind::Answer { status, headers, body }, line })
    }

    /// The request to the app: the same method, headers and bytes, under the app's own host name.
    fn request(&self, delivery: &Delivery) -> Result<WireRequest, String> {
        let method = Method::from_bytes(delivery.method.as_bytes()).map_err(|error| error.to_string())?;
        let mut headers = delivery.headers.end_to_end();
        headers.set(HOST, host(&self.url));
        // A GET or HEAD without a body has no length either.
        if !delivery.body.is_empty() || !matches!(method, Method::GET | Method::HEAD) {
            headers.set(CONTENT_LENGTH, HeaderValue::from(delivery.body.len()));
        }
        let target = self.target(&delivery.target);
        Ok(WireRequest::exact(self.url.clone(), method, target, headers, delivery.body.clone()))
    }

    /// The path of the app's URL where the URL has a path, as Stripe's CLI does; else the path that the sender used. The
    /// queries of both are kept.
    fn target(&self, requested: &str) -> String {
        let (sender_path, sender_query) =
            requested.split_once('?').map_or((requested, None), |(path, query)| (path, Some(query)));
        let path = if self.url.path() == "/" { sender_path } else { self.url.path() };
        let queries: Vec<&str> = [self.url.query(), sender_query].into_iter().flatten().collect();
        if queries.is_empty() { path.to_owned() } else { format!("{path}?{}", queries.join("&")) }
    }
}

impl fmt::Display for App {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.shown)
    }
}

/// The headers of a response to pass on. `content-length` follows from the body, except in a response to HEAD, which has no
/// body: there the app's value is kept.
fn passed_on(headers: &HeaderMap, method: &Method) -> HeaderMap {
    let mut end_to_end = Headers::from(headers.clone()).end_to_end();
    end_to_end.remove(CONTENT_LENGTH.as_str());
    let mut passed = HeaderMap::new();
    for (name, value) in end_to_end.raw() {
        passed.append(name.plain(), value.clone());
    }
    if let Some(length) = headers.get(CONTENT_LENGTH).filter(|_| method == Method::HEAD) {
        passed.insert(CONTENT_LENGTH, length.clone());
    }
    passed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::Choice;

    fn at(url: &str) -> Result<App, Error> {
        App::at(url.parse().unwrap(), &Redaction::of(&[], Choice::Auto), &ListenLimits::default())
    }

    #[test]
    fn a_path_of_the_app_wins_and_every_query_stays() {
        let cases = [
            ("http://localhost:3000", "/hook?a=1", "/hook?a=1"),
            ("http://localhost:3000/", "/", "/"),
            ("http://localhost:3000/api/hooks", "/hook?a=1", "/api/hooks?a=1"),
            ("http://localhost:3000/api?key=k", "/hook", "/api?key=k"),
            ("http://localhost:3000/api?key=k", "/hook?a=%20b", "/api?key=k&a=%20b"),
        ];
        for (url, asked, expected) in cases {
            assert_eq!(at(url).unwrap().target(asked), expected, "{url} {asked}");
        }
    }

    #[test]
    fn an_app_url_is_plain_http_without_credentials() {
        for url in ["https://localhost/", "http://user:pw@localhost/", "http://user@localhost/"] {
            assert!(matches!(at(url), Err(Error::Usage(_))), "{url}");
        }
    }
}
