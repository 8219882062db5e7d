//! The closed world: actions of the catalogue on resources of their own types.
//!
//! ```text
//! action ─▶ the statements that are about it ─▶ the formula with these only ─┬─ never, always        no search
//!                                                                            └─ else one search for all actions that
//!                                                                               are alike in this and in their resources
//! ```

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use super::answer::{Answer, Counterexample};
use super::budget::Budget;
use super::formula::{Formula, Matches};
use super::search::Universe;
use super::unknown::{Doubt, Unknown};
use super::{Permissions, Plain, question, readable};
use crate::catalogue::{self, Action, ActionResource, ResourceType};
use crate::context::Context;
use crate::document::{Clause, Item, Policy, PolicyKind, sequence};
use crate::evaluate::Request;
use crate::json::write_string;
use crate::pattern::Pattern;

/// The requests of a set for actions of the [catalogue](crate::catalogue) on resources of their own types.
///
/// Questions about it are in the words of [`Permissions`]. What is proven of it may be wrong tomorrow, when AWS adds an action.
///
/// # Examples
///
/// ```
/// use iam_policy::{Policy, PolicyKind, assert_subset};
///
/// let parse = |text: &str| Policy::parse(text, PolicyKind::Identity).unwrap().permissions();
/// let any = parse(r#"{"Statement": {"Effect": "Allow", "Action": "sqs:*Message", "Resource": "*"}}"#);
/// let three = parse(r#"{"Statement": {"Effect": "Allow", "Resource": "*",
///     "Action": ["sqs:DeleteMessage", "sqs:ReceiveMessage", "sqs:SendMessage"]}}"#);
/// assert!(any.is_subset(&three).is_no());
/// assert_subset!(any.closed(), three);
/// ```
#[derive(Clone, Debug)]
pub struct Closed(Permissions);

impl Closed {
    pub(super) fn new(set: Permissions) -> Closed {
        Closed(set)
    }

    /// Whether the set has no request; the counterexample is one that it has.
    pub fn is_empty(&self) -> Answer {
        let mut unknown = None;
        for (_, answer) in answers(&self.0) {
            match answer {
                Answer::No(_) => return answer,
                Answer::Unknown(_) => unknown = unknown.or(Some(answer)),
                Answer::Yes => {}
            }
        }
        unknown.unwrap_or(Answer::Yes)
    }

    /// The actions for which the set has requests, each with such a request as the counterexample of its emptiness, or with the
    /// reason why it cannot be told.
    #[must_use]
    pub fn actions(&self) -> Vec<(Action, Answer)> {
        answers(&self.0).collect()
    }

    /// As [`Permissions::is_subset`].
    pub fn is_subset(&self, other: &Permissions) -> Answer {
        Closed(self.0.difference(other)).is_empty()
    }

    /// As [`Permissions::is_disjoint`].
    pub fn is_disjoint(&self, other: &Permissions) -> Answer {
        Closed(self.0.intersection(other)).is_empty()
    }

    /// As [`Permissions::is_equivalent`].
    pub fn is_equivalent(&self, other: &Permissions) -> Answer {
        self.is_subset(other).and_then(|| Closed(other.difference(&self.0)).is_empty())
    }

    /// The set itself: what takes sets by their permissions takes this too.
    #[must_use]
    pub fn permissions(&self) -> Closed {
        self.clone()
    }
}

/// The steps that all searches about a set may take together: as many as twenty questions.
const LIMIT: u64 = 80_000_000;

/// The actions of the catalogue, with their full names, by service.
pub(super) fn all() -> &'static [(Action, String)] {
    static ALL: OnceLock<Vec<(Action, String)>> = OnceLock::new();
    ALL.get_or_init(|| {
        let actions = catalogue::services().flat_map(catalogue::Service::actions);
        actions.map(|action| (action, action.to_string())).collect()
    })
}

