//! A sender: hyper's own client, each body with its own id and signature.

use std::cell::Cell;
use std::rc::Rc;

use hmac::Hmac;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use sha2::Sha256;
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};

use crate::{Result, SIGNATURE, signature};

/// The id in the body, replaced in each delivery.
const ID: &str = "00000000-0000-4000-8000-000000000000";

struct Work {
    uri: Uri,
    body: String,
    key: Hmac<Sha256>,
    left: Cell<u64>,
}

/// Sends the body of a file `count` times.
pub fn run(url: &str, body: &str, count: u64, connections: u64, key: Hmac<Sha256>) -> Result {
    let work = Rc::new(Work { uri: url.parse()?, body: std::fs::read_to_string(body)?, key, left: Cell::new(count) });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answered: u64 = LocalSet::new().block_on(&runtime, async {
        let mut workers = JoinSet::new();
        for _ in 0..connections.min(count) {
            let work = Rc::clone(&work);
            workers.spawn_local(async move { work.deliver().await.expect("the receiver answers") });
        }
        workers.join_all().await.into_iter().sum()
    });
    println!("answered {answered}");
    Ok(())
}

impl Work {
    /// Sends deliveries on one connection until none is left.
    async fn deliver(&self) -> Result<u64> {
        let authority = self.uri.authority().ok_or("a URL has a host")?.as_str();
        let stream = TcpStream::connect(authority).await?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::task::spawn_local(connection);
        let mut answered = 0;
        while let Some(left) = self.left.get().checked_sub(1) {
            self.left.set(left);
            let body = self.body.replace(ID, &format!("{left:08x}-0000-4000-8000-000000000000"));
            let request = Request::post(self.uri.path())
                .header("host", authority)
                .header("content-type", "application/json")
                .header(SIGNATURE, signature(&self.key, body.as_bytes()))
                .body(Full::new(Bytes::from(body)))?;
            sender.ready().await?;
            let response = sender.send_request(request).await?;
            answered += u64::from(response.status().is_success());
            response.into_body().collect().await?;
        }
        drop(sender);
        connection.await??;
        Ok(answered)
    }
}
