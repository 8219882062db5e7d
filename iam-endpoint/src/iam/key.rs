//! Access keys, of users and of role sessions.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use iam_policy::Policy;
use time::OffsetDateTime;

use super::input::Input;
use super::state::ADMINISTRATOR;
use super::tags::Tags;
use super::user::User;
use crate::clock;
use crate::fault::Fault;
use crate::identify::credentials::Credentials;
use crate::identify::sigv4::{Failure, Kind, SigningKeys};
use crate::wire::xml::Xml;

/// An access key: who signs with it, and with what.
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) keys: Arc<SigningKeys>,
    pub(crate) holder: Holder,
    pub(crate) created: OffsetDateTime,
    active: AtomicBool,
    used: Mutex<Option<Used>>,
}

/// The last use of a key.
#[derive(Clone)]
pub(super) struct Used {
    pub(super) at: OffsetDateTime,
    pub(super) service: String,
    pub(super) region: String,
}

/// Whose an access key is.
pub(crate) enum Holder {
    Session(Box<Session>),
    User(String),
}

/// What temporary credentials stand for.
pub(crate) struct Session {
    pub(crate) of: SessionOf,
    pub(crate) token: String,
    pub(crate) expires: OffsetDateTime,
    /// The session policies; `None` if there are none, so that the role's own are the limit.
    pub(crate) policies: Option<Vec<Policy>>,
    pub(crate) tags: Tags,
    /// The keys of the tags that the next role's session gets too.
    pub(crate) transitive: Vec<String>,
    pub(crate) source_identity: Option<String>,
}

/// Who has a session. What was deleted and made again is another one, so it is known by its unique id.
pub(crate) enum SessionOf {
    /// `GetFederationToken`: somebody for whom a user vouches.
    Federated { user_id: String, name: String },
    /// `AssumeRole` and its like.
    Role { role: String, role_id: String, name: String, vouched: Option<Vouched> },
    /// `GetSessionToken`, and when its caller proved to have an MFA device.
    User { user_id: String, mfa: Option<OffsetDateTime> },
}

/// The identity provider that vouches for who has a role's session, and the condition keys that the session keeps.
pub(crate) struct Vouched {
    pub(crate) provider: String,
    pub(crate) keys: Vec<(String, Vec<String>)>,
}

impl AccessKey {
    /// The administrator's of an account. All endpoints of a process have the same for the same account, so that what is
    /// derived from it is derived once, and not with each test's endpoint.
    pub(super) fn of_administrator(account: &str, now: OffsetDateTime) -> Self {
        static MADE: Mutex<Vec<(String, String, Arc<SigningKeys>)>> = Mutex::new(Vec::new());
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let key = Self::of_user(ADMINISTRATOR, now);
        if let Some((_, id, keys)) = made.iter().find(|(of, ..)| of == account) {
            return Self { id: id.clone(), keys: Arc::clone(keys), ..key };
        }
        made.push((account.to_owned(), key.id.clone(), Arc::clone(&key.keys)));
        key
    }

    pub(super) fn of_user(user: &str, now: OffsetDateTime) -> Self {
        Self::new("AKIA", Holder::User(user.to_owned()), now)
    }

    pub(crate) fn of_session(session: Session, now: OffsetDateTime) -> Self {
        Self::new("ASIA", Holder::Session(Box::new(session)), now)
    }

    fn new(prefix: &str, holder: Holder, created: OffsetDateTime) -> Self {
        Self {
            id: format!("{prefix}{}", random(16, UPPER)),
            keys: Arc::new(SigningKeys::new(random(40, ANY))),
            holder,
            created,
            active: AtomicBool::new(true),
            used: Mutex::default(),
        }
    }

    /// The same key, of a user who has another name now.
    pub(super) fn renamed(&self, user: &str) -> Self {
        Self {
            id: self.id.clone(),
            keys: Arc::clone(&self.keys),
            holder: Holder::User(user.to_owned()),
            created: self.created,
            active: AtomicBool::new(self.is_active()),
            used: Mutex::new(self.used()),
        }
    }

    /// The name of the user whose key it is.
    pub(super) fn user(&self) -> Option<&str> {
        match &self.holder {
            Holder::User(name) => Some(name),
            Holder::Session(_) => None,
        }
    }

    pub(super) fn is_active(&self) -> bool {
        self.active.load(Ordering::Relaxed)
    }

    /// Remembers that somebody called a service with the key.
    pub(crate) fn note_use(&self, at: OffsetDateTime, service: &str, region: &str) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *used {
            Some(used) if used.service == service && used.region == region => used.at = at,
            used => *used = Some(Used { at, service: service.to_owned(), region: region.to_owned() }),
        }
    }

    pub(super) fn used(&self) -> Option<Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).clone()
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

/// The seed of a virtual MFA device.
pub(super) fn random_base32(length: usize) -> String {
    random(length, UPPER)
}

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
    let user = iam.get::<User>(input)?.head.name.clone();
    if iam.keys_of(&user).len() >= MOST {
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
    let user = iam.get::<User>(input)?.head.name.clone();
    if !iam.keys_of(&user).iter().any(|key| key.id == id) {
        return Err(no_such(id));
    }
    iam.remove_key(id);
    Ok(())
}

pub(super) fn update(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let id = input.parameters.required("AccessKeyId")?;
    input.parameters.required("Status")?;
    let status = input.parameters.one_of("Status", &["Active", "Inactive"])?;
    let iam = input.call.endpoint.iam();
    let user = &iam.get::<User>(input)?.head.name;
    let key = iam.keys_of(user).into_iter().find(|key| key.id == id).ok_or_else(|| no_such(id))?;
    key.active.store(status == Some("Active"), Ordering::Relaxed);
    Ok(())
}

pub(super) fn list(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    let user = &iam.get::<User>(input)?.head.name;
    let mut page = input.page()?;
    xml.leaf("UserName", user);
    xml.element("AccessKeyMetadata", |xml| {
        for key in iam.keys_of(user) {
            if page.takes(&key.id) {
                xml.element("member", |xml| write(key, user, xml));
            }
        }
    });
    page.end(xml);
    Ok(())
}

pub(super) fn last_used(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    let id = input.parameters.required("AccessKeyId")?;
    let key = iam.any_key(id).ok_or_else(|| no_such(id))?;
    let Holder::User(user) = &key.holder else { return Err(no_such(id)) };
    xml.leaf("UserName", user);
    xml.element("AccessKeyLastUsed", |xml| {
        let last = key.used();
        if let Some(last) = &last {
            xml.leaf("LastUsedDate", &clock::iso8601(last.at));
        }
        let (service, region) = last.as_ref().map_or(("N/A", "N/A"), |last| (&last.service, &last.region));
        xml.leaf("ServiceName", service);
        xml.leaf("Region", region);
    });
    Ok(())
}

fn write(key: &AccessKey, user: &str, xml: &mut Xml) {
    xml.leaf("UserName", user);
    xml.leaf("AccessKeyId", &key.id);
    xml.leaf("Status", if key.is_active() { "Active" } else { "Inactive" });
    xml.leaf("CreateDate", &clock::iso8601(key.created));
}

fn no_such(id: &str) -> Fault {
    Fault::no_such_entity(format!("The Access Key with id {id} cannot be found."))
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
