//! Real SDK clients against each service, as a user's tests would use them: under a role with just the policy.

mod delivery;
mod dynamodb;
mod eventbridge;
mod keys;
mod kms;
mod lambda;
mod logs;
mod secretsmanager;
mod sns;
mod sqs;
mod ssm;

/// A policy with one statement that allows these actions on these resources.
fn allow(actions: &[&str], resources: &[&str]) -> String {
    let list = |items: &[&str]| items.iter().map(|item| format!("{item:?}")).collect::<Vec<_>>().join(", ");
    format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": [{}], "Resource": [{}]}}}}"#,
        list(actions),
        list(resources)
    )
}

/// The error's code, as the client found it.
fn code<T, E: aws_sdk_sqs::error::ProvideErrorMetadata, R>(
    answer: Result<T, aws_sdk_sqs::error::SdkError<E, R>>,
) -> String {
    match answer {
        Ok(_) => "no error".to_owned(),
        Err(error) => {
            use aws_sdk_sqs::error::ProvideErrorMetadata as _;
            error.code().unwrap_or("no code").to_owned()
        }
    }
}
