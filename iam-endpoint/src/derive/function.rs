//! The value shapes of AWS's APIs that are no plain member: the functions that the table may call.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::scope::{Scope, Values};
use crate::input::{Found, entries};

/// A function of the table.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) run: for<'a> fn(&Scope<'a>, Vec<Vec<Found<'a>>>) -> Values<'a>,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// All functions, by name. `x` is the first argument, each of whose texts gives one value.
#[rustfmt::skip]
pub(crate) const FUNCTIONS: &[Function] = &[
    // What stands before or after the first such text in `x`; `x` itself where there is none, or nothing for `after`.
    Function { name: "after", run: |_, given| each_with(&given, |text, sign| text.split_once(sign).map(|(_, after)| after.to_owned())) },
    // The part of an ARN or a path behind its last `/` or `:`.
    Function { name: "arn_tail", run: |_, given| each(&given, |text| text.rsplit(['/', ':']).next().map(str::to_owned)) },
    Function { name: "before", run: |_, given| each_with(&given, |text, sign| Some(text.split(sign).next().unwrap_or(text).to_owned())) },
    // The object that S3's copy source names, as `bucket/key`.
    Function { name: "copy_source", run: |_, given| each(&given, copy_source) },
    // The role in an instance profile, given by ARN or by name.
    Function { name: "instance_profile", run: instance_profile },
    // The keys of a map.
    Function { name: "keys", run: |_, given| Values::Known(given.into_iter().flatten().flat_map(map_keys).collect()) },
    // A KMS key by id or ARN; an alias by its own ARN.
    Function { name: "kms_key", run: kms_key },
    // The partition key's values in DynamoDB keys or items.
    Function { name: "leading_keys", run: leading_keys },
    Function { name: "lower", run: |_, given| each(&given, |text| Some(text.to_ascii_lowercase())) },
    // The table that a PartiQL statement is about.
    Function { name: "partiql_table", run: |_, given| each(&given, partiql_table) },
    // The queue that an SQS URL names, by ARN: it may be in another account.
    Function { name: "queue_name", run: queue },
    // A secret by ARN or by name; a name has six characters more in its ARN.
    Function { name: "secret", run: |_, given| each(&given, secret) },
];

fn texts<'g>(found: &'g [Found<'_>]) -> impl Iterator<Item = &'g str> {
    found.iter().filter_map(|found| match found {
        Found::Text(text) => Some(text.as_ref()),
        Found::Tree(_) => None,
    })
}

fn first<'g, 'a>(given: &'g [Vec<Found<'a>>]) -> &'g [Found<'a>] {
    given.first().map_or(&[], Vec::as_slice)
}

fn each<'a>(given: &[Vec<Found<'a>>], of: impl Fn(&str) -> Option<String>) -> Values<'a> {
    Values::Known(texts(first(given)).filter_map(of).map(|text| Found::Text(Cow::Owned(text))).collect())
}

/// The same with the second argument.
fn each_with<'a>(given: &[Vec<Found<'a>>], of: impl Fn(&str, &str) -> Option<String>) -> Values<'a> {
    let second = given.get(1).into_iter().flat_map(|found| texts(found)).next().unwrap_or_default();
    each(given, |text| of(text, second))
}

fn copy_source(text: &str) -> Option<String> {
    let path = text.split("?versionId=").next().unwrap_or(text);
    Some(percent_decode_str(path.trim_start_matches('/')).decode_utf8().ok()?.into_owned())
}

fn instance_profile<'a>(scope: &Scope<'a>, given: Vec<Vec<Found<'a>>>) -> Values<'a> {
    each(&given, |text| scope.endpoint.role_of_profile(text.rsplit('/').next().unwrap_or(text)))
}

