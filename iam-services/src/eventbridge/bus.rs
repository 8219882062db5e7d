//! Event buses, their policies, and tags.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::rule::Rule;
use super::{State, check_name, not_found};
use crate::fault::{Answer, Fault};
use crate::kept::{Ask, seconds};
use crate::page::page;
use crate::scope::{Arn, is_account};
use crate::tags::{self, Tags};

/// A bus with its rules.
#[derive(Default)]
pub(super) struct Bus {
    pub(super) rules: BTreeMap<String, Rule>,
    pub(super) tags: Tags,
    policy: Option<Value>,
    /// What was set when it was made or updated, as it is told.
    settings: Map<String, Value>,
    created: u64,
    modified: u64,
}

const SETTINGS: [&str; 4] = ["DeadLetterConfig", "Description", "KmsKeyIdentifier", "LogConfig"];

fn arn(ask: &Ask<'_>, name: &str) -> String {
    ask.scope.arn("events", &format!("event-bus/{name}"))
}

impl Bus {
    fn configure(&mut self, ask: &Ask<'_>) {
        for name in SETTINGS {
            if let Some(value) = ask.input.value(name) {
                self.settings.insert(name.to_owned(), value.clone());
            }
        }
        self.modified = ask.now;
    }

    fn told(&self, ask: &Ask<'_>, name: &str) -> Map<String, Value> {
        let mut told = self.settings.clone();
        told.insert("Name".to_owned(), name.into());
        told.insert("Arn".to_owned(), arn(ask, name).into());
        if self.created > 0 {
            told.insert("CreationTime".to_owned(), seconds(self.created));
            told.insert("LastModifiedTime".to_owned(), seconds(self.modified));
        }
        if let Some(policy) = &self.policy {
            told.insert("Policy".to_owned(), policy.to_string().into());
        }
        told
    }
}

pub(super) fn create(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.without(&["EventSourceName"])?;
    check_name(ask, "Name", 256, b"")?;
    let name = ask.input.required("Name")?;
    let tags = checked(ask, ask.input.tag_list("Tags", "Key", "Value")?)?;
    if state.buses.contains_key(name) {
        return Err(Fault::new(
            "ResourceAlreadyExistsException",
            format!("Event bus {name} already exists."),
        ));
    }
    let mut bus = Bus { tags, created: ask.now, ..Bus::default() };
    bus.configure(ask);
    let mut answer = bus.settings.clone();
    answer.insert("EventBusArn".to_owned(), arn(ask, name).into());
    state.buses.insert(name.to_owned(), bus);
    Ok(answer.into())
}

pub(super) fn update(state: &mut State, ask: &Ask<'_>) -> Answer {
    let (bus, name) = state.bus(ask, "Name")?;
    bus.configure(ask);
    let mut answer = bus.settings.clone();
    answer.insert("Name".to_owned(), name.as_str().into());
    answer.insert("Arn".to_owned(), arn(ask, &name).into());
    Ok(answer.into())
}

pub(super) fn delete(state: &mut State, ask: &Ask<'_>) -> Answer {
    let name = ask.input.sized("Name", 1, 256)?;
    if name == "default" {
        return Err(ask.input.invalid("Cannot delete event bus default."));
    }
    if state.buses.get(name).is_some_and(|bus| !bus.rules.is_empty()) {
        return Err(ask.input.invalid(format!("Event bus {name} cannot be deleted since it has rules.")));
    }
    // Who deletes what is not there has what they want.
    state.buses.remove(name);
    Ok(Value::Null)
}

pub(super) fn describe(state: &mut State, ask: &Ask<'_>) -> Answer {
    let (bus, name) = state.bus(ask, "Name")?;
    Ok(bus.told(ask, &name).into())
}

pub(super) fn list(state: &mut State, ask: &Ask<'_>) -> Answer {
    let limit = ask.input.limit("Limit", 100, 100)?;
    let prefix = ask.input.text("NamePrefix")?.unwrap_or_default();
    let (found, token) =
        page(&state.buses, ask.input.text("NextToken")?, limit, |name, _| name.starts_with(prefix))
            .ok_or_else(|| ask.input.invalid("NextToken is invalid."))?;
    let buses: Vec<_> = found.into_iter().map(|(name, bus)| bus.told(ask, name)).collect();
    Ok(json!({"EventBuses": buses, "NextToken": token}))
}

