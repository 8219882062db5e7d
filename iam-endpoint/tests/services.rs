//! Services that the endpoint does not keep itself: every protocol is read, authorized, and answered honestly.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

mod common;

use bytes::Bytes;
use common::{Answer, Client};
use http::Request;
use iam_endpoint::{Endpoint, Outcome};

/// A policy of one statement.
fn allow(action: &str, resource: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "{action}", "Resource": "{resource}"}}}}"#
    )
}

fn allow_if(action: &str, resource: &str, condition: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement":
            {{"Effect": "Allow", "Action": "{action}", "Resource": "{resource}", "Condition": {condition}}}}}"#
    )
}

/// A client with just this policy, at an endpoint of its own.
async fn client(policy: &str) -> Client {
    Client::administrator(&Endpoint::new()).role("tester", policy).await
}

fn json(service: &str, target: &str, body: &str) -> Request<Bytes> {
    Request::post(format!("https://{service}.us-east-1.amazonaws.com/"))
        .header("x-amz-target", target)
        .header("content-type", "application/x-amz-json-1.0")
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap()
}

fn form(host: &str, body: &str) -> Request<Bytes> {
    Request::post(format!("https://{host}/"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap()
}

fn rest(method: &str, uri: &str, body: &str) -> Request<Bytes> {
    Request::builder()
        .method(method)
        .uri(uri)
        .header("content-type", "application/json")
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap()
}

fn cbor(host: &str, service: &str, operation: &str, body: &'static [u8]) -> Request<Bytes> {
    Request::post(format!("https://{host}/service/{service}/operation/{operation}"))
        .header("smithy-protocol", "rpc-v2-cbor")
        .header("content-type", "application/cbor")
        .body(Bytes::from_static(body))
        .unwrap()
}

#[track_caller]
fn allowed(answer: &Answer) {
    assert_eq!((answer.status, answer.event.outcome), (501, Outcome::NotPerformed), "{}", answer.body);
    assert_eq!(answer.event.code.as_deref(), Some("AuthorizedNotPerformed"));
    assert!(answer.body.contains("AuthorizedNotPerformed"), "{}", answer.body);
}

#[track_caller]
fn denied(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.event.outcome, Outcome::Denied, "{}", answer.body);
    assert_eq!((answer.status, answer.event.code.as_deref()), (status, Some(code)), "{}", answer.body);
    assert!(answer.body.contains(code), "{}", answer.body);
}

#[track_caller]
fn asked(answer: &Answer, expected: &[(&str, &str)]) {
    let asked: Vec<_> =
        answer.event.authorizations.iter().map(|each| (each.action(), each.resource())).collect();
    assert_eq!(asked, expected);
}

const TABLE: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/Music";

#[tokio::test]
async fn a_json_service_is_authorized_on_the_resource_that_the_body_names() {
    let reader = client(&allow("dynamodb:GetItem", TABLE)).await;
    let get = |table: &str| {
        json(
            "dynamodb",
            "DynamoDB_20120810.GetItem",
            &format!(r#"{{"TableName":"{table}","Key":{{"Id":{{"S":"1"}}}}}}"#),
        )
    };
    let answer = reader.send("dynamodb", get("Music")).await;
    asked(&answer, &[("dynamodb:GetItem", TABLE)]);
    allowed(&answer);
    // A table may be named by its ARN.
    allowed(&reader.send("dynamodb", get(TABLE)).await);
    let answer = reader.send("dynamodb", get("Films")).await;
    denied(&answer, 400, "AccessDeniedException");
    assert!(
        answer.body.contains(
            "User: arn:aws:sts::123456789012:assumed-role/tester/session is not authorized to perform: dynamodb:GetItem on \
             resource: arn:aws:dynamodb:us-east-1:123456789012:table/Films because no identity-based policy allows the \
             dynamodb:GetItem action"
        ),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn a_query_service_is_authorized() {
    let topic = "arn:aws:sns:us-east-1:123456789012:news";
    let publisher = client(&allow("sns:Publish", topic)).await;
    let publish = |arn: &str| {
        form(
            "sns.us-east-1.amazonaws.com",
            &format!("Action=Publish&Version=2010-03-31&TopicArn={arn}&Message=hi"),
        )
    };
    allowed(&publisher.send("sns", publish(topic)).await);
    let answer = publisher.send("sns", publish("arn:aws:sns:us-east-1:123456789012:other")).await;
    assert_eq!((answer.status, answer.event.outcome), (403, Outcome::Denied), "{}", answer.body);
}

#[tokio::test]
async fn a_rest_json_service_is_authorized_on_the_labels_of_its_path() {
    let function = "arn:aws:lambda:us-east-1:123456789012:function:greet";
    let admin = client(&allow("lambda:GetFunction", function)).await;
    let uri = |name: &str| format!("https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/{name}");
    allowed(&admin.send("lambda", rest("GET", &uri("greet"), "")).await);
    let answer = admin.send("lambda", rest("GET", &uri("other"), "")).await;
    denied(&answer, 403, "AccessDeniedException");
    assert_eq!(answer.headers["x-amzn-errortype"], "AccessDeniedException");
}

#[tokio::test]
async fn a_rest_xml_service_is_authorized() {
    let zone = "arn:aws:route53:::hostedzone/Z1";
    let admin = client(&allow("route53:GetHostedZone", zone)).await;
    let get =
        |id: &str| rest("GET", &format!("https://route53.amazonaws.com/2013-04-01/hostedzone/{id}"), "");
    allowed(&admin.send("route53", get("Z1")).await);
    denied(&admin.send("route53", get("Z2")).await, 403, "AccessDenied");
}

#[tokio::test]
async fn a_cbor_service_is_authorized() {
    let alarm = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:cpu";
    let admin = client(&allow("cloudwatch:SetAlarmState", alarm)).await;
    let set = |body| {
        cbor("monitoring.us-east-1.amazonaws.com", "GraniteServiceVersion20100801", "SetAlarmState", body)
    };
    allowed(&admin.send("monitoring", set(b"\xa1\x69AlarmName\x63cpu")).await);
    denied(&admin.send("monitoring", set(b"\xa1\x69AlarmName\x63ram")).await, 400, "AccessDeniedException");
}

#[tokio::test]
async fn ec2_tells_the_details_of_a_denial_only_encoded() {
    let instance = "arn:aws:ec2:us-east-1:123456789012:instance/i-1";
    let endpoint = Endpoint::new();
    let admin = Client::administrator(&endpoint);
    let operator = admin.role("operator", &allow("ec2:StopInstances", instance)).await;
    let stop = |ids: &str| {
        form("ec2.us-east-1.amazonaws.com", &format!("Action=StopInstances&Version=2016-11-15&{ids}"))
    };
    allowed(&operator.send("ec2", stop("InstanceId.1=i-1")).await);
    let answer = operator.send("ec2", stop("InstanceId.1=i-1&InstanceId.2=i-2")).await;
    denied(&answer, 403, "UnauthorizedOperation");
    let (_, encoded) = answer.text("Message").split_once("Encoded authorization failure message: ").unwrap();
    let decode = [("Action", "DecodeAuthorizationMessage"), ("EncodedMessage", encoded)];
    operator.query("sts", &decode).await.fails(403, "AccessDenied");
    let decoded = admin.query("sts", &decode).await.ok();
    let details: serde_json::Value =
        serde_json::from_str(&decoded.text("DecodedMessage").replace("&quot;", "\"")).unwrap();
    assert_eq!(details["context"]["resource"], "arn:aws:ec2:us-east-1:123456789012:instance/i-2");
    assert_eq!(details["explicitDeny"], false);
    let forged = [("Action", "DecodeAuthorizationMessage"), ("EncodedMessage", "AAAA")];
    admin.query("sts", &forged).await.fails(400, "InvalidAuthorizationMessageException");
}

#[tokio::test]
async fn a_dry_run_says_what_the_policies_say() {
    let operator =
        client(&allow("ec2:StopInstances", "arn:aws:ec2:us-east-1:123456789012:instance/i-1")).await;
    let stop = |id: &str| {
        form(
            "ec2.us-east-1.amazonaws.com",
            &format!("Action=StopInstances&Version=2016-11-15&InstanceId.1={id}&DryRun=true"),
        )
    };
    operator.send("ec2", stop("i-1")).await.fails(412, "DryRunOperation");
    operator.send("ec2", stop("i-2")).await.fails(403, "UnauthorizedOperation");
}

#[tokio::test]
async fn ec2_lists_its_regions_to_whom_may_see_them() {
    let viewer = client(&allow("ec2:DescribeRegions", "*")).await;
    let describe = |more: &str| {
        form("ec2.us-east-1.amazonaws.com", &format!("Action=DescribeRegions&Version=2016-11-15{more}"))
    };
    let answer = viewer.send("ec2", describe("")).await.ok();
    assert!(answer.body.contains("<regionName>eu-central-1</regionName>"), "{}", answer.body);
    let answer = viewer.send("ec2", describe("&RegionName.1=us-east-2")).await.ok();
    assert_eq!(answer.body.matches("<regionName>").count(), 1);
    client(&allow("ec2:DescribeZones", "*"))
        .await
        .send("ec2", describe(""))
        .await
        .fails(403, "UnauthorizedOperation");
}

#[tokio::test]
async fn a_malformed_body_is_refused_in_the_protocols_own_words() {
    let anyone = client(&allow("*", "*")).await;
    let answer =
        anyone.send("dynamodb", json("dynamodb", "DynamoDB_20120810.GetItem", "{\"TableName\":")).await;
    assert_eq!((answer.status, answer.event.code.as_deref()), (400, Some("SerializationException")));
    let deep = "[".repeat(100_000);
    let answer = anyone.send("dynamodb", json("dynamodb", "DynamoDB_20120810.GetItem", &deep)).await;
    assert_eq!((answer.status, answer.event.code.as_deref()), (400, Some("SerializationException")));
    let broken = cbor(
        "monitoring.us-east-1.amazonaws.com",
        "GraniteServiceVersion20100801",
        "SetAlarmState",
        b"\xa1\xff",
    );
    let answer = anyone.send("monitoring", broken).await;
    assert_eq!((answer.status, answer.event.code.as_deref()), (400, Some("SerializationException")));
    let answer = anyone.send("sns", form("sns.us-east-1.amazonaws.com", "Action=Publish&TopicArn=%ff")).await;
    assert_eq!((answer.status, answer.code()), (400, "MalformedInput"));
    let answer = anyone.send("sns", form("sns.us-east-1.amazonaws.com", "TopicArn=x")).await;
    assert_eq!((answer.status, answer.code()), (400, "MissingAction"));
}

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

#[tokio::test]
async fn an_unknown_operation_can_be_declared() {
    let endpoint = Endpoint::new();
    let reader = Client::administrator(&endpoint).role("tester", &allow("dynamodb:GetItem", TABLE)).await;
    let call = |table: &str| {
        json("dynamodb", "DynamoDB_20120810.GetItemTomorrow", &format!(r#"{{"TableName":"{table}"}}"#))
    };
    let answer = reader.send("dynamodb", call("Music")).await;
    assert_eq!((answer.status, answer.event.outcome), (501, Outcome::NotMapped));
    assert!(answer.body.contains("`dynamodb:GetItemTomorrow`") && answer.body.contains("Endpoint::declare"));
    endpoint.declare("dynamodb", "GetItemTomorrow", "GetItem@table=TableName").unwrap();
    allowed(&reader.send("dynamodb", call("Music")).await);
    denied(&reader.send("dynamodb", call("Films")).await, 400, "AccessDeniedException");
}

#[test]
fn a_declaration_is_verified_at_once() {
    let endpoint = Endpoint::new();
    for (service, operation, checks, why) in [
        ("dynamo", "GetItem", "GetItem", "there is no service `dynamo`"),
        ("lambda", "GetFunctoin", "GetFunction", "did you mean `GetFunction`?"),
        ("dynamodb", "GetItem", "GetItm@table=TableName", "did you mean `GetItem`?"),
        ("dynamodb", "GetItem", "GetItem@tabel=TableName", "did you mean `table`?"),
        ("dynamodb", "GetItem", "GetItem@table=lowr(TableName)", "`lowr` is not a function"),
        ("dynamodb", "GetItem", "nosuch:GetItem", "no service has the prefix `nosuch`"),
        ("dynamodb", "GetItem", "GetItem@table=A;B;C", "3 values do not fill"),
        ("dynamodb", "GetItem", "", "begins with no action"),
    ] {
        let error = endpoint.declare(service, operation, checks).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[tokio::test]
async fn operations_of_s3_that_are_not_performed_are_authorized_too() {
    let admin = client(&allow("s3:GetObjectTorrent", "arn:aws:s3:::reports/*")).await;
    let get = |bucket: &str| {
        Request::get(format!("https://{bucket}.s3.us-east-1.amazonaws.com/a/b?torrent"))
            .body(Bytes::new())
            .unwrap()
    };
    let answer = admin.send("s3", get("reports")).await;
    asked(&answer, &[("s3:GetObjectTorrent", "arn:aws:s3:::reports/a/b")]);
    allowed(&answer);
    denied(&admin.send("s3", get("others")).await, 403, "AccessDenied");
}

#[tokio::test]
async fn operations_of_iam_that_are_not_performed_are_authorized_too() {
    let admin = client(&allow("iam:GetCredentialReport", "*")).await;
    let answer = admin.query("iam", &[("Action", "GetCredentialReport"), ("Version", "2010-05-08")]).await;
    allowed(&answer);
    let answer =
        admin.query("iam", &[("Action", "GenerateCredentialReport"), ("Version", "2010-05-08")]).await;
    denied(&answer, 403, "AccessDenied");
}

#[tokio::test]
async fn services_that_share_a_signing_name_are_told_apart() {
    let anyone = client(&allow("*", "*")).await;
    let describe = |version: &str| {
        form(
            "elasticloadbalancing.us-east-1.amazonaws.com",
            &format!("Action=DescribeLoadBalancers&Version={version}"),
        )
    };
    let answer = anyone.send("elasticloadbalancing", describe("2012-06-01")).await;
    assert_eq!(answer.event.operation, "elb:DescribeLoadBalancers");
    let answer = anyone.send("elasticloadbalancing", describe("2015-12-01")).await;
    assert_eq!(answer.event.operation, "elbv2:DescribeLoadBalancers");
    let mut neptune = form("rds.us-east-1.amazonaws.com", "Action=DescribeDBClusters&Version=2014-10-31");
    let answer = anyone.send("rds", neptune.clone()).await;
    assert_eq!(answer.event.operation, "rds:DescribeDBClusters");
    neptune
        .headers_mut()
        .insert("x-amz-user-agent", "aws-sdk-rust/1.3 ua/2.1 api/neptune/1.9".parse().unwrap());
    let answer = anyone.send("rds", neptune).await;
    assert_eq!(answer.event.operation, "neptune:DescribeDBClusters");
    // At a loopback address no host helps.
    let control = Request::get("http://127.0.0.1:4566/v20180820/configuration/publicAccessBlock")
        .header("x-amz-account-id", "123456789012")
        .body(Bytes::new())
        .unwrap();
    let answer = anyone.send("s3", control).await;
    assert_eq!(answer.event.operation, "s3control:GetPublicAccessBlock");
}

#[tokio::test]
async fn whoever_performs_gets_what_is_allowed() {
    use std::pin::Pin;

    use iam_endpoint::{Allowed, Body, Perform};

    struct Tables;

    impl Perform for Tables {
        fn perform<'a>(
            &'a self,
            allowed: &'a Allowed,
        ) -> Pin<Box<dyn Future<Output = Option<http::Response<Body>>> + Send + 'a>> {
            Box::pin(async move {
                tokio::task::yield_now().await;
                (allowed.operation == "ListTables").then(|| {
                    http::Response::new(Body::from(format!("{} in {}", allowed.service, allowed.region)))
                })
            })
        }

        fn tags(&self, arn: &str) -> Option<Vec<(String, String)>> {
            (arn == TABLE).then(|| vec![("Stage".to_owned(), "test".to_owned())])
        }
    }

    let endpoint = Endpoint::builder().perform(Tables).build();
    let condition = r#"{"StringEquals": {"aws:ResourceTag/Stage": "test"}}"#;
    let admin = Client::administrator(&endpoint);
    let lister = admin.role("lister", &allow("dynamodb:ListTables", "*")).await;
    let answer = lister.send("dynamodb", json("dynamodb", "DynamoDB_20120810.ListTables", "{}")).await.ok();
    assert_eq!((answer.body.as_str(), answer.event.outcome), ("dynamodb in us-east-1", Outcome::Answered));
    let reader = admin.role("reader", &allow_if("dynamodb:GetItem", "*", condition)).await;
    allowed(
        &reader
            .send("dynamodb", json("dynamodb", "DynamoDB_20120810.GetItem", r#"{"TableName":"Music"}"#))
            .await,
    );
    let answer = reader.send("dynamodb", json("dynamodb", "DynamoDB_20120810.ListTables", "{}")).await;
    denied(&answer, 400, "AccessDeniedException");
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
    assert_eq!(context(0, "dynamodb:LeadingKeys"), ["1", "3", "2"]);
    let body = r#"{"RequestItems": {"Music": {"Keys": [{"Id": {"S": "1"}}]}, "People": {"Keys": []}}}"#;
    let answer = anyone.send("dynamodb", json("dynamodb", "DynamoDB_20120810.BatchGetItem", body)).await;
    asked(&answer, &[("dynamodb:BatchGetItem", TABLE), ("dynamodb:BatchGetItem", PEOPLE)]);
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
async fn some_operations_need_no_signature() {
    let endpoint = Endpoint::new();
    let client = Client::administrator(&endpoint);
    let sign_in =
        json("cognito-idp", "AWSCognitoIdentityProviderService.InitiateAuth", r#"{"ClientId": "x"}"#);
    let answer = client.deliver(sign_in).await;
    assert_eq!((answer.event.principal.as_str(), answer.event.outcome), ("anonymous", Outcome::NotPerformed));
    let list = json("cognito-idp", "AWSCognitoIdentityProviderService.ListUserPools", r#"{"MaxResults": 1}"#);
    let answer = client.deliver(list).await;
    assert_eq!(answer.event.outcome, Outcome::AuthenticationFailed, "{}", answer.body);
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
