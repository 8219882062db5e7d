//! Actions on resources, and roles that are passed.

use std::borrow::Cow;

use iam_policy::Arn;
use iam_policy::catalogue::ResourceType;

use super::arn::{ANY, build, is_arn, row, rows, tail};
use super::grammar::{Check, Key, Target};
use super::scope::{Focus, MOST, Scope, Values, goes_through, too_many};
use crate::fault::Fault;
use crate::wire::input::Found;

/// One thing that the caller must be allowed.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    /// The number of the check that asks it.
    pub(super) check: usize,
    /// The number of that check's target, where the resource is of its type.
    pub(super) target: Option<usize>,
    /// With its prefix: `dynamodb:GetItem`.
    pub(crate) action: String,
    /// An ARN, or `*`.
    pub(crate) resource: String,
    /// The items that name the resource, of lists whose items differ in the operation's keys; none where all of the request
    /// is about it.
    pub(crate) items: Vec<Focus<'a>>,
    /// Whether the request makes the resource, so that it has no tags yet.
    pub(crate) is_new: bool,
    /// Whether the request tells the resource; if not, what it does not tell is `*`.
    pub(crate) is_told: bool,
}

/// Everything that must be allowed, in the order of the table.
pub(crate) fn questions<'a>(
    scope: &Scope<'a>,
    checks: &[Check<'a>],
    keys: &[Key<'a>],
) -> Result<Vec<Question<'a>>, Fault> {
    let mut questions = Questions { all: Vec::new(), keys };
    for (number, check) in checks.iter().enumerate() {
        questions.ask(scope, number, check)?;
    }
    if questions.all.is_empty() && !checks.is_empty() {
        return Err(Fault::not_derivable());
    }
    for key in keys {
        let Key::Roles(values) = key else { continue };
        for value in values {
            let mut roles = Vec::new();
            let is_told = match scope.values(value) {
                Values::Known(found) => {
                    for found in found {
                        if let Found::Text(role) = found {
                            roles.extend(role_arn(scope, &role));
                        }
                    }
                    true
                }
                Values::OfResource | Values::Unknown => {
                    roles.push(scope.endpoint.role_arn(ANY));
                    false
                }
            };
            for resource in roles {
                questions.push(Question {
                    check: checks.len(),
                    target: None,
                    action: PASS_ROLE.to_owned(),
                    resource,
                    items: Vec::new(),
                    is_new: false,
                    is_told,
                })?;
            }
        }
    }
    Ok(questions.all)
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html>
pub(super) const PASS_ROLE: &str = "iam:PassRole";

/// The role that a member names by its ARN or its name.
fn role_arn(scope: &Scope<'_>, named: &str) -> Option<String> {
    if let Some(arn) = Arn::parse(named) {
        return (arn.service == "iam" && arn.resource.starts_with("role/")).then(|| named.to_owned());
    }
    let is_name =
        !named.is_empty() && named.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b));
    is_name.then(|| scope.endpoint.role_arn(named))
}

struct Questions<'k, 'a> {
    all: Vec<Question<'a>>,
    keys: &'k [Key<'a>],
}

