//! What is made again, and for how long.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_sts::config::retry::RetryConfig;

use super::Outcome;

/// How many seconds a call that sets something up may be throttled. One that tears down is never given up.
const THROTTLED: f64 = 300.0;

/// What a throttled call waits before it joins the line again, which is where it really waits.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// For how many seconds a call that fails is made again.
const FAILING: f64 = 60.0;

/// What it waits at most before that.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The attempts of the SDK's own. Whoever wants fewer does not want to wait.
const STANDARD: u32 = 3;

/// The retries that all tests may have under way, or have made for nothing.
const MOST: u32 = 100;

/// The retries that are left: shared by all tests, so that a backend that is down is not asked again by each of them. What an
/// answered call has spent comes back; a throttled one spends nothing, for it waits for its turn.
pub(super) struct Retries(Mutex<u32>);

/// What one call has done so far.
#[derive(Debug, Default)]
pub(super) struct Spent {
    attempts: u32,
    /// Those that were throttled are none.
    failures: u32,
}

impl Default for Retries {
    fn default() -> Self {
        Self(Mutex::new(MOST))
    }
}

impl Retries {
    /// What the SDK is to do after an attempt that ended so, and that began so many seconds after the call's first. `told` is
    /// what the client was.
    pub(super) fn after(
        &self,
        spent: &mut Spent,
        outcome: Outcome,
        took: f64,
        removes: bool,
        told: RetryConfig,
    ) -> RetryConfig {
        spent.attempts += 1;
        let is_again = match outcome {
            Outcome::Answered => {
                self.give_back(spent.failures.max(1));
                return told;
            }
            Outcome::Throttled => removes || took < THROTTLED,
            Outcome::Failed => {
                spent.failures += 1;
                let is_patient = told.max_attempts() >= STANDARD && took < FAILING;
                (spent.failures < told.max_attempts() || is_patient) && self.take()
            }
        };
        let told = told.with_max_attempts(spent.attempts + u32::from(is_again));
        match outcome {
            Outcome::Throttled => told.with_initial_backoff(PAUSE).with_max_backoff(LONGEST_PAUSE),
            _ => told.with_max_backoff(LONGEST_WAIT),
        }
    }

    fn take(&self) -> bool {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_left = *left > 0;
        *left -= u32::from(is_left);
        is_left
    }

    fn give_back(&self, spent: u32) {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *left = left.saturating_add(spent).min(MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a call that has ended so is made again.
    fn is_again(retries: &Retries, spent: &mut Spent, outcome: Outcome, took: f64) -> bool {
        let told = retries.after(spent, outcome, took, false, RetryConfig::standard());
        told.max_attempts() > spent.attempts
    }

    #[test]
    fn a_call_that_fails_is_made_again_for_a_minute() {
        let (retries, mut spent) = (Retries::default(), Spent::default());
        for took in [0.0, 1.0, 3.0, 30.0, 59.0] {
            assert!(is_again(&retries, &mut spent, Outcome::Failed, took), "{took}");
        }
        assert!(!is_again(&retries, &mut spent, Outcome::Failed, 60.0));
        let told = RetryConfig::standard().with_max_attempts(2);
        let mut spent = Spent::default();
        for most in [2, 2] {
            let told = retries.after(&mut spent, Outcome::Failed, 0.0, false, told.clone());
            assert_eq!(told.max_attempts(), most, "whoever wants few attempts gets few");
        }
    }

    #[test]
    fn a_throttled_call_is_patient_and_one_that_removes_is_never_given_up() {
        let (retries, mut spent) = (Retries::default(), Spent::default());
        for _ in 0..1_000 {
            assert!(is_again(&retries, &mut spent, Outcome::Throttled, 299.0));
        }
        assert!(!is_again(&retries, &mut spent, Outcome::Throttled, 300.0));
        let told = retries.after(&mut spent, Outcome::Throttled, 9e9, true, RetryConfig::standard());
        assert!(told.max_attempts() > spent.attempts);
    }

    #[test]
    fn what_is_answered_in_the_end_costs_nothing_and_what_never_is_uses_them_up() {
        let retries = Retries::default();
        for _ in 0..1_000 {
            let mut spent = Spent::default();
            assert!(is_again(&retries, &mut spent, Outcome::Failed, 0.0));
            assert!(is_again(&retries, &mut spent, Outcome::Failed, 1.0));
            retries.after(&mut spent, Outcome::Answered, 2.0, false, RetryConfig::standard());
        }
        let made = (0..1_000).filter(|_| is_again(&retries, &mut Spent::default(), Outcome::Failed, 0.0));
        assert_eq!(made.count(), 100);
        retries.after(&mut Spent::default(), Outcome::Answered, 0.0, false, RetryConfig::standard());
        assert!(is_again(&retries, &mut Spent::default(), Outcome::Failed, 0.0), "it is well again");
    }
}
