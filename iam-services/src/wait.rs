//! Waiting for a change, as a long poll does.

use std::future::poll_fn;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// Those who wait for a change.
///
/// It needs no runtime, for callers have any: a thread that sleeps stands for a timer, as long as somebody waits.
#[derive(Default)]
pub(crate) struct Changes(Mutex<State>);

#[derive(Default)]
struct State {
    /// How many changes there were.
    count: u64,
    waiting: Vec<Waker>,
}

impl Changes {
    /// What to give [`Changes::wait`], taken before the state is looked at.
    pub(crate) fn seen(&self) -> u64 {
        lock(&self.0).count
    }

    /// Tells all who wait.
    pub(crate) fn tell(&self) {
        let mut state = lock(&self.0);
        state.count = state.count.wrapping_add(1);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Waits for a change after `seen`, and not longer than this.
    pub(crate) async fn wait(&self, seen: u64, longest: Duration) {
        let timer = Timer::default();
        poll_fn(|context| {
            let mut state = lock(&self.0);
            if state.count != seen || timer.is_over(longest, context.waker()) {
                return Poll::Ready(());
            }
            if !state.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                state.waiting.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}

/// A thread that wakes a task once, and ends when nobody wants that any more.
#[derive(Default)]
struct Timer(Arc<(Mutex<Alarm>, Condvar)>);

#[derive(Default)]
enum Alarm {
    #[default]
    Unset,
    Set(Waker),
    Over,
}

impl Timer {
    /// Whether the time is over; else the task will be woken when it is.
    fn is_over(&self, after: Duration, waker: &Waker) -> bool {
        let mut alarm = lock(&self.0.0);
        match &*alarm {
            Alarm::Over => return true,
            Alarm::Set(_) => {}
            Alarm::Unset => {
                let (shared, end) = (self.0.clone(), Instant::now() + after);
                thread::spawn(move || sleep(&shared, end));
            }
        }
        *alarm = Alarm::Set(waker.clone());
        false
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        *lock(&self.0.0) = Alarm::Over;
        self.0.1.notify_all();
    }
}

fn sleep((alarm, dropped): &(Mutex<Alarm>, Condvar), end: Instant) {
    let mut alarm = lock(alarm);
    while let Alarm::Set(waker) = &*alarm {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let waker = waker.clone();
            *alarm = Alarm::Over;
            drop(alarm);
            waker.wake();
            return;
        }
        alarm = dropped.wait_timeout(alarm, left).unwrap_or_else(PoisonError::into_inner).0;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
