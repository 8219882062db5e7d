//! Reads and writes of several items, all or none.
//!
//! See <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Map, Value, json};

use super::capacity::{Told, to_read, to_write};
use super::item;
use super::write::Write;
use super::{State, bare_name, invalid};
use crate::fault::{Answer, Fault};
use crate::input::Input;
use crate::kept::Ask;

/// A transaction that was done.
pub(super) struct Done {
    at: u64,
    request: u64,
}

/// For so long a token means the same transaction.
const REMEMBERED_FOR: u64 = 10 * 60 * 1000;

pub(super) fn write(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    let told = Told::read(input)?;
    let items = items(input)?;
    let token = input.text("ClientRequestToken")?;
    let mut hasher = DefaultHasher::new();
    ask.allowed.request.body().hash(&mut hasher);
    let request = hasher.finish();
    if let Some(token) = token {
        input.check_size("ClientRequestToken", token, 1, 36)?;
        if let Some(done) = state.transactions.get(token)
            && done.at + REMEMBERED_FOR > ask.now
        {
            return if done.request == request {
                Ok(Value::Null)
            } else {
                Err(Fault::new(
                    "IdempotentParameterMismatchException",
                    "The request uses the same client token as a previous, but non-identical request. Do \
                     not reuse a client \
                     token with different requests, unless the requests are identical",
                ))
            };
        }
    }
    let mut staged = Vec::new();
    let mut reasons = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in items {
        let mut writes = Vec::new();
        let kinds = [
            ("ConditionCheck", Write::Check),
            ("Delete", Write::Delete),
            ("Put", Write::Put),
            ("Update", Write::Update),
        ];
        for (member, write) in kinds {
            writes.extend(entry.object(member)?.map(|input| (write, input)));
        }
        let (Some((write, input)), true) = (writes.pop(), writes.is_empty()) else {
            return Err(invalid("TransactItems can only contain one of Check, Put, Update or Delete"));
        };
        if matches!(write, Write::Check) {
            input.required("ConditionExpression")?;
        }
        if matches!(write, Write::Update) {
            input.required("UpdateExpression")?;
        }
        let table = state.table(input)?;
        match write.stage(table, input) {
            Ok(write) => {
                if !seen.insert((table.name.clone(), write.key.clone())) {
                    return Err(invalid(
                        "Transaction request cannot include multiple operations on one item",
                    ));
                }
                reasons.push(json!({"Code": "None"}));
                staged.push((table.name.clone(), write));
            }
            Err(Fault::Error(error)) if error.code == "ConditionalCheckFailedException" => {
                let mut reason = json!({"Code": "ConditionalCheckFailed", "Message": error.message});
                if let (Some(members), Some(item)) = (reason.as_object_mut(), error.members.get("Item")) {
                    members.insert("Item".to_owned(), item.clone());
                }
                reasons.push(reason);
            }
            Err(fault) => return Err(fault),
        }
    }
    if reasons.len() > staged.len() {
        let codes: Vec<&str> =
            reasons.iter().filter_map(|reason| reason.get("Code").and_then(Value::as_str)).collect();
        let message = format!(
            "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
            codes.join(", ")
        );
        return Err(
            Fault::new("TransactionCanceledException", message).with("CancellationReasons", reasons.into())
        );
    }
    let mut capacity: Vec<Value> = Vec::new();
    for (name, write) in staged {
        // A transaction writes twice.
        capacity.extend(told.of(&name, 2.0 * to_write(write.size())));
        write.commit(state.named(&name)?);
    }
    if let Some(token) = token {
        // To look at all with each call would take ever longer.
        if state.transactions.len() % 1000 == 999 {
            state.transactions.retain(|_, done| done.at + REMEMBERED_FOR > ask.now);
        }
        state.transactions.insert(token.to_owned(), Done { at: ask.now, request });
    }
    Ok(if capacity.is_empty() { Value::Null } else { json!({ "ConsumedCapacity": capacity }) })
}

pub(super) fn get(state: &mut State, ask: &Ask<'_>) -> Answer {
    let told = Told::read(ask.input)?;
    let mut responses = Vec::new();
    let mut capacity = Vec::new();
    for entry in items(ask.input)? {
        let get = entry.required_object("Get")?;
        let (item, size, name) = item::read(state, get)?;
        let mut response = Map::new();
        response.extend(item.map(|item| ("Item".to_owned(), item)));
        responses.push(response);
        capacity.extend(told.of(bare_name(&name), 2.0 * to_read(size, true)));
    }
    let mut answer = json!({ "Responses": responses });
    if let (Some(members), false) = (answer.as_object_mut(), capacity.is_empty()) {
        members.insert("ConsumedCapacity".to_owned(), capacity.into());
    }
    Ok(answer)
}

fn items(input: Input<'_>) -> Result<Vec<Input<'_>>, Fault> {
    let items = input.required_objects("TransactItems")?;
    if (1..=100).contains(&items.len()) {
        return Ok(items);
    }
    Err(input.violated(
        "TransactItems",
        &format!("[{} items]", items.len()),
        "Member must have length less than or equal to 100, Member must have length greater than or equal to 1",
    ))
}
