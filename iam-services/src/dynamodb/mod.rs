//! DynamoDB: tables, items, indexes and expressions.
//!
//! See <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/Welcome.html>. The parameters that expressions took
//! the place of, PartiQL, backups, exports, replicas and streams are not performed.

mod batch;
mod capacity;
mod description;
mod expression;
mod item;
mod key;
mod number;
mod query;
mod settings;
mod store;
mod table;
mod transaction;
mod value;
mod write;

use std::collections::{BTreeMap, HashMap};

use crate::fault::Fault;
use crate::input::Input;
use crate::kept::{Operation, Service};
use crate::scope::Arn;
use crate::tags::Tags;
use crate::wire::{Json, Wire};
use table::Table;

/// The tables of an account in a region, by name.
#[derive(Default)]
pub(crate) struct State {
    tables: BTreeMap<String, Table>,
    /// Transactions of the last ten minutes, by the token that the client gave them.
    transactions: HashMap<String, transaction::Done>,
}

impl Service for State {
    const NAME: &'static str = "dynamodb";
    const WIRE: Wire = Wire::Json(Json { namespace: "com.amazonaws.dynamodb.v20120810#", ..Json::V1_0 });
    const INVALID: &'static str = "ValidationException";
    const OWNERS: &'static [&'static str] = &["TableName", "ResourceArn"];

    fn operation(name: &str) -> Option<Operation<Self>> {
        Some(match name {
            "BatchGetItem" => batch::get,
            "BatchWriteItem" => batch::write,
            "CreateTable" => table::create,
            "DeleteItem" => item::delete,
            "DeleteResourcePolicy" => settings::delete_policy,
            "DeleteTable" => table::delete,
            "DescribeContinuousBackups" => settings::continuous_backups,
            "DescribeTable" => table::describe,
            "DescribeTimeToLive" => settings::time_to_live,
            "GetItem" => item::get,
            "GetResourcePolicy" => settings::policy,
            "ListTables" => table::list,
            "ListTagsOfResource" => settings::list_tags,
            "PutItem" => item::put,
            "PutResourcePolicy" => settings::put_policy,
            "Query" => query::query,
            "Scan" => query::scan,
            "TagResource" => settings::tag,
            "TransactGetItems" => transaction::get,
            "TransactWriteItems" => transaction::write,
            "UntagResource" => settings::untag,
            "UpdateContinuousBackups" => settings::update_continuous_backups,
            "UpdateItem" => item::update,
            "UpdateTable" => table::update,
            "UpdateTimeToLive" => settings::update_time_to_live,
            _ => return None,
        })
    }

    fn tags(&self, arn: &Arn<'_>) -> Option<Tags> {
        let name = arn.resource.strip_prefix("table/")?;
        let table = self.tables.get(name.split('/').next().unwrap_or(name));
        Some(table.map(|table| table.tags.clone()).unwrap_or_default())
    }
}

impl State {
    /// The table of the `TableName`, which may be an ARN.
    fn table(&mut self, input: Input<'_>) -> Result<&mut Table, Fault> {
        let name = input.required("TableName")?;
        self.named(name)
    }

    fn named(&mut self, name: &str) -> Result<&mut Table, Fault> {
        self.tables.get_mut(bare_name(name)).ok_or_else(|| not_found("Requested resource not found"))
    }

    /// The table of the `ResourceArn`.
    fn resource(&mut self, input: Input<'_>) -> Result<&mut Table, Fault> {
        let arn = input.required("ResourceArn")?;
        let is_table = Arn::parse(arn).is_some_and(|arn| arn.service == "dynamodb");
        let name = arn.split_once(":table/").map(|(_, name)| name).filter(|_| is_table);
        match name {
            // An index or a stream of it.
            Some(name) if name.contains('/') => Err(Fault::NotPerformed),
            Some(name) => self.tables.get_mut(name).ok_or_else(|| {
                not_found(format!("Requested resource not found: ResourcArn: {arn} not found"))
            }),
            None => {
                Err(input.invalid(format!("Invalid TableArn: Invalid ResourceArn provided as input {arn}")))
            }
        }
    }
}

/// The name in what may be a table's ARN.
fn bare_name(name: &str) -> &str {
    name.split_once(":table/").map_or(name, |(_, name)| name)
}

fn not_found(message: impl Into<String>) -> Fault {
    Fault::new("ResourceNotFoundException", message)
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new("ValidationException", message)
}
