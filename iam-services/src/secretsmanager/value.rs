//! Versions of a secret and their staging labels.
//!
//! See <https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html>.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::secret::{Secret, description};
use super::{State, invalid_parameter};
use crate::fault::{Answer, Fault};
use crate::ids;
use crate::input::Input;
use crate::kept::{Ask, SEALING, seconds};

/// The versions of a secret, oldest first.
///
/// INVARIANT: no staging label is at two of them.
#[derive(Default)]
pub(super) struct Versions(Vec<Version>);

struct Version {
    id: String,
    content: Content,
    stages: BTreeSet<String>,
    created: u64,
}

/// What is kept secret.
#[derive(Eq, PartialEq)]
pub(super) enum Content {
    /// As it came: in base64.
    Binary(String),
    Text(String),
}

impl Content {
    pub(super) fn read(input: Input<'_>) -> Result<Option<Self>, Fault> {
        input.blob("SecretBinary")?;
        match (input.text("SecretString")?, input.text("SecretBinary")?) {
            (Some(_), Some(_)) => Err(invalid_parameter(
                "You can't specify both a binary secret value and a string secret value.",
            )),
            (Some(text), None) if text.len() > 65_536 => Err(input.violated(
                "SecretString",
                "…",
                "Member must have length less than or equal to 65536",
            )),
            (Some(text), None) => Ok(Some(Self::Text(text.to_owned()))),
            (None, Some(blob)) => Ok(Some(Self::Binary(blob.to_owned()))),
            (None, None) => Ok(None),
        }
    }
}

/// The id of the version that a request makes.
pub(super) fn token(input: Input<'_>) -> Result<String, Fault> {
    let Some(token) = input.text("ClientRequestToken")? else { return Ok(ids::uuid()) };
    if (32..=64).contains(&token.len()) {
        return Ok(token.to_owned());
    }
    Err(invalid_parameter("ClientRequestToken must be 32-64 characters long."))
}

impl Versions {
    pub(super) fn content(&self, id: &str) -> Option<&Content> {
        self.0.iter().find(|version| version.id == id).map(|version| &version.content)
    }

    /// `{"version": ["stage", …]}`, of the versions that have any.
    pub(super) fn stages(&self) -> Option<Value> {
        let staged = self.0.iter().filter(|version| !version.stages.is_empty());
        let map: Map<_, _> = staged.map(|version| (version.id.clone(), json!(version.stages))).collect();
        (!map.is_empty()).then(|| map.into())
    }

    /// Adds a version with these labels, which others lose.
    pub(super) fn put(&mut self, id: &str, content: Content, stages: &[&str], now: u64) -> Result<(), Fault> {
        if let Some(known) = self.content(id) {
            if *known == content {
                return Ok(());
            }
            return Err(Fault::new(
                "ResourceExistsException",
                "You can't use ClientRequestToken that is already in use with a different secret value.",
            ));
        }
        self.0.push(Version { id: id.to_owned(), content, stages: BTreeSet::new(), created: now });
        for stage in stages {
            self.label(stage, Some(id));
        }
        // What no label holds is deprecated, and goes in time.
        while self.0.iter().filter(|version| version.stages.is_empty()).count() > 100 {
            let at = self.0.iter().position(|version| version.stages.is_empty()).unwrap_or(0);
            self.0.remove(at);
        }
        Ok(())
    }

    /// Moves a label. The version that loses `AWSCURRENT` gets `AWSPREVIOUS`.
    fn label(&mut self, stage: &str, to: Option<&str>) {
        let mut loser = None;
        for version in &mut self.0 {
            if version.stages.remove(stage) && Some(version.id.as_str()) != to {
                loser = Some(version.id.clone());
            }
        }
        if let Some(version) = self.0.iter_mut().find(|version| Some(version.id.as_str()) == to) {
            version.stages.insert(stage.to_owned());
        }
        if stage == "AWSCURRENT"
            && let Some(loser) = loser
        {
            self.label("AWSPREVIOUS", Some(&loser));
        }
    }

    fn staged(&self, stage: &str) -> Option<&Version> {
        self.0.iter().find(|version| version.stages.contains(stage))
    }
}

pub(super) fn get(state: &mut State, ask: &Ask<'_>) -> Answer {
    let (id, label) = (ask.input.text("VersionId")?, ask.input.text("VersionStage")?);
    let secret = state.secret(ask)?;
    value(secret, id, label, ask)
}

