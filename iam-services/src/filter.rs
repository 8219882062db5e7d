//! Patterns by which messages and events are filtered: SNS's filter policies, EventBridge's event patterns.
//!
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html>,
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>

use std::net::IpAddr;

use serde_json::{Map, Value};

/// What a message or an event must be like.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    members: Vec<(String, Rule)>,
    /// Of each `$or`, one pattern must fit.
    alternatives: Vec<Vec<Pattern>>,
}

/// What a member must be like.
#[derive(Clone, Debug)]
enum Rule {
    /// One of these must hold.
    OneOf(Vec<Test>),
    Within(Pattern),
}

#[derive(Clone, Debug)]
enum Test {
    /// None of these may hold.
    AnythingBut(Vec<Test>),
    Cidr(IpAddr, u32),
    EqualsIgnoreCase(String),
    Exists(bool),
    Is(Value),
    Numeric(Vec<(Comparison, f64)>),
    Prefix(Affix),
    Suffix(Affix),
    Wildcard(String),
}

#[derive(Clone, Copy, Debug)]
enum Comparison {
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// How a text begins or ends.
#[derive(Clone, Debug)]
struct Affix {
    text: String,
    ignores_case: bool,
}

impl Pattern {
    /// Reads a pattern; an error says what is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(members)) => Self::read(&members),
            Ok(_) => Err("it is not a JSON object".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn read(pattern: &Map<String, Value>) -> Result<Self, String> {
        if pattern.is_empty() {
            return Err("empty objects are not allowed".to_owned());
        }
        let (mut members, mut alternatives) = (Vec::new(), Vec::new());
        for (name, value) in pattern {
            match value {
                Value::Array(patterns) if name == "$or" && patterns.len() > 1 => {
                    let read = |pattern: &Value| match pattern {
                        Value::Object(members) => Self::read(members),
                        _ => Err("`$or` is a list of objects".to_owned()),
                    };
                    alternatives.push(patterns.iter().map(read).collect::<Result<_, _>>()?);
                }
                Value::Array(tests) if !tests.is_empty() => {
                    let tests = tests.iter().map(Test::read).collect::<Result<_, _>>()?;
                    members.push((name.clone(), Rule::OneOf(tests)));
                }
                Value::Array(_) => return Err("empty arrays are not allowed".to_owned()),
                Value::Object(pattern) => members.push((name.clone(), Rule::Within(Self::read(pattern)?))),
                _ => return Err(format!("\"{name}\" must be an object or an array")),
            }
        }
        Ok(Self { members, alternatives })
    }

    pub(crate) fn matches(&self, message: &Map<String, Value>) -> bool {
        self.members.iter().all(|(name, rule)| rule.holds(message.get(name)))
            && self.alternatives.iter().all(|patterns| patterns.iter().any(|one| one.matches(message)))
    }
}

impl Rule {
    fn holds(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::OneOf(tests), value) => tests.iter().any(|test| test.holds(value)),
            (Self::Within(pattern), Some(Value::Array(items))) => {
                items.iter().filter_map(Value::as_object).any(|item| pattern.matches(item))
            }
            // What is not there has no members: all that can be asked of them is that they are not there.
            (Self::Within(pattern), value) => {
                pattern.matches(value.and_then(Value::as_object).unwrap_or(&Map::new()))
            }
        }
    }
}

impl Test {
    fn read(value: &Value) -> Result<Self, String> {
        let Value::Object(expression) = value else {
            return if value.is_array() {
                Err("a list in a list of values".to_owned())
            } else {
                Ok(Self::Is(value.clone()))
            };
        };
        let mut all = expression.iter();
        let (Some((name, value)), None) = (all.next(), all.next()) else {
            return Err("a match expression has one member".to_owned());
        };
        let text = || value.as_str().map(str::to_owned).ok_or_else(|| format!("`{name}` takes a string"));
        Ok(match name.as_str() {
            "anything-but" => Self::AnythingBut(Self::read_excluded(value)?),
            "cidr" => {
                let text = text()?;
                let parts = text.split_once('/');
                let parsed =
                    parts.and_then(|(address, bits)| Some((address.parse().ok()?, bits.parse().ok()?)));
                let longest = |address: &IpAddr| if address.is_ipv4() { 32 } else { 128 };
                match parsed.filter(|(address, bits)| *bits <= longest(address)) {
                    Some((address, bits)) => Self::Cidr(address, bits),
                    None => return Err(format!("`{text}` is no CIDR")),
                }
            }
            "equals-ignore-case" => Self::EqualsIgnoreCase(text()?),
            "exists" => Self::Exists(value.as_bool().ok_or("`exists` takes true or false")?),
            "numeric" => Self::Numeric(read_comparisons(value)?),
            "prefix" => Self::Prefix(Affix::read(name, value)?),
            "suffix" => Self::Suffix(Affix::read(name, value)?),
            "wildcard" => Self::Wildcard(text()?),
            _ => return Err(format!("unrecognized match type {name}")),
        })
    }

