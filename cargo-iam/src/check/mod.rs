//! `cargo iam check`: all that is wrong with policies.
//!
//! ```text
//! FILES… ─▶ input ─▶ Policy::check ─▶ findings ─ allow, deny ─┬─▶ human    as rustc renders
//!                                                             ├─▶ json
//!                                                             ├─▶ sarif    2.1.0, for code scanning
//!                                                             └─▶ github   annotations of a workflow run
//! ```

mod findings;
mod github;
mod human;
mod json;
mod place;
mod sarif;

use std::io::Write as _;
use std::process::ExitCode;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use iam_policy::{LINTS, Lint};

use crate::failure::Failure;
use crate::kind::Kind;
use findings::Findings;

/// Check policies as AWS checks them, and lint them
///
/// An error is what AWS rejects. A warning is a lint that finds a mistake: what is written has no effect, or another one than it
/// says. A note is a lint's advice. FILE may be part of a larger one, named by a JSON pointer (`template.json#/Policies/0`), or
/// `-` for standard input.
///
/// Without `--kind`, a policy with a `Principal` is taken for a resource-based policy, or for a trust policy if it has no
/// resource and names actions of `sts:`; any other for an identity-based policy.
#[derive(clap::Args)]
#[command(after_help = "\
Exit status: 0 if nothing worse than notes was found, 1 if there are errors or warnings, 2 if a file cannot be read.

Examples:
  cargo iam check policies/*.json
  cargo iam check --kind scp root.json --allow wide-allow --deny covered-statement
  cargo iam check 'template.json#/Resources/Reader/Properties/PolicyDocument'
  aws iam get-role --role-name r --query Role.AssumeRolePolicyDocument | cargo iam check -
  cargo iam check --format sarif policies/*.json > iam.sarif")]
pub(crate) struct Args {
    /// Policies: `file.json`, `file.json#/json/pointer`, `-`
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,

    /// What the policies are attached to
    #[arg(long, value_name = "KIND")]
    kind: Option<Kind>,

    /// The policies have `${name}` placeholders, which are not filled: values that hold one are not checked
    #[arg(long)]
    template: bool,

    /// Do not report a lint; may be repeated
    #[arg(long, value_name = "CODE", value_parser = lints())]
    allow: Vec<&'static str>,

    /// Report a lint as an error; may be repeated
    #[arg(long, value_name = "CODE", value_parser = lints(), hide_possible_values = true)]
    deny: Vec<&'static str>,

    /// For people, for programs, for code scanning, or as annotations of a GitHub workflow
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    Human,
    Json,
    Sarif,
    Github,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let (findings, failures) = Findings::of(args);
    let report = match args.format {
        Format::Human => human::report(&findings),
        Format::Json => json::report(&findings),
        Format::Sarif => sarif::report(&findings),
        Format::Github => github::report(&findings),
    };
    anstream::stdout().write_all(report.as_bytes()).map_err(Failure::Output)?;
    let failed = failures.iter().map(Failure::report).next_back();
    Ok(failed.unwrap_or_else(|| ExitCode::from(u8::from(findings.fail()))))
}

/// The lints, by code with or without the prefix.
fn lints() -> impl TypedValueParser<Value = &'static str> {
    let values = LINTS.iter().map(|lint| {
        let name = lint.code().trim_start_matches("lint::");
        PossibleValue::new(name).alias(lint.code()).help(lint.summary())
    });
    PossibleValuesParser::new(values).map(|name| Lint::find(&name).map_or("", Lint::code))
}
