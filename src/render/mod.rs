//! The sinks that show events, and everything about terminals.

pub(crate) mod block;
pub(crate) mod compact;
pub(crate) mod delivery;
pub(crate) mod diff;
pub(crate) mod drill;
pub mod escape;
pub(crate) mod fields;
pub(crate) mod fold;
pub(crate) mod html;
pub mod human;
pub mod json;
pub(crate) mod pager;
pub mod paint;
pub mod pretty;
pub(crate) mod progress;
pub(crate) mod prompt;
pub(crate) mod show;
pub(crate) mod stats;
pub mod style;
pub(crate) mod summary;
pub(crate) mod table;
pub(crate) mod time;
pub(crate) mod timeline;

pub use show::Show;
pub(crate) use show::run;
