//! What a request of any protocol says, as one tree with paths into it.
//!
//! ```text
//!  cbor   xml   flat   (JSON by serde_json)     the body, bounded in size and depth
//!    └─────┴─────┴───────────┘
//!               path                            `TransactItems[].Put.TableName`
//!  request: `/Label`, `?name`, `:Header` and paths into the body
//! ```

mod cbor;
mod flat;
mod path;
mod request;
mod xml;

pub(crate) use path::{Found, Path, entries, items, walk};
pub(crate) use request::Input;

/// AWS's own inputs nest a dozen levels; more than this is an attack on the stack. `serde_json` has a limit of its own, 128.
const DEEPEST: usize = 64;
