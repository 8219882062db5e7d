use std::borrow::Cow;
use std::fmt;

use iam_policy::records;

use super::route::{self, Route};
use crate::wire::headers::Headers;

/// A service of AWS.
#[derive(Clone, Copy)]
pub(crate) struct Service(&'static Head);

/// What the table says of a service: its first line read, for each call asks for some of it, and its operations unread.
pub(super) struct Head {
    fields: [&'static str; 10],
    block: &'static str,
}

impl Head {
    pub(super) fn read(block: &'static str) -> Self {
        let mut fields = [""; 10];
        let line = block.split_once('\n').map_or(block, |(line, _)| line);
        let mut rest = line.split('\t');
        for place in &mut fields {
            *place = rest.next().unwrap_or_default();
        }
        Self { fields, block }
    }
}

impl Service {
    pub(super) fn new(head: &'static Head) -> Self {
        Self(head)
    }

    /// botocore's name of it: `stepfunctions`.
    pub(crate) fn id(self) -> &'static str {
        self.field(0)
    }

    /// Its service id: `SFN`.
    pub(crate) fn name(self) -> &'static str {
        self.field(1)
    }

    /// Whether a user agent means it by what stands in `api/…`; every SDK has its own way with capitals and spaces.
    pub(crate) fn is_called(self, name: &str) -> bool {
        let (mut own, mut given) = (self.name().as_bytes(), name.as_bytes());
        loop {
            let pair = (next_letter(&mut own), next_letter(&mut given));
            if pair.0 != pair.1 || pair.0.is_none() {
                return pair.0 == pair.1;
            }
        }
    }

    /// The prefix of its actions in policies: `states`. Without one, AWS does not authorize it by policies.
    pub(crate) fn prefix(self) -> Option<&'static str> {
        Some(self.field(2)).filter(|prefix| *prefix != "-")
    }

    /// The name in the scope of its signatures.
    pub(crate) fn signing(self) -> &'static str {
        self.field(3)
    }

    /// The first label of its endpoints' host names.
    pub(crate) fn host(self) -> &'static str {
        self.field(4)
    }

    /// The protocols that it speaks, the one that its model prefers first: `cbor`, `ec2`, `json-1.0`, `json-1.1`, `query`,
    /// `rest-json`, `rest-xml`.
    pub(crate) fn protocols(self) -> impl Iterator<Item = &'static str> {
        self.field(5).split(',')
    }

    /// What stands before the dot in its `X-Amz-Target`.
    pub(crate) fn target(self) -> Option<&'static str> {
        filled(self.field(6))
    }

    /// The version of its API, a query's `Version`.
    pub(crate) fn version(self) -> &'static str {
        self.field(7)
    }

    /// Code and status of the error for who is not authorized, where its model has one of its own.
    pub(crate) fn denial(self) -> Option<(&'static str, u16)> {
        let (code, status) = self.field(8).split_once(':')?;
        Some((code, status.parse().ok()?))
    }

    /// Whether all its operations were checked by hand against AWS's documentation.
    #[cfg(test)]
    pub(super) fn is_checked(self) -> bool {
        self.field(9).split(' ').any(|flag| flag == "checked")
    }

    /// The value of `iam:PassedToService` where a caller passes it a role.
    pub(crate) fn receiver_of_roles(self) -> Option<Cow<'static, str>> {
        let named = self.field(9).split(' ').find_map(|flag| flag.strip_prefix("passes="));
        let derived = || Some(Cow::Owned(format!("{}.amazonaws.com", self.prefix()?)));
        named.map(Cow::Borrowed).or_else(derived)
    }

    /// Its operation of this name. It has no case.
    pub(crate) fn operation(self, name: &str) -> Option<Operation> {
        let line = records::find(self.0.block, '\n', &format!("o {name}"))?;
        Some(Operation { service: self, line })
    }

    /// Its operations, by name.
    pub(crate) fn operations(self) -> impl Iterator<Item = Operation> {
        records::all(self.0.block, '\n').map(move |line| Operation { service: self, line })
    }

    /// The operation that a REST request asks for.
    pub(crate) fn route(self, method: &str, path: &str, query: &str, headers: &Headers<'_>) -> Option<Route> {
        route::find(self, method, path, query, headers)
    }

    fn field(self, number: usize) -> &'static str {
        self.0.fields.get(number).copied().unwrap_or_default()
    }
}

impl PartialEq for Service {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for Service {}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Service({})", self.id())
    }
}

/// An operation of a service.
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    service: Service,
    line: &'static str,
}

impl Operation {
    pub(crate) fn name(self) -> &'static str {
        self.field(0).strip_prefix("o ").unwrap_or_default()
    }

    /// Method and URI template of a REST operation.
    pub(super) fn template(self) -> Option<&'static str> {
        filled(self.field(1))
    }

    /// Whether AWS takes it from anyone, without a signature.
    pub(crate) fn is_anonymous(self) -> bool {
        self.flags().any(|flag| flag == "anonymous")
    }

    /// Whether the whole body of a request is a blob.
    #[cfg(feature = "server")]
    pub(crate) fn has_blob_body(self) -> bool {
        self.flags().any(|flag| flag == "blob")
    }

    /// Whether another operation has taken its place, maybe with the same requests.
    pub(crate) fn is_deprecated(self) -> bool {
        self.flags().any(|flag| flag == "deprecated")
    }

    /// Whether its input is a stream of events.
    pub(crate) fn has_event_stream(self) -> bool {
        self.flags().any(|flag| flag == "stream")
    }

    /// What must be allowed, in the grammar of the table.
    pub(crate) fn checks(self) -> &'static str {
        self.field(3)
    }

    /// Its condition keys, tags and roles, in the grammar of the table.
    pub(crate) fn keys(self) -> &'static str {
        self.field(4)
    }

    fn flags(self) -> impl Iterator<Item = &'static str> {
        self.field(2).split(' ')
    }

    fn field(self, number: usize) -> &'static str {
        records::field(self.line, number)
    }
}

impl PartialEq for Operation {
    fn eq(&self, other: &Self) -> bool {
        self.service == other.service && self.name() == other.name()
    }
}

impl Eq for Operation {}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Operation({}:{})", self.service.id(), self.name())
    }
}

/// Takes the next letter or digit from a text; as a small one.
fn next_letter(rest: &mut &[u8]) -> Option<u8> {
    while let [byte, after @ ..] = *rest {
        *rest = after;
        if byte.is_ascii_alphanumeric() {
            return Some(byte.to_ascii_lowercase());
        }
    }
    None
}

fn filled(text: &'static str) -> Option<&'static str> {
    Some(text).filter(|text| !text.is_empty())
}
