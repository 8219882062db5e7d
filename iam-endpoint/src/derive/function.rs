//! The value shapes of AWS's APIs that are no plain member: the functions that the table may call.
#![expect(clippy::needless_pass_by_value, reason = "all functions of the table have one type")]

use std::borrow::Cow;
use std::fmt::Write;

use iam_policy::{Arn, Principal};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::arn::{is_arn, tail};
use super::scope::{Scope, Values};
use super::{dynamodb, name};
use crate::wire::input::{Found, entries};

/// A function of the table.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) run: for<'a> fn(&Scope<'a>, Vec<Vec<Found<'a>>>) -> Values<'a>,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// All functions, by name. `x` is the first argument, each of whose texts gives one value.
#[rustfmt::skip]
pub(crate) const FUNCTIONS: &[Function] = &[
    // The ARN of a resource of this type in the account that `x` names, or in the caller's.
    Function { name: "account_arn", run: name::account_arn },
    // The address in `Name <address>`, or all of `x`.
    Function { name: "address", run: |_, given| each(&given, &|text| Some(address(text).to_owned())) },
    // What stands behind the first `sign` in `x`.
    Function { name: "after", run: |_, given| each_with(&given, &|text, sign| text.split_once(sign).map(|(_, after)| after.to_owned())) },
    // What all arguments have.
    Function { name: "all", run: |_, given| Values::Known(all(given)) },
    // The ARN of a resource of type `x`, named by the other arguments.
    Function { name: "arn", run: name::arn },
    // The account of an ARN.
    Function { name: "arn_account", run: |_, given| each(&given, &|text| Some(Arn::parse(text)?.account.to_owned())) },
    // What an ARN says behind its account.
    Function { name: "arn_resource", run: |_, given| each(&given, &|text| Some(Arn::parse(text)?.resource.to_owned())) },
    // What stands behind the last `/` or `:` of an ARN.
    Function { name: "arn_tail", run: |_, given| each(&given, &|text| Some(tail(text).to_owned())) },
    // The attributes that map keys, maps, lists and expressions of DynamoDB name.
    Function { name: "attributes", run: dynamodb::attributes },
    // The text that is base64 in `x`.
    Function { name: "base64", run: |_, given| each(&given, &|text| String::from_utf8(base64_simd::STANDARD.decode_to_vec(text).ok()?).ok()) },
    // The ARN of what a model id of Bedrock names: a foundation model or an inference profile.
    Function { name: "bedrock_model", run: name::bedrock_model },
    // What stands before the first `sign` in `x`; all of `x` where there is none.
    Function { name: "before", run: |_, given| each_with(&given, &|text, sign| text.split(sign).next().map(str::to_owned)) },
    // `x`, if it is an ARN; of what a mere name is, the request does not tell the ARN.
    Function { name: "by_arn", run: by_arn },
    // The account that calls.
    Function { name: "caller_account", run: |scope, _| Values::Known(vec![Found::Text(Cow::Borrowed(scope.account))]) },
    // The user that calls; nothing where it is no user.
    Function { name: "caller_user", run: caller_user },
    // The KMS key that a ciphertext names.
    Function { name: "ciphertext_key", run: ciphertext_key },
    // The object that S3's copy source names, as `bucket/key`.
    Function { name: "copy_source", run: |_, given| each(&given, &copy_source) },
    // The name in `Name <address>`.
    Function { name: "display_name", run: |_, given| each(&given, &|text| text.split_once('<').map(|(name, _)| name.trim().trim_matches('"').to_owned())) },
    // The ARN of an EC2 resource by its id.
    Function { name: "ec2_arn", run: name::ec2_arn },
    // The ARN of the ECS task that a target of Session Manager is.
    Function { name: "ecs_target", run: |scope, given| each(&given, &|text| ecs_task(scope, text)) },
    // The ARN of an EventBridge rule, by its bus and its name.
    Function { name: "event_rule", run: name::event_rule },
    // The first parts of `x` between colons, as many as the second argument says.
    Function { name: "first", run: |_, given| each_with(&given, &first_parts) },
    // Whether PartiQL statements of DynamoDB read whole tables.
    Function { name: "full_table_scan", run: dynamodb::full_table_scan },
    // The role in an instance profile, given by ARN or by name.
    Function { name: "instance_profile", run: instance_profile },
    // The ARN of an instance profile by ARN or name.
    Function { name: "instance_profile_arn", run: name::instance_profile_arn },
    // `true` where the request has it.
    Function { name: "is_there", run: |_, given| Values::Known(vec![Found::Text(Cow::Borrowed(if first(&given).is_empty() { "false" } else { "true" }))]) },
    // What the other arguments have, with `x` between them; nothing where one has nothing.
    Function { name: "joined", run: |_, given| joined(&given) },
    // The texts under a path of members in JSON.
    Function { name: "json", run: |_, given| json_texts(&given) },
    // The keys of a map.
    Function { name: "keys", run: |_, given| Values::Known(map_keys(given)) },
    // The alias of a KMS key, where the request names it so.
    Function { name: "kms_alias", run: |_, given| each(&given, &kms_alias) },
    // A KMS key by id or ARN; an alias by its own ARN.
    Function { name: "kms_key", run: |scope, given| each(&given, &|text| Some(if text.starts_with("alias/") { scope.arn("kms", text) } else { text.to_owned() })) },
    // The ARN of a Lambda function by name, ARN or part of one, with the qualifier that is the second argument.
    Function { name: "lambda_function", run: lambda_function },
    // The partition key's values in DynamoDB's keys and items.
    Function { name: "leading_keys", run: dynamodb::leading_keys },
    // The name of a log group, by ARN or name.
    Function { name: "log_group", run: |_, given| each(&given, &|text| Some(log_group(text).to_owned())) },
    // The request has no such value.
    Function { name: "nothing", run: |_, _| Values::Known(Vec::new()) },
    // The id of the organization, if a test has set one.
    Function { name: "organization_id", run: organization_id },
    // One part of `x` between colons, counted from one.
    Function { name: "part", run: |_, given| each_with(&given, &|text, number| text.split(':').nth(counted(number)?).map(str::to_owned)) },
    // The table that a PartiQL statement is about.
    Function { name: "partiql_table", run: |_, given| each(&given, &dynamodb::partiql_table) },
    // The partition key's value in the key condition of a DynamoDB query.
    Function { name: "query_keys", run: dynamodb::query_keys },
    // The ARN of the queue that an SQS URL names: it may be in another account.
    Function { name: "queue_name", run: queue },
    // The name of a DNS record as Route 53 compares it.
    Function { name: "record_name", run: |_, given| each(&given, &|text| Some(record_name(text))) },
    // The region that the request is for.
    Function { name: "region", run: |scope, _| Values::Known(vec![Found::Text(Cow::Borrowed(scope.region))]) },
    // A path without its first slash.
    Function { name: "relative", run: |_, given| each(&given, &|text| Some(text.strip_prefix('/').unwrap_or(text).to_owned())) },
    // API Gateway's ARN of the path that the request is for.
    Function { name: "request_path_arn", run: name::request_path_arn },
    // What the resource is called that is asked about.
    Function { name: "resource_name", run: |_, _| Values::OfResource },
    // The ARN of a secret by ARN or by name; a name has six characters more in its ARN.
    Function { name: "secret", run: |scope, given| each(&given, &|text| Some(secret(scope, text))) },
    // An ARN of the service in the caller's account that ends in `x`.
    Function { name: "service_arn", run: |scope, given| each(&given, &|text| Some(scope.arn(scope.prefix, text))) },
    // The parts of `x` between the signs that the second argument has.
    Function { name: "split", run: split },
    // The ARN of a document of Systems Manager; AWS's own documents are of no account.
    Function { name: "ssm_document", run: |scope, given| each(&given, &|text| Some(ssm_document(scope, text))) },
    // A parameter of Systems Manager by ARN, or its name without the first slash, a version or a label.
    Function { name: "ssm_parameter", run: |_, given| each(&given, &|text| Some(ssm_parameter(text).to_owned())) },
    // The ARN of an ECS task definition by ARN, `family:revision` or family.
    Function { name: "task_definition", run: name::task_definition },
    // The request does not tell it; with an argument, only where that is there: the name of what has an id.
    Function { name: "unknown", run: |_, given| if !given.is_empty() && first(&given).is_empty() { Values::Known(Vec::new()) } else { Values::Unknown } },
];

