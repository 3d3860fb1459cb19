//! The fields of a record that filters and counts read, without its body.

use std::borrow::Cow;
use std::sync::LazyLock;

use jiff::Timestamp;

use super::record::{Answer, Record, body_was_read};
use crate::payload::provider::{self, Provider, Status};

/// The fields of a record that filters and counts read.
#[derive(Clone, Debug)]
pub struct Summary<'a> {
    /// The id of the record.
    pub(crate) record: Cow<'a, str>,
    /// When the delivery came.
    pub at: Timestamp,
    /// The provider's name; `None` when the body is not JSON.
    pub(crate) provider: Option<Cow<'a, str>>,
    /// The event's name.
    pub(crate) event: Option<Cow<'a, str>>,
    /// The status in the vocabulary that all providers share.
    pub(crate) status: Option<Cow<'a, str>>,
    /// The status as the provider spelled it.
    pub(crate) raw_status: Option<Cow<'a, str>>,
    /// The id of the prediction, and further ids.
    pub(crate) ids: Vec<Cow<'a, str>>,
    /// Whether the delivery was sent, not received.
    pub(crate) is_sent: bool,
    /// The name of the verdict.
    pub(crate) verdict: Cow<'a, str>,
    /// The reason of an invalid signature.
    pub(crate) reason: Option<Cow<'a, str>>,
    /// The answer to the delivery.
    pub(crate) answer: Option<Answer>,
    /// Whether the delivery repeats an earlier one.
    pub(crate) is_repeat: bool,
    /// The codes of the warnings.
    pub(crate) warnings: Vec<Cow<'a, str>>,
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
    /// Whether this is the id of the record, of its prediction, or another id of its payload.
    pub fn has_id(&self, id: &str) -> bool {
        self.record == id || self.ids.iter().any(|other| other == id)
    }

    /// Whether the status is this word, in the shared vocabulary or as the provider spelled it. Case does not count.
    pub(crate) fn has_status(&self, word: &str) -> bool {
        [&self.status, &self.raw_status].into_iter().flatten().any(|status| status.eq_ignore_ascii_case(word))
    }

    /// Whether the body is in the record.
    pub(crate) fn body_was_read(&self) -> bool {
        body_was_read(self.answer.as_ref())
    }
}

/// Whether a member of `payload` in a line is an id: `id` itself, or an id that a provider names.
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
