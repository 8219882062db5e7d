//! Conditions, filters and key conditions.
//!
//! See <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html>.

use std::cmp::Ordering;

use super::parser::Parser;
use super::path::Path;
use super::placeholders::Placeholders;
use super::token::Token;
use crate::dynamodb::number::Number;
use crate::dynamodb::value::{Item, Value};
use crate::fault::Fault;

/// What may hold of an item.
#[derive(Clone, Debug)]
pub(in crate::dynamodb) enum Condition {
    And(Box<Condition>, Box<Condition>),
    AttributeType(Path, String),
    BeginsWith(Operand, Operand),
    Between(Operand, Operand, Operand),
    Compare(Operand, Comparison, Operand),
    Contains(Operand, Operand),
    Exists(Path),
    In(Operand, Vec<Operand>),
    Not(Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
}

#[derive(Clone, Debug)]
pub(in crate::dynamodb) enum Operand {
    Path(Path),
    Size(Path),
    Value(Value),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::dynamodb) enum Comparison {
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    NotEqual,
}

impl Condition {
    /// `kind` is the request's parameter, for messages.
    pub(in crate::dynamodb) fn parse(
        kind: &'static str,
        text: &str,
        placeholders: &Placeholders<'_>,
    ) -> Result<Self, Fault> {
        let mut parser = Parser::new(kind, text, placeholders)?;
        let condition = parser.or()?;
        parser.expect_end()?;
        Ok(condition)
    }

    pub(in crate::dynamodb) fn holds(&self, item: &Item) -> bool {
        match self {
            Self::And(a, b) => a.holds(item) && b.holds(item),
            Self::AttributeType(path, kind) => path.get(item).is_some_and(|value| value.kind() == kind),
            Self::BeginsWith(a, b) => with(item, a, b, begins_with),
            Self::Between(a, low, high) => {
                with(item, a, low, |a, low| order(a, low).is_some_and(Ordering::is_ge))
                    && with(item, a, high, |a, high| order(a, high).is_some_and(Ordering::is_le))
            }
            Self::Compare(a, Comparison::NotEqual, b) => {
                // What is not there differs from all that is.
                match (a.value(item), b.value(item)) {
                    (Some(a), Some(b)) => a != b,
                    (a, b) => a.is_some() != b.is_some(),
                }
            }
            Self::Compare(a, Comparison::Equal, b) => with(item, a, b, |a, b| a == b),
            Self::Compare(a, comparison, b) => with(item, a, b, |a, b| {
                order(a, b).is_some_and(|order| match comparison {
                    Comparison::Greater => order.is_gt(),
                    Comparison::GreaterOrEqual => order.is_ge(),
                    Comparison::Less => order.is_lt(),
                    _ => order.is_le(),
                })
            }),
            Self::Contains(a, b) => with(item, a, b, contains),
            Self::Exists(path) => path.get(item).is_some(),
            Self::In(a, list) => list.iter().any(|b| with(item, a, b, |a, b| a == b)),
            Self::Not(condition) => !condition.holds(item),
            Self::Or(a, b) => a.holds(item) || b.holds(item),
        }
    }

    /// The attributes that the condition looks at.
    pub(in crate::dynamodb) fn attributes(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.visit(&mut |path| found.push(path));
        found.into_iter().map(Path::attribute).collect()
    }

    fn visit<'c>(&'c self, see: &mut impl FnMut(&'c Path)) {
        let mut operands: Vec<&Operand> = Vec::new();
        match self {
            Self::And(a, b) | Self::Or(a, b) => {
                a.visit(see);
                b.visit(see);
            }
            Self::Not(a) => a.visit(see),
            Self::AttributeType(path, _) | Self::Exists(path) => see(path),
            Self::BeginsWith(a, b) | Self::Compare(a, _, b) | Self::Contains(a, b) => operands.extend([a, b]),
            Self::Between(a, b, c) => operands.extend([a, b, c]),
            Self::In(a, list) => {
                operands.push(a);
                operands.extend(list);
            }
        }
        operands.into_iter().filter_map(Operand::path).for_each(see);
    }
}

impl Operand {
    fn path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) | Self::Size(path) => Some(path),
            Self::Value(_) => None,
        }
    }

    fn value(&self, item: &Item) -> Option<Value> {
        match self {
            Self::Path(path) => path.get(item).cloned(),
            Self::Size(path) => size(path.get(item)?),
            Self::Value(value) => Some(value.clone()),
        }
    }
}

