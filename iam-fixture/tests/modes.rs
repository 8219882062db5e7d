//! How a test gets its role: made, as a session of one for all, or one that is there.

use iam_endpoint::weather::{Mishap, Propagation, Weather};
use iam_endpoint::{Endpoint, Organization, Target};
use iam_fixture::{
    Backend, ErrorKind, Keep, Mode, PolicyDocument, Readiness, TemporaryRole, TemporaryRoleBuilder,
    assert_allowed, assert_denied,
};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

const LISTS: &str = r#"{"Version": "2012-10-17", "Statement":
    [{"Sid": "Lists", "Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*"}]}"#;

const LISTS_USERS: &str = r#"{"Version": "2012-10-17", "Statement":
    [{"Sid": "Lists", "Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}]}"#;

fn lister(endpoint: &Endpoint, mode: Mode) -> TemporaryRoleBuilder {
    TemporaryRole::builder().policy(LISTS).mode(mode).backend(Backend::of_endpoint(endpoint.clone()))
}

/// What was asked since so many calls, in order.
fn asked(endpoint: &Endpoint, since: usize) -> Vec<String> {
    endpoint.journal().last(usize::MAX).iter().skip(since).map(|event| event.operation.clone()).collect()
}

fn calls(endpoint: &Endpoint) -> usize {
    asked(endpoint, 0).len()
}

async fn iam_of(backend: &Backend) -> aws_sdk_iam::Client {
    aws_sdk_iam::Client::new(&backend.admin().await.expect("it answers"))
}

/// A role that is there, as somebody else made it, with these policies.
async fn standing_role(backend: &Backend, name: &str, policies: &[&str]) -> String {
    let iam = iam_of(backend).await;
    let trust = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}}"#;
    let role = iam.create_role().role_name(name).path("/team/").assume_role_policy_document(trust);
    let role = role.send().await.expect("it is created");
    for (number, policy) in (1..).zip(policies) {
        let put = iam.put_role_policy().role_name(name).policy_name(format!("p{number}"));
        put.policy_document(*policy).send().await.expect("it is put");
    }
    role.role().expect("the answer has it").arn().to_owned()
}

#[tokio::test]
async fn in_session_mode_each_test_is_one_call_once_the_role_is_there() {
    let endpoint = Endpoint::new();
    let backend = Backend::of_endpoint(endpoint.clone());
    let build = || TemporaryRole::builder().policy(LISTS).mode(Mode::Session).backend(backend.clone());
    let first = build().create().await.expect("a session");
    assert_eq!(
        asked(&endpoint, 0),
        [
            "sts:AssumeRole",
            "sts:AssumeRole",
            "iam:CreateRole",
            "iam:AttachRolePolicy",
            "sts:AssumeRole",
            "iam:UpdateAssumeRolePolicy"
        ]
    );
    for _ in 0..3 {
        let since = calls(&endpoint);
        let role = build().create().await.expect("a session");
        assert_eq!(role.arn(), first.arn());
        assert_ne!(role.session_arn(), first.session_arn());
        role.delete().await.expect("there is nothing to delete");
        assert_eq!(asked(&endpoint, since), ["sts:AssumeRole"]);
    }
    // Another process has another connection, and finds the role as well.
    let since = calls(&endpoint);
    lister(&endpoint, Mode::Session).create().await.expect("a session");
    assert_eq!(asked(&endpoint, since), ["sts:AssumeRole"]);
}

#[tokio::test]
async fn a_session_may_do_what_the_policies_under_test_allow_and_no_more() {
    let endpoint = Endpoint::new();
    let role = lister(&endpoint, Mode::Session).policy(LISTS_USERS).managed_policy("AmazonSQSReadOnlyAccess");
    let role = role.create().await.expect("a session");
    let iam = aws_sdk_iam::Client::new(role.config());
    assert_allowed!(iam.list_roles().send().await);
    assert_allowed!(iam.list_users().send().await);
    assert_denied!(iam.list_groups().send().await, implicit);
    assert_eq!(role.decisions().len(), 3, "the calls of this session");

    let nothing =
        TemporaryRole::builder().mode(Mode::Session).backend(Backend::of_endpoint(endpoint.clone()));
    let nothing = nothing.create().await.expect("a session");
    assert_denied!(aws_sdk_iam::Client::new(nothing.config()).list_roles().send().await, implicit);
    assert_eq!((role.decisions().len(), nothing.decisions().len()), (3, 1));
}

