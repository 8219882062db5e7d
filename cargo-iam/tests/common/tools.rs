//! The AWS CLI and boto3, as they come from `PyPI`.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

/// The versions that the tests were written against.
const PACKAGES: [&str; 3] = ["awscli==1.46.3", "boto3==1.44.5", "moto[server]==5.2.5"];

/// The virtual environment below the target folder with these tools, installed once.
///
/// `None` where Python is not at hand, with the reason printed; in CI that is a failure.
pub(crate) fn environment() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("tools");
    match install(&folder) {
        Ok(()) => Some(folder),
        Err(reason) => {
            assert!(std::env::var_os("CI").is_none(), "the tools cannot be installed: {reason}");
            eprintln!("skipped: the tools cannot be installed: {reason}");
            None
        }
    }
}

fn install(folder: &PathBuf) -> Result<(), String> {
    let done = folder.join(PACKAGES.join(" ").replace(['[', ']'], "."));
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    // Tests in other threads and processes wait here.
    let lock = File::create(folder.join("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    if done.exists() {
        return Ok(());
    }
    succeed(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    succeed(Command::new(folder.join("bin/pip")).args(["install", "--quiet"]).args(PACKAGES))?;
    File::create(done).map(drop).map_err(|error| error.to_string())
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)))
}
