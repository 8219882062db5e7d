//! A role's life, written once for every backend: [`provision`] puts each thing it makes on the [`Lease`]'s stack
//! before it makes it, and the lease takes them off again, last first.
//!
//! ```text
//! provision   a role for the test ─┐                lease    what was made, and its end: removed, or kept
//! session     a session of one ────┼─► assume       ready    shown to be live
//! existing    a role that stands ──┘
//! ```

mod assume;
#[cfg(feature = "network")]
mod existing;
mod lease;
mod provision;
mod ready;
mod remove;
#[cfg(feature = "network")]
mod session;
#[cfg(feature = "network")]
mod standing;
pub(crate) mod term;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_credential_types::Credentials;
use iam_policy::{Policy, PolicyKind, PolicySet, Source, managed};

pub(crate) use self::lease::{Guard, Lease};
#[cfg(feature = "network")]
pub(crate) use self::provision::first_policy;
pub(crate) use self::provision::provision;
pub use self::ready::Readiness;
pub(crate) use self::remove::Thing;
#[cfg(feature = "network")]
pub(crate) use self::remove::{Grantee, remove};
#[cfg(feature = "network")]
pub(crate) use self::standing::Standing;
pub(crate) use self::term::Term;
use crate::mode::{Keep, Mode};
#[cfg(feature = "network")]
use crate::name;

/// A role that is to be, resolved and checked.
pub(crate) struct Plan {
    pub(crate) name: String,
    /// How long it is this process's, counted from its creation.
    pub(crate) lease: Duration,
    pub(crate) mode: Mode,
    /// What stands before the names of all roles of the run, before ours.
    #[cfg_attr(not(feature = "network"), expect(dead_code, reason = "it is in the name already"))]
    pub(crate) prefix: String,
    /// Where our folder stands.
    pub(crate) path: String,
    pub(crate) inline: Vec<Policy>,
    /// ARNs.
    pub(crate) managed: Vec<String>,
    pub(crate) boundary: Option<Boundary>,
    /// The test's: its sessions see them as `aws:PrincipalTag`.
    pub(crate) tags: BTreeMap<String, String>,
    /// The run's: they are for whoever looks at the account.
    pub(crate) run_tags: BTreeMap<String, String>,
    pub(crate) session: Session,
    /// The ARN of the role whose sessions tests have, in place of one of ours.
    #[cfg_attr(
        not(feature = "network"),
        expect(dead_code, reason = "without the network tests have their own")
    )]
    pub(crate) session_role: Option<String>,
    /// Whether the administrator needs a policy of his own to assume the role.
    pub(crate) grant_assume: bool,
    pub(crate) keep: Keep,
    pub(crate) readiness: Readiness,
}

impl Plan {
    /// A role without permissions, named after this test.
    #[cfg(feature = "network")]
    pub(crate) fn named(test: &str) -> Plan {
        Plan {
            name: name::role("", test),
            lease: term::SESSION,
            mode: Mode::Role,
            prefix: String::new(),
            path: "/".to_owned(),
            inline: Vec::new(),
            managed: Vec::new(),
            boundary: None,
            tags: BTreeMap::new(),
            run_tags: BTreeMap::new(),
            session: Session { name: name::session(test), policy: None, duration: None },
            session_role: None,
            grant_assume: false,
            keep: Keep::Never,
            readiness: Readiness::default(),
        }
    }

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
#[derive(Clone)]
pub(crate) struct SignedIn {
    pub(crate) role_arn: String,
    pub(crate) session_arn: String,
    pub(crate) credentials: Credentials,
    /// Whether other tests use the role too.
    pub(crate) is_shared: bool,
    /// How long it took from the role's creation until it was shown to be live; zero where that goes without saying.
    pub(crate) ready_after: Duration,
}

impl SignedIn {
    pub(crate) fn role_name(&self) -> &str {
        self.role_arn.rsplit('/').next().unwrap_or_default()
    }
}
