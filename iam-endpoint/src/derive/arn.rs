//! The ARN of a resource, from the format that the Service Authorization Reference gives for its type.

use iam_policy::Arn;
use iam_policy::catalogue::ResourceType;

use super::scope::Scope;

/// What a resource has that nobody can name: a wildcard, as in AWS's own requests (`instance/*` for `ec2:RunInstances`).
pub(super) const ANY: &str = "*";

/// Fills the type's format. `values` are those of its own variables, in order; one that is missing is `*`, and one value
/// for several variables is the last one's.
pub(super) fn build(
    scope: &Scope<'_>,
    resource_type: ResourceType,
    format: Option<usize>,
    values: &[&str],
) -> String {
    let formats = || resource_type.arn_formats();
    let fits = |format: &&str| variables(format) == values.len();
    let format = match format {
        Some(number) => formats().nth(number),
        None => formats().find(fits).or_else(|| formats().next()),
    };
    let mut arn = String::with_capacity(96);
    let mut rest = format.unwrap_or(ANY);
    let first = if values.len() == 1 { variables(rest).saturating_sub(1) } else { 0 };
    let mut values = std::iter::repeat_n(&ANY, first).chain(values);
    while let Some((before, variable)) = rest.split_once("${") {
        arn.push_str(before);
        let mark = before.rsplit(['/', ':']).next().unwrap_or_default();
        rest = variable.split_once('}').map_or("", |(_, after)| after);
        // By place: the account's variable has several names.
        arn.push_str(match arn.bytes().filter(|byte| *byte == b':').count() {
            1 => scope.endpoint.partition,
            2 => ANY,
            3 => scope.region,
            4 => scope.account,
            // `policy/…/p-${PolicyId}`: the ids of some services begin with what the format has before them.
            _ => values.next().map_or(ANY, |value| value.strip_prefix(mark).unwrap_or(value)),
        });
    }
    arn.push_str(rest);
    arn
}

/// The rows of columns of names: what there is once goes with each of what there is several times, and what is missing is `*`.
pub(super) fn rows<'c, T: AsRef<str>>(columns: &'c [Vec<T>]) -> impl ExactSizeIterator<Item = Vec<&'c str>> {
    let count = columns.iter().map(Vec::len).max().unwrap_or_default().max(1);
    let cell = |column: &'c Vec<T>, row: usize| {
        column.get(if column.len() == 1 { 0 } else { row }).map_or(ANY, AsRef::as_ref)
    };
    (0..count).map(move |row| columns.iter().map(|column| cell(column, row)).collect())
}

/// How many variables a format has of its own, in its resource part.
pub(crate) fn variables(format: &str) -> usize {
    format.splitn(6, ':').nth(5).unwrap_or_default().matches("${").count()
}

/// Whether the text names a resource by its whole ARN.
pub(super) fn is_arn(text: &str) -> bool {
    text.starts_with("arn:") && Arn::parse(text).is_some()
}

/// What an ARN calls its resource in the end: the name of a role without its path.
pub(super) fn tail(text: &str) -> &str {
    if is_arn(text) { text.rsplit(['/', ':']).next().unwrap_or(text) } else { text }
}
