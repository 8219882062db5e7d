//! `cargo iam diff`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::run;
use serde_json::Value;

const NEW: &str = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": ["sqs:ReceiveMessage", "sqs:SendMessage"], "Resource": "*"}}"#;

fn write(name: &str, text: &str) -> String {
    let path = std::env::temp_dir().join(format!("cargo-iam-diff-{}-{name}", std::process::id()));
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn newly_granted_actions_are_grouped_and_fail_where_asked() {
    let (old, new) =
        (write("old.json", &NEW.replace("sqs:SendMessage", "sqs:GetQueueUrl")), write("new.json", NEW));
    let plain = run(&["diff", &old, &new], "");
    assert_eq!(plain.status, Some(0), "{}", plain.stderr);
    assert!(
        plain.stdout.starts_with("newly granted: 1 action\n  sqs · Write\n    SendMessage on arn:aws:sqs:"),
        "{}",
        plain.stdout
    );
    assert!(
        plain.stdout.contains("no longer granted: 1 action\n  sqs · Read\n    GetQueueUrl on "),
        "{}",
        plain.stdout
    );
    assert_eq!(run(&["diff", &old, &new, "--fail-on-new-access"], "").status, Some(1));
    assert_eq!(run(&["diff", &new, &new, "--fail-on-new-access"], "").status, Some(0));

    let report: Value =
        serde_json::from_str(&run(&["diff", &old, &new, "--format", "json"], "").stdout).unwrap();
    assert_eq!(report["newlyGranted"]["answer"], "something");
    assert_eq!(report["newlyGranted"]["actions"][0]["action"], "sqs:SendMessage");
    assert_eq!(report["newlyGranted"]["example"]["action"], "sqs:SendMessage");
}

#[test]
fn another_way_to_write_the_same_is_no_difference() {
    let old = write("a.json", NEW);
    let other =
        write("b.json", &NEW.replace(r#""sqs:SendMessage""#, r#""SQS:sendmessage", "sqs:SendMessage""#));
    let run = run(&["diff", &old, &other], "");
    assert_eq!(run.stdout, "newly granted: nothing\nno longer granted: nothing\n");
}

#[test]
fn what_is_granted_is_told_with_its_resources_and_conditions() {
    let old = write("before.json", NEW);
    let new = write(
        "after.json",
        r#"{"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["sqs:ReceiveMessage", "sqs:SendMessage"], "Resource": "*"},
            {"Sid": "Clear", "Effect": "Allow", "Action": ["sqs:PurgeQueue", "sqs:DeleteMessage"],
             "Resource": "arn:aws:sqs:*:*:orders-*", "Condition": {"StringEquals": {"aws:PrincipalTag/team": ["a", "b"]}}}]}"#,
    );
    let text = run(&["diff", &old, &new], "").stdout;
    let lines: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(lines[0], "  sqs · Write");
    assert!(lines[1].starts_with("    DeleteMessage on arn:aws:sqs:"), "{text}");
    assert!(lines[2].starts_with("    PurgeQueue on arn:aws:sqs:"), "{text}");
    assert!(
        lines[3].starts_with(
            "      on arn:aws:sqs:*:*:orders-*, if aws:PrincipalTag/team StringEquals: a or b, by statement 1 (`Clear`) of "
        ),
        "{text}"
    );
    assert_eq!(lines.len(), 5, "{text}");

    let json = run(&["diff", &old, &new, "--format", "json"], "").stdout;
    let report: Value = serde_json::from_str(&json).unwrap();
    let by = &report["newlyGranted"]["actions"][0]["grantedBy"][0];
    assert_eq!((&by["sid"], &by["line"]), (&"Clear".into(), &3.into()));
    assert_eq!(by["resources"], serde_json::json!(["arn:aws:sqs:*:*:orders-*"]));
    assert_eq!(
        by["conditions"],
        serde_json::json!([{"operator": "StringEquals", "key": "aws:PrincipalTag/team", "values": ["a", "b"]}])
    );
}

#[test]
fn what_needs_a_star_beyond_a_colon_stands_apart() {
    let none = write("none.json", &NEW.replace("Allow", "Deny"));
    let new = write(
        "tables.json",
        &NEW.replace(
            r#"["sqs:ReceiveMessage", "sqs:SendMessage"], "Resource": "*""#,
            r#"["dynamodb:GetItem", "dynamodb:GetRecords"], "Resource": "arn:aws:dynamodb:*:*:table/orders""#,
        ),
    );
    let text = run(&["diff", &none, &new], "").stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "newly granted: 1 action",
            "  dynamodb · Read",
            "    GetItem on arn:aws:dynamodb:us-east-1:123456789012:table/orders"
        ],
        "{text}"
    );
    assert!(lines[4].starts_with("  and, where a `*` matches beyond a colon of an ARN"), "{text}");
    assert!(lines[5].starts_with("    dynamodb:GetRecords on arn:aws:dynamodb:"), "{text}");
    let report: Value =
        serde_json::from_str(&run(&["diff", &none, &new, "--format", "json"], "").stdout).unwrap();
    let actions = &report["newlyGranted"]["actions"];
    assert_eq!((actions[0].get("crossesColons"), &actions[1]["crossesColons"]), (None, &Value::Bool(true)));
    assert_eq!(run(&["diff", &none, &new, "--fail-on-new-access"], "").status, Some(1));
}

#[test]
fn managed_policies_are_known_by_name() {
    let run = run(&["diff", "ReadOnlyAccess", "ViewOnlyAccess"], "");
    assert!(run.stdout.contains("aws-marketplace"), "{} {}", run.stdout, run.stderr);
}
