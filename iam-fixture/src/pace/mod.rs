//! The pace of control calls: what AWS throttles is shared by everybody in the account, so all calls of a run share what they
//! know about it, and nobody's turn is lost to a retry.
//!
//! ```text
//! a client's attempt ─► hooks ─► queue     who is next: tear-down before set-up; how many at once
//!                                budget    how many a second: cut when a call is throttled, then growing again
//!                                store     the budget's place: a file that all processes of this machine share
//!                    ◄─ hooks    throttled, failed or answered: budget and queue learn from it
//!                       retries   what is made again, and for how long
//! ```
//!
//! Each service has a budget of its own, as it has throttles of its own. Machines need not know of each other: each one's
//! calls find the share of the account's throttle that the others leave.

mod budget;
mod hooks;
mod queue;
mod retries;
mod store;

use std::sync::Arc;

use aws_sdk_sts::config::retry::{RetryPartition, TokenBucket};
use aws_types::SdkConfig;

use self::hooks::Hooks;
use self::queue::{Line, Place, Service};
use self::retries::Retries;
use self::store::Store;

pub(crate) use self::queue::after_others;

/// The paces of a backend's control clients.
pub(crate) struct Paces {
    iam: Arc<Pace>,
    sts: Arc<Pace>,
    /// The SDK's tokens, which ours stand for: its own are lost where calls of one client fail side by side, and then a single
    /// failure ends a test.
    unlimited: RetryPartition,
}

impl Paces {
    /// For clients of this process only, by the time of its runtime.
    pub(crate) fn alone() -> Paces {
        Paces::new(Store::alone(), Store::alone())
    }

    /// Shared by all processes of this machine that use the backend of this name.
    pub(crate) fn shared(backend: &str) -> Paces {
        Paces::new(Store::shared(&format!("{backend} iam")), Store::shared(&format!("{backend} sts")))
    }

    fn new(iam: Store, sts: Store) -> Paces {
        let line: Arc<Line> = Arc::default();
        let retries: Arc<Retries> = Arc::default();
        let pace =
            |service, store| Arc::new(Pace { line: line.clone(), service, store, retries: retries.clone() });
        let unlimited = RetryPartition::custom("iam-fixture").token_bucket(TokenBucket::unlimited());
        Paces { iam: pace(Service::Iam, iam), sts: pace(Service::Sts, sts), unlimited: unlimited.build() }
    }

    pub(crate) fn iam(&self, config: &SdkConfig) -> aws_sdk_iam::config::Builder {
        let hooks = Hooks::new(&self.iam, config);
        aws_sdk_iam::config::Builder::from(config)
            .interceptor(hooks.clone())
            .identity_cache(hooks)
            .retry_partition(self.unlimited.clone())
    }

    pub(crate) fn sts(&self, config: &SdkConfig) -> aws_sdk_sts::config::Builder {
        let hooks = Hooks::new(&self.sts, config);
        aws_sdk_sts::config::Builder::from(config)
            .interceptor(hooks.clone())
            .identity_cache(hooks)
            .retry_partition(self.unlimited.clone())
    }
}

/// When one service is called.
struct Pace {
    line: Arc<Line>,
    service: Service,
    store: Store,
    retries: Arc<Retries>,
}

/// A call that is under way.
#[derive(Debug)]
struct Pass {
    place: Place,
    began: f64,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    Answered,
    /// No answer, or one that says that the service is not well.
    Failed,
    Throttled,
}

impl Pace {
    /// Waits until this call may be made; `turn` is its own where it was made before.
    async fn turn(&self, operation: &str, turn: Option<u64>) -> Pass {
        let place = Line::join(&self.line, self.service, operation, turn);
        loop {
            place.is_next().await;
            let wait = self.store.change(|budget, now| budget.take(now, place.is_in_background()));
            match wait {
                Ok(began) => {
                    place.go();
                    return Pass { place, began };
                }
                Err(wait) => tokio::time::sleep(wait).await,
            }
        }
    }

    /// Learns from what became of a call.
    fn learn(&self, pass: &Pass, outcome: Outcome) {
        match outcome {
            Outcome::Throttled => self.store.change(|budget, now| budget.throttled(pass.began, now)),
            Outcome::Answered | Outcome::Failed => {
                pass.place.ended(outcome == Outcome::Answered);
            }
        }
    }
}
