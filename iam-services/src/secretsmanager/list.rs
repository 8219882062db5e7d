//! Lists of secrets.

use serde_json::{Value, json};

use super::secret::Secret;
use super::value::value;
use super::{State, invalid_parameter};
use crate::fault::{Answer, Fault};
use crate::input::Input;
use crate::kept::Ask;
use crate::page::page;

pub(super) fn list(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    input.without(&["SortBy"])?;
    if input.one_of("SortOrder", &["asc", "desc"])? == Some("desc") {
        return Err(Fault::NotPerformed);
    }
    let limit = input.limit("MaxResults", 100, 100)?;
    let filters = filters(input)?;
    let with_deleted = input.boolean("IncludePlannedDeletion")?.unwrap_or(false);
    let keep = |secret: &Secret| {
        (with_deleted || secret.deleted.is_none()) && filters.iter().all(|filter| filter.matches(secret))
    };
    let (found, token) = page(&state.secrets, input.text("NextToken")?, limit, |_, secret| keep(secret))
        .ok_or_else(|| Fault::new("InvalidNextTokenException", "Invalid token"))?;
    let secrets: Vec<Value> =
        found.into_iter().map(|(_, secret)| secret.told("SecretVersionsToStages")).collect();
    Ok(json!({"SecretList": secrets, "NextToken": token}))
}

/// See <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html>.
pub(super) fn batch_get(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    let names = input.texts("SecretIdList")?;
    let filters = filters(input)?;
    if names.is_empty() == filters.is_empty() {
        return Err(invalid_parameter("You must provide either SecretIdList or Filters, and not both."));
    }
    let limit = input.limit("MaxResults", 20, 20)?;
    let mut token = None;
    let names: Vec<String> = if filters.is_empty() {
        if names.len() > 20 {
            return Err(input.violated(
                "SecretIdList",
                "…",
                "Member must have length less than or equal to 20",
            ));
        }
        names.into_iter().map(str::to_owned).collect()
    } else {
        let keep = |secret: &Secret| secret.deleted.is_none() && filters.iter().all(|f| f.matches(secret));
        let (found, next) = page(&state.secrets, input.text("NextToken")?, limit, |_, secret| keep(secret))
            .ok_or_else(|| Fault::new("InvalidNextTokenException", "Invalid token"))?;
        token = next;
        found.into_iter().map(|(name, _)| name.clone()).collect()
    };
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for name in names {
        match state.find(&name, ask).and_then(|secret| value(secret, None, None, ask)) {
            Ok(value) => values.push(value),
            Err(Fault::Error(error)) => {
                errors.push(json!({"SecretId": name, "ErrorCode": error.code, "Message": error.message}));
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(json!({"SecretValues": values, "Errors": errors, "NextToken": token}))
}

/// One of the `Filters`: any of the values has to match.
struct Filter<'a> {
    key: &'static str,
    values: Vec<&'a str>,
}

fn filters(input: Input<'_>) -> Result<Vec<Filter<'_>>, Fault> {
    let filters = input.objects("Filters")?.into_iter().map(|filter| {
        filter.required("Key")?;
        let known =
            ["all", "description", "name", "owning-service", "primary-region", "tag-key", "tag-value"];
        let key = filter.one_of("Key", &known)?.unwrap_or_default();
        filter.required_list("Values")?;
        Ok(Filter { key, values: filter.texts("Values")? })
    });
    filters.collect()
}

impl Filter<'_> {
    /// See <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Filter.html>.
    fn matches(&self, secret: &Secret) -> bool {
        let matches = |value: &str| {
            let (value, is_wanted) = value.strip_prefix('!').map_or((value, true), |value| (value, false));
            // Names and tags are case-sensitive, descriptions are not.
            let tag_keys = || secret.tags.keys().any(|key| key.starts_with(value));
            let tag_values = || secret.tags.values().any(|tag| tag.starts_with(value));
            let described = || {
                let text = secret.description.as_deref().unwrap_or_default().to_lowercase();
                text.split_whitespace().any(|word| word.starts_with(&value.to_lowercase()))
                    || text.starts_with(&value.to_lowercase())
            };
            let is_match = match self.key {
                "all" => secret.name.starts_with(value) || described() || tag_keys() || tag_values(),
                "description" => described(),
                "name" => secret.name.starts_with(value),
                "tag-key" => tag_keys(),
                "tag-value" => tag_values(),
                // No secret here belongs to a service, or is a replica.
                _ => false,
            };
            is_match == is_wanted
        };
        self.values.iter().any(|value| matches(value))
    }
}