/// Both values, where both are there.
fn with(item: &Item, a: &Operand, b: &Operand, test: impl Fn(&Value, &Value) -> bool) -> bool {
    // Most operands are looked at and not copied.
    let borrowed = |operand: &Operand, see: &mut dyn FnMut(&Value) -> bool| match operand {
        Operand::Path(path) => path.get(item).is_some_and(see),
        Operand::Value(value) => see(value),
        Operand::Size(_) => operand.value(item).as_ref().is_some_and(see),
    };
    borrowed(a, &mut |a| borrowed(b, &mut |b| test(a, b)))
}

fn size(value: &Value) -> Option<Value> {
    let count = match value {
        Value::B(bytes) => bytes.len(),
        Value::Bs(set) => set.len(),
        Value::L(items) => items.len(),
        Value::M(members) => members.len(),
        Value::Ns(set) => set.len(),
        Value::S(text) => text.len(),
        Value::Ss(set) => set.len(),
        Value::Bool(_) | Value::N(_) | Value::Null => return None,
    };
    Some(Value::N(Number::from_count(count)))
}

/// Strings, numbers and binaries have an order, each among themselves.
fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::B(a), Value::B(b)) => Some(a.cmp(b)),
        (Value::N(a), Value::N(b)) => Some(a.cmp(b)),
        (Value::S(a), Value::S(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

fn begins_with(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::S(a), Value::S(b)) => a.starts_with(b.as_str()),
        (Value::B(a), Value::B(b)) => a.starts_with(b),
        _ => false,
    }
}

fn contains(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::S(a), Value::S(b)) => a.contains(b.as_str()),
        (Value::B(a), Value::B(b)) => b.is_empty() || a.windows(b.len()).any(|part| part == b),
        (Value::Ss(set), Value::S(b)) => set.contains(b),
        (Value::Ns(set), Value::N(b)) => set.contains(b),
        (Value::Bs(set), Value::B(b)) => set.contains(b),
        (Value::L(items), b) => items.contains(b),
        _ => false,
    }
}

