//! Policies of resources that the endpoint does not keep itself, put by a test or by calls that pass.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::pin::Pin;

use bytes::Bytes;
use common::{Answer, Client};
use http::{Request, Response};
use iam_endpoint::{Allowed, Body, Endpoint, Outcome, Perform};
use iam_policy::{Policy, PolicyKind, Source};

const HOME: &str = "123456789012";
const PARTNER: &str = "222233334444";
const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const QUEUE: &str = "arn:aws:sqs:us-east-1:123456789012:orders";
const QUEUE_URL: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/orders";

/// Answers what KMS would name.
struct Names;

impl Perform for Names {
    fn perform<'a>(
        &'a self,
        allowed: &'a Allowed,
    ) -> Pin<Box<dyn Future<Output = Option<Response<Body>>> + Send + 'a>> {
        Box::pin(async move {
            let body = match &*allowed.operation {
                "CreateGrant" => r#"{"GrantId": "grant-1", "GrantToken": "token-1"}"#.to_owned(),
                "CreateKey" => format!(r#"{{"KeyMetadata": {{"Arn": "{KEY}"}}}}"#),
                _ => return None,
            };
            Some(Response::new(Body::from(body)))
        })
    }
}

/// The administrators of two accounts.
fn accounts() -> [Client; 2] {
    let endpoint = Endpoint::builder().perform(Names).build();
    [HOME, PARTNER].map(|account| Client::administrator(&endpoint.account(account)))
}

async fn json(client: &Client, service: &str, target: &str, body: &str) -> Answer {
    let request = Request::post(format!("https://{service}.us-east-1.amazonaws.com/"))
        .header("x-amz-target", target)
        .header("content-type", "application/x-amz-json-1.0")
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap();
    client.send(service, request).await
}

async fn kms(client: &Client, operation: &str, body: &str) -> Answer {
    json(client, "kms", &format!("TrentService.{operation}"), body).await
}

async fn sqs(client: &Client, operation: &str, body: &str) -> Answer {
    json(client, "sqs", &format!("AmazonSQS.{operation}"), body).await
}

async fn form(client: &Client, service: &str, body: &str) -> Answer {
    let request = Request::post(format!("https://{service}.us-east-1.amazonaws.com/"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap();
    client.send(service, request).await
}

async fn lambda(client: &Client, method: &str, path: &str, body: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(format!("https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/{path}"))
        .header("content-type", "application/json")
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap();
    client.send("lambda", request).await
}

impl Answer {
    #[track_caller]
    fn allowed(self) -> Self {
        let outcome = self.event.outcome;
        assert!(matches!(outcome, Outcome::Answered | Outcome::NotPerformed), "{outcome:?}: {}", self.body);
        self
    }

    #[track_caller]
    fn denied(self, because: &str) -> Self {
        assert_eq!(self.event.outcome, Outcome::Denied, "{}", self.body);
        assert!(self.body.contains(because), "{}", self.body);
        self
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " "))
}

/// A policy that lets a principal do something.
fn open(principal: &str, action: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Sid": "Open", "Effect": "Allow", "Principal": {{"AWS": "{principal}"}},
            "Action": "{action}", "Resource": "*"}}]}}"#
    )
}

const SEND: &str =
    r#"{"QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/orders", "MessageBody": "hi"}"#;

#[tokio::test]
async fn a_policy_that_a_test_puts_is_part_of_the_decision_and_named_by_its_place() {
    let [home, partner] = accounts();
    sqs(&home, "SendMessage", SEND).await.allowed();
    sqs(&partner, "SendMessage", SEND)
        .await
        .denied("because no resource-based policy allows the sqs:SendMessage action");
    let put = |text: String| {
        let source = Source::new("queue.json", text);
        home.endpoint.put_resource_policy(QUEUE, Policy::parse(source, PolicyKind::Resource).unwrap());
    };
    put(open(PARTNER, "sqs:SendMessage"));
    sqs(&partner, "SendMessage", SEND).await.allowed();
    put(open("*", "sqs:*").replace("Allow", "Deny"));
    let denied =
        sqs(&home, "SendMessage", SEND).await.denied("with an explicit deny in a resource-based policy");
    let by = denied.event.authorizations[0].decision.by[0].to_string();
    assert!(by.ends_with("(`Open`) of queue.json:1:41"), "{by}");
}

