//! What is asked of the policies for a request: actions, resources and condition keys.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

mod common;

use std::pin::Pin;

use common::Client;
use common::services::{TABLE, allow, allow_if, allowed, asked, client, denied, form, json, rest};
use http::Response;
use iam_endpoint::{Allowed, Body, Endpoint, Outcome, Perform};

#[tokio::test]
async fn roles_that_a_request_passes_must_be_allowed_to_be_passed() {
    let role = "arn:aws:iam::123456789012:role/runner";
    let create = |role: &str| {
        rest(
            "POST",
            "https://lambda.us-east-1.amazonaws.com/2015-03-31/functions",
            &format!(r#"{{"FunctionName":"greet","Role":"{role}","Code":{{}}}}"#),
        )
    };
    let function = "arn:aws:lambda:us-east-1:123456789012:function:greet";
    let answer = client(&allow("lambda:CreateFunction", function)).await.send("lambda", create(role)).await;
    denied(&answer, 403, "AccessDeniedException");
    asked(&answer, &[("lambda:CreateFunction", function), ("iam:PassRole", role)]);
    let policy = format!(
        r#"{{"Version": "2012-10-17", "Statement": [
            {{"Effect": "Allow", "Action": "lambda:CreateFunction", "Resource": "*"}},
            {{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "{role}",
              "Condition": {{"StringEquals": {{"iam:PassedToService": "lambda.amazonaws.com"}}}}}}]}}"#
    );
    let developer = client(&policy).await;
    allowed(&developer.send("lambda", create(role)).await);
    denied(
        &developer.send("lambda", create("arn:aws:iam::123456789012:role/other")).await,
        403,
        "AccessDeniedException",
    );
}

