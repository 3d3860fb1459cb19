//! Requests for `--count` and `--drill`: copies of one request with different ids.

use std::ops::Range;

use bytes::Bytes;

use super::config::NewId;
use super::content::{Content, fresh_id, new_id};
use super::request::Prepared;
use crate::json::edit::container::span;
use crate::json::{JsonType, Object};

/// A request to copy. The place of the id is found once, and not for each of the 100,000 copies.
pub(crate) struct Template {
    original: Prepared,
    id: Option<IdPlace>,
}

/// The span of the id within a body.
struct IdPlace {
    span: Range<usize>,
    is_number: bool,
}

impl Template {
    pub(crate) fn of(original: Prepared) -> Self {
        Template { id: IdPlace::of(&original.content), original }
    }

    /// A copy with a fresh id in the body, where the body has a place for one, and a fresh message id. A request that
    /// keeps its recorded signature is copied unchanged.
    pub(crate) fn copy(&self) -> Prepared {
        let original = self.original.clone();
        if original.is_replayed_as_signed() {
            return original;
        }
        let content = &original.content;
        let body = self.id.as_ref().map(|place| place.fill(&content.body)).or_else(|| with_id(content));
        let mut copy = match body {
            Some(body) => original.with_body(body),
            None => original,
        };
        copy.signing.renew_message_id();
        copy
    }
}

impl IdPlace {
    fn of(content: &Content) -> Option<Self> {
        let text = std::str::from_utf8(&content.body).ok()?;
        let object = Object::parse(text)?;
        let value = content.shape.fields.id.iter().find_map(|path| object.at(path))?;
        Some(IdPlace { span: span(text, value), is_number: JsonType::of(value) == JsonType::Number })
    }

    fn fill(&self, body: &[u8]) -> Bytes {
        let id = fresh_id(self.is_number);
        Bytes::from([&body[..self.span.start], id.as_bytes(), &body[self.span.end..]].concat())
    }
}

/// A body that has no id yet, with a fresh one.
fn with_id(content: &Content) -> Option<Bytes> {
    let text = std::str::from_utf8(&content.body).ok()?;
    let edit = new_id(&NewId::Fresh, text, content.shape).ok()?;
    edit.apply(text).ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::provider;
    use crate::send::Config;

    #[test]
    fn a_copy_differs_in_its_id_only() {
        let config = Config::plain();
        for (provider, fixture) in provider::fixtures() {
            let body = Bytes::from_static(fixture.body.as_bytes());
            let shape = provider.shape(fixture.variant);
            let original = Prepared::payload(Content::new(fixture.name, body, provider, shape), &config).unwrap();
            let template = Template::of(original.clone());
            let (one, other) = (template.copy(), template.copy());
            let id = |prepared: &Prepared| prepared.content.payload().and_then(|payload| payload.id.clone());
            let (old, new) = (id(&original), id(&one));
            assert_ne!(one.signing.message_id, original.signing.message_id);
            // Hugging Face's events are about repositories, not predictions.
            let (Some(old), Some(new)) = (old, new) else { continue };
            assert!(new != old && Some(&new) != id(&other).as_ref(), "{}: {old:?} {new:?}", fixture.name);
            let back = String::from_utf8(one.body.to_vec()).unwrap().replacen(&new, &old, 1);
            assert_eq!(back, fixture.body, "{}", fixture.name);
        }
    }
}
