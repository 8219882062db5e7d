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
