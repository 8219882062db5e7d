use aws_sdk_secretsmanager::Client;
use iam_fixture::{TemporaryRole, assert_denied, assert_ok, iam_policy};

use crate::code;

#[iam_policy(policy = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue",
     "Resource": "arn:aws:secretsmanager:us-east-1:123456789012:secret:app/db-??????"},
    {"Effect": "Allow", "Action": "secretsmanager:DescribeSecret", "Resource": "*",
     "Condition": {"StringEquals": {"secretsmanager:ResourceTag/team": "a"}}}]}"#)]
#[tokio::test]
async fn one_secret_is_read_and_no_other(role: TemporaryRole) {
    let admin = Client::new(role.admin());
    let team = aws_sdk_secretsmanager::types::Tag::builder().key("team").value("a").build();
    let made = assert_ok!(admin.create_secret().name("app/db").secret_string("one").tags(team).send().await);
    assert_ok!(admin.create_secret().name("app/other").secret_string("x").send().await);

    let secrets = Client::new(role.config());
    let get = |id: &str| secrets.get_secret_value().secret_id(id);
    assert_eq!(assert_ok!(get("app/db").send().await).secret_string(), Some("one"));
    let arn = made.arn().expect("an ARN");
    assert_eq!(assert_ok!(get(arn).send().await).version_id(), made.version_id());
    assert_denied!(get("app/other").send().await);
    assert_denied!(secrets.put_secret_value().secret_id("app/db").secret_string("x").send().await);
    assert_ok!(secrets.describe_secret().secret_id("app/db").send().await);
    assert_denied!(secrets.describe_secret().secret_id("app/other").send().await);

    assert_ok!(admin.put_secret_value().secret_id("app/db").secret_string("two").send().await);
    assert_eq!(assert_ok!(get("app/db").send().await).secret_string(), Some("two"));
    let previous = assert_ok!(get("app/db").version_stage("AWSPREVIOUS").send().await);
    assert_eq!(previous.secret_string(), Some("one"));
    assert_eq!(code(admin.create_secret().name("app/db").send().await), "ResourceExistsException");
    assert_ok!(admin.delete_secret().secret_id("app/db").send().await);
    let deleted = get("app/db").send().await.expect_err("it is going").into_service_error();
    assert!(deleted.is_invalid_request_exception());
    assert_ok!(admin.restore_secret().secret_id("app/db").send().await);
    assert_ok!(get("app/db").send().await);
    assert_ok!(admin.delete_secret().secret_id("app/db").force_delete_without_recovery(true).send().await);
    assert!(
        get("app/db")
            .send()
            .await
            .expect_err("it is gone")
            .into_service_error()
            .is_resource_not_found_exception()
    );
    assert_eq!(assert_ok!(admin.list_secrets().send().await).secret_list().len(), 1);
}
