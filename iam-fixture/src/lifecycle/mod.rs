//! A role's life, written once for every backend: [`provision`] puts each thing it makes on the [`Lease`]'s stack
//! before it makes it, and the lease takes them off again, last first.

mod lease;
mod provision;
mod ready;
mod remove;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_credential_types::Credentials;
use iam_policy::Policy;

pub(crate) use self::lease::{Guard, Lease};
pub(crate) use self::provision::provision;
pub(crate) use self::remove::Thing;
#[cfg(feature = "network")]
pub(crate) use self::remove::remove;

/// A role that is to be, resolved and checked.
pub(crate) struct Plan {
    pub(crate) name: String,
    pub(crate) inline: Vec<Policy>,
    /// ARNs.
    pub(crate) managed: Vec<String>,
    pub(crate) boundary: Option<Boundary>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) session: Session,
}

pub(crate) enum Boundary {
    Arn(String),
    Document(Policy),
}

pub(crate) struct Session {
    pub(crate) name: String,
    pub(crate) policy: Option<Policy>,
    pub(crate) duration: Option<Duration>,
}

/// A role that is, and the session that assumed it.
pub(crate) struct SignedIn {
    pub(crate) role_arn: String,
    pub(crate) session_arn: String,
    pub(crate) credentials: Credentials,
}
