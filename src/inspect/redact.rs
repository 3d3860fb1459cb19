//! Fields that are blanked before anything is shown or handed on.

use std::ops::Range;

use bytes::Bytes;
use http::HeaderValue;
use http::header::CONTENT_ENCODING;

use crate::payload::body::{self, JsonType, Object};
use crate::payload::delivery::REDACTED;
use crate::payload::encoding;
use crate::payload::record::Record;
use crate::payload::{Delivery, Payload};

/// A field to blank: `headers.authorization`, `input.prompt`, `output.0`; a segment `*` is every member or element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    segments: Vec<String>,
}

impl Path {
    /// Reads `input.prompt`; the error is the end of the sentence that names what was to be read.
    pub fn parse(text: &str) -> Result<Self, String> {
        let segments: Vec<String> = text.split('.').map(str::to_owned).collect();
        match segments.iter().any(String::is_empty) {
            true => Err("a path is written input.prompt, output.0 or headers.authorization".to_owned()),
            false => Ok(Path { segments }),
        }
    }

    /// The header that is meant, or the way into the body.
    fn target(&self) -> Target<'_> {
        match self.segments.split_first() {
            Some((first, [name])) if first == "headers" => Target::Header(name),
            Some((first, rest)) if first == "body" && !rest.is_empty() => Target::Body(rest),
            _ => Target::Body(&self.segments),
        }
    }
}

enum Target<'a> {
    Header(&'a str),
    Body(&'a [String]),
}

/// The record with these fields blanked. A compressed body becomes what it held; one that is not JSON has no fields, so
/// all of it is blanked where one of its fields is to be.
pub fn redacted(record: &Record, paths: &[Path]) -> Record {
    let mut delivery = record.delivery.clone();
    let mut ways = Vec::new();
    for path in paths {
        match path.target() {
            Target::Header(name) => {
                let blank = |_: &HeaderValue| HeaderValue::from_static(REDACTED);
                delivery.headers.replace(&[&name.to_ascii_lowercase()], blank);
            }
            Target::Body(way) => ways.push(way),
        }
    }
    if !ways.is_empty() {
        blank(&mut delivery, &ways);
    }
    let provider = record.payload.as_ref().map(|payload| payload.provider);
    let held = encoding::decode(&delivery.headers, &delivery.body, encoding::LARGEST).ok();
    let payload = held.and_then(|held| Payload::read(&held, &delivery.headers, provider));
    Record { delivery, payload, ..record.clone() }
}

/// Blanks fields of the body.
fn blank(delivery: &mut Delivery, ways: &[&[String]]) {
    if delivery.body.is_empty() {
        return;
    }
    let held = encoding::decode(&delivery.headers, &delivery.body, encoding::LARGEST).unwrap_or_default();
    let text = std::str::from_utf8(&held).ok().filter(|_| body::Body::of(&held).why_not_json().is_none());
    let Some(text) = text else {
        delivery.body = Bytes::from_static(REDACTED.as_bytes());
        delivery.headers.remove(CONTENT_ENCODING.as_str());
        return;
    };
    let mut places = Vec::new();
    ways.iter().for_each(|way| find(text, text.trim(), way, &mut places));
    if places.is_empty() {
        return;
    }
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
    delivery.body = blanked.into();
    delivery.headers.remove(CONTENT_ENCODING.as_str());
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
            let items = body::items(value).unwrap_or_default();
            let wanted = |index: usize| segment == "*" || segment.parse() == Ok(index);
            let items = items.into_iter().enumerate().filter(|(index, _)| wanted(*index));
            items.for_each(|(_, value)| find(whole, value, rest, places));
        }
        JsonType::String | JsonType::Number | JsonType::Bool | JsonType::Null => {}
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderName;
    use jiff::Timestamp;

    use super::*;

    fn blanked(body: &str, paths: &[&str]) -> String {
        let paths: Vec<Path> = paths.iter().map(|path| Path::parse(path).unwrap()).collect();
        let delivery = Delivery::bare(Default::default(), Bytes::copy_from_slice(body.as_bytes()));
        let record = redacted(&Record::unsent(Timestamp::UNIX_EPOCH, delivery), &paths);
        String::from_utf8(record.delivery.body.to_vec()).unwrap()
    }

    #[test]
    fn fields_are_blanked_and_the_rest_stays_as_it_was() {
        let body = "{ \"input\": {\"prompt\":\"a\", \"n\":1.50,\"prompt\":\"b\"},\"o\":[\"x\",{\"p\":1}] }\n";
        let cases: [(&[&str], &str); 7] = [
            (
                &["input.prompt"],
                "{ \"input\": {\"prompt\":\"<redacted>\", \"n\":1.50,\"prompt\":\"<redacted>\"},\"o\":[\"x\",{\"p\":1}] }\n",
            ),
            (&["input", "input.n"], "{ \"input\": \"<redacted>\",\"o\":[\"x\",{\"p\":1}] }\n"),
            (
                &["o.0", "body.o.1.p"],
                "{ \"input\": {\"prompt\":\"a\", \"n\":1.50,\"prompt\":\"b\"},\"o\":[\"<redacted>\",{\"p\":\"<redacted>\"}] }\n",
            ),
            (
                &["o.*"],
                "{ \"input\": {\"prompt\":\"a\", \"n\":1.50,\"prompt\":\"b\"},\"o\":[\"<redacted>\",\"<redacted>\"] }\n",
            ),
            (&["nothing", "input.prompt.x", "o.9"], body),
            (&["headers.x"], body),
            (&["*"], "{ \"input\": \"<redacted>\",\"o\":\"<redacted>\" }\n"),
        ];
        for (paths, expected) in cases {
            assert_eq!(blanked(body, paths), expected, "{paths:?}");
        }
        assert_eq!(blanked("token=s3cret", &["token"]), REDACTED, "what has no fields is blanked whole");
        assert_eq!(blanked("", &["token"]), "");
        assert!(Path::parse("").is_err() && Path::parse("a..b").is_err());
    }

    #[test]
    fn headers_are_blanked_by_name() {
        let mut headers = crate::payload::Headers::default();
        headers.push(HeaderName::from_static("x-api-key"), HeaderValue::from_static("k"));
        let record = Record::unsent(Timestamp::UNIX_EPOCH, Delivery::bare(headers, Bytes::new()));
        let record = redacted(&record, &[Path::parse("headers.X-API-Key").unwrap()]);
        assert_eq!(record.delivery.headers.get("x-api-key").unwrap(), REDACTED);
    }
}
