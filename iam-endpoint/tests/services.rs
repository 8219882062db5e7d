//! Services that the endpoint does not keep itself: every protocol is read, authorized, and answered honestly.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

mod common;

use bytes::Bytes;
use common::Client;
use common::services::{TABLE, allow, allow_if, allowed, asked, cbor, client, denied, form, json, rest};
use http::Request;
use iam_endpoint::{Endpoint, Outcome};

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
    let admin = client(&allow("iam:ListServerCertificates", "*")).await;
    let answer = admin.query("iam", &[("Action", "ListServerCertificates"), ("Version", "2010-05-08")]).await;
    allowed(&answer);
    let answer =
        admin.query("iam", &[("Action", "GetServiceLastAccessedDetails"), ("Version", "2010-05-08")]).await;
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
