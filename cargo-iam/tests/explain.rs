//! `cargo iam explain`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::run;
use serde_json::{Value, json};

const ALICE: &str = "arn:aws:iam::111122223333:user/alice";

fn reader<'a>(action: &'a str, resource: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let request = [
        "explain",
        "--policy",
        "reader.json",
        "--principal",
        ALICE,
        "--action",
        action,
        "--resource",
        resource,
    ];
    [&request, more].concat()
}

fn tree(arguments: &[&str]) -> Value {
    serde_json::from_str(&run(&[arguments, &["--format", "json"]].concat(), "").stdout).unwrap()
}

#[test]
fn an_allowed_request_shows_the_statement_that_allows_and_the_status_is_0() {
    let run = run(&reader("s3:ListBucket", "arn:aws:s3:::dashboard", &[]), "");
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert!(run.stdout.starts_with("allowed: `s3:ListBucket` on `arn:aws:s3:::dashboard`"), "{}", run.stdout);
    assert!(run.stdout.contains("--> reader.json:13:"), "{}", run.stdout);
}

#[test]
fn a_denied_request_shows_the_nearest_miss_and_the_status_is_1() {
    let run = run(&reader("s3:ListBucket", "arn:aws:s3:::infra", &[]), "");
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    assert!(run.stdout.starts_with("implicitDeny: "), "{}", run.stdout);
    assert!(run.stdout.contains("`arn:aws:s3:::infra` is not `arn:aws:s3:::dashboard`"), "{}", run.stdout);
}

#[test]
fn the_tree_tells_of_every_statement_which_elements_matched() {
    let tree = tree(&reader(
        "s3:GetObject",
        "arn:aws:s3:::dashboard/x",
        &["--context", "aws:PrincipalTag/team=infra"],
    ));
    assert_eq!(tree["decision"], "implicitDeny");
    assert_eq!(tree["reason"], "because no identity-based policy allows the s3:GetObject action");
    assert_eq!(tree["context"], json!({"aws:PrincipalTag/team": ["infra"]}));
    assert_eq!(tree["nearMisses"], json!([{"policy": "identity[0]", "statement": 0, "sid": "Dashboard"}]));
    let statement = &tree["statements"][0];
    let elements: Vec<(&str, bool)> = statement["elements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|element| (element["element"].as_str().unwrap(), element["matches"].as_bool().unwrap()))
        .collect();
    assert_eq!(elements, [("Action", true), ("Resource", true), ("Condition", false)]);
    assert_eq!((&statement["sid"], &statement["line"]), (&"Dashboard".into(), &4.into()));
    assert_eq!(statement["elements"][2]["line"], 9);
    assert_eq!(tree["statements"].as_array().unwrap().len(), 2);
}

#[test]
fn keys_that_are_not_given_are_named_and_a_key_may_have_several_values() {
    let resource = "arn:aws:s3:::dashboard/x";
    let unknown = tree(&reader("s3:GetObject", resource, &[]));
    assert_eq!(
        (&unknown["missingContext"], &unknown["certain"]),
        (&json!(["aws:PrincipalTag/team"]), &false.into())
    );
    let team = |value: &'static str| ["--context", value];
    let both = [team("aws:PrincipalTag/team=infra"), team("aws:PrincipalTag/team=platform")].concat();
    let several = tree(&reader("s3:GetObject", resource, &both));
    assert_eq!(several["context"]["aws:PrincipalTag/team"], json!(["infra", "platform"]));
    assert_eq!(several["by"], json!([]), "`StringEquals` is for keys with one value");
}

#[test]
fn every_policy_type_takes_part() {
    let allow = "advice.json";
    let get = ("s3:GetObject", "arn:aws:s3:::elsewhere/x");
    for (option, name) in [
        ("--boundary", "boundary[0]"),
        ("--session", "session[0]"),
        ("--scp", "scps[0][0]"),
        ("--rcp", "rcps[0][0]"),
    ] {
        let file = if option == "--rcp" { "rcp.json" } else { "reader.json" };
        let mut arguments = reader(get.0, get.1, &["--policy", allow]);
        let tree_of = |arguments: &[&str]| tree(arguments);
        assert_eq!(tree_of(&arguments)["decision"], "allowed");
        arguments.extend([option, file]);
        let tree = tree_of(&arguments);
        assert_ne!(tree["decision"], "allowed", "{option}");
        let policies: Vec<&str> =
            tree["statements"].as_array().unwrap().iter().map(|of| of["policy"].as_str().unwrap()).collect();
        assert!(policies.contains(&name), "{option}: {policies:?}");
    }
    let levels =
        reader(get.0, get.1, &["--policy", allow, "--scp", "advice.json,reader.json", "--scp", allow]);
    let tree = tree(&levels);
    assert_eq!(tree["decision"], "allowed", "one policy at each level allows");
    assert_eq!(tree["statements"][3]["policy"], "scps[1][0]");
}

#[test]
fn the_policy_of_a_role_is_its_trust_policy() {
    let assume = |principal: &str| {
        let role = "arn:aws:iam::111122223333:role/worker";
        run(
            &[
                "explain",
                "--resource-policy",
                "trust.json",
                "--principal",
                principal,
                "--action",
                "sts:AssumeRole",
                "--resource",
                role,
            ],
            "",
        )
    };
    assert_eq!(assume("lambda.amazonaws.com").status, Some(0));
    let other = assume("ec2.amazonaws.com");
    assert_eq!(other.status, Some(1), "{}", other.stderr);
    assert!(other.stdout.contains("because no role trust policy allows"), "{}", other.stdout);
}

#[test]
fn what_cannot_be_asked_is_refused_with_the_status_2() {
    for (arguments, message) in [
        (reader("s3:Get*", "*", &[]), "error: `s3:Get*` is not one action"),
        (reader("s3:GetObject", "dashboard", &[]), "error: `dashboard` is not an ARN"),
        (reader("s3:GetObject", "*", &["--context", "aws:username"]), "write `aws:username=VALUE`"),
        (reader("s3:GetObject", "*", &["--boundary", "broken.json"]), "error[iam::duplicate-key]"),
        (reader("s3:GetObject", "*", &["--boundary", "nowhere.json"]), "cannot read `nowhere.json`"),
        (
            reader("s3:GetObject", "*", &["--role", "arn:aws:iam::111122223333:role/x"]),
            "only a role's session",
        ),
        (reader("s3:GetObject", "*", &["--resource-account", "12"]), "it has twelve digits"),
    ] {
        let run = run(&arguments, "");
        assert_eq!(run.status, Some(2), "{arguments:?}");
        assert!(run.stderr.contains(message), "{arguments:?}: {}", run.stderr);
        assert_eq!(run.stdout, "");
    }
}
