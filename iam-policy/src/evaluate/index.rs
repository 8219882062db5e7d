//! Finds the statements that are about a request's action and resource without asking each of them.
//!
//! A policy with few action patterns knows the services that they are of, so that most policies which have nothing to say
//! are passed over at a glance. One with many looks up the starts of its action patterns, and where very many statements are
//! about the same action, those of their resources. A long list of policies does so with the statements of all of them.

use std::sync::OnceLock;

use super::Request;
use super::starts::Starts;
use crate::context::Context;
use crate::document::Statement;
use crate::pattern::Shape;

/// As many patterns, or policies, are sooner asked one by one than looked up.
pub(super) const FEW: usize = 32;

/// What a request is about, as statements are looked up by it.
#[derive(Clone, Copy)]
pub(crate) struct Topic<'r> {
    action: &'r str,
    resource: &'r str,
    services: Services,
}

/// What a policy knows about the topics of its statements.
pub(crate) enum Topics {
    Few(Services),
    /// Made when it is first asked: not every policy that is parsed decides.
    Many(OnceLock<Index>),
}

/// A set of services, in which a service may seem to be that is not.
#[derive(Clone, Copy)]
pub(crate) struct Services(u64);

impl<'r> Topic<'r> {
    pub(crate) fn of(request: &'r Request) -> Topic<'r> {
        Topic::new(&request.action, &request.resource)
    }

    pub(super) fn new(action: &'r str, resource: &'r str) -> Topic<'r> {
        Topic { action, resource, services: Services::of_action(action) }
    }
}

impl Topics {
    pub(crate) fn new(statements: &[Statement]) -> Topics {
        let patterns: usize = statements.iter().map(|statement| statement.action.items.len()).sum();
        if patterns > FEW {
            return Topics::Many(OnceLock::new());
        }
        Topics::Few(Services(statements.iter().fold(0, |all, statement| all | Services::of(statement).0)))
    }

    /// Visits all statements about the action, but for some that are not about the resource, in their order.
    pub(crate) fn visit<'s>(
        &self,
        statements: &'s [Statement],
        topic: Topic<'_>,
        mut visit: impl FnMut(usize, &'s Statement),
    ) {
        match self {
            Topics::Few(services) if !services.meet(topic.services) => {}
            Topics::Few(_) => {
                let about = |(_, statement): &(usize, &Statement)| statement.is_about(topic.action);
                statements
                    .iter()
                    .enumerate()
                    .filter(about)
                    .for_each(|(number, statement)| visit(number, statement));
            }
            Topics::Many(index) => {
                let at = |number: u32| statements.get(number as usize);
                let index = index.get_or_init(|| Index::new(&at));
                for number in index.about(&at, topic) {
                    if let Some(statement) = at(number) {
                        visit(number as usize, statement);
                    }
                }
            }
        }
    }
}

impl Statement {
    /// Whether the statement's `Action` or `NotAction` is about an action.
    pub(crate) fn is_about(&self, action: &str) -> bool {
        // An action has no variables.
        let context = Context::new();
        self.action.items.iter().any(|item| item.matches(action, &context).assumed) != self.action.negated
    }
}

impl Services {
    const ALL: Services = Services(u64::MAX);

    /// The service of an action; of one that names none, whichever a policy is about, so that each statement is asked.
    fn of_action(action: &str) -> Services {
        action.split_once(':').map_or(Services::ALL, |(prefix, _)| Services::one(prefix))
    }

    fn of(statement: &Statement) -> Services {
        if statement.action.negated {
            return Services::ALL;
        }
        let services = statement.action.items.iter().map(|item| match item.shape() {
            Shape::Exact(start) | Shape::Other(start) | Shape::Start(start) => {
                start.split_once(':').map_or(Services::ALL, |(prefix, _)| Services::one(prefix))
            }
        });
        Services(services.fold(0, |all, service| all | service.0))
    }

    fn one(prefix: &str) -> Services {
        let hash = prefix.bytes().fold(0_u32, |hash, byte| {
            (hash ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x9E37_79B1)
        });
        Services(1 << (hash >> 26))
    }

    fn meet(self, other: Services) -> bool {
        self.0 & other.0 != 0
    }
}

