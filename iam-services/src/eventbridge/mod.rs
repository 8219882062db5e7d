//! EventBridge: buses, rules, targets.
//!
//! See <https://docs.aws.amazon.com/eventbridge/latest/APIReference/Welcome.html>. Events go to the queues, topics and functions
//! that are targets of a rule that fits, as far as their policies let EventBridge; no other target is called. Archives, replays,
//! connections and partners are not performed.

mod bus;
mod event;
mod rule;
mod target;

use std::collections::BTreeMap;

use crate::fault::Fault;
use crate::kept::{Ask, Operation, Service};
use crate::scope::Arn;
use crate::tags::Tags;
use crate::wire::{Json, Wire};
use bus::Bus;

/// The event buses of an account in a region, by name. The one called `default` is there from the start.
pub(crate) struct State {
    buses: BTreeMap<String, Bus>,
}

impl Default for State {
    fn default() -> Self {
        Self { buses: [("default".to_owned(), Bus::default())].into() }
    }
}

impl Service for State {
    const NAME: &'static str = "events";
    const WIRE: Wire = Wire::Json(Json::V1_1);
    const INVALID: &'static str = "ValidationException";
    const OWNERS: &'static [&'static str] = &["EventBusName", "Name", "ResourceARN"];

    fn operation(name: &str) -> Option<Operation<Self>> {
        Some(match name {
            "CreateEventBus" => bus::create,
            "DeleteEventBus" => bus::delete,
            "DeleteRule" => rule::delete,
            "DescribeEventBus" => bus::describe,
            "DescribeRule" => rule::describe,
            "DisableRule" => rule::disable,
            "EnableRule" => rule::enable,
            "ListEventBuses" => bus::list,
            "ListRuleNamesByTarget" => rule::list_by_target,
            "ListRules" => rule::list,
            "ListTagsForResource" => bus::list_tags,
            "ListTargetsByRule" => rule::list_targets,
            "PutEvents" => event::put,
            "PutPermission" => bus::put_permission,
            "PutRule" => rule::put,
            "PutTargets" => rule::put_targets,
            "RemovePermission" => bus::remove_permission,
            "RemoveTargets" => rule::remove_targets,
            "TagResource" => bus::tag,
            "UntagResource" => bus::untag,
            "UpdateEventBus" => bus::update,
            _ => return None,
        })
    }

    fn tags(&self, arn: &Arn<'_>) -> Option<Tags> {
        match arn.resource.split_once('/')? {
            ("event-bus", name) => Some(self.buses.get(name).map(|bus| bus.tags.clone()).unwrap_or_default()),
            ("rule", name) => {
                let (bus, rule) = name.rsplit_once('/').unwrap_or(("default", name));
                let rule = self.buses.get(bus).and_then(|bus| bus.rules.get(rule));
                Some(rule.map(|rule| rule.tags.clone()).unwrap_or_default())
            }
            _ => None,
        }
    }
}

impl State {
    /// The bus of a parameter that is its name or ARN; without it, the default one.
    fn bus(&mut self, ask: &Ask<'_>, member: &str) -> Result<(&mut Bus, String), Fault> {
        let text = ask.input.text(member)?.unwrap_or("default");
        let name = text.rsplit_once(":event-bus/").map_or(text, |(_, name)| name);
        match self.buses.get_mut(name) {
            Some(bus) => Ok((bus, name.to_owned())),
            None => Err(not_found(format!("Event bus {name} does not exist."))),
        }
    }
}

fn not_found(message: String) -> Fault {
    Fault::new("ResourceNotFoundException", message)
}

/// Names of buses and rules.
fn check_name(ask: &Ask<'_>, member: &str, most: usize, others: &[u8]) -> Result<(), Fault> {
    let name = ask.input.sized(member, 1, most)?;
    if name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b) || others.contains(&b)) {
        return Ok(());
    }
    Err(ask.input.violated(
        member,
        name,
        r"Member must satisfy regular expression pattern: [\.\-_A-Za-z0-9]+",
    ))
}
