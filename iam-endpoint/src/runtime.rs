//! The threads behind servers and upstreams.

use std::future::pending;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread;

use tokio::runtime::{Builder, Handle};

/// What they are named in a debugger.
const NAME: &str = "iam-endpoint";

/// One runtime for a process: with a thread for each core where there are servers, else with one. They idle where nothing is
/// served or sent on.
///
/// A test's own runtime would not do: connections are kept open over the end of the test that opened them.
pub(crate) fn runtime() -> io::Result<Handle> {
    static RUNTIME: Mutex<Option<Handle>> = Mutex::new(None);
    let mut started = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(runtime) = &*started {
        return Ok(runtime.clone());
    }
    // What an upstream is sent waits for the upstream: tokio's scheduler for many threads is not worth its build then.
    #[cfg(not(feature = "server"))]
    let mut builder = Builder::new_current_thread();
    #[cfg(feature = "server")]
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.thread_name(NAME).enable_io().enable_time().build()?;
    let handle = runtime.handle().clone();
    // It lives as long as the process, for one that is dropped inside another panics.
    thread::Builder::new().name(NAME.to_owned()).spawn(move || runtime.block_on(pending::<()>()))?;
    Ok(started.insert(handle).clone())
}
