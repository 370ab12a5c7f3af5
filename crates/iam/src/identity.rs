//! Who a caller is to the evaluator, and what its own policies are. Both are kept, compiled, until something of the kind is changed, so that
//! a caller that comes again is judged without a look into the store.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use hearth_types::AccountId;

use crate::evaluator::{Decision, Fact, Policies, Policy, Principal, Request, ResourceRule, decide};
use crate::{Iam, IamError};

/// Callers kept. Beyond that all are dropped: those in use are read again.
const KEPT_MAX: usize = 4096;

/// A caller and its policies.
#[derive(Debug)]
pub struct Identity {
    principal: Principal,
    identity: Vec<Arc<Policy>>,
    boundary: Option<Arc<Policy>>,
}

impl Identity {
    /// Decides whether the caller may do `action` to `resource`, which belongs to account `owner` and has this policy.
    pub fn decide(
        &self,
        (action, resource): (&str, &str),
        facts: &[Fact<'_>],
        policy: Option<&Policy>,
        owner: &AccountId,
    ) -> Decision {
        let policies = Policies {
            identity: &self.identity,
            session: None,
            boundary: self.boundary.as_deref(),
            resource: policy,
            rule: ResourceRule::Either,
        };
        decide(&Request::new(&self.principal, action, resource, facts), &policies, owner.as_str())
    }
}

/// The callers that are kept.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    kept: RwLock<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// How often something was changed: what was read before a change is not kept after it.
    changes: u64,
    by_arn: HashMap<String, Arc<Identity>>,
}

impl Identities {
    fn get(&self, arn: &str) -> Result<Arc<Identity>, u64> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.by_arn.get(arn).cloned().ok_or(kept.changes)
    }

    fn put(&self, arn: &str, identity: &Arc<Identity>, read_at: u64) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.changes != read_at {
            return;
        }
        if kept.by_arn.len() >= KEPT_MAX {
            kept.by_arn.clear();
        }
        kept.by_arn.insert(arn.to_owned(), Arc::clone(identity));
    }

    /// Something was changed.
    pub(crate) fn forget(&self) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.changes += 1;
        kept.by_arn.clear();
    }
}

impl Iam {
    /// A caller of the account, by its ARN. One that is not known any more has no policies.
    pub async fn identity(&self, account: &AccountId, arn: &str) -> Result<Arc<Identity>, IamError> {
        let read_at = match self.identities.get(arn) {
            Ok(identity) => return Ok(identity),
            Err(read_at) => read_at,
        };
        let identity = Arc::new(self.read_identity(account, arn).await?);
        self.identities.put(arn, &identity, read_at);
        Ok(identity)
    }

    async fn read_identity(&self, account: &AccountId, arn: &str) -> Result<Identity, IamError> {
        let principal = Principal::of_arn(arn).unwrap_or_else(Principal::anonymous);
        let nobody = |principal| Identity { principal, identity: Vec::new(), boundary: None };
        let Some((_, session)) = arn.split_once(":assumed-role/") else { return Ok(nobody(principal)) };
        let (name, session) = session.split_once('/').unwrap_or((session, ""));
        let role = match self.role(account, name).await {
            Ok(role) => role,
            Err(IamError::NoSuchEntity(_) | IamError::Validation(_)) => return Ok(nobody(principal)),
            Err(error) => return Err(error),
        };
        let principal = principal
            .with_role_arn(&role.arn(account))
            .with_user_id(&format!("{}:{session}", role.id))
            .with_tags(role.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        let held = self.policies_of_role(account, &role).await?;
        Ok(Identity { principal, identity: held.identity, boundary: held.boundary })
    }
}
