//! `cargo iam venn`: what two or three policies allow, as a diagram of their sets.
//!
//! ```text
//! regions   which actions of the catalogue which policies allow   ─▶ JSON
//! layout    circles with areas in proportion, and what is where   ─┐
//! labels    where each region has room for its text                ├─▶ SVG
//! draw      shapes and texts, for light and dark pages            ─┘
//! ```

mod draw;
mod labels;
mod layout;
mod regions;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::failure::Failure;
use crate::input;
use regions::Regions;

/// Draw what two or three policies allow, as overlapping circles
///
/// The rectangle is every action of AWS's Service Authorization Reference, a circle the actions that a policy allows on some
/// resource of theirs and under some condition. Areas are in proportion as far as circles can be.
#[derive(clap::Args)]
#[command(after_help = "\
Exit status: 0, or 2 if there is no answer.

Examples:
  cargo iam venn ReadOnlyAccess PowerUserAccess -o venn.svg
  cargo iam venn old.json new.json guardrail.json --format json")]
pub(crate) struct Args {
    /// A file, part of one (`file.json#/json/pointer`), an AWS managed policy by name or ARN, or `-` for standard input
    #[arg(required = true, num_args = 2..=3, value_name = "POLICY")]
    policies: Vec<String>,

    /// The file to write, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// A picture, or its figures
    #[arg(long, value_name = "FORMAT", default_value = "svg")]
    format: Format,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    Json,
    Svg,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let mut sets = Vec::new();
    for argument in &args.policies {
        sets.push((name(argument), input::policy(argument)?.permissions()));
    }
    let regions = Regions::new(&sets);
    let text = match args.format {
        Format::Json => regions.json(),
        Format::Svg => draw::svg(&regions),
    };
    match &args.output {
        None => anstream::stdout().write_all(text.as_bytes()).map_err(Failure::Output)?,
        Some(path) => std::fs::write(path, text)
            .map_err(|error| Failure::File { path: path.display().to_string(), error })?,
    }
    for unknown in &regions.unknown {
        let _ =
            writeln!(anstream::stderr(), "{}", crate::paint::error(&format!("cannot be told: {unknown}")));
    }
    Ok(ExitCode::SUCCESS)
}

/// What a policy is called in the diagram: a file without its folder and extension.
fn name(argument: &str) -> String {
    let (path, pointer) = argument.split_once('#').unwrap_or((argument, ""));
    let part = if pointer.is_empty() { path } else { pointer };
    let last = part.rsplit('/').next().unwrap_or(part);
    last.strip_suffix(".json").unwrap_or(last).to_owned()
}
