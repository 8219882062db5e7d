//! The role that a session is of.

use iam_policy::{Arn, Context, Policy};
use time::Duration;

use crate::call::Call;
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::iam::Tags;
use crate::wire::query::Parameters;
use crate::wire::xml::Xml;

/// What a session takes from its role.
pub(super) struct Assumed {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) trust: Policy,
    tags: Tags,
    longest_session: Duration,
}

impl Assumed {
    /// The role of this ARN in its account.
    pub(super) fn find(home: &Shared, arn: &str) -> Option<Self> {
        let iam = home.iam();
        let role = home.role(&iam, arn.rsplit('/').next()?)?;
        let head = &role.head;
        (home.iam_arn("role", &head.path, &head.name) == arn).then(|| Self {
            name: head.name.clone(),
            id: head.id.clone(),
            trust: role.trust.clone(),
            tags: head.tags.clone(),
            longest_session: role.longest_session,
        })
    }

    pub(super) fn set_conditions(&self, context: &mut Context) {
        for (key, value) in self.tags.iter() {
            context.set(format!("aws:ResourceTag/{key}"), value);
            context.set(format!("iam:ResourceTag/{key}"), value);
        }
    }

    pub(super) fn check_duration(&self, duration: Duration) -> Result<(), Fault> {
        if duration > self.longest_session {
            return Err(Fault::validation(
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            ));
        }
        Ok(())
    }

    pub(super) fn write_user(&self, home: &Shared, session_name: &str, xml: &mut Xml) {
        xml.element("AssumedRoleUser", |xml| {
            xml.leaf("AssumedRoleId", &format!("{}:{session_name}", self.id));
            xml.leaf("Arn", &home.session_arn(&self.name, session_name));
        });
    }
}

/// The parameter that names the role.
pub(super) fn role_arn<'a>(parameters: &'a Parameters<'_>) -> Result<&'a str, Fault> {
    let arn = parameters.required("RoleArn")?;
    parameters.check_length("RoleArn", 20..=2048)?;
    if Arn::parse(arn).is_none() {
        return Err(Fault::validation(format!("{arn} is invalid")));
    }
    Ok(arn)
}

/// The account of a role. In one that nobody opened there is no role, no more than in the caller's by that ARN.
pub(super) fn home(call: &Call<'_>, role_arn: &str) -> Shared {
    let account = Arn::parse(role_arn).and_then(|arn| call.endpoint.find_account(arn.account));
    account.unwrap_or_else(|| call.endpoint.clone())
}
