//! A policy that IAM takes, and that is probably a mistake: the test compiles, with a warning.

use iam_fixture::{SdkConfig, iam_policy};

#[iam_policy("policies/warnings.json")]
async fn is_warned_of(config: SdkConfig) {}

#[iam_policy("policies/warnings.json", allow(unknown_action, resource_type))]
async fn is_allowed(config: SdkConfig) {}

fn main() {}
