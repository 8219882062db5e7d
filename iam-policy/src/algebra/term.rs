//! Statements as boxes: a conjunction of literals, each about one dimension of a request. The action is none of them: a question
//! is asked for one class of actions at a time.

use std::borrow::Cow;
use std::slice;
use std::sync::{Arc, OnceLock};

use super::budget::{Budget, Spent};
use super::globs::Globs;
use crate::condition::{Condition, Operand, Test};
use crate::context::Context;
use crate::document::{Clause, Effect, Item, Statement};
use crate::evaluate::StatementRef;
use crate::order;
use crate::pattern::{Pattern, Token, Variable};

/// A statement, as the search reads it.
#[derive(Debug)]
pub(super) struct Term {
    pub(super) statement: StatementRef,
    pub(super) literals: Vec<Literal>,
    reach: Reach,
}

/// What a statement asks of one dimension.
#[derive(Debug)]
pub(super) struct Literal {
    pub(super) dimension: Dimension,
    /// It is the others that match.
    pub(super) negated: bool,
    /// The index of the condition, where it is one.
    condition: Option<usize>,
    /// The texts depend on variables.
    pub(super) variable: bool,
    globs: OnceLock<Globs>,
    /// The same with any text for each variable.
    wide: OnceLock<Globs>,
}

/// A dimension of the space of requests.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Dimension {
    /// The values of a condition key, by its name in lower case.
    Key(Arc<str>),
    Resource,
}

/// How far the wildcards of a resource reach.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reach {
    /// Any text, as AWS documents it and the evaluator has it.
    Anything,
    /// In the first five parts of an ARN no colon.
    Part,
}

