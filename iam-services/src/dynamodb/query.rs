//! `Query` and `Scan`.
//!
//! See <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.html>.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Bound;

use serde_json::{Map, Value as Json};

use super::capacity::{Told, to_read};
use super::expression::{Comparison, Condition, Operand, Placeholders, Projection};
use super::key::{KeySchema, KeyValue, PrimaryKey};
use super::store::Walk;
use super::table::{Index, Projected, Table};
use super::value::{Item, Value, item, item_size, item_to_json};
use super::{State, invalid};
use crate::fault::{Answer, Fault};
use crate::input::Input;
use crate::kept::Ask;

/// A page has no more than this in it, before the filter.
const LARGEST_PAGE: usize = 1024 * 1024;

pub(super) fn query(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    input.without(&["AttributesToGet", "ConditionalOperator", "KeyConditions", "QueryFilter"])?;
    let placeholders = placeholders(input)?;
    let table = state.table(input)?;
    let source = Source::read(table, input)?;
    let Some(text) = input.text("KeyConditionExpression")? else {
        return Err(invalid(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
        ));
    };
    let condition = Condition::parse("KeyConditionExpression", text, &placeholders)?;
    let mut keys = KeyCondition { partition: None, sort: None };
    keys.read(&condition, source.schema)?;
    let Some(partition) = keys.partition else {
        return Err(invalid(format!(
            "Query condition missed key schema element: {}",
            source.schema.partition.name
        )));
    };
    let walk = Walk {
        partition: Some(partition),
        sort: keys.sort.as_ref().map_or((Bound::Unbounded, Bound::Unbounded), SortCondition::bounds),
        is_forward: input.boolean("ScanIndexForward")?.unwrap_or(true),
        after: source.start(input)?,
    };
    let prefix = match &keys.sort {
        Some(SortCondition::Prefix(prefix)) => Some(prefix),
        _ => None,
    };
    let sort = source.schema.sort.as_ref().map(|sort| sort.name.as_str());
    let has_prefix = |item: &Item| match (prefix, sort.and_then(|sort| item.get(sort))) {
        (Some(KeyValue::S(prefix)), Some(Value::S(text))) => text.starts_with(prefix.as_str()),
        (Some(KeyValue::B(prefix)), Some(Value::B(bytes))) => bytes.starts_with(prefix),
        (prefix, _) => prefix.is_none(),
    };
    let found = table.store.walk(source.at, &walk).map(|(key, item)| (key, item.as_ref()));
    let found = found.skip_while(|(_, item)| !has_prefix(item)).take_while(|(_, item)| has_prefix(item));
    answer(table, &source, input, &placeholders, found)
}

pub(super) fn scan(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    input.without(&["AttributesToGet", "ConditionalOperator", "ScanFilter"])?;
    let placeholders = placeholders(input)?;
    let table = state.table(input)?;
    let source = Source::read(table, input)?;
    let segments = (input.within("Segment", 0, 999_999)?, input.within("TotalSegments", 1, 1_000_000)?);
    let (segment, total) = match segments {
        (None, None) => (0, 1),
        (Some(segment), Some(total)) if segment < total => {
            (u64::try_from(segment).unwrap_or_default(), u64::try_from(total).unwrap_or(1))
        }
        (Some(_), Some(_)) => {
            return Err(invalid(
                "The Segment parameter is zero-based and must be less than parameter TotalSegments",
            ));
        }
        _ => {
            return Err(invalid(
                "The TotalSegments parameter is required but was not present in the request when Segment \
                 parameter is present",
            ));
        }
    };
    let is_mine = |key: &PrimaryKey| total == 1 || hash(&key.0) % total == segment;
    let walk = Walk {
        partition: None,
        sort: (Bound::Unbounded, Bound::Unbounded),
        is_forward: true,
        after: source.start(input)?,
    };
    let found = table.store.walk(source.at, &walk).map(|(key, item)| (key, item.as_ref()));
    answer(table, &source, input, &placeholders, found.filter(|(key, _)| is_mine(key)))
}

fn hash(value: &KeyValue) -> u64 {
    let mut hasher = DefaultHasher::new();
    match value {
        KeyValue::B(bytes) => bytes.hash(&mut hasher),
        KeyValue::N(number) => number.to_string().hash(&mut hasher),
        KeyValue::S(text) => text.hash(&mut hasher),
        KeyValue::Least | KeyValue::Greatest => {}
    }
    hasher.finish()
}

fn placeholders(input: Input<'_>) -> Result<Placeholders<'_>, Fault> {
    Placeholders::read(input, &["FilterExpression", "KeyConditionExpression", "ProjectionExpression"])
}

/// A table or one of its indexes.
struct Source<'t> {
    table: &'t Table,
    index: Option<&'t Index>,
    /// Which index it is.
    at: Option<usize>,
    schema: &'t KeySchema,
}