/// Whether each action of the catalogue is one that a list of patterns is about.
pub(super) fn reached<'p>(
    negated: bool,
    patterns: impl IntoIterator<Item = (&'p str, &'p Pattern)>,
) -> Vec<bool> {
    let all = all();
    let mut reached = vec![negated; all.len()];
    let nothing = Context::new();
    for (text, pattern) in patterns {
        let service = text.split_once(':').map_or("*", |(service, _)| service).to_ascii_lowercase();
        let range = if service.contains('*') {
            0..all.len()
        } else {
            let prefix = |(action, _): &(Action, String)| action.service().prefix();
            all.partition_point(|one| prefix(one) < service.as_str())
                ..all.partition_point(|one| prefix(one) <= service.as_str())
        };
        let candidates = reached.get_mut(range.clone()).into_iter().flatten();
        for (is_reached, (_, name)) in candidates.zip(all.get(range).into_iter().flatten()) {
            if *is_reached == negated && pattern.matches(text, name, &nothing).assumed {
                *is_reached = !negated;
            }
        }
    }
    reached
}

/// The actions for which the set has requests, or may have.
fn answers(set: &Permissions) -> impl Iterator<Item = (Action, Answer)> + use<> {
    let mut asker = Asker {
        set: set.clone(),
        statements: Statements::of(&set.formula),
        budget: Budget::new(LIMIT),
        abouts: HashMap::new(),
        known: HashMap::new(),
    };
    (0..).zip(all()).filter_map(move |(at, (action, _))| {
        let answer = asker.ask(at, *action);
        (!answer.is_yes()).then_some((*action, answer))
    })
}

struct Asker {
    set: Permissions,
    statements: Statements,
    budget: Budget,
    /// What is left of the formula, by the statements that are about an action.
    abouts: HashMap<Vec<usize>, Rc<About>>,
    /// Whether nothing is in the set, by what actions have in common.
    known: HashMap<(Vec<usize>, Resources), Option<Unknown>>,
}

/// The set as far as it is about an action.
enum About {
    /// All of it is in the set.
    Everything,
    /// None of it is.
    Nothing,
    /// Some of it may be.
    Some {
        formula: Arc<Formula>,
        /// A request for one such action that is in the set, on whatever resource.
        example: Option<Request>,
    },
}

impl Asker {
    /// Whether the set has no request for an action.
    fn ask(&mut self, at: usize, action: Action) -> Answer {
        let numbers = self.statements.about(at);
        let about = match self.abouts.get(&numbers) {
            Some(about) => about.clone(),
            None => {
                let about = Rc::new(self.about(&numbers));
                self.abouts.insert(numbers.clone(), about.clone());
                about
            }
        };
        let (formula, example) = match &*about {
            About::Everything => (None, None),
            About::Nothing => return Answer::Yes,
            About::Some { formula, example } => (Some(formula), example.as_ref()),
        };
        if let Some(request) = self.guess(action, example) {
            return self.no(request);
        }
        let Some(formula) = formula else { return Answer::Yes };
        let key = (numbers, Resources::of(action));
        match self.known.get(&key) {
            Some(None) => return Answer::Yes,
            Some(Some(unknown)) => return Answer::Unknown(unknown.clone()),
            None => {}
        }
        let answer = self.search(formula, action);
        match &answer {
            Answer::No(_) => {}
            Answer::Unknown(unknown) => drop(self.known.insert(key, Some(unknown.clone()))),
            Answer::Yes => drop(self.known.insert(key, None)),
        }
        answer
    }

    fn about(&self, numbers: &[usize]) -> About {
        let formula = match reduce(&self.set.formula, &self.statements, numbers) {
            Simple::Always => return About::Everything,
            Simple::Never => return About::Nothing,
            Simple::Sometimes(formula) => formula,
        };
        // Whatever the action and the resource are: mostly there is nothing.
        let any = Permissions { formula: formula.clone(), plain: Arc::new(Plain::All(Vec::new())) };
        match question::is_empty_within(&any, &Universe::open(), &self.budget).into_found() {
            None => About::Nothing,
            Some(found) => About::Some { formula, example: found.ok() },
        }
    }

