//! The cases of a drill as data: the request, the expected response, and the reason.

use crate::event::DrillExpectation;
use crate::signature::Tamper;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CaseKind {
    /// One unchanged delivery.
    One,
    /// The same delivery twice, one after the other.
    Twice,
    /// The same delivery several times, concurrently.
    AtOnce,
    /// An earlier event after the one that ends the prediction.
    OutOfOrder,
    Tampered(Tamper),
    ContentType(&'static str),
    Body(&'static str),
    /// A large output.
    Large,
    /// A status that the provider does not document.
    Status(&'static str),
}

#[derive(Debug)]
pub(crate) struct DrillCase {
    /// In tables and in JSON.
    pub(crate) name: &'static str,
    pub(crate) sends: CaseKind,
    pub(crate) wants: DrillExpectation,
    /// The request in words.
    pub(crate) what: &'static str,
    /// The reason for the expected response.
    pub(crate) why: &'static str,
}

const fn tampered(tamper: Tamper, name: &'static str, what: &'static str, why: &'static str) -> DrillCase {
    DrillCase { name, sends: CaseKind::Tampered(tamper), wants: DrillExpectation::Refused, what, why }
}

/// In the order in which the cases run.
pub(crate) const ALL: [DrillCase; 16] = [
    DrillCase {
        name: "good",
        sends: CaseKind::One,
        wants: DrillExpectation::Accepted,
        what: "a delivery as the provider makes it",
        why: "the provider retries after any response but 2xx, and after its timeout",
    },
    DrillCase {
        name: "duplicate",
        sends: CaseKind::Twice,
        wants: DrillExpectation::Accepted,
        what: "the same delivery twice",
        why: "providers deliver at least once: acknowledge the second one, and do not process it again",
    },
    DrillCase {
        name: "concurrent duplicates",
        sends: CaseKind::AtOnce,
        wants: DrillExpectation::Accepted,
        what: "the same delivery five times at once",
        why: "a retry can arrive while the first attempt is still in progress: storing an id must be atomic",
    },
    DrillCase {
        name: "out of order",
        sends: CaseKind::OutOfOrder,
        wants: DrillExpectation::Accepted,
        what: "an earlier event after the event that ends the prediction",
        why: "no provider promises an order: acknowledge a late event, and keep the final state",
    },
    tampered(
        Tamper::Body,
        "tampered body",
        "a body that was changed after it was signed",
        "anyone who can reach the handler can forge a delivery: verify the signature over the raw bytes of the body",
    ),
    tampered(
        Tamper::Signature,
        "tampered signature",
        "a signature with one character changed",
        "compare the whole signature, in constant time",
    ),
    tampered(
        Tamper::Secret,
        "wrong secret",
        "a delivery signed with another secret",
        "only a signature made with the shared secret proves that the provider sent the delivery",
    ),
    tampered(
        Tamper::Missing,
        "missing signature",
        "a delivery without its signature",
        "a handler that skips the check when the signature is missing accepts forged deliveries",
    ),
    tampered(
        Tamper::Malformed,
        "malformed signature",
        "a signature header that holds no signature",
        "a malformed signature is just as invalid as a wrong one: answer 4xx, and do not crash",
    ),
    tampered(
        Tamper::Stale,
        "stale",
        "a delivery with a time stamp that is too old",
        "an attacker can replay a recorded delivery: check the age of the signed time stamp",
    ),
    tampered(
        Tamper::Future,
        "from the future",
        "a delivery with a time stamp too far in the future",
        "a time stamp in the future would stay valid for longer than the tolerance allows",
    ),
    DrillCase {
        name: "wrong content type",
        sends: CaseKind::ContentType("text/plain"),
        wants: DrillExpectation::Survived,
        what: "a delivery with Content-Type: text/plain",
        why: "accept or refuse it; after 5xx the provider retries for nothing",
    },
    DrillCase {
        name: "empty body",
        sends: CaseKind::Body(""),
        wants: DrillExpectation::Refused,
        what: "a delivery without a body",
        why: "a retry cannot succeed: answer 4xx",
    },
    DrillCase {
        name: "not JSON",
        sends: CaseKind::Body("{\"id\": \"cut-off\", \"status\": "),
        wants: DrillExpectation::Refused,
        what: "a truncated JSON body",
        why: "a retry cannot succeed: answer 4xx",
    },
    DrillCase {
        name: "1 MiB body",
        sends: CaseKind::Large,
        wants: DrillExpectation::Accepted,
        what: "a delivery with an output of 1 MiB, as a data URL",
        why: "some providers send outputs within the body: raise the body parser's limit",
    },
    DrillCase {
        name: "unknown status",
        sends: CaseKind::Status("hookctl_unknown"),
        wants: DrillExpectation::Accepted,
        what: "a status that the provider does not document",
        why: "providers add statuses: acknowledge an unknown one, or the provider keeps retrying",
    },
];
