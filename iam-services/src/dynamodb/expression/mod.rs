//! Expressions: conditions, filters, keys, projections and updates.
//!
//! See <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html>.
//!
//! ```text
//! token ─► parser ─► condition    what must hold
//!          path      projection   what is shown
//!                    update       what is to become of an item
//!          placeholders: `#name` and `:value`, all of which have to be used
//! ```

mod condition;
mod parser;
mod path;
mod placeholders;
mod projection;
mod reserved;
mod token;
mod update;

pub(super) use condition::{Comparison, Condition, Operand};
pub(super) use placeholders::Placeholders;
pub(super) use projection::Projection;
pub(super) use update::Update;
