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

#[iam_policy(policy = crate::allow(&["secretsmanager:DescribeSecret"], &["*"]))]
#[tokio::test]
async fn a_rotation_is_kept_and_its_function_called(role: TemporaryRole) {
    let admin = Client::new(role.admin());
    assert_ok!(admin.create_secret().name("app/db").secret_string("one").send().await);
    let rotate = || admin.rotate_secret().secret_id("app/db");
    assert_eq!(code(rotate().send().await), "InvalidRequestException");
    let rules =
        aws_sdk_secretsmanager::types::RotationRulesType::builder().automatically_after_days(7).build();
    let function = "arn:aws:lambda:us-east-1:123456789012:function:rotate";
    assert_ok!(rotate().rotation_lambda_arn(function).rotation_rules(rules).send().await);
    let describe = || Client::new(role.config()).describe_secret().secret_id("app/db").send();
    let told = assert_ok!(describe().await);
    assert_eq!((told.rotation_enabled(), told.rotation_lambda_arn()), (Some(true), Some(function)));
    assert!(told.next_rotation_date().is_some());
    // The function has no policy that would let Secrets Manager invoke it.
    let calls = role.backend().decisions_of("secretsmanager.amazonaws.com").expect("it is embedded");
    let [call] = calls.as_slice() else { panic!("one call, and not {calls:?}") };
    assert_eq!((call.operation.as_str(), call.outcome), ("lambda:Invoke", iam_fixture::Outcome::Denied));
    assert_ok!(admin.cancel_rotate_secret().secret_id("app/db").send().await);
    assert_eq!(assert_ok!(describe().await).rotation_enabled(), Some(false));
}
