//! The policies that a role's sessions are held to, compiled.

use std::sync::Arc;

use hearth_types::AccountId;

use crate::evaluator::Policy;
use crate::managed;
use crate::record::Role;
use crate::{Iam, IamError};

impl Role {
    /// `aws:ResourceTag/KEY`, as conditions on the role itself see its tags, and their values.
    pub(crate) fn tag_facts(&self) -> impl Iterator<Item = (String, &str)> {
        self.tags.iter().flat_map(|(key, value)| {
            ["aws", "iam"].map(|service| (format!("{service}:ResourceTag/{key}"), value.as_str()))
        })
    }
}

/// What a role's own policies are, and what bounds them.
#[derive(Debug)]
pub(crate) struct RolePolicies {
    pub(crate) identity: Vec<Arc<Policy>>,
    pub(crate) boundary: Option<Arc<Policy>>,
}

impl Iam {
    pub(crate) async fn policies_of_role(&self, account: &AccountId, role: &Role) -> Result<RolePolicies, IamError> {
        let mut identity: Vec<_> = role.inline.values().map(|document| self.policies.compiled(document)).collect();
        for arn in &role.attached {
            identity.push(self.managed(account, arn).await?);
        }
        let boundary = match &role.permissions_boundary {
            Some(arn) => Some(self.managed(account, arn).await?),
            None => None,
        };
        Ok(RolePolicies { identity, boundary })
    }

    /// The default version of a managed policy. One that is not there, or not known here, allows nothing.
    async fn managed(&self, account: &AccountId, arn: &str) -> Result<Arc<Policy>, IamError> {
        if let Some(document) = managed::document(arn) {
            return Ok(self.policies.compiled(document));
        }
        match self.policy(account, arn).await {
            Ok(policy) => {
                let version = policy.versions.get(&policy.default_version);
                Ok(self.policies.compiled(version.map_or("", |version| &version.document)))
            }
            Err(IamError::NoSuchEntity(_) | IamError::InvalidInput(_)) => Ok(Arc::default()),
            Err(error) => Err(error),
        }
    }
}
