//! SNS: topics, subscriptions and what is published.
//!
//! See <https://docs.aws.amazon.com/sns/latest/api/welcome.html>. Queues and functions are told of what is
//! published, as far as their policies let SNS; other subscriptions are kept, and nobody is told. Phones, mobile applications and
//! archives are not performed.

mod notify;
mod publish;
mod subscription;
mod topic;

use std::collections::BTreeMap;

use crate::fault::Fault;
use crate::kept::{Ask, Operation, Service};
use crate::scope::Arn;
use crate::tags::Tags;
use crate::wire::{Query, Wire};
use subscription::Subscription;
use topic::Topic;

/// The topics of an account in a region, by name, and the subscriptions by ARN.
#[derive(Default)]
pub(crate) struct State {
    topics: BTreeMap<String, Topic>,
    subscriptions: BTreeMap<String, Subscription>,
}

impl Service for State {
    const NAME: &'static str = "sns";
    const WIRE: Wire =
        Wire::Query(Query { namespace: "http://sns.amazonaws.com/doc/2010-03-31/", maps: &["Attributes"] });
    const INVALID: &'static str = "ValidationError";
    const OWNERS: &'static [&'static str] = &["TopicArn", "TargetArn", "SubscriptionArn", "ResourceArn"];

    fn operation(name: &str) -> Option<Operation<Self>> {
        Some(match name {
            "AddPermission" => topic::add_permission,
            "ConfirmSubscription" => subscription::confirm,
            "CreateTopic" => topic::create,
            "DeleteTopic" => topic::delete,
            "GetSubscriptionAttributes" => subscription::attributes,
            "GetTopicAttributes" => topic::attributes,
            "ListSubscriptions" => subscription::list,
            "ListSubscriptionsByTopic" => subscription::list_by_topic,
            "ListTagsForResource" => topic::list_tags,
            "ListTopics" => topic::list,
            "Publish" => publish::publish,
            "PublishBatch" => publish::publish_batch,
            "RemovePermission" => topic::remove_permission,
            "SetSubscriptionAttributes" => subscription::set_attributes,
            "SetTopicAttributes" => topic::set_attributes,
            "Subscribe" => subscription::subscribe,
            "TagResource" => topic::tag,
            "Unsubscribe" => subscription::unsubscribe,
            "UntagResource" => topic::untag,
            _ => return None,
        })
    }

    fn tags(&self, arn: &Arn<'_>) -> Option<Tags> {
        // A subscription has its topic's.
        let name = arn.resource.split(':').next().unwrap_or_default();
        Some(self.topics.get(name).map(|topic| topic.tags.clone()).unwrap_or_default())
    }
}

impl State {
    /// The topic of a parameter that is its ARN.
    fn topic(&mut self, ask: &Ask<'_>, member: &str) -> Result<&mut Topic, Fault> {
        let text = ask.input.required(member)?;
        let Some(arn) = Arn::parse(text).filter(|arn| arn.service == "sns") else {
            return Err(invalid(member, ""));
        };
        let topic = if ask.scope.holds(&arn) { self.topics.get_mut(arn.resource) } else { None };
        topic.ok_or_else(|| Fault::with_status(404, "NotFound", "Topic does not exist"))
    }
}

fn invalid(member: &str, reason: &str) -> Fault {
    let reason = if reason.is_empty() { String::new() } else { format!(" Reason: {reason}") };
    Fault::new("InvalidParameter", format!("Invalid parameter: {member}{reason}"))
}

/// As [`crate::page::page`] has them, with this service's error.
fn invalid_token() -> Fault {
    invalid("NextToken", "")
}
