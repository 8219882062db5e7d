//! The condition keys of an operation: those in the request, those that it cannot have, and those that nobody computes.

use std::borrow::Cow;

use iam_policy::Context;
use iam_policy::catalogue;

use super::arn::ANY;
use super::grammar::{Check, Key};
use super::place::{Places, may_have};
use super::question::{PASS_ROLE, Question};
use super::scope::{Focus, Scope, Values};
use super::tags::{self, Tags};
use crate::wire::input::Found;

/// What a request says about condition keys.
pub(crate) struct Keys<'p> {
    /// Every key that the table computes and the request has, with its number there.
    computed: Vec<(usize, Cow<'static, str>, Vec<String>)>,
    /// Those that the request does not have, and what stands before a sign in the names of those that it may have several of.
    without: Vec<&'static str>,
    /// Keys that the request has, whose values the endpoint cannot tell, with their numbers.
    unknown: Vec<(usize, &'static str)>,
    /// Keys whose value is what the resource is called.
    names: Vec<(usize, &'static str)>,
    /// `None` where the table does not say where the tags stand.
    tags: Option<(usize, Tags)>,
    checks: &'p [Check<'p>],
    table: &'p [Key<'static>],
    places: &'p Places,
    /// Whom roles are passed to.
    passes: Cow<'static, str>,
}

impl<'p> Keys<'p> {
    /// Those of questions that the items are about; of all the request where there are none.
    pub(crate) fn of<'s>(
        scope: &Scope<'s>,
        items: &[Focus<'s>],
        checks: &'p [Check<'p>],
        keys: &'p [Key<'static>],
        places: &'p Places,
        passes: Cow<'static, str>,
    ) -> Self {
        let without = Vec::with_capacity(keys.len());
        let (computed, unknown, names) = (Vec::new(), Vec::new(), Vec::new());
        let mut all =
            Self { computed, without, unknown, names, tags: None, checks, table: keys, places, passes };
        for (number, key) in keys.iter().enumerate() {
            match key {
                Key::Condition { name, value, .. } => match scope.values_of(items, value) {
                    Values::Known(found) => all.compute(number, name, found),
                    Values::OfResource => all.names.push((number, name)),
                    Values::Unknown => all.unknown.push((number, name)),
                },
                Key::Passes(service) => all.passes = (*service).to_owned().into(),
                Key::Roles(_) => {}
                Key::Tags(value) => {
                    let found = match scope.values_of(items, value) {
                        Values::Known(found) => found,
                        Values::OfResource | Values::Unknown => Vec::new(),
                    };
                    all.tags.get_or_insert((number, Tags::default())).1.extend(tags::of(found));
                }
            }
        }
        all
    }

    /// A name that ends in a sign stands for one key for each entry of a map or each tag: `kms:EncryptionContext:`.
    fn compute(&mut self, number: usize, name: &'static str, found: Vec<Found<'_>>) {
        if is_start(name) {
            for (key, value) in tags::of(found) {
                if let Some(value) = value {
                    self.computed.push((number, format!("{name}{key}").into(), vec![value]));
                }
            }
            // That the others are absent is known too.
            return self.without.push(name);
        }
        // Of the dozens of keys of an operation, most requests have few.
        if found.is_empty() {
            return self.without.push(name);
        }
        let mut texts = Vec::with_capacity(found.len());
        for found in found {
            leaves(found, &mut texts);
        }
        if texts.is_empty() {
            self.without.push(name);
        } else {
            self.computed.push((number, Cow::Borrowed(name), texts));
        }
    }

    /// Sets what the request says, for one of its questions.
    pub(crate) fn set(&self, question: &Question<'_>, resource_name: &str, context: &mut Context) {
        if question.action == PASS_ROLE {
            context.set("iam:PassedToService", self.passes.clone());
            return;
        }
        let asked = self.places.of_question(question, self.checks, self.table);
        for (number, name, values) in &self.computed {
            if asked.has(*number) {
                context.set_many(name.clone(), values.iter().map(String::as_str));
            }
        }
        for (number, key) in &self.names {
            if resource_name != ANY && asked.has(*number) {
                context.set(*key, resource_name);
            }
        }
        if let Some((number, tags)) = &self.tags
            && asked.has(*number)
        {
            for (key, value) in tags {
                if let Some(value) = value {
                    context.set(format!("aws:RequestTag/{key}"), value.as_str());
                }
            }
            context.set_many("aws:TagKeys", tags.iter().map(|(key, _)| key.as_str()));
        }
    }

    /// Whether a key that nobody set is known not to be in the request.
    ///
    /// What the table computes is there with its values, or not at all. A service's key that the Service Authorization Reference does not list for the action is none of it; one that it
    /// lists, and that the table does not compute, may be in AWS's request. Global keys are all set that a direct call can
    /// have, but for tags.
    pub(crate) fn is_absent(&self, key: &str, question: &Question<'_>, knows_tags: bool) -> bool {
        let is = |name: &str| {
            if is_start(name) { starts_with(key, name) } else { key.eq_ignore_ascii_case(name) }
        };
        if let Some((number, _)) = self.unknown.iter().find(|(_, name)| is(name)) {
            return !self.places.of_question(question, self.checks, self.table).has(*number);
        }
        if self.without.iter().any(|name| is(name))
            || self.computed.iter().any(|(_, name, _)| key.eq_ignore_ascii_case(name))
            || self.names.iter().any(|(_, name)| is(name))
        {
            return true;
        }
        if is_about_resource_tag(key) {
            return knows_tags || question.is_new || question.resource == "*";
        }
        if question.action == PASS_ROLE {
            // Some services tell what the role is for.
            return !key.eq_ignore_ascii_case("iam:AssociatedResourceArn");
        }
        if starts_with(key, "aws:RequestTag/") || key.eq_ignore_ascii_case("aws:TagKeys") {
            return self.tags.is_some() || !lists_tags(&question.action);
        }
        starts_with(key, "aws:") || !may_have(&question.action, &question.resource, key)
    }
}