#[tokio::test]
async fn tags_in_a_request_are_condition_keys() {
    let condition = r#"{"StringEquals": {"aws:RequestTag/Stage": "test"},
                        "ForAllValues:StringEquals": {"aws:TagKeys": ["Stage"]}}"#;
    let creator = client(&allow_if("dynamodb:*", "*", condition)).await;
    let create = |tags: &str| {
        json(
            "dynamodb",
            "DynamoDB_20120810.CreateTable",
            &format!(r#"{{"TableName":"Music","Tags":[{tags}]}}"#),
        )
    };
    allowed(&creator.send("dynamodb", create(r#"{"Key":"Stage","Value":"test"}"#)).await);
    for tags in
        ["", r#"{"Key":"Stage","Value":"live"}"#, r#"{"Key":"Stage","Value":"test"},{"Key":"B","Value":"1"}"#]
    {
        denied(&creator.send("dynamodb", create(tags)).await, 400, "AccessDeniedException");
    }
}

#[tokio::test]
async fn a_key_that_nobody_computes_is_named_until_the_test_sets_it() {
    let condition = r#"{"StringEquals": {"aws:ResourceTag/Stage": "test"}}"#;
    let endpoint = Endpoint::new();
    let reader =
        Client::administrator(&endpoint).role("tester", &allow_if("dynamodb:GetItem", "*", condition)).await;
    let get = || json("dynamodb", "DynamoDB_20120810.GetItem", r#"{"TableName":"Music"}"#);
    let answer = reader.send("dynamodb", get()).await;
    assert_eq!((answer.status, answer.event.outcome), (501, Outcome::NotEvaluable), "{}", answer.body);
    assert!(answer.body.contains("aws:ResourceTag/Stage"), "{}", answer.body);
    endpoint.tag_resource(TABLE, "Stage", "test");
    allowed(&reader.send("dynamodb", get()).await);
    endpoint.tag_resource(TABLE, "Stage", "live");
    denied(&reader.send("dynamodb", get()).await, 400, "AccessDeniedException");
    endpoint.set_context("arn:aws:iam::123456789012:role/tester", "aws:ResourceTag/Stage", ["test"]);
    allowed(&reader.send("dynamodb", get()).await);
    endpoint.set_context("arn:aws:iam::123456789012:role/tester", "aws:ResourceTag/Stage", None::<String>);
    denied(&reader.send("dynamodb", get()).await, 400, "AccessDeniedException");
}

#[tokio::test]
async fn keys_of_a_role_are_those_of_its_sessions_only() {
    let condition = r#"{"StringEquals": {"aws:SourceVpc": "vpc-1"}}"#;
    let endpoint = Endpoint::new();
    let admin = Client::administrator(&endpoint);
    let inside = admin.role("inside", &allow_if("sqs:ListQueues", "*", condition)).await;
    let outside = admin.role("outside", &allow_if("sqs:ListQueues", "*", condition)).await;
    endpoint.set_context("arn:aws:iam::123456789012:role/inside", "aws:SourceVpc", ["vpc-1"]);
    let list = || json("sqs", "AmazonSQS.ListQueues", "{}");
    allowed(&inside.send("sqs", list()).await);
    assert_eq!(outside.send("sqs", list()).await.event.outcome, Outcome::Denied);
}

const PEOPLE: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/People";

#[tokio::test]
async fn each_item_of_a_batch_is_asked_for_with_its_own_action() {
    let anyone = client(&allow("*", "*")).await;
    let body = r#"{"TransactItems": [
        {"Put": {"TableName": "Music", "Item": {"Id": {"S": "1"}}}},
        {"Delete": {"TableName": "People", "Key": {"Id": {"S": "2"}}}},
        {"Put": {"TableName": "Music", "Item": {"Id": {"S": "3"}}}}]}"#;
    let answer =
        anyone.send("dynamodb", json("dynamodb", "DynamoDB_20120810.TransactWriteItems", body)).await;
    asked(&answer, &[("dynamodb:PutItem", TABLE), ("dynamodb:DeleteItem", PEOPLE)]);
    let context =
        |at: usize, key: &str| answer.event.authorizations[at].request.context.lookup(key).unwrap().to_vec();
    assert_eq!(context(0, "dynamodb:EnclosingOperation"), ["TransactWriteItems"]);
    assert_eq!(context(0, "dynamodb:LeadingKeys"), ["1", "3"]);
    assert_eq!(context(1, "dynamodb:LeadingKeys"), ["2"]);
    let body = r#"{"RequestItems": {"Music": {"Keys": [{"Id": {"S": "1"}}]}, "People": {"Keys": []}}}"#;
    let answer = anyone.send("dynamodb", json("dynamodb", "DynamoDB_20120810.BatchGetItem", body)).await;
    asked(&answer, &[("dynamodb:BatchGetItem", TABLE), ("dynamodb:BatchGetItem", PEOPLE)]);
}

/// May read and write ALICE's items of one table and BOB's of another, by their own attributes.
const ALICE_AND_BOB: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "arn:aws:dynamodb:*:*:table/Music",
     "Condition": {"ForAllValues:StringEquals": {
        "dynamodb:LeadingKeys": "ALICE", "dynamodb:Attributes": ["Id", "Song", "Title"]}}},
    {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "arn:aws:dynamodb:*:*:table/People",
     "Condition": {"ForAllValues:StringEquals": {
        "dynamodb:LeadingKeys": "BOB", "dynamodb:Attributes": ["Id", "Name", "Age"]}}}]}"#;