#[tokio::test]
async fn a_denial_in_session_mode_names_the_place_in_the_file() {
    let role =
        lister(&Endpoint::new(), Mode::Session).policy(PolicyDocument::file("empty.json", LISTS_USERS));
    let only = TemporaryRole::builder()
        .policy(PolicyDocument::file("lists.json", LISTS))
        .mode(Mode::Session)
        .backend(Backend::of_endpoint(Endpoint::new()));
    drop(role);
    let only = only.create().await.expect("a session");
    assert_denied!(aws_sdk_iam::Client::new(only.config()).list_groups().send().await);
    let told = only.decisions().pop().expect("it was decided").authorizations[0].explain().to_string();
    assert!(told.contains("lists.json:2:"), "{told}");
}

/// A role of another test, whose trust policy is a resource-based policy as any other.
async fn trusting(backend: &Backend, name: &str, principal: &str) -> String {
    let trust = format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Sid": "Trusts", "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {{"AWS": "{principal}"}}}}}}"#
    );
    let role = iam_of(backend).await.create_role().role_name(name).assume_role_policy_document(trust);
    role.send().await.expect("it is created").role().expect("the answer has it").arn().to_owned()
}

#[tokio::test]
async fn a_denial_of_a_session_that_its_role_would_not_have_is_none() {
    for mode in [Mode::Role, Mode::Session] {
        let backend = Backend::of_endpoint(Endpoint::new());
        let role = TemporaryRole::builder().policy(LISTS).mode(mode.clone()).backend(backend.clone());
        let role = role.create().await.expect("it signs in");
        let sts = aws_sdk_sts::Client::new(role.config());
        let assume = |arn: &str| sts.assume_role().role_arn(arn).role_session_name("another").send();

        // Neither names the role, and what names the session goes past every policy of its role.
        let other = trusting(&backend, "other", "arn:aws:iam::123456789012:root").await;
        assert_denied!(assume(&other).await, implicit);
        let of_session = trusting(&backend, "of-session", role.session_arn()).await;
        assert_allowed!(assume(&of_session).await);

        let of_role = trusting(&backend, "of-role", role.arn()).await;
        let answer = assume(&of_role).await;
        if mode == Mode::Role {
            assert_allowed!(answer);
            continue;
        }
        let error = answer.expect_err("it cannot be told").into_service_error();
        assert_eq!(error.meta().code(), Some("SessionNotEvaluable"));
        let message = error.meta().message().unwrap_or_default();
        assert!(message.contains("(`Trusts`)") && message.contains("IAM_FIXTURE_MODE=role"), "{message}");
    }
}

#[tokio::test]
async fn the_test_s_tags_are_those_of_its_session() {
    let by_tag = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalTag/team": "infra"}}}]}"#;
    for (value, is_allowed) in [("infra", true), ("web", false)] {
        let role = TemporaryRole::builder().policy(by_tag).tag("team", value).mode(Mode::Session);
        let role = role.backend(Backend::of_endpoint(Endpoint::new())).create().await.expect("a session");
        let listed = aws_sdk_iam::Client::new(role.config()).list_roles().send().await;
        assert_eq!(listed.is_ok(), is_allowed, "{value}");
    }
}

