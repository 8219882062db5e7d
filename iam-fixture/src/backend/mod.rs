//! Where roles are created: which `SdkConfig` the one life cycle talks through.

mod connection;
mod embedded;
mod file;
mod options;
#[cfg(feature = "network")]
mod remote;
mod settings;

use std::fmt;
use std::sync::Arc;

use aws_types::SdkConfig;
use iam_endpoint::{Endpoint, Event, Organization};
use iam_policy::PolicyKind;
use once_cell::sync::OnceCell;

pub(crate) use self::connection::Connection;
#[cfg(feature = "network")]
pub(crate) use self::connection::{compact, for_caller};
pub(crate) use self::embedded::journalled;
pub(crate) use self::options::{RoleBoundary, path, prefix};
use self::settings::Choice;
pub(crate) use self::settings::Settings;
use crate::document::PolicyDocument;
use crate::error::{Error, ErrorKind};

/// Where roles are created and where the test's calls go.
///
/// By default each test has an embedded endpoint of its own, in this process. `IAM_FIXTURE_BACKEND`, or `backend` in
/// `iam-fixture.toml` beside the workspace's `Cargo.lock`, chooses otherwise for the whole run; a builder can be given
/// one explicitly.
///
/// ```
/// use iam_fixture::{Backend, TemporaryRole};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), iam_fixture::Error> {
/// let account = Backend::embedded();
/// let reader = TemporaryRole::builder().backend(account.clone()).create().await?;
/// let writer = TemporaryRole::builder().backend(account).create().await?;
/// assert_ne!(reader.arn(), writer.arn());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Backend(Place);

#[derive(Clone)]
enum Place {
    Embedded(Arc<Connection>),
    #[cfg(feature = "network")]
    Remote(Arc<remote::Remote>),
}

impl Backend {
    /// A fresh embedded endpoint: an account of its own, in memory.
    #[must_use]
    pub fn embedded() -> Backend {
        Backend(Place::Embedded(embedded::fresh()))
    }

    /// An embedded endpoint that was built elsewhere: with [weather](iam_endpoint::weather), a clock, an account of one's own.
    ///
    /// ```
    /// use iam_endpoint::{Endpoint, weather::{Propagation, Weather}};
    /// use iam_fixture::Backend;
    ///
    /// let endpoint = Endpoint::builder().weather(Weather::new(7).propagation(Propagation::default())).build();
    /// let backend = Backend::of_endpoint(endpoint);
    /// # let _ = backend;
    /// ```
    #[must_use]
    pub fn of_endpoint(endpoint: iam_endpoint::Endpoint) -> Backend {
        Backend(Place::Embedded(embedded::of(endpoint)))
    }

    /// An emulator at this URL. It is asked first whether it enforces policies at all.
    ///
    /// Credentials come from `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, else they are
    /// `test` and `test`; profiles, SSO and instance metadata are never asked.
    #[cfg(feature = "network")]
    pub fn endpoint(url: impl Into<String>) -> Backend {
        Backend(Place::Remote(remote::Remote::endpoint(url.into())))
    }

    /// AWS, with the default credential chain, and only if `GetCallerIdentity` answers this account id.
    #[cfg(feature = "network")]
    pub fn aws(account: impl Into<String>) -> Backend {
        Backend(Place::Remote(remote::Remote::aws(account.into())))
    }

    /// What this run uses: the test's own embedded endpoint, or what the configuration names.
    ///
    /// # Errors
    ///
    /// When the configuration cannot be read or names something that is not known.
    pub fn current() -> Result<Backend, Error> {
        Ok(Backend::outside()?.cloned().unwrap_or_else(|| Backend(Place::Embedded(embedded::current()))))
    }

