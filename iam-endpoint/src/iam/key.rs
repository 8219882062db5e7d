//! Access keys, of users and of role sessions.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use iam_policy::Policy;
use time::OffsetDateTime;

use super::input::Input;
use super::state::{ADMINISTRATOR, State};
use super::tags::Tags;
use crate::clock;
use crate::credentials::Credentials;
use crate::fault::Fault;
use crate::sigv4::{Failure, Kind, SigningKeys};
use crate::xml::Xml;

/// An access key: who signs with it, and with what.
#[derive(Clone)]
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) keys: Arc<SigningKeys>,
    pub(crate) holder: Holder,
    pub(crate) created: OffsetDateTime,
}

/// Whose an access key is.
#[derive(Clone)]
pub(crate) enum Holder {
    Session(Session),
    User(String),
}

/// A session of a role.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) role_name: String,
    /// A role that was deleted and made again is another one.
    pub(crate) role_id: String,
    pub(crate) name: String,
    pub(crate) token: String,
    pub(crate) expires: OffsetDateTime,
    /// The session policies; `None` if there are none, so that the role's own are the limit.
    pub(crate) policies: Option<Vec<Policy>>,
    pub(crate) tags: Tags,
    /// The keys of the tags that the next role's session gets too.
    pub(crate) transitive: Vec<String>,
    pub(crate) source_identity: Option<String>,
}

impl AccessKey {
    /// The administrator's of an account. All endpoints of a process have the same for the same account, so that what is
    /// derived from it is derived once, and not with each test's endpoint.
    pub(super) fn of_administrator(account: &str, now: OffsetDateTime) -> Self {
        static MADE: Mutex<Vec<(String, AccessKey)>> = Mutex::new(Vec::new());
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, key)) = made.iter().find(|(of, _)| of == account) {
            return Self { created: now, ..key.clone() };
        }
        let key = Self::of_user(ADMINISTRATOR, now);
        made.push((account.to_owned(), key.clone()));
        key
    }

    pub(super) fn of_user(user: &str, now: OffsetDateTime) -> Self {
        Self {
            id: format!("AKIA{}", random(16, UPPER)),
            keys: Arc::new(SigningKeys::new(random(40, ANY))),
            holder: Holder::User(user.to_owned()),
            created: now,
        }
    }

    pub(crate) fn of_session(session: Session, now: OffsetDateTime) -> Self {
        Self {
            id: format!("ASIA{}", random(16, UPPER)),
            keys: Arc::new(SigningKeys::new(random(40, ANY))),
            holder: Holder::Session(session),
            created: now,
        }
    }

    /// Temporary credentials are good only with their own session token, and only for their time.
    pub(crate) fn check_token(&self, token: Option<&str>, now: OffsetDateTime) -> Result<(), Failure> {
        let expected = match &self.holder {
            Holder::Session(session) => Some(session.token.as_str()),
            Holder::User(_) => None,
        };
        if token != expected {
            return Err(Failure::new(
                Kind::InvalidToken,
                "The security token included in the request is invalid.",
            ));
        }
        match &self.holder {
            Holder::Session(session) if session.expires <= now => {
                Err(Failure::new(Kind::ExpiredToken, "The security token included in the request is expired"))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn credentials(&self) -> Credentials {
        Credentials {
            access_key_id: self.id.clone(),
            secret_access_key: self.keys.secret().to_owned(),
            session_token: match &self.holder {
                Holder::Session(session) => Some(session.token.clone()),
                Holder::User(_) => None,
            },
        }
    }
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A session token of the look of AWS's. It is shorter, for client and endpoint hash it with every request.
pub(crate) fn session_token() -> String {
    format!("IQoJb3JpZ2luX2Vj{}", random(48, ANY))
}

/// A unique id such as `AROA…`.
pub(super) fn unique_id(prefix: &str) -> String {
    format!("{prefix}{}", random(17, UPPER))
}

const UPPER: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const ANY: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Letters of an alphabet whose length divides 256, so that all are as likely.
fn random<const N: usize>(length: usize, alphabet: &[u8; N]) -> String {
    let mut bytes = vec![0; length];
    fastrand::fill(&mut bytes);
    for byte in &mut bytes {
        *byte = alphabet.get(usize::from(*byte) % N).copied().unwrap_or(b'A');
    }
    String::from_utf8(bytes).unwrap_or_default()
}

pub(super) fn create(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    /// AWS's quota for each user.
    const MOST: usize = 2;
    let mut iam = input.call.endpoint.iam_mut();
    let user = user_name(input, &iam)?;
    if iam.keys_of(&user).count() >= MOST {
        return Err(Fault::limit(format!("Cannot exceed quota for AccessKeysPerUser: {MOST}")));
    }
    let key = iam.insert_key(AccessKey::of_user(&user, input.call.now));
    xml.element("AccessKey", |xml| {
        write(&key, &user, xml);
        xml.leaf("SecretAccessKey", key.keys.secret());
    });
    Ok(())
}

pub(super) fn delete(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let id = input.parameters.required("AccessKeyId")?;
    let mut iam = input.call.endpoint.iam_mut();
    let user = user_name(input, &iam)?;
    if !iam.keys_of(&user).any(|key| key.id == id) {
        return Err(Fault::new(
            StatusCode::NOT_FOUND,
            "NoSuchEntity",
            format!("The Access Key with id {id} cannot be found."),
        ));
    }
    iam.remove_key(id);
    Ok(())
}

pub(super) fn list(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    let user = user_name(input, &iam)?;
    xml.element("AccessKeyMetadata", |xml| {
        for key in iam.keys_of(&user) {
            xml.element("member", |xml| write(key, &user, xml));
        }
    });
    xml.leaf("IsTruncated", "false");
    Ok(())
}

fn write(key: &AccessKey, user: &str, xml: &mut Xml) {
    xml.leaf("UserName", user);
    xml.leaf("AccessKeyId", &key.id);
    xml.leaf("Status", "Active");
    xml.leaf("CreateDate", &clock::iso8601(key.created));
}

/// The user that is named, or the one who calls.
fn user_name(input: &Input<'_>, iam: &State) -> Result<String, Fault> {
    Ok(iam.users.get(input.user_name()?)?.head.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_account_has_an_administrator_s_key_of_its_own_for_the_whole_process() {
        let id = |account| AccessKey::of_administrator(account, OffsetDateTime::UNIX_EPOCH).id;
        assert_eq!(id("111122223333"), id("111122223333"));
        assert_ne!(id("111122223333"), id("444455556666"));
    }
}
