//! What the system tests share: endpoints that other processes can reach, and tests run as other processes.

mod ambush;
mod child;
mod emulator;
#[cfg(unix)]
mod runner;
mod served;

use aws_sdk_iam::config::Credentials;

pub use ambush::{Ambush, Moment};
pub use child::Child;
pub use emulator::Emulator;
#[cfg(unix)]
pub use runner::Runner;
pub use served::Served;

/// An emulator's administrator.
pub async fn administrator_of(emulator: &Emulator) -> aws_config::SdkConfig {
    let (id, secret) = emulator.keys();
    aws_config::defaults(aws_config::BehaviorVersion::latest())
        .endpoint_url(emulator.url())
        .region(aws_config::Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new(id, secret, None, None, "administrator"))
        .load()
        .await
}

/// The names of the roles that `iam-fixture` has made there and not removed.
///
/// # Panics
///
/// When the endpoint does not answer.
pub async fn roles_at(config: &aws_config::SdkConfig) -> Vec<String> {
    let iam = aws_sdk_iam::Client::new(config);
    let listed = iam.list_roles().path_prefix("/iam-fixture/").send().await.expect("roles are listed");
    listed.roles().iter().map(|role| role.role_name().to_owned()).collect()
}

/// The names of all roles and customer managed policies there, whoever made them.
///
/// # Panics
///
/// When the endpoint does not answer.
pub async fn all_at(config: &aws_config::SdkConfig) -> Vec<String> {
    let iam = aws_sdk_iam::Client::new(config);
    let roles = iam.list_roles().max_items(1_000).send().await.expect("roles are listed");
    let local = aws_sdk_iam::types::PolicyScopeType::Local;
    let policies =
        iam.list_policies().scope(local).max_items(1_000).send().await.expect("policies are listed");
    assert!(!roles.is_truncated() && !policies.is_truncated(), "more than a page");
    let roles = roles.roles().iter().map(|role| role.role_name().to_owned());
    roles
        .chain(policies.policies().iter().filter_map(|policy| policy.policy_name().map(str::to_owned)))
        .collect()
}
