//! Requests about another account's function: its resource policy decides.

use std::sync::Arc;

use hearth_aws_api::ApiError;
use hearth_iam::evaluator::Policy;
use hearth_types::{FunctionName, FunctionRef, Home, Qualifier};
use serde_json::Value;

use crate::function::function_arn;
use crate::functions::{Functions, Scope};
use crate::{policy, refuse};

/// Operations beside Invoke that a policy can open to other accounts (Developer Guide, "Viewing resource-based IAM policies in
/// Lambda": "supported API actions"). The others refuse whatever belongs to another account.
const GRANTABLE: &[&str] = &[
    "CreateAlias",
    "DeleteAlias",
    "DeleteFunction",
    "DeleteFunctionConcurrency",
    "GetAlias",
    "GetFunction",
    "GetFunctionConfiguration",
    "GetPolicy",
    "ListAliases",
    "ListTags",
    "ListVersionsByFunction",
    "PublishVersion",
    "PutFunctionConcurrency",
    "TagResource",
    "UntagResource",
    "UpdateAlias",
    "UpdateFunctionCode",
];

impl Functions {
    /// The resource policy of a function, version or alias, if there is one.
    pub fn resource_policy(
        &self,
        owner: &Home,
        function: &FunctionName,
        qualifier: Option<&Qualifier>,
    ) -> Option<Arc<Policy>> {
        self.shared.known_account(owner)?.find(function)?.policy(qualifier).cloned()
    }

    /// Where the function lies that the operation is about, if it is not the caller's own and lets the caller do this. `None`
    /// too for whatever the operation itself refuses.
    ///
    /// # Errors
    /// 403, whether or not there is such a function.
    pub fn granting_account(&self, scope: Scope<'_>, operation: &str, input: &Value) -> Result<Option<Home>, ApiError> {
        let member = |name: &str| input.get(name).and_then(Value::as_str);
        let named = member("FunctionName").or_else(|| member("Resource"));
        let Some(function) = named.and_then(|text| text.parse::<FunctionRef>().ok()) else { return Ok(None) };
        let elsewhere = function.region.as_ref().is_some_and(|region| *region != scope.home.region);
        let Some(owner) = function.account.filter(|owner| *owner != scope.home.account && !elsewhere) else {
            return Ok(None);
        };
        if !GRANTABLE.contains(&operation) {
            return Ok(None);
        }
        let given = || member("Qualifier").and_then(|text| text.parse::<Qualifier>().ok());
        let qualifier = function.qualifier.or_else(given);
        let owner = Home::new(owner, scope.home.region.clone());
        let found = self.shared.known_account(&owner).and_then(|account| account.find(&function.name));
        let action = format!("lambda:{operation}");
        if found.is_some_and(|found| policy::allows(&found, qualifier.as_ref(), scope.principal, &action)) {
            return Ok(Some(owner));
        }
        let mut arn = function_arn(&owner, function.name.as_str());
        if let Some(qualifier) = qualifier {
            arn = format!("{arn}:{qualifier}");
        }
        Err(refuse::not_authorized(scope.principal, &action, &arn))
    }
}
