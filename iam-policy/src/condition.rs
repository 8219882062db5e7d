//! Conditions: one operator, one key, and the values that it is compared with.
//!
//! ```text
//! "ForAnyValue:StringLikeIfExists": { "aws:TagKeys": ["team", "stage-*"] }
//!  └─ operator                        └─ key          └─ operands
//! ```

mod key;
#[cfg(feature = "sets")]
mod limit;
mod operator;
mod value;

use crate::context::Context;
use crate::document::{Effect, Item};
use crate::pattern::{BadVariable, Pattern, Syntax, Wildcards};
use crate::source::Span;
use crate::truth::Truth;

pub use key::{GLOBAL_KEYS, GlobalKey};
pub(crate) use key::{is_known, near_names};
#[cfg(feature = "sets")]
pub(crate) use operator::{COMPARISONS, Comparison, Relation};
pub(crate) use operator::{Operator, Quantifier, Test};
pub(crate) use value::Number;
use value::{Network, Timestamp};

/// One operator on one key, and the values that it is compared with.
#[derive(Debug)]
pub struct Condition {
    pub(crate) operator: Operator,
    pub(crate) key: Box<str>,
    pub(crate) key_span: Span,
    /// The values that the key is compared with, as the operator reads them.
    pub(crate) values: Vec<Item<Operand>>,
    /// The place of the value or the list of values.
    pub(crate) span: Span,
}

/// A value of a condition, as its operator reads it.
#[derive(Debug)]
pub(crate) enum Operand {
    Binary(Vec<u8>),
    Bool(bool),
    Date(Timestamp),
    Ip(Network),
    Number(Number),
    Text(Pattern),
}

/// Why a text is not an operand.
pub(crate) enum BadOperand {
    Type,
    Variable(Box<BadVariable>),
}

impl Operand {
    pub(crate) fn parse(text: &str, by: Test, variables: bool) -> Result<Operand, BadOperand> {
        let operand = match by {
            Test::Arn => {
                return Operand::pattern(text, Syntax { wildcards: Wildcards::Arn, variables, fold: false });
            }
            Test::Text { wildcards, fold } => {
                return Operand::pattern(text, Syntax { wildcards, variables, fold });
            }
            Test::Binary => value::decode_base64(text).map(Operand::Binary),
            Test::Bool | Test::Null => value::parse_bool(text).map(Operand::Bool),
            Test::Date(_) => Timestamp::parse(text).map(Operand::Date),
            Test::Ip => Network::parse(text).map(Operand::Ip),
            Test::Number(_) => Number::parse(text).map(Operand::Number),
        };
        operand.ok_or(BadOperand::Type)
    }

    fn pattern(text: &str, syntax: Syntax) -> Result<Operand, BadOperand> {
        Pattern::compile(text, syntax).map(Operand::Text).map_err(BadOperand::Variable)
    }

    /// The number that the operand is compared by; of a date, its seconds.
    pub(crate) fn as_number(&self) -> Option<f64> {
        match self {
            Operand::Date(date) => Some(date.seconds()),
            Operand::Number(number) => Some(number.float()),
            _ => None,
        }
    }

    pub(crate) fn as_pattern(&self) -> Option<&Pattern> {
        match self {
            Operand::Text(pattern) => Some(pattern),
            _ => None,
        }
    }
}

impl Condition {
    /// Whether a request meets the condition.
    ///
    /// AWS's rules for keys that a request lacks are on
    /// [Condition operators](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html) and
    /// [Set operators](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html).
    /// Two cases are on no page, and are taken to the denying side of the statement's effect: a key with several values under
    /// an operator without set operator, and a value of the request that the operator cannot read.
    #[inline]
    pub(crate) fn holds(&self, context: &Context, effect: Effect) -> Truth {
        match context.lookup(&self.key) {
            None => Truth::uncertain(self.holds_for_absent()),
            Some(values) if self.operator.comparison.test == Test::Null => {
                Truth::certain(self.expects_null(values.is_empty()))
            }
            Some([]) => Truth::certain(self.holds_for_absent()),
            Some(values) => self.holds_for(values, context, effect),
        }
    }

