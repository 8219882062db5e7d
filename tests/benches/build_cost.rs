//! What iam-fixture adds to a cold build: a project that depends only on it, against the same project with the AWS SDK's
//! crates and tokio alone. Both are built from nothing, with the same features, and cost CPU seconds, not wall time.
//!
//! `cargo bench --bench build_cost` takes some minutes.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A pair of projects with the same features of the SDK.
struct Pair {
    name: &'static str,
    /// Features of aws-config.
    sdk: &'static str,
    fixture: &'static str,
}

const PAIRS: [Pair; 2] = [
    Pair { name: "with TLS (default)", sdk: r#""rt-tokio", "default-https-client""#, fixture: "" },
    Pair { name: "embedded only", sdk: r#""rt-tokio""#, fixture: ", default-features = false" },
];

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned();
    println!("CPU seconds of a cold `cargo test --no-run`, debug build\n");
    println!("{:<20} {:>10} {:>14} {:>8}", "features", "SDK alone", "iam-fixture", "ratio");
    for pair in PAIRS {
        let alone = format!(
            "aws-config = {{ version = \"1.13\", default-features = false, features = [{}] }}\n\
             aws-sdk-iam = {{ version = \"1.133\", default-features = false, features = [\"rt-tokio\"] }}\n\
             aws-sdk-sts = {{ version = \"1.124\", default-features = false, features = [\"rt-tokio\"] }}\n\
             tokio = {{ version = \"1.54\", features = [\"macros\", \"rt\", \"time\"] }}\n",
            pair.sdk
        );
        let fixture = format!(
            "iam-fixture = {{ path = {:?}{} }}\n\
             tokio = {{ version = \"1.54\", features = [\"macros\", \"rt\", \"time\"] }}\n",
            root.join("iam-fixture"),
            pair.fixture
        );
        let alone = build(&root, "alone", &alone);
        let with_fixture = build(&root, "fixture", &fixture);
        println!("{:<20} {alone:>8.1} s {with_fixture:>12.1} s {:>8.2}", pair.name, with_fixture / alone);
    }
}

/// Builds a project with these dependencies and tells the CPU seconds of all its processes.
fn build(root: &Path, name: &str, dependencies: &str) -> f64 {
    let project = project(root, name, dependencies);
    let target = project.join("target");
    let _ = std::fs::remove_dir_all(&target);
    run(Command::new(env!("CARGO")).arg("fetch").current_dir(&project));
    let time = "TIMEFORMAT='%U %S'; time cargo test --no-run --quiet --offline 2>&1 >/dev/null";
    let output =
        run(Command::new("bash").args(["-c", time]).env("CARGO_TARGET_DIR", &target).current_dir(&project));
    let times = output.lines().last().expect("bash tells the time");
    times.split_whitespace().map(|seconds| seconds.parse::<f64>().expect("seconds")).sum()
}

fn project(root: &Path, name: &str, dependencies: &str) -> PathBuf {
    let project = root.join("target/build-cost").join(name);
    std::fs::create_dir_all(project.join("src")).expect("a folder below target");
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependencies}\n[workspace]\n"
    );
    std::fs::write(project.join("Cargo.toml"), manifest).expect("a manifest");
    std::fs::write(project.join("src/lib.rs"), "").expect("a library");
    // The workspace's own versions, so that both projects build the same SDK.
    std::fs::copy(root.join("Cargo.lock"), project.join("Cargo.lock")).expect("the lock file");
    project
}

/// Runs a command and returns what it wrote to standard error.
fn run(command: &mut Command) -> String {
    let output = command.output().expect("the command starts");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?} failed:\n{text}");
    text
}
