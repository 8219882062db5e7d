//! What killed runs have left behind, found by the lease in its path and removed.
//!
//! Every role of this crate, and every managed policy that it makes for a boundary, stands in a path that tells when its
//! lease ends: `/iam-fixture/1800000000/`, in seconds since 1970. What stands there after that belongs to nobody any more,
//! whichever machine made it. A lease is over when the backend's own clock says so, as its answers show it; what the clocks
//! of the machines say plays no part.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sdk_iam::types::PolicyScopeType;
use aws_smithy_types::DateTime;

use crate::backend::{Backend, Connection, Settings};
use crate::error::{Error, ErrorKind};
use crate::lifecycle::{Grantee, Thing, first_policy, remove, term};

/// Finds and removes what killed runs have left at a backend.
///
/// Processes that use the crate do this by themselves at their start, once a run and machine; `cargo iam sweep` does it by
/// hand. Several sweeps may run at once.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), iam_fixture::Error> {
/// use iam_fixture::{Backend, sweep::Sweep};
///
/// let sweep = Sweep::at(&Backend::embedded()).await?;
/// for orphan in sweep.find().await?.orphans() {
///     println!("{orphan}");
///     sweep.remove(orphan).await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Sweep {
    connection: Arc<Connection>,
    folder: String,
    older_than: Duration,
}

/// What [`Sweep::find`] has found.
#[derive(Clone, Debug)]
pub struct Found {
    orphans: Vec<Orphan>,
    leased: usize,
    pages: usize,
}

/// A role or policy whose lease is over.
#[derive(Clone, Debug)]
pub struct Orphan {
    thing: Thing,
    arn: String,
    created: Option<SystemTime>,
    lease_end: SystemTime,
}

impl Sweep {
    /// A sweep of what this run's settings name: `IAM_FIXTURE_BACKEND` and, on AWS, `IAM_FIXTURE_ACCOUNT`.
    ///
    /// # Errors
    ///
    /// When they name an embedded backend, whose roles end with their process; and as [`at`](Self::at).
    pub async fn of_settings() -> Result<Sweep, Error> {
        match Backend::outside()? {
            Some(backend) => Sweep::at(backend).await,
            None => Err(Error::new(
                ErrorKind::Configuration,
                "the backend is `embedded`: its roles end with their process, so there is nothing to sweep",
            )
            .note(
                "help: set `IAM_FIXTURE_BACKEND` to `aws`, with `IAM_FIXTURE_ACCOUNT`, or to an endpoint's URL",
            )),
        }
    }

    /// A sweep of this backend; nothing is created there, and nothing removed yet.
    ///
    /// # Errors
    ///
    /// When the backend cannot be reached, or is another account than the one that was named.
    pub async fn at(backend: &Backend) -> Result<Sweep, Error> {
        Sweep::of(backend.reach().await?)
    }

    pub(crate) fn of(connection: Arc<Connection>) -> Result<Sweep, Error> {
        let path = Settings::current()?.role.path.as_deref().unwrap_or("/");
        Ok(Sweep { connection, folder: term::folder(path), older_than: Duration::ZERO })
    }

    /// Looks below this path, such as `/team/`, in place of that of this run's settings.
    ///
    /// # Errors
    ///
    /// When it does not begin and end with `/`.
    pub fn below(mut self, path: &str) -> Result<Sweep, Error> {
        if !path.starts_with('/') || !path.ends_with('/') {
            let message = format!("`{path}` is not the path of a role, which begins and ends with `/`");
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        self.folder = term::folder(path);
        Ok(self)
    }

    /// Passes over what was created less long ago, even if its lease is over.
    #[must_use]
    pub fn older_than(mut self, age: Duration) -> Sweep {
        self.older_than = age;
        self
    }

    /// The account that is swept.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.connection.account
    }

    /// Looks for everything whose lease is over, roles first: as they are removed, no policy is anybody's boundary any more.
    ///
    /// # Errors
    ///
    /// When a call fails, or the answers do not tell the backend's time.
    pub async fn find(&self) -> Result<Found, Error> {
        let sweep = self.clone();
        self.connection
            .run(Box::pin(async move {
                let mut found = Found { orphans: Vec::new(), leased: 0, pages: 0 };
                let mut next = sweep.take_roles(&mut found, None).await?;
                while next.is_some() {
                    next = sweep.take_roles(&mut found, next).await?;
                }
                next = sweep.take_policies(&mut found, None).await?;
                while next.is_some() {
                    next = sweep.take_policies(&mut found, next).await?;
                }
                if Settings::current()?.role.grant_assume {
                    sweep.take_grants(&mut found).await?;
                }
                Ok(found)
            }))
            .await
    }

    /// Removes one that was found, with all that keeps it from being deleted; that it is gone already is no error.
    ///
    /// # Errors
    ///
    /// When a call fails.
    pub async fn remove(&self, orphan: &Orphan) -> Result<(), Error> {
        let (connection, thing) = (self.connection.clone(), orphan.thing.clone());
        self.connection.run(Box::pin(async move { remove_orphan(&connection, &thing).await })).await
    }

    /// Takes what a page of roles has, and tells where the next one begins.
    async fn take_roles(&self, found: &mut Found, from: Option<String>) -> Result<Option<String>, Error> {
        let call =
            self.connection.iam.list_roles().path_prefix(&self.folder).max_items(PAGE).set_marker(from);
        let page = call.send().await;
        let page =
            page.map_err(|error| Error::call(format_args!("`ListRoles` of `{}`", self.folder), error))?;
        let roles = page.roles().iter().map(|role| {
            let thing = Thing::Role { name: role.role_name().to_owned() };
            (thing, role.arn(), role.path(), Some(role.create_date()))
        });
        self.take(found, roles)?;
        Ok(page.marker().filter(|_| page.is_truncated()).map(str::to_owned))
    }

