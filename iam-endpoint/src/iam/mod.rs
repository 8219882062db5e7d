//! IAM: users, roles, policies, instance profiles and access keys, in memory.
//!
//! ```text
//! operation ─► input ──► role, user, grant, policy, profile, key ─► state
//! the table:   one       one reason each: check the parameters,     what there is, and
//! resource     call's    change the state, write the answer         the policies of a
//! and function  facts                                               principal
//! ```
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html>

mod grant;
mod input;
mod key;
mod operation;
mod policy;
mod profile;
mod role;
mod state;
mod tags;
mod user;

pub(crate) use input::check_policy;
pub(crate) use key::{AccessKey, Holder, Session, session_token};
pub(crate) use operation::handle;
pub(crate) use state::{ADMINISTRATOR, State};
pub(crate) use tags::Tags;