    /// A request on one of the action's own resources as one would write it, if it is in the set.
    fn guess(&self, action: Action, example: Option<&Request>) -> Option<Request> {
        let resources = readable::resources(action);
        let of_example =
            example.map(|request| request.resource.clone()).filter(|resource| is_own(action, resource));
        let contexts = [Some(Context::new()), example.map(|request| request.context.clone())];
        contexts.into_iter().flatten().find_map(|context| {
            let request = |resource: &String| Request {
                action: action.to_string(),
                resource: resource.clone(),
                context: context.clone(),
                ..question::somebody()
            };
            of_example.iter().chain(&resources).map(request).find(|request| self.set.contains(request))
        })
    }

    fn search(&self, formula: &Arc<Formula>, action: Action) -> Answer {
        let about = Permissions { formula: formula.clone(), plain: self.set.plain.clone() };
        let within = about.intersection(&own(action, &self.statements.named));
        let found = match question::is_empty_within(&within, &Universe::open(), &self.budget).into_found() {
            None => return Answer::Yes,
            Some(Err(unknown)) => return Answer::Unknown(unknown),
            Some(Ok(found)) => found,
        };
        let mut request = Request { action: action.to_string(), ..found };
        if !request.resource.starts_with("arn:") {
            NONE.clone_into(&mut request.resource);
        }
        let resource = &request.resource;
        if is_own(action, resource) && self.set.contains(&request) {
            return self.no(request);
        }
        let reason =
            format!("`{resource}` is no resource of `{action}`, and it is the only one that was looked at");
        Answer::Unknown(Doubt::new(reason, None).into())
    }

    fn no(&self, request: Request) -> Answer {
        Answer::No(Box::new(Counterexample::new(self.set.clone(), request)))
    }
}

fn is_own(action: Action, resource: &str) -> bool {
    if resource == NONE {
        return !action.resources().any(ActionResource::is_required);
    }
    action.resources().any(|on| on.resource_type().matches(resource))
}

/// What two actions have in common that act on the same resources.
#[derive(Eq, Hash, PartialEq)]
struct Resources {
    service: &'static str,
    types: Vec<&'static str>,
    is_one_required: bool,
}

impl Resources {
    fn of(action: Action) -> Resources {
        Resources {
            service: action.service().prefix(),
            types: action.resources().map(|on| on.resource_type().name()).collect(),
            is_one_required: action.resources().any(ActionResource::is_required),
        }
    }
}

/// The statements of a formula, and the actions that each is about.
struct Statements {
    numbers: HashMap<usize, usize>,
    reached: Vec<Vec<bool>>,
    /// The patterns of resources but `*`, a variable in them being whatever it may be.
    named: BTreeSet<String>,
}

impl Statements {
    fn of(formula: &Formula) -> Statements {
        let mut statements =
            Statements { numbers: HashMap::new(), reached: Vec::new(), named: BTreeSet::new() };
        statements.collect(formula);
        statements
    }

    fn collect(&mut self, formula: &Formula) {
        match formula {
            Formula::All(parts) | Formula::Any(parts) => parts.iter().for_each(|part| self.collect(part)),
            Formula::Matches(matches) => {
                let new = self.reached.len();
                if *self.numbers.entry(address(matches)).or_insert(new) == new {
                    let statement = matches.statement.statement();
                    let patterns = statement.action.items.iter().map(|item| (&*item.text, &item.matcher));
                    self.reached.push(reached(statement.action.negated, patterns));
                    let items = statement.resource.iter().flat_map(|clause| &clause.items);
                    self.named.extend(items.map(Item::with_stars).filter(|text| text != NONE));
                }
            }
            Formula::Not(part) => self.collect(part),
            Formula::Unknown(_) => {}
        }
    }

    /// The numbers of the statements that are about an action.
    fn about(&self, action: usize) -> Vec<usize> {
        let is_about = |reached: &Vec<bool>| reached.get(action) == Some(&true);
        (0..).zip(&self.reached).filter(|(_, reached)| is_about(reached)).map(|(number, _)| number).collect()
    }
}

fn address(matches: &Matches) -> usize {
    std::ptr::from_ref(matches).addr()
}

/// A formula about one action.
enum Simple {
    Always,
    Never,
    Sometimes(Arc<Formula>),
}