#[tokio::test]
async fn each_table_of_a_batch_is_asked_for_with_its_own_keys_and_attributes() {
    let batches = [
        (
            "BatchGetItem",
            r##"{"RequestItems": {
                "Music": {"Keys": [{"Id": {"S": "MINE"}}, {"Id": {"S": "MINE"}}], "ProjectionExpression": "Song"},
                "People": {"Keys": [{"Id": {"S": "YOURS"}}], "ProjectionExpression": "#n, Age",
                           "ExpressionAttributeNames": {"#n": "Name"}}}}"##,
        ),
        (
            "BatchWriteItem",
            r#"{"RequestItems": {
                "People": [{"PutRequest": {"Item": {"Id": {"S": "YOURS"}}}}],
                "Music": [{"DeleteRequest": {"Key": {"Id": {"S": "MINE"}}}}]}}"#,
        ),
        (
            "TransactGetItems",
            r##"{"TransactItems": [
                {"Get": {"TableName": "Music", "Key": {"Id": {"S": "MINE"}}, "ProjectionExpression": "#a",
                         "ExpressionAttributeNames": {"#a": "Song"}}},
                {"Get": {"TableName": "People", "Key": {"Id": {"S": "YOURS"}}, "ProjectionExpression": "#a",
                         "ExpressionAttributeNames": {"#a": "Name"}}},
                {"Get": {"TableName": "Music", "Key": {"Id": {"S": "MINE"}}, "ProjectionExpression": "#a",
                         "ExpressionAttributeNames": {"#a": "Title"}}}]}"##,
        ),
        (
            "TransactWriteItems",
            r#"{"TransactItems": [
                {"Put": {"TableName": "Music", "Item": {"Id": {"S": "MINE"}}}},
                {"Put": {"TableName": "People", "Item": {"Id": {"S": "YOURS"}}}},
                {"Update": {"TableName": "Music", "Key": {"Id": {"S": "MINE"}}, "UpdateExpression": "SET Song = :s"}},
                {"Update": {"TableName": "People", "Key": {"Id": {"S": "YOURS"}}, "UpdateExpression": "SET Age = :a"}}]}"#,
        ),
    ];
    let client = client(ALICE_AND_BOB).await;
    for (operation, body) in batches {
        let of = |mine: &str, yours: &str| {
            let target = format!("DynamoDB_20120810.{operation}");
            json("dynamodb", &target, &body.replace("MINE", mine).replace("YOURS", yours))
        };
        allowed(&client.send("dynamodb", of("ALICE", "BOB")).await);
        for (mine, yours) in [("ALICE", "ALICE"), ("BOB", "BOB"), ("BOB", "ALICE")] {
            denied(&client.send("dynamodb", of(mine, yours)).await, 400, "AccessDeniedException");
        }
        let others = body.replace("Song", "Age");
        if others != body {
            let target = format!("DynamoDB_20120810.{operation}");
            let others = others.replace("MINE", "ALICE").replace("YOURS", "BOB");
            let answer = client.send("dynamodb", json("dynamodb", &target, &others)).await;
            denied(&answer, 400, "AccessDeniedException");
        }
    }
}

/// Makes tables.
struct Maker;

impl Perform for Maker {
    fn perform<'a>(
        &'a self,
        allowed: &'a Allowed,
    ) -> Pin<Box<dyn Future<Output = Option<Response<Body>>> + Send + 'a>> {
        let is_made = allowed.operation == "CreateTable";
        Box::pin(async move { is_made.then(|| Response::new(Body::from("{}"))) })
    }
}

#[tokio::test]
async fn each_table_of_a_batch_has_its_own_partition_key() {
    let endpoint = Endpoint::builder().perform(Maker).build();
    let admin = Client::administrator(&endpoint);
    for (table, partition, sort) in [("Music", "Artist", "Id"), ("People", "Id", "Artist")] {
        let table = format!(
            r#"{{"TableName": "{table}", "KeySchema": [{{"AttributeName": "{partition}", "KeyType": "HASH"}},
                {{"AttributeName": "{sort}", "KeyType": "RANGE"}}]}}"#
        );
        admin.send("dynamodb", json("dynamodb", "DynamoDB_20120810.CreateTable", &table)).await.ok();
    }
    let key = r#"{"Artist": {"S": "artist"}, "Id": {"S": "id"}}"#;
    for (operation, body) in [
        ("BatchGetItem", r#"{"RequestItems": {"Music": {"Keys": [KEY]}, "People": {"Keys": [KEY]}}}"#),
        (
            "TransactWriteItems",
            r#"{"TransactItems": [{"Delete": {"TableName": "Music", "Key": KEY}},
                {"Delete": {"TableName": "People", "Key": KEY}}]}"#,
        ),
    ] {
        let target = format!("DynamoDB_20120810.{operation}");
        let answer = admin.send("dynamodb", json("dynamodb", &target, &body.replace("KEY", key))).await;
        let keys = |at: usize| {
            let context = &answer.event.authorizations[at].request.context;
            context.lookup("dynamodb:LeadingKeys").unwrap_or_default().to_vec()
        };
        assert_eq!((keys(0), keys(1)), (vec!["artist".to_owned()], vec!["id".to_owned()]), "{operation}");
    }
}

