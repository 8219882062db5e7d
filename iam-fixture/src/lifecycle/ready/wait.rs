use std::task::Poll;
use std::time::Duration;

use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::{AssumeRoleError, AssumeRoleOutput};
use tokio::time::Instant;

use super::probe::{Probe, Probes};
use super::row::{Heard, Row};
use crate::backend::Connection;
use crate::error::{Error, ErrorKind};
use crate::lifecycle::{Plan, SignedIn, assume};

/// Assumes the role as soon as STS knows it.
pub(in crate::lifecycle) async fn assumed<F>(
    connection: &Connection,
    role: &str,
    deadline: Duration,
    created: Instant,
    call: impl Fn() -> F,
) -> Result<AssumeRoleOutput, Error>
where
    F: Future<Output = Result<AssumeRoleOutput, SdkError<AssumeRoleError>>>,
{
    loop {
        let error = match call().await {
            Ok(output) => return Ok(output),
            Err(error) => error,
        };
        // How a role looks that is not there yet, or whose trust policy is not.
        let may_come = error.code() == Some("AccessDenied") && connection.propagates();
        if !may_come {
            return Err(assume::failed(role, error));
        }
        let elapsed = created.elapsed();
        if elapsed >= deadline {
            return Err(Error::call(format_args!("`AssumeRole` of `{role}`"), error).note(format!(
                "help: it was tried for {}; a role that IAM has just made is known sooner, so something denies it for good: \
                 the caller's own policies must allow `sts:AssumeRole` on the role (`IAM_FIXTURE_GRANT_ASSUME=true` sees to \
                 that), or a service control policy denies it",
                seconds(elapsed)
            )));
        }
        tokio::time::sleep(pause(elapsed / 16)).await;
    }
}

/// Waits until every probed service has shown that it knows the role; tells how long that took from its creation.
pub(in crate::lifecycle) async fn live(
    connection: &Connection,
    plan: &Plan,
    probes: &Probes,
    signed_in: &SignedIn,
    created: Instant,
) -> Result<Duration, Error> {
    let services = probes.iter().map(|probe| proven(connection, plan, probe, signed_in, created));
    for outcome in together(services).await {
        outcome?;
    }
    Ok(created.elapsed())
}

/// Asks one service until its row is complete.
async fn proven(
    connection: &Connection,
    plan: &Plan,
    probe: &Probe,
    signed_in: &SignedIn,
    created: Instant,
) -> Result<(), Error> {
    let mut row = Row::default();
    loop {
        let wave = (0..row.wave()).map(|_| probe.ask(connection, signed_in));
        let mut heard = Heard::Live;
        for answer in together(wave).await {
            match answer? {
                Heard::Live => {}
                failure if matches!(heard, Heard::NotYet(_)) => drop(failure),
                failure => heard = failure,
            }
        }
        let elapsed = created.elapsed();
        let Some(next) = row.take(&heard, elapsed, plan.readiness.in_a_row) else { return Ok(()) };
        if elapsed >= plan.readiness.deadline {
            return Err(not_ready(signed_in, probe, &heard, elapsed));
        }
        tokio::time::sleep(pause(next)).await;
    }
}

fn not_ready(signed_in: &SignedIn, probe: &Probe, heard: &Heard, elapsed: Duration) -> Error {
    let last = match heard {
        Heard::Live => "allowed, but not often enough in a row",
        Heard::Busy(told) | Heard::NotYet(told) => told,
    };
    let service = probe.service();
    Error::new(
        ErrorKind::NotReady,
        format!(
            "role `{}` was not live at `{service}` after {}: the last answer was {last}",
            signed_in.role_name(),
            seconds(elapsed)
        ),
    )
    .note(
        "help: IAM takes 2 s typically and a minute rarely; `Readiness::deadline` waits longer, and \
         `Readiness::services` asks other services",
    )
}

/// Not too often, not too rarely, and not in step with others.
fn pause(about: Duration) -> Duration {
    let bounded = about.clamp(Duration::from_millis(5), Duration::from_secs(2));
    bounded.mul_f64(0.85 + 0.3 * fastrand::f64())
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// Runs these side by side on this task.
async fn together<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures.map(Box::pin).collect();
    let mut outputs: Vec<_> = running.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        let mut pending = false;
        for (future, output) in running.iter_mut().zip(&mut outputs).filter(|(_, output)| output.is_none()) {
            match future.as_mut().poll(context) {
                Poll::Ready(done) => *output = Some(done),
                Poll::Pending => pending = true,
            }
        }
        if pending { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    outputs.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_runs_together_takes_as_long_as_the_longest() {
        let start = Instant::now();
        let sleep = |seconds| async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            seconds
        };
        assert_eq!(together([3, 1, 2].into_iter().map(sleep)).await, [3, 1, 2]);
        assert_eq!(start.elapsed().as_secs(), 3);
    }

    #[test]
    fn pauses_are_bounded_and_differ() {
        let pauses: Vec<_> = (0..20).map(|_| pause(Duration::from_hours(1))).collect();
        assert!(pauses.iter().all(|pause| *pause < Duration::from_millis(2_301)), "{pauses:?}");
        assert!(pauses.windows(2).any(|pair| pair.first() != pair.last()), "{pauses:?}");
    }
}