#[tokio::test]
async fn what_cannot_be_a_session_policy_is_refused_or_gets_a_role() {
    let long: Vec<_> = (0..100).map(|n| format!("\"arn:aws:s3:::a-bucket-with-a-name-{n}\"")).collect();
    let long = format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": [{}]}}]}}"#,
        long.join(",")
    );
    let endpoint = Endpoint::new();
    let build = |mode| {
        TemporaryRole::builder()
            .policy(long.as_str())
            .mode(mode)
            .backend(Backend::of_endpoint(endpoint.clone()))
    };
    let error = build(Mode::Session).create().await.expect_err("it is too long");
    assert_eq!(error.kind(), ErrorKind::SessionPolicy);
    let text = error.to_string();
    assert!(
        text.contains("characters, and a session policy has at most 2,048\n  nothing was created"),
        "{text}"
    );
    assert_eq!(calls(&endpoint), 0);

    let role = build(Mode::SessionOrRole).create().await.expect("a role");
    assert_eq!(asked(&endpoint, 0), ["iam:CreateRole", "iam:PutRolePolicy", "sts:AssumeRole"]);
    assert!(!role.name().contains("iam-fixture-session-"), "{}", role.name());
    role.delete().await.expect("it is deleted");
}

#[tokio::test]
async fn a_session_that_is_too_large_packed_is_refused_in_aws_s_words_or_gets_a_role() {
    let endpoint = Endpoint::new();
    let build =
        |mode| (0..16).fold(lister(&endpoint, mode), |role, n| role.tag(format!("tag-{n}"), "v".repeat(256)));
    let error = build(Mode::Session).create().await.expect_err("it is too large");
    assert_eq!(error.kind(), ErrorKind::SessionPolicy);
    let text = error.to_string();
    assert!(text.starts_with("`AssumeRole` of `iam-fixture-session-"), "{text}");
    for part in
        ["PackedPolicyTooLarge: Packed size", "(request id ", "help: session policies and session tags"]
    {
        assert!(text.contains(part), "{part:?} is missing in: {text}");
    }
    build(Mode::SessionOrRole).create().await.expect("a role");
}

