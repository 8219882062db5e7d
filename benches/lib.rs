//! What the benchmarks of the policy engine share: the clock, and the questions.
//!
//! ```text
//! cargo bench --package iam-policy-bench --bench algebra   inclusion among AWS managed policies
//! cargo bench --package iam-policy-bench --bench decide    decisions per second, beside the peers'
//! cargo bench --package iam-policy-bench --bench growth    the cost of statements that cannot match
//! cargo bench --package iam-policy-bench --bench parse     policies parsed per second, beside serde_json
//! cargo test --package iam-policy-bench --test second_opinion    the same random requests, asked of iam-rs
//! ```

mod clock;
mod workload;

pub use clock::rate;
pub use workload::{ACCOUNT, Question, USER, Workload, typical_policy};
