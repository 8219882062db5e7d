//! The forms and options of `#[iam_policy]`: each test shows one by what the role may do.

use std::time::{Duration, SystemTime};

use iam_fixture::{
    Keep, Mode, SdkConfig, TemporaryRole, assert_allowed, assert_denied, assert_ok, iam_policy,
};
use rstest::rstest;

mod policies {
    use super::*;

    #[iam_policy([])]
    #[tokio::test]
    async fn no_policy_allows_nothing(config: SdkConfig) {
        assert_eq!(listed(&config).await, [false, false]);
    }

    #[iam_policy("policies/attribute/list_a.json")]
    #[tokio::test]
    async fn a_file_is_the_whole_policy(config: SdkConfig) {
        assert_eq!(listed(&config).await, [true, false]);
    }

    #[iam_policy(["policies/attribute/list_a.json", "policies/attribute/list_b.json"])]
    #[tokio::test]
    async fn a_list_is_several_policies_of_one_role(config: SdkConfig) {
        assert_eq!(listed(&config).await, [true, true]);
    }

    #[iam_policy("policies/attribute/template.json#/Resources/Reader/Properties/PolicyDocument")]
    #[tokio::test]
    async fn a_pointer_takes_a_fragment_of_a_file(config: SdkConfig) {
        assert_eq!(listed(&config).await, [true, false]);
    }

    #[iam_policy("AmazonS3ReadOnlyAccess")]
    #[tokio::test]
    async fn a_managed_policy_by_name(config: SdkConfig) {
        reads_and_does_not_write(&config).await;
    }

    #[iam_policy("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")]
    #[tokio::test]
    async fn a_managed_policy_by_arn(config: SdkConfig) {
        reads_and_does_not_write(&config).await;
    }

    async fn reads_and_does_not_write(config: &SdkConfig) {
        assert_eq!(listed(config).await, [true, true]);
        let put = aws_sdk_s3::Client::new(config).put_object().bucket("bucket-a").key("k");
        assert_denied!(put.send().await, implicit);
    }

    #[iam_policy(
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::bucket-b"}}"#
    )]
    #[tokio::test]
    async fn the_policy_itself(config: SdkConfig) {
        assert_eq!(listed(&config).await, [false, true]);
    }

    #[iam_policy(policy = document, policy = [list("bucket-a")])]
    #[rstest]
    #[case(list("bucket-b"), [true, true])]
    #[case(list("bucket-c"), [true, false])]
    #[tokio::test]
    async fn policies_known_at_run_time(
        #[case] document: String,
        #[case] expected: [bool; 2],
        config: SdkConfig,
    ) {
        assert_eq!(listed(&config).await, expected, "{document}");
    }

    #[tokio::test]
    async fn an_unknown_condition_key_is_refused_before_anything_is_created_unless_it_is_meant() {
        let policy = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*",
            "Condition": {"StringEquals": {"s3:prefx": "a"}}}}"#;
        let builder = TemporaryRole::builder().policy(policy);
        let refused = builder.clone().create().await.expect_err("a slip").to_string();
        assert!(
            refused.contains("did you mean `s3:prefix`?") && refused.contains("nothing was created"),
            "{refused}"
        );
        let put = builder.allow_unknown_condition_keys().create().await.expect_err("embedded").to_string();
        assert!(put.contains("MalformedPolicyDocument") && put.contains("`s3:prefx`"), "{put}");
    }

    fn list(bucket: &str) -> String {
        include_str!("policies/attribute/list_a.json").replace("bucket-a", bucket)
    }
}

mod variables {
    use super::*;

    #[iam_policy("policies/attribute/variables.json", vars(bucket = "bucket-b"))]
    #[tokio::test]
    async fn get_their_values_from_the_test_and_the_backend(config: SdkConfig) {
        assert_eq!(listed(&config).await, [false, true]);
    }

    #[iam_policy("policies/attribute/variables.json", vars(bucket = format!("bucket-{letter}")))]
    #[rstest]
    #[case('a', [true, false])]
    #[case('b', [false, true])]
    #[tokio::test]
    async fn see_the_arguments(#[case] letter: char, #[case] expected: [bool; 2], config: SdkConfig) {
        assert_eq!(listed(&config).await, expected, "{letter}");
    }
}

mod options {
    use super::*;

    #[iam_policy("policies/attribute/list_both.json", session_policy = "policies/attribute/list_a.json")]
    #[tokio::test]
    async fn a_session_policy_narrows(config: SdkConfig) {
        assert_eq!(listed(&config).await, [true, false]);
    }

    #[iam_policy("policies/attribute/list_both.json", boundary = "policies/attribute/list_b.json")]
    #[tokio::test]
    async fn a_boundary_narrows(config: SdkConfig) {
        assert_eq!(listed(&config).await, [false, true]);
    }

