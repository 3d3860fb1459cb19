//! Microbenchmarks of each step of a delivery: `cargo bench`.

// A benchmark may panic, and has no public items.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::io;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use divan::counter::BytesCount;
use divan::{AllocProfiler, Bencher};
use hookctl::event::Event;
use hookctl::journal::Record;
use hookctl::journal::Summary;
use hookctl::journal::record::{Answer, AnsweredBy};
use hookctl::payload::{Delivery, Headers, Payload};
use hookctl::render::Show;
use hookctl::render::human::Human;
use hookctl::render::json::JsonLines;
use hookctl::render::paint::Paint;
use hookctl::render::style::{TextStyle, Verbosity};
use hookctl::signature;
use hookctl::signature::{Choice, Policy, Verdict};
use hookctl::signature::{Scheme, Secret};
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use jiff::tz::TimeZone;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// Body sizes in bytes: a typical body, and one with a data URL.
const SIZES: [usize; 2] = [296, 1 << 20];

fn main() {
    divan::main();
}

fn secret() -> Secret {
    Secret::new("main", "s3cret")
}

fn scheme() -> &'static Scheme {
    Scheme::named("eachlabs").unwrap()
}

fn body(size: usize) -> Bytes {
    let start = concat!(
        r#"{"id":"5f1c2d4e-0000-4000-8000-000000000000","status":"success","#,
        r#""output":"https://storage.example.com/predictions/1/image.png","metrics":{"predict_time":12.5,"cost":0.05},"#,
        r#""input":{"prompt":""#
    );
    let filling = "x".repeat(size - start.len() - 3);
    Bytes::from(format!("{start}{filling}\"}}}}"))
}

/// A signed delivery with a body of `size` bytes.
fn delivery(size: usize) -> Delivery {
    let body = body(size);
    let mut headers = Headers::default();
    for (name, value) in
        [("host", "127.0.0.1:8080"), ("content-type", "application/json"), ("user-agent", "python-httpx")]
    {
        headers.push(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    for (name, value) in scheme().sign(&body, &secret(), 0, "msg_1").unwrap() {
        headers.push(name, value);
    }
    Delivery { method: "POST".into(), target: "/".into(), http: "1.1".into(), headers, body }
}

fn policy() -> Policy {
    Policy { scheme: Choice::Auto, secrets: vec![secret()], tolerance: None }
}

fn record(size: usize) -> Record {
    let delivery = delivery(size);
    let payload = Payload::read(&delivery.body, &delivery.headers, None);
    Record {
        id: "01938a5e-0000-7000-8000-000000000000".into(),
        remote: Some("127.0.0.1:53412".into()),
        verdict: signature::check(&delivery, &policy(), 0, None),
        answer: Some(Answer::new(200, AnsweredBy::Script, 0.12)),
        payload,
        ..Record::bare(Timestamp::UNIX_EPOCH, delivery)
    }
}

fn line(size: usize) -> String {
    String::from_utf8(record(size).to_line()).unwrap()
}

#[divan::bench(args = SIZES)]
fn parse(bencher: Bencher<'_, '_>, size: usize) {
    let delivery = delivery(size);
    bencher.counter(BytesCount::new(size)).bench(|| Payload::read(&delivery.body, &delivery.headers, None));
}

#[divan::bench(args = SIZES)]
fn sign(bencher: Bencher<'_, '_>, size: usize) {
    let (body, secret) = (body(size), secret());
    bencher.counter(BytesCount::new(size)).bench(|| scheme().sign(&body, &secret, 0, "msg_1").unwrap());
}

#[divan::bench(args = SIZES)]
fn verify(bencher: Bencher<'_, '_>, size: usize) {
    let (delivery, policy) = (delivery(size), policy());
    assert!(matches!(signature::check(&delivery, &policy, 0, None), Verdict::Verified { .. }));
    bencher.counter(BytesCount::new(size)).bench(|| signature::check(&delivery, &policy, 0, None));
}

/// The longest diagnosis: no hypothesis matches.
#[divan::bench(args = SIZES)]
fn explain(bencher: Bencher<'_, '_>, size: usize) {
    let mut delivery = delivery(size);
    delivery.body = Bytes::from([&delivery.body[..size - 3], b"y\"}}"].concat());
    let policy = policy();
    let verdict = signature::check(&delivery, &policy, 0, None);
    assert!(verdict.is_invalid());
    bencher.counter(BytesCount::new(size)).bench(|| signature::why(&delivery, &policy, 0, verdict.clone()));
}

#[divan::bench(args = SIZES)]
fn line_written(bencher: Bencher<'_, '_>, size: usize) {
    let record = record(size);
    bencher.counter(BytesCount::new(size)).bench(|| record.to_line());
}

#[divan::bench(args = SIZES)]
fn line_read(bencher: Bencher<'_, '_>, size: usize) {
    let line = line(size);
    bencher.counter(BytesCount::new(size)).bench(|| Record::parse(&line).unwrap());
}

#[divan::bench(args = SIZES)]
fn line_glanced_at(bencher: Bencher<'_, '_>, size: usize) {
    let line = line(size);
    bencher.counter(BytesCount::new(size)).bench(|| black_box(Summary::parse(&line).unwrap()).at);
}

#[divan::bench(args = SIZES)]
fn shown_to_people(bencher: Bencher<'_, '_>, size: usize) {
    let style = TextStyle {
        out: Paint::new(false),
        err: Paint::new(false),
        width: Some(80),
        err_width: Some(80),
        verbosity: Verbosity::Normal,
        compact: false,
        results: true,
        live: false,
        zone: Arc::new(LazyLock::new(|| TimeZone::UTC)),
    };
    show(bencher, size, Human::new(io::sink(), io::sink(), style));
}

#[divan::bench(args = SIZES)]
fn shown_as_json(bencher: Bencher<'_, '_>, size: usize) {
    show(bencher, size, JsonLines::new(io::sink()));
}

fn show(bencher: Bencher<'_, '_>, size: usize, mut sink: impl Show + Send) {
    let event = Event::Delivery(Arc::new(record(size)));
    bencher.counter(BytesCount::new(size)).bench_local(|| sink.show(&event).unwrap());
}
