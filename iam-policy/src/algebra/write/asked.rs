//! Conditions of statements that are not written yet.

use super::super::{Answer, Permissions};
use super::Snag;
use crate::condition::{COMPARISONS, Comparison, Condition, Operator, Quantifier, Relation, Test};
use crate::document::{Policy, PolicyKind, Version};
use crate::json::write_string;
use crate::pattern::{Wildcards, meet};

/// One operator on one key, and the values that it is compared with, as a policy of version `2012-10-17` writes them.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) operator: Operator,
    pub(super) key: String,
    pub(super) values: Vec<String>,
}

impl PartialEq for Asked {
    fn eq(&self, other: &Asked) -> bool {
        self.operator == other.operator
            && self.key.eq_ignore_ascii_case(&other.key)
            && self.values.len() == other.values.len()
            && self.values.iter().all(|value| other.values.contains(value))
    }
}

impl Asked {
    pub(super) fn of(condition: &Condition, version: Version) -> Asked {
        let is_text = matches!(condition.operator.comparison.test, Test::Arn | Test::Text { .. });
        let value = |text: &str| {
            if is_text { in_2012(text, version) } else { text.to_owned() }
        };
        Asked {
            operator: condition.operator,
            key: condition.key.to_string(),
            values: condition.values.iter().map(|item| value(&item.text)).collect(),
        }
    }

    /// Whether both have the same place in a statement.
    pub(super) fn is_about(&self, other: &Asked) -> bool {
        self.operator == other.operator && self.key.eq_ignore_ascii_case(&other.key)
    }

    /// One condition for two with the same place, both of which must hold; `None` if no request meets both.
    pub(super) fn meet(&self, other: &Asked) -> Result<Option<Asked>, Snag> {
        if self == other {
            return Ok(Some(self.clone()));
        }
        let Operator { quantifier, comparison, if_exists } = self.operator;
        let snag = || {
            let operator = self.operator;
            Snag(format!("a statement has one `{operator}` on `{}`, and this would need two", self.key))
        };
        let union = || {
            let mut values = self.values.clone();
            values.extend(other.values.iter().filter(|value| !self.values.contains(value)).cloned());
            values
        };
        if quantifier == Some(Quantifier::ForAnyValue) {
            return Err(snag());
        }
        if comparison.negated {
            return Ok(Some(Asked { values: union(), ..self.clone() }));
        }
        let mut values: Vec<String> = Vec::new();
        for a in &self.values {
            for b in &other.values {
                for value in self.common(a, b).ok_or_else(snag)? {
                    if !values.contains(&value) {
                        values.push(value);
                    }
                }
            }
        }
        match values.is_empty() {
            false => Ok(Some(Asked { values, ..self.clone() })),
            // A request without the key meets both.
            true if if_exists || quantifier.is_some() => Err(snag()),
            true => Ok(None),
        }
    }

    /// One condition for two with the same place, one of which must hold.
    pub(super) fn join(&self, other: &Asked) -> Option<Asked> {
        let is_plain = !self.operator.comparison.negated && self.operator.quantifier.is_none();
        (is_plain && self.is_about(other)).then(|| {
            let mut values = self.values.clone();
            values.extend(other.values.iter().filter(|value| !self.values.contains(value)).cloned());
            Asked { values, ..self.clone() }
        })
    }