#[tokio::test]
async fn a_role_of_sessions_that_allows_less_is_told_with_a_request() {
    let endpoint = Endpoint::new();
    let backend = Backend::of_endpoint(endpoint.clone());
    let broad = standing_role(
        &backend,
        "broad",
        &[r#"{"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Action": "iam:*", "Resource": "*"}}"#],
    )
    .await;
    let build = |policy: &str| {
        let role = TemporaryRole::builder().policy(policy).mode(Mode::Session).session_role(&broad);
        role.backend(backend.clone())
    };
    let role = build(LISTS).create().await.expect("a session");
    assert_eq!(role.arn(), broad);
    let since = calls(&endpoint);
    build(LISTS_USERS).create().await.expect("a session");
    assert_eq!(asked(&endpoint, since), ["sts:AssumeRole"], "its policies are known");

    let s3 = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}"#;
    let error = build(s3).create().await.expect_err("the role does not allow it");
    assert_eq!(error.kind(), ErrorKind::SessionPolicy);
    assert!(error.to_string().contains("does not allow all that it does: `s3:GetObject` on "), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_role_of_sessions_is_not_open_before_it_is_live() {
    for seed in 0..10 {
        let (began, epoch) = (Instant::now(), SystemTime::now());
        let endpoint = Endpoint::builder()
            .clock(move || epoch + began.elapsed())
            .weather(Weather::new(seed).propagation(Propagation::default()))
            .build();
        // Two processes, as far as the endpoint can tell, of which one comes while the other makes the role.
        let later = async {
            tokio::time::sleep(Duration::from_millis(300 * seed)).await;
            lister(&endpoint, Mode::Session).create().await
        };
        let (one, two) = tokio::join!(lister(&endpoint, Mode::Session).create(), later);
        for role in [one.expect("a session"), two.expect("a session")] {
            let iam = aws_sdk_iam::Client::new(role.config());
            for _ in 0..20 {
                iam.list_roles().send().await.expect("it is allowed");
            }
        }
    }
}

#[tokio::test]
async fn an_existing_role_costs_no_call_after_the_first_test() {
    let endpoint = Endpoint::new();
    let backend = Backend::of_endpoint(endpoint.clone());
    let arn = standing_role(&backend, "reader", &[LISTS_USERS, LISTS]).await;
    let build = || {
        let role =
            TemporaryRole::builder().policy(LISTS).policy(LISTS_USERS).mode(Mode::Existing(arn.clone()));
        role.backend(backend.clone())
    };
    let since = calls(&endpoint);
    let first = build().create().await.expect("a session");
    let expected = [
        "iam:GetRole",
        "iam:ListRolePolicies",
        "iam:GetRolePolicy",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "sts:AssumeRole",
    ];
    assert_eq!(asked(&endpoint, since), expected);
    assert_eq!((first.arn(), first.name()), (arn.as_str(), "reader"));
    let since = calls(&endpoint);
    for _ in 0..3 {
        let role = build().create().await.expect("a session");
        assert_eq!(role.session_arn(), first.session_arn());
        role.delete().await.expect("there is nothing to delete");
    }
    assert_eq!(asked(&endpoint, since), [""; 0]);
    let iam = aws_sdk_iam::Client::new(first.config());
    assert_allowed!(iam.list_roles().send().await);
    assert_denied!(iam.list_groups().send().await, implicit);
    iam_of(&backend).await.get_role().role_name("reader").send().await.expect("it is still there");
}

#[tokio::test]
async fn an_existing_role_with_other_policies_is_refused_with_the_difference() {
    let endpoint = Endpoint::new();
    let backend = Backend::of_endpoint(endpoint.clone());
    let arn = standing_role(&backend, "reader", &[LISTS, LISTS_USERS]).await;
    let build = || lister(&endpoint, Mode::Existing(arn.clone())).backend(backend.clone());
    let since = calls(&endpoint);
    let error = build().create().await.expect_err("it may do more");
    assert_eq!(error.kind(), ErrorKind::Policy);
    let text = error.to_string();
    assert!(
        text.starts_with(&format!(
            "role `{arn}` is not as the policies under test: it may do more, `iam:ListUsers` on"
        )),
        "{text}"
    );
    for part in
        ["nothing was created", "\n-      \"Action\": \"iam:ListUsers\"", "policy p2 of role reader:2:"]
    {
        assert!(text.contains(part), "{part:?} is missing in: {text}");
    }
    assert!(!asked(&endpoint, since).contains(&"sts:AssumeRole".to_owned()));
    let since = calls(&endpoint);
    build().create().await.expect_err("it still does");
    assert_eq!(asked(&endpoint, since), [""; 0]);
}

#[tokio::test]
async fn managed_policies_and_boundaries_of_an_existing_role_are_compared_too() {
    let backend = Backend::of_endpoint(Endpoint::new());
    let arn = standing_role(&backend, "bounded", &[]).await;
    let iam = iam_of(&backend).await;
    let managed = "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess";
    iam.attach_role_policy().role_name("bounded").policy_arn(managed).send().await.expect("it is attached");
    let build = || {
        let role = TemporaryRole::builder().managed_policy("AmazonSQSReadOnlyAccess");
        role.mode(Mode::Existing(arn.clone()))
    };
    build().backend(backend.clone()).create().await.expect("it is the same");

    let boundary =
        iam.create_policy().policy_name("boundary").policy_document(LISTS).send().await.expect("a policy");
    let boundary = boundary.policy().and_then(|policy| policy.arn()).expect("it has an ARN");
    iam.put_role_permissions_boundary()
        .role_name("bounded")
        .permissions_boundary(boundary)
        .send()
        .await
        .expect("it is put");
    let fresh = |account: &Backend| account.account("123456789012").expect("the same account");
    let error = build().backend(fresh(&backend)).create().await.expect_err("the boundary limits it");
    assert!(error.to_string().contains("it may do less, `sqs:"), "{error}");
    build().managed_boundary(boundary).backend(fresh(&backend)).create().await.expect("it is the same");
}

#[tokio::test]
async fn a_role_that_is_not_there_or_elsewhere_is_said_so() {
    for (arn, said) in [
        ("arn:aws:iam::123456789012:role/absent", "`GetRole` of `absent` failed: NoSuchEntity"),
        ("arn:aws:iam::222233334444:role/reader", "it is not in account 123456789012"),
    ] {
        let error =
            lister(&Endpoint::new(), Mode::Existing(arn.to_owned())).create().await.expect_err("none");
        let error = error.to_string();
        assert!(error.contains(said) && error.contains("nothing was created"), "{error}");
    }
}

#[tokio::test]
async fn a_role_stands_where_and_is_called_as_the_options_say() {
    let endpoint = Endpoint::new();
    let role = lister(&endpoint, Mode::Role).path("/ci/").name_prefix("svc-").boundary(LISTS);
    let role = role.create().await.expect("a role");
    assert!(role.arn().starts_with("arn:aws:iam::123456789012:role/ci/iam-fixture/"), "{}", role.arn());
    assert!(role.name().starts_with("svc-iam-fixture-"), "{}", role.name());
    for wrong in [lister(&endpoint, Mode::Role).path("ci"), lister(&endpoint, Mode::Role).name_prefix("a/b")]
    {
        let error = wrong.create().await.expect_err("it is wrong");
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }
}

#[tokio::test]
async fn a_role_is_kept_always_or_if_its_test_panicked() {
    let roles = async |endpoint: &Endpoint| {
        let iam = iam_of(&Backend::of_endpoint(endpoint.clone())).await;
        iam.list_roles().send().await.expect("they are listed").roles().len()
    };
    for (keep, kept) in [(Keep::Never, [0, 0]), (Keep::OnFailure, [0, 1]), (Keep::Always, [1, 1])] {
        for (fails, kept) in [false, true].into_iter().zip(kept) {
            let endpoint = Endpoint::new();
            let body = async move |_| assert!(!fails, "as it is to");
            let role = lister(&endpoint, Mode::Role).keep(keep);
            let ended = tokio::spawn(async move { role.scoped(body).await }).await;
            assert_eq!(ended.is_err(), fails);
            assert_eq!(roles(&endpoint).await, kept, "{keep:?} {fails}");
        }
    }
}

#[tokio::test]
async fn the_administrator_is_granted_the_role_for_its_life_and_keeps_his_own_policies() {
    let endpoint = Endpoint::new();
    let backend = Backend::of_endpoint(endpoint.clone());
    let iam = iam_of(&backend).await;
    let policies = async || {
        let listed = iam.list_user_policies().user_name("administrator").send().await;
        listed.expect("they are listed").policy_names().to_vec()
    };
    let own = iam.put_user_policy().user_name("administrator").policy_name("own").policy_document(LISTS);
    own.send().await.expect("it is put");
    let role = lister(&endpoint, Mode::Role).grant_assume(true).create().await.expect("a role");
    let [granted, _] = policies().await.try_into().expect("his own, and one more");
    assert!(granted.starts_with(role.name()), "{granted}");
    let document = iam.get_user_policy().user_name("administrator").policy_name(granted).send().await;
    let document = document.expect("it is there").policy_document().to_owned();
    assert!(document.contains(&role.arn().replace(':', "%3A").replace('/', "%2F")), "{document}");
    role.delete().await.expect("it is deleted");
    assert_eq!(policies().await, ["own"]);
}

#[tokio::test(start_paused = true)]
async fn a_grant_is_taken_back_when_the_role_fails() {
    let endpoint = Endpoint::builder()
        .weather(Weather::new(0).chance("sts:AssumeRole", Mishap::InternalError, 1.0))
        .build();
    let role = lister(&endpoint, Mode::Role).grant_assume(true);
    let error = role.create().await.expect_err("it cannot be assumed").to_string();
    assert!(error.ends_with("what had been created was removed again"), "{error}");
    let iam = iam_of(&Backend::of_endpoint(endpoint.clone())).await;
    let listed = iam.list_user_policies().user_name("administrator").send().await.expect("they are listed");
    assert_eq!(listed.policy_names(), [""; 0]);
}

/// What an organization's policy says of the account's calls.
fn limited(endpoint: &Endpoint, scp: &str) {
    let scp = PolicyDocument::file("scp.json", scp).service_control().expect("a policy");
    let root = Target::new("r-ab12").with(Target::new("123456789012").scp(scp));
    endpoint.set_organization(Organization::new("o-a1b2c3d4e5", "111122223333", root));
}

#[tokio::test]
async fn where_nobody_may_create_a_role_without_a_boundary_that_is_said() {
    let endpoint = Endpoint::new();
    limited(
        &endpoint,
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "iam:CreateRole", "Resource": "*",
        "Condition": {"Null": {"iam:PermissionsBoundary": "true"}}}}"#,
    );
    for mode in [Mode::Role, Mode::Session] {
        let error = lister(&endpoint, mode).create().await.expect_err("it needs a boundary").to_string();
        assert!(error.starts_with("`CreateRole` of `iam-fixture-"), "{error}");
        for part in [
            "AccessDenied: User: ",
            "explicit deny in a service control policy",
            "(request id ",
            "`IAM_FIXTURE_BOUNDARY`",
        ] {
            assert!(error.contains(part), "{part:?} is missing in: {error}");
        }
    }
    let role = lister(&endpoint, Mode::Role).managed_boundary("ReadOnlyAccess");
    role.create().await.expect("with a boundary it can be");
}