pub(super) fn texts<'g>(found: &'g [Found<'_>]) -> Vec<&'g str> {
    let mut texts = Vec::with_capacity(found.len());
    for found in found {
        if let Found::Text(text) = found {
            texts.push(text.as_ref());
        }
    }
    texts
}

pub(super) fn first_text<'g>(found: &'g [Found<'_>]) -> Option<&'g str> {
    texts(found).first().copied()
}

fn first<'g, 'a>(given: &'g [Vec<Found<'a>>]) -> &'g [Found<'a>] {
    given.first().map_or(&[], Vec::as_slice)
}

pub(super) fn each<'a>(given: &[Vec<Found<'a>>], of: &dyn Fn(&str) -> Option<String>) -> Values<'a> {
    let mut found = Vec::new();
    for text in texts(first(given)) {
        if let Some(text) = of(text) {
            found.push(Found::Text(Cow::Owned(text)));
        }
    }
    Values::Known(found)
}

/// The same with the second argument.
fn each_with<'a>(given: &[Vec<Found<'a>>], of: &dyn Fn(&str, &str) -> Option<String>) -> Values<'a> {
    let second = second(given).unwrap_or_default();
    each(given, &|text| of(text, second))
}

fn second<'g>(given: &'g [Vec<Found<'_>>]) -> Option<&'g str> {
    first_text(given.get(1)?)
}

/// <https://docs.aws.amazon.com/ses/latest/dg/control-user-access.html>
fn address(text: &str) -> &str {
    text.split_once('<').map_or(text, |(_, rest)| rest.split('>').next().unwrap_or(rest)).trim()
}

fn by_arn<'a>(_: &Scope<'a>, mut given: Vec<Vec<Found<'a>>>) -> Values<'a> {
    let found = if given.is_empty() { Vec::new() } else { given.remove(0) };
    if texts(&found).into_iter().all(is_arn) { Values::Known(found) } else { Values::Unknown }
}

fn joined<'a>(given: &[Vec<Found<'a>>]) -> Values<'a> {
    let Some((between, parts)) = given.split_first() else { return Values::Known(Vec::new()) };
    let mut joined = Vec::with_capacity(parts.len());
    for part in parts {
        match first_text(part) {
            Some(text) => joined.push(text),
            None => return Values::Known(Vec::new()),
        }
    }
    let between = first_text(between).unwrap_or_default();
    Values::Known(vec![Found::Text(Cow::Owned(joined.join(between)))])
}

