//! What `DescribeTable` tells.
//!
//! See <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html>.

use serde_json::{Map, Value, json};

use super::key::KeySchema;
use super::table::{Index, Projected, Table, Throughput};
use crate::kept::seconds;

pub(super) fn describe(table: &Table, status: &str) -> Value {
    let definitions: Vec<Value> = table
        .kinds
        .iter()
        .map(|(name, kind)| json!({"AttributeName": name, "AttributeType": kind}))
        .collect();
    let mut told = json!({
        "AttributeDefinitions": definitions,
        "CreationDateTime": seconds(table.created),
        "DeletionProtectionEnabled": table.is_protected,
        "ItemCount": table.store.len(),
        "KeySchema": schema(&table.key),
        "ProvisionedThroughput": throughput(table.throughput),
        "TableArn": table.arn,
        "TableClassSummary": {"TableClass": table.class},
        "TableId": table.id,
        "TableName": table.name,
        "TableSizeBytes": table.store.size(),
        "TableStatus": status,
    });
    let Some(members) = told.as_object_mut() else { return told };
    if table.throughput == Throughput::OnDemand {
        members.insert("BillingModeSummary".to_owned(), json!({"BillingMode": "PAY_PER_REQUEST"}));
    }
    for (member, is_global) in [("LocalSecondaryIndexes", false), ("GlobalSecondaryIndexes", true)] {
        let indexes = table.indexes.iter().enumerate().filter(|(_, index)| index.is_global == is_global);
        let indexes: Vec<Value> = indexes.map(|(at, index)| describe_index(table, at, index)).collect();
        if !indexes.is_empty() {
            members.insert(member.to_owned(), indexes.into());
        }
    }
    told
}

fn describe_index(table: &Table, at: usize, index: &Index) -> Value {
    let projection = match &index.projected {
        Projected::All => json!({"ProjectionType": "ALL"}),
        Projected::Include(names) => json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": names}),
        Projected::KeysOnly => json!({"ProjectionType": "KEYS_ONLY"}),
    };
    let mut told: Map<String, Value> = [
        ("IndexName", index.name.as_str().into()),
        ("IndexArn", format!("{}/index/{}", table.arn, index.name).into()),
        ("IndexSizeBytes", 0.into()),
        ("ItemCount", table.store.indexed(at).into()),
        ("KeySchema", schema(&index.key)),
        ("Projection", projection),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into_iter()
    .collect();
    if index.is_global {
        told.insert("IndexStatus".to_owned(), "ACTIVE".into());
        told.insert("ProvisionedThroughput".to_owned(), throughput(index.throughput));
    }
    told.into()
}

fn schema(key: &KeySchema) -> Value {
    let roles = ["HASH", "RANGE"];
    let attributes = key.attributes().zip(roles);
    attributes.map(|(attribute, role)| json!({"AttributeName": attribute.name, "KeyType": role})).collect()
}

fn throughput(throughput: Throughput) -> Value {
    let (read, write) = match throughput {
        Throughput::OnDemand => (0, 0),
        Throughput::Provisioned(read, write) => (read, write),
    };
    json!({"NumberOfDecreasesToday": 0, "ReadCapacityUnits": read, "WriteCapacityUnits": write})
}
