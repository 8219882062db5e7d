//! How many calls a second a service takes, learned from what it throttles: the rate is cut when a call is throttled, comes
//! back to where that was, stays there for a while, and then looks for more, as TCP's CUBIC does and the SDK's adaptive mode.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>, <https://www.rfc-editor.org/rfc/rfc9438>

use std::time::Duration;

/// What is left of the rate after a cut. CUBIC leaves less, for the sake of routers' queues; a throttled call costs nobody
/// anything.
const CUT: f64 = 0.85;
/// How fast the rate grows, per cubed second and in parts of its peak, which may be one call a second or a hundred.
const GROWTH: f64 = 0.25;
/// The tokens that a throttled call leaves: the service had less than one, on average half of one.
const LEFT: f64 = 0.5;
/// The rate where nothing was ever throttled: more than one process can use.
const MOST: f64 = 1_000.0;
/// The peak after which nobody would get on.
const LEAST: f64 = 0.5;
/// Over how many seconds calls are counted.
const WINDOW: f64 = 2.0;

/// Times are seconds, from when is for the store to say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Budget {
    /// When the rate was last cut.
    cut: f64,
    /// The rate that was too much.
    peak: f64,
    tokens: f64,
    /// When the tokens were counted.
    at: f64,
    /// When this window began, the calls in it, and those of the one before.
    window: f64,
    calls: f64,
    before: f64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { cut: 0.0, peak: MOST, tokens: MOST, at: 0.0, window: 0.0, calls: 0.0, before: 0.0 }
    }
}

/// As a file has it.
impl Budget {
    /// How many numbers it is made of.
    pub(super) const FIELDS: usize = 7;

    pub(super) fn fields(&self) -> [f64; Self::FIELDS] {
        [self.cut, self.peak, self.tokens, self.at, self.window, self.calls, self.before]
    }

    pub(super) fn of_fields([cut, peak, tokens, at, window, calls, before]: [f64; Self::FIELDS]) -> Budget {
        Budget { cut, peak, tokens, at, window, calls, before }
    }

    /// When this was last so.
    pub(super) fn at(&self) -> f64 {
        self.at
    }
}

impl Budget {
    /// Takes the token of one call: now, or after how long to ask again. What runs in the background leaves half of the tokens
    /// to whoever does not.
    pub(super) fn take(&mut self, now: f64, in_background: bool) -> Result<f64, Duration> {
        let rate = self.rate(now);
        let burst = rate.max(2.0);
        self.tokens = (self.tokens + (now - self.at).max(0.0) * rate).min(burst);
        self.at = self.at.max(now);
        let needed = if in_background { 1.0 + burst / 2.0 } else { 1.0 };
        if self.tokens < needed {
            let wait = (needed - self.tokens) / rate;
            return Err(Duration::from_secs_f64(wait.clamp(0.001, 5.0)));
        }
        self.tokens -= 1.0;
        self.count(now);
        Ok(now)
    }

    /// A call was throttled that began then.
    pub(super) fn throttled(&mut self, began: f64, now: f64) {
        // What the service takes is what counts.
        self.calls = (self.calls - 1.0).max(0.0);
        // What was under way when the rate was cut says nothing about the new one.
        if began <= self.cut {
            return;
        }
        self.peak = self.rate(now).min(self.seen(now)).max(LEAST);
        self.cut = now;
        self.tokens = self.tokens.min(LEFT);
        self.at = self.at.max(now);
    }

    /// The calls a second that may be made now.
    fn rate(&self, now: f64) -> f64 {
        let until_peak = ((1.0 - CUT) / GROWTH).cbrt();
        let since = (now - self.cut).max(0.0) - until_peak;
        (self.peak * (1.0 + GROWTH * since.powi(3))).min(MOST)
    }

    fn count(&mut self, now: f64) {
        let passed = now - self.window;
        if !(0.0..WINDOW).contains(&passed) {
            self.before = if (0.0..2.0 * WINDOW).contains(&passed) { self.calls } else { 0.0 };
            self.calls = 0.0;
            self.window = now;
        }
        self.calls += 1.0;
    }