/// Colons stand between the parts of an ARN, and before its version or alias.
fn first_parts(text: &str, count: &str) -> Option<String> {
    let end = text.match_indices(':').nth(counted(count)?);
    Some(end.map_or(text, |(at, _)| text.get(..at).unwrap_or(text)).to_owned())
}

/// The place of a part that is counted from one.
fn counted(number: &str) -> Option<usize> {
    number.parse::<usize>().ok()?.checked_sub(1)
}

fn json_texts<'a>(given: &[Vec<Found<'a>>]) -> Values<'a> {
    let path = second(given).unwrap_or_default();
    let mut found = Vec::new();
    for text in texts(first(given)) {
        let Ok(tree) = serde_json::from_str::<Value>(text) else { continue };
        let mut value = Some(&tree);
        for name in path.split('.') {
            value = value.and_then(|value| value.get(name));
        }
        let values = match value {
            Some(Value::Array(values)) => values.as_slice(),
            Some(value) => std::slice::from_ref(value),
            None => &[],
        };
        for value in values {
            if let Value::String(text) = value {
                found.push(Found::Text(Cow::Owned(text.clone())));
            }
        }
    }
    Values::Known(found)
}

/// `NAME`, or `arn:aws:logs:REGION:ACCOUNT:log-group:NAME` with or without `:*`.
fn log_group(text: &str) -> &str {
    let name = text.split_once(":log-group:").map_or(text, |(_, name)| name);
    name.split(':').next().unwrap_or(name)
}