#[tokio::test]
async fn a_queue_is_named_by_its_url_and_may_be_another_accounts() {
    let anyone = client(&allow("*", "*")).await;
    let send = |url: &str| {
        json("sqs", "AmazonSQS.SendMessage", &format!(r#"{{"QueueUrl":"{url}","MessageBody":"x"}}"#))
    };
    for (url, arn) in [
        ("https://sqs.us-east-1.amazonaws.com/123456789012/q", "arn:aws:sqs:us-east-1:123456789012:q"),
        ("http://127.0.0.1:4566/444455556666/q", "arn:aws:sqs:us-east-1:444455556666:q"),
        ("q", "arn:aws:sqs:us-east-1:123456789012:q"),
    ] {
        asked(&anyone.send("sqs", send(url)).await, &[("sqs:SendMessage", arn)]);
    }
}

#[tokio::test]
async fn a_function_is_named_in_many_ways() {
    let anyone = client(&allow("*", "*")).await;
    let invoke = |name: &str| {
        let name = name.replace(':', "%3A");
        rest(
            "POST",
            &format!("https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/{name}/invocations"),
            "{}",
        )
    };
    for (name, arn) in [
        ("greet", "arn:aws:lambda:us-east-1:123456789012:function:greet"),
        ("greet:live", "arn:aws:lambda:us-east-1:123456789012:function:greet:live"),
        ("444455556666:function:greet", "arn:aws:lambda:us-east-1:444455556666:function:greet"),
        (
            "arn:aws:lambda:us-east-1:123456789012:function:greet",
            "arn:aws:lambda:us-east-1:123456789012:function:greet",
        ),
    ] {
        asked(&anyone.send("lambda", invoke(name)).await, &[("lambda:InvokeFunction", arn)]);
    }
}

#[tokio::test]
async fn keys_of_a_service_are_computed_or_absent_or_named() {
    let decrypt = |body: &str| json("kms", "TrentService.Encrypt", body);
    let body = r#"{"KeyId": "1234", "Plaintext": "aGk=", "EncryptionContext": {"Team": "blue"}}"#;
    let condition =
        r#"{"StringEquals": {"kms:EncryptionContext:Team": "blue"}, "Null": {"kms:ViaService": "true"}}"#;
    allowed(&client(&allow_if("kms:*", "*", condition)).await.send("kms", decrypt(body)).await);
    let condition = r#"{"StringEquals": {"kms:EncryptionContext:Stage": "test"}}"#;
    let answer = client(&allow_if("kms:*", "*", condition)).await.send("kms", decrypt(body)).await;
    denied(&answer, 400, "AccessDeniedException");
    // Another service's key is no key of this request.
    let condition = r#"{"StringEqualsIfExists": {"s3:prefix": "x", "dynamodb:Select": "COUNT"}}"#;
    allowed(&client(&allow_if("kms:*", "*", condition)).await.send("kms", decrypt(body)).await);
    // What a key was made for, the request does not say.
    let condition = r#"{"StringEquals": {"kms:KeyUsage": "ENCRYPT_DECRYPT"}}"#;
    let answer = client(&allow_if("kms:*", "*", condition)).await.send("kms", decrypt(body)).await;
    assert_eq!(answer.event.outcome, Outcome::NotEvaluable, "{}", answer.body);
    assert!(answer.body.contains("kms:KeyUsage"), "{}", answer.body);
}

#[tokio::test]
async fn no_resource_of_many_is_left_out() {
    let stop = |others: usize| {
        let ids: Vec<_> = (1..=others).map(|n| format!("&InstanceId.{n}=i-1")).collect();
        let ids = ids.concat();
        let body = format!("Action=StopInstances&Version=2016-11-15{ids}&InstanceId.{}=i-2", others + 1);
        form("ec2.us-east-1.amazonaws.com", &body)
    };
    let operator =
        client(&allow("ec2:StopInstances", "arn:aws:ec2:us-east-1:123456789012:instance/i-1")).await;
    operator.send("ec2", stop(10)).await.fails(403, "UnauthorizedOperation");
    operator.send("ec2", stop(2_000)).await.fails(400, "ValidationException");
}

#[tokio::test]
async fn a_resource_that_a_request_does_not_tell_is_decided_where_all_are_treated_alike() {
    // The workgroup of a query is Athena's to know.
    let stop = || json("athena", "AmazonAthena.StopQueryExecution", r#"{"QueryExecutionId": "q"}"#);
    let one = "arn:aws:athena:us-east-1:123456789012:workgroup/one";
    let statement = |effect: &str, resource: &str| {
        format!(
            r#"{{"Effect": "{effect}", "Action": "athena:StopQueryExecution", "Resource": "{resource}"}}"#
        )
    };
    let all_but =
        |effect: &str, resource: &str| statement(effect, resource).replace("Resource", "NotResource");
    let with = |statements: &[String]| {
        format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(", "))
    };
    let (all, of_one, not_one) = (statement("Allow", "*"), statement("Allow", one), statement("Deny", one));
    for (statements, status, code) in [
        (vec![all.clone()], 501, "AuthorizedNotPerformed"),
        (vec![statement("Allow", "arn:aws:s3:::one")], 400, "AccessDeniedException"),
        (vec![of_one], 501, "ResourceNotEvaluable"),
        (vec![all_but("Allow", "arn:aws:s3:::one")], 501, "AuthorizedNotPerformed"),
        (vec![all_but("Allow", one)], 501, "ResourceNotEvaluable"),
        (vec![all.clone(), all_but("Deny", one)], 501, "ResourceNotEvaluable"),
        (vec![all.clone(), all_but("Deny", "arn:aws:s3:::one")], 400, "AccessDeniedException"),
        (vec![all.clone(), not_one.clone()], 501, "ResourceNotEvaluable"),
        (
            vec![all.clone(), statement("Deny", "arn:aws:athena:*:*:workgroup/*")],
            400,
            "AccessDeniedException",
        ),
        (
            vec![all.clone(), statement("Deny", "arn:aws:athena:*:*:workgroup/${aws:userid}")],
            501,
            "ResourceNotEvaluable",
        ),
        (vec![statement("Deny", one)], 400, "AccessDeniedException"),
    ] {
        let policy = with(&statements);
        let answer = client(&policy).await.send("athena", stop()).await;
        assert_eq!((answer.status, answer.event.code.as_deref()), (status, Some(code)), "{}", answer.body);
    }
    let endpoint = Endpoint::new();
    endpoint.declare("athena", "StopQueryExecution", "StopQueryExecution@workgroup='two'").unwrap();
    let told = Client::administrator(&endpoint).role("tester", &with(&[all, not_one])).await;
    allowed(&told.send("athena", stop()).await);
}

#[tokio::test]
async fn a_key_of_one_resource_type_is_no_key_of_the_others() {
    // `ec2:InstanceType` is asked of the instance; the image, the subnet and the others have none.
    let run = |kind: &str| {
        let body = format!(
            "Action=RunInstances&Version=2016-11-15&ImageId=ami-1&MinCount=1&MaxCount=1&InstanceType={kind}"
        );
        form("ec2.us-east-1.amazonaws.com", &body)
    };
    let only_small =
        allow_if("ec2:RunInstances", "*", r#"{"StringEquals": {"ec2:InstanceType": "t3.micro"}}"#);
    client(&only_small).await.send("ec2", run("t3.micro")).await.fails(403, "UnauthorizedOperation");
    let with_parts = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "ec2:RunInstances", "NotResource": "arn:aws:ec2:*:*:instance/*"},
        {"Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "arn:aws:ec2:*:*:instance/*",
         "Condition": {"StringEquals": {"ec2:InstanceType": "t3.micro"}}}]}"#;
    let operator = client(with_parts).await;
    operator.send("ec2", run("t3.micro")).await.fails(501, "AuthorizedNotPerformed");
    operator.send("ec2", run("m5.large")).await.fails(403, "UnauthorizedOperation");
}
