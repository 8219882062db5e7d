//! Rotation: its settings, and the function that is called for it.
//!
//! See <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html>. The function is invoked in the name
//! of Secrets Manager, as far as its policy lets it; a new version comes from nobody else.

use serde_json::{Map, Value, json};

use super::secret::{DAY, Secret};
use super::value::token;
use super::{State, invalid_parameter, invalid_request};
use crate::fault::Answer;
use crate::input::Input;
use crate::kept::{Ask, seconds};
use crate::outbox::Outbox;
use crate::scope::Arn;

/// How a secret is rotated.
pub(super) struct Rotation {
    is_on: bool,
    function: String,
    rules: Map<String, Value>,
    /// Milliseconds since 1970.
    next: Option<u64>,
}

pub(super) fn rotate(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.without(&["ExternalSecretRotationMetadata", "ExternalSecretRotationRoleArn"])?;
    let token = token(ask.input)?;
    let function = ask.input.text("RotationLambdaARN")?.map(str::to_owned);
    if function.as_deref().is_some_and(|arn| Arn::parse(arn).is_none_or(|arn| arn.service != "lambda")) {
        return Err(invalid_parameter("Invalid Lambda ARN."));
    }
    let rules = ask.input.object("RotationRules")?;
    let days = rules.map_or(Ok(None), |rules| rules.within("AutomaticallyAfterDays", 1, 1000))?;
    let is_at_once = ask.input.boolean("RotateImmediately")?.unwrap_or(true);
    let secret = state.secret(ask)?;
    let old = secret.rotation.take();
    let (old_function, old_rules) = old.map(|old| (old.function, old.rules)).unzip();
    let Some(function) = function.or(old_function) else {
        return Err(invalid_request("No Lambda rotation function ARN is associated with this secret."));
    };
    let rules = rules.map(|rules| rules.members().clone()).or(old_rules).unwrap_or_default();
    let days = days.or_else(|| Input::new(&rules, "").integer("AutomaticallyAfterDays").ok().flatten());
    let next = days.and_then(|days| u64::try_from(days).ok()).map(|days| ask.now + days * DAY);
    let step = if is_at_once { "createSecret" } else { "testSecret" };
    let outbox =
        Outbox { allowed: ask.allowed, principal: "secretsmanager.amazonaws.com", source: &secret.arn };
    let event = json!({"Step": step, "SecretId": secret.arn, "ClientRequestToken": token});
    outbox.send(outbox.to_function(&function, event.to_string()), None);
    secret.rotation = Some(Rotation { is_on: true, function, rules, next });
    Ok(json!({"ARN": secret.arn, "Name": secret.name, "VersionId": token}))
}

pub(super) fn cancel(state: &mut State, ask: &Ask<'_>) -> Answer {
    let secret = state.secret(ask)?;
    if let Some(rotation) = &mut secret.rotation {
        (rotation.is_on, rotation.next) = (false, None);
    }
    Ok(json!({"ARN": secret.arn, "Name": secret.name}))
}

impl Secret {
    /// What `DescribeSecret` tells of the rotation.
    pub(super) fn told_rotation(&self) -> Vec<(&'static str, Value)> {
        let Some(Rotation { is_on, function, rules, next }) = &self.rotation else { return Vec::new() };
        let mut told = vec![
            ("RotationEnabled", Value::Bool(*is_on)),
            ("RotationLambdaARN", function.as_str().into()),
            ("RotationRules", Value::Object(rules.clone())),
        ];
        told.extend(next.map(|next| ("NextRotationDate", seconds(next))));
        told
    }
}
