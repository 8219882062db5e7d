use std::env;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A real runner with an ignored test of the calling test binary: `cargo test`, or `cargo nextest run`, eight at once of the
/// cases of a parametrised one.
///
/// It has a process group of its own, as a shell gives it to each job.
pub struct Runner {
    process: Child,
}

impl Runner {
    /// `cargo test`.
    #[must_use]
    pub fn cargo_test(test: &str, variables: impl IntoIterator<Item = (String, String)>) -> Runner {
        let mut command = Command::new(env!("CARGO"));
        command.args(["test", "--package", env!("CARGO_PKG_NAME"), "--test", &binary()]);
        Runner::start(command.args(["--", "--exact", test, "--ignored", "--nocapture"]), variables)
    }

    /// `cargo nextest run`, which stops a test after a second if it is told so.
    ///
    /// `None` where nextest is not installed, with the reason printed; in CI that is a failure.
    ///
    /// # Panics
    ///
    /// When its configuration cannot be written.
    #[must_use]
    pub fn nextest(
        test: &str,
        is_impatient: bool,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Option<Runner> {
        let Some(nextest) = nextest() else {
            assert!(env::var_os("CI").is_none(), "cargo-nextest is not installed");
            eprintln!("skipped: cargo-nextest is not installed");
            return None;
        };
        let mut command = Command::new(nextest);
        command.args(["nextest", "run", "--package", env!("CARGO_PKG_NAME"), "--test", &binary()]);
        command.args(["--run-ignored", "only", "-E", &format!("test(/^{test}($|::)/)"), "--no-fail-fast"]);
        command.args(["--test-threads", "8"]);
        if is_impatient {
            let file = state().join("nextest.toml");
            std::fs::create_dir_all(state()).expect("the target folder can be written");
            let timeout = "slow-timeout = { period = \"1s\", terminate-after = 1, grace-period = \"10s\" }";
            std::fs::write(&file, format!("[profile.default]\n{timeout}\n")).expect("it can be written");
            command.arg("--config-file").arg(file);
        }
        Some(Runner::start(&mut command, variables))
    }

    fn start(command: &mut Command, variables: impl IntoIterator<Item = (String, String)>) -> Runner {
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("AWS_") || name.starts_with("IAM_FIXTURE_"))
            {
                command.env_remove(name);
            }
        }
        let process = command
            .process_group(0)
            .env("RUST_BACKTRACE", "0")
            .env("XDG_STATE_HOME", state())
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the runner starts");
        Runner { process }
    }

    /// What a terminal does at Ctrl-C, and a CI system when a job is cancelled: the signal goes to the whole group.
    ///
    /// # Panics
    ///
    /// When `kill` does not run.
    pub fn signal_group(&self, name: &str) {
        let status =
            Command::new("kill").args(["-s", name, "--", &format!("-{}", self.process.id())]).status();
        assert!(status.expect("`kill` runs").success());
    }

    /// The signal goes to the runner alone.
    ///
    /// # Panics
    ///
    /// When `kill` does not run.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.process.id().to_string()]).status();
        assert!(status.expect("`kill` runs").success());
    }

    /// Waits for the runner's own end, a minute at most.
    ///
    /// # Panics
    ///
    /// When it does not end.
    #[must_use]
    pub fn end(self) -> ExitStatus {
        self.end_within(Duration::from_mins(1))
    }

    /// Waits for the runner's own end.
    ///
    /// # Panics
    ///
    /// When it does not end in time.
    #[must_use]
    pub fn end_within(mut self, limit: Duration) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().expect("the runner is ours") {
                return status;
            }
            assert!(start.elapsed() < limit, "the runner does not end");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        // Only a test that failed half way leaves one running.
        if matches!(self.process.try_wait(), Ok(None)) {
            self.signal_group("KILL");
            let _ = self.process.wait();
        }
    }
}

/// The calling test binary, as cargo's `--test` names it.
fn binary() -> String {
    let path = env::current_exe().expect("the test binary has a path");
    let name = path.file_stem().and_then(|name| name.to_str()).expect("it is a file");
    name.rsplit_once('-').map_or(name, |(name, _)| name).to_owned()
}

/// A machine for each test.
fn state() -> PathBuf {
    let thread = std::thread::current();
    let caller = thread.name().unwrap_or("main").replace("::", ".");
    let binary = env::current_exe().expect("the test binary has a path");
    binary.with_file_name("system-tests").join("runners").join(caller)
}

/// On the path, or where CI installs it.
fn nextest() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .chain([root.join("target/ci-tools/bin")])
        .map(|folder| folder.join("cargo-nextest"))
        .find(|program| program.is_file())
}
