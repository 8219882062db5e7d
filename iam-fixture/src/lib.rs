//! Write AWS IAM policy assertions as cargo tests.
//!
//! [`#[iam_policy]`](macro@iam_policy) wraps a test: before its body a temporary role with exactly that policy exists,
//! the body gets an [`SdkConfig`] that is signed in as the role, and after the body the role is gone, whatever the body
//! did.
//!
//! ```
//! use iam_fixture::{SdkConfig, assert_allowed, assert_denied, iam_policy};
//!
//! # const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*"}}"#;
//! #[iam_policy(policy = POLICY)]
//! #[tokio::test]
//! async fn may_list_roles_but_not_users(config: SdkConfig) {
//!     let iam = aws_sdk_iam::Client::new(&config);
//!     assert_allowed!(iam.list_roles().send().await);
//!     assert_denied!(iam.delete_role().role_name("administrator").send().await);
//! }
//! ```
//!
//! Without the attribute there is [`TemporaryRole::builder`]. Where the role is created is the [`Backend`]: by default an
//! AWS endpoint inside the test process, which enforces policies and needs no account, no server and no network.
//!
//! # How it fits together
//!
//! ```text
//! #[iam_policy] ─► __private ─┐
//!                             ├─► builder ─► lifecycle ──── calls IAM and STS through ───► backend
//! TemporaryRole::builder() ───┘   what it    makes it,                                     embedded: in this process
//!                                 is to be   waits for it,                                 remote: an emulator, AWS
//!                                            removes it             control                  the one thread that calls
//!                                            ▲                      pace                     when: throttles are shared
//! assert_allowed!, … ─► assert               │                      outlive                  exit, signals, ledger
//!                       what an answer says  └── role: config, ARN, drop                      and sweep at the start
//! ```

#[doc(hidden)]
pub mod __private;
mod assert;
mod backend;
mod builder;
#[cfg(feature = "network")]
mod control;
mod document;
mod error;
mod lifecycle;
mod mode;
mod name;
#[cfg(feature = "network")]
mod outlive;
#[cfg(feature = "network")]
mod pace;
mod role;
#[cfg(feature = "network")]
pub mod sweep;

pub use aws_credential_types::Credentials;
pub use aws_types::SdkConfig;
#[cfg(feature = "server")]
pub use iam_endpoint::Server;
pub use iam_endpoint::{Authorization, Event, Organization, Outcome, Target};
pub use iam_fixture_macros::iam_policy;
/// Policies as sets, and assertions about them: they need no role.
#[cfg(feature = "sets")]
pub use iam_policy::{
    Permissions, assert_disjoint, assert_equivalent, assert_grants_nothing_beyond, assert_never_allows,
    assert_subset,
};
pub use iam_policy::{Policy, PolicyKind, PolicySet};

pub use crate::assert::{Expected, ParseExpectedError};
pub use crate::backend::Backend;
pub use crate::builder::TemporaryRoleBuilder;
pub use crate::document::PolicyDocument;
pub use crate::error::{Error, ErrorKind};
pub use crate::lifecycle::Readiness;
pub use crate::mode::{Keep, Mode};
pub use crate::role::TemporaryRole;
