//! Actions: which statements are about which, and the classes of those that the same statements are about.
//!
//! ```text
//! of each set of policies an index     s3:*  s3:Get*  s3:GetObject  …    sorted, each knows the one around it
//! of a question its classes            one action for each choice of statements that some action has
//! ```
//!
//! Where a service's patterns end in their only `*`, if they have one, two of them are either apart or one within the other: the
//! written actions, and something new for each `*`, meet all classes. Other patterns are told apart character by character.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use super::budget::{Budget, Found};
use super::formula::{Formula, Matches, Members, Policies};
use super::globs::{Globs, Place};
use crate::context::Context;
use crate::document::Effect;
use crate::order;

/// A sign that no pattern of actions may have.
pub(super) const FRESH: char = '~';

/// The actions of the statements of a set of policies.
///
/// INVARIANT: `entries` are sorted by their texts, a start before the action of the same name; `services` by their names.
#[derive(Debug)]
pub(super) struct Actions {
    /// The texts of all entries and services, in lower case.
    texts: String,
    entries: Vec<Entry>,
    /// The statements of all entries.
    owners: Vec<u32>,
    odd: Vec<Odd>,
    services: Vec<Service>,
    /// The statements with `NotAction`.
    negated: Vec<u32>,
    /// A statement allows actions of services that the set does not name.
    is_open: bool,
}

/// An action, or the start of actions.
#[derive(Debug)]
struct Entry {
    text: Range<usize>,
    is_start: bool,
    /// The longest other start of the text.
    around: Option<u32>,
    owners: Range<usize>,
}

/// A pattern with wildcards elsewhere, as the item of a statement.
#[derive(Debug)]
struct Odd {
    statement: u32,
    item: usize,
}

#[derive(Debug)]
struct Service {
    /// With the colon.
    name: Range<usize>,
    entries: Range<usize>,
    odd: Range<usize>,
}

