//! The closed world: actions of the catalogue on resources of their own types.
//!
//! ```text
//! action ─▶ the statements that are about it ─┬─ tell that all of its requests are in the set, or none
//!                                             └─ else, for all actions alike: is there a request on whatever resource?
//!                                                  └─ a resource of its own as one would write it, or a search for one
//! ```

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use super::answer::{Answer, Counterexample};
use super::budget::Budget;
use super::formula::{Formula, Members};
use super::term::Reach;
use super::unknown::Doubt;
use super::{Permissions, parts, question, readable};
use crate::catalogue::{self, Action, ActionResource, ResourceType};
use crate::context::Context;
use crate::document::{Clause, Item, Policy, PolicyKind, Reading, sequence};
use crate::evaluate::Request;
use crate::json::write_string;
use crate::order;
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
        let mut all = Vec::new();
        for service in catalogue::services() {
            all.extend(service.actions().map(|action| (action, action.to_string())));
        }
        all
    })
}

/// The actions for which the set has requests, or may have.
fn answers(set: &Permissions) -> impl Iterator<Item = (Action, Answer)> + use<> {
    let mut asker = Asker::new(set.clone());
    all().iter().filter_map(move |(action, name)| {
        let answer = asker.ask(*action, name);
        (!answer.is_yes()).then_some((*action, answer))
    })
}

struct Asker {
    set: Permissions,
    /// The patterns of resources of the policies but `*`, each once, a variable in them being whatever it may be.
    named: Vec<String>,
    budget: Budget,
    /// What the set has of actions that the same statements are about.
    abouts: HashMap<Members, Rc<About>>,
    /// What was searched for, by what actions have in common.
    known: HashMap<(Members, Resources), Answer>,
}

/// The set as far as it is about an action.
enum About {
    /// All of it is in the set.
    Everything,
    /// None of it is.
    Nothing,
    /// Some of it may be, such as this request on whatever resource.
    Some(Option<Request>),
}

impl Asker {
    fn new(set: Permissions) -> Asker {
        let mut named: Vec<String> = Vec::new();
        let mut policies = Vec::new();
        set.formula.policies(&mut policies);
        for policies in policies {
            for matches in &policies.statements {
                if let Some(clause) = &matches.statement.statement().resource {
                    named.extend(clause.items.iter().map(Item::with_stars).filter(|text| text != NONE));
                }
            }
        }
        order::sort_by(&mut named, Ord::cmp);
        named.dedup();
        let budget = Budget::new(LIMIT);
        Asker { set, named, budget, abouts: HashMap::new(), known: HashMap::new() }
    }

    /// Whether the set has no request for an action.
    fn ask(&mut self, action: Action, name: &str) -> Answer {
        let members = question::members(&self.set, name);
        let known = self.abouts.get(&members).cloned();
        let about = known.unwrap_or_else(|| {
            let about = Rc::new(self.about(name, &members));
            self.abouts.insert(members.clone(), about.clone());
            about
        });
        let example = match &*about {
            About::Everything => None,
            About::Nothing => return Answer::Yes,
            About::Some(example) => example.as_ref(),
        };
        let guess = self.guess(action, example);
        if let Some(request) = guess.clone().filter(|request| self.has_within_parts(&members, request)) {
            return self.no(request, false);
        }
        let key = (members, Resources::of(action));
        if let Some(answer) = self.known.get(&key).and_then(|known| self.again(action, known)) {
            return answer;
        }
        let answer = self.search(action, name, &key.0, guess);
        self.known.insert(key, answer.clone());
        answer
    }

    /// What is known of another action that has all in common with this one.
    fn again(&self, action: Action, known: &Answer) -> Option<Answer> {
        let Some(found) = known.counterexample() else { return Some(known.clone()) };
        let request = Request { action: action.to_string(), ..found.request().clone() };
        let is_one = is_own(action, &request.resource) && self.set.contains(&request);
        is_one.then(|| self.no(request, found.crosses_colons()))
    }

    /// Whether the set has a request where no `*` of its policies reaches over a colon.
    fn has_within_parts(&self, members: &Members, request: &Request) -> bool {
        parts::has(&self.set.formula, members, request)
    }

    fn about(&self, name: &str, members: &Members) -> About {
        match settled(&self.set.formula, members) {
            Some(true) => return About::Everything,
            Some(false) => return About::Nothing,
            None => {}
        }
        // Whatever the resource is: mostly there is nothing.
        match question::is_empty_for(&self.set, name, Reach::Anything, &self.budget).into_found() {
            None => About::Nothing,
            Some(found) => About::Some(found.ok()),
        }
    }

