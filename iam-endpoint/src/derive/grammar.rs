//! The grammar of the table's checks and keys; the generator's docstring and the overlay files tell what they mean.
//!
//! ```text
//! CHECKS := '-' | '?' | CHECK (' | ' CHECK)*
//! CHECK  := [prefix:]Action [@TARGET (,TARGET)*] (' if ' TESTS | ' unless ' TESTS)*
//! TARGET := [prefix:]type[:N] [?] [+] [=VALUE (;VALUE)*]  N: which of the type's ARN formats
//!         | '*' [+] =VALUE                                an ARN, of whatever type
//! VALUE  := TERM (' / ' TERM)*                            the first that is there
//! TERM   := 'literal' | function(VALUE, …) | path
//! TESTS  := TEST (' and ' TEST)*
//! TEST   := path | path='text' | path~'text'              is there, equals, begins with (ignoring case)
//! KEYS   := KEY (' | ' KEY)*
//! KEY    := key=VALUE [' for ' action] | tags=VALUE | roles=VALUE (' ' VALUE)* | passes=service
//! ```

use iam_policy::catalogue::{self, ResourceType, Service};

use super::arn::Format;
use super::function::{FUNCTIONS, Function};
use crate::wire::input::Path;

/// What an operation needs to be allowed.
#[derive(Debug)]
pub(crate) enum Checks<'t> {
    All(Vec<Check<'t>>),
    /// AWS asks no policy.
    Nothing,
    /// Nobody has told yet.
    Unknown,
}

#[derive(Debug)]
pub(crate) struct Check<'t> {
    /// With its prefix: `dynamodb:GetItem`.
    pub(crate) action: String,
    pub(crate) targets: Vec<Target<'t>>,
    pub(crate) conditions: Vec<Condition<'t>>,
}

#[derive(Debug)]
pub(crate) struct Target<'t> {
    /// `None` where the value is an ARN of whatever type.
    pub(crate) resource_type: Option<ResourceType>,
    /// The type's ARN formats, or the one that is named.
    pub(crate) formats: Vec<Format>,
    pub(crate) is_optional: bool,
    /// Whether the request makes it, so that it has no tags yet.
    pub(crate) is_new: bool,
    /// One for each variable of the ARN format, or a single one; none for a resource that has no name yet.
    pub(crate) values: Vec<Value<'t>>,
}

/// The first of these that is there.
#[derive(Debug)]
pub(crate) struct Value<'t>(pub(crate) Vec<Term<'t>>);

#[derive(Debug)]
pub(crate) enum Term<'t> {
    Call(&'static Function, Vec<Value<'t>>),
    Literal(&'t str),
    Path(Path<'t>),
}

#[derive(Debug)]
pub(crate) struct Condition<'t> {
    /// `unless`.
    pub(crate) is_negated: bool,
    pub(crate) tests: Vec<Test<'t>>,
}

