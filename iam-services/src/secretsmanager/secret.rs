//! Secrets: made, looked at, tagged, deleted.

use iam_endpoint::secret_suffix;
use serde_json::{Value, json};

use super::rotation::Rotation;
use super::value::{Content, Versions, token};
use super::{State, invalid_parameter, invalid_request};
use crate::fault::{Answer, Fault};
use crate::kept::{Ask, SEALING, seconds};
use crate::tags::{self, Tags};

/// A secret with its versions.
pub(super) struct Secret {
    pub(super) name: String,
    /// What the ARN ends with.
    pub(super) suffix: String,
    pub(super) arn: String,
    pub(super) description: Option<String>,
    pub(super) key: Option<String>,
    pub(super) tags: Tags,
    pub(super) versions: Versions,
    policy: Option<String>,
    pub(super) rotation: Option<Rotation>,
    /// Milliseconds since 1970, as the next three.
    created: u64,
    pub(super) changed: u64,
    pub(super) accessed: Option<u64>,
    /// When it will be gone.
    pub(super) deleted: Option<u64>,
}

pub(super) const DAY: u64 = 24 * 60 * 60 * 1000;

impl Secret {
    /// Asks whether the caller may have the key used for a version, where it is not AWS's own.
    ///
    /// See <https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html>.
    pub(super) fn use_key(
        &self,
        operations: &[&'static str],
        version: &str,
        ask: &Ask<'_>,
    ) -> Result<(), Fault> {
        let Some(key) = &self.key else { return Ok(()) };
        ask.use_key(key, operations, &[("SecretARN", &self.arn), ("SecretVersionId", version)])
    }

    /// What `DescribeSecret` tells, and `ListSecrets` with another name for the versions.
    pub(super) fn told(&self, versions: &str) -> Value {
        let mut told = json!({
            "ARN": self.arn,
            "Name": self.name,
            "CreatedDate": seconds(self.created),
            "LastChangedDate": seconds(self.changed),
        });
        let mut set = |name: &str, value: Option<Value>| {
            if let (Some(members), Some(value)) = (told.as_object_mut(), value) {
                members.insert(name.to_owned(), value);
            }
        };
        set("Description", self.description.as_deref().map(Value::from));
        set("KmsKeyId", self.key.as_deref().map(Value::from));
        set("LastAccessedDate", self.accessed.map(|at| seconds(at / DAY * DAY)));
        set("DeletedDate", self.deleted.map(seconds));
        set("Tags", (!self.tags.is_empty()).then(|| tags::list(&self.tags, "Key", "Value")));
        set(versions, self.versions.stages());
        for (name, value) in self.told_rotation() {
            set(name, Some(value));
        }
        told
    }
}

/// See <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html>.
pub(super) fn create(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    input.without(&["AddReplicaRegions", "ForceOverwriteReplicaSecret", "Type", "CrossAccountPrimaryARN"])?;
    let name = input.sized("Name", 1, 512)?;
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+=.@-".contains(&b)) {
        return Err(Fault::new(
            "ValidationException",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the \
             following: -/_+=.@!",
        ));
    }
    let content = Content::read(input)?;
    let token = token(input)?;
    let tags = checked(input.tag_list("Tags", "Key", "Value")?)?;
    let description = description(input)?;
    let key = input.text("KmsKeyId")?.map(str::to_owned);
    let now = ask.now;
    state.secrets.retain(|_, secret| secret.deleted.is_none_or(|at| at > now));
    if let Some(secret) = state.secrets.get(name) {
        if secret.deleted.is_some() {
            return Err(invalid_request(
                "You can't create this secret because a secret with this name is already scheduled for \
                 deletion.",
            ));
        }
        if content.is_some() && secret.versions.content(&token) == content.as_ref() {
            return Ok(json!({"ARN": secret.arn, "Name": secret.name, "VersionId": token}));
        }
        return Err(Fault::new(
            "ResourceExistsException",
            format!("The operation failed because the secret {name} already exists."),
        ));
    }
    let suffix = secret_suffix(name);
    let mut secret = Secret {
        name: name.to_owned(),
        arn: ask.scope.arn("secretsmanager", &format!("secret:{name}-{suffix}")),
        suffix,
        description,
        key,
        tags,
        versions: Versions::default(),
        policy: None,
        rotation: None,
        created: now,
        changed: now,
        accessed: None,
        deleted: None,
    };
    let mut answer = json!({"ARN": secret.arn, "Name": name});
    if let Some(content) = content {
        secret.use_key(&SEALING, &token, ask)?;
        secret.versions.put(&token, content, &["AWSCURRENT"], now)?;
        if let Some(members) = answer.as_object_mut() {
            members.insert("VersionId".to_owned(), token.into());
        }
    }
    state.secrets.insert(name.to_owned(), secret);
    Ok(answer)
}