/// What `GetSecretValue` answers.
pub(super) fn value(secret: &mut Secret, id: Option<&str>, stage: Option<&str>, ask: &Ask<'_>) -> Answer {
    let by_id = |id: &str| secret.versions.0.iter().find(|version| version.id == id);
    let found = match (id, stage) {
        (Some(id), Some(stage)) => by_id(id).filter(|version| version.stages.contains(stage)),
        (Some(id), None) => by_id(id),
        (None, stage) => secret.versions.staged(stage.unwrap_or("AWSCURRENT")),
    };
    let Some(version) = found else {
        let what = id.map_or_else(
            || format!("staging label: {}", stage.unwrap_or("AWSCURRENT")),
            |id| format!("VersionId: {id}"),
        );
        return Err(Fault::new(
            "ResourceNotFoundException",
            format!("Secrets Manager can't find the specified secret value for {what}"),
        ));
    };
    secret.use_key(&["Decrypt"], &version.id, ask)?;
    let (name, content) = match &version.content {
        Content::Binary(blob) => ("SecretBinary", blob),
        Content::Text(text) => ("SecretString", text),
    };
    let answer = json!({
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": version.id,
        name: content,
        "VersionStages": version.stages,
        "CreatedDate": seconds(version.created),
    });
    secret.accessed = Some(ask.now);
    Ok(answer)
}

/// See <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html>.
pub(super) fn put(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    input.without(&["RotationToken"])?;
    let Some(content) = Content::read(input)? else {
        return Err(invalid_parameter("You must provide either SecretString or SecretBinary."));
    };
    let token = token(input)?;
    let mut stages = input.texts("VersionStages")?;
    if stages.is_empty() {
        stages.push("AWSCURRENT");
    }
    let secret = state.secret(ask)?;
    if secret.versions.0.is_empty() && !stages.contains(&"AWSCURRENT") {
        stages.push("AWSCURRENT");
    }
    secret.use_key(&SEALING, &token, ask)?;
    secret.versions.put(&token, content, &stages, ask.now)?;
    secret.changed = ask.now;
    Ok(json!({"ARN": secret.arn, "Name": secret.name, "VersionId": token, "VersionStages": stages}))
}

/// See <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecret.html>.
pub(super) fn update(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    input.without(&["Type"])?;
    let content = Content::read(input)?;
    let token = token(input)?;
    let description = description(input)?;
    let key = input.text("KmsKeyId")?;
    let secret = state.secret(ask)?;
    let mut answer = json!({"ARN": secret.arn, "Name": secret.name});
    let key = key.map(str::to_owned).or(secret.key.take());
    let former = std::mem::replace(&mut secret.key, key);
    // A new key encrypts what is there anew.
    if (content.is_some() || former != secret.key)
        && let Err(refused) = secret.use_key(&SEALING, &token, ask)
    {
        secret.key = former;
        return Err(refused);
    }
    if let Some(content) = content {
        secret.versions.put(&token, content, &["AWSCURRENT"], ask.now)?;
        if let Some(members) = answer.as_object_mut() {
            members.insert("VersionId".to_owned(), token.into());
        }
    }
    secret.description = description.or(secret.description.take());
    secret.changed = ask.now;
    Ok(answer)
}

/// See <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html>.
pub(super) fn update_stage(state: &mut State, ask: &Ask<'_>) -> Answer {
    let label = ask.input.sized("VersionStage", 1, 256)?;
    let (from, to) = (ask.input.text("RemoveFromVersionId")?, ask.input.text("MoveToVersionId")?);
    let secret = state.secret(ask)?;
    for id in [from, to].into_iter().flatten() {
        if secret.versions.content(id).is_none() {
            return Err(Fault::new(
                "ResourceNotFoundException",
                format!("Secrets Manager can't find the specified secret value for VersionId: {id}"),
            ));
        }
    }
    let holder = secret.versions.staged(label).map(|version| version.id.clone());
    let is_named = holder.is_none() || from == holder.as_deref() || to == holder.as_deref();
    if !is_named || from.is_some() && from != holder.as_deref() {
        return Err(invalid_parameter(format!(
            "The parameter RemoveFromVersionId must be the version that the staging label {label} is \
             attached to."
        )));
    }
    if label == "AWSCURRENT" && to.is_none() {
        return Err(invalid_parameter(
            "You can only move staging label AWSCURRENT to a different secret version. It can't be \
             completely removed.",
        ));
    }
    secret.versions.label(label, to);
    secret.changed = ask.now;
    Ok(json!({"ARN": secret.arn, "Name": secret.name}))
}

pub(super) fn list(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.without(&["NextToken"])?;
    let limit = ask.input.limit("MaxResults", 100, 100)?;
    let all = ask.input.boolean("IncludeDeprecated")?.unwrap_or(false);
    let secret = state.secret(ask)?;
    let shown: Vec<_> =
        secret.versions.0.iter().filter(|version| all || !version.stages.is_empty()).collect();
    if shown.len() > limit {
        return Err(Fault::NotPerformed);
    }
    let versions: Vec<Value> = shown
        .into_iter()
        .map(|version| {
            json!({
                "VersionId": version.id,
                "VersionStages": version.stages,
                "CreatedDate": seconds(version.created),
            })
        })
        .collect();
    Ok(json!({"ARN": secret.arn, "Name": secret.name, "Versions": versions}))
}