    /// One value, a list of values, or one test of texts that may have a list too.
    fn read_excluded(value: &Value) -> Result<Vec<Self>, String> {
        match value {
            Value::Array(values) if !values.is_empty() => values.iter().map(Self::read).collect(),
            Value::Object(test) => {
                let Some((name, Value::Array(values))) = test.iter().next() else {
                    return Ok(vec![Self::read(value)?]);
                };
                let each = |value: &Value| {
                    Self::read(&Value::Object([(name.clone(), value.clone())].into_iter().collect()))
                };
                values.iter().map(each).collect()
            }
            _ => Ok(vec![Self::read(value)?]),
        }
    }

    /// Of a list, one item is enough.
    fn holds(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::Exists(exists), value) => value.is_some_and(|value| !value.is_object()) == *exists,
            (_, None) => false,
            (_, Some(Value::Array(items))) => items.iter().any(|item| self.holds_for(item)),
            (_, Some(value)) => self.holds_for(value),
        }
    }

    fn holds_for(&self, value: &Value) -> bool {
        let text = value.as_str();
        match self {
            Self::AnythingBut(tests) => !value.is_object() && !tests.iter().any(|test| test.holds_for(value)),
            Self::Cidr(network, bits) => text
                .and_then(|text| text.parse::<IpAddr>().ok())
                .is_some_and(|address| is_in(address, *network, *bits)),
            Self::EqualsIgnoreCase(wanted) => {
                text.is_some_and(|text| text.to_lowercase() == wanted.to_lowercase())
            }
            Self::Exists(exists) => *exists,
            Self::Is(wanted) => match (wanted.as_f64(), value.as_f64()) {
                (Some(wanted), Some(number)) => Comparison::Equal.holds(number, wanted),
                _ => wanted == value,
            },
            Self::Numeric(comparisons) => value.as_f64().is_some_and(|number| {
                comparisons.iter().all(|(comparison, bound)| comparison.holds(number, *bound))
            }),
            Self::Prefix(affix) => {
                text.is_some_and(|text| affix.in_case(text).starts_with(&*affix.in_case(&affix.text)))
            }
            Self::Suffix(affix) => {
                text.is_some_and(|text| affix.in_case(text).ends_with(&*affix.in_case(&affix.text)))
            }
            Self::Wildcard(pattern) => text.is_some_and(|text| is_like(text, pattern)),
        }
    }
}

impl Affix {
    /// `"x"`, or `{"equals-ignore-case": "x"}`.
    fn read(name: &str, value: &Value) -> Result<Self, String> {
        let inner = value.get("equals-ignore-case");
        let text = inner.unwrap_or(value).as_str().ok_or_else(|| format!("`{name}` takes a string"))?;
        Ok(Self { text: text.to_owned(), ignores_case: inner.is_some() })
    }

    fn in_case<'t>(&self, text: &'t str) -> std::borrow::Cow<'t, str> {
        if self.ignores_case { text.to_lowercase().into() } else { text.into() }
    }
}

impl Comparison {
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "=" => Self::Equal,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            _ => return None,
        })
    }

    fn holds(self, number: f64, bound: f64) -> bool {
        match self {
            Self::Equal => number.total_cmp(&bound).is_eq(),
            Self::Greater => number > bound,
            Self::GreaterOrEqual => number >= bound,
            Self::Less => number < bound,
            Self::LessOrEqual => number <= bound,
        }
    }
}

/// `[">", 0, "<=", 150]`
fn read_comparisons(value: &Value) -> Result<Vec<(Comparison, f64)>, String> {
    let pairs = value.as_array().map_or(&[][..], Vec::as_slice).chunks(2);
    let read = |pair: &[Value]| match pair {
        [comparison, bound] => Some((Comparison::read(comparison.as_str()?)?, bound.as_f64()?)),
        _ => None,
    };
    let read: Option<Vec<_>> = pairs.map(read).collect();
    read.filter(|all| (1..=2).contains(&all.len()))
        .ok_or_else(|| "`numeric` takes one or two comparisons with numbers".to_owned())
}

fn is_in(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let differ = address.to_bits() ^ network.to_bits();
            differ.leading_zeros() >= bits
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let differ = address.to_bits() ^ network.to_bits();
            differ.leading_zeros() >= bits
        }
        _ => false,
    }
}