/// See <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPermission.html>.
pub(super) fn put_permission(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    let whole = input.text("Policy")?;
    let statement = if whole.is_some() {
        None
    } else {
        let sid = input.sized("StatementId", 1, 64)?;
        let principal = input.required("Principal")?;
        let action = input.required("Action")?;
        if principal != "*" && !is_account(principal) {
            let pattern = r"Member must satisfy regular expression pattern: (\d{12}|\*)";
            return Err(input.violated("Principal", principal, pattern));
        }
        let principal = match principal {
            "*" => json!("*"),
            account => json!({"AWS": format!("arn:{}:iam::{account}:root", ask.scope.partition)}),
        };
        Some((sid, principal, action, input.object("Condition")?))
    };
    let (bus, name) = state.bus(ask, "EventBusName")?;
    if let Some(text) = whole {
        let Ok(policy @ Value::Object(_)) = serde_json::from_str(text) else {
            return Err(input.invalid("Policy is not a JSON policy document"));
        };
        bus.policy = Some(policy);
        return Ok(Value::Null);
    }
    let Some((sid, principal, action, condition)) = statement else { return Ok(Value::Null) };
    let mut added = json!({
        "Sid": sid, "Effect": "Allow", "Principal": principal, "Action": action, "Resource": arn(ask, &name),
    });
    if let (Some(members), Some(condition)) = (added.as_object_mut(), condition) {
        let (kind, key) = (condition.required("Type")?, condition.required("Key")?);
        members.insert("Condition".to_owned(), json!({kind: {key: condition.required("Value")?}}));
    }
    let policy = bus.policy.get_or_insert_with(|| json!({"Version": "2012-10-17", "Statement": []}));
    let statements = policy.get_mut("Statement").and_then(Value::as_array_mut).ok_or(Fault::NotPerformed)?;
    statements.retain(|statement| statement.get("Sid").and_then(Value::as_str) != Some(sid));
    statements.push(added);
    Ok(Value::Null)
}

pub(super) fn remove_permission(state: &mut State, ask: &Ask<'_>) -> Answer {
    let all = ask.input.boolean("RemoveAllPermissions")?.unwrap_or(false);
    let sid = ask.input.text("StatementId")?;
    let (bus, _) = state.bus(ask, "EventBusName")?;
    if all {
        bus.policy = None;
        return Ok(Value::Null);
    }
    let statements = bus.policy.as_mut().and_then(|policy| policy.get_mut("Statement")?.as_array_mut());
    let is_named = |statement: &Value| statement.get("Sid").and_then(Value::as_str) == sid;
    match statements {
        Some(statements) if statements.iter().any(is_named) => {
            statements.retain(|statement| !is_named(statement));
            if statements.is_empty() {
                bus.policy = None;
            }
            Ok(Value::Null)
        }
        Some(_) => Err(not_found("Statement with the provided id does not exist.".to_owned())),
        None => Err(not_found("EventBus does not have a policy.".to_owned())),
    }
}

fn checked(ask: &Ask<'_>, tags: Tags) -> Result<Tags, Fault> {
    match tags::problem(&tags) {
        Some(problem) => Err(ask.input.invalid(problem)),
        None => Ok(tags),
    }
}

pub(super) fn tag(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.required_list("Tags")?;
    let given = ask.input.tag_list("Tags", "Key", "Value")?;
    let kept = tagged(state, ask)?;
    let mut tags = kept.clone();
    tags.extend(given);
    *kept = checked(ask, tags)?;
    Ok(Value::Null)
}

pub(super) fn untag(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.required_list("TagKeys")?;
    let keys = ask.input.texts("TagKeys")?;
    tagged(state, ask)?.retain(|key, _| !keys.contains(&key.as_str()));
    Ok(Value::Null)
}

pub(super) fn list_tags(state: &mut State, ask: &Ask<'_>) -> Answer {
    Ok(json!({ "Tags": tags::list(tagged(state, ask)?, "Key", "Value") }))
}

/// The tags of a bus or a rule.
fn tagged<'s>(state: &'s mut State, ask: &Ask<'_>) -> Result<&'s mut Tags, Fault> {
    let text = ask.input.required("ResourceARN")?;
    let missing = || not_found(format!("Resource {text} does not exist."));
    let arn = Arn::parse(text).filter(|arn| ask.scope.holds(arn)).ok_or_else(missing)?;
    match arn.resource.split_once('/') {
        Some(("event-bus", name)) => state.buses.get_mut(name).map(|bus| &mut bus.tags).ok_or_else(missing),
        Some(("rule", name)) => {
            let (bus, rule) = name.rsplit_once('/').unwrap_or(("default", name));
            let rule = state.buses.get_mut(bus).and_then(|bus| bus.rules.get_mut(rule));
            rule.map(|rule| &mut rule.tags).ok_or_else(missing)
        }
        _ => Err(Fault::NotPerformed),
    }
}
