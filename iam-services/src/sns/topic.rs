//! Topics: made, looked at, tagged, deleted.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{State, invalid, invalid_token};
use crate::fault::{Answer, Fault};
use crate::kept::{Ask, SEALING};
use crate::page::page;
use crate::scope::is_account;
use crate::tags::{self, Tags};

/// A topic.
pub(super) struct Topic {
    pub(super) arn: String,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) tags: Tags,
    /// Messages with a deduplication id, by it: when, and the message's id and number.
    pub(super) sent: BTreeMap<String, (u64, String, u64)>,
    pub(super) count: u64,
}

impl Topic {
    /// Asks whether the caller may have the topic's key used, where it has one.
    ///
    /// See <https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html>.
    pub(super) fn use_key(&self, ask: &Ask<'_>) -> Result<(), Fault> {
        let key = self.attributes.get("KmsMasterKeyId").filter(|key| !key.is_empty());
        let context = [("aws:sns:topicArn", self.arn.as_str())];
        key.map_or(Ok(()), |key| ask.use_key(key, &SEALING, &context))
    }

    pub(super) fn is_fifo(&self) -> bool {
        self.attributes.get("FifoTopic").is_some_and(|value| value == "true")
    }

    fn policy(&self, ask: &Ask<'_>) -> Value {
        let policy = self.attributes.get("Policy").and_then(|policy| serde_json::from_str(policy).ok());
        policy.unwrap_or_else(|| {
            json!({
                "Version": "2008-10-17",
                "Id": "__default_policy_ID",
                "Statement": [{
                    "Sid": "__default_statement_ID",
                    "Effect": "Allow",
                    "Principal": {"AWS": "*"},
                    "Action": [
                        "SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission",
                        "SNS:DeleteTopic", "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish",
                    ],
                    "Resource": self.arn,
                    "Condition": {"StringEquals": {"AWS:SourceOwner": ask.scope.account}},
                }],
            })
        })
    }
}

/// See <https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html>.
pub(super) fn create(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    input.without(&["DataProtectionPolicy"])?;
    let name = input.required("Name")?;
    let mut attributes = BTreeMap::new();
    for (attribute, value) in input.map("Attributes")? {
        check(attribute, value, true)?;
        attributes.insert(attribute.to_owned(), value.to_owned());
    }
    let is_fifo = attributes.get("FifoTopic").is_some_and(|value| value == "true");
    let stem = if is_fifo { name.strip_suffix(".fifo") } else { Some(name) };
    let is_valid = (1..=256).contains(&name.len())
        && stem.is_some_and(|stem| {
            !stem.is_empty() && stem.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
        });
    if !is_valid {
        return Err(invalid("Topic Name", ""));
    }
    let tags = checked(input.tag_list("Tags", "Key", "Value")?)?;
    let arn = ask.scope.arn("sns", name);
    if let Some(topic) = state.topics.get(name) {
        if attributes.iter().any(|(name, value)| topic.attributes.get(name) != Some(value)) {
            return Err(invalid("Attributes", "Topic already exists with different attributes"));
        }
        if !tags.is_empty() && tags != topic.tags {
            return Err(invalid("Tags", "Topic already exists with different tags"));
        }
        return Ok(json!({ "TopicArn": arn }));
    }
    let topic = Topic { arn: arn.clone(), attributes, tags, sent: BTreeMap::new(), count: 0 };
    state.topics.insert(name.to_owned(), topic);
    Ok(json!({ "TopicArn": arn }))
}

/// See <https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html>.
fn check(name: &str, value: &str, is_new: bool) -> Result<(), Fault> {
    let is_boolean = || matches!(value, "true" | "false");
    let is_object = || value.is_empty() || matches!(serde_json::from_str(value), Ok(Value::Object(_)));
    let is_valid = match name {
        "ArchivePolicy" => return Err(Fault::NotPerformed),
        "ContentBasedDeduplication" => is_boolean(),
        "DeliveryPolicy" | "Policy" => is_object(),
        "DisplayName" => value.chars().count() <= 100,
        "FifoTopic" => is_new && is_boolean(),
        "FifoThroughputScope" => matches!(value, "Topic" | "MessageGroup"),
        "KmsMasterKeyId" => true,
        "SignatureVersion" => matches!(value, "1" | "2"),
        "TracingConfig" => matches!(value, "Active" | "PassThrough"),
        // Where deliveries are logged.
        name => name.ends_with("FeedbackRoleArn") || name.ends_with("SuccessFeedbackSampleRate"),
    };
    if is_valid { Ok(()) } else { Err(invalid("AttributeName", &format!("{name} cannot be `{value}`"))) }
}

fn checked(tags: Tags) -> Result<Tags, Fault> {
    match tags::problem(&tags) {
        Some(problem) => Err(invalid("Tags", &problem)),
        None => Ok(tags),
    }
}

pub(super) fn delete(state: &mut State, ask: &Ask<'_>) -> Answer {
    // Who deletes what is not there has what they want.
    let arn = match state.topic(ask, "TopicArn") {
        Ok(topic) => topic.arn.clone(),
        Err(Fault::Error(error)) if error.code == "NotFound" => return Ok(Value::Null),
        Err(fault) => return Err(fault),
    };
    state.topics.remove(arn.rsplit(':').next().unwrap_or_default());
    state.subscriptions.retain(|_, subscription| subscription.topic != arn);
    Ok(Value::Null)
}

pub(super) fn list(state: &mut State, ask: &Ask<'_>) -> Answer {
    let (found, token) =
        page(&state.topics, ask.input.text("NextToken")?, 100, |_, _| true).ok_or_else(invalid_token)?;
    let topics: Vec<Value> = found.into_iter().map(|(_, topic)| json!({"TopicArn": topic.arn})).collect();
    Ok(with_token(json!({ "Topics": topics }), token))
}

