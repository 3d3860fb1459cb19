//! Signatures: schemes as data, one interpreter that signs and verifies, and the reason when one fails.

pub mod checker;
pub mod explain;
pub mod keypair;
pub mod scheme;
pub mod secret;
pub mod spelled;
pub mod tamper;
pub mod verdict;

mod interpret;
mod rows;
mod writing;

pub use checker::Checker;
pub use rows::ALL;
pub use scheme::Scheme;
pub use secret::{Secret, SecretSpec};
pub use tamper::Tamper;
pub use verdict::{Choice, Policy, Reason, Verdict, check, detect, is_blanked, why};