#[derive(Debug)]
pub(crate) struct Test<'t> {
    pub(crate) path: Path<'t>,
    pub(crate) expected: Expected<'t>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected<'t> {
    Equals(&'t str),
    Present,
    StartsWith(&'t str),
}

#[derive(Debug)]
pub(crate) enum Key<'t> {
    Condition {
        name: &'t str,
        value: Value<'t>,
        /// The one of the operation's actions that has the key with this value; all of them, if there is none.
        action: Option<&'t str>,
    },
    /// Whom the roles are passed to, where it is not the service's default.
    Passes(&'t str),
    Roles(Vec<Value<'t>>),
    Tags(Value<'t>),
}

/// What is wrong with a text of the grammar.
pub(crate) type Wrong = String;

/// Reads checks of a service whose actions have the prefix `own`. Every name in them is looked up in the Service
/// Authorization Reference.
pub(crate) fn checks<'t>(text: &'t str, own: &str) -> Result<Checks<'t>, Wrong> {
    match text {
        "-" => Ok(Checks::Nothing),
        "?" => Ok(Checks::Unknown),
        _ => {
            let mut checks = Vec::new();
            for text in split(text, " | ") {
                checks.push(check(text, own)?);
            }
            Ok(Checks::All(checks))
        }
    }
}

pub(crate) fn keys(text: &str) -> Result<Vec<Key<'_>>, Wrong> {
    let mut keys = Vec::new();
    for text in text.split('\t') {
        for text in split(text, " | ") {
            if !text.is_empty() {
                keys.push(key(text)?);
            }
        }
    }
    Ok(keys)
}

fn check<'t>(text: &'t str, own: &str) -> Result<Check<'t>, Wrong> {
    let (main, mut rest) = before_condition(text);
    let mut conditions = Vec::new();
    while let Some((word, after)) = rest {
        let (given, more) = before_condition(after);
        let mut tests = Vec::new();
        for text in split(given, " and ") {
            tests.push(test(text)?);
        }
        conditions.push(Condition { is_negated: word == UNLESS, tests });
        rest = more;
    }
    let (action, of_targets) = main.split_once('@').unwrap_or((main, ""));
    let (prefix, name) = prefixed(action.trim());
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(format!("`{text}` begins with no action, as `GetItem` or `iam:PassRole` is"));
    }
    let prefix = prefix.unwrap_or(own);
    let of = service(prefix)?;
    let action = of.action(name).ok_or_else(|| {
        format!("there is no action `{prefix}:{name}`{}", did_you_mean(&of.near_actions(name)))
    })?;
    let mut targets = Vec::new();
    if main.contains('@') {
        for text in split(of_targets, ",") {
            targets.push(target(text, prefix)?);
        }
    }
    Ok(Check { action: action.to_string(), targets, conditions })
}

fn service(prefix: &str) -> Result<Service, Wrong> {
    catalogue::service(prefix).ok_or_else(|| {
        format!("no service has the prefix `{prefix}`{}", did_you_mean(&catalogue::near_services(prefix)))
    })
}

pub(crate) fn did_you_mean(near: &[&str]) -> String {
    near.first().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

const IF: &str = " if ";
const UNLESS: &str = " unless ";

/// The text up to the next condition, that condition's word, and what comes after it.
fn before_condition(text: &str) -> (&str, Option<(&'static str, &str)>) {
    let (at, word) = match (first_outside(text, IF), first_outside(text, UNLESS)) {
        (Some(at), other) if other.is_none_or(|other| at < other) => (at, IF),
        (_, Some(at)) => (at, UNLESS),
        _ => return (text, None),
    };
    let (before, after) = text.split_at(at);
    (before, Some((word, after.get(word.len()..).unwrap_or_default())))
}

fn target<'t>(text: &'t str, of_action: &str) -> Result<Target<'t>, Wrong> {
    let (head, values) = text.split_once('=').map_or((text, None), |(head, values)| (head, Some(values)));
    let (head, is_made) = head.trim().strip_suffix('+').map_or((head, false), |head| (head, true));
    let (head, is_optional) = head.trim().strip_suffix('?').map_or((head.trim(), false), |head| (head, true));
    let (head, format) = match head.rsplit_once(':') {
        Some((before, number)) if number.bytes().all(|b| b.is_ascii_digit()) => {
            (before, number.parse::<usize>().ok())
        }
        _ => (head, None),
    };
    let format = format.and_then(|number| number.checked_sub(1));
    let (prefix, name) = prefixed(head);
    if name.is_empty() {
        return Err(format!("`{text}` names no resource type"));
    }
    let prefix = prefix.unwrap_or(of_action);
    let values = values.map_or_else(|| Ok(Vec::new()), |texts| self::values(texts, ";"))?;
    let is_new = is_made || values.is_empty();
    if name == "*" {
        return Ok(Target { resource_type: None, formats: Vec::new(), is_optional, is_new, values });
    }
    let service = service(prefix)?;
    let resource_type = service.resource_type(name).ok_or_else(|| {
        let near = iam_policy::near(name, service.resource_types().map(ResourceType::name));
        format!("`{prefix}` has no resource type `{name}`{}", did_you_mean(&near))
    })?;
    let mut formats = Format::all(resource_type);
    if values.len() > 1 && !formats.iter().any(|format| format.variables == values.len()) {
        let formats: Vec<_> = resource_type.arn_formats().collect();
        return Err(format!("{} values do not fill `{}`", values.len(), formats.join("` or `")));
    }
    if let Some(number) = format {
        formats.truncate(number.saturating_add(1));
        formats.drain(..number.min(formats.len()));
    }
    Ok(Target { resource_type: Some(resource_type), formats, is_optional, is_new, values })
}

