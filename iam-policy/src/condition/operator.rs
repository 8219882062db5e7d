//! The condition operators: one table that parsing, evaluation and printing read.

use std::cmp::Ordering;
use std::fmt;

use crate::pattern::Wildcards;

/// A condition operator with its affixes: `ForAnyValue:StringLikeIfExists`.
///
/// See [IAM JSON policy elements: Condition operators](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Operator {
    pub(crate) quantifier: Option<Quantifier>,
    pub(crate) comparison: &'static Comparison,
    pub(crate) if_exists: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Quantifier {
    ForAllValues,
    ForAnyValue,
}

/// A row of the table.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) name: &'static str,
    pub(crate) test: Test,
    /// The test must fail for every value: `Not…`.
    pub(crate) negated: bool,
}

/// How one value of the policy is compared with one of the request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Test {
    Arn,
    Binary,
    Bool,
    Date(Relation),
    Ip,
    Null,
    Number(Relation),
    Text { wildcards: Wildcards, fold: bool },
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Relation {
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

const fn is(name: &'static str, test: Test) -> Comparison {
    Comparison { name, test, negated: false }
}

const fn is_not(name: &'static str, test: Test) -> Comparison {
    Comparison { name, test, negated: true }
}

const EXACT: Test = Test::Text { wildcards: Wildcards::None, fold: false };
const FOLDED: Test = Test::Text { wildcards: Wildcards::None, fold: true };
const LIKE: Test = Test::Text { wildcards: Wildcards::Free, fold: false };

/// In the order of AWS's page.
pub(crate) static COMPARISONS: [Comparison; 27] = [
    is("StringEquals", EXACT),
    is_not("StringNotEquals", EXACT),
    is("StringEqualsIgnoreCase", FOLDED),
    is_not("StringNotEqualsIgnoreCase", FOLDED),
    is("StringLike", LIKE),
    is_not("StringNotLike", LIKE),
    is("NumericEquals", Test::Number(Relation::Equal)),
    is_not("NumericNotEquals", Test::Number(Relation::Equal)),
    is("NumericLessThan", Test::Number(Relation::Less)),
    is("NumericLessThanEquals", Test::Number(Relation::LessOrEqual)),
    is("NumericGreaterThan", Test::Number(Relation::Greater)),
    is("NumericGreaterThanEquals", Test::Number(Relation::GreaterOrEqual)),
    is("DateEquals", Test::Date(Relation::Equal)),
    is_not("DateNotEquals", Test::Date(Relation::Equal)),
    is("DateLessThan", Test::Date(Relation::Less)),
    is("DateLessThanEquals", Test::Date(Relation::LessOrEqual)),
    is("DateGreaterThan", Test::Date(Relation::Greater)),
    is("DateGreaterThanEquals", Test::Date(Relation::GreaterOrEqual)),
    is("Bool", Test::Bool),
    is("BinaryEquals", Test::Binary),
    is("IpAddress", Test::Ip),
    is_not("NotIpAddress", Test::Ip),
    is("ArnEquals", Test::Arn),
    is_not("ArnNotEquals", Test::Arn),
    is("ArnLike", Test::Arn),
    is_not("ArnNotLike", Test::Arn),
    is("Null", Test::Null),
];

impl Operator {
    /// Reads an operator's name; `None` when there is no such operator.
    ///
    /// Case counts: no AWS page says that it does not, and what is not surely an operator is refused.
    pub(crate) fn parse(name: &str) -> Option<Operator> {
        let (quantifier, rest) = match name.split_once(':') {
            None => (None, name),
            Some((prefix, rest)) => {
                let quantifiers = [Quantifier::ForAllValues, Quantifier::ForAnyValue];
                let named = |quantifier: &Quantifier| quantifier.name() == prefix;
                (Some(quantifiers.into_iter().find(named)?), rest)
            }
        };
        let find = |name: &str| COMPARISONS.iter().find(|row| row.name == name);
        let exact = find(rest);
        let (comparison, if_exists) =
            (exact.or_else(|| find(rest.strip_suffix(IF_EXISTS)?))?, exact.is_none());
        let operator = Operator { quantifier, comparison, if_exists };
        // "You can add IfExists to the end of any condition operator name except the Null condition."
        let null_if_exists = operator.if_exists && operator.comparison.test == Test::Null;
        (!null_if_exists).then_some(operator)
    }

    /// The names that a slip could have meant: `written` decides which affixes they get.
    pub(crate) fn candidates(written: &str) -> Vec<String> {
        let (prefix, rest) = match written.split_once(':') {
            None => ("", written),
            Some((prefix, rest)) => {
                let all = prefix.to_ascii_lowercase().contains("all");
                let quantifier = if all { Quantifier::ForAllValues } else { Quantifier::ForAnyValue };
                (quantifier.name(), rest)
            }
        };
        let separator = if prefix.is_empty() { "" } else { ":" };
        let suffix = if rest.to_ascii_lowercase().contains("exist") { IF_EXISTS } else { "" };
        COMPARISONS.iter().map(|row| format!("{prefix}{separator}{}{suffix}", row.name)).collect()
    }
}

const IF_EXISTS: &str = "IfExists";

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(quantifier) = self.quantifier {
            write!(f, "{}:", quantifier.name())?;
        }
        f.write_str(self.comparison.name)?;
        if self.if_exists { f.write_str(IF_EXISTS) } else { Ok(()) }
    }
}

