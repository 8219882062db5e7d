//! Grants.
//!
//! Whom they allow what, the endpoint decides; here they are kept. See
//! <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>.

use serde_json::{Map, Value, json};

use super::{State, invalid_marker, not_found, paged};
use crate::fault::{Answer, Fault};
use crate::ids;
use crate::kept::Ask;

/// A grant on a key.
pub(super) struct Grant {
    id: String,
    token: String,
    grantee: String,
    retiring: Option<String>,
    /// As `ListGrants` tells it.
    told: Value,
}

const OPERATIONS: [&str; 17] = [
    "CreateGrant",
    "Decrypt",
    "DeriveSharedSecret",
    "DescribeKey",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "GetPublicKey",
    "ReEncryptFrom",
    "ReEncryptTo",
    "RetireGrant",
    "Sign",
    "Verify",
    "VerifyMac",
];

/// See <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html>.
pub(super) fn create(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    input.without(&["GranteeServicePrincipal", "RetiringServicePrincipal"])?;
    let grantee = input.sized("GranteePrincipal", 1, 256)?;
    let retiring = input.text("RetiringPrincipal")?;
    input.required_list("Operations")?;
    let operations = input.texts("Operations")?;
    if operations.is_empty() || operations.iter().any(|operation| !OPERATIONS.contains(operation)) {
        let set = OPERATIONS.join(", ");
        let given = format!("[{}]", operations.join(", "));
        return Err(input.violated(
            "Operations",
            &given,
            &format!("Member must satisfy enum value set: [{set}]"),
        ));
    }
    for principal in [Some(grantee), retiring].into_iter().flatten() {
        if !principal.starts_with("arn:") {
            return Err(Fault::new(
                "InvalidArnException",
                format!("ARN does not refer to a valid principal: {principal}"),
            ));
        }
    }
    let constraints = input.object("Constraints")?;
    let name = input.text("Name")?;
    let is_dry = input.boolean("DryRun")?.unwrap_or(false);
    let key = state.key(ask)?;
    key.check_usable()?;
    if is_dry {
        return Err(super::crypto::dry_run());
    }
    let mut told = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            told.insert(name.to_owned(), value);
        }
    };
    let id = hex::encode(ids::bytes(32));
    set("KeyId", Some(key.arn.as_str().into()));
    set("GrantId", Some(id.as_str().into()));
    set("Name", name.map(Value::from));
    set("CreationDate", Some(ask.seconds()));
    set("GranteePrincipal", Some(grantee.into()));
    set("RetiringPrincipal", retiring.map(Value::from));
    let issuer = format!("arn:{}:iam::{}:root", ask.scope.partition, ask.allowed.account);
    set("IssuingAccount", Some(issuer.into()));
    set("Operations", Some(operations.into()));
    set("Constraints", constraints.map(|constraints| constraints.members().clone().into()));
    let told = Value::Object(told);
    // A grant with a name can be asked for again and again.
    let same = |grant: &&Grant| {
        let without_time = |grant: &Value| {
            let mut grant = grant.clone();
            if let Some(members) = grant.as_object_mut() {
                members.remove("CreationDate");
                members.remove("GrantId");
            }
            grant
        };
        name.is_some() && without_time(&grant.told) == without_time(&told)
    };
    if let Some(grant) = key.grants.iter().find(same) {
        return Ok(json!({"GrantId": grant.id, "GrantToken": grant.token}));
    }
    let token = ids::base64(ids::bytes(96));
    let answer = json!({"GrantId": id, "GrantToken": token});
    let (grantee, retiring) = (grantee.to_owned(), retiring.map(str::to_owned));
    key.grants.push(Grant { id, token, grantee, retiring, told });
    Ok(answer)
}

pub(super) fn list(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    input.without(&["GranteeServicePrincipal"])?;
    let (id, grantee) = (input.text("GrantId")?, input.text("GranteePrincipal")?);
    let grants = &state.key(ask)?.grants;
    let is_wanted = |grant: &&Grant| {
        id.is_none_or(|id| grant.id == id) && grantee.is_none_or(|grantee| grant.grantee == grantee)
    };
    told(ask, grants.iter().filter(is_wanted))
}

pub(super) fn list_retirable(state: &mut State, ask: &Ask<'_>) -> Answer {
    let retiring = ask.input.required("RetiringPrincipal")?;
    let grants = state.keys.values().flat_map(|key| &key.grants);
    told(ask, grants.filter(|grant| grant.retiring.as_deref() == Some(retiring)))
}

fn told<'g>(ask: &Ask<'_>, grants: impl Iterator<Item = &'g Grant>) -> Answer {
    let limit = ask.input.limit("Limit", 100, 50)?;
    let start = match ask.input.text("Marker")? {
        Some(marker) => marker.parse().map_err(|_| invalid_marker())?,
        None => 0,
    };
    let mut grants = grants.map(|grant| grant.told.clone()).skip(start);
    let page: Vec<Value> = grants.by_ref().take(limit).collect();
    let marker = grants.next().map(|_| (start + limit).to_string());
    Ok(paged("Grants", &page, marker.as_deref()))
}

pub(super) fn revoke(state: &mut State, ask: &Ask<'_>) -> Answer {
    let id = ask.input.required("GrantId")?;
    let is_dry = ask.input.boolean("DryRun")?.unwrap_or(false);
    let key = state.key(ask)?;
    let at = key.grants.iter().position(|grant| grant.id == id);
    let at = at.ok_or_else(|| not_found(format!("Grant {id} was not found")))?;
    if is_dry {
        return Err(super::crypto::dry_run());
    }
    key.grants.remove(at);
    Ok(Value::Null)
}

/// See <https://docs.aws.amazon.com/kms/latest/APIReference/API_RetireGrant.html>.
pub(super) fn retire(state: &mut State, ask: &Ask<'_>) -> Answer {
    if ask.input.boolean("DryRun")?.unwrap_or(false) {
        return Err(super::crypto::dry_run());
    }
    if let Some(token) = ask.input.text("GrantToken")? {
        for key in state.keys.values_mut() {
            if let Some(at) = key.grants.iter().position(|grant| grant.token == token) {
                key.grants.remove(at);
                return Ok(Value::Null);
            }
        }
        return Err(Fault::new("InvalidGrantTokenException", "Invalid grant token"));
    }
    revoke(state, ask)
}
