//! The command, and the signals that are passed on to it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::process::{ExitCode, ExitStatus};

use tokio::process::Command;

use super::environment::Changes;
use crate::failure::Failure;

pub(super) use self::system::Signals;

/// The command while it runs.
pub(super) struct Child(tokio::process::Child);

/// A command that could not be started.
pub(super) struct NotStarted<'a> {
    program: &'a OsStr,
    error: io::Error,
}

impl Child {
    pub(super) fn start<'a>(command: &'a [OsString], changes: &Changes) -> Result<Child, NotStarted<'a>> {
        let (program, arguments) =
            command.split_first().map_or((OsStr::new(""), &[][..]), |(first, rest)| (first, rest));
        let mut command = Command::new(program);
        command.args(arguments);
        for (name, value) in changes {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.spawn().map(Child).map_err(|error| NotStarted { program, error })
    }

    /// Waits for its end, and passes on what signals come until then.
    pub(super) async fn end(&mut self, signals: &mut Signals) -> io::Result<ExitCode> {
        loop {
            tokio::select! {
                status = self.0.wait() => return status.map(exit_code),
                signal = signals.next() => signal.pass_on(self.0.id()),
            }
        }
    }
}

impl NotStarted<'_> {
    /// As shells do.
    pub(super) fn tell(self) -> ExitCode {
        let NotStarted { program, error } = self;
        let status = if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 };
        let _ = Failure::Server(format!("cannot run `{}`", program.display()), error).report();
        ExitCode::from(status)
    }
}

fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| Some(128 + system::signal_of(status)?));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX))
}

#[cfg(unix)]
mod system {
    use std::fs::File;
    use std::io;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::{ExitCode, ExitStatus};
    use std::task::Poll;

    use rustix::process::{Pid, getpgrp, kill_process};
    use rustix::termios::tcgetpgrp;
    use tokio::signal::unix::{SignalKind, signal};

    pub(super) fn signal_of(status: ExitStatus) -> Option<i32> {
        status.signal()
    }

    /// The signals that ask a program to end; from when this is made, none ends this one by itself.
    pub(in crate::run) struct Signals([(Signal, tokio::signal::unix::Signal); 3]);

    #[derive(Clone, Copy)]
    pub(in crate::run) struct Signal(rustix::process::Signal);

    impl Signals {
        pub(in crate::run) fn new() -> io::Result<Signals> {
            use rustix::process::Signal as S;
            let listen =
                |this: S| signal(SignalKind::from_raw(this.as_raw())).map(|stream| (Signal(this), stream));
            Ok(Signals([listen(S::HUP)?, listen(S::INT)?, listen(S::TERM)?]))
        }

        pub(in crate::run) async fn next(&mut self) -> Signal {
            std::future::poll_fn(|context| {
                let came = self
                    .0
                    .iter_mut()
                    .find_map(|(signal, stream)| stream.poll_recv(context).is_ready().then_some(*signal));
                came.map_or(Poll::Pending, Poll::Ready)
            })
            .await
        }
    }

    impl Signal {
        /// The status of a program that it ended.
        pub(in crate::run) fn status(self) -> ExitCode {
            ExitCode::from(u8::try_from(128 + self.0.as_raw()).unwrap_or(u8::MAX))
        }

        pub(super) fn pass_on(self, to: Option<u32>) {
            // Ctrl-C reaches all of a terminal's foreground; twice, it would look like an impatient user.
            let is_from_terminal = self.0 == rustix::process::Signal::INT && is_foreground();
            let to = to.and_then(|id| Pid::from_raw(id.try_into().ok()?));
            if let Some(to) = to.filter(|_| !is_from_terminal) {
                // One that is gone need not be told.
                let _ = kill_process(to, self.0);
            }
        }
    }

    /// Whether this program, and so the command, gets what is typed on the terminal.
    fn is_foreground() -> bool {
        File::open("/dev/tty").is_ok_and(|terminal| tcgetpgrp(terminal) == Ok(getpgrp()))
    }
}

#[cfg(windows)]
mod system {
    use std::io;
    use std::process::{ExitCode, ExitStatus};

    pub(super) fn signal_of(_: ExitStatus) -> Option<i32> {
        None
    }

    /// Ctrl-C, which the command gets from the console.
    pub(in crate::run) struct Signals(tokio::signal::windows::CtrlC);

    pub(in crate::run) struct Signal;

    impl Signals {
        pub(in crate::run) fn new() -> io::Result<Signals> {
            tokio::signal::windows::ctrl_c().map(Signals)
        }

        pub(in crate::run) async fn next(&mut self) -> Signal {
            self.0.recv().await;
            Signal
        }
    }

    impl Signal {
        pub(in crate::run) fn status(self) -> ExitCode {
            ExitCode::FAILURE
        }

        pub(super) fn pass_on(self, _: Option<u32>) {}
    }
}