/// A statement by its number, as whoever makes an index and asks it tells it.
pub(super) type At<'a, 's> = &'a dyn Fn(u32) -> Option<&'s Statement>;

/// Statements by their numbers, from 0.
pub(crate) struct Index {
    /// In lower case.
    actions: Starts,
    /// The statements with `NotAction`.
    negated: Vec<u32>,
    /// Made when it is first worth asking.
    resources: OnceLock<Starts>,
}

impl Index {
    pub(super) fn new(at: At<'_, '_>) -> Index {
        let (mut actions, mut negated) = (Vec::new(), Vec::new());
        for (number, statement) in numbered(at) {
            for (item, pattern) in (0..).zip(&statement.action.items) {
                actions.push((number, item, pattern.shape()));
            }
            if statement.action.negated {
                negated.push(number);
            }
        }
        Index { actions: Starts::new(actions, true), negated, resources: OnceLock::new() }
    }

    /// All statements about the action, but for some that are not about the resource, in their order.
    pub(super) fn about(&self, at: At<'_, '_>, topic: Topic<'_>) -> Vec<u32> {
        let action = topic.action.to_ascii_lowercase();
        let candidates = self.actions.candidates(&action);
        let count = candidates.count() + self.negated.len();
        if count > FEW
            && let Some(fewer) = self.about_by_resource(at, topic, count)
        {
            return fewer;
        }
        let named = candidates.matching(|statement, item| {
            let item = at(statement).and_then(|statement| statement.action.items.get(item as usize));
            item.is_some_and(|item| item.matches(topic.action, &Context::new()).assumed)
        });
        if self.negated.is_empty() { named } else { self.turn_negated(&named) }
    }

    /// The statements about the action of those about the resource, if fewer patterns are to be asked for them.
    fn about_by_resource(&self, at: At<'_, '_>, topic: Topic<'_>, count: usize) -> Option<Vec<u32>> {
        let resources = self.resources.get_or_init(|| {
            let mut resources = Vec::new();
            for (number, statement) in numbered(at) {
                match &statement.resource {
                    Some(named) if !named.negated => {
                        for (item, pattern) in (0..).zip(&named.items) {
                            resources.push((number, item, pattern.shape()));
                        }
                    }
                    // It may be about every one.
                    _ => resources.push((number, 0, Shape::Start(""))),
                }
            }
            Starts::new(resources, false)
        });
        let candidates = resources.candidates(topic.resource);
        if candidates.count() >= count {
            return None;
        }
        // Whether a statement is wholly about the resource, it is asked later.
        let mut on_resource = candidates.matching(|_, _| true);
        let statements = on_resource.iter().filter_map(|number| at(*number));
        if statements.map(|statement| statement.action.items.len()).sum::<usize>() >= count {
            return None;
        }
        on_resource.retain(|number| at(*number).is_some_and(|statement| statement.is_about(topic.action)));
        Some(on_resource)
    }

    /// A statement with `NotAction` is about the actions that it does not name.
    fn turn_negated(&self, named: &[u32]) -> Vec<u32> {
        let mut about = Vec::with_capacity(named.len() + self.negated.len());
        for (some, others) in [(named, &*self.negated), (&self.negated, named)] {
            about.extend(some.iter().filter(|number| others.binary_search(number).is_err()));
        }
        about.sort_unstable();
        about
    }
}

