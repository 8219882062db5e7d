//! Prints a policy as canonical JSON: elements in AWS's order, a list of one as its item.

use super::{Clause, Item, Policy, Statement};
use crate::condition::Condition;
use crate::json::write_string;

pub(super) fn to_json(policy: &Policy) -> String {
    let mut out = String::with_capacity(policy.source().fragment().len());
    out.push('{');
    if let Some(version) = policy.0.version {
        member(&mut out, "Version", |out| write_string(out, &version.to_string()));
    }
    if let Some(id) = policy.id() {
        member(&mut out, "Id", |out| write_string(out, id));
    }
    member(&mut out, "Statement", |out| sequence(out, '[', policy.statements(), ']', statement));
    out.push('}');
    out
}

fn statement(out: &mut String, statement: &Statement) {
    out.push('{');
    if let Some(sid) = statement.sid() {
        member(out, "Sid", |out| write_string(out, sid));
    }
    member(out, "Effect", |out| write_string(out, &statement.effect.to_string()));
    if let Some(principal) = &statement.principal {
        member(out, name("Principal", "NotPrincipal", principal), |out| {
            // A principal of its own is `*`; the others are grouped by their type.
            let everyone = principal.items.iter().find(|item| item.matcher.element().is_none());
            match everyone {
                Some(everyone) => write_string(out, &everyone.text),
                None => grouped(
                    out,
                    &principal.items,
                    |item| item.matcher.element().unwrap_or_default(),
                    |out, items| {
                        texts(out, items);
                    },
                ),
            }
        });
    }
    member(out, name("Action", "NotAction", &statement.action), |out| {
        texts(out, &refs(&statement.action.items));
    });
    if let Some(resource) = &statement.resource {
        member(out, name("Resource", "NotResource", resource), |out| texts(out, &refs(&resource.items)));
    }
    if !statement.conditions.is_empty() {
        member(out, "Condition", |out| {
            grouped(
                out,
                &statement.conditions,
                |condition| condition.operator.to_string(),
                |out, conditions| {
                    sequence(out, '{', conditions, '}', |out, condition: &&Condition| {
                        write_string(out, &condition.key);
                        out.push(':');
                        texts(out, &refs(&condition.values));
                    });
                },
            );
        });
    }
    out.push('}');
}

fn name<M>(plain: &'static str, negated: &'static str, clause: &Clause<M>) -> &'static str {
    if clause.negated { negated } else { plain }
}

fn refs<T>(items: &[T]) -> Vec<&T> {
    items.iter().collect()
}

fn texts<M>(out: &mut String, items: &[&Item<M>]) {
    match items {
        [one] => write_string(out, &one.text),
        items => sequence(out, '[', items, ']', |out, item| write_string(out, &item.text)),
    }
}

/// An object with a member for each group, the groups in the order of their first items.
fn grouped<T, K: AsRef<str> + PartialEq>(
    out: &mut String,
    items: &[T],
    key: impl Fn(&T) -> K,
    value: impl Fn(&mut String, &[&T]),
) {
    let mut groups: Vec<(K, Vec<&T>)> = Vec::new();
    for item in items {
        let key = key(item);
        match groups.iter_mut().find(|(other, _)| *other == key) {
            Some((_, group)) => group.push(item),
            None => groups.push((key, vec![item])),
        }
    }
    sequence(out, '{', &groups, '}', |out, (key, group)| {
        write_string(out, key.as_ref());
        out.push(':');
        value(out, group);
    });
}

pub(crate) fn sequence<T>(
    out: &mut String,
    open: char,
    items: &[T],
    close: char,
    write: impl Fn(&mut String, &T),
) {
    out.push(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(close);
}

pub(crate) fn member(out: &mut String, name: &str, write: impl FnOnce(&mut String)) {
    if !out.ends_with('{') {
        out.push(',');
    }
    write_string(out, name);
    out.push(':');
    write(out);
}
