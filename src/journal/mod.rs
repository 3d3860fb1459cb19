//! The journal: one delivery as one JSON object on one line, how lines are written, and how they are read back.

pub(crate) mod fast;
pub(crate) mod file;
pub(crate) mod header;
pub(crate) mod input;
pub(crate) mod line;
pub(crate) mod parse;
pub(crate) mod pipe;
pub(crate) mod prefilter;
pub(crate) mod reader;
pub mod record;
pub(crate) mod records;
pub(crate) mod redaction;
pub(crate) mod summary;
pub(crate) mod tail;
pub(crate) mod write;
pub(crate) mod writer;

pub use parse::{Damage, Parsed, is_journal_line};
pub use record::Record;
pub use redaction::Redaction;
pub use summary::Summary;
