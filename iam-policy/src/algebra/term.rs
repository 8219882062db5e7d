//! Statements as boxes: a conjunction of literals, each about one dimension of a request.

use std::sync::Arc;

use super::budget::{Budget, Spent};
use super::globs::Globs;
use crate::condition::{Condition, Test};
use crate::context::Context;
use crate::document::{Clause, Effect, Item, Statement};
use crate::evaluate::StatementRef;
use crate::pattern::Pattern;

/// A statement, as the search reads it.
#[derive(Debug)]
pub(super) struct Term {
    pub(super) statement: StatementRef,
    pub(super) literals: Vec<Literal>,
}

/// What a statement asks of one dimension.
#[derive(Debug)]
pub(super) struct Literal {
    pub(super) dimension: Dimension,
    /// The texts that match, where texts do.
    pub(super) globs: Option<Globs>,
    /// It is the others that match.
    pub(super) negated: bool,
    /// The index of the condition, where it is one.
    pub(super) condition: Option<usize>,
    /// The texts depend on variables.
    pub(super) variable: bool,
}

/// A dimension of the space of requests.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Dimension {
    Action,
    /// The values of a condition key, by its name in lower case.
    Key(Arc<str>),
    Resource,
}

impl Literal {
    /// Whether another literal, of a term with the same variables, is written just so.
    pub(super) fn is_same(&self, of: &Term, other: &Literal, of_other: &Term) -> bool {
        if (&self.dimension, self.negated) != (&other.dimension, other.negated) {
            return false;
        }
        match (of.condition(self), of_other.condition(other)) {
            (Some((a, effect)), Some((b, other_effect))) => {
                (a.operator, effect) == (b.operator, other_effect) && same_texts(&a.values, &b.values)
            }
            (None, None) => match (of.clause(self), of_other.clause(other)) {
                (Some(a), Some(b)) => same_texts(&a.items, &b.items),
                _ => false,
            },
            _ => false,
        }
    }
}

fn same_texts<M>(a: &[Item<M>], b: &[Item<M>]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.text == b.text)
}

impl Term {
    /// The box of a statement, with the variables of a context.
    pub(super) fn new(statement: &StatementRef, context: &Context, budget: &Budget) -> Result<Term, Spent> {
        let read = statement.statement();
        let mut literals = Vec::with_capacity(2 + read.conditions.len());
        let clauses =
            [(Dimension::Action, Some(&read.action)), (Dimension::Resource, read.resource.as_ref())];
        for (dimension, clause) in clauses {
            if let Some(clause) = clause.filter(|clause| !is_everything(clause)) {
                let patterns = clause.items.iter().map(|item| (&*item.text, &item.matcher));
                let globs = match dimension {
                    Dimension::Action => Globs::actions(patterns, budget)?,
                    Dimension::Key(_) | Dimension::Resource => Globs::new(patterns, context, budget)?,
                };
                literals.push(Literal {
                    dimension,
                    globs: Some(globs),
                    negated: clause.negated,
                    condition: None,
                    variable: clause.items.iter().any(|item| item.matcher.variables().next().is_some()),
                });
            }
        }
        for (index, condition) in read.conditions.iter().enumerate() {
            literals.push(Literal {
                dimension: Dimension::Key(condition.key.to_ascii_lowercase().into()),
                globs: texts(condition, context, budget)?,
                negated: condition.operator.comparison.negated,
                condition: Some(index),
                variable: patterns(condition).any(|(_, pattern)| pattern.variables().next().is_some()),
            });
        }
        Ok(Term { statement: statement.clone(), literals })
    }

    pub(super) fn condition(&self, literal: &Literal) -> Option<(&Condition, Effect)> {
        let statement = self.statement.statement();
        Some((statement.conditions.get(literal.condition?)?, statement.effect))
    }
}

impl Term {
    fn clause(&self, literal: &Literal) -> Option<&Clause<Pattern>> {
        let statement = self.statement.statement();
        match literal.dimension {
            Dimension::Action => Some(&statement.action),
            Dimension::Key(_) => None,
            Dimension::Resource => statement.resource.as_ref(),
        }
    }
}

/// Whether the clause matches whatever a request asks for.
fn is_everything(clause: &Clause<Pattern>) -> bool {
    !clause.negated && clause.items.iter().any(|item| &*item.text == "*")
}

fn texts(condition: &Condition, context: &Context, budget: &Budget) -> Result<Option<Globs>, Spent> {
    if !matches!(condition.operator.comparison.test, Test::Arn | Test::Text { .. }) {
        return Ok(None);
    }
    // All values of a condition are read alike.
    Globs::new(patterns(condition), context, budget).map(Some)
}

fn patterns(condition: &Condition) -> impl Iterator<Item = (&str, &Pattern)> {
    condition.values.iter().filter_map(|value| Some((&*value.text, value.matcher.as_pattern()?)))
}

/// The keys of the variables of a statement, in lower case.
pub(super) fn variables(statement: &Statement) -> impl Iterator<Item = String> {
    let of_resources = statement.resource.iter().flat_map(|clause| &clause.items).map(|item| &item.matcher);
    let values = statement.conditions.iter().flat_map(|condition| &condition.values);
    let patterns = of_resources.chain(values.filter_map(|value| value.matcher.as_pattern()));
    patterns.flat_map(Pattern::variables).map(|variable| variable.key.to_ascii_lowercase())
}
