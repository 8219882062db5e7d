//! Policy assertions as cargo tests: the main job, on the embedded endpoint, with no account and no server.

use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use iam_fixture::{
    Expected, SdkConfig, TemporaryRole, assert_allowed, assert_denied, assert_ok, assert_verdict, iam_policy,
};
use rstest::rstest;

/// A role with exactly `policies/reader.json` exists while the test runs, and `config` is signed in as that role.
#[iam_policy("policies/reader.json")]
#[tokio::test]
async fn reads_the_dashboard_but_not_the_infra_bucket(config: SdkConfig) {
    let s3 = aws_sdk_s3::Client::new(&config);
    assert_allowed!(s3.list_objects_v2().bucket("platform-dashboard").send().await);
    assert_denied!(s3.list_objects_v2().bucket("platform-infra").send().await);
}

/// *Why* a call is denied can be part of the assertion: by a statement that denies, or by none that allows.
#[iam_policy("policies/reader.json")]
#[tokio::test]
async fn secrets_stay_secret_even_when_somebody_widens_the_allow(config: SdkConfig) {
    let s3 = aws_sdk_s3::Client::new(&config);
    let secret = s3.get_object().bucket("platform-dashboard").key("secret/key.pem");
    assert_denied!(secret.send().await, explicit, action = "s3:GetObject");
    let write = s3.delete_object().bucket("platform-dashboard").key("index.html");
    assert_denied!(write.send().await, implicit);
}

/// A table of cases reads as the policy's specification.
#[iam_policy("policies/list-all-but-infra.json")]
#[rstest]
#[case::dashboard("platform-dashboard", Expected::Allowed)]
#[case::somebody_elses("any-other-bucket", Expected::Allowed)]
#[case::infra("platform-infra", Expected::ExplicitDeny)]
#[tokio::test]
async fn lists_any_bucket_except_one(config: SdkConfig, #[case] bucket: &str, #[case] expected: Expected) {
    let s3 = aws_sdk_s3::Client::new(&config);
    assert_verdict!(s3.list_objects_v2().bucket(bucket).send().await, expected);
}

/// "Delete these three objects, and nothing else": the administrator sets the stage, the role can do just that.
#[iam_policy("policies/delete-three.json")]
#[tokio::test]
async fn deletes_these_three_objects_and_nothing_else(role: TemporaryRole) {
    let admin = aws_sdk_s3::Client::new(role.admin());
    assert_ok!(admin.create_bucket().bucket("platform-logs").send().await);
    for month in ["01", "02", "03", "04"] {
        let key = format!("2024/{month}.gz");
        assert_ok!(admin.put_object().bucket("platform-logs").key(key).send().await);
    }

    let s3 = aws_sdk_s3::Client::new(role.config());
    let three = ["2024/01.gz", "2024/02.gz", "2024/03.gz"];
    let objects =
        three.map(|key| ObjectIdentifier::builder().key(key).build().expect("a key is all it needs"));
    let delete =
        Delete::builder().set_objects(Some(objects.into())).build().expect("objects are all it needs");
    let answer = assert_ok!(s3.delete_objects().bucket("platform-logs").delete(delete).send().await);
    assert!(answer.errors().is_empty(), "{:?}", answer.errors());

    assert_denied!(s3.delete_object().bucket("platform-logs").key("2024/04.gz").send().await);
    assert_denied!(s3.list_objects_v2().bucket("platform-logs").send().await);
    assert_denied!(s3.put_object().bucket("platform-logs").key("2024/01.gz").send().await);

    let left = assert_ok!(admin.list_objects_v2().bucket("platform-logs").send().await);
    assert_eq!(left.contents().iter().filter_map(|object| object.key()).collect::<Vec<_>>(), ["2024/04.gz"]);
}

/// Without the attribute, a builder does the same.
#[tokio::test]
async fn a_builder_makes_a_role_too() -> Result<(), iam_fixture::Error> {
    let document = r#"{
        "Version": "2012-10-17",
        "Statement": { "Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*" }
    }"#;
    let role = TemporaryRole::builder().policy(document).create().await?;
    let s3 = aws_sdk_s3::Client::new(role.config());
    assert_ok!(s3.list_buckets().send().await);
    assert_denied!(s3.create_bucket().bucket("platform-logs").send().await);
    role.delete().await?; // or let it drop
    Ok(())
}
