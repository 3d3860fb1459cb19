//! What filters and counts want to know of a record, without reading its body.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::LazyLock;

use jiff::Timestamp;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{Answer, Record, VERSION};
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
struct Code<'a> {
    #[serde(borrow)]
    code: Cow<'a, str>,
}

/// The name of a member.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

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
fn is_id(name: &str) -> bool {
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
        Glance::at_ours(line).or_else(|| Glance::at_any(line))
    }

    fn at_any(line: &'a str) -> Option<Self> {
        let line: Line<'a> = serde_json::from_str(line).ok()?;
        if line.r#type != super::line::TYPE || line.v != VERSION {
            return None;
        }
        Glance::made(line)
    }

    /// Looks at a line as hookctl writes those that were received, the fields in their order; `None` for any other. Its
    /// headers and its body, which are most of it, are not even passed over: that `,"payload":` is found behind them
    /// cannot be their doing, as they are texts, in which every quotation mark has a backslash before it.
    fn at_ours(line: &'a str) -> Option<Self> {
        let begins = line.as_bytes().starts_with(super::line::BEGINNING);
        let end = memchr::memmem::find(line.as_bytes(), b",\"payload\":").filter(|_| begins)?;
        let mut rest = &line[end..];
        let payload = next(&mut rest, ",\"payload\":")?;
        let signature = next(&mut rest, ",\"signature\":")?;
        let duplicate_of = next(&mut rest, ",\"duplicate_of\":")?;
        let warnings = next(&mut rest, ",\"warnings\":")?;
        let answer = next(&mut rest, ",\"answer\":")?;
        let (id, at) = (text(line, ",\"id\":\"")?, text(line, ",\"at\":\"")?);
        let (r#type, v, direction) = (super::line::TYPE.into(), VERSION, Some("received".into()));
        let line = Line {
            r#type,
            v,
            id: id.into(),
            at: at.into(),
            direction,
            attempt: None,
            payload,
            signature,
            duplicate_of,
            warnings,
            answer,
        };
        // Those that were sent go on.
        (rest == "}").then(|| Glance::made(line)).flatten()
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

/// The value of the field that stands next, which is taken off.
fn next<'a, T: Deserialize<'a>>(rest: &mut &'a str, name: &str) -> Option<T> {
    let text = rest.strip_prefix(name)?;
    let mut values = serde_json::Deserializer::from_str(text).into_iter();
    let value = values.next()?.ok()?;
    *rest = &text[values.byte_offset()..];
    Some(value)
}

/// The text behind the first of these, one without escapes.
fn text<'a>(line: &'a str, before: &str) -> Option<&'a str> {
    let start = memchr::memmem::find(line.as_bytes(), before.as_bytes())? + before.len();
    let end = memchr::memchr(b'"', &line.as_bytes()[start..])?;
    let text = &line[start..start + end];
    (!text.contains('\\')).then_some(text)
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
            for glance in [Glance::at_ours(line.trim_end()), Glance::at_any(&line)] {
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
        let (ours, any) = (Glance::at_ours(line.trim_end()).unwrap(), Glance::at_any(&line).unwrap());
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
