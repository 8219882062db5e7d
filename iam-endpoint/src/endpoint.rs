//! An endpoint and what it keeps between requests.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

use bytes::Bytes;
use http::{Method, Request, Response, Uri};
use iam_policy::{Diagnostics, Policy, PolicyKind};

use crate::clock::{self, Clock};
use crate::headers::Headers;
use crate::iam;
use crate::journal::Journal;
use crate::request::Parts;
use crate::s3;
use crate::service;

/// An AWS account in one region, inside the process.
///
/// All its state is in memory and goes with the last clone. A new one costs microseconds, so each test can have its own.
#[derive(Clone)]
pub struct Endpoint {
    pub(crate) shared: Arc<Shared>,
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
    #[expect(clippy::unused_async, reason = "forwarding to an upstream will wait; callers already do")]
    pub async fn call(&self, request: Request<Bytes>) -> Response<Bytes> {
        service::call(&self.shared, request, None)
    }

    /// Answers a request inside the process, where a client has the headers in a form of its own; copying them into
    /// [`http`]'s would cost as much as to check their signature.
    ///
    /// Their names are in lower case. As [`call`](Self::call), but for the answer's `Date`, from which a client learns by how
    /// much its clock is off: here there is only one.
    #[expect(clippy::unused_async, reason = "forwarding to an upstream will wait; callers already do")]
    pub async fn answer(
        &self,
        method: Method,
        uri: Uri,
        headers: Vec<(&str, &[u8])>,
        body: Bytes,
    ) -> Response<Bytes> {
        service::answer(&self.shared, &Parts { method, uri }, &Headers::new(headers), body, None)
    }

    /// The access key of the endpoint's first IAM user, who has the policy `AdministratorAccess`. The endpoints of one
    /// account in a process have the same.
    #[must_use]
    pub fn administrator(&self) -> Credentials {
        self.shared.administrator.clone()
    }

    /// The ARN of the endpoint's first IAM user.
    #[must_use]
    pub fn administrator_arn(&self) -> String {
        self.shared.iam_arn("user", "/", iam::ADMINISTRATOR)
    }

    /// The account's twelve digits.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.shared.account
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

    /// What was asked of this endpoint, decided and answered.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.shared.journal
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
            .field("account", &self.shared.account)
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

    /// The endpoint.
    ///
    /// # Panics
    ///
    /// If the account is not twelve digits, or the region has anything but lower-case letters, digits and hyphens.
    #[must_use]
    #[track_caller]
    pub fn build(self) -> Endpoint {
        let Self { account, region, clock } = self;
        assert!(
            account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()),
            "an account id is twelve digits, not `{account}`"
        );
        assert!(
            !region.is_empty()
                && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
            "a region is a name such as `us-east-1`, not `{region}`"
        );
        let (iam, administrator) = iam::State::with_administrator(&account, clock::in_seconds(clock.now()));
        Endpoint {
            shared: Arc::new(Shared {
                partition: partition_of(&region),
                account,
                region,
                clock,
                iam: RwLock::new(iam),
                s3: s3::State::default(),
                journal: Journal::default(),
                known: Mutex::default(),
                administrator,
            }),
        }
    }
}

impl Default for EndpointBuilder {
    fn default() -> Self {
        Self { account: "123456789012".to_owned(), region: "us-east-1".to_owned(), clock: Clock::default() }
    }
}

/// An access key, and the session token of a temporary one.
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub struct Credentials {
    /// The public half.
    pub access_key_id: String,
    /// The secret half.
    pub secret_access_key: String,
    /// What temporary credentials are presented with.
    pub session_token: Option<String>,
}

impl Credentials {
    /// A long-term access key.
    #[must_use]
    pub fn new(access_key_id: impl Into<String>, secret_access_key: impl Into<String>) -> Self {
        Self {
            access_key_id: access_key_id.into(),
            secret_access_key: secret_access_key.into(),
            session_token: None,
        }
    }

    /// The same with a session token.
    #[must_use]
    pub fn with_session_token(self, session_token: impl Into<String>) -> Self {
        Self { session_token: Some(session_token.into()), ..self }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// What all clones of an endpoint share.
pub(crate) struct Shared {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) partition: &'static str,
    pub(crate) clock: Clock,
    iam: RwLock<iam::State>,
    pub(crate) s3: s3::State,
    pub(crate) journal: Journal,
    known: Mutex<Vec<Policy>>,
    administrator: Credentials,
}

impl Shared {
    pub(crate) fn iam(&self) -> RwLockReadGuard<'_, iam::State> {
        self.iam.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn iam_mut(&self) -> RwLockWriteGuard<'_, iam::State> {
        self.iam.write().unwrap_or_else(PoisonError::into_inner)
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

    /// The ARN of a role's session.
    pub(crate) fn session_arn(&self, role_name: &str, session_name: &str) -> String {
        format!("arn:{}:sts::{}:assumed-role/{role_name}/{session_name}", self.partition, self.account)
    }

    /// The ARN of a session of `GetFederationToken`.
    pub(crate) fn federated_user_arn(&self, name: &str) -> String {
        format!("arn:{}:sts::{}:federated-user/{name}", self.partition, self.account)
    }

    /// The ARN of an IAM resource, as in `arn:aws:iam::123456789012:role/path/name`.
    pub(crate) fn iam_arn(&self, resource_type: &str, path: &str, name: &str) -> String {
        format!("arn:{}:iam::{}:{resource_type}{path}{name}", self.partition, self.account)
    }
}

fn is_policy(policy: &Policy, text: &str, kind: PolicyKind) -> bool {
    policy.kind() == kind && policy.source().fragment() == text
}

fn partition_of(region: &str) -> &'static str {
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html and botocore's partitions.
    const PARTITIONS: [(&str, &str); 7] = [
        ("cn-", "aws-cn"),
        ("eu-isoe-", "aws-iso-e"),
        ("eusc-", "aws-eusc"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
    ];
    PARTITIONS.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, partition)| partition)
}
