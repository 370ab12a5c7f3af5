//! Roles: their trust, their inline policies and what is attached to them.

use std::collections::{BTreeMap, BTreeSet};

use hearth_store::{Precondition, Write};
use hearth_types::{AccountId, Timestamp};

use crate::document::{self, Kind};
use crate::entity::{Entities, TRIES, at, put};
use crate::error::{IamError, check_name, check_path};
use crate::policy::PolicyRef;
use crate::record::{Policy, Role};
use crate::session::unique_id;
use crate::{Iam, random};

/// Quotas: IAM User Guide, "IAM and AWS STS quotas".
const ROLE_NAME_MAX: usize = 64;
const POLICY_NAME_MAX: usize = 128;
const TAGS_MAX: usize = 50;
const ATTACHED_MAX: usize = 20;
const INLINE_CHARS_MAX: usize = 10_240;
const SESSION_S: std::ops::RangeInclusive<u32> = 3600..=43_200;

/// A role to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewRole {
    pub name: String,
    pub path: String,
    pub trust: String,
    pub description: Option<String>,
    pub session_s_max: u32,
    pub permissions_boundary: Option<String>,
    pub tags: BTreeMap<String, String>,
}

/// What `UpdateRole` sets.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RoleUpdate {
    pub description: Option<String>,
    pub session_s_max: Option<u32>,
}

fn key(name: &str) -> String {
    format!("role/{}", name.to_ascii_lowercase())
}

fn no_such_role(name: &str) -> IamError {
    IamError::NoSuchEntity(format!("The role with name {name} cannot be found."))
}

fn check_session(seconds: u32) -> Result<(), IamError> {
    if SESSION_S.contains(&seconds) {
        return Ok(());
    }
    Err(IamError::Validation(format!(
        "1 validation error detected: Value '{seconds}' at 'maxSessionDuration' failed to satisfy constraint: Member must \
         have value between 3600 and 43200"
    )))
}

fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), IamError> {
    if tags.len() > TAGS_MAX {
        return Err(IamError::LimitExceeded(format!("Cannot exceed quota for TagsPerRole: {TAGS_MAX}")));
    }
    for (key, value) in tags {
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(IamError::InvalidInput("A tag key has 1 to 128 characters, a value at most 256".to_owned()));
        }
    }
    Ok(())
}

impl Iam {
    pub async fn create_role(&self, account: &AccountId, new: NewRole, now: Timestamp) -> Result<Role, IamError> {
        check_name("roleName", &new.name, ROLE_NAME_MAX)?;
        check_path(&new.path)?;
        check_session(new.session_s_max)?;
        check_tags(&new.tags)?;
        document::check(&new.trust, Kind::Trust)?;
        let role = Role {
            id: unique_id("AROA", random()),
            name: new.name,
            path: new.path,
            created_at: now,
            trust: new.trust,
            description: new.description,
            session_s_max: new.session_s_max,
            permissions_boundary: new.permissions_boundary,
            tags: new.tags,
            inline: BTreeMap::new(),
            attached: BTreeSet::new(),
        };
        let key = key(&role.name);
        let absent = Precondition::Absent { key: key.clone() };
        if self.entities(account).commit(vec![absent], vec![put(&key, &role)]).await? {
            Ok(role)
        } else {
            Err(IamError::EntityAlreadyExists(format!("Role with name {} already exists.", role.name)))
        }
    }

    pub async fn role(&self, account: &AccountId, name: &str) -> Result<Role, IamError> {
        check_name("roleName", name, ROLE_NAME_MAX)?;
        let read = self.entities(account).read(&key(name)).await?;
        read.map(|read| read.value).ok_or_else(|| no_such_role(name))
    }

    /// Roles under a path, by name; `after` is a marker of an earlier page.
    pub async fn roles(
        &self,
        account: &AccountId,
        path_prefix: &str,
        after: Option<String>,
        limit: usize,
    ) -> Result<(Vec<Role>, Option<String>), IamError> {
        self.entities(account).list("role/", after, limit, |role: &Role| role.path.starts_with(path_prefix)).await
    }

