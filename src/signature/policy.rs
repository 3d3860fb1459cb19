//! The policy of a signature check: scheme, secrets, tolerance.

use super::scheme::Scheme;
use super::secret::Secret;

/// The scheme to check with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The strongest scheme whose headers are present.
    Auto,
    /// This scheme, without detection by headers.
    Named(&'static Scheme),
}

impl Choice {
    pub(crate) fn named(self) -> Option<&'static Scheme> {
        match self {
            Choice::Auto => None,
            Choice::Named(scheme) => Some(scheme),
        }
    }
}

/// The policy of a signature check.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The scheme.
    pub scheme: Choice,
    /// Any of these may match.
    pub secrets: Vec<Secret>,
    /// Seconds that replace the scheme's own tolerance.
    pub tolerance: Option<u64>,
}
