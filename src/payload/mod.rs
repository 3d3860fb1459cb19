//! Webhooks, for every command: from the request as received to the payload in one vocabulary.
//!
//! Pure: no clock, socket, file, terminal or colour; time is a parameter. Bad input is no error here: a broken body or an
//! unknown status is a *result* that the commands show.
//!
//! | module | what it holds |
//! |---|---|
//! | `delivery`, `headers` | one HTTP request as it crossed the wire |
//! | `encoding` | decompression of bodies |
//! | `body` | the kind of a body: JSON, text, binary, empty, broken |
//! | `provider`, `detect` | each provider as data; the provider and shape of a body |
//! | `read` | the `Payload`: status, event, ids, output, error, … in one vocabulary |
//! | `builtin` | the payloads that come with the program |
//! | `retry` | retry profiles, and the decision after an attempt |
//! | `lint` | warnings about one payload |
//! | `history` | several deliveries together: duplicates, the lifecycle of a prediction |
//! | `events` | the filter of `--events` |
//! | `data_url` | files within strings: data URLs, base64 |
//! | `duration`, `nearest`, `unsafe_chars` | text: durations, suggestions, characters that are unsafe to display |

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