/// Visits an action of each class that a formula could hold for, with the statements that are about it.
pub(super) fn classes<T>(
    formula: &Formula,
    budget: &Budget,
    visit: &mut dyn FnMut(&str, &Members) -> Found<T>,
) -> Found<T> {
    let mut all = Vec::new();
    formula.policies(&mut all);
    let support = formula.support().filter(|support| !support.iter().any(|one| one.actions().is_open));
    let is_open = support.is_none();
    let mut seen = HashSet::new();
    let mut members = Members::default();
    let mut offer = |action: &str| {
        find_members(&all, action, &mut members);
        budget.spend(all.len())?;
        if seen.contains(&members) {
            return Ok(None);
        }
        seen.insert(members.clone());
        visit(action, &members)
    };
    if is_open && let Some(answer) = offer(&new_of(""))? {
        return Ok(Some(answer));
    }
    let support = support.unwrap_or_else(|| all.clone());
    let mut names: Vec<&str> = Vec::new();
    for one in support.iter().map(|one| one.actions()) {
        one.services.iter().for_each(|service| order::add(&mut names, one.text(&service.name)));
    }
    for name in names {
        let of_service: Vec<(&Policies, &Service)> =
            all.iter().filter_map(|one| Some((*one, one.actions().service(name)?))).collect();
        let found = if of_service.iter().any(|(_, service)| !service.odd.is_empty()) {
            partition(name, &of_service, budget, &mut offer)?
        } else {
            representatives(&of_service, &support, &mut offer)?
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The statements that are about an action.
pub(super) fn find_members(all: &[&Policies], action: &str, members: &mut Members) {
    members.clear();
    let mut numbers = Vec::new();
    for one in all {
        one.actions().find(&one.statements, action, &mut numbers);
        let found = numbers.iter().filter_map(|number| one.statements.get(*number as usize));
        found.for_each(|matches| members.add(matches));
    }
    members.sort();
}

/// What no other text of the patterns has at this place.
fn new_of(start: &str) -> String {
    if start.is_empty() { format!("{FRESH}:{FRESH}") } else { format!("{start}{FRESH}") }
}

/// The actions that are written, and a new one for each start.
fn representatives<T>(
    of_service: &[(&Policies, &Service)],
    support: &[&Policies],
    offer: &mut dyn FnMut(&str) -> Found<T>,
) -> Found<T> {
    let is_support = |one: &Policies| support.iter().any(|other| std::ptr::eq(*other, one));
    let (mut ordered, others): (Vec<_>, Vec<_>) = of_service.iter().partition(|(one, _)| is_support(one));
    if ordered.iter().any(|(one, service)| one.actions().of(service).iter().any(|entry| entry.is_start)) {
        ordered.extend(others);
    }
    for (one, service) in ordered {
        let actions = one.actions();
        for entry in actions.of(service) {
            let text = actions.text(&entry.text);
            let found = if entry.is_start { offer(&new_of(text))? } else { offer(text)? };
            if found.is_some() {
                return Ok(found);
            }
        }
    }
    Ok(None)
}

/// One action for each choice of statements that some text of the service has.
fn partition<T>(
    name: &str,
    of_service: &[(&Policies, &Service)],
    budget: &Budget,
    offer: &mut dyn FnMut(&str) -> Found<T>,
) -> Found<T> {
    let mut sets = Vec::new();
    for (one, service) in of_service {
        one.actions().patterns(&one.statements, service, &mut sets);
    }
    budget.spend(sets.iter().map(Globs::size).sum())?;
    // Of a set that has whatever follows, no other pattern matters any more.
    let settle = |places: &mut Vec<Place>| {
        places.sort_unstable();
        places.dedup();
        let is_all =
            |&(number, node): &Place| sets.get(number as usize).is_some_and(|set| set.accepts_all_from(node));
        let all: Vec<Place> = places.iter().copied().filter(is_all).collect();
        if !all.is_empty() {
            places.retain(|place| all.contains(place) || !all.iter().any(|(number, _)| *number == place.0));
        }
    };
    let mut start = Vec::new();
    for (number, set) in (0..).zip(&sets) {
        set.start(number, &mut start);
    }
    let mut states: Vec<(Vec<Place>, String)> = Vec::new();
    let mut known = HashSet::new();
    let mut offered = HashSet::new();
    settle(&mut start);
    states.push((start, String::new()));
    let mut at = 0;
    while let Some((places, text)) = states.get(at) {
        let (places, text) = (places.clone(), text.clone());
        at += 1;
        let accepts =
            |&&(number, node): &&Place| sets.get(number as usize).is_some_and(|set| set.accepts(node));
        let accepting: Vec<u32> = places.iter().filter(accepts).map(|(number, _)| *number).collect();
        if !text.is_empty()
            && offered.insert(accepting)
            && let Some(found) = offer(&format!("{name}{text}"))?
        {
            return Ok(Some(found));
        }
        let each = places.iter().filter_map(|(number, node)| Some((sets.get(*number as usize)?, *node)));
        let mut characters = vec![FRESH];
        for (set, node) in each {
            set.literals(node).for_each(|c| order::add(&mut characters, c));
        }
        for c in characters {
            let mut next = Vec::new();
            for &(number, node) in &places {
                if let Some(set) = sets.get(number as usize) {
                    set.step(number, node, c, &mut next);
                }
            }
            budget.spend(8 + places.len() + next.len())?;
            settle(&mut next);
            // Behind nothing there is nothing more than behind any other.
            if known.insert(next.clone()) {
                let mut text = text.clone();
                text.push(c);
                states.push((next, text));
            }
        }
    }
    Ok(None)
}

impl Actions {
    pub(super) fn new(statements: &[Arc<Matches>]) -> Actions {
        let mut texts = String::new();
        let (mut all, mut odd, mut negated) = (Vec::new(), Vec::new(), Vec::new());
        let mut is_open = false;
        for (number, matches) in (0_u32..).zip(statements) {
            let statement = matches.statement.statement();
            if statement.action.negated {
                negated.push(number);
                is_open |= statement.effect == Effect::Allow;
            }
            for (item, written) in statement.action.items.iter().enumerate() {
                let text = if &*written.text == "*:*" { "*" } else { &*written.text };
                let (start, is_start) = text.strip_suffix('*').map_or((text, false), |start| (start, true));
                is_open |= text == "*" && statement.effect == Effect::Allow;
                let from = texts.len();
                texts.extend(start.chars().map(|c| c.to_ascii_lowercase()));
                let range = from..texts.len();
                if start.contains(['*', '?']) {
                    odd.push((range, Odd { statement: number, item }));
                } else {
                    all.push((range, is_start, number));
                }
            }
        }
        let text = |range: &Range<usize>| texts.get(range.clone()).unwrap_or_default();
        order::sort_by(&mut all, |(a, a_starts, a_owner), (b, b_starts, b_owner)| {
            (text(a), !a_starts, a_owner).cmp(&(text(b), !b_starts, b_owner))
        });
        let mut entries: Vec<Entry> = Vec::with_capacity(all.len());
        let mut owners = Vec::with_capacity(all.len());
        let mut open: Vec<u32> = Vec::new();
        for (range, is_start, owner) in all {
            owners.push(owner);
            if let Some(last) = entries.last_mut()
                && (text(&last.text), last.is_start) == (text(&range), is_start)
            {
                last.owners.end = owners.len();
                continue;
            }
            let around = |at: &u32| {
                entries.get(*at as usize).is_some_and(|entry| text(&range).starts_with(text(&entry.text)))
            };
            while open.last().is_some_and(|at| !around(at)) {
                open.pop();
            }
            let around = open.last().copied();
            if is_start {
                open.push(u32::try_from(entries.len()).unwrap_or(u32::MAX));
            }
            entries.push(Entry { text: range, is_start, around, owners: owners.len() - 1..owners.len() });
        }
        order::sort_by(&mut odd, |(a, _), (b, _)| service_of(text(a)).cmp(service_of(text(b))));
        let services = services(&entries, &odd, &text);
        let odd = odd.into_iter().map(|(_, odd)| odd).collect();
        Actions { texts, entries, owners, odd, services, negated, is_open }
    }

    fn text(&self, range: &Range<usize>) -> &str {
        self.texts.get(range.clone()).unwrap_or_default()
    }
    fn service(&self, name: &str) -> Option<&Service> {
        let at = self.services.binary_search_by(|service| self.text(&service.name).cmp(name)).ok()?;
        self.services.get(at)
    }

    /// The entries of a service.
    fn of(&self, service: &Service) -> &[Entry] {
        self.entries.get(service.entries.clone()).unwrap_or_default()
    }

    /// The statements that are about an action, which is in lower case.
    fn find(&self, statements: &[Arc<Matches>], action: &str, found: &mut Vec<u32>) {
        found.clear();
        let after = self.entries.partition_point(|entry| self.text(&entry.text) <= action);
        let mut at = after.checked_sub(1);
        while let Some(entry) = at.and_then(|at| self.entries.get(at)) {
            let text = self.text(&entry.text);
            if if entry.is_start { action.starts_with(text) } else { action == text } {
                found.extend(self.owners.get(entry.owners.clone()).unwrap_or_default());
            }
            at = entry.around.map(|around| around as usize);
        }
        let nothing = Context::new();
        if let Some(service) = self.service(service_of(action)) {
            for odd in self.odd.get(service.odd.clone()).unwrap_or_default() {
                let item = statements
                    .get(odd.statement as usize)
                    .and_then(|matches| matches.statement.statement().action.items.get(odd.item));
                if item.is_some_and(|item| item.matches(action, &nothing).assumed) {
                    found.push(odd.statement);
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        if !self.negated.is_empty() {
            let (within, outside): (Vec<u32>, Vec<u32>) =
                self.negated.iter().partition(|number| found.contains(number));
            found.retain(|number| !within.contains(number));
            found.extend(outside);
        }
    }

    /// The patterns that each statement has for the names of a service's actions.
    fn patterns(&self, statements: &[Arc<Matches>], service: &Service, sets: &mut Vec<Globs>) {
        let mut each: Vec<Vec<String>> = vec![Vec::new(); statements.len()];
        let mut add = |owner: u32, pattern: String| {
            if let Some(patterns) = each.get_mut(owner as usize) {
                patterns.push(pattern);
            }
        };
        let length = service.name.len();
        for entry in self.of(service) {
            let name = self.text(&entry.text).get(length..).unwrap_or_default();
            let pattern = format!("{name}{}", if entry.is_start { "*" } else { "" });
            for owner in self.owners.get(entry.owners.clone()).unwrap_or_default() {
                add(*owner, pattern.clone());
            }
        }
        for odd in self.odd.get(service.odd.clone()).unwrap_or_default() {
            let item = statements
                .get(odd.statement as usize)
                .and_then(|matches| matches.statement.statement().action.items.get(odd.item));
            let name = item.and_then(|item| item.text.get(length..)).unwrap_or_default();
            add(odd.statement, name.to_ascii_lowercase());
        }
        for patterns in each.iter().filter(|patterns| !patterns.is_empty()) {
            sets.push(Globs::of(patterns.iter().map(String::as_str)));
        }
    }
}

/// The name of an action's service, with the colon.
fn service_of(action: &str) -> &str {
    action.find(':').and_then(|colon| action.get(..=colon)).unwrap_or_default()
}

/// The services that sorted entries and odd patterns name.
fn services<'t>(
    entries: &[Entry],
    odd: &[(Range<usize>, Odd)],
    text: &impl Fn(&Range<usize>) -> &'t str,
) -> Vec<Service> {
    let name = |range: &Range<usize>| range.start..range.start + service_of(text(range)).len();
    let mut services: Vec<Service> = Vec::new();
    for (at, entry) in entries.iter().enumerate().filter(|(_, entry)| !entry.text.is_empty()) {
        let name = name(&entry.text);
        match services.last_mut() {
            Some(last) if text(&last.name) == text(&name) => last.entries.end = at + 1,
            _ => services.push(Service { name, entries: at..at + 1, odd: 0..0 }),
        }
    }
    order::sort_by(&mut services, |a, b| text(&a.name).cmp(text(&b.name)));
    for (at, (range, _)) in odd.iter().enumerate() {
        let name = name(range);
        match services.binary_search_by(|service| text(&service.name).cmp(text(&name))) {
            Ok(found) => {
                if let Some(service) = services.get_mut(found) {
                    let from = if service.odd.is_empty() { at } else { service.odd.start };
                    service.odd = from..at + 1;
                }
            }
            Err(place) => services.insert(place, Service { name, entries: 0..0, odd: at..at + 1 }),
        }
    }
    services
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Policy, PolicyKind};

    /// The choices of statements that `classes` tells apart, each with its action.
    fn choices(patterns: &[&str]) -> Vec<(String, Vec<bool>)> {
        let statement = |text: &&str| {
            let (element, list) =
                text.strip_prefix('!').map_or(("Action", *text), |list| ("NotAction", list));
            let list: Vec<&str> = list.split(' ').collect();
            format!(r#"{{"Effect": "Allow", "{element}": {list:?}, "Resource": "*"}}"#)
        };
        let text: Vec<String> = patterns.iter().map(statement).collect();
        let text = format!(r#"{{"Statement": [{}]}}"#, text.join(","));
        let policy =
            Policy::parse(text, PolicyKind::Identity).unwrap_or_else(|problems| panic!("{problems}"));
        let permissions = policy.permissions();
        let mut found = Vec::new();
        let mut all = Vec::new();
        permissions.formula.policies(&mut all);
        let visit = &mut |action: &str, _: &Members| {
            let matches = |statement: &crate::document::Statement| {
                let any = |item: &crate::document::Item<_>| item.matches(action, &Context::new()).assumed;
                statement.action.items.iter().any(any) != statement.action.negated
            };
            let (mut expected, mut members) = (Members::default(), Members::default());
            let mut choice = Vec::new();
            for (one, matches) in all[0].statements.iter().zip(policy.statements().iter().map(matches)) {
                choice.push(matches);
                if matches {
                    expected.add(one);
                }
            }
            expected.sort();
            find_members(&all, action, &mut members);
            assert_eq!(members, expected, "{action}");
            found.push((action.to_owned(), choice));
            Ok(None::<()>)
        };
        assert!(classes(&permissions.formula, &Budget::new(1_000_000), visit).is_ok());
        found
    }

    /// The other procedure: every short action.
    #[test]
    fn every_choice_of_statements_that_an_action_has_is_told_apart() {
        let mut names = vec![String::new()];
        for at in 0.. {
            let name: String = names[at].clone();
            if name.len() == 4 {
                break;
            }
            names.extend(["a", "b", "x"].map(|c| name.clone() + c));
        }
        let actions: Vec<String> = ["s", "t", "u"]
            .iter()
            .flat_map(|service| {
                names.iter().filter(|name| !name.is_empty()).map(move |name| format!("{service}:{name}"))
            })
            .collect();
        for patterns in [
            &["s:*", "s:a*", "s:ab", "t:a"][..],
            &["*", "!s:* t:a", "s:ab* t:*"],
            &["s:a*", "s:a", "s:aa*"],
            &["s:*a", "s:b*", "s:?b*"],
            &["s:*a*", "s:*b*", "!s:ab"],
            &["!s:*", "!t:*"],
            &["s:a*b s:b", "s:a?b"],
        ] {
            let mut expected: Vec<Vec<bool>> = Vec::new();
            for action in &actions {
                let choice = patterns.iter().map(|text| {
                    let list = text.strip_prefix('!');
                    let any =
                        list.unwrap_or(text).split(' ').any(|pattern| Globs::of([pattern]).contains(action));
                    any != list.is_some()
                });
                let choice: Vec<bool> = choice.collect();
                if choice.contains(&true) && !expected.contains(&choice) {
                    expected.push(choice);
                }
            }
            let mut found: Vec<Vec<bool>> = choices(patterns).into_iter().map(|(_, choice)| choice).collect();
            found.retain(|choice| choice.contains(&true));
            expected.sort();
            found.sort();
            assert_eq!(found, expected, "{patterns:?}");
        }
    }

    #[test]
    fn what_only_the_other_policy_names_is_told_apart_too() {
        let policy = |statement: &str| {
            let text = format!(r#"{{"Statement": {{"Effect": "Allow", {statement}, "Resource": "*"}}}}"#);
            Policy::parse(text, PolicyKind::Identity).unwrap().permissions()
        };
        let all = policy(r#""Action": "s3:*""#);
        let all_but_one = policy(r#""NotAction": "s3:GetObject""#);
        let answer = all.is_subset(&all_but_one);
        let action = answer.counterexample().map(|found| found.request().action.to_ascii_lowercase());
        assert_eq!(action.as_deref(), Some("s3:getobject"));
        assert!(policy(r#""Action": "s3:Put*""#).is_subset(&all_but_one).is_yes());
    }
}
