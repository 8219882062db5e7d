//! DynamoDB's condition keys: the partition key's values, and the attributes that a request touches.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html>

use std::borrow::Cow;
use std::sync::LazyLock;

use serde_json::Value;

use super::function::all;
use super::scope::{Scope, Values};
use crate::wire::input::{Found, Path, entries};

/// Words of expressions that are no attributes.
const WORDS: [&str; 17] = [
    "add",
    "and",
    "attribute_exists",
    "attribute_not_exists",
    "attribute_type",
    "begins_with",
    "between",
    "contains",
    "delete",
    "if_not_exists",
    "in",
    "list_append",
    "not",
    "or",
    "remove",
    "set",
    "size",
];

/// The partition key's values in keys and items.
///
/// Which of several attributes is the partition key, the table's schema tells, which no request carries.
pub(super) fn leading_keys<'a>(scope: &Scope<'a>, given: Vec<Vec<Found<'a>>>) -> Values<'a> {
    let mut values = Vec::new();
    for found in all(given) {
        let Found::Tree(key) = found else { continue };
        let attribute = match entries(key).as_slice() {
            [] => continue,
            [(_, attribute)] => Some(*attribute),
            several => partition_key(scope)
                .and_then(|name| several.iter().find(|(of, _)| *of == name))
                .map(|(_, attribute)| *attribute),
        };
        match attribute.and_then(scalar) {
            Some(value) => values.push(value),
            None => return Values::Unknown,
        }
    }
    Values::Known(values)
}

/// The partition key's value in a query's key condition: an equality, and the only one unless there is a sort key too.
pub(super) fn query_keys<'a>(scope: &Scope<'a>, given: Vec<Vec<Found<'a>>>) -> Values<'a> {
    let mut equal: Vec<(Cow<'a, str>, Found<'a>)> = Vec::new();
    for found in all(given) {
        match found {
            Found::Text(expression) => equal.extend(equalities(scope, &expression)),
            Found::Tree(conditions) => {
                for (name, condition) in entries(conditions) {
                    let values =
                        condition.get("AttributeValueList").and_then(|list| list.get(0)).and_then(scalar);
                    if condition.get("ComparisonOperator").and_then(Value::as_str) == Some("EQ") {
                        equal.extend(values.map(|value| (Cow::Borrowed(name), value)));
                    }
                }
            }
        }
    }
    let known = partition_key(scope);
    if let Some(known) = known
        && equal.len() > 1
    {
        equal.retain(|(name, _)| *name == known);
    }
    // A request without a condition is not one that AWS answers; with two equalities, either may be the partition key's.
    match equal.pop() {
        Some((_, value)) if equal.is_empty() => Values::Known(vec![value]),
        _ => Values::Unknown,
    }
}

/// `name = :value` in a key condition.
fn equalities<'a>(scope: &Scope<'a>, expression: &str) -> Vec<(Cow<'a, str>, Found<'a>)> {
    let Some(values) = scope.input.collection("ExpressionAttributeValues") else { return Vec::new() };
    let spaced = spaced(expression);
    let mut words = spaced.split_ascii_whitespace();
    let (mut equal, mut before) = (Vec::new(), "");
    while let Some(word) = words.next() {
        // What stands behind a sign is looked at once more, as what stands before the next.
        if word == "="
            && !before.is_empty()
            && let Some(value) = words.clone().next().and_then(|name| values.get(name)).and_then(scalar)
        {
            equal.push((resolved(scope, before), value));
        }
        before = word;
    }
    equal
}

/// A text whose words have spaces between them, and no brackets.
fn spaced(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '=' => spaced.push_str(" = "),
            '(' | ')' | '[' | ']' | ',' => spaced.push(' '),
            c => spaced.push(c),
        }
    }
    spaced
}

/// The attributes that are named, at their top level.
pub(super) fn attributes<'a>(scope: &Scope<'a>, given: Vec<Vec<Found<'a>>>) -> Values<'a> {
    let mut names: Vec<Cow<'a, str>> = Vec::new();
    for found in all(given) {
        match found {
            Found::Tree(map) => {
                for (name, _) in entries(map) {
                    add(&mut names, Cow::Borrowed(name));
                }
            }
            // A name alone may be any text, an expression has signs.
            Found::Text(text) if !text.contains([' ', ',', '(', '.', '[', '#']) => add(&mut names, text),
            Found::Text(expression) => add_of_expression(scope, &expression, &mut names),
        }
    }
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        found.push(Found::Text(name));
    }
    Values::Known(found)
}

/// Puts a name into its place among others, unless it is there.
fn add<'a>(names: &mut Vec<Cow<'a, str>>, name: Cow<'a, str>) {
    if let Err(place) = names.binary_search(&name) {
        names.insert(place, name);
    }
}

fn add_of_expression<'a>(scope: &Scope<'a>, expression: &str, names: &mut Vec<Cow<'a, str>>) {
    let is_part = |c: char| c.is_alphanumeric() || "_-#:.[]".contains(c);
    for word in expression.split(|c| !is_part(c)) {
        let is_name = !word.is_empty()
            && !word.starts_with(':')
            && !WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
            && !word.chars().all(|c| "-.[]".contains(c));
        if is_name {
            add(names, resolved(scope, word.split(['.', '[']).next().unwrap_or(word)));
        }
    }
}

