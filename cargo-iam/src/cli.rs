//! The command line as a whole: its sub-commands, and what they have in common.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::{actions, check, decide, diff, explain, minimize, run, serve, sweep, venn};

/// Check, explain and decide AWS IAM policies, offline
#[derive(Parser)]
#[command(
    name = "cargo-iam",
    bin_name = "cargo iam",
    version,
    max_term_width = 100,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// When to use colour; `auto` asks the terminal, `NO_COLOR` and `CLICOLOR_FORCE`
    #[arg(long, global = true, display_order = 900, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    color: ColorChoice,
}

#[derive(Subcommand)]
enum Command {
    Actions(actions::Args),
    Check(check::Args),
    Completions(Completions),
    Decide(decide::Args),
    Diff(diff::Args),
    Explain(explain::Args),
    Minimize(minimize::Args),
    Run(run::Args),
    Serve(serve::Args),
    Sweep(sweep::Args),
    Venn(venn::Args),
}

/// Write a shell's completions for `cargo-iam`
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cargo iam completions bash > ~/.local/share/bash-completion/completions/cargo-iam
  cargo iam completions fish > ~/.config/fish/completions/cargo-iam.fish")]
struct Completions {
    shell: Shell,
}

/// Runs what the arguments of the process ask for.
pub(crate) fn run(arguments: impl Iterator<Item = OsString>) -> Result<ExitCode, Failure> {
    let cli = Cli::parse_from(without_subcommand_name(arguments));
    match cli.color {
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
    match cli.command {
        Command::Actions(args) => actions::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Completions(args) => completions(args.shell),
        Command::Decide(args) => decide::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Minimize(args) => minimize::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Sweep(args) => sweep::run(&args),
        Command::Venn(args) => venn::run(&args),
    }
}

/// Cargo runs `cargo iam check` as `cargo-iam iam check`.
fn without_subcommand_name(arguments: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    arguments
        .enumerate()
        .filter(|(index, argument)| *index != 1 || argument != "iam")
        .map(|(_, argument)| argument)
}

fn completions(shell: Shell) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "cargo-iam", &mut script);
    std::io::stdout().write_all(&script).map_err(Failure::Output)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_of_the_arguments_is_sound() {
        Cli::command().debug_assert();
    }
}