    fn holds_for_absent(&self) -> bool {
        if self.operator.comparison.test == Test::Null {
            return self.expects_null(true);
        }
        match self.operator.quantifier {
            _ if self.operator.if_exists => true,
            Some(Quantifier::ForAllValues) => true,
            Some(Quantifier::ForAnyValue) => false,
            None => self.operator.comparison.negated,
        }
    }

    fn expects_null(&self, is_null: bool) -> bool {
        self.values
            .iter()
            .any(|value| matches!(value.matcher, Operand::Bool(expected) if expected == is_null))
    }

    #[inline]
    fn holds_for(&self, values: &[String], context: &Context, effect: Effect) -> Truth {
        if let (None, [value]) = (self.operator.quantifier, values) {
            return self.holds_for_one(value, context, effect);
        }
        // "or if the key value resolves to a null data set, such as an empty string"
        let null = self.operator.quantifier.is_some() && values.iter().all(String::is_empty);
        if null {
            return Truth::certain(self.holds_for_absent());
        }
        let mut each = values.iter().map(|value| self.holds_for_one(value, context, effect));
        match (self.operator.quantifier, effect) {
            (Some(Quantifier::ForAllValues), _) | (None, Effect::Allow) => Truth::all(&mut each),
            (Some(Quantifier::ForAnyValue), _) | (None, Effect::Deny) => Truth::any(&mut each),
        }
    }

    /// One value of the request against all of the policy: any must match, and under a negated operator none.
    #[inline]
    fn holds_for_one(&self, value: &str, context: &Context, effect: Effect) -> Truth {
        let test = self.operator.comparison.test;
        let matched = match test {
            Test::Arn | Test::Text { fold: false, .. } => self.any_pattern_matches(value, context),
            Test::Text { fold: true, .. } => self.any_pattern_matches(&value.to_lowercase(), context),
            _ => match Subject::read(value, test) {
                Some(subject) => {
                    Truth::certain(self.values.iter().any(|operand| subject.meets(&operand.matcher, test)))
                }
                None => return Truth::certain(effect == Effect::Deny),
            },
        };
        matched.negated_if(self.operator.comparison.negated)
    }

    #[inline]
    fn any_pattern_matches(&self, value: &str, context: &Context) -> Truth {
        Truth::any(self.values.iter().map(|operand| match &operand.matcher {
            Operand::Text(pattern) => pattern.matches(&operand.text, value, context),
            _ => Truth::NO,
        }))
    }

    /// The keys about which nothing is known and on which the condition's answer depends.
    pub(crate) fn unknown_keys<'c>(&'c self, context: &Context, found: &mut Vec<&'c str>) {
        if context.lookup(&self.key).is_none() {
            found.push(&self.key);
        }
        for pattern in self.values.iter().filter_map(|value| value.matcher.as_pattern()) {
            pattern.unknown_keys(context, found);
        }
    }
}

/// A value of the request, as an operator that is not about text reads it.
enum Subject {
    Binary(Vec<u8>),
    Bool(bool),
    Date(Timestamp),
    Ip(Network),
    Number(Number),
}

impl Subject {
    fn read(value: &str, test: Test) -> Option<Subject> {
        match test {
            Test::Arn | Test::Text { .. } => None,
            Test::Binary => value::decode_base64(value).map(Subject::Binary),
            Test::Bool | Test::Null => value::parse_bool(value).map(Subject::Bool),
            Test::Date(_) => Timestamp::parse(value).map(Subject::Date),
            Test::Ip => Network::parse(value).map(Subject::Ip),
            Test::Number(_) => Number::parse(value).map(Subject::Number),
        }
    }

