//! What an operation is authorized on, and with which condition keys.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html>

use iam_policy::{Arn, Context};

use super::input::Input;
use super::named::{Entity, Head};
use super::provider;
use super::role::Role;
use super::service_role;
use super::tags::Tags;
use super::user::User;
use crate::authorize::Access;
use crate::fault::Fault;

/// What an operation is about, as far as authorization asks.
pub(super) struct Resource {
    arn: String,
    tags: Tags,
    /// The permissions boundary that it has.
    boundary: Option<String>,
}

impl Resource {
    pub(super) fn of_arn(arn: impl Into<String>) -> Self {
        Self { arn: arn.into(), tags: Tags::default(), boundary: None }
    }
}

impl Input<'_> {
    /// Asks whether the caller may do an operation.
    pub(super) fn authorize(&self, operation: &str, resource: &Resource) -> Result<(), Fault> {
        let of_request = Tags::read(&self.parameters)?;
        self.ask(operation, resource, &of_request)?;
        // Whoever makes something with tags has to be allowed to tag it.
        match operation.strip_prefix("Create").filter(|_| !of_request.is_empty()) {
            Some("VirtualMFADevice") => self.ask("TagMFADevice", resource, &of_request),
            Some(what) => self.ask(&format!("Tag{what}"), resource, &of_request),
            None => Ok(()),
        }
    }

    fn ask(&self, operation: &str, resource: &Resource, of_request: &Tags) -> Result<(), Fault> {
        let Resource { arn, tags, boundary } = resource;
        let untagged = self.parameters.list("TagKeys");
        let conditions = |context: &mut Context| {
            for (key, value) in tags.iter() {
                context.set(format!("aws:ResourceTag/{key}"), value);
                context.set(format!("iam:ResourceTag/{key}"), value);
            }
            for (key, value) in of_request.iter() {
                context.set(format!("aws:RequestTag/{key}"), value);
            }
            let mut keys = untagged.clone();
            for (key, _) in of_request.iter() {
                keys.push(key);
            }
            context.set_many("aws:TagKeys", keys);
            if let Some(arn) = self.parameters.optional("PermissionsBoundary").or(boundary.as_deref()) {
                context.set("iam:PermissionsBoundary", arn);
            }
            let attaches = operation.starts_with("Attach") || operation.starts_with("Detach");
            if let Some(arn) = self.parameters.optional("PolicyArn").filter(|_| attaches) {
                context.set("iam:PolicyARN", arn);
            }
            if let Some(service) = self.parameters.optional("AWSServiceName") {
                context.set("iam:AWSServiceName", service);
            }
        };
        self.call.authorize(Access {
            action: &format!("iam:{operation}"),
            resource: arn.clone(),
            resource_account: None,
            resource_policy: None,
            conditions: &conditions,
            absent: &["aws:ResourceTag/", "iam:"],
        })?;
        Ok(())
    }

    /// Whoever gives a resource another name or path has to be allowed to do so with what it becomes, too.
    ///
    /// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateUser.html>
    pub(super) fn authorize_target<T: Entity>(
        &self,
        operation: &str,
        name: Option<&str>,
        path: Option<&str>,
    ) -> Result<(), Fault> {
        let endpoint = self.call.endpoint;
        let arn = {
            let iam = endpoint.iam();
            let Head { name: old_name, path: old_path, .. } = iam.get::<T>(self)?.head();
            let (name, path) = (name.unwrap_or(old_name), path.unwrap_or(old_path));
            if (name, path) == (old_name, old_path) {
                return Ok(());
            }
            endpoint.iam_arn(T::TYPE, path, name)
        };
        self.authorize(operation, &Resource::of_arn(arn))
    }
}

/// The resource that the request refers to.
///
/// What is not there is authorized without a path, so that the caller learns no more than it may.
pub(super) fn existing<T: Entity>(input: &Input<'_>) -> Result<Resource, Fault> {
    Ok(referred::<T>(input, input.parameters.required(T::PARAMETER)?))
}

