//! What deliveries are checked with: scheme, secrets, tolerance.

use super::scheme::Scheme;
use super::secret::Secret;

/// Which scheme deliveries are checked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The strongest whose headers are there.
    Auto,
    /// This one, whatever is there.
    Named(&'static Scheme),
}

impl Choice {
    /// The scheme that was named.
    pub(crate) fn named(self) -> Option<&'static Scheme> {
        match self {
            Choice::Auto => None,
            Choice::Named(scheme) => Some(scheme),
        }
    }
}

/// What deliveries are checked with.
#[derive(Clone, Debug)]
pub struct Policy {
    /// By which scheme.
    pub scheme: Choice,
    /// Any of these may match.
    pub secrets: Vec<Secret>,
    /// Seconds that replace the scheme's own tolerance.
    pub tolerance: Option<u64>,
}
