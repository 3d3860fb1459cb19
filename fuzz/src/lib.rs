//! What the fuzz targets share: how their input is cut into parts, and what must hold of everything that is shown.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use hookctl::event::Event;
use hookctl::payload::{FieldName, Headers};
use hookctl::render::Show;
use hookctl::render::escape::is_hazard;
use hookctl::render::human::{Human, TextStyle, Verbosity};
use hookctl::render::paint::Paint;
use http::HeaderValue;
use jiff::tz::TimeZone;

/// What stands between two parts of an input. No JSON, header or argument holds it, and a fuzzer finds it at once.
pub const BETWEEN: u8 = 0;

/// The parts of an input; the last one may hold anything.
pub fn parts<const N: usize>(data: &[u8]) -> Option<[&[u8]; N]> {
    let mut parts = data.splitn(N, |byte| *byte == BETWEEN);
    let parts = std::array::from_fn(|_| parts.next());
    parts.iter().all(Option::is_some).then(|| parts.map(Option::unwrap_or_default))
}

/// Headers as they stand in a request, `name: value` a line; what is none is passed over.
pub fn headers(text: &[u8]) -> Headers {
    let line = |line: &[u8]| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = FieldName::spelled(std::str::from_utf8(&line[..colon]).ok()?).ok()?;
        Some((name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?))
    };
    text.split(|byte| *byte == b'\n').filter_map(line).collect()
}

/// Fails when a terminal would obey something in a text, line breaks and the sequences that set colours aside.
#[track_caller]
pub fn assert_harmless(text: &str) {
    let plain = without_colours(text);
    let hazard = plain.chars().find(|c| *c != '\n' && is_hazard(*c));
    assert_eq!(hazard, None, "shown raw in {text:?}");
}

/// Text without `ESC [ digits m`, which is all that paint writes.
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

/// Shows events on a screen of this width and gives what stands there.
pub fn shown(events: &[Event], width: Option<usize>, verbosity: Verbosity, compact: bool) -> String {
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
        human.show(event).expect("memory takes everything");
    }
    drop(human);
    out.extend(err);
    String::from_utf8(out).expect("what is shown is text")
}

/// Bytes that live as long as they are wanted.
pub fn bytes(part: &[u8]) -> Bytes {
    Bytes::copy_from_slice(part)
}
