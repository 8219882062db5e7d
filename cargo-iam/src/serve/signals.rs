//! The signals that end the program.

use std::io;
use std::thread;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// Waits for Ctrl-C and SIGTERM; from when this is made, neither ends the program by itself.
pub(super) struct Stop {
    runtime: Runtime,
    signals: Signals,
}

impl Stop {
    pub(super) fn new() -> io::Result<Stop> {
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let signals = {
            let _within = runtime.enter();
            Signals::new()?
        };
        Ok(Stop { runtime, signals })
    }

    /// What drives the waiting, for what else the program waits for.
    pub(super) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Returns at the next signal.
    pub(super) fn wait(&mut self) {
        self.runtime.block_on(self.signals.next());
    }

    /// Returns when the work is done, or at the next signal.
    pub(super) fn wait_or(&mut self, work: impl FnOnce() + Send + 'static) {
        let (done, ended) = oneshot::channel();
        thread::spawn(move || {
            work();
            // A second signal may have ended the waiting.
            let _ = done.send(());
        });
        self.runtime.block_on(async {
            tokio::select! {
                _ = ended => {}
                () = self.signals.next() => {}
            }
        });
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Signals> {
        tokio::signal::windows::ctrl_c().map(Signals)
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}
