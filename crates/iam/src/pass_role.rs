//! Which roles functions may have: of their own account, passed by one who may, and trusting Lambda.

use hearth_types::AccountId;

use crate::evaluator::{Decision, Fact, Policies, Principal, Request, ResourceRule, Source, Values, Verdict, decide};
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

    async fn role_of_arn(&self, account: &AccountId, arn: &str) -> Result<Option<Role>, IamError> {
        let name = arn.rsplit('/').next().unwrap_or_default();
        match self.role(account, name).await {
            Ok(role) => Ok(Some(role).filter(|role| role.arn(account) == arn)),
            Err(IamError::NoSuchEntity(_) | IamError::Validation(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// An account itself may pass its roles; a session of a role what the role's policies say.
    async fn passes(&self, passing: Passing<'_>, passed: Option<&Role>) -> Result<Decision, IamError> {
        let nobody = Decision::ImplicitlyDenied(Source::Identity);
        let Some((_, session)) = passing.caller.split_once(":assumed-role/") else { return Ok(Decision::Allowed) };
        let (name, session) = session.split_once('/').unwrap_or((session, ""));
        let role = match self.role(passing.account, name).await {
            Ok(role) => role,
            Err(IamError::NoSuchEntity(_)) => return Ok(nobody),
            Err(error) => return Err(error),
        };
        let Some(caller) = Principal::of_arn(passing.caller) else { return Ok(nobody) };
        let caller = caller
            .with_role_arn(&role.arn(passing.account))
            .with_user_id(&format!("{}:{session}", role.id))
            .with_tags(role.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        let held = self.policies_of_role(passing.account, &role).await?;
        let policies = Policies {
            identity: &held.identity,
            session: None,
            boundary: held.boundary.as_deref(),
            resource: None,
            rule: ResourceRule::Either,
        };
        let tags: Vec<(String, &str)> = passed.into_iter().flat_map(Role::tag_facts).collect();
        let mut facts: Vec<Fact<'_>> = vec![
            ("iam:PassedToService", Values::One(LAMBDA)),
            ("iam:AssociatedResourceArn", Values::One(passing.function)),
        ];
        facts.extend(tags.iter().map(|(key, value)| (key.as_str(), Values::One(value))));
        Ok(decide(&Request::new(&caller, PASS_ROLE, passing.role, &facts), &policies, passing.account.as_str()))
    }
}
