//! What a test tells the endpoint, because no request does: condition keys, the tags of resources, what operations need that
//! the table does not know, and which sessions stand for roles.

use std::fmt;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use iam_policy::Context;

use crate::derive::{self, did_you_mean};
use crate::endpoint::Endpoint;
use crate::identify::caller::Caller;
use crate::operation::{self, Operation};
use crate::perform::Allowed;
use crate::sorted::Sorted;

impl Endpoint {
    /// Sets a condition key for all calls of a principal, or, given a role's ARN, of all its sessions; none of `values`
    /// declares that the calls do not have the key.
    ///
    /// What is set here comes before what the endpoint computes. It is how a test says what its calls cannot:
    /// `aws:SourceVpc`, `aws:MultiFactorAuthPresent`, `dynamodb:LeadingKeys`.
    ///
    /// # Examples
    ///
    /// ```
    /// let endpoint = iam_endpoint::Endpoint::new();
    /// endpoint.set_context("arn:aws:iam::123456789012:role/reader", "aws:SourceVpc", ["vpc-1"]);
    /// ```
    pub fn set_context<V: Into<String>>(
        &self,
        principal_or_role_arn: impl Into<String>,
        key: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) {
        let values = values.into_iter().map(Into::into).collect();
        let (arn, name) = (principal_or_role_arn.into(), key.into());
        let mut facts = self.shared.told.facts_mut();
        facts.keys.retain(|of| !(of.arn == arn && of.name.eq_ignore_ascii_case(&name)));
        facts.keys.push(Key { arn, name, values });
    }

    /// Tags a resource that the endpoint does not keep itself, for `aws:ResourceTag/…`.
    ///
    /// A resource without any such tag has unknown tags; with one, it has these and no others.
    ///
    /// # Examples
    ///
    /// ```
    /// let endpoint = iam_endpoint::Endpoint::new();
    /// endpoint.tag_resource("arn:aws:ec2:us-east-1:123456789012:instance/i-1", "Stage", "test");
    /// ```
    pub fn tag_resource(&self, arn: impl Into<String>, key: impl Into<String>, value: impl Into<String>) {
        self.shared
            .told
            .facts_mut()
            .tags
            .entry(&arn.into(), Sorted::default)
            .insert(key.into(), value.into());
    }

    /// Says that a role's session, by its ARN, stands for a role of its own, whose policies would be the session policies.
    ///
    /// The two are not the same where a resource-based policy grants to the role's ARN: a session policy limits that grant, and
    /// an identity-based policy does not. A call that is denied for this alone is refused with `SessionNotEvaluable`, and with the
    /// statement that grants.
    ///
    /// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session>.
    pub fn stand_for_role(&self, session_arn: impl Into<String>) {
        self.shared.told.facts_mut().standing.insert(session_arn.into(), ());
    }

    /// Declares what an operation needs to be allowed, where the endpoint's table does not know it or the test knows
    /// better.
    ///
    /// `service` and `operation` are as botocore names them, and `checks` is in the grammar of the endpoint's own table:
    /// `prefix:Action@type=Member`, several separated by ` | `. A value fills the last variable of the ARN that the [Service
    /// Authorization Reference] gives for the resource type, or is an ARN of that type; several, separated by `;`, fill all
    /// of them. Without `@` the resource is `*`.
    ///
    /// # Errors
    ///
    /// If there is no such service, operation, action or resource type, or the text is not in the grammar.
    ///
    /// # Examples
    ///
    /// ```
    /// let endpoint = iam_endpoint::Endpoint::new();
    /// endpoint.declare("dynamodb", "GetItem", "dynamodb:GetItem@table=TableName")?;
    /// let error = endpoint.declare("dynamodb", "GetItem", "dynamodb:GetItm@table=TableName").unwrap_err();
    /// assert!(error.to_string().contains("`dynamodb:GetItem`"));
    /// # Ok::<(), iam_endpoint::DeclarationError>(())
    /// ```
    ///
    /// [Service Authorization Reference]: https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
    pub fn declare(&self, service: &str, operation: &str, checks: &str) -> Result<(), DeclarationError> {
        let wrong = |why| DeclarationError(format!("`{checks}` for `{service}:{operation}`: {why}"));
        let (id, operation) = known_operation(service, operation).map_err(wrong)?;
        let own = operation::by_id(id).and_then(operation::Service::prefix).unwrap_or_default();
        derive::checks(checks, own).map_err(wrong)?;
        self.shared.told.facts_mut().checks.insert(format!("{id}:{operation}"), checks.to_owned());
        Ok(())
    }
}

