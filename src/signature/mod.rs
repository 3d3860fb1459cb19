//! Signatures: schemes as data, one engine that signs and verifies with any of them, and the reason when one fails.

pub(crate) mod check;
pub(crate) mod checker;
pub(crate) mod codec;
pub mod custom;
pub(crate) mod detect;
pub(crate) mod diagnose;
pub(crate) mod engine;
pub(crate) mod invalid;
pub mod keypair;
pub(crate) mod policy;
pub(crate) mod reserialize;
pub(crate) mod rows;
pub(crate) mod scheme;
pub(crate) mod secret;
pub(crate) mod tamper;
pub(crate) mod trace;
pub(crate) mod verdict;

pub use check::{check, is_blanked};
pub(crate) use checker::Checker;
pub use detect::detect;
pub use diagnose::why;
pub use policy::{Choice, Policy};
pub use rows::ALL;
pub use scheme::Scheme;
pub use secret::{Secret, SecretSpec};
pub(crate) use tamper::Tamper;
pub(crate) use trace::Trace;
pub use verdict::{Reason, Verdict};
