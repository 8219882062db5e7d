//! Secrets Manager: secrets and their versions.
//!
//! See <https://docs.aws.amazon.com/secretsmanager/latest/apireference/Welcome.html>. Rotation and replication are not
//! performed.

mod list;
mod password;
mod rotation;
mod secret;
mod value;

use std::collections::BTreeMap;

use crate::fault::Fault;
use crate::kept::{Ask, Operation, Service};
use crate::scope::Arn;
use crate::tags::Tags;
use crate::wire::{Json, Wire};
use secret::Secret;

/// The secrets of an account in a region, by name.
#[derive(Default)]
pub(crate) struct State {
    secrets: BTreeMap<String, Secret>,
}

impl Service for State {
    const NAME: &'static str = "secretsmanager";
    const WIRE: Wire = Wire::Json(Json::V1_1);
    const INVALID: &'static str = "ValidationException";
    const OWNERS: &'static [&'static str] = &["SecretId"];

    fn operation(name: &str) -> Option<Operation<Self>> {
        Some(match name {
            "BatchGetSecretValue" => list::batch_get,
            "CancelRotateSecret" => rotation::cancel,
            "CreateSecret" => secret::create,
            "DeleteResourcePolicy" => secret::delete_policy,
            "DeleteSecret" => secret::delete,
            "DescribeSecret" => secret::describe,
            "GetRandomPassword" => password::random,
            "GetResourcePolicy" => secret::policy,
            "GetSecretValue" => value::get,
            "ListSecretVersionIds" => value::list,
            "ListSecrets" => list::list,
            "PutResourcePolicy" => secret::put_policy,
            "PutSecretValue" => value::put,
            "RestoreSecret" => secret::restore,
            "RotateSecret" => rotation::rotate,
            "TagResource" => secret::tag,
            "UntagResource" => secret::untag,
            "UpdateSecret" => value::update,
            "UpdateSecretVersionStage" => value::update_stage,
            _ => return None,
        })
    }

    fn tags(&self, arn: &Arn<'_>) -> Option<Tags> {
        let name = arn.resource.strip_prefix("secret:")?;
        Some(self.named(name).map(|secret| secret.tags.clone()).unwrap_or_default())
    }
}

impl State {
    /// The secret of the `SecretId`, if it is not marked for deletion.
    fn secret(&mut self, ask: &Ask<'_>) -> Result<&mut Secret, Fault> {
        self.find(ask.input.sized("SecretId", 1, 2048)?, ask)
    }

    fn find(&mut self, id: &str, ask: &Ask<'_>) -> Result<&mut Secret, Fault> {
        let secret = self.any(id, ask)?;
        if secret.deleted.is_some() {
            return Err(invalid_request(
                "You can't perform this operation on the secret because it was marked for deletion.",
            ));
        }
        Ok(secret)
    }

    /// The same, marked or not.
    fn any(&mut self, id: &str, ask: &Ask<'_>) -> Result<&mut Secret, Fault> {
        let now = ask.now;
        self.secrets.retain(|_, secret| secret.deleted.is_none_or(|at| at > now));
        let name = match Arn::parse(id) {
            Some(arn) if arn.service == "secretsmanager" && ask.scope.holds(&arn) => {
                arn.resource.strip_prefix("secret:")
            }
            Some(_) => None,
            None => Some(id),
        };
        let name = name.and_then(|name| self.named(name)).map(|secret| secret.name.clone());
        name.and_then(|name| self.secrets.get_mut(&name)).ok_or_else(no_such_secret)
    }

    /// A secret by its name, or by its name with the six characters that its ARN has.
    fn named(&self, name: &str) -> Option<&Secret> {
        let with_suffix = || {
            let (stem, suffix) = name.rsplit_once('-')?;
            self.secrets.get(stem).filter(|secret| secret.suffix == suffix)
        };
        self.secrets.get(name).or_else(with_suffix)
    }
}

fn no_such_secret() -> Fault {
    Fault::new("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

fn invalid_request(message: &str) -> Fault {
    Fault::new("InvalidRequestException", message)
}

fn invalid_parameter(message: impl Into<String>) -> Fault {
    Fault::new("InvalidParameterException", message)
}
