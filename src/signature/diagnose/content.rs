//! The signed content is composed differently: parts are missing, in another order, or joined by another separator.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::budget::Budget;
use super::failed::{Diagnosis, FailedDelivery, Variant, word};
use crate::signature::scheme::{Claim, SignedPart};
use crate::signature::verdict::Reason;

/// Separators that senders use.
const SEPARATORS: [&str; 7] = [".", "", ":", "\n", ",", "|", " "];

impl FailedDelivery<'_> {
    /// The parts that the scheme signs were composed differently.
    pub(crate) fn content(&self, claim: &Claim, budget: &mut Budget) -> Option<Diagnosis> {
        self.other_digest(claim, budget).or_else(|| self.other_parts(claim, budget))
    }

    /// The body was signed instead of its digest or the other way round, or the digest has another encoding.
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

    /// Parts are missing, in another order, or joined by another separator.
    fn other_parts(&self, claim: &Claim, budget: &mut Budget) -> Option<Diagnosis> {
        let all: Vec<&SignedPart> =
            self.scheme.signed.iter().filter(|part| !matches!(part, SignedPart::Text(_))).collect();
        if all.len() < 2 {
            return None;
        }
        let own = self.scheme.signed.iter().rev().find_map(|part| match part {
            SignedPart::Text(text) => Some(*text),
            _ => None,
        });
        let separators = || own.into_iter().chain(SEPARATORS.into_iter().filter(|separator| Some(*separator) != own));
        let is_body = |part: &&SignedPart| matches!(part, SignedPart::Body | SignedPart::BodySha256);
        // Content without the body would match with any body.
        let fewer = (0..all.len()).map(|left_out| {
            let kept = all.iter().enumerate().filter(|(index, _)| *index != left_out);
            kept.map(|(_, part)| *part).collect::<Vec<_>>()
        });
        let fewer = fewer.filter(|parts| !self.scheme.covers_body() || parts.iter().any(is_body));
        let alone = all.iter().filter(|part| is_body(part)).map(|part| vec![*part]);
        let with_two_separators = |parts| two_separators(parts, separators().take(2));
        let contents = separators()
            .map(|separator| (all.clone(), separator))
            .chain(fewer.chain(alone).flat_map(with_two_separators))
            .chain(permutations(&all).into_iter().flat_map(with_two_separators));
        for (parts, separator) in contents {
            let signed = joined(&parts, separator);
            if signed == self.scheme.signed
                || !self.any_secret(claim, Variant { signed: &signed, ..self.arrived(claim) }, budget)
            {
                continue;
            }
            let actual: String = signed.iter().map(word).collect();
            let hint = format!("the sender signed {actual:?}; {} signs {:?}", self.scheme.name, self.signs());
            return Some(Diagnosis::new(Reason::WrongScheme, hint));
        }
        None
    }
}

fn joined(parts: &[&SignedPart], separator: &'static str) -> Vec<SignedPart> {
    let mut signed = Vec::with_capacity(parts.len() * 2);
    for part in parts {
        if !signed.is_empty() && !separator.is_empty() {
            signed.push(SignedPart::Text(separator));
        }
        signed.push((*part).clone());
    }
    signed
}

fn two_separators(
    parts: Vec<&SignedPart>,
    separators: impl Iterator<Item = &'static str>,
) -> impl Iterator<Item = (Vec<&SignedPart>, &'static str)> {
    separators.map(move |separator| (parts.clone(), separator))
}

fn permutations<'p>(parts: &[&'p SignedPart]) -> Vec<Vec<&'p SignedPart>> {
    let Some((first, rest)) = parts.split_first() else { return vec![Vec::new()] };
    let insert = |order: Vec<&'p SignedPart>| {
        (0..=order.len()).map(move |at| [&order[..at], &[*first], &order[at..]].concat()).collect::<Vec<_>>()
    };
    permutations(rest).into_iter().flat_map(insert).collect()
}
