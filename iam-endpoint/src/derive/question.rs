//! Actions on resources, and roles that are passed.

use http::StatusCode;
use iam_policy::catalogue::{self, ResourceType};

use super::arn::{ANY, build, is_arn};
use super::grammar::{Check, Key, Target};
use super::scope::Scope;
use crate::fault::Fault;

/// More resources than any request is about; each is decided on its own.
const MOST: usize = 1_000;

/// One thing that the caller must be allowed.
#[derive(Debug, PartialEq)]
pub(crate) struct Question {
    /// With its prefix: `dynamodb:GetItem`.
    pub(crate) action: String,
    /// An ARN, or `*`.
    pub(crate) resource: String,
    /// Whether the request makes the resource, so that it has no tags yet.
    pub(crate) is_new: bool,
}

/// Everything that must be allowed, in the order of the table.
pub(crate) fn questions<'a>(
    scope: &'a Scope<'a>,
    prefix: &str,
    checks: &[Check<'a>],
    keys: &[Key<'a>],
) -> Result<Vec<Question>, Fault> {
    let mut questions = Questions(Vec::new());
    for check in checks.iter().filter(|check| check.conditions.iter().all(|condition| scope.meets(condition))) {
        questions.ask(scope, check.prefix.unwrap_or(prefix), check)?;
    }
    for value in keys.iter().flat_map(|key| if let Key::Roles(values) = key { values.as_slice() } else { &[] }) {
        for role in scope.values(value).texts() {
            // A service that takes a role's name looks for it itself, and what is no ARN it refuses.
            if is_role(&role) {
                let resource = role.into_owned();
                questions.push(Question { action: PASS_ROLE.to_owned(), resource, is_new: false })?;
            }
        }
    }
    Ok(questions.0)
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html>
pub(super) const PASS_ROLE: &str = "iam:PassRole";

fn is_role(text: &str) -> bool {
    iam_policy::Arn::parse(text).is_some_and(|arn| arn.service == "iam" && arn.resource.starts_with("role/"))
}

struct Questions(Vec<Question>);

impl Questions {
    fn ask<'a>(&mut self, scope: &'a Scope<'a>, prefix: &str, check: &Check<'a>) -> Result<(), Fault> {
        let action = [prefix, ":", check.action].concat();
        let before = self.0.len();
        let mut stranger = None;
        for target in &check.targets {
            let Some(resource_type) = resource_type(target, prefix) else { continue };
            for named in named(scope, resource_type, target) {
                // A member that takes any ARN names a resource of one of the action's types.
                if named.is_whole && check.targets.len() > 1 && !resource_type.matches(&named.arn) {
                    stranger = Some(named.arn);
                    continue;
                }
                let is_new = target.values.is_empty();
                self.push(Question { action: action.clone(), resource: named.arn, is_new })?;
            }
        }
        if self.0.len() == before {
            let resource = stranger.unwrap_or_else(|| ANY.to_owned());
            self.push(Question { action, resource, is_new: false })?;
        }
        Ok(())
    }

    /// Each question is asked once.
    fn push(&mut self, question: Question) -> Result<(), Fault> {
        if self.0.len() == MOST {
            return Err(Fault::new(
                StatusCode::BAD_REQUEST,
                "ValidationException",
                format!("the request is about more than {MOST} resources"),
            ));
        }
        if !self.0.contains(&question) {
            self.0.push(question);
        }
        Ok(())
    }
}

pub(crate) fn resource_type(target: &Target<'_>, prefix: &str) -> Option<ResourceType> {
    catalogue::service(target.prefix.unwrap_or(prefix))?.resource_type(target.resource_type)
}

struct Named {
    arn: String,
    /// Whether the request named it by its whole ARN.
    is_whole: bool,
}

/// The resources of one target.
fn named<'a>(scope: &'a Scope<'a>, resource_type: ResourceType, target: &Target<'a>) -> Vec<Named> {
    let columns: Vec<_> = target.values.iter().map(|value| scope.values(value).texts()).collect();
    if target.is_optional && columns.iter().any(Vec::is_empty) {
        return Vec::new();
    }
    let rows = columns.iter().map(Vec::len).max().unwrap_or_default().max(1);
    let name = |row: usize| {
        // What there is once goes with each of what there is several times.
        let cell = |column: &'_ Vec<_>| if column.len() == 1 { 0 } else { row };
        let values: Vec<&str> =
            columns.iter().map(|column| column.get(cell(column)).map_or(ANY, AsRef::as_ref)).collect();
        match values.as_slice() {
            [arn] if is_arn(arn) => Named { arn: (*arn).to_owned(), is_whole: true },
            values => Named { arn: build(scope, resource_type, target.format, values), is_whole: false },
        }
    };
    (0..rows.min(MOST + 1)).map(name).collect()
}