fn kms_key<'a>(scope: &Scope<'a>, given: Vec<Vec<Found<'a>>>) -> Values<'a> {
    each(&given, |text| {
        Some(if text.starts_with("alias/") { scope.arn("kms", text) } else { text.to_owned() })
    })
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html>
///
/// Which of two attributes is the partition key, the table's schema tells, which no request carries.
fn leading_keys<'a>(_: &Scope<'a>, given: Vec<Vec<Found<'a>>>) -> Values<'a> {
    let mut values = Vec::new();
    for found in given.into_iter().flatten() {
        let Found::Tree(key) = found else { continue };
        match entries(key).as_slice() {
            [] => {}
            [(_, attribute)] => values.extend(attribute_value(attribute)),
            _ => return Values::Unknown,
        }
    }
    Values::Known(values)
}

/// `{"S": "x"}`, `{"N": "1"}`, `{"B": "…"}`
fn attribute_value(attribute: &Value) -> Option<Found<'_>> {
    let (_, value) = attribute.as_object()?.iter().next()?;
    Some(Found::Text(Cow::Borrowed(value.as_str()?)))
}

fn map_keys(found: Found<'_>) -> Vec<Found<'_>> {
    match found {
        Found::Text(_) => Vec::new(),
        Found::Tree(map) => {
            entries(map).into_iter().map(|(key, _)| Found::Text(Cow::Borrowed(key))).collect()
        }
    }
}

/// `SELECT … FROM "t"."index"`, `INSERT INTO "t"`, `UPDATE "t"`, `DELETE FROM "t"`.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.html>
fn partiql_table(statement: &str) -> Option<String> {
    let is_before_table =
        |word: &str| ["from", "into", "update"].iter().any(|known| word.eq_ignore_ascii_case(known));
    let mut rest = statement;
    let name = loop {
        let (word, after) = rest.trim_ascii_start().split_once(|c: char| c.is_ascii_whitespace())?;
        if is_before_table(word) {
            break after.trim_ascii_start();
        }
        rest = after;
    };
    match name.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().map(str::to_owned),
        None => name.split(['.', '(', ';', ' ']).next().map(str::to_owned),
    }
}

fn queue<'a>(scope: &Scope<'a>, given: Vec<Vec<Found<'a>>>) -> Values<'a> {
    each(&given, |url| {
        let mut parts = url.trim_end_matches('/').rsplit('/');
        let name = parts.next().filter(|name| !name.is_empty())?;
        let account =
            parts.next().filter(|part| part.len() == 12 && part.bytes().all(|b| b.is_ascii_digit()));
        let (partition, region) = (scope.endpoint.partition, scope.region);
        Some(format!("arn:{partition}:sqs:{region}:{}:{name}", account.unwrap_or(scope.account)))
    })
}

/// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html>
fn secret(name: &str) -> Option<String> {
    if name.starts_with("arn:") {
        return Some(name.to_owned());
    }
    Some(format!("{name}-{}", secret_suffix(name)))
}

/// Six characters as AWS appends them at random to a secret's name; ours are always the same for a name.
pub(crate) fn secret_suffix(name: &str) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    // FNV-1a: nothing is kept safe by it.
    let mut hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let next = || {
        let digit = usize::try_from(hash % 62).unwrap_or_default();
        hash /= 62;
        ALPHABET.get(digit).map_or('A', |byte| char::from(*byte))
    };
    std::iter::repeat_with(next).take(6).collect()
}

impl Scope<'_> {
    /// An ARN in the caller's account and the request's region.
    fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.endpoint.partition, self.region, self.account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_in_the_order_of_names() {
        assert!(FUNCTIONS.is_sorted_by(|one, next| one.name < next.name));
    }

    #[test]
    fn the_table_of_a_partiql_statement_is_found() {
        for (statement, table) in [
            ("SELECT a FROM \"Music\".\"Index\" WHERE x = 1", Some("Music")),
            ("select * from Music.Index", Some("Music")),
            ("INSERT INTO \"My Table\" VALUE {'a': 1}", Some("My Table")),
            ("UPDATE Music SET a = 1", Some("Music")),
            ("DELETE FROM \"Music\"", Some("Music")),
            ("EXPLAIN", None),
        ] {
            assert_eq!(partiql_table(statement).as_deref(), table, "{statement}");
        }
    }

    #[test]
    fn a_name_of_a_secret_has_always_the_same_suffix() {
        let full = secret("prod/db").unwrap();
        assert_eq!(full.len(), "prod/db-".len() + 6);
        assert_eq!(secret("prod/db"), Some(full));
        assert_eq!(secret("arn:aws:x").as_deref(), Some("arn:aws:x"));
    }
}
