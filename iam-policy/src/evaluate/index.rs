//! Finds the statements that are about an action without asking each of them.
//!
//! A policy with few action patterns knows the services that they are of, so that most policies which have nothing to say
//! are passed over at a glance. One with many has the literal starts of its patterns, in lower case and in order, with a link
//! from each to the longest other one that it begins with:
//!
//! ```text
//! ""  ◀── "s3:get" ◀── "s3:getobject"        patterns `*`, `s3:Get*`, `s3:GetObject`
//!     ◀── "s3:list"                          pattern `s3:List*`
//! ```
//!
//! Whatever an action begins with is the last start that is not behind it in this order, or one that the links lead to from
//! there: between a start of a text and the text itself there are only texts with that start.

use std::sync::OnceLock;

use crate::context::Context;
use crate::document::Statement;
use crate::pattern::Shape;

/// As many action patterns are sooner asked one by one than looked up.
const FEW: usize = 32;

/// What a policy knows about the actions of its statements.
pub(crate) enum Actions {
    Few(Services),
    /// Made when it is first asked: not every policy that is parsed decides.
    Many(OnceLock<ActionIndex>),
}

/// A set of services, in which a service may seem to be that is not.
#[derive(Clone, Copy)]
pub(crate) struct Services(u64);

impl Actions {
    pub(crate) fn new(statements: &[Statement]) -> Actions {
        let patterns: usize = statements.iter().map(|statement| statement.action.items.len()).sum();
        if patterns > FEW {
            return Actions::Many(OnceLock::new());
        }
        Actions::Few(Services(statements.iter().fold(0, |all, statement| all | Services::of(statement).0)))
    }

