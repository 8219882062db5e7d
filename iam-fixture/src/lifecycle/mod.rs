//! A role's life, written once for every backend: [`provision`] puts each thing it makes on the [`Lease`]'s stack
//! before it makes it, and the lease takes them off again, last first.

mod lease;
mod provision;
mod ready;
mod remove;
pub(crate) mod term;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_credential_types::Credentials;
use iam_policy::{Policy, PolicyKind, PolicySet, Source, managed};

pub(crate) use self::lease::{Guard, Lease};
pub(crate) use self::provision::{first_policy, provision};
pub use self::ready::Readiness;
pub(crate) use self::remove::{Thing, remove};
pub(crate) use self::term::Term;

/// A role that is to be, resolved and checked.
pub(crate) struct Plan {
    pub(crate) name: String,
    /// How long it is this process's, counted from its creation.
    pub(crate) lease: Duration,
    pub(crate) inline: Vec<Policy>,
    /// ARNs.
    pub(crate) managed: Vec<String>,
    pub(crate) boundary: Option<Boundary>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) session: Session,
    pub(crate) readiness: Readiness,
}

impl Plan {
    /// The policies as they stand in the user's files, to explain decisions of a service that does not.
    ///
    /// AWS managed policies are those that this crate knows; customer managed ones, known by ARN only, are not among them.
    pub(crate) fn policies(&self) -> PolicySet {
        let known = |arn: &String, kind| {
            let policy = managed::find(arn)?;
            Policy::parse(Source::new(policy.name(), policy.document()), kind).ok()
        };
        let attached = self.managed.iter().filter_map(|arn| known(arn, PolicyKind::Identity));
        let boundary = match &self.boundary {
            Some(Boundary::Document(policy)) => Some(policy.clone()),
            Some(Boundary::Arn(arn)) => known(arn, PolicyKind::Boundary),
            None => None,
        };
        PolicySet {
            identity: self.inline.iter().cloned().chain(attached).collect(),
            boundary: boundary.into_iter().collect(),
            session: self.session.policy.clone().map(|policy| vec![policy].into()),
            ..PolicySet::default()
        }
    }
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
    /// How long it took from the role's creation until it was shown to be live; zero where that goes without saying.
    pub(crate) ready_after: Duration,
}
