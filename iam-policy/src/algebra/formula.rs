//! Questions: sets of requests as formulas over statements, and the cases in which one can hold.
//!
//! ```text
//! a ∖ b  =  a ∧ ¬b  ─▶  classes of actions  ─▶  cases: some statements match, some others do not  ─▶  one search each
//! ```

use std::sync::{Arc, OnceLock};

use super::actions::Actions;
use super::budget::Found;
use super::term::{Reach, Term, variables};
use super::unknown::Doubt;
use crate::document::Effect;
use crate::evaluate::{PolicySet, PolicyType, Request, StatementRef, layers};

/// A set of requests, by the statements that match them.
#[derive(Debug)]
pub(super) enum Formula {
    All(Vec<Arc<Formula>>),
    Any(Vec<Arc<Formula>>),
    /// The requests that a statement matches.
    Matches(Arc<Matches>),
    Not(Arc<Formula>),
    /// What policies allow.
    Policies(Box<Policies>),
    /// Some requests, but nobody knows which.
    Unknown(Doubt),
}

/// Policies as a formula, and their statements by their actions.
#[derive(Debug)]
pub(super) struct Policies {
    pub(super) allowed: Formula,
    pub(super) statements: Vec<Arc<Matches>>,
    actions: OnceLock<Actions>,
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

/// The statements that are about an action, by their names.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Members(Vec<usize>);

/// One way in which a formula can hold: all these statements match, and none of those.
pub(super) struct Case<'f> {
    pub(super) inside: Vec<&'f Matches>,
    pub(super) outside: Vec<&'f Matches>,
    pub(super) doubt: Option<&'f Doubt>,
}

impl Formula {
    /// What a set of policies allows to the principal of a request, in its own account.
    pub(super) fn allowed(policies: &PolicySet, request: &Request) -> Formula {
        let (mut all, mut denies, mut statements) = (Vec::new(), Vec::new(), Vec::new());
        for layer in layers(policies, request) {
            let mut allows = Vec::new();
            for (at, statement) in layer.statements() {
                let Some(reference) = layer.reference(at) else { continue };
                if statement.principal.is_some() {
                    let reason = "it names principals, and who asks is no part of the question";
                    return Formula::Unknown(Doubt::new(reason, Some(reference)));
                }
                let matches = Arc::new(Matches::new(reference));
                statements.push(matches.clone());
                let matches = Arc::new(Formula::Matches(matches));
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
        let allowed = Formula::All(all);
        Formula::Policies(Box::new(Policies { allowed, statements, actions: OnceLock::new() }))
    }

    /// Visits the cases in which the formula holds for an action that these statements are about, until one has an answer.
    pub(super) fn cases<'f, T>(
        &'f self,
        members: &Members,
        visit: &mut dyn FnMut(&Case<'f>) -> Found<T>,
    ) -> Found<T> {
        let case = Case { inside: Vec::new(), outside: Vec::new(), doubt: None };
        Expansion { members, case, visit }.expand(vec![(self, true)], Vec::new())
    }

    /// Whether no request can be in the set, whatever its statements match.
    #[cfg(test)]
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Formula::Any(parts) if parts.iter().all(|part| part.is_nothing()))
    }

    /// The policies that the formula speaks of, each once.
    pub(super) fn policies<'f>(&'f self, found: &mut Vec<&'f Policies>) {
        match self {
            Formula::All(parts) | Formula::Any(parts) => parts.iter().for_each(|part| part.policies(found)),
            Formula::Matches(_) | Formula::Unknown(_) => {}
            Formula::Not(part) => part.policies(found),
            Formula::Policies(policies) => {
                if !found.iter().any(|known| std::ptr::eq(*known, &raw const **policies)) {
                    found.push(policies);
                }
            }
        }
    }

    /// Policies of which some must allow whatever the formula holds for; `None` where there are none.
    pub(super) fn support(&self) -> Option<Vec<&Policies>> {
        match self {
            Formula::All(parts) => parts.iter().filter_map(|part| part.support()).min_by_key(Vec::len),
            Formula::Any(parts) => {
                let mut all = Vec::new();
                for part in parts {
                    all.extend(part.support()?);
                }
                Some(all)
            }
            Formula::Matches(_) | Formula::Not(_) | Formula::Unknown(_) => None,
            Formula::Policies(policies) => Some(vec![policies]),
        }
    }

    /// Whether the formula itself tells that it cannot be so, or can be nothing else.
    fn is_settled(&self, holds: bool, members: &Members) -> Option<bool> {
        match self {
            Formula::Matches(matches) => (!members.has(matches)).then_some(!holds),
            Formula::Not(part) => part.is_settled(!holds, members),
            Formula::All(_) | Formula::Any(_) | Formula::Policies(_) | Formula::Unknown(_) => None,
        }
    }
}