    /// The backend outside this process that the configuration names; none, where each test has its own inside.
    pub(crate) fn outside() -> Result<Option<&'static Backend>, Error> {
        static CHOSEN: OnceCell<Option<Backend>> = OnceCell::new();
        Ok(CHOSEN.get_or_try_init(|| Backend::of_choice(&Settings::current()?.backend))?.as_ref())
    }

    #[cfg(feature = "network")]
    #[expect(clippy::unnecessary_wraps, reason = "without `network` it can fail")]
    fn of_choice(choice: &Choice) -> Result<Option<Backend>, Error> {
        Ok(match choice {
            Choice::Aws { account } => Some(Backend::aws(account.clone())),
            Choice::Embedded => None,
            Choice::Endpoint { url } => Some(Backend::endpoint(url.clone())),
        })
    }

    #[cfg(not(feature = "network"))]
    fn of_choice(choice: &Choice) -> Result<Option<Backend>, Error> {
        match choice {
            Choice::Embedded => Ok(None),
            Choice::Aws { .. } | Choice::Endpoint { .. } => {
                Err(Error::left_out(format_args!("backend `{choice}`"))
                    .note("help: add `features = [\"network\"]` to the dependency, or choose `embedded`"))
            }
        }
    }

    /// The same embedded endpoint seen from another account: roles that are created there are that account's, and what they
    /// may do in this one is for both accounts' policies to say.
    ///
    /// ```
    /// use iam_fixture::{Backend, TemporaryRole};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), iam_fixture::Error> {
    /// let partner = Backend::current()?.account("222233334444")?;
    /// let role = TemporaryRole::builder().backend(partner).create().await?;
    /// assert!(role.arn().starts_with("arn:aws:iam::222233334444:role/"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the backend is not embedded, or the id is not twelve digits.
    pub fn account(&self, id: &str) -> Result<Backend, Error> {
        let endpoint = self.embedded_endpoint("another account")?;
        if id.len() != 12 || !id.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Error::new(
                ErrorKind::Configuration,
                format!("an account id is twelve digits, not `{id}`"),
            ));
        }
        Ok(Backend(Place::Embedded(embedded::of_account(endpoint, id))))
    }

    /// Makes accounts of the embedded endpoint members of an organization, whose service and resource control policies limit
    /// what happens in them.
    ///
    /// # Errors
    ///
    /// When the backend is not embedded.
    pub fn set_organization(&self, organization: Organization) -> Result<(), Error> {
        self.embedded_endpoint("an organization")?.set_organization(organization);
        Ok(())
    }

    /// Tells the keys of an OIDC identity provider, as its JSON Web Key Set: `AssumeRoleWithWebIdentity` then takes only such of
    /// its tokens as one of these keys signed.
    ///
    /// # Errors
    ///
    /// When the backend is not embedded, or the text is no key set.
    #[cfg(feature = "network")]
    pub fn set_identity_provider_keys(&self, issuer: &str, jwks: &str) -> Result<(), Error> {
        let endpoint = self.embedded_endpoint("the keys of an identity provider")?;
        endpoint
            .set_identity_provider_keys(issuer, jwks)
            .map_err(|error| Error::new(ErrorKind::Configuration, error.to_string()))
    }

    /// Gives a resource of a service that the embedded endpoint does not keep itself a policy of its own: a queue, a KMS key, ….
    ///
    /// # Errors
    ///
    /// When the backend is not embedded, or the document is no resource-based policy.
    pub fn put_resource_policy(&self, arn: &str, document: impl Into<PolicyDocument>) -> Result<(), Error> {
        let endpoint = self.embedded_endpoint("the policy of a resource")?;
        endpoint.put_resource_policy(arn, document.into().parsed(PolicyKind::Resource)?);
        Ok(())
    }

    /// What the embedded endpoint was asked as a principal and how it decided, oldest first: as an IAM user, a role, or a
    /// service that acts in its own name, as `sns.amazonaws.com` does when it sends a message on to a queue.
    ///
    /// # Errors
    ///
    /// When the backend is not embedded.
    pub fn decisions_of(&self, principal: &str) -> Result<Vec<Arc<Event>>, Error> {
        Ok(self.embedded_endpoint("the decisions about a principal")?.journal().of(principal))
    }

    /// The endpoint that a test can set something at.
    fn embedded_endpoint(&self, what: &str) -> Result<&Endpoint, Error> {
        let endpoint = match &self.0 {
            Place::Embedded(connection) => connection.endpoint(),
            #[cfg(feature = "network")]
            Place::Remote(_) => None,
        };
        endpoint.ok_or_else(|| {
            let message = format!("{what} can be had at the embedded endpoint only, and not at {self:?}");
            Error::new(ErrorKind::Configuration, message)
        })
    }

    /// Whether the account is in this process.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        matches!(self.0, Place::Embedded(_))
    }

    /// An `SdkConfig` signed in as the account's administrator: for what a test sets up besides roles.
    ///
    /// # Errors
    ///
    /// When the backend cannot be reached or used.
    pub async fn admin(&self) -> Result<SdkConfig, Error> {
        Ok(SdkConfig::clone(&self.connect().await?.admin))
    }

    /// Serves the embedded endpoint on a free loopback port, for programs that a test starts; signed in with
    /// [`TemporaryRole::credentials`](crate::TemporaryRole::credentials) they are the role.
    ///
    /// # Errors
    ///
    /// When the backend is not embedded, for then it has an address already, or no port can be had.
    #[cfg(feature = "server")]
    pub fn serve(&self) -> std::io::Result<iam_endpoint::Server> {
        match &self.0 {
            Place::Embedded(connection) => match connection.endpoint() {
                Some(endpoint) => endpoint.serve(([127, 0, 0, 1], 0).into()),
                None => unreachable!("an embedded backend has an endpoint"),
            },
            #[cfg(feature = "network")]
            Place::Remote(remote) => Err(std::io::Error::new(
                std::io::ErrorKind::Unsupported,
                format!("backend `{}` is reached at its own address", remote.place()),
            )),
        }
    }

    /// As [`connect`](Self::connect), for what only looks: nothing is created there, and nothing swept.
    #[cfg(feature = "network")]
    pub(crate) async fn reach(&self) -> Result<Arc<Connection>, Error> {
        match &self.0 {
            Place::Embedded(connection) => Ok(connection.clone()),
            Place::Remote(remote) => remote.reach().await,
        }
    }

    /// Begins, in the background, to remove what dead processes have left, where something may be to do.
    #[cfg(feature = "network")]
    pub(crate) fn sweep_at_start(&self) {
        if let Place::Remote(remote) = &self.0 {
            remote.sweep_at_start();
        }
    }

    #[cfg_attr(not(feature = "network"), expect(clippy::unused_async, reason = "only the network waits"))]
    pub(crate) async fn connect(&self) -> Result<Arc<Connection>, Error> {
        match &self.0 {
            Place::Embedded(connection) => Ok(connection.clone()),
            #[cfg(feature = "network")]
            Place::Remote(remote) => remote.connect().await,
        }
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Embedded(_) => f.write_str("Backend(embedded)"),
            #[cfg(feature = "network")]
            Place::Remote(remote) => write!(f, "Backend({})", remote.place()),
        }
    }
}

#[cfg(all(test, not(feature = "network")))]
mod tests {
    use super::*;

    #[test]
    fn without_the_network_only_the_embedded_backend_is_there() {
        assert!(matches!(Backend::of_choice(&Choice::Embedded), Ok(None)));
        let url = Choice::Endpoint { url: "http://127.0.0.1:4566".to_owned() };
        let error = Backend::of_choice(&url).expect_err("nothing could reach it").to_string();
        assert!(error.starts_with("backend `http://127.0.0.1:4566` needs the feature `network`"), "{error}");
    }
}
