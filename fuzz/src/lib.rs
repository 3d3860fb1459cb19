//! Helpers of the fuzz targets: splitting the input into parts, and the invariant of all terminal output.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use hookctl::event::Event;
use hookctl::payload::{FieldName, Headers};
use hookctl::render::Show;
use hookctl::render::escape::is_unsafe;
use hookctl::render::human::Human;
use hookctl::render::paint::Paint;
use hookctl::render::style::{TextStyle, Verbosity};
use http::HeaderValue;
use jiff::tz::TimeZone;

/// Separates the parts of an input. No JSON text, header or argument can contain NUL, and a fuzzer finds it quickly.
pub const SEPARATOR: u8 = 0;

/// Splits an input into `N` parts; only the last part may contain the separator.
pub fn parts<const N: usize>(data: &[u8]) -> Option<[&[u8]; N]> {
    let mut parts = data.splitn(N, |byte| *byte == SEPARATOR);
    let parts = std::array::from_fn(|_| parts.next());
    parts.iter().all(Option::is_some).then(|| parts.map(Option::unwrap_or_default))
}

/// Parses headers, one `name: value` a line; invalid lines are skipped.
pub fn headers(text: &[u8]) -> Headers {
    let line = |line: &[u8]| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = FieldName::spelled(std::str::from_utf8(&line[..colon]).ok()?).ok()?;
        Some((name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?))
    };
    text.split(|byte| *byte == b'\n').filter_map(line).collect()
}

/// Panics if a text contains characters that control a terminal, except for line breaks and colour sequences.
#[track_caller]
pub fn assert_harmless(text: &str) {
    let plain = without_colours(text);
    let hazard = plain.chars().find(|c| *c != '\n' && is_unsafe(*c));
    assert_eq!(hazard, None, "shown raw in {text:?}");
}

/// Removes `ESC [ digits m`, the only sequence that `Paint` writes.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('m') {
            Some((code, rest)) if code.bytes().all(|byte| byte.is_ascii_digit() || byte == b';') => plain += rest,
            _ => plain = plain + "\x1b[" + part,
        }
    }
    plain
}

/// Renders events for a terminal of this width in columns.
pub fn rendered(events: &[Event], width: Option<usize>, verbosity: Verbosity, compact: bool) -> String {
    let paint = Paint::new(verbosity == Verbosity::Verbose);
    let style = TextStyle {
        out: paint,
        err: paint,
        width,
        err_width: width,
        verbosity,
        compact,
        results: true,
        live: false,
        zone: Arc::new(LazyLock::new(|| TimeZone::UTC)),
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut human = Human::new(&mut out, &mut err, style);
    for event in events {
        human.show(event).expect("writing to memory does not fail");
    }
    drop(human);
    out.extend(err);
    String::from_utf8(out).expect("the output is UTF-8")
}

/// Copies a part of the input.
pub fn bytes(part: &[u8]) -> Bytes {
    Bytes::copy_from_slice(part)
}
