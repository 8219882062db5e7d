use std::net::SocketAddr;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_iam::config::Credentials;
use iam_endpoint::{Endpoint, Server};

/// The embedded endpoint on a loopback port: an account that outlives the processes that use it.
pub struct Served {
    /// The endpoint itself, for its journal.
    pub endpoint: Endpoint,
    server: Server,
}

impl Served {
    /// Starts it on a free port.
    ///
    /// # Panics
    ///
    /// When no port can be had.
    #[must_use]
    pub fn start() -> Served {
        Served::of(Endpoint::new())
    }

    /// Serves an endpoint with weather, or with a clock of its own.
    ///
    /// # Panics
    ///
    /// When no port can be had.
    #[must_use]
    pub fn of(endpoint: Endpoint) -> Served {
        let server = endpoint.serve(([127, 0, 0, 1], 0).into()).expect("a loopback port is free");
        Served { endpoint, server }
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url().to_string()
    }

    /// The address of that.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The variables with which a run uses it in AWS's place, reached at this URL.
    #[must_use]
    pub fn variables_as_aws(&self, url: &str) -> Vec<(String, String)> {
        let mut variables = self.variables();
        let added = [
            ("IAM_FIXTURE_BACKEND", "aws"),
            ("IAM_FIXTURE_ACCOUNT", self.endpoint.account_id()),
            ("AWS_ENDPOINT_URL", url),
        ];
        variables.extend(added.map(|(name, value)| (name.to_owned(), value.to_owned())));
        variables
    }

    /// The variables with which a run uses it, as its administrator.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        let administrator = self.endpoint.administrator();
        [
            ("IAM_FIXTURE_BACKEND", self.url()),
            ("AWS_ACCESS_KEY_ID", administrator.access_key_id),
            ("AWS_SECRET_ACCESS_KEY", administrator.secret_access_key),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// Its roles, over the network like anybody else.
    pub async fn roles(&self) -> Vec<String> {
        super::roles_at(&self.admin().await).await
    }

    /// Its administrator, over the network.
    pub async fn admin(&self) -> SdkConfig {
        let administrator = self.endpoint.administrator();
        let keys = Credentials::new(
            administrator.access_key_id,
            administrator.secret_access_key,
            None,
            None,
            "administrator",
        );
        aws_config::defaults(BehaviorVersion::latest())
            .endpoint_url(self.url())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(keys)
            .load()
            .await
    }

    /// The operations that this role's life took, in order, as the endpoint saw them.
    #[must_use]
    pub fn operations(&self, role: &str) -> Vec<String> {
        let events = self.endpoint.journal().last(usize::MAX);
        let is_about = |event: &iam_endpoint::Event| {
            event.authorizations.iter().any(|authorization| authorization.resource().contains(role))
        };
        events.iter().filter(|event| is_about(event)).map(|event| event.operation.clone()).collect()
    }
}
