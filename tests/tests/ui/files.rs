//! A policy that is not where it was looked for.

use iam_fixture::{SdkConfig, iam_policy};

#[iam_policy("policies/reder.json")]
async fn a_slip_in_the_name(config: SdkConfig) {}

#[iam_policy("polices/reader.json")]
async fn a_slip_in_the_directory(config: SdkConfig) {}

#[iam_policy("src/bin/policies/reader.json")]
async fn seen_from_the_package(config: SdkConfig) {}

#[iam_policy(["policies/reader.json", "policies/nothing_like_it.json"])]
async fn one_of_a_list(config: SdkConfig) {}

#[iam_policy("ReadOnlyAcces")]
async fn a_slip_in_a_managed_policy(config: SdkConfig) {}

#[iam_policy([], session_policy = "ReadOnlyAccess")]
async fn a_managed_policy_for_the_session(config: SdkConfig) {}

fn main() {}
