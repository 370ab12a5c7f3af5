//! AssumeRole: sessions for those whom a role trusts.

use std::collections::BTreeMap;
use std::time::Duration;

use hearth_types::{AccountId, Timestamp};

use crate::condition::Facts;
use crate::document::{self, Trusted};
use crate::{Iam, IamError, IssuedSession, session};

/// Of a session that another one asked for, seconds (IAM User Guide, "Role chaining").
const CHAINED_S_MAX: u32 = 3600;

/// What is asked of a role.
#[derive(Clone, Copy, Debug)]
pub struct Assumption<'a> {
    pub account: &'a AccountId,
    /// ARN of the caller.
    pub caller: &'a str,
    pub role: &'a str,
    pub session: &'a str,
    pub seconds: u32,
    pub external_id: Option<&'a str>,
    pub source_identity: Option<&'a str>,
    pub tags: &'a BTreeMap<String, String>,
    /// The session token is no shorter.
    pub token_bytes_min: usize,
    pub now: Timestamp,
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Assumed {
    Issued(Box<IssuedSession>),
    /// There is no such role, or it does not trust the caller to do this.
    Denied {
        action: &'static str,
    },
}

impl Iam {
    /// A session of a role for a caller whom the role trusts.
    pub async fn assume_role(&self, asked: Assumption<'_>) -> Result<Assumed, IamError> {
        let parsed = asked.role.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(":role/"));
        let account: Option<AccountId> = parsed.and_then(|(account, _)| account.parse().ok());
        let (Some(account), Some((_, path))) = (account, parsed) else {
            return Err(IamError::Validation(format!("{} is invalid", asked.role)));
        };
        let name = path.rsplit('/').next().unwrap_or(path);
        let role = match self.role(&account, name).await {
            Ok(role) => role,
            Err(IamError::NoSuchEntity(_)) => return Ok(Assumed::Denied { action: "sts:AssumeRole" }),
            Err(error) => return Err(error),
        };
        let exists = role.arn(&account) == asked.role;
        if let Some(action) = asked.actions().find(|action| !exists || !asked.is_trusted(&role.trust, action)) {
            return Ok(Assumed::Denied { action });
        }
        if asked.caller.contains(":assumed-role/") && asked.seconds > CHAINED_S_MAX {
            return Err(IamError::Validation(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
                    .to_owned(),
            ));
        }
        if asked.seconds > role.session_s_max {
            return Err(IamError::Validation(
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.".to_owned(),
            ));
        }
        let expires_at = asked.now + Duration::from_secs(asked.seconds.into());
        let principal = session::role_session_arn(&account, asked.role, asked.session);
        let issued = self.issue(
            &account,
            principal,
            format!("{}:{}", role.id, asked.session),
            expires_at,
            asked.token_bytes_min,
        );
        Ok(Assumed::Issued(Box::new(issued)))
    }
}

impl Assumption<'_> {
    /// What the role must let the caller do.
    fn actions(&self) -> impl Iterator<Item = &'static str> {
        let tagged = (!self.tags.is_empty()).then_some("sts:TagSession");
        let sourced = self.source_identity.map(|_| "sts:SetSourceIdentity");
        ["sts:AssumeRole"].into_iter().chain(tagged).chain(sourced)
    }

    fn is_trusted(&self, trust: &str, action: &str) -> bool {
        let tags: Vec<(String, &str)> =
            self.tags.iter().map(|(key, value)| (format!("aws:RequestTag/{key}"), value.as_str())).collect();
        let mut facts = vec![
            ("sts:ExternalId", self.external_id),
            ("sts:RoleSessionName", Some(self.session)),
            ("sts:SourceIdentity", self.source_identity),
            ("aws:PrincipalArn", Some(self.caller)),
            ("aws:PrincipalAccount", Some(self.account.as_str())),
        ];
        facts.extend(tags.iter().map(|(key, value)| (key.as_str(), Some(*value))));
        let facts: &Facts<'_> = &facts;
        document::trusts(trust, Trusted::Principal(self.account, self.caller), action, facts)
    }
}
