use std::fmt;

use super::{ConditionKey, ResourceType, Service};
use crate::records;

/// An action of a service.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Action {
    service: Service,
    line: &'static str,
}

impl Action {
    pub(super) fn new(service: Service, line: &'static str) -> Self {
        Self { service, line }
    }

    /// Its name without the service's prefix: `GetObject`. `Display` writes it with the prefix.
    #[must_use]
    pub fn name(self) -> &'static str {
        records::name_of(self.line)
    }

    /// The service that it belongs to.
    #[must_use]
    pub fn service(self) -> Service {
        self.service
    }

    /// What kind of access it gives.
    #[must_use]
    pub fn access_level(self) -> AccessLevel {
        AccessLevel::of(records::field(self.line, 1))
    }

    /// The resource types on which it acts; none if a policy can only give it `*`.
    pub fn resources(self) -> impl Iterator<Item = ActionResource> {
        let mut types = records::field(self.line, 2).split(',');
        std::iter::from_fn(move || types.find_map(|text| ActionResource::new(self.service, text)))
    }

    /// The names of condition keys that it supports whatever its resource is, in addition to those of its
    /// [`resources`](Self::resources).
    pub fn condition_keys(self) -> impl Iterator<Item = &'static str> {
        self.service.key_set(records::field(self.line, 3))
    }

    /// Whether a condition on this key can match a request for it: the action, one of its resources, or such a
    /// resource's type supports the key.
    ///
    /// # Examples
    ///
    /// ```
    /// use iam_policy::catalogue;
    ///
    /// let prefix = catalogue::condition_key("s3:prefix").expect("Amazon S3 has it");
    /// let supports = |action| catalogue::action(action).expect("an action").supports(prefix);
    /// assert!(supports("s3:ListBucket"));
    /// assert!(!supports("s3:GetObject"));
    /// ```
    #[must_use]
    pub fn supports(self, key: ConditionKey) -> bool {
        let is_it = |name: &str| name == key.name();
        self.condition_keys().any(is_it)
            || self
                .resources()
                .any(|on| on.condition_keys().any(is_it) || on.resource_type().condition_keys().any(is_it))
    }

    /// The other actions that its caller needs, with their prefixes: `iam:PassRole`.
    pub fn dependent_actions(self) -> impl Iterator<Item = &'static str> {
        records::field(self.line, 4).split_ascii_whitespace()
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Action({self})")
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service.prefix(), self.name())
    }
}

/// A resource type on which an action acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActionResource {
    resource_type: ResourceType,
    required: bool,
    key_set: &'static str,
}

impl ActionResource {
    fn new(service: Service, text: &'static str) -> Option<Self> {
        let (name, key_set) = text.split_once(':').unwrap_or((text, ""));
        let (name, required) = name.strip_suffix('*').map_or((name, false), |name| (name, true));
        Some(Self { resource_type: service.resource_type(name)?, required, key_set })
    }

    /// The resource type.
    #[must_use]
    pub fn resource_type(self) -> ResourceType {
        self.resource_type
    }

    /// Whether each request for the action names a resource of this type; otherwise it may name one.
    #[must_use]
    pub fn is_required(self) -> bool {
        self.required
    }

    /// The names of condition keys that the action supports with a resource of this type.
    pub fn condition_keys(self) -> impl Iterator<Item = &'static str> {
        self.resource_type.service().key_set(self.key_set)
    }
}

/// What kind of access an action gives.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_understand-policy-summary-access-level-summaries.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AccessLevel {
    /// Sees that resources exist.
    List,
    /// Grants or changes permissions.
    PermissionsManagement,
    /// Reads what resources hold.
    Read,
    /// Changes nothing but tags.
    Tagging,
    /// Creates, changes or deletes resources.
    Write,
}

impl AccessLevel {
    fn of(letter: &str) -> Self {
        match letter {
            "L" => Self::List,
            "P" => Self::PermissionsManagement,
            "R" => Self::Read,
            "T" => Self::Tagging,
            _ => Self::Write,
        }
    }
}

impl fmt::Display for AccessLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::List => "List",
            Self::PermissionsManagement => "Permissions management",
            Self::Read => "Read",
            Self::Tagging => "Tagging",
            Self::Write => "Write",
        })
    }
}
