//! The decisions of `iam-policy`'s corpus once more, end to end: whoever may or may not do something there does it here, by
//! a signed request, with the policies where AWS keeps them.
//!
//! What no request says is told with `set_context`. A case that no request expresses is counted with its reason: services as
//! callers, the root user, keys that are missing rather than absent, actions that are no operation.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]
#![allow(clippy::indexing_slicing, reason = "what JSON lacks is null")]

mod common;

use std::collections::BTreeMap;

use common::s3::request;
use common::{Answer, Client};
use iam_endpoint::{Endpoint, Organization, Target};
use iam_policy::{Arn, Policy, PolicyKind};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// How many of the corpus's decisions are made here too: the number may grow.
const LEAST: usize = 591;

const ASSUME_ROLE: &str = "sts:AssumeRole";

#[tokio::test]
async fn decisions_of_the_corpus_are_made_end_to_end() {
    let corpus = [
        include_str!("../../iam-policy/tests/corpus/conditions.json"),
        include_str!("../../iam-policy/tests/corpus/evaluation.json"),
        include_str!("../../iam-policy/tests/corpus/language.json"),
        include_str!("../../iam-policy/tests/corpus/variables.json"),
    ];
    // No bucket has a name of one letter.
    let corpus = corpus.map(|text| text.replace("arn:aws:s3:::b/", "arn:aws:s3:::bbb/"));
    let cases = corpus.iter().flat_map(|text| serde_json::from_str::<Vec<Value>>(text).unwrap());
    let (mut run, mut left_out, mut failures) = (0, BTreeMap::<String, usize>::new(), Vec::new());
    for case in cases {
        match Stage::of(&case).await {
            Err(Inexpressible(reason)) => *left_out.entry(reason).or_default() += 1,
            Ok(stage) => {
                run += 1;
                let verdict = stage.verdict(&case).await;
                if verdict != text(&case["decision"]) {
                    failures.push(format!(
                        "{}: {verdict}, not {}",
                        text(&case["name"]),
                        text(&case["decision"])
                    ));
                }
            }
        }
    }
    eprintln!("{run} decisions of the corpus are made end to end; not expressed: {left_out:#?}");
    assert!(failures.is_empty(), "{} of {run} are others:\n{}", failures.len(), failures.join("\n"));
    assert!(run >= LEAST, "{run} cases can be expressed, {LEAST} could before");
}

/// Why a case is no request.
struct Inexpressible(String);

fn inexpressible<T>(reason: &str) -> Result<T, Inexpressible> {
    Err(Inexpressible(reason.to_owned()))
}

/// An endpoint where a case can happen, and who calls it; nobody, where the caller is anonymous.
struct Stage {
    admin: Client,
    caller: Option<Client>,
}

impl Stage {
    async fn of(case: &Value) -> Result<Self, Inexpressible> {
        if case.get("missingContext").is_some() {
            return inexpressible("keys are missing, and not known to be absent");
        }
        let principal = text(&case["principal"]["arn"]);
        let account = match Arn::parse(principal) {
            Some(arn) if arn.account.bytes().all(|b| b.is_ascii_digit()) => arn.account.to_owned(),
            _ if principal == "anonymous" => "111122223333".to_owned(),
            _ => return inexpressible("a service or a provider calls"),
        };
        let endpoint = Endpoint::builder().account(&account).build();
        let admin = Client::administrator(&endpoint);
        let stage = Self { caller: caller(&admin, case).await?, admin };
        stage.keep_resource(case).await?;
        organize(&endpoint, &account, case)?;
        for (key, value) in case["context"].as_object().into_iter().flatten() {
            let values = match value {
                Value::Array(values) => values.iter().map(text).collect(),
                value => vec![text(value)],
            };
            if !is_in_request(case, key) {
                endpoint.set_context(acting_as(case), key, values);
            }
        }
        Ok(stage)
    }

