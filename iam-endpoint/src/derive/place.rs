//! Which of an operation's condition keys are about which of its resources.

use std::sync::OnceLock;

use iam_policy::catalogue::{self, Action, ActionResource, ResourceType};

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
    /// For each key, what it is asked of.
    types: Vec<Of>,
    /// For each target whose type is one of the action's, whether it is asked each of the keys.
    of_targets: Vec<Option<Vec<bool>>>,
}

#[derive(Debug)]
enum Of {
    /// Whatever the resource is.
    Any,
    /// Another of the operation's actions has the key.
    Nothing,
    Types(Vec<ResourceType>),
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
        question: &'p Question<'_>,
        checks: &[Check<'_>],
        keys: &[Key<'_>],
    ) -> Asked<'p> {
        let place = self.0.get(question.check).zip(checks.get(question.check));
        let Some((place, check)) = place else { return Asked { types: &[], by_type: None, resource: "*" } };
        let Place { types, of_targets } = place.get_or_init(|| Place::of(check, checks, keys));
        let by_type = question.target.and_then(|target| of_targets.get(target)?.as_deref());
        Asked { types, by_type, resource: &question.resource }
    }
}

/// Which of the operation's keys AWS's request for a resource has.
pub(super) struct Asked<'p> {
    types: &'p [Of],
    /// The answers, where the resource's type is known.
    by_type: Option<&'p [bool]>,
    resource: &'p str,
}

impl Asked<'_> {
    /// Whether it has the key of this number.
    pub(super) fn has(&self, number: usize) -> bool {
        match self.types.get(number) {
            Some(Of::Nothing) => false,
            Some(Of::Types(types)) if self.resource != "*" => {
                match self.by_type.and_then(|known| known.get(number)) {
                    Some(is_asked) => *is_asked,
                    None => types.iter().any(|resource_type| resource_type.matches(self.resource)),
                }
            }
            _ => true,
        }
    }
}

impl Place {
    fn of(check: &Check<'_>, all: &[Check<'_>], keys: &[Key<'_>]) -> Self {
        let mut everywhere: Vec<&str> = Vec::new();
        // With the keys that they have here, and in general.
        let mut resources: Vec<(ResourceType, Vec<&str>, Vec<&str>)> = Vec::new();
        if let Some(action) = catalogue::action(&check.action) {
            everywhere.extend(action.condition_keys());
            for on in action.resources() {
                let resource_type = on.resource_type();
                let (mut here, mut in_general) = (Vec::new(), Vec::new());
                here.extend(on.condition_keys());
                in_general.extend(resource_type.condition_keys());
                resources.push((resource_type, here, in_general));
            }
        }
        let mut others: Vec<Action> = Vec::new();
        for other in all {
            if other.action != check.action {
                others.extend(catalogue::action(&other.action));
            }
        }
        let of = |key: &Key<'_>| {
            let name = match key {
                Key::Condition { action: Some(action), .. } if !is_named(&check.action, action) => {
                    return Of::Nothing;
                }
                Key::Condition { name, .. } => name,
                Key::Tags(_) => "aws:TagKeys",
                Key::Passes(_) | Key::Roles(_) => return Of::Any,
            };
            if lists(&everywhere, name) {
                return Of::Any;
            }
            // What a type has in general counts where the action says nothing of the key.
            let mut types = Vec::new();
            for (resource_type, here, _) in &resources {
                if lists(here, name) {
                    types.push(*resource_type);
                }
            }
            if types.is_empty() {
                for (resource_type, _, in_general) in &resources {
                    if lists(in_general, name) {
                        types.push(*resource_type);
                    }
                }
            }
            if types.is_empty() && !name.starts_with("aws:") && others.iter().any(|other| has(*other, name)) {
                return Of::Nothing;
            }
            // Where there is one type only, the keys are about it or about the whole request: no difference.
            if types.is_empty() || resources.len() < 2 { Of::Any } else { Of::Types(types) }
        };
        let mut types: Vec<Of> = Vec::with_capacity(keys.len());
        for key in keys {
            types.push(of(key));
        }
        let mut of_targets = Vec::with_capacity(check.targets.len());
        for target in &check.targets {
            let of_type =
                target.resource_type.filter(|wanted| resources.iter().any(|(on, ..)| is(*wanted, *on)));
            of_targets.push(of_type.map(|wanted| asked(wanted, &types)));
        }
        Self { types, of_targets }
    }
}

/// Whether a resource of the type is asked each of the keys.
fn asked(of_type: ResourceType, keys: &[Of]) -> Vec<bool> {
    let mut asked = Vec::with_capacity(keys.len());
    for of in keys {
        asked.push(matches!(of, Of::Types(types) if types.iter().any(|other| is(of_type, *other))));
    }
    asked
}

fn is(one: ResourceType, other: ResourceType) -> bool {
    one.name() == other.name() && one.service().prefix() == other.service().prefix()
}

/// Whether an action with its prefix is the one that the table names with or without.
fn is_named(action: &str, name: &str) -> bool {
    action.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with(':'))
}

fn has(action: Action, key: &str) -> bool {
    action.condition_keys().any(|name| is_of(name, key)) || action.resources().any(|on| is_on(on, key))
}

fn is_on(on: ActionResource, key: &str) -> bool {
    on.condition_keys().any(|name| is_of(name, key))
        || on.resource_type().condition_keys().any(|name| is_of(name, key))
}

/// Whether AWS's request for an action on a resource may have a key: the Service Authorization Reference lists it with the
/// action, or with the type of the resource.
pub(super) fn may_have(action: &str, resource: &str, key: &str) -> bool {
    let Some(action) = catalogue::action(action) else { return false };
    let mut is_of_a_type = false;
    for on in action.resources() {
        if on.resource_type().matches(resource) {
            if is_on(on, key) {
                return true;
            }
            is_of_a_type = true;
        }
    }
    if is_of_a_type { action.condition_keys().any(|name| is_of(name, key)) } else { has(action, key) }
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
