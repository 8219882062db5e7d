//! Sets as policy documents.
//!
//! ```text
//! Permissions ── documents ─┬─ layered ──▶ layers that each must allow, and what is denied  ─┬─▶ drafts ──▶ Policy ──▶ proven ==
//!                           └─ allowed ──▶ the same as a union of boxes                      ─┘
//! Policy ── minimize ──▶ drafts, fewer and shorter ──▶ Policy ──▶ proven ==
//!
//! draft      statements before they are written, and what two of them have in common
//! list       their actions and resources
//! asked      their conditions
//! ```
//!
//! Nothing here needs to be trusted: what comes out is parsed and proven equal by the search, or refused.

mod asked;
mod documents;
mod draft;
mod list;
mod minimize;
mod shorten;
#[cfg(test)]
mod tests;

pub(super) use documents::documents;
pub use documents::{Inexpressible, Method};

use std::fmt;

/// Why something cannot be said by a statement.
#[derive(Clone, Debug)]
struct Snag(String);

impl fmt::Display for Snag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