impl Quantifier {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Quantifier::ForAllValues => "ForAllValues",
            Quantifier::ForAnyValue => "ForAnyValue",
        }
    }
}

impl Test {
    /// What the values of such a comparison are called in a message.
    pub(crate) fn value_name(self) -> &'static str {
        match self {
            Test::Arn => "an ARN",
            Test::Binary => "base64",
            Test::Bool | Test::Null => "`true` or `false`",
            Test::Date(_) => "a date",
            Test::Ip => "an IP address or range",
            Test::Number(_) => "a number",
            Test::Text { .. } => "a string",
        }
    }

    pub(crate) fn value_example(self) -> &'static str {
        match self {
            Test::Arn => "an ARN has six parts: `arn:aws:s3:::bucket/*`",
            Test::Binary => "write the bytes in base64: `QmluYXJ5`",
            Test::Bool | Test::Null => "write `\"true\"` or `\"false\"`",
            Test::Date(_) => "write `2030-01-31T12:00:00Z`, or seconds since 1970",
            Test::Ip => "write `203.0.113.0/24` or `2001:db8::/32`",
            Test::Number(_) => "write `10` or `2.5`",
            Test::Text { .. } => "write a string in quotes",
        }
    }
}

impl Relation {
    /// Whether a request's value stands in this relation to the policy's.
    pub(crate) fn holds(self, ordering: Ordering) -> bool {
        match self {
            Relation::Equal => ordering.is_eq(),
            Relation::Greater => ordering.is_gt(),
            Relation::GreaterOrEqual => ordering.is_ge(),
            Relation::Less => ordering.is_lt(),
            Relation::LessOrEqual => ordering.is_le(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operator_reads_back_from_its_name_with_every_affix() {
        for row in &COMPARISONS {
            for quantifier in [None, Some(Quantifier::ForAllValues), Some(Quantifier::ForAnyValue)] {
                for if_exists in [false, true] {
                    let operator = Operator { quantifier, comparison: row, if_exists };
                    let expected = (!(row.test == Test::Null && if_exists)).then_some(operator);
                    assert_eq!(Operator::parse(&operator.to_string()), expected, "{operator}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_an_operator_is_not_read() {
        for name in [
            "",
            "StringFrobs",
            "ForSomeValues:StringEquals",
            "IfExists",
            "NullIfExists",
            "StringEqualsIfExist",
            "stringequals",
            "é",
        ] {
            assert_eq!(Operator::parse(name), None, "{name}");
        }
    }
}
