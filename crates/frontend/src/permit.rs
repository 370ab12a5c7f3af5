//! Whether a caller's policies let it do what it asks for.
//!
//! An account may do everything that is its own. A user of it, or a session of one of its roles, may do what policies say (IAM User Guide,
//! "Policy evaluation logic"); where roles are lenient, nobody is held to them.

use std::sync::Arc;

use hearth_iam::evaluator::{Decision, Fact, Policy, Values};
use hearth_iam::{Iam, IamError};
use hearth_types::{AccountId, Home, Timestamp};

use crate::context::RequestContext;
use crate::error::ApiError;

/// Something that a caller must be allowed.
#[derive(Clone, Debug)]
pub(crate) struct Need {
    /// Such as `lambda:InvokeFunction`.
    pub(crate) action: String,
    /// An ARN; `*` for what is about no resource.
    pub(crate) resource: String,
    pub(crate) policy: ResourcePolicy,
}

/// The policy of a resource, which can let callers of its own account in without theirs.
#[derive(Clone, Debug)]
pub(crate) enum ResourcePolicy {
    /// It has none, or is not the caller's account's.
    None,
    Given(Arc<Policy>),
    /// A role, which is the resource: who may assume it.
    Trust,
}

impl Need {
    pub(crate) fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { action: action.into(), resource: resource.into(), policy: ResourcePolicy::None }
    }
}

/// Who asks, of which account, in which Region, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller<'a> {
    pub(crate) home: &'a Home,
    pub(crate) arn: &'a str,
    pub(crate) now: Timestamp,
}

impl<'a> From<&'a RequestContext> for Caller<'a> {
    fn from(request: &'a RequestContext) -> Self {
        Self { home: &request.home, arn: &request.principal_arn, now: request.now }
    }
}

/// Holds callers to their policies.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    iam: Option<Arc<Iam>>,
}

impl Guard {
    pub(crate) fn new(iam: Arc<Iam>) -> Self {
        Self { iam: Some(iam) }
    }

    /// Holds nobody to anything.
    pub(crate) const fn lenient() -> Self {
        Self { iam: None }
    }

    /// The policies that count, of one who has any: an account itself has none.
    pub(crate) fn holds(&self, principal_arn: &str) -> bool {
        self.iam.is_some() && !principal_arn.ends_with(":root")
    }

    /// What AWS tells a caller who is denied; `None` if it is allowed. `owner`: of the resource.
    ///
    /// # Errors
    /// The caller's policies cannot be read: it is not let through.
    pub(crate) async fn denial(
        &self,
        caller: Caller<'_>,
        need: &Need,
        owner: &AccountId,
    ) -> Result<Option<String>, ApiError> {
        let Some(iam) = self.iam.as_ref().filter(|_| self.holds(caller.arn)) else { return Ok(None) };
        let identity = iam.identity(&caller.home.account, caller.arn).await.map_err(unreadable)?;
        let seconds = (caller.now.as_millis() / 1000).to_string();
        let date = jiff::Timestamp::from_millisecond(caller.now.as_millis().cast_signed()).unwrap_or_default();
        let date = date.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let facts: &[Fact<'_>] = &[
            ("aws:RequestedRegion", Values::One(caller.home.region.as_str())),
            ("aws:CurrentTime", Values::One(&date)),
            ("aws:EpochTime", Values::One(&seconds)),
            ("aws:SecureTransport", Values::One("false")),
        ];
        let policy = match &need.policy {
            ResourcePolicy::None => None,
            ResourcePolicy::Given(policy) => Some(Arc::clone(policy)),
            ResourcePolicy::Trust => iam.trust(&caller.home.account, &need.resource).await.map_err(unreadable)?,
        };
        let decision = identity.decide((&need.action, &need.resource), facts, policy.as_deref(), owner);
        Ok(match decision {
            Decision::Allowed => None,
            denied => denied.message(caller.arn, &need.action, &need.resource),
        })
    }
}

fn unreadable(error: IamError) -> ApiError {
    tracing::error!(%error, "a caller's policies cannot be read, so it is refused");
    ApiError::service("An internal error occurred")
}