    /// The calls a second that were taken.
    fn seen(&self, now: f64) -> f64 {
        let passed = ((now - self.window) / WINDOW).clamp(0.0, 1.0);
        (self.before * (1.0 - passed) + self.calls) / WINDOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What throttles, as the endpoint's weather does.
    struct Service {
        per_second: f64,
        burst: f64,
        tokens: f64,
        at: f64,
    }

    impl Service {
        fn new(per_second: f64, burst: f64) -> Service {
            Service { per_second, burst, tokens: burst, at: 0.0 }
        }

        fn takes(&mut self, now: f64) -> bool {
            self.tokens = (self.tokens + (now - self.at) * self.per_second).min(self.burst);
            self.at = now;
            let takes = self.tokens >= 1.0;
            self.tokens -= f64::from(u8::from(takes));
            takes
        }
    }

    /// How long that many calls take, in minimum times, and how many were throttled for each.
    fn ratio(budgets: usize, per_second: f64, burst: f64, calls: u32) -> (f64, f64) {
        /// An answer takes its time.
        const LATENCY: f64 = 0.03;
        let mut service = Service::new(per_second, burst);
        let mut budgets: Vec<_> = (0..budgets).map(|_| (Budget::default(), Vec::new())).collect();
        let (mut answered, mut throttled, mut now) = (0, 0, 1_000.0);
        let start = now;
        service.at = now;
        while answered < calls {
            now += 0.001;
            for (budget, waiting) in &mut budgets {
                if let Ok(began) = budget.take(now, false) {
                    let is_throttled = !service.takes(now);
                    waiting.push((began, is_throttled));
                }
                waiting.retain(|(began, is_throttled)| {
                    let is_under_way = now - began < LATENCY;
                    match (is_under_way, is_throttled) {
                        (true, _) => {}
                        (false, true) => {
                            throttled += 1;
                            budget.throttled(*began, now);
                        }
                        (false, false) => answered += 1,
                    }
                    is_under_way
                });
            }
        }
        let least = (f64::from(calls) - burst) / per_second;
        ((now - start) / least, f64::from(throttled) / f64::from(calls))
    }

    #[test]
    fn the_rate_that_a_service_takes_is_used_up_whatever_it_is() {
        for (budgets, per_second, burst) in
            [(1, 5.0, 5.0), (1, 5.0, 10.0), (1, 1.0, 5.0), (1, 50.0, 20.0), (4, 5.0, 5.0), (8, 20.0, 20.0)]
        {
            let (ratio, throttled) = ratio(budgets, per_second, burst, 600);
            let what = format!("{budgets} at {per_second}: {ratio:.3} times, {throttled:.2} throttled");
            assert!(ratio < 1.2, "{what}");
            assert!(throttled < 1.0, "{what}");
        }
    }

    #[test]
    fn where_nothing_is_throttled_nothing_waits() {
        let mut budget = Budget::default();
        assert!((0..500).all(|_| budget.take(1_000.0, false).is_ok()));
    }

    #[test]
    fn calls_that_were_under_way_cut_the_rate_once() {
        let mut budget = Budget::default();
        for _ in 0..20 {
            budget.take(1_000.0, false).unwrap();
        }
        budget.throttled(1_000.0, 1_000.1);
        let once = budget;
        budget.throttled(1_000.05, 1_000.2);
        assert_eq!(budget.peak.to_bits(), once.peak.to_bits());
        // Nineteen in two seconds, less the cut.
        assert!((budget.rate(1_000.1) - 8.1).abs() < 0.1, "{}", budget.rate(1_000.1));
    }

    #[test]
    fn an_hour_later_a_throttle_is_forgotten() {
        let mut budget = Budget::default();
        budget.take(1_000.0, false).unwrap();
        budget.throttled(1_000.0, 1_000.1);
        assert!(budget.take(1_000.2, false).is_err());
        assert!((0..500).all(|_| budget.take(4_600.0, false).is_ok()));
    }

    #[test]
    fn what_runs_in_the_background_leaves_tokens_to_others() {
        let mut budget = Budget { peak: 4.0, cut: 1_000.0, tokens: 2.0, at: 1_000.0, ..Budget::default() };
        assert!(budget.take(1_000.0, true).is_err());
        assert!(budget.take(1_000.0, false).is_ok());
    }
}
