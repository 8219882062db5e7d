//! A question from its formula to its answer.

use super::actions::{FRESH, classes, find_members};
use super::answer::{Answer, Counterexample};
use super::budget::{Budget, Spent};
use super::formula::{Case, Formula, Members};
use super::search::{Outcome, Point, Search, Universe};
use super::term::{Dimension, Filling, Marks, Reach, Term};
use super::unknown::Doubt;
use super::{Permissions, readable, variables};
use crate::context::Context;
use crate::evaluate::Request;
use crate::order;
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
    is_empty_with(set, Reach::Anything)
}

/// Whether a set would have no request if no wildcard reached beyond the parts of an ARN.
pub(super) fn is_empty_within_parts(set: &Permissions) -> bool {
    is_empty_with(set, Reach::Part).is_yes()
}

fn is_empty_with(set: &Permissions, reach: Reach) -> Answer {
    let budget = Budget::new(LIMIT);
    answer(set, reach, &budget, |asker| {
        classes(&set.formula, &budget, &mut |action, members| asker.ask(action, members))
    })
}

/// Whether a set has no request for an action, on whatever resource.
pub(super) fn is_empty_for(set: &Permissions, action: &str, reach: Reach, budget: &Budget) -> Answer {
    let members = members(set, action);
    answer(set, reach, budget, |asker| asker.ask(action, &members))
}

/// The statements that are about an action.
pub(super) fn members(set: &Permissions, action: &str) -> Members {
    let mut policies = Vec::new();
    set.formula.policies(&mut policies);
    let mut members = Members::default();
    find_members(&policies, &action.to_ascii_lowercase(), &mut members);
    members
}

/// The answer of whether a set is empty, from a request that it has, if one is found.
fn answer(
    set: &Permissions,
    reach: Reach,
    budget: &Budget,
    find: impl FnOnce(&mut Asker<'_>) -> Result<Option<Request>, Spent>,
) -> Answer {
    let variables = Variables::of(&set.formula);
    let universe = Universe::new();
    let search = |filling| Search::new(&universe, filling, reach, budget);
    let mut asker = Asker {
        set,
        universe: &universe,
        reach,
        budget,
        doubt: None,
        marked: search(Filling::Marks(&variables.marks)),
        usual: search(Filling::Values(&variables.usual)),
        usual_values: &variables.usual,
    };
    match find(&mut asker) {
        Ok(Some(request)) => Answer::No(Box::new(Counterexample::new(set.clone(), request))),
        Ok(None) => asker.doubt.map_or(Answer::Yes, |doubt| Answer::Unknown(doubt.into())),
        Err(Spent) => Answer::Unknown(Doubt::from(Spent).into()),
    }
}

/// The variables of a question.
struct Variables {
    marks: Marks,
    /// With values that no pattern asks for, most likely.
    usual: Context,
}

impl Variables {
    fn of(formula: &Formula) -> Variables {
        let mut policies = Vec::new();
        formula.policies(&mut policies);
        let (mut with_variables, mut keys) = (Vec::new(), Vec::new());
        for policies in policies {
            for matches in policies.statements.iter().filter(|matches| !matches.variables.is_empty()) {
                with_variables.push(matches.statement.statement());
                matches.variables.iter().for_each(|key| order::add(&mut keys, key.as_str()));
            }
        }
        let mut usual = Context::new();
        for (number, key) in keys.into_iter().enumerate() {
            usual.set(key.to_owned(), readable::value(key, number));
        }
        Variables { marks: Marks::of(&with_variables), usual }
    }
}

struct Asker<'a> {
    set: &'a Permissions,
    universe: &'a Universe,
    reach: Reach,
    budget: &'a Budget,
    /// The first reason why a yes would be a guess.
    doubt: Option<Doubt>,
    /// What is so with marks is so with all values.
    marked: Search<'a>,
    usual: Search<'a>,
    usual_values: &'a Context,
}

impl Asker<'_> {
    /// A request for an action that these statements are about.
    fn ask(&mut self, action: &str, members: &Members) -> Result<Option<Request>, Spent> {
        let set = self.set;
        set.formula.cases(members, &mut |case| self.settle(action, case))
    }

    fn settle(&mut self, action: &str, case: &Case<'_>) -> Result<Option<Request>, Spent> {
        self.budget.spend(1)?;
        match run(&self.marked, case)? {
            Outcome::Covered => return Ok(None),
            outcome if !has_variables(case) => {
                return Ok(self.confirm(action, case, outcome, &Context::new()));
            }
            Outcome::Doubt(_) | Outcome::Point(_) => {}
        }
        if let outcome @ Outcome::Point(_) = run(&self.usual, case)?
            && let Some(request) = self.confirm(action, case, outcome, self.usual_values)
        {
            return Ok(Some(request));
        }
        let trials = variables::trials(case, self.budget)?;
        for context in &trials.contexts {
            let search = Search::new(self.universe, Filling::Values(context), self.reach, self.budget);
            let outcome = run(&search, case)?;
            if let Some(request) = self.confirm(action, case, outcome, context) {
                return Ok(Some(request));
            }
        }
        if !trials.are_all {
            let statement = case.statements().find(|matches| !matches.variables.is_empty());
            let reason = "its policy variables meet patterns in more ways than are told apart";
            let statement = statement.map(|matches| matches.statement.clone());
            self.doubt.get_or_insert_with(|| Doubt::new(reason, statement));
        }
        Ok(None)
    }

    /// The request of a point, if the evaluator confirms it, who knows one reach only.
    fn confirm(
        &mut self,
        action: &str,
        case: &Case<'_>,
        outcome: Outcome,
        variables: &Context,
    ) -> Option<Request> {
        let doubt = match outcome {
            Outcome::Covered => return None,
            Outcome::Doubt(doubt) => doubt,
            Outcome::Point(point) => {
                let mut context = Context::new();
                for matches in case.statements() {
                    for key in &matches.variables {
                        let values = variables.lookup(key).unwrap_or_default();
                        context.set_many(key.clone(), values.iter().cloned());
                    }
                }
                // What is new may also be something that can be read.
                for new in ['x', FRESH] {
                    let action = action.replace(FRESH, new.encode_utf8(&mut [0; 4]));
                    let request = request(action, &point, &context);
                    if self.reach == Reach::Part || self.set.contains(&request) {
                        return Some(request);
                    }
                }
                case.doubt.cloned().unwrap_or_else(|| {
                    let reason = "the evaluator does not confirm what was found";
                    Doubt::new(reason, case.inside.first().map(|matches| matches.statement.clone()))
                })
            }
        };
        self.doubt.get_or_insert(doubt);
        None
    }
}

fn run(search: &Search<'_>, case: &Case<'_>) -> Result<Outcome, Spent> {
    let (inside, outside) = (search.terms(&case.inside), search.terms(&case.outside));
    let inside: Vec<&Term> = inside.iter().map(|term| &**term).collect();
    search.run(&inside, outside.iter().map(|term| &**term).collect())
}

fn has_variables(case: &Case<'_>) -> bool {
    case.statements().any(|matches| !matches.variables.is_empty())
}

fn request(action: String, point: &Point, variables: &Context) -> Request {
    let mut request = Request { action, context: variables.clone(), ..somebody() };
    for (dimension, values) in point {
        match dimension {
            Dimension::Key(key) => drop(request.context.set_many(key.to_string(), values.iter().cloned())),
            Dimension::Resource => request.resource = values.first().cloned().unwrap_or_default(),
        }
    }
    request
}