impl<'t> Source<'t> {
    fn read(table: &'t Table, input: Input<'_>) -> Result<Self, Fault> {
        let Some(name) = input.text("IndexName")? else {
            return Ok(Self { table, index: None, at: None, schema: &table.key });
        };
        let found = table.indexes.iter().enumerate().find(|(_, index)| index.name == name);
        let Some((at, index)) = found else {
            return Err(invalid(format!("The table does not have the specified index: {name}")));
        };
        if index.is_global && input.boolean("ConsistentRead")? == Some(true) {
            return Err(invalid("Consistent reads are not supported on global secondary indexes"));
        }
        Ok(Self { table, index: Some(index), at: Some(at), schema: &index.key })
    }

    /// The `ExclusiveStartKey`.
    fn start(&self, input: Input<'_>) -> Result<Option<(PrimaryKey, PrimaryKey)>, Fault> {
        let Some(key) = input.object("ExclusiveStartKey")? else { return Ok(None) };
        let wrong = || {
            invalid(
                "The provided starting key is invalid: The provided key element does not match the schema",
            )
        };
        let key = item(key.members())?;
        let has = |name: &str| self.table.key.has(name) || self.schema.has(name);
        if !key.keys().all(|name| has(name)) {
            return Err(wrong());
        }
        let primary = self.table.key.of_item(&key).map_err(|_| wrong())?;
        let own = self.schema.of_item(&key).map_err(|_| wrong())?;
        Ok(Some((own, primary)))
    }

    /// What a next page begins after.
    fn last(&self, item: &Item) -> Item {
        let attributes = self.table.key.attributes().chain(self.schema.attributes());
        attributes.filter_map(|a| Some((a.name.clone(), item.get(&a.name)?.clone()))).collect()
    }

    /// What the index has of an item; `None` for all of it.
    fn projection(&self) -> Option<Projection> {
        let index = self.index?;
        let keys = self.table.key.attributes().chain(index.key.attributes()).map(|a| a.name.as_str());
        match &index.projected {
            Projected::All => None,
            Projected::Include(names) => {
                Some(Projection::of_attributes(keys.chain(names.iter().map(String::as_str))))
            }
            Projected::KeysOnly => Some(Projection::of_attributes(keys)),
        }
    }
}

fn answer<'i>(
    table: &Table,
    source: &Source<'_>,
    input: Input<'_>,
    placeholders: &Placeholders<'_>,
    found: impl Iterator<Item = (&'i PrimaryKey, &'i Item)>,
) -> Answer {
    let told = Told::read(input)?;
    let filter = match input.text("FilterExpression")? {
        Some(text) => Some(Condition::parse("FilterExpression", text, placeholders)?),
        None => None,
    };
    let projection = match input.text("ProjectionExpression")? {
        Some(text) => Some(Projection::parse(text, placeholders)?),
        None => None,
    };
    placeholders.check_used()?;
    if let Some(filter) = filter.as_ref().filter(|_| input.has("KeyConditionExpression"))
        && let Some(name) = filter.attributes().into_iter().find(|name| source.schema.has(name))
    {
        return Err(invalid(format!(
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: {name}"
        )));
    }
    let of_index = source.projection();
    let select = select(source, input, projection.is_some())?;
    if let (Some(asked), Some(of_index)) = (&projection, &of_index)
        && source.index.is_some_and(|index| index.is_global)
        && let Some(name) = asked.attributes().find(|name| !of_index.attributes().any(|known| known == *name))
    {
        return Err(invalid(format!(
            "One or more parameter values were invalid: Global secondary index {} does not project [{name}]",
            source.index.map_or("", |index| index.name.as_str())
        )));
    }
    let limit = input.within("Limit", 1, i64::from(i32::MAX))?.and_then(|limit| usize::try_from(limit).ok());
    // A local index fetches what it does not have from the table.
    let reads_table = source.index.is_none_or(|index| !index.is_global)
        && (select == "ALL_ATTRIBUTES" || projection.is_some());
    let (mut items, mut scanned, mut count, mut size) = (Vec::new(), 0, 0, 0);
    let mut last = None;
    for (_, item) in found {
        scanned += 1;
        size += item_size(item);
        let shown = match &of_index {
            Some(projection) if !reads_table => &projection.apply(item),
            _ => item,
        };
        if filter.as_ref().is_none_or(|filter| filter.holds(shown)) {
            count += 1;
            if select != "COUNT" {
                items.push(match &projection {
                    Some(projection) => item_to_json(&projection.apply(shown)),
                    None => item_to_json(shown),
                });
            }
        }
        if Some(scanned) == limit || size > LARGEST_PAGE {
            last = Some(source.last(item));
            break;
        }
    }
    let mut answer = Map::new();
    let mut set = |name: &str, value: Json| answer.insert(name.to_owned(), value);
    if select != "COUNT" {
        set("Items", items.into());
    }
    set("Count", count.into());
    set("ScannedCount", scanned.into());
    if let Some(last) = last {
        set("LastEvaluatedKey", item_to_json(&last));
    }
    told.add(&mut answer, &table.name, to_read(size, input.boolean("ConsistentRead")?.unwrap_or(false)));
    Ok(answer.into())
}

