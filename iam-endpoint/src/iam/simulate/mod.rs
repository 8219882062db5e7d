//! Simulations: decisions without a request, and the keys that they would ask for.
//!
//! ```text
//! subject ─────────────► evaluate ──────────────► answer
//! whose policies, under  each action on each      decisions, and the statements
//! which names            resource, in a context   behind them with their places
//! ```
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html>

mod answer;
mod evaluate;
mod keys;
mod subject;

pub(super) use evaluate::{custom, principal};
pub(super) use keys::{custom_context_keys, principal_context_keys};