#[tokio::test]
async fn whoever_may_not_create_roles_is_told_what_else_there_is() {
    let endpoint = Endpoint::new();
    limited(
        &endpoint,
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "iam:CreateRole", "Resource": "*"}}"#,
    );
    let create = async |boundary: Option<&str>| {
        let mut role = lister(&endpoint, Mode::Role).managed_boundary("ReadOnlyAccess");
        if let Some(document) = boundary {
            role = role.boundary(document);
        }
        role.create().await.expect_err("it is denied").to_string()
    };
    let error = create(None).await;
    for part in [
        "`CreateRole` of `",
        "AccessDenied: ",
        "(request id ",
        "\n  nothing was created\n  help: ",
        "needs `iam:CreateRole`",
        "existing:ROLE_ARN",
    ] {
        assert!(error.contains(part), "{part:?} is missing in: {error}");
    }
    assert!(!asked(&endpoint, 0).contains(&"iam:DeleteRole".to_owned()), "there is none to delete");
    let error = create(Some(LISTS)).await;
    assert!(error.contains("\n  what had been created was removed again\n  help: "), "{error}");
    assert!(asked(&endpoint, 0).contains(&"iam:DeletePolicy".to_owned()));
}

#[tokio::test]
async fn a_full_account_is_said_to_be_full() {
    let endpoint = Endpoint::builder().weather(Weather::new(0).most_roles(0)).build();
    let error = lister(&endpoint, Mode::Role).create().await.expect_err("it is full").to_string();
    for part in ["`CreateRole` of `", "LimitExceeded: ", "(request id ", "`IAM_FIXTURE_MODE=session`"] {
        assert!(error.contains(part), "{part:?} is missing in: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_role_that_can_never_be_assumed_is_told_from_one_that_cannot_yet() {
    let scp = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"}}"#;
    let (began, epoch) = (Instant::now(), SystemTime::now());
    let weather = Weather::new(0).propagation(Propagation::default());
    let endpoint = Endpoint::builder().clock(move || epoch + began.elapsed()).weather(weather).build();
    limited(&endpoint, scp);
    let readiness = || Readiness::default().deadline(Duration::from_secs(30));
    for (mode, cleaned) in [
        (Mode::Role, "what had been created was removed again"),
        (Mode::Session, "no role was created for the test"),
    ] {
        let start = Instant::now();
        let error = lister(&endpoint, mode).readiness(readiness()).create().await.expect_err("it is denied");
        let error = error.to_string();
        assert!(start.elapsed() >= Duration::from_secs(30), "{:?}", start.elapsed());
        assert!(error.starts_with("`AssumeRole` of `"), "{error}");
        for part in
            ["AccessDenied: ", "(request id ", "help: it was tried for 3", "denies it for good", cleaned]
        {
            assert!(error.contains(part), "{part:?} is missing in: {error}");
        }
    }
}