impl Parser<'_> {
    fn or(&mut self) -> Result<Condition, Fault> {
        let mut condition = self.and()?;
        while self.eat_keyword("OR") {
            self.operator()?;
            condition = Condition::Or(Box::new(condition), Box::new(self.and()?));
        }
        Ok(condition)
    }

    fn and(&mut self) -> Result<Condition, Fault> {
        let mut condition = self.not()?;
        while self.eat_keyword("AND") {
            self.operator()?;
            condition = Condition::And(Box::new(condition), Box::new(self.not()?));
        }
        Ok(condition)
    }

    fn not(&mut self) -> Result<Condition, Fault> {
        if self.eat_keyword("NOT") {
            self.operator()?;
            return self.nested(|parser| Ok(Condition::Not(Box::new(parser.not()?))));
        }
        if self.eat("(") {
            return self.nested(|parser| {
                let condition = parser.or()?;
                parser.expect(")")?;
                Ok(condition)
            });
        }
        self.operator()?;
        self.simple()
    }

    fn simple(&mut self) -> Result<Condition, Fault> {
        if let Some(condition) = self.function()? {
            return Ok(condition);
        }
        let a = self.operand()?;
        if self.eat_keyword("BETWEEN") {
            let low = self.operand()?;
            if !self.eat_keyword("AND") {
                return Err(self.unexpected());
            }
            let high = self.operand()?;
            self.check_ordered("BETWEEN", &[&low, &high])?;
            if let (Operand::Value(low), Operand::Value(high)) = (&low, &high)
                && order(low, high).is_some_and(Ordering::is_gt)
            {
                return Err(self.error(
                    "The BETWEEN operator requires upper bound to be greater than or equal to lower bound",
                ));
            }
            return Ok(Condition::Between(a, low, high));
        }
        if self.eat_keyword("IN") {
            self.expect("(")?;
            let mut list = vec![self.operand()?];
            while self.eat(",") {
                list.push(self.operand()?);
            }
            self.expect(")")?;
            if list.len() > 100 {
                return Err(
                    self.error("The IN operator is provided with too many operands; number of operands: 101")
                );
            }
            return Ok(Condition::In(a, list));
        }
        let (sign, comparison) = match self.next() {
            Some(Token::Sign("=")) => ("=", Comparison::Equal),
            Some(Token::Sign("<>")) => ("<>", Comparison::NotEqual),
            Some(Token::Sign("<")) => ("<", Comparison::Less),
            Some(Token::Sign("<=")) => ("<=", Comparison::LessOrEqual),
            Some(Token::Sign(">")) => (">", Comparison::Greater),
            Some(Token::Sign(">=")) => (">=", Comparison::GreaterOrEqual),
            _ => {
                return Err(self.error("Syntax error; a condition needs a comparison or a function"));
            }
        };
        let b = self.operand()?;
        if !matches!(comparison, Comparison::Equal | Comparison::NotEqual) {
            self.check_ordered(sign, &[&a, &b])?;
        }
        if let (Operand::Path(a), Operand::Path(b)) = (&a, &b)
            && a == b
        {
            return Err(self.error(&format!(
                "The first operand must be distinct from the remaining operands for this operator or \
                 function; operator: \
                 {sign}, first operand: {a}"
            )));
        }
        Ok(Condition::Compare(a, comparison, b))
    }

    fn function(&mut self) -> Result<Option<Condition>, Fault> {
        let Some(Token::Word(name)) = self.peek() else { return Ok(None) };
        if self.peek_second() != Some(Token::Sign("(")) || name == "size" {
            return Ok(None);
        }
        let known = ["attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains"];
        if !known.contains(&name) {
            return Err(self.error(&format!("Invalid function name; function: {name}")));
        }
        self.next();
        self.expect("(")?;
        let condition = match name {
            "attribute_exists" => Condition::Exists(self.path()?),
            "attribute_not_exists" => Condition::Not(Box::new(Condition::Exists(self.path()?))),
            "attribute_type" => {
                let path = self.path()?;
                self.expect(",")?;
                match self.value()? {
                    Value::S(kind)
                        if ["B", "BOOL", "BS", "L", "M", "N", "NS", "NULL", "S", "SS"]
                            .contains(&kind.as_str()) =>
                    {
                        Condition::AttributeType(path, kind)
                    }
                    Value::S(kind) => {
                        return Err(self.error(&format!(
                            "Invalid attribute type name found; type: {kind}, valid types: \
                             {{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}"
                        )));
                    }
                    other => return Err(self.wrong_operand("attribute_type", other.kind())),
                }
            }
            _ => {
                let a = self.operand()?;
                self.expect(",")?;
                let b = self.operand()?;
                if name == "contains" {
                    Condition::Contains(a, b)
                } else {
                    for operand in [&a, &b] {
                        if let Operand::Value(value) = operand
                            && !matches!(value, Value::S(_) | Value::B(_))
                        {
                            return Err(self.wrong_operand(name, value.kind()));
                        }
                    }
                    Condition::BeginsWith(a, b)
                }
            }
        };
        self.expect(")")?;
        Ok(Some(condition))
    }

    fn operand(&mut self) -> Result<Operand, Fault> {
        if let (Some(Token::Word("size")), Some(Token::Sign("("))) = (self.peek(), self.peek_second()) {
            self.next();
            self.expect("(")?;
            let path = self.path()?;
            self.expect(")")?;
            return Ok(Operand::Size(path));
        }
        if let Some(Token::Value(_)) = self.peek() {
            return Ok(Operand::Value(self.value()?));
        }
        Ok(Operand::Path(self.path()?))
    }

    fn check_ordered(&self, operator: &str, operands: &[&Operand]) -> Result<(), Fault> {
        for operand in operands {
            if let Operand::Value(value) = operand
                && !matches!(value, Value::B(_) | Value::N(_) | Value::S(_))
            {
                return Err(self.wrong_operand(operator, value.kind()));
            }
        }
        Ok(())
    }

    fn wrong_operand(&self, operator: &str, kind: &str) -> Fault {
        self.error(&format!(
            "Incorrect operand type for operator or function; operator or function: {operator}, operand \
             type: {kind}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dynamodb::value::item;
    use crate::input::Input;

    fn evaluated(expression: &str) -> Result<bool, Fault> {
        let request = json!({
            "ConditionExpression": expression,
            "ExpressionAttributeNames": {"#s": "status"},
            "ExpressionAttributeValues": {
                ":one": {"N": "1"}, ":two": {"N": "2"}, ":a": {"S": "a"}, ":ab": {"S": "ab"}, ":s": {"S": "S"}, ":t": {"BOOL": true},
            },
        });
        let request = request.as_object().expect("an object");
        let placeholders = Placeholders::read(Input::new(request, "V"), &["ConditionExpression"])?;
        let json = json!({
            "n": {"N": "1.0"}, "t": {"S": "abc"}, "status": {"S": "a"}, "marks": {"SS": ["a", "b"]},
            "l": {"L": [{"N": "1"}, {"M": {"x": {"S": "a"}}}]},
        });
        let item = item(json.as_object().expect("an object"))?;
        Ok(Condition::parse("ConditionExpression", expression, &placeholders)?.holds(&item))
    }

    #[test]
    fn conditions_hold_as_documented() {
        let yes = [
            "n = :one",
            "n < :two AND n <= :one and NOT n > :one",
            "n BETWEEN :one AND :two",
            "absent <> :one",
            "NOT absent = :one",
            "#s IN (:ab, :a)",
            "begins_with(t, :ab)",
            "contains(t, :ab) AND contains(marks, :a) AND contains(l, :one)",
            "attribute_exists(l[1].x) AND attribute_not_exists(l[2])",
            "attribute_type(t, :s)",
            "size(t) > :two AND size(marks) = :two",
            "n = :two OR n = :one AND t <> :a",
            "(n = :two OR n = :one) AND l[1].x = :a",
        ];
        for expression in yes {
            assert!(evaluated(expression).expect(expression), "{expression}");
        }
        let no = [
            "n = :a",
            "absent = :one",
            "n > :a",
            "(n = :one OR n = :two) AND t = :a",
            "t < :one",
            "size(n) = :one",
        ];
        for expression in no {
            assert!(!evaluated(expression).expect(expression), "{expression}");
        }
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        let wrong = [
            "",
            "n",
            "n =",
            "n == :one",
            "= :one",
            "n = :one AND",
            "status = :a",
            "n = :missing",
            "#missing = :a",
            "n = 1",
            "foo(n)",
            "begins_with(t, :one)",
            "n < :t",
            "n BETWEEN :two AND :one",
            "(n = :one",
            "n = :one)",
            "n = n",
            "n = :one n = :one",
            "l[x] = :one",
            "é = :a",
        ];
        for expression in wrong {
            assert!(evaluated(expression).is_err(), "{expression}");
        }
        assert!(evaluated(&format!("{}n = :one{}", "(".repeat(1000), ")".repeat(1000))).is_err());
        assert!(evaluated(&"NOT ".repeat(1000)).is_err());
    }
}
