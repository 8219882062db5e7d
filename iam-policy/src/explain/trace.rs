//! Asks every element of a statement, and words the answer.

use super::ElementTrace;
use super::describe::{condition_text, nearness};
use crate::context::Context;
use crate::diagnostic::quoted;
use crate::document::{Clause, Item, Statement};
use crate::evaluate::Facts;
use crate::pattern::Pattern;
use crate::source::Span;
use crate::truth::Truth;

pub(super) fn elements(facts: &Facts<'_>, statement: &Statement) -> Vec<ElementTrace> {
    let mut elements = Vec::new();
    if let Some(principal) = &statement.principal {
        let matches = facts.principal(principal, statement.effect).is_some();
        elements.push(ElementTrace {
            element: if principal.negated { "NotPrincipal" } else { "Principal" },
            truth: Truth::certain(matches),
            span: single(&principal.items).unwrap_or(principal.span),
            text: format!(
                "`{}` is {}named here",
                facts.request.principal,
                if matches == principal.negated { "not " } else { "" }
            ),
            nearness: 0,
        });
    }
    let action = &facts.request.action;
    let context = &facts.request.context;
    let truth = Truth::certain(statement.is_about(action));
    let nearest = nearest(&statement.action, &|item| item.matches(action, context).assumed, &|item| {
        nearness_of_action(action, &item.text)
    });
    elements.push(nearest.trace(
        if statement.action.negated { "NotAction" } else { "Action" },
        truth,
        action,
        context,
    ));
    if let Some(resource) = &statement.resource {
        let requested = &facts.request.resource;
        let truth = facts.resource(resource);
        let matches = |item: &Item<Pattern>| item.matches(requested, context).assumed;
        let near = |item: &Item<Pattern>| {
            nearness(requested, item.matcher.filled(&item.text, context).as_deref().unwrap_or(&item.text))
        };
        let nearest = self::nearest(resource, &matches, &near);
        elements.push(nearest.trace(
            if resource.negated { "NotResource" } else { "Resource" },
            truth,
            requested,
            context,
        ));
    }
    for condition in &statement.conditions {
        let truth = facts.condition(condition, statement.effect);
        elements.push(ElementTrace {
            element: "Condition",
            truth,
            span: single(&condition.values).unwrap_or(condition.span),
            text: condition_text(condition, truth, context),
            nearness: 0,
        });
    }
    elements
}

/// The value of a clause that names what is requested, or comes nearest to it.
struct Nearest<'c> {
    clause: &'c Clause<Pattern>,
    item: Option<&'c Item<Pattern>>,
    named: bool,
    nearness: usize,
}

fn nearest<'c>(
    clause: &'c Clause<Pattern>,
    matches: &dyn Fn(&Item<Pattern>) -> bool,
    near: &dyn Fn(&Item<Pattern>) -> usize,
) -> Nearest<'c> {
    let named = clause.items.iter().find(|item| matches(item));
    // The first of several that come equally near.
    let item = named.or_else(|| clause.items.iter().rev().max_by_key(|item| near(item)));
    Nearest { clause, item, named: named.is_some(), nearness: item.map_or(0, near) }
}

impl Nearest<'_> {
    fn trace(&self, element: &'static str, truth: Truth, requested: &str, context: &Context) -> ElementTrace {
        let others = self.clause.items.len().saturating_sub(1);
        let shown = self.item.map_or(String::new(), |item| show(item, context));
        let text = match (self.named, self.clause.negated) {
            (true, false) if shown == format!("`{requested}`") => format!("{shown} matches"),
            (true, false) => format!("`{requested}` matches {shown}"),
            (true, true) => format!("`{requested}` is excluded by {shown}"),
            (false, true) => format!("`{requested}` is not excluded"),
            (false, false) if others == 0 => format!("`{requested}` is not {shown}"),
            (false, false) => format!("`{requested}` is not {shown}, nor {}", plural(others)),
        };
        let span = match self.item {
            Some(item) if self.named || !self.clause.negated => item.span,
            _ => self.clause.span,
        };
        ElementTrace { element, truth, span, text, nearness: self.nearness }
    }
}

/// A pattern as it is written and, if that differs, as the request fills its variables.
fn show(item: &Item<Pattern>, context: &Context) -> String {
    if item.matcher.variables().next().is_none() {
        return format!("`{}`", item.text);
    }
    if let Some(filled) = item.matcher.filled(&item.text, context) {
        return format!("`{}`, that is `{filled}`", item.text);
    }
    let lacking = item.matcher.variables().filter(|variable| variable.resolve(context).is_none());
    let keys = quoted(lacking.map(|variable| &*variable.key));
    format!("`{}`, for the request has no single value of {keys}", item.text)
}

fn plural(others: usize) -> String {
    if others == 1 { "the other one".to_owned() } else { format!("one of the {others} others") }
}

fn nearness_of_action(requested: &str, named: &str) -> usize {
    let (requested, named) = (requested.to_ascii_lowercase(), named.to_ascii_lowercase());
    let service = |action: &str| action.split(':').next().map(str::to_owned);
    if service(&requested) == service(&named) { nearness(&requested, &named) } else { 0 }
}

fn single<M>(items: &[Item<M>]) -> Option<Span> {
    match items {
        [one] => Some(one.span),
        _ => None,
    }
}
