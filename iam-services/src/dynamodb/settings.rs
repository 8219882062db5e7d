//! What is set on a table: tags, policy, expiry, recovery.

use serde_json::{Value, json};

use super::{State, invalid};
use crate::fault::{Answer, Fault};
use crate::ids;
use crate::kept::{Ask, seconds};
use crate::tags;

pub(super) fn tag(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.required_list("Tags")?;
    let given = ask.input.tag_list("Tags", "Key", "Value")?;
    let table = state.resource(ask.input)?;
    let mut tags = table.tags.clone();
    tags.extend(given);
    if let Some(problem) = tags::problem(&tags) {
        return Err(invalid(problem));
    }
    table.tags = tags;
    Ok(Value::Null)
}

pub(super) fn untag(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.required_list("TagKeys")?;
    let keys = ask.input.texts("TagKeys")?;
    state.resource(ask.input)?.tags.retain(|key, _| !keys.contains(&key.as_str()));
    Ok(Value::Null)
}

pub(super) fn list_tags(state: &mut State, ask: &Ask<'_>) -> Answer {
    Ok(json!({ "Tags": tags::list(&state.resource(ask.input)?.tags, "Key", "Value") }))
}

/// See <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTimeToLive.html>. Items do not expire:
/// AWS takes days for that too.
pub(super) fn update_time_to_live(state: &mut State, ask: &Ask<'_>) -> Answer {
    let specification = ask.input.required_object("TimeToLiveSpecification")?;
    let attribute = specification.sized("AttributeName", 1, 255)?;
    let Some(is_on) = specification.boolean("Enabled")? else {
        return Err(specification.violated("Enabled", "null", "Member must not be null"));
    };
    let table = state.table(ask.input)?;
    if table.time_to_live.is_some() == is_on {
        let state = if is_on { "enabled" } else { "disabled" };
        return Err(invalid(format!("TimeToLive is already {state}")));
    }
    if table.time_to_live.as_deref().is_some_and(|current| current != attribute) {
        return Err(invalid("TimeToLive is active on a different AttributeName"));
    }
    table.time_to_live = is_on.then(|| attribute.to_owned());
    Ok(json!({"TimeToLiveSpecification": {"AttributeName": attribute, "Enabled": is_on}}))
}

pub(super) fn time_to_live(state: &mut State, ask: &Ask<'_>) -> Answer {
    let described = match &state.table(ask.input)?.time_to_live {
        Some(attribute) => json!({"TimeToLiveStatus": "ENABLED", "AttributeName": attribute}),
        None => json!({"TimeToLiveStatus": "DISABLED"}),
    };
    Ok(json!({ "TimeToLiveDescription": described }))
}

pub(super) fn update_continuous_backups(state: &mut State, ask: &Ask<'_>) -> Answer {
    let specification = ask.input.required_object("PointInTimeRecoverySpecification")?;
    specification.without(&["RecoveryPeriodInDays"])?;
    let is_on = specification.boolean("PointInTimeRecoveryEnabled")?.unwrap_or(false);
    existing(state, ask)?.has_recovery = is_on;
    continuous_backups(state, ask)
}

pub(super) fn continuous_backups(state: &mut State, ask: &Ask<'_>) -> Answer {
    let table = existing(state, ask)?;
    let recovery = if table.has_recovery {
        json!({
            "PointInTimeRecoveryStatus": "ENABLED",
            "RecoveryPeriodInDays": 35,
            "EarliestRestorableDateTime": seconds(table.created),
            "LatestRestorableDateTime": seconds(ask.now),
        })
    } else {
        json!({"PointInTimeRecoveryStatus": "DISABLED"})
    };
    Ok(json!({"ContinuousBackupsDescription": {
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": recovery,
    }}))
}

fn existing<'s>(state: &'s mut State, ask: &Ask<'_>) -> Result<&'s mut super::table::Table, Fault> {
    let name = ask.input.required("TableName")?;
    state.named(name).map_err(|_| Fault::new("TableNotFoundException", format!("Table not found: {name}")))
}

/// See <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutResourcePolicy.html>.
pub(super) fn put_policy(state: &mut State, ask: &Ask<'_>) -> Answer {
    let policy = ask.input.required("Policy")?;
    if !matches!(serde_json::from_str(policy), Ok(Value::Object(_))) {
        return Err(invalid("Resource-based policy is not a JSON policy document"));
    }
    let expected = ask.input.text("ExpectedRevisionId")?;
    let table = state.resource(ask.input)?;
    check_revision(table.policy.as_ref(), expected)?;
    let revision = ids::uuid();
    table.policy = Some((policy.to_owned(), revision.clone()));
    Ok(json!({ "RevisionId": revision }))
}

pub(super) fn policy(state: &mut State, ask: &Ask<'_>) -> Answer {
    match &state.resource(ask.input)?.policy {
        Some((policy, revision)) => Ok(json!({"Policy": policy, "RevisionId": revision})),
        None => Err(no_policy()),
    }
}

pub(super) fn delete_policy(state: &mut State, ask: &Ask<'_>) -> Answer {
    let expected = ask.input.text("ExpectedRevisionId")?;
    let table = state.resource(ask.input)?;
    check_revision(table.policy.as_ref(), expected)?;
    // It is no error to have had none.
    let revision = table.policy.take().map(|(_, revision)| revision);
    Ok(json!({ "RevisionId": revision }))
}

fn check_revision(policy: Option<&(String, String)>, expected: Option<&str>) -> Result<(), Fault> {
    let fits = match expected {
        None => true,
        Some("NO_POLICY") => policy.is_none(),
        Some(revision) => policy.is_some_and(|(_, current)| current == revision),
    };
    if fits { Ok(()) } else { Err(no_policy()) }
}

fn no_policy() -> Fault {
    Fault::new("PolicyNotFoundException", "Resource-based policy not found for the provided ResourceArn")
}