    /// A request on one of the action's own resources as one would write it, if it is in the set.
    fn guess(&self, action: Action, example: Option<&Request>) -> Option<Request> {
        // More are not tried.
        const MOST: usize = 100;
        let mut resources = readable::resources(action);
        let mut of_policies = Vec::new();
        for pattern in &self.named {
            let alike = resources.iter().filter_map(|resource| readable::like(pattern, resource));
            of_policies.extend(alike.filter(|resource| is_own(action, resource)));
            if of_policies.len() >= MOST {
                break;
            }
        }
        of_policies.truncate(MOST);
        resources.extend(of_policies);
        let mut contexts = vec![Context::new()];
        if let Some(request) = example {
            resources.extend(Some(request.resource.clone()).filter(|resource| is_own(action, resource)));
            contexts.push(request.context.clone());
        }
        for context in contexts {
            for resource in &resources {
                let request = Request {
                    action: action.to_string(),
                    resource: resource.clone(),
                    context: context.clone(),
                    ..question::somebody()
                };
                if self.set.contains(&request) {
                    return Some(request);
                }
            }
        }
        None
    }

    /// Searches for a request, if it can be for one that needs no `*` to reach over a colon.
    fn search(&self, action: Action, name: &str, members: &Members, guess: Option<Request>) -> Answer {
        let within = self.set.intersection(&own(action, &self.named));
        let find = |reach| question::is_empty_for(&within, name, reach, &self.budget).into_found();
        let request = |found: Request| {
            let is_arn = found.resource.starts_with("arn:");
            let resource = if is_arn { found.resource } else { NONE.to_owned() };
            Request { action: name.to_owned(), resource, ..found }
        };
        let is_one = |request: &Request| is_own(action, &request.resource) && self.set.contains(request);
        let found = match guess {
            Some(guess) => guess,
            None => match find(Reach::Anything) {
                None => return Answer::Yes,
                Some(Err(unknown)) => return Answer::Unknown(unknown),
                Some(Ok(found)) => request(found),
            },
        };
        if !is_one(&found) {
            let strange = found.resource;
            let reason = format!(
                "`{strange}` is no resource of `{action}`, and it is the only one that was looked at"
            );
            return Answer::Unknown(Doubt::new(reason, None).into());
        }
        if self.has_within_parts(members, &found) {
            return self.no(found, false);
        }
        match find(Reach::Part) {
            None => self.no(found, true),
            Some(other) => {
                let other = other.ok().map(request).filter(is_one);
                self.no(other.unwrap_or(found), false)
            }
        }
    }

