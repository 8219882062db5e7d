//! IAM: users, groups, roles, policies, providers, instance profiles and access keys, in memory.
//!
//! ```text
//! operation ─► resource ───────► user, group, role, policy, …, ────► state
//! the table:   what to authorize one reason each: check the          what there is, and
//! resource     on, with which    parameters (input), change          the policies of a
//! and function condition keys    the state, write the answer         principal
//! ```
//!
//! `named` is what all resources have, `grant` what all have that can be given policies, and `tagging` their tags. `simulate`
//! decides without doing.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html>

mod account;
mod grant;
mod group;
mod input;
mod key;
mod login;
mod mfa;
mod named;
mod operation;
mod policy;
mod profile;
mod provider;
mod report;
mod resource;
mod role;
mod service_role;
mod simulate;
mod state;
mod tagging;
mod tags;
mod totp;
mod user;
mod version;

pub(crate) use input::check_policy;
pub(crate) use key::{AccessKey, Holder, Session, SessionOf, Vouched, session_token};
pub(crate) use operation::handle;
pub(crate) use role::Role;
pub(crate) use state::{ADMINISTRATOR, State};
pub(crate) use tags::Tags;
pub(crate) use user::User;
