//! Rules and their targets.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{State, check_name, not_found};
use crate::fault::{Answer, Fault};
use crate::filter::Pattern;
use crate::kept::Ask;
use crate::page::page;
use crate::scope::Arn;
use crate::tags::{self, Tags};

/// A rule with its targets by id.
pub(super) struct Rule {
    pub(super) tags: Tags,
    /// As it is told, without the bus.
    told: Map<String, Value>,
    /// `None` for one that only has a schedule.
    pattern: Option<Pattern>,
    pub(super) targets: BTreeMap<String, Value>,
}

impl Rule {
    pub(super) fn arn(&self) -> &str {
        self.told.get("Arn").and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether the rule is on and an event fits it.
    pub(super) fn wants(&self, event: &Map<String, Value>) -> bool {
        self.told.get("State").is_some_and(|state| state != "DISABLED")
            && self.pattern.as_ref().is_some_and(|pattern| pattern.matches(event))
    }
}

/// See <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html>.
pub(super) fn put(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    check_name(ask, "Name", 64, b"")?;
    let name = input.required("Name")?;
    let (pattern, schedule) = (input.text("EventPattern")?, input.text("ScheduleExpression")?);
    if pattern.is_none_or(str::is_empty) && schedule.is_none_or(str::is_empty) {
        return Err(input.invalid("Parameter(s) EventPattern or ScheduleExpression must be specified."));
    }
    let pattern = match pattern.filter(|pattern| !pattern.is_empty()) {
        Some(pattern) => Some(Pattern::parse(pattern).map_err(|why| {
            let message = format!("Event pattern is not valid. Reason: {why}");
            Fault::new("InvalidEventPatternException", message)
        })?),
        None => None,
    };
    if let Some(schedule) = schedule.filter(|schedule| !schedule.is_empty())
        && !(schedule.starts_with("rate(") || schedule.starts_with("cron(")) | !schedule.ends_with(')')
    {
        return Err(input.invalid("Parameter ScheduleExpression is not valid."));
    }
    let known = ["ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"];
    let rule_state = input.one_of("State", &known)?.unwrap_or("ENABLED");
    let given = input.tag_list("Tags", "Key", "Value")?;
    if let Some(problem) = tags::problem(&given) {
        return Err(input.invalid(problem));
    }
    let (bus, bus_name) = state.bus(ask, "EventBusName")?;
    if schedule.is_some_and(|schedule| !schedule.is_empty()) && bus_name != "default" {
        return Err(input.invalid("ScheduleExpression is supported only on the default event bus."));
    }
    let arn = match bus_name.as_str() {
        "default" => ask.scope.arn("events", &format!("rule/{name}")),
        bus => ask.scope.arn("events", &format!("rule/{bus}/{name}")),
    };
    let mut told = Map::new();
    for member in ["Description", "EventPattern", "RoleArn", "ScheduleExpression"] {
        if let Some(text) = input.text(member)? {
            told.insert(member.to_owned(), text.into());
        }
    }
    told.insert("Name".to_owned(), name.into());
    told.insert("Arn".to_owned(), arn.as_str().into());
    told.insert("State".to_owned(), rule_state.into());
    told.insert("EventBusName".to_owned(), bus_name.into());
    match bus.rules.get_mut(name) {
        // The tags of a rule that is there stay as they are.
        Some(rule) => (rule.told, rule.pattern) = (told, pattern),
        None => {
            bus.rules.insert(name.to_owned(), Rule { tags: given, told, pattern, targets: BTreeMap::new() });
        }
    }
    Ok(json!({ "RuleArn": arn }))
}

fn existing<'s>(state: &'s mut State, ask: &Ask<'_>, member: &str) -> Result<&'s mut Rule, Fault> {
    let name = ask.input.sized(member, 1, 64)?;
    let (bus, bus_name) = state.bus(ask, "EventBusName")?;
    bus.rules
        .get_mut(name)
        .ok_or_else(|| not_found(format!("Rule {name} does not exist on EventBus {bus_name}.")))
}

pub(super) fn describe(state: &mut State, ask: &Ask<'_>) -> Answer {
    let mut told = existing(state, ask, "Name")?.told.clone();
    told.insert("CreatedBy".to_owned(), ask.scope.account.as_str().into());
    Ok(told.into())
}

pub(super) fn enable(state: &mut State, ask: &Ask<'_>) -> Answer {
    switch(state, ask, "ENABLED")
}

pub(super) fn disable(state: &mut State, ask: &Ask<'_>) -> Answer {
    switch(state, ask, "DISABLED")
}

fn switch(state: &mut State, ask: &Ask<'_>, to: &str) -> Answer {
    existing(state, ask, "Name")?.told.insert("State".to_owned(), to.into());
    Ok(Value::Null)
}

pub(super) fn delete(state: &mut State, ask: &Ask<'_>) -> Answer {
    let name = ask.input.sized("Name", 1, 64)?;
    let (bus, _) = state.bus(ask, "EventBusName")?;
    if bus.rules.get(name).is_some_and(|rule| !rule.targets.is_empty()) {
        return Err(ask.input.invalid("Rule can't be deleted since it has targets."));
    }
    bus.rules.remove(name);
    Ok(Value::Null)
}

pub(super) fn list(state: &mut State, ask: &Ask<'_>) -> Answer {
    let prefix = ask.input.text("NamePrefix")?.unwrap_or_default();
    let limit = ask.input.limit("Limit", 100, 100)?;
    let (bus, _) = state.bus(ask, "EventBusName")?;
    let (found, token) =
        page(&bus.rules, ask.input.text("NextToken")?, limit, |name, _| name.starts_with(prefix))
            .ok_or_else(|| ask.input.invalid("NextToken is invalid."))?;
    let rules: Vec<_> = found.into_iter().map(|(_, rule)| &rule.told).collect();
    Ok(json!({"Rules": rules, "NextToken": token}))
}

pub(super) fn list_by_target(state: &mut State, ask: &Ask<'_>) -> Answer {
    let target = ask.input.required("TargetArn")?;
    let limit = ask.input.limit("Limit", 100, 100)?;
    let (bus, _) = state.bus(ask, "EventBusName")?;
    let has =
        |rule: &Rule| rule.targets.values().any(|of| of.get("Arn").and_then(Value::as_str) == Some(target));
    let (found, token) = page(&bus.rules, ask.input.text("NextToken")?, limit, |_, rule| has(rule))
        .ok_or_else(|| ask.input.invalid("NextToken is invalid."))?;
    let names: Vec<&String> = found.into_iter().map(|(name, _)| name).collect();
    Ok(json!({"RuleNames": names, "NextToken": token}))
}

/// See <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html>.
pub(super) fn put_targets(state: &mut State, ask: &Ask<'_>) -> Answer {
    let targets = ask.input.required_objects("Targets")?;
    if targets.is_empty() {
        return Err(ask.input.violated(
            "Targets",
            "[]",
            "Member must have length greater than or equal to 1",
        ));
    }
    let mut new = BTreeMap::new();
    for target in targets {
        let (id, arn) = (target.sized("Id", 1, 64)?, target.sized("Arn", 1, 1600)?);
        if Arn::parse(arn).is_none() {
            return Err(target.invalid(format!(
                "Parameter {arn} is not valid. Reason: Provided Arn is not in correct format."
            )));
        }
        new.insert(id.to_owned(), Value::Object(target.members().clone()));
    }
    let rule = existing(state, ask, "Rule")?;
    let count = rule.targets.keys().filter(|id| !new.contains_key(*id)).count() + new.len();
    if count > 5 {
        return Err(Fault::new(
            "LimitExceededException",
            "The requested resource exceeds the maximum number allowed.",
        ));
    }
    rule.targets.extend(new);
    Ok(json!({"FailedEntryCount": 0, "FailedEntries": []}))
}

pub(super) fn remove_targets(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.required_list("Ids")?;
    let ids = ask.input.texts("Ids")?;
    existing(state, ask, "Rule")?.targets.retain(|id, _| !ids.contains(&id.as_str()));
    Ok(json!({"FailedEntryCount": 0, "FailedEntries": []}))
}

pub(super) fn list_targets(state: &mut State, ask: &Ask<'_>) -> Answer {
    let limit = ask.input.limit("Limit", 100, 100)?;
    let rule = existing(state, ask, "Rule")?;
    let (found, token) = page(&rule.targets, ask.input.text("NextToken")?, limit, |_, _| true)
        .ok_or_else(|| ask.input.invalid("NextToken is invalid."))?;
    let targets: Vec<&Value> = found.into_iter().map(|(_, target)| target).collect();
    Ok(json!({"Targets": targets, "NextToken": token}))
}
