//! Managed policies: those of the account, with versions, and AWS's own, which exist by name alone.

use std::collections::BTreeMap;

use hearth_store::{Precondition, Write};
use hearth_types::{AccountId, Timestamp};

use crate::document::{self, Kind};
use crate::entity::{Entities, TRIES, at, put};
use crate::error::{IamError, check_name, check_path, mismatch};
use crate::record::{Policy, PolicyVersion};
use crate::session::{derived_id, unique_id};
use crate::{Iam, random};

const POLICY_NAME_MAX: usize = 128;
/// Source: IAM User Guide, "Versioning IAM policies".
const VERSIONS_MAX: usize = 5;
/// What AWS's own policies are named under.
const AWS_PREFIX: &str = "arn:aws:iam::aws:policy/";

/// A policy to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewPolicy {
    pub name: String,
    pub path: String,
    pub document: String,
    pub description: Option<String>,
    pub tags: BTreeMap<String, String>,
}

/// A policy's ARN, read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum PolicyRef {
    /// Name and path of one of AWS's own.
    Aws {
        path: String,
        name: String,
    },
    Account {
        name: String,
    },
}

impl PolicyRef {
    pub(crate) fn parse(account: &AccountId, arn: &str) -> Result<Self, IamError> {
        let invalid =
            || IamError::InvalidInput(format!("ARN {} is not valid.", arn.chars().take(200).collect::<String>()));
        if !arn.starts_with("arn:") {
            // Recorded.
            return Err(IamError::Validation("Invalid ARN:  Could not be parsed!".to_owned()));
        }
        let own = format!("arn:aws:iam::{account}:policy/");
        let (rest, aws) = match (arn.strip_prefix(AWS_PREFIX), arn.strip_prefix(&own)) {
            (Some(rest), _) => (rest, true),
            (_, Some(rest)) => (rest, false),
            _ => return Err(invalid()),
        };
        let (path, name) = rest.rsplit_once('/').unwrap_or(("", rest));
        let path = if path.is_empty() { "/".to_owned() } else { format!("/{path}/") };
        check_name("policyArn", name, POLICY_NAME_MAX).and(check_path(&path)).ok().ok_or_else(invalid)?;
        let name = name.to_owned();
        Ok(if aws { Self::Aws { path, name } } else { Self::Account { name } })
    }

    /// Where it is stored, if it is.
    pub(crate) fn key(&self) -> Option<String> {
        match self {
            Self::Aws { .. } => None,
            Self::Account { name } => Some(key(name)),
        }
    }
}

fn key(name: &str) -> String {
    format!("policy/{}", name.to_ascii_lowercase())
}

fn no_such_policy(arn: &str) -> IamError {
    IamError::NoSuchEntity(format!("Policy {arn} was not found."))
}

fn no_such_version(id: &str) -> IamError {
    IamError::NoSuchEntity(format!("Policy version {id} does not exist or is not attachable."))
}

/// The number of `v7`.
fn version_number(id: &str) -> Result<u32, IamError> {
    let number = id.strip_prefix('v').and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| mismatch("versionId", id, "v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?"))
}

/// One of AWS's own. Its document is not known here: functions are not held to it.
fn aws_policy(arn: &str, path: String, name: String) -> Policy {
    Policy {
        id: derived_id("ANPA", arn),
        name,
        path,
        created_at: Timestamp::from_millis(0),
        updated_at: Timestamp::from_millis(0),
        description: None,
        default_version: 1,
        last_version: 1,
        versions: BTreeMap::new(),
        attachments: 0,
        tags: BTreeMap::new(),
    }
}

impl Iam {
    pub async fn create_policy(&self, account: &AccountId, new: NewPolicy, now: Timestamp) -> Result<Policy, IamError> {
        check_name("policyName", &new.name, POLICY_NAME_MAX)?;
        check_path(&new.path)?;
        document::check(&new.document, Kind::Managed)?;
        let policy = Policy {
            id: unique_id("ANPA", random()),
            name: new.name,
            path: new.path,
            created_at: now,
            updated_at: now,
            description: new.description,
            default_version: 1,
            last_version: 1,
            versions: BTreeMap::from([(1, PolicyVersion { document: new.document, created_at: now })]),
            attachments: 0,
            tags: new.tags,
        };
        let key = key(&policy.name);
        let absent = Precondition::Absent { key: key.clone() };
        if self.policies_of(account).commit(vec![absent], vec![put(&key, &policy)]).await? {
            Ok(policy)
        } else {
            Err(IamError::EntityAlreadyExists(format!(
                "A policy called {} already exists. Duplicate names are not allowed.",
                policy.name
            )))
        }
    }

