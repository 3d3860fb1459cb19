//! Many of one kind: each with an id of its own.

use std::ops::Range;
use std::sync::OnceLock;

use bytes::Bytes;

use super::request::{Prepared, fresh_id, message_id, new_id};
use crate::json::JsonType;
use crate::json::Object;
use crate::send::{Config, NewId};

/// What many parcels are made from. Where their ids go is found out once, and not for each of a hundred thousand.
pub(crate) struct Template {
    pattern: Prepared,
    place: Option<IdPlace>,
}

/// Where a body has its id.
struct IdPlace {
    span: Range<usize>,
    is_number: bool,
}

impl Template {
    /// The mold of this one.
    pub(crate) fn of(pattern: Prepared) -> Self {
        Template { place: IdPlace::of(&pattern), pattern }
    }

    /// The same for another prediction: with an id of its own in the body, where there is one, and for the signature. One
    /// that goes out with its recorded signature stays what it is.
    pub(crate) fn another(&self, config: &Config) -> Prepared {
        let pattern = &self.pattern;
        if pattern.is_replayed_as_signed(config) {
            return pattern.clone();
        }
        let signed = self.place.as_ref().map(|place| place.fill(&pattern.signed)).or_else(|| with_id(pattern));
        let signed = signed.unwrap_or_else(|| pattern.signed.clone());
        Prepared {
            read: OnceLock::new(),
            body: pattern.tampered.as_ref().map_or_else(|| signed.clone(), |(tamper, _)| tamper.body(&signed)),
            signed,
            file: None,
            message_id: message_id(),
            ..pattern.clone()
        }
    }
}

impl IdPlace {
    fn of(pattern: &Prepared) -> Option<Self> {
        let text = std::str::from_utf8(&pattern.signed).ok()?;
        let object = Object::parse(text)?;
        let value = pattern.shape.fields.id.iter().find_map(|path| object.at(path))?;
        // A slice of the text, so that its address tells where it is.
        let start = value.as_ptr().addr() - text.as_ptr().addr();
        Some(IdPlace { span: start..start + value.len(), is_number: JsonType::of(value) == JsonType::Number })
    }

    fn fill(&self, body: &[u8]) -> Bytes {
        let id = fresh_id(self.is_number);
        Bytes::from([&body[..self.span.start], id.as_bytes(), &body[self.span.end..]].concat())
    }
}

/// A body that has no id yet, with one.
fn with_id(pattern: &Prepared) -> Option<Bytes> {
    let text = std::str::from_utf8(&pattern.signed).ok()?;
    let edit = new_id(&NewId::Fresh, text, pattern.shape).ok()?;
    edit.apply(text).ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::provider;

    #[test]
    fn every_one_has_another_id_and_nothing_else() {
        let config = Config::plain();
        for (provider, fixture) in provider::fixtures() {
            let body = Bytes::from_static(fixture.body.as_bytes());
            let shape = provider.shape(fixture.variant);
            let pattern = Prepared::pack(fixture.name, &body, provider, shape, &config).unwrap();
            let mold = Template::of(pattern.clone());
            let (one, other) = (mold.another(&config), mold.another(&config));
            let id = |parcel: &Prepared| parcel.payload().and_then(|payload| payload.id.clone());
            let (old, new) = (id(&pattern), id(&one));
            assert_ne!(one.message_id, pattern.message_id);
            // Hugging Face tells of repositories, not of predictions.
            let (Some(old), Some(new)) = (old, new) else { continue };
            assert!(new != old && Some(&new) != id(&other).as_ref(), "{}: {old:?} {new:?}", fixture.name);
            let back = String::from_utf8(one.body.to_vec()).unwrap().replacen(&new, &old, 1);
            assert_eq!(back, fixture.body, "{}", fixture.name);
        }
    }
}