/// `*` is any text, `\*` and `\\` are themselves.
fn is_like(text: &str, pattern: &str) -> bool {
    let mut signs = pattern.chars();
    let mut parts = vec![String::new()];
    while let Some(sign) = signs.next() {
        let sign = match sign {
            '*' => {
                parts.push(String::new());
                continue;
            }
            '\\' => signs.next().unwrap_or('\\'),
            sign => sign,
        };
        if let Some(part) = parts.last_mut() {
            part.push(sign);
        }
    }
    let [first, between @ .., last] = parts.as_slice() else {
        return parts.concat() == text;
    };
    let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
    for part in between {
        match rest.split_once(part.as_str()) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(pattern: &Value, message: &Value, expected: bool) {
        let parsed = Pattern::parse(&pattern.to_string()).expect("a pattern");
        assert_eq!(
            parsed.matches(message.as_object().expect("an object")),
            expected,
            "{pattern} on {message}"
        );
    }

    #[test]
    fn each_member_must_fit_and_one_value_of_each_is_enough() {
        let pattern =
            json!({"source": ["shop", "app"], "detail": {"price": [{"numeric": [">", 10, "<=", 20]}]}});
        check(&pattern, &json!({"source": "app", "detail": {"price": 20}}), true);
        check(&pattern, &json!({"source": "app", "detail": {"price": 10}}), false);
        check(&pattern, &json!({"source": "app"}), false);
        check(&pattern, &json!({"source": "other", "detail": {"price": 20}}), false);
        check(&json!({"a": ["x"]}), &json!({"a": ["y", "x"]}), true);
        check(&json!({"a": {"b": [1]}}), &json!({"a": [{"b": 2}, {"b": 1.0}]}), true);
        check(&json!({"a": [null]}), &json!({"a": null}), true);
        check(&json!({"a": [null]}), &json!({}), false);
    }

    #[test]
    fn match_expressions_are_those_of_aws() {
        for (test, fits, not) in [
            (json!({"prefix": "ab"}), json!("abc"), json!("xab")),
            (json!({"prefix": {"equals-ignore-case": "AB"}}), json!("abc"), json!("bc")),
            (json!({"suffix": "c"}), json!("abc"), json!("cb")),
            (json!({"equals-ignore-case": "ABC"}), json!("abc"), json!("ab")),
            (json!({"wildcard": "a*c*e"}), json!("abcde"), json!("abcd")),
            (json!({"wildcard": r"a\*c"}), json!("a*c"), json!("abc")),
            (json!({"anything-but": "a"}), json!("b"), json!("a")),
            (json!({"anything-but": ["a", 1]}), json!(2), json!(1)),
            (json!({"anything-but": {"prefix": "a"}}), json!("b"), json!("ab")),
            (json!({"anything-but": {"wildcard": ["a*", "*b"]}}), json!("c"), json!("xb")),
            (json!({"cidr": "10.0.0.0/24"}), json!("10.0.0.255"), json!("10.0.1.0")),
            (json!({"cidr": "::/0"}), json!("::1"), json!("1.2.3.4")),
            (json!({"numeric": ["=", 3]}), json!(3.0), json!("3")),
        ] {
            let pattern = json!({"a": [test]});
            check(&pattern, &json!({ "a": fits }), true);
            check(&pattern, &json!({ "a": not }), false);
            check(&pattern, &json!({}), false);
        }
        check(&json!({"a": [{"exists": false}]}), &json!({"b": 1}), true);
        check(&json!({"a": [{"exists": true}]}), &json!({"a": ""}), true);
        check(&json!({"a": {"b": [{"exists": false}]}}), &json!({}), true);
        let either = json!({"$or": [{"a": [1]}, {"b": [2]}], "c": [3]});
        check(&either, &json!({"b": 2, "c": 3}), true);
        check(&either, &json!({"b": 1, "c": 3}), false);
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for wrong in [
            "",
            "[]",
            "{}",
            r#"{"a": "b"}"#,
            r#"{"a": []}"#,
            r#"{"a": {}}"#,
            r#"{"a": [["b"]]}"#,
            r#"{"a": [{"starts-with": "b"}]}"#,
            r#"{"a": [{"numeric": [">", "1"]}]}"#,
            r#"{"a": [{"cidr": "1.2.3.4/33"}]}"#,
            r#"{"a": [{"prefix": "a", "suffix": "b"}]}"#,
        ] {
            assert!(Pattern::parse(wrong).is_err(), "{wrong}");
        }
    }
}
