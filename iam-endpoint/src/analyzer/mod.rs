//! IAM Access Analyzer's `ValidatePolicy`: what is wrong with a policy, in AWS's terms.
//!
//! ```text
//! validate ─────────► finding ───────────────────► path
//! the request and     what iam-policy found, by    where that is, by the
//! the answer          AWS's types and issue codes  elements around it
//! ```
//!
//! <https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_ValidatePolicy.html>

mod finding;
mod path;
mod validate;

pub(crate) use validate::{handle, performs};
