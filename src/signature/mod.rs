//! Signatures: schemes as data, one interpreter that signs and verifies, and the reason when one fails.

pub(crate) mod checker;
pub mod custom;
pub(crate) mod diagnose;
pub mod keypair;
pub(crate) mod scheme;
pub(crate) mod secret;
pub(crate) mod tamper;
pub(crate) mod verdict;

pub(crate) mod codec;
pub(crate) mod engine;
pub(crate) mod reserialize;
pub(crate) mod rows;
pub(crate) mod trace;

pub(crate) use checker::Checker;
pub use rows::ALL;
pub use scheme::Scheme;
pub use secret::{Secret, SecretSpec};
pub(crate) use tamper::Tamper;
pub use verdict::{Choice, Policy, Reason, Verdict, check, detect, is_blanked, why};