/// Whether a name of the table is what stands before the sign in the names of many keys.
fn is_start(name: &str) -> bool {
    matches!(name.as_bytes().last(), Some(b':' | b'/'))
}

fn starts_with(key: &str, start: &str) -> bool {
    key.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// Whether a key is about the tags of the resource: `aws:ResourceTag/Team`, `ec2:ResourceTag/Team`, `rds:db-tag/Team`.
fn is_about_resource_tag(key: &str) -> bool {
    let Some((prefix, (kind, _))) =
        key.split_once(':').and_then(|(prefix, rest)| Some((prefix, rest.split_once('/')?)))
    else {
        return false;
    };
    kind.eq_ignore_ascii_case("ResourceTag")
        || prefix.eq_ignore_ascii_case("rds")
            && kind.ends_with("-tag")
            && !kind.eq_ignore_ascii_case("req-tag")
}

/// What the keys for the tags of a question's resource begin with.
///
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAM.Conditions.html>
pub(crate) fn resource_tag_keys(question: &Question<'_>) -> Vec<String> {
    let prefix = question.action.split(':').next().unwrap_or_default();
    let mut starts = vec!["aws:ResourceTag/".to_owned(), format!("{prefix}:ResourceTag/")];
    if prefix == "rds" {
        starts.extend(question.resource.split(':').nth(5).map(|kind| format!("rds:{kind}-tag/")));
    }
    starts
}

/// Whether a request for the action can carry tags.
fn lists_tags(action: &str) -> bool {
    catalogue::action(action).is_some_and(|action| {
        let is_of_tags = |key: &str| key == "aws:TagKeys" || key.starts_with("aws:RequestTag/");
        action.condition_keys().any(is_of_tags)
            || action.resources().any(|on| on.condition_keys().any(is_of_tags))
    })
}

/// Adds the texts of a leaf, or of a list of leaves.
fn leaves(found: Found<'_>, texts: &mut Vec<String>) {
    match found {
        Found::Text(text) => texts.push(text.into_owned()),
        Found::Tree(tree) => {
            for item in crate::wire::input::items(tree) {
                match item {
                    serde_json::Value::String(text) => texts.push(text.clone()),
                    serde_json::Value::Number(number) => texts.push(number.to_string()),
                    serde_json::Value::Bool(value) => texts.push(value.to_string()),
                    _ => {}
                }
            }
        }
    }
}
