//! Limits that take time or many senders to reach, lowered, on real sockets and the real clock.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

use super::*;
use crate::event::{self, Event, QueuedEvent};
use crate::journal::Record;
use crate::listen::config::Config;
use crate::listen::expectations::Expectations;
use crate::listen::recorder;
use crate::listen::script::{Script, ScriptAction};
use crate::listen::stop_conditions::{ListenProgress, StopConditions};
use crate::signature::{Choice, Policy};

/// Longer than any test here runs.
const NEVER: Duration = Duration::from_secs(60);

/// Short, but longer than a delivery takes on a busy machine.
const SOON: Duration = Duration::from_millis(300);

fn limits() -> ListenLimits {
    ListenLimits {
        header_time: NEVER,
        body_time: NEVER,
        held_time: NEVER,
        journal_time: NEVER,
        ..ListenLimits::default()
    }
}

/// A running listener and its events.
struct Running {
    port: u16,
    events: mpsc::Receiver<QueuedEvent>,
    _server: Server,
}

async fn start(limits: ListenLimits, max_body: u64) -> Running {
    start_with_app(None, limits, max_body).await
}

/// Starts a listener that forwards to an app, if there is a URL.
async fn start_with_app(forward_to: Option<url::Url>, limits: ListenLimits, max_body: u64) -> Running {
    let accept = ScriptAction::Answer { status: http::StatusCode::OK, retry_after: None, body: None };
    let config = Config {
        host: "127.0.0.1".into(),
        port: 0,
        certificate: None,
        provider: None,
        policy: Policy { scheme: Choice::Auto, secrets: Vec::new(), tolerance: None },
        allow_invalid: false,
        script: Script::of(if forward_to.is_some() { ScriptAction::Forward } else { accept }),
        respond_each: false,
        forward_to,
        ack_budget: None,
        record: None,
        record_sync: false,
        save_outputs: None,
        keep_secrets: false,
        max_body,
        limits,
        events: None,
        wait: StopConditions { count: None, until: None, timeout: None },
        expectations: Expectations::default(),
        report: None,
        tunnel: None,
        send_command: None,
        command: Vec::new(),
        data_on_stdout: false,
    };
    let (sink, events) = event::channel(event::Backpressure::Wait);
    let progress = watch::channel(ListenProgress::default()).0;
    let recorder = recorder::start(&config, None, sink.clone(), progress).unwrap();
    let handler = Arc::new(Handler::new(&config, recorder, sink.clone(), jiff::Timestamp::now).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = super::ConnectionLimit::of(&handler);
    Running { port, events, _server: super::start(listener, None, handler, sink, connections) }
}

impl Running {
    /// Opens a connection and writes `bytes`.
    async fn send(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream
    }

    /// The status of a whole delivery on a connection of its own.
    async fn post(&self, body: &[u8]) -> u16 {
        status(self.send(&[head(body.len()).as_bytes(), body].concat()).await).await
    }

    /// The next delivery event.
    async fn delivery(&mut self) -> Arc<Record> {
        loop {
            if let Event::Delivery(record) = self.events.recv().await.unwrap().event {
                return record;
            }
        }
    }

    /// Waits for a note with this text.
    async fn wait_for_note(&mut self, text: &str) {
        loop {
            if let Event::Note(note) = self.events.recv().await.unwrap().event
                && note.text.contains(text)
            {
                return;
            }
        }
    }
}

fn head(length: usize) -> String {
    format!("POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n")
}

/// Reads until the listener closes the connection.
async fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    // A sender that is cut off may find the connection reset.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

async fn status(stream: TcpStream) -> u16 {
    let answer = rest(stream).await;
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{answer:?}"))
}

#[tokio::test]
async fn a_head_that_does_not_come_in_time_ends_the_connection() {
    let running = start(ListenLimits { header_time: SOON, ..limits() }, 1000).await;
    for begun in ["", "POST / HT", "POST / HTTP/1.1\r\nhost: x\r\nx-slow: "] {
        let stalled = running.send(begun.as_bytes()).await;
        assert_eq!(running.post(b"{}").await, 200, "other senders are answered meanwhile");
        assert!(!rest(stalled).await.contains("200"), "{begun:?}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_in_time_is_answered_408() {
    let mut running = start(ListenLimits { body_time: SOON, ..limits() }, 1000).await;
    for begun in [&head(10), "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\n{\"a\r\n"] {
        let stalled = running.send(begun.as_bytes()).await;
        assert_eq!(running.post(b"{}").await, 200, "other senders are answered meanwhile");
        assert_eq!(running.delivery().await.delivery.body, "{}");
        assert_eq!(status(stalled).await, 408);
        let record = running.delivery().await;
        assert_eq!((record.warnings[0].code.as_str(), record.delivery.body.len()), ("body_too_slow", 0));
    }
}

#[tokio::test]
async fn more_connections_than_may_be_wait_and_are_served() {
    let mut running = start(ListenLimits { connections: 2, ..limits() }, 1000).await;
    let (first, _second) = (running.send(b"POST").await, running.send(b"POST").await);
    let third = running.send(&[head(2).as_bytes(), b"{}"].concat()).await;
    running.wait_for_note("2 connections are open, as many as hookctl accepts at a time").await;
    drop(first);
    assert_eq!(status(third).await, 200);
}

#[tokio::test]
async fn more_bodies_than_there_is_memory_for_wait_and_then_are_answered_503() {
    const LARGEST: usize = 100_000;
    let mut running = start(ListenLimits { held_bytes: 1, held_time: SOON, ..limits() }, LARGEST as u64).await;
    // The memory holds two bodies of the largest size. Two incomplete bodies take all but one byte each:
    let mut stalled = Vec::new();
    for _ in 0..2 {
        stalled.push(running.send(&[head(LARGEST).as_bytes(), &[b' '; LARGEST - 1]].concat()).await);
    }
    // Until both bodies are read, a small body may still get memory.
    while running.post(b"[1]").await == 200 {}
    let record = loop {
        let record = running.delivery().await;
        if record.answer.as_ref().unwrap().status != Some(200) {
            break record;
        }
    };
    assert_eq!(
        (record.warnings[0].code.as_str(), record.answer.as_ref().unwrap().status),
        ("too_many_bodies", Some(503))
    );
    // When one of the two connections ends, a waiting sender is answered.
    let waiting = running.send(&[head(3).as_bytes(), b"[2]"].concat()).await;
    drop(stalled.pop());
    assert_eq!(status(waiting).await, 200);
    // The other body can still be completed.
    let mut last = stalled.pop().unwrap();
    last.write_all(b" ").await.unwrap();
    assert_eq!(status(last).await, 200);
}

#[tokio::test]
async fn what_a_body_unpacks_to_takes_memory_too() {
    use flate2::{Compression, write::GzEncoder};
    const LARGEST: usize = 100_000;
    let running = start(ListenLimits { held_bytes: 1, held_time: SOON, ..limits() }, LARGEST as u64).await;
    let request = |text: &[u8]| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        std::io::Write::write_all(&mut gzip, text).unwrap();
        let packed = gzip.finish().unwrap();
        let gzip = "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-encoding: gzip\r\ncontent-length";
        [format!("{gzip}: {}\r\n\r\n", packed.len()).as_bytes(), &packed].concat()
    };
    let (request, small) = (request(&[b' '; LARGEST]), request(b"{}"));
    let _held = running.send(&[head(LARGEST).as_bytes(), &[b' '; LARGEST / 2]].concat()).await;
    assert_eq!(status(running.send(&request).await).await, 200);
    let _more = running.send(&[head(LARGEST).as_bytes(), &[b' '; LARGEST * 3 / 5]].concat()).await;
    while status(running.send(&request).await).await == 200 {}
    assert_eq!(status(running.send(&request).await).await, 503);
    assert_eq!(status(running.send(&small).await).await, 503, "a compressed body may decode to the largest size");
    assert_eq!(running.post(b"{}").await, 200, "a small body still gets memory");
}

#[tokio::test]
async fn a_sender_that_reads_no_answer_is_let_go() {
    let running = start(ListenLimits { answer_time: SOON, ..limits() }, 100).await;
    let mut sender = running.send(b"").await;
    let requests = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1000);
    // Writes succeed until the buffers of both sides are full.
    let writing = async { while sender.write_all(&requests).await.is_ok() {} };
    tokio::time::timeout(NEVER, writing).await.expect("the connection ends");
    assert_eq!(running.post(b"{}").await, 200);
}

struct TestApp {
    url: url::Url,
    release: watch::Sender<bool>,
    /// The number of requests.
    requests: watch::Receiver<usize>,
}

/// Starts an app whose response bodies have `length` bytes. The last `kept` bytes are sent after `release`.
async fn app(length: usize, kept: usize) -> TestApp {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let (release, released) = watch::channel(false);
    let (counter, requests) = watch::channel(0);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (mut released, counter) = (released.clone(), counter.clone());
            tokio::spawn(async move {
                let mut request = [0; 1000];
                assert!(stream.read(&mut request).await.unwrap() > 0);
                counter.send_modify(|requests| *requests += 1);
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{}", " ".repeat(length));
                let (now, later) = answer.as_bytes().split_at(answer.len() - kept);
                // A listener without memory for the response closes the connection.
                let _ = stream.write_all(now).await;
                let _ = released.wait_for(|released| *released).await;
                let _ = stream.write_all(later).await;
            });
        }
    });
    TestApp { url, release, requests }
}

