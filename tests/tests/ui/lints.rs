//! A policy that IAM takes, and that cannot mean what it says.

use iam_fixture::{SdkConfig, iam_policy};

#[iam_policy("policies/lints.json", vars(table = "orders"))]
async fn beside_an_error(config: SdkConfig) {}

#[iam_policy("policies/unknown_key.json", allow(unknown_action))]
async fn another_lint_is_allowed(config: SdkConfig) {}

#[iam_policy("policies/unknown_key.json", allow(unknown_condition_key))]
async fn this_lint_is_allowed(config: SdkConfig) {}

#[iam_policy(reader("policies/unknown_key.json"), writer("policies/reader.json"), allow(unknown_condition_key))]
async fn allowed_for_every_role(reader: SdkConfig, writer: SdkConfig) {}

#[iam_policy("policies/reader.json", allow(unknown_conditon_key))]
async fn a_slip_in_the_lint(config: SdkConfig) {}

fn main() {}
