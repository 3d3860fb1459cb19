//! jq filters: the engine, and the threads that run them.

pub(crate) mod jq;
pub(crate) mod threads;
