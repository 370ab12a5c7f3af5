//! Which roles functions may have: of their own account, passed by one who may, and trusting Lambda.

use std::sync::Arc;

use hearth_types::AccountId;

use crate::evaluator::{Decision, Fact, Policy, Principal, Request, Values, Verdict};
use crate::record::Role;
use crate::{Iam, IamError};

const LAMBDA: &str = "lambda.amazonaws.com";
const PASS_ROLE: &str = "iam:PassRole";

/// Why a function cannot have a role.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RoleProblem {
    OtherAccount,
    /// The caller may not pass it, in AWS's words.
    NotPassed(String),
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
        let role = self.role_of_arn(account, arn).await?;
        if let Some(message) = self.passes(passing, role.as_ref()).await?.message(passing.caller, PASS_ROLE, arn) {
            return Ok(Some(RoleProblem::NotPassed(message)));
        }
        let facts: &[Fact<'_>] =
            &[("aws:SourceAccount", Values::One(account.as_str())), ("aws:SourceArn", Values::One(function))];
        let lambda = Principal::service(LAMBDA);
        let request = Request::new(&lambda, "sts:AssumeRole", arn, facts);
        let trusts =
            |role: Role| matches!(self.policies.compiled(&role.trust).judge_principal(&request), Verdict::Allowed(_));
        Ok(if role.is_some_and(trusts) { None } else { Some(RoleProblem::NotAssumable) })
    }

    /// Who may assume the role, compiled; `None` if the account has no such role.
    pub async fn trust(&self, account: &AccountId, arn: &str) -> Result<Option<Arc<Policy>>, IamError> {
        let role = self.role_of_arn(account, arn).await?;
        Ok(role.map(|role| self.policies.compiled(&role.trust)))
    }

    async fn role_of_arn(&self, account: &AccountId, arn: &str) -> Result<Option<Role>, IamError> {
        let name = arn.rsplit('/').next().unwrap_or_default();
        match self.role(account, name).await {
            Ok(role) => Ok(Some(role).filter(|role| role.arn(account) == arn)),
            Err(IamError::NoSuchEntity(_) | IamError::Validation(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// An account itself may pass its roles; others what their policies say.
    async fn passes(&self, passing: Passing<'_>, passed: Option<&Role>) -> Result<Decision, IamError> {
        if passing.caller.ends_with(":root") {
            return Ok(Decision::Allowed);
        }
        let tags: Vec<(String, &str)> = passed.into_iter().flat_map(Role::tag_facts).collect();
        let mut facts: Vec<Fact<'_>> = vec![
            ("iam:PassedToService", Values::One(LAMBDA)),
            ("iam:AssociatedResourceArn", Values::One(passing.function)),
        ];
        facts.extend(tags.iter().map(|(key, value)| (key.as_str(), Values::One(value))));
        let caller = self.identity(passing.account, passing.caller).await?;
        Ok(caller.decide((PASS_ROLE, passing.role), &facts, None, passing.account))
    }
}
