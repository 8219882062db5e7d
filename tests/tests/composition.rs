//! `#[iam_policy]` with every other test attribute that it is meant for. Each body shows that it runs as its role.

#![deny(warnings, missing_docs, unsafe_code, clippy::pedantic)]
#![allow(clippy::used_underscore_binding, reason = "rstest hands its arguments on by their names")]

use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use iam_fixture::{SdkConfig, TemporaryRole, assert_allowed, assert_denied, iam_policy};
use rstest::{fixture, rstest};

mod alone {
    use super::*;

    #[iam_policy("policies/composition/composed.json")]
    async fn with_no_other_attribute(config: SdkConfig) {
        lists(&config, "composed").await;
    }

    #[iam_policy("policies/composition/composed.json")]
    #[test]
    async fn with_the_built_in_attribute_on_an_async_function(config: SdkConfig) {
        lists(&config, "composed").await;
    }

    #[iam_policy("policies/composition/composed.json")]
    #[test]
    fn on_a_sync_function_that_brings_a_runtime(config: SdkConfig) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(lists(&config, "composed"));
    }

    #[iam_policy("policies/composition/composed.json")]
    #[should_panic(expected = "the body ran")]
    async fn with_an_expected_panic(config: SdkConfig) {
        lists(&config, "composed").await;
        panic!("the body ran");
    }
}

mod tokio_test {
    use super::*;

    #[iam_policy("policies/composition/composed.json")]
    #[tokio::test]
    async fn above(config: SdkConfig) {
        lists(&config, "composed").await;
    }

    #[tokio::test]
    #[iam_policy("policies/composition/composed.json")]
    async fn below(config: SdkConfig) {
        lists(&config, "composed").await;
    }

    #[iam_policy("policies/composition/composed.json")]
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn on_several_threads(config: SdkConfig) {
        tokio::spawn(async move { lists(&config, "composed").await }).await.expect("the task ends");
    }

    #[iam_policy("policies/composition/composed.json")]
    #[tokio::test(start_paused = true)]
    async fn with_paused_time(config: SdkConfig) {
        let started = tokio::time::Instant::now();
        tokio::time::sleep(Duration::from_hours(1)).await;
        assert!(started.elapsed() >= Duration::from_hours(1));
        lists(&config, "composed").await;
    }

    #[iam_policy("policies/composition/composed.json")]
    #[tokio::test]
    #[should_panic(expected = "the body ran")]
    async fn with_an_expected_panic(config: SdkConfig) {
        lists(&config, "composed").await;
        panic!("the body ran");
    }

    #[iam_policy("policies/composition/composed.json")]
    #[tokio::test]
    #[ignore = "shows that it is"]
    async fn ignored(config: SdkConfig) {
        drop(config);
        panic!("an ignored test ran");
    }
}

mod test_log_test {
    use super::*;

    #[iam_policy("policies/composition/composed.json")]
    #[test_log::test]
    async fn with_no_runtime(config: SdkConfig) {
        lists(&config, "composed").await;
    }

    #[iam_policy("policies/composition/composed.json")]
    #[test_log::test(tokio::test)]
    async fn above(config: SdkConfig) {
        lists(&config, "composed").await;
    }

    #[iam_policy("policies/composition/composed.json")]
    #[tokio::test]
    #[test_log::test]
    async fn above_both(config: SdkConfig) {
        lists(&config, "composed").await;
    }
}

mod returns {
    use super::*;

    #[iam_policy("policies/composition/composed.json")]
    #[tokio::test]
    async fn a_result(config: SdkConfig) -> Result<(), Box<dyn std::error::Error>> {
        lists(&config, "composed").await;
        let seconds: u64 = "1".parse()?;
        assert_eq!(seconds, 1);
        Ok(())
    }

    #[iam_policy("policies/composition/composed.json")]
    async fn an_exit_code(config: SdkConfig) -> ExitCode {
        lists(&config, "composed").await;
        ExitCode::SUCCESS
    }

    #[iam_policy("policies/composition/composed.json")]
    async fn something_that_terminates(config: SdkConfig) -> impl std::process::Termination {
        lists(&config, "composed").await;
        ExitCode::SUCCESS
    }
}

mod arguments {
    use super::*;

    #[iam_policy("policies/composition/composed.json")]
    #[tokio::test]
    async fn a_reference(config: &SdkConfig) {
        lists(config, "composed").await;
    }

    #[iam_policy("policies/composition/composed.json")]
    #[tokio::test]
    async fn the_role_and_its_config(config: SdkConfig, role: &TemporaryRole) {
        assert_eq!(config.region(), role.config().region());
        lists(role.config(), "composed").await;
    }