#[tokio::test]
async fn a_queues_policy_is_what_calls_make_of_it() {
    let [home, partner] = accounts();
    let set = |policy: &str| {
        format!(r#"{{"QueueUrl": "{QUEUE_URL}", "Attributes": {{"Policy": {}}}}}"#, quoted(policy))
    };
    sqs(&home, "SetQueueAttributes", &set(&open(PARTNER, "sqs:SendMessage"))).await.allowed();
    sqs(&partner, "SendMessage", SEND).await.allowed();
    sqs(&home, "SetQueueAttributes", &set("")).await.allowed();
    sqs(&partner, "SendMessage", SEND).await.denied("");

    let add = format!(
        r#"{{"QueueUrl": "{QUEUE_URL}", "Label": "share", "AWSAccountIds": ["{PARTNER}"], "Actions": ["SendMessage"]}}"#
    );
    // Who may not put a policy, puts none.
    sqs(&partner, "AddPermission", &add).await.denied("");
    sqs(&partner, "SendMessage", SEND).await.denied("");
    sqs(&home, "AddPermission", &add).await.allowed();
    sqs(&partner, "SendMessage", SEND).await.allowed();
    let remove = format!(r#"{{"QueueUrl": "{QUEUE_URL}", "Label": "share"}}"#);
    sqs(&home, "RemovePermission", &remove).await.allowed();
    sqs(&partner, "SendMessage", SEND).await.denied("");

    let malformed = sqs(&home, "SetQueueAttributes", &set("{\"Statement\": 1}")).await;
    assert_eq!((malformed.status, malformed.event.code.as_deref()), (400, Some("InvalidAttributeValue")));
}

#[tokio::test]
async fn a_topics_policy_comes_in_the_query_protocol() {
    let [home, partner] = accounts();
    let topic = "arn:aws:sns:us-east-1:123456789012:news";
    let publish = format!("Action=Publish&Version=2010-03-31&TopicArn={topic}&Message=hi");
    form(&partner, "sns", &publish).await.denied("");
    let add = format!(
        "Action=AddPermission&Version=2010-03-31&TopicArn={topic}&Label=share&AWSAccountId.member.1={PARTNER}\
         &ActionName.member.1=Publish"
    );
    form(&home, "sns", &add).await.allowed();
    form(&partner, "sns", &publish).await.allowed();
    let policy = open(PARTNER, "sns:Subscribe");
    let policy = percent_encoding::utf8_percent_encode(&policy, percent_encoding::NON_ALPHANUMERIC);
    let set = format!(
        "Action=SetTopicAttributes&Version=2010-03-31&TopicArn={topic}&AttributeName=Policy&AttributeValue={policy}"
    );
    form(&home, "sns", &set).await.allowed();
    form(&partner, "sns", &publish).await.denied("");
}

#[tokio::test]
async fn a_functions_permission_is_a_statement_of_its_policy() {
    let [home, partner] = accounts();
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:task";
    let invoke = || {
        lambda(
            &partner,
            "POST",
            "arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Atask/invocations",
            "{}",
        )
    };
    invoke().await.denied("");
    let add =
        format!(r#"{{"StatementId": "share", "Action": "lambda:InvokeFunction", "Principal": "{PARTNER}"}}"#);
    let added = lambda(&home, "POST", "task/policy", &add).await.allowed();
    assert_eq!(added.event.authorizations[0].resource(), arn);
    invoke().await.allowed();
    lambda(&home, "DELETE", "task/policy/share", "").await.allowed();
    invoke().await.denied("");
}

#[tokio::test]
async fn a_secrets_policy_may_not_be_public_where_that_is_blocked() {
    let [home, partner] = accounts();
    let secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf";
    let put = |principal: &str, blocks: bool| {
        let policy = quoted(&open(principal, "secretsmanager:GetSecretValue"));
        format!(r#"{{"SecretId": "{secret}", "ResourcePolicy": {policy}, "BlockPublicPolicy": {blocks}}}"#)
    };
    let put_policy =
        async |body: String| json(&home, "secretsmanager", "secretsmanager.PutResourcePolicy", &body).await;
    let get = format!(r#"{{"SecretId": "{secret}"}}"#);
    let read = || json(&partner, "secretsmanager", "secretsmanager.GetSecretValue", &get);
    let blocked = put_policy(put("*", true)).await;
    assert_eq!((blocked.status, blocked.event.code.as_deref()), (400, Some("PublicPolicyException")));
    read().await.denied("");
    put_policy(put(PARTNER, true)).await.allowed();
    read().await.allowed();
}

#[tokio::test]
async fn a_key_is_opened_by_its_policy_only() {
    let [home, partner] = accounts();
    let encrypt = format!(r#"{{"KeyId": "{KEY}", "Plaintext": "aGk="}}"#);
    // The default policy leaves it to IAM's policies.
    kms(&home, "Encrypt", &encrypt).await.allowed();
    kms(&partner, "Encrypt", &encrypt)
        .await
        .denied("because no resource-based policy allows the kms:Encrypt action");
    let put = |policy: &str| {
        format!(r#"{{"KeyId": "{KEY}", "PolicyName": "default", "Policy": {}}}"#, quoted(policy))
    };
    kms(&home, "PutKeyPolicy", &put(&open(PARTNER, "kms:*"))).await.allowed();
    kms(&partner, "Encrypt", &encrypt).await.allowed();
    kms(&home, "Encrypt", &encrypt)
        .await
        .denied("because no resource-based policy allows the kms:Encrypt action");
    // By an alias it is the same key.
    let [home, partner] = accounts();
    let alias = format!(r#"{{"AliasName": "alias/app", "TargetKeyId": "{KEY}"}}"#);
    kms(&home, "CreateAlias", &alias).await.allowed();
    let create = format!(r#"{{"Policy": {}}}"#, quoted(&open(PARTNER, "kms:Encrypt")));
    kms(&home, "CreateKey", &create).await.allowed();
    let by_alias = r#"{"KeyId": "arn:aws:kms:us-east-1:123456789012:alias/app", "Plaintext": "aGk="}"#;
    let answer = kms(&partner, "Encrypt", by_alias).await.allowed();
    assert_eq!(answer.event.authorizations[0].resource(), KEY);
    kms(&home, "Encrypt", by_alias)
        .await
        .denied("because no resource-based policy allows the kms:Encrypt action");
}

#[tokio::test]
async fn a_grant_opens_a_key_for_its_operations_in_its_encryption_context() {
    let [home, _] = accounts();
    let nothing =
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}"#;
    let role = home.role("worker", nothing).await;
    let encrypt = |context: &str| {
        format!(r#"{{"KeyId": "{KEY}", "Plaintext": "aGk=", "EncryptionContext": {context}}}"#)
    };
    kms(&role, "Encrypt", &encrypt(r#"{"app": "a"}"#))
        .await
        .denied("because no identity-based policy allows");
    let grant = format!(
        r#"{{"KeyId": "{KEY}", "GranteePrincipal": "arn:aws:iam::{HOME}:role/worker", "Operations": ["Encrypt", "DescribeKey"],
            "RetiringPrincipal": "arn:aws:iam::{HOME}:role/worker",
            "Constraints": {{"EncryptionContextSubset": {{"app": "a"}}}}}}"#
    );
    kms(&home, "CreateGrant", &grant).await.ok();
    let allowed = kms(&role, "Encrypt", &encrypt(r#"{"app": "a", "more": "b"}"#)).await.allowed();
    let by = allowed.event.authorizations[0].decision.by[0].to_string();
    assert!(by.contains("<grants of "), "{by}");
    kms(&role, "Encrypt", &encrypt(r#"{"app": "b"}"#))
        .await
        .denied("because no identity-based policy allows");
    kms(
        &role,
        "Decrypt",
        &format!(r#"{{"KeyId": "{KEY}", "CiphertextBlob": "aGk=", "EncryptionContext": {{"app": "a"}}}}"#),
    )
    .await
    .denied("");
    kms(&role, "DescribeKey", &format!(r#"{{"KeyId": "{KEY}"}}"#)).await.allowed();

    // What denies is above every grant.
    let deny = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "kms:Encrypt", "Resource": "*"}}"#;
    let put = [
        ("Action", "PutRolePolicy"),
        ("RoleName", "worker"),
        ("PolicyName", "deny"),
        ("PolicyDocument", deny),
    ];
    home.query("iam", &put).await.ok();
    kms(&role, "Encrypt", &encrypt(r#"{"app": "a"}"#))
        .await
        .denied("with an explicit deny in an identity-based policy");

    kms(&role, "RetireGrant", &format!(r#"{{"KeyId": "{KEY}", "GrantId": "grant-1"}}"#)).await.allowed();
    kms(&role, "DescribeKey", &format!(r#"{{"KeyId": "{KEY}"}}"#)).await.denied("");
}

#[tokio::test]
async fn a_session_that_stands_for_a_role_is_not_denied_what_the_role_would_be_granted() {
    let [home, _] = accounts();
    let allow = |actions: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "{actions}", "Resource": "*"}}}}"#
        )
    };
    home.role("worker", &allow("*")).await;
    let session = home.assume("worker", &[("Policy", &allow("s3:*"))]).await;
    let describe = format!(r#"{{"KeyId": "{KEY}"}}"#);
    let grant = format!(
        r#"{{"KeyId": "{KEY}", "GranteePrincipal": "arn:aws:iam::{HOME}:role/worker", "Operations": ["DescribeKey"]}}"#
    );
    kms(&home, "CreateGrant", &grant).await.ok();
    let denied = "because no session policy allows";
    kms(&session, "DescribeKey", &describe).await.denied(denied);

    home.endpoint.stand_for_role(format!("arn:aws:sts::{HOME}:assumed-role/worker/session"));
    let answer = kms(&session, "DescribeKey", &describe).await.is(501);
    assert_eq!(answer.event.code.as_deref(), Some("SessionNotEvaluable"));
    assert!(answer.body.contains("<grants of "), "{}", answer.body);
    assert_eq!(answer.event.outcome, Outcome::NotEvaluable);
    kms(&session, "GetKeyPolicy", &describe).await.denied(denied);
}