/// Why a declaration of an operation was refused.
#[derive(Clone, Debug)]
pub struct DeclarationError(String);

impl fmt::Display for DeclarationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DeclarationError {}

/// Everything that was told.
#[derive(Default)]
pub(crate) struct Told(RwLock<Facts>);

#[derive(Default)]
struct Facts {
    keys: Vec<Key>,
    /// By ARN.
    tags: Sorted<Sorted<String>>,
    /// By service and operation, as in `dynamodb:GetItem`.
    checks: Sorted<String>,
    /// The sessions that stand for roles.
    standing: Sorted<()>,
    /// By table: what DynamoDB keeps and its requests do not say.
    partition_keys: Sorted<String>,
}

struct Key {
    /// Of a principal or a role.
    arn: String,
    name: String,
    values: Vec<String>,
}

impl Told {
    /// Sets the condition keys of a caller.
    pub(crate) fn set_context(&self, caller: &Caller, context: &mut Context) {
        for Key { arn, name, values } in &self.facts().keys {
            let is_theirs = caller.role_arn() == Some(arn) || caller.principal.arn() == Some(arn);
            if is_theirs {
                context.set_many(name.clone(), values.iter().map(String::as_str));
            }
        }
    }

    /// Whether a session stands for a role of its own.
    pub(crate) fn stands_for_role(&self, caller: &Caller) -> bool {
        caller.principal.arn().is_some_and(|arn| self.facts().standing.get(arn).is_some())
    }

    /// The tags of a resource; `None` if nothing is known of them.
    pub(crate) fn tags(&self, arn: &str) -> Option<Vec<(String, String)>> {
        let facts = self.facts();
        let tags = facts.tags.get(arn)?;
        Some(tags.iter().map(|(key, value)| (key.to_owned(), value.clone())).collect())
    }

    /// The declared checks of an operation.
    pub(crate) fn checks(&self, service: &str, operation: &str) -> Option<String> {
        let facts = self.facts();
        if facts.checks.is_empty() {
            return None;
        }
        facts.checks.get(&format!("{service}:{operation}")).cloned()
    }

    /// The attribute that is a DynamoDB table's partition key.
    pub(crate) fn partition_key(&self, table: &str) -> Option<String> {
        self.facts().partition_keys.get(table).cloned()
    }

    /// Learns from a request that was performed.
    pub(crate) fn learn(&self, allowed: &Allowed) {
        if (allowed.service, allowed.operation.as_str()) != ("dynamodb", "CreateTable") {
            return;
        }
        let request = serde_json::from_slice(allowed.request.body()).unwrap_or_default();
        if let Some((table, key)) = derive::partition_key_of_new(&request) {
            self.facts_mut().partition_keys.insert(table.to_owned(), key.to_owned());
        }
    }

    fn facts(&self) -> RwLockReadGuard<'_, Facts> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn facts_mut(&self) -> RwLockWriteGuard<'_, Facts> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The service and the operation in the spelling of the table; an operation may be newer than the table where requests name
/// it.
fn known_operation<'n>(service: &str, name: &'n str) -> Result<(&'static str, &'n str), String> {
    let found = operation::by_id(service).ok_or_else(|| {
        let near = iam_policy::near(service, operation::services().iter().map(|service| service.id()));
        format!("there is no service `{service}`{}", did_you_mean(&near))
    })?;
    let is_named = found.protocols().any(|protocol| !protocol.starts_with("rest-"));
    match found.operation(name) {
        Some(known) if known.name() == name => Ok((found.id(), name)),
        None if is_named => Ok((found.id(), name)),
        _ => {
            let near = iam_policy::near(name, found.operations().map(Operation::name));
            Err(format!("`{service}` has no operation `{name}`{}", did_you_mean(&near)))
        }
    }
}