    /// Visits the statements about an action, in their order.
    pub(crate) fn visit<'s>(
        &self,
        statements: &'s [Statement],
        action: &str,
        service: Services,
        mut visit: impl FnMut(usize, &'s Statement),
    ) {
        match self {
            Actions::Few(services) if !services.meet(service) => {}
            Actions::Few(_) => {
                let about = |(_, statement): &(usize, &Statement)| statement.is_about(action);
                statements
                    .iter()
                    .enumerate()
                    .filter(about)
                    .for_each(|(number, statement)| visit(number, statement));
            }
            Actions::Many(index) => {
                let index = index.get_or_init(|| ActionIndex::new(statements));
                for number in index.statements(statements, action) {
                    let number = number as usize;
                    if let Some(statement) = statements.get(number) {
                        visit(number, statement);
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
    pub(crate) fn of_action(action: &str) -> Services {
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

pub(crate) struct ActionIndex {
    /// INVARIANT: sorted by `start`, each of which is there once.
    nodes: Vec<Node>,
    /// Of all nodes, one after the other.
    entries: Vec<Entry>,
    /// The statements with `NotAction`.
    negated: Vec<u32>,
}

struct Node {
    start: Box<str>,
    /// The node with the longest start that this start begins with.
    shorter: Option<u32>,
    entries: std::ops::Range<u32>,
}

/// A pattern with the node's start.
#[derive(Clone, Copy)]
struct Entry {
    statement: u32,
    rest: Rest,
}

/// What follows the start.
#[derive(Clone, Copy)]
enum Rest {
    Anything,
    Nothing,
    /// What the statement's action pattern of this number says.
    Pattern(u32),
}

impl ActionIndex {
    pub(crate) fn new(statements: &[Statement]) -> ActionIndex {
        let mut starts: Vec<(Box<str>, Entry)> = Vec::new();
        let mut negated = Vec::new();
        for (number, statement) in (0..).zip(statements) {
            if statement.action.negated {
                negated.push(number);
            }
            for (item_number, item) in (0..).zip(&statement.action.items) {
                let (start, rest) = match item.shape() {
                    Shape::Exact(text) => (text, Rest::Nothing),
                    Shape::Start(start) => (start, Rest::Anything),
                    Shape::Other(start) => (start, Rest::Pattern(item_number)),
                };
                starts.push((start.to_ascii_lowercase().into(), Entry { statement: number, rest }));
            }
        }
        starts.sort_by(|(a, _), (b, _)| a.cmp(b));
        let entries = starts.iter().map(|(_, entry)| *entry).collect();
        ActionIndex { nodes: link(starts), entries, negated }
    }

    /// The statements about an action, in their order.
    pub(crate) fn statements(&self, statements: &[Statement], action: &str) -> Vec<u32> {
        let mut named = Vec::new();
        let lower = action.to_ascii_lowercase();
        let behind = self.nodes.partition_point(|node| *node.start <= *lower);
        let mut next = behind.checked_sub(1);
        while let Some(node) = next.and_then(|number| self.nodes.get(number)) {
            if lower.starts_with(&*node.start) {
                let whole = lower.len() == node.start.len();
                let entries = self.entries.get(node.entries.start as usize..node.entries.end as usize);
                let entries = entries.unwrap_or_default();
                named.reserve(entries.len());
                let naming = entries.iter().filter(|entry| match entry.rest {
                    Rest::Anything => true,
                    Rest::Nothing => whole,
                    Rest::Pattern(item) => matches(statements, entry.statement, item, action),
                });
                named.extend(naming.map(|entry| entry.statement));
            }
            next = node.shorter.map(|number| number as usize);
        }
        named.sort_unstable();
        named.dedup();
        if self.negated.is_empty() { named } else { self.turn_negated(&named) }
    }

    /// A statement with `NotAction` is about the actions that it does not name.
    fn turn_negated(&self, named: &[u32]) -> Vec<u32> {
        let missing = |from: &[u32], number: u32| from.binary_search(&number).is_err();
        let plain = named.iter().copied().filter(|number| missing(&self.negated, *number));
        let others = self.negated.iter().copied().filter(|number| missing(named, *number));
        let mut about: Vec<u32> = plain.chain(others).collect();
        about.sort_unstable();
        about
    }
}

/// The nodes of sorted starts.
fn link(starts: Vec<(Box<str>, Entry)>) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::with_capacity(starts.len());
    // The nodes whose start the one before began with, the shortest first.
    let mut path: Vec<u32> = Vec::new();
    for (number, (start, _)) in (0..).zip(starts) {
        if let Some(last) = nodes.last_mut().filter(|node| node.start == start) {
            last.entries.end = number + 1;
            continue;
        }
        let begins_with = |shorter: &u32| {
            nodes.get(*shorter as usize).is_some_and(|shorter| start.starts_with(&*shorter.start))
        };
        while path.pop_if(|shorter| !begins_with(shorter)).is_some() {}
        let shorter = path.last().copied();
        path.extend(u32::try_from(nodes.len()));
        nodes.push(Node { start, shorter, entries: number..number + 1 });
    }
    nodes
}

fn matches(statements: &[Statement], statement: u32, item: u32, action: &str) -> bool {
    let statement = statements.get(statement as usize);
    let item = statement.and_then(|statement| statement.action.items.get(item as usize));
    item.is_some_and(|item| item.matches(action, &Context::new()).assumed)
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
        let index = ActionIndex::new(policy.statements());
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
            assert_eq!(index.statements(policy.statements(), action), expected, "{action}");
        }
    }

    #[test]
    fn a_small_policy_is_passed_over_for_the_actions_of_other_services() {
        let services = |actions: &[&str]| match Actions::new(policy(actions).statements()) {
            Actions::Few(services) => services,
            Actions::Many(_) => unreachable!("few patterns"),
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
            let services = Services::of_action("a");
            policy.visit_statements_about("a", services, |number, _| visited.push(number));
            visited
        };
        assert_eq!(visited(&policy(&statements)), [0, 1]);
        let many: Vec<&str> = statements.into_iter().chain(std::iter::repeat_n("s3:Get*", FEW)).collect();
        assert_eq!(visited(&policy(&many)), [0, 1]);
    }
}
