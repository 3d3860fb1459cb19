//! Signatures: schemes as data, one interpreter that signs and verifies, and the reason when one fails.

pub mod checker;
pub mod custom;
pub mod diagnose;
pub mod keypair;
pub mod scheme;
pub mod secret;
pub mod tamper;
pub mod verdict;

pub(crate) mod codec;
pub(crate) mod engine;
pub mod reserialize;
pub(crate) mod rows;
pub mod trace;

pub use checker::Checker;
pub use rows::ALL;
pub use scheme::Scheme;
pub use secret::{Secret, SecretSpec};
pub use tamper::Tamper;
pub use verdict::{Choice, Policy, Reason, Verdict, check, detect, is_blanked, why};