/// All statements, with their numbers.
fn numbered<'s>(at: At<'_, 's>) -> impl Iterator<Item = (u32, &'s Statement)> {
    (0..).map_while(move |number| Some((number, at(number)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Policy, PolicyKind};

    fn policy(actions: &[&str]) -> Policy {
        let statements: Vec<String> = actions
            .iter()
            .map(|action| match action.strip_prefix('!') {
                None => format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"*"}}"#),
                Some(action) => format!(r#"{{"Effect":"Allow","NotAction":"{action}","Resource":"*"}}"#),
            })
            .collect();
        let text = format!(r#"{{"Statement":[{}]}}"#, statements.join(","));
        Policy::parse(text, PolicyKind::Identity).unwrap()
    }

    #[test]
    fn an_index_finds_every_pattern_that_names_an_action_and_no_other() {
        let actions = [
            "s3:GetObject",
            "s3:Get*",
            "*",
            "!s3:GetObject*",
            "s3:GetObject*",
            "S3:getobject",
            "s3:GetObjectAcl",
            "s3:*Object",
            "s3:G?tObject",
            "s3:GetBucket*",
            "sqs:*",
            "!sqs:*",
        ];
        let policy = policy(&actions);
        let index = Index::new(&|number| policy.statements().get(number as usize));
        for (action, expected) in [
            ("s3:GetObject", vec![0, 1, 2, 4, 5, 7, 8, 11]),
            ("S3:GETOBJECTACL", vec![1, 2, 4, 6, 11]),
            ("s3:GetBucketPolicy", vec![1, 2, 3, 9, 11]),
            ("s3:", vec![2, 3, 11]),
            ("sqs:SendMessage", vec![2, 3, 10]),
            ("a", vec![2, 3, 11]),
            ("z", vec![2, 3, 11]),
            ("", vec![2, 3, 11]),
        ] {
            assert_eq!(
                index.about(&|number| policy.statements().get(number as usize), Topic::new(action, "*")),
                expected,
                "{action}"
            );
        }
    }

    #[test]
    fn statements_about_one_action_are_found_by_their_resources() {
        let on = |element: &str, resource: &str| {
            format!(r#"{{"Effect":"Allow","Action":"s3:GetObject","{element}":"{resource}"}}"#)
        };
        let mut statements: Vec<String> =
            (0..1_000).map(|number| on("Resource", &format!("arn:aws:s3:::bucket-{number}/*"))).collect();
        statements.extend([
            on("Resource", "*"),
            on("NotResource", "arn:aws:s3:::bucket-7/*"),
            on("Resource", "arn:aws:s3:::${aws:username}/*"),
            on("Resource", "arn:aws:s3:::bucket-?/x"),
            on("Resource", "arn:aws:s3:::bucket-7/x"),
            on("Resource", "arn:aws:s3:::bucket-7/xy"),
            on("Resource", "arn:aws:s3:::BUCKET-7/*"),
            on("Resource", "arn:aws:s3:::bucket-7/*").replace("GetObject", "PutObject"),
        ]);
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
        let policy = Policy::parse(text, PolicyKind::Identity).unwrap();
        let visited = |action: &str| {
            let mut visited = Vec::new();
            let topic = Topic::new(action, "arn:aws:s3:::bucket-7/x");
            policy.visit_statements_about(topic, |number, _| visited.push(number));
            visited
        };
        assert_eq!(visited("s3:getobject"), [7, 1_000, 1_001, 1_002, 1_003, 1_004]);
        assert_eq!(visited("s3:PutObject"), [1_007]);
        assert_eq!(visited("s3:GetObjectAcl"), [0; 0]);
    }

    #[test]
    fn a_small_policy_is_passed_over_for_the_actions_of_other_services() {
        let services = |actions: &[&str]| match Topics::new(policy(actions).statements()) {
            Topics::Few(services) => services,
            Topics::Many(_) => unreachable!("few patterns"),
        };
        assert!(services(&["S3:Get*", "sqs:SendMessage"]).meet(Services::of_action("s3:PutObject")));
        assert!(!services(&["s3:Get*"]).meet(Services::of_action("sqs:SendMessage")));
        for everything in ["*", "*:*", "!s3:*"] {
            assert!(
                services(&["s3:Get*", everything]).meet(Services::of_action("sqs:SendMessage")),
                "{everything}"
            );
        }
    }

    #[test]
    fn an_action_without_a_service_is_asked_of_small_policies_as_of_large_ones() {
        let statements = ["*", "!sqs:*", "s3:Get*"];
        let visited = |policy: &Policy| {
            let mut visited = Vec::new();
            policy.visit_statements_about(Topic::new("a", "*"), |number, _| visited.push(number));
            visited
        };
        assert_eq!(visited(&policy(&statements)), [0, 1]);
        let many: Vec<&str> = statements.into_iter().chain(std::iter::repeat_n("s3:Get*", FEW)).collect();
        assert_eq!(visited(&policy(&many)), [0, 1]);
    }
}
