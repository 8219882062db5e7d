//! Reads and writes of several items, each by itself.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::capacity::{Told, to_read, to_write};
use super::expression::{Placeholders, Projection};
use super::value::{item, item_size, item_to_json};
use super::write::Write;
use super::{State, invalid};
use crate::fault::{Answer, Fault};
use crate::input::Input;
use crate::kept::Ask;

/// See <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>.
pub(super) fn get(state: &mut State, ask: &Ask<'_>) -> Answer {
    let told = Told::read(ask.input)?;
    let requests = requests(ask.input)?;
    let mut responses = Map::new();
    let mut capacity = Vec::new();
    let mut count = 0;
    for name in requests.members().keys() {
        let request = requests.required_object(name)?;
        request.without(&["AttributesToGet"])?;
        let placeholders = Placeholders::read(request, &["ProjectionExpression"])?;
        let projection = match request.text("ProjectionExpression")? {
            Some(text) => Some(Projection::parse(text, &placeholders)?),
            None => None,
        };
        placeholders.check_used()?;
        let is_consistent = request.boolean("ConsistentRead")?.unwrap_or(false);
        let table = state.named(name)?;
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        let mut units = 0.0;
        for key in request.required_objects("Keys")? {
            count += 1;
            let key = table.key.of_key(&item(key.members())?)?;
            if !seen.insert(key.clone()) {
                return Err(invalid("Provided list of item keys contains duplicates"));
            }
            let item = table.store.get(&key);
            units += to_read(item.map_or(0, |item| item_size(item)), is_consistent);
            found.extend(item.map(|item| match &projection {
                Some(projection) => item_to_json(&projection.apply(item)),
                None => item_to_json(item),
            }));
        }
        responses.insert(name.clone(), found.into());
        capacity.extend(told.of(&table.name, units));
    }
    if count > 100 {
        return Err(invalid("Too many items requested for the BatchGetItem call"));
    }
    Ok(with_capacity(json!({"Responses": responses, "UnprocessedKeys": {}}), capacity))
}

/// See <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>.
pub(super) fn write(state: &mut State, ask: &Ask<'_>) -> Answer {
    let told = Told::read(ask.input)?;
    let requests = requests(ask.input)?;
    let mut staged = Vec::new();
    let mut capacity = Vec::new();
    for name in requests.members().keys() {
        let table = state.named(name)?;
        let mut seen = BTreeSet::new();
        let mut units = 0.0;
        for request in requests.required_objects(name)? {
            let write = match (request.object("PutRequest")?, request.object("DeleteRequest")?) {
                (Some(put), None) => Write::Put.stage(table, put)?,
                (None, Some(delete)) => Write::Delete.stage(table, delete)?,
                _ => {
                    return Err(invalid(
                        "Supplied AttributeValue has more than one datatypes set, must contain exactly one \
                         of PutRequest and \
                         DeleteRequest",
                    ));
                }
            };
            if !seen.insert(write.key.clone()) {
                return Err(invalid("Provided list of item keys contains duplicates"));
            }
            units += to_write(write.size());
            staged.push((name, write));
        }
        if seen.is_empty() {
            return Err(too_many());
        }
        capacity.extend(told.of(&table.name, units));
    }
    if staged.len() > 25 {
        return Err(too_many());
    }
    for (name, write) in staged {
        write.commit(state.named(name)?);
    }
    Ok(with_capacity(json!({"UnprocessedItems": {}}), capacity))
}

fn requests(input: Input<'_>) -> Result<Input<'_>, Fault> {
    let requests = input.required_object("RequestItems")?;
    if requests.members().is_empty() {
        return Err(invalid(
            "1 validation error detected: Value '{}' at 'requestItems' failed to satisfy constraint: Member \
             must have length greater than or equal to 1",
        ));
    }
    Ok(requests)
}

fn too_many() -> Fault {
    invalid(
        "1 validation error detected: the requests of a table failed to satisfy constraint: Member must \
         have length less than or equal to 25, Member must have length greater than or equal to 1",
    )
}

fn with_capacity(mut answer: Value, capacity: Vec<Value>) -> Value {
    if let (Some(members), false) = (answer.as_object_mut(), capacity.is_empty()) {
        members.insert("ConsumedCapacity".to_owned(), capacity.into());
    }
    answer
}