/// A name, or what `#name` stands for.
fn resolved<'a>(scope: &Scope<'a>, name: &str) -> Cow<'a, str> {
    static NAMES: LazyLock<[Path<'static>; 7]> = LazyLock::new(|| {
        [
            "ExpressionAttributeNames",
            "RequestItems{*}.ExpressionAttributeNames",
            "TransactItems[].ConditionCheck.ExpressionAttributeNames",
            "TransactItems[].Delete.ExpressionAttributeNames",
            "TransactItems[].Get.ExpressionAttributeNames",
            "TransactItems[].Put.ExpressionAttributeNames",
            "TransactItems[].Update.ExpressionAttributeNames",
        ]
        .map(Path::read)
    });
    if name.starts_with('#') {
        for path in &*NAMES {
            for found in scope.find(path) {
                if let Found::Tree(names) = found
                    && let Some(known) = names.get(name).and_then(Value::as_str)
                {
                    return Cow::Borrowed(known);
                }
            }
        }
    }
    Cow::Owned(name.to_owned())
}

/// `{"S": "x"}`, `{"N": "1"}`, `{"B": "…"}`
fn scalar(attribute: &Value) -> Option<Found<'_>> {
    let (_, value) = attribute.as_object()?.iter().next()?;
    Some(Found::Text(Cow::Borrowed(value.as_str()?)))
}

/// The name of the partition key of the tables that a request is about, where the endpoint has seen them made.
fn partition_key(scope: &Scope<'_>) -> Option<String> {
    static TABLES: LazyLock<[Path<'static>; 7]> = LazyLock::new(|| {
        [
            "TableName",
            "RequestItems{}",
            "TransactItems[].ConditionCheck.TableName",
            "TransactItems[].Delete.TableName",
            "TransactItems[].Get.TableName",
            "TransactItems[].Put.TableName",
            "TransactItems[].Update.TableName",
        ]
        .map(Path::read)
    });
    let mut names = Vec::new();
    for path in &*TABLES {
        for found in scope.find(path) {
            let Found::Text(table) = found else { continue };
            names.push(scope.endpoint.told.partition_key(table.rsplit('/').next().unwrap_or(&table))?);
        }
    }
    names.dedup();
    if names.len() == 1 { names.pop() } else { None }
}

/// The partition key of a new table.
pub(crate) fn partition_key_of_new(request: &Value) -> Option<(&str, &str)> {
    let schema = request.get("KeySchema")?.as_array()?;
    let hash = schema.iter().find(|key| key.get("KeyType").and_then(Value::as_str) == Some("HASH"))?;
    Some((request.get("TableName")?.as_str()?, hash.get("AttributeName")?.as_str()?))
}

/// `SELECT … FROM "t"."index"`, `INSERT INTO "t"`, `UPDATE "t"`, `DELETE FROM "t"`.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.html>
pub(super) fn partiql_table(statement: &str) -> Option<String> {
    let is_before_table =
        |word: &str| ["from", "into", "update"].iter().any(|known| word.eq_ignore_ascii_case(known));
    let mut rest = statement;
    let name = loop {
        let (word, after) =
            rest.trim_ascii_start().split_once(|c: char| c.is_ascii_whitespace() || c == '(')?;
        if is_before_table(word) {
            break after.trim_ascii_start();
        }
        rest = after;
    };
    match name.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().map(str::to_owned),
        None => name.split(['.', '(', ')', ';', ' ']).next().map(str::to_owned),
    }
}

/// Whether a `SELECT` reads a whole table: nothing in it says which partition key.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html>
pub(super) fn full_table_scan<'a>(scope: &Scope<'a>, given: Vec<Vec<Found<'a>>>) -> Values<'a> {
    let mut answers = Vec::new();
    for found in all(given) {
        let Found::Text(statement) = found else { continue };
        let spaced = spaced(&statement);
        let mut words: Vec<&str> = Vec::new();
        for word in spaced.split_ascii_whitespace() {
            words.push(word.trim_matches('"'));
        }
        let is = |word: &str, known: &str| word.eq_ignore_ascii_case(known);
        if !words.first().is_some_and(|word| is(word, "SELECT")) {
            continue;
        }
        let (_, condition) =
            words.split_at(words.iter().position(|word| is(word, "WHERE")).unwrap_or(words.len()));
        let table = partiql_table(&statement).unwrap_or_default();
        let answer = match scope.endpoint.told.partition_key(&table) {
            _ if condition.is_empty() => "true",
            Some(key) if !condition.iter().any(|word| is(word, "OR") || is(word, "NOT")) => {
                let names_it = |pair: &[&str]| matches!(pair, [name, sign] if *name == key && (*sign == "=" || is(sign, "IN")));
                if condition.windows(2).any(names_it) { "false" } else { "true" }
            }
            _ => return Values::Unknown,
        };
        answers.push(Found::Text(Cow::Borrowed(answer)));
    }
    Values::Known(answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_a_partiql_statement_is_found() {
        for (statement, table) in [
            ("SELECT a FROM \"Music\".\"Index\" WHERE x = 1", Some("Music")),
            ("select * from Music.Index", Some("Music")),
            ("INSERT INTO \"My Table\" VALUE {'a': 1}", Some("My Table")),
            ("UPDATE Music SET a = 1", Some("Music")),
            ("DELETE FROM \"Music\"", Some("Music")),
            ("EXISTS(SELECT * FROM Music WHERE x = 1)", Some("Music")),
            ("EXPLAIN", None),
        ] {
            assert_eq!(partiql_table(statement).as_deref(), table, "{statement}");
        }
    }
}
