//! What the system gives and takes: secrets, signals, key sets, JUnit reports.

pub mod junit;
pub mod jwks;
pub mod secrets;
pub mod signals;