    /// Makes the resource, with its policy.
    async fn keep_resource(&self, case: &Value) -> Result<(), Inexpressible> {
        let named =
            Arn::parse(text(&case["resource"])).map(|arn| arn.account).filter(|id| id.parse::<u64>().is_ok());
        let owner = match case["resourceAccount"].as_str().or(named) {
            Some(account) => Client::administrator(&self.admin.endpoint.account(account)),
            None => self.admin.clone(),
        };
        if text(&case["action"]) == ASSUME_ROLE {
            return keep_role(&owner, case).await;
        }
        let (bucket, key) = object(case)?;
        let send = async |line: &str, body: String| owner.send("s3", request(line, &[], body)).await;
        if send(&format!("PUT /{bucket}"), String::new()).await.status != 200 {
            return inexpressible("no bucket has that name");
        }
        if let Some(key) = key {
            send(&format!("PUT /{bucket}/{key}"), "x".to_owned()).await.ok();
        }
        let Some(policy) = case["policies"].get("resource") else { return Ok(()) };
        send(&format!("DELETE /{bucket}?publicAccessBlock"), String::new()).await;
        // A bucket's policy is about this bucket alone.
        let mut policy = policy.clone();
        for statement in statements(&mut policy) {
            if statement["Resource"] == "*" {
                statement["Resource"] =
                    serde_json::json!([format!("arn:aws:s3:::{bucket}"), format!("arn:aws:s3:::{bucket}/*")]);
            }
        }
        let put = send(&format!("PUT /{bucket}?policy"), policy.to_string()).await;
        if put.status / 100 == 2 { Ok(()) } else { inexpressible(&format!("bucket policy: {}", put.code())) }
    }

    async fn verdict(&self, case: &Value) -> String {
        let answer = match &self.caller {
            Some(caller) if text(&case["action"]) == ASSUME_ROLE => assume(caller, case).await,
            Some(caller) => caller.send("s3", s3_request(case)).await,
            None => self.admin.deliver(s3_request(case)).await,
        };
        match answer.event.authorizations.last() {
            Some(one) if answer.status == 200 || answer.code() == "AccessDenied" => {
                one.decision.verdict.to_string()
            }
            _ => format!("{} {}", answer.status, answer.body),
        }
    }
}

fn s3_request(case: &Value) -> http::Request<bytes::Bytes> {
    let (bucket, key) = object(case).unwrap_or_default();
    let line = match (text(&case["action"]), key) {
        ("s3:PutObject", Some(key)) => format!("PUT /{bucket}/{key}"),
        (_, Some(key)) => format!("GET /{bucket}/{key}"),
        (_, None) => format!("GET /{bucket}?list-type=2{}", parameters(case)),
    };
    request(&line, &[], "")
}

/// Makes the role that is to be assumed.
async fn keep_role(owner: &Client, case: &Value) -> Result<(), Inexpressible> {
    let Some((_, path)) = text(&case["resource"]).split_once(":role/") else {
        return inexpressible("the resource is no role");
    };
    let name = path.rsplit('/').next().unwrap_or_default();
    let path = format!("/{}", path.strip_suffix(name).unwrap_or_default());
    let trust = case["policies"]["trust"].to_string();
    let create =
        [("Action", "CreateRole"), ("RoleName", name), ("Path", &path), ("AssumeRolePolicyDocument", &trust)];
    let answer = owner.query("iam", &create).await;
    if answer.status == 200 { Ok(()) } else { inexpressible(&format!("trust policy: {}", answer.code())) }
}

async fn assume(caller: &Client, case: &Value) -> Answer {
    let mut parameters = BTreeMap::from([
        ("Action", "AssumeRole"),
        ("RoleArn", text(&case["resource"])),
        ("RoleSessionName", "session"),
    ]);
    for (key, name) in OF_SESSION {
        parameters.extend(case["context"][key].as_str().map(|value| (name, value)));
    }
    caller.query("sts", &parameters.into_iter().collect::<Vec<_>>()).await
}

