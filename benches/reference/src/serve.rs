//! Minimal servers.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::fs::File;
use std::io::{Read, Write};
use std::rc::Rc;
use std::time::SystemTime;

use hmac::Hmac;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::{Result, SIGNATURE, is_signed};

/// Optional work before the response: verify with `key`, append to `journal`.
struct Work {
    key: Option<Hmac<Sha256>>,
    journal: Option<RefCell<File>>,
    answered: Cell<u64>,
}

#[derive(Serialize)]
struct Line<'a> {
    at: u128,
    method: &'a str,
    target: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    body: &'a str,
    verified: bool,
}

/// Serves until standard input ends.
pub fn run(key: Option<Hmac<Sha256>>, journal: Option<&str>) -> Result {
    let journal = journal.map(|path| File::options().append(true).create(true).open(path)).transpose()?;
    let work = Rc::new(Work { key, journal: journal.map(RefCell::new), answered: Cell::new(0) });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tasks = tokio::task::LocalSet::new();
    tasks.block_on(&runtime, async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        eprintln!("listening {}", listener.local_addr()?.port());
        let (end, ended) = oneshot::channel();
        std::thread::spawn(move || {
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            let _ = end.send(());
        });
        tokio::select! {
            failed = accept(listener, &work) => failed,
            _ = ended => Ok(()),
        }
    })?;
    println!("answered {}", work.answered.get());
    Ok(())
}

async fn accept(listener: TcpListener, work: &Rc<Work>) -> Result {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let work = Rc::clone(work);
        tokio::task::spawn_local(async move {
            let service = service_fn(|request| work.answer(request));
            // A client may disconnect; that is not an error of the server.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

impl Work {
    async fn answer(&self, request: Request<Incoming>) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let proof = head.headers.get(SIGNATURE).map(|value| value.as_bytes()).unwrap_or_default();
        let verified = self.key.as_ref().is_none_or(|key| is_signed(key, &body, proof));
        if let Some(journal) = &self.journal {
            let line = Line {
                at: SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros(),
                method: head.method.as_str(),
                target: head.uri.path(),
                headers: head
                    .headers
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.to_str().unwrap_or("")))
                    .collect(),
                body: std::str::from_utf8(&body).unwrap_or(""),
                verified,
            };
            let mut line = serde_json::to_vec(&line).expect("text and numbers");
            line.push(b'\n');
            journal.borrow_mut().write_all(&line).expect("the journal takes a line");
        }
        self.answered.set(self.answered.get() + 1);
        let mut response = Response::new(Full::from(if verified { r#"{"received":true}"# } else { r#"{"error":""}"# }));
        if !verified {
            *response.status_mut() = hyper::StatusCode::UNAUTHORIZED;
        }
        Ok(response)
    }
}
