//! Log groups: made, looked at, tagged, deleted.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::stream::Stream;
use super::{State, not_found};
use crate::fault::{Answer, Fault};
use crate::kept::Ask;
use crate::page::page;
use crate::scope::Arn;
use crate::tags::{self, Tags};

/// A log group with its streams.
pub(super) struct Group {
    pub(super) name: String,
    /// Without the `:*` at the end.
    pub(super) arn: String,
    created: u64,
    retention: Option<i64>,
    key: Option<String>,
    class: &'static str,
    is_protected: bool,
    pub(super) tags: Tags,
    pub(super) streams: BTreeMap<String, Stream>,
}

/// See <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html>.
pub(super) fn create(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    let name = input.sized("logGroupName", 1, 512)?;
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-/.#".contains(&b)) {
        return Err(input.violated(
            "logGroupName",
            name,
            r"Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+",
        ));
    }
    let class = input.one_of("logGroupClass", &["STANDARD", "INFREQUENT_ACCESS", "DELIVERY"])?;
    let tags = checked(ask, input.tag_map("tags")?)?;
    if state.groups.contains_key(name) {
        return Err(Fault::new("ResourceAlreadyExistsException", "The specified log group already exists"));
    }
    let group = Group {
        name: name.to_owned(),
        arn: ask.scope.arn("logs", &format!("log-group:{name}")),
        created: ask.now,
        retention: None,
        key: input.text("kmsKeyId")?.map(str::to_owned),
        class: class.unwrap_or("STANDARD"),
        is_protected: input.boolean("deletionProtectionEnabled")?.unwrap_or(false),
        tags,
        streams: BTreeMap::new(),
    };
    state.groups.insert(name.to_owned(), group);
    Ok(Value::Null)
}

fn checked(ask: &Ask<'_>, tags: Tags) -> Result<Tags, Fault> {
    match tags::problem(&tags) {
        Some(problem) => Err(ask.input.invalid(problem)),
        None => Ok(tags),
    }
}

pub(super) fn delete(state: &mut State, ask: &Ask<'_>) -> Answer {
    let group = state.group(ask.input)?;
    if group.is_protected {
        return Err(Fault::new("ValidationException", "Deletion protection is enabled on the log group"));
    }
    let name = group.name.clone();
    state.groups.remove(&name);
    Ok(Value::Null)
}

