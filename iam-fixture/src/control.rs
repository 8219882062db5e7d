//! The one thread that makes the control calls of backends outside this process.
//!
//! A test's runtime is gone during `Drop`, at exit and while a signal is handled; this thread's is not. Connections
//! live here too: shared over the tests' runtimes they would die with the runtime that opened them.

use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{LazyLock, mpsc};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Boxed: tokio's tasks are compiled anew for each kind of future, which all users' builds pay for.
pub(crate) type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Starts the work at once; it goes on whether or not anybody waits.
pub(crate) fn spawn(work: Work) -> JoinHandle<()> {
    THREAD.spawn(work)
}

/// Starts the work at once; the future waits for it, with its panic if it has one.
pub(crate) fn run<F>(work: F) -> impl Future<Output = F::Output> + Send
where
    F: Future<Output: Send> + Send + 'static,
{
    let (done, outcome) = oneshot::channel();
    let work = spawn(Box::pin(async move {
        // Whoever waited may have given up.
        let _ = done.send(work.await);
    }));
    async {
        if let Err(error) = work.await {
            // Nothing of ours is ever aborted, so this is a panic.
            resume_unwind(error.into_panic());
        }
        outcome.await.expect("the work has reached its end")
    }
}

/// Runs the work there and blocks this thread for as long as `limit`.
pub(crate) fn wait<F>(work: F, limit: Duration) -> Option<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let (done, outcome) = mpsc::channel();
    spawn(Box::pin(async move {
        // Nobody listens once the limit has passed.
        let _ = done.send(work.await);
    }));
    outcome.recv_timeout(limit).ok()
}

/// A timer of the control thread, whichever task waits for it.
pub(crate) fn sleep(duration: Duration) -> tokio::time::Sleep {
    let _there = THREAD.enter();
    tokio::time::sleep(duration)
}

static THREAD: LazyLock<Handle> = LazyLock::new(|| {
    let runtime =
        Builder::new_current_thread().enable_all().build().expect("the system gives a runtime its resources");
    let handle = runtime.handle().clone();
    thread::Builder::new()
        .name("iam-fixture-control".to_owned())
        .spawn(move || runtime.block_on(std::future::pending::<()>()))
        .expect("the system starts a thread");
    handle
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_runs_on_the_control_thread_without_a_runtime_here() {
        let name = wait(async { thread::current().name().map(str::to_owned) }, Duration::from_secs(5));
        assert_eq!(name, Some(Some("iam-fixture-control".to_owned())));
    }

    #[test]
    fn waiting_ends_at_the_limit_and_the_work_goes_on() {
        let (done, outcome) = mpsc::channel();
        let work = async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            done.send(()).expect("the test waits");
        };
        assert_eq!(wait(work, Duration::from_millis(1)), None);
        assert_eq!(outcome.recv_timeout(Duration::from_secs(5)), Ok(()));
    }
}
