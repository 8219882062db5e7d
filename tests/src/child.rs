use std::env;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// One ignored test of the calling test binary, run in a process of its own.
///
/// The child sees none of the caller's `AWS_*` and `IAM_FIXTURE_*` variables, and a ledger folder of its caller's test.
pub struct Child {
    process: std::process::Child,
    out: BufReader<std::process::ChildStdout>,
}

impl Child {
    /// Starts it with these variables.
    ///
    /// # Panics
    ///
    /// When the process cannot be started.
    #[must_use]
    pub fn start(test: &str, variables: impl IntoIterator<Item = (String, String)>) -> Child {
        Child::spawn(&["--exact", test, "--ignored", "--nocapture", "--test-threads=1"], variables)
    }

    /// Starts a process that lists the tests and runs none.
    ///
    /// # Panics
    ///
    /// When the process cannot be started.
    #[must_use]
    pub fn list(variables: impl IntoIterator<Item = (String, String)>) -> Child {
        Child::spawn(&["--list"], variables)
    }

    fn spawn(arguments: &[&str], variables: impl IntoIterator<Item = (String, String)>) -> Child {
        let mut command = Command::new(env::current_exe().expect("the test binary has a path"));
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("AWS_") || name.starts_with("IAM_FIXTURE_"))
            {
                command.env_remove(name);
            }
        }
        let mut process = command
            .args(arguments)
            .env("RUST_BACKTRACE", "0")
            .env("XDG_STATE_HOME", state_of_this_test())
            .envs(variables)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the test binary starts");
        let out = BufReader::new(process.stdout.take().expect("stdout is piped"));
        Child { process, out }
    }

    /// Waits until it has printed this line.
    ///
    /// # Panics
    ///
    /// When it ends without.
    pub fn wait_for(&mut self, line: &str) {
        let mut seen = String::new();
        loop {
            let mut next = String::new();
            let length = self.out.read_line(&mut next).expect("its output is text");
            if next.trim() == line {
                return;
            }
            if length == 0 {
                let mut errors = String::new();
                let _ = self.process.stderr.take().expect("stderr is piped").read_to_string(&mut errors);
                panic!("the child ended without `{line}`:\n{seen}{errors}");
            }
            seen += &next;
        }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Lets it go on: whatever it waits to read ends.
    pub fn let_go(&mut self) {
        drop(self.process.stdin.take());
    }

    /// Sends a signal by its name: `INT`, `TERM`, `KILL`.
    ///
    /// # Panics
    ///
    /// When `kill` does not run.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.process.id().to_string()]).status();
        assert!(status.expect("`kill` runs").success());
    }

    /// Lets it go on and waits for its end: how it ended, how long that took, and what it wrote to standard error.
    ///
    /// # Panics
    ///
    /// When it was never started.
    #[must_use]
    pub fn end(mut self) -> (ExitStatus, Duration, String) {
        let start = Instant::now();
        self.let_go();
        let mut errors = String::new();
        let _ = self.process.stderr.take().expect("stderr is piped").read_to_string(&mut errors);
        let status = self.process.wait().expect("the child is waited for");
        (status, start.elapsed(), errors)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Only a test that failed half way leaves one running.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Beside the test binary; one for each test, so that no other test sweeps there.
fn state_of_this_test() -> PathBuf {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("main").replace("::", ".");
    let binary = env::current_exe().expect("the test binary has a path");
    let program = binary.file_stem().expect("it is a file").to_owned();
    binary.with_file_name("system-tests").join(program).join(test)
}
