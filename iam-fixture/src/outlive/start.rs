//! Before `main`: what a killed run left at this run's backend is removed while the tests already run.

use std::env;
use std::panic::catch_unwind;

use super::sweep;
use crate::backend::Backend;
use crate::control;

/// Connects in the background where there is something to remove; the connection then sweeps, and serves the tests.
///
/// A test binary does not own `main`, so this is the one place that runs in every process. Listing tests is no run:
/// nextest lists each binary twice, then starts a process for each test.
// SAFETY: the standard library's environment, files and threads can be used before `main` on the supported platforms.
#[ctor::ctor(unsafe)]
fn at_start() {
    // Unwinding out of here would abort the process before any test has run.
    let _ = catch_unwind(|| {
        if env::args_os().any(|argument| argument == "--list") {
            return;
        }
        // What is wrong with the configuration, each test will say.
        let Ok(Some(backend)) = Backend::outside() else { return };
        if sweep::is_needed() {
            super::install();
            let connected = control::spawn(async move {
                // What cannot be reached, each test will say.
                let _ = backend.connect().await;
            });
            super::state().sweeps.push(connected);
        }
    });
}
