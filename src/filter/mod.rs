//! jq: the engine, and the threads on which its filters run.

pub mod jq;
pub mod threads;