impl<'a> Questions<'_, 'a> {
    fn ask(&mut self, scope: &Scope<'a>, number: usize, check: &Check<'a>) -> Result<(), Fault> {
        let meets = |scope: &Scope<'a>| check.conditions.iter().all(|condition| scope.meets(condition));
        let (before, mut is_asked, mut stranger) =
            (self.all.len(), check.targets.is_empty() && meets(scope), None);
        for (index, target) in check.targets.iter().enumerate() {
            let scopes = scope.by_item(&target.values)?;
            let items_differ = scopes.len() > 1
                && scopes.first().and_then(|scope| scope.focus).is_some_and(|focus| self.tell_apart(focus));
            for scope in &scopes {
                if !meets(scope) {
                    continue;
                }
                is_asked = true;
                let (all, is_told) = named(scope, target)?;
                for named in all {
                    match named {
                        Named::Resource(resource) => {
                            self.push(Question {
                                check: number,
                                target: Some(index),
                                action: check.action.clone(),
                                resource,
                                items: scope.focus.filter(|_| items_differ).into_iter().collect(),
                                is_new: target.is_new,
                                is_told,
                            })?;
                        }
                        Named::Stranger(arn) => stranger = Some(arn),
                    }
                }
            }
        }
        if is_asked && self.all.len() == before {
            let resource = stranger.unwrap_or_else(|| ANY.to_owned());
            self.push(Question {
                check: number,
                target: None,
                action: check.action.clone(),
                resource,
                items: Vec::new(),
                is_new: false,
                is_told: true,
            })?;
        }
        Ok(())
    }

    /// Whether the items of a list differ in a key.
    fn tell_apart(&self, item: Focus<'_>) -> bool {
        self.keys.iter().any(|key| match key {
            Key::Condition { value, .. } | Key::Tags(value) => goes_through(value, item.list),
            Key::Passes(_) | Key::Roles(_) => false,
        })
    }

    /// Each question is asked once, for all items that ask it.
    fn push(&mut self, question: Question<'a>) -> Result<(), Fault> {
        if self.all.len() > MOST {
            return Err(too_many());
        }
        let told = |question: &Question<'_>| (question.is_new, question.is_told);
        let is_same = |other: &&mut Question<'_>| {
            other.resource == question.resource
                && other.action == question.action
                && told(other) == told(&question)
        };
        match self.all.iter_mut().find(is_same) {
            Some(other) if other.items.is_empty() || question.items.is_empty() => other.items.clear(),
            Some(other) => other.items.extend(question.items),
            None => self.all.push(question),
        }
        Ok(())
    }
}

enum Named {
    Resource(String),
    /// An ARN of another type.
    Stranger(String),
}

/// The resources of one target, and whether the request tells them.
fn named<'a>(scope: &Scope<'a>, target: &Target<'a>) -> Result<(Vec<Named>, bool), Fault> {
    let mut is_told = true;
    let mut columns = Vec::with_capacity(target.values.len());
    for value in &target.values {
        match scope.values(value) {
            Values::Known(found) => {
                let mut column = Vec::with_capacity(found.len());
                for found in found {
                    if let Found::Text(text) = found {
                        column.push(text);
                    }
                }
                columns.push(column);
            }
            Values::OfResource | Values::Unknown => {
                is_told = false;
                columns.push(vec![Cow::Borrowed(ANY)]);
            }
        }
    }
    let Some(resource_type) = target.resource_type else {
        let mut all = Vec::new();
        for column in columns {
            for arn in column {
                all.push(Named::Resource(arn.into_owned()));
            }
        }
        return Ok((all, is_told));
    };
    if target.is_optional && columns.iter().any(Vec::is_empty) {
        return Ok((Vec::new(), is_told));
    }
    let count = rows(&columns);
    if count > MOST {
        return Err(too_many());
    }
    let name = |mut values: Vec<&str>| {
        if let Some(arn) = values.iter().find(|value| is_arn(value) && resource_type.matches(value)) {
            return Named::Resource((*arn).to_owned());
        }
        if let [text] = values.as_slice()
            && let Some(arn) = Arn::parse(text)
        {
            // A member that takes any ARN names a resource of one of the action's types.
            if target.is_optional {
                return Named::Stranger((*text).to_owned());
            }
            // The reference misses types: `loadbalancer/app/...` is a load balancer too.
            if is_of_service(&arn, resource_type) {
                return Named::Resource((*text).to_owned());
            }
        }
        // What belongs to something that is named by its ARN is where that is: an index of another account's table.
        let mut arns = values.iter().filter_map(|value| Arn::parse(value));
        let home = arns.find(|arn| is_of_service(arn, resource_type));
        let scope = home.map_or(*scope, |Arn { region, account, .. }| Scope {
            region: if region.is_empty() { scope.region } else { region },
            account: if account.is_empty() { scope.account } else { account },
            ..*scope
        });
        for value in &mut values {
            *value = tail(value);
        }
        Named::Resource(build(&scope, &target.formats, &values))
    };
    let mut all = Vec::with_capacity(count);
    for number in 0..count {
        all.push(name(row(&columns, number)));
    }
    Ok((all, is_told))
}

/// Whether an ARN is of the service whose ARNs the type has.
fn is_of_service(arn: &Arn<'_>, resource_type: ResourceType) -> bool {
    resource_type.arn_formats().any(|format| format.split(':').nth(2) == Some(arn.service))
}