fn reduce(formula: &Arc<Formula>, statements: &Statements, about: &[usize]) -> Simple {
    let parts_of = |parts: &[Arc<Formula>], of_all: bool| {
        let mut left = Vec::new();
        for part in parts {
            match (reduce(part, statements, about), of_all) {
                (Simple::Always, false) => return Simple::Always,
                (Simple::Never, true) => return Simple::Never,
                (Simple::Always, true) | (Simple::Never, false) => {}
                (Simple::Sometimes(part), _) => left.push(part),
            }
        }
        match (left.len(), of_all) {
            (0, true) => Simple::Always,
            (0, false) => Simple::Never,
            (_, true) => Simple::Sometimes(Arc::new(Formula::All(left))),
            (_, false) => Simple::Sometimes(Arc::new(Formula::Any(left))),
        }
    };
    match &**formula {
        Formula::All(parts) => parts_of(parts, true),
        Formula::Any(parts) => parts_of(parts, false),
        Formula::Matches(matches) => {
            let statement = matches.statement.statement();
            let is_everything = |clause: &Clause<Pattern>| {
                !clause.negated && clause.items.iter().any(|item| &*item.text == "*")
            };
            match statements.numbers.get(&address(matches)) {
                Some(number) if !about.contains(number) => Simple::Never,
                _ if statement.conditions.is_empty()
                    && statement.resource.as_ref().is_none_or(is_everything) =>
                {
                    Simple::Always
                }
                _ => Simple::Sometimes(formula.clone()),
            }
        }
        Formula::Not(part) => match reduce(part, statements, about) {
            Simple::Always => Simple::Never,
            Simple::Never => Simple::Always,
            Simple::Sometimes(part) => Simple::Sometimes(Arc::new(Formula::Not(part))),
        },
        Formula::Unknown(_) => Simple::Sometimes(formula.clone()),
    }
}

/// The requests for an action on resources of its own types, or on none where it needs none.
fn own(action: Action, named: &BTreeSet<String>) -> Permissions {
    let types: Vec<ResourceType> = action.resources().map(ActionResource::resource_type).collect();
    let mut resources = Vec::new();
    let mut excluded = Vec::new();
    let mut apart = Permissions::nothing();
    for of in &types {
        let formats: Vec<String> =
            of.arn_formats().flat_map(|format| patterns(format, action, named)).collect();
        let beyond: Vec<String> = of.beyond().collect();
        // What is beyond a bucket is an object.
        let is_of_another = |text: &String| types.iter().any(|other| other != of && other.matches(text));
        if beyond.iter().any(is_of_another) {
            apart = apart.union(&allowed(action, &formats, &beyond));
        } else {
            resources.extend(formats);
            excluded.extend(beyond);
        }
    }
    if !resources.is_empty() {
        apart = apart.union(&allowed(action, &resources, &excluded));
    }
    if !action.resources().any(ActionResource::is_required) {
        apart = apart.union(&unnamed(action, named));
    }
    apart
}

/// What stands in a request for an action that has no resource.
const NONE: &str = "*";

/// The requests for an action on what none of the policies names: to them all of it is alike, and [`NONE`] is of it.
fn unnamed(action: Action, named: &BTreeSet<String>) -> Permissions {
    if named.is_empty() {
        return statements(&format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"*"}}"#));
    }
    let mut text = format!(r#"{{"Effect":"Allow","Action":"{action}","NotResource":"#);
    sequence(&mut text, '[', &Vec::from_iter(named), ']', |text, resource| write_string(text, resource));
    statements(&(text + "}"))
}

/// A format of ARNs as patterns. Resources of AWS itself are in a region, and of no account.
fn patterns(format: &str, action: Action, named: &BTreeSet<String>) -> Vec<String> {
    let account = if format.contains("${Region}") { "*" } else { "?*" };
    let pattern =
        |format: &str| readable::fill(format, |name| if name == "Account" { account } else { "?*" });
    // A recovery point is of whatever service; those that no policy names are alike, and AWS takes no pattern for them.
    let parts: Vec<&str> = format.splitn(4, ':').collect();
    let [arn, partition, service, rest] = parts.as_slice() else { return vec![pattern(format)] };
    if !service.starts_with("${") {
        return vec![pattern(format)];
    }
    let of_policies = named.iter().filter_map(|text| text.split(':').nth(2));
    let services: BTreeSet<&str> = of_policies.chain([action.service().prefix()]).collect();
    services.into_iter().map(|service| pattern(&format!("{arn}:{partition}:{service}:{rest}"))).collect()
}

