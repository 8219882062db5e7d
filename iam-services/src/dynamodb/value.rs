//! Values of attributes.
//!
//! See <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html>.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::invalid;
use super::number::Number;
use crate::fault::Fault;
use crate::ids;

/// A typed value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    B(Vec<u8>),
    Bool(bool),
    Bs(BTreeSet<Vec<u8>>),
    L(Vec<Value>),
    M(Item),
    N(Number),
    Null,
    Ns(BTreeSet<Number>),
    S(String),
    Ss(BTreeSet<String>),
}

/// Values by attribute name.
pub(super) type Item = BTreeMap<String, Value>;

/// Lists and maps nest no deeper.
const DEEPEST: usize = 32;

impl Value {
    pub(super) fn parse(json: &Json) -> Result<Self, Fault> {
        Self::parse_at(json, 0)
    }

    fn parse_at(json: &Json, depth: usize) -> Result<Self, Fault> {
        if depth > DEEPEST {
            return Err(invalid(
                "Nesting Levels have exceeded supported limits: Attributes are nested beyond supported levels.",
            ));
        }
        let members = json.as_object().ok_or_else(mistyped)?;
        let mut members = members.iter().filter(|(_, value)| !value.is_null());
        let Some((name, value)) = members.next() else {
            return Err(invalid(
                "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
            ));
        };
        if members.next().is_some() {
            return Err(invalid(
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the \
                 supported datatypes",
            ));
        }
        let text = || value.as_str().ok_or_else(mistyped);
        Ok(match name.as_str() {
            "B" => Self::B(ids::from_base64(text()?).ok_or_else(mistyped)?),
            "BOOL" => Self::Bool(value.as_bool().ok_or_else(mistyped)?),
            "BS" => Self::Bs(set(value, |text| ids::from_base64(text).ok_or_else(mistyped))?),
            "L" => {
                let items = value.as_array().ok_or_else(mistyped)?;
                Self::L(items.iter().map(|item| Self::parse_at(item, depth + 1)).collect::<Result<_, _>>()?)
            }
            "M" => Self::M(parse_item(value.as_object().ok_or_else(mistyped)?, depth + 1)?),
            "N" => Self::N(Number::parse(text()?)?),
            "NS" => Self::Ns(set(value, Number::parse)?),
            "NULL" if value.as_bool().ok_or_else(mistyped)? => Self::Null,
            "NULL" => {
                return Err(invalid(
                    "One or more parameter values were invalid: Null attribute value types must have the \
                     value of true",
                ));
            }
            "S" => Self::S(text()?.to_owned()),
            "SS" => Self::Ss(set(value, |text| Ok(text.to_owned()))?),
            _ => return Err(mistyped()),
        })
    }

    pub(super) fn to_json(&self) -> Json {
        match self {
            Self::B(bytes) => json!({"B": ids::base64(bytes)}),
            Self::Bool(truth) => json!({"BOOL": truth}),
            Self::Bs(set) => json!({"BS": set.iter().map(ids::base64).collect::<Vec<_>>()}),
            Self::L(items) => json!({"L": items.iter().map(Self::to_json).collect::<Vec<_>>()}),
            Self::M(item) => json!({"M": item_to_json(item)}),
            Self::N(number) => json!({"N": number.to_string()}),
            Self::Null => json!({"NULL": true}),
            Self::Ns(set) => json!({"NS": set.iter().map(Number::to_string).collect::<Vec<_>>()}),
            Self::S(text) => json!({"S": text}),
            Self::Ss(set) => json!({"SS": set}),
        }
    }

    /// The name of its type, as in `SS`.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::B(_) => "B",
            Self::Bool(_) => "BOOL",
            Self::Bs(_) => "BS",
            Self::L(_) => "L",
            Self::M(_) => "M",
            Self::N(_) => "N",
            Self::Null => "NULL",
            Self::Ns(_) => "NS",
            Self::S(_) => "S",
            Self::Ss(_) => "SS",
        }
    }

    /// What it costs to store.
    ///
    /// See <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>.
    fn size(&self) -> usize {
        match self {
            Self::B(bytes) => bytes.len(),
            Self::Bool(_) | Self::Null => 1,
            Self::Bs(set) => set.iter().map(Vec::len).sum(),
            Self::L(items) => 3 + items.iter().map(|item| 1 + item.size()).sum::<usize>(),
            Self::M(item) => {
                3 + item.iter().map(|(name, value)| 1 + name.len() + value.size()).sum::<usize>()
            }
            Self::N(number) => number.size(),
            Self::Ns(set) => set.iter().map(|number| number.size()).sum(),
            Self::S(text) => text.len(),
            Self::Ss(set) => set.iter().map(String::len).sum(),
        }
    }
}

fn set<T: Ord>(value: &Json, read: impl Fn(&str) -> Result<T, Fault>) -> Result<BTreeSet<T>, Fault> {
    let items = value.as_array().ok_or_else(mistyped)?;
    if items.is_empty() {
        return Err(invalid("One or more parameter values were invalid: An string set  may not be empty"));
    }
    let mut set = BTreeSet::new();
    for item in items {
        if !set.insert(read(item.as_str().ok_or_else(mistyped)?)?) {
            let all: Vec<&str> = items.iter().filter_map(Json::as_str).collect();
            return Err(invalid(format!(
                "One or more parameter values were invalid: Input collection [{}] contains duplicates.",
                all.join(", ")
            )));
        }
    }
    Ok(set)
}

fn mistyped() -> Fault {
    Fault::new("SerializationException", "an attribute value is not of the type that its name tells")
}

/// Attributes as a request has them.
pub(super) fn item(json: &Map<String, Json>) -> Result<Item, Fault> {
    parse_item(json, 0)
}

fn parse_item(json: &Map<String, Json>, depth: usize) -> Result<Item, Fault> {
    json.iter()
        .map(|(name, value)| match name.len() {
            0 => {
                Err(invalid("One or more parameter values were invalid: An attribute name may not be empty"))
            }
            65_536.. => {
                Err(invalid("One or more parameter values were invalid: Attribute name is too large"))
            }
            _ => Ok((name.clone(), Value::parse_at(value, depth)?)),
        })
        .collect()
}

pub(super) fn item_to_json(item: &Item) -> Json {
    Json::Object(item.iter().map(|(name, value)| (name.clone(), value.to_json())).collect())
}

/// What an item costs to store.
pub(super) fn item_size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value.size()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_as_they_were_put() {
        let json = json!({"M": {
            "b": {"B": "AQI="}, "l": {"L": [{"NULL": true}, {"BOOL": false}]}, "n": {"N": "1.5"},
            "ns": {"NS": ["1", "2"]}, "s": {"S": ""}, "ss": {"SS": ["a", "b"]}, "bs": {"BS": ["AQ=="]},
        }});
        assert_eq!(Value::parse(&json).expect("a value").to_json(), json);
    }

    #[test]
    fn what_is_no_value_is_refused() {
        let wrong = [
            json!({}),
            json!({"S": "a", "N": "1"}),
            json!({"S": 1}),
            json!({"N": 1}),
            json!({"N": "x"}),
            json!({"SS": []}),
            json!({"SS": ["a", "a"]}),
            json!({"NS": ["1", "1.0"]}),
            json!({"NULL": false}),
            json!({"B": "?"}),
            json!({"X": "a"}),
            json!("a"),
        ];
        for json in wrong {
            assert!(Value::parse(&json).is_err(), "{json}");
        }
        let deep = (0..40).fold(json!({"S": "x"}), |inner, _| json!({"L": [inner]}));
        assert!(Value::parse(&deep).is_err());
    }
}