impl<'f> Case<'f> {
    /// All that it tells of.
    pub(super) fn statements(&self) -> impl Iterator<Item = &'f Matches> {
        self.inside.iter().chain(&self.outside).copied()
    }
}

/// A formula's cases, as they are told apart.
struct Expansion<'e, 'f, T> {
    members: &'e Members,
    case: Case<'f>,
    visit: &'e mut dyn FnMut(&Case<'f>) -> Found<T>,
}

/// Formulas of which one is to hold, or not to.
type Choice<'f> = (Vec<&'f Formula>, bool);

impl<'f, T> Expansion<'_, 'f, T> {
    /// Settles the goals that have one way to hold, then tries the ways of the first other one.
    fn expand(&mut self, mut goals: Vec<(&'f Formula, bool)>, mut choices: Vec<Choice<'f>>) -> Found<T> {
        let before = (self.case.inside.len(), self.case.outside.len(), self.case.doubt);
        let mut is_possible = true;
        while let Some((goal, holds)) = goals.pop() {
            match (goal, holds) {
                (Formula::All(parts), true) | (Formula::Any(parts), false) => {
                    goals.extend(parts.iter().map(|part| (&**part, holds)));
                }
                (Formula::All(parts), false) | (Formula::Any(parts), true) => {
                    let ways = self.ways(parts, holds);
                    is_possible &= !ways.as_ref().is_some_and(Vec::is_empty);
                    choices.extend(ways.map(|ways| (ways, holds)));
                }
                (Formula::Matches(matches), holds) => match (self.members.has(matches), holds) {
                    (true, true) => self.case.inside.push(matches),
                    (true, false) => self.case.outside.push(matches),
                    (false, holds) => is_possible &= !holds,
                },
                (Formula::Not(part), holds) => goals.push((part, !holds)),
                (Formula::Policies(policies), holds) => goals.push((&policies.allowed, holds)),
                (Formula::Unknown(doubt), _) => self.case.doubt = self.case.doubt.or(Some(doubt)),
            }
        }
        let mut answer = None;
        if is_possible {
            let fewest = choices.iter().enumerate().min_by_key(|(_, (ways, _))| ways.len()).map(|(at, _)| at);
            match fewest.map(|at| choices.swap_remove(at)) {
                None => answer = (self.visit)(&self.case)?,
                Some((ways, holds)) => {
                    for way in ways {
                        answer = self.expand(vec![(way, holds)], choices.clone())?;
                        if answer.is_some() {
                            break;
                        }
                    }
                }
            }
        }
        self.case.inside.truncate(before.0);
        self.case.outside.truncate(before.1);
        self.case.doubt = before.2;
        Ok(answer)
    }

    /// The parts that can be so; `None` where one is in any case.
    fn ways(&self, parts: &'f [Arc<Formula>], holds: bool) -> Option<Vec<&'f Formula>> {
        let mut ways = Vec::new();
        for part in parts {
            match part.is_settled(holds, self.members) {
                None => ways.push(&**part),
                Some(true) => return None,
                Some(false) => {}
            }
        }
        Some(ways)
    }
}

impl Policies {
    pub(super) fn actions(&self) -> &Actions {
        self.actions.get_or_init(|| Actions::new(&self.statements))
    }
}

impl Matches {
    fn new(statement: StatementRef) -> Matches {
        let variables = variables(statement.statement());
        Matches { statement, variables, term: OnceLock::new() }
    }

    /// The box of the statement; one with variables has another for each of their values.
    pub(super) fn term(&self) -> &Term {
        self.term.get_or_init(|| Term::new(&self.statement, Reach::Anything))
    }
}

impl Members {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn add(&mut self, matches: &Matches) {
        self.0.push(matches.name());
    }

    /// To be called when the last one is added.
    pub(super) fn sort(&mut self) {
        self.0.sort_unstable();
    }

    pub(super) fn has(&self, matches: &Matches) -> bool {
        self.0.binary_search(&matches.name()).is_ok()
    }
}

impl Matches {
    pub(super) fn name(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}
