//! Runs the real program.

#[allow(dead_code, reason = "not every test asks for all")]
pub(crate) mod tools;

use std::io::Write as _;
use std::process::{Command, Stdio};

/// What a run of `cargo-iam` came to.
#[derive(Debug)]
#[allow(dead_code, reason = "not every test asks for all")]
pub(crate) struct Run {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The program, as cargo runs it, in the directory of the test policies.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-iam"));
    command.arg("iam").args(arguments).current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/policies"));
    for variable in ["CLICOLOR_FORCE", "CLICOLOR", "NO_COLOR"] {
        command.env_remove(variable);
    }
    command
}

/// Runs it to its end.
#[allow(dead_code, reason = "not every test asks for it")]
pub(crate) fn run(arguments: &[&str], input: &str) -> Run {
    run_command(&mut command(arguments), input)
}

pub(crate) fn run_command(command: &mut Command, input: &str) -> Run {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // Beside the reading, lest both sides wait for the other; a program that needs no input may be gone.
    let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Run {
        status: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
