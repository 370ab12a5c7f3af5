//! Resource policies of layer versions.

use hearth_aws_api::ApiError;
use hearth_aws_api::shapes::lambda::{
    AddLayerVersionPermissionRequest, AddLayerVersionPermissionResponse, GetLayerVersionPolicyRequest,
    GetLayerVersionPolicyResponse, RemoveLayerVersionPermissionRequest,
};
use hearth_types::AccountId;
use hearth_types::limits::POLICY_BYTES_MAX;
use serde_json::json;

use crate::functions::{Change, Functions, Scope, revision_id};
use crate::layer::{layer_arn, layer_number};
use crate::policy::{document, duplicate, names_account, principal, remove_statement, sid};
use crate::record::{LayerRecord, PolicyRecord, layer_key};
use crate::refuse;

const GETTER: &str = "GetLayerPolicy";

impl Functions {
    pub async fn add_layer_version_permission(
        &self,
        scope: Scope<'_>,
        request: AddLayerVersionPermissionRequest,
    ) -> Result<AddLayerVersionPermissionResponse, ApiError> {
        let account = self.shared.account(scope.home);
        let mut change = self.shared.change(&account).await?;
        let (name, number, mut record) =
            self.layer_with_policy(scope, "AddLayerVersionPermission", &request.layer_name, request.version_number)?;
        let present = record.policy.take();
        let revision = present.as_ref().map(|policy| policy.revision_id.as_str());
        let mut statements = present.as_ref().map(|policy| policy.statements.clone()).unwrap_or_default();
        if statements.iter().any(|statement| sid(statement) == request.statement_id) {
            return Err(duplicate(&request.statement_id));
        }
        refuse::check_revision(request.revision_id.as_deref(), revision, GETTER)?;
        let arn = format!("{}:{number}", layer_arn(scope.home, &name));
        let mut statement = json!({
            "Sid": request.statement_id,
            "Effect": "Allow",
            "Principal": principal(&request.principal)?,
            "Action": request.action,
            "Resource": arn,
        });
        if let Some(organization) = &request.organization_id {
            statement["Condition"] = json!({ "StringEquals": { "aws:PrincipalOrgID": organization } });
        }
        let text = statement.to_string();
        statements.push(statement);
        if document(&statements).len() > POLICY_BYTES_MAX {
            return Err(ApiError::new(400, "PolicyLengthExceededException", "The policy is bigger than 20 KB."));
        }
        let revision_id = revision_id();
        record.policy = Some(PolicyRecord { statements, revision_id: revision_id.clone() });
        store(&mut change, &name, number, record).await?;
        Ok(AddLayerVersionPermissionResponse { statement: Some(text), revision_id: Some(revision_id) })
    }

    pub fn get_layer_version_policy(
        &self,
        scope: Scope<'_>,
        request: &GetLayerVersionPolicyRequest,
    ) -> Result<GetLayerVersionPolicyResponse, ApiError> {
        let (_, _, record) =
            self.layer_with_policy(scope, "GetLayerVersionPolicy", &request.layer_name, request.version_number)?;
        let policy = record.policy.ok_or_else(no_policy)?;
        Ok(GetLayerVersionPolicyResponse {
            policy: Some(document(&policy.statements)),
            revision_id: Some(policy.revision_id),
        })
    }

    pub async fn remove_layer_version_permission(
        &self,
        scope: Scope<'_>,
        request: RemoveLayerVersionPermissionRequest,
    ) -> Result<(), ApiError> {
        let account = self.shared.account(scope.home);
        let mut change = self.shared.change(&account).await?;
        let (name, number, mut record) =
            self.layer_with_policy(scope, "RemoveLayerVersionPermission", &request.layer_name, request.version_number)?;
        let mut policy = record.policy.take().ok_or_else(no_policy)?;
        refuse::check_revision(request.revision_id.as_deref(), Some(&policy.revision_id), GETTER)?;
        remove_statement(&mut policy.statements, &request.statement_id)?;
        policy.revision_id = revision_id();
        record.policy = Some(policy).filter(|policy| !policy.statements.is_empty());
        store(&mut change, &name, number, record).await
    }

    fn layer_with_policy(
        &self,
        scope: Scope<'_>,
        operation: &str,
        layer: &str,
        number: i64,
    ) -> Result<(String, u64, LayerRecord), ApiError> {
        let name = self.layer_name(scope, operation, layer)?;
        let number = layer_number(number)?;
        let record = self.shared.seen_account(scope.home).layer(&name, number).ok_or_else(|| {
            let arn = layer_arn(scope.home, &name);
            ApiError::not_found(format!("Layer version {arn}:{number} does not exist."))
        })?;
        Ok((name, number, (*record).clone()))
    }
}

impl PolicyRecord {
    /// Whether a statement without conditions lets the account use the layer version.
    pub(crate) fn opens_to(&self, account: &AccountId) -> bool {
        self.statements
            .iter()
            .any(|statement| statement.get("Condition").is_none() && names_account(statement, account))
    }
}

fn no_policy() -> ApiError {
    ApiError::not_found("No policy is associated with the given resource.")
}

async fn store(change: &mut Change<'_>, name: &str, number: u64, record: LayerRecord) -> Result<(), ApiError> {
    change.put(layer_key(name, number), &record)?;
    change.commit().await?;
    change.account.put_layer(name, number, Some(record));
    Ok(())
}
