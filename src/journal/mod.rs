//! The journal: one delivery as one JSON object on one line, how lines are written, and how they are read back.

pub(crate) mod fast;
pub mod file;
pub mod input;
pub mod parse;
pub(crate) mod pipe;
pub mod record;
pub mod redaction;
pub mod summary;
pub mod tail;
pub mod write;

pub use record::Record;
pub use redaction::Redaction;
