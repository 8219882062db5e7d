//! `AssumeRole`.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>

use http::StatusCode;
use iam_policy::{Arn, Context, Policy, PolicyKind};
use time::Duration;

use crate::authorize::{Access, Refusal};
use crate::call::Call;
use crate::clock;
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::iam::{AccessKey, Holder, Session, Tags, check_policy, session_token};
use crate::query::Parameters;
use crate::xml::Xml;

/// The longest session of a role that a role's session assumed.
const LONGEST_CHAINED: Duration = Duration::HOUR;

/// How many managed policies can be session policies.
const MOST_POLICY_ARNS: usize = 10;

/// What session policies and tags may measure together. AWS packs them in a form that it does not document, and tells
/// only the share of the limit.
const MOST_PACKED: usize = 4_096;

pub(super) fn assume_role(call: &Call<'_>, parameters: &Parameters<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let wish = Wish::read(call, parameters)?;
    let home = &wish.home;
    let role = find_role(home, wish.role_arn).ok_or_else(|| {
        // Whoever may not assume a role does not learn whether it exists.
        Refusal::Denied(format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {}",
            call.caller.principal, wish.role_arn
        ))
    })?;
    wish.authorize(call, &role)?;
    let duration = wish.duration(call, &role)?;
    let packed = wish.packed_size()?;
    let expires = call.now + duration;
    let source_identity = wish.source_identity.map(str::to_owned);
    let session = Session {
        role_name: role.name.clone(),
        role_id: role.id.clone(),
        name: wish.session_name.to_owned(),
        token: session_token(),
        expires,
        policies: wish.policies,
        tags: wish.tags,
        transitive: wish.transitive,
        source_identity: source_identity.clone(),
    };
    let key = home.iam_mut().insert_key(AccessKey::of_session(session, call.now));
    let credentials = key.credentials();
    xml.element("Credentials", |xml| {
        xml.leaf("AccessKeyId", &credentials.access_key_id);
        xml.leaf("SecretAccessKey", &credentials.secret_access_key);
        xml.leaf("SessionToken", credentials.session_token.as_deref().unwrap_or_default());
        xml.leaf("Expiration", &clock::iso8601(expires));
    });
    xml.element("AssumedRoleUser", |xml| {
        xml.leaf("AssumedRoleId", &format!("{}:{}", role.id, wish.session_name));
        xml.leaf("Arn", &home.session_arn(&role.name, wish.session_name));
    });
    if packed > 0 {
        xml.leaf("PackedPolicySize", &packed.to_string());
    }
    if let Some(identity) = &source_identity {
        xml.leaf("SourceIdentity", identity);
    }
    Ok(())
}

/// What the caller wishes, checked as far as that needs no role.
struct Wish<'a> {
    role_arn: &'a str,
    /// The endpoint as the role's account sees it.
    home: Shared,
    session_name: &'a str,
    external_id: Option<&'a str>,
    seconds: Option<i64>,
    policies: Option<Vec<Policy>>,
    policy_arns: Vec<&'a str>,
    /// The session's tags, with those that come from the calling session.
    tags: Tags,
    /// The tags that this call names.
    own_tags: Tags,
    transitive: Vec<String>,
    own_transitive: Vec<&'a str>,
    /// The identity that this call names, or the calling session's, which stays for good.
    source_identity: Option<&'a str>,
}

impl<'a> Wish<'a> {
    fn read(call: &'a Call<'_>, parameters: &'a Parameters<'_>) -> Result<Self, Fault> {
        let role_arn = parameters.required("RoleArn")?;
        let account = Arn::parse(role_arn).map(|arn| arn.account);
        let account = account.ok_or_else(|| Fault::validation(format!("{role_arn} is invalid")))?;
        // In an account that nobody opened there is no role, no more than in the caller's by that ARN.
        let home = call.endpoint.find_account(account).unwrap_or_else(|| call.endpoint.clone());
        let session_name = text(parameters, "RoleSessionName", 64, "")?;
        let session_name = session_name.map_or_else(|| parameters.required("RoleSessionName"), Ok)?;
        let external_id = text(parameters, "ExternalId", 1224, ":/")?;
        let named_identity = text(parameters, "SourceIdentity", 64, "")?;
        if parameters.optional("SerialNumber").or(parameters.optional("TokenCode")).is_some() {
            return Err(Fault::not_mapped("sts", Some("AssumeRole with an MFA device")));
        }
        let session = match call.caller.session() {
            Some(AccessKey { holder: Holder::Session(session), .. }) => Some(session),
            _ => None,
        };
        let (policies, policy_arns) = session_policies(&home, parameters)?;
        let own_tags = Tags::read(parameters)?;
        let (tags, transitive, own_transitive) = session_tags(session, &own_tags, parameters)?;
        Ok(Self {
            role_arn,
            home,
            session_name,
            external_id,
            seconds: seconds(parameters)?,
            policies,
            policy_arns,
            tags,
            own_tags,
            transitive,
            own_transitive,
            source_identity: source_identity(session, named_identity)?,
        })
    }

