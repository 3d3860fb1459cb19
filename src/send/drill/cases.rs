//! The cases of a drill, as data: what is sent, what a good handler does with it, and why.

use crate::event::DrillExpectation;
use crate::signature::Tamper;

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CaseKind {
    /// One delivery as the provider makes it.
    One,
    /// The same one again.
    Twice,
    /// The same one, several at once.
    AtOnce,
    /// An earlier event after the one that ends the prediction.
    OutOfOrder,
    /// One that a good handler refuses.
    Tampered(Tamper),
    /// One with another content type.
    ContentType(&'static str),
    /// One whose body is this instead.
    Body(&'static str),
    /// One with a large output.
    Large,
    /// One with a status that the provider may invent some day.
    Status(&'static str),
}

/// A case of the drill.
#[derive(Debug)]
pub(crate) struct DrillCase {
    /// Its name in tables and data.
    pub(crate) name: &'static str,
    /// What is sent.
    pub(crate) sends: CaseKind,
    /// What a good handler answers.
    pub(crate) wants: DrillExpectation,
    /// What is sent, in words.
    pub(crate) what: &'static str,
    /// Why a good handler answers so.
    pub(crate) why: &'static str,
}

const fn tampered(tamper: Tamper, name: &'static str, what: &'static str, why: &'static str) -> DrillCase {
    DrillCase { name, sends: CaseKind::Tampered(tamper), wants: DrillExpectation::Refused, what, why }
}

/// Every case, in the order in which they run.
pub(crate) const ALL: [DrillCase; 16] = [
    DrillCase {
        name: "good",
        sends: CaseKind::One,
        wants: DrillExpectation::Accepted,
        what: "a delivery as the provider makes it",
        why: "anything but 2xx within the provider's time is a failure to it, and it tries again",
    },
    DrillCase {
        name: "duplicate",
        sends: CaseKind::Twice,
        wants: DrillExpectation::Accepted,
        what: "the same delivery twice",
        why: "providers deliver at least once: the second must be acknowledged, and not processed again",
    },
    DrillCase {
        name: "concurrent duplicates",
        sends: CaseKind::AtOnce,
        wants: DrillExpectation::Accepted,
        what: "the same delivery five times at once",
        why: "a retry can overtake an attempt that is still being handled: remembering ids must be safe at the same time",
    },
    DrillCase {
        name: "out of order",
        sends: CaseKind::OutOfOrder,
        wants: DrillExpectation::Accepted,
        what: "an earlier event after the last one of its prediction",
        why: "no provider promises an order: what comes late is acknowledged, and does not undo the end",
    },
    tampered(
        Tamper::Body,
        "tampered body",
        "a body that was changed after it was signed",
        "whoever can reach the handler can invent deliveries: verify the signature over the raw bytes of the body",
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
        "only the provider knows the secret: a signature by another proves nothing",
    ),
    tampered(
        Tamper::Missing,
        "missing signature",
        "a delivery without its signature",
        "a check that is left out when there is nothing to check lets everybody in",
    ),
    tampered(
        Tamper::Malformed,
        "malformed signature",
        "something else in the signature's header",
        "what cannot be read is refused like what does not match, and must not break the handler",
    ),
    tampered(
        Tamper::Stale,
        "stale",
        "a delivery that was signed too long ago",
        "an old delivery may be a recorded one: the time stamp is signed so that its age can be checked",
    ),
    tampered(
        Tamper::Future,
        "from the future",
        "a delivery that was signed too far ahead",
        "a time stamp ahead of the clock would stay valid for that much longer",
    ),
    DrillCase {
        name: "wrong content type",
        sends: CaseKind::ContentType("text/plain"),
        wants: DrillExpectation::Survived,
        what: "a delivery that says it is text/plain",
        why: "take it or refuse it; an error of the server's own makes the provider try again for nothing",
    },
    DrillCase {
        name: "empty body",
        sends: CaseKind::Body(""),
        wants: DrillExpectation::Refused,
        what: "a delivery without a body",
        why: "it will not get better by being sent again: say so with 4xx",
    },
    DrillCase {
        name: "not JSON",
        sends: CaseKind::Body("{\"id\": \"cut-off\", \"status\": "),
        wants: DrillExpectation::Refused,
        what: "a body that breaks off",
        why: "it will not get better by being sent again: say so with 4xx",
    },
    DrillCase {
        name: "1 MiB body",
        sends: CaseKind::Large,
        wants: DrillExpectation::Accepted,
        what: "a delivery with an output of 1 MiB, as a data URL",
        why: "outputs come in the body at some providers: raise the limit of the body parser",
    },
    DrillCase {
        name: "unknown status",
        sends: CaseKind::Status("hookctl_unknown"),
        wants: DrillExpectation::Accepted,
        what: "a status that the handler has never heard of",
        why: "providers add statuses: acknowledge what is not understood, or it comes again and again",
    },
];
