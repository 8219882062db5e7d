//! Which of an operation's condition keys are about which of its resources.

use std::sync::OnceLock;

use iam_policy::catalogue::{self, ActionResource, ResourceType};

use super::grammar::{Check, Checks, Key};
use super::question::Question;

/// Where the Service Authorization Reference has the keys of an operation: with its actions, or with some of their resource
/// types.
///
/// A key that it has with some types only is in AWS's request for resources of these: `ec2:InstanceType` is asked of an
/// instance, and never of the image and the subnet of the same `RunInstances`.
///
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>
#[derive(Debug)]
pub(crate) struct Places(Vec<OnceLock<Place>>);

/// The same for one check.
#[derive(Debug)]
struct Place {
    /// For each key, the types that it is asked of; none where it is asked whatever the resource is.
    types: Vec<Vec<ResourceType>>,
    /// For each target whose type is one of the action's, whether it is asked each of the keys.
    of_targets: Vec<Option<Vec<bool>>>,
}

impl Places {
    /// Those of an operation with so many checks, each found out when it is asked for: some have more types than are ever
    /// asked about.
    pub(crate) fn of(checks: &Checks<'_>) -> Self {
        let count = if let Checks::All(checks) = checks { checks.len() } else { 0 };
        Self((0..count).map(|_| OnceLock::new()).collect())
    }

    /// What AWS asks for a question.
    pub(super) fn of_question<'p>(
        &'p self,
        question: &'p Question,
        checks: &[Check<'_>],
        keys: &[Key<'_>],
    ) -> Asked<'p> {
        let place = self.0.get(question.check).zip(checks.get(question.check));
        let place = place.filter(|_| question.resource != "*");
        let Some((place, check)) = place else { return Asked { types: &[], by_type: None, resource: "*" } };
        let Place { types, of_targets } = place.get_or_init(|| Place::of(check, keys));
        let by_type = question.target.and_then(|target| of_targets.get(target)?.as_deref());
        Asked { types, by_type, resource: &question.resource }
    }
}

/// Which of the operation's keys AWS's request for a resource has.
pub(super) struct Asked<'p> {
    types: &'p [Vec<ResourceType>],
    /// The answers, where the resource's type is known.
    by_type: Option<&'p [bool]>,
    resource: &'p str,
}

impl Asked<'_> {
    /// Whether it has the key of this number.
    pub(super) fn has(&self, number: usize) -> bool {
        match self.types.get(number) {
            Some(types) if !types.is_empty() => match self.by_type.and_then(|known| known.get(number)) {
                Some(is_asked) => *is_asked,
                None => types.iter().any(|resource_type| resource_type.matches(self.resource)),
            },
            _ => true,
        }
    }
}

impl Place {
    fn of(check: &Check<'_>, keys: &[Key<'_>]) -> Self {
        let action = catalogue::action(&check.action);
        let resources: Vec<ActionResource> = action.iter().flat_map(|action| action.resources()).collect();
        let everywhere: Vec<&str> = action.iter().flat_map(|action| action.condition_keys()).collect();
        let here: Vec<Vec<&str>> = resources.iter().map(|on| on.condition_keys().collect()).collect();
        let types_of = |key: &Key<'_>| {
            let name = match key {
                Key::Condition(name, _) => name,
                Key::Tags(_) => "aws:TagKeys",
                Key::Passes(_) | Key::Roles(_) => return Vec::new(),
            };
            // Where there is one type only, the keys are about it or about the whole request: no difference.
            if resources.len() < 2 || lists(&everywhere, name) {
                return Vec::new();
            }
            let on = resources.iter().zip(&here).filter(|(_, keys)| lists(keys, name));
            on.map(|(on, _)| on.resource_type()).collect()
        };
        let types: Vec<Vec<ResourceType>> = keys.iter().map(types_of).collect();
        let is_asked = |resource_type: ResourceType| {
            let is = |other: &ResourceType| {
                other.name() == resource_type.name()
                    && other.service().prefix() == resource_type.service().prefix()
            };
            let is_known = resources.iter().any(|on| is(&on.resource_type()));
            is_known.then(|| types.iter().map(|types| types.iter().any(is)).collect())
        };
        let of_targets = check.targets.iter().map(|target| is_asked(target.resource_type?)).collect();
        Self { types, of_targets }
    }
}

fn lists(names: &[&str], key: &str) -> bool {
    names.iter().any(|name| is_of(name, key))
}

/// Whether a key is of a name, which may end in a variable: `kms:EncryptionContext:${EncryptionContextKey}`.
fn is_of(name: &str, key: &str) -> bool {
    // Compared so some ten thousand times before the first answer, and most names are of another length.
    if name.as_bytes().last() != Some(&b'}') {
        return key.len() == name.len() && key.eq_ignore_ascii_case(name);
    }
    let start = name.split_once("${").map_or(name, |(start, _)| start);
    key.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}
