//! Who calls, with the policies and the condition keys that come with them.

use std::sync::Arc;

use iam_policy::{Context, PolicySet, Principal};

use crate::call::Call;
use crate::clock;
use crate::endpoint::Shared;
use crate::iam::{AccessKey, Holder, Session, SessionOf, State, Tags, User};

/// The caller of one request.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) principal: Principal,
    pub(crate) policies: Arc<PolicySet>,
    /// `AIDA…` of a user, `AROA…:session` of a role session.
    pub(crate) user_id: Option<String>,
    user_name: Option<String>,
    tags: Tags,
    /// The key of a session.
    session: Option<Arc<AccessKey>>,
}

impl Caller {
    pub(crate) fn anonymous() -> Self {
        Self {
            principal: Principal::Anonymous,
            policies: Arc::default(),
            user_id: None,
            user_name: None,
            tags: Tags::default(),
            session: None,
        }
    }

    /// A service that calls in its own name.
    pub(crate) fn service(name: &str) -> Self {
        Self { principal: Principal::Service { name: name.to_owned() }, ..Self::anonymous() }
    }

    /// The holder of an access key; `None` if the user or the role is gone.
    pub(crate) fn of_key(endpoint: &Shared, key: &Arc<AccessKey>) -> Option<Self> {
        let iam = endpoint.iam();
        match &key.holder {
            Holder::Session(session) => Self::of_session(endpoint, &iam, session, key),
            Holder::User(name) => Some(Self::of_user(endpoint, &iam, iam.users.find(name)?)),
        }
    }

    fn of_session(endpoint: &Shared, iam: &State, session: &Session, key: &Arc<AccessKey>) -> Option<Self> {
        let user = |id: &str| iam.users.iter().find(|user| user.head.id == id);
        let key = Some(Arc::clone(key));
        match &session.of {
            SessionOf::Federated { user_id, name } => {
                let user = Self::of_user(endpoint, iam, user(user_id)?);
                let mut tags = user.tags;
                tags.extend(session.tags.clone());
                Some(Self {
                    user_id: Some(format!("{}:{name}", endpoint.account.id)),
                    principal: Principal::FederatedUser {
                        arn: endpoint.federated_user_arn(name),
                        user_arn: user.principal.arn().map(str::to_owned),
                    },
                    policies: Arc::new(PolicySet {
                        session: session.policies.clone().map(Into::into),
                        ..PolicySet::clone(&user.policies)
                    }),
                    user_name: None,
                    tags,
                    session: key,
                })
            }
            SessionOf::Role { role, role_id, name, .. } => {
                let role = endpoint.role(iam, role).filter(|role| role.head.id == *role_id)?;
                let mut tags = role.head.tags.clone();
                tags.extend(session.tags.clone());
                Some(Self {
                    principal: Principal::AssumedRole {
                        role_arn: endpoint.iam_arn("role", &role.head.path, &role.head.name),
                        session_arn: endpoint.session_arn(&role.head.name, name),
                    },
                    policies: Arc::new(PolicySet {
                        session: session.policies.clone().map(Into::into),
                        ..iam.policies_of(&role.grants)
                    }),
                    user_id: Some(format!("{}:{name}", role.head.id)),
                    user_name: None,
                    tags,
                    session: key,
                })
            }
            SessionOf::User { user_id, .. } => {
                Some(Self { session: key, ..Self::of_user(endpoint, iam, user(user_id)?) })
            }
        }
    }

    fn of_user(endpoint: &Shared, iam: &State, user: &User) -> Self {
        Self {
            principal: Principal::User { arn: endpoint.iam_arn("user", &user.head.path, &user.head.name) },
            policies: Arc::new(iam.policies_of_user(user)),
            user_id: Some(user.head.id.clone()),
            user_name: Some(user.head.name.clone()),
            tags: user.head.tags.clone(),
            session: None,
        }
    }

