//! AssumeRole: sessions for those whom a role trusts.

use std::collections::BTreeMap;
use std::time::Duration;

use hearth_types::{AccountId, Timestamp};

use crate::evaluator::{Fact, Policy, Principal, Request, Values, Verdict};
use crate::record::Role;
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
        let trust = self.policies.compiled(&role.trust);
        if let Some(action) = asked.actions().find(|action| !exists || !asked.is_trusted(&role, &trust, action)) {
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

    fn is_trusted(&self, role: &Role, trust: &Policy, action: &str) -> bool {
        let Some(caller) = Principal::of_arn(self.caller) else { return false };
        let seconds = self.now.as_millis() / 1000;
        let date = jiff::Timestamp::from_second(seconds.cast_signed()).unwrap_or_default().to_string();
        let seconds = seconds.to_string();
        let requested = self.tags.iter().map(|(key, value)| (format!("aws:RequestTag/{key}"), value.as_str()));
        let tags: Vec<(String, &str)> = requested.chain(role.tag_facts()).collect();
        let tag_keys: Vec<&str> = self.tags.keys().map(String::as_str).collect();
        let mut facts: Vec<Fact<'_>> = vec![
            ("sts:RoleSessionName", Values::One(self.session)),
            ("aws:TagKeys", Values::Many(&tag_keys)),
            ("aws:CurrentTime", Values::One(&date)),
            ("aws:EpochTime", Values::One(&seconds)),
        ];
        facts.extend(self.external_id.map(|id| ("sts:ExternalId", Values::One(id))));
        facts.extend(self.source_identity.map(|identity| ("sts:SourceIdentity", Values::One(identity))));
        facts.extend(tags.iter().map(|(key, value)| (key.as_str(), Values::One(value))));
        let request = Request::new(&caller, action, self.role, &facts);
        matches!(trust.judge_principal(&request), Verdict::Allowed(_))
    }
}
