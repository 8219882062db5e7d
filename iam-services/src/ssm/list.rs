//! Lists of parameters.

use serde_json::{Map, Value, json};

use super::State;
use super::filter::{Filter, is_under};
use super::parameter::Version;
use crate::fault::{Answer, Fault};
use crate::kept::{Ask, seconds};
use crate::page::page;

/// See <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParametersByPath.html>.
pub(super) fn by_path(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    let path = input.sized("Path", 1, 2048)?;
    if !path.starts_with('/') {
        return Err(input.invalid(
            "The parameter doesn't meet the parameter name requirements. The parameter \
             name must begin with a forward slash \"/\".",
        ));
    }
    let is_recursive = input.boolean("Recursive")?.unwrap_or(false);
    let with_decryption = input.boolean("WithDecryption")?.unwrap_or(false);
    let filters = Filter::all(input)?;
    let limit = input.limit("MaxResults", 10, 10)?;
    let (found, token) = page(&state.parameters, input.text("NextToken")?, limit, |name, parameter| {
        is_under(name, path, is_recursive) && filters.iter().all(|filter| filter.matches(parameter))
    })
    .ok_or_else(invalid_token)?;
    let parameters = found.into_iter().filter_map(|(_, parameter)| {
        parameter.latest().map(|latest| parameter.told(latest, with_decryption, ask))
    });
    Ok(json!({"Parameters": parameters.collect::<Result<Vec<_>, _>>()?, "NextToken": token}))
}

/// See <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeParameters.html>.
pub(super) fn describe(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    input.without(&["Filters", "Shared"])?;
    let filters = Filter::all(input)?;
    let limit = input.limit("MaxResults", 50, 10)?;
    let (found, token) = page(&state.parameters, input.text("NextToken")?, limit, |_, parameter| {
        filters.iter().all(|filter| filter.matches(parameter))
    })
    .ok_or_else(invalid_token)?;
    let parameters = found.into_iter().filter_map(|(_, parameter)| {
        let mut told = described(parameter.latest()?);
        told.insert("Name".to_owned(), parameter.name.as_str().into());
        told.insert("ARN".to_owned(), parameter.arn.as_str().into());
        Some(Value::Object(told))
    });
    Ok(json!({"Parameters": parameters.collect::<Vec<_>>(), "NextToken": token}))
}

/// See <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameterHistory.html>.
pub(super) fn history(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    let name = input.sized("Name", 1, 2048)?;
    let with_decryption = input.boolean("WithDecryption")?.unwrap_or(false);
    let limit = input.limit("MaxResults", 50, 50)?;
    let after: u64 = match input.text("NextToken")? {
        Some(token) => token.parse().map_err(|_| invalid_token())?,
        None => 0,
    };
    let parameter = state.named(name, ask)?;
    let mut versions = parameter.versions.iter().filter(|version| version.number > after);
    let page: Vec<&Version> = versions.by_ref().take(limit).collect();
    let token = versions.next().and(page.last()).map(|version| version.number.to_string());
    let told = page.into_iter().map(|version| {
        let mut told = described(version);
        told.insert("Name".to_owned(), parameter.name.as_str().into());
        told.insert("Value".to_owned(), parameter.shown(version, with_decryption, ask)?.into());
        told.insert("Labels".to_owned(), json!(version.labels));
        Ok(Value::Object(told))
    });
    Ok(json!({"Parameters": told.collect::<Result<Vec<_>, Fault>>()?, "NextToken": token}))
}

/// What is told of a version but for its value.
fn described(version: &Version) -> Map<String, Value> {
    let members = [
        ("Type", Some(version.kind.into())),
        ("KeyId", version.key.as_deref().map(Value::from)),
        ("LastModifiedDate", Some(seconds(version.modified))),
        ("LastModifiedUser", Some(version.modified_by.as_str().into())),
        ("Description", version.description.as_deref().map(Value::from)),
        ("Version", Some(version.number.into())),
        ("Tier", Some(version.tier.into())),
        ("Policies", Some(json!([]))),
        ("DataType", Some(version.data_type.into())),
    ];
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn invalid_token() -> Fault {
    Fault::new("InvalidNextToken", "The specified token isn't valid.")
}
