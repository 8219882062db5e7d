//! What the system tests share: endpoints that other processes can reach, and tests run as other processes.

mod child;
mod emulator;
mod served;

pub use child::Child;
pub use emulator::Emulator;
pub use served::Served;

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
