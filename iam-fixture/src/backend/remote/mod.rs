//! Backends outside this process: AWS, and emulators behind an endpoint URL.

mod admin_role;
mod canary;
mod client;
mod clock;
mod config;
mod principal;

use std::fmt;
use std::sync::{Arc, LazyLock, Once};
use std::time::{Duration, SystemTime};

use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::config::timeout::{TimeoutConfig, TimeoutConfigBuilder};
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityOutput;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use aws_types::SdkConfig;
use tokio::sync::OnceCell;

use self::clock::ServerClock;
use self::principal::Caller;
use super::connection::{self, Calls, Connection, Outliving, trust_policy};
use super::settings::Settings;
use crate::control;
use crate::error::{Error, ErrorKind, chain};
use crate::lifecycle::{Lease, Standing, Thing};
use crate::outlive;
use crate::pace::Paces;

pub(crate) struct Remote {
    place: Place,
    /// A failure is kept too: two hundred tests need not wait for the same time-out one after the other.
    connection: OnceCell<Result<Arc<Connection>, Error>>,
    /// Whether policies mean something there.
    enforces: OnceCell<Result<(), Error>>,
    swept: Once,
}

#[derive(Clone)]
pub(super) enum Place {
    Aws { account: String },
    Endpoint { url: String },
}

impl Remote {
    pub(super) fn endpoint(url: String) -> Arc<Remote> {
        Remote::at(Place::Endpoint { url })
    }

    pub(super) fn aws(account: String) -> Arc<Remote> {
        Remote::at(Place::Aws { account })
    }

    fn at(place: Place) -> Arc<Remote> {
        Arc::new(Remote { place, connection: OnceCell::new(), enforces: OnceCell::new(), swept: Once::new() })
    }

    pub(super) fn place(&self) -> impl fmt::Display {
        &self.place
    }

    /// Shows who answers there, and that it is the account that was named.
    pub(super) async fn reach(&self) -> Result<Arc<Connection>, Error> {
        let reach = || control::run(reach(self.place.clone()));
        self.connection.get_or_init(reach).await.clone()
    }

    /// From here on roles can be made there.
    pub(super) async fn connect(&self) -> Result<Arc<Connection>, Error> {
        let connection = self.reach().await?;
        outlive::install();
        self.sweep(&connection);
        if let Place::Endpoint { url } = &self.place {
            let check = || {
                let (connection, url) = (connection.clone(), url.clone());
                control::run(async move {
                    if outlive::enforces(&url) {
                        return Ok(());
                    }
                    canary::check(&connection, &url).await?;
                    outlive::note_enforces(&url);
                    Ok(())
                })
            };
            self.enforces.get_or_init(check).await.clone()?;
        }
        Ok(connection)
    }

    pub(super) fn sweep_at_start(self: &Arc<Self>) {
        if outlive::is_to_sweep(&self.stamp_name()) {
            outlive::install();
            let remote = self.clone();
            outlive::in_background(async move {
                // What cannot be reached, each test will say.
                if let Ok(connection) = remote.reach().await {
                    remote.sweep(&connection);
                }
            });
        }
    }

    /// Once a process, whoever comes first.
    fn sweep(&self, connection: &Arc<Connection>) {
        self.swept.call_once(|| {
            let ledger_name = ledger_name(&self.place, &connection.account);
            outlive::sweep(connection.clone(), ledger_name, self.stamp_name());
        });
    }

    /// What is swept once a run; known before anybody has answered there.
    fn stamp_name(&self) -> String {
        match &self.place {
            Place::Aws { account } => ledger_name(&self.place, account),
            Place::Endpoint { url } => url.clone(),
        }
    }
}

async fn reach(place: Place) -> Result<Arc<Connection>, Error> {
    let clock = ServerClock::default();
    let admin = match &place {
        Place::Aws { .. } => config::aws().await,
        Place::Endpoint { url } => config::endpoint(url)?,
    };
    let admin = match &Settings::current()?.admin_role {
        Some(role) => admin_role::assumed(&place, admin, role).await?,
        None => admin,
    };
    let paces = Paces::shared(&place.pace_name());
    let identity = caller(&place, &paces, &admin, &clock).await?;
    let account = identity.account().unwrap_or_default();
    let arn = identity.arn().unwrap_or_default();
    if let Place::Aws { account: named } = &place
        && account != named
    {
        return Err(Error::new(
            ErrorKind::Configuration,
            format!("you are signed in to account {account} as `{arn}`, but the tests may use account {named} only"),
        )
        .note("nothing was created")
        .note("help: sign in to that account, or correct `IAM_FIXTURE_ACCOUNT`"));
    }
    if let Place::Aws { .. } = &place {
        Caller::of(arn).check(arn)?;
    }
    // For the answer alone: an attempt may wait for its turn.
    let limit = connect_limit().read_timeout(Duration::from_secs(30)).build();
    let control = admin.to_builder().timeout_config(limit).build();
    let iam = aws_sdk_iam::Client::from_conf(paces.iam(&control).interceptor(clock.clone()).build());
    let sts = paces.sts(&control).interceptor(clock.clone()).build();
    let trusted = match &place {
        Place::Aws { .. } => principal::of(&iam, arn).await,
        // Emulators take the caller's own ARN, whatever it is.
        Place::Endpoint { .. } => arn.to_owned(),
    };
    Ok(Arc::new(Connection {
        iam,
        sts: aws_sdk_sts::Client::from_conf(sts),
        account: account.to_owned(),
        partition: arn.split(':').nth(1).unwrap_or("aws").to_owned(),
        region: admin.region().map(ToString::to_string).unwrap_or_default(),
        trust: trust_policy(&trusted),
        caller: trusted,
        place: connection::Place::Outliving(Box::new(Account {
            ledger_name: ledger_name(&place, account),
            propagates: matches!(place, Place::Aws { .. }),
            clock,
        })),
        standing: Standing::default(),
        admin: connection::Admin::new(Box::new(move || admin)),
    }))
}