    pub(crate) fn user_name(&self) -> Option<&str> {
        self.user_name.as_deref()
    }

    /// The session that calls, if it is one.
    pub(crate) fn session(&self) -> Option<&Session> {
        match self.session.as_deref() {
            Some(AccessKey { holder: Holder::Session(session), .. }) => Some(session),
            _ => None,
        }
    }

    /// The role, where the caller is a session of one.
    pub(crate) fn role_arn(&self) -> Option<&str> {
        match &self.principal {
            Principal::AssumedRole { role_arn, .. } => Some(role_arn),
            _ => None,
        }
    }
}

impl Call<'_> {
    /// The global condition keys of this call: all that one which comes directly, from outside a VPC, can have of
    /// itself, whatever the resource.
    ///
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>
    pub(crate) fn global_context(&self) -> Arc<Context> {
        Arc::clone(self.global_context.get_or_init(|| Arc::new(self.new_global_context())))
    }

    fn new_global_context(&self) -> Context {
        let mut context = Context::new();
        let caller = &self.caller;
        context
            .set("aws:CurrentTime", clock::iso8601(self.now))
            .set("aws:EpochTime", self.now.unix_timestamp().to_string())
            .set("aws:PrincipalIsAWSService", "false")
            .set("aws:PrincipalType", principal_type(&caller.principal))
            .set("aws:SecureTransport", if self.is_secure() { "true" } else { "false" })
            .set("aws:SourceIp", self.source_ip.map_or_else(|| "127.0.0.1".to_owned(), |ip| ip.to_string()))
            .set("aws:ViaAWSService", "false");
        // For a session this is the role: a policy names roles, not sessions.
        if let Some(arn) = caller.role_arn().or(caller.principal.arn()) {
            context
                .set("aws:PrincipalArn", arn)
                .set("aws:PrincipalAccount", self.endpoint.account.id.as_str());
        }
        if let Some(id) = &caller.user_id {
            context.set("aws:userid", id.as_str());
        }
        if let Some(name) = &caller.user_name {
            context.set("aws:username", name.as_str());
        }
        for (key, value) in caller.tags.iter() {
            context.set(format!("aws:PrincipalTag/{key}"), value);
        }
        if let (Some(key), Some(session)) = (&caller.session, caller.session()) {
            context.set("aws:TokenIssueTime", clock::iso8601(key.created));
            let mfa = if let SessionOf::User { mfa, .. } = &session.of { *mfa } else { None };
            context.set("aws:MultiFactorAuthPresent", if mfa.is_some() { "true" } else { "false" });
            if let Some(proven) = mfa {
                context.set("aws:MultiFactorAuthAge", (self.now - proven).whole_seconds().to_string());
            }
            if let SessionOf::Role { vouched: Some(vouched), .. } = &session.of {
                context.set("aws:FederatedProvider", vouched.provider.as_str());
                for (name, values) in &vouched.keys {
                    context.set_many(name.clone(), values.iter().map(String::as_str));
                }
            }
            if let Some(identity) = &session.source_identity {
                context.set("aws:SourceIdentity", identity.as_str());
            }
        }
        if let Some(signing) = &self.signing {
            context.set("aws:RequestedRegion", signing.region.as_str());
        }
        for (key, header) in [("aws:referer", "referer"), ("aws:UserAgent", "user-agent")] {
            if let Some(value) = self.headers.text(header) {
                context.set(key, value);
            }
        }
        context
    }

    /// A call without a socket counts as sent over TLS where its URI says so, as the SDK would have sent it.
    fn is_secure(&self) -> bool {
        self.parts.uri.scheme_str() == Some("https")
    }
}

fn principal_type(principal: &Principal) -> &'static str {
    match principal {
        Principal::AssumedRole { .. } => "AssumedRole",
        Principal::FederatedUser { .. } => "FederatedUser",
        Principal::Root { .. } => "Account",
        Principal::User { .. } => "User",
        _ => "Anonymous",
    }
}