pub(super) fn description(input: crate::input::Input<'_>) -> Result<Option<String>, Fault> {
    let Some(text) = input.text("Description")? else { return Ok(None) };
    input.check_size("Description", text, 0, 2048)?;
    Ok(Some(text.to_owned()))
}

fn checked(tags: Tags) -> Result<Tags, Fault> {
    match tags::problem(&tags) {
        Some(problem) => Err(invalid_parameter(problem)),
        None => Ok(tags),
    }
}

pub(super) fn describe(state: &mut State, ask: &Ask<'_>) -> Answer {
    let id = ask.input.sized("SecretId", 1, 2048)?;
    Ok(state.any(id, ask)?.told("VersionIdsToStages"))
}

/// See <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html>.
pub(super) fn delete(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    let id = input.sized("SecretId", 1, 2048)?;
    let days = input.integer("RecoveryWindowInDays")?;
    let at_once = input.boolean("ForceDeleteWithoutRecovery")?.unwrap_or(false);
    if at_once && days.is_some() {
        return Err(invalid_parameter(
            "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
        ));
    }
    let days = u64::try_from(days.unwrap_or(30)).ok().filter(|days| (7..=30).contains(days));
    let Some(days) = days else {
        return Err(invalid_parameter(
            "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
        ));
    };
    let secret = if at_once { state.any(id, ask)? } else { state.find(id, ask)? };
    let gone = if at_once { ask.now } else { ask.now + days * DAY };
    secret.deleted = Some(gone);
    let answer = json!({"ARN": secret.arn, "Name": secret.name, "DeletionDate": seconds(gone)});
    if at_once {
        let name = secret.name.clone();
        state.secrets.remove(&name);
    }
    Ok(answer)
}

pub(super) fn restore(state: &mut State, ask: &Ask<'_>) -> Answer {
    let secret = state.any(ask.input.sized("SecretId", 1, 2048)?, ask)?;
    secret.deleted = None;
    Ok(json!({"ARN": secret.arn, "Name": secret.name}))
}

pub(super) fn tag(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.required_list("Tags")?;
    let given = ask.input.tag_list("Tags", "Key", "Value")?;
    let secret = state.secret(ask)?;
    let mut tags = secret.tags.clone();
    tags.extend(given);
    secret.tags = checked(tags)?;
    Ok(Value::Null)
}

pub(super) fn untag(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.required_list("TagKeys")?;
    let keys = ask.input.texts("TagKeys")?;
    state.secret(ask)?.tags.retain(|key, _| !keys.contains(&key.as_str()));
    Ok(Value::Null)
}

pub(super) fn put_policy(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.without(&["PolicyName"])?;
    let policy = ask.input.sized("ResourcePolicy", 1, 20_480)?;
    if !matches!(serde_json::from_str(policy), Ok(Value::Object(_))) {
        return Err(Fault::new(
            "MalformedPolicyDocumentException",
            "This resource policy contains a syntax error.",
        ));
    }
    let secret = state.secret(ask)?;
    secret.policy = Some(policy.to_owned());
    Ok(json!({"ARN": secret.arn, "Name": secret.name}))
}

pub(super) fn policy(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.without(&["PolicyName"])?;
    let secret = state.secret(ask)?;
    let mut answer = json!({"ARN": secret.arn, "Name": secret.name});
    if let (Some(members), Some(policy)) = (answer.as_object_mut(), &secret.policy) {
        members.insert("ResourcePolicy".to_owned(), policy.as_str().into());
    }
    Ok(answer)
}

pub(super) fn delete_policy(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.without(&["PolicyName"])?;
    let secret = state.secret(ask)?;
    secret.policy = None;
    Ok(json!({"ARN": secret.arn, "Name": secret.name}))
}