/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-rrset-conditions.html>
fn record_name(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for c in text.strip_suffix('.').unwrap_or(text).chars() {
        match c {
            'a'..='z' | '0'..='9' | '-' | '_' | '.' | '\\' => name.push(c),
            'A'..='Z' => name.push(c.to_ascii_lowercase()),
            c => {
                // Writing to a string does not fail.
                let _ = write!(name, "\\{:03o}", u32::from(c));
            }
        }
    }
    name
}

fn copy_source(text: &str) -> Option<String> {
    let path = text.split("?versionId=").next().unwrap_or(text);
    Some(percent_decode_str(path.trim_start_matches('/')).decode_utf8().ok()?.into_owned())
}

fn instance_profile<'a>(scope: &Scope<'a>, given: Vec<Vec<Found<'a>>>) -> Values<'a> {
    let mut roles = Vec::new();
    for text in texts(first(&given)) {
        match scope.endpoint.role_of_profile(text.rsplit('/').next().unwrap_or(text)) {
            Some(role) => roles.push(Found::Text(Cow::Owned(role))),
            // Whose role a profile has that the endpoint does not keep, nobody knows.
            None => return Values::Unknown,
        }
    }
    Values::Known(roles)
}

fn caller_user<'a>(scope: &Scope<'a>, _: Vec<Vec<Found<'a>>>) -> Values<'a> {
    Values::Known(match scope.caller {
        Principal::User { arn } => vec![Found::Text(Cow::Borrowed(arn))],
        _ => Vec::new(),
    })
}

/// AWS's ciphertexts hold the ARN of their key; those of a stand-in for KMS may, too.
fn ciphertext_key<'a>(_: &Scope<'a>, given: Vec<Vec<Found<'a>>>) -> Values<'a> {
    let mut keys = Vec::new();
    for text in texts(first(&given)) {
        let bytes = base64_simd::STANDARD.decode_to_vec(text).unwrap_or_default();
        let bytes = String::from_utf8_lossy(&bytes).into_owned();
        let arn = bytes.find("arn:aws").and_then(|at| bytes.get(at..)).and_then(|rest| {
            let end =
                rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-:/".contains(c))).unwrap_or(rest.len());
            rest.get(..end).filter(|arn| arn.contains(":key/"))
        });
        match arn {
            Some(arn) => keys.push(Found::Text(Cow::Owned(arn.to_owned()))),
            None => return Values::Unknown,
        }
    }
    Values::Known(keys)
}

fn kms_alias(text: &str) -> Option<String> {
    let at = if text.starts_with("alias/") { 0 } else { text.find(":alias/")? + 1 };
    text.get(at..).map(str::to_owned)
}

/// `name`, `account:function:name`, `arn:…:function:name`, each with or without `:qualifier`.
///
/// <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>
fn lambda_function<'a>(scope: &Scope<'a>, given: Vec<Vec<Found<'a>>>) -> Values<'a> {
    let qualifier = second(&given);
    each(&given, &|text| {
        let parts: Vec<&str> = text.split(':').collect();
        let (region, account, name) = match parts.as_slice() {
            ["arn", _, "lambda", region, account, "function", name @ ..] => (*region, *account, name),
            [account, "function", name @ ..] => (scope.region, *account, name),
            ["function", name @ ..] | name => (scope.region, scope.account, name),
        };
        let name = name.join(":");
        let qualifier =
            qualifier.filter(|_| !name.contains(':')).map(|text| format!(":{text}")).unwrap_or_default();
        let partition = scope.endpoint.partition;
        Some(format!("arn:{partition}:lambda:{region}:{account}:function:{name}{qualifier}"))
    })
}

