//! Finds the scheme of a delivery by its headers.

use super::policy::Choice;
use super::scheme::{Claim, NoClaim, ProofEncoding, Scheme};
use crate::payload::delivery::Delivery;
use crate::payload::headers::Lookup;
use crate::payload::provider::Provider;

/// The strongest scheme whose headers are all present; without one, the strongest whose signature header is present, so that
/// a hint can name the missing header. Of schemes that share the header, the first that can read the proof is chosen.
pub fn detect(delivery: &Delivery) -> Option<(&'static Scheme, Result<Claim, NoClaim>)> {
    detect_in(&delivery.headers, &delivery.body)
}

/// Like [`detect`], for headers and a body that are not in a [`Delivery`].
pub(crate) fn detect_in(headers: &impl Lookup, body: &[u8]) -> Option<(&'static Scheme, Result<Claim, NoClaim>)> {
    let complete = |signs: bool| {
        let of_kind = super::ALL.iter().filter(move |scheme| (scheme.proof != ProofEncoding::Secret) == signs);
        of_kind.into_iter().find(|scheme| scheme.has_all_headers(headers))
    };
    let incomplete = || super::ALL.iter().find(|scheme| scheme.has_signature_header(headers));
    // A signature with a missing header still outranks a shared secret.
    let strongest = complete(true).or_else(incomplete).or_else(|| complete(false))?;
    let claim = strongest.claim_of(headers, body);
    // Only an unreadable proof is a sign of another scheme; an unreadable time stamp is a mistake under this one.
    let unreadable = match &claim {
        Err(NoClaim::Malformed { header, .. }) => *header == strongest.signature[0],
        Err(NoClaim::Encoding { .. }) => true,
        Err(NoClaim::Missing { .. }) | Ok(_) => false,
    };
    if !unreadable {
        return Some((strongest, claim));
    }
    // A scheme with the same content that only accepts more formats is not another scheme.
    let sharing = super::ALL.iter().filter(|scheme| scheme.signature[0] == strongest.signature[0]);
    let sharing = sharing.filter(|scheme| !scheme.signs_as(strongest));
    let readable = sharing.filter(|scheme| scheme.has_all_headers(headers)).find_map(|scheme| {
        let claim = scheme.claim_of(headers, body);
        claim.is_ok().then_some((scheme, claim))
    });
    Some(readable.unwrap_or((strongest, claim)))
}

/// The scheme to check with, and its claim; `None` when no scheme was detected.
pub(crate) fn choose(
    choice: Choice,
    headers: &impl Lookup,
    body: &[u8],
    provider: Option<&Provider>,
) -> Option<(&'static Scheme, Result<Claim, NoClaim>)> {
    if let Choice::Named(scheme) = choice {
        return Some((scheme, scheme.claim_of(headers, body)));
    }
    let (scheme, claim) = detect_in(headers, body)?;
    Some(match provider_variant(scheme, headers, provider) {
        Some(variant) => (variant, variant.claim_of(headers, body)),
        None => (scheme, claim),
    })
}

/// The provider's variant of a scheme, if there is one: OpenAI signs by Standard Webhooks, but uses the text of a secret
/// without `whsec_` as the key.
fn provider_variant(scheme: &Scheme, headers: &impl Lookup, provider: Option<&Provider>) -> Option<&'static Scheme> {
    let names = provider?.shapes.iter().flat_map(|shape| shape.schemes).filter(|name| **name != scheme.name);
    let mut variants = names.filter_map(|name| Scheme::named(name)).filter(|variant| variant.signs_as(scheme));
    variants.find(|variant| variant.has_all_headers(headers))
}
