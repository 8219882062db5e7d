//! Updates: what is to become of an item.
//!
//! See <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html>.

use std::collections::BTreeSet;

use super::parser::Parser;
use super::path::{Path, Step};
use super::placeholders::Placeholders;
use super::projection::check_apart;
use super::token::Token;
use crate::dynamodb::invalid;
use crate::dynamodb::value::{Item, Value};
use crate::fault::Fault;

/// Changes of an item, in the order in which they were written.
pub(in crate::dynamodb) struct Update(Vec<Action>);

enum Action {
    Add(Path, Value),
    Delete(Path, Value),
    Remove(Path),
    Set(Path, Term),
}

enum Term {
    IfNotExists(Path, Box<Term>),
    ListAppend(Box<Term>, Box<Term>),
    Minus(Box<Term>, Box<Term>),
    Path(Path),
    Plus(Box<Term>, Box<Term>),
    Value(Value),
}

impl Update {
    pub(in crate::dynamodb) fn parse(text: &str, placeholders: &Placeholders<'_>) -> Result<Self, Fault> {
        let mut parser = Parser::new("UpdateExpression", text, placeholders)?;
        let mut actions = Vec::new();
        let mut seen = BTreeSet::new();
        while let Some(token) = parser.peek() {
            let known = ["ADD", "DELETE", "REMOVE", "SET"];
            let Some(section) = known.into_iter().find(|section| token.is_keyword(section)) else {
                return Err(parser.unexpected());
            };
            parser.next();
            if !seen.insert(section) {
                return Err(parser.error(&format!(
                    "The \"{section}\" section can only be used once in an update expression;"
                )));
            }
            loop {
                parser.operator()?;
                let path = parser.path()?;
                actions.push(match section {
                    "ADD" => Action::Add(path, parser.operand_value("ADD")?),
                    "DELETE" => Action::Delete(path, parser.operand_value("DELETE")?),
                    "REMOVE" => Action::Remove(path),
                    _ => {
                        parser.expect("=")?;
                        Action::Set(path, parser.sum()?)
                    }
                });
                if !parser.eat(",") {
                    break;
                }
            }
        }
        let update = Self(actions);
        check_apart("UpdateExpression", &update.paths().cloned().collect::<Vec<_>>())?;
        Ok(update)
    }

    /// What is changed.
    pub(in crate::dynamodb) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(|action| match action {
            Action::Add(path, _) | Action::Delete(path, _) | Action::Remove(path) | Action::Set(path, _) => {
                path
            }
        })
    }

    /// The item as it becomes. Everything that is read is read from the old one.
    pub(in crate::dynamodb) fn apply(&self, old: &Item) -> Result<Item, Fault> {
        let mut new = old.clone();
        let mut removals: Vec<&Path> = Vec::new();
        for action in &self.0 {
            match action {
                Action::Set(path, term) => set(&mut new, path, term.value(old)?)?,
                Action::Remove(path) => removals.push(path),
                Action::Add(path, value) => add(&mut new, path, path.get(old), value)?,
                Action::Delete(path, value) => delete(&mut new, path, path.get(old), value)?,
            }
        }
        // The highest index first, so that the others keep their places.
        removals.sort_by_key(|path| match path.rest.last() {
            Some(Step::Index(at)) => std::cmp::Reverse(*at),
            _ => std::cmp::Reverse(0),
        });
        for path in removals {
            remove(&mut new, path)?;
        }
        Ok(new)
    }

    /// The parts of an item that were changed, as far as they are there.
    pub(in crate::dynamodb) fn changed(&self, item: &Item) -> Item {
        let attributes = self.paths().map(|path| &path.attribute);
        attributes.filter_map(|name| Some((name.clone(), item.get(name)?.clone()))).collect()
    }
}

impl Term {
    fn value(&self, item: &Item) -> Result<Value, Fault> {
        Ok(match self {
            Self::Value(value) => value.clone(),
            Self::Path(path) => path.get(item).cloned().ok_or_else(|| {
                invalid("The provided expression refers to an attribute that does not exist in the item")
            })?,
            Self::IfNotExists(path, otherwise) => match path.get(item) {
                Some(value) => value.clone(),
                None => otherwise.value(item)?,
            },
            Self::ListAppend(a, b) => match (a.value(item)?, b.value(item)?) {
                (Value::L(mut a), Value::L(b)) => {
                    a.extend(b);
                    Value::L(a)
                }
                _ => return Err(wrong_type()),
            },
            Self::Plus(a, b) => match (a.value(item)?, b.value(item)?) {
                (Value::N(a), Value::N(b)) => Value::N(a.plus(b)?),
                _ => return Err(wrong_type()),
            },
            Self::Minus(a, b) => match (a.value(item)?, b.value(item)?) {
                (Value::N(a), Value::N(b)) => Value::N(a.minus(b)?),
                _ => return Err(wrong_type()),
            },
        })
    }
}

