//! What is left when a test, or the whole process, ends otherwise than by its last line: roles outlive both.
//!
//! ```text
//! body returns, panics     awaited tear-down          `role`
//! future dropped           `Guard`                    `lifecycle`
//! exit, `mem::forget`      `atexit`                   here
//! Ctrl-C, SIGTERM, SIGHUP  a task on the control      `signals`
//! SIGKILL, abort, power    a later run, here          `ledger`, `start`, `sweep`
//!                          or on any machine          `stamp`, `sweep`, by the lease in the path
//! ```

mod ledger;
#[cfg(unix)]
mod signals;
mod stamp;
mod start;
mod sweep;

use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use iam_policy::PolicySet;
use tokio::task::JoinHandle;

use crate::backend::Connection;
use crate::control;
use crate::error::{Error, ErrorKind};
use crate::lifecycle::{Lease, Thing};
use crate::mode::Mode;
use crate::pace;

/// How long the end of the process waits for its roles.
const AT_EXIT: Duration = Duration::from_mins(1);

/// How much longer it waits for a sweep under way: one that never got to its end in a short process would never get
/// anywhere, and one that takes longer goes on in the next run.
const SWEEP_AT_EXIT: Duration = Duration::from_secs(10);

/// The roles that live, and the sweeps under way.
static STATE: Mutex<State> = Mutex::new(State { closing: false, live: Vec::new(), sweeps: Vec::new() });

struct State {
    /// The process is ending: nothing new is made.
    closing: bool,
    live: Vec<Arc<Lease>>,
    sweeps: Vec<JoinHandle<()>>,
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn began(lease: &Arc<Lease>) {
    state().live.push(lease.clone());
}

pub(crate) fn ended(lease: &Lease) {
    state().live.retain(|live| live.plan.name != lease.plan.name);
}

/// The policies under test of a role of this process that lives, or of a session of one that others have too.
pub(crate) fn policies_of(role: &str, session: &str) -> Option<PolicySet> {
    let lease = {
        let state = state();
        let is_of_session =
            |lease: &&Arc<Lease>| lease.plan.mode != Mode::Role && lease.plan.session.name == session;
        let of_role = state.live.iter().find(|lease| lease.plan.name == role);
        of_role.or_else(|| state.live.iter().find(is_of_session)).cloned()?
    };
    Some(lease.plan.policies())
}

/// Notes what a later run must remove if this process dies before it does.
pub(crate) fn about_to_make(backend: &str, thing: &Thing) -> Result<(), Error> {
    if state().closing {
        return Err(Error::new(ErrorKind::NotReady, "the process is ending"));
    }
    ledger::open(backend, thing)
}

pub(crate) use self::ledger::{close as removed, folders};
pub(crate) use self::stamp::{enforces, note_enforces};
pub(crate) use self::sweep::is_needed as is_to_sweep;

/// Removes, in the background, what earlier runs left at this backend.
pub(crate) fn sweep(connection: Arc<Connection>, backend: String, stamp: String) {
    in_background(pace::after_others(sweep::sweep(connection, backend, stamp)));
}

/// Work that no test waits for, and the process's end only for a while.
pub(crate) fn in_background(work: impl Future<Output = ()> + Send + 'static) {
    let work = control::spawn(Box::pin(work));
    state().sweeps.push(work);
}

/// From here on, neither the process's end nor a signal leaves a role behind.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        #[expect(unsafe_code, reason = "the standard library has no `atexit`")]
        // SAFETY: `at_exit` is a function without captures that does not unwind.
        let status = unsafe { libc::atexit(at_exit) };
        if status != 0 {
            tell(format_args!(
                "this process's roles will not be removed when it calls `exit`: `atexit` failed"
            ));
        }
        #[cfg(unix)]
        if !SIGNALS_LEFT.load(Ordering::Relaxed) {
            control::spawn(Box::pin(signals::listen()));
        }
    });
}

/// Whether the program looks after signals itself.
static SIGNALS_LEFT: AtomicBool = AtomicBool::new(false);

/// From here on signals are the program's; to be called before it has roles.
pub(crate) fn leave_signals() {
    SIGNALS_LEFT.store(true, Ordering::Relaxed);
}

extern "C" fn at_exit() {
    // Unwinding out of here would abort, and turn a passed run into a failed one.
    let _ = catch_unwind(|| {
        if control::wait(drain(), AT_EXIT).is_none() {
            tell_left();
        }
        // A sweep that has not ended goes on in the next run, which need not be told.
        let _ = control::wait(swept(), SWEEP_AT_EXIT);
        ledger::close_file();
    });
}

/// Ends every role.
async fn drain() {
    let leases: Vec<_> = {
        let mut state = state();
        state.closing = true;
        state.live.clone()
    };
    let ends =
        leases.into_iter().map(|lease| control::spawn(Box::pin(async move { lease.end_or_print().await })));
    for end in ends.collect::<Vec<_>>() {
        // A panic there has printed its message; the others go on.
        let _ = end.await;
    }
}

/// Waits for the sweeps under way.
async fn swept() {
    // One by one: reaching a backend begins another one.
    while let Some(sweep) = { state().sweeps.pop() } {
        let _ = sweep.await;
    }
}

fn tell_left() {
    let live: Vec<String> = state().live.iter().map(|lease| lease.plan.name.clone()).collect();
    tell(format_args!("no time to remove {}; the next run does it", live.join(", ")));
}

/// On the process's own standard error: `eprintln!` would be captured into whichever test runs.
fn tell(message: std::fmt::Arguments<'_>) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "iam-fixture: {message}");
}
