//! A file that is there, and is no policy that IAM takes.

use iam_fixture::{SdkConfig, iam_policy};

#[iam_policy("policies/malformed.json")]
async fn malformed(config: SdkConfig) {}

#[iam_policy("policies/mistakes.json")]
async fn every_mistake_at_once(config: SdkConfig) {}

#[iam_policy("policies/unknown_key.json")]
async fn an_unknown_condition_key(config: SdkConfig) {}

#[iam_policy("policies/template.json")]
async fn a_template(config: SdkConfig) {}

#[iam_policy("policies/template.json#/Resources/Raeder/Properties/PolicyDocument")]
async fn a_slip_in_the_pointer(config: SdkConfig) {}

#[iam_policy("policies/template.json#Resources")]
async fn no_pointer(config: SdkConfig) {}

#[iam_policy("policies/answer.json")]
async fn what_the_command_line_prints(config: SdkConfig) {}

#[iam_policy("policies/reader.json", session_policy = "policies/malformed.json", boundary = "policies/mistakes.json")]
async fn as_session_policy_and_boundary(config: SdkConfig) {}

#[iam_policy(r#"{"Version": "2012-10-17", "Statement": {"Effect": "Alow", "Action": "*", "Resource": "*"}}"#)]
async fn in_the_literal(config: SdkConfig) {}

fn main() {}
