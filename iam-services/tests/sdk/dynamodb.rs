use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
    KeysAndAttributes, Projection, ProjectionType, Put, PutRequest, ReturnValue, ScalarAttributeType, Select,
    TransactWriteItem, Update, WriteRequest,
};
use iam_fixture::{TemporaryRole, assert_denied, assert_ok, iam_policy};

use crate::{allow, code};

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn n(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// A table `orders` of `customer` and `number`, with an index over `state`.
async fn table(client: &Client) {
    let attribute = |name: &str, kind| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().expect("complete")
    };
    let key = |name: &str, kind| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("complete")
    };
    let index = GlobalSecondaryIndex::builder()
        .index_name("by-state")
        .key_schema(key("state", KeyType::Hash))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
        .expect("complete");
    let create = client
        .create_table()
        .table_name("orders")
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("customer", ScalarAttributeType::S))
        .attribute_definitions(attribute("number", ScalarAttributeType::N))
        .attribute_definitions(attribute("state", ScalarAttributeType::S))
        .key_schema(key("customer", KeyType::Hash))
        .key_schema(key("number", KeyType::Range))
        .global_secondary_indexes(index);
    assert_ok!(create.send().await);
}

fn order(customer: &str, number: i64) -> HashMap<String, AttributeValue> {
    let state = if number % 2 == 0 { "open" } else { "done" };
    HashMap::from([
        ("customer".to_owned(), s(customer)),
        ("number".to_owned(), n(number)),
        ("state".to_owned(), s(state)),
        ("parts".to_owned(), AttributeValue::L(vec![s("a"), s("b")])),
    ])
}

const ORDERS: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/orders";

#[iam_policy(policy = allow(&["dynamodb:GetItem", "dynamodb:Query"], &[ORDERS]))]
#[tokio::test]
async fn a_reader_reads_items_and_no_index_and_writes_nothing(role: TemporaryRole) {
    let admin = Client::new(role.admin());
    table(&admin).await;
    for number in 0..25 {
        assert_ok!(admin.put_item().table_name("orders").set_item(Some(order("ann", number))).send().await);
    }
    assert_ok!(admin.put_item().table_name("orders").set_item(Some(order("bob", 1))).send().await);

    let db = Client::new(role.config());
    let get = db.get_item().table_name("orders").key("customer", s("ann")).key("number", n(3));
    let got = assert_ok!(
        get.clone()
            .projection_expression("#s, parts[1]")
            .expression_attribute_names("#s", "state")
            .send()
            .await
    );
    let lines = AttributeValue::L(vec![s("b")]);
    assert_eq!(got.item, Some(HashMap::from([("state".to_owned(), s("done")), ("parts".to_owned(), lines)])));
    assert_denied!(db.put_item().table_name("orders").set_item(Some(order("ann", 1))).send().await);
    assert_denied!(get.table_name("invoices").send().await);

    let query = db
        .query()
        .table_name("orders")
        .key_condition_expression("customer = :c AND #n BETWEEN :a AND :b")
        .expression_attribute_names("#n", "number")
        .expression_attribute_values(":c", s("ann"))
        .expression_attribute_values(":a", n(3))
        .expression_attribute_values(":b", n(12));
    let found = assert_ok!(query.clone().scan_index_forward(false).limit(4).send().await);
    let numbers = |items: &[HashMap<String, AttributeValue>]| -> Vec<String> {
        items.iter().map(|item| item["number"].as_n().expect("a number").clone()).collect()
    };
    assert_eq!(numbers(found.items()), ["12", "11", "10", "9"]);
    let all = query.into_paginator().page_size(3).items().send().collect::<Result<Vec<_>, _>>().await;
    assert_eq!(numbers(&all.expect("pages")), ["3", "4", "5", "6", "7", "8", "9", "10", "11", "12"]);

    let by_state = |client: &Client| {
        client
            .query()
            .table_name("orders")
            .index_name("by-state")
            .key_condition_expression("#s = :s")
            .expression_attribute_names("#s", "state")
            .expression_attribute_values(":s", s("open"))
    };
    assert_denied!(by_state(&db).send().await);
    let open =
        by_state(&admin).into_paginator().page_size(5).items().send().collect::<Result<Vec<_>, _>>().await;
    let open = open.expect("pages");
    assert_eq!(open.len(), 13);
    assert!(!open[0].contains_key("parts"), "the index has only keys: {:?}", open[0]);
    let scanned = admin
        .scan()
        .table_name("orders")
        .filter_expression("contains(parts, :a) AND customer <> :c")
        .expression_attribute_values(":a", s("a"))
        .expression_attribute_values(":c", s("ann"))
        .select(Select::Count);
    let scanned = assert_ok!(scanned.send().await);
    assert_eq!((scanned.count(), scanned.scanned_count()), (1, 26));
}

