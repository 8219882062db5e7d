//! Lists of actions in fewer words, for those that the catalogue has.

use super::draft::Draft;
use super::list::List;
use super::minimize::Statements;
use crate::algebra::closed;
use crate::catalogue::Action;
use crate::context::Context;
use crate::document::Effect;
use crate::pattern::{Pattern, Syntax, Wildcards};

/// The statements with lists of actions that reach the same of the catalogue.
pub(super) fn shorten(statements: &[(Effect, Draft)]) -> Vec<Statements> {
    let mut statements = statements.to_vec();
    for (_, draft) in &mut statements {
        draft.actions.texts = shortest(&draft.actions);
    }
    statements.retain(|(_, draft)| !draft.is_nothing());
    vec![statements]
}

/// Patterns for what a list reaches; those of a service stay as they are where they are as short.
fn shortest(list: &List) -> Vec<String> {
    let syntax = Syntax { wildcards: Wildcards::Free, fold: true, ..Syntax::default() };
    let mut reached = vec![false; closed::all().len()];
    for text in &list.texts {
        if let Ok(pattern) = Pattern::compile(text, syntax) {
            reach(text, &pattern, &mut reached);
        }
    }
    if reached.iter().all(|is_reached| *is_reached) {
        return vec!["*".to_owned()];
    }
    let all = closed::all();
    let mut reached = reached.into_iter();
    let mut texts = Vec::new();
    for of_service in all.chunk_by(|(a, _), (b, _)| a.service() == b.service()) {
        let Some((first, _)) = of_service.first() else { continue };
        let prefix = first.service().prefix();
        let is_in = |(action, _): &(Action, String)| (action.name(), reached.next().unwrap_or_default());
        let group: Vec<(&str, bool)> = of_service.iter().map(is_in).collect();
        let mut names = Vec::new();
        cover(&group, 0, &mut names);
        let new: Vec<String> = names.into_iter().map(|name| format!("{prefix}:{name}")).collect();
        let is_of_service = |text: &&String| {
            text.split_once(':').is_some_and(|(service, _)| service.eq_ignore_ascii_case(prefix))
        };
        let old: Vec<String> = list.texts.iter().filter(is_of_service).cloned().collect();
        let length = |texts: &[String]| texts.iter().map(|text| text.len() + r#""",""#.len()).sum::<usize>();
        // Only if they alone reach all of it: `*` is of no service.
        let is_shorter = length(&new) < length(&old) || old.is_empty();
        texts.extend(if is_shorter { new } else { old });
    }
    texts
}

/// Marks the actions of the catalogue that a pattern matches.
fn reach(text: &str, pattern: &Pattern, reached: &mut [bool]) {
    let all = closed::all();
    let nothing = Context::new();
    let service = text.split_once(':').map_or("*", |(service, _)| service).to_ascii_lowercase();
    let range = if service.contains('*') {
        0..all.len()
    } else {
        let prefix = |(action, _): &(Action, String)| action.service().prefix();
        all.partition_point(|one| prefix(one) < service.as_str())
            ..all.partition_point(|one| prefix(one) <= service.as_str())
    };
    for at in range {
        if let (Some(is_reached @ false), Some((_, name))) = (reached.get_mut(at), all.get(at)) {
            *is_reached = pattern.matches(text, name, &nothing).assumed;
        }
    }
}

/// Patterns for those of some names that are marked, and for no other. The names begin alike and are sorted, whatever their case.
fn cover(names: &[(&str, bool)], alike: usize, patterns: &mut Vec<String>) {
    let marked = names.iter().filter(|(_, is_in)| *is_in).count();
    let Some((first, _)) = names.first().filter(|_| marked > 0) else { return };
    if let [one] = names {
        patterns.push(one.0.to_owned());
        return;
    }
    let common = names.iter().map(|(name, _)| in_common(first, name)).min().unwrap_or(alike);
    if marked == names.len() {
        // As long as it can be: what AWS adds tomorrow begins so less often. All of a service has no name for what it is.
        let start = if alike == 0 { "" } else { first.get(..common).unwrap_or_default() };
        patterns.push(format!("{start}*"));
        return;
    }
    let next = |name: &str| name.as_bytes().get(common).map(u8::to_ascii_lowercase);
    for group in names.chunk_by(|(a, _), (b, _)| next(a) == next(b)) {
        cover(group, common + 1, patterns);
    }
}

fn in_common(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(names: &[&str]) -> Vec<String> {
        let names: Vec<(&str, bool)> =
            names.iter().map(|name| (name.trim_end_matches('!'), !name.ends_with('!'))).collect();
        let mut patterns = Vec::new();
        cover(&names, 0, &mut patterns);
        patterns
    }

    #[test]
    fn names_are_covered_by_what_only_they_begin_with() {
        assert_eq!(patterns(&["GetAcl", "GetArn", "GetBucket!", "Put"]), ["GetA*", "Put"]);
        assert_eq!(patterns(&["List", "ListTags", "Put!"]), ["List*"]);
        assert_eq!(patterns(&["List", "ListTags!", "Put!"]), ["List"]);
        assert_eq!(patterns(&["GetA", "GetB"]), ["*"]);
        assert_eq!(patterns(&["GetA!", "GetB!"]), [""; 0]);
    }
}
