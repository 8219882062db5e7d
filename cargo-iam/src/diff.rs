//! `cargo iam diff`: what a new policy grants that the old one did not, and the other way round.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use iam_policy::catalogue::Action;
use iam_policy::{Answer, Permissions, Request};
use serde::Serialize;

use crate::failure::Failure;
use crate::format::Format;
use crate::{input, paint};

/// Compare what two policies grant
///
/// The comparison is exact, whatever way the policies are written, and proven with a request that only one of them allows. The
/// actions are those of AWS's Service Authorization Reference, on resources of their own types; the answer as a whole is about
/// every action, those of tomorrow too.
#[derive(clap::Args)]
#[command(after_help = "\
Exit status: 0, with --fail-on-new-access 1 unless it is proven that NEW grants nothing beyond OLD, 2 if there is no answer.

Examples:
  cargo iam diff old.json new.json
  cargo iam diff main.json branch.json --fail-on-new-access --format json")]
pub(crate) struct Args {
    /// The policy before the change: a file, part of one (`file.json#/json/pointer`), or `-` for standard input
    old: String,

    /// The policy after it
    new: String,

    /// Exit with 1 if the new policy grants what the old one did not, or may
    #[arg(long)]
    fail_on_new_access: bool,

    /// For people, or JSON
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let (old, new) = (input::policy(&args.old)?.permissions(), input::policy(&args.new)?.permissions());
    let granted = Side::new(&new, &old);
    let lost = Side::new(&old, &new);
    let text = match args.format {
        Format::Human => {
            let sides = [granted.text("newly granted"), lost.text("no longer granted")];
            sides.concat()
        }
        Format::Json => {
            let report = Report { newly_granted: granted.report(), no_longer_granted: lost.report() };
            // Strings are always JSON.
            serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
        }
    };
    anstream::stdout().write_all(text.as_bytes()).map_err(Failure::Output)?;
    Ok(ExitCode::from(u8::from(args.fail_on_new_access && !granted.nothing.is_yes())))
}

/// What one policy grants beyond the other.
struct Side {
    /// Whether it is nothing.
    nothing: Answer,
    actions: Vec<(Action, Answer)>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'r> {
    newly_granted: SideReport<'r>,
    no_longer_granted: SideReport<'r>,
}

#[derive(Serialize)]
struct SideReport<'r> {
    /// `nothing`, `something` or `unknown`.
    answer: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<RequestReport<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    actions: Vec<ActionReport<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ActionReport<'r> {
    action: String,
    access_level: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<RequestReport<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct RequestReport<'r> {
    action: &'r str,
    resource: &'r str,
    context: BTreeMap<&'r str, &'r [String]>,
}

impl Side {
    fn new(of: &Permissions, beyond: &Permissions) -> Side {
        let nothing = of.is_subset(beyond);
        let actions = if nothing.is_yes() { Vec::new() } else { of.difference(beyond).actions() };
        Side { nothing, actions }
    }

    fn text(&self, heading: &str) -> String {
        let count = match self.actions.len() {
            _ if self.nothing.is_yes() => "nothing".to_owned(),
            1 => "1 action".to_owned(),
            count => format!("{count} actions"),
        };
        let mut text = format!("{}\n", paint::heading(&format!("{heading}: {count}")));
        // Writing to a string cannot fail.
        if let Some(unknown) = self.nothing.unknown() {
            let _ = writeln!(text, "  it cannot be told: {unknown}");
        }
        let mut groups: BTreeMap<(&str, String), Vec<&(Action, Answer)>> = BTreeMap::new();
        for one in &self.actions {
            let group = (one.0.service().prefix(), one.0.access_level().to_string());
            groups.entry(group).or_default().push(one);
        }
        for ((service, level), actions) in groups {
            let _ = writeln!(text, "  {service} · {level}");
            for (action, answer) in actions {
                let _ = writeln!(text, "    {}{}", action.name(), example(answer));
            }
        }
        if self.actions.is_empty()
            && let Some(found) = self.nothing.counterexample()
        {
            let _ =
                writeln!(text, "  but an action that the catalogue does not have:{}", shown(found.request()));
        }
        text
    }

    fn report(&self) -> SideReport<'_> {
        let action = |(action, answer): &'_ (Action, Answer)| {
            (action.to_string(), action.access_level().to_string(), reason(answer))
        };
        SideReport {
            answer: match self.nothing {
                Answer::No(_) => "something",
                Answer::Unknown(_) => "unknown",
                Answer::Yes => "nothing",
            },
            example: request(&self.nothing),
            reason: reason(&self.nothing),
            actions: self
                .actions
                .iter()
                .map(|one| {
                    let (name, access_level, reason) = action(one);
                    ActionReport { action: name, access_level, example: request(&one.1), reason }
                })
                .collect(),
        }
    }
}

fn request(answer: &Answer) -> Option<RequestReport<'_>> {
    let request = answer.counterexample()?.request();
    let context = request.context.iter().collect();
    Some(RequestReport { action: &request.action, resource: &request.resource, context })
}

fn reason(answer: &Answer) -> Option<String> {
    answer.unknown().map(ToString::to_string)
}

fn example(answer: &Answer) -> String {
    match answer {
        Answer::No(found) => shown(found.request()),
        Answer::Unknown(unknown) => format!(", perhaps: {unknown}"),
        Answer::Yes => String::new(),
    }
}

/// A resource, and the condition keys that have a value.
fn shown(request: &Request) -> String {
    let mut text = format!(" on {}", request.resource);
    for (key, values) in request.context.iter().filter(|(_, values)| !values.is_empty()) {
        // Writing to a string cannot fail.
        let _ = write!(text, ", {key} = {}", values.join(" and "));
    }
    text
}
