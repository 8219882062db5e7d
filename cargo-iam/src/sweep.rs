//! `cargo iam sweep`: what killed test runs have left in an account.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use humantime::{format_duration, format_rfc3339_seconds};
use iam_fixture::sweep::{Found, Orphan, Sweep};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::failure::Failure;
use crate::format::Format;
use crate::paint;

/// Find what killed test runs have left in an account, and remove it
///
/// Roles and policies of `iam-fixture` stand in a path that tells when their lease ends. What is listed has outlived its lease
/// by the account's own clock; without `--delete` nothing is changed. The account is that of the tests' own settings:
/// `IAM_FIXTURE_BACKEND` and `IAM_FIXTURE_ACCOUNT`, or `iam-fixture.toml`. No other account is touched, and nothing outside
/// the path.
#[derive(clap::Args)]
#[command(after_help = "\
Exit status: 0, 1 if something could not be removed, 2 if the account cannot be looked through.

Examples:
  IAM_FIXTURE_BACKEND=aws IAM_FIXTURE_ACCOUNT=123456789012 cargo iam sweep
  IAM_FIXTURE_BACKEND=aws IAM_FIXTURE_ACCOUNT=123456789012 cargo iam sweep --delete --older-than 2h
  IAM_FIXTURE_BACKEND=http://127.0.0.1:4566 cargo iam sweep --format json")]
pub(crate) struct Args {
    /// Remove what is listed
    #[arg(long)]
    delete: bool,

    /// Only what was created at least so long ago: `2h`, `90m`, or a number of seconds
    #[arg(long, value_name = "AGE", value_parser = iam_fixture::sweep::duration)]
    older_than: Option<Duration>,

    /// The path below which the tests create their roles, if not that of `IAM_FIXTURE_PATH`
    #[arg(long, value_name = "PATH")]
    path: Option<String>,

    /// For people, or JSON
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Server("cannot wait for answers".to_owned(), error))?;
    runtime.block_on(sweep(args))
}

async fn sweep(args: &Args) -> Result<ExitCode, Failure> {
    let sweep = Sweep::of_settings().await.map_err(Failure::Backend)?;
    let sweep = match &args.path {
        Some(path) => sweep.below(path).map_err(Failure::Backend)?,
        None => sweep,
    };
    let sweep = sweep.older_than(args.older_than.unwrap_or_default());
    let found = sweep.find().await.map_err(Failure::Backend)?;
    if let Format::Human = args.format {
        list(&sweep, &found, args.delete)?;
    }
    let outcomes = if args.delete { remove(&sweep, found.orphans()).await } else { Vec::new() };
    let failures = outcomes.iter().filter(|outcome| outcome.is_err()).count();
    match args.format {
        Format::Human if args.delete => tell_outcomes(found.orphans(), &outcomes)?,
        Format::Human => {}
        Format::Json => tell_json(&sweep, &found, &outcomes)?,
    }
    Ok(ExitCode::from(u8::from(failures > 0)))
}

type Outcome = Result<(), iam_fixture::Error>;

/// Removes all, with a bar on a terminal.
async fn remove(sweep: &Sweep, orphans: &[Orphan]) -> Vec<Outcome> {
    // It draws on standard error, and only where that is a terminal.
    let bar = ProgressBar::new(orphans.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} removed, {eta} left") {
        bar.set_style(style);
    }
    let mut outcomes = Vec::with_capacity(orphans.len());
    for orphan in orphans {
        outcomes.push(sweep.remove(orphan).await);
        bar.inc(1);
    }
    bar.finish_and_clear();
    outcomes
}

fn list(sweep: &Sweep, found: &Found, is_to_delete: bool) -> Result<(), Failure> {
    let count = |count: usize, what: &str| match count {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    let leased = match found.leased() {
        1 => "1 lease is".to_owned(),
        leased => format!("{} are", count(leased, "lease")),
    };
    let orphans = paint::heading(&count(found.orphans().len(), "orphan"));
    let now = SystemTime::now();
    let line = |orphan: &Orphan| {
        let created = orphan.created().map(|created| format!("created {} ago, ", ago(created, now)));
        let (kind, arn, created) = (orphan.kind(), orphan.arn(), created.unwrap_or_default());
        format!("  {kind} {arn}  {created}lease over for {}\n", ago(orphan.lease_end(), now))
    };
    let mut text = format!("{orphans} in account {}; {leased} not over\n", sweep.account());
    text.extend(found.orphans().iter().map(line));
    if !is_to_delete && !found.orphans().is_empty() {
        text += &paint::report("note: `--delete` removes them");
        text.push('\n');
    }
    anstream::stdout().write_all(text.as_bytes()).map_err(Failure::Output)
}

/// In the two largest units, by this machine's clock: it is for reading only.
fn ago(then: SystemTime, now: SystemTime) -> String {
    let seconds = now.duration_since(then).unwrap_or_default().as_secs();
    let text = format_duration(Duration::from_secs(seconds)).to_string();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

fn tell_outcomes(orphans: &[Orphan], outcomes: &[Outcome]) -> Result<(), Failure> {
    for (orphan, outcome) in orphans.iter().zip(outcomes) {
        if let Err(error) = outcome {
            let text = paint::error(&format!("{orphan} could not be removed: {error}"));
            // The exit status tells it too.
            let _ = writeln!(anstream::stderr(), "{text}");
        }
    }
    let removed = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    writeln!(anstream::stdout(), "{removed} removed").map_err(Failure::Output)
}

#[derive(Serialize)]
struct Report<'r> {
    account: &'r str,
    /// How many there are whose lease is not over.
    leased: usize,
    orphans: Vec<OrphanReport<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OrphanReport<'r> {
    kind: &'static str,
    arn: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    lease_end: String,
    removed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

fn tell_json(sweep: &Sweep, found: &Found, outcomes: &[Outcome]) -> Result<(), Failure> {
    let time = |time| format_rfc3339_seconds(time).to_string();
    let orphans = found.orphans().iter().enumerate().map(|(index, orphan)| {
        let outcome = outcomes.get(index);
        OrphanReport {
            kind: orphan.kind(),
            arn: orphan.arn(),
            created: orphan.created().map(time),
            lease_end: time(orphan.lease_end()),
            removed: matches!(outcome, Some(Ok(()))),
            error: outcome.and_then(|outcome| outcome.as_ref().err()).map(ToString::to_string),
        }
    });
    let report = Report { account: sweep.account(), leased: found.leased(), orphans: orphans.collect() };
    // Strings are always JSON.
    let text = serde_json::to_string_pretty(&report).unwrap_or_default();
    writeln!(anstream::stdout(), "{text}").map_err(Failure::Output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_in_two_units() {
        let now = SystemTime::now();
        assert_eq!(ago(now - Duration::from_secs(93_784), now), "1day 2h");
        assert_eq!(ago(now - Duration::from_secs(7), now), "7s");
        assert_eq!(ago(now + Duration::from_secs(7), now), "0s");
    }
}
