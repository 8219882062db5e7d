//! `cargo iam diff`: what a new policy grants that the old one did not, and the other way round.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use iam_policy::catalogue::Action;
use iam_policy::{Answer, Counterexample, Policy, PolicySet, Request, StatementRef};
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
    /// The policy before the change: a file, part of one (`file.json#/json/pointer`), an AWS managed policy by name or ARN, or
    /// `-` for standard input
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
    let (old, new) = (input::policy(&args.old)?, input::policy(&args.new)?);
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
    actions: Vec<Granted>,
}

struct Granted {
    action: Action,
    answer: Answer,
    /// The statements that grant it in the request of the answer.
    by: Vec<StatementRef>,
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
    /// Only where a `*` of a resource matches beyond a colon of an ARN.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    crosses_colons: bool,
    granted_by: Vec<StatementReport<'r>>,
}

/// A statement that grants an action: on what, and under which conditions.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatementReport<'r> {
    statement: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'r str>,
    line: usize,
    column: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resources: Vec<&'r str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_resources: Vec<&'r str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    conditions: Vec<ConditionReport<'r>>,
}

#[derive(Serialize)]
struct ConditionReport<'r> {
    operator: String,
    key: &'r str,
    values: Vec<&'r str>,
}

#[derive(Serialize)]
struct RequestReport<'r> {
    action: &'r str,
    resource: &'r str,
    context: BTreeMap<&'r str, &'r [String]>,
}

impl Side {
    fn new(of: &Policy, beyond: &Policy) -> Side {
        let difference = of.permissions().difference(&beyond.permissions());
        let nothing = difference.is_empty();
        let actions = if nothing.is_yes() { Vec::new() } else { difference.actions() };
        let alone = PolicySet { identity: vec![of.clone()].into(), ..PolicySet::default() };
        let granted = |(action, answer): (Action, Answer)| {
            let found = answer.counterexample();
            let by = found.map(|found| alone.decide(found.request()).by).unwrap_or_default();
            Granted { action, answer, by }
        };
        Side { nothing, actions: actions.into_iter().map(granted).collect() }
    }

    fn text(&self, heading: &str) -> String {
        let (crossing, actions): (Vec<&Granted>, Vec<_>) =
            self.actions.iter().partition(|one| one.crosses_colons());
        let count = match actions.len() {
            _ if self.nothing.is_yes() => "nothing".to_owned(),
            1 => "1 action".to_owned(),
            count => format!("{count} actions"),
        };
        let mut text = format!("{}\n", paint::heading(&format!("{heading}: {count}")));
        // Writing to a string cannot fail.
        if let Some(unknown) = self.nothing.unknown() {
            let _ = writeln!(text, "  it cannot be told: {unknown}");
        }
        let mut groups: BTreeMap<(&str, String, Vec<String>), Vec<&Granted>> = BTreeMap::new();
        for one in actions {
            let (service, level) = (one.action.service().prefix(), one.action.access_level().to_string());
            groups.entry((service, level, one.by.iter().map(grant).collect())).or_default().push(one);
        }
        let mut heading = String::new();
        for ((service, level, grants), actions) in groups {
            let of_group = format!("  {service} · {level}");
            if of_group != heading {
                let _ = writeln!(text, "{of_group}");
                heading = of_group;
            }
            for one in actions {
                let _ = writeln!(text, "    {}{}", one.action.name(), example(&one.answer));
            }
            for grant in grants {
                let _ = writeln!(text, "      {grant}");
            }
        }
        if !crossing.is_empty() {
            let _ = writeln!(
                text,
                "  and, where a `*` matches beyond a colon of an ARN, which AWS's own policy checks do not count:"
            );
        }
        for one in crossing {
            let _ = writeln!(text, "    {}{}", one.action, example(&one.answer));
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
                .map(|one| ActionReport {
                    action: one.action.to_string(),
                    access_level: one.action.access_level().to_string(),
                    example: request(&one.answer),
                    reason: reason(&one.answer),
                    crosses_colons: one.crosses_colons(),
                    granted_by: one.by.iter().map(StatementReport::from).collect(),
                })
                .collect(),
        }
    }
}

impl Granted {
    fn crosses_colons(&self) -> bool {
        self.answer.counterexample().is_some_and(Counterexample::crosses_colons)
    }
}

impl<'r> From<&'r StatementRef> for StatementReport<'r> {
    fn from(of: &'r StatementRef) -> StatementReport<'r> {
        let (statement, location) = (of.statement(), of.location());
        let resources = statement.resources();
        let is_negated = resources.as_ref().is_some_and(|resources| resources.is_negated);
        let texts =
            resources.into_iter().flat_map(|resources| resources.values).map(|value| value.text).collect();
        let (resources, not_resources) = if is_negated { (Vec::new(), texts) } else { (texts, Vec::new()) };
        let conditions = statement.conditions().iter().map(|condition| ConditionReport {
            operator: condition.operator(),
            key: condition.key(),
            values: condition.values().map(|value| value.text).collect(),
        });
        StatementReport {
            statement: of.index(),
            sid: of.sid(),
            line: location.line,
            column: location.column,
            resources,
            not_resources,
            conditions: conditions.collect(),
        }
    }
}

/// On what a statement grants, under which conditions, and where it stands.
fn grant(of: &StatementRef) -> String {
    let report = StatementReport::from(of);
    let mut text = if report.not_resources.is_empty() {
        format!("on {}", few(&report.resources, "and"))
    } else {
        format!("on all but {}", few(&report.not_resources, "and"))
    };
    for (word, condition) in std::iter::once("if").chain(std::iter::repeat("and")).zip(&report.conditions) {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            ", {word} {} {}: {}",
            condition.key,
            condition.operator,
            few(&condition.values, "or")
        );
    }
    text + &format!(", by {of}")
}

/// The first of some texts, in a few words.
fn few(texts: &[&str], word: &str) -> String {
    const SHOWN: usize = 3;
    let shown = texts.iter().take(SHOWN).copied().collect::<Vec<_>>().join(&format!(" {word} "));
    match texts.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} {word} {more} more"),
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
