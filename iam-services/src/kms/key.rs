//! Keys: made, looked at, switched off, deleted.

use serde_json::{Value, json};

use super::grant::Grant;
use super::spec::Spec;
use super::{State, invalid_marker, paged};
use crate::fault::{Answer, Fault};
use crate::ids;
use crate::input::Input;
use crate::kept::{Ask, seconds};
use crate::page::page;
use crate::tags::{self, Tags};

/// A customer managed key.
pub(super) struct Key {
    pub(super) id: String,
    pub(super) arn: String,
    account: String,
    description: String,
    pub(super) usage: &'static str,
    pub(super) spec: &'static Spec,
    is_enabled: bool,
    created: u64,
    /// When it will be gone, and after how many days that is.
    pub(super) deletion: Option<(u64, u64)>,
    policy: String,
    pub(super) tags: Tags,
    pub(super) grants: Vec<Grant>,
    /// The days between rotations.
    rotation: Option<u64>,
    pub(super) secret: Vec<u8>,
}

const DAY: u64 = 24 * 60 * 60 * 1000;

impl Key {
    /// Refuses a key that is switched off or on its way out.
    pub(super) fn check_usable(&self) -> Result<(), Fault> {
        self.check_kept()?;
        if self.is_enabled {
            return Ok(());
        }
        Err(Fault::new("DisabledException", format!("{} is disabled.", self.arn)))
    }

    fn check_kept(&self) -> Result<(), Fault> {
        if self.deletion.is_none() {
            return Ok(());
        }
        Err(Fault::new("KMSInvalidStateException", format!("{} is pending deletion.", self.arn)))
    }

    fn state(&self) -> &'static str {
        match (self.deletion, self.is_enabled) {
            (Some(_), _) => "PendingDeletion",
            (None, true) => "Enabled",
            (None, false) => "Disabled",
        }
    }

    fn metadata(&self) -> Value {
        let mut metadata = json!({
            "AWSAccountId": self.account,
            "KeyId": self.id,
            "Arn": self.arn,
            "CreationDate": seconds(self.created),
            "Enabled": self.is_enabled && self.deletion.is_none(),
            "Description": self.description,
            "KeyUsage": self.usage,
            "KeyState": self.state(),
            "Origin": "AWS_KMS",
            "KeyManager": "CUSTOMER",
            "CustomerMasterKeySpec": self.spec.name,
            "KeySpec": self.spec.name,
            "MultiRegion": false,
        });
        if let Some(metadata) = metadata.as_object_mut() {
            let algorithms = match self.usage {
                "ENCRYPT_DECRYPT" => ("EncryptionAlgorithms", self.spec.encryption),
                "SIGN_VERIFY" => ("SigningAlgorithms", self.spec.signing),
                "GENERATE_VERIFY_MAC" => ("MacAlgorithms", self.spec.mac),
                _ => ("KeyAgreementAlgorithms", &["ECDH"][..]),
            };
            metadata.insert(algorithms.0.to_owned(), json!(algorithms.1));
            if let Some((at, _)) = self.deletion {
                metadata.insert("DeletionDate".to_owned(), seconds(at));
            }
        }
        metadata
    }
}

