//! What there is in an account's IAM.

use std::sync::{Arc, Mutex, PoisonError};

use iam_policy::{Policy, PolicyKind, PolicySet, managed};
use time::OffsetDateTime;

use super::account::PasswordPolicy;
use super::credential_report::Report;
use super::grant::Grants;
use super::group::Group;
use super::key::{AccessKey, Holder};
use super::mfa::Device;
use super::named::{Entity, Head, Named};
use super::policy::CustomerPolicy;
use super::profile::Profile;
use super::provider::{OidcProvider, SamlProvider};
use super::role::Role;
use super::tags::Tags;
use super::user::User;
use crate::fault::Fault;
use crate::table::Table;

/// The name of the first user.
pub(crate) const ADMINISTRATOR: &str = "administrator";

/// An account's IAM.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) users: Named<User>,
    pub(crate) roles: Named<Role>,
    pub(super) groups: Named<Group>,
    pub(super) policies: Named<CustomerPolicy>,
    pub(crate) profiles: Named<Profile>,
    pub(super) devices: Named<Device>,
    pub(crate) oidc_providers: Named<OidcProvider>,
    pub(crate) saml_providers: Named<SamlProvider>,
    pub(super) alias: Option<String>,
    pub(super) credential_report: Option<Report>,
    pub(super) password_policy: Option<PasswordPolicy>,
    keys: Table<Arc<AccessKey>>,
    /// How many keys there may be until those of sessions that have ended are dropped.
    sweep_at: usize,
}

impl State {
    /// An account with one user, who may do everything.
    pub(crate) fn with_administrator(account: &str, now: OffsetDateTime) -> (Self, Arc<AccessKey>) {
        let mut state = Self::default();
        let grants = Grants {
            attached: vec!["arn:aws:iam::aws:policy/AdministratorAccess".to_owned()],
            ..Grants::default()
        };
        state.users.put(User::new(Head::new("AIDA", ADMINISTRATOR, "/", Tags::default(), now), grants));
        let key = state.insert_key(AccessKey::of_administrator(account, now));
        (state, key)
    }

    /// The key with which somebody signs; one that was made inactive is as good as none.
    pub(crate) fn access_key(&self, id: &str) -> Option<Arc<AccessKey>> {
        self.keys.get(id).filter(|key| key.is_active()).cloned()
    }

    /// The key of this id, active or not.
    pub(crate) fn any_key(&self, id: &str) -> Option<&Arc<AccessKey>> {
        self.keys.get(id)
    }

    pub(crate) fn insert_key(&mut self, key: AccessKey) -> Arc<AccessKey> {
        /// So few keys are never looked through.
        const FEW: usize = 1024;
        if self.keys.len() >= self.sweep_at.max(FEW) {
            let now = key.created;
            // A day longer, so that their holders are told that the token has expired.
            self.keys.retain(|key| match &key.holder {
                Holder::Session(session) => session.expires + time::Duration::DAY > now,
                Holder::User(_) => true,
            });
            // Twice as many: what it costs to look through them is shared by as many that came.
            self.sweep_at = self.keys.len() * 2;
        }
        let key = Arc::new(key);
        self.keys.insert(key.id.clone(), Arc::clone(&key));
        key
    }

    pub(super) fn remove_key(&mut self, id: &str) {
        self.keys.remove(id);
    }

    pub(super) fn keys_of(&self, user: &str) -> Vec<&Arc<AccessKey>> {
        let mut keys = Vec::new();
        for (_, key) in self.keys.iter() {
            if matches!(&key.holder, Holder::User(name) if name == user) {
                keys.push(key);
            }
        }
        keys
    }

    /// Gives a user's keys to the same user under another name.
    pub(super) fn rename_holder(&mut self, old: &str, new: &str) {
        let mut renamed = Vec::new();
        for key in self.keys_of(old) {
            renamed.push(Arc::new(key.renamed(new)));
        }
        for key in renamed {
            self.keys.insert(key.id.clone(), key);
        }
    }

    /// The policies that apply to whoever has these grants.
    pub(crate) fn policies_of(&self, grants: &Grants) -> PolicySet {
        let mut policies = PolicySet::default();
        self.add_identity(grants, &mut policies);
        if let Some(arn) = &grants.boundary {
            policies.boundary.extend(self.policy(arn));
        }
        policies
    }

    /// A user's policies, and those of its groups.
    pub(crate) fn policies_of_user(&self, user: &User) -> PolicySet {
        let mut policies = self.policies_of(&user.grants);
        for group in self.groups_of(&user.head.name) {
            self.add_identity(&group.grants, &mut policies);
        }
        policies
    }

    fn add_identity(&self, grants: &Grants, policies: &mut PolicySet) {
        policies.identity.extend(grants.inline.values().iter().cloned());
        for arn in &grants.attached {
            policies.identity.extend(self.policy(arn));
        }
    }

    pub(super) fn groups_of(&self, user: &str) -> Vec<&Group> {
        let mut groups = Vec::new();
        for group in self.groups.iter() {
            if group.has(user) {
                groups.push(&**group);
            }
        }
        groups
    }

    /// The document of a managed policy, AWS's or the customer's.
    pub(crate) fn policy(&self, arn: &str) -> Option<Policy> {
        if is_aws_managed(arn) {
            return aws_managed(arn);
        }
        self.policies.find(arn).map(|policy| policy.document().clone())
    }

    /// The same, or `NoSuchEntity`.
    pub(crate) fn managed_policy(&self, arn: &str) -> Result<Policy, Fault> {
        if !iam_policy::Arn::parse(arn)
            .is_some_and(|arn| arn.service == "iam" && arn.resource.starts_with("policy/"))
        {
            return Err(Fault::invalid_input(format!("ARN {arn} is not valid.")));
        }
        self.policy(arn).ok_or_else(|| {
            Fault::no_such_entity(format!("Policy {arn} does not exist or is not attachable."))
        })
    }

    /// The MFA device of this serial number, where the user has it.
    pub(crate) fn device_of(&mut self, user: &str, serial: &str) -> Option<&mut Device> {
        self.devices.get_mut(serial).ok().filter(|device| device.is_of(user))
    }

    /// What a request refers to.
    pub(super) fn get<T: Entity>(&self, input: &super::input::Input<'_>) -> Result<&T, Fault> {
        T::all(self).get(T::reference(input)?)
    }

    /// The same, to change it.
    pub(super) fn get_mut<T: Entity>(&mut self, input: &super::input::Input<'_>) -> Result<&mut T, Fault> {
        T::all_mut(self).get_mut(T::reference(input)?)
    }
}

/// Whether AWS publishes the policy: its ARN has `aws` where others have an account.
pub(super) fn is_aws_managed(arn: &str) -> bool {
    arn.split(':').nth(4) == Some("aws")
}

/// Parsed once in the process, for the largest has thousands of patterns.
fn aws_managed(arn: &str) -> Option<Policy> {
    static PARSED: Mutex<Table<Policy>> = Mutex::new(Table::new());
    let lock = || PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(policy) = lock().get(arn) {
        return Some(policy.clone());
    }
    let found = managed::find(arn)?;
    let policy = Policy::parse(iam_policy::Source::new(arn, found.document()), PolicyKind::Identity).ok()?;
    lock().insert(arn.to_owned(), policy.clone());
    Some(policy)
}
