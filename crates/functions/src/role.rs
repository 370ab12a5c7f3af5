//! The roles of functions, judged as Lambda judges them.

use hearth_aws_api::ApiError;
use hearth_types::FunctionName;

use crate::config::RoleChecks;
use crate::function::function_arn;
use crate::functions::{Functions, Scope};
use hearth_iam::{Passing, RoleProblem};

impl Functions {
    /// Whether a function of this name may have the role.
    pub(crate) async fn check_role(&self, scope: Scope<'_>, name: &FunctionName, role: &str) -> Result<(), ApiError> {
        let config = &self.shared.config;
        if config.roles == RoleChecks::Lenient {
            return Ok(());
        }
        let function = function_arn(scope.home, name.as_str());
        let passing = Passing { account: &scope.home.account, caller: scope.principal, role, function: &function };
        let problem = self.shared.iam.role_problem(passing).await.map_err(|error| {
            tracing::error!(%error, role, "a role cannot be read");
            ApiError::service("An error occurred and the request cannot be processed.")
        })?;
        match problem {
            None => Ok(()),
            Some(RoleProblem::NotAssumable) => {
                Err(ApiError::invalid_parameter("The role defined for the function cannot be assumed by Lambda."))
            }
            Some(RoleProblem::OtherAccount) => Err(denied("Cross-account pass role is not allowed.".to_owned())),
            Some(RoleProblem::NotPassed(message)) => Err(denied(message)),
        }
    }
}

fn denied(message: String) -> ApiError {
    ApiError::new(403, "AccessDeniedException", message)
}
