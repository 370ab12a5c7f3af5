//! Resource policies of functions, versions and aliases.

use std::sync::Arc;

use hearth_aws_api::ApiError;
use hearth_aws_api::shapes::lambda::{
    AddPermissionRequest, AddPermissionResponse, FunctionUrlAuthType, GetPolicyRequest, GetPolicyResponse,
    RemovePermissionRequest,
};
use hearth_iam::evaluator::{Principal, Request, Verdict};
use hearth_types::limits::POLICY_BYTES_MAX;
use hearth_types::{AccountId, Qualifier};
use serde_json::{Map, Value, json};

use crate::function::{Function, Records, function_arn};
use crate::functions::{Change, Functions, Scope, missing, revision_id};
use crate::name::Target;
use crate::record::{PolicyRecord, Statements, alias_key, policy_key, version_key};
use crate::refuse;

const GETTER: &str = "GetPolicy";

impl Functions {
    pub async fn add_permission(
        &self,
        scope: Scope<'_>,
        request: AddPermissionRequest,
    ) -> Result<AddPermissionResponse, ApiError> {
        let target = Target::parse(&request.function_name, request.qualifier.as_deref(), scope.home)?;
        if target.qualifier.as_deref() == Some("$LATEST") {
            return Err(ApiError::invalid_parameter("We currently do not support adding policies for $LATEST."));
        }
        let account = self.shared.account(scope.home);
        let mut change = self.shared.change(&account).await?;
        let function = change.function(&target.name, || missing(&self.shared, scope.home, &target.name, None))?;
        let owner_revision = owner_revision(&function, target.qualifier.as_deref())?;
        let (key, arn) = place(&function, &target);
        let present = function.records.policies.get(&key);
        let revision = present.map_or(owner_revision, |policy| policy.revision_id.clone());
        let mut statements = present.map(|policy| policy.statements.clone()).unwrap_or_default();
        if statements.iter().any(|statement| sid(statement) == request.statement_id) {
            return Err(duplicate(&request.statement_id));
        }
        refuse::check_revision(request.revision_id.as_deref(), Some(&revision), GETTER)?;
        let statement = statement(&request, &arn)?;
        let text = statement.to_string();
        statements.push(statement);
        if document(&statements).len() > POLICY_BYTES_MAX {
            return Err(ApiError::new(
                400,
                "PolicyLengthExceededException",
                format!(
                    "The final policy size ({}) is bigger than the limit ({POLICY_BYTES_MAX}).",
                    document(&statements).len()
                ),
            ));
        }
        store(&mut change, &function, &target, statements).await?;
        Ok(AddPermissionResponse { statement: Some(text) })
    }

    pub fn get_policy(&self, scope: Scope<'_>, request: &GetPolicyRequest) -> Result<GetPolicyResponse, ApiError> {
        let target = Target::parse(&request.function_name, request.qualifier.as_deref(), scope.home)?;
        let function = self.shared.seen_account(scope.home).function(&target.name);
        let function = function.ok_or_else(refuse::no_such_resource)?;
        let policy = function.records.policies.get(&place(&function, &target).0);
        let policy = policy.ok_or_else(refuse::no_such_resource)?;
        Ok(GetPolicyResponse {
            policy: Some(document(&policy.statements)),
            revision_id: Some(policy.revision_id.clone()),
        })
    }

    pub async fn remove_permission(&self, scope: Scope<'_>, request: RemovePermissionRequest) -> Result<(), ApiError> {
        let target = Target::parse(&request.function_name, request.qualifier.as_deref(), scope.home)?;
        let account = self.shared.account(scope.home);
        let mut change = self.shared.change(&account).await?;
        let function = change.function(&target.name, || {
            let arn = function_arn(scope.home, &target.name);
            ApiError::not_found(format!("No policy found for: {arn}"))
        })?;
        owner_revision(&function, target.qualifier.as_deref())?;
        let Some(policy) = function.records.policies.get(&place(&function, &target).0) else {
            return Err(ApiError::not_found("No policy is associated with the given resource."));
        };
        let mut statements = policy.statements.clone();
        remove_statement(&mut statements, &request.statement_id)?;
        refuse::check_revision(request.revision_id.as_deref(), Some(&policy.revision_id), GETTER)?;
        store(&mut change, &function, &target, statements).await
    }
}

/// The revision of what the policy belongs to.
fn owner_revision(function: &Function, qualifier: Option<&str>) -> Result<String, ApiError> {
    let records = &function.records;
    let Some(qualifier) = qualifier.filter(|qualifier| *qualifier != "$LATEST") else {
        return Ok(records.function.latest.revision_id.clone());
    };
    let arn = || function.qualified_arn(qualifier);
    if let Ok(number) = qualifier.parse::<u64>() {
        let version = records.versions.get(&number).ok_or_else(|| refuse::function_not_found(&arn()))?;
        return Ok(version.revision_id.clone());
    }
    if qualifier.contains('$') {
        return Err(refuse::function_not_found(&arn()));
    }
    let alias = records.aliases.get(qualifier).ok_or_else(|| refuse::alias_not_found(&arn()))?;
    Ok(alias.revision_id.clone())
}

/// Under which key the policy lies, and the ARN it is about.
fn place(function: &Function, target: &Target) -> (String, String) {
    match target.qualifier.as_deref().filter(|qualifier| *qualifier != "$LATEST") {
        Some(qualifier) => (qualifier.to_owned(), function.qualified_arn(qualifier)),
        None => (String::new(), function.arn.to_string()),
    }
}

