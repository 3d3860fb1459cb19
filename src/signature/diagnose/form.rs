//! The signature is right, but its format is not the scheme's.

use std::borrow::Cow;

use super::budget::Budget;
use super::failed::{Diagnosis, FailedDelivery};
use crate::payload::delivery::Delivery;
use crate::payload::nearest;
use crate::signature::ALL;
use crate::signature::codec::decode_loosely;
use crate::signature::scheme::{Claim, ProofEncoding, Scheme, SignatureFormat};
use crate::signature::secret::Secret;
use crate::signature::verdict::Reason;

/// A possible proof in a header's value, in any encoding and format.
pub(crate) struct Loose {
    pub(crate) proof: Vec<u8>,
    /// The encoding, where it is not the scheme's.
    how: Option<&'static str>,
    /// A possible time stamp in the same value.
    pub(crate) time: Option<String>,
}

/// Bounds the work for an endless list.
const MAX_ITEMS: usize = 8;

/// The body's HMAC is in a header that no scheme uses.
pub(crate) fn in_another_header(delivery: &Delivery, secrets: &[Secret]) -> Option<Diagnosis> {
    let secrets: Vec<&Secret> = secrets.iter().collect();
    let plain = Scheme::named("eachlabs")?;
    let case = FailedDelivery { scheme: plain, delivery, secrets: &secrets, now: 0 };
    let names_a_signature = |name: &str| ["sign", "hmac", "digest"].iter().any(|word| name.contains(word));
    let budget = &mut Budget::default();
    let headers = delivery.headers.iter().filter(|(name, _)| names_a_signature(name)).take(MAX_ITEMS);
    let mut loose =
        headers.into_iter().flat_map(|(name, value)| case.loose_in(&value).into_iter().map(move |loose| (name, loose)));
    let (name, Loose { how, .. }) = loose.find(|(_, loose)| {
        let claim = case.claim(vec![loose.proof.clone()], None);
        case.any_secret(&claim, case.arrived(&claim), budget)
    })?;
    let known = nearest(name, ALL.iter().flat_map(|scheme| scheme.signature.iter().copied()));
    let remedy = match known {
        Some(known) => format!("did you mean {known}?"),
        None => format!("describe the scheme with --scheme hmac-sha256:header={name},encoding=…,prefix=…"),
    };
    let hint = format!(
        "the header {name} has the HMAC-SHA256 of the body in {}, but no scheme of hookctl uses this header: {remedy}",
        how.unwrap_or("hex")
    );
    Some(Diagnosis::new(Reason::MissingSignature, hint))
}

impl FailedDelivery<'_> {
    /// The proof is right, but has another encoding or other text around it.
    pub(crate) fn encoding(&self, budget: &mut Budget) -> Option<Diagnosis> {
        self.loose().into_iter().find_map(|Loose { proof, how, time }| {
            let claim = self.claim(vec![proof], time);
            if !self.any_secret(&claim, self.arrived(&claim), budget) {
                return None;
            }
            let expected = self.scheme.form.example(self.scheme.proof);
            Some(match how {
                Some(how) => Diagnosis::new(
                    Reason::WrongEncoding,
                    format!("the signature is right, but encoded as {how}: write it as {expected}"),
                ),
                None => Diagnosis::new(
                    Reason::MalformedSignature,
                    format!("the signature is right, but the text around it is not: write it as {expected}"),
                ),
            })
        })
    }

    /// Another scheme with the same header matches, except for the format of its signature.
    pub(crate) fn other_form(&self, budget: &mut Budget) -> Option<Diagnosis> {
        let sharing = ALL.iter().filter(|other| other.name != self.scheme.name);
        let sharing = sharing.filter(|other| other.signature[0] == self.scheme.signature[0]);
        let mut present = sharing.filter(|other| other.has_all_headers(&self.delivery.headers));
        present.find_map(|other| {
            let case = FailedDelivery { scheme: other, ..*self };
            let Diagnosis { reason, hint, .. } = case.encoding(budget)?;
            Some(Diagnosis::new(reason, format!("as {}, {hint}", other.name)))
        })
    }

    /// The signature in this scheme's header was made by another scheme.
    pub(crate) fn as_other_scheme(&self, claim: &Claim, budget: &mut Budget) -> Option<Diagnosis> {
        let others = ALL.iter().filter(|other| other.name != self.scheme.name && other.covers_body());
        let mut keyed = others.filter(|other| !other.proof.is_asymmetric() && !other.signs_as(self.scheme));
        let other = keyed.find(|other| {
            let case = FailedDelivery { scheme: other, ..*self };
            let made = case.claim(claim.proofs.clone(), claim.time().map(str::to_owned));
            case.any_secret(&made, case.arrived(&made), budget)
        })?;
        // Several schemes sign the same content; the delivery does not show which of them the sender used.
        let alike = ALL.iter().filter(|alike| alike.signs_as(other) && alike.key == other.key);
        let alike: Vec<&str> = alike.map(|alike| alike.name).collect();
        let hint = format!(
            "the header {} has a signature of {}: {}; {} expects {}",
            self.scheme.signature[0],
            alike.join(" or "),
            other.summary,
            self.scheme.name,
            self.scheme.summary
        );
        Some(Diagnosis::new(Reason::WrongScheme, hint))
    }

    /// The possible proofs in the signature headers.
    pub(crate) fn loose(&self) -> Vec<Loose> {
        let headers = &self.delivery.headers;
        let values = self.scheme.signature.iter().flat_map(|name| headers.all(name)).map(Cow::into_owned);
        values.flat_map(|value| self.loose_in(&value)).take(MAX_ITEMS).collect()
    }

    fn loose_in(&self, value: &str) -> Vec<Loose> {
        if self.scheme.proof == ProofEncoding::Secret {
            return Vec::new();
        }
        let unquoted = |text: &str| text.trim_matches(['"', '\'', ' ']).to_owned();
        // The whole value comes first: the padding of base64 looks like a separator.
        let items = value.split([',', ';', ' ', '&', '\t']).map(unquoted).filter(|item| !item.is_empty());
        let items: Vec<String> = [unquoted(value)].into_iter().chain(items).take(MAX_ITEMS).collect();
        let texts: Vec<&str> = items
            .iter()
            .flat_map(|item| {
                let separators = ['=', ':'];
                let after = item.split_once(separators).map(|(_, text)| text);
                let last = item.rsplit_once(separators).map(|(_, text)| text);
                let texts = [Some(item.as_str()), after, last].into_iter().flatten();
                texts.map(|text| text.trim_matches(['"', '\'']))
            })
            .collect();
        let is_time = |text: &str| (9..=14).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let time = texts.iter().copied().find(|text| is_time(text)).map(str::to_owned);
        let time = time.or_else(|| self.stray_time().filter(|text| is_time(text)));
        let mut loose: Vec<Loose> = Vec::new();
        for text in texts {
            let Some((proof, how)) = decode_loosely(text, self.scheme.proof) else { continue };
            if loose.iter().all(|other| other.proof != proof) {
                loose.push(Loose { proof, how, time: time.clone() });
            }
        }
        loose
    }

    /// A time stamp in a header of its own, where the scheme expects the time stamp in the signature header.
    fn stray_time(&self) -> Option<String> {
        let pairs = matches!(self.scheme.form, SignatureFormat::Pairs { .. });
        let mut headers = self.delivery.headers.iter().filter(|(name, _)| pairs && name.ends_with("timestamp"));
        headers.next().map(|(_, value)| value.into_owned())
    }
}
