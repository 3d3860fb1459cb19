//! The record of an attempt.

use jiff::Timestamp;

use super::config::Config;
use super::request::Prepared;
use crate::clock::record_id;
use crate::http::IncomingResponse;
use crate::journal::Record;
use crate::journal::record::{Answer, AnsweredBy, SentAttempt, SentOutcome};
use crate::payload::delivery::method_name;
use crate::payload::retry::AttemptOutcome;
use crate::payload::{Delivery, Headers, lint};
use crate::signature;

/// `reply` is `None` for a request that is not sent (`--dry-run`).
pub(crate) fn record(
    prepared: &Prepared,
    config: &Config,
    headers: Headers,
    at: Timestamp,
    attempt: u32,
    reply: Option<&IncomingResponse>,
) -> Record {
    let url = &prepared.endpoint.url;
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let delivery = Delivery {
        method: method_name(&prepared.method),
        target,
        http: "1.1".into(),
        headers,
        body: prepared.body.clone(),
    };
    let policy = prepared.signing.policy();
    let verdict = signature::check(&delivery, &policy, at.as_second(), Some(prepared.content.provider));
    let answer = reply.and_then(|reply| match reply.outcome {
        AttemptOutcome::Answered { status, .. } => {
            Some(Answer { line: reply.line.clone(), ..Answer::new(status, AnsweredBy::Receiver, reply.ms) })
        }
        AttemptOutcome::Unreachable | AttemptOutcome::Unknown => None,
    });
    let redaction = prepared.signing.redaction();
    let shown_url = if config.keep_secrets { url.to_string() } else { redaction.text(url.to_string()) };
    let sent = SentAttempt {
        attempt,
        // A drill does not retry.
        of: prepared.case.map_or_else(|| prepared.retry.attempts(prepared.content.is_terminal()), |_| 1),
        url: shown_url,
        outcome: reply.map(|reply| match reply.outcome {
            AttemptOutcome::Answered { .. } => SentOutcome::Answered,
            AttemptOutcome::Unreachable => SentOutcome::Unreachable,
            AttemptOutcome::Unknown => SentOutcome::Unknown,
        }),
        error: reply.and_then(|reply| reply.error.clone()),
        case: prepared.case.map(|(name, _)| name.to_owned()),
        expect_status: match prepared.case {
            Some((_, wanted)) => wanted.statuses().parse().ok(),
            None => config.expect_status.clone(),
        },
    };
    let payload = prepared.content.payload().cloned();
    Record {
        id: record_id(at),
        warnings: payload.as_ref().map(lint::warnings).unwrap_or_default(),
        payload,
        verdict,
        answer,
        sent: Some(sent),
        ..Record::bare(at, if config.keep_secrets { delivery } else { redaction.delivery(delivery) })
    }
}
