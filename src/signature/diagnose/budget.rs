//! Limits the work for one diagnosis.

/// The bytes that may still be hashed for one diagnosis: some milliseconds of work. A body of a few kilobytes gets every
/// attempt, a body of a megabyte the first few.
#[derive(Debug)]
pub(crate) struct Budget {
    /// For this group of attempts.
    left: usize,
    /// For all groups that follow.
    total: usize,
    /// Whether any attempt was skipped.
    spent: bool,
    /// The number of variants that were tried.
    pub(crate) tried: usize,
}

/// The cost of all attempts together, in hashed bytes.
const TOTAL: usize = 8 * 1024 * 1024;

/// The cost of one group of attempts, so that no group starves the groups that follow.
const GROUP: usize = 2 * 1024 * 1024;

/// The cost of an attempt beyond its bytes: even an empty input is hashed in blocks.
const OVERHEAD: usize = 512;

/// The cost of verifying an Ed25519 signature: as long as hashing this many bytes.
pub(crate) const ED25519: usize = 64 * 1024;

/// The cost of reading or writing a byte of JSON: as long as hashing this many bytes.
pub(crate) const JSON: usize = 8;

/// The JSON of a larger body is not parsed: parsing takes longer than hashing.
pub(crate) const READ: usize = 32 * 1024;

impl Default for Budget {
    fn default() -> Self {
        Budget { left: GROUP, total: TOTAL, spent: false, tried: 0 }
    }
}

impl Budget {
    /// Starts the next group of attempts.
    pub(crate) fn renew(&mut self) -> &mut Self {
        self.left = GROUP.min(self.total);
        self
    }

    /// Starts the last group, which may use the rest of the total.
    pub(crate) fn rest(&mut self) -> &mut Self {
        self.left = self.total;
        self
    }

    /// Whether this many bytes may still be hashed, to ask before an input is built.
    pub(crate) fn allows(&mut self, bytes: usize) -> bool {
        let enough = self.left >= bytes.saturating_add(OVERHEAD);
        self.spent |= !enough;
        enough
    }

    /// Takes this many bytes from the budget; `false` if the budget is too small.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        let enough = self.allows(bytes);
        let cost = bytes.saturating_add(OVERHEAD);
        self.left = self.left.saturating_sub(cost);
        self.total = self.total.saturating_sub(if enough { cost } else { 0 });
        self.tried += usize::from(enough);
        enough
    }

    /// Marks the budget as spent.
    pub(crate) fn give_up(&mut self) {
        self.spent = true;
    }

    /// Whether any attempt was skipped.
    pub(crate) fn is_spent(&self) -> bool {
        self.spent
    }
}
