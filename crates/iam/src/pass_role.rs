//! Which roles functions may have: of their own account, passed by one who may, and trusting Lambda.

use hearth_types::AccountId;

use crate::condition::Facts;
use crate::document::{self, Trusted, Verdict};
use crate::record::Role;
use crate::{Iam, IamError};

const LAMBDA: &str = "lambda.amazonaws.com";
/// AWS's own policies that let a role be passed to a function; their documents are not known here.
const AWS_PASSING: &[&str] = &[
    "arn:aws:iam::aws:policy/AdministratorAccess",
    "arn:aws:iam::aws:policy/AWSLambda_FullAccess",
    "arn:aws:iam::aws:policy/IAMFullAccess",
];

/// Why a function cannot have a role.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RoleProblem {
    OtherAccount,
    /// The caller may not pass it.
    NotPassed,
    /// There is no such role, or it does not trust Lambda.
    NotAssumable,
}

/// A role that is to be a function's.
#[derive(Clone, Copy, Debug)]
pub struct Passing<'a> {
    pub account: &'a AccountId,
    /// ARN of the caller.
    pub caller: &'a str,
    pub role: &'a str,
    pub function: &'a str,
}

impl Iam {
    pub async fn role_problem(&self, passing: Passing<'_>) -> Result<Option<RoleProblem>, IamError> {
        let Passing { account, role: arn, function, .. } = passing;
        // `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`
        if arn.split(':').nth(4) != Some(account.as_str()) {
            return Ok(Some(RoleProblem::OtherAccount));
        }
        if !self.may_pass(passing).await? {
            return Ok(Some(RoleProblem::NotPassed));
        }
        let facts: &Facts<'_> = &[("aws:SourceAccount", Some(account.as_str())), ("aws:SourceArn", Some(function))];
        let trusts = |role: Role| document::trusts(&role.trust, Trusted::Service(LAMBDA), "sts:AssumeRole", facts);
        let role = self.role_of_arn(account, arn).await?;
        Ok(if role.is_some_and(trusts) { None } else { Some(RoleProblem::NotAssumable) })
    }

    async fn role_of_arn(&self, account: &AccountId, arn: &str) -> Result<Option<Role>, IamError> {
        let name = arn.rsplit('/').next().unwrap_or_default();
        match self.role(account, name).await {
            Ok(role) => Ok(Some(role).filter(|role| role.arn(account) == arn)),
            Err(IamError::NoSuchEntity(_) | IamError::Validation(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// An account itself may pass its roles; a session of a role what the role's policies say.
    async fn may_pass(&self, passing: Passing<'_>) -> Result<bool, IamError> {
        let Some((_, session)) = passing.caller.split_once(":assumed-role/") else { return Ok(true) };
        let name = session.split('/').next().unwrap_or_default();
        let role = match self.role(passing.account, name).await {
            Ok(role) => role,
            Err(IamError::NoSuchEntity(_)) => return Ok(false),
            Err(error) => return Err(error),
        };
        let mut verdicts: Vec<Verdict> = role.inline.values().map(|document| passing.judge(document)).collect();
        for arn in &role.attached {
            verdicts.push(self.judge_managed(passing, arn).await?);
        }
        let bounded = match &role.permissions_boundary {
            Some(arn) => self.judge_managed(passing, arn).await? == Verdict::Allowed,
            None => true,
        };
        Ok(bounded && !verdicts.contains(&Verdict::Denied) && verdicts.contains(&Verdict::Allowed))
    }

    async fn judge_managed(&self, passing: Passing<'_>, arn: &str) -> Result<Verdict, IamError> {
        if AWS_PASSING.contains(&arn) {
            return Ok(Verdict::Allowed);
        }
        match self.policy(passing.account, arn).await {
            Ok(policy) => {
                let version = policy.versions.get(&policy.default_version);
                Ok(version.map_or(Verdict::Silent, |version| passing.judge(&version.document)))
            }
            Err(IamError::NoSuchEntity(_) | IamError::InvalidInput(_)) => Ok(Verdict::Silent),
            Err(error) => Err(error),
        }
    }
}

impl Passing<'_> {
    fn judge(&self, document: &str) -> Verdict {
        let facts: &Facts<'_> = &[
            ("iam:PassedToService", Some(LAMBDA)),
            ("iam:AssociatedResourceArn", Some(self.function)),
            ("aws:PrincipalArn", Some(self.caller)),
            ("aws:PrincipalAccount", Some(self.account.as_str())),
        ];
        document::permits(document, "iam:PassRole", self.role, facts)
    }
}
