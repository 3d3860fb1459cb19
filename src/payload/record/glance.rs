//! What filters and counts want to know of a record, without reading its body.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{Answer, Record, VERSION};
use crate::payload::body::{self, Object};
use crate::payload::provider::Status;

/// A record at a glance.
#[derive(Clone, Debug)]
pub struct Glance<'a> {
    /// The id of the record.
    pub record: Cow<'a, str>,
    /// When it came.
    pub at: Timestamp,
    /// The provider's name; `None` when the body is not JSON.
    pub provider: Option<Cow<'a, str>>,
    /// What happened.
    pub event: Option<Cow<'a, str>>,
    /// The status in the one vocabulary.
    pub status: Option<Cow<'a, str>>,
    /// The status as the provider spelled it.
    pub raw_status: Option<Cow<'a, str>>,
    /// The id of the prediction, and further ones.
    pub ids: Vec<Cow<'a, str>>,
    /// Whether it was sent, not received.
    pub is_sent: bool,
    /// What is said of its signature.
    pub verdict: Cow<'a, str>,
    /// Why that does not hold.
    pub reason: Option<Cow<'a, str>>,
    /// What it was answered.
    pub answer: Option<Answer>,
    /// Whether it repeats an earlier one.
    pub is_repeat: bool,
    /// The codes of its warnings.
    pub warnings: Vec<Cow<'a, str>>,
}

/// The fields of a line that are looked at. The others, the body among them, are passed over undecoded.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    v: u32,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    at: Cow<'a, str>,
    #[serde(default, borrow)]
    direction: Option<Cow<'a, str>>,
    /// Must be there: a line without it has to be read whole.
    #[serde(borrow, deserialize_with = "present")]
    payload: &'a RawValue,
    #[serde(borrow)]
    signature: Signature<'a>,
    #[serde(default, borrow)]
    duplicate_of: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    warnings: Vec<Code<'a>>,
    #[serde(default)]
    answer: Option<Answer>,
}

#[derive(Deserialize)]
struct Signature<'a> {
    #[serde(borrow)]
    verdict: Cow<'a, str>,
    #[serde(default, borrow)]
    reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Code<'a> {
    #[serde(borrow)]
    code: Cow<'a, str>,
}

/// `null` too is text here.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'de RawValue, D::Error> {
    Deserialize::deserialize(deserializer)
}

/// The members of a payload's summary that are no ids.
const NO_IDS: [&str; 9] =
    ["provider", "variant", "kind", "event", "event_inferred", "status", "raw_status", "key", "error"];

impl<'a> Glance<'a> {
    /// Looks at a line; `None` for one that is no delivery of this version, or tells less than hookctl writes: that has
    /// to be read whole.
    pub fn of(line: &'a str) -> Option<Self> {
        let line: Line<'a> = serde_json::from_str(line).ok()?;
        if line.r#type != super::line::TYPE || line.v != VERSION {
            return None;
        }
        let summary = Object::parse(line.payload.get());
        let word = |name: &str| summary.as_ref().and_then(|summary| body::string(summary.get(name)?));
        let members = summary.iter().flat_map(|summary| summary.members());
        let ids = members.filter(|(name, _)| !NO_IDS.contains(name)).filter_map(|(_, id)| body::string(id));
        Some(Glance {
            record: line.id,
            at: line.at.parse().ok()?,
            provider: word("provider"),
            event: word("event"),
            status: word("status"),
            raw_status: word("raw_status"),
            ids: ids.collect(),
            is_sent: line.direction.as_deref() == Some("sent"),
            verdict: line.signature.verdict,
            reason: line.signature.reason,
            answer: line.answer,
            is_repeat: line.duplicate_of.is_some(),
            warnings: line.warnings.into_iter().map(|warning| warning.code).collect(),
        })
    }
}

impl<'a> From<&'a Record> for Glance<'a> {
    fn from(record: &'a Record) -> Self {
        let payload = record.payload.as_ref();
        let ids = payload.into_iter().flat_map(|p| p.id.iter().chain(p.ids.iter().map(|(_, id)| id)));
        let event = payload.and_then(|payload| payload.event.as_ref());
        Glance {
            record: record.id.as_str().into(),
            at: record.at,
            provider: payload.map(|payload| payload.provider.name.into()),
            event: event.map(|event| event.name.as_ref().into()),
            status: payload.and_then(|payload| payload.status).map(|status| Status::name(status).into()),
            raw_status: payload.and_then(|payload| payload.raw_status.as_deref()).map(Cow::Borrowed),
            ids: ids.map(|id| id.as_str().into()).collect(),
            is_sent: record.sent.is_some(),
            verdict: record.verdict.name().into(),
            reason: record.verdict.reason().map(|reason| reason.name().into()),
            answer: record.answer.clone(),
            is_repeat: record.duplicate.is_some(),
            warnings: record.warnings.iter().map(|warning| warning.code.as_str().into()).collect(),
        }
    }
}

impl Glance<'_> {
    /// When it is about this prediction, or has this id itself.
    pub fn has_id(&self, id: &str) -> bool {
        self.record == id || self.ids.iter().any(|other| other == id)
    }

    /// Whether it has this status, in the one vocabulary or as the provider spelled it. Case does not count.
    pub fn has_status(&self, word: &str) -> bool {
        [&self.status, &self.raw_status].into_iter().flatten().any(|status| status.eq_ignore_ascii_case(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::provider;
    use crate::payload::record::Parsed;
    use crate::payload::{Delivery, Payload};

    #[test]
    fn a_glance_sees_what_reading_it_all_sees() {
        for (_, fixture) in provider::fixtures() {
            let delivery = Delivery::bare(Default::default(), fixture.body.into());
            let payload = Payload::read(&delivery.body, &delivery.headers, None);
            let record = Record { payload, ..Record::unsent(Timestamp::UNIX_EPOCH, delivery) };
            let line = String::from_utf8(record.to_line()).unwrap();
            let Parsed::Delivery(read) = Record::parse(&line).unwrap() else { panic!("a delivery") };
            let (mut glance, mut whole) = (Glance::of(&line).unwrap(), Glance::from(&*read));
            // By name in a summary, in the provider's order in a payload.
            glance.ids.sort();
            whole.ids.sort();
            assert_eq!(format!("{glance:?}"), format!("{whole:?}"), "{}", fixture.name);
        }
    }

    #[test]
    fn what_tells_less_has_to_be_read_whole() {
        let whole = r#"{"type":"delivery","v":1,"id":"a","at":"2026-11-20T21:23:21Z","payload":null,"signature":{"verdict":"unsigned"}}"#;
        assert!(Glance::of(whole).is_some_and(|glance| glance.provider.is_none()));
        let less = ["\"payload\":null,", "\"v\":1,", "\"id\":\"a\",", ",\"signature\":{\"verdict\":\"unsigned\"}"];
        for part in less {
            assert!(Glance::of(&whole.replace(part, "")).is_none(), "{part}");
        }
        assert!(Glance::of(&whole.replace("delivery", "summary")).is_none());
        assert!(Glance::of(&whole.replace("\"v\":1", "\"v\":2")).is_none());
    }
}
