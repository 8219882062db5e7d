//! Which of an operation's condition keys are about which of its resources.

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
pub(crate) struct Places {
    /// In the order of the checks.
    of_checks: Vec<Place>,
}

/// The same for one check.
#[derive(Debug)]
struct Place {
    /// For each key, the types that it is asked of; none where it is asked whatever the resource is.
    types: Vec<Vec<ResourceType>>,
    /// For each target whose type is one of the action's, whether it is asked each of the keys.
    of_targets: Vec<Option<Vec<bool>>>,
}

impl Places {
    pub(crate) fn of(checks: &Checks<'_>, keys: &[Key<'_>]) -> Self {
        let checks = if let Checks::All(checks) = checks { checks.as_slice() } else { &[] };
        Self { of_checks: checks.iter().map(|check| Place::of(check, keys)).collect() }
    }

    /// Whether AWS's request for a question has the key of this number.
    pub(super) fn have(&self, question: &Question, key: usize) -> bool {
        let Some(Place { types, of_targets }) = self.of_checks.get(question.check) else { return true };
        let types = types.get(key).map_or(&[][..], Vec::as_slice);
        if types.is_empty() || question.resource == "*" {
            return true;
        }
        match question.target.and_then(|target| of_targets.get(target)?.as_ref()?.get(key)) {
            Some(is_asked) => *is_asked,
            None => types.iter().any(|resource_type| resource_type.matches(&question.resource)),
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
    match name.split_once("${") {
        Some((start, _)) => key.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start)),
        None => key.eq_ignore_ascii_case(name),
    }
}
