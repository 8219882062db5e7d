//! A role is ready when calls show it, never because some time has passed: what IAM has accepted, another of its servers
//! may not know yet, and a single success is followed by failures again.
//!
//! ```text
//! options   how much proof, how long, of which services
//! wait      AssumeRole until STS knows the role, then each service until its row is complete
//! row       successes in a row, and how long until the next look
//! probe     calls that change nothing, each allowed by the policy itself or by a canary statement
//! ```
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency>

mod options;
mod probe;
mod row;
mod wait;

pub use self::options::Readiness;
pub(super) use self::probe::Probes;
pub(super) use self::wait::{assumed, live};