    #[iam_policy("policies/attribute/list_both.json", boundary = "AmazonEC2ReadOnlyAccess")]
    #[tokio::test]
    async fn a_managed_policy_is_a_boundary_too(config: SdkConfig) {
        assert_eq!(listed(&config).await, [false, false]);
    }

    #[iam_policy("policies/attribute/team_bucket.json", tags(team = "bucket-a", "Cost Center" = format!("{}", 7)))]
    #[tokio::test]
    async fn tags_are_the_principals(role: TemporaryRole) {
        assert_eq!(listed(role.config()).await, [true, false]);
        let answer =
            assert_ok!(aws_sdk_iam::Client::new(role.admin()).get_role().role_name(role.name()).send().await);
        let tags = answer.role().map(aws_sdk_iam::types::Role::tags).unwrap_or_default();
        assert!(tags.iter().any(|tag| (tag.key(), tag.value()) == ("Cost Center", "7")), "{tags:?}");
    }

    #[iam_policy([], session_name = format!("the-session-{number}"))]
    #[rstest]
    #[case(7)]
    #[tokio::test]
    async fn a_session_has_its_name(#[case] number: u8, config: SdkConfig) {
        let identity = assert_ok!(aws_sdk_sts::Client::new(&config).get_caller_identity().send().await);
        assert!(
            identity.arn().is_some_and(|arn| arn.ends_with(&format!("/the-session-{number}"))),
            "{identity:?}"
        );
    }

    #[iam_policy([], path = format!("/{team}/"), name_prefix = "unit-", keep = Keep::OnFailure, mode = Mode::Role)]
    #[rstest]
    #[case("platform")]
    #[tokio::test]
    async fn a_role_stands_where_it_is_told(#[case] team: &str, role: TemporaryRole) {
        let start = format!("arn:aws:iam::123456789012:role/{team}/iam-fixture/");
        assert!(role.arn().starts_with(&start), "{}", role.arn());
        assert!(role.name().starts_with("unit-iam-fixture-"), "{}", role.name());
    }

    #[iam_policy([], duration = 900)]
    #[tokio::test]
    async fn credentials_live_for_some_seconds(role: TemporaryRole) {
        expires_in(&role, Duration::from_secs(900));
    }

    #[iam_policy([], duration = Duration::from_secs(1800))]
    #[tokio::test]
    async fn credentials_live_for_a_duration(role: TemporaryRole) {
        expires_in(&role, Duration::from_secs(1800));
    }

    fn expires_in(role: &TemporaryRole, duration: Duration) {
        let expiry = role.credentials().expiry().expect("temporary credentials expire");
        let left = expiry.duration_since(SystemTime::now()).expect("not yet");
        assert!(left <= duration && left > duration - Duration::from_secs(60), "{left:?}");
    }
}

mod several_roles {
    use super::*;

    #[iam_policy(reader = "policies/attribute/list_a.json", writer = "policies/attribute/list_b.json")]
    #[tokio::test]
    async fn each_may_what_its_own_policy_allows(reader: SdkConfig, writer: SdkConfig) {
        assert_eq!(listed(&reader).await, [true, false]);
        assert_eq!(listed(&writer).await, [false, true]);
    }

    #[iam_policy(
        "policies/attribute/team_bucket.json",
        tags(team = "bucket-b"),
        one([], session_name = "one"),
        two("policies/attribute/list_a.json"),
        narrow([], session_policy = "policies/attribute/list_a.json")
    )]
    #[tokio::test]
    async fn share_what_stands_outside(one: TemporaryRole, two: SdkConfig, narrow: SdkConfig) {
        assert!(one.session_arn().ends_with("/one"), "{}", one.session_arn());
        assert_eq!(listed(one.config()).await, [false, true]);
        assert_eq!(listed(&two).await, [true, true]);
        assert_eq!(listed(&narrow).await, [false, false]);
    }
}

#[iam_policy("policies/attribute/list_a.json")]
#[tokio::test]
async fn config_and_role_are_of_the_same_role(config: SdkConfig, role: TemporaryRole) {
    assert_eq!(listed(&config).await, listed(role.config()).await);
    assert_allowed!(aws_sdk_s3::Client::new(role.admin()).list_buckets().send().await);
    assert!(role.arn().ends_with(role.name()), "{}", role.arn());
    assert_eq!(role.decisions().len(), 4);
}

/// Whether the role may list `bucket-a` and `bucket-b`; a call that is neither allowed nor denied fails.
async fn listed(config: &SdkConfig) -> [bool; 2] {
    let s3 = aws_sdk_s3::Client::new(config);
    let mut listed = [false; 2];
    for (listed, bucket) in listed.iter_mut().zip(["bucket-a", "bucket-b"]) {
        let call = s3.list_objects_v2().bucket(bucket).send().await;
        *listed = call
            .as_ref()
            .is_err_and(|error| error.as_service_error().is_some_and(|it| it.is_no_such_bucket()));
        if *listed {
            assert_allowed!(call);
        } else {
            assert_denied!(call);
        }
    }
    listed
}
