//! Tags of parameters.

use serde_json::{Value, json};

use super::State;
use super::parameter::Parameter;
use crate::fault::{Answer, Fault};
use crate::kept::Ask;
use crate::tags;

pub(super) fn add(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.required_list("Tags")?;
    let given = ask.input.tag_list("Tags", "Key", "Value")?;
    let parameter = tagged(state, ask)?;
    let mut tags = parameter.tags.clone();
    tags.extend(given);
    if let Some(problem) = tags::problem(&tags) {
        return Err(ask.input.invalid(problem));
    }
    parameter.tags = tags;
    Ok(Value::Null)
}

pub(super) fn remove(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.required_list("TagKeys")?;
    let keys = ask.input.texts("TagKeys")?;
    tagged(state, ask)?.tags.retain(|key, _| !keys.contains(&key.as_str()));
    Ok(Value::Null)
}

pub(super) fn list(state: &mut State, ask: &Ask<'_>) -> Answer {
    Ok(json!({ "TagList": tags::list(&tagged(state, ask)?.tags, "Key", "Value") }))
}

fn tagged<'s>(state: &'s mut State, ask: &Ask<'_>) -> Result<&'s mut Parameter, Fault> {
    let id = ask.input.required("ResourceId")?;
    match ask.input.required("ResourceType")? {
        "Parameter" => state.named(id, ask).map_err(|_| {
            Fault::new(
                "InvalidResourceId",
                "The resource ID is not valid. Verify that you entered the correct ID and try again.",
            )
        }),
        // Documents, instances and the rest are not kept here.
        _ => Err(Fault::NotPerformed),
    }
}