    type Configuration = SdkConfig;

    #[iam_policy("policies/composition/composed.json")]
    #[tokio::test]
    async fn marked(#[iam] config: Configuration) {
        lists(&config, "composed").await;
    }

    #[iam_policy("policies/composition/composed.json", arg = config)]
    #[tokio::test]
    async fn named(config: Configuration) {
        lists(&config, "composed").await;
    }

    #[iam_policy("policies/composition/composed.json")]
    #[tokio::test]
    async fn mutable(mut config: SdkConfig) {
        config = config.into_builder().build();
        lists(&config, "composed").await;
    }

    #[iam_policy("policies/composition/composed.json")]
    #[rstest]
    #[case((1, 2), Pair { first: 3, second: 4 }, 5, 6, 7)]
    async fn patterns(
        #[case] (one, mut two): (u8, u8),
        #[case] Pair { first: three, .. }: Pair,
        #[case] mut five: u8,
        #[case] _: u8,
        #[case] _unused: u8,
        config: SdkConfig,
    ) {
        two += 1;
        five += 1;
        assert_eq!((one, two, three, five), (1, 3, 3, 6));
        lists(&config, "composed").await;
    }

    struct Pair {
        first: u8,
        #[expect(dead_code, reason = "the pattern leaves it out")]
        second: u8,
    }
}

mod rstest_below {
    use super::*;

    #[iam_policy("policies/composition/composed.json")]
    #[rstest]
    #[case("composed", true)]
    #[case::denied("other", false)]
    #[tokio::test]
    async fn cases(config: SdkConfig, #[case] bucket: &str, #[case] allowed: bool) {
        let call = aws_sdk_s3::Client::new(&config).list_objects_v2().bucket(bucket).send().await;
        if allowed {
            assert_allowed!(call);
        } else {
            assert_denied!(call);
        }
    }

    #[iam_policy("policies/composition/composed.json")]
    #[rstest]
    async fn values_and_no_runtime(
        #[values("a", "b")] _key: &str,
        #[values(1, 2)] _size: u8,
        config: SdkConfig,
    ) {
        lists(&config, "composed").await;
    }

    #[fixture]
    fn bucket() -> &'static str {
        "composed"
    }

    #[fixture]
    async fn late_bucket(bucket: &'static str) -> String {
        tokio::task::yield_now().await;
        bucket.to_owned()
    }

    #[iam_policy("policies/composition/composed.json")]
    #[rstest]
    #[tokio::test]
    async fn fixtures(bucket: &str, config: SdkConfig, #[future(awt)] late_bucket: String) {
        lists(&config, bucket).await;
        lists(&config, &late_bucket).await;
    }

    #[iam_policy("policies/composition/composed.json")]
    #[rstest]
    #[timeout(Duration::from_mins(1))]
    #[trace]
    #[tokio::test]
    async fn timeout_and_trace(bucket: &str, config: SdkConfig) {
        lists(&config, bucket).await;
    }

    #[iam_policy("policies/composition/composed.json")]
    #[rstest]
    #[timeout(Duration::from_millis(200))]
    #[tokio::test]
    #[should_panic(expected = "Timeout")]
    async fn a_timeout_that_strikes(config: SdkConfig) {
        lists(&config, "composed").await;
        tokio::time::sleep(Duration::from_mins(1)).await;
    }

    #[iam_policy(policy = path)]
    #[rstest]
    #[tokio::test]
    async fn files(#[files("tests/policies/composition/*.json")] path: PathBuf, config: SdkConfig) {
        let bucket = path.file_stem().and_then(std::ffi::OsStr::to_str).expect("a name");
        lists(&config, bucket).await;
    }

    #[iam_policy("policies/composition/composed.json")]
    #[rstest]
    fn sync(bucket: &str, config: SdkConfig) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(lists(&config, bucket));
    }

    #[iam_policy("policies/composition/composed.json")]
    #[rstest]
    #[case("composed")]
    #[case::owned("composed".to_owned())]
    #[tokio::test]
    async fn generics<B>(#[case] bucket: B, config: SdkConfig)
    where
        B: Display,
    {
        lists(&config, &bucket.to_string()).await;
    }

    #[iam_policy("policies/composition/composed.json")]
    #[rstest]
    #[case(Ok("composed"))]
    #[tokio::test]
    async fn a_result(#[case] bucket: Result<&str, String>, config: SdkConfig) -> Result<(), String> {
        lists(&config, bucket?).await;
        Ok(())
    }
}

