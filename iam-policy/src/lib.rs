//! The AWS IAM policy language: parse, check, decide, explain.
//!
//! ```text
//! Source ── Template::render ──▶ Source ── Policy::parse ──▶ Policy ──┬── PolicySet::decide ──▶ Decision
//!   text, name, fragment                     │                 │      │              explain ──▶ Explanation
//!                                            ▼                 │      │
//!                                       Diagnostics ◀── lint ──┘   Request
//! ```
//!
//! What a policy allows is also a set: [`Permissions`], with inclusion decided exactly.
//!
//! A [`Policy`] is parsed from a [`Source`] and checked as AWS checks it; all its problems come at once, as [`Diagnostics`]
//! with their places. [`Policy::lint`] finds what AWS accepts and hardly anybody means. A [`PolicySet`] of policies answers a
//! [`Request`] with a [`Decision`], as AWS's [evaluation logic] has it, and on demand with an [`Explanation`]. The crate is
//! pure: no I/O, no async, no dependencies.
//!
//! [evaluation logic]: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
//!
//! # Examples
//!
//! ```
//! use iam_policy::{Context, Policy, PolicyKind, PolicySet, Principal, Request};
//!
//! let reader = r#"{
//!     "Version": "2012-10-17",
//!     "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/*"}
//! }"#;
//! let policies = PolicySet {
//!     identity: vec![Policy::parse(reader, PolicyKind::Identity)?].into(),
//!     ..PolicySet::default()
//! };
//! let request = |action: &str| Request {
//!     principal: Principal::from_arn("arn:aws:iam::123456789012:user/alice").unwrap(),
//!     action: action.into(),
//!     resource: "arn:aws:s3:::reports/may.csv".into(),
//!     resource_account: None,
//!     context: Context::new(),
//! };
//! assert!(policies.decide(&request("s3:GetObject")).is_allowed());
//! assert_eq!(policies.decide(&request("s3:PutObject")).verdict.to_string(), "implicitDeny");
//! # Ok::<(), iam_policy::Diagnostics>(())
//! ```

#[cfg(feature = "sets")]
mod algebra;
mod arn;
pub mod catalogue;
mod condition;
mod context;
mod diagnostic;
mod document;
mod evaluate;
mod explain;
mod json;
mod lint;
pub mod managed;
mod near;
mod order;
mod partition;
mod pattern;
mod principal;
// For `iam-endpoint`, whose own table is read in the same way.
#[doc(hidden)]
pub mod records;
mod scan;
mod source;
mod template;
mod truth;

#[cfg(feature = "sets")]
#[doc(hidden)]
pub use algebra::assert as __private;
#[cfg(feature = "sets")]
pub use algebra::{Answer, Closed, Counterexample, Inexpressible, Method, Permissions, Unknown};
pub use arn::Arn;
pub use condition::{Condition, GLOBAL_KEYS, GlobalKey};
pub use context::Context;
pub use diagnostic::{Diagnostic, Diagnostics, Label, Severity};
pub use document::{Effect, Element, ElementValue, Policy, PolicyKind, Statement, Version};
pub use evaluate::{Decision, Policies, PolicySet, PolicyType, Reason, Request, StatementRef, Verdict};
pub use explain::{ElementTrace, Explanation, StatementTrace};
pub use lint::{LINTS, Lint};
pub use near::near;
pub use partition::Partition;
pub use pattern::{Glob, Variables};
pub use principal::Principal;
pub use source::{Location, Source, Span};
pub use template::{PseudoParameter, Template};
