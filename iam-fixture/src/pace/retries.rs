//! What is made again, and for how long.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_sts::config::retry::RetryConfig;

use super::{Outcome, Pass};

/// How many seconds a call that sets something up may be throttled. One that tears down is never given up.
const THROTTLED: f64 = 300.0;

/// What a throttled call waits before it joins the line again, which is where it really waits.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// For how many seconds a call that fails is made again, unless nothing at all was answered for as long.
const FAILING: f64 = 60.0;

/// What it waits at most before that.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The attempts of the SDK's own. Whoever wants fewer does not want to wait.
const STANDARD: u32 = 3;

/// The retries that all tests may have under way, or have made for nothing.
const MOST: u32 = 100;

/// What the calls of all tests know of each other's failures, so that a backend that is down keeps none of them for long.
#[derive(Default)]
pub(super) struct Retries(Mutex<State>);

struct State {
    /// The retries that are left. What an answered call has spent comes back; a throttled one spends nothing, for it waits
    /// for its turn.
    left: u32,
    /// When a call was answered last, or the first one failed.
    well: f64,
}

/// What one call has done so far.
#[derive(Debug, Default)]
pub(super) struct Spent {
    began: Option<f64>,
    attempts: u32,
    /// Those that were throttled are none.
    failures: u32,
}

impl Default for State {
    fn default() -> Self {
        Self { left: MOST, well: f64::INFINITY }
    }
}

impl Retries {
    /// What the SDK is to do after an attempt that ended so. `told` is what the client was.
    pub(super) fn after(
        &self,
        spent: &mut Spent,
        outcome: Outcome,
        pass: &Pass,
        told: RetryConfig,
    ) -> RetryConfig {
        self.after_one_of(spent, outcome, pass.began, pass.place.removes(), told)
    }

    fn after_one_of(
        &self,
        spent: &mut Spent,
        outcome: Outcome,
        at: f64,
        removes: bool,
        told: RetryConfig,
    ) -> RetryConfig {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let took = at - *spent.began.get_or_insert(at);
        spent.attempts += 1;
        let is_again = match outcome {
            Outcome::Answered => {
                state.well = at;
                state.left = state.left.saturating_add(spent.failures.max(1)).min(MOST);
                return told;
            }
            Outcome::Throttled => removes || took < THROTTLED,
            Outcome::Failed => {
                spent.failures += 1;
                state.well = state.well.min(at);
                let is_down = at - state.well >= FAILING;
                let is_patient = told.max_attempts() >= STANDARD && took < FAILING && !is_down;
                let is_again = state.left > 0 && (spent.failures < told.max_attempts() || is_patient);
                state.left -= u32::from(is_again);
                is_again
            }
        };
        let told = told.with_max_attempts(spent.attempts + u32::from(is_again));
        match outcome {
            Outcome::Throttled => told.with_initial_backoff(PAUSE).with_max_backoff(LONGEST_PAUSE),
            Outcome::Answered | Outcome::Failed => told.with_max_backoff(LONGEST_WAIT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(retries: &Retries, spent: &mut Spent, outcome: Outcome, at: f64) -> RetryConfig {
        retries.after_one_of(spent, outcome, at, false, RetryConfig::standard())
    }

    /// Whether a call that has ended so is made again.
    fn is_again(retries: &Retries, spent: &mut Spent, outcome: Outcome, at: f64) -> bool {
        after(retries, spent, outcome, at).max_attempts() > spent.attempts
    }

    fn answered(retries: &Retries, at: f64) {
        after(retries, &mut Spent::default(), Outcome::Answered, at);
    }

    /// How often a call is made whose attempts fail, one each second.
    fn attempts(retries: &Retries, at: f64) -> u32 {
        let mut spent = Spent::default();
        let mut seconds = 0.0;
        while is_again(retries, &mut spent, Outcome::Failed, at + seconds) {
            seconds += 1.0;
        }
        spent.attempts
    }

    #[test]
    fn a_call_that_fails_is_made_again_for_a_minute() {
        let (retries, mut spent) = (Retries::default(), Spent::default());
        for at in [100.0, 101.0, 103.0, 130.0, 159.0] {
            assert!(is_again(&retries, &mut spent, Outcome::Failed, at), "{at}");
            answered(&retries, at);
        }
        assert!(!is_again(&retries, &mut spent, Outcome::Failed, 160.0));
        let mut spent = Spent::default();
        for most in [2, 2] {
            let told = RetryConfig::standard().with_max_attempts(2);
            let told = retries.after_one_of(&mut spent, Outcome::Failed, 160.0, false, told);
            assert_eq!(told.max_attempts(), most, "whoever wants few attempts gets few");
        }
    }

    #[test]
    fn what_answers_nobody_for_a_minute_is_down_and_is_asked_thrice_and_then_once() {
        let retries = Retries::default();
        assert_eq!(attempts(&retries, 100.0), 61);
        assert_eq!(attempts(&retries, 161.0), 3);
        let rest = (0..100).map(|_| attempts(&retries, 170.0) - 1).sum::<u32>();
        assert_eq!(rest, 100 - 60 - 2);
        answered(&retries, 200.0);
        assert_eq!(attempts(&retries, 200.0), 2, "it is well again");
    }

    #[test]
    fn a_throttled_call_is_patient_and_one_that_removes_is_never_given_up() {
        let (retries, mut spent) = (Retries::default(), Spent::default());
        assert!(is_again(&retries, &mut spent, Outcome::Throttled, 100.0));
        for _ in 0..1_000 {
            assert!(is_again(&retries, &mut spent, Outcome::Throttled, 399.0));
        }
        assert!(!is_again(&retries, &mut spent, Outcome::Throttled, 400.0));
        let told = retries.after_one_of(&mut spent, Outcome::Throttled, 9e9, true, RetryConfig::standard());
        assert!(told.max_attempts() > spent.attempts);
    }

    #[test]
    fn what_is_answered_in_the_end_costs_nothing() {
        let retries = Retries::default();
        for _ in 0..1_000 {
            let mut spent = Spent::default();
            assert!(is_again(&retries, &mut spent, Outcome::Failed, 1.0));
            assert!(is_again(&retries, &mut spent, Outcome::Failed, 2.0));
            after(&retries, &mut spent, Outcome::Answered, 3.0);
        }
    }
}
