//! The program while it serves.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;

use crate::common;

/// `cargo iam serve`, ready.
pub(crate) struct Served {
    process: Child,
    /// What it wrote to standard output, up to the line `ready`.
    pub(crate) lines: Vec<String>,
    errors: Option<JoinHandle<String>>,
}

impl Served {
    pub(crate) fn start(arguments: &[&str]) -> Served {
        let mut command = common::command(&["serve"]);
        for name in ["AWS_SESSION_TOKEN", "AWS_PROFILE"] {
            command.env_remove(name);
        }
        let mut process =
            command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = process.stderr.take().unwrap();
        let errors = std::thread::spawn(move || {
            let mut text = String::new();
            errors.read_to_string(&mut text).unwrap();
            text
        });
        let mut lines = Vec::new();
        for line in BufReader::new(process.stdout.take().unwrap()).lines() {
            lines.push(line.unwrap());
            if lines.last().unwrap() == "ready" {
                break;
            }
        }
        Served { process, lines, errors: Some(errors) }
    }

    /// The variables that it exports.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let exports = self.lines.iter().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
        exports.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    pub(crate) fn variable(&self, name: &str) -> String {
        self.variables().into_iter().find(|(of, _)| of == name).unwrap().1
    }

    /// Where it listens: `127.0.0.1:4566`.
    pub(crate) fn address(&self) -> String {
        self.variable("AWS_ENDPOINT_URL").strip_prefix("http://").unwrap().to_owned()
    }

    pub(crate) fn signal(&self, name: &str) {
        let kill = Command::new("kill").args(["-s", name, &self.process.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    /// How it ended, and what it wrote to standard error.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let status = self.process.wait().unwrap();
        (status, self.errors.take().unwrap().join().unwrap())
    }

    /// Stops it, and gives what it wrote to standard error.
    pub(crate) fn stop(self) -> String {
        self.signal("TERM");
        let (status, errors) = self.end();
        assert_eq!(status.code(), Some(0), "{errors}");
        errors
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Only a test that failed half way leaves it running.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
