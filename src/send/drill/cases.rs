//! The cases of a drill, as data: what is sent, what a good handler does with it, and why.

use crate::event::Wanted;
use crate::signature::Tamper;

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sends {
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
pub struct Case {
    /// Its name in tables and data.
    pub name: &'static str,
    /// What is sent.
    pub sends: Sends,
    /// What a good handler answers.
    pub wants: Wanted,
    /// What is sent, in words.
    pub what: &'static str,
    /// Why a good handler answers so.
    pub why: &'static str,
}

const fn tampered(tamper: Tamper, name: &'static str, what: &'static str, why: &'static str) -> Case {
    Case { name, sends: Sends::Tampered(tamper), wants: Wanted::Refused, what, why }
}

/// Every case, in the order in which they run.
pub const ALL: [Case; 16] = [
    Case {
        name: "good",
        sends: Sends::One,
        wants: Wanted::Accepted,
        what: "a delivery as the provider makes it",
        why: "anything but 2xx within the provider's time is a failure to it, and it tries again",
    },
    Case {
        name: "duplicate",
        sends: Sends::Twice,
        wants: Wanted::Accepted,
        what: "the same delivery twice",
        why: "providers deliver at least once: the second must be acknowledged, and not processed again",
    },
    Case {
        name: "concurrent duplicates",
        sends: Sends::AtOnce,
        wants: Wanted::Accepted,
        what: "the same delivery five times at once",
        why: "a retry can overtake an attempt that is still being handled: remembering ids must be safe at the same time",
    },
    Case {
        name: "out of order",
        sends: Sends::OutOfOrder,
        wants: Wanted::Accepted,
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
    Case {
        name: "wrong content type",
        sends: Sends::ContentType("text/plain"),
        wants: Wanted::Survived,
        what: "a delivery that says it is text/plain",
        why: "take it or refuse it; an error of the server's own makes the provider try again for nothing",
    },
    Case {
        name: "empty body",
        sends: Sends::Body(""),
        wants: Wanted::Refused,
        what: "a delivery without a body",
        why: "it will not get better by being sent again: say so with 4xx",
    },
    Case {
        name: "not JSON",
        sends: Sends::Body("{\"id\": \"cut-off\", \"status\": "),
        wants: Wanted::Refused,
        what: "a body that breaks off",
        why: "it will not get better by being sent again: say so with 4xx",
    },
    Case {
        name: "1 MiB body",
        sends: Sends::Large,
        wants: Wanted::Accepted,
        what: "a delivery with an output of 1 MiB, as a data URL",
        why: "outputs come in the body at some providers: raise the limit of the body parser",
    },
    Case {
        name: "unknown status",
        sends: Sends::Status("hookctl_unknown"),
        wants: Wanted::Accepted,
        what: "a status that the handler has never heard of",
        why: "providers add statuses: acknowledge what is not understood, or it comes again and again",
    },
];