    /// Asks whether the caller may assume the role, and may set what it wishes to set.
    fn authorize(&self, call: &Call<'_>, role: &Assumed) -> Result<(), Refusal> {
        let sets_tags = !self.own_tags.is_empty() || !self.own_transitive.is_empty();
        let actions = [
            ("sts:AssumeRole", true),
            ("sts:TagSession", sets_tags),
            ("sts:SetSourceIdentity", self.source_identity.is_some()),
        ];
        for (action, _) in actions.into_iter().filter(|(_, needed)| *needed) {
            call.authorize(Access {
                action,
                resource: self.role_arn.to_owned(),
                resource_account: None,
                resource_policy: Some(role.trust.clone()),
                conditions: &|context| self.set_conditions(role, context),
                absent: &["aws:ResourceTag/", "sts:"],
            })?;
        }
        Ok(())
    }

    /// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html>
    fn set_conditions(&self, role: &Assumed, context: &mut Context) {
        context.set("sts:RoleSessionName", self.session_name);
        for (key, value) in
            [("sts:ExternalId", self.external_id), ("sts:SourceIdentity", self.source_identity)]
        {
            if let Some(value) = value {
                context.set(key, value);
            }
        }
        if let Some(seconds) = self.seconds {
            context.set("sts:DurationSeconds", seconds.to_string());
        }
        context.set_many("sts:TransitiveTagKeys", self.own_transitive.iter().copied());
        context.set_many("aws:TagKeys", self.own_tags.iter().map(|(key, _)| key));
        for (key, value) in self.own_tags.iter() {
            context.set(format!("aws:RequestTag/{key}"), value);
        }
        for (key, value) in role.tags.iter() {
            context.set(format!("aws:ResourceTag/{key}"), value);
            context.set(format!("iam:ResourceTag/{key}"), value);
        }
    }

    fn duration(&self, call: &Call<'_>, role: &Assumed) -> Result<Duration, Fault> {
        let duration = Duration::seconds(self.seconds.unwrap_or(3600));
        if call.caller.session().is_some() && duration > LONGEST_CHAINED {
            return Err(Fault::validation(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
            ));
        }
        if duration > role.longest_session {
            return Err(Fault::validation(
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            ));
        }
        Ok(duration)
    }

    /// The share of the packed limit, in percent; 0 where nothing counts.
    fn packed_size(&self) -> Result<usize, Fault> {
        let policies = self.policies.iter().flatten().map(Policy::characters).sum::<usize>();
        let inline = if self.policy_arns.is_empty() {
            policies
        } else {
            self.policy_arns.iter().map(|arn| arn.len()).sum()
        };
        let tags: usize = self.tags.iter().map(|(key, value)| key.len() + value.len()).sum();
        let percent = ((inline + tags) * 100).div_ceil(MOST_PACKED);
        if percent > 100 {
            return Err(Fault::new(
                StatusCode::BAD_REQUEST,
                "PackedPolicyTooLarge",
                format!(
                    "Packed size of session tags and session policies consumes {percent}% of allotted space."
                ),
            ));
        }
        Ok(percent)
    }
}

/// A parameter of letters, digits and some signs.
fn text<'a>(
    parameters: &'a Parameters<'_>,
    name: &str,
    longest: usize,
    more_signs: &str,
) -> Result<Option<&'a str>, Fault> {
    let signs = format!("_+=,.@-{more_signs}");
    let Some(value) = parameters.optional(name) else { return Ok(None) };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || signs.as_bytes().contains(&b);
    if (2..=longest).contains(&value.len()) && value.bytes().all(allowed) {
        return Ok(Some(value));
    }
    let rule =
        format!("Member must have 2 to {longest} characters, each a letter, a digit or one of {signs}");
    Err(Fault::violated(name, value, &rule))
}