/// See <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html>.
pub(super) fn create(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    input.without(&["CustomKeyStoreId", "MultiRegion", "XksKeyId"])?;
    if input
        .one_of("Origin", &["AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"])?
        .is_some_and(|origin| origin != "AWS_KMS")
    {
        return Err(Fault::NotPerformed);
    }
    let name = match input.text("KeySpec")? {
        None => input.text("CustomerMasterKeySpec")?,
        named => named,
    };
    // Newer kinds of keys than this knows.
    let Some(spec) = Spec::named(name.unwrap_or("SYMMETRIC_DEFAULT")) else {
        return Err(Fault::NotPerformed);
    };
    let usage = match input.text("KeyUsage")? {
        None => spec.default.ok_or_else(|| {
            input.invalid(format!("You must specify a KeyUsage value for the key spec {}", spec.name))
        })?,
        Some(usage) => *spec.usages.iter().find(|known| **known == usage).ok_or_else(|| {
            input.invalid(format!("KeyUsage {usage} is not compatible with KeySpec {}", spec.name))
        })?,
    };
    let tags = checked(input.tag_list("Tags", "TagKey", "TagValue")?)?;
    let description = description(input)?.unwrap_or_default();
    let policy = match input.text("Policy")? {
        Some(policy) => parsed_policy(policy)?,
        None => default_policy(ask),
    };
    let id = ids::uuid();
    let key = Key {
        arn: ask.scope.arn("kms", &format!("key/{id}")),
        account: ask.scope.account.clone(),
        id: id.clone(),
        description,
        usage,
        spec,
        is_enabled: true,
        created: ask.now,
        deletion: None,
        policy,
        tags,
        grants: Vec::new(),
        rotation: None,
        secret: ids::bytes(32),
    };
    let answer = json!({ "KeyMetadata": key.metadata() });
    state.keys.insert(id, key);
    Ok(answer)
}

fn description(input: Input<'_>) -> Result<Option<String>, Fault> {
    let Some(text) = input.text("Description")? else { return Ok(None) };
    input.check_size("Description", text, 0, 8192)?;
    Ok(Some(text.to_owned()))
}

fn checked(tags: Tags) -> Result<Tags, Fault> {
    match tags::problem(&tags) {
        Some(problem) => Err(Fault::new("TagException", problem)),
        None => Ok(tags),
    }
}

fn parsed_policy(policy: &str) -> Result<String, Fault> {
    if matches!(serde_json::from_str(policy), Ok(Value::Object(_))) {
        return Ok(policy.to_owned());
    }
    Err(Fault::new("MalformedPolicyDocumentException", "The new key policy is not a JSON policy document."))
}

/// See <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html>.
fn default_policy(ask: &Ask<'_>) -> String {
    let root = format!("arn:{}:iam::{}:root", ask.scope.partition, ask.scope.account);
    let policy = json!({
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [{
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": {"AWS": root},
            "Action": "kms:*",
            "Resource": "*",
        }],
    });
    policy.to_string()
}

pub(super) fn describe(state: &mut State, ask: &Ask<'_>) -> Answer {
    Ok(json!({ "KeyMetadata": state.key(ask)?.metadata() }))
}

pub(super) fn list(state: &mut State, ask: &Ask<'_>) -> Answer {
    let limit = ask.input.limit("Limit", 1000, 100)?;
    let (found, marker) =
        page(&state.keys, ask.input.text("Marker")?, limit, |_, _| true).ok_or_else(invalid_marker)?;
    let keys: Vec<Value> =
        found.into_iter().map(|(id, key)| json!({"KeyId": id, "KeyArn": key.arn})).collect();
    Ok(paged("Keys", &keys, marker.as_deref()))
}

pub(super) fn enable(state: &mut State, ask: &Ask<'_>) -> Answer {
    switch(state, ask, true)
}

pub(super) fn disable(state: &mut State, ask: &Ask<'_>) -> Answer {
    switch(state, ask, false)
}

fn switch(state: &mut State, ask: &Ask<'_>, on: bool) -> Answer {
    let key = state.key(ask)?;
    key.check_kept()?;
    key.is_enabled = on;
    Ok(Value::Null)
}

pub(super) fn update_description(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.required("Description")?;
    let description = description(ask.input)?.unwrap_or_default();
    let key = state.key(ask)?;
    key.check_kept()?;
    key.description = description;
    Ok(Value::Null)
}

/// See <https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html>.
pub(super) fn schedule_deletion(state: &mut State, ask: &Ask<'_>) -> Answer {
    let days = ask.input.within("PendingWindowInDays", 7, 30)?.unwrap_or(30);
    let days = u64::try_from(days).unwrap_or(30);
    let key = state.key(ask)?;
    key.check_kept()?;
    let at = ask.now + days * DAY;
    key.deletion = Some((at, days));
    Ok(json!({
        "KeyId": key.arn,
        "DeletionDate": seconds(at),
        "KeyState": key.state(),
        "PendingWindowInDays": days,
    }))
}

