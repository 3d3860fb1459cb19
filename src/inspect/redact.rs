//! Fields that are blanked before anything is shown or exported.

use std::fmt;

use bytes::Bytes;
use http::HeaderValue;
use http::header::CONTENT_ENCODING;
use url::Url;

use crate::journal::Record;
use crate::json::edit::container::span;
use crate::json::path::{self, JsonPath, PathError, PathSegment};
use crate::json::{JsonType, Object, object};
use crate::json::{string, value};
use crate::payload::Delivery;
use crate::payload::body;
use crate::payload::encoding;
use crate::payload::headers::REDACTED;
use crate::payload::lint::Warning;
use crate::signature::Verdict;

/// A field to blank, as `--set` writes paths: `input.prompt`, `output.*`; or `headers.NAME`, `body`, `target`, `url`, `remote`,
/// `answer.line`, `error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedactPath(JsonPath);

impl RedactPath {
    pub(crate) fn parse(text: &str) -> Result<Self, PathError> {
        JsonPath::parse(text).map(RedactPath)
    }

    fn target(&self) -> Target<'_> {
        let segments = self.0.segments();
        let starts_with = |word: &str| matches!(&segments[0], PathSegment::Key(key) if key == word);
        match &segments[1..] {
            [] | [PathSegment::Any] if starts_with("headers") => Target::Headers,
            [PathSegment::Key(name)] if starts_with("headers") => Target::Header(name),
            rest if starts_with("body") => Target::Body(rest),
            _ => Target::Field(segments),
        }
    }
}

impl fmt::Display for RedactPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// The part of a record that a path leads to.
enum Target<'a> {
    Headers,
    Header(&'a str),
    /// A field of the body; without segments all of the body.
    Body(&'a [PathSegment<'static>]),
    /// A field of the body, or of the record.
    Field(&'a [PathSegment<'static>]),
}

/// The shortest blanked text, in bytes, that is searched for in other texts: shorter ones occur in any text.
const SHORTEST_QUOTED: usize = 4;

/// How deep a blanked value is searched for texts.
const DEPTH: usize = 16;

/// The parts of a record in which something was blanked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Blanked {
    pub(crate) request: bool,
    pub(crate) body: bool,
}

/// Blanks fields, and remembers the paths that led to a value.
#[derive(Debug)]
pub(crate) struct Redactor<'a> {
    paths: &'a [RedactPath],
    has_effect: Vec<bool>,
}

impl<'a> Redactor<'a> {
    pub(crate) fn new(paths: &'a [RedactPath]) -> Self {
        Redactor { paths, has_effect: vec![false; paths.len()] }
    }

    /// The paths that led to no value so far.
    pub(crate) fn without_effect(&self) -> impl Iterator<Item = &RedactPath> {
        self.paths.iter().zip(&self.has_effect).filter(|(_, has_effect)| !**has_effect).map(|(path, _)| path)
    }

    /// Blanks these fields of a record. A compressed body is decompressed first. A body that is not JSON has no fields, so the
    /// whole body is blanked where one of its fields is named. Messages that name or quote a blanked field are blanked too.
    pub(crate) fn blank(&mut self, record: &mut Record) -> Blanked {
        let mut cut = Cut { values: Vec::new(), blanked: Blanked::default() };
        let provider = record.payload.as_ref().map(|payload| payload.provider);
        let mut fields = Vec::new();
        for (index, path) in self.paths.iter().enumerate() {
            let has_effect = match path.target() {
                Target::Headers => cut.headers(&mut record.delivery, |_| true),
                Target::Header(name) => cut.headers(&mut record.delivery, |other| other.eq_ignore_ascii_case(name)),
                Target::Body(segments) => {
                    fields.push((index, segments));
                    false
                }
                Target::Field(segments) => {
                    fields.push((index, segments));
                    cut.record_field(record, &path.to_string())
                }
            };
            self.has_effect[index] |= has_effect;
        }
        for index in cut.body(&mut record.delivery, &fields) {
            self.has_effect[index] = true;
        }
        if cut.blanked.body {
            record.payload = record.delivery.payload(provider);
        }
        let fields: Vec<_> = fields.iter().map(|(_, segments)| *segments).collect();
        cut.messages(record, &fields);
        cut.blanked
    }
}

/// The values cut out of a record.
struct Cut {
    /// Their texts.
    values: Vec<String>,
    blanked: Blanked,
}

impl Cut {
    fn headers(&mut self, delivery: &mut Delivery, is_meant: impl Fn(&str) -> bool) -> bool {
        let meant = delivery.headers.iter().filter(|(name, _)| is_meant(name));
        let before = self.values.len();
        self.values.extend(meant.map(|(_, value)| value.into_owned()));
        delivery.headers.blank(|name, _| is_meant(name.as_str()).then(|| HeaderValue::from_static(REDACTED)));
        let any = self.values.len() > before;
        self.blanked.request |= any;
        any
    }

