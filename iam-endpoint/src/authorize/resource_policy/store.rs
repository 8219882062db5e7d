//! What is kept for each resource.

use std::sync::{Mutex, MutexGuard, PoisonError};

use iam_policy::{Arn, Policy, PolicyKind, Source};
use serde_json::{Value, json};

use super::grant::{self, Grant};
use crate::derive::Resource;
use crate::endpoint::Endpoint;
use crate::sorted::Sorted;
use crate::table::Table;

/// Policies and grants by the ARNs of their resources.
#[derive(Default)]
pub(crate) struct ResourcePolicies(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    policies: Sorted<Policy>,
    grants: Sorted<Granted>,
    /// The keys of KMS's aliases.
    aliases: Sorted<String>,
}

/// The grants of a key, and the policy that they amount to.
#[derive(Default)]
struct Granted {
    grants: Vec<Grant>,
    policy: Option<Policy>,
}

impl Endpoint {
    /// Gives a resource that the endpoint does not keep itself a policy of its own, which then takes part in every decision
    /// about it: a queue, a topic, a KMS key, a secret, a function, a table, a repository, an event bus.
    ///
    /// Calls that put such policies (`SetQueueAttributes`, `PutKeyPolicy`, …) have the same effect once they are allowed. Buckets
    /// and roles are the endpoint's own, and get their policies by `PutBucketPolicy` and `UpdateAssumeRolePolicy`.
    ///
    /// A KMS key without a policy has the default one, by which its account's IAM policies decide.
    ///
    /// # Panics
    ///
    /// If the policy was not read as a resource-based one, or the ARN is of a bucket or of a resource of IAM.
    ///
    /// # Examples
    ///
    /// ```
    /// use iam_endpoint::Endpoint;
    /// use iam_policy::{Policy, PolicyKind};
    ///
    /// let policy = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "222233334444"},
    ///     "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:us-east-1:123456789012:orders"}}"#;
    /// let endpoint = Endpoint::new();
    /// let policy = Policy::parse(policy, PolicyKind::Resource)?;
    /// endpoint.put_resource_policy("arn:aws:sqs:us-east-1:123456789012:orders", policy);
    /// # Ok::<(), iam_policy::Diagnostics>(())
    /// ```
    #[track_caller]
    pub fn put_resource_policy(&self, arn: impl Into<String>, policy: Policy) {
        let arn = arn.into();
        assert!(
            policy.kind() == PolicyKind::Resource,
            "`{}` was not read as a resource-based policy",
            policy.source().name()
        );
        let service = Arn::parse(&arn).map(|arn| arn.service);
        assert!(
            service.is_some_and(|service| !matches!(service, "iam" | "s3")),
            "`{arn}` names no resource whose policy is put here"
        );
        self.shared.resource_policies.put(arn, policy);
    }
}

impl ResourcePolicies {
    /// The policy of a resource. That of a KMS key is never missing: without it nobody could use the key.
    ///
    /// <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html>
    pub(crate) fn of(&self, resource: Resource<'_>) -> Option<Policy> {
        let (kept, arn) = (self.kept(), resource.text);
        if !kept.policies.is_empty()
            && let Some(policy) = kept.policies.get(arn).or_else(|| kept.policies.get(holder(arn)?))
        {
            return Some(policy.clone());
        }
        drop(kept);
        default_key_policy(resource.key()?)
    }

    /// The policy that the grants of a key amount to.
    pub(crate) fn granted(&self, key: &str) -> Option<Policy> {
        self.kept().grants.get(key)?.policy.clone()
    }

    /// The key that an alias stands for, where somebody made it.
    pub(crate) fn key_of(&self, alias: &str) -> Option<String> {
        self.kept().aliases.get(alias).cloned()
    }

    pub(super) fn put(&self, arn: String, policy: Policy) {
        self.kept().policies.insert(arn, policy);
    }

    /// Forgets what a resource that is deleted, or whose policy is, had.
    pub(super) fn remove(&self, arn: &str) {
        self.kept().policies.remove(arn);
    }

    /// Changes the statements of a resource's policy; one without any is none.
    pub(super) fn edit(&self, arn: &str, edit: impl FnOnce(&mut Vec<Value>)) {
        let mut kept = self.kept();
        let text = kept.policies.get(arn).map(|policy| policy.source().fragment().to_owned());
        let mut document = text
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_else(|| json!({"Version": "2012-10-17", "Statement": []}));
        let mut statements = match document.get_mut("Statement").map(Value::take) {
            Some(Value::Array(statements)) => statements,
            Some(one) => vec![one],
            None => Vec::new(),
        };
        edit(&mut statements);
        let is_empty = statements.is_empty();
        if let Value::Object(members) = &mut document {
            members.insert("Statement".to_owned(), Value::Array(statements));
        }
        match Policy::parse(Source::new(arn, document.to_string()), PolicyKind::Resource) {
            Ok(policy) if !is_empty => {
                kept.policies.insert(arn.to_owned(), policy);
            }
            _ => {
                kept.policies.remove(arn);
            }
        }
    }

    pub(super) fn grant(&self, key: &str, grant: Grant) {
        let mut kept = self.kept();
        let granted = kept.grants.entry(key, Granted::default);
        granted.grants.push(grant);
        granted.policy = grant::policy(key, &granted.grants);
    }

    /// Ends a grant, by its id or its token.
    pub(super) fn end_grant(&self, named: &str) {
        for (key, granted) in self.kept().grants.iter_mut() {
            granted.grants.retain(|grant| !grant.is_named(named));
            granted.policy = grant::policy(key, &granted.grants);
        }
    }

    pub(super) fn set_alias(&self, alias: String, key: String) {
        self.kept().aliases.insert(alias, key);
    }

    pub(super) fn remove_alias(&self, alias: &str) {
        self.kept().aliases.remove(alias);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The resource whose policy speaks for another one: a table's for its indexes.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/access-control-resource-based.html>
fn holder(arn: &str) -> Option<&str> {
    let (table, _) = arn.split_once("/index/")?;
    table.contains(":dynamodb:").then_some(table)
}

/// What `CreateKey` gives a key where the caller names no policy: the account's IAM policies decide.
fn default_key_policy(key: Arn<'_>) -> Option<Policy> {
    static MADE: Mutex<Table<Policy>> = Mutex::new(Table::new());
    let root = format!("arn:{}:iam::{}:root", key.partition, key.account);
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(policy) = made.get(&root) {
        return Some(policy.clone());
    }
    let text = json!({
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [{"Sid": "Enable IAM User Permissions", "Effect": "Allow", "Principal": {"AWS": root},
                       "Action": "kms:*", "Resource": "*"}],
    });
    let source = Source::new("<default key policy>", text.to_string());
    let policy = Policy::parse(source, PolicyKind::Resource).ok()?;
    made.insert(root, policy.clone());
    Some(policy)
}