/// What all arguments have.
pub(super) fn all(given: Vec<Vec<Found<'_>>>) -> Vec<Found<'_>> {
    let mut all = Vec::new();
    for found in given {
        all.extend(found);
    }
    all
}

fn map_keys(given: Vec<Vec<Found<'_>>>) -> Vec<Found<'_>> {
    let mut keys = Vec::new();
    for found in all(given) {
        if let Found::Tree(map) = found {
            for (key, _) in entries(map) {
                keys.push(Found::Text(Cow::Borrowed(key)));
            }
        }
    }
    keys
}

fn organization_id<'a>(scope: &Scope<'a>, _: Vec<Vec<Found<'a>>>) -> Values<'a> {
    match scope.endpoint.organization() {
        Some(organization) => Values::Known(vec![Found::Text(Cow::Owned(organization.id().to_owned()))]),
        None => Values::Unknown,
    }
}

fn queue<'a>(scope: &Scope<'a>, given: Vec<Vec<Found<'a>>>) -> Values<'a> {
    each(&given, &|url| {
        let mut parts = url.trim_end_matches('/').rsplit('/');
        let name = parts.next().filter(|name| !name.is_empty())?;
        let account =
            parts.next().filter(|part| part.len() == 12 && part.bytes().all(|b| b.is_ascii_digit()));
        let (partition, region) = (scope.endpoint.partition, scope.region);
        Some(format!("arn:{partition}:sqs:{region}:{}:{name}", account.unwrap_or(scope.account)))
    })
}

/// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html>
fn secret(scope: &Scope<'_>, name: &str) -> String {
    if name.starts_with("arn:") {
        return name.to_owned();
    }
    scope.arn("secretsmanager", &format!("secret:{name}-{}", secret_suffix(name)))
}

/// The six characters that stand behind a secret's name in its ARN.
///
/// AWS draws them at random; here they are always the same for a name, so that a call that names the secret by its name
/// can be decided on the ARN.
#[must_use]
pub fn secret_suffix(name: &str) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    // FNV-1a: nothing is kept safe by it.
    let mut hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let next = || {
        let digit = usize::try_from(hash % 62).unwrap_or_default();
        hash /= 62;
        ALPHABET.get(digit).map_or('A', |byte| char::from(*byte))
    };
    std::iter::repeat_with(next).take(6).collect()
}

/// `ecs:CLUSTER_TASK_CONTAINER`
///
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html>
fn ecs_task(scope: &Scope<'_>, target: &str) -> Option<String> {
    let (cluster_and_task, _container) = target.strip_prefix("ecs:")?.rsplit_once('_')?;
    let (cluster, task) = cluster_and_task.rsplit_once('_')?;
    Some(scope.arn("ecs", &format!("task/{cluster}/{task}")))
}

fn split<'a>(_: &Scope<'a>, given: Vec<Vec<Found<'a>>>) -> Values<'a> {
    let sign = second(&given).unwrap_or(",");
    let mut parts = Vec::new();
    for text in texts(first(&given)) {
        for part in text.split(sign) {
            parts.push(Found::Text(Cow::Owned(part.trim().to_owned())));
        }
    }
    Values::Known(parts)
}

/// Names that begin with AWS's own are AWS's.
///
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html>
fn ssm_document(scope: &Scope<'_>, name: &str) -> String {
    const OWN: [&str; 3] = ["aws", "amazon", "amzn"];
    if name.starts_with("arn:") {
        return name.to_owned();
    }
    let lower = name.to_ascii_lowercase();
    let account = if OWN.iter().any(|own| lower.starts_with(own)) { "" } else { scope.account };
    format!("arn:{}:ssm:{}:{account}:document/{name}", scope.endpoint.partition, scope.region)
}

/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html>
fn ssm_parameter(name: &str) -> &str {
    if name.starts_with("arn:") {
        let parts = name.match_indices(':').nth(5).map_or(name.len(), |(at, _)| at);
        return name.get(..parts).unwrap_or(name);
    }
    let name = name.split(':').next().unwrap_or(name);
    name.strip_prefix('/').unwrap_or(name)
}

impl Scope<'_> {
    /// An ARN in the caller's account and the request's region.
    pub(crate) fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.endpoint.partition, self.region, self.account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_in_the_order_of_names() {
        assert!(FUNCTIONS.is_sorted_by(|one, next| one.name < next.name));
    }

    #[test]
    fn a_name_of_a_secret_has_always_the_same_suffix() {
        assert_eq!(secret_suffix("prod/db"), secret_suffix("prod/db"));
        assert_ne!(secret_suffix("prod/db"), secret_suffix("prod/db2"));
        assert!(secret_suffix("").len() == 6);
    }
}