    fn meets(&self, operand: &Operand, test: Test) -> bool {
        match (self, operand, test) {
            (Subject::Binary(value), Operand::Binary(expected), _) => value == expected,
            (Subject::Bool(value), Operand::Bool(expected), _) => value == expected,
            (Subject::Date(value), Operand::Date(limit), Test::Date(relation)) => {
                relation.holds(value.cmp(limit))
            }
            (Subject::Ip(value), Operand::Ip(network), _) => network.contains(*value),
            (Subject::Number(value), Operand::Number(limit), Test::Number(relation)) => {
                relation.holds(value.compare(*limit))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Item;

    fn condition(operator: &str, values: &[&str]) -> Condition {
        let operator = Operator::parse(operator).unwrap();
        let items = values.iter().map(|text| Item {
            text: (*text).into(),
            span: Span::default(),
            matcher: Operand::parse(text, operator.comparison.test, true).ok().unwrap(),
        });
        Condition {
            operator,
            key: "x:k".into(),
            key_span: Span::default(),
            values: items.collect(),
            span: Span::default(),
        }
    }

    /// Whether the condition holds for these values of the key, in a statement that allows.
    fn holds(operator: &str, values: &[&str], of_request: &[&str]) -> bool {
        let mut context = Context::new();
        context.set_many("X:K", of_request.iter().copied());
        condition(operator, values).holds(&context, Effect::Allow).assumed
    }

    #[test]
    fn positive_operators_need_one_value_and_negated_ones_none() {
        assert!(holds("StringEquals", &["a", "b"], &["b"]));
        assert!(!holds("StringNotEquals", &["a", "b"], &["b"]));
        assert!(holds("StringNotEquals", &["a", "b"], &["c"]));
        assert!(!holds("NotIpAddress", &["10.0.0.0/8", "192.0.2.0/24"], &["192.0.2.1"]));
        assert!(!holds("NumericNotEquals", &["1", "2"], &["2.0"]));
        assert!(!holds("DateNotEquals", &["2026-01-01"], &["1767225600"]));
    }

    #[test]
    fn an_absent_key_follows_awss_rules_for_every_affix() {
        for (operator, expected) in [
            ("StringEquals", false),
            ("StringNotEquals", true),
            ("StringEqualsIfExists", true),
            ("StringNotEqualsIfExists", true),
            ("ForAllValues:StringEquals", true),
            ("ForAllValues:StringNotEquals", true),
            ("ForAnyValue:StringEquals", false),
            ("ForAnyValue:StringNotEquals", false),
            ("ForAnyValue:StringEqualsIfExists", true),
            ("ArnNotLike", true),
            ("ArnLike", false),
        ] {
            assert_eq!(holds(operator, &["a"], &[]), expected, "{operator}");
            let unknown = condition(operator, &["a"]).holds(&Context::new(), Effect::Allow);
            assert_eq!(unknown, Truth::uncertain(expected), "{operator}");
        }
        for (operator, value, expected) in [
            ("NumericLessThan", "1", false),
            ("NumericNotEquals", "1", true),
            ("DateGreaterThan", "2020", false),
            ("DateNotEquals", "2020", true),
            ("Bool", "false", false),
            ("BoolIfExists", "true", true),
            ("BinaryEquals", "QQ==", false),
            ("IpAddress", "::/0", false),
            ("NotIpAddress", "::/0", true),
            ("Null", "true", true),
            ("Null", "false", false),
        ] {
            assert_eq!(holds(operator, &[value], &[]), expected, "{operator}");
        }
    }

    #[test]
    fn set_operators_ask_all_or_any_of_the_requests_values() {
        assert!(holds("ForAllValues:StringEquals", &["a", "b"], &["a", "b"]));
        assert!(!holds("ForAllValues:StringEquals", &["a", "b"], &["a", "c"]));
        assert!(holds("ForAnyValue:StringLike", &["a*"], &["x", "ab"]));
        assert!(!holds("ForAnyValue:StringLike", &["a*"], &["x", "y"]));
        assert!(!holds("ForAllValues:StringNotEquals", &["a"], &["a", "b"]));
        assert!(holds("ForAnyValue:StringNotEquals", &["a"], &["a", "b"]));
        assert!(!holds("ForAnyValue:StringNotEquals", &["a"], &["a"]));
    }

    #[test]
    fn under_a_set_operator_an_empty_string_is_no_value() {
        assert!(holds("ForAllValues:StringEquals", &["a"], &[""]));
        assert!(!holds("ForAnyValue:StringEquals", &[""], &[""]));
        assert!(holds("StringEquals", &[""], &[""]));
    }

    #[test]
    fn what_no_page_settles_goes_to_the_denying_side() {
        let mut context = Context::new();
        context.set_many("x:k", ["a", "z"]);
        let equals = condition("StringEquals", &["a"]);
        assert!(!equals.holds(&context, Effect::Allow).assumed);
        assert!(equals.holds(&context, Effect::Deny).assumed);
        context.set("x:k", "AWS Internal");
        for operator in ["IpAddress", "NotIpAddress"] {
            let unreadable = condition(operator, &["10.0.0.0/8"]);
            assert!(!unreadable.holds(&context, Effect::Allow).assumed);
            assert!(unreadable.holds(&context, Effect::Deny).assumed);
        }
    }

    #[test]
    fn every_relation_is_told_at_its_limit() {
        for (operator, less, equal, greater) in [
            ("LessThan", true, false, false),
            ("LessThanEquals", true, true, false),
            ("GreaterThan", false, false, true),
            ("GreaterThanEquals", false, true, true),
            ("Equals", false, true, false),
            ("NotEquals", true, false, true),
        ] {
            for (value, expected) in [("9", less), ("10", equal), ("11", greater)] {
                assert_eq!(
                    holds(&format!("Numeric{operator}"), &["10"], &[value]),
                    expected,
                    "{operator} {value}"
                );
            }
            for (value, expected) in
                [("2025-12-31", less), ("2026-01-01T00:00:00Z", equal), ("2026-02", greater)]
            {
                assert_eq!(
                    holds(&format!("Date{operator}"), &["2026-01-01"], &[value]),
                    expected,
                    "{operator} {value}"
                );
            }
        }
    }

    #[test]
    fn text_arns_booleans_and_bytes_are_compared_by_their_own_rules() {
        assert!(!holds("StringEquals", &["A"], &["a"]));
        assert!(holds("StringEqualsIgnoreCase", &["ÄB"], &["äb"]));
        assert!(!holds("StringNotEqualsIgnoreCase", &["ab"], &["AB"]));
        assert!(!holds("StringEquals", &["a*"], &["ab"]));
        assert!(!holds("StringLike", &["A*"], &["ab"]));
        assert!(holds("ArnEquals", &["arn:aws:sns:*:1:t?"], &["arn:aws:sns:eu-west-1:1:t1"]));
        assert!(!holds("ArnNotEquals", &["arn:aws:sns:*:1:t?"], &["arn:aws:sns:eu-west-1:1:t1"]));
        assert!(holds("Bool", &["True"], &["true"]));
        assert!(holds("BinaryEquals", &["QQ=="], &["QQ"]));
        assert!(!holds("BinaryEquals", &["QQ=="], &["Qg=="]));
        assert!(holds("Null", &["False"], &["x"]));
        assert!(!holds("Null", &["true"], &["x"]));
    }

    #[test]
    fn a_variable_without_value_matches_nothing_and_so_satisfies_a_negated_operator() {
        let mut context = Context::new();
        context.set("x:k", "alice").absent("aws:username");
        for (operator, expected) in
            [("StringEquals", false), ("StringNotEquals", true), ("StringNotLike", true)]
        {
            let condition = condition(operator, &["${aws:username}"]);
            assert_eq!(condition.holds(&context, Effect::Allow), Truth::certain(expected), "{operator}");
        }
    }

    #[test]
    fn unknown_keys_are_the_conditions_own_and_those_of_its_variables() {
        let condition = condition("StringEquals", &["${aws:username}", "${aws:userid}"]);
        let unknown_keys = |context: &Context| {
            let mut found = Vec::new();
            condition.unknown_keys(context, &mut found);
            found
        };
        let mut context = Context::new();
        assert_eq!(unknown_keys(&context), ["x:k", "aws:username", "aws:userid"]);
        context.set("x:k", "a").absent("aws:username");
        assert_eq!(unknown_keys(&context), ["aws:userid"]);
    }
}
