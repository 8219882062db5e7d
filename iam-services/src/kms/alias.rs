//! Aliases.

use serde_json::{Value, json};

use super::{State, invalid_marker, not_found, paged};
use crate::fault::{Answer, Fault};
use crate::kept::{Ask, seconds};
use crate::page::page;

/// Another name of a key.
pub(super) struct Alias {
    /// The key's id.
    pub(super) key: String,
    created: u64,
    updated: u64,
}

/// See <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html>.
pub(super) fn create(state: &mut State, ask: &Ask<'_>) -> Answer {
    let name = name(ask)?;
    if state.aliases.contains_key(name) {
        let arn = ask.scope.arn("kms", name);
        return Err(Fault::new(
            "AlreadyExistsException",
            format!("An alias with the name {arn} already exists"),
        ));
    }
    let key = target(state, ask)?;
    state.aliases.insert(name.to_owned(), Alias { key, created: ask.now, updated: ask.now });
    Ok(Value::Null)
}

pub(super) fn update(state: &mut State, ask: &Ask<'_>) -> Answer {
    let name = name(ask)?;
    let key = target(state, ask)?;
    let alias = state.aliases.get_mut(name).ok_or_else(|| no_such_alias(name, ask))?;
    alias.key = key;
    alias.updated = ask.now;
    Ok(Value::Null)
}

pub(super) fn delete(state: &mut State, ask: &Ask<'_>) -> Answer {
    let name = name(ask)?;
    state.aliases.remove(name).ok_or_else(|| no_such_alias(name, ask))?;
    Ok(Value::Null)
}

pub(super) fn list(state: &mut State, ask: &Ask<'_>) -> Answer {
    let limit = ask.input.limit("Limit", 100, 50)?;
    let of = match ask.input.text("KeyId")? {
        Some(key) => Some(state.named(key, ask)?.id.clone()),
        None => None,
    };
    let is_wanted = |alias: &Alias| of.as_ref().is_none_or(|key| *key == alias.key);
    let (found, marker) = page(&state.aliases, ask.input.text("Marker")?, limit, |_, alias| is_wanted(alias))
        .ok_or_else(invalid_marker)?;
    let aliases = found.into_iter().map(|(name, alias)| {
        json!({
            "AliasName": name,
            "AliasArn": ask.scope.arn("kms", name),
            "TargetKeyId": alias.key,
            "CreationDate": seconds(alias.created),
            "LastUpdatedDate": seconds(alias.updated),
        })
    });
    Ok(paged("Aliases", &aliases.collect::<Vec<_>>(), marker.as_deref()))
}

fn name<'a>(ask: &Ask<'a>) -> Result<&'a str, Fault> {
    let name = ask.input.sized("AliasName", 1, 256)?;
    let stem = name
        .strip_prefix("alias/")
        .ok_or_else(|| ask.input.invalid("Invalid identifier. Alias must begin with `alias/`"))?;
    if stem.is_empty() || !stem.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_-".contains(&b)) {
        return Err(Fault::new("InvalidAliasNameException", "Alias contains invalid characters"));
    }
    if stem.starts_with("aws/") {
        return Err(Fault::new("NotAuthorizedException", "Aliases that begin with alias/aws/ are reserved"));
    }
    Ok(name)
}

/// The id of the `TargetKeyId`, which cannot be an alias.
fn target(state: &mut State, ask: &Ask<'_>) -> Result<String, Fault> {
    let target = ask.input.sized("TargetKeyId", 1, 2048)?;
    if target.starts_with("alias/") || target.contains(":alias/") {
        return Err(ask.input.invalid("Aliases must refer to keys. Not aliases"));
    }
    Ok(state.named(target, ask)?.id.clone())
}

fn no_such_alias(name: &str, ask: &Ask<'_>) -> Fault {
    not_found(format!("Alias {} is not found.", ask.scope.arn("kms", name)))
}
