//! `#name` and `:value` of a request.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::dynamodb::invalid;
use crate::dynamodb::value::Value;
use crate::fault::Fault;
use crate::input::Input;

/// The placeholders that a request defines, and which of them its expressions used.
pub(in crate::dynamodb) struct Placeholders<'a> {
    names: BTreeMap<&'a str, &'a str>,
    values: BTreeMap<&'a str, Value>,
    used: RefCell<BTreeSet<String>>,
}

impl<'a> Placeholders<'a> {
    pub(in crate::dynamodb) fn read(input: Input<'a>, expressions: &[&str]) -> Result<Self, Fault> {
        let has_expression = expressions.iter().any(|name| input.has(name));
        let mut names = BTreeMap::new();
        for (name, attribute) in input.map("ExpressionAttributeNames")? {
            check("Names", name, '#')?;
            if attribute.is_empty() {
                return Err(invalid(format!(
                    "ExpressionAttributeNames contains invalid value: Empty attribute name for key {name}"
                )));
            }
            names.insert(name, attribute);
        }
        let mut values = BTreeMap::new();
        if let Some(given) = input.object("ExpressionAttributeValues")? {
            for (name, value) in given.members() {
                check("Values", name, ':')?;
                values.insert(name.as_str(), Value::parse(value)?);
            }
            if values.is_empty() {
                return Err(invalid("ExpressionAttributeValues must not be empty"));
            }
        }
        for (kind, is_empty) in [("Names", names.is_empty()), ("Values", values.is_empty())] {
            if !is_empty && !has_expression {
                return Err(invalid(format!(
                    "ExpressionAttribute{kind} can only be specified when using expressions: {} is null",
                    expressions.first().unwrap_or(&"expression")
                )));
            }
        }
        Ok(Self { names, values, used: RefCell::default() })
    }

    /// The attribute name of a `#name`.
    pub(super) fn name(&self, placeholder: &str) -> Option<&'a str> {
        self.used.borrow_mut().insert(placeholder.to_owned());
        self.names.get(placeholder).copied()
    }

    /// The value of a `:value`.
    pub(super) fn value(&self, placeholder: &str) -> Option<Value> {
        self.used.borrow_mut().insert(placeholder.to_owned());
        self.values.get(placeholder).cloned()
    }

    /// Refuses placeholders that no expression used.
    pub(in crate::dynamodb) fn check_used(&self) -> Result<(), Fault> {
        let used = self.used.borrow();
        let unused = |names: &mut dyn Iterator<Item = &&str>| {
            let unused: Vec<&str> = names.copied().filter(|name| !used.contains(*name)).collect();
            unused.join(", ")
        };
        for (kind, unused) in
            [("Names", unused(&mut self.names.keys())), ("Values", unused(&mut self.values.keys()))]
        {
            if !unused.is_empty() {
                return Err(invalid(format!(
                    "Value provided in ExpressionAttribute{kind} unused in expressions: keys: {{{unused}}}"
                )));
            }
        }
        Ok(())
    }
}

fn check(kind: &str, name: &str, sign: char) -> Result<(), Fault> {
    let rest = name.strip_prefix(sign);
    if rest
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
    {
        return Ok(());
    }
    Err(invalid(format!("ExpressionAttribute{kind} contains invalid key: Syntax error; key: \"{name}\"")))
}
