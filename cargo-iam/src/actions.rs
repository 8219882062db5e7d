//! `cargo iam actions`: what the patterns of a policy reach.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use iam_policy::catalogue::{self, AccessLevel, Action};
use iam_policy::near;
use serde::Serialize;

use crate::failure::Failure;
use crate::format::{Format, cut};
use crate::paint;

/// List the actions that patterns reach, with counts
///
/// The actions are those of AWS's Service Authorization Reference. A `*` after a resource type says that each request for the
/// action names a resource of the type.
#[derive(clap::Args)]
#[command(after_help = "\
Exit status: 0 if every pattern reaches an action, 1 if one reaches none.

Examples:
  cargo iam actions 's3:Get*'
  cargo iam actions 'sqs:*Message' 'sns:Publish*' --format json
  cargo iam actions '*:*Tag*' --level tagging")]
pub(crate) struct Args {
    /// Patterns as in a policy's `Action`: `s3:Get*`, `iam:PassRole`, `*`
    #[arg(required = true, value_name = "PATTERN")]
    patterns: Vec<String>,

    /// Only actions of this access level
    #[arg(long, value_name = "LEVEL")]
    level: Option<Level>,

    /// A table or JSON
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Level {
    List,
    PermissionsManagement,
    Read,
    Tagging,
    Write,
}

impl From<Level> for AccessLevel {
    fn from(level: Level) -> AccessLevel {
        match level {
            Level::List => AccessLevel::List,
            Level::PermissionsManagement => AccessLevel::PermissionsManagement,
            Level::Read => AccessLevel::Read,
            Level::Tagging => AccessLevel::Tagging,
            Level::Write => AccessLevel::Write,
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let reach = Reach::new(args);
    let text = match args.format {
        Format::Human => reach.table(terminal_size::terminal_size().map(|(width, _)| width.0.into())),
        Format::Json => reach.json(),
    };
    anstream::stdout().write_all(text.as_bytes()).map_err(Failure::Output)?;
    for (pattern, _) in reach.patterns.iter().filter(|(_, count)| *count == 0) {
        let _ = writeln!(anstream::stderr(), "{}", paint::error(&nothing(pattern)));
    }
    let all_reach = reach.patterns.iter().all(|(_, count)| *count > 0);
    Ok(ExitCode::from(u8::from(!all_reach)))
}

/// What the patterns reach.
struct Reach<'a> {
    patterns: Vec<(&'a str, usize)>,
    /// By name, each once.
    actions: BTreeMap<String, Action>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'r> {
    count: usize,
    access_levels: BTreeMap<String, usize>,
    patterns: Vec<PatternReport<'r>>,
    actions: Vec<ActionReport<'r>>,
}

#[derive(Serialize)]
struct PatternReport<'r> {
    pattern: &'r str,
    count: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ActionReport<'r> {
    action: &'r str,
    access_level: String,
    resource_types: Vec<ResourceTypeReport>,
    condition_keys: Vec<&'static str>,
    dependent_actions: Vec<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceTypeReport {
    name: &'static str,
    required: bool,
    arn_formats: Vec<&'static str>,
}

impl<'a> Reach<'a> {
    fn new(args: &'a Args) -> Reach<'a> {
        let level = args.level.map(AccessLevel::from);
        let mut reach = Reach { patterns: Vec::new(), actions: BTreeMap::new() };
        for pattern in &args.patterns {
            let actions = catalogue::expand(pattern)
                .filter(|action| level.is_none_or(|level| action.access_level() == level))
                .map(|action| (action.to_string(), action));
            let actions: Vec<(String, Action)> = actions.collect();
            reach.patterns.push((pattern, actions.len()));
            reach.actions.extend(actions);
        }
        reach
    }

    fn by_level(&self) -> BTreeMap<AccessLevel, Vec<(&str, Action)>> {
        let mut levels: BTreeMap<AccessLevel, Vec<(&str, Action)>> = BTreeMap::new();
        for (name, action) in &self.actions {
            levels.entry(action.access_level()).or_default().push((name, *action));
        }
        levels
    }

    fn table(&self, width: Option<usize>) -> String {
        let mut table = String::new();
        let levels = self.by_level();
        let column = self.actions.keys().map(String::len).max().unwrap_or_default();
        // Writing to a string cannot fail.
        for (level, actions) in &levels {
            let _ = writeln!(table, "{}", paint::heading(&format!("{level} ({})", actions.len())));
            for (name, action) in actions {
                let row = format!("  {name:column$}  {}", resource_types(*action));
                let _ = writeln!(table, "{}", cut(row.trim_end(), width));
            }
            table.push('\n');
        }
        if self.patterns.len() > 1 {
            for (pattern, count) in &self.patterns {
                let _ = writeln!(table, "{pattern}: {count}");
            }
        }
        let counts: Vec<String> =
            levels.iter().map(|(level, actions)| format!("{level} {}", actions.len())).collect();
        let total = match self.actions.len() {
            0 => "no actions".to_owned(),
            1 => format!("1 action: {}", counts.join(", ")),
            count => format!("{count} actions: {}", counts.join(", ")),
        };
        let _ = writeln!(table, "{}", paint::heading(&total));
        table
    }

    fn json(&self) -> String {
        let report = Report {
            count: self.actions.len(),
            access_levels: self
                .by_level()
                .into_iter()
                .map(|(level, actions)| (level.to_string(), actions.len()))
                .collect(),
            patterns: self
                .patterns
                .iter()
                .map(|(pattern, count)| PatternReport { pattern, count: *count })
                .collect(),
            actions: self.actions.iter().map(|(name, action)| ActionReport::new(name, *action)).collect(),
        };
        // Strings and numbers are always JSON.
        let mut json = serde_json::to_string_pretty(&report).unwrap_or_default();
        json.push('\n');
        json
    }
}

impl<'r> ActionReport<'r> {
    fn new(name: &'r str, action: Action) -> ActionReport<'r> {
        let of_resources = action.resources().flat_map(|on| on.condition_keys().collect::<Vec<_>>());
        let mut condition_keys: Vec<&str> = action.condition_keys().chain(of_resources).collect();
        condition_keys.sort_unstable();
        condition_keys.dedup();
        ActionReport {
            action: name,
            access_level: action.access_level().to_string(),
            resource_types: action
                .resources()
                .map(|on| ResourceTypeReport {
                    name: on.resource_type().name(),
                    required: on.is_required(),
                    arn_formats: on.resource_type().arn_formats().collect(),
                })
                .collect(),
            condition_keys,
            dependent_actions: action.dependent_actions().collect(),
        }
    }
}

/// The names of the resource types on which an action acts.
fn resource_types(action: Action) -> String {
    let names = action
        .resources()
        .map(|on| format!("{}{}", on.resource_type().name(), if on.is_required() { "*" } else { "" }));
    names.collect::<Vec<_>>().join(", ")
}

/// Why a pattern reaches no action.
fn nothing(pattern: &str) -> String {
    let (prefix, name) = pattern.split_once(':').unwrap_or((pattern, ""));
    if prefix.is_empty() {
        return format!("`{pattern}` reaches no action: write `service:Action`");
    }
    let Some(service) = catalogue::service(prefix) else {
        let known = catalogue::near_services(prefix);
        return format!(
            "`{pattern}` reaches no action: there is no service `{prefix}`{}",
            did_you_mean("", &known)
        );
    };
    if name.is_empty() {
        return format!("`{pattern}` reaches no action: write `{prefix}:*`");
    }
    let known = near(name, service.actions().map(Action::name));
    format!("`{pattern}` reaches no action{}", did_you_mean(&format!("{prefix}:"), &known))
}

fn did_you_mean(prefix: &str, names: &[&str]) -> String {
    names.first().map_or(String::new(), |name| format!("; did you mean `{prefix}{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_reaches_nothing_is_answered_with_the_nearest_name() {
        assert_eq!(
            nothing("s33:GetObject"),
            "`s33:GetObject` reaches no action: there is no service `s33`; did you mean `s3`?"
        );
        assert_eq!(nothing("s3:GetObjct"), "`s3:GetObjct` reaches no action; did you mean `s3:GetObject`?");
        assert_eq!(nothing("s3"), "`s3` reaches no action: write `s3:*`");
        assert_eq!(nothing(""), "`` reaches no action: write `service:Action`");
    }
}
