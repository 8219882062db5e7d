//! Aliases of versions.

use serde_json::{Value, json};

use super::{State, conflict, not_found, paged};
use crate::fault::{Answer, Fault};
use crate::ids;
use crate::kept::Ask;
use crate::page::page;

/// A name for a version.
pub(super) struct Alias {
    pub(super) version: String,
    description: String,
    routing: Option<Value>,
    revision: String,
}

impl Alias {
    fn told(&self, function: &str, name: &str) -> Value {
        let mut told = json!({
            "AliasArn": format!("{function}:{name}"),
            "Name": name,
            "FunctionVersion": self.version,
            "Description": self.description,
            "RevisionId": self.revision,
        });
        if let (Some(members), Some(routing)) = (told.as_object_mut(), &self.routing) {
            members.insert("RoutingConfig".to_owned(), routing.clone());
        }
        told
    }
}

pub(super) fn create(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    let name = input.sized("Name", 1, 128)?;
    let is_number = name.bytes().all(|b| b.is_ascii_digit());
    if is_number || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)) {
        return Err(input.violated(
            "Name",
            name,
            "Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)",
        ));
    }
    let version = input.required("FunctionVersion")?;
    let alias = Alias {
        version: version.to_owned(),
        description: input.text("Description")?.unwrap_or_default().to_owned(),
        routing: input.value("RoutingConfig").cloned(),
        revision: ids::uuid(),
    };
    let (function, _) = state.function(ask)?;
    function.version(Some(version))?;
    if function.aliases.contains_key(name) {
        return Err(conflict(format!("Alias already exists: {}:{name}", function.arn)));
    }
    let told = alias.told(&function.arn, name);
    function.aliases.insert(name.to_owned(), alias);
    Ok(told)
}

fn missing(function: &str, name: &str) -> Fault {
    not_found("Alias", &format!("{function}:{name}")).with("Type", "User".into())
}

pub(super) fn get(state: &mut State, ask: &Ask<'_>) -> Answer {
    let name = ask.input.required("Name")?;
    let (function, _) = state.function(ask)?;
    let alias = function.aliases.get(name).ok_or_else(|| missing(&function.arn, name))?;
    Ok(alias.told(&function.arn, name))
}

pub(super) fn update(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    let name = input.required("Name")?;
    let (version, description) = (input.text("FunctionVersion")?, input.text("Description")?);
    let (function, _) = state.function(ask)?;
    if let Some(version) = version {
        function.version(Some(version))?;
    }
    let arn = function.arn.clone();
    let alias = function.aliases.get_mut(name).ok_or_else(|| missing(&arn, name))?;
    if let Some(version) = version {
        version.clone_into(&mut alias.version);
    }
    if let Some(description) = description {
        description.clone_into(&mut alias.description);
    }
    alias.routing = input.value("RoutingConfig").cloned().or(alias.routing.take());
    alias.revision = ids::uuid();
    Ok(alias.told(&arn, name))
}

pub(super) fn delete(state: &mut State, ask: &Ask<'_>) -> Answer {
    let name = ask.input.required("Name")?;
    state.function(ask)?.0.aliases.remove(name);
    Ok(Value::Null)
}

pub(super) fn list(state: &mut State, ask: &Ask<'_>) -> Answer {
    let limit = ask.input.limit("MaxItems", 10_000, 50)?;
    let version = ask.input.text("FunctionVersion")?;
    let (function, _) = state.function(ask)?;
    let is_wanted = |alias: &Alias| version.is_none_or(|version| version == alias.version);
    let (found, marker) =
        page(&function.aliases, ask.input.text("Marker")?, limit, |_, alias| is_wanted(alias))
            .ok_or_else(|| ask.input.invalid("The marker is invalid."))?;
    let aliases = found.into_iter().map(|(name, alias)| alias.told(&function.arn, name));
    Ok(paged("Aliases", &aliases.collect::<Vec<_>>(), marker.as_deref()))
}
