//! Requests that a person understands.

use super::Permissions;
use crate::catalogue::{self, Action};
use crate::condition::GlobalKey;
use crate::context::Context;
use crate::evaluate::{Request, layers};
use crate::order;

/// More are not tried.
const MOST: usize = 3000;

/// A request of the set with an action of the catalogue and a resource that the action acts on, as near to the one that was
/// found as there is one; else that one. Its condition keys are spelt as the policies spell them.
pub(super) fn request(set: &Permissions, found: &Request) -> Request {
    let found = &Request { context: spelt(set, found), ..found.clone() };
    let with = |action: &str, resource: &str| {
        let request = Request { action: action.to_owned(), resource: resource.to_owned(), ..found.clone() };
        set.contains(&request).then_some(request)
    };
    for action in actions(&found.action).into_iter().take(MOST) {
        let name = action.to_string();
        let mut resources = resources(action);
        resources.push(found.resource.clone());
        if let Some(request) = resources.iter().find_map(|resource| with(&name, resource)) {
            return request;
        }
    }
    found.clone()
}

/// The context of a request with the names of its keys as conditions have them, or AWS's documentation.
fn spelt(set: &Permissions, found: &Request) -> Context {
    let mut sets = Vec::new();
    set.plain.policies(&mut sets);
    let mut named = Vec::new();
    for layer in sets.into_iter().flat_map(|set| layers(set, found)) {
        for (_, statement) in layer.statements() {
            named.extend(statement.conditions.iter().map(|condition| &*condition.key));
        }
    }
    let mut context = Context::new();
    for (key, values) in found.context.iter() {
        let global =
            || GlobalKey::find(key).map(GlobalKey::name).filter(|name| name.eq_ignore_ascii_case(key));
        let name = named.iter().find(|name| name.eq_ignore_ascii_case(key)).copied().or_else(global);
        context.set_many(name.unwrap_or(key).to_owned(), values.iter().cloned());
    }
    context
}

/// A value for a condition key, unlike those of others.
pub(super) fn value(key: &str, number: usize) -> String {
    match key {
        "aws:principalaccount" | "aws:resourceaccount" | "aws:sourceaccount" => "123456789012".to_owned(),
        "aws:requestedregion" => "us-east-1".to_owned(),
        _ if number == 0 => "example".to_owned(),
        _ => format!("example{number}"),
    }
}

/// The actions of the catalogue, those with the most in common first.
fn actions(found: &str) -> Vec<Action> {
    if let Some(action) = catalogue::action(found) {
        return vec![action];
    }
    let (prefix, name) = found.split_once(':').unwrap_or_default();
    let service = catalogue::service(prefix);
    let mut services = Vec::from_iter(service);
    if services.is_empty() {
        services.extend(["s3", "ec2", "iam"].into_iter().filter_map(catalogue::service));
        services.extend(catalogue::services());
    }
    let mut actions: Vec<Action> = Vec::new();
    for service in services {
        actions.extend(service.actions());
    }
    let common = |action: &Action| {
        let pairs = action.name().chars().zip(name.chars());
        pairs.take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count()
    };
    order::sort_by(&mut actions, |a, b| common(b).cmp(&common(a)));
    actions
}

/// ARNs of each type of resource that the action acts on, the simplest first, or `*` where there is none.
pub(super) fn resources(action: Action) -> Vec<String> {
    let example = |variable: &str| match variable {
        "Account" => "123456789012",
        "Partition" => "aws",
        "Region" => "us-east-1",
        _ => "example",
    };
    let mut resources: Vec<String> = Vec::new();
    for on in action.resources() {
        resources.extend(on.resource_type().arn_formats().map(|format| fill(format, example)));
    }
    order::sort_by(&mut resources, |a, b| a.len().cmp(&b.len()));
    if resources.is_empty() { vec!["*".to_owned()] } else { resources }
}

/// An ARN that a pattern matches, as one would write it: where all of a part is open, it is that of an example. `None` if the
/// two are of different services.
pub(super) fn like(pattern: &str, example: &str) -> Option<String> {
    let [pattern, example] = [pattern, example].map(|text| text.splitn(6, ':').collect::<Vec<_>>());
    if pattern.len() != example.len() || pattern.get(2) != example.get(2) {
        return None;
    }
    let fill = |(number, (part, of_example)): (usize, (&&str, &&str))| match (number, *part) {
        (5, part) => part.replace("${*}", "*").replace('*', "example").replace('?', "x"),
        (_, "*") => (*of_example).to_owned(),
        (_, part) => part.replace('*', "").replace('?', "x"),
    };
    Some(pattern.iter().zip(&example).enumerate().map(fill).collect::<Vec<_>>().join(":"))
}

/// A format of ARNs with its variables replaced.
pub(super) fn fill(format: &str, value: impl Fn(&str) -> &'static str) -> String {
    let mut text = String::with_capacity(format.len());
    let mut rest = format;
    while let Some((before, variable)) = rest.split_once("${") {
        let Some((name, after)) = variable.split_once('}') else { break };
        text.push_str(before);
        text.push_str(value(name));
        rest = after;
    }
    text + rest
}
