//! Keys of tables and indexes.

use super::invalid;
use super::number::Number;
use super::value::{Item, Value};
use crate::fault::Fault;
use crate::input::Input;

/// The value of a key attribute. The first and the last are no values: nothing comes before the one or after the other.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum KeyValue {
    Least,
    B(Vec<u8>),
    N(Number),
    S(String),
    Greatest,
}

impl KeyValue {
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::B(bytes) => Some(Self::B(bytes.clone())),
            Value::N(number) => Some(Self::N(*number)),
            Value::S(text) => Some(Self::S(text.clone())),
            _ => None,
        }
    }
}

/// What tells an item from all others: the values of the partition key and the sort key.
pub(super) type PrimaryKey = (KeyValue, Option<KeyValue>);

/// One attribute of a key.
#[derive(Clone, Debug)]
pub(super) struct KeyAttribute {
    pub(super) name: String,
    /// `B`, `N` or `S`.
    pub(super) kind: &'static str,
}

/// Which attributes make the key.
#[derive(Clone, Debug)]
pub(super) struct KeySchema {
    pub(super) partition: KeyAttribute,
    pub(super) sort: Option<KeyAttribute>,
}

impl KeySchema {
    /// The `KeySchema` of a request, with the types of its `AttributeDefinitions`.
    pub(super) fn read(input: Input<'_>, kinds: &[(String, &'static str)]) -> Result<Self, Fault> {
        let elements = input.required_objects("KeySchema")?;
        let mut attributes = Vec::new();
        for element in &elements {
            let name = element.sized("AttributeName", 1, 255)?;
            element.required("KeyType")?;
            let role = element.one_of("KeyType", &["HASH", "RANGE"])?.unwrap_or_default();
            let Some((_, kind)) = kinds.iter().find(|(known, _)| known == name) else {
                return Err(invalid(
                    "One or more parameter values were invalid: Some index key attributes are not defined in \
                     AttributeDefinitions.",
                ));
            };
            attributes.push((role, KeyAttribute { name: name.to_owned(), kind }));
        }
        let mut attributes = attributes.into_iter();
        match (attributes.next(), attributes.next(), attributes.next()) {
            (Some(("HASH", partition)), None, _) => Ok(Self { partition, sort: None }),
            (Some(("HASH", partition)), Some(("RANGE", sort)), None) if partition.name != sort.name => {
                Ok(Self { partition, sort: Some(sort) })
            }
            // An index can have up to four attributes in each part of its key.
            (Some(("HASH", _)), Some(_), Some(_)) if input.has("IndexName") => Err(Fault::NotPerformed),
            _ => Err(invalid(
                "One or more parameter values were invalid: The first KeySchemaElement is not a HASH key \
                 type, or there are \
                 more than one of a type",
            )),
        }
    }

    pub(super) fn attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        std::iter::once(&self.partition).chain(&self.sort)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.attributes().any(|attribute| attribute.name == name)
    }

    /// The key of a whole item.
    pub(super) fn of_item(&self, item: &Item) -> Result<PrimaryKey, Fault> {
        let value = |attribute: &KeyAttribute| {
            let KeyAttribute { name, kind } = attribute;
            let Some(value) = item.get(name) else {
                return Err(invalid(format!(
                    "One or more parameter values were invalid: Missing the key {name} in the item"
                )));
            };
            if value.kind() != *kind {
                return Err(invalid(format!(
                    "One or more parameter values were invalid: Type mismatch for key {name} expected: \
                     {kind} actual: {}",
                    value.kind()
                )));
            }
            checked(name, value)
        };
        Ok((value(&self.partition)?, self.sort.as_ref().map(value).transpose()?))
    }

    /// A key that has to be nothing but a key.
    pub(super) fn of_key(&self, key: &Item) -> Result<PrimaryKey, Fault> {
        let mismatch = || invalid("The provided key element does not match the schema");
        let value = |attribute: &KeyAttribute| {
            let value = key.get(&attribute.name).filter(|value| value.kind() == attribute.kind);
            checked(&attribute.name, value.ok_or_else(mismatch)?)
        };
        if key.len() != self.attributes().count() {
            return Err(mismatch());
        }
        Ok((value(&self.partition)?, self.sort.as_ref().map(value).transpose()?))
    }

    /// The key in an index: `None` for an item that the index does not have.
    pub(super) fn of_indexed(&self, item: &Item, index: &str) -> Result<Option<PrimaryKey>, Fault> {
        let value = |attribute: &KeyAttribute| match item.get(&attribute.name) {
            None => Ok(None),
            Some(value) if value.kind() != attribute.kind => Err(invalid(format!(
                "One or more parameter values were invalid: Type mismatch for Index Key {} Expected: {} \
                 Actual: {} \
                 IndexName: {index}",
                attribute.name,
                attribute.kind,
                value.kind()
            ))),
            Some(Value::S(text)) if text.is_empty() => Err(empty(&attribute.name, "string", index)),
            Some(Value::B(bytes)) if bytes.is_empty() => Err(empty(&attribute.name, "binary", index)),
            Some(value) => Ok(KeyValue::of(value)),
        };
        let Some(partition) = value(&self.partition)? else { return Ok(None) };
        match &self.sort {
            None => Ok(Some((partition, None))),
            Some(sort) => Ok(value(sort)?.map(|sort| (partition, Some(sort)))),
        }
    }
}

fn empty(name: &str, kind: &str, index: &str) -> Fault {
    invalid(format!(
        "One or more parameter values are not valid. A value specified for a secondary index key is not \
         supported. The \
         AttributeValue for a key attribute cannot contain an empty {kind} value. IndexName: {index}, IndexKey: {name}"
    ))
}

/// A key's value is not empty, and not too long.
fn checked(name: &str, value: &Value) -> Result<KeyValue, Fault> {
    let empty = |kind: &str| {
        Err(invalid(format!(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot \
             contain an empty \
             {kind} value. Key: {name}"
        )))
    };
    match value {
        Value::S(text) if text.is_empty() => empty("string"),
        Value::B(bytes) if bytes.is_empty() => empty("binary"),
        Value::S(text) if text.len() > 2048 => Err(invalid(
            "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit \
             of2048 bytes",
        )),
        value => {
            KeyValue::of(value).ok_or_else(|| invalid("The provided key element does not match the schema"))
        }
    }
}