    /// Conditions that hold together where this one does not.
    pub(super) fn complement(&self) -> Result<Vec<Asked>, Snag> {
        let snag = || Snag(format!("no condition is the opposite of `{}` on `{}`", self.operator, self.key));
        let Operator { quantifier, comparison, if_exists } = self.operator;
        let (opposite, values) = self.opposite().ok_or_else(snag)?;
        let operator = Operator {
            quantifier: quantifier.map(|quantifier| match quantifier {
                Quantifier::ForAllValues => Quantifier::ForAnyValue,
                Quantifier::ForAnyValue => Quantifier::ForAllValues,
            }),
            comparison: opposite,
            if_exists: false,
        };
        let asked = Asked { operator, key: self.key.clone(), values };
        if comparison.test == Test::Null {
            return Ok(vec![asked]);
        }
        // Without the key one of both must hold.
        let of_absent = |operator: Operator| match operator.quantifier {
            _ if operator.if_exists => true,
            Some(quantifier) => quantifier == Quantifier::ForAllValues,
            None => operator.comparison.negated,
        };
        Ok(match (of_absent(Operator { if_exists, ..self.operator }), of_absent(operator)) {
            (true, false) | (false, true) => vec![asked],
            (false, false) => vec![Asked { operator: Operator { if_exists: true, ..operator }, ..asked }],
            (true, true) => {
                let exists = Operator::parse("Null").ok_or_else(snag)?;
                vec![asked, Asked { operator: exists, key: self.key.clone(), values: vec!["false".into()] }]
            }
        })
    }

    /// The comparison that holds for one value where this one does not.
    fn opposite(&self) -> Option<(&'static Comparison, Vec<String>)> {
        let Comparison { test, negated, .. } = *self.operator.comparison;
        let find = |test: Test, negated: bool| {
            COMPARISONS.iter().find(|row| (row.test, row.negated) == (test, negated))
        };
        if let Some(opposite) = find(test, !negated) {
            return Some((opposite, self.values.clone()));
        }
        // One of several values is enough, which the opposite of one says only if there is one.
        let [value] = self.values.as_slice() else { return None };
        let flipped = || vec![(!value.eq_ignore_ascii_case("true")).to_string()];
        let (test, values) = match test {
            Test::Bool | Test::Null => (test, flipped()),
            Test::Date(relation) => (Test::Date(relation.opposite()?), vec![value.clone()]),
            Test::Number(relation) => (Test::Number(relation.opposite()?), vec![value.clone()]),
            Test::Arn | Test::Binary | Test::Ip | Test::Text { .. } => return None,
        };
        Some((find(test, false)?, values))
    }

    /// Values that match what both values match; `None` if no values say it.
    fn common(&self, a: &str, b: &str) -> Option<Vec<String>> {
        if a == b {
            return Some(vec![a.to_owned()]);
        }
        if let Test::Text { wildcards: Wildcards::Free, fold } = self.operator.comparison.test {
            return meet(a, b, fold);
        }
        let (of_a, of_b) = (self.permissions(a)?, self.permissions(b)?);
        if of_a.is_subset(&of_b).is_yes() {
            return Some(vec![a.to_owned()]);
        }
        if of_b.is_subset(&of_a).is_yes() {
            return Some(vec![b.to_owned()]);
        }
        matches!(of_a.is_disjoint(&of_b), Answer::Yes).then(Vec::new)
    }

    /// The requests with one value of the key that this value of the policy matches.
    fn permissions(&self, value: &str) -> Option<Permissions> {
        let mut text = String::new();
        let operator = Operator { quantifier: None, if_exists: false, ..self.operator };
        text.push_str(r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"#);
        write_string(&mut text, &operator.to_string());
        text.push_str(":{");
        write_string(&mut text, &self.key);
        text.push(':');
        write_string(&mut text, value);
        text.push_str("}}}}");
        Policy::parse(text, PolicyKind::Identity).ok().map(|policy| policy.permissions())
    }
}

impl Relation {
    fn opposite(self) -> Option<Relation> {
        Some(match self {
            Relation::Equal => return None,
            Relation::Greater => Relation::LessOrEqual,
            Relation::GreaterOrEqual => Relation::Less,
            Relation::Less => Relation::GreaterOrEqual,
            Relation::LessOrEqual => Relation::Greater,
        })
    }
}

/// The text of an older policy, in which `${` has no meaning.
pub(super) fn in_2012(text: &str, version: Version) -> String {
    match version {
        Version::V2008 => text.replace("${", "${$}{"),
        Version::V2012 => text.to_owned(),
    }
}