#[iam_policy(policy = allow(&["dynamodb:*"], &["*"]))]
#[tokio::test]
async fn conditions_and_updates_are_atomic(role: TemporaryRole) {
    let db = Client::new(role.config());
    table(&db).await;
    let put = db.put_item().table_name("orders").set_item(Some(order("ann", 1)));
    let put = put.condition_expression("attribute_not_exists(customer)");
    assert_ok!(put.clone().send().await);
    let again = put.send().await.expect_err("it is there").into_service_error();
    assert!(again.is_conditional_check_failed_exception());
    let update = |expression: &str| {
        db.update_item()
            .table_name("orders")
            .key("customer", s("ann"))
            .key("number", n(1))
            .update_expression(expression)
            .return_values(ReturnValue::UpdatedNew)
    };
    let counted = update("ADD seen :one SET parts[0] = :x")
        .expression_attribute_values(":one", n(1))
        .expression_attribute_values(":x", s("x"));
    assert_ok!(counted.clone().send().await);
    let answer = assert_ok!(counted.send().await);
    assert_eq!(answer.attributes().expect("attributes")["seen"], n(2));
    assert_eq!(
        code(update("SET customer = :x").expression_attribute_values(":x", s("x")).send().await),
        "ValidationException"
    );
    assert_eq!(
        code(update("SET #u = :x").expression_attribute_values(":x", s("x")).send().await),
        "ValidationException"
    );

    let put = |number| {
        TransactWriteItem::builder()
            .put(
                Put::builder()
                    .table_name("orders")
                    .set_item(Some(order("eve", number)))
                    .build()
                    .expect("complete"),
            )
            .build()
    };
    let failing = Update::builder()
        .table_name("orders")
        .key("customer", s("ann"))
        .key("number", n(1))
        .update_expression("SET seen = :n")
        .condition_expression("seen = :zero")
        .expression_attribute_values(":n", n(9))
        .expression_attribute_values(":zero", n(0))
        .build()
        .expect("complete");
    let failing = TransactWriteItem::builder().update(failing).build();
    let cancelled = db.transact_write_items().transact_items(put(1)).transact_items(failing).send().await;
    let cancelled = cancelled.expect_err("a condition fails").into_service_error();
    let aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(cancelled) = cancelled
    else {
        panic!("{cancelled:?}")
    };
    let reasons: Vec<_> =
        cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code()).collect();
    assert_eq!(reasons, ["None", "ConditionalCheckFailed"]);
    let get =
        |number| db.get_item().table_name("orders").key("customer", s("eve")).key("number", n(number)).send();
    assert!(assert_ok!(get(1).await).item.is_none(), "none of it was done");
    assert_ok!(db.transact_write_items().transact_items(put(1)).transact_items(put(2)).send().await);
    assert!(assert_ok!(get(2).await).item.is_some());

    let write = |number| {
        WriteRequest::builder()
            .put_request(
                PutRequest::builder().set_item(Some(order("zoe", number))).build().expect("complete"),
            )
            .build()
    };
    assert_ok!(db.batch_write_item().request_items("orders", vec![write(1), write(2)]).send().await);
    let key = |number| HashMap::from([("customer".to_owned(), s("zoe")), ("number".to_owned(), n(number))]);
    let keys =
        KeysAndAttributes::builder().set_keys(Some(vec![key(1), key(2), key(3)])).build().expect("complete");
    let batch = assert_ok!(db.batch_get_item().request_items("orders", keys).send().await);
    assert_eq!(batch.responses().expect("responses")["orders"].len(), 2);
    assert_eq!(
        assert_ok!(db.describe_table().table_name("orders").send().await)
            .table()
            .expect("a table")
            .item_count(),
        Some(5)
    );
    assert_ok!(db.delete_table().table_name("orders").send().await);
    assert!(get(1).await.expect_err("it is gone").into_service_error().is_resource_not_found_exception());
}
