//! How much work a question may be: what would take too long ends in an answer that says so.

use std::cell::Cell;

/// The steps that are left.
pub(super) struct Budget(Cell<u64>);

/// No step is left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spent;

/// What a search that may be ended by the limit has found.
pub(super) type Found<T> = Result<Option<T>, Spent>;

impl Budget {
    pub(super) fn new(steps: u64) -> Budget {
        Budget(Cell::new(steps))
    }

    pub(super) fn spend(&self, steps: usize) -> Result<(), Spent> {
        let left = self.0.get().checked_sub(steps as u64).ok_or(Spent)?;
        self.0.set(left);
        Ok(())
    }
}