    /// Roles under a path that have the policy, attached or as their boundary.
    pub async fn roles_with_policy(
        &self,
        account: &AccountId,
        (arn, as_boundary): (&str, bool),
        path_prefix: &str,
        after: Option<String>,
        limit: usize,
    ) -> Result<(Vec<Role>, Option<String>), IamError> {
        self.policy(account, arn).await?;
        let has = |role: &Role| match as_boundary {
            true => role.permissions_boundary.as_deref() == Some(arn),
            false => role.attached.contains(arn),
        };
        let wanted = |role: &Role| role.path.starts_with(path_prefix) && has(role);
        self.entities(account).list("role/", after, limit, wanted).await
    }

    pub async fn delete_role(&self, account: &AccountId, name: &str) -> Result<(), IamError> {
        check_name("roleName", name, ROLE_NAME_MAX)?;
        let (entities, key) = (self.entities(account), key(name));
        for _ in 0..TRIES {
            let read = entities.read::<Role>(&key).await?.ok_or_else(|| no_such_role(name))?;
            if !read.value.attached.is_empty() {
                return Err(IamError::DeleteConflict(
                    "Cannot delete entity, must detach all policies first.".to_owned(),
                ));
            }
            if !read.value.inline.is_empty() {
                return Err(IamError::DeleteConflict("Cannot delete entity, must delete policies first.".to_owned()));
            }
            if entities.commit(vec![at(&key, read.revision)], vec![Write::Delete { key: key.clone() }]).await? {
                return Ok(());
            }
        }
        Err(IamError::ConcurrentModification)
    }

    async fn change_role(
        &self,
        account: &AccountId,
        name: &str,
        change: impl Fn(&mut Role) -> Result<(), IamError> + Send,
    ) -> Result<Role, IamError> {
        check_name("roleName", name, ROLE_NAME_MAX)?;
        let (entities, key) = (self.entities(account), key(name));
        for _ in 0..TRIES {
            let mut read = entities.read::<Role>(&key).await?.ok_or_else(|| no_such_role(name))?;
            change(&mut read.value)?;
            if entities.commit(vec![at(&key, read.revision)], vec![put(&key, &read.value)]).await? {
                return Ok(read.value);
            }
        }
        Err(IamError::ConcurrentModification)
    }

    pub async fn update_role(&self, account: &AccountId, name: &str, update: RoleUpdate) -> Result<Role, IamError> {
        if let Some(seconds) = update.session_s_max {
            check_session(seconds)?;
        }
        let change = |role: &mut Role| {
            role.description = update.description.clone().or_else(|| role.description.take());
            role.session_s_max = update.session_s_max.unwrap_or(role.session_s_max);
            Ok(())
        };
        self.change_role(account, name, change).await
    }

    pub async fn set_trust(&self, account: &AccountId, name: &str, trust: &str) -> Result<(), IamError> {
        document::check(trust, Kind::Trust)?;
        let change = |role: &mut Role| {
            role.trust = trust.to_owned();
            Ok(())
        };
        self.change_role(account, name, change).await.map(drop)
    }

    pub async fn set_boundary(&self, account: &AccountId, name: &str, boundary: Option<&str>) -> Result<(), IamError> {
        let change = |role: &mut Role| {
            role.permissions_boundary = boundary.map(str::to_owned);
            Ok(())
        };
        self.change_role(account, name, change).await.map(drop)
    }

