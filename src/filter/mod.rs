//! jq: the engine, and the threads on which its filters run.

pub(crate) mod jq;
pub(crate) mod threads;