#[tokio::test]
async fn more_answers_than_there_is_memory_for_are_not_passed_on() {
    let limits = ListenLimits { app_bytes: 100_000, held_time: SOON, ..limits() };
    let TestApp { url, release, .. } = app(60_000, 1).await;
    let mut running = start_with_app(Some(url), limits, 1000).await;
    let first = running.send(&[head(2).as_bytes(), b"{}"].concat()).await;
    assert_eq!(running.post(b"{}").await, 502, "the memory cannot hold a second response");
    let record = running.delivery().await;
    let answer = record.answer.as_ref().unwrap();
    assert!(answer.line.as_ref().unwrap().contains("takes too much memory"), "{answer:?}");
    release.send_replace(true);
    assert_eq!(status(first).await, 200);
    assert_eq!(running.post(b"{}").await, 200, "the memory is free again");
}

#[tokio::test]
async fn answers_that_come_together_do_not_wait_for_each_others_memory() {
    let limits = ListenLimits { app_bytes: 100_000, ..limits() };
    // If each body took memory piece by piece, both would hold 45,000 bytes and wait for the rest.
    let TestApp { url, release, mut requests } = app(80_000, 35_000).await;
    let running = start_with_app(Some(url), limits, 1000).await;
    let both = [
        running.send(&[head(2).as_bytes(), b"{}"].concat()).await,
        running.send(&[head(2).as_bytes(), b"[]"].concat()).await,
    ];
    requests.wait_for(|requests| *requests == 2).await.unwrap();
    release.send_replace(true);
    for one in both {
        assert_eq!(status(one).await, 200);
    }
}

