//! How much work explaining one delivery may be.

/// How much may be hashed to explain one delivery, in bytes: some milliseconds' worth. A body of a few kilobytes gets
/// every try, one of a megabyte the first few.
#[derive(Debug)]
pub(crate) struct Budget {
    /// For this family of tries.
    left: usize,
    /// For all that are to come.
    total: usize,
    /// Whether something was left untried.
    spent: bool,
    /// How many variants were tried.
    pub(crate) tried: usize,
}

/// What all tries together may cost.
const TOTAL: usize = 8 * 1024 * 1024;

/// What one family of tries may cost, so that none starves those behind it.
const FAMILY: usize = 2 * 1024 * 1024;

/// What a try costs beyond its bytes: even nothing must be hashed in blocks.
const OVERHEAD: usize = 512;

/// What checking an Ed25519 signature costs: as long as hashing so many bytes takes.
pub(crate) const ED25519: usize = 64 * 1024;

/// What reading or writing a byte of JSON costs: as long as hashing so many takes.
pub(crate) const JSON: usize = 8;

/// The JSON of a larger body is not read: that takes longer than hashing it.
pub(crate) const READ: usize = 32 * 1024;

impl Default for Budget {
    fn default() -> Self {
        Budget { left: FAMILY, total: TOTAL, spent: false, tried: 0 }
    }
}

impl Budget {
    /// For the next family of tries.
    pub(crate) fn renew(&mut self) -> &mut Self {
        self.left = FAMILY.min(self.total);
        self
    }

    /// For the last family, which may take all that the others have left.
    pub(crate) fn rest(&mut self) -> &mut Self {
        self.left = self.total;
        self
    }

    /// Whether so many bytes may still be hashed; asked before anything is built to be hashed.
    pub(crate) fn allows(&mut self, bytes: usize) -> bool {
        let enough = self.left >= bytes.saturating_add(OVERHEAD);
        self.spent |= !enough;
        enough
    }

    /// Takes so many bytes, if they are left.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        let enough = self.allows(bytes);
        let cost = bytes.saturating_add(OVERHEAD);
        self.left = self.left.saturating_sub(cost);
        self.total = self.total.saturating_sub(if enough { cost } else { 0 });
        self.tried += usize::from(enough);
        enough
    }

    /// Gives up on what the budget does not allow.
    pub(crate) fn give_up(&mut self) {
        self.spent = true;
    }

    /// Whether something was left untried.
    pub(crate) fn is_spent(&self) -> bool {
        self.spent
    }
}
