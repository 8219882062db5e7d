//! KMS's grants, put as a policy: who may do which operations with a key, in which encryption context.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>

use iam_policy::{Policy, PolicyKind, Source};
use serde_json::{Map, Value, json};

use crate::wire::input::{Input, entries};

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
            let mut pairs = Vec::new();
            for (key, value) in entries(input.collection(path)?) {
                pairs.push((key.to_owned(), value.as_str()?.to_owned()));
            }
            Some(pairs)
        };
        let equals = pairs("Constraints.EncryptionContextEquals").map(|pairs| (pairs, false));
        let context =
            equals.or_else(|| pairs("Constraints.EncryptionContextSubset").map(|pairs| (pairs, true)));
        Some(Grant {
            id: String::new(),
            token: None,
            grantee: input.text("GranteePrincipal")?.into_owned(),
            retiring: input.text("RetiringPrincipal").map(std::borrow::Cow::into_owned),
            operations: input.texts("Operations[]"),
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

    fn add_statements(&self, statements: &mut Vec<Value>) {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for operation in &self.operations {
            let is_limited = WITH_CONTEXT.contains(&operation.as_str());
            let actions = if is_limited { &mut with } else { &mut without };
            actions.push(format!("kms:{operation}"));
        }
        if !with.is_empty() {
            let condition = self.context.as_ref().map(|(pairs, is_subset)| condition(pairs, *is_subset));
            statements.push(allow(&self.grantee, &with, condition));
        }
        if !without.is_empty() {
            statements.push(allow(&self.grantee, &without, None));
        }
        if let Some(principal) = &self.retiring {
            statements.push(allow(principal, &["kms:RetireGrant".to_owned()], None));
        }
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
    let (mut equal, mut keys) = (Map::new(), Vec::new());
    for (key, value) in pairs {
        equal.insert(format!("kms:EncryptionContext:{key}"), json!(value));
        keys.push(key.clone());
    }
    let mut condition = json!({"StringEquals": equal});
    if let (Value::Object(operators), false) = (&mut condition, is_subset) {
        operators.insert("ForAllValues:StringEquals".to_owned(), json!({"kms:EncryptionContextKeys": keys}));
    }
    condition
}

/// What the grants of a key amount to. In the language's first version `${` is no variable.
pub(super) fn policy(key: &str, grants: &[Grant]) -> Option<Policy> {
    let mut statements = Vec::new();
    for grant in grants {
        grant.add_statements(&mut statements);
    }
    let text = json!({"Version": "2008-10-17", "Statement": statements}).to_string();
    Policy::parse(Source::new(format!("<grants of {key}>"), text), PolicyKind::Resource).ok()
}
