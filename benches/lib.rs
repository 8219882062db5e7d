//! What the benchmarks of the policy engine share: the clock, and the questions.
//!
//! ```text
//! cargo bench --package iam-policy-bench --bench algebra   inclusion among AWS managed policies, beside a solver
//! cargo bench --package iam-policy-bench --bench decide    decisions per second, beside the peers'
//! cargo bench --package iam-policy-bench --bench growth    the cost of statements that cannot match
//! cargo bench --package iam-policy-bench --bench parse     policies parsed per second, beside serde_json
//! cargo test --package iam-policy-bench --test second_opinion    the same random requests, asked of iam-rs
//! cargo test --package iam-policy-bench --test updates           what every update of a managed policy granted
//! ```

mod attack;
mod cases;
mod clock;
mod managed;
pub mod smt;
mod tally;
mod workload;

pub use attack::Attack;
pub use cases::{WorstCase, variable_cases, worst_cases};
pub use clock::rate;
pub use managed::{Managed, managed_policies, run};
pub use tally::Tally;
pub use workload::{ACCOUNT, Question, USER, Workload, typical_policy};