    fn no(&self, request: Request, crosses: bool) -> Answer {
        Answer::No(Box::new(Counterexample::known(self.set.clone(), request, crosses)))
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

/// Whether all requests for an action are in a formula, or none, as far as the actions of statements tell.
fn settled(formula: &Formula, members: &Members) -> Option<bool> {
    let all = |parts: &[Arc<Formula>], holds: bool| {
        let mut is_settled = true;
        for part in parts {
            match settled(part, members) {
                Some(settled) if settled != holds => return Some(!holds),
                Some(_) => {}
                None => is_settled = false,
            }
        }
        is_settled.then_some(holds)
    };
    match formula {
        Formula::All(parts) => all(parts, true),
        Formula::Any(parts) => all(parts, false),
        Formula::Matches(matches) if !members.has(matches) => Some(false),
        Formula::Matches(matches) => {
            let statement = matches.statement.statement();
            let is_everything = |clause: &Clause<Pattern>| {
                !clause.negated && clause.items.iter().any(|item| &*item.text == NONE)
            };
            let is_open =
                statement.conditions.is_empty() && statement.resource.as_ref().is_none_or(is_everything);
            is_open.then_some(true)
        }
        Formula::Not(part) => settled(part, members).map(|settled| !settled),
        Formula::Policies(policies) => settled(&policies.allowed, members),
        Formula::Unknown(_) => None,
    }
}

/// The requests for an action on resources of its own types, or on none where it needs none.
fn own(action: Action, named: &[String]) -> Permissions {
    let types: Vec<ResourceType> = action.resources().map(ActionResource::resource_type).collect();
    let mut resources = Vec::new();
    let mut excluded = Vec::new();
    let mut apart = Permissions::nothing();
    for of in &types {
        let mut formats = Vec::new();
        for format in of.arn_formats() {
            formats.extend(patterns(format, action, named));
        }
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
fn unnamed(action: Action, named: &[String]) -> Permissions {
    if named.is_empty() {
        return statements(
            &format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"*"}}"#),
            Reading::Plain,
        );
    }
    let mut text = format!(r#"{{"Effect":"Allow","Action":"{action}","NotResource":"#);
    sequence(&mut text, '[', named, ']', |text, resource| write_string(text, resource));
    statements(&(text + "}"), Reading::Plain)
}

/// A format of ARNs as patterns. Resources of AWS itself are in a region, and of no account.
fn patterns(format: &str, action: Action, named: &[String]) -> Vec<String> {
    let account = if format.contains("${Region}") { "*" } else { "?*" };
    let pattern =
        |format: &str| readable::fill(format, |name| if name == "Account" { account } else { "?*" });
    // A recovery point is of whatever service; those that no policy names are alike, and AWS takes no pattern for them.
    let parts: Vec<&str> = format.splitn(4, ':').collect();
    let [arn, partition, service, rest] = parts.as_slice() else { return vec![pattern(format)] };
    if !service.starts_with("${") {
        return vec![pattern(format)];
    }
    let mut services = vec![action.service().prefix()];
    for text in named {
        text.split(':').nth(2).into_iter().for_each(|service| order::add(&mut services, service));
    }
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
    statements(&both.map(statement).collect::<Vec<_>>().join(","), Reading::Formats)
}

fn statements(statements: &str, reading: Reading) -> Permissions {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    // What the catalogue has is in order; a test parses all of it.
    Policy::read(text.into(), PolicyKind::Identity, reading)
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
            assert!(!own(*action, &[]).formula.is_nothing(), "{action}");
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
    fn a_format_is_matched_part_by_part() {
        // None but objects: of all others a part before the resource would have to hold a colon.
        let set = set(r#"{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::reports/*"}"#);
        let actions = set.actions();
        assert!(actions.len() > 10 && actions.iter().all(|(_, answer)| answer.is_no()), "{actions:?}");
        for (action, _) in &actions {
            let mut types = action.resources().map(|on| on.resource_type().name());
            assert!(types.any(|name| name == "object"), "{action}");
        }
    }

    #[test]
    fn an_action_that_needs_a_star_beyond_a_colon_is_told_apart() {
        let set = set(r#"{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:DescribeBackup"],
            "Resource":"arn:aws:dynamodb:*:*:table/orders"}"#);
        let crosses = |(action, answer): (Action, Answer)| {
            (action.name(), answer.counterexample().map(Counterexample::crosses_colons))
        };
        let told: Vec<_> = set.actions().into_iter().map(crosses).collect();
        assert_eq!(told, [("DescribeBackup", Some(true)), ("GetItem", Some(false))]);
        // A real ARN, but the policy has forgotten a part of it.
        let glue = self::set(
            r#"{"Effect":"Allow","Action":"logs:CreateLogGroup","Resource":"arn:aws:logs:*:*:/aws-glue/*"},
            {"Effect":"Deny","Action":"*","Resource":"arn:aws:logs:*:*:log-group:/aws-glue/a*"}"#,
        );
        let actions = glue.actions();
        let found = actions[0].1.counterexample().unwrap_or_else(|| panic!("{actions:?}"));
        assert!(found.crosses_colons() && found.to_string().contains("beyond a colon"), "{found}");
    }

    #[test]
    fn a_format_has_less_than_a_policy_of_the_same_words() {
        let both = |resource: &str| {
            let text = format!(
                r#"{{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:{resource}"}}"#
            );
            [Reading::Formats, Reading::Plain].map(|reading| statements(&text, reading))
        };
        let [format, policy] = both("*:*:orders");
        assert!(format.is_subset(&policy).is_yes());
        let found = policy.is_subset(&format);
        let found = found.counterexample().unwrap_or_else(|| panic!("{found:?}"));
        assert!(policy.contains(found.request()) && !format.contains(found.request()), "{found}");
        // What a variable stands for may have colons.
        let [format, _] = both("*:123456789012:orders");
        let [_, policy] = both("${aws:username}:123456789012:orders");
        assert!(!policy.is_subset(&format).is_yes());
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
    fn a_request_is_one_that_somebody_could_make() {
        let queue = "arn:aws:sqs:*:*:orders-*";
        let by = r#"{"StringEquals":{"aws:PrincipalTag/team":["a","b"]}}"#;
        let set = set(&format!(
            r#"{{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"{queue}","Condition":{by}}}"#
        ));
        let actions = set.actions();
        let request = actions[0].1.counterexample().unwrap().request();
        assert_eq!(request.resource, "arn:aws:sqs:us-east-1:123456789012:orders-example");
        assert_eq!(request.context.lookup("aws:PrincipalTag/team"), Some(&["a".to_owned()][..]));
    }

    #[test]
    fn a_star_that_reaches_over_colons_hides_no_resource() {
        // The shortest ARN that the two leave has its region in another part, and is no queue.
        let set =
            set(r#"{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:*:*:orders-*"},
               {"Effect":"Deny","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:us-east-1:*:*"}"#);
        let actions = set.actions();
        let found = actions[0].1.counterexample().unwrap_or_else(|| panic!("{actions:?}"));
        let parts: Vec<&str> = found.request().resource.split(':').collect();
        assert_eq!((parts.len(), parts[3] != "us-east-1"), (6, true), "{parts:?}");
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
