//! What a caller of IAM must be allowed (Service Authorization Reference, "Actions, resources, and condition keys for AWS Identity and
//! Access Management").

use serde_json::Value;

use super::Context;
use crate::permit::Need;

pub(super) fn of(context: &Context, operation: &str, input: &Value) -> Vec<Need> {
    let text = |member: &str| input.get(member).and_then(Value::as_str);
    // The path is known when something is made; later a policy that is about a path has to say so with a wildcard.
    let path = text("Path").unwrap_or("/");
    let here = |kind: &str, name: &str| format!("arn:aws:iam::{}:{kind}{path}{name}", context.account);
    let resource = match (text("RoleName"), text("UserName"), text("PolicyArn")) {
        (Some(role), _, _) => here("role", role),
        (None, Some(user), _) => here("user", user),
        (None, None, Some(policy)) => policy.to_owned(),
        (None, None, None) if operation == "CreatePolicy" => here("policy", text("PolicyName").unwrap_or_default()),
        (None, None, None) if operation == "ListRoles" => here("role", ""),
        (None, None, None) if operation == "ListUsers" => here("user", ""),
        (None, None, None) if operation == "ListPolicies" => here("policy", ""),
        // The caller itself.
        (None, None, None)
            if operation == "GetUser" || operation.ends_with("AccessKey") || operation == "ListAccessKeys" =>
        {
            context.principal_arn.clone()
        }
        (None, None, None) => "*".to_owned(),
    };
    vec![Need::new(format!("iam:{operation}"), resource)]
}
