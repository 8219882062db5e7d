//! Whatever happens to a control call, the test runs if it can, and no role is left.

use std::sync::Arc;
use std::time::SystemTime;

use iam_endpoint::weather::{Mishap, Weather};
use iam_endpoint::{Endpoint, Event};
use iam_fixture::{Backend, TemporaryRole, TemporaryRoleBuilder};
use tokio::time::Instant;

/// The control calls of a role's life.
const LIFE: [&str; 5] =
    ["iam:CreateRole", "iam:PutRolePolicy", "sts:AssumeRole", "iam:DeleteRolePolicy", "iam:DeleteRole"];

/// All but silence: over a socket that ends by a time limit, in this process nothing ends it.
const MISHAPS: [Mishap; 5] =
    [Mishap::AnswerLost, Mishap::InternalError, Mishap::Reset, Mishap::Throttled, Mishap::Unavailable];

const LISTS: &str = r#"{"Version": "2012-10-17", "Statement":
    {"Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*"}}"#;

fn under(weather: Weather) -> Endpoint {
    let (began, epoch) = (Instant::now(), SystemTime::now());
    Endpoint::builder().clock(move || epoch + began.elapsed()).weather(weather).build()
}

fn lister(endpoint: &Endpoint) -> TemporaryRoleBuilder {
    TemporaryRole::builder().policy(LISTS).backend(Backend::of_endpoint(endpoint.clone()))
}

/// What there is at an endpoint that is ours: roles, and managed policies.
async fn left(endpoint: &Endpoint) -> usize {
    let admin = Backend::of_endpoint(endpoint.clone()).admin().await.expect("it answers");
    let iam = aws_sdk_iam::Client::new(&admin);
    let roles = iam.list_roles().send().await.expect("they are listed").roles().len();
    let scope = aws_sdk_iam::types::PolicyScopeType::Local;
    roles + iam.list_policies().scope(scope).send().await.expect("they are listed").policies().len()
}

#[tokio::test(start_paused = true)]
async fn one_fault_at_any_control_call_neither_fails_the_test_nor_leaves_a_role() {
    for call in LIFE {
        for mishap in MISHAPS {
            let endpoint = under(Weather::new(0).nth(call, 1, mishap));
            let role =
                lister(&endpoint).create().await.unwrap_or_else(|error| panic!("{call} {mishap:?}: {error}"));
            let iam = aws_sdk_iam::Client::new(role.config());
            iam.list_roles().send().await.expect("it is allowed");
            role.delete().await.unwrap_or_else(|error| panic!("{call} {mishap:?}: {error}"));
            assert_eq!(left(&endpoint).await, 0, "{call} {mishap:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_boundary_whose_answer_is_lost_is_ours_too() {
    for mishap in MISHAPS {
        let endpoint = under(Weather::new(0).nth("iam:CreatePolicy", 1, mishap));
        let role = lister(&endpoint).boundary(LISTS).create().await;
        role.unwrap_or_else(|error| panic!("{mishap:?}: {error}")).delete().await.expect("it is deleted");
        assert_eq!(left(&endpoint).await, 0, "{mishap:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_for_good_is_named_and_what_was_made_is_removed() {
    for call in &LIFE[..3] {
        let endpoint = under(Weather::new(0).chance(*call, Mishap::InternalError, 1.0));
        let error = lister(&endpoint).create().await.expect_err("it fails each time").to_string();
        let (_, name) = call.split_once(':').expect("a service and an operation");
        assert!(error.starts_with(&format!("`{name}` of `")), "{error}");
        assert!(error.contains("failed: ServiceFailure") && error.contains("(request id "), "{error}");
        assert!(error.ends_with("what had been created was removed again"), "{error}");
        assert_eq!(left(&endpoint).await, 0, "{call}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_is_reached_is_told_in_aws_s_words() {
    let endpoint = under(Weather::new(0).most_roles(1));
    let first = lister(&endpoint).create().await.expect("there is room for one");
    let error = lister(&endpoint).create().await.expect_err("there is none for two").to_string();
    assert!(error.contains("LimitExceeded: Cannot exceed quota for RolesPerAccount: 1"), "{error}");
    first.delete().await.expect("it is deleted");
    assert_eq!(left(&endpoint).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_off_is_corrected() {
    let off = std::time::Duration::from_mins(20);
    for weather in [Weather::new(0).clock_ahead(off), Weather::new(0).clock_behind(off)] {
        let endpoint = under(weather);
        lister(&endpoint)
            .create()
            .await
            .expect("the SDK learns the time")
            .delete()
            .await
            .expect("it is deleted");
        let refused = |event: &&Arc<Event>| event.code.as_deref() == Some("SignatureDoesNotMatch");
        assert!(endpoint.journal().last(usize::MAX).iter().filter(refused).count() > 0);
    }
}