fn wrong_type() -> Fault {
    invalid("An operand in the update expression has an incorrect data type")
}

fn no_way() -> Fault {
    invalid("The document path provided in the update expression is invalid for update")
}

fn set(item: &mut Item, path: &Path, value: Value) -> Result<(), Fault> {
    let Some((parent, last)) = path.parent() else {
        item.insert(path.attribute.clone(), value);
        return Ok(());
    };
    match (parent.get_mut(item), last) {
        (Some(Value::M(members)), Step::Member(name)) => {
            members.insert(name.clone(), value);
        }
        (Some(Value::L(items)), Step::Index(at)) => match items.get_mut(*at) {
            Some(place) => *place = value,
            // Beyond the end is at the end.
            None => items.push(value),
        },
        _ => return Err(no_way()),
    }
    Ok(())
}

fn remove(item: &mut Item, path: &Path) -> Result<(), Fault> {
    let Some((parent, last)) = path.parent() else {
        item.remove(&path.attribute);
        return Ok(());
    };
    match (parent.get_mut(item), last) {
        (Some(Value::M(members)), Step::Member(name)) => {
            members.remove(name);
        }
        (Some(Value::L(items)), Step::Index(at)) => {
            if *at < items.len() {
                items.remove(*at);
            }
        }
        _ => return Err(no_way()),
    }
    Ok(())
}

fn add(item: &mut Item, path: &Path, old: Option<&Value>, value: &Value) -> Result<(), Fault> {
    let sum = match (old, value) {
        (None, value) => value.clone(),
        (Some(Value::N(a)), Value::N(b)) => Value::N(a.plus(*b)?),
        (Some(Value::Ss(a)), Value::Ss(b)) => Value::Ss(a | b),
        (Some(Value::Ns(a)), Value::Ns(b)) => Value::Ns(a | b),
        (Some(Value::Bs(a)), Value::Bs(b)) => Value::Bs(a | b),
        _ => return Err(wrong_type()),
    };
    set(item, path, sum)
}

fn delete(item: &mut Item, path: &Path, old: Option<&Value>, value: &Value) -> Result<(), Fault> {
    let (rest, is_empty) = match (old, value) {
        (None, _) => return Ok(()),
        (Some(Value::Ss(a)), Value::Ss(b)) => (Value::Ss(a - b), a.is_subset(b)),
        (Some(Value::Ns(a)), Value::Ns(b)) => (Value::Ns(a - b), a.is_subset(b)),
        (Some(Value::Bs(a)), Value::Bs(b)) => (Value::Bs(a - b), a.is_subset(b)),
        _ => return Err(wrong_type()),
    };
    // There are no empty sets.
    if is_empty { remove(item, path) } else { set(item, path, rest) }
}