/// The requests for an action on some resources but others.
fn allowed(action: Action, resources: &[String], but: &[String]) -> Permissions {
    let statement = |(effect, resources): (&str, &[String])| {
        let mut text = format!(r#"{{"Effect":"{effect}","Action":"{action}","Resource":"#);
        sequence(&mut text, '[', resources, ']', |text, resource| write_string(text, resource));
        text + "}"
    };
    let both =
        [("Allow", resources), ("Deny", but)].into_iter().filter(|(_, resources)| !resources.is_empty());
    statements(&both.map(statement).collect::<Vec<_>>().join(","))
}

fn statements(statements: &str) -> Permissions {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    // What the catalogue has is in order; a test parses all of it.
    Policy::parse(text, PolicyKind::Identity)
        .map_or_else(|_| Permissions::nothing(), |policy| policy.permissions())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(statements: &str) -> Permissions {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        Policy::parse(text, PolicyKind::Identity)
            .unwrap_or_else(|problems| panic!("{problems}"))
            .permissions()
    }

    fn names(set: &Permissions) -> Vec<String> {
        set.actions().iter().map(|(action, _)| action.to_string()).collect()
    }

    #[test]
    fn every_action_is_on_resources_of_its_own() {
        for (action, _) in all() {
            assert!(!own(*action, &BTreeSet::new()).formula.is_nothing(), "{action}");
        }
    }

    #[test]
    fn an_action_counts_on_resources_of_its_own_types_only() {
        let on = |actions: &str, resource: &str| {
            set(&format!(r#"{{"Effect":"Allow","Action":{actions},"Resource":"arn:aws:s3:::{resource}"}}"#))
        };
        let both = r#"["s3:GetObject","s3:ListBucket"]"#;
        assert_eq!(names(&on(both, "b/*")), ["s3:GetObject"]);
        assert_eq!(names(&on(both, "b")), ["s3:ListBucket"]);
        assert_eq!(names(&on(both, "b*")), ["s3:GetObject", "s3:ListBucket"]);
        assert_eq!(names(&on(r#""s3:ListAllMyBuckets""#, "b*")), [""; 0]);
        assert!(on(both, "b/*").actions().iter().all(|(_, answer)| answer.is_no()));
    }

    #[test]
    fn what_conditions_and_denials_leave_is_listed_with_a_request() {
        let set = set(r#"{"Effect":"Allow","Action":"sqs:*Message","Resource":"*"},
            {"Effect":"Deny","Action":"sqs:SendMessage","NotResource":"arn:aws:sqs:*:*:orders"},
            {"Effect":"Deny","Action":"sqs:DeleteMessage","Resource":"*"}"#);
        let actions = set.closed().actions();
        let requests: Vec<String> = actions
            .iter()
            .map(|(_, answer)| answer.counterexample().map(|found| found.request().resource.clone()).unwrap())
            .collect();
        assert_eq!(requests.len(), 2, "{requests:?}");
        assert!(requests[1].ends_with(":orders"), "{requests:?}");
    }

    #[test]
    fn what_only_tomorrows_actions_tell_apart_is_the_same_here() {
        let wide = set(r#"{"Effect":"Allow","Action":"sqs:Send*","Resource":"*"}"#);
        let narrow = set(r#"{"Effect":"Allow","Action":"sqs:SendMessage*","Resource":"*"}"#);
        assert!(wide.is_subset(&narrow).is_no());
        assert!(wide.closed().is_subset(&narrow).is_yes());
        assert!(wide.closed().is_equivalent(&narrow).is_yes());
        assert!(wide.closed().is_disjoint(&narrow).is_no());
        let none = set(r#"{"Effect":"Allow","Action":"sqs:SendNothing","Resource":"*"}"#);
        assert!(none.closed().is_empty().is_yes() && none.is_empty().is_no());
    }

    #[test]
    fn the_whole_catalogue_is_listed_at_once() {
        let everything = Permissions::everything();
        assert_eq!(everything.actions().len(), all().len());
    }
}
