//! Roles and the arguments that take them.

use iam_fixture::{SdkConfig, iam_policy};

#[iam_policy("policies/reader.json")]
async fn no_argument() {}

type Config = SdkConfig;

#[iam_policy("policies/reader.json")]
async fn an_argument_of_another_type_name(config: Config) {}

#[iam_policy("policies/reader.json")]
async fn two_of_a_kind(reader: SdkConfig, writer: SdkConfig) {}

#[iam_policy("policies/reader.json", arg = confg)]
async fn a_slip_in_arg(config: SdkConfig) {}

#[iam_policy(reader = "policies/reader.json", writter = "policies/reader.json")]
async fn a_slip_in_a_role(reader: SdkConfig, writer: SdkConfig) {}

#[iam_policy("policies/reader.json")]
async fn a_mutable_reference(config: &mut SdkConfig) {}

#[iam_policy("policies/reader.json")]
#[test]
async fn an_argument_that_nobody_gives(config: SdkConfig, size: u8) {}

#[iam_policy(reader = "policies/reader.json")]
async fn a_role_for_each(reader: SdkConfig, #[iam] writer: SdkConfig) {}

fn main() {}
