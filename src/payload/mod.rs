//! The shared module: what a webhook is, whoever sent it and whichever command looks at it.
//!
//! Pure: no clock, socket, file, terminal or colour. Time and secrets are handed in, and nothing here fails on bad
//! input: a broken body, an unknown status or a wrong signature is a *result* that the commands show.
//!
//! | module | what it knows |
//! |---|---|
//! | [`curl`] | the curl command that sends a delivery again |
//! | [`delivery`] | one HTTP request as it crossed the wire |
//! | [`body`] | what its bytes are: JSON, text, binary, empty, broken |
//! | [`encoding`] | what a compressed body holds |
//! | [`builtin`] | the payloads that come with the program |
//! | [`provider`] | what each provider sends, as data, and which of them sent this |
//! | [`read`] | the [`Payload`]: status, event, ids, output, error, … in one vocabulary |
//! | [`respell`] | the same JSON in other spellings, to explain a signature by |
//! | [`signature`] | schemes as data; sign, verify, and say why not |
//! | [`retry`] | retry profiles and the decision what comes next |
//! | [`lint`] | what is suspicious about one payload |
//! | [`duration`] | how a length of time is written |
//! | [`history`] | what several deliveries tell together: duplicates, the life of a prediction |
//! | [`inline`] | files within strings: data URLs, base64 |
//! | [`events`], [`jq`] | which deliveries are wanted; what must be true of them |
//! | [`names`] | which keys or headers there may be, at a glance |
//! | [`hazard`] | characters that no screen may be given raw |
//! | [`record`], [`redaction`] | the JSON Lines form of a delivery; what it must not tell |

pub mod body;
pub mod builtin;
pub(crate) mod data_url;
pub(crate) mod delivery;
pub(crate) mod detect;
pub mod duration;
pub mod encoding;
pub mod events;
pub(crate) mod headers;
pub(crate) mod history;
pub(crate) mod leak;
pub mod lint;
pub(crate) mod nearest;
pub mod provider;
pub(crate) mod read;
pub(crate) mod retry;
pub(crate) mod unsafe_chars;

pub(crate) use body::Body;
pub use delivery::Delivery;
pub use headers::{FieldName, Headers};
pub(crate) use leak::leak;
pub(crate) use nearest::nearest;
pub(crate) use provider::{Kind, Provider, Status};
pub use read::Payload;
