//! Random requests against an inclusion that is said to hold: drawn from what both policies ask for, for any other request would
//! hardly ever be allowed.

use std::collections::BTreeSet;

use fastrand::Rng;
use iam_policy::{Context, Permissions, Policy, Principal, Request, Statement};

use crate::workload::{ACCOUNT, USER};

/// Two policies, and what requests about them are made of.
pub struct Attack<'p> {
    inner: Permissions,
    outer: Permissions,
    allows: Vec<&'p Statement>,
    actions: Vec<&'p str>,
    resources: Vec<&'p str>,
    /// The keys with the values that conditions compare them with.
    keys: Vec<(&'p str, Vec<&'p str>)>,
}

impl<'p> Attack<'p> {
    /// The claim is that `inner` allows nothing that `outer` does not.
    #[must_use]
    pub fn new(inner: &'p Policy, outer: &'p Policy) -> Attack<'p> {
        let all = || inner.statements().iter().chain(outer.statements());
        let keys: BTreeSet<String> =
            all().flat_map(Statement::condition_keys).map(|(key, _)| key.to_ascii_lowercase()).collect();
        let spelled = |wanted: &String| {
            let found = all().flat_map(Statement::condition_keys).map(|(key, _)| key);
            let mut same = found.filter(|key| key.eq_ignore_ascii_case(wanted));
            let key = same.next().unwrap_or_default();
            let conditions = all().flat_map(Statement::conditions);
            let about = conditions.filter(|condition| condition.key().eq_ignore_ascii_case(wanted));
            (key, about.flat_map(|condition| condition.values().map(|value| value.text)).collect())
        };
        let elements = |element: fn(&Statement) -> Vec<&str>| all().flat_map(element).collect();
        Attack {
            inner: inner.permissions(),
            outer: outer.permissions(),
            allows: inner
                .statements()
                .iter()
                .filter(|statement| statement.effect() == iam_policy::Effect::Allow)
                .collect(),
            actions: elements(actions),
            resources: elements(resources),
            keys: keys.iter().map(spelled).collect(),
        }
    }

    /// Requests that refute the claim, and how many of them the inner policy allows at all.
    #[must_use]
    pub fn run(&self, count: usize, random: &mut Rng) -> (Option<Request>, usize) {
        let mut allowed = 0;
        for _ in 0..count {
            let Some(statement) = random.choice(&self.allows) else { break };
            let request = self.request(statement, random);
            if self.inner.contains(&request) {
                allowed += 1;
                if !self.outer.contains(&request) {
                    return (Some(request), allowed);
                }
            }
        }
        (None, allowed)
    }

    fn request(&self, statement: &'p Statement, random: &mut Rng) -> Request {
        let mut context = Context::new();
        for (key, values) in &self.keys {
            if random.u8(..8) == 0 {
                continue;
            }
            // Mostly what the statement itself asks for.
            let own: Vec<&str> = statement
                .conditions()
                .iter()
                .filter(|condition| condition.key().eq_ignore_ascii_case(key))
                .flat_map(|condition| condition.values().map(|value| value.text))
                .collect();
            let values = if own.is_empty() || random.u8(..4) == 0 { values } else { &own };
            let count = if random.u8(..6) == 0 { random.usize(..3) } else { 1 };
            let picked: Vec<String> = (0..count)
                .map(|_| {
                    let value = random.choice(values).copied().unwrap_or("*");
                    fill(value, &self.resources, &context, random)
                })
                .collect();
            context.set_many((*key).to_owned(), picked);
        }
        let pick = |own: &[&'p str], all: &[&'p str], random: &mut Rng| {
            let from = if own.is_empty() || random.u8(..6) == 0 { all } else { own };
            random.choice(from).copied().unwrap_or("*")
        };
        let element = |is_negated: bool, own: Vec<&'p str>| if is_negated { Vec::new() } else { own };
        let own = element(statement.actions().is_negated, actions(statement));
        let action = fill(pick(&own, &self.actions, random), &self.actions, &Context::new(), random);
        let action = if action.contains(':') { action } else { "s3:GetObject".to_owned() };
        let own =
            element(statement.resources().is_some_and(|element| element.is_negated), resources(statement));
        let resource = fill(pick(&own, &self.resources, random), &self.resources, &context, random);
        Request {
            principal: Principal::User { arn: USER.to_owned() },
            action,
            resource,
            resource_account: Some(ACCOUNT.to_owned()),
            context,
        }
    }
}

fn actions(statement: &Statement) -> Vec<&str> {
    statement.actions().values.iter().map(|value| value.text).collect()
}

fn resources(statement: &Statement) -> Vec<&str> {
    statement.resources().iter().flat_map(|element| &element.values).map(|value| value.text).collect()
}

/// A text that a pattern matches: its variables by the context, its wildcards by parts of other patterns.
fn fill(pattern: &str, others: &[&str], context: &Context, random: &mut Rng) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(at) = rest.find(['*', '?', '$']) {
        let (before, sign) = rest.split_at(at);
        text.push_str(before);
        if let Some((inner, after)) = sign.strip_prefix("${").and_then(|inner| inner.split_once('}')) {
            let key = inner.split(',').next().unwrap_or_default();
            let value = context.lookup(key).and_then(<[String]>::first);
            text.push_str(value.map_or("example", String::as_str));
            rest = after;
            continue;
        }
        match sign.as_bytes().first() {
            Some(b'*') => text.push_str(&part(others, random)),
            Some(b'?') => text.push(random.alphanumeric()),
            _ => text.push('$'),
        }
        rest = sign.get(1..).unwrap_or_default();
    }
    text + rest
}

/// What may stand for a `*`.
fn part(others: &[&str], random: &mut Rng) -> String {
    match random.u8(..6) {
        0 => String::new(),
        1 => "x".to_owned(),
        2 => ["a:b", "a/b", "-", "123456789012", "us-east-1"]
            .get(random.usize(..5))
            .copied()
            .unwrap_or_default()
            .to_owned(),
        _ => {
            let other = random.choice(others).copied().unwrap_or_default();
            let pieces: Vec<&str> = other.split(['*', ':', '/', '?', '$', '{', '}']).collect();
            random.choice(&pieces).copied().unwrap_or_default().to_owned()
        }
    }
}
