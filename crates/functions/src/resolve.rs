//! What an invocation needs: the hot path. One look-up under a read lock, no I/O, no waiting.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use hearth_aws_api::ApiError;
use hearth_engine::port::{AsyncConfig, Catalogue, Current, SessionCredentials};
use hearth_types::{FunctionRef, Home, Qualifier, VersionLabel, VersionSpec};

use crate::account::Account;
use crate::function::{Function, Readiness, Ready, ReadyAlias, function_arn};
use crate::functions::{Functions, Shared};
use crate::garbage::system_time;
use crate::name::Target;
use crate::{name, policy, refuse};

/// What a policy must allow to another account that invokes.
const INVOKE: &str = "lambda:InvokeFunction";

/// How long a sandbox's role session is valid: longer than any sandbox is kept (12 hours is the most that AssumeRole grants).
const SESSION: Duration = Duration::from_secs(12 * 60 * 60);

/// A version to run, as of now.
#[derive(Clone, Debug)]
pub struct Resolved {
    pub spec: Arc<VersionSpec>,
    /// As the caller qualified it.
    pub invoked_arn: Arc<str>,
    /// `X-Amz-Executed-Version`.
    pub executed_version: VersionLabel,
    pub reserved_concurrency: Option<u32>,
    /// What all functions without a reservation share.
    pub account_unreserved: u32,
    pub async_config: Arc<AsyncConfig>,
    /// Chains of requests in which the function is met again and again are not stopped.
    pub may_recur: bool,
}

impl Functions {
    /// The version that a request means, of a caller by where it looks and by its ARN. `draw`, in 0..1, chooses between the versions of a weighted alias.
    ///
    /// # Errors
    /// As Invoke answers: 400 for conflicting qualifiers, 404, 403 for another account's function whose policy does not
    /// allow it, 409 while the function is being created or prepared, or if that failed.
    pub fn resolve(
        &self,
        (caller, principal): (&Home, &str),
        function: &FunctionRef,
        qualifier: Option<&Qualifier>,
        draw: f64,
    ) -> Result<Resolved, ApiError> {
        let shared = &self.shared;
        if let Some(region) = function.region.as_ref().filter(|region| **region != caller.region) {
            return Err(name::wrong_region(region.as_str(), &caller.region));
        }
        let qualifier = match (&function.qualifier, qualifier) {
            (Some(derived), Some(given)) if derived != given => return Err(name::qualifiers_differ()),
            (derived, given) => derived.as_ref().or(given),
        };
        let other = function.account.as_ref().filter(|owner| **owner != caller.account);
        let other = other.map(|owner| Home::new(owner.clone(), caller.region.clone()));
        let owner = other.as_ref().unwrap_or(caller);
        let account = shared.known_account(owner);
        let found = account.as_ref().and_then(|account| Some((account, account.find(&function.name)?)));
        if other.is_some() {
            let allowed = found.as_ref().is_some_and(|(_, found)| policy::allows(found, qualifier, principal, INVOKE));
            if !allowed {
                return Err(denied(caller, function, owner));
            }
        }
        let not_found = || not_found(shared, owner, function.name.as_str(), qualifier);
        let (account, found) = found.ok_or_else(not_found)?;
        let ready = ready(&found, qualifier, draw).ok_or_else(not_found)?;
        match ready.readiness {
            Readiness::Invocable => Ok(resolved(shared, account, &found, ready)),
            Readiness::Pending => Err(refuse::pending()),
            Readiness::Preparing => Err(refuse::preparing()),
            Readiness::Failed => Err(refuse::failed()),
        }
    }

    /// What Invoke says of a name that is well-formed, and that no function here can have.
    pub fn unknown_function(&self, caller: &Home, name: &str, qualifier: Option<&str>) -> ApiError {
        match Target::parse(name, qualifier, caller) {
            Err(error) => error,
            Ok(Target { name, qualifier }) => not_found(&self.shared, caller, &name, qualifier),
        }
    }
}

fn resolved(shared: &Shared, account: &Account, function: &Function, ready: &Ready) -> Resolved {
    Resolved {
        spec: Arc::clone(&ready.spec),
        invoked_arn: Arc::clone(&ready.arn),
        executed_version: ready.spec.key.version,
        reserved_concurrency: function.records.function.reserved_concurrency,
        account_unreserved: shared.config.account_concurrency.saturating_sub(account.reserved()),
        async_config: Arc::clone(&ready.async_config),
        may_recur: function.records.function.recursion_allowed,
    }
}

fn ready<'f>(function: &'f Function, qualifier: Option<&Qualifier>, draw: f64) -> Option<&'f Ready> {
    match qualifier {
        None => Some(&function.unqualified),
        Some(Qualifier::Latest) => Some(&function.latest),
        Some(Qualifier::Version(number)) => function.versions.get(number),
        Some(Qualifier::Alias(name)) => function.aliases.get(name).map(|alias| drawn(alias, draw)),
    }
}

fn drawn(alias: &ReadyAlias, draw: f64) -> &Ready {
    match &alias.other {
        Some((other, share)) if draw < *share => other,
        _ => &alias.primary,
    }
}

/// Recorded: Invoke names `$LATEST` where nothing was asked for.
fn not_found(shared: &Shared, owner: &Home, name: &str, qualifier: Option<impl Display>) -> ApiError {
    if shared.is_put_aside(owner, name) {
        return refuse::put_aside(name);
    }
    let arn = function_arn(owner, name);
    match qualifier {
        Some(qualifier) => refuse::function_not_found(&format!("{arn}:{qualifier}")),
        None => refuse::function_not_found(&format!("{arn}:$LATEST")),
    }
}

fn denied(caller: &Home, function: &FunctionRef, owner: &Home) -> ApiError {
    let arn = function_arn(owner, function.name.as_str());
    refuse::not_authorized(&format!("arn:aws:iam::{}:root", caller.account), INVOKE, &arn)
}

/// Where a whole ARN says that the function lies.
fn home_of(function: &FunctionRef) -> Option<Home> {
    Some(Home::new(function.account.clone()?, function.region.clone()?))
}

impl Catalogue for Functions {
    fn is_put_aside(&self, invoked_arn: &str) -> bool {
        let function: Option<FunctionRef> = invoked_arn.parse().ok();
        function.is_some_and(|function| {
            let name = function.name.as_str();
            home_of(&function).is_some_and(|home| self.shared.is_put_aside(&home, name))
        })
    }

    fn current(&self, invoked_arn: &str, draw: f64) -> Option<Current> {
        let function: FunctionRef = invoked_arn.parse().ok()?;
        let account = self.shared.known_account(&home_of(&function)?)?;
        let found = account.find(&function.name)?;
        let ready = ready(&found, function.qualifier.as_ref(), draw)?;
        let resolved = resolved(&self.shared, &account, &found, ready);
        Some(Current {
            spec: resolved.spec,
            reserved_concurrency: resolved.reserved_concurrency,
            account_unreserved: resolved.account_unreserved,
            async_config: (*resolved.async_config).clone(),
            invocable: ready.readiness == Readiness::Invocable,
        })
    }

    fn session(&self, spec: &VersionSpec) -> SessionCredentials {
        let expires_at = system_time() + SESSION;
        self.shared.iam.function_session(&spec.key.account, &spec.role, &spec.key.function, expires_at)
    }
}
