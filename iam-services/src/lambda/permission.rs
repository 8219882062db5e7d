//! Permissions: the statements of a function's policy.
//!
//! Whom they allow what, the endpoint decides; here they are kept. See
//! <https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html>.

use serde_json::{Value, json};

use super::{State, conflict, not_found};
use crate::fault::{Answer, Fault};
use crate::ids;
use crate::kept::Ask;
use crate::scope::is_account;

/// One statement, and the version or alias that it is for.
pub(super) struct Permission {
    qualifier: Option<String>,
    sid: String,
    statement: Value,
}

pub(super) fn add(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    input.without(&["InvokedViaFunctionUrl"])?;
    let sid = input.sized("StatementId", 1, 100)?;
    let action = input.required("Action")?;
    let principal = input.required("Principal")?;
    if !action.starts_with("lambda:") && action != "*" {
        return Err(input.violated(
            "Action",
            action,
            r"Member must satisfy regular expression pattern: (lambda:[*]|lambda:[a-zA-Z]+|[*])",
        ));
    }
    let principal = match principal {
        "*" => json!("*"),
        account if is_account(account) => {
            json!({"AWS": format!("arn:{}:iam::{account}:root", ask.scope.partition)})
        }
        arn if arn.starts_with("arn:") => json!({ "AWS": arn }),
        service => json!({ "Service": service }),
    };
    let mut conditions = serde_json::Map::new();
    let keys = [
        ("ArnLike", "AWS:SourceArn", "SourceArn"),
        ("StringEquals", "AWS:SourceAccount", "SourceAccount"),
        ("StringEquals", "aws:PrincipalOrgID", "PrincipalOrgID"),
        ("StringEquals", "lambda:EventSourceToken", "EventSourceToken"),
        ("StringEquals", "lambda:FunctionUrlAuthType", "FunctionUrlAuthType"),
    ];
    for (operator, key, member) in keys {
        if let Some(value) = input.text(member)? {
            let of = conditions.entry(operator).or_insert_with(|| json!({}));
            if let Some(of) = of.as_object_mut() {
                of.insert(key.to_owned(), value.into());
            }
        }
    }
    let (function, qualifier) = state.function(ask)?;
    if qualifier.is_some() {
        function.version(qualifier)?;
    }
    let same = |of: &Permission| of.sid == sid && of.qualifier.as_deref() == qualifier;
    if function.permissions.iter().any(same) {
        return Err(conflict(format!(
            "The statement id ({sid}) provided already exists. Please provide a new statement id, or remove \
             the existing \
             statement."
        )));
    }
    let resource =
        qualifier.map_or_else(|| function.arn.clone(), |qualifier| format!("{}:{qualifier}", function.arn));
    let mut statement = json!({
        "Sid": sid, "Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource,
    });
    if let (Some(members), false) = (statement.as_object_mut(), conditions.is_empty()) {
        members.insert("Condition".to_owned(), conditions.into());
    }
    let answer = json!({ "Statement": statement.to_string() });
    function.permissions.push(Permission {
        qualifier: qualifier.map(str::to_owned),
        sid: sid.to_owned(),
        statement,
    });
    Ok(answer)
}

pub(super) fn policy(state: &mut State, ask: &Ask<'_>) -> Answer {
    let (function, qualifier) = state.function(ask)?;
    let of = function.permissions.iter().filter(|of| of.qualifier.as_deref() == qualifier);
    let statements: Vec<&Value> = of.map(|of| &of.statement).collect();
    if statements.is_empty() {
        return Err(no_policy());
    }
    let policy = json!({"Version": "2012-10-17", "Id": "default", "Statement": statements});
    Ok(json!({"Policy": policy.to_string(), "RevisionId": ids::uuid()}))
}

pub(super) fn remove(state: &mut State, ask: &Ask<'_>) -> Answer {
    let sid = ask.input.sized("StatementId", 1, 100)?;
    let (function, qualifier) = state.function(ask)?;
    let before = function.permissions.len();
    function.permissions.retain(|of| of.sid != sid || of.qualifier.as_deref() != qualifier);
    if function.permissions.len() == before {
        return Err(not_found("Statement", sid));
    }
    Ok(Value::Null)
}

fn no_policy() -> Fault {
    Fault::with_status(404, "ResourceNotFoundException", "The resource you requested does not exist.")
}
