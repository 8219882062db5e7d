//! One item: put, got, changed, deleted.

use serde_json::{Map, Value};

use super::capacity::{Told, to_read, to_write};
use super::expression::{Placeholders, Projection};
use super::value::{item, item_size, item_to_json};
use super::write::Write;
use super::{State, invalid};
use crate::fault::{Answer, Fault};
use crate::input::Input;
use crate::kept::Ask;

pub(super) fn put(state: &mut State, ask: &Ask<'_>) -> Answer {
    write(state, ask, &Write::Put, &["ALL_OLD", "NONE"])
}

pub(super) fn delete(state: &mut State, ask: &Ask<'_>) -> Answer {
    write(state, ask, &Write::Delete, &["ALL_OLD", "NONE"])
}

pub(super) fn update(state: &mut State, ask: &Ask<'_>) -> Answer {
    write(state, ask, &Write::Update, &["ALL_NEW", "ALL_OLD", "NONE", "UPDATED_NEW", "UPDATED_OLD"])
}

fn write(state: &mut State, ask: &Ask<'_>, write: &Write, choices: &[&'static str]) -> Answer {
    let input = ask.input;
    let all = ["ALL_NEW", "ALL_OLD", "NONE", "UPDATED_NEW", "UPDATED_OLD"];
    let returned = input.one_of("ReturnValues", &all)?;
    if returned.is_some_and(|returned| !choices.contains(&returned)) {
        return Err(invalid("Return values set to invalid value"));
    }
    let told = Told::read(input)?;
    let table = state.table(input)?;
    let staged = write.stage(table, input)?;
    let mut answer = Map::new();
    if let Some(attributes) = staged.returned(returned) {
        answer.insert("Attributes".to_owned(), attributes);
    }
    told.add(&mut answer, &table.name, to_write(staged.size()));
    staged.commit(table);
    Ok(answer.into())
}

pub(super) fn get(state: &mut State, ask: &Ask<'_>) -> Answer {
    let told = Told::read(ask.input)?;
    let is_consistent = ask.input.boolean("ConsistentRead")?.unwrap_or(false);
    let (found, size, name) = read(state, ask.input)?;
    let mut answer = Map::new();
    if let Some(found) = found {
        answer.insert("Item".to_owned(), found);
    }
    told.add(&mut answer, &name, to_read(size, is_consistent));
    Ok(answer.into())
}

/// The item of the `Key`, as far as the projection shows it, with its size and the table's name.
pub(super) fn read(state: &mut State, input: Input<'_>) -> Result<(Option<Value>, usize, String), Fault> {
    input.without(&["AttributesToGet"])?;
    let placeholders = Placeholders::read(input, &["ProjectionExpression"])?;
    let projection = match input.text("ProjectionExpression")? {
        Some(text) => Some(Projection::parse(text, &placeholders)?),
        None => None,
    };
    placeholders.check_used()?;
    let key = item(input.required_object("Key")?.members())?;
    let table = state.table(input)?;
    let found = table.store.get(&table.key.of_key(&key)?);
    let shown = found.map(|found| match &projection {
        Some(projection) => item_to_json(&projection.apply(found)),
        None => item_to_json(found),
    });
    Ok((shown, found.map_or(0, |found| item_size(found)), table.name.clone()))
}
