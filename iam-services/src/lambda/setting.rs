//! Tags, reserved concurrency, and the account's limits.

use serde_json::{Value, json};

use super::function::Function;
use super::{State, not_found};
use crate::fault::{Answer, Fault};
use crate::kept::Ask;
use crate::scope::Arn;
use crate::tags;

fn tagged<'s>(state: &'s mut State, ask: &Ask<'_>) -> Result<&'s mut Function, Fault> {
    let text = ask.input.required("Resource")?;
    let Some(arn) = Arn::parse(text).filter(|arn| arn.service == "lambda") else {
        return Err(ask.input.violated("Resource", text, "Member must be the ARN of a function"));
    };
    match arn.resource.strip_prefix("function:") {
        Some(name) if ask.scope.holds(&arn) => {
            state.functions.get_mut(name).ok_or_else(|| not_found("Function", text))
        }
        Some(_) => Err(not_found("Function", text)),
        // Event source mappings and code signing configurations are not kept here.
        None => Err(Fault::NotPerformed),
    }
}

pub(super) fn tag(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.required_object("Tags")?;
    let given = ask.input.tag_map("Tags")?;
    let function = tagged(state, ask)?;
    let mut tags = function.tags.clone();
    tags.extend(given);
    if let Some(problem) = tags::problem(&tags) {
        return Err(ask.input.invalid(problem));
    }
    function.tags = tags;
    Ok(Value::Null)
}

pub(super) fn untag(state: &mut State, ask: &Ask<'_>) -> Answer {
    // One key is a string in the query, several are a list.
    let keys = match ask.input.value("tagKeys") {
        Some(Value::String(key)) => vec![key.as_str()],
        _ => ask.input.texts("tagKeys")?,
    };
    tagged(state, ask)?.tags.retain(|key, _| !keys.contains(&key.as_str()));
    Ok(Value::Null)
}

pub(super) fn list_tags(state: &mut State, ask: &Ask<'_>) -> Answer {
    Ok(json!({ "Tags": tags::map(&tagged(state, ask)?.tags) }))
}

pub(super) fn put_concurrency(state: &mut State, ask: &Ask<'_>) -> Answer {
    let Some(reserved) = ask.input.within("ReservedConcurrentExecutions", 0, 900)? else {
        return Err(ask.input.violated("ReservedConcurrentExecutions", "null", "Member must not be null"));
    };
    state.function(ask)?.0.concurrency = Some(reserved);
    Ok(json!({ "ReservedConcurrentExecutions": reserved }))
}

pub(super) fn concurrency(state: &mut State, ask: &Ask<'_>) -> Answer {
    Ok(match state.function(ask)?.0.concurrency {
        Some(reserved) => json!({ "ReservedConcurrentExecutions": reserved }),
        None => json!({}),
    })
}

pub(super) fn delete_concurrency(state: &mut State, ask: &Ask<'_>) -> Answer {
    state.function(ask)?.0.concurrency = None;
    Ok(Value::Null)
}

/// See <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>.
#[expect(clippy::unnecessary_wraps, reason = "as all operations")]
pub(super) fn account(state: &mut State, _: &Ask<'_>) -> Answer {
    let reserved: i64 = state.functions.values().filter_map(|function| function.concurrency).sum();
    let sizes = state.functions.values().filter_map(|function| function.latest.get("CodeSize")?.as_u64());
    Ok(json!({
        "AccountLimit": {
            "TotalCodeSize": 80_530_636_800_u64,
            "CodeSizeUnzipped": 262_144_000,
            "CodeSizeZipped": 52_428_800,
            "ConcurrentExecutions": 1000,
            "UnreservedConcurrentExecutions": 1000 - reserved,
        },
        "AccountUsage": {"TotalCodeSize": sizes.sum::<u64>(), "FunctionCount": state.functions.len()},
    }))
}