/// The user that the request names, or the one who calls.
pub(super) fn own_user(input: &Input<'_>) -> Result<Resource, Fault> {
    Ok(referred::<User>(input, input.user_name()?))
}

fn referred<T: Entity>(input: &Input<'_>, reference: &str) -> Resource {
    let endpoint = input.call.endpoint;
    match T::all(&endpoint.iam()).find(reference) {
        None if reference.starts_with("arn:") => Resource::of_arn(reference),
        None => Resource::of_arn(endpoint.iam_arn(T::TYPE, "/", reference)),
        Some(entity) => Resource {
            arn: entity.arn(endpoint),
            tags: entity.head().tags.clone(),
            boundary: entity.boundary().map(str::to_owned),
        },
    }
}

/// The resource that the request makes.
pub(super) fn new<T: Entity>(input: &Input<'_>) -> Result<Resource, Fault> {
    let name = input.parameters.required(T::NAME)?;
    Ok(Resource::of_arn(input.call.endpoint.iam_arn(T::TYPE, input.path("Path")?, name)))
}

pub(super) fn new_oidc_provider(input: &Input<'_>) -> Result<Resource, Fault> {
    let name = provider::oidc_name(input)?;
    Ok(Resource::of_arn(input.call.endpoint.iam_arn("oidc-provider", "/", name)))
}

pub(super) fn new_service_role(input: &Input<'_>) -> Result<Resource, Fault> {
    let (path, name) = service_role::place(input)?;
    Ok(Resource::of_arn(input.call.endpoint.iam_arn(Role::TYPE, &path, &name)))
}

/// The role of a deletion task `task/aws-service-role/SERVICE/NAME/ID`.
pub(super) fn deleted_role(input: &Input<'_>) -> Result<Resource, Fault> {
    let task = input.parameters.required("DeletionTaskId")?;
    let role =
        task.strip_prefix("task").and_then(|place| place.rsplit_once('/')).map_or("/", |(role, _)| role);
    Ok(Resource::of_arn(input.call.endpoint.iam_arn(Role::TYPE, role, "")))
}

/// The user whose key the request names.
pub(super) fn key_holder(input: &Input<'_>) -> Result<Resource, Fault> {
    let id = input.parameters.required("AccessKeyId")?;
    let user = input.call.endpoint.iam().any_key(id).and_then(|key| key.user().map(str::to_owned));
    Ok(user.map_or_else(|| Resource::of_arn("*"), |user| referred::<User>(input, &user)))
}

/// Lists are authorized on the path that they list.
pub(super) fn listed<T: Entity>(input: &Input<'_>) -> Result<Resource, Fault> {
    Ok(Resource::of_arn(input.call.endpoint.iam_arn(T::TYPE, input.path("PathPrefix")?, "")))
}

/// AWS names no ARN here, so that only a statement about `*` matches.
pub(super) fn listed_policies(input: &Input<'_>) -> Result<Resource, Fault> {
    Ok(Resource::of_arn(format!("policy path {}", input.path("PathPrefix")?)))
}

/// The user, group or role whose policies are asked about.
pub(super) fn policy_source(input: &Input<'_>) -> Result<Resource, Fault> {
    let arn = input.parameters.required("PolicySourceArn")?;
    let parsed = Arn::parse(arn).filter(|arn| arn.service == "iam");
    let Some((kind, name)) = parsed.and_then(|arn| arn.resource.split_once('/')) else {
        return Err(Fault::invalid_input(format!(
            "Invalid Entity Arn: {arn} does not clearly define entity type and name."
        )));
    };
    let name = name.rsplit('/').next().unwrap_or(name);
    let found = match kind {
        "role" => referred::<Role>(input, name),
        "user" => referred::<User>(input, name),
        _ => return Ok(Resource::of_arn(arn)),
    };
    Ok(if found.arn == arn { found } else { Resource::of_arn(arn) })
}

/// The account itself.
#[expect(clippy::unnecessary_wraps, reason = "of the table's type")]
pub(super) fn account(_: &Input<'_>) -> Result<Resource, Fault> {
    Ok(Resource::of_arn("*"))
}
