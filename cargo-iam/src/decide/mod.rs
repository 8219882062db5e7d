//! `cargo iam decide`: one question a line, one answer a line, in the same order.
//!
//! ```text
//! input ─ lines ─▶ chunk 0 ─▶ worker 0 ─▶ answers ─┐
//!                  chunk 1 ─▶ worker 1 ─▶ answers ─┤ in turns ─▶ output
//!                  chunk 2 ─▶ worker 0 ─▶ answers ─┘
//!
//! worker:  line ─ members ─▶ question ─▶ PolicySet::decide ─▶ answer
//!                               └─ policies: parsed once a text
//! ```

mod answer;
mod lines;
mod members;
mod policies;
mod problem;
mod question;
mod stream;

use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::thread;

use crate::failure::Failure;

/// Decide a stream of requests: one JSON object a line in, one a line out
#[derive(clap::Args)]
#[command(
    long_about = include_str!("contract.txt").trim_end(),
    after_help = "\
Exit status: 0 if every line was answered, 2 if the input cannot be read.

Examples:
  cargo iam decide questions.jsonl > answers.jsonl
  generate | cargo iam decide | jq -c 'select(.decision == \"invalid\")'"
)]
pub(crate) struct Args {
    /// The questions; `-` for standard input
    #[arg(default_value = "-")]
    file: String,

    /// How many threads decide; as many as there are cores, unless told
    #[arg(long, short, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let cores = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let jobs = args.jobs.unwrap_or_else(cores);
    let unreadable = |error| Failure::Input { name: args.file.clone(), error };
    let input: Box<dyn Read + Send> = match &*args.file {
        "-" => Box::new(io::stdin()),
        path => Box::new(File::open(path).map_err(unreadable)?),
    };
    stream::run(input, &mut io::stdout().lock(), jobs).map_err(|failure| match failure {
        stream::Broken::Input(error) => unreadable(error),
        stream::Broken::Output(error) => Failure::Output(error),
    })?;
    Ok(ExitCode::SUCCESS)
}
