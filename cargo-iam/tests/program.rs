//! What all commands have in common, and the small ones.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::io::Read as _;
use std::process::{Command, Stdio};

use common::{command, run};
use serde_json::Value;

#[test]
fn every_command_has_help_with_examples() {
    for name in ["actions", "check", "completions", "decide", "diff", "explain", "minimize", "venn"] {
        let run = run(&[name, "--help"], "");
        assert_eq!(run.status, Some(0));
        assert!(run.stdout.contains(&format!("Usage: cargo iam {name}")), "{}", run.stdout);
        assert!(run.stdout.contains("Examples:\n"), "{name}");
    }
}

#[test]
fn the_program_can_be_called_without_cargo() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_cargo-iam")).args(["actions", "iam:PassRole"]).output().unwrap();
    assert!(output.status.success());
}

#[test]
fn a_wrong_argument_has_the_status_2_and_a_proposal() {
    let run = run(&["chek"], "");
    assert_eq!(run.status, Some(2));
    assert!(run.stderr.contains("'check'"), "{}", run.stderr);
}

#[test]
fn shells_get_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = run(&["completions", shell], "");
        assert_eq!(run.status, Some(0));
        assert!(run.stdout.contains("cargo-iam") && run.stdout.contains("explain"), "{shell}");
    }
}

#[test]
fn actions_are_listed_by_access_level_with_counts() {
    let run = run(&["actions", "sqs:*Message", "sqs:ReceiveMessage", "sqs:TagQueue"], "");
    assert_eq!(
        (run.status, run.stdout.as_str()),
        (
            Some(0),
            "\
Read (1)
  sqs:ReceiveMessage  queue*

Tagging (1)
  sqs:TagQueue        queue*

Write (2)
  sqs:DeleteMessage   queue*
  sqs:SendMessage     queue*

sqs:*Message: 3
sqs:ReceiveMessage: 1
sqs:TagQueue: 1
4 actions: Read 1, Tagging 1, Write 2
"
        )
    );
}

#[test]
fn actions_in_json_have_their_resource_types_and_condition_keys() {
    let run = run(&["actions", "sqs:sendmessage", "iam:Cre*Role", "--format", "json"], "");
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let pointer = |pointer: &str| report.pointer(pointer).unwrap();
    assert_eq!(pointer("/count"), 3);
    assert_eq!(pointer("/accessLevels/Write"), 3);
    assert_eq!(pointer("/patterns/1"), &serde_json::json!({"pattern": "iam:Cre*Role", "count": 2}));
    assert_eq!(pointer("/actions/2/action"), "sqs:SendMessage");
    assert_eq!(
        pointer("/actions/2/resourceTypes/0"),
        &serde_json::json!({
            "name": "queue",
            "required": true,
            "arnFormats": ["arn:${Partition}:sqs:${Region}:${Account}:${QueueName}"],
        })
    );
    assert!(
        pointer("/actions/0/conditionKeys").as_array().unwrap().contains(&"iam:PermissionsBoundary".into())
    );
}

#[test]
fn a_pattern_that_reaches_nothing_makes_the_status_1() {
    let run = run(&["actions", "sqs:SendMesage", "sqs:SendMessage"], "");
    assert_eq!(run.status, Some(1));
    assert!(run.stderr.contains("did you mean `sqs:SendMessage`?"), "{}", run.stderr);
    assert!(run.stdout.ends_with("1 action: Write 1\n"), "{}", run.stdout);
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let mut child = command(&["actions", "s3:*", "--format", "json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert!(output.status.success());
}
