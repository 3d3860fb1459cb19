//! Any line of a journal: a record survives writing and parsing, and no control character reaches the terminal.
#![no_main]

use std::sync::Arc;

use hookctl::event::{Event, JournalRow};
use hookctl::journal::Record;
use hookctl::journal::{Parsed, Summary, is_journal_line};
use hookctl::render::style::Verbosity;
use hookctl_fuzz::{assert_harmless, rendered};
use libfuzzer_sys::fuzz_target;

fn delivery(line: &str) -> Option<Record> {
    match Record::parse(line) {
        Ok(Parsed::Delivery(record)) => Some(*record),
        Ok(Parsed::Other(_)) | Err(_) => None,
    }
}

fuzz_target!(|data: &[u8]| {
    let _ = is_journal_line(data);
    let Ok(line) = std::str::from_utf8(data) else { return };
    let (summary, record) = (Summary::parse(line), delivery(line));
    assert!(summary.is_none() || record.is_some(), "a line with a summary parses");
    let Some(record) = record else { return };

    let written = record.to_line();
    assert_eq!(written.iter().filter(|byte| **byte == b'\n').count(), 1, "a record is one line");
    assert!(is_journal_line(&written), "a written line is recognised");
    let text = std::str::from_utf8(&written).expect("a line is UTF-8");
    let again = delivery(text).expect("a written line parses");
    assert_eq!(again.delivery.body, record.delivery.body);
    assert_eq!(again.delivery, record.delivery);
    assert_eq!(again.to_line(), written, "writing and parsing change nothing");
    let summary = Summary::parse(text).expect("a line that is written has a summary");
    if let Some(id) = record.payload.as_ref().and_then(|payload| payload.id.as_deref()) {
        assert!(summary.has_id(id) && Summary::from(&record).has_id(id));
    }

    let entry =
        |number| Box::new(JournalRow { number, record: record.clone(), line: Some(text.to_owned()), trace: None });
    let events = [Event::Delivery(Arc::new(record.clone())), Event::Row(entry(1)), Event::Entry(entry(2))];
    assert_harmless(&rendered(&events, Some(60), Verbosity::Verbose, false));
    assert_harmless(&rendered(&events, None, Verbosity::Normal, true));
});
