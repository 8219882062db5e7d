//! Sessions of roles for whom an identity provider vouches: what web identities and SAML have in common.

use iam_policy::{Context, Principal};
use time::Duration;

use super::role::Assumed;
use super::session::{SessionPolicies, set_tag_conditions, write_credentials, write_packed_size};
use crate::authorize::{Access, Refusal};
use crate::call::Call;
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::iam::{Session, SessionOf, Tags, Vouched, session_token};
use crate::wire::xml::Xml;

/// What a provider says of somebody who wishes a role, and what they wish.
pub(super) struct Introduction<'a> {
    /// `sts:AssumeRoleWithSAML`
    pub(super) action: &'static str,
    pub(super) provider: String,
    pub(super) role_arn: &'a str,
    pub(super) session_name: &'a str,
    /// What `DurationSeconds` asks for.
    pub(super) asked: Option<Duration>,
    /// The longest session that the provider lets there be.
    pub(super) longest: Option<Duration>,
    pub(super) policies: SessionPolicies<'a>,
    pub(super) tags: Tags,
    pub(super) transitive: Vec<String>,
    pub(super) source_identity: Option<String>,
    /// The provider's condition keys, and whether the session keeps them.
    pub(super) keys: Vec<(String, Vec<String>, bool)>,
}

impl Introduction<'_> {
    /// Asks whether the role trusts the provider, and makes and tells the session.
    pub(super) fn assume(self, call: &Call<'_>, home: &Shared, xml: &mut Xml) -> Result<(), Fault> {
        let denied = || Refusal::Denied(format!("Not authorized to perform {}", self.action));
        let role = Assumed::find(home, self.role_arn).ok_or_else(denied)?;
        let actions = [
            (self.action, true),
            ("sts:TagSession", !self.tags.is_empty()),
            ("sts:SetSourceIdentity", self.source_identity.is_some()),
        ];
        for (action, _) in actions.into_iter().filter(|(_, needed)| *needed) {
            let access = Access {
                action,
                resource: self.role_arn.to_owned(),
                resource_account: None,
                resource_policy: Some(role.trust.clone()),
                conditions: &|context| self.set_conditions(&role, context),
                absent: &["aws:ResourceTag/", "sts:"],
            };
            let principal = Principal::Federated { provider: self.provider.clone() };
            call.authorize_as(principal, access).map_err(|refusal| match refusal {
                Refusal::Denied(_) => denied(),
                refusal => refusal,
            })?;
        }
        let asked = self.asked.unwrap_or(Duration::HOUR);
        role.check_duration(asked)?;
        let duration = self.longest.map_or(asked, |longest| longest.min(asked));
        let packed = self.policies.packed_size(&self.tags)?;
        let mut keys = Vec::new();
        for (name, values, is_kept) in self.keys {
            if is_kept {
                keys.push((name, values));
            }
        }
        let session = Session {
            of: SessionOf::Role {
                role: role.name.clone(),
                role_id: role.id.clone(),
                name: self.session_name.to_owned(),
                vouched: Some(Vouched { provider: self.provider, keys }),
            },
            token: session_token(),
            expires: call.now + duration,
            policies: self.policies.policies,
            tags: self.tags,
            transitive: self.transitive,
            source_identity: self.source_identity.clone(),
        };
        write_credentials(home, session, call.now, xml);
        role.write_user(home, self.session_name, xml);
        write_packed_size(packed, xml);
        if let Some(identity) = &self.source_identity {
            xml.leaf("SourceIdentity", identity);
        }
        Ok(())
    }

    fn set_conditions(&self, role: &Assumed, context: &mut Context) {
        context.set("sts:RoleSessionName", self.session_name);
        for (name, values, _) in &self.keys {
            context.set_many(name.clone(), values.clone());
        }
        if let Some(seconds) = self.asked {
            context.set("sts:DurationSeconds", seconds.whole_seconds().to_string());
        }
        if let Some(identity) = &self.source_identity {
            context.set("sts:SourceIdentity", identity.as_str());
        }
        context.set_many("sts:TransitiveTagKeys", self.transitive.clone());
        set_tag_conditions(&self.tags, context);
        role.set_conditions(context);
    }
}
