//! What filters and counts want to know of a record, without reading its body.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::Record;
use super::fast::FastLine;
use super::record::{Answer, AnsweredBy, SentOutcome, VERSION};
use crate::json::value;
use crate::payload::provider::{self, Provider, Status};
use crate::signature::Verdict;

/// A record at a glance.
#[derive(Clone, Debug)]
pub struct Summary<'a> {
    /// The id of the record.
    pub(crate) record: Cow<'a, str>,
    /// When it came.
    pub at: Timestamp,
    /// The provider's name; `None` when the body is not JSON.
    pub(crate) provider: Option<Cow<'a, str>>,
    /// What happened.
    pub(crate) event: Option<Cow<'a, str>>,
    /// The status in the one vocabulary.
    pub(crate) status: Option<Cow<'a, str>>,
    /// The status as the provider spelled it.
    pub(crate) raw_status: Option<Cow<'a, str>>,
    /// The id of the prediction, and further ones.
    pub(crate) ids: Vec<Cow<'a, str>>,
    /// Whether it was sent, not received.
    pub(crate) is_sent: bool,
    /// What is said of its signature.
    pub(crate) verdict: Cow<'a, str>,
    /// Why that does not hold.
    pub(crate) reason: Option<Cow<'a, str>>,
    /// What it was answered.
    pub(crate) answer: Option<Answer>,
    /// Whether it repeats an earlier one.
    pub(crate) is_repeat: bool,
    /// The codes of its warnings.
    pub(crate) warnings: Vec<Cow<'a, str>>,
}

/// The fields of a line. Most are only looked at for their types: a line of which one cannot be read is damaged.
#[derive(Deserialize)]
#[expect(dead_code, reason = "what is read is not always looked at")]
struct Line<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    v: u32,
    #[serde(default)]
    seq: u64,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    at: Cow<'a, str>,
    #[serde(default, borrow)]
    direction: Option<Cow<'a, str>>,
    #[serde(default)]
    remote: Option<Text>,
    #[serde(default)]
    method: Text,
    #[serde(default)]
    target: Text,
    #[serde(default)]
    http: Text,
    #[serde(default)]
    headers: Vec<(Text, Text)>,
    #[serde(default)]
    body: Option<Text>,
    #[serde(default, borrow)]
    body_base64: Option<Cow<'a, str>>,
    /// Must be there: a line without it has to be read whole.
    #[serde(borrow, deserialize_with = "present")]
    payload: Option<PayloadSummary<'a>>,
    #[serde(borrow)]
    signature: Signature<'a>,
    #[serde(default)]
    duplicate_of: Option<Text>,
    #[serde(default, borrow)]
    warnings: Vec<WarningCode<'a>>,
    #[serde(default)]
    answer: Option<Answer>,
    /// Only one that was sent has it.
    #[serde(default)]
    attempt: Option<u32>,
    #[serde(default)]
    of: Option<u32>,
    #[serde(default)]
    url: Option<Text>,
    #[serde(default)]
    outcome: Option<SentOutcome>,
    #[serde(default)]
    error: Option<Text>,
    #[serde(default)]
    case: Option<Text>,
    #[serde(default)]
    expect_status: Option<Text>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "what is read is not always looked at")]
struct Signature<'a> {
    #[serde(borrow)]
    verdict: Cow<'a, str>,
    #[serde(default)]
    scheme: Option<Text>,
    #[serde(default)]
    secret: Option<Text>,
    #[serde(default, borrow)]
    reason: Option<Cow<'a, str>>,
    #[serde(default)]
    hint: Option<Text>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "what is read is not always looked at")]
pub(crate) struct WarningCode<'a> {
    #[serde(borrow)]
    pub(crate) code: Cow<'a, str>,
    #[serde(default)]
    path: Text,
    #[serde(default)]
    message: Text,
}

/// A text that nobody looks at.
#[derive(Default)]
struct Text;

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl Visitor<'_> for Any {
            type Value = Text;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_str<E: Error>(self, _: &str) -> Result<Text, E> {
                Ok(Text)
            }
        }

        deserializer.deserialize_str(Any)
    }
}

/// The name of a member, or another text that is borrowed where it can be.
#[derive(Deserialize)]
pub(crate) struct BorrowedText<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// `null` too must be said.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Deserialize::deserialize(deserializer)
}