fn select(source: &Source<'_>, input: Input<'_>, has_projection: bool) -> Result<&'static str, Fault> {
    let known = ["ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "COUNT"];
    let select = input.one_of("Select", &known)?;
    match select {
        Some("SPECIFIC_ATTRIBUTES") if !has_projection => Err(invalid(
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
        )),
        Some(select) if has_projection && select != "SPECIFIC_ATTRIBUTES" => {
            Err(invalid(format!("Cannot specify the ProjectionExpression when choosing to get {select}")))
        }
        Some("ALL_PROJECTED_ATTRIBUTES") if source.index.is_none() => {
            Err(invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"))
        }
        Some("ALL_ATTRIBUTES")
            if source
                .index
                .is_some_and(|index| index.is_global && !matches!(index.projected, Projected::All)) =>
        {
            Err(invalid(format!(
                "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for \
                 global secondary \
                 index {} because its projection type is not ALL",
                source.index.map_or("", |index| index.name.as_str())
            )))
        }
        Some(select) => Ok(select),
        None if source.index.is_some() => Ok("ALL_PROJECTED_ATTRIBUTES"),
        None => Ok("ALL_ATTRIBUTES"),
    }
}

/// What a key condition asks of the two parts of a key.
struct KeyCondition {
    partition: Option<KeyValue>,
    sort: Option<SortCondition>,
}

enum SortCondition {
    Between(KeyValue, KeyValue),
    Compare(Comparison, KeyValue),
    Prefix(KeyValue),
}

impl SortCondition {
    fn bounds(&self) -> (Bound<KeyValue>, Bound<KeyValue>) {
        use Bound::{Excluded, Included, Unbounded};
        match self {
            Self::Between(low, high) => (Included(low.clone()), Included(high.clone())),
            Self::Prefix(prefix) => (Included(prefix.clone()), Unbounded),
            Self::Compare(comparison, value) => {
                let value = value.clone();
                match comparison {
                    Comparison::Less => (Unbounded, Excluded(value)),
                    Comparison::LessOrEqual => (Unbounded, Included(value)),
                    Comparison::Greater => (Excluded(value), Unbounded),
                    Comparison::GreaterOrEqual => (Included(value), Unbounded),
                    _ => (Included(value.clone()), Included(value)),
                }
            }
        }
    }
}

impl KeyCondition {
    fn read(&mut self, condition: &Condition, schema: &KeySchema) -> Result<(), Fault> {
        let unsupported = || invalid("Query key condition not supported");
        if let Condition::And(a, b) = condition {
            self.read(a, schema)?;
            return self.read(b, schema);
        }
        let (path, sort) = match condition {
            Condition::Compare(Operand::Path(path), comparison, Operand::Value(value)) => {
                (path, vec![(Some(*comparison), value)])
            }
            // The value may stand first.
            Condition::Compare(Operand::Value(value), comparison, Operand::Path(path)) => {
                let turned = match comparison {
                    Comparison::Less => Comparison::Greater,
                    Comparison::LessOrEqual => Comparison::GreaterOrEqual,
                    Comparison::Greater => Comparison::Less,
                    Comparison::GreaterOrEqual => Comparison::LessOrEqual,
                    other => *other,
                };
                (path, vec![(Some(turned), value)])
            }
            Condition::Between(Operand::Path(path), Operand::Value(low), Operand::Value(high)) => {
                (path, vec![(None, low), (None, high)])
            }
            Condition::BeginsWith(Operand::Path(path), Operand::Value(prefix)) => {
                (path, vec![(None, prefix)])
            }
            Condition::Or(..) => return Err(invalid("Invalid operator used in KeyConditionExpression: OR")),
            Condition::Not(_) => return Err(invalid("Invalid operator used in KeyConditionExpression: NOT")),
            _ => return Err(unsupported()),
        };
        let name = path.as_attribute().ok_or_else(unsupported)?;
        let Some(attribute) = schema.attributes().find(|attribute| attribute.name == name) else {
            let missed = schema.sort.as_ref().filter(|_| self.partition.is_some());
            let missed = missed.unwrap_or(&schema.partition);
            return Err(invalid(format!("Query condition missed key schema element: {}", missed.name)));
        };
        let value = |value: &Value| {
            if value.kind() != attribute.kind {
                return Err(invalid(
                    "One or more parameter values were invalid: Condition parameter type does not match \
                     schema type",
                ));
            }
            KeyValue::of(value).ok_or_else(unsupported)
        };
        let is_partition = name == schema.partition.name;
        let condition = match sort.as_slice() {
            [(Some(Comparison::NotEqual), _)] => return Err(unsupported()),
            [(Some(comparison), v)] => SortCondition::Compare(*comparison, value(v)?),
            [(None, low), (None, high)] => SortCondition::Between(value(low)?, value(high)?),
            [(None, prefix)] => SortCondition::Prefix(value(prefix)?),
            _ => return Err(unsupported()),
        };
        if is_partition {
            let SortCondition::Compare(Comparison::Equal, value) = condition else {
                return Err(unsupported());
            };
            if self.partition.replace(value).is_some() {
                return Err(invalid("KeyConditionExpressions must only contain one condition per key"));
            }
        } else if self.sort.replace(condition).is_some() {
            return Err(invalid("KeyConditionExpressions must only contain one condition per key"));
        }
        Ok(())
    }
}
