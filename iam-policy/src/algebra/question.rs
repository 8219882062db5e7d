//! A question from its formula to its answer.

use super::Permissions;
use super::answer::{Answer, Counterexample};
use super::budget::{Budget, Spent};
use super::formula::{Case, Matches};
use super::search::{Outcome, Point, Search, Universe};
use super::term::{Dimension, Term};
use super::unknown::Doubt;
use crate::context::Context;
use crate::evaluate::Request;
use crate::principal::Principal;

/// The steps that a question may take: about half a second in a debug build.
const LIMIT: u64 = 5_000_000;

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
    let (universe, budget) = (Universe::open(), Budget::new(LIMIT));
    let mut asker = Asker { set, universe: &universe, budget: &budget, doubt: None };
    let nothing = Context::new();
    let plain = Search::new(&universe, &nothing, &budget);
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
        let with_variables =
            case.inside.iter().chain(&case.outside).find(|matches| !matches.variables.is_empty());
        if let Some(matches) = with_variables {
            let reason = "it has policy variables";
            self.doubt.get_or_insert_with(|| Doubt::new(reason, Some(matches.statement.clone())));
            return Ok(None);
        }
        let outcome = plain.run(&self.terms(&case.inside)?, self.terms(&case.outside)?)?;
        Ok(self.settle(case, outcome, &Context::new()))
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
