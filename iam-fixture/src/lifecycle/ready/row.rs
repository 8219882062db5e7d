//! Successes in a row, and when to look again.

use std::time::Duration;

/// How many calls are made at once in a row: any may meet another server.
const WAVE: u32 = 4;

/// A row takes this part of the time that had passed when it began: servers that lag do so in proportion.
const ROW: f64 = 0.25;

/// After a failure the next look comes after this part of the time that has passed: the end is seen soon after it came.
const LOOK: f64 = 1.0 / 32.0;

/// What a service's answers say about a role.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Heard {
    /// Nothing, for another reason: which.
    Busy(String),
    /// The service knows the role.
    Live,
    /// It does not: how it said so.
    NotYet(String),
}

/// The answers of one service so far.
#[derive(Default)]
pub(super) struct Row {
    successes: u32,
    /// When the row began.
    since: Duration,
}

impl Row {
    /// How many calls to make now: one as long as there is no success to confirm.
    pub(super) fn wave(&self) -> u32 {
        if self.successes == 0 { 1 } else { WAVE }
    }

    /// Takes the answers to one wave, so long after the role was made: when to look again, or `None` if the row is complete.
    pub(super) fn take(&mut self, heard: &Heard, elapsed: Duration, needed: u32) -> Option<Duration> {
        match heard {
            Heard::NotYet(_) => {
                self.successes = 0;
                Some(elapsed.mul_f64(LOOK))
            }
            // Whether to ask more slowly is all that it says.
            Heard::Busy(_) => Some(elapsed.mul_f64(LOOK * 2.0)),
            Heard::Live => {
                let wave = self.wave();
                if self.successes == 0 {
                    self.since = elapsed;
                }
                self.successes += wave;
                let waves = f64::from(needed.div_ceil(WAVE).max(1));
                (self.successes < needed).then(|| self.since.mul_f64(ROW / waves))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the row is complete, if the role is known from `live` on.
    fn completed(live: Duration, glitch: Option<Duration>) -> Duration {
        let mut row = Row::default();
        let mut elapsed = Duration::from_millis(300);
        let mut glitch = glitch;
        loop {
            let fails = elapsed < live || glitch.take_if(|at| *at <= elapsed).is_some();
            let heard = if fails { Heard::NotYet(String::new()) } else { Heard::Live };
            match row.take(&heard, elapsed, 40) {
                Some(pause) => elapsed += pause,
                None => return elapsed,
            }
        }
    }

    #[test]
    fn a_row_takes_a_quarter_of_what_the_role_took() {
        for seconds in [1, 2, 10, 60] {
            let live = Duration::from_secs(seconds);
            let ratio = completed(live, None).as_secs_f64() / live.as_secs_f64();
            assert!((1.2..1.3).contains(&ratio), "{seconds} s: {ratio}");
        }
    }

    #[test]
    fn a_failure_begins_the_row_anew() {
        let live = Duration::from_secs(2);
        let glitch = Duration::from_millis(2_300);
        assert!(completed(live, Some(glitch)) > glitch.mul_f64(1.2));
    }

    #[test]
    fn a_service_that_is_busy_neither_counts_nor_begins_anew() {
        let mut row = Row::default();
        let second = Duration::from_secs(1);
        assert!(row.take(&Heard::Live, second, 5).is_some());
        assert!(row.take(&Heard::Busy("Throttling".to_owned()), second, 5).is_some());
        assert_eq!(row.take(&Heard::Live, second, 5), None);
    }
}
