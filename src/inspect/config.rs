//! The configuration of `inspect`.

use http::HeaderValue;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::query::Query;
use super::redact::RedactPath;
use super::view::View;
use crate::payload::{FieldName, Provider};
use crate::signature::Policy;

#[derive(Debug)]
pub(crate) struct Config {
    /// Payload files, journals, or `-`.
    pub(crate) sources: Vec<String>,
    /// Headers that came with a payload.
    pub(crate) headers: Vec<(FieldName, HeaderValue)>,
    /// The signature that came with a payload, for the header of the scheme.
    pub(crate) signature: Option<HeaderValue>,
    /// The provider, where the user named one.
    pub(crate) provider: Option<&'static Provider>,
    /// How signatures are checked.
    pub(crate) policy: Policy,
    /// The time to check signatures at, in place of the present, or of the time at which a delivery was recorded.
    pub(crate) now: Option<Timestamp>,
    /// Whether to show how each signature was checked.
    pub(crate) explain: bool,
    /// Selects deliveries of a journal.
    pub(crate) query: Query,
    pub(crate) view: View,
    /// Fields that are blanked in the output.
    pub(crate) redact: Vec<RedactPath>,
    /// Whether to read on as journals grow.
    pub(crate) follow: bool,
    /// The time zone of the output.
    pub(crate) zone: TimeZone,
}

impl Config {
    /// The first flag that applies to payloads only.
    pub(crate) fn payload_flag(&self) -> Option<&'static str> {
        let flags = [(!self.headers.is_empty(), "-H"), (self.signature.is_some(), "--signature")];
        flags.into_iter().find(|(set, _)| *set).map(|(_, flag)| flag)
    }

    /// The first flag that applies to journals only.
    pub(crate) fn journal_flag(&self) -> Option<&'static str> {
        let follow = self.follow.then_some("--follow");
        let redact = (!self.redact.is_empty()).then_some("--redact");
        self.view.flag().or(follow).or(redact).or(self.query.flag())
    }
}
