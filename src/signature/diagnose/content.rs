//! What is signed, put together otherwise: parts left out, in another order, joined by something else.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::budget::Budget;
use super::failed::{Diagnosis, FailedDelivery, Variant, word};
use crate::signature::scheme::{Claim, SignedPart};
use crate::signature::verdict::Reason;

/// What senders put between the parts.
const JOINTS: [&str; 7] = [".", "", ":", "\n", ",", "|", " "];

impl FailedDelivery<'_> {
    /// The parts that the scheme signs were put together otherwise.
    pub(crate) fn content(&self, claim: &Claim, budget: &mut Budget) -> Option<Diagnosis> {
        self.other_digest(claim, budget).or_else(|| self.other_parts(claim, budget))
    }

    /// The body was signed where its digest should be or the other way round, or the digest is written otherwise.
    fn other_digest(&self, claim: &Claim, budget: &mut Budget) -> Option<Diagnosis> {
        let arrived = self.arrived(claim);
        let digest = Sha256::digest(arrived.body);
        let swapped: Vec<SignedPart> = self
            .scheme
            .signed
            .iter()
            .map(|part| match part {
                SignedPart::Body => SignedPart::BodySha256,
                SignedPart::BodySha256 => SignedPart::Body,
                other => other.clone(),
            })
            .collect();
        let hashed = self.scheme.signed.contains(&SignedPart::BodySha256);
        let of_body = if hashed { "the body itself was signed" } else { "the SHA-256 of the body was signed" };
        let upper = base16ct::upper::encode_string(&digest);
        let base64 = STANDARD.encode(digest);
        let tries = [
            (Variant { signed: &swapped, ..arrived }, of_body),
            (Variant { digest: Some(&upper), ..arrived }, "the body's SHA-256 was signed in upper-case hex"),
            (Variant { digest: Some(&base64), ..arrived }, "the body's SHA-256 was signed in base64"),
        ];
        let tries =
            tries.into_iter().filter(|(variant, _)| self.scheme.covers_body() && (hashed || variant.digest.is_none()));
        let (_, what) = tries.into_iter().find(|(variant, _)| self.any_secret(claim, *variant, budget))?;
        let hint = format!("{what}; {} signs {}", self.scheme.name, self.signs());
        Some(Diagnosis::new(Reason::WrongScheme, hint))
    }

    /// Parts are missing, in another order, or joined otherwise.
    fn other_parts(&self, claim: &Claim, budget: &mut Budget) -> Option<Diagnosis> {
        let whole: Vec<&SignedPart> =
            self.scheme.signed.iter().filter(|part| !matches!(part, SignedPart::Text(_))).collect();
        if whole.len() < 2 {
            return None;
        }
        let own = self.scheme.signed.iter().rev().find_map(|part| match part {
            SignedPart::Text(text) => Some(*text),
            _ => None,
        });
        let joints = || own.into_iter().chain(JOINTS.into_iter().filter(|joint| Some(*joint) != own));
        let is_body = |part: &&SignedPart| matches!(part, SignedPart::Body | SignedPart::BodySha256);
        // What proves nothing about the body would be found with any body.
        let fewer = (0..whole.len()).map(|left_out| {
            let kept = whole.iter().enumerate().filter(|(index, _)| *index != left_out);
            kept.map(|(_, part)| *part).collect::<Vec<_>>()
        });
        let fewer = fewer.filter(|parts| !self.scheme.covers_body() || parts.iter().any(is_body));
        let alone = whole.iter().filter(|part| is_body(part)).map(|part| vec![*part]);
        let orders = permutations(&whole);
        let contents = joints().map(|joint| (whole.clone(), joint));
        let contents = contents
            .chain(fewer.chain(alone).flat_map(|parts| joints().take(2).map(move |joint| (parts.clone(), joint))));
        let contents = contents
            .chain(orders.into_iter().flat_map(|parts| joints().take(2).map(move |joint| (parts.clone(), joint))));
        for (parts, joint) in contents {
            let signed = joined(&parts, joint);
            if signed == self.scheme.signed
                || !self.any_secret(claim, Variant { signed: &signed, ..self.arrived(claim) }, budget)
            {
                continue;
            }
            let was: String = signed.iter().map(word).collect();
            let hint = format!("what was signed is {was:?}; {} signs {:?}", self.scheme.name, self.signs());
            return Some(Diagnosis::new(Reason::WrongScheme, hint));
        }
        None
    }
}

fn joined(parts: &[&SignedPart], joint: &'static str) -> Vec<SignedPart> {
    let mut signed = Vec::with_capacity(parts.len() * 2);
    for part in parts {
        if !signed.is_empty() && !joint.is_empty() {
            signed.push(SignedPart::Text(joint));
        }
        signed.push((*part).clone());
    }
    signed
}

/// Every order of a few things.
fn permutations<'p>(parts: &[&'p SignedPart]) -> Vec<Vec<&'p SignedPart>> {
    let Some((first, rest)) = parts.split_first() else { return vec![Vec::new()] };
    let insert = |order: Vec<&'p SignedPart>| {
        (0..=order.len()).map(move |at| [&order[..at], &[*first], &order[at..]].concat()).collect::<Vec<_>>()
    };
    permutations(rest).into_iter().flat_map(insert).collect()
}
