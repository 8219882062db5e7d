//! One write, from what a request says to what becomes of the item.

use std::sync::Arc;

use serde_json::Value;

use super::expression::{Condition, Placeholders, Update};
use super::invalid;
use super::key::PrimaryKey;
use super::store::Store;
use super::table::Table;
use super::value::{Item, item, item_size, item_to_json};
use crate::fault::Fault;
use crate::input::Input;

/// What is to be done with an item.
pub(super) enum Write {
    Check,
    Delete,
    Put,
    Update,
}

/// A write that is possible, before it is done.
pub(super) struct Staged {
    pub(super) key: PrimaryKey,
    pub(super) old: Option<Arc<Item>>,
    pub(super) new: Option<Arc<Item>>,
    pub(super) update: Option<Update>,
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const LARGEST: usize = 400 * 1024;

impl Write {
    /// Reads a request, and finds out what it would do.
    pub(super) fn stage(&self, table: &Table, input: Input<'_>) -> Result<Staged, Fault> {
        // What expressions took the place of.
        input.without(&["AttributeUpdates", "ConditionalOperator", "Expected"])?;
        let placeholders = Placeholders::read(input, &["ConditionExpression", "UpdateExpression"])?;
        let condition = match input.text("ConditionExpression")? {
            Some(text) => Some(Condition::parse("ConditionExpression", text, &placeholders)?),
            None => None,
        };
        let update = match (self, input.text("UpdateExpression")?) {
            (Self::Update, Some(text)) => Some(Update::parse(text, &placeholders)?),
            _ => None,
        };
        placeholders.check_used()?;
        let on_failure = input.one_of("ReturnValuesOnConditionCheckFailure", &["ALL_OLD", "NONE"])?;

        let given =
            item(input.required_object(if matches!(self, Self::Put) { "Item" } else { "Key" })?.members())?;
        let key = match self {
            Self::Put => table.key.of_item(&given)?,
            _ => table.key.of_key(&given)?,
        };
        let old = table.store.get(&key).cloned();
        let nothing = Item::new();
        let before = old.as_deref().unwrap_or(&nothing);
        if condition.is_some_and(|condition| !condition.holds(before)) {
            let fault = Fault::new("ConditionalCheckFailedException", "The conditional request failed");
            return Err(match &old {
                Some(old) if on_failure == Some("ALL_OLD") => fault.with("Item", item_to_json(old)),
                _ => fault,
            });
        }
        let new = match self {
            Self::Check => old.clone(),
            Self::Delete => None,
            Self::Put => Some(Arc::new(given)),
            Self::Update => {
                let of_key = |name: &str| table.key.has(name);
                if let Some(path) =
                    update.iter().flat_map(Update::paths).find(|path| of_key(path.attribute()))
                {
                    return Err(invalid(format!(
                        "One or more parameter values were invalid: Cannot update attribute {}. This \
                         attribute is part of \
                         the key",
                        path.attribute()
                    )));
                }
                let mut start = before.clone();
                start.extend(given);
                Some(Arc::new(match &update {
                    Some(update) => update.apply(&start)?,
                    None => start,
                }))
            }
        };
        if let Some(new) = &new {
            if item_size(new) > LARGEST {
                let what = if matches!(self, Self::Put) { "Item size" } else { "Item size to update" };
                return Err(invalid(format!("{what} has exceeded the maximum allowed size")));
            }
            Store::check(new, table.indexed())?;
        }
        Ok(Staged { key, old, new, update })
    }
}

impl Staged {
    /// Does it.
    pub(super) fn commit(self, table: &mut Table) {
        let Table { store, indexes, .. } = table;
        let indexed = indexes.iter().map(|index| (index.name.as_str(), &index.key));
        store.replace(&self.key, self.new.as_ref(), indexed);
    }

    /// What the item costs before or after, whichever is more.
    pub(super) fn size(&self) -> usize {
        let size = |item: &Option<Arc<Item>>| item.as_deref().map_or(0, item_size);
        size(&self.old).max(size(&self.new))
    }

    /// What `ReturnValues` asks for.
    pub(super) fn returned(&self, which: Option<&str>) -> Option<Value> {
        let changed = |item: &Item| self.update.as_ref().map(|update| update.changed(item));
        let item = match which? {
            "ALL_OLD" => self.old.as_deref()?.clone(),
            "ALL_NEW" => self.new.as_deref()?.clone(),
            "UPDATED_OLD" => changed(self.old.as_deref()?)?,
            "UPDATED_NEW" => changed(self.new.as_deref()?)?,
            _ => return None,
        };
        (!item.is_empty()).then(|| item_to_json(&item))
    }
}