async fn store(
    change: &mut Change<'_>,
    function: &Function,
    target: &Target,
    statements: Statements,
) -> Result<(), ApiError> {
    let mut records = function.records.clone();
    let (key, _) = place(function, target);
    let revision_id = revision_id();
    touch_owner(change, &mut records, &key, &revision_id)?;
    let uid = records.function.uid;
    if statements.is_empty() {
        change.delete(policy_key(uid, &key));
        records.policies.remove(&key);
    } else {
        let policy = PolicyRecord { statements, revision_id };
        change.put(policy_key(uid, &key), &policy)?;
        records.policies.insert(key, policy);
    }
    change.commit_function(records).await.map(drop)
}

/// Gives what the policy belongs to the policy's new revision (recorded: they are the same after a change of the policy).
fn touch_owner(
    change: &mut Change<'_>,
    records: &mut Records,
    qualifier: &str,
    revision_id: &str,
) -> Result<(), ApiError> {
    let uid = records.function.uid;
    if let Ok(number) = qualifier.parse::<u64>() {
        if let Some(version) = records.versions.get_mut(&number) {
            Arc::make_mut(version).revision_id = revision_id.to_owned();
            change.put(version_key(uid, number), &**version)?;
        }
    } else if let Some(alias) = records.aliases.get_mut(qualifier) {
        alias.revision_id = revision_id.to_owned();
        change.put(alias_key(uid, qualifier), alias)?;
    } else {
        records.function.latest.revision_id = revision_id.to_owned();
    }
    Ok(())
}

pub(crate) fn duplicate(sid: &str) -> ApiError {
    ApiError::conflict(format!(
        "The statement id ({sid}) provided already exists. Please provide a new statement id, or remove the existing statement."
    ))
}

pub(crate) fn sid(statement: &Value) -> &str {
    statement.get("Sid").and_then(Value::as_str).unwrap_or_default()
}

pub(crate) fn remove_statement(statements: &mut Statements, id: &str) -> Result<(), ApiError> {
    let before = statements.len();
    statements.retain(|statement| sid(statement) != id);
    if statements.len() == before {
        return Err(ApiError::not_found(format!("Statement {id} is not found in resource policy.")));
    }
    Ok(())
}

pub(crate) fn document(statements: &[Value]) -> String {
    json!({ "Version": "2012-10-17", "Id": "default", "Statement": statements }).to_string()
}

fn statement(request: &AddPermissionRequest, arn: &str) -> Result<Value, ApiError> {
    let mut equals = Map::new();
    let mut add = |key: &str, value: Option<&str>| {
        if let Some(value) = value {
            equals.insert(key.to_owned(), Value::from(value));
        }
    };
    add("AWS:SourceAccount", request.source_account.as_deref());
    add("lambda:FunctionUrlAuthType", request.function_url_auth_type.map(FunctionUrlAuthType::as_str));
    add("aws:PrincipalOrgID", request.principal_org_id.as_deref());
    add("lambda:EventSourceToken", request.event_source_token.as_deref());
    let mut condition = Map::new();
    if !equals.is_empty() {
        condition.insert("StringEquals".to_owned(), Value::Object(equals));
    }
    if let Some(via_url) = request.invoked_via_function_url {
        condition.insert("Bool".to_owned(), json!({ "lambda:InvokedViaFunctionUrl": via_url.to_string() }));
    }
    if let Some(source) = &request.source_arn {
        condition.insert("ArnLike".to_owned(), json!({ "AWS:SourceArn": source }));
    }
    let mut statement = json!({
        "Sid": request.statement_id,
        "Effect": "Allow",
        "Principal": principal(&request.principal)?,
        "Action": request.action,
        "Resource": arn,
    });
    if !condition.is_empty() {
        statement["Condition"] = Value::Object(condition);
    }
    Ok(statement)
}

/// Under which AWS's services are principals; the last is Alexa's.
const SERVICE_DOMAINS: &[&str] = &[".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".amazon.com"];

pub(crate) fn principal(text: &str) -> Result<Value, ApiError> {
    if text == "*" {
        return Ok(Value::String(text.to_owned()));
    }
    if let Ok(account) = text.parse::<AccountId>() {
        return Ok(json!({ "AWS": format!("arn:aws:iam::{account}:root") }));
    }
    if text.starts_with("arn:") && text.contains(":iam::") {
        return Ok(json!({ "AWS": text }));
    }
    let service =
        |domain: &&str| text.strip_suffix(*domain).is_some_and(|name| !name.is_empty() && !name.contains(':'));
    if SERVICE_DOMAINS.iter().any(service) {
        return Ok(json!({ "Service": text }));
    }
    Err(ApiError::invalid_parameter("The provided principal was invalid. Please check the principal and try again."))
}

/// Whether the policy of the function, version or alias lets a caller of another account, by its ARN, do this. Conditions on sources do
/// not hold: a plain request has none.
pub(crate) fn allows(function: &Function, qualifier: Option<&Qualifier>, principal: &str, action: &str) -> bool {
    let Some((policy, caller)) = function.policy(qualifier).zip(Principal::of_arn(principal)) else { return false };
    let resource = match qualifier {
        None | Some(Qualifier::Latest) => function.arn.to_string(),
        Some(qualifier) => function.qualified_arn(&qualifier.to_string()),
    };
    matches!(policy.judge_principal(&Request::new(&caller, action, &resource, &[])), Verdict::Allowed(_))
}

/// Whether the statement's principal is everyone, the account, or anybody of it.
pub(crate) fn names_account(statement: &Value, account: &AccountId) -> bool {
    let principal = statement.get("Principal");
    if principal.and_then(Value::as_str) == Some("*") {
        return true;
    }
    let named = principal.and_then(|principal| principal.get("AWS")).and_then(Value::as_str).unwrap_or_default();
    named.split(':').nth(4) == Some(account.as_str())
}
