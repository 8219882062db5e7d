//! KMS's grants, put as a policy: who may do which operations with a key, in which encryption context.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>

use iam_policy::{Policy, PolicyKind, Source};
use serde_json::{Map, Value, json};

use crate::wire::input::{Found, Input, entries};

/// A grant on a key.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    id: String,
    token: Option<String>,
    grantee: String,
    retiring: Option<String>,
    operations: Vec<String>,
    /// The pairs that the encryption context must have, and whether it may have others.
    context: Option<(Vec<(String, String)>, bool)>,
}

/// The operations that have an encryption context, and so are limited by one.
const WITH_CONTEXT: [&str; 8] = [
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
];

impl Grant {
    /// Reads what `CreateGrant` asks for; its id comes with the answer.
    pub(super) fn read(input: &Input<'_>) -> Option<Grant> {
        let pairs = |path: &str| {
            let map = input.collection(path)?;
            let pair = |(key, value): (&str, &Value)| Some((key.to_owned(), value.as_str()?.to_owned()));
            entries(map).into_iter().map(pair).collect::<Option<Vec<_>>>()
        };
        let equals = pairs("Constraints.EncryptionContextEquals").map(|pairs| (pairs, false));
        let context =
            equals.or_else(|| pairs("Constraints.EncryptionContextSubset").map(|pairs| (pairs, true)));
        let operations = input.find("Operations[]").into_iter().filter_map(Found::text);
        Some(Grant {
            id: String::new(),
            token: None,
            grantee: input.text("GranteePrincipal")?.into_owned(),
            retiring: input.text("RetiringPrincipal").map(std::borrow::Cow::into_owned),
            operations: operations.map(std::borrow::Cow::into_owned).collect(),
            context,
        })
    }

    /// The grant as `CreateGrant` answered it.
    pub(super) fn named(self, id: &str, token: Option<&str>) -> Grant {
        Grant { id: id.to_owned(), token: token.map(str::to_owned), ..self }
    }

    pub(super) fn is_named(&self, id_or_token: &str) -> bool {
        self.id == id_or_token || self.token.as_deref() == Some(id_or_token)
    }

    fn statements(&self) -> impl Iterator<Item = Value> {
        let (with, without): (Vec<_>, Vec<_>) =
            self.operations.iter().partition(|operation| WITH_CONTEXT.contains(&operation.as_str()));
        let condition = self.context.as_ref().map(|(pairs, is_subset)| condition(pairs, *is_subset));
        let grantee = |operations: Vec<&String>, condition: Option<Value>| {
            let actions: Vec<_> = operations.iter().map(|operation| format!("kms:{operation}")).collect();
            (!actions.is_empty()).then(|| allow(&self.grantee, &actions, condition))
        };
        let retire =
            self.retiring.as_ref().map(|principal| allow(principal, &["kms:RetireGrant".to_owned()], None));
        [grantee(with, condition), grantee(without, None), retire].into_iter().flatten()
    }
}

fn allow(principal: &str, actions: &[String], condition: Option<Value>) -> Value {
    let mut statement =
        json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": actions, "Resource": "*"});
    if let (Value::Object(members), Some(condition)) = (&mut statement, condition) {
        members.insert("Condition".to_owned(), condition);
    }
    statement
}

fn condition(pairs: &[(String, String)], is_subset: bool) -> Value {
    let equal: Map<_, _> =
        pairs.iter().map(|(key, value)| (format!("kms:EncryptionContext:{key}"), json!(value))).collect();
    let mut condition = json!({"StringEquals": equal});
    if let (Value::Object(operators), false) = (&mut condition, is_subset) {
        let keys: Vec<_> = pairs.iter().map(|(key, _)| key).collect();
        operators.insert("ForAllValues:StringEquals".to_owned(), json!({"kms:EncryptionContextKeys": keys}));
    }
    condition
}

/// What the grants of a key amount to. In the language's first version `${` is no variable.
pub(super) fn policy(key: &str, grants: &[Grant]) -> Option<Policy> {
    let statements: Vec<_> = grants.iter().flat_map(Grant::statements).collect();
    let text = json!({"Version": "2008-10-17", "Statement": statements}).to_string();
    Policy::parse(Source::new(format!("<grants of {key}>"), text), PolicyKind::Resource).ok()
}
