//! The encoded authorization failure message.
//!
//! EC2 tells the details of a denial only to whom may call `sts:DecodeAuthorizationMessage`. See
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html>.

use iam_policy::Verdict;
use serde_json::{Value, json};

use crate::endpoint::Shared;
use crate::identify::caller::Caller;
use crate::identify::sigv4::sha256;
use crate::journal::Authorization;

/// As hexadecimal digits.
const SEAL_LENGTH: usize = 64;

/// The details of a denial, sealed so that only this endpoint's own are decoded.
pub(crate) fn encode(endpoint: &Shared, caller: &Caller, denial: &Authorization) -> String {
    let details = details(caller, denial).to_string();
    let sealed = [seal(endpoint, &details).as_str(), &details].concat();
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(sealed)
}

/// The details; `None` for what this endpoint did not encode.
pub(crate) fn decode(endpoint: &Shared, message: &str) -> Option<String> {
    let sealed = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(message).ok()?;
    let sealed = String::from_utf8(sealed).ok()?;
    let (seal_of, details) = sealed.split_at_checked(SEAL_LENGTH)?;
    (seal(endpoint, details) == seal_of).then(|| details.to_owned())
}

fn seal(endpoint: &Shared, details: &str) -> String {
    let keyed = [endpoint.secret(), "\n", details].concat();
    sha256(keyed.as_bytes()).hex()
}

fn details(caller: &Caller, denial: &Authorization) -> Value {
    let Authorization { request, decision, .. } = denial;
    let items = |items: Vec<Value>| json!({ "items": items });
    let (mut conditions, mut statements) = (Vec::new(), Vec::new());
    for (key, values) in request.context.iter() {
        if values.is_empty() {
            continue;
        }
        let mut told = Vec::new();
        for value in values {
            told.push(json!({ "value": value }));
        }
        conditions.push(json!({ "key": key, "values": items(told) }));
    }
    for by in &decision.by {
        statements.push(json!({ "statementId": by.sid().unwrap_or_default(), "effect": "DENY" }));
    }
    json!({
        "allowed": false,
        "explicitDeny": decision.verdict == Verdict::ExplicitDeny,
        "matchedStatements": items(statements),
        "failures": items(Vec::new()),
        "context": {
            "principal": { "id": caller.user_id, "arn": caller.principal.to_string() },
            "action": request.action,
            "resource": request.resource,
            "conditions": items(conditions),
        },
    })
}
