//! Helpers of the tests: the program, receivers, proxies, terminals, certificates.

pub mod certificates;
pub mod connection;
pub mod listener;
pub mod program;
pub mod proxy;
pub mod sign;
pub mod target;
#[cfg(unix)]
pub mod terminal;

use std::path::PathBuf;

/// The path of a file in the repository.
pub fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}
