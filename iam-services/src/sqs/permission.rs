//! `AddPermission` and `RemovePermission`, which write a queue's policy.

use serde_json::{Value, json};

use super::State;
use super::attributes::Attributes;
use super::queue::Queue;
use crate::fault::{Answer, Fault};
use crate::kept::Ask;
use crate::scope::is_account;

/// See <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html>.
pub(super) fn add(state: &mut State, ask: &Ask<'_>) -> Answer {
    let label = ask.input.required("Label")?;
    ask.input.required_list("AWSAccountIds")?;
    ask.input.required_list("Actions")?;
    let accounts = ask.input.texts("AWSAccountIds")?;
    let actions = ask.input.texts("Actions")?;
    if let Some(account) = accounts.iter().find(|account| !is_account(account)) {
        let message =
            format!("Value {account} for parameter PrincipalId is invalid. Reason: Unable to verify.");
        return Err(ask.input.invalid(message));
    }
    let queue = state.queue(ask)?;
    let mut policy = policy_of(queue);
    let statements = statements_of(&mut policy)?;
    if statements.iter().any(|statement| statement.get("Sid").and_then(Value::as_str) == Some(label)) {
        let message = format!("Value {label} for parameter Label is invalid. Reason: Already exists.");
        return Err(ask.input.invalid(message));
    }
    let partition = &ask.scope.partition;
    let principals: Vec<String> =
        accounts.iter().map(|account| format!("arn:{partition}:iam::{account}:root")).collect();
    let actions: Vec<String> = actions.iter().map(|action| format!("SQS:{action}")).collect();
    statements.push(json!({
        "Sid": label, "Effect": "Allow", "Principal": {"AWS": principals}, "Action": actions, "Resource": queue.arn,
    }));
    set(queue, &policy, ask)
}

/// See <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_RemovePermission.html>.
pub(super) fn remove(state: &mut State, ask: &Ask<'_>) -> Answer {
    let label = ask.input.required("Label")?;
    let queue = state.queue(ask)?;
    let mut policy = policy_of(queue);
    let statements = statements_of(&mut policy)?;
    let before = statements.len();
    statements.retain(|statement| statement.get("Sid").and_then(Value::as_str) != Some(label));
    if statements.len() == before {
        let message = format!(
            "Value {label} for parameter Label is invalid. Reason: can't find label on existing policy."
        );
        return Err(ask.input.invalid(message));
    }
    set(queue, &policy, ask)
}

fn policy_of(queue: &Queue) -> Value {
    let policy = queue.attributes.get("Policy").and_then(|policy| serde_json::from_str(policy).ok());
    policy.unwrap_or_else(
        || json!({"Version": "2012-10-17", "Id": format!("{}/SQSDefaultPolicy", queue.arn), "Statement": []}),
    )
}

/// The statements as a list: a policy may have one without the list's brackets.
fn statements_of(policy: &mut Value) -> Result<&mut Vec<Value>, Fault> {
    let statements = policy.get_mut("Statement").ok_or(Fault::NotPerformed)?;
    if statements.is_object() {
        *statements = Value::Array(vec![statements.take()]);
    }
    statements.as_array_mut().ok_or(Fault::NotPerformed)
}

fn set(queue: &mut Queue, policy: &Value, ask: &Ask<'_>) -> Answer {
    let is_empty = policy.get("Statement").and_then(Value::as_array).is_some_and(Vec::is_empty);
    let policy = if is_empty { String::new() } else { policy.to_string() };
    queue.attributes.set(Attributes::parse(&[("Policy", &policy)])?);
    queue.modified = ask.now / 1000;
    Ok(Value::Null)
}
