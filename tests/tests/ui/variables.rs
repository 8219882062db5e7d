//! Template variables are given, and used.

use iam_fixture::{SdkConfig, iam_policy};

#[iam_policy("policies/variables.json", vars(bucket = "reports"))]
async fn one_is_missing(config: SdkConfig) {}

#[iam_policy("policies/variables.json", vars(bucket = "reports", prefix = "2026", buckt = "logs"))]
async fn one_too_many(config: SdkConfig) {}

#[iam_policy("policies/pseudo_parameter.json")]
async fn what_the_backend_does_not_know(config: SdkConfig) {}

fn main() {}
