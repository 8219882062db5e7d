//! KMS: keys, aliases, grants, and what symmetric and HMAC keys do.
//!
//! See <https://docs.aws.amazon.com/kms/latest/APIReference/Welcome.html>. Asymmetric keys can be made and looked at, but
//! they neither sign nor encrypt; key stores, imported material and replicas are not performed.

mod alias;
mod cipher;
mod crypto;
mod grant;
mod key;
mod spec;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::fault::Fault;
use crate::kept::{Ask, Operation, Service};
use crate::scope::Arn;
use crate::tags::Tags;
use crate::wire::{Json, Wire};
use alias::Alias;
use key::Key;

/// The keys of an account in a region, by id, and the aliases by name.
#[derive(Default)]
pub(crate) struct State {
    keys: BTreeMap<String, Key>,
    aliases: BTreeMap<String, Alias>,
}

impl Service for State {
    const NAME: &'static str = "kms";
    const WIRE: Wire = Wire::Json(Json::V1_1);
    const INVALID: &'static str = "ValidationException";
    const OWNERS: &'static [&'static str] = &["KeyId", "DestinationKeyId", "SourceKeyId"];

    fn operation(name: &str) -> Option<Operation<Self>> {
        Some(match name {
            "CancelKeyDeletion" => key::cancel_deletion,
            "CreateAlias" => alias::create,
            "CreateGrant" => grant::create,
            "CreateKey" => key::create,
            "Decrypt" => crypto::decrypt,
            "DeleteAlias" => alias::delete,
            "DescribeKey" => key::describe,
            "DisableKey" => key::disable,
            "DisableKeyRotation" => key::disable_rotation,
            "EnableKey" => key::enable,
            "EnableKeyRotation" => key::enable_rotation,
            "Encrypt" => crypto::encrypt,
            "GenerateDataKey" => crypto::generate_data_key,
            "GenerateDataKeyWithoutPlaintext" => crypto::generate_data_key_without_plaintext,
            "GenerateMac" => crypto::generate_mac,
            "GenerateRandom" => crypto::generate_random,
            "GetKeyPolicy" => key::policy,
            "GetKeyRotationStatus" => key::rotation,
            "ListAliases" => alias::list,
            "ListGrants" => grant::list,
            "ListKeyPolicies" => key::list_policies,
            "ListKeys" => key::list,
            "ListResourceTags" => key::list_tags,
            "ListRetirableGrants" => grant::list_retirable,
            "PutKeyPolicy" => key::put_policy,
            "ReEncrypt" => crypto::re_encrypt,
            "RetireGrant" => grant::retire,
            "RevokeGrant" => grant::revoke,
            "ScheduleKeyDeletion" => key::schedule_deletion,
            "TagResource" => key::tag,
            "UntagResource" => key::untag,
            "UpdateAlias" => alias::update,
            "UpdateKeyDescription" => key::update_description,
            "VerifyMac" => crypto::verify_mac,
            _ => return None,
        })
    }

    fn tags(&self, arn: &Arn<'_>) -> Option<Tags> {
        let id = match arn.resource.strip_prefix("key/") {
            Some(id) => Some(id),
            None if arn.resource.starts_with("alias/") => {
                self.aliases.get(arn.resource).map(|alias| alias.key.as_str())
            }
            None => return None,
        };
        Some(id.and_then(|id| self.keys.get(id)).map(|key| key.tags.clone()).unwrap_or_default())
    }
}

impl State {
    /// The key of the `KeyId`.
    fn key(&mut self, ask: &Ask<'_>) -> Result<&mut Key, Fault> {
        self.named(ask.input.sized("KeyId", 1, 2048)?, ask)
    }

    /// A key by its id, its ARN, an alias, or an alias's ARN.
    fn named(&mut self, name: &str, ask: &Ask<'_>) -> Result<&mut Key, Fault> {
        let now = ask.now;
        self.keys.retain(|_, key| key.deletion.is_none_or(|(at, _)| at > now));
        let resource = match Arn::parse(name) {
            Some(arn) if arn.service != "kms" || !ask.scope.holds(&arn) => {
                return Err(not_found(format!("Invalid arn {}", arn.region)));
            }
            Some(arn) => arn.resource,
            None => name,
        };
        let id = if resource.starts_with("alias/") {
            let Some(alias) = self.aliases.get(resource) else {
                let arn = ask.scope.arn("kms", resource);
                return Err(not_found(format!("Alias {arn} is not found.")));
            };
            &alias.key
        } else {
            resource.strip_prefix("key/").unwrap_or(resource)
        };
        self.keys.get_mut(id).ok_or_else(|| {
            not_found(format!("Key '{}' does not exist", ask.scope.arn("kms", &format!("key/{id}"))))
        })
    }
}

fn not_found(message: String) -> Fault {
    Fault::new("NotFoundException", message)
}

/// A page as KMS tells it: `{name: items, "Truncated": …, "NextMarker": …}`.
fn paged(name: &str, items: &[Value], marker: Option<&str>) -> Value {
    serde_json::json!({ name: items, "Truncated": marker.is_some(), "NextMarker": marker })
}

fn invalid_marker() -> Fault {
    Fault::new("InvalidMarkerException", "Could not deserialize marker")
}
