use std::fmt;

use super::overlap::overlap;
use crate::records;

/// A condition key of a service.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ConditionKey {
    line: &'static str,
}

impl ConditionKey {
    pub(super) fn new(line: &'static str) -> Self {
        Self { line }
    }

    /// Its name, as the Reference has it: `s3:prefix`, `ec2:ResourceTag/${TagKey}`.
    #[must_use]
    pub fn name(self) -> &'static str {
        records::name_of(self.line)
    }

    /// The type of its values.
    #[must_use]
    pub fn value_type(self) -> ValueType {
        let name = self.reference_type();
        ValueType::of(name.strip_prefix(ARRAY).unwrap_or(name))
    }

    /// Whether a request can have several values for it, so that conditions on it need `ForAllValues` or `ForAnyValue`.
    #[must_use]
    pub fn is_multivalued(self) -> bool {
        self.reference_type().starts_with(ARRAY)
    }

    pub(super) fn is_template(self) -> bool {
        self.name().contains('$')
    }

    pub(super) fn matches(self, name: &str) -> bool {
        overlap(&name.to_ascii_lowercase(), &self.name().to_ascii_lowercase(), None)
    }

    fn reference_type(self) -> &'static str {
        records::field(self.line, 1)
    }
}

/// What the Reference puts before the type of a key with several values.
const ARRAY: &str = "ArrayOf";

impl fmt::Debug for ConditionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConditionKey({}: {})", self.name(), self.reference_type())
    }
}

/// The type of a condition key's values: which condition operators suit it.
///
/// See <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html#context_keys_table>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ValueType {
    /// For `ArnLike` and its kin.
    Arn,
    /// For `Bool`.
    Bool,
    /// For `DateLessThan` and its kin.
    Date,
    /// For `IpAddress` and `NotIpAddress`.
    IpAddress,
    /// For `NumericLessThan` and its kin.
    Numeric,
    /// For `StringLike` and its kin.
    String,
}

impl ValueType {
    fn of(name: &str) -> Self {
        match name {
            "ARN" => Self::Arn,
            "Bool" => Self::Bool,
            "Date" => Self::Date,
            "IPAddress" => Self::IpAddress,
            "Numeric" => Self::Numeric,
            _ => Self::String,
        }
    }
}
