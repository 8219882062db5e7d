//! Versions of functions.

use serde_json::{Map, Value};

use super::function::Function;
use super::{State, paged};
use crate::fault::Answer;
use crate::ids;
use crate::kept::Ask;

/// Publishes `$LATEST`; nothing new is published twice.
pub(super) fn add(function: &mut Function, description: Option<&str>) -> Map<String, Value> {
    let same = |a: &Map<String, Value>, b: &Map<String, Value>| {
        ["CodeSha256", "LastModified"].iter().all(|member| a.get(*member) == b.get(*member))
    };
    if let Some(last) = function.versions.last()
        && same(last, &function.latest)
    {
        return last.clone();
    }
    function.last_version += 1;
    let number = function.last_version.to_string();
    let mut version = function.latest.clone();
    version.insert("FunctionArn".to_owned(), format!("{}:{number}", function.arn).into());
    version.insert("Version".to_owned(), number.into());
    version.insert("RevisionId".to_owned(), ids::uuid().into());
    if let Some(description) = description {
        version.insert("Description".to_owned(), description.into());
    }
    function.versions.push(version.clone());
    version
}

/// See <https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html>.
pub(super) fn publish(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    input.without(&["PublishTo"])?;
    let (digest, description) = (input.text("CodeSha256")?, input.text("Description")?);
    let (function, _) = state.function(ask)?;
    function.check_revision(input)?;
    let current = function.latest.get("CodeSha256").and_then(Value::as_str);
    if let Some(digest) = digest.filter(|digest| !digest.is_empty() && Some(*digest) != current) {
        return Err(input.invalid(format!(
            "CodeSHA256 ({digest}) is different from current CodeSHA256 in $LATEST ({}). Please try again \
             with the \
             CodeSHA256 in $LATEST.",
            current.unwrap_or_default()
        )));
    }
    Ok(add(function, description).into())
}

pub(super) fn list(state: &mut State, ask: &Ask<'_>) -> Answer {
    let limit = ask.input.limit("MaxItems", 10_000, 50)?;
    let start = match ask.input.text("Marker")? {
        Some(marker) => marker.parse().map_err(|_| ask.input.invalid("The marker is invalid."))?,
        None => 0,
    };
    let (function, _) = state.function(ask)?;
    let mut versions = std::iter::once(&function.latest).chain(&function.versions).skip(start);
    let page: Vec<Value> = versions.by_ref().take(limit).map(|version| version.clone().into()).collect();
    let marker = versions.next().map(|_| (start + limit).to_string());
    Ok(paged("Versions", &page, marker.as_deref()))
}
