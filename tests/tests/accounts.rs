//! Several accounts and their organization: what crosses an account's border is for both sides to say.

use iam_fixture::{
    Backend, Organization, PolicyDocument, Target, TemporaryRole, assert_allowed, assert_denied, iam_policy,
};

const READ: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::shared"}]
}"#;

/// Lets another account's principals list the bucket, as far as that account lets them.
const SHARE: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "222233334444"}, "Action": "s3:ListBucket",
                   "Resource": "arn:aws:s3:::shared"}]
}"#;

const SEND: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}]
}"#;

/// A role of the partner's account with this policy.
async fn partner(policy: &str) -> TemporaryRole {
    let account = Backend::current().and_then(|backend| backend.account("222233334444")).unwrap();
    TemporaryRole::builder().backend(account).policy(policy).create().await.unwrap()
}

#[iam_policy(policy = READ)]
#[tokio::test]
async fn a_bucket_is_shared_by_both_accounts(role: TemporaryRole) {
    let owner = aws_sdk_s3::Client::new(role.admin());
    owner.create_bucket().bucket("shared").send().await.unwrap();
    let reader = partner(READ).await;
    let s3 = aws_sdk_s3::Client::new(reader.config());
    assert_denied!(s3.list_objects_v2().bucket("shared").send().await);

    owner.put_bucket_policy().bucket("shared").policy(SHARE).send().await.unwrap();
    assert_allowed!(s3.list_objects_v2().bucket("shared").send().await);
    let stranger = partner(SEND).await;
    let s3 = aws_sdk_s3::Client::new(stranger.config());
    assert_denied!(s3.list_objects_v2().bucket("shared").send().await);
}

#[tokio::test]
async fn an_organization_limits_its_members() {
    let backend = Backend::current().unwrap();
    let no_listing = PolicyDocument::file(
        "scp.json",
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:ListBucket", "Resource": "*"}}"#,
    );
    let workloads = Target::new("ou-ab12-11111111")
        .scp(no_listing.service_control().unwrap())
        .with(Target::new("222233334444"));
    let root = Target::new("r-ab12").with(workloads).with(Target::new("123456789012"));
    backend.set_organization(Organization::new("o-a1b2c3d4e5", "111122223333", root)).unwrap();

    let owner = aws_sdk_s3::Client::new(&backend.admin().await.unwrap());
    owner.create_bucket().bucket("shared").send().await.unwrap();
    owner.put_bucket_policy().bucket("shared").policy(SHARE).send().await.unwrap();
    let inside = TemporaryRole::builder().policy(READ).create().await.unwrap();
    assert_allowed!(aws_sdk_s3::Client::new(inside.config()).list_objects_v2().bucket("shared").send().await);

    let member = partner(READ).await;
    let denied = aws_sdk_s3::Client::new(member.config()).list_objects_v2().bucket("shared").send().await;
    assert_denied!(denied);
    let reason = member.decisions().last().unwrap().authorizations[0].explain().to_string();
    assert!(reason.contains("service control policy") && reason.contains("scp.json:1"), "{reason}");
}

#[tokio::test]
async fn a_queue_has_a_policy_of_its_own() {
    let sender = partner(SEND).await;
    let send = || {
        aws_sdk_sqs::Client::new(sender.config())
            .send_message()
            .queue_url("https://sqs.us-east-1.amazonaws.com/123456789012/orders")
            .message_body("hi")
            .send()
    };
    assert_denied!(send().await);
    let open = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "222233334444"},
        "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:us-east-1:123456789012:orders"}}"#;
    let backend = Backend::current().unwrap();
    backend.put_resource_policy("arn:aws:sqs:us-east-1:123456789012:orders", open).unwrap();
    assert_allowed!(send().await);
}

#[test]
fn another_account_is_for_the_embedded_endpoint_only() {
    let aws = Backend::aws("123456789012");
    let error = aws.account("222233334444").unwrap_err().to_string();
    assert!(error.contains("another account can be had at the embedded endpoint only"), "{error}");
    assert!(Backend::embedded().account("12").is_err());
}
