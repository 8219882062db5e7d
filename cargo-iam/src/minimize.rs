//! `cargo iam minimize`: a policy in fewer words.

use std::io::Write as _;
use std::process::ExitCode;

use iam_policy::{Condition, Element, ElementValue, Policy, Statement};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::failure::Failure;
use crate::input;

/// Write a policy that allows and denies the same and is smaller
///
/// Statements that differ in one element become one, and patterns and statements go that others cover. That the two are
/// equivalent is proven; the new one can stand in the place of the old one beside whatever other policies.
#[derive(clap::Args)]
#[command(after_help = "\
Exit status: 0, or 2 if it cannot be told what the policy allows.

Examples:
  cargo iam minimize policy.json > smaller.json
  cargo iam minimize policy.json --catalogue")]
pub(crate) struct Args {
    /// A file, part of one (`file.json#/json/pointer`), an AWS managed policy by name or ARN, or `-` for standard input
    policy: String,

    /// Over today's actions only: lists of them become patterns that reach no other
    #[arg(long)]
    catalogue: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let policy = input::policy(&args.policy)?;
    let smaller = if args.catalogue { policy.minimized_closed() } else { policy.minimized() };
    let smaller = smaller.map_err(Failure::Unknown)?;
    // Strings are always JSON.
    let text = serde_json::to_string_pretty(&Document(&smaller)).unwrap_or_default() + "\n";
    anstream::stdout().write_all(text.as_bytes()).map_err(Failure::Output)?;
    let counted = |policy: &Policy| {
        let (statements, characters) = (policy.statements().len(), policy.characters());
        format!("{statements} statement{}, {characters} characters", if statements == 1 { "" } else { "s" })
    };
    // Nobody reads it any more, or somebody does.
    let _ = writeln!(anstream::stderr(), "{}; it was {}", counted(&smaller), counted(&policy));
    Ok(ExitCode::SUCCESS)
}

/// A policy, for people: its members in AWS's order, and not without white space.
struct Document<'p>(&'p Policy);

struct Of<'p>(&'p Statement);

struct Conditions<'p>(&'p [Condition]);

struct Keys<'p>(Vec<&'p Condition>);

/// One value, or a list of them.
struct Values<'p>(Vec<ElementValue<'p>>);

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("Version", &self.0.version().to_string())?;
        if let Some(id) = self.0.id() {
            map.serialize_entry("Id", id)?;
        }
        map.serialize_entry("Statement", &self.0.statements().iter().map(Of).collect::<Vec<_>>())?;
        map.end()
    }
}

impl Serialize for Of<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(sid) = self.0.sid() {
            map.serialize_entry("Sid", sid)?;
        }
        map.serialize_entry("Effect", &self.0.effect().to_string())?;
        let elements = [("Action", Some(self.0.actions())), ("Resource", self.0.resources())];
        for (name, element) in elements {
            let Some(Element { is_negated, values, .. }) = element else { continue };
            map.serialize_entry(&format!("{}{name}", if is_negated { "Not" } else { "" }), &Values(values))?;
        }
        if !self.0.conditions().is_empty() {
            map.serialize_entry("Condition", &Conditions(self.0.conditions()))?;
        }
        map.end()
    }
}

impl Serialize for Conditions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut operators: Vec<String> = Vec::new();
        for condition in self.0 {
            if !operators.contains(&condition.operator()) {
                operators.push(condition.operator());
            }
        }
        serializer.collect_map(operators.into_iter().map(|operator| {
            let keys = self.0.iter().filter(|condition| condition.operator() == operator);
            let keys = Keys(keys.collect());
            (operator, keys)
        }))
    }
}

impl Serialize for Keys<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let keys = self.0.iter().map(|condition| (condition.key(), Values(condition.values().collect())));
        serializer.collect_map(keys)
    }
}

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => serializer.serialize_str(one.text),
            values => serializer.collect_seq(values.iter().map(|value| value.text)),
        }
    }
}
