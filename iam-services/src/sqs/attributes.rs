//! What a queue can be set to.
//!
//! See <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::fault::Fault;

/// A queue's attributes that were set or have a default.
#[derive(Clone, Debug, Default)]
pub(super) struct Attributes(BTreeMap<&'static str, String>);

/// What the value of an attribute must be.
enum Rule {
    Boolean,
    /// A whole number within bounds, and the default.
    Number(u64, u64, u64),
    OneOf(&'static [&'static str]),
    /// A JSON object.
    Object,
    Text,
}

const RULES: [(&str, Rule); 15] = [
    ("ContentBasedDeduplication", Rule::Boolean),
    ("DeduplicationScope", Rule::OneOf(&["messageGroup", "queue"])),
    ("DelaySeconds", Rule::Number(0, 900, 0)),
    ("FifoQueue", Rule::Boolean),
    ("FifoThroughputLimit", Rule::OneOf(&["perQueue", "perMessageGroupId"])),
    ("KmsDataKeyReusePeriodSeconds", Rule::Number(60, 86_400, 300)),
    ("KmsMasterKeyId", Rule::Text),
    ("MaximumMessageSize", Rule::Number(1024, 1_048_576, 1_048_576)),
    ("MessageRetentionPeriod", Rule::Number(60, 1_209_600, 345_600)),
    ("Policy", Rule::Object),
    ("ReceiveMessageWaitTimeSeconds", Rule::Number(0, 20, 0)),
    ("RedriveAllowPolicy", Rule::Object),
    ("RedrivePolicy", Rule::Object),
    ("SqsManagedSseEnabled", Rule::Boolean),
    ("VisibilityTimeout", Rule::Number(0, 43_200, 30)),
];

impl Attributes {
    /// Attributes as a request gives them.
    pub(super) fn parse(given: &[(&str, &str)]) -> Result<Self, Fault> {
        let mut attributes = BTreeMap::new();
        for (name, value) in given {
            let (name, rule) = RULES
                .iter()
                .find(|(known, _)| known == name)
                .ok_or_else(|| Fault::new("InvalidAttributeName", format!("Unknown Attribute {name}.")))?;
            let is_valid = match rule {
                // An empty one takes the policy away.
                Rule::Object => {
                    value.is_empty() || matches!(serde_json::from_str(value), Ok(Value::Object(_)))
                }
                Rule::Boolean => matches!(*value, "true" | "false"),
                Rule::Number(least, most, _) => {
                    value.parse::<u64>().is_ok_and(|number| (*least..=*most).contains(&number))
                }
                Rule::OneOf(choices) => choices.contains(value),
                Rule::Text => true,
            };
            if !is_valid {
                return Err(Fault::new(
                    "InvalidAttributeValue",
                    format!("Invalid value for the parameter {name}."),
                ));
            }
            attributes.insert(*name, (*value).to_owned());
        }
        Ok(Self(attributes))
    }

    pub(super) fn is_known(name: &str) -> bool {
        RULES.iter().any(|(known, _)| *known == name)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(super) fn is(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// A number, or its default.
    pub(super) fn number(&self, name: &str) -> u64 {
        self.get(name).and_then(|value| value.parse().ok()).unwrap_or_else(|| default(name))
    }

    pub(super) fn set(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// The first attribute that has another value in these.
    pub(super) fn difference(&self, others: &Self) -> Option<&'static str> {
        let value =
            |of: &Self, name: &str| of.get(name).map_or_else(|| default(name).to_string(), str::to_owned);
        others.0.keys().copied().find(|name| value(self, name) != value(others, name))
    }

    /// What `GetQueueAttributes` tells: numbers always, the rest where it was set.
    pub(super) fn shown(&self) -> impl Iterator<Item = (&'static str, String)> {
        RULES.iter().filter_map(|(name, rule)| match rule {
            // Only told where the queue has a key.
            Rule::Number(..) if *name == "KmsDataKeyReusePeriodSeconds" => {
                self.get("KmsMasterKeyId").map(|_| (*name, self.number(name).to_string()))
            }
            Rule::Number(..) => Some((*name, self.number(name).to_string())),
            Rule::Boolean if *name == "SqsManagedSseEnabled" => {
                let otherwise = self.get("KmsMasterKeyId").is_none().to_string();
                Some((*name, self.get(name).map_or(otherwise, str::to_owned)))
            }
            _ => self.get(name).map(|value| (*name, value.to_owned())),
        })
    }
}

fn default(name: &str) -> u64 {
    let rule = RULES.iter().find(|(known, _)| *known == name);
    if let Some((_, Rule::Number(_, _, default))) = rule { *default } else { 0 }
}
