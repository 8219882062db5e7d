use std::fmt;

use super::overlap::overlap;
use super::{Action, ConditionKey, ResourceType};
use crate::near::near;
use crate::records;

/// A service of the Reference: its actions, resource types and condition keys.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Service {
    block: &'static str,
}

impl Service {
    pub(super) fn new(block: &'static str) -> Self {
        Self { block }
    }

    /// The part of its actions before the colon: `s3`.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        records::name_of(self.block)
    }

    /// Its name: `Amazon S3`.
    #[must_use]
    pub fn name(self) -> &'static str {
        records::field(self.block.lines().next().unwrap_or_default(), 1)
    }

    /// Its actions, by name.
    pub fn actions(self) -> impl Iterator<Item = Action> {
        self.lines("a ", "").map(move |line| Action::new(self, line))
    }

    /// Its action of this name, without the prefix: `GetObject`. It has no case.
    #[must_use]
    pub fn action(self, name: &str) -> Option<Action> {
        self.line("a ", name).map(|line| Action::new(self, line))
    }

    /// Its actions that a pattern without the prefix reaches: `Get*`.
    pub(super) fn expand(self, pattern: &str, found: &mut Vec<Action>) {
        let (start, rest) = pattern.split_at(pattern.find(['*', '?']).unwrap_or(pattern.len()));
        let rest_of_pattern = rest.to_ascii_lowercase();
        for line in self.lines("a ", start) {
            let action = Action::new(self, line);
            let rest = action.name().get(start.len()..).unwrap_or_default();
            if rest_of_pattern == "*" || overlap(&rest_of_pattern, &rest.to_ascii_lowercase(), None) {
                found.push(action);
            }
        }
    }

    /// Its actions that look like this name, best first.
    ///
    /// # Examples
    ///
    /// ```
    /// let s3 = iam_policy::catalogue::service("s3").expect("Amazon S3");
    /// assert_eq!(s3.near_actions("GetObjct").first(), Some(&"GetObject"));
    /// ```
    #[must_use]
    pub fn near_actions(self, name: &str) -> Vec<&'static str> {
        near(name, self.actions().map(Action::name))
    }

    /// Its condition keys, by name.
    pub fn condition_keys(self) -> impl Iterator<Item = ConditionKey> {
        self.lines("k ", "").map(ConditionKey::new)
    }

    /// Its condition key of this name, with the prefix: `s3:prefix`, `s3:ExistingObjectTag/Team`. It has no case.
    #[must_use]
    pub fn condition_key(self, name: &str) -> Option<ConditionKey> {
        let exact = self.line("k ", name).map(ConditionKey::new);
        exact.or_else(|| self.condition_keys().find(|key| key.is_template() && key.matches(name)))
    }

    /// Its resource types, by name.
    pub fn resource_types(self) -> impl Iterator<Item = ResourceType> {
        self.lines("r ", "").map(move |line| ResourceType::new(self, line))
    }

    /// Its resource type of this name: `bucket`. It has no case.
    #[must_use]
    pub fn resource_type(self, name: &str) -> Option<ResourceType> {
        self.line("r ", name).map(|line| ResourceType::new(self, line))
    }

    /// The names of the set of condition keys that has this number; none if there is no number.
    pub(super) fn key_set(self, number: &str) -> impl Iterator<Item = &'static str> + use<> {
        let keys = self.line("s ", number).map_or("", |line| records::field(line, 1));
        keys.split_ascii_whitespace()
    }

    /// Lines of a kind whose names start like this, from after the kind.
    fn lines(self, kind: &'static str, start: &str) -> impl Iterator<Item = &'static str> + use<> {
        let mut records = records::starting(self.block, '\n', format!("{kind}{start}"));
        std::iter::from_fn(move || records.next()?.strip_prefix(kind))
    }

    fn line(self, kind: &str, name: &str) -> Option<&'static str> {
        records::find(self.block, '\n', &format!("{kind}{name}"))?.strip_prefix(kind)
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Service").field(&self.prefix()).finish()
    }
}
