//! The ARN of a resource, from the format that the Service Authorization Reference gives for its type.

use iam_policy::Arn;
use iam_policy::catalogue::ResourceType;

use super::resource::Resource;
use super::scope::Scope;

/// What a resource has that nobody can name: a wildcard, as in AWS's own requests (`instance/*` for `ec2:RunInstances`).
pub(super) const ANY: &str = "*";

/// A format of ARNs, as `arn:${Partition}:dynamodb:${Region}:${Account}:table/${TableName}`.
#[derive(Debug)]
pub(crate) struct Format {
    pieces: Vec<Piece>,
    /// How many variables it has of its own.
    pub(super) variables: usize,
}

#[derive(Debug)]
enum Piece {
    Account,
    Any,
    /// A variable of the format's own, with what stands before it in the same part of the resource.
    Own {
        mark: &'static str,
    },
    Partition,
    Region,
    Text(&'static str),
}

impl Format {
    /// Those that the Reference gives for a type, in its order.
    pub(super) fn all(resource_type: ResourceType) -> Vec<Self> {
        let mut formats = Vec::new();
        for format in resource_type.arn_formats() {
            formats.push(Self::read(format));
        }
        formats
    }

    fn read(format: &'static str) -> Self {
        let (mut pieces, mut variables, mut colons) = (Vec::new(), 0, 0);
        let mut rest = format;
        while let Some((before, variable)) = rest.split_once("${") {
            pieces.push(Piece::Text(before));
            colons += before.matches(':').count();
            rest = variable.split_once('}').map_or("", |(_, after)| after);
            // By place: the account's variable has several names.
            pieces.push(match colons {
                1 => Piece::Partition,
                2 => Piece::Any,
                3 => Piece::Region,
                4 => Piece::Account,
                _ => {
                    variables += 1;
                    Piece::Own { mark: before.rsplit(['/', ':']).next().unwrap_or_default() }
                }
            });
        }
        pieces.push(Piece::Text(rest));
        Self { pieces, variables }
    }
}

/// Fills the format that has as many variables as there are values, or else the first. `values` are those of its own
/// variables, in order; one that is missing is `*`, and one value for several variables is the last one's.
pub(super) fn build(scope: &Scope<'_>, formats: &[Format], values: &[&str]) -> String {
    let fitting = formats.iter().find(|format| format.variables == values.len());
    let Some(Format { pieces, variables }) = fitting.or(formats.first()) else { return ANY.to_owned() };
    let mut missing = if values.len() == 1 { variables.saturating_sub(1) } else { 0 };
    let mut values = values.iter();
    let mut arn = String::with_capacity(96);
    for piece in pieces {
        arn.push_str(match piece {
            Piece::Account => scope.account,
            Piece::Any => ANY,
            // `policy/…/p-${PolicyId}`: the ids of some services begin with what the format has before them.
            Piece::Own { .. } if missing > 0 => {
                missing -= 1;
                ANY
            }
            Piece::Own { mark } => {
                values.next().map_or(ANY, |value| value.strip_prefix(mark).unwrap_or(value))
            }
            Piece::Partition => scope.endpoint.partition,
            Piece::Region => scope.region,
            Piece::Text(text) => text,
        });
    }
    arn
}

/// How many rows columns of names have.
pub(super) fn rows<T>(columns: &[Vec<T>]) -> usize {
    let mut most = 1;
    for column in columns {
        most = most.max(column.len());
    }
    most
}

/// A row of columns of names: what there is once goes with each of what there is several times, and what is missing is `*`.
pub(super) fn row<T: AsRef<str>>(columns: &[Vec<T>], number: usize) -> Vec<&str> {
    let mut cells = Vec::with_capacity(columns.len());
    for column in columns {
        let number = if column.len() == 1 { 0 } else { number };
        cells.push(column.get(number).map_or(ANY, AsRef::as_ref));
    }
    cells
}

/// Whether the text names a resource by its whole ARN.
pub(super) fn is_arn(text: &str) -> bool {
    Arn::parse(text).is_some()
}

/// What an ARN calls its resource in the end.
pub(super) fn tail(text: &str) -> &str {
    Resource::of(text).name()
}
