//! What there is in an account's IAM.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use iam_policy::{Policy, PolicyKind, PolicySet, managed};
use time::OffsetDateTime;

use super::grant::Grants;
use super::key::{AccessKey, Holder, unique_id};
use super::policy::CustomerPolicy;
use super::profile::Profile;
use super::role::Role;
use super::tags::Tags;
use super::user::User;
use crate::credentials::Credentials;
use crate::fault::Fault;

/// The name of the first user.
pub(crate) const ADMINISTRATOR: &str = "administrator";

/// An account's IAM.
pub(crate) struct State {
    pub(crate) users: Named<User>,
    pub(crate) roles: Named<Role>,
    pub(super) policies: Named<CustomerPolicy>,
    pub(crate) profiles: Named<Profile>,
    keys: BTreeMap<String, Arc<AccessKey>>,
}

impl State {
    /// An account with one user, who may do everything.
    pub(crate) fn with_administrator(account: &str, now: OffsetDateTime) -> (Self, Credentials) {
        let mut state = Self {
            users: Named::default(),
            roles: Named::default(),
            policies: Named::default(),
            profiles: Named::default(),
            keys: BTreeMap::new(),
        };
        let grants = Grants {
            attached: vec!["arn:aws:iam::aws:policy/AdministratorAccess".to_owned()],
            ..Grants::default()
        };
        state.users.put(User { head: Head::new("AIDA", ADMINISTRATOR, "/", Tags::default(), now), grants });
        let key = state.insert_key(AccessKey::of_administrator(account, now));
        (state, key.credentials())
    }

    pub(crate) fn access_key(&self, id: &str) -> Option<Arc<AccessKey>> {
        self.keys.get(id).cloned()
    }

    pub(crate) fn insert_key(&mut self, key: AccessKey) -> Arc<AccessKey> {
        /// How often, in keys, those of sessions that have ended are dropped.
        const SWEEP: usize = 1024;
        if self.keys.len() % SWEEP == SWEEP - 1 {
            let now = key.created;
            // A day longer, so that their holders are told that the token has expired.
            self.keys.retain(|_, key| match &key.holder {
                Holder::Session(session) => session.expires + time::Duration::DAY > now,
                Holder::User(_) => true,
            });
        }
        let key = Arc::new(key);
        self.keys.insert(key.id.clone(), Arc::clone(&key));
        key
    }

    pub(super) fn remove_key(&mut self, id: &str) {
        self.keys.remove(id);
    }

    pub(super) fn keys_of<'a>(&'a self, user: &'a str) -> impl Iterator<Item = &'a Arc<AccessKey>> {
        self.keys.values().filter(move |key| matches!(&key.holder, Holder::User(name) if name == user))
    }

    /// The policies that apply to whoever has these grants.
    pub(crate) fn policies_of(&self, grants: &Grants) -> PolicySet {
        let mut policies = PolicySet::default();
        policies.identity.extend(grants.inline.values().cloned());
        for arn in &grants.attached {
            policies.identity.extend(self.policy(arn));
        }
        if let Some(arn) = &grants.boundary {
            policies.boundary.extend(self.policy(arn));
        }
        policies
    }

    /// The document of a managed policy, AWS's or the customer's.
    pub(crate) fn policy(&self, arn: &str) -> Option<Policy> {
        if is_aws_managed(arn) {
            return aws_managed(arn);
        }
        self.customer_policy(arn).map(|policy| policy.document.clone())
    }

    /// The same, or `NoSuchEntity`.
    pub(crate) fn managed_policy(&self, arn: &str) -> Result<Policy, Fault> {
        if !iam_policy::Arn::parse(arn)
            .is_some_and(|arn| arn.service == "iam" && arn.resource.starts_with("policy/"))
        {
            return Err(Fault::invalid_input(format!("ARN {arn} is not valid.")));
        }
        self.policy(arn).ok_or_else(|| {
            Fault::new(
                StatusCode::NOT_FOUND,
                "NoSuchEntity",
                format!("Policy {arn} does not exist or is not attachable."),
            )
        })
    }
}

/// Whether AWS publishes the policy: its ARN has `aws` where others have an account.
pub(super) fn is_aws_managed(arn: &str) -> bool {
    arn.split(':').nth(4) == Some("aws")
}

/// Parsed once in the process, for the largest has thousands of patterns.
fn aws_managed(arn: &str) -> Option<Policy> {
    static PARSED: Mutex<BTreeMap<String, Policy>> = Mutex::new(BTreeMap::new());
    let lock = || PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(policy) = lock().get(arn) {
        return Some(policy.clone());
    }
    let found = managed::find(arn)?;
    let policy = Policy::parse(iam_policy::Source::new(arn, found.document()), PolicyKind::Identity).ok()?;
    lock().insert(arn.to_owned(), policy.clone());
    Some(policy)
}

/// What all IAM resources have.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) created: OffsetDateTime,
    pub(crate) tags: Tags,
}

impl Head {
    pub(super) fn new(id_prefix: &str, name: &str, path: &str, tags: Tags, now: OffsetDateTime) -> Self {
        Self { name: name.to_owned(), path: path.to_owned(), id: unique_id(id_prefix), created: now, tags }
    }
}

/// An IAM resource with a name of its own.
pub(crate) trait Entity {
    /// What messages call it.
    const WHAT: &'static str;

    fn head(&self) -> &Head;
}

/// Resources by name. Names differ in more than case.
pub(crate) struct Named<T>(BTreeMap<String, T>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Entity> Named<T> {
    pub(crate) fn find(&self, name: &str) -> Option<&T> {
        self.0.get(&name.to_ascii_lowercase())
    }

    pub(super) fn get(&self, name: &str) -> Result<&T, Fault> {
        self.find(name).ok_or_else(|| no_such::<T>(name))
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Result<&mut T, Fault> {
        self.0.get_mut(&name.to_ascii_lowercase()).ok_or_else(|| no_such::<T>(name))
    }

    /// Adds one whose name is not taken.
    pub(super) fn insert(&mut self, entity: T) -> Result<&T, Fault> {
        let name = &entity.head().name;
        if self.find(name).is_some() {
            return Err(Fault::new(
                StatusCode::CONFLICT,
                "EntityAlreadyExists",
                format!("{} with name {name} already exists.", capitalized(T::WHAT)),
            ));
        }
        Ok(self.put(entity))
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.0.remove(&name.to_ascii_lowercase());
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.values()
    }

    fn put(&mut self, entity: T) -> &T {
        let key = entity.head().name.to_ascii_lowercase();
        self.0.entry(key).insert_entry(entity).into_mut()
    }
}

/// A word as AWS begins a sentence or a quota's name with it.
pub(super) fn capitalized(word: &str) -> String {
    let (first, rest) = word.split_at_checked(1).unwrap_or_default();
    format!("{}{rest}", first.to_ascii_uppercase())
}

fn no_such<T: Entity>(name: &str) -> Fault {
    Fault::new(
        StatusCode::NOT_FOUND,
        "NoSuchEntity",
        format!("The {} with name {name} cannot be found.", T::WHAT),
    )
}
