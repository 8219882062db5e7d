//! `cargo iam`: AWS IAM policies on the command line.
//!
//! ```text
//! check FILES…       input ─▶ Policy::parse, lint ─▶ human · json · sarif · github
//! explain            input, request ─▶ PolicySet::explain ─▶ human · json
//! decide [FILE|-]    chunks of lines ─▶ workers: question ─▶ PolicySet::decide ─▶ answers, in order
//! diff OLD NEW       Permissions::difference ─▶ human · json
//! minimize POLICY    Policy::minimized ─▶ JSON
//! venn A B [C]       Permissions::actions ─▶ svg · json
//! actions PATTERN…   catalogue::expand ─▶ table · json
//! run -- COMMAND     iam-fixture's role ─▶ its credentials in the command's environment ─▶ the command's exit status
//! serve              iam-endpoint on a port ─▶ exports · journal of decisions
//! sweep              iam_fixture::sweep ─▶ what killed test runs left · its removal
//! completions SHELL
//! ```
//!
//! All that is about policies is in `iam-policy`, and the endpoint in `iam-endpoint`; here is what reads files, writes reports and sets the exit status.

mod actions;
mod check;
mod cli;
mod decide;
mod diff;
mod explain;
mod failure;
mod format;
mod input;
mod kind;
mod minimize;
mod paint;
mod request;
mod run;
mod serve;
mod statement;
mod sweep;
mod venn;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(std::env::args_os()).unwrap_or_else(|failure| failure.report())
}
