//! Checks the signatures of deliveries that were recorded.

use jiff::Timestamp;

use super::config::Config;
use crate::journal::Record;
use crate::payload::{Delivery, Payload};
use crate::signature::{self, Policy, Verdict};

pub(crate) fn check(delivery: &Delivery, policy: &Policy, now: Timestamp, payload: Option<&Payload>) -> Verdict {
    signature::check(delivery, policy, now.as_second(), payload.map(|payload| payload.provider))
}

/// Checks a recorded delivery again, where the user gave secrets.
pub(crate) fn update_verdict(record: &mut Record, config: &Config) {
    if !config.policy.secrets.is_empty() {
        record.verdict = check_again(record, &config.policy, config.now);
    }
}

/// Checks a recorded delivery at the given time, or at the time at which it came. The verdict is `Unchecked` where the
/// record has no signature any more because it was a secret, or has no body.
pub(crate) fn check_again(record: &Record, policy: &Policy, now: Option<Timestamp>) -> Verdict {
    if !record.body_was_read() || signature::is_blanked(&record.delivery, policy) {
        return Verdict::Unchecked;
    }
    check(&record.delivery, policy, now.unwrap_or(record.at), record.payload.as_ref())
}

/// Finds the reason of an invalid signature: too slow for deliveries that are not shown.
pub(crate) fn diagnose(record: &mut Record, policy: &Policy, now: Option<Timestamp>) {
    if record.verdict.is_invalid() {
        let verdict = std::mem::replace(&mut record.verdict, Verdict::Unchecked);
        let now = now.unwrap_or(record.at).as_second();
        record.verdict = signature::why(&record.delivery, policy, now, verdict);
    }
}
