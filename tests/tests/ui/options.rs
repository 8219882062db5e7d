//! What stands in the parentheses.

use iam_fixture::{SdkConfig, iam_policy};

#[iam_policy("policies/reader.json", boundry = "policies/reader.json")]
async fn a_slip(config: SdkConfig) {}

#[iam_policy("policies/reader.json", retries = 3, duration = 900, duration = 901)]
async fn unknown_and_twice(config: SdkConfig) {}

#[iam_policy("policies/reader.json", tags = "team", session_name("s"), duration)]
async fn another_form(config: SdkConfig) {}

#[iam_policy(reader("policies/reader.json", arg = config))]
async fn an_option_of_the_test_in_a_role(reader: SdkConfig) {}

#[iam_policy(policies::reader())]
async fn an_expression_without_a_key(config: SdkConfig) {}

#[iam_policy("policies/reader.json", boundary = ["policies/reader.json"])]
async fn a_list_of_boundaries(config: SdkConfig) {}

#[iam_policy("policies/reader.json" "policies/reader.json", 42)]
async fn no_comma(config: SdkConfig) {}

#[iam_policy]
async fn nothing(config: SdkConfig) {}

#[iam_policy(reader(session_name = "r"))]
async fn a_role_without_a_policy(reader: SdkConfig) {}

fn main() {}
