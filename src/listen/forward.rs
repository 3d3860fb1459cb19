//! The app behind the listener: `--forward-to`.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, HeaderValue};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use reqwest::Url;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::body::{self, BodyError, BodyLimits, BodyMemory};
use super::limits::{APP_BODY, APP_TIME, ListenLimits};
use super::response::{HandlerResponse, ResponseKind};
use crate::error::Error;
use crate::journal::Redaction;
use crate::journal::record::{Answer, AnsweredBy};
use crate::payload::{Delivery, Headers};

/// The app.
#[derive(Debug)]
pub(crate) struct App {
    url: Url,
    /// How to speak of it.
    shown: String,
    host: String,
    port: u16,
    /// The `Host` that it is called by.
    called: HeaderValue,
    /// Whether it gave no answer the last time.
    down: AtomicBool,
    /// What its answers may take.
    memory: BodyMemory,
}

/// Whether the app has gone or come back since the last delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AppChange {
    /// It gives no answer any more, for this reason.
    Gone(String),
    /// It answers again.
    Back,
}

impl App {
    /// The app at this URL, which is shown without what must not be.
    pub(crate) fn at(url: Url, redaction: &Redaction<'_>, limits: &ListenLimits) -> Result<Self, Error> {
        if url.scheme() != "http" {
            let text = "--forward-to speaks plain HTTP only: give the app's http:// address on this machine";
            return Err(Error::Usage(text.into()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            let text = "--forward-to holds a name and password, which are not passed on: leave them away";
            return Err(Error::Usage(text.into()));
        }
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = url.port_or_known_default().unwrap_or(80);
        let called =
            url.host_str().unwrap_or_default().to_owned() + &url.port().map_or(String::new(), |p| format!(":{p}"));
        let called = HeaderValue::try_from(called);
        let called = called.map_err(|_| Error::Usage("--forward-to names no host that HTTP can".into()))?;
        let shown = redaction.text(url.to_string());
        let memory = BodyMemory::of(limits.app_bytes, limits.held_time);
        Ok(App { url, shown, host, port, called, down: AtomicBool::new(false), memory })
    }

    /// Passes a delivery on, and gives the app's answer back; where none comes, 502 or 504.
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

    /// The app's answer, or what is said in its place; the error is that there is none.
    async fn exchange(&self, delivery: &Delivery) -> Result<HandlerResponse, String> {
        let request = self.request(delivery)?;
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(|error| reason(&error))?;
        // A request is sent in one piece; waiting to fill packets only adds delay.
        let _ = stream.set_nodelay(true);
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| cause(&error))?;
        // Ends with the answer: whatever goes wrong with it, the sender learns of it too.
        tokio::spawn(connection);
        let response = sender.send_request(request).await.map_err(|error| cause(&error))?;
        let (head, mut body) = response.into_parts();
        if head.status.is_informational() {
            let reason = format!("it answered {}, after which no answer comes that could be passed on", head.status);
            return Ok(HandlerResponse::unusable(reason));
        }
        let reading = BodyLimits { max: APP_BODY, time: APP_TIME, memory: &self.memory, at_once: true };
        let body = match body::collect(&mut body, reading).await {
            // It takes memory until the sender has read it.
            Ok((body, share)) => share.of(body),
            Err(BodyError::TooLarge) => {
                return Ok(HandlerResponse::unusable(format!(
                    "its answer is over {APP_BODY} bytes, more than is passed on"
                )));
            }
            Err(BodyError::Crowded) => {
                let reason = "together with others that are being passed on, its answer takes too much memory";
                return Ok(HandlerResponse::unusable(reason.into()));
            }
            Err(BodyError::CutOff | BodyError::TooSlow) => return Err("its answer broke off".into()),
        };
        let line = Answer::line_of(&body);
        let mut headers = passed_on(&head.headers);
        // The length of what would come is all that an answer to HEAD says of it.
        if let Some(length) = head.headers.get(CONTENT_LENGTH).filter(|_| delivery.method == "HEAD") {
            headers.insert(CONTENT_LENGTH, length.clone());
        }
        Ok(HandlerResponse {
            by: AnsweredBy::Forward,
            kind: ResponseKind::Answer { status: head.status, headers, body },
            line,
        })
    }

    /// The delivery as it goes on: the same method, headers and bytes, to the app's own name.
    fn request(&self, delivery: &Delivery) -> Result<Request<Full<Bytes>>, String> {
        let mut headers = delivery.headers.end_to_end();
        headers.set(HOST, self.called.clone());
        // Only of what is not sent at all, no length is told: of what GET and HEAD have none of.
        if !delivery.body.is_empty() || !matches!(&*delivery.method, "GET" | "HEAD") {
            headers.set(CONTENT_LENGTH, HeaderValue::from(delivery.body.len()));
        }
        let mut request = Request::builder().method(&*delivery.method).uri(self.target(&delivery.target));
        for (name, value) in headers.raw() {
            request = request.header(name.plain(), value);
        }
        request.body(Full::new(delivery.body.clone())).map_err(|error| error.to_string())
    }

    /// Exactly the app's URL where that has a path, as Stripe's CLI does; else the path that the sender used. The
    /// queries of both are kept.
    fn target(&self, asked: &str) -> String {
        let (asked_path, asked_query) =
            asked.split_once('?').map_or((asked, None), |(path, query)| (path, Some(query)));
        let path = if self.url.path() == "/" { asked_path } else { self.url.path() };
        let queries: Vec<&str> = [self.url.query(), asked_query].into_iter().flatten().collect();
        match queries.is_empty() {
            true => path.to_owned(),
            false => format!("{path}?{}", queries.join("&")),
        }
    }
}

impl fmt::Display for App {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.shown)
    }
}

/// The headers of an answer that are passed on; its length follows from its body.
fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let mut headers = Headers::from(headers.clone()).end_to_end();
    headers.remove(CONTENT_LENGTH.as_str());
    let mut passed = HeaderMap::new();
    for (name, value) in headers.raw() {
        passed.append(name.plain(), value.clone());
    }
    passed
}

/// The innermost cause, which is the one that says something.
fn cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    match cause.downcast_ref::<io::Error>() {
        Some(error) => reason(error),
        None => cause.to_string(),
    }
}

/// An operating system's reason without its number.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
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
    fn an_app_is_called_by_its_own_name_and_takes_no_credentials() {
        let called = |url: &str| at(url).map(|app| app.called);
        assert_eq!(called("http://localhost:3000/x").unwrap(), "localhost:3000");
        assert_eq!(called("http://[::1]:3000/").unwrap(), "[::1]:3000");
        assert_eq!(called("http://app/").unwrap(), "app");
        for url in ["https://localhost/", "http://user:pw@localhost/", "http://user@localhost/"] {
            assert!(matches!(called(url), Err(Error::Usage(_))), "{url}");
        }
    }
}
