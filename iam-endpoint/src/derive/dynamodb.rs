//! DynamoDB's condition keys: the partition key's values, and the attributes that a request touches.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html>

use std::borrow::Cow;
use std::sync::LazyLock;

use serde_json::Value;

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
    for found in given.into_iter().flatten() {
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
    for found in given.into_iter().flatten() {
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
    match equal.len() {
        1 => Values::Known(equal.into_iter().map(|(_, value)| value).collect()),
        _ => Values::Unknown,
    }
}

/// `name = :value` in a key condition.
fn equalities<'a>(scope: &Scope<'a>, expression: &str) -> Vec<(Cow<'a, str>, Found<'a>)> {
    let spaced = expression.replace('=', " = ").replace(['(', ')'], " ");
    let words: Vec<&str> = spaced.split_ascii_whitespace().collect();
    let read = |window: &[&str]| match window {
        [name, "=", value] => {
            let value = scope.input.collection("ExpressionAttributeValues")?.get(value).and_then(scalar)?;
            Some((resolved(scope, name), value))
        }
        _ => None,
    };
    words.windows(3).filter_map(read).collect()
}

/// The attributes that are named, at their top level.
pub(super) fn attributes<'a>(scope: &Scope<'a>, given: Vec<Vec<Found<'a>>>) -> Values<'a> {
    let mut names: Vec<Cow<'a, str>> = Vec::new();
    for found in given.into_iter().flatten() {
        match found {
            Found::Tree(map) => names.extend(entries(map).into_iter().map(|(name, _)| Cow::Borrowed(name))),
            // A name alone may be any text, an expression has signs.
            Found::Text(text) if !text.contains([' ', ',', '(', '.', '[', '#']) => names.push(text),
            Found::Text(expression) => names.extend(in_expression(scope, &expression)),
        }
    }
    names.sort_unstable();
    names.dedup();
    Values::Known(names.into_iter().map(Found::Text).collect())
}

fn in_expression<'a>(scope: &Scope<'a>, expression: &str) -> Vec<Cow<'a, str>> {
    let is_part = |c: char| c.is_alphanumeric() || "_-#:.[]".contains(c);
    let words = expression.split(move |c| !is_part(c));
    let is_name = |word: &&str| {
        !word.is_empty()
            && !word.starts_with(':')
            && !WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
            && !word.chars().all(|c| "-.[]".contains(c))
    };
    words.filter(is_name).map(|word| resolved(scope, word.split(['.', '[']).next().unwrap_or(word))).collect()
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
    let known = |path| {
        scope.find(path).into_iter().find_map(|found| match found {
            Found::Tree(names) => names.get(name)?.as_str(),
            Found::Text(_) => None,
        })
    };
    let known = name.starts_with('#').then(|| NAMES.iter().find_map(known)).flatten();
    known.map_or_else(|| Cow::Owned(name.to_owned()), Cow::Borrowed)
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
        for table in scope.find(path).into_iter().filter_map(Found::text) {
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
    for statement in given.into_iter().flatten().filter_map(Found::text) {
        let spaced = statement.replace('=', " = ").replace(['(', ')', '[', ']', ','], " ");
        let words: Vec<&str> = spaced.split_ascii_whitespace().map(|word| word.trim_matches('"')).collect();
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
