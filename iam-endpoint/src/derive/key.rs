//! The condition keys of an operation: those in the request, those that it cannot have, and those that nobody computes.

use std::borrow::Cow;

use iam_policy::Context;
use iam_policy::catalogue::{self, ActionResource};

use super::grammar::{Check, Key};
use super::place::Places;
use super::question::{PASS_ROLE, Question};
use super::scope::{Scope, Values};
use super::tags::{self, Tags};
use crate::input::Found;

/// What a request says about condition keys.
pub(crate) struct Keys<'p> {
    /// Every key that the table computes and the request has, with its number there.
    computed: Vec<(usize, Cow<'static, str>, Vec<String>)>,
    /// Those that the request does not have, and what stands before a sign in the names of those that it may have several of.
    without: Vec<&'static str>,
    /// Keys that the request has, whose values the endpoint cannot tell.
    unknown: Vec<String>,
    /// `None` where the table does not say where the tags stand.
    tags: Option<(usize, Tags)>,
    checks: &'p [Check<'p>],
    table: &'p [Key<'static>],
    places: &'p Places,
    /// Whom roles are passed to.
    passes: Cow<'static, str>,
}

impl<'p> Keys<'p> {
    pub(crate) fn of(
        scope: &Scope<'_>,
        checks: &'p [Check<'p>],
        keys: &'p [Key<'static>],
        places: &'p Places,
        passes: Cow<'static, str>,
    ) -> Self {
        let (computed, without) = (Vec::new(), Vec::with_capacity(keys.len()));
        let mut all =
            Self { computed, without, unknown: Vec::new(), tags: None, checks, table: keys, places, passes };
        for (number, key) in keys.iter().enumerate() {
            match key {
                Key::Condition(name, value) => match scope.values(value) {
                    Values::Known(found) => all.compute(number, name, found),
                    Values::Unknown => all.unknown.push((*name).to_owned()),
                },
                Key::Passes(service) => all.passes = (*service).to_owned().into(),
                Key::Roles(_) => {}
                Key::Tags(value) => {
                    let found = match scope.values(value) {
                        Values::Known(found) => found,
                        Values::Unknown => Vec::new(),
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
                self.computed.extend(value.map(|value| (number, format!("{name}{key}").into(), vec![value])));
            }
            // That the others are absent is known too.
            return self.without.push(name);
        }
        // Of the dozens of keys of an operation, most requests have few.
        if found.is_empty() {
            return self.without.push(name);
        }
        let texts: Vec<_> = found.into_iter().flat_map(leaves).collect();
        if texts.is_empty() {
            self.without.push(name);
        } else {
            self.computed.push((number, Cow::Borrowed(name), texts));
        }
    }

    /// Sets what the request says, for one of its questions.
    pub(crate) fn set(&self, question: &Question, context: &mut Context) {
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
    pub(crate) fn is_absent(&self, key: &str, question: &Question, knows_tags: bool) -> bool {
        let starts_with =
            |start: &str| key.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
        let is_without =
            |name: &&str| if is_start(name) { starts_with(name) } else { key.eq_ignore_ascii_case(name) };
        let is_computed = |(_, name, _): &(usize, Cow<'_, str>, Vec<String>)| key.eq_ignore_ascii_case(name);
        if self.without.iter().any(is_without) || self.computed.iter().any(is_computed) {
            return true;
        }
        let is_about_resource_tag = starts_with("aws:ResourceTag/")
            || key.split_once(':').is_some_and(|(_, name)| {
                name.get(..12).is_some_and(|head| head.eq_ignore_ascii_case("ResourceTag/"))
            });
        if is_about_resource_tag {
            return knows_tags || question.is_new || question.resource == "*";
        }
        if self.unknown.iter().any(|name| starts_with(name)) {
            return false;
        }
        if question.action == PASS_ROLE {
            return true;
        }
        if starts_with("aws:RequestTag/") || key.eq_ignore_ascii_case("aws:TagKeys") {
            return self.tags.is_some() || !lists_tags(&question.action);
        }
        if starts_with("aws:") {
            return true;
        }
        !lists(&question.action, key)
    }
}

/// Whether a name of the table is what stands before the sign in the names of many keys.
fn is_start(name: &str) -> bool {
    matches!(name.as_bytes().last(), Some(b':' | b'/'))
}

fn lists(action: &str, key: &str) -> bool {
    let key = catalogue::condition_key(key);
    key.zip(catalogue::action(action)).is_some_and(|(key, action)| action.supports(key))
}

/// Whether a request for the action can carry tags.
fn lists_tags(action: &str) -> bool {
    catalogue::action(action).is_some_and(|action| {
        let mut keys =
            action.condition_keys().chain(action.resources().flat_map(ActionResource::condition_keys));
        keys.any(|key| key == "aws:TagKeys" || key.starts_with("aws:RequestTag/"))
    })
}

/// The texts of a leaf, or of a list of leaves.
fn leaves(found: Found<'_>) -> Vec<String> {
    match found {
        Found::Text(text) => vec![text.into_owned()],
        Found::Tree(tree) => crate::input::items(tree)
            .into_iter()
            .filter_map(|item| match item {
                serde_json::Value::String(text) => Some(text.clone()),
                serde_json::Value::Number(number) => Some(number.to_string()),
                serde_json::Value::Bool(value) => Some(value.to_string()),
                _ => None,
            })
            .collect(),
    }
}
