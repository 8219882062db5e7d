//! A question from its formula to its answer.

use super::Permissions;
use super::answer::{Answer, Counterexample};
use super::budget::{Budget, Spent};
use super::formula::{Case, Matches};
use super::search::{Outcome, Point, Search, Universe};
use super::term::{Dimension, Term};
use super::unknown::Doubt;
use super::variables;
use crate::context::Context;
use crate::evaluate::Request;
use crate::principal::Principal;

/// The steps that a question may take: about half a second in a debug build.
const LIMIT: u64 = 4_000_000;

const ACCOUNT: &str = "123456789012";

/// A request of nobody in particular.
pub(super) fn somebody() -> Request {
    Request {
        principal: Principal::User { arn: format!("arn:aws:iam::{ACCOUNT}:user/example") },
        action: String::new(),
        resource: String::new(),
        // The set is about the principal's own account, whatever account an ARN may name.
        resource_account: Some(ACCOUNT.to_owned()),
        context: Context::new(),
    }
}

/// Whether a set has no request.
pub(super) fn is_empty(set: &Permissions) -> Answer {
    is_empty_within(set, &Universe::open(), &Budget::new(LIMIT))
}

pub(super) fn is_empty_within(set: &Permissions, universe: &Universe, budget: &Budget) -> Answer {
    let mut asker = Asker { set, universe, budget, doubt: None };
    let nothing = Context::new();
    let plain = Search::new(universe, &nothing, budget);
    match set.formula.cases(&mut |case| asker.ask(case, &plain)) {
        Ok(Some(request)) => Answer::No(Box::new(Counterexample::new(set.clone(), request))),
        Ok(None) => asker.doubt.map_or(Answer::Yes, |doubt| Answer::Unknown(doubt.into())),
        Err(Spent) => Answer::Unknown(Doubt::from(Spent).into()),
    }
}

struct Asker<'a> {
    set: &'a Permissions,
    universe: &'a Universe,
    budget: &'a Budget,
    /// The first reason why a yes would be a guess.
    doubt: Option<Doubt>,
}

impl Asker<'_> {
    fn ask(&mut self, case: &Case<'_>, plain: &Search<'_>) -> Result<Option<Request>, Spent> {
        if case.inside.iter().chain(&case.outside).any(|matches| !matches.variables.is_empty()) {
            return self.ask_with_variables(case, plain);
        }
        let outcome = plain.run(&self.terms(&case.inside)?, self.terms(&case.outside)?)?;
        Ok(self.settle(case, outcome, &Context::new()))
    }

    fn ask_with_variables(&mut self, case: &Case<'_>, plain: &Search<'_>) -> Result<Option<Request>, Spent> {
        let inside = self.terms(&case.inside)?;
        if plain.are_apart(&inside)? {
            return Ok(None);
        }
        let mut outside = Vec::new();
        for matches in &case.outside {
            let all: Vec<&Term> = inside.iter().copied().chain([matches.term(self.budget)?]).collect();
            if !plain.are_apart(&all)? {
                outside.push(*matches);
            }
        }
        // Most are covered whatever the variables are.
        let constant: Vec<&Matches> =
            outside.iter().copied().filter(|matches| matches.variables.is_empty()).collect();
        if plain.is_covered(&inside, self.terms(&constant)?)? {
            return Ok(None);
        }
        let case = Case { inside: case.inside.clone(), outside, doubt: case.doubt };
        let trials = variables::trials(&case, self.budget)?;
        for variables in &trials.contexts {
            let of_variables = |matches: &&Matches| -> Result<Option<Term>, Spent> {
                let constant = matches.variables.is_empty();
                (!constant).then(|| Term::new(&matches.statement, variables, self.budget)).transpose()
            };
            let filled: Vec<Option<Term>> =
                case.inside.iter().chain(&case.outside).map(of_variables).collect::<Result<_, Spent>>()?;
            let both = case.inside.iter().chain(&case.outside).zip(&filled);
            let terms = both.map(|(matches, filled)| match filled {
                Some(term) => Ok(term),
                None => matches.term(self.budget),
            });
            let mut inside: Vec<&Term> = terms.collect::<Result<_, Spent>>()?;
            let outside = inside.split_off(case.inside.len());
            let search = Search::new(self.universe, variables, self.budget);
            let outcome = search.run(&inside, outside)?;
            if let Some(request) = self.settle(&case, outcome, variables) {
                return Ok(Some(request));
            }
        }
        if !trials.are_all {
            let mut all = case.inside.iter().chain(&case.outside);
            let statement = all.find(|matches| !matches.variables.is_empty());
            let reason = "its policy variables meet patterns in more ways than are told apart";
            let statement = statement.map(|matches| matches.statement.clone());
            self.doubt.get_or_insert_with(|| Doubt::new(reason, statement));
        }
        Ok(None)
    }

    fn terms<'f>(&self, all: &[&'f Matches]) -> Result<Vec<&'f Term>, Spent> {
        all.iter().map(|matches| matches.term(self.budget)).collect()
    }

    /// The request of a point, if the evaluator confirms it.
    fn settle(&mut self, case: &Case<'_>, outcome: Outcome, variables: &Context) -> Option<Request> {
        let doubt = match outcome {
            Outcome::Covered => return None,
            Outcome::Doubt(doubt) => doubt,
            Outcome::Point(point) => {
                let request = request(point, variables);
                if self.set.contains(&request) {
                    return Some(request);
                }
                case.doubt.cloned().unwrap_or_else(|| {
                    let reason = format!(
                        "the evaluator does not confirm `{}` on `{}`",
                        request.action, request.resource
                    );
                    Doubt::new(reason, case.inside.first().map(|matches| matches.statement.clone()))
                })
            }
        };
        self.doubt.get_or_insert(doubt);
        None
    }
}

fn request(point: Point, variables: &Context) -> Request {
    let mut request = somebody();
    request.context = variables.clone();
    for (dimension, mut values) in point {
        match dimension {
            Dimension::Action => request.action = values.pop().unwrap_or_default(),
            Dimension::Key(key) => drop(request.context.set_many(key.to_string(), values)),
            Dimension::Resource => request.resource = values.pop().unwrap_or_default(),
        }
    }
    request
}