#[tokio::test]
async fn answers_take_memory_until_they_are_read() {
    // More than the buffers of two sockets hold.
    const LENGTH: usize = 10_000_000;
    let limits = ListenLimits { app_bytes: LENGTH + LENGTH / 2, held_time: SOON, ..limits() };
    let TestApp { url, release, .. } = app(LENGTH, 0).await;
    release.send_replace(true);
    let running = start_with_app(Some(url), limits, 1000).await;
    let first = running.send(&[head(2).as_bytes(), b"{}"].concat()).await;
    // The listener holds the whole first response, which the sender has not read.
    first.readable().await.unwrap();
    assert_eq!(running.post(b"{}").await, 502);
    assert_eq!(status(first).await, 200);
    assert_eq!(running.post(b"{}").await, 200, "the memory is free again");
}

#[tokio::test]
async fn waiting_for_memory_is_not_the_senders_time() {
    const LARGEST: usize = 100_000;
    let limits = ListenLimits { held_bytes: 1, held_time: 6 * SOON, body_time: SOON, ..limits() };
    let TestApp { url, release, mut requests } = app(2, 2).await;
    let running = start_with_app(Some(url), limits, LARGEST as u64).await;
    // The memory holds two bodies of the largest size. Both stay in memory until the app has answered.
    let whole = [head(LARGEST).as_bytes(), &[b' '; LARGEST]].concat();
    let _held = [running.send(&whole).await, running.send(&whole).await];
    requests.wait_for(|requests| *requests == 2).await.unwrap();
    assert_eq!(running.post(b"[1]").await, 503, "its body came in time");
    // A body that waited for memory longer than `body_time` continues with the time that it had left.
    let mut waiting = running.send(&[head(3).as_bytes(), b"["].concat()).await;
    assert_eq!(status(running.send(head(3).as_bytes()).await).await, 408);
    release.send_replace(true);
    assert_eq!(running.post(b"[1]").await, 200);
    waiting.write_all(b"1]").await.unwrap();
    assert_eq!(status(waiting).await, 200);
}
