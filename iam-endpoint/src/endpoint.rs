//! An endpoint and what it keeps between requests.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

use bytes::Bytes;
use http::uri::Authority;
use http::{Method, Request, Response, Uri};
use iam_policy::{Diagnostics, Partition, Policy, PolicyKind};

use crate::authorize::organization::Organization;
use crate::authorize::resource_policy::ResourcePolicies;
use crate::authorize::told::Told;
use crate::clock::{self, Clock};
use crate::derive::Resource;
use crate::iam::{self, AccessKey, Role};
use crate::identify::credentials::Credentials;
use crate::identify::sigv4::{self, Signer};
use crate::journal::{Event, Journal, Observer};
use crate::perform::{Perform, Performers};
use crate::s3;
use crate::service;
use crate::sorted::Sorted;
use crate::weather::{Server, Sky, Weather};
use crate::wire::body::Body;
use crate::wire::headers::Headers;
use crate::wire::request::Parts;

/// AWS in one region, inside the process, seen from one of its accounts.
///
/// A request belongs to the account of its access key, whichever account's `Endpoint` it is given to; what it may do in
/// another one is for both accounts' policies to say. [`account`](Self::account) gives the others.
///
/// All state is in memory and goes with the last clone. A new endpoint costs microseconds, so each test can have its own.
#[derive(Clone)]
pub struct Endpoint {
    pub(crate) shared: Shared,
}

impl Endpoint {
    /// An endpoint for the account `123456789012` in `us-east-1`, with one IAM user, who may do everything.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Another account, region or clock.
    #[must_use]
    pub fn builder() -> EndpointBuilder {
        EndpointBuilder::default()
    }

    /// Answers one request as AWS would.
    ///
    /// The URI names the host, as in `https://bucket.s3.us-east-1.amazonaws.com/key`, or the `Host` header does. The call
    /// counts as coming from 127.0.0.1, and as sent over TLS where the URI's scheme is `https`. The answer carries its id
    /// in `x-amzn-requestid` or, for S3, `x-amz-request-id`, and [`Journal::find`] knows it.
    pub async fn call(&self, request: Request<Bytes>) -> Response<Bytes> {
        service::call_whole(&self.shared, request).await
    }

    /// Answers a request inside the process, where a client has the headers in a form of its own; copying them into
    /// [`http`]'s would cost as much as to check their signature.
    ///
    /// Their names are in lower case. The answer's body is a stream where it comes from an upstream so. As [`call`](Self::call), but for the answer's `Date`, from which a client learns by how
    /// much its clock is off: here there is only one.
    pub async fn answer(
        &self,
        method: Method,
        uri: Uri,
        headers: Vec<(&str, &[u8])>,
        body: Bytes,
    ) -> Response<Body> {
        service::answer(&self.shared, &Parts { method, uri }, headers, body).await
    }

    /// The same endpoint seen from another account, which has an IAM and an administrator of its own.
    ///
    /// # Panics
    ///
    /// If the account is not twelve digits.
    ///
    /// # Examples
    ///
    /// ```
    /// use iam_endpoint::Endpoint;
    ///
    /// let endpoint = Endpoint::new();
    /// let partner = endpoint.account("222233334444");
    /// assert_eq!(partner.administrator_arn(), "arn:aws:iam::222233334444:user/administrator");
    /// assert_ne!(partner.administrator(), endpoint.administrator());
    /// assert_eq!(partner.administrator(), endpoint.account("222233334444").administrator());
    /// ```
    #[must_use]
    #[track_caller]
    pub fn account(&self, id: &str) -> Endpoint {
        check_account(id);
        Endpoint { shared: self.shared.open_account(id) }
    }

    /// The access key of the account's first IAM user, who has the policy `AdministratorAccess`. The endpoints of one
    /// account in a process have the same.
    #[must_use]
    pub fn administrator(&self) -> Credentials {
        self.shared.account.administrator.credentials()
    }

