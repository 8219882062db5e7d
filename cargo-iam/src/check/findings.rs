//! What was found in all files.

use iam_policy::{Diagnostic, Policy, PolicyKind, Severity, Source, managed};

use super::Args;
use crate::failure::Failure;
use crate::input::{self, Missing};
use crate::kind;

/// The findings in files, in the order of the files and of the places in them.
pub(super) struct Findings {
    pub(super) files: usize,
    pub(super) list: Vec<Diagnostic>,
}

impl Findings {
    /// Checks every file, also after one that cannot be read.
    pub(super) fn of(args: &Args) -> (Findings, Vec<Failure>) {
        let mut findings = Findings { files: 0, list: Vec::new() };
        let mut failures = Vec::new();
        for file in &args.files {
            match input::read(file) {
                Ok(source) => {
                    findings.files += 1;
                    findings.list.extend(check(&source, args));
                }
                Err(Missing::Pointer(problems)) => {
                    findings.files += 1;
                    findings.list.extend(problems.iter().cloned());
                }
                Err(Missing::File(failure)) => failures.push(failure),
            }
        }
        findings.list.retain(|found| !args.allow.contains(&found.code));
        for found in findings.list.iter_mut().filter(|found| args.deny.contains(&found.code)) {
            found.severity = Severity::Error;
        }
        (findings, failures)
    }

    pub(super) fn count(&self, severity: Severity) -> usize {
        self.list.iter().filter(|found| found.severity == severity).count()
    }

    /// Whether there is more than advice.
    pub(super) fn fail(&self) -> bool {
        self.list.iter().any(|found| found.severity != Severity::Note)
    }
}

fn check(source: &Source, args: &Args) -> Vec<Diagnostic> {
    let kind = args.kind.map_or_else(|| kind::guess(source.fragment()), PolicyKind::from);
    if args.template {
        // What will stand in a placeholder's place has a size of its own: there is none to check yet.
        return Policy::check_template(source, kind);
    }
    let mut found = Policy::check(source, kind);
    if let Ok(policy) = Policy::parse(source, kind) {
        found.extend(too_large(&policy));
    }
    found
}

/// What exceeds the limit of its kind. AWS does not hold its own managed policies to it.
fn too_large(policy: &Policy) -> Vec<Diagnostic> {
    let Err(problems) = policy.check_size(policy.kind().limit()) else { return Vec::new() };
    let is_managed = managed::all().any(|own| bare(own.document()).eq(bare(policy.source().fragment())));
    if is_managed { Vec::new() } else { problems.iter().cloned().collect() }
}

fn bare(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|character| !character.is_whitespace())
}
