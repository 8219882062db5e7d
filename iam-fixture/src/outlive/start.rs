//! Before `main`: what a killed run left at this run's backend is removed while the tests already run.

use std::env;
use std::panic::catch_unwind;

use crate::backend::Backend;

ctor::declarative::ctor! {
    /// Sweeps in the background.
    ///
    /// A test binary does not own `main`, so this is the one place that runs in every process. Listing tests is no run:
    /// nextest lists each binary twice, then starts a process for each test.
    // SAFETY: the standard library's environment, files and threads can be used before `main` on the supported platforms.
    #[ctor(unsafe)]
    fn at_start() {
        // Unwinding out of here would abort the process before any test has run.
        let _ = catch_unwind(|| {
            // What is wrong with the configuration, each test will say.
            if is_test()
                && let Ok(Some(backend)) = Backend::outside()
            {
                backend.sweep_at_start();
            }
        });
    }
}

/// Whether this process runs tests. A program that only links this crate asks nobody for anything before its `main`; what it
/// does at a backend begins with a sweep anyhow.
fn is_test() -> bool {
    // Where cargo puts test binaries, and nothing else that it runs.
    let is_test_binary = env::current_exe()
        .is_ok_and(|program| program.parent().is_some_and(|folder| folder.ends_with("deps")));
    is_test_binary && !env::args_os().any(|argument| argument == "--list")
}
