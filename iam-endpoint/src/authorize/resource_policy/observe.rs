//! The operations that change a resource's own policy, read as they pass.

use std::borrow::Cow;

use http::StatusCode;
use iam_policy::{Policy, PolicyKind};
use serde_json::{Map, Value, json};

use super::grant::Grant;
use crate::derive::{Question, Scope};
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::s3::is_public;
use crate::wire::input::{Input, entries};

/// An operation that changes a resource's own policy.
struct Rule {
    /// As botocore names it.
    service: &'static str,
    operation: &'static str,
    effect: Effect,
}

/// What an operation does to the policy of the resource that it is about.
enum Effect {
    /// Adds a statement.
    Add(fn(&Input<'_>, &str) -> Option<Value>),
    Alias,
    CreateGrant,
    /// Puts the policy in a member of this name.
    Put(&'static str),
    /// Puts the policy in a map of attributes, as queues and topics have it.
    PutAttribute,
    /// Removes the policy, or the resource and its policy with it.
    Remove,
    RemoveAlias,
    /// Removes the statement whose id is at this path.
    RemoveStatement(&'static str),
    RetireGrant,
}

const fn rule(service: &'static str, operation: &'static str, effect: Effect) -> Rule {
    Rule { service, operation, effect }
}

static RULES: &[Rule] = {
    use Effect::{
        Add, Alias, CreateGrant, Put, PutAttribute, Remove, RemoveAlias, RemoveStatement, RetireGrant,
    };
    &[
        rule("dynamodb", "CreateTable", Put("ResourcePolicy")),
        rule("dynamodb", "DeleteResourcePolicy", Remove),
        rule("dynamodb", "DeleteTable", Remove),
        rule("dynamodb", "PutResourcePolicy", Put("Policy")),
        rule("ecr", "DeleteRepository", Remove),
        rule("ecr", "DeleteRepositoryPolicy", Remove),
        rule("ecr", "SetRepositoryPolicy", Put("policyText")),
        rule("events", "DeleteEventBus", Remove),
        rule("events", "PutPermission", Add(event_bus_statement)),
        rule("events", "RemovePermission", RemoveStatement("StatementId")),
        rule("kinesis", "DeleteResourcePolicy", Remove),
        rule("kinesis", "PutResourcePolicy", Put("Policy")),
        rule("kms", "CreateAlias", Alias),
        rule("kms", "CreateGrant", CreateGrant),
        rule("kms", "CreateKey", Put("Policy")),
        rule("kms", "DeleteAlias", RemoveAlias),
        rule("kms", "PutKeyPolicy", Put("Policy")),
        rule("kms", "RetireGrant", RetireGrant),
        rule("kms", "RevokeGrant", RetireGrant),
        rule("kms", "UpdateAlias", Alias),
        rule("lambda", "AddPermission", Add(function_statement)),
        rule("lambda", "DeleteFunction", Remove),
        rule("lambda", "RemovePermission", RemoveStatement("/StatementId")),
        rule("secretsmanager", "DeleteResourcePolicy", Remove),
        rule("secretsmanager", "PutResourcePolicy", Put("ResourcePolicy")),
        rule("sns", "AddPermission", Add(topic_statement)),
        rule("sns", "CreateTopic", PutAttribute),
        rule("sns", "DeleteTopic", Remove),
        rule("sns", "RemovePermission", RemoveStatement("Label")),
        rule("sns", "SetTopicAttributes", PutAttribute),
        rule("sqs", "AddPermission", Add(queue_statement)),
        rule("sqs", "CreateQueue", PutAttribute),
        rule("sqs", "DeleteQueue", Remove),
        rule("sqs", "RemovePermission", RemoveStatement("Label")),
        rule("sqs", "SetQueueAttributes", PutAttribute),
    ]
};

/// What an authorized call will have changed once it is done.
pub(crate) struct Change {
    arn: String,
    edit: Edit,
}

enum Edit {
    Add(Value),
    Alias(String),
    Grant(Grant),
    Put(Policy),
    Remove,
    RemoveAlias,
    RemoveStatement(String),
    RetireGrant(String),
}

/// Reads the change that an authorized call makes to the policy of the resource that it is about.
///
/// # Errors
///
/// The service's own error for a policy that it would not take.
pub(crate) fn observe(
    scope: &Scope<'_>,
    service: &'static str,
    operation: &str,
    resource: Option<&str>,
) -> Result<Option<Change>, Fault> {
    let Some(rule) = RULES.iter().find(|rule| rule.service == service && rule.operation == operation) else {
        return Ok(None);
    };
    let input = scope.input;
    let arn = match (service, resource) {
        ("events", _) => {
            let name = input.text("EventBusName").or(input.text("Name"));
            scope.arn("events", &format!("event-bus/{}", name.as_deref().unwrap_or("default")))
        }
        (_, Some(resource)) => resource.to_owned(),
        (_, None) => return Ok(None),
    };
    let text = |path: &str| input.text(path).map(Cow::into_owned);
    let put = |text: Option<String>| match text {
        None => Ok(None),
        Some(text) if text.is_empty() => Ok(Some(Edit::Remove)),
        Some(text) => read(scope.endpoint, service, input, &text).map(|policy| Some(Edit::Put(policy))),
    };
    let edit = match rule.effect {
        Effect::Add(statement) => match text("Policy") {
            Some(policy) => put(Some(policy))?,
            None => statement(input, &arn).map(Edit::Add),
        },
        Effect::Alias => text("TargetKeyId").map(|key| {
            Edit::Alias(if key.starts_with("arn:") { key } else { scope.arn("kms", &format!("key/{key}")) })
        }),
        Effect::CreateGrant => Grant::read(input).map(Edit::Grant),
        Effect::Put(path) => put(text(path))?,
        Effect::PutAttribute => put(policy_attribute(input))?,
        Effect::Remove => Some(Edit::Remove),
        Effect::RemoveAlias => Some(Edit::RemoveAlias),
        Effect::RemoveStatement(path) => text(path).map(Edit::RemoveStatement),
        Effect::RetireGrant => text("GrantId").or(text("GrantToken")).map(Edit::RetireGrant),
    };
    let arn = match edit {
        Some(Edit::Alias(_) | Edit::RemoveAlias) => match text("AliasName") {
            Some(alias) => scope.arn("kms", &alias),
            None => return Ok(None),
        },
        _ => arn,
    };
    Ok(edit.map(|edit| Change { arn, edit }))
}

/// A KMS key that a request names by an alias is itself what is decided about.
///
/// <https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html>
pub(crate) fn resolve_aliases(scope: &Scope<'_>, service: &str, questions: &mut [Question<'_>]) {
    if service != "kms" {
        return;
    }
    for member in ["KeyId", "SourceKeyId", "DestinationKeyId"] {
        let Some(named) = scope.input.text(member).filter(|named| named.contains("alias/")) else { continue };
        let alias = if named.starts_with("arn:") { named.into_owned() } else { scope.arn("kms", &named) };
        let Some(key) = scope.endpoint.resource_policies.key_of(&alias) else { continue };
        let name = alias.rsplit('/').next().unwrap_or_default();
        for question in questions.iter_mut() {
            if question.resource.rsplit('/').next() == Some(name) {
                question.resource.clone_from(&key);
            }
        }
    }
}

impl Change {
    /// Makes the change, once the call was answered or nobody was there to perform it.
    pub(crate) fn make(self, endpoint: &Shared, answer: &[u8]) {
        let policies = &endpoint.resource_policies;
        let answered = serde_json::from_slice::<Value>(answer).unwrap_or_default();
        let told = |pointer: &str| answered.pointer(pointer).and_then(Value::as_str);
        // What a call makes has an ARN only with the answer.
        let arn = told("/KeyMetadata/Arn").map_or(self.arn, str::to_owned);
        match self.edit {
            Edit::Add(statement) => policies.edit(&arn, |statements| {
                statements.retain(|other| other.get("Sid") != statement.get("Sid"));
                statements.push(statement);
            }),
            Edit::Alias(key) => policies.set_alias(arn, key),
            Edit::Grant(grant) => {
                policies.grant(&arn, grant.named(told("/GrantId").unwrap_or_default(), told("/GrantToken")));
            }
            Edit::Put(policy) => policies.put(arn, policy),
            Edit::Remove => policies.remove(&arn),
            Edit::RemoveAlias => policies.remove_alias(&arn),
            Edit::RemoveStatement(sid) => policies.edit(&arn, |statements| {
                statements.retain(|statement| statement.get("Sid").and_then(Value::as_str) != Some(&sid));
            }),
            Edit::RetireGrant(named) => policies.end_grant(&named),
        }
    }
}

/// Reads a policy as its service does when it is put.
fn read(endpoint: &Shared, service: &str, input: &Input<'_>, text: &str) -> Result<Policy, Fault> {
    let policy = endpoint.policy(text, PolicyKind::Resource).map_err(|problems| {
        let code = match service {
            "ecr" | "sns" => "InvalidParameter",
            "kms" | "secretsmanager" => "MalformedPolicyDocumentException",
            "sqs" => "InvalidAttributeValue",
            _ => "ValidationException",
        };
        Fault::new(StatusCode::BAD_REQUEST, code, problems.to_string())
    })?;
    let blocks_public =
        service == "secretsmanager" && input.text("BlockPublicPolicy").as_deref() == Some("true");
    if blocks_public && policy.statements().iter().any(is_public) {
        // https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html
        return Err(Fault::new(
            StatusCode::BAD_REQUEST,
            "PublicPolicyException",
            "You can't add a resource policy that grants broad access to a secret with BlockPublicPolicy.",
        ));
    }
    Ok(policy)
}

/// The attribute `Policy` of a queue or a topic, as each protocol writes it.
fn policy_attribute(input: &Input<'_>) -> Option<String> {
    if input.text("AttributeName").as_deref() == Some("Policy") {
        return Some(input.text("AttributeValue").unwrap_or_default().into_owned());
    }
    let attributes = input.collection("Attributes").or_else(|| input.collection("Attribute"))?;
    let policy = entries(attributes).into_iter().find(|(name, _)| *name == "Policy");
    policy.and_then(|(_, value)| value.as_str()).map(str::to_owned)
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html>
fn queue_statement(input: &Input<'_>, arn: &str) -> Option<Value> {
    labelled(input, arn, ["AWSAccountIds[]", "AWSAccountId[]"], ["Actions[]", "ActionName[]"], "SQS")
}

/// <https://docs.aws.amazon.com/sns/latest/api/API_AddPermission.html>
fn topic_statement(input: &Input<'_>, arn: &str) -> Option<Value> {
    labelled(input, arn, ["AWSAccountId[]", "AWSAccountIds[]"], ["ActionName[]", "ActionNames[]"], "SNS")
}

fn labelled(
    input: &Input<'_>,
    arn: &str,
    accounts: [&str; 2],
    actions: [&str; 2],
    prefix: &str,
) -> Option<Value> {
    let (mut principals, mut allowed) = (Vec::new(), Vec::new());
    for path in accounts {
        for account in input.texts(path) {
            principals.push(root_of(account));
        }
    }
    for path in actions {
        for action in input.texts(path) {
            allowed.push(format!("{prefix}:{action}"));
        }
    }
    Some(json!({
        "Sid": input.text("Label")?,
        "Effect": "Allow",
        "Principal": {"AWS": principals},
        "Action": allowed,
        "Resource": arn,
    }))
}

/// <https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html>
fn function_statement(input: &Input<'_>, arn: &str) -> Option<Value> {
    let mut operators = Map::new();
    for (operator, key, member) in [
        ("ArnLike", "AWS:SourceArn", "SourceArn"),
        ("StringEquals", "AWS:SourceAccount", "SourceAccount"),
        ("StringEquals", "aws:PrincipalOrgID", "PrincipalOrgID"),
        ("StringEquals", "lambda:EventSourceToken", "EventSourceToken"),
        ("StringEquals", "lambda:FunctionUrlAuthType", "FunctionUrlAuthType"),
    ] {
        if let Some(value) = input.text(member) {
            let keys = operators.entry(operator).or_insert_with(|| json!({}));
            if let Value::Object(keys) = keys {
                keys.insert(key.to_owned(), json!(value));
            }
        }
    }
    let mut statement = json!({
        "Sid": input.text("StatementId")?,
        "Effect": "Allow",
        "Principal": principal(&input.text("Principal")?),
        "Action": input.text("Action")?,
        "Resource": arn,
    });
    if let (Value::Object(members), false) = (&mut statement, operators.is_empty()) {
        members.insert("Condition".to_owned(), Value::Object(operators));
    }
    Some(statement)
}

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPermission.html>
fn event_bus_statement(input: &Input<'_>, arn: &str) -> Option<Value> {
    let mut statement = json!({
        "Sid": input.text("StatementId")?,
        "Effect": "Allow",
        "Principal": principal(&input.text("Principal")?),
        "Action": input.text("Action")?,
        "Resource": arn,
    });
    if let (Value::Object(members), Some(kind), Some(key), Some(value)) = (
        &mut statement,
        input.text("Condition.Type"),
        input.text("Condition.Key"),
        input.text("Condition.Value"),
    ) {
        members.insert("Condition".to_owned(), json!({kind: {key: value}}));
    }
    Some(statement)
}

fn principal(text: &str) -> Value {
    if text == "*" {
        return json!("*");
    }
    let is_service = !text.starts_with("arn:") && text.contains('.');
    if is_service { json!({"Service": text}) } else { json!({"AWS": root_of(text.to_owned())}) }
}

/// An account's root by its twelve digits; a principal's ARN is itself.
fn root_of(account: String) -> String {
    if crate::endpoint::is_account_id(&account) { format!("arn:aws:iam::{account}:root") } else { account }
}