/// The caller as IAM and STS make it, with its policies.
async fn caller(admin: &Client, case: &Value) -> Result<Option<Client>, Inexpressible> {
    let (principal, policies) = (&case["principal"], &case["policies"]);
    let arn = text(&principal["arn"]);
    let Some((kind, name)) = arn.split(':').nth(5).and_then(|tail| tail.split_once('/')) else {
        return if arn == "anonymous" { Ok(None) } else { inexpressible("the root user calls") };
    };
    match kind {
        "user" => {
            if policies.get("session").is_some() {
                return inexpressible("a user has no session policy");
            }
            let (name, user) = user(admin, name).await;
            put_policies(admin, "User", name, policies).await?;
            Ok(Some(user))
        }
        "federated-user" => {
            let user_name = principal["userArn"].as_str().and_then(|arn| arn.rsplit('/').next());
            let Some(user_name) = user_name else { return inexpressible("the root user calls") };
            let (_, user) = user(admin, user_name).await;
            allow(admin, "User", user_name, "sts:GetFederationToken").await;
            let session = session_policy(policies)?;
            let mut parameters = vec![("Action", "GetFederationToken"), ("Name", name)];
            parameters.extend(session.as_deref().map(|session| ("Policy", session)));
            let answer = user.query("sts", &parameters).await;
            if answer.status != 200 {
                return inexpressible(&format!("session: {}", answer.code()));
            }
            // The boundary would not let it federate.
            put_policies(admin, "User", user_name, policies).await?;
            Ok(Some(Client { credentials: answer.credentials(), ..admin.clone() }))
        }
        "assumed-role" => {
            let role_arn = text(&principal["roleArn"]);
            let (Some((role, session_name)), Some((_, path))) =
                (name.split_once('/'), role_arn.split_once(":role/"))
            else {
                return inexpressible("the role has no ARN");
            };
            if role_arn.contains("aws-service-role") {
                return inexpressible("a service or a provider calls");
            }
            let path = format!("/{}", path.strip_suffix(role).unwrap_or_default());
            let create = [
                ("Action", "CreateRole"),
                ("RoleName", role),
                ("Path", &path),
                ("AssumeRolePolicyDocument", &trust(arn.split(':').nth(4).unwrap_or_default())),
            ];
            admin.query("iam", &create).await.ok();
            put_policies(admin, "Role", role, policies).await?;
            let session = session_policy(policies)?;
            let mut parameters =
                vec![("Action", "AssumeRole"), ("RoleArn", role_arn), ("RoleSessionName", session_name)];
            parameters.extend(session.as_deref().map(|session| ("Policy", session)));
            let answer = admin.query("sts", &parameters).await;
            if answer.status != 200 {
                return inexpressible(&format!("session: {}", answer.code()));
            }
            Ok(Some(Client { credentials: answer.credentials(), ..admin.clone() }))
        }
        _ => inexpressible("the principal cannot call"),
    }
}

/// A user by path and name, as an ARN has them: the name, and a client that signs with a key of it.
async fn user<'n>(admin: &Client, path_and_name: &'n str) -> (&'n str, Client) {
    let name = path_and_name.rsplit('/').next().unwrap();
    let path = format!("/{}", path_and_name.strip_suffix(name).unwrap());
    admin.query("iam", &[("Action", "CreateUser"), ("UserName", name), ("Path", &path)]).await.ok();
    let key = admin.query("iam", &[("Action", "CreateAccessKey"), ("UserName", name)]).await.ok();
    let credentials = iam_endpoint::Credentials::new(key.text("AccessKeyId"), key.text("SecretAccessKey"));
    (name, Client { credentials, ..admin.clone() })
}

/// Puts identity policies and a boundary on a user or a role.
async fn put_policies(admin: &Client, kind: &str, name: &str, policies: &Value) -> Result<(), Inexpressible> {
    let name_of = format!("{kind}Name");
    for (number, policy) in list(&policies["identity"]).enumerate() {
        let put = [
            ("Action", &*format!("Put{kind}Policy")),
            (&name_of, name),
            ("PolicyName", &format!("p{number}")),
            ("PolicyDocument", &policy.to_string()),
        ];
        let answer = admin.query("iam", &put).await;
        if answer.status != 200 {
            return inexpressible(&format!("identity policy: {}", answer.code()));
        }
    }
    let boundaries: Vec<_> = list(&policies["boundary"]).collect();
    match boundaries[..] {
        [] => Ok(()),
        [boundary] => {
            let document = boundary.to_string();
            let create =
                [("Action", "CreatePolicy"), ("PolicyName", "boundary"), ("PolicyDocument", &document)];
            let created = admin.query("iam", &create).await;
            if created.status != 200 {
                return inexpressible(&format!("boundary: {}", created.code()));
            }
            let put = [
                ("Action", &*format!("Put{kind}PermissionsBoundary")),
                (&name_of, name),
                ("PermissionsBoundary", created.text("Arn")),
            ];
            admin.query("iam", &put).await.ok();
            Ok(())
        }
        _ => inexpressible("there are several boundaries"),
    }
}

async fn allow(admin: &Client, kind: &str, name: &str, action: &str) {
    let document = format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}}}"#
    );
    let put = [
        ("Action", &*format!("Put{kind}Policy")),
        (&format!("{kind}Name"), name),
        ("PolicyName", "caller"),
        ("PolicyDocument", &document),
    ];
    admin.query("iam", &put).await.ok();
}

fn session_policy(policies: &Value) -> Result<Option<String>, Inexpressible> {
    let session: Option<Vec<_>> = policies.get("session").map(|session| list(session).collect());
    match session.as_deref() {
        None => Ok(None),
        Some([policy]) => Ok(Some(policy.to_string())),
        Some(_) => inexpressible("there are none or several session policies"),
    }
}

