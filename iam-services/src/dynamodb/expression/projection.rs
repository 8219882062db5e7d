//! Projections: which parts of an item are shown.
//!
//! See <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ProjectionExpressions.html>.

use super::parser::Parser;
use super::path::{Path, Step};
use super::placeholders::Placeholders;
use crate::dynamodb::invalid;
use crate::dynamodb::value::{Item, Value};
use crate::fault::Fault;

/// The paths that are shown.
pub(in crate::dynamodb) struct Projection(Vec<Path>);

impl Projection {
    pub(in crate::dynamodb) fn parse(text: &str, placeholders: &Placeholders<'_>) -> Result<Self, Fault> {
        let mut parser = Parser::new("ProjectionExpression", text, placeholders)?;
        let mut paths = vec![parser.path()?];
        while parser.eat(",") {
            paths.push(parser.path()?);
        }
        parser.expect_end()?;
        check_apart("ProjectionExpression", &paths)?;
        Ok(Self(paths))
    }

    pub(in crate::dynamodb) fn of_attributes<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        Self(names.map(|name| Path { attribute: name.to_owned(), rest: Vec::new() }).collect())
    }

    pub(in crate::dynamodb) fn attributes(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Path::attribute)
    }

    pub(in crate::dynamodb) fn apply(&self, item: &Item) -> Item {
        let mut shown = Item::new();
        let mut nested: Vec<&Path> = Vec::new();
        for path in &self.0 {
            if path.rest.is_empty() {
                if let Some(value) = item.get(&path.attribute) {
                    shown.insert(path.attribute.clone(), value.clone());
                }
            } else if path.get(item).is_some() {
                nested.push(path);
            }
        }
        for path in &nested {
            if shown.contains_key(&path.attribute) {
                continue;
            }
            let steps: Vec<&[Step]> = nested
                .iter()
                .filter(|other| other.attribute == path.attribute)
                .map(|other| other.rest.as_slice())
                .collect();
            if let Some(value) = item.get(&path.attribute) {
                shown.insert(path.attribute.clone(), part(value, &steps));
            }
        }
        shown
    }
}

/// The parts of a value that some paths lead to.
fn part(value: &Value, paths: &[&[Step]]) -> Value {
    let after = |step: &Step| -> Vec<&[Step]> {
        paths
            .iter()
            .filter_map(|path| path.split_first().filter(|(first, _)| *first == step).map(|(_, rest)| rest))
            .collect()
    };
    let shown = |value: &Value, paths: Vec<&[Step]>| {
        if paths.iter().any(|path| path.is_empty()) {
            Some(value.clone())
        } else if paths.is_empty() {
            None
        } else {
            Some(part(value, &paths))
        }
    };
    match value {
        // The list closes up.
        Value::L(items) => Value::L(
            items.iter().enumerate().filter_map(|(at, item)| shown(item, after(&Step::Index(at)))).collect(),
        ),
        Value::M(members) => Value::M(
            members
                .iter()
                .filter_map(|(name, value)| {
                    Some((name.clone(), shown(value, after(&Step::Member(name.clone())))?))
                })
                .collect(),
        ),
        other => other.clone(),
    }
}

/// Refuses paths of which one leads through another.
pub(super) fn check_apart(kind: &str, paths: &[Path]) -> Result<(), Fault> {
    for (at, a) in paths.iter().enumerate() {
        for b in paths.iter().skip(at + 1) {
            let problem = if a.overlaps(b) {
                "overlap with each other"
            } else if a.conflicts(b) {
                "conflict with each other"
            } else {
                continue;
            };
            return Err(invalid(format!(
                "Invalid {kind}: Two document paths {problem}; must remove or rewrite one of these paths; \
                 path one: {a}, \
                 path two: {b}"
            )));
        }
    }
    Ok(())
}