pub(super) fn describe(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    input.without(&["accountIdentifiers", "includeLinkedAccounts", "logGroupIdentifiers"])?;
    let limit = input.limit("limit", 50, 50)?;
    let (prefix, part) = (input.text("logGroupNamePrefix")?, input.text("logGroupNamePattern")?);
    let class = input.text("logGroupClass")?;
    if prefix.is_some() && part.is_some() {
        return Err(input
            .invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."));
    }
    let part = part.map(str::to_lowercase);
    let (found, token) = page(&state.groups, input.text("nextToken")?, limit, |name, group| {
        prefix.is_none_or(|prefix| name.starts_with(prefix))
            && part.as_ref().is_none_or(|part| name.to_lowercase().contains(part))
            && class.is_none_or(|class| class == group.class)
    })
    .ok_or_else(|| input.invalid("The specified nextToken is invalid."))?;
    let groups: Vec<Value> = found.into_iter().map(|(_, group)| group.told()).collect();
    Ok(json!({"logGroups": groups, "nextToken": token}))
}

impl Group {
    fn told(&self) -> Value {
        json!({
            "logGroupName": self.name,
            "creationTime": self.created,
            "retentionInDays": self.retention,
            "metricFilterCount": 0,
            "arn": format!("{}:*", self.arn),
            "logGroupArn": self.arn,
            "storedBytes": self.streams.values().map(Stream::size).sum::<usize>(),
            "kmsKeyId": self.key,
            "logGroupClass": self.class,
            "deletionProtectionEnabled": self.is_protected,
        })
    }
}

/// See <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>.
pub(super) fn put_retention(state: &mut State, ask: &Ask<'_>) -> Answer {
    const DAYS: [i64; 23] = [
        1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
        3653, 0,
    ];
    let days = ask.input.integer("retentionInDays")?.unwrap_or_default();
    if days == 0 || !DAYS.contains(&days) {
        return Err(ask.input.violated(
            "retentionInDays",
            &days.to_string(),
            "Member must satisfy enum value set: [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, \
             731, 1096, 1827, \
             2192, 2557, 2922, 3288, 3653]",
        ));
    }
    state.group(ask.input)?.retention = Some(days);
    Ok(Value::Null)
}

pub(super) fn delete_retention(state: &mut State, ask: &Ask<'_>) -> Answer {
    state.group(ask.input)?.retention = None;
    Ok(Value::Null)
}

pub(super) fn tag(state: &mut State, ask: &Ask<'_>) -> Answer {
    let group = tagged(state, ask)?;
    add_tags(group, ask)
}

pub(super) fn tag_by_name(state: &mut State, ask: &Ask<'_>) -> Answer {
    let group = state.group(ask.input)?;
    add_tags(group, ask)
}

fn add_tags(group: &mut Group, ask: &Ask<'_>) -> Answer {
    ask.input.required_object("tags")?;
    let mut tags = group.tags.clone();
    tags.extend(ask.input.tag_map("tags")?);
    group.tags = checked(ask, tags)?;
    Ok(Value::Null)
}

pub(super) fn untag(state: &mut State, ask: &Ask<'_>) -> Answer {
    let keys = ask.input.texts("tagKeys")?;
    tagged(state, ask)?.tags.retain(|key, _| !keys.contains(&key.as_str()));
    Ok(Value::Null)
}

pub(super) fn untag_by_name(state: &mut State, ask: &Ask<'_>) -> Answer {
    let keys = ask.input.texts("tags")?;
    state.group(ask.input)?.tags.retain(|key, _| !keys.contains(&key.as_str()));
    Ok(Value::Null)
}

pub(super) fn list_tags(state: &mut State, ask: &Ask<'_>) -> Answer {
    Ok(json!({ "tags": tags::map(&tagged(state, ask)?.tags) }))
}

pub(super) fn list_tags_by_name(state: &mut State, ask: &Ask<'_>) -> Answer {
    Ok(json!({ "tags": tags::map(&state.group(ask.input)?.tags) }))
}

fn tagged<'s>(state: &'s mut State, ask: &Ask<'_>) -> Result<&'s mut Group, Fault> {
    let text = ask.input.required("resourceArn")?;
    let Some(arn) = Arn::parse(text).filter(|arn| arn.service == "logs") else {
        return Err(ask.input.invalid(format!("Invalid resource ARN: {text}")));
    };
    match arn.resource.strip_prefix("log-group:") {
        Some(name) if ask.scope.holds(&arn) => {
            let name = name.strip_suffix(":*").unwrap_or(name);
            state.groups.get_mut(name).ok_or_else(|| not_found("resource"))
        }
        Some(_) => Err(not_found("resource")),
        // Destinations are not kept here.
        None => Err(Fault::NotPerformed),
    }
}

pub(super) fn put_policy(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.without(&["resourceArn", "expectedRevisionId"])?;
    let name = ask.input.required("policyName")?;
    let document = ask.input.sized("policyDocument", 1, 5120)?;
    if !matches!(serde_json::from_str(document), Ok(Value::Object(_))) {
        return Err(ask.input.invalid("Policy document is not a JSON policy document"));
    }
    if !state.policies.contains_key(name) && state.policies.len() >= 10 {
        return Err(Fault::new("LimitExceededException", "Resource limit exceeded."));
    }
    state.policies.insert(name.to_owned(), (document.to_owned(), ask.now));
    Ok(
        json!({"resourcePolicy": {"policyName": name, "policyDocument": document, "lastUpdatedTime": ask.now}}),
    )
}

pub(super) fn delete_policy(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.without(&["resourceArn", "expectedRevisionId"])?;
    let name = ask.input.required("policyName")?;
    match state.policies.remove(name) {
        Some(_) => Ok(Value::Null),
        None => {
            Err(Fault::new("ResourceNotFoundException", format!("Policy with name [{name}] does not exist.")))
        }
    }
}

pub(super) fn policies(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.without(&["resourceArn", "policyScope", "nextToken"])?;
    let policies: Vec<Value> = state
        .policies
        .iter()
        .map(|(name, (document, at))| {
            json!({"policyName": name, "policyDocument": document, "lastUpdatedTime": at})
        })
        .collect();
    Ok(json!({ "resourcePolicies": policies }))
}
