//! Fields that are blanked before anything is shown or handed on.

use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use http::HeaderValue;
use http::header::CONTENT_ENCODING;
use url::Url;

use crate::journal::Record;
use crate::json::JsonType;
use crate::json::Object;
use crate::json::object;
use crate::json::value;
use crate::payload::Delivery;
use crate::payload::body;
use crate::payload::encoding;
use crate::payload::headers::REDACTED;
use crate::payload::lint::Warning;
use crate::signature::Verdict;

/// A field to blank: `headers.authorization`, `input.prompt`, `output.0`; a segment `*` is every member or element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedactPath {
    segments: Vec<String>,
}

impl RedactPath {
    /// Reads `input.prompt`; the error is the end of the sentence that names what was to be read.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let segments: Vec<String> = text.split('.').map(str::to_owned).collect();
        match segments.iter().any(String::is_empty) {
            true => Err("a path is written input.prompt, output.0 or headers.authorization".to_owned()),
            false => Ok(RedactPath { segments }),
        }
    }

    fn target(&self) -> Target<'_> {
        match self.segments.split_first() {
            Some((first, [])) if first == "headers" => Target::Headers,
            Some((first, [name])) if first == "headers" && name == "*" => Target::Headers,
            Some((first, [name])) if first == "headers" => Target::Header(name),
            Some((first, rest)) if first == "body" => Target::Body(rest),
            _ => Target::Field(&self.segments),
        }
    }
}

impl fmt::Display for RedactPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.segments.join("."))
    }
}

/// What a path leads to.
enum Target<'a> {
    Headers,
    Header(&'a str),
    /// The way into the body; none for all of it.
    Body(&'a [String]),
    /// A field of the body, or of the record.
    Field(&'a [String]),
}

/// Texts that are blanked are looked for in other texts from this length on: shorter ones say too little.
const TELLING: usize = 4;

/// How deep they are looked for.
const DEPTH: usize = 16;

/// What was blanked in one record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Blanked {
    /// Something of the request.
    pub(crate) request: bool,
    /// Something of its body.
    pub(crate) body: bool,
}

/// Blanks fields, and remembers which paths led to any.
#[derive(Debug)]
pub(crate) struct Redactor<'a> {
    paths: &'a [RedactPath],
    has_effect: Vec<bool>,
}

impl<'a> Redactor<'a> {
    /// Nothing was blanked yet.
    pub(crate) fn new(paths: &'a [RedactPath]) -> Self {
        Redactor { paths, has_effect: vec![false; paths.len()] }
    }

    /// The paths that led nowhere so far.
    pub(crate) fn without_effect(&self) -> impl Iterator<Item = &RedactPath> {
        self.paths.iter().zip(&self.has_effect).filter(|(_, has_effect)| !**has_effect).map(|(path, _)| path)
    }

    /// Blanks these fields of a record. A compressed body becomes what it held; one that is not JSON has no fields, so
    /// all of it is blanked where one of its fields is to be. What is said about a field that is blanked goes with it.
    pub(crate) fn blank(&mut self, record: &mut Record) -> Blanked {
        let mut cut = Cut { values: Vec::new(), blanked: Blanked::default() };
        let provider = record.payload.as_ref().map(|payload| payload.provider);
        let mut ways = Vec::new();
        for (index, path) in self.paths.iter().enumerate() {
            let own = match path.target() {
                Target::Headers => cut.headers(&mut record.delivery, |_| true),
                Target::Header(name) => cut.headers(&mut record.delivery, |other| other.eq_ignore_ascii_case(name)),
                Target::Body(way) => {
                    ways.push((index, way));
                    false
                }
                Target::Field(way) => {
                    ways.push((index, way));
                    cut.field(record, &way.join("."))
                }
            };
            self.has_effect[index] |= own;
        }
        for index in cut.body(&mut record.delivery, &ways) {
            self.has_effect[index] = true;
        }
        if cut.blanked.body {
            record.payload = record.delivery.payload(provider);
        }
        let ways: Vec<_> = ways.iter().map(|(_, way)| *way).collect();
        cut.texts(record, &ways);
        cut.blanked
    }
}

/// What was cut out of a record.
struct Cut {
    /// The texts that stood there.
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