/// What is looked at of a payload's summary.
#[derive(Default)]
struct PayloadSummary<'a> {
    provider: Option<Cow<'a, str>>,
    event: Option<Cow<'a, str>>,
    status: Option<Cow<'a, str>>,
    raw_status: Option<Cow<'a, str>>,
    ids: Vec<Cow<'a, str>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for PayloadSummary<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<'a>(PhantomData<&'a str>);

        impl<'de: 'a, 'a> Visitor<'de> for Members<'a> {
            type Value = PayloadSummary<'a>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a payload's summary")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                let mut summary = PayloadSummary::default();
                let mut has_provider = false;
                while let Some(BorrowedText(name)) = members.next_key()? {
                    let place = match name.as_ref() {
                        // Whoever reads all of the line reads this too, and nothing else of the summary.
                        "provider" if has_provider => return Err(Error::duplicate_field("provider")),
                        "provider" => {
                            has_provider = true;
                            summary.provider =
                                members.next_value::<Option<BorrowedText<'a>>>()?.map(|BorrowedText(name)| name);
                            continue;
                        }
                        "event" => &mut summary.event,
                        "status" => &mut summary.status,
                        "raw_status" => &mut summary.raw_status,
                        name if is_id(name) => {
                            summary.ids.extend(value::string(members.next_value::<&'a RawValue>()?.get()));
                            continue;
                        }
                        _ => {
                            members.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    *place = value::string(members.next_value::<&'a RawValue>()?.get());
                }
                Ok(summary)
            }
        }

        deserializer.deserialize_map(Members(PhantomData))
    }
}

/// Whether a member of a payload's summary is an id: that of the prediction, or one that a provider names.
pub(crate) fn is_id(name: &str) -> bool {
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

impl<'a> Summary<'a> {
    /// Looks at a line; `None` for one that is no delivery of this version, or tells less than hookctl writes: that has
    /// to be read whole. What is looked at can be read whole, too.
    pub fn of(line: &'a str) -> Option<Self> {
        FastLine::read(line).map(|ours| ours.glance).or_else(|| Summary::of_any(line))
    }

    /// The same, however the line is spelled.
    pub(crate) fn of_any(line: &'a str) -> Option<Self> {
        // A list of what would be its members is none.
        if !line.trim_start().starts_with('{') {
            return None;
        }
        let line: Line<'a> = serde_json::from_str(line).ok()?;
        if line.r#type != super::write::TYPE || line.v != VERSION {
            return None;
        }
        Summary::made(line)
    }

    fn made(line: Line<'a>) -> Option<Self> {
        if let (None, Some(base64)) = (&line.body, &line.body_base64) {
            STANDARD.decode(base64.as_bytes()).ok()?;
        }
        let Line { id, at, direction, attempt, payload, signature, duplicate_of, warnings, answer, .. } = line;
        let PayloadSummary { provider, event, status, raw_status, ids } = payload.unwrap_or_default();
        // What is not known here is read out of the body.
        if provider.as_ref().is_some_and(|name| Provider::named(name).is_none())
            || !Verdict::NAMES.contains(&&*signature.verdict)
        {
            return None;
        }
        Some(Summary {
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

impl<'a> From<&'a Record> for Summary<'a> {
    fn from(record: &'a Record) -> Self {
        let payload = record.payload.as_ref();
        let ids = payload.into_iter().flat_map(|p| p.id.iter().chain(p.ids.iter().map(|(_, id)| id)));
        let event = payload.and_then(|payload| payload.event.as_ref());
        Summary {
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

impl Summary<'_> {
    /// When it is about this prediction, or has this id itself.
    pub fn has_id(&self, id: &str) -> bool {
        self.record == id || self.ids.iter().any(|other| other == id)
    }

    /// Whether its body is there: one that passed a limit was not taken in.
    pub(crate) fn was_taken_in(&self) -> bool {
        self.answer.as_ref().is_none_or(|answer| answer.by != AnsweredBy::Limit)
    }

    /// Whether it has this status, in the one vocabulary or as the provider spelled it. Case does not count.
    pub(crate) fn has_status(&self, word: &str) -> bool {
        [&self.status, &self.raw_status].into_iter().flatten().any(|status| status.eq_ignore_ascii_case(word))
    }
}

#[cfg(test)]
mod tests;