    pub async fn tag_role(
        &self,
        account: &AccountId,
        name: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<(), IamError> {
        let change = |role: &mut Role| {
            role.tags.extend(tags.iter().map(|(key, value)| (key.clone(), value.clone())));
            check_tags(&role.tags)
        };
        self.change_role(account, name, change).await.map(drop)
    }

    pub async fn untag_role(&self, account: &AccountId, name: &str, keys: &[&str]) -> Result<(), IamError> {
        let change = |role: &mut Role| {
            role.tags.retain(|key, _| !keys.contains(&key.as_str()));
            Ok(())
        };
        self.change_role(account, name, change).await.map(drop)
    }

    pub async fn put_role_policy(
        &self,
        account: &AccountId,
        role: &str,
        policy: &str,
        document: &str,
    ) -> Result<(), IamError> {
        check_name("policyName", policy, POLICY_NAME_MAX)?;
        document::check(document, Kind::Inline)?;
        let change = |role: &mut Role| {
            role.inline.insert(policy.to_owned(), document.to_owned());
            let counted = |text: &String| text.chars().filter(|c| !c.is_whitespace()).count();
            if role.inline.values().map(counted).sum::<usize>() > INLINE_CHARS_MAX {
                return Err(IamError::LimitExceeded(format!(
                    "Maximum policy size of {INLINE_CHARS_MAX} bytes exceeded for role {}",
                    role.name
                )));
            }
            Ok(())
        };
        self.change_role(account, role, change).await.map(drop)
    }

    pub async fn delete_role_policy(&self, account: &AccountId, role: &str, policy: &str) -> Result<(), IamError> {
        let change = |role: &mut Role| role.inline.remove(policy).map(drop).ok_or_else(|| no_such_inline(policy));
        self.change_role(account, role, change).await.map(drop)
    }

    /// JSON of an inline policy.
    pub async fn role_policy(&self, account: &AccountId, role: &str, policy: &str) -> Result<String, IamError> {
        self.role(account, role).await?.inline.remove(policy).ok_or_else(|| no_such_inline(policy))
    }

    pub async fn attach_role_policy(&self, account: &AccountId, role: &str, arn: &str) -> Result<(), IamError> {
        self.set_attached(account, role, arn, true).await
    }

    pub async fn detach_role_policy(&self, account: &AccountId, role: &str, arn: &str) -> Result<(), IamError> {
        self.set_attached(account, role, arn, false).await
    }

    /// Changes role and policy together, so that a policy's count of attachments is always right.
    async fn set_attached(&self, account: &AccountId, name: &str, arn: &str, attach: bool) -> Result<(), IamError> {
        check_name("roleName", name, ROLE_NAME_MAX)?;
        let target = PolicyRef::parse(account, arn)?;
        let (entities, role_key) = (self.entities(account), key(name));
        for _ in 0..TRIES {
            let mut role = entities.read::<Role>(&role_key).await?.ok_or_else(|| no_such_role(name))?;
            let changed =
                if attach { role.value.attached.insert(arn.to_owned()) } else { role.value.attached.remove(arn) };
            if !changed && !attach {
                return Err(IamError::NoSuchEntity(format!("Policy {arn} was not found.")));
            }
            if role.value.attached.len() > ATTACHED_MAX {
                return Err(IamError::LimitExceeded(format!(
                    "Cannot exceed quota for PoliciesPerRole: {ATTACHED_MAX}"
                )));
            }
            let mut conditions = vec![at(&role_key, role.revision)];
            let mut writes = vec![put(&role_key, &role.value)];
            if let Some(key) = target.key() {
                let read = entities.read::<Policy>(&key).await?.filter(|read| read.value.arn(account) == arn);
                let mut policy = read.ok_or_else(|| {
                    IamError::NoSuchEntity(format!("Policy {arn} does not exist or is not attachable."))
                })?;
                let count = policy.value.attachments;
                policy.value.attachments = if attach { count.saturating_add(1) } else { count.saturating_sub(1) };
                conditions.push(at(&key, policy.revision));
                writes.push(put(&key, &policy.value));
            }
            if !changed || entities.commit(conditions, writes).await? {
                return Ok(());
            }
        }
        Err(IamError::ConcurrentModification)
    }

    fn entities(&self, account: &AccountId) -> Entities<'_> {
        Entities::of(self, account)
    }
}

fn no_such_inline(policy: &str) -> IamError {
    IamError::NoSuchEntity(format!("The role policy with name {policy} cannot be found."))
}