    /// Blanks a field of the record itself.
    fn record_field(&mut self, record: &mut Record, name: &str) -> bool {
        let mut blank = |text: &mut String, with: String| {
            let is_there = !text.is_empty();
            if is_there {
                self.values.push(std::mem::replace(text, with));
            }
            is_there
        };
        let line = record.answer.as_mut().and_then(|answer| answer.line.as_mut());
        let (url, error) = match &mut record.sent {
            Some(sent) => (Some(&mut sent.url), sent.error.as_mut()),
            None => (None, None),
        };
        let cut = match name {
            "target" => {
                let query = record.delivery.target.split_once('?').map(|(_, query)| query.to_owned());
                let target = blank(&mut record.delivery.target, format!("/{REDACTED}"));
                let url = url.is_some_and(|url| {
                    let origin = Url::parse(url).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
                    blank(url, format!("{origin}/{REDACTED}"))
                });
                self.values.extend(query.iter().flat_map(|query| query.split(['&', '='])).map(str::to_owned));
                self.blanked.request |= target;
                return target || url;
            }
            "url" => url,
            "remote" => record.remote.as_mut(),
            "answer.line" => line,
            "error" => error,
            _ => None,
        };
        cut.is_some_and(|text| blank(text, REDACTED.to_owned()))
    }

    /// Blanks fields of the body, and returns the indices of the paths that led to a value.
    fn body(&mut self, delivery: &mut Delivery, fields: &[(usize, &[PathSegment<'_>])]) -> Vec<usize> {
        if fields.is_empty() || delivery.body.is_empty() {
            return Vec::new();
        }
        let held = encoding::decode(&delivery.headers, &delivery.body, encoding::LARGEST).unwrap_or_default();
        let text = std::str::from_utf8(&held).ok().filter(|_| body::Body::of(&held).why_not_json().is_none());
        let Some(text) = text.filter(|_| fields.iter().all(|(_, segments)| !segments.is_empty())) else {
            self.blanked = Blanked { request: true, body: true };
            texts_in(&String::from_utf8_lossy(&held), DEPTH, &mut self.values);
            delivery.body = Bytes::from_static(REDACTED.as_bytes());
            delivery.headers.remove(CONTENT_ENCODING.as_str());
            return fields.iter().map(|(index, _)| *index).collect();
        };
        let (mut values, mut found) = (Vec::new(), Vec::new());
        for (index, segments) in fields {
            let before = values.len();
            values.extend(path::find_all(text.trim(), segments));
            found.extend((values.len() > before).then_some(*index));
        }
        if values.is_empty() {
            return found;
        }
        self.blanked = Blanked { request: true, body: true };
        values.iter().for_each(|value| texts_in(value, DEPTH, &mut self.values));
        delivery.body = without(text, &values).into();
        delivery.headers.remove(CONTENT_ENCODING.as_str());
        found
    }

    /// Blanks messages about the fields, and texts that quote a value.
    fn messages(&self, record: &mut Record, fields: &[&[PathSegment<'_>]]) {
        let quotes = |text: &str| {
            self.values
                .iter()
                .any(|value| value.len() >= SHORTEST_QUOTED && value != REDACTED && text.contains(value.as_str()))
        };
        let blank = |text: &mut String| {
            if quotes(text) {
                *text = REDACTED.to_owned();
            }
        };
        for Warning { path, message, .. } in &mut record.warnings {
            if fields.iter().any(|segments| overlaps(segments, path)) {
                *message = REDACTED.to_owned();
            }
            blank(message);
        }
        if let Verdict::Invalid { hint, .. } = &mut record.verdict {
            blank(hint);
        }
        record.answer.iter_mut().filter_map(|answer| answer.line.as_mut()).for_each(blank);
        if let Some(sent) = &mut record.sent {
            sent.error.iter_mut().for_each(blank);
        }
    }
}

/// Collects the scalars within a JSON text, down to a depth beyond which no message quotes them.
fn texts_in(text: &str, depth: usize, found: &mut Vec<String>) {
    match JsonType::of(text.trim()) {
        JsonType::Object if depth > 0 => {
            let object = Object::parse(text).unwrap_or_default();
            object.members().for_each(|(_, value)| texts_in(value, depth - 1, found));
        }
        JsonType::Array if depth > 0 => {
            object::items(text).unwrap_or_default().into_iter().for_each(|item| texts_in(item, depth - 1, found));
        }
        _ => found.extend(value::scalar(text.trim()).map(String::from)),
    }
}

/// Whether `field` is, contains or lies within the field at `path`, the path of a warning. A `path` that does not parse
/// overlaps every field.
fn overlaps(field: &[PathSegment<'_>], path: &str) -> bool {
    match JsonPath::parse(path) {
        Ok(path) => field.iter().zip(path.segments()).all(|(one, other)| may_be_same(one, other)),
        Err(PathError::Empty) => false,
        Err(PathError::Syntax { .. }) => true,
    }
}

fn may_be_same(one: &PathSegment<'_>, other: &PathSegment<'_>) -> bool {
    let is_any = |segment: &PathSegment| *segment == PathSegment::Any;
    one == other || is_any(one) || is_any(other) || one.index().is_some_and(|index| other.is_position(index))
}

/// The JSON `text` with `values` blanked. The values are slices of `text`.
fn without(text: &str, values: &[&str]) -> String {
    let mut places: Vec<_> = values.iter().map(|value| span(text, value)).collect();
    places.sort_by_key(|place| (place.start, std::cmp::Reverse(place.end)));
    let (mut blanked, mut end) = (String::with_capacity(text.len()), 0);
    // A value within another one is blanked with it.
    for place in places {
        if place.start >= end {
            blanked.push_str(&text[end..place.start]);
            blanked.push_str(&string::quoted(REDACTED));
            end = place.end;
        }
    }
    blanked.push_str(&text[end..]);
    blanked
}

#[cfg(test)]
mod tests;