pub(super) fn cancel_deletion(state: &mut State, ask: &Ask<'_>) -> Answer {
    let key = state.key(ask)?;
    if key.deletion.take().is_none() {
        let message = format!("{} is not pending deletion.", key.arn);
        return Err(Fault::new("KMSInvalidStateException", message));
    }
    // It comes back switched off.
    key.is_enabled = false;
    Ok(json!({ "KeyId": key.arn }))
}

pub(super) fn policy(state: &mut State, ask: &Ask<'_>) -> Answer {
    check_policy_name(ask.input)?;
    Ok(json!({"Policy": state.key(ask)?.policy, "PolicyName": "default"}))
}

pub(super) fn put_policy(state: &mut State, ask: &Ask<'_>) -> Answer {
    check_policy_name(ask.input)?;
    let policy = parsed_policy(ask.input.sized("Policy", 1, 131_072)?)?;
    let key = state.key(ask)?;
    key.check_kept()?;
    key.policy = policy;
    Ok(Value::Null)
}

pub(super) fn list_policies(state: &mut State, ask: &Ask<'_>) -> Answer {
    state.key(ask)?;
    Ok(paged("PolicyNames", &["default".into()], None))
}

fn check_policy_name(input: Input<'_>) -> Result<(), Fault> {
    match input.text("PolicyName")? {
        None | Some("default") => Ok(()),
        Some(name) => Err(Fault::new("NotFoundException", format!("No such policy exists: {name}"))),
    }
}

/// See <https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html>.
pub(super) fn enable_rotation(state: &mut State, ask: &Ask<'_>) -> Answer {
    let days = ask.input.within("RotationPeriodInDays", 90, 2560)?.and_then(|days| u64::try_from(days).ok());
    let key = rotating(state, ask)?;
    key.rotation = Some(days.or(key.rotation).unwrap_or(365));
    Ok(Value::Null)
}

pub(super) fn disable_rotation(state: &mut State, ask: &Ask<'_>) -> Answer {
    rotating(state, ask)?.rotation = None;
    Ok(Value::Null)
}

pub(super) fn rotation(state: &mut State, ask: &Ask<'_>) -> Answer {
    let key = state.key(ask)?;
    let mut answer = json!({"KeyId": key.arn, "KeyRotationEnabled": key.rotation.is_some()});
    if let (Some(members), Some(days)) = (answer.as_object_mut(), key.rotation) {
        members.insert("RotationPeriodInDays".to_owned(), days.into());
        members.insert("NextRotationDate".to_owned(), seconds(key.created + days * DAY));
    }
    Ok(answer)
}

fn rotating<'s>(state: &'s mut State, ask: &Ask<'_>) -> Result<&'s mut Key, Fault> {
    let key = state.key(ask)?;
    key.check_usable()?;
    if key.spec.name != "SYMMETRIC_DEFAULT" {
        return Err(Fault::new("UnsupportedOperationException", "Only symmetric encryption keys rotate."));
    }
    Ok(key)
}

pub(super) fn tag(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.required_list("Tags")?;
    let given = ask.input.tag_list("Tags", "TagKey", "TagValue")?;
    let key = state.key(ask)?;
    key.check_kept()?;
    let mut tags = key.tags.clone();
    tags.extend(given);
    key.tags = checked(tags)?;
    Ok(Value::Null)
}

pub(super) fn untag(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.required_list("TagKeys")?;
    let keys = ask.input.texts("TagKeys")?;
    let key = state.key(ask)?;
    key.check_kept()?;
    key.tags.retain(|key, _| !keys.contains(&key.as_str()));
    Ok(Value::Null)
}

pub(super) fn list_tags(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.limit("Limit", 50, 50)?;
    let tags = tags::list(&state.key(ask)?.tags, "TagKey", "TagValue");
    Ok(json!({"Tags": tags, "Truncated": false}))
}
