//! Tables: made, looked at, changed, deleted.

use std::collections::BTreeSet;

use serde_json::json;

use super::description::describe as description;
use super::key::KeySchema;
use super::store::{Indexed, Store};
use super::{State, bare_name, invalid, not_found};
use crate::fault::{Answer, Fault};
use crate::ids;
use crate::input::Input;
use crate::kept::Ask;
use crate::page::page;
use crate::tags::{self, Tags};

/// A table with its items.
pub(super) struct Table {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) id: String,
    pub(super) created: u64,
    pub(super) key: KeySchema,
    /// The types of the key attributes of table and indexes, by name.
    pub(super) kinds: Vec<(String, &'static str)>,
    pub(super) indexes: Vec<Index>,
    pub(super) store: Store,
    pub(super) tags: Tags,
    pub(super) throughput: Throughput,
    pub(super) class: &'static str,
    pub(super) is_protected: bool,
    pub(super) time_to_live: Option<String>,
    /// Whether items can be brought back as they were at any time.
    pub(super) has_recovery: bool,
    /// A resource-based policy, and the revision that it has.
    pub(super) policy: Option<(String, String)>,
}

/// What a table or an index can take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Throughput {
    OnDemand,
    /// Units of reading and writing.
    Provisioned(i64, i64),
}

/// A secondary index.
pub(super) struct Index {
    pub(super) name: String,
    pub(super) key: KeySchema,
    pub(super) is_global: bool,
    pub(super) projected: Projected,
    pub(super) throughput: Throughput,
}

/// Which attributes an index has.
pub(super) enum Projected {
    All,
    Include(Vec<String>),
    KeysOnly,
}

impl Table {
    /// What the store has to know of the indexes.
    pub(super) fn indexed(&self) -> impl Iterator<Item = Indexed<'_>> {
        self.indexes.iter().map(|index| (index.name.as_str(), &index.key))
    }
}

/// See <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html>.
pub(super) fn create(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    input.without(&[
        "ResourcePolicy",
        "GlobalTableSourceArn",
        "GlobalTableSettingsReplicationMode",
        "VectorIndexes",
    ])?;
    check_stream(input)?;
    let name = bare_name(input.required("TableName")?);
    check_name(name)?;
    if state.tables.contains_key(name) {
        return Err(Fault::new("ResourceInUseException", format!("Table already exists: {name}")));
    }
    let kinds = kinds(input)?;
    let key = KeySchema::read(input, &kinds)?;
    let throughput = throughput(input, input.text("BillingMode")?)?;
    let mut indexes = Vec::new();
    for (member, is_global) in [("LocalSecondaryIndexes", false), ("GlobalSecondaryIndexes", true)] {
        for index in input.objects(member)? {
            let index = Index::read(index, &kinds, is_global, throughput)?;
            let shares_partition = index.key.partition.name == key.partition.name;
            if !is_global && (!shares_partition || index.key.sort.is_none() || key.sort.is_none()) {
                return Err(invalid(format!(
                    "One or more parameter values were invalid: Index KeySchema does not have the same \
                     leading hash key as \
                     table KeySchema, or has no range key, for index: {}",
                    index.name
                )));
            }
            indexes.push(index);
        }
    }
    let names: BTreeSet<&str> = indexes.iter().map(|index| index.name.as_str()).collect();
    if names.len() < indexes.len() {
        return Err(invalid("One or more parameter values were invalid: Duplicate index name"));
    }
    let keys = || std::iter::once(&key).chain(indexes.iter().map(|index| &index.key));
    if let Some((name, _)) = kinds.iter().find(|(name, _)| !keys().any(|key| key.has(name))) {
        return Err(invalid(format!(
            "One or more parameter values were invalid: Number of attributes in KeySchema does not exactly \
             match number of \
             attributes defined in AttributeDefinitions; `{name}` is in no key"
        )));
    }
    let tags = input.tag_list("Tags", "Key", "Value")?;
    if let Some(problem) = tags::problem(&tags) {
        return Err(invalid(problem));
    }
    let table = Table {
        name: name.to_owned(),
        arn: ask.scope.arn("dynamodb", &format!("table/{name}")),
        id: ids::uuid(),
        created: ask.now,
        key,
        kinds,
        indexes,
        store: Store::default(),
        tags,
        throughput,
        class: class(input)?.unwrap_or("STANDARD"),
        is_protected: input.boolean("DeletionProtectionEnabled")?.unwrap_or(false),
        time_to_live: None,
        has_recovery: false,
        policy: None,
    };
    let answer = json!({ "TableDescription": description(&table, "CREATING") });
    state.tables.insert(name.to_owned(), table);
    Ok(answer)
}

