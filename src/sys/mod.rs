//! Secrets, signals, key sets, JUnit reports.

pub(crate) mod junit;
pub(crate) mod jwks;
pub(crate) mod secrets;
pub(crate) mod signals;