fn seconds(parameters: &Parameters<'_>) -> Result<Option<i64>, Fault> {
    let Some(text) = parameters.optional("DurationSeconds") else { return Ok(None) };
    let seconds = text.parse().ok().filter(|seconds| (900..=43_200).contains(seconds));
    seconds.map(Some).ok_or_else(|| {
        let rule = "Member must have value greater than or equal to 900 and less than or equal to 43200";
        Fault::violated("DurationSeconds", text, rule)
    })
}

/// The session policies: the inline one and the managed ones of the role's account, which together grant what any of them
/// does.
fn session_policies<'a>(
    home: &Shared,
    parameters: &'a Parameters<'_>,
) -> Result<(Option<Vec<Policy>>, Vec<&'a str>), Fault> {
    /// What the inline one may measure.
    const LONGEST: usize = 2_048;
    let inline = parameters.optional("Policy");
    let arns: Vec<&str> =
        parameters.members("PolicyArns", ["arn"]).into_iter().filter_map(|[arn]| arn).collect();
    if inline.is_none() && arns.is_empty() {
        return Ok((None, arns));
    }
    if arns.len() > MOST_POLICY_ARNS {
        return Err(Fault::validation(format!(
            "at most {MOST_POLICY_ARNS} managed policies can be session policies"
        )));
    }
    let mut policies = Vec::new();
    if let Some(text) = inline {
        if text.chars().count() > LONGEST {
            let rule = format!("Member must have length less than or equal to {LONGEST}");
            return Err(Fault::violated("Policy", text, &rule));
        }
        policies.push(check_policy(home, text, PolicyKind::Session)?);
    }
    let iam = home.iam();
    for arn in &arns {
        policies.push(iam.managed_policy(arn)?);
    }
    Ok((Some(policies), arns))
}

/// The tags of the new session, its transitive keys, and those that this call names.
fn session_tags<'a>(
    session: Option<&Session>,
    own: &Tags,
    parameters: &'a Parameters<'_>,
) -> Result<(Tags, Vec<String>, Vec<&'a str>), Fault> {
    let own_transitive: Vec<&str> =
        parameters.members("TransitiveTagKeys", [""]).into_iter().filter_map(|[key]| key).collect();
    if let Some(key) = own_transitive.iter().find(|key| own.value(key).is_none()) {
        return Err(invalid(format!(
            "The specified transitive tag key `{key}` must be included in the requested tags."
        )));
    }
    let mut inherited = Tags::default();
    let mut transitive: Vec<String> = Vec::new();
    if let Some(session) = session {
        inherited = session.tags.clone();
        inherited.retain(|key| session.transitive.iter().any(|kept| kept.eq_ignore_ascii_case(key)));
        transitive.clone_from(&session.transitive);
    }
    if let Some((key, _)) = own.iter().find(|(key, _)| inherited.value(key).is_some()) {
        return Err(invalid(format!(
            "One of the specified tag keys, `{key}`, can't be set because it conflicts with a transitive tag key from the \
             calling session."
        )));
    }
    inherited.extend(own.clone());
    transitive.extend(own_transitive.iter().map(|key| (*key).to_owned()));
    Ok((inherited, transitive, own_transitive))
}

fn source_identity<'a>(
    session: Option<&'a Session>,
    named: Option<&'a str>,
) -> Result<Option<&'a str>, Fault> {
    let inherited = session.and_then(|session| session.source_identity.as_deref());
    match (inherited, named) {
        (Some(inherited), Some(named)) if inherited != named => Err(Fault::validation(
            "The source identity of the calling session is already set and cannot be changed.",
        )),
        _ => Ok(named.or(inherited)),
    }
}

fn invalid(message: String) -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, "InvalidParameterValue", message)
}

/// What a session takes from its role.
struct Assumed {
    name: String,
    id: String,
    trust: Policy,
    tags: Tags,
    longest_session: Duration,
}

fn find_role(home: &Shared, arn: &str) -> Option<Assumed> {
    let iam = home.iam();
    let role = iam.roles.find(arn.rsplit('/').next()?)?;
    let head = &role.head;
    (home.iam_arn("role", &head.path, &head.name) == arn).then(|| Assumed {
        name: head.name.clone(),
        id: head.id.clone(),
        trust: role.trust.clone(),
        tags: head.tags.clone(),
        longest_session: role.longest_session,
    })
}
