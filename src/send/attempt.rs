//! What is recorded of an attempt.

use jiff::Timestamp;

use super::Config;
use super::request::Prepared;
use crate::clock::record_id;
use crate::http::IncomingResponse;
use crate::journal::Record;
use crate::journal::record::{Answer, AnsweredBy, SentAttempt, SentOutcome};
use crate::payload::delivery::method_name;
use crate::payload::retry::AttemptOutcome;
use crate::payload::{Delivery, Headers, lint};
use crate::signature;
use crate::signature::{Choice, Policy};

/// Where a parcel goes, as it may be shown.
pub(crate) fn shown_url(parcel: &Prepared, config: &Config) -> String {
    let url = config.to.to_string();
    if config.keep_secrets { url } else { parcel.redaction(config).text(url) }
}

/// The record of an attempt; without a reply, of one that is not made.
pub(crate) fn record(
    parcel: &Prepared,
    config: &Config,
    headers: Headers,
    at: Timestamp,
    attempt: u32,
    reply: Option<&IncomingResponse>,
) -> Record {
    let target = match config.to.query() {
        Some(query) => format!("{}?{query}", config.to.path()),
        None => config.to.path().to_owned(),
    };
    let delivery = Delivery {
        method: method_name(&parcel.method),
        target,
        http: "1.1".into(),
        headers,
        body: parcel.body.clone(),
    };
    // What a handler with the same secret finds.
    let scheme = parcel.schemes.first().map_or(config.scheme, |scheme| Choice::Named(scheme));
    let policy = Policy { scheme, secrets: config.secrets.clone(), tolerance: None };
    let verdict = signature::check(&delivery, &policy, at.as_second(), Some(parcel.provider));
    let answer = reply.and_then(|reply| match reply.outcome {
        AttemptOutcome::Answered { status, .. } => {
            Some(Answer { line: reply.line.clone(), ..Answer::new(status, AnsweredBy::Receiver, reply.ms) })
        }
        AttemptOutcome::Unreachable | AttemptOutcome::Unknown => None,
    });
    let sent = SentAttempt {
        attempt,
        // In a drill nothing is tried again.
        of: parcel.case.map_or_else(|| parcel.retry.attempts(parcel.is_terminal()), |_| 1),
        url: shown_url(parcel, config),
        outcome: reply.map(|reply| match reply.outcome {
            AttemptOutcome::Answered { .. } => SentOutcome::Answered,
            AttemptOutcome::Unreachable => SentOutcome::Unreachable,
            AttemptOutcome::Unknown => SentOutcome::Unknown,
        }),
        error: reply.and_then(|reply| reply.error.clone()),
        case: parcel.case.map(|(name, _)| name.to_owned()),
        expect_status: match parcel.case {
            Some((_, wanted)) => wanted.statuses().parse().ok(),
            None => config.expect_status.clone(),
        },
    };
    let payload = parcel.payload().cloned();
    Record {
        id: record_id(at),
        warnings: payload.as_ref().map(lint::warnings).unwrap_or_default(),
        payload,
        verdict,
        answer,
        sent: Some(sent),
        ..Record::bare(at, if config.keep_secrets { delivery } else { parcel.redaction(config).delivery(delivery) })
    }
}
