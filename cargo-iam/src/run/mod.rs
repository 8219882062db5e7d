//! `cargo iam run`: a command with the credentials of a role that is there as long as the command runs.

mod child;
mod environment;
mod report;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

use iam_fixture::{PolicyDocument, TemporaryRole, TemporaryRoleBuilder};

use self::child::{Child, Signals};
use crate::failure::Failure;
use crate::input;

/// Run a command that may do what policies allow, and nothing else
///
/// A temporary role with exactly these policies is made, the command runs with its credentials in the environment
/// (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`, `AWS_DEFAULT_REGION`) and no others, and
/// then the role is removed, however the command ended. Where that is, the tests' own settings tell: `IAM_FIXTURE_BACKEND` and
/// `IAM_FIXTURE_ACCOUNT`, or `iam-fixture.toml`. Without any it is an endpoint inside this program, with an account that is
/// empty: the command finds it by `AWS_ENDPOINT_URL`, and afterwards standard error tells what was denied.
///
/// With `IAM_FIXTURE_KEEP=failure` the role of a command that failed stays, and how to sign in as it is told.
///
/// SIGTERM, SIGHUP and SIGINT are passed on; those that a terminal sends by Ctrl-C the command gets from the terminal.
#[derive(clap::Args)]
#[command(after_help = "\
Exit status: the command's own, or 128 and the number of the signal that ended it; 127 if there is no such command, 126 if it
cannot be run, 2 if the role cannot be had, which is told, and then the command is not run.

Examples:
  cargo iam run --policy reader.json -- ./report.sh
  IAM_FIXTURE_BACKEND=aws IAM_FIXTURE_ACCOUNT=123456789012 \\
      cargo iam run --policy delete-three.json -- aws s3 rm s3://reports/ --recursive
  cargo iam run --managed ReadOnlyAccess --session-policy 'template.json#/Session' -- python3 inventory.py")]
pub(crate) struct Args {
    /// A policy of the role: `file.json`, or a part of it, `file.json#/json/pointer`; may be repeated
    #[arg(long, value_name = "FILE", required_unless_present = "managed")]
    policy: Vec<String>,

    /// A managed policy of the role: AWS's by name, any by ARN; may be repeated
    #[arg(long, value_name = "NAME")]
    managed: Vec<String>,

    /// The role's permissions boundary: a file, or a managed policy, which has no `.` and `/` in its name, or is an ARN
    #[arg(long, value_name = "FILE|NAME")]
    boundary: Option<String>,

    /// Narrows what the role's policies allow
    #[arg(long, value_name = "FILE")]
    session_policy: Option<String>,

    /// How long the credentials last: `1h`, `90m`, or a number of seconds; 15 minutes at least, and an hour if it is not said
    #[arg(long, value_name = "TIME", value_parser = iam_fixture::sweep::duration)]
    duration: Option<Duration>,

    /// The value of `${NAME}` in the policies; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    var: Vec<(String, String)>,

    /// Do not tell what was denied
    #[arg(long)]
    quiet: bool,

    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot_wait)?;
    runtime.block_on(args.run())
}

impl Args {
    async fn run(&self) -> Result<ExitCode, Failure> {
        let role = self.role()?;
        // From here on no signal ends this program: it ends the command, or the wait for the role.
        iam_fixture::__private::take_signals();
        let mut signals = Signals::new().map_err(cannot_wait)?;
        let role = tokio::select! {
            role = role.create() => role.map_err(Failure::Backend)?,
            signal = signals.next() => return Ok(signal.status()),
        };
        let status = self.run_as(&role, &mut signals).await;
        if !matches!(status, Ok(ExitCode::SUCCESS)) {
            iam_fixture::__private::fail(&role);
        }
        if !self.quiet {
            report::tell(&role.decisions());
        }
        if let Err(error) = role.delete().await {
            // The command has done its work; what is left is a later run's to remove.
            let _ = Failure::Backend(error).report();
        }
        status
    }

    async fn run_as(&self, role: &TemporaryRole, signals: &mut Signals) -> Result<ExitCode, Failure> {
        let cannot_serve = |error| Failure::Server("cannot serve the command".to_owned(), error);
        let backend = role.backend();
        let server = backend.is_embedded().then(|| backend.serve()).transpose().map_err(cannot_serve)?;
        let url = server.as_ref().map(iam_endpoint::Server::url);
        let mut child = match Child::start(&self.command, &environment::of(role, url)) {
            Ok(child) => child,
            Err(failed) => return Ok(failed.tell()),
        };
        let status = child.end(signals).await.map_err(cannot_wait)?;
        drop(server);
        Ok(status)
    }

    fn role(&self) -> Result<TemporaryRoleBuilder, Failure> {
        let mut role = TemporaryRole::builder().session_name("cargo-iam-run");
        for policy in &self.policy {
            role = role.policy(document(policy)?);
        }
        for managed in &self.managed {
            role = role.managed_policy(managed);
        }
        role = match &self.boundary {
            Some(name) if name.starts_with("arn:") || !name.contains(['.', '/']) => {
                role.managed_boundary(name)
            }
            Some(file) => role.boundary(document(file)?),
            None => role,
        };
        if let Some(file) = &self.session_policy {
            role = role.session_policy(document(file)?);
        }
        if let Some(duration) = self.duration {
            role = role.duration(duration);
        }
        Ok(self.var.iter().fold(role, |role, (name, value)| role.var(name, value)))
    }
}

/// `file.json`, or `file.json#/json/pointer`.
fn document(argument: &str) -> Result<PolicyDocument, Failure> {
    Ok(input::read(argument)?.into())
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write `NAME=VALUE`".to_owned()),
    }
}

fn cannot_wait(error: io::Error) -> Failure {
    Failure::Server("cannot wait for the command".to_owned(), error)
}