    /// Signs a request in the name of the account's first IAM user: the headers that make it whole.
    ///
    /// A client's own signer derives the signing key anew with each request, which in a debug build is a good part of what a
    /// call costs; a client in this process that makes many calls may have them signed here instead. The names of `headers`
    /// are in lower case, and the time is the endpoint's.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use http::{Method, Uri};
    ///
    /// let endpoint = iam_endpoint::Endpoint::new();
    /// let uri = Uri::from_static("https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity");
    /// let signature = endpoint.sign("sts", "us-east-1", &Method::GET, &uri, Vec::new(), b"");
    /// let headers = signature.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    /// assert_eq!(endpoint.answer(Method::GET, uri, headers, bytes::Bytes::new()).await.status(), 200);
    /// # });
    /// ```
    #[must_use]
    pub fn sign(
        &self,
        signing_name: &str,
        region: &str,
        method: &Method,
        uri: &Uri,
        headers: Vec<(&str, &[u8])>,
        body: &[u8],
    ) -> [(&'static str, String); 2] {
        let parts = Parts { method: method.clone(), uri: uri.clone() };
        let date = clock::basic(clock::in_seconds(self.shared.clock.now()));
        let mut headers: Vec<(&str, &[u8])> = headers;
        headers.push(("x-amz-date", date.as_bytes()));
        let key = &self.shared.account.administrator;
        let signer =
            Signer { access_key_id: &key.id, keys: &key.keys, session_token: None, region, signing_name };
        let authority = uri.authority().map_or("", Authority::as_str);
        let payload = sigv4::hash_payload(body);
        let authorization = signer.authorization(&parts, &Headers::new(headers), authority, &payload, &date);
        // What cannot be signed, a query that is not UTF-8, is refused as unsigned.
        [("x-amz-date", date), ("authorization", authorization.unwrap_or_default())]
    }

    /// The ARN of the account's first IAM user.
    #[must_use]
    pub fn administrator_arn(&self) -> String {
        self.shared.iam_arn("user", "/", iam::ADMINISTRATOR)
    }

    /// The account's twelve digits.
    #[must_use]
    pub fn account_id(&self) -> &str {
        &self.shared.account.id
    }

    /// The region, as in `us-east-1`.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.shared.region
    }

    /// The region's partition: `aws`, `aws-cn`, `aws-us-gov`, …
    #[must_use]
    pub fn partition(&self) -> &'static str {
        self.shared.partition
    }

    /// What the endpoint's clock shows.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.shared.clock.now()
    }

    /// What was asked of this endpoint, decided and answered, whatever the account.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.shared.journal
    }

    /// From when on every server of a service knows the role as it was at that time, and the key of its session; `None` where
    /// the endpoint's weather has no [`Propagation`](crate::weather::Propagation), so that everything is known at once.
    #[must_use]
    pub fn known_everywhere(
        &self,
        service: &str,
        role_name: &str,
        access_key_id: &str,
        as_of: SystemTime,
    ) -> Option<SystemTime> {
        self.shared.sky.as_ref()?.settled(service, self.account_id(), role_name, access_key_id, as_of)
    }

    /// Whether the endpoint was built with [`Weather`].
    #[must_use]
    pub fn has_weather(&self) -> bool {
        self.shared.sky.is_some()
    }

    /// Makes accounts of this endpoint members of an organization, and its policies part of every decision; replaces the
    /// one that was there.
    pub fn set_organization(&self, organization: Organization) {
        let mut place = self.shared.organization.write().unwrap_or_else(PoisonError::into_inner);
        *place = Some(Arc::new(organization));
    }

    /// Makes a policy known by its text.
    ///
    /// When a document with the same text is put on a role, a bucket, …, this policy is used, and every message about it
    /// names the file that the policy came from.
    pub fn know(&self, policy: &Policy) {
        let mut known = self.shared.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|other| !is_policy(other, policy.source().fragment(), policy.kind()));
        known.push(policy.clone());
    }
}

impl Default for Endpoint {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("account", &self.shared.account.id)
            .field("region", &self.shared.region)
            .finish_non_exhaustive()
    }
}

/// Builds an [`Endpoint`].
#[derive(Clone, Debug)]
pub struct EndpointBuilder {
    account: String,
    region: String,
    clock: Clock,
    observer: Option<Observer>,
    performers: Performers,
    weather: Option<Weather>,
}

