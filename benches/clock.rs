//! Rates in CPU seconds of this thread.

use std::time::Duration;

use cpu_time::ThreadTime;

/// How often a piece of work is done in a CPU second: the best of several rounds, for nothing makes work faster than it is.
pub fn rate(mut work: impl FnMut()) -> f64 {
    const ROUNDS: usize = 7;
    const ROUND: Duration = Duration::from_millis(40);
    let mut timed = |count: u32| {
        let start = ThreadTime::now();
        for _ in 0..count {
            work();
        }
        start.elapsed()
    };
    let mut count = 1;
    while timed(count) < ROUND / 4 {
        count *= 2;
    }
    let best = (0..ROUNDS).map(|_| timed(count * 4)).min().unwrap_or(ROUND);
    f64::from(count * 4) / best.as_secs_f64()
}
