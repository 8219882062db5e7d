//! CloudWatch Logs: groups, streams and events.
//!
//! See <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/Welcome.html>. Filters and subscriptions on
//! groups, queries, deliveries and what else reads logs is not performed.

mod event;
mod group;
mod pattern;
mod stream;

use std::collections::BTreeMap;

use crate::fault::Fault;
use crate::input::Input;
use crate::kept::{Ask, Operation, Service};
use crate::scope::Arn;
use crate::tags::Tags;
use crate::wire::{Json, Wire};
use group::Group;

/// The log groups of an account in a region, by name, and the policies on all of them.
#[derive(Default)]
pub(crate) struct State {
    groups: BTreeMap<String, Group>,
    policies: BTreeMap<String, (String, u64)>,
}

impl Service for State {
    const NAME: &'static str = "logs";
    const WIRE: Wire = Wire::Json(Json::V1_1);
    const INVALID: &'static str = "InvalidParameterException";
    const OWNERS: &'static [&'static str] = &["logGroupIdentifier", "resourceArn"];

    fn operation(name: &str) -> Option<Operation<Self>> {
        Some(match name {
            "CreateLogGroup" => group::create,
            "CreateLogStream" => stream::create,
            "DeleteLogGroup" => group::delete,
            "DeleteLogStream" => stream::delete,
            "DeleteResourcePolicy" => group::delete_policy,
            "DeleteRetentionPolicy" => group::delete_retention,
            "DescribeLogGroups" => group::describe,
            "DescribeLogStreams" => stream::describe,
            "DescribeResourcePolicies" => group::policies,
            "FilterLogEvents" => event::filter,
            "GetLogEvents" => event::get,
            "ListTagsForResource" => group::list_tags,
            "ListTagsLogGroup" => group::list_tags_by_name,
            "PutLogEvents" => event::put,
            "PutResourcePolicy" => group::put_policy,
            "PutRetentionPolicy" => group::put_retention,
            "TagLogGroup" => group::tag_by_name,
            "TagResource" => group::tag,
            "UntagLogGroup" => group::untag_by_name,
            "UntagResource" => group::untag,
            _ => return None,
        })
    }

    fn tags(&self, arn: &Arn<'_>) -> Option<Tags> {
        let name = arn.resource.strip_prefix("log-group:")?;
        let group = self.groups.get(name.split(':').next().unwrap_or(name));
        Some(group.map(|group| group.tags.clone()).unwrap_or_default())
    }
}

impl State {
    /// The group of the `logGroupName`.
    fn group(&mut self, input: Input<'_>) -> Result<&mut Group, Fault> {
        let name = input.sized("logGroupName", 1, 512)?;
        self.groups.get_mut(name).ok_or_else(|| not_found("log group"))
    }

    /// The group of the `logGroupName` or, by name or ARN, of the `logGroupIdentifier`.
    fn identified(&mut self, ask: &Ask<'_>) -> Result<&mut Group, Fault> {
        let Some(identifier) = ask.input.text("logGroupIdentifier")? else { return self.group(ask.input) };
        if ask.input.has("logGroupName") {
            return Err(ask.input.invalid("LogGroupName and LogGroupIdentifier cannot both be specified"));
        }
        let name = match Arn::parse(identifier) {
            Some(arn) if ask.scope.holds(&arn) => arn.resource.strip_prefix("log-group:").unwrap_or_default(),
            Some(_) => "",
            None => identifier,
        };
        self.groups.get_mut(name).ok_or_else(|| not_found("log group"))
    }
}

fn not_found(what: &str) -> Fault {
    Fault::new("ResourceNotFoundException", format!("The specified {what} does not exist."))
}