impl EndpointBuilder {
    /// The account's twelve digits.
    #[must_use]
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account = account.into();
        self
    }

    /// The region, as in `eu-central-1`; it decides the partition too.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = region.into();
        self
    }

    /// Where the endpoint takes the time from, for tests of expiry.
    #[must_use]
    pub fn clock(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Clock::new(now);
        self
    }

    /// What is told of each call, in the thread that answers it and before its answer; and once more of one whose answer breaks
    /// off on its way, whose outcome then is [`Unavailable`](crate::Outcome::Unavailable).
    ///
    /// # Examples
    ///
    /// ```
    /// let endpoint = iam_endpoint::Endpoint::builder()
    ///     .observe(|event| eprintln!("{} {:?}", event.operation, event.outcome))
    ///     .build();
    /// ```
    #[must_use]
    pub fn observe(mut self, observe: impl Fn(&Arc<Event>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Observer::new(observe));
        self
    }

    /// Who performs what is authorized and not kept by the endpoint itself. Several are asked in this order.
    #[must_use]
    pub fn perform(mut self, performer: impl Perform + 'static) -> Self {
        self.performers.push(performer);
        self
    }

    /// What a user can do for an operation of a service that is authorized and that nobody performs: the end of the message of
    /// `AuthorizedNotPerformed`. The service is named as botocore's data does.
    ///
    /// # Examples
    ///
    /// ```
    /// let endpoint = iam_endpoint::Endpoint::builder()
    ///     .advise(|service| format!("start an emulator of `{service}`"))
    ///     .build();
    /// ```
    #[must_use]
    pub fn advise(mut self, advise: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        self.performers.set_advice(advise);
        self
    }

    /// How badly the endpoint behaves; by default it never does.
    #[must_use]
    pub fn weather(mut self, weather: Weather) -> Self {
        self.weather = Some(weather);
        self
    }

    /// The endpoint.
    ///
    /// # Panics
    ///
    /// If the account is not twelve digits, or the region has anything but lower-case letters, digits and hyphens.
    #[must_use]
    #[track_caller]
    pub fn build(self) -> Endpoint {
        let Self { account, region, clock, observer, performers, weather } = self;
        check_account(&account);
        assert!(
            !region.is_empty()
                && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
            "a region is a name such as `us-east-1`, not `{region}`"
        );
        let clock = match weather.clone() {
            Some(weather) => Clock::new(move || weather.shown(clock.now())),
            None => clock,
        };
        let account = Arc::new(Account::new(account, &clock));
        let mut accounts = Sorted::default();
        accounts.insert(account.id.clone(), Arc::clone(&account));
        let world = World {
            partition: Partition::of_region(&region).name,
            region,
            clock,
            accounts: RwLock::new(accounts),
            organization: RwLock::default(),
            s3: s3::State::default(),
            journal: Journal::with_observer(observer),
            known: Mutex::default(),
            performers,
            told: Told::default(),
            #[cfg(feature = "aws-lc")]
            key_sets: crate::sts::KeySets::default(),
            resource_policies: ResourcePolicies::default(),
            sky: weather.map(Sky::new),
        };
        Endpoint { shared: Shared { account, world: Arc::new(world), server: None } }
    }
}

#[track_caller]
fn check_account(id: &str) {
    assert!(is_account_id(id), "an account id is twelve digits, not `{id}`");
}

pub(crate) fn is_account_id(text: &str) -> bool {
    // Reading a number is the standard library's own compiled work; looking at each digit is slow in a debug build.
    text.len() == 12 && !text.starts_with('+') && text.parse::<u64>().is_ok()
}

impl Default for EndpointBuilder {
    fn default() -> Self {
        Self {
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            clock: Clock::default(),
            observer: None,
            performers: Performers::default(),
            weather: None,
        }
    }
}

/// What clones of an endpoint share: one account, and all that is not one account's own.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) account: Arc<Account>,
    world: Arc<World>,
    /// Whose knowledge of roles and keys this is; `None` knows all.
    server: Option<Server>,
}

/// An account.
pub(crate) struct Account {
    pub(crate) id: String,
    iam: RwLock<iam::State>,
    administrator: Arc<AccessKey>,
}

/// What the accounts of an endpoint have in common.
pub(crate) struct World {
    pub(crate) region: String,
    pub(crate) partition: &'static str,
    pub(crate) clock: Clock,
    accounts: RwLock<Sorted<Arc<Account>>>,
    organization: RwLock<Option<Arc<Organization>>>,
    pub(crate) s3: s3::State,
    pub(crate) journal: Journal,
    known: Mutex<Vec<Policy>>,
    pub(crate) performers: Performers,
    pub(crate) told: Told,
    #[cfg(feature = "aws-lc")]
    pub(crate) key_sets: crate::sts::KeySets,
    pub(crate) resource_policies: ResourcePolicies,
    pub(crate) sky: Option<Sky>,
}

impl Account {
    fn new(id: String, clock: &Clock) -> Self {
        let (iam, administrator) = iam::State::with_administrator(&id, clock::in_seconds(clock.now()));
        Self { id, iam: RwLock::new(iam), administrator }
    }

    fn access_key(&self, id: &str) -> Option<Arc<AccessKey>> {
        self.iam.read().unwrap_or_else(PoisonError::into_inner).access_key(id)
    }
}

/// A request sees its caller's account, and with it the world.
impl Deref for Shared {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl Shared {
    pub(crate) fn iam(&self) -> RwLockReadGuard<'_, iam::State> {
        self.account.iam.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn iam_mut(&self) -> RwLockWriteGuard<'_, iam::State> {
        self.account.iam.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// An access key, with its account.
    pub(crate) fn access_key(&self, id: &str) -> Option<(Arc<AccessKey>, Shared)> {
        let in_account = |account: &Arc<Account>| Some((account.access_key(id)?, self.seen_from(account)));
        // Most keys are of the account that the test gave the request to.
        let found =
            in_account(&self.account).or_else(|| self.accounts().values().iter().find_map(in_account));
        found.filter(|_| self.known().is_none_or(|(sky, server)| sky.has_key(server, id, self.clock.now())))
    }

