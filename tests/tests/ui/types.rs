//! What only the type checker sees.

use iam_fixture::{TemporaryRole, iam_policy};

#[iam_policy("policies/reader.json")]
async fn an_argument_that_a_role_cannot_be(#[iam] config: String) {}

#[iam_policy("policies/reader.json")]
async fn a_wrong_body(role: TemporaryRole) -> Result<(), String> {
    role
}

#[iam_policy(policy = 42)]
async fn a_wrong_policy(role: TemporaryRole) {}

fn main() {}