mod rstest_above {
    use super::*;

    #[rstest]
    #[case("composed")]
    #[tokio::test]
    #[iam_policy("policies/composition/composed.json")]
    async fn below_tokio(#[case] bucket: &str, #[ignore] config: SdkConfig) {
        lists(&config, bucket).await;
    }

    #[rstest]
    #[case("composed")]
    #[iam_policy("policies/composition/composed.json")]
    #[tokio::test]
    async fn above_tokio(#[case] bucket: &str, #[ignore] config: SdkConfig) {
        lists(&config, bucket).await;
    }

    #[rstest]
    #[iam_policy("policies/composition/composed.json")]
    fn sync(#[values("composed")] bucket: &str, #[ignore] config: SdkConfig) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(lists(&config, bucket));
    }
}

mod several_roles {
    use super::*;

    #[iam_policy(one = "policies/composition/composed.json", two = "policies/composition/other.json")]
    #[tokio::test]
    async fn each_has_its_policy(two: &SdkConfig, one: SdkConfig) {
        lists(&one, "composed").await;
        lists(two, "other").await;
        assert_denied!(aws_sdk_s3::Client::new(two).list_objects_v2().bucket("composed").send().await);
    }

    #[iam_policy(one = "policies/composition/composed.json", two = policy_for(bucket))]
    #[rstest]
    #[case("third")]
    async fn beside_cases(#[case] bucket: &str, one: SdkConfig, two: TemporaryRole) {
        lists(&one, "composed").await;
        lists(two.config(), bucket).await;
    }
}

mod run_time {
    use super::*;

    #[iam_policy(policy = policy)]
    #[rstest]
    #[case("one", policy_for("one"))]
    #[case("two", policy_for("two"))]
    #[tokio::test]
    async fn a_case_is_the_policy(#[case] bucket: &str, #[case] policy: String, config: SdkConfig) {
        lists(&config, bucket).await;
    }

    #[iam_policy(policy = policy_of(words))]
    #[rstest]
    #[case(vec!["o", "n", "e"])]
    async fn an_expression_and_the_body_share_an_argument(#[case] words: Vec<&str>, config: SdkConfig) {
        lists(&config, &words.concat()).await;
    }

    fn policy_of(words: Vec<&str>) -> String {
        policy_for(&words.into_iter().collect::<String>())
    }

    #[iam_policy(policy = policy_for(&late(bucket).await))]
    #[rstest]
    #[case("one")]
    async fn an_expression_may_wait(#[case] bucket: &str, config: SdkConfig) {
        lists(&config, bucket).await;
    }

    #[iam_policy(policy = policy_for(&late("one").await))]
    async fn an_expression_may_wait_without_a_runtime(config: SdkConfig) {
        lists(&config, "one").await;
    }

    async fn late(bucket: &str) -> String {
        tokio::task::yield_now().await;
        bucket.to_owned()
    }
}

mod hygiene {
    use super::*;

    macro_rules! listing {
        ($name:ident, $policy:expr, $config:ident) => {
            #[iam_policy($policy)]
            #[tokio::test]
            async fn $name($config: SdkConfig) {
                lists(&$config, "composed").await;
            }
        };
    }
    listing!(in_a_macro, "policies/composition/composed.json", config);
    listing!(run, "policies/composition/composed.json", role_0);

    mod renamed {
        pub(super) use iam_fixture::{__private, PolicyDocument, TemporaryRole};
    }

    #[iam_policy("policies/composition/composed.json", crate = "super::hygiene::renamed")]
    #[tokio::test]
    async fn with_the_crate_at_another_path(config: SdkConfig) {
        lists(&config, "composed").await;
    }

    mod without_prelude {
        #![no_implicit_prelude]

        #[::iam_fixture::iam_policy("policies/composition/composed.json", tags(team = "x"), duration = 900)]
        async fn alone(config: ::iam_fixture::SdkConfig) {
            super::lists(&config, "composed").await;
        }
    }
}

/// Shows that the policy of the config's role lets it list this bucket and nothing else.
async fn lists(config: &SdkConfig, bucket: &str) {
    let s3 = aws_sdk_s3::Client::new(config);
    assert_allowed!(s3.list_objects_v2().bucket(bucket).send().await);
    assert_denied!(s3.list_objects_v2().bucket("something-else").send().await);
}

fn policy_for(bucket: &str) -> String {
    format!(
        r#"{{
            "Version": "2012-10-17",
            "Statement": {{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::{bucket}"}}
        }}"#
    )
}