/// Tells in the ledger whose roles they are.
fn ledger_name(place: &Place, account: &str) -> String {
    format!("{place} {account}")
}

/// Who the administrator is, asked without patience: a wrong URL must not look like a slow one. The second attempt is for a
/// machine whose clock is off, which learns so from the answer to the first.
async fn caller(
    place: &Place,
    paces: &Paces,
    admin: &SdkConfig,
    clock: &ServerClock,
) -> Result<GetCallerIdentityOutput, Error> {
    let once = paces
        .sts(admin)
        .retry_config(RetryConfig::standard().with_max_attempts(2))
        .timeout_config(connect_limit().read_timeout(Duration::from_secs(10)).build())
        .interceptor(clock.clone())
        .build();
    let call = aws_sdk_sts::Client::from_conf(once).get_caller_identity();
    call.send().await.map_err(|error| unanswered(place, "`GetCallerIdentity`", error))
}

/// The first call has failed: is anybody there, and is it somebody who signed in?
fn unanswered<E>(place: &Place, what: &str, error: SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match (place, &error) {
        (Place::Endpoint { url }, SdkError::DispatchFailure(_) | SdkError::TimeoutError(_)) => {
            Error::new(ErrorKind::Unreachable, format!("nothing answers at `{url}`: {}", chain(&error)))
                .caused_by(error)
                .note("nothing was created")
                .note("help: start the emulator, or correct `IAM_FIXTURE_BACKEND`")
        }
        (Place::Endpoint { url }, SdkError::ResponseError(_)) => Error::new(
            ErrorKind::Unreachable,
            format!("what answers at `{url}` is no AWS endpoint: {}", chain(&error)),
        )
        .caused_by(error)
        .note("nothing was created"),
        (Place::Endpoint { url }, _) => {
            Error::call(format_args!("{what} at `{url}`"), error).note("nothing was created").note(
                "help: an emulator that enforces policies wants an administrator's keys in \
                 `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`",
            )
        }
        (Place::Aws { .. }, SdkError::DispatchFailure(failure)) if failure.is_io() || failure.is_timeout() => {
            Error::call(what, error)
                .of_kind(ErrorKind::Unreachable)
                .note("nothing was created")
                .note("help: is there a network, and does `AWS_ENDPOINT_URL`, where it is set, lead to where it should?")
        }
        (Place::Aws { .. }, _) => Error::call(what, error)
            .note("nothing was created")
            .note("help: sign in, for example with `aws login`, or set `AWS_PROFILE`"),
    }
}

/// An endpoint that hangs must not hang the test with it.
fn connect_limit() -> TimeoutConfigBuilder {
    TimeoutConfig::builder().connect_timeout(Duration::from_secs(3))
}

/// An account that keeps its roles when the process ends.
struct Account {
    ledger_name: String,
    propagates: bool,
    clock: ServerClock,
}

impl Outliving for Account {
    fn run(&self, calls: Calls) -> Calls {
        Box::pin(control::run(calls))
    }

    fn began(&self, lease: &Arc<Lease>) {
        outlive::began(lease);
    }

    fn ended(&self, lease: &Lease) {
        outlive::ended(lease);
    }

    fn about_to_make(&self, thing: &Thing) -> Result<(), Error> {
        outlive::about_to_make(&self.ledger_name, thing)
    }

    fn removed(&self, thing: &Thing) {
        outlive::removed(&self.ledger_name, thing);
    }

    fn propagates(&self) -> bool {
        self.propagates
    }

    fn now(&self) -> Option<SystemTime> {
        self.clock.now()
    }

    fn connector(&self) -> SharedHttpConnector {
        static CONNECTOR: LazyLock<SharedHttpConnector> = LazyLock::new(client::connector);
        CONNECTOR.clone()
    }
}

impl Place {
    /// Under which processes share what they know of its throttles.
    fn pace_name(&self) -> String {
        match self {
            Place::Aws { account } => format!("aws {account}"),
            Place::Endpoint { url } => url.clone(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Place::Aws { .. } => "aws",
            Place::Endpoint { url } => url,
        })
    }
}