    /// A field of the record itself.
    fn field(&mut self, record: &mut Record, name: &str) -> bool {
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

    /// Fields of the body; gives the indices of the ways that led to one.
    fn body(&mut self, delivery: &mut Delivery, ways: &[(usize, &[String])]) -> Vec<usize> {
        if ways.is_empty() || delivery.body.is_empty() {
            return Vec::new();
        }
        let held = encoding::decode(&delivery.headers, &delivery.body, encoding::LARGEST).unwrap_or_default();
        let text = std::str::from_utf8(&held).ok().filter(|_| body::Body::of(&held).why_not_json().is_none());
        let Some(text) = text.filter(|_| ways.iter().all(|(_, way)| !way.is_empty())) else {
            self.blanked = Blanked { request: true, body: true };
            texts_in(&String::from_utf8_lossy(&held), DEPTH, &mut self.values);
            delivery.body = Bytes::from_static(REDACTED.as_bytes());
            delivery.headers.remove(CONTENT_ENCODING.as_str());
            return ways.iter().map(|(index, _)| *index).collect();
        };
        let (mut places, mut found) = (Vec::new(), Vec::new());
        for (index, way) in ways {
            let before = places.len();
            find(text, text.trim(), way, &mut places);
            found.extend((places.len() > before).then_some(*index));
        }
        if places.is_empty() {
            return found;
        }
        self.blanked = Blanked { request: true, body: true };
        places.iter().for_each(|place| texts_in(&text[place.clone()], DEPTH, &mut self.values));
        delivery.body = without(text, places).into();
        delivery.headers.remove(CONTENT_ENCODING.as_str());
        found
    }

    /// What others say of what was cut out.
    fn texts(&self, record: &mut Record, ways: &[&[String]]) {
        let tells = |text: &str| {
            self.values.iter().any(|value| value.len() >= TELLING && value != REDACTED && text.contains(value.as_str()))
        };
        let blank = |text: &mut String| {
            if tells(text) {
                *text = REDACTED.to_owned();
            }
        };
        for Warning { path, message, .. } in &mut record.warnings {
            if ways.iter().any(|way| overlaps(way, path)) {
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

/// The scalars within a JSON text, down to a depth beyond which nobody quotes them.
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

/// Whether a way leads to this path, into it or past it.
fn overlaps(way: &[String], path: &str) -> bool {
    !path.is_empty() && way.iter().zip(path.split('.')).all(|(segment, part)| segment == "*" || segment == part)
}

/// A JSON text with these places blanked.
fn without(text: &str, mut places: Vec<Range<usize>>) -> String {
    places.sort_by_key(|place| (place.start, std::cmp::Reverse(place.end)));
    let (mut blanked, mut end) = (String::with_capacity(text.len()), 0);
    // One that lies within another is blanked with it.
    for place in places {
        if place.start >= end {
            blanked.push_str(&text[end..place.start]);
            blanked.push_str(&serde_json::Value::from(REDACTED).to_string());
            end = place.end;
        }
    }
    blanked.push_str(&text[end..]);
    blanked
}

/// Where in `whole` the values are that a way leads to from `value`, a part of it. A key may occur twice.
fn find(whole: &str, value: &str, way: &[String], places: &mut Vec<Range<usize>>) {
    let Some((segment, rest)) = way.split_first() else {
        let start = value.as_ptr().addr() - whole.as_ptr().addr();
        places.push(start..start + value.len());
        return;
    };
    match JsonType::of(value) {
        JsonType::Object => {
            let object = Object::parse(value).unwrap_or_default();
            let members = object.members().filter(|(key, _)| segment == "*" || key == segment);
            members.for_each(|(_, value)| find(whole, value, rest, places));
        }
        JsonType::Array => {
            let items = object::items(value).unwrap_or_default();
            let wanted = |index: usize| segment == "*" || segment.parse() == Ok(index);
            let items = items.into_iter().enumerate().filter(|(index, _)| wanted(*index));
            items.for_each(|(_, value)| find(whole, value, rest, places));
        }
        JsonType::String | JsonType::Number | JsonType::Bool | JsonType::Null => {}
    }
}

#[cfg(test)]
mod tests;
