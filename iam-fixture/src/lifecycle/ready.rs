//! IAM is eventually consistent: what it accepted a moment ago, another of its servers may not know yet.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency>

use std::time::{Duration, Instant};

use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::{AssumeRoleError, AssumeRoleOutput};

use super::SignedIn;
use crate::backend::{Connection, Outliving};
use crate::error::{Error, ErrorKind};

/// Successes in a row before credentials count as live, for a single one is followed by failures again.
const IN_A_ROW: u32 = 3;

/// Assumes the role as soon as STS knows it.
pub(super) async fn assumed<F>(
    connection: &Connection,
    role: &str,
    call: impl Fn() -> F,
) -> Result<AssumeRoleOutput, Error>
where
    F: Future<Output = Result<AssumeRoleOutput, SdkError<AssumeRoleError>>>,
{
    let mut patience = Patience::new(propagation(connection));
    loop {
        match call().await {
            Ok(output) => return Ok(output),
            // How a role looks that is not there yet, or whose trust policy is not.
            Err(error) if error.code() == Some("AccessDenied") && patience.pause().await => {}
            Err(error) => return Err(Error::call(format_args!("`AssumeRole` of `{role}`"), error)),
        }
    }
}

/// Waits until the session's credentials are accepted, which says nothing yet about its policies.
pub(super) async fn live(connection: &Connection, signed_in: &SignedIn) -> Result<(), Error> {
    if propagation(connection).is_zero() {
        return Ok(());
    }
    let sts = aws_sdk_sts::Client::new(&connection.signed_in(signed_in.credentials.clone()));
    let mut patience = Patience::new(propagation(connection));
    let mut successes = 0;
    while successes < IN_A_ROW {
        match sts.get_caller_identity().send().await {
            Ok(_) => successes += 1,
            Err(error) => {
                successes = 0;
                if !patience.pause().await {
                    let message =
                        format!("the credentials of `{}` did not become valid", signed_in.session_arn);
                    return Err(Error::new(ErrorKind::NotReady, message)
                        .note(Error::call("the last `GetCallerIdentity`", error).to_string()));
                }
            }
        }
    }
    Ok(())
}

fn propagation(connection: &Connection) -> Duration {
    connection.outliving().map_or(Duration::ZERO, Outliving::propagation)
}

struct Patience {
    end: Instant,
    next: Duration,
}

impl Patience {
    fn new(limit: Duration) -> Patience {
        Patience { end: Instant::now() + limit, next: Duration::from_millis(100) }
    }

    /// Waits, longer each time; `false` when there is no time left.
    async fn pause(&mut self) -> bool {
        if Instant::now() >= self.end {
            return false;
        }
        tokio::time::sleep(self.next).await;
        self.next = (self.next * 2).min(Duration::from_secs(2));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_propagation_nothing_is_tried_twice() {
        assert!(!Patience::new(Duration::ZERO).pause().await);
    }

    #[tokio::test]
    async fn patience_ends() {
        let mut patience = Patience::new(Duration::from_millis(150));
        assert!(patience.pause().await);
        assert!(patience.pause().await);
        assert!(!patience.pause().await);
    }
}
