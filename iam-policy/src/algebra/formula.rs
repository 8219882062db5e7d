//! Questions: sets of requests as formulas over statements, and the cases in which one can hold.
//!
//! ```text
//! a ∖ b  =  a ∧ ¬b  ─▶  cases: some statements match, some others do not  ─▶  one search each
//! ```

use std::sync::{Arc, OnceLock};

use super::budget::{Budget, Spent};
use super::term::{Term, variables};
use super::unknown::Doubt;
use crate::context::Context;
use crate::document::Effect;
use crate::evaluate::{PolicySet, PolicyType, Request, StatementRef, layers};

/// A set of requests, by the statements that match them.
#[derive(Debug)]
pub(super) enum Formula {
    All(Vec<Arc<Formula>>),
    Any(Vec<Arc<Formula>>),
    /// The requests that a statement matches.
    Matches(Matches),
    Not(Arc<Formula>),
    /// Some requests, but nobody knows which.
    Unknown(Doubt),
}

/// A statement that is asked whether it matches.
#[derive(Debug)]
pub(super) struct Matches {
    pub(super) statement: StatementRef,
    /// The keys of its variables.
    pub(super) variables: Vec<String>,
    /// Its box, where it has no variables.
    term: OnceLock<Term>,
}

/// One way in which a formula can hold: all these statements match, and none of those.
pub(super) struct Case<'f> {
    pub(super) inside: Vec<&'f Matches>,
    pub(super) outside: Vec<&'f Matches>,
    pub(super) doubt: Option<&'f Doubt>,
}

impl Formula {
    /// What a set of policies allows to the principal of a request, in its own account.
    pub(super) fn allowed(policies: &PolicySet, request: &Request) -> Formula {
        let (mut all, mut denies) = (Vec::new(), Vec::new());
        for layer in layers(policies, request) {
            let mut allows = Vec::new();
            for (at, statement) in layer.statements() {
                let Some(reference) = layer.reference(at) else { continue };
                if statement.principal.is_some() {
                    let reason = "it names principals, and who asks is no part of the question";
                    return Formula::Unknown(Doubt::new(reason, Some(reference)));
                }
                let matches = Arc::new(Formula::Matches(Matches::new(reference)));
                match statement.effect {
                    Effect::Allow => allows.push(matches),
                    Effect::Deny => denies.push(Arc::new(Formula::Not(matches))),
                }
            }
            match layer.policy_type {
                PolicyType::Boundary
                | PolicyType::Identity
                | PolicyType::ServiceControl
                | PolicyType::Session => all.push(Arc::new(Formula::Any(allows))),
                PolicyType::Resource | PolicyType::ResourceControl | PolicyType::Trust => {
                    let reason = format!(
                        "a {} depends on who asks, which is no part of the question",
                        layer.policy_type
                    );
                    return Formula::Unknown(Doubt::new(reason, None));
                }
            }
        }
        all.extend(denies);
        Formula::All(all)
    }

    /// Whether no request can be in the set, whatever its statements match.
    #[cfg(test)]
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Formula::Any(parts) if parts.iter().all(|part| part.is_nothing()))
    }

    /// Visits the cases in which the formula holds, until one has an answer.
    pub(super) fn cases<'f, T>(
        &'f self,
        visit: &mut dyn FnMut(&Case<'f>) -> Result<Option<T>, Spent>,
    ) -> Result<Option<T>, Spent> {
        let mut case = Case { inside: Vec::new(), outside: Vec::new(), doubt: None };
        expand(vec![(self, true)], Vec::new(), &mut case, visit)
    }
}

/// Settles the goals that have one way to hold, then tries the ways of the first other one.
fn expand<'f, T>(
    mut goals: Vec<(&'f Formula, bool)>,
    mut choices: Vec<(&'f [Arc<Formula>], bool)>,
    case: &mut Case<'f>,
    visit: &mut dyn FnMut(&Case<'f>) -> Result<Option<T>, Spent>,
) -> Result<Option<T>, Spent> {
    let before = (case.inside.len(), case.outside.len(), case.doubt);
    while let Some((goal, holds)) = goals.pop() {
        match (goal, holds) {
            (Formula::All(parts), true) | (Formula::Any(parts), false) => {
                goals.extend(parts.iter().map(|part| (&**part, holds)));
            }
            (Formula::All(parts), false) | (Formula::Any(parts), true) => choices.push((parts, holds)),
            (Formula::Matches(matches), true) => case.inside.push(matches),
            (Formula::Matches(matches), false) => case.outside.push(matches),
            (Formula::Not(part), holds) => goals.push((part, !holds)),
            (Formula::Unknown(doubt), _) => case.doubt = case.doubt.or(Some(doubt)),
        }
    }
    let fewest = choices.iter().enumerate().min_by_key(|(_, (parts, _))| parts.len()).map(|(at, _)| at);
    let mut answer = None;
    match fewest.map(|at| choices.swap_remove(at)) {
        None => answer = visit(case)?,
        Some((parts, holds)) => {
            for part in parts {
                answer = expand(vec![(part, holds)], choices.clone(), case, visit)?;
                if answer.is_some() {
                    break;
                }
            }
        }
    }
    case.inside.truncate(before.0);
    case.outside.truncate(before.1);
    case.doubt = before.2;
    Ok(answer)
}

impl Matches {
    fn new(statement: StatementRef) -> Matches {
        let mut variables: Vec<String> = variables(statement.statement()).collect();
        variables.sort_unstable();
        variables.dedup();
        Matches { statement, variables, term: OnceLock::new() }
    }

    /// The box of the statement; one with variables has another for each of their values.
    pub(super) fn term(&self, budget: &Budget) -> Result<&Term, Spent> {
        if let Some(term) = self.term.get() {
            return Ok(term);
        }
        let term = Term::new(&self.statement, &Context::new(), budget)?;
        Ok(self.term.get_or_init(|| term))
    }
}
