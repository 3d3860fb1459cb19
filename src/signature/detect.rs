//! Finds the scheme of a delivery by its headers.

use super::scheme::{Claim, NoClaim, ProofEncoding, Scheme};
use crate::payload::delivery::Delivery;
use crate::payload::headers::Lookup;
use crate::payload::provider::Provider;

/// The strongest scheme whose headers are all there; else the strongest whose signature is, so that the header that is
/// missing beside it can be named. Schemes that share the header are told apart by which can read it.
pub fn detect(delivery: &Delivery) -> Option<(&'static Scheme, Result<Claim, NoClaim>)> {
    detect_in(&delivery.headers, &delivery.body)
}

/// The same of headers and a body wherever they stand.
pub(crate) fn detect_in(headers: &impl Lookup, body: &[u8]) -> Option<(&'static Scheme, Result<Claim, NoClaim>)> {
    let whole = |keyed: bool| {
        let of_kind = super::ALL.iter().filter(move |scheme| (scheme.proof != ProofEncoding::Secret) == keyed);
        of_kind.into_iter().find(|scheme| scheme.is_present(headers))
    };
    let part = || super::ALL.iter().find(|scheme| scheme.is_begun(headers));
    // A signature of which a part is missing still outranks a password beside it.
    let strongest = whole(true).or_else(part).or_else(|| whole(false))?;
    let claim = strongest.claim_of(headers, body);
    // Only a proof that cannot be read speaks for another scheme; a time stamp that cannot is a fault of this one.
    let unreadable = match &claim {
        Err(NoClaim::Malformed { header, .. }) => *header == strongest.signature[0],
        Err(NoClaim::Encoding { .. }) => true,
        Err(NoClaim::Missing { .. }) | Ok(_) => false,
    };
    if !unreadable {
        return Some((strongest, claim));
    }
    // One that signs the same and is only less strict in reading is not another scheme.
    let sharing = super::ALL.iter().filter(|scheme| scheme.signature[0] == strongest.signature[0]);
    let sharing = sharing.filter(|scheme| !scheme.signs_as(strongest));
    let readable = sharing.filter(|scheme| scheme.is_present(headers)).find_map(|scheme| {
        let claim = scheme.claim_of(headers, body);
        claim.is_ok().then_some((scheme, claim))
    });
    Some(readable.unwrap_or((strongest, claim)))
}

/// The provider's own reading of a scheme, where it has one: OpenAI signs as Standard Webhooks has it, but takes a secret
/// without `whsec_` for text.
pub(crate) fn own_reading(
    scheme: &Scheme,
    headers: &impl Lookup,
    provider: Option<&Provider>,
) -> Option<&'static Scheme> {
    let names = provider?.shapes.iter().flat_map(|shape| shape.schemes).filter(|name| **name != scheme.name);
    let mut own = names.filter_map(|name| Scheme::named(name)).filter(|own| own.signs_as(scheme));
    own.find(|own| own.is_present(headers))
}