    /// The same as one server of a service knows it.
    pub(crate) fn known_by(&self, server: Option<Server>) -> Shared {
        Shared { server, ..self.clone() }
    }

    /// A role, as it is known here.
    pub(crate) fn role<'i>(&self, iam: &'i iam::State, name: &str) -> Option<Cow<'i, Role>> {
        let current = iam.roles.find(name);
        match self.known() {
            Some((sky, server)) => sky.role(server, &self.account.id, name, self.clock.now(), current),
            None => current.map(Cow::Borrowed),
        }
    }

    /// Says that a role was made, changed or deleted, so that it becomes known.
    pub(crate) fn changed_role(&self, name: &str) {
        if let Some(sky) = &self.sky {
            let role = self.iam().roles.find(name).cloned();
            sky.note_role(&self.account.id, name, self.clock.now(), role);
        }
    }

    fn known(&self) -> Option<(&Sky, Server)> {
        Some((self.sky.as_ref()?, self.server?))
    }

    /// The same world seen from an account that somebody has opened.
    pub(crate) fn find_account(&self, id: &str) -> Option<Shared> {
        if id == self.account.id {
            return Some(self.clone());
        }
        self.accounts().get(id).map(|account| self.seen_from(account))
    }

    pub(crate) fn organization(&self) -> Option<Arc<Organization>> {
        self.organization.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn open_account(&self, id: &str) -> Shared {
        self.find_account(id).unwrap_or_else(|| {
            let mut accounts = self.accounts.write().unwrap_or_else(PoisonError::into_inner);
            let account = accounts.entry(id, || Arc::new(Account::new(id.to_owned(), &self.clock)));
            self.seen_from(account)
        })
    }

    fn seen_from(&self, account: &Arc<Account>) -> Shared {
        Shared { account: Arc::clone(account), world: Arc::clone(&self.world), server: self.server }
    }

    fn accounts(&self) -> RwLockReadGuard<'_, Sorted<Arc<Account>>> {
        self.accounts.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a policy document that a caller puts: the known policy of that text, or a new one.
    pub(crate) fn policy(&self, text: &str, kind: PolicyKind) -> Result<Policy, Diagnostics> {
        let known = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.iter().find(|policy| is_policy(policy, text, kind)).cloned()
        };
        let policy = known.map_or_else(|| Policy::parse(text, kind), Ok)?;
        policy.check_condition_keys()?;
        Ok(policy)
    }

    /// What only this endpoint knows: it seals what only it may open.
    pub(crate) fn secret(&self) -> &str {
        self.account.administrator.keys.secret()
    }

    /// The ARN of a role, or of what would be one of this name.
    pub(crate) fn role_arn(&self, name: &str) -> String {
        let iam = self.iam();
        self.iam_arn("role", iam.roles.find(name).map_or("/", |role| &role.head.path), name)
    }

    /// The ARN of the role in an instance profile.
    pub(crate) fn role_of_profile(&self, name: &str) -> Option<String> {
        let role = self.iam().profiles.find(name)?.role()?.to_owned();
        Some(self.role_arn(&role))
    }

    /// The tags of a role.
    pub(crate) fn role_tags(&self, resource: Resource<'_>) -> Option<Vec<(String, String)>> {
        let (account, name) = resource.role()?;
        let home = self.find_account(account)?;
        let iam = home.iam();
        let role = iam
            .roles
            .find(name)
            .filter(|role| home.iam_arn("role", &role.head.path, &role.head.name) == resource.text)?;
        Some(role.head.tags.iter().as_slice().to_vec())
    }

    /// The ARN of a role's session.
    pub(crate) fn session_arn(&self, role_name: &str, session_name: &str) -> String {
        format!("arn:{}:sts::{}:assumed-role/{role_name}/{session_name}", self.partition, self.account.id)
    }

    /// The ARN of a session of `GetFederationToken`.
    pub(crate) fn federated_user_arn(&self, name: &str) -> String {
        format!("arn:{}:sts::{}:federated-user/{name}", self.partition, self.account.id)
    }

    /// The ARN of an IAM resource, as in `arn:aws:iam::123456789012:role/path/name`.
    pub(crate) fn iam_arn(&self, resource_type: &str, path: &str, name: &str) -> String {
        format!("arn:{}:iam::{}:{resource_type}{path}{name}", self.partition, self.account.id)
    }
}

fn is_policy(policy: &Policy, text: &str, kind: PolicyKind) -> bool {
    policy.kind() == kind && policy.source().fragment() == text
}
