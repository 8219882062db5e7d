//! Every operation of AWS's APIs, as botocore serialises it; `round-trip/round_trip.py` says how, and what is expected.
//!
//! After a change that lets more operations pass, `ROUND_TRIP=--update cargo test -p iam-endpoint --features server --test
//! round_trip` raises the floor; `ROUND_TRIP=--details` prints every operation that does not pass, and
//! `ROUND_TRIP='s3 sqs --details'` calls these services only.
#![cfg(feature = "server")]
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use iam_endpoint::{Endpoint, Organization, Target};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/round-trip/round_trip.py");

#[test]
fn every_operation_asks_for_what_aws_asks_for() {
    let python = match botocore() {
        Ok(python) => python,
        Err(reason) => {
            assert!(env::var_os("CI").is_none(), "botocore cannot be installed: {reason}");
            eprintln!("skipped: botocore cannot be installed: {reason}");
            return;
        }
    };
    let endpoint = Endpoint::new();
    // ARNs of AWS Organizations have its id.
    endpoint.set_organization(Organization::new("o-a1b2c3d4e5", "123456789012", Target::new("r-ab12")));
    let server = endpoint.serve(([127, 0, 0, 1], 0).into()).unwrap();
    let administrator = endpoint.administrator();
    // What it prints is not captured, and so seen where the test passes too.
    let status = Command::new(python)
        .args([SCRIPT, &server.url(), &administrator.access_key_id, &administrator.secret_access_key])
        .args(env::var("ROUND_TRIP").unwrap_or_default().split_whitespace())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .status()
        .unwrap();
    assert!(status.success(), "operations do not pass that did");
}

/// The Python of an environment with the botocore that the table of operations is made from.
fn botocore() -> Result<PathBuf, String> {
    let generator = include_str!("../data/generate.py");
    let package = generator.split('"').find(|text| text.starts_with("botocore==")).unwrap();
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join(package);
    let (python, done) = (environment.join("bin/python"), environment.join("done"));
    fs::create_dir_all(&environment).map_err(|error| error.to_string())?;
    let lock = File::create(environment.join("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    if !done.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", package]))?;
        File::create(done).map_err(|error| error.to_string())?;
    }
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)))
}
