//! Time stamps: counted otherwise, not signed, or dropped on the way.

use super::{Budget, Case, Finding, Variant};
use crate::signature::ALL;
use crate::signature::scheme::{Claim, Part, Time};
use crate::signature::verdict::Reason;

impl Case<'_> {
    /// The time stamp was left out of what is signed.
    pub(crate) fn unsigned_time(&self, claim: &Claim, budget: &mut Budget) -> Option<Finding> {
        claim.time()?;
        let signed = self.scheme.signed;
        let id = signed.iter().find(|part| matches!(part, Part::Id(_)));
        let with_id: Vec<Part> = id.into_iter().cloned().chain([Part::Text("."), Part::Body]).collect();
        // Without the time stamp, and without what joins it to the next part.
        let at = signed.iter().position(|part| *part == Part::Timestamp)?;
        let without: Vec<Part> = signed[..at].iter().chain(signed.get(at + 2..).unwrap_or_default()).cloned().collect();
        let contents: [&[Part]; 3] = [&[Part::Body], &with_id, &without];
        let arrived = self.arrived(claim);
        let covering = contents
            .into_iter()
            .filter(|signed| signed.iter().any(|part| matches!(part, Part::Body | Part::BodySha256)));
        let found = covering.into_iter().any(|signed| self.any_secret(claim, Variant { signed, ..arrived }, budget));
        found.then(|| {
            let hint =
                format!("the time stamp is not part of what was signed; {} signs {}", self.scheme.name, self.signs());
            Finding::new(Reason::TimestampNotSigned, hint)
        })
    }

    /// The time stamp was signed in seconds and sent in milliseconds, or the other way round.
    pub(crate) fn unit(&self, claim: &Claim, budget: &mut Budget) -> Option<Finding> {
        let text = claim.time()?;
        let seconds = text.strip_suffix("000").map(str::to_owned);
        let mut others = [seconds, Some(format!("{text}000"))].into_iter().flatten();
        let other = others
            .find(|other| self.any_secret(claim, Variant { timestamp: Some(other), ..self.arrived(claim) }, budget))?;
        let hint = format!("the header says {text} and what was signed says {other}: send Unix seconds in both");
        Some(Finding::new(Reason::TimestampUnit, hint))
    }

    /// The time stamp did not arrive: one of the last minutes fits.
    pub(crate) fn dropped_time(&self, claim: &Claim, budget: &mut Budget) -> Option<Finding> {
        const MINUTES: i64 = 300;
        let missing = |scheme: &&super::Scheme| match scheme.timestamp {
            Time::Header(names) => !names.iter().any(|name| self.delivery.headers.has(name)),
            Time::Pair => claim.timestamp.is_none(),
            Time::None => false,
        };
        let sharing = ALL.iter().filter(|scheme| scheme.signature[0] == self.scheme.signature[0]);
        let forms = std::iter::once(self.scheme).chain(sharing);
        let timed = forms.filter(|scheme| scheme.covers_body()).find(missing)?;
        let case = Case { scheme: timed, ..*self };
        // The clocks may differ by some seconds.
        let back = (0..MINUTES).chain(-10..0).find(|back| {
            let text = (self.now - back).to_string();
            case.any_secret(claim, Variant { timestamp: Some(&text), ..case.arrived(claim) }, budget)
        })?;
        let when = if back < 0 { format!("{} s ahead", -back) } else { format!("{back} s ago") };
        let hint = match timed.timestamp {
            Time::Header(names) => format!(
                "signed as {} {when}, but its header {} did not arrive: see which proxy or relay drops it",
                timed.name, names[0]
            ),
            Time::None | Time::Pair => format!(
                "signed as {} {when}, but the header {} does not say when: write it as {}",
                timed.name,
                timed.signature[0],
                timed.form.example(timed.proof)
            ),
        };
        Some(Finding::new(Reason::MissingSignature, hint))
    }
}
