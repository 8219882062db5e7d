//! Why a command could not do its work.

use std::io::{self, Write as _};
use std::process::ExitCode;

use iam_policy::{Diagnostics, Unknown};

use crate::paint;

/// What ends a command with the exit status 2.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Where the tests' roles are cannot be looked through.
    Backend(iam_fixture::Error),
    /// A file cannot be written.
    File { path: String, error: io::Error },
    /// A file or standard input cannot be read.
    Input { name: String, error: io::Error },
    /// Standard output cannot be written.
    Output(io::Error),
    /// A policy that the answer depends on has problems.
    Policy(Diagnostics),
    /// What `serve` needs cannot be had; the text tells what cannot be done.
    Server(String, io::Error),
    /// What a policy allows cannot be told.
    Unknown(Unknown),
    /// An argument does not make sense.
    Usage(String),
}

impl Failure {
    pub(crate) const STATUS: u8 = 2;

    /// Tells the user, unless nobody reads any more.
    pub(crate) fn report(&self) -> ExitCode {
        let text = match self {
            // `… | head` has read enough: nothing went wrong.
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return ExitCode::SUCCESS,
            Failure::Backend(error) => paint::error(&error.to_string()),
            Failure::File { path, error } => paint::error(&format!("cannot write `{path}`: {error}")),
            Failure::Input { name, error } => paint::error(&format!("cannot read `{name}`: {error}")),
            Failure::Output(error) => paint::error(&format!("cannot write the output: {error}")),
            Failure::Policy(problems) => problems
                .iter()
                .map(|problem| paint::report(&problem.to_string()))
                .collect::<Vec<_>>()
                .join("\n\n"),
            Failure::Server(what, error) => paint::error(&format!("{what}: {error}")),
            Failure::Unknown(unknown) => {
                paint::error(&format!("what the policy allows cannot be told: {unknown}"))
            }
            Failure::Usage(message) => paint::error(message),
        };
        // Where not even this can be written, the exit status has to do.
        let _ = writeln!(anstream::stderr(), "{text}");
        ExitCode::from(Failure::STATUS)
    }
}
