//! What the attribute stands on.

use iam_fixture::{SdkConfig, iam_policy};

#[iam_policy("policies/reader.json")]
fn not_async(config: SdkConfig) {}

#[test]
#[iam_policy("policies/reader.json")]
async fn below_the_built_in_attribute(config: SdkConfig) {}

#[test]
#[iam_policy("policies/reader.json")]
fn below_it_and_not_async(config: SdkConfig) {}

#[iam_policy("policies/reader.json")]
struct NoFunction;

impl NoFunction {
    #[iam_policy("policies/reader.json")]
    async fn method(&self, config: SdkConfig) {}
}

fn main() {}
