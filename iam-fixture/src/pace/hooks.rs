//! Where the SDK lets an attempt wait, and tells what became of it.
//!
//! An attempt must not wait once it is signed, for a signature is soon too old; nor can an interceptor wait. The identity
//! cache can, which each attempt asks before it is signed.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::config::{
    ConfigBag, IdentityCache, Intercept, ResolveCachedIdentity, RuntimeComponents, SharedIdentityCache,
};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::identity::{IdentityFuture, SharedIdentityResolver};
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextRef, InterceptorContext,
};
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry as _, RetryAction, RetryReason};
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use aws_smithy_types::retry::ErrorKind;
use aws_types::SdkConfig;

use super::retries::Spent;
use super::{Outcome, Pace, Pass};

#[derive(Clone)]
pub(super) struct Hooks {
    pace: Arc<Pace>,
    identities: SharedIdentityCache,
}

/// What is known of a call while it is being made; it goes with the call, however that ends.
#[derive(Clone, Debug, Default)]
struct Call(Arc<Mutex<Attempts>>);

#[derive(Debug, Default)]
struct Attempts {
    pass: Option<Pass>,
    turn: Option<u64>,
    spent: Spent,
    /// How the client was told to retry.
    told: Option<RetryConfig>,
}

impl Storable for Call {
    type Storer = StoreReplace<Self>;
}

impl Call {
    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hooks {
    pub(super) fn new(pace: &Arc<Pace>, config: &SdkConfig) -> Hooks {
        let identities = config.identity_cache().unwrap_or_else(|| IdentityCache::lazy().build());
        Hooks { pace: pace.clone(), identities }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hooks")
    }
}

impl ResolveCachedIdentity for Hooks {
    fn resolve_cached_identity<'a>(
        &'a self,
        resolver: SharedIdentityResolver,
        components: &'a RuntimeComponents,
        config: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        IdentityFuture::new(async move {
            let call = config.load::<Call>();
            let turn = call.and_then(|call| call.attempts().turn);
            let pass = self.pace.turn(operation(config), turn).await;
            if let Some(call) = call {
                let mut attempts = call.attempts();
                attempts.turn.get_or_insert(pass.place.turn());
                attempts.pass = Some(pass);
            }
            self.identities.resolve_cached_identity(resolver, components, config).await
        })
    }
}

#[dyn_dispatch_hint]
impl Intercept for Hooks {
    fn name(&self) -> &'static str {
        "iam-fixture's pace"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config.interceptor_state().store_put(Call::default());
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(call) = config.load::<Call>().cloned() else { return Ok(()) };
        let mut attempts = call.attempts();
        let Some(pass) = attempts.pass.take() else { return Ok(()) };
        let outcome = outcome(context.inner(), components);
        self.pace.learn(&pass, outcome);
        let told = config.load::<RetryConfig>().cloned();
        let told = attempts.told.get_or_insert_with(|| told.unwrap_or_else(RetryConfig::standard)).clone();
        let retries = self.pace.retries.after(&mut attempts.spent, outcome, &pass, told);
        config.interceptor_state().store_put(retries);
        Ok(())
    }
}

fn operation(config: &ConfigBag) -> &str {
    config.load::<Metadata>().map_or("", Metadata::name)
}

/// As the SDK's retries take it.
fn outcome(context: &InterceptorContext, components: &RuntimeComponents) -> Outcome {
    let mut verdict = RetryAction::NoActionIndicated;
    for classifier in components.retry_classifiers() {
        match classifier.classify_retry_v2(context, &verdict) {
            RetryAction::NoActionIndicated => {}
            RetryAction::RetryForbidden => return Outcome::Answered,
            indicated => verdict = indicated,
        }
    }
    match verdict {
        RetryAction::RetryIndicated(RetryReason::RetryableError { kind, .. }) => match kind {
            ErrorKind::ThrottlingError => Outcome::Throttled,
            _ => Outcome::Failed,
        },
        _ => Outcome::Answered,
    }
}
