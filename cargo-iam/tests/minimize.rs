//! `cargo iam minimize`.

mod common;

use common::run;

const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Sid": "Queues", "Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:SendMessage*"], "Resource": "*"},
    {"Effect": "Allow", "Action": ["sqs:ListQueues", "sqs:ListQueueTags", "sqs:ListDeadLetterSourceQueues",
     "sqs:ListMessageMoveTasks"], "Resource": "*",
     "Condition": {"StringEquals": {"aws:PrincipalTag/team": "a"}, "Bool": {"aws:SecureTransport": "true"}}}]}"#;

#[test]
fn a_smaller_policy_is_written_and_counted() {
    let run = run(&["minimize", "-"], POLICY);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("\"Action\": \"sqs:SendMessage*\""), "{}", run.stdout);
    assert!(run.stdout.contains("\"sqs:ListQueues\""), "{}", run.stdout);
    assert!(run.stderr.starts_with("2 statements, "), "{}", run.stderr);
}

#[test]
fn over_the_catalogue_lists_become_patterns() {
    let run = run(&["minimize", "-", "--catalogue"], POLICY);
    assert_eq!(
        run.stdout,
        r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Queues",
      "Effect": "Allow",
      "Action": "sqs:SendMessage",
      "Resource": "*"
    },
    {
      "Effect": "Allow",
      "Action": "sqs:List*",
      "Resource": "*",
      "Condition": {
        "StringEquals": {
          "aws:PrincipalTag/team": "a"
        },
        "Bool": {
          "aws:SecureTransport": "true"
        }
      }
    }
  ]
}
"#
    );
}

#[test]
fn of_a_policy_that_names_principals_nothing_is_told() {
    let policy = r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::b"}}"#;
    let run = run(&["minimize", "-"], policy);
    assert_eq!(run.status, Some(2));
    assert!(run.stderr.contains("names principals"), "{}", run.stderr);
}