pub(super) fn with_token(mut answer: Value, token: Option<String>) -> Value {
    if let (Some(members), Some(token)) = (answer.as_object_mut(), token) {
        members.insert("NextToken".to_owned(), token.into());
    }
    answer
}

pub(super) fn attributes(state: &mut State, ask: &Ask<'_>) -> Answer {
    let topic = state.topic(ask, "TopicArn")?;
    let mut told: Map<String, Value> =
        topic.attributes.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    let mut set = |name: &str, value: String| {
        told.entry(name).or_insert(Value::String(value));
    };
    set("Policy", topic.policy(ask).to_string());
    set("TopicArn", topic.arn.clone());
    set("Owner", ask.scope.account.clone());
    set("DisplayName", String::new());
    set("SubscriptionsDeleted", "0".to_owned());
    set("EffectiveDeliveryPolicy", EFFECTIVE_DELIVERY_POLICY.to_owned());
    let arn = topic.arn.clone();
    let count = |is_pending: bool| {
        let subscriptions = state.subscriptions.values();
        subscriptions.filter(|of| of.topic == arn && of.is_pending == is_pending).count().to_string()
    };
    set("SubscriptionsConfirmed", count(false));
    set("SubscriptionsPending", count(true));
    Ok(json!({ "Attributes": told }))
}

const EFFECTIVE_DELIVERY_POLICY: &str = r#"{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}"#;

pub(super) fn set_attributes(state: &mut State, ask: &Ask<'_>) -> Answer {
    let name = ask.input.required("AttributeName")?;
    let value = ask.input.text("AttributeValue")?.unwrap_or_default();
    check(name, value, false)?;
    let topic = state.topic(ask, "TopicArn")?;
    if value.is_empty() {
        topic.attributes.remove(name);
    } else {
        topic.attributes.insert(name.to_owned(), value.to_owned());
    }
    Ok(Value::Null)
}

/// See <https://docs.aws.amazon.com/sns/latest/api/API_AddPermission.html>.
pub(super) fn add_permission(state: &mut State, ask: &Ask<'_>) -> Answer {
    let label = ask.input.required("Label")?;
    ask.input.required_list("AWSAccountId")?;
    ask.input.required_list("ActionName")?;
    let accounts = ask.input.texts("AWSAccountId")?;
    let actions = ask.input.texts("ActionName")?;
    if accounts.iter().any(|account| !is_account(account)) {
        return Err(invalid("AWSAccountId", "an account id is twelve digits"));
    }
    let principals: Vec<String> =
        accounts.iter().map(|account| format!("arn:{}:iam::{account}:root", ask.scope.partition)).collect();
    let actions: Vec<String> = actions.iter().map(|action| format!("SNS:{action}")).collect();
    let topic = state.topic(ask, "TopicArn")?;
    let mut policy = topic.policy(ask);
    let statements = statements(&mut policy)?;
    if statements.iter().any(|statement| is_labelled(statement, label)) {
        return Err(invalid("Statement already exists", ""));
    }
    statements.push(json!({
        "Sid": label, "Effect": "Allow", "Principal": {"AWS": principals}, "Action": actions, "Resource": topic.arn,
    }));
    topic.attributes.insert("Policy".to_owned(), policy.to_string());
    Ok(Value::Null)
}

pub(super) fn remove_permission(state: &mut State, ask: &Ask<'_>) -> Answer {
    let label = ask.input.required("Label")?;
    let topic = state.topic(ask, "TopicArn")?;
    let mut policy = topic.policy(ask);
    let statements = statements(&mut policy)?;
    let before = statements.len();
    statements.retain(|statement| !is_labelled(statement, label));
    if statements.len() == before {
        return Err(Fault::with_status(404, "NotFound", "Statement does not exist"));
    }
    topic.attributes.insert("Policy".to_owned(), policy.to_string());
    Ok(Value::Null)
}

fn statements(policy: &mut Value) -> Result<&mut Vec<Value>, Fault> {
    // A policy with one statement outside a list is rewritten by nobody here.
    policy.get_mut("Statement").and_then(Value::as_array_mut).ok_or(Fault::NotPerformed)
}

fn is_labelled(statement: &Value, label: &str) -> bool {
    statement.get("Sid").and_then(Value::as_str) == Some(label)
}

pub(super) fn tag(state: &mut State, ask: &Ask<'_>) -> Answer {
    let given = ask.input.tag_list("Tags", "Key", "Value")?;
    let topic = tagged(state, ask)?;
    let mut tags = topic.tags.clone();
    tags.extend(given);
    topic.tags = checked(tags)?;
    Ok(json!({}))
}

pub(super) fn untag(state: &mut State, ask: &Ask<'_>) -> Answer {
    let keys = ask.input.texts("TagKeys")?;
    tagged(state, ask)?.tags.retain(|key, _| !keys.contains(&key.as_str()));
    Ok(json!({}))
}

pub(super) fn list_tags(state: &mut State, ask: &Ask<'_>) -> Answer {
    Ok(json!({ "Tags": tags::list(&tagged(state, ask)?.tags, "Key", "Value") }))
}

fn tagged<'s>(state: &'s mut State, ask: &Ask<'_>) -> Result<&'s mut Topic, Fault> {
    state.topic(ask, "ResourceArn").map_err(|fault| match fault {
        Fault::Error(error) if error.code == "NotFound" => {
            Fault::with_status(404, "ResourceNotFound", "Resource does not exist")
        }
        other => other,
    })
}