    async fn take_policies(&self, found: &mut Found, from: Option<String>) -> Result<Option<String>, Error> {
        let call = self.connection.iam.list_policies().scope(PolicyScopeType::Local);
        let call = call.path_prefix(&self.folder).max_items(PAGE).set_marker(from);
        let page = call.send().await;
        let page =
            page.map_err(|error| Error::call(format_args!("`ListPolicies` of `{}`", self.folder), error))?;
        let policies = page.policies().iter().filter_map(|policy| {
            let arn = policy.arn()?;
            Some((Thing::Policy { arn: arn.to_owned() }, arn, policy.path()?, policy.create_date()))
        });
        self.take(found, policies)?;
        Ok(page.marker().filter(|_| page.is_truncated()).map(str::to_owned))
    }

    /// What killed runs have left among the policies of whoever sweeps, where runs put such.
    async fn take_grants(&self, found: &mut Found) -> Result<(), Error> {
        let caller = &self.connection.caller;
        let Some(to) = Grantee::of(caller) else { return Ok(()) };
        let iam = &self.connection.iam;
        let names = match &to {
            Grantee::Role(role) => {
                let listed = iam.list_role_policies().role_name(role).into_paginator().items().send();
                let listed = listed.collect::<Result<Vec<_>, _>>().await;
                listed.map_err(|error| Error::call(format_args!("`ListRolePolicies` of `{role}`"), error))?
            }
            Grantee::User(user) => {
                let listed = iam.list_user_policies().user_name(user).into_paginator().items().send();
                let listed = listed.collect::<Result<Vec<_>, _>>().await;
                listed.map_err(|error| Error::call(format_args!("`ListUserPolicies` of `{user}`"), error))?
            }
        };
        let now = self.connection.now();
        for policy in names {
            let Some(lease_end) = term::end_of_named(&policy) else { continue };
            if now.is_none_or(|now| lease_end >= now) {
                found.leased += 1;
            } else {
                let thing = Thing::Grant { to: to.clone(), policy };
                found.orphans.push(Orphan { thing, arn: caller.clone(), created: None, lease_end });
            }
        }
        Ok(())
    }

    /// Keeps of a page what is an orphan. Not every emulator heeds the prefix that it was asked for.
    fn take<'p>(
        &self,
        found: &mut Found,
        page: impl Iterator<Item = (Thing, &'p str, &'p str, Option<&'p DateTime>)>,
    ) -> Result<(), Error> {
        found.pages += 1;
        // By the answer that has just come.
        let Some(now) = self.connection.now() else {
            return Err(Error::new(
                ErrorKind::Call,
                "the backend's answers have no `Date`, so nothing tells whether a lease is over",
            ));
        };
        for (thing, arn, path, created) in page {
            let Some(lease_end) = term::end_of(path, &self.folder) else { continue };
            let created = created.and_then(|created| SystemTime::try_from(*created).ok());
            // What is of the future by a server's clock is not old by it.
            let age = created.map(|created| now.duration_since(created).unwrap_or_default());
            if lease_end >= now {
                found.leased += 1;
            } else if age.is_none_or(|age| age >= self.older_than) {
                found.orphans.push(Orphan { thing, arn: arn.to_owned(), created, lease_end });
            }
        }
        Ok(())
    }
}

impl Found {
    /// What can be removed.
    #[must_use]
    pub fn orphans(&self) -> &[Orphan] {
        &self.orphans
    }

    /// How many there are whose lease goes on: they are not touched.
    #[must_use]
    pub fn leased(&self) -> usize {
        self.leased
    }

    /// How many pages it took.
    #[must_use]
    pub fn pages(&self) -> usize {
        self.pages
    }
}

impl Orphan {
    /// `role`, `policy`, or `grant`: a policy of ours among those of the principal.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.thing {
            Thing::Grant { .. } => "grant",
            Thing::Policy { .. } => "policy",
            _ => "role",
        }
    }

    /// The role's or policy's ARN, or that of the principal with the grant.
    #[must_use]
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// When it was created, if the backend tells.
    #[must_use]
    pub fn created(&self) -> Option<SystemTime> {
        self.created
    }

    /// When its lease ended.
    #[must_use]
    pub fn lease_end(&self) -> SystemTime {
        self.lease_end
    }
}

impl fmt::Display for Orphan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.thing {
            Thing::Grant { policy, .. } => write!(f, "grant `{policy}` of `{}`", self.arn),
            _ => write!(f, "{} `{}`", self.kind(), self.arn),
        }
    }
}

impl fmt::Debug for Sweep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sweep")
            .field("account", &self.account())
            .field("folder", &self.folder)
            .field("older_than", &self.older_than)
            .finish_non_exhaustive()
    }
}

/// As many as IAM lists at once.
const PAGE: i32 = 1_000;

/// Removes what a dead process has left, in as few calls as its removal by the process itself would have taken.
pub(crate) async fn remove_orphan(connection: &Connection, thing: &Thing) -> Result<(), Error> {
    if let Thing::Role { name } = thing {
        let first = Thing::Inline { role: name.clone(), policy: first_policy() };
        remove(connection, &first).await?;
    }
    remove(connection, thing).await
}

/// `2h`, `90m`, `1h 30m`, or seconds: for `cargo iam`.
///
/// # Errors
///
/// When it is none of these.
#[doc(hidden)]
pub fn duration(text: &str) -> Result<Duration, String> {
    term::duration(text)
}
