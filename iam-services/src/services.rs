//! All services of one endpoint.

use std::fmt;
use std::pin::Pin;
use std::time::Instant;

use http::Response;
use iam_endpoint::{Allowed, Body, Perform};

#[cfg(feature = "dynamodb")]
use crate::dynamodb;
#[cfg(feature = "eventbridge")]
use crate::eventbridge;
use crate::kept::{Kept, Serve};
#[cfg(feature = "kms")]
use crate::kms;
#[cfg(feature = "lambda")]
use crate::lambda;
#[cfg(feature = "logs")]
use crate::logs;
#[cfg(feature = "secretsmanager")]
use crate::secretsmanager;
#[cfg(feature = "sns")]
use crate::sns;
#[cfg(feature = "sqs")]
use crate::sqs;
#[cfg(feature = "ssm")]
use crate::ssm;

/// The services of this crate's features, with nothing in them yet.
pub struct Services {
    all: Vec<Box<dyn Serve>>,
}

impl Services {
    /// Services that nothing was asked of yet.
    #[must_use]
    pub fn new() -> Self {
        let all: Vec<Box<dyn Serve>> = [
            #[cfg(feature = "dynamodb")]
            serve::<dynamodb::State>(),
            #[cfg(feature = "eventbridge")]
            serve::<eventbridge::State>(),
            #[cfg(feature = "kms")]
            serve::<kms::State>(),
            #[cfg(feature = "lambda")]
            serve::<lambda::State>(),
            #[cfg(feature = "logs")]
            serve::<logs::State>(),
            #[cfg(feature = "secretsmanager")]
            serve::<secretsmanager::State>(),
            #[cfg(feature = "sns")]
            serve::<sns::State>(),
            #[cfg(feature = "sqs")]
            serve::<sqs::State>(),
            #[cfg(feature = "ssm")]
            serve::<ssm::State>(),
        ]
        .into();
        Self { all }
    }
}

fn serve<S: crate::kept::Service + 'static>() -> Box<dyn Serve> {
    Box::new(Kept::<S>::default())
}

impl Default for Services {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all.iter().map(|service| service.name())).finish()
    }
}

impl Perform for Services {
    fn tags(&self, arn: &str) -> Option<Vec<(String, String)>> {
        self.all.iter().find_map(|service| service.tags(arn)).map(|tags| tags.into_iter().collect())
    }

    fn perform<'a>(
        &'a self,
        allowed: &'a Allowed,
    ) -> Pin<Box<dyn Future<Output = Option<Response<Body>>> + Send + 'a>> {
        Box::pin(async move {
            let service = self.all.iter().find(|service| service.name() == allowed.service)?;
            let start = Instant::now();
            loop {
                let seen = service.changes().seen();
                match service.call(allowed, start.elapsed())? {
                    Ok(response) => {
                        service.changes().tell();
                        return Some(response.map(Body::from));
                    }
                    Err(longest) => service.changes().wait(seen, longest).await,
                }
            }
        })
    }
}
