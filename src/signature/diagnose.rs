//! Finds out why a signature does not verify: common mistakes between signing and verifying, tried one after the other
//! until something matches. The work is bounded by a [`Budget`], and a match never makes a delivery valid.

use super::policy::{Choice, Policy};
use super::scheme::{Claim, ProofEncoding, Scheme};
use super::secret::Secret;
use super::verdict::{Reason, Verdict};
use crate::payload::delivery::Delivery;

mod body;
mod budget;
mod content;
mod failed;
mod form;
mod keys;
mod scheme;
mod time;

pub(crate) use budget::Budget;
pub(crate) use failed::{Diagnosis, FailedDelivery};

/// Finds out why a delivery was found invalid, by trying common mistakes. Returns a verdict with the true reason, or
/// `verdict` itself. Takes some milliseconds at most, and never makes an invalid delivery a valid one.
pub fn why(delivery: &Delivery, policy: &Policy, now: i64, verdict: Verdict) -> Verdict {
    let Verdict::Invalid { scheme: name, reason, hint } = &verdict else { return verdict };
    let Some(name) = name else {
        let found = form::in_another_header(delivery, &policy.secrets);
        return found.map_or(verdict, |Diagnosis { reason, hint, .. }| Verdict::Invalid { scheme: None, reason, hint });
    };
    let scheme = match policy.scheme {
        Choice::Named(scheme) => scheme,
        Choice::Auto => match Scheme::named(name) {
            Some(scheme) => scheme,
            None => return verdict,
        },
    };
    let mut budget = Budget::default();
    match find(scheme, delivery, policy, now, *reason, &mut budget) {
        Some(Diagnosis { reason, hint, .. }) => Verdict::Invalid { scheme: Some(name.clone()), reason, hint },
        None if budget.is_spent() && *reason == Reason::WrongSecret && scheme.covers_body() => {
            let hint = format!("{hint}; the body is too large to try every change that could have been made to it");
            Verdict::Invalid { scheme: Some(name.clone()), reason: *reason, hint }
        }
        None => verdict,
    }
}

/// Tries common mistakes, with each form that the scheme has for these secrets.
fn find(
    scheme: &Scheme,
    delivery: &Delivery,
    policy: &Policy,
    now: i64,
    reason: Reason,
    budget: &mut Budget,
) -> Option<Diagnosis> {
    [Some(scheme), scheme.with_key_pair].into_iter().flatten().find_map(|form| {
        let own = policy.secrets.iter().filter(|secret| scheme.for_secret(secret) == form);
        let secrets: Vec<&Secret> = own.collect();
        if secrets.is_empty() {
            return None;
        }
        let case = FailedDelivery { scheme: form, delivery, secrets: &secrets, now };
        match (reason, form.claim(delivery)) {
            (Reason::WrongSecret | Reason::SecretEncoding, Ok(claim)) => case.of_claim(&claim, budget),
            (Reason::MissingSignature | Reason::MalformedSignature | Reason::WrongEncoding, Err(_)) => {
                case.of_headers(budget)
            }
            // The reasons about the clock come with a signature that matches: nothing is left to find.
            _ => None,
        }
    })
}

impl FailedDelivery<'_> {
    /// Finds the cause of a claim that matches none of the secrets.
    pub(crate) fn of_claim(&self, claim: &Claim, budget: &mut Budget) -> Option<Diagnosis> {
        if self.scheme.proof == ProofEncoding::Secret {
            return self.other_scheme(budget.renew()).or_else(|| self.keys(claim, budget));
        }
        // Cheap hypotheses first. `unsigned_time` comes before `other_scheme`: a time stamp that is present but not signed also
        // looks like another scheme.
        self.unsigned_time(claim, budget.renew())
            .or_else(|| self.other_scheme(budget.renew()))
            .or_else(|| self.other_form(budget.renew()))
            .or_else(|| self.not_keyed(claim, budget.renew()))
            .or_else(|| self.keys(claim, budget.renew()))
            .or_else(|| self.unit(claim, budget.renew()))
            .or_else(|| self.content(claim, budget.renew()))
            .or_else(|| self.body_ends(claim, budget.renew()))
            .or_else(|| self.dropped_time(claim, budget.renew()))
            .or_else(|| self.body_respelled(claim, budget.rest()))
    }

    /// Finds the cause where the headers do not have the scheme's form.
    fn of_headers(&self, budget: &mut Budget) -> Option<Diagnosis> {
        self.other_scheme(budget.renew()).or_else(|| self.encoding(budget.renew())).or_else(|| {
            let loose = self.loose();
            let time = loose.iter().find_map(|loose| loose.time.clone());
            let claim = self.claim(loose.into_iter().map(|loose| loose.proof).collect(), time);
            self.as_other_scheme(&claim, budget.renew()).or_else(|| self.dropped_time(&claim, budget.renew()))
        })
    }
}

#[cfg(test)]
mod tests;