fn check_name(name: &str) -> Result<(), Fault> {
    let is_valid = (3..=255).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
    if is_valid {
        return Ok(());
    }
    Err(invalid(format!(
        "Invalid table/index name: {name}. Table/index names must be between 3 and 255 characters long, and \
         may contain only \
         the characters a-z, A-Z, 0-9, '_', '-', and '.'"
    )))
}

/// Streams would have to be read through another service.
fn check_stream(input: Input<'_>) -> Result<(), Fault> {
    let stream = input.object("StreamSpecification")?;
    let is_on = stream.map(|stream| stream.boolean("StreamEnabled")).transpose()?.flatten();
    if is_on == Some(true) { Err(Fault::NotPerformed) } else { Ok(()) }
}

fn class(input: Input<'_>) -> Result<Option<&'static str>, Fault> {
    input.one_of("TableClass", &["STANDARD", "STANDARD_INFREQUENT_ACCESS"])
}

fn kinds(input: Input<'_>) -> Result<Vec<(String, &'static str)>, Fault> {
    let definitions = input.required_objects("AttributeDefinitions")?.into_iter().map(|definition| {
        let name = definition.sized("AttributeName", 1, 255)?;
        definition.required("AttributeType")?;
        let kind = definition.one_of("AttributeType", &["B", "N", "S"])?.unwrap_or_default();
        Ok((name.to_owned(), kind))
    });
    let definitions: Vec<_> = definitions.collect::<Result<_, Fault>>()?;
    let names: BTreeSet<&String> = definitions.iter().map(|(name, _)| name).collect();
    if names.len() < definitions.len() {
        return Err(invalid("Cannot have two attributes with the same name"));
    }
    Ok(definitions)
}

fn throughput(input: Input<'_>, mode: Option<&str>) -> Result<Throughput, Fault> {
    let provisioned = input.object("ProvisionedThroughput")?;
    match (mode, provisioned) {
        (Some("PAY_PER_REQUEST"), None) => Ok(Throughput::OnDemand),
        (Some("PAY_PER_REQUEST"), Some(_)) => Err(invalid(
            "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits \
             can be specified \
             when BillingMode is PAY_PER_REQUEST",
        )),
        (None | Some("PROVISIONED"), None) => Err(invalid(
            "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both \
             be specified when \
             BillingMode is PROVISIONED",
        )),
        (None | Some("PROVISIONED"), Some(provisioned)) => {
            let units = |name: &str| {
                provisioned.within(name, 1, i64::MAX)?.ok_or_else(|| {
                    invalid(format!(
                        "1 validation error detected: Value null at \
                         'provisionedThroughput.{name}' failed to satisfy constraint: Member must not be null"
                    ))
                })
            };
            Ok(Throughput::Provisioned(units("ReadCapacityUnits")?, units("WriteCapacityUnits")?))
        }
        (Some(mode), _) => Err(input.violated(
            "BillingMode",
            mode,
            "Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]",
        )),
    }
}

impl Index {
    fn read(
        input: Input<'_>,
        kinds: &[(String, &'static str)],
        is_global: bool,
        table: Throughput,
    ) -> Result<Self, Fault> {
        let name = input.required("IndexName")?;
        check_name(name)?;
        let projection = input.required_object("Projection")?;
        let attributes = projection.texts("NonKeyAttributes")?;
        let kind = projection.one_of("ProjectionType", &["ALL", "INCLUDE", "KEYS_ONLY"])?;
        let projected = match (kind, attributes.is_empty()) {
            (Some("ALL"), true) => Projected::All,
            (Some("KEYS_ONLY"), true) => Projected::KeysOnly,
            (Some("INCLUDE"), false) => {
                Projected::Include(attributes.into_iter().map(str::to_owned).collect())
            }
            (None, _) => {
                return Err(invalid(
                    "One or more parameter values were invalid: Unknown ProjectionType: null",
                ));
            }
            (Some(kind), _) => {
                return Err(invalid(format!(
                    "One or more parameter values were invalid: ProjectionType is {kind}, but \
                     NonKeyAttributes do not fit it"
                )));
            }
        };
        let throughput = match table {
            Throughput::Provisioned(..) if is_global => throughput(input, None)?,
            other => other,
        };
        Ok(Self {
            name: name.to_owned(),
            key: KeySchema::read(input, kinds)?,
            is_global,
            projected,
            throughput,
        })
    }
}

pub(super) fn describe(state: &mut State, ask: &Ask<'_>) -> Answer {
    let table = existing(state, ask.input)?;
    Ok(json!({ "Table": description(table, "ACTIVE") }))
}

/// The same as [`State::table`], with the message of the operations on tables.
fn existing<'s>(state: &'s mut State, input: Input<'_>) -> Result<&'s mut Table, Fault> {
    let name = bare_name(input.required("TableName")?);
    state
        .tables
        .get_mut(name)
        .ok_or_else(|| not_found(format!("Requested resource not found: Table: {name} not found")))
}

pub(super) fn delete(state: &mut State, ask: &Ask<'_>) -> Answer {
    let table = existing(state, ask.input)?;
    if table.is_protected {
        return Err(invalid(format!(
            "Resource cannot be deleted as it is currently protected against deletion. Disable deletion \
             protection first. \
             Table: {}",
            table.name
        )));
    }
    let name = table.name.clone();
    let answer = json!({ "TableDescription": description(table, "DELETING") });
    state.tables.remove(&name);
    Ok(answer)
}

pub(super) fn list(state: &mut State, ask: &Ask<'_>) -> Answer {
    let limit = ask.input.limit("Limit", 100, 100)?;
    // The token of this service is the last name itself.
    let after = ask.input.text("ExclusiveStartTableName")?.map(ids::base64);
    let (found, more) =
        page(&state.tables, after.as_deref(), limit, |_, _| true).ok_or_else(|| invalid("no such page"))?;
    let names: Vec<&String> = found.into_iter().map(|(name, _)| name).collect();
    let mut answer = json!({ "TableNames": names });
    if let (Some(members), Some(last), Some(_)) = (answer.as_object_mut(), names.last(), more) {
        members.insert("LastEvaluatedTableName".to_owned(), last.as_str().into());
    }
    Ok(answer)
}

/// See <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html>.
pub(super) fn update(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    input.without(&[
        "ReplicaUpdates",
        "MultiRegionConsistency",
        "GlobalTableWitnessUpdates",
        "GlobalTableSettingsReplicationMode",
        "DisassociationProtectionEnabled",
        "VectorIndexUpdates",
    ])?;
    check_stream(input)?;
    let class = class(input)?;
    let is_protected = input.boolean("DeletionProtectionEnabled")?;
    let updates = input.objects("GlobalSecondaryIndexUpdates")?;
    let new_kinds = if input.has("AttributeDefinitions") { kinds(input)? } else { Vec::new() };
    let throughput = if input.has("BillingMode") || input.has("ProvisionedThroughput") {
        Some(throughput(input, input.text("BillingMode")?)?)
    } else {
        None
    };
    let table = existing(state, input)?;
    // All is read before anything is changed.
    let mut changes = Vec::new();
    for update in updates {
        let kinds: Vec<_> = table.kinds.iter().chain(&new_kinds).cloned().collect();
        if let Some(create) = update.object("Create")? {
            let index = Index::read(create, &kinds, true, throughput.unwrap_or(table.throughput))?;
            if table.indexes.iter().any(|known| known.name == index.name) {
                return Err(invalid("Attempting to create an index which already exists"));
            }
            changes.push(Change::Create(index));
        } else if let Some(delete) = update.object("Delete")? {
            changes.push(Change::Delete(position(table, delete)?));
        } else if let Some(change) = update.object("Update")? {
            changes.push(Change::Throughput(position(table, change)?, self::throughput(change, None)?));
        }
    }
    if changes.len() > 1 {
        return Err(Fault::new(
            "LimitExceededException",
            "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
        ));
    }
    for (name, kind) in new_kinds {
        if !table.kinds.iter().any(|(known, _)| *known == name) {
            table.kinds.push((name, kind));
        }
    }
    for change in changes {
        match change {
            Change::Create(index) => {
                table.store.add_index(table.indexes.len(), &index.name, &index.key);
                table.indexes.push(index);
            }
            Change::Delete(at) => {
                table.indexes.remove(at);
                table.store.remove_index(at);
            }
            Change::Throughput(at, throughput) => {
                if let Some(index) = table.indexes.get_mut(at) {
                    index.throughput = throughput;
                }
            }
        }
    }
    table.throughput = throughput.unwrap_or(table.throughput);
    table.class = class.unwrap_or(table.class);
    table.is_protected = is_protected.unwrap_or(table.is_protected);
    Ok(json!({ "TableDescription": description(table, "UPDATING") }))
}

enum Change {
    Create(Index),
    Delete(usize),
    Throughput(usize, Throughput),
}

fn position(table: &Table, input: Input<'_>) -> Result<usize, Fault> {
    let name = input.required("IndexName")?;
    let at = table.indexes.iter().position(|index| index.is_global && index.name == name);
    at.ok_or_else(|| not_found(format!("Requested resource not found: Index: {name} not found")))
}