    pub async fn policy(&self, account: &AccountId, arn: &str) -> Result<Policy, IamError> {
        let key = match PolicyRef::parse(account, arn)? {
            PolicyRef::Aws { path, name } => return Ok(aws_policy(arn, path, name)),
            PolicyRef::Account { name } => key(&name),
        };
        let read = self.policies_of(account).read::<Policy>(&key).await?;
        read.map(|read| read.value).filter(|policy| policy.arn(account) == arn).ok_or_else(|| no_such_policy(arn))
    }

    /// The version `v7` of a policy, and whether it is the default.
    pub async fn policy_version(
        &self,
        account: &AccountId,
        arn: &str,
        id: &str,
    ) -> Result<(PolicyVersion, bool), IamError> {
        let number = version_number(id)?;
        let mut policy = self.policy(account, arn).await?;
        let version = policy.versions.remove(&number).ok_or_else(|| no_such_version(id))?;
        Ok((version, policy.default_version == number))
    }

    /// The account's own policies, by name.
    pub async fn policies(
        &self,
        account: &AccountId,
        path_prefix: &str,
        only_attached: bool,
        after: Option<String>,
        limit: usize,
    ) -> Result<(Vec<Policy>, Option<String>), IamError> {
        let wanted =
            |policy: &Policy| policy.path.starts_with(path_prefix) && (!only_attached || policy.attachments > 0);
        self.policies_of(account).list("policy/", after, limit, wanted).await
    }

    pub async fn delete_policy(&self, account: &AccountId, arn: &str) -> Result<(), IamError> {
        let check = |policy: &mut Policy| {
            let text = if policy.attachments > 0 {
                "Cannot delete a policy attached to entities."
            } else if policy.versions.len() > 1 {
                "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. \
                 The default version is deleted with the policy."
            } else {
                return Ok(false);
            };
            Err(IamError::DeleteConflict(text.to_owned()))
        };
        self.change_policy(account, arn, check).await.map(drop)
    }

    /// A further version; returns its number.
    pub async fn create_policy_version(
        &self,
        account: &AccountId,
        arn: &str,
        document: &str,
        set_default: bool,
        now: Timestamp,
    ) -> Result<Policy, IamError> {
        document::check(document, Kind::Managed)?;
        let change = |policy: &mut Policy| {
            if policy.versions.len() >= VERSIONS_MAX {
                return Err(IamError::LimitExceeded(
                    "A managed policy can have up to 5 versions. Before you create a new version, you must delete an \
                     existing version."
                        .to_owned(),
                ));
            }
            policy.last_version += 1;
            policy.updated_at = now;
            let version = PolicyVersion { document: document.to_owned(), created_at: now };
            policy.versions.insert(policy.last_version, version);
            if set_default {
                policy.default_version = policy.last_version;
            }
            Ok(true)
        };
        self.change_policy(account, arn, change).await
    }

    pub async fn set_default_policy_version(&self, account: &AccountId, arn: &str, id: &str) -> Result<(), IamError> {
        let number = version_number(id)?;
        let change = |policy: &mut Policy| {
            if !policy.versions.contains_key(&number) {
                return Err(no_such_version(id));
            }
            policy.default_version = number;
            Ok(true)
        };
        self.change_policy(account, arn, change).await.map(drop)
    }

    pub async fn delete_policy_version(&self, account: &AccountId, arn: &str, id: &str) -> Result<(), IamError> {
        let number = version_number(id)?;
        let change = |policy: &mut Policy| {
            if policy.default_version == number {
                return Err(IamError::DeleteConflict("Cannot delete the default version of a policy.".to_owned()));
            }
            policy.versions.remove(&number).ok_or_else(|| no_such_version(id))?;
            Ok(true)
        };
        self.change_policy(account, arn, change).await.map(drop)
    }

    /// Changes a policy of the account; `change` says whether it stays.
    async fn change_policy(
        &self,
        account: &AccountId,
        arn: &str,
        change: impl Fn(&mut Policy) -> Result<bool, IamError> + Send,
    ) -> Result<Policy, IamError> {
        let key = PolicyRef::parse(account, arn)?
            .key()
            .ok_or_else(|| IamError::InvalidInput("Policies that AWS manages cannot be changed".to_owned()))?;
        let entities = self.policies_of(account);
        for _ in 0..TRIES {
            let read = entities.read::<Policy>(&key).await?.filter(|read| read.value.arn(account) == arn);
            let mut read = read.ok_or_else(|| no_such_policy(arn))?;
            let stays = change(&mut read.value)?;
            let write = if stays { put(&key, &read.value) } else { Write::Delete { key: key.clone() } };
            if entities.commit(vec![at(&key, read.revision)], vec![write]).await? {
                return Ok(read.value);
            }
        }
        Err(IamError::ConcurrentModification)
    }

    fn policies_of(&self, account: &AccountId) -> Entities<'_> {
        Entities::of(self, account)
    }
}