/// Lets the account's principals assume a role.
fn trust(account: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement":
            {{"Effect": "Allow", "Principal": {{"AWS": "{account}"}}, "Action": "sts:AssumeRole"}}}}"#
    )
}

/// The levels of policies as a root, units below each other, and the account.
fn organize(endpoint: &Endpoint, account: &str, case: &Value) -> Result<(), Inexpressible> {
    let levels = |name: &str| list(&case["policies"][name]).cloned().collect::<Vec<_>>();
    let (scps, rcps) = (levels("scps"), levels("rcps"));
    let depth = scps.len().max(rcps.len());
    if depth == 0 {
        return Ok(());
    }
    if !rcps.is_empty() || case["resourceAccount"].as_str().is_some_and(|owner| owner != account) {
        return inexpressible("resource control policies, or an organization of several accounts");
    }
    let mut below = None;
    for (number, level) in scps.iter().enumerate().rev() {
        let id = match number {
            0 => "r-ab12".to_owned(),
            _ if number == depth - 1 => account.to_owned(),
            _ => format!("ou-ab12-1111111{number}"),
        };
        let mut target = Target::new(id).without_full_access();
        for policy in list(level) {
            target = target.scp(Policy::parse(policy.to_string(), PolicyKind::ServiceControl).unwrap());
        }
        below = Some(match below.take() {
            Some(below) => target.with(below),
            None if depth == 1 => target.with(Target::new(account)),
            None => target,
        });
    }
    let organization = Organization::new("o-a1b2c3d4e5", "999988887777", below.unwrap());
    endpoint.set_organization(organization);
    Ok(())
}

/// Bucket and key, as paths have them, of an operation of S3.
fn object(case: &Value) -> Result<(String, Option<String>), Inexpressible> {
    let action = text(&case["action"]);
    if !["s3:GetObject", "s3:ListAllMyBuckets", "s3:ListBucket", "s3:PutObject"].contains(&action) {
        return inexpressible(&format!("no request of S3: {action}"));
    }
    let Some(name) = text(&case["resource"]).strip_prefix("arn:aws:s3:::") else {
        return inexpressible("the resource is not S3's");
    };
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    match (name.split_once('/'), action) {
        (_, "s3:ListAllMyBuckets") => inexpressible("the resource is not S3's"),
        (Some((bucket, key)), "s3:GetObject" | "s3:PutObject") => {
            let key: Vec<_> = key.split('/').map(encode).collect();
            Ok((bucket.to_owned(), Some(key.join("/"))))
        }
        (None, "s3:ListBucket") => Ok((name.to_owned(), None)),
        _ => inexpressible("an object's action on a bucket, or a bucket's on an object"),
    }
}

/// The parameters of `ListObjectsV2` that are condition keys.
const PARAMETERS: [&str; 3] = ["s3:delimiter", "s3:max-keys", "s3:prefix"];

fn parameters(case: &Value) -> String {
    let mut query = String::new();
    for (key, value) in case["context"].as_object().into_iter().flatten() {
        if is_in_request(case, key) {
            query.push_str(&["&", &key.to_ascii_lowercase().replace("s3:", ""), "="].concat());
            query.extend(utf8_percent_encode(text(value), NON_ALPHANUMERIC));
        }
    }
    query
}

/// The parameters of `AssumeRole` that are condition keys.
const OF_SESSION: [(&str, &str); 3] = [
    ("sts:ExternalId", "ExternalId"),
    ("sts:RoleSessionName", "RoleSessionName"),
    ("sts:SourceIdentity", "SourceIdentity"),
];

/// Whether the request itself has a key: what can be sent is.
fn is_in_request(case: &Value, key: &str) -> bool {
    let Some(value) = case["context"][key].as_str() else { return false };
    match text(&case["action"]) {
        // A listing takes no more than a number for `max-keys`.
        "s3:ListBucket" if key == "s3:max-keys" => value.parse::<u16>().is_ok(),
        "s3:ListBucket" => PARAMETERS.contains(&key.to_ascii_lowercase().as_str()),
        ASSUME_ROLE => OF_SESSION.iter().any(|(name, _)| *name == key),
        _ => false,
    }
}

/// Whom `set_context` means.
fn acting_as(case: &Value) -> &str {
    let principal = &case["principal"];
    principal["roleArn"].as_str().unwrap_or(text(&principal["arn"]))
}

fn statements(policy: &mut Value) -> &mut [Value] {
    match &mut policy["Statement"] {
        Value::Array(statements) => statements,
        statement => std::slice::from_mut(statement),
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