impl Parser<'_> {
    /// The operand of `ADD` and `DELETE`, which is a number or a set, or a set.
    fn operand_value(&mut self, operator: &str) -> Result<Value, Fault> {
        let value = self.value()?;
        match (&value, operator) {
            (Value::Bs(_) | Value::Ns(_) | Value::Ss(_), _) | (Value::N(_), "ADD") => Ok(value),
            _ => Err(self.error(&format!(
                "Incorrect operand type for operator or function; operator: {operator}, operand type: {}",
                value.kind()
            ))),
        }
    }

    fn sum(&mut self) -> Result<Term, Fault> {
        let a = self.term()?;
        let is_plus = self.eat("+");
        if !is_plus && !self.eat("-") {
            return Ok(a);
        }
        let b = self.term()?;
        for term in [&a, &b] {
            if let Term::Value(value) = term
                && !matches!(value, Value::N(_))
            {
                let sign = if is_plus { '+' } else { '-' };
                return Err(self.error(&format!(
                    "Incorrect operand type for operator or function; operator or function: {sign}, operand \
                     type: {}",
                    value.kind()
                )));
            }
        }
        let (a, b) = (Box::new(a), Box::new(b));
        Ok(if is_plus { Term::Plus(a, b) } else { Term::Minus(a, b) })
    }

    fn term(&mut self) -> Result<Term, Fault> {
        self.operator()?;
        match (self.peek(), self.peek_second()) {
            (Some(Token::Sign("(")), _) => self.nested(|parser| {
                parser.next();
                let term = parser.sum()?;
                parser.expect(")")?;
                Ok(term)
            }),
            (Some(Token::Value(_)), _) => Ok(Term::Value(self.value()?)),
            (Some(Token::Word(name)), Some(Token::Sign("("))) => self.nested(|parser| {
                parser.next();
                parser.next();
                let term = match name {
                    "if_not_exists" => {
                        let path = parser.path()?;
                        parser.expect(",")?;
                        Term::IfNotExists(path, Box::new(parser.term()?))
                    }
                    "list_append" => {
                        let a = parser.term()?;
                        parser.expect(",")?;
                        Term::ListAppend(Box::new(a), Box::new(parser.term()?))
                    }
                    name => return Err(parser.error(&format!("Invalid function name; function: {name}"))),
                };
                parser.expect(")")?;
                Ok(term)
            }),
            _ => Ok(Term::Path(self.path()?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::dynamodb::value::{item, item_to_json};
    use crate::input::Input;

    fn updated(expression: &str) -> Result<Json, Fault> {
        let request = json!({
            "UpdateExpression": expression,
            "ExpressionAttributeValues": {
                ":one": {"N": "1"}, ":s": {"S": "s"}, ":set": {"SS": ["b", "c"]}, ":all": {"SS": ["a", "b"]},
                ":list": {"L": [{"N": "9"}]},
            },
        });
        let request = request.as_object().expect("an object");
        let placeholders = Placeholders::read(Input::new(request, "V"), &["UpdateExpression"])?;
        let json = json!({
            "n": {"N": "5"}, "l": {"L": [{"N": "1"}, {"N": "2"}, {"N": "3"}]}, "t": {"SS": ["a", "b"]}, "m": {"M": {}},
        });
        let old = item(json.as_object().expect("an object"))?;
        let new = Update::parse(expression, &placeholders)?.apply(&old)?;
        let mut changed = item_to_json(&new);
        let members = changed.as_object_mut().expect("an object");
        members.retain(|name, value| json.get(name) != Some(&*value));
        for name in json.as_object().expect("an object").keys() {
            if !new.contains_key(name) {
                members.insert(name.clone(), Json::Null);
            }
        }
        Ok(changed)
    }

    #[test]
    fn updates_do_what_is_documented() {
        let cases = [
            ("SET n = n + :one", json!({"n": {"N": "6"}})),
            ("set n = n - :one, x = n", json!({"n": {"N": "4"}, "x": {"N": "5"}})),
            ("SET x = if_not_exists(x, :one), n = if_not_exists(n, :one)", json!({"x": {"N": "1"}})),
            (
                "SET l = list_append(l, :list)",
                json!({"l": {"L": [{"N": "1"}, {"N": "2"}, {"N": "3"}, {"N": "9"}]}}),
            ),
            (
                "SET l[0] = :s, l[7] = :one",
                json!({"l": {"L": [{"S": "s"}, {"N": "2"}, {"N": "3"}, {"N": "1"}]}}),
            ),
            ("SET m.a = :s", json!({"m": {"M": {"a": {"S": "s"}}}})),
            ("REMOVE l[0], l[2], n", json!({"l": {"L": [{"N": "2"}]}, "n": null})),
            (
                "ADD n :one, t :set, y :one",
                json!({"n": {"N": "6"}, "t": {"SS": ["a", "b", "c"]}, "y": {"N": "1"}}),
            ),
            ("DELETE t :set", json!({"t": {"SS": ["a"]}})),
            ("DELETE t :all", json!({"t": null})),
            ("SET x = :one REMOVE n ADD y :one", json!({"x": {"N": "1"}, "n": null, "y": {"N": "1"}})),
        ];
        for (expression, changed) in cases {
            assert_eq!(updated(expression).expect(expression), changed, "{expression}");
        }
    }

    #[test]
    fn what_is_no_update_is_refused() {
        let wrong = [
            "",
            "n = :one",
            "SET n",
            "SET n = missing",
            "SET n = :s + :one",
            "SET a = :one SET b = :one",
            "SET m = :one, m.a = :s",
            "SET n = n + l",
            "ADD n :s",
            "ADD l :one",
            "DELETE n :one",
            "SET x.y = :one",
            "REMOVE",
            "SET n = foo(n)",
            "SET l = list_append(n, :list)",
            "SET n = :one,",
        ];
        for expression in wrong {
            assert!(updated(expression).is_err(), "{expression}");
        }
    }
}
