//! The time stamp has another unit, is not signed, or was dropped on the way.

use super::budget::Budget;
use super::failed::{Diagnosis, FailedDelivery, Variant};
use crate::signature::ALL;
use crate::signature::scheme::{Claim, Scheme, SignedPart, TimestampSource};
use crate::signature::verdict::Reason;

impl FailedDelivery<'_> {
    /// The time stamp is not part of the signed content.
    pub(crate) fn unsigned_time(&self, claim: &Claim, budget: &mut Budget) -> Option<Diagnosis> {
        claim.time()?;
        let signed = self.scheme.signed;
        let id = signed.iter().find(|part| matches!(part, SignedPart::Id(_)));
        let with_id: Vec<SignedPart> =
            id.into_iter().cloned().chain([SignedPart::Text("."), SignedPart::Body]).collect();
        // Without the time stamp and the separator after it.
        let at = signed.iter().position(|part| *part == SignedPart::Timestamp)?;
        let without: Vec<SignedPart> =
            signed[..at].iter().chain(signed.get(at + 2..).unwrap_or_default()).cloned().collect();
        let contents: [&[SignedPart]; 3] = [&[SignedPart::Body], &with_id, &without];
        let arrived = self.arrived(claim);
        let covering = contents
            .into_iter()
            .filter(|signed| signed.iter().any(|part| matches!(part, SignedPart::Body | SignedPart::BodySha256)));
        let found = covering.into_iter().any(|signed| self.any_secret(claim, Variant { signed, ..arrived }, budget));
        found.then(|| {
            let hint = format!("the sender did not sign the time stamp; {} signs {}", self.scheme.name, self.signs());
            Diagnosis::new(Reason::TimestampNotSigned, hint)
        })
    }

    /// The time stamp was signed in seconds and sent in milliseconds, or the other way round.
    pub(crate) fn unit(&self, claim: &Claim, budget: &mut Budget) -> Option<Diagnosis> {
        let text = claim.time()?;
        let seconds = text.strip_suffix("000").map(str::to_owned);
        let mut others = [seconds, Some(format!("{text}000"))].into_iter().flatten();
        let other = others
            .find(|other| self.any_secret(claim, Variant { timestamp: Some(other), ..self.arrived(claim) }, budget))?;
        let hint = format!("the header has {text}, but {other} was signed: use Unix seconds in both");
        Some(Diagnosis::new(Reason::TimestampUnit, hint))
    }

    /// The time stamp is missing: a time of the last minutes matches.
    pub(crate) fn dropped_time(&self, claim: &Claim, budget: &mut Budget) -> Option<Diagnosis> {
        const SECONDS: i64 = 300;
        let missing = |scheme: &&Scheme| match scheme.timestamp {
            TimestampSource::Header(names) => !names.iter().any(|name| self.delivery.headers.has(name)),
            TimestampSource::Pair => claim.timestamp.is_none(),
            TimestampSource::None => false,
        };
        let sharing = ALL.iter().filter(|scheme| scheme.signature[0] == self.scheme.signature[0]);
        let forms = std::iter::once(self.scheme).chain(sharing);
        let timed = forms.filter(|scheme| scheme.covers_body()).find(missing)?;
        let case = FailedDelivery { scheme: timed, ..*self };
        // The sender's clock may be some seconds ahead.
        let back = (0..SECONDS).chain(-10..0).find(|back| {
            let text = (self.now - back).to_string();
            case.any_secret(claim, Variant { timestamp: Some(&text), ..case.arrived(claim) }, budget)
        })?;
        let when = if back < 0 { format!("{} s ahead", -back) } else { format!("{back} s ago") };
        let hint = match timed.timestamp {
            TimestampSource::Header(names) => format!(
                "signed as {} {when}, but its header {} is missing: check which proxy or relay drops it",
                timed.name, names[0]
            ),
            TimestampSource::None | TimestampSource::Pair => format!(
                "signed as {} {when}, but the header {} has no time stamp: write it as {}",
                timed.name,
                timed.signature[0],
                timed.form.example(timed.proof)
            ),
        };
        Some(Diagnosis::new(Reason::MissingSignature, hint))
    }
}