fn values<'t>(text: &'t str, separator: &str) -> Result<Vec<Value<'t>>, Wrong> {
    let mut values = Vec::new();
    for text in split(text, separator) {
        values.push(value(text)?);
    }
    Ok(values)
}

fn value(text: &str) -> Result<Value<'_>, Wrong> {
    let mut terms = Vec::new();
    for text in split(text, " / ") {
        terms.push(term(text)?);
    }
    Ok(Value(terms))
}

fn term(text: &str) -> Result<Term<'_>, Wrong> {
    let text = text.trim();
    if let Some(literal) = literal(text) {
        return Ok(Term::Literal(literal));
    }
    let Some((name, arguments)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) else {
        return path(text).map(Term::Path);
    };
    let function = FUNCTIONS
        .iter()
        .find(|function| function.name == name)
        .ok_or_else(|| format!("`{name}` is not a function"))?;
    let mut given = Vec::new();
    for text in split(arguments, ",") {
        if !text.is_empty() {
            given.push(value(text)?);
        }
    }
    Ok(Term::Call(function, given))
}

fn path(text: &str) -> Result<Path<'_>, Wrong> {
    let is_fine = !text.is_empty() && !text.contains(['\'', '(', ')', '=', '~', '@', '|']);
    is_fine.then(|| Path::read(text)).ok_or_else(|| format!("`{text}` is no path, literal or function"))
}

fn literal(text: &str) -> Option<&str> {
    text.strip_prefix('\'')?.strip_suffix('\'').filter(|text| !text.contains('\''))
}

fn test(text: &str) -> Result<Test<'_>, Wrong> {
    let text = text.trim();
    let Some(at) = text.find(['=', '~']) else {
        return Ok(Test { path: path(text)?, expected: Expected::Present });
    };
    let (of, expected) = text.split_at(at);
    let (sign, quoted) = expected.split_at(1);
    let quoted = literal(quoted).ok_or_else(|| format!("`{text}` compares with no text in quotes"))?;
    let expected = if sign == "=" { Expected::Equals(quoted) } else { Expected::StartsWith(quoted) };
    Ok(Test { path: path(of)?, expected })
}

fn key(text: &str) -> Result<Key<'_>, Wrong> {
    let (name, given) = text.split_once('=').ok_or_else(|| format!("`{text}` is no `key=VALUE`"))?;
    match name {
        "passes" => Ok(Key::Passes(given)),
        "roles" => values(given, " ").map(Key::Roles),
        "tags" => value(given).map(Key::Tags),
        _ if name.contains(':') => {
            let parts = split(given, " for ");
            let given = parts.first().copied().unwrap_or_default();
            Ok(Key::Condition { name, value: value(given)?, action: parts.get(1).copied() })
        }
        _ => Err(format!("`{name}` is no condition key")),
    }
}

fn prefixed(text: &str) -> (Option<&str>, &str) {
    text.split_once(':').map_or((None, text), |(prefix, name)| (Some(prefix), name))
}

/// Splits where neither quotes nor parentheses are open; the parts are trimmed.
fn split<'t>(text: &'t str, separator: &str) -> Vec<&'t str> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some(at) = first_outside(rest, separator) {
        let (part, after) = rest.split_at(at);
        parts.push(part.trim());
        rest = after.get(separator.len()..).unwrap_or_default();
    }
    parts.push(rest.trim());
    parts
}

fn first_outside(text: &str, separator: &str) -> Option<usize> {
    // Most texts have none, and finding that out is the standard library's own compiled work.
    let first = text.find(separator)?;
    if !text.contains(['\'', '(']) {
        return Some(first);
    }
    let (mut depth, mut is_quoted) = (0_usize, false);
    for (at, byte) in text.bytes().enumerate() {
        if depth == 0 && !is_quoted && text.get(at..).is_some_and(|rest| rest.starts_with(separator)) {
            return Some(at);
        }
        match byte {
            b'\'' => is_quoted = !is_quoted,
            b'(' if !is_quoted => depth += 1,
            b')' if !is_quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}