/// What stands for variables.
#[derive(Clone, Copy)]
pub(super) enum Filling<'c> {
    /// For each a sign of its own, of which nothing else is known.
    Marks(&'c Marks),
    /// Their values.
    Values(&'c Context),
}

/// A sign for each variable; with another default it is another variable.
pub(super) struct Marks(Vec<(String, Option<Box<str>>)>);

/// From here on characters are marks: nobody writes them.
const FIRST_MARK: u32 = 0x10_0000;

impl Marks {
    /// The signs of what these statements have.
    pub(super) fn of(statements: &[&Statement]) -> Marks {
        let mut all = Vec::new();
        for statement in statements {
            statement.variables().iter().for_each(|(variable, _)| order::add(&mut all, named(variable)));
        }
        Marks(all)
    }

    fn mark(&self, variable: &Variable) -> String {
        let wanted = named(variable);
        let marks = (FIRST_MARK..).filter_map(char::from_u32);
        let found = self.0.iter().zip(marks).find(|(known, _)| **known == wanted);
        found.map(|(_, mark)| mark.to_string()).unwrap_or_default()
    }
}

/// Whether a character stands for a variable.
pub(super) fn is_mark(c: char) -> bool {
    u32::from(c) >= FIRST_MARK
}

fn named(variable: &Variable) -> (String, Option<Box<str>>) {
    (variable.key.to_ascii_lowercase(), variable.default.clone())
}

impl Literal {
    fn new(dimension: Dimension, negated: bool, condition: Option<usize>) -> Literal {
        let (globs, wide) = (OnceLock::new(), OnceLock::new());
        Literal { dimension, negated, condition, variable: false, globs, wide }
    }

    /// Whether another literal, of a term with the same variables, holds wherever this one does, as they are written: what one
    /// statement asks another mostly has just so, or with more values.
    pub(super) fn implies(&self, of: &Term, other: &Literal, of_other: &Term) -> bool {
        if (&self.dimension, self.negated) != (&other.dimension, other.negated) || !of.reads_as(of_other) {
            return false;
        }
        let (few, many) =
            if self.negated { ((other, of_other), (self, of)) } else { ((self, of), (other, of_other)) };
        match (of.condition(self), of_other.condition(other)) {
            (Some((a, effect)), Some((b, other_effect))) => {
                (a.operator, effect) == (b.operator, other_effect) && {
                    let (few, many) = if self.negated { (b, a) } else { (a, b) };
                    few.values.iter().all(|item| many.values.iter().any(|other| item.text == other.text))
                }
            }
            (None, None) => few
                .1
                .patterns(few.0)
                .all(|one| many.1.patterns(many.0).any(|other| is_written_in(one, other))),
            _ => false,
        }
    }
}

/// Whether a pattern matches what another, which is written first, matches, as they are written.
pub(super) fn is_written_in((text, few): (&str, &Pattern), (written, many): (&str, &Pattern)) -> bool {
    text == written && (few.has_parts() || !many.has_parts())
        || many.start(written).is_some_and(|start| text.starts_with(start))
}

impl Term {
    /// The box of a statement.
    pub(super) fn new(statement: &StatementRef, reach: Reach) -> Term {
        let read = statement.statement();
        let mut literals = Vec::with_capacity(1 + read.conditions.len());
        if let Some(clause) = read.resource.as_ref().filter(|clause| !is_everything(clause)) {
            literals.push(Literal::new(Dimension::Resource, clause.negated, None));
        }
        for (index, condition) in read.conditions.iter().enumerate() {
            let key = Dimension::Key(condition.key.to_ascii_lowercase().into());
            literals.push(Literal::new(key, condition.operator.comparison.negated, Some(index)));
        }
        let mut term = Term { statement: statement.clone(), literals, reach };
        let variable =
            |literal| term.patterns(literal).any(|(_, pattern)| pattern.variables().next().is_some());
        let variables: Vec<bool> = term.literals.iter().map(variable).collect();
        term.literals.iter_mut().zip(variables).for_each(|(literal, variable)| literal.variable = variable);
        term
    }

    pub(super) fn condition(&self, literal: &Literal) -> Option<(&Condition, Effect)> {
        let statement = self.statement.statement();
        Some((statement.conditions.get(literal.condition?)?, statement.effect))
    }

    /// Whether it is texts that the literal compares.
    pub(super) fn is_textual(&self, literal: &Literal) -> bool {
        self.condition(literal).is_none_or(|(condition, _)| {
            matches!(condition.operator.comparison.test, Test::Arn | Test::Text { .. })
        })
    }

    /// The patterns of a literal, as they are written.
    pub(super) fn patterns(&self, literal: &Literal) -> Patterns<'_> {
        if let Some((condition, _)) = self.condition(literal) {
            return Patterns::Values(condition.values.iter());
        }
        let clause = self.statement.statement().resource.as_ref();
        Patterns::Resources(clause.map_or(&[][..], |clause| &clause.items).iter())
    }

    /// The texts that the patterns of a literal match.
    pub(super) fn globs<'t>(
        &self,
        literal: &'t Literal,
        filling: Filling<'_>,
        budget: &Budget,
    ) -> Result<&'t Globs, Spent> {
        if let Some(globs) = literal.globs.get() {
            return Ok(globs);
        }
        let globs = Globs::new(
            self.patterns(literal).map(|(written, pattern)| {
                let tokens = match filling {
                    Filling::Values(context) => pattern.tokens(written, context),
                    Filling::Marks(marks) => {
                        let mark = |variable: &Variable| Token::Literal(Cow::Owned(marks.mark(variable)));
                        pattern.tokens_with(written, true, mark)
                    }
                };
                (pattern, tokens.map(|tokens| self.reaching(literal, tokens)))
            }),
            budget,
        )?;
        Ok(literal.globs.get_or_init(|| globs))
    }

    /// The texts that the patterns of a literal match for any values of their variables.
    pub(super) fn wide<'t>(&self, literal: &'t Literal, budget: &Budget) -> Result<&'t Globs, Spent> {
        if let Some(globs) = literal.wide.get() {
            return Ok(globs);
        }
        let any = |_: &Variable| Token::Many { within: false };
        let globs = Globs::new(
            self.patterns(literal)
                .map(|(written, pattern)| (pattern, pattern.tokens_with(written, false, any))),
            budget,
        )?;
        Ok(literal.wide.get_or_init(|| globs))
    }

    /// The tokens of a resource, with its wildcards as far as they reach.
    fn reaching<'p>(
        &self,
        literal: &Literal,
        mut tokens: Vec<Token<Cow<'p, str>>>,
    ) -> Vec<Token<Cow<'p, str>>> {
        if self.reach == Reach::Anything || literal.dimension != Dimension::Resource || tokens.len() == 1 {
            return tokens;
        }
        let mut colons = 0;
        for token in &mut tokens {
            match token {
                Token::Literal(text) => colons += text.matches(':').count(),
                Token::Many { within } | Token::One { within } => *within = colons < 5,
            }
        }
        tokens
    }

    /// Whether signs mean the same in both statements.
    pub(super) fn reads_as(&self, other: &Term) -> bool {
        self.statement.policy().version() == other.statement.policy().version()
    }
}

/// Patterns, as they are written.
pub(super) enum Patterns<'t> {
    Resources(slice::Iter<'t, Item<Pattern>>),
    Values(slice::Iter<'t, Item<Operand>>),
}

impl<'t> Iterator for Patterns<'t> {
    type Item = (&'t str, &'t Pattern);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Patterns::Resources(items) => items.next().map(|item| (&*item.text, &item.matcher)),
            Patterns::Values(items) => {
                items.find_map(|item| item.matcher.as_pattern().map(|pattern| (&*item.text, pattern)))
            }
        }
    }
}

/// Whether the clause matches whatever a request asks for.
pub(super) fn is_everything(clause: &Clause<Pattern>) -> bool {
    !clause.negated && clause.items.iter().any(|item| &*item.text == "*")
}

/// The keys of the variables of a statement, in lower case, each once.
pub(super) fn variables(statement: &Statement) -> Vec<String> {
    let mut keys = Vec::new();
    for (variable, _) in statement.variables() {
        order::add(&mut keys, variable.key.to_ascii_lowercase());
    }
    keys
}
