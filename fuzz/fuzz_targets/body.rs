//! Any body: classification, payload, formatted JSON and terminal output. Input: headers, NUL, body.
#![no_main]

use std::sync::Arc;

use hookctl::event::{Event, JournalRow};
use hookctl::journal::Record;
use hookctl::payload::body::Body;
use hookctl::payload::{Delivery, Payload, lint};
use hookctl::render::paint::Paint;
use hookctl::render::pretty;
use hookctl::render::style::Verbosity;
use hookctl_fuzz::{assert_harmless, bytes, headers, parts, rendered};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use serde_json::value::RawValue;

fuzz_target!(|data: &[u8]| {
    let Some([head, body]) = parts(data) else { return };
    let (headers, body) = (headers(head), bytes(body));
    let is_json = matches!(Body::of(&body), Body::Object(_) | Body::Value(_));
    let payload = Payload::read(&body, &headers, None);
    assert_eq!(payload.is_some(), is_json, "a body is a payload if and only if it is JSON");

    if let Ok(text) = std::str::from_utf8(&body) {
        assert_eq!(serde_json::from_str::<&RawValue>(text).is_ok(), is_json, "serde_json and the scanner agree");
        let whole = pretty::json(text, Paint::new(false), false);
        assert_harmless(&whole);
        assert_harmless(&pretty::json(text, Paint::new(true), true));
        if let Ok(sent) = serde_json::from_str::<Value>(text) {
            assert_eq!(serde_json::from_str::<Value>(&whole).ok(), Some(sent), "formatting changes no value");
        }
    }

    let record = Record {
        warnings: payload.as_ref().map(lint::warnings).unwrap_or_default(),
        payload,
        ..Record::bare(Timestamp::UNIX_EPOCH, Delivery::bare(headers, body))
    };
    let line = String::from_utf8(record.to_line()).expect("a line is UTF-8");
    let delivery = Event::Delivery(Arc::new(record.clone()));
    let entry = |number| Box::new(JournalRow { number, record: record.clone(), line: Some(line.clone()), trace: None });
    let events = [delivery, Event::Row(entry(1)), Event::Entry(entry(2))];
    assert_harmless(&rendered(&events, None, Verbosity::Verbose, false));
    assert_harmless(&rendered(&events, Some(40), Verbosity::Normal, true));
});
