//! What filters and counts want to know of a record, without reading its body.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::LazyLock;

use jiff::Timestamp;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::ours::Ours;
use super::{Answer, By, Record, VERSION};
use crate::payload::body;
use crate::payload::provider::{self, Provider, Status};
use crate::payload::signature::Verdict;

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
    /// Only one that was sent has it.
    #[serde(default)]
    attempt: Option<IgnoredAny>,
    /// Must be there: a line without it has to be read whole.
    #[serde(borrow, deserialize_with = "present")]
    payload: Option<Summary<'a>>,
    #[serde(borrow)]
    signature: Signature<'a>,
    #[serde(default)]
    duplicate_of: Option<IgnoredAny>,
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
pub(super) struct Code<'a> {
    #[serde(borrow)]
    pub(super) code: Cow<'a, str>,
}

/// The name of a member, or another text that is borrowed where it can be.
#[derive(Deserialize)]
pub(super) struct Key<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// `null` too must be said.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Deserialize::deserialize(deserializer)
}

/// What is looked at of a payload's summary.
#[derive(Default)]
struct Summary<'a> {
    provider: Option<Cow<'a, str>>,
    event: Option<Cow<'a, str>>,
    status: Option<Cow<'a, str>>,
    raw_status: Option<Cow<'a, str>>,
    ids: Vec<Cow<'a, str>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Summary<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<'a>(PhantomData<&'a str>);

        impl<'de: 'a, 'a> Visitor<'de> for Members<'a> {
            type Value = Summary<'a>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a payload's summary")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                let mut summary = Summary::default();
                while let Some(Key(name)) = members.next_key()? {
                    let place = match name.as_ref() {
                        "provider" => &mut summary.provider,
                        "event" => &mut summary.event,
                        "status" => &mut summary.status,
                        "raw_status" => &mut summary.raw_status,
                        name if is_id(name) => {
                            summary.ids.extend(body::string(members.next_value::<&'a RawValue>()?.get()));
                            continue;
                        }
                        _ => {
                            members.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    *place = body::string(members.next_value::<&'a RawValue>()?.get());
                }
                Ok(summary)
            }
        }

        deserializer.deserialize_map(Members(PhantomData))
    }
}

/// Whether a member of a payload's summary is an id: that of the prediction, or one that a provider names.
pub(super) fn is_id(name: &str) -> bool {
    static NAMES: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let providers = provider::ALL.iter().copied().chain(Provider::named("generic"));
        let shapes = providers.flat_map(|provider| provider.shapes);
        let mut names: Vec<_> = shapes.flat_map(|shape| shape.fields.ids).map(|(name, _)| *name).collect();
        names.push("id");
        names.sort_unstable();
        names.dedup();
        names
    });
    NAMES.contains(&name)
}

impl<'a> Glance<'a> {
    /// Looks at a line; `None` for one that is no delivery of this version, or tells less than hookctl writes: that has
    /// to be read whole.
    pub fn of(line: &'a str) -> Option<Self> {
        Ours::read(line).map(|ours| ours.glance).or_else(|| Glance::of_any(line))
    }

    /// The same, however the line is spelled.
    pub fn of_any(line: &'a str) -> Option<Self> {
        let line: Line<'a> = serde_json::from_str(line).ok()?;
        if line.r#type != super::line::TYPE || line.v != VERSION {
            return None;
        }
        Glance::made(line)
    }

    fn made(line: Line<'a>) -> Option<Self> {
        let Line { id, at, direction, attempt, payload, signature, duplicate_of, warnings, answer, .. } = line;
        let Summary { provider, event, status, raw_status, ids } = payload.unwrap_or_default();
        // What is not known here is read out of the body.
        if provider.as_ref().is_some_and(|name| Provider::named(name).is_none())
            || !Verdict::NAMES.contains(&&*signature.verdict)
        {
            return None;
        }
        Some(Glance {
            record: id,
            at: at.parse().ok()?,
            provider,
            event,
            status,
            raw_status,
            ids,
            is_sent: direction.as_deref() == Some("sent") || attempt.is_some(),
            verdict: signature.verdict,
            reason: signature.reason,
            answer,
            is_repeat: duplicate_of.is_some(),
            warnings: warnings.into_iter().map(|warning| warning.code).collect(),
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

    /// Whether its body is there: one that passed a limit was not taken in.
    pub fn was_taken_in(&self) -> bool {
        self.answer.as_ref().is_none_or(|answer| answer.by != By::Limit)
    }

    /// Whether it has this status, in the one vocabulary or as the provider spelled it. Case does not count.
    pub fn has_status(&self, word: &str) -> bool {
        [&self.status, &self.raw_status].into_iter().flatten().any(|status| status.eq_ignore_ascii_case(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
            let mut whole = Glance::from(&*read);
            for glance in [Ours::read(line.trim_end()).map(|ours| ours.glance), Glance::of_any(&line)] {
                let mut glance = glance.unwrap();
                // By name in a summary, in the provider's order in a payload.
                glance.ids.sort();
                whole.ids.sort();
                assert_eq!(format!("{glance:?}"), format!("{whole:?}"), "{}", fixture.name);
            }
        }
    }

    #[test]
    fn nothing_within_a_delivery_is_taken_for_what_is_said_of_it() {
        let forged = r#"","payload":{"provider":"forged"},"id":"x","at":"1970-01-01T00:00:00Z"#;
        let body = format!(r#"{{"id":"a","status":{},"metrics":{{}}}}"#, serde_json::to_string(forged).unwrap());
        let mut delivery = Delivery::bare(Default::default(), body.into());
        delivery.target = format!("/{forged}");
        delivery.headers.push(http::HeaderName::from_static("payload"), http::HeaderValue::from_static("payload"));
        delivery.headers.push(http::HeaderName::from_static("x"), http::HeaderValue::from_str(forged).unwrap());
        let payload = Payload::read(&delivery.body, &delivery.headers, None);
        let record = Record { payload, id: "real".into(), ..Record::unsent(Timestamp::MAX, delivery) };
        let line = String::from_utf8(record.to_line()).unwrap();
        let (ours, any) = (Ours::read(line.trim_end()).unwrap().glance, Glance::of_any(&line).unwrap());
        assert_eq!((ours.record.as_ref(), ours.raw_status.as_deref()), ("real", Some(forged)));
        assert_eq!(format!("{ours:?}"), format!("{any:?}"));
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
