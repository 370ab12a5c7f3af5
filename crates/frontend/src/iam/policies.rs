//! Operations on managed policies.

use hearth_aws_api::shape::Time;
use hearth_aws_api::shapes::iam::{
    CreatePolicyRequest, CreatePolicyResponse, CreatePolicyVersionRequest, CreatePolicyVersionResponse,
    DeletePolicyRequest, DeletePolicyVersionRequest, EntityType, GetPolicyRequest, GetPolicyResponse,
    GetPolicyVersionRequest, GetPolicyVersionResponse, ListEntitiesForPolicyRequest, ListEntitiesForPolicyResponse,
    ListPoliciesRequest, ListPoliciesResponse, ListPolicyTagsRequest, ListPolicyTagsResponse,
    ListPolicyVersionsRequest, ListPolicyVersionsResponse, Policy, PolicyRole, PolicyScopeType, PolicyUsageType,
    PolicyVersion, SetDefaultPolicyVersionRequest,
};
use hearth_iam::{self as iam, NewPolicy};

use super::{Context, encoded_document, items_max, page, refused, tags_in, tags_out};
use crate::error::ApiError;

fn whole(arn: String, policy: &iam::Policy) -> Policy {
    Policy {
        description: policy.description.clone(),
        tags: (!policy.tags.is_empty()).then(|| tags_out(policy.tags.clone())),
        ..listed(arn, policy)
    }
}

/// As lists show it: without description and tags (API reference, ListPolicies).
fn listed(arn: String, policy: &iam::Policy) -> Policy {
    Policy {
        policy_name: Some(policy.name.clone()),
        policy_id: Some(policy.id.clone()),
        arn: Some(arn),
        path: Some(policy.path.clone()),
        default_version_id: Some(format!("v{}", policy.default_version)),
        attachment_count: Some(policy.attachments),
        permissions_boundary_usage_count: Some(0),
        is_attachable: Some(true),
        create_date: Some(Time(policy.created_at)),
        update_date: Some(Time(policy.updated_at)),
        ..Policy::default()
    }
}

/// A version without its document.
fn version(number: u32, version: &iam::PolicyVersion, is_default: bool) -> PolicyVersion {
    PolicyVersion {
        document: None,
        version_id: Some(format!("v{number}")),
        is_default_version: Some(is_default),
        create_date: Some(Time(version.created_at)),
    }
}

pub(super) async fn create(context: &Context, input: CreatePolicyRequest) -> Result<CreatePolicyResponse, ApiError> {
    let new = NewPolicy {
        name: input.policy_name,
        path: input.path.unwrap_or_else(|| "/".to_owned()),
        document: input.policy_document,
        description: input.description,
        tags: tags_in(input.tags.unwrap_or_default()),
    };
    let policy = context.backend.create_policy(&context.account, new, context.now).await.map_err(refused)?;
    Ok(CreatePolicyResponse { policy: Some(whole(policy.arn(&context.account), &policy)) })
}

async fn named(context: &Context, arn: &str) -> Result<iam::Policy, ApiError> {
    context.backend.policy(&context.account, arn).await.map_err(refused)
}

pub(super) async fn get(context: &Context, input: GetPolicyRequest) -> Result<GetPolicyResponse, ApiError> {
    let policy = named(context, &input.policy_arn).await?;
    Ok(GetPolicyResponse { policy: Some(whole(input.policy_arn, &policy)) })
}

/// The account's own policies; AWS's are known by name alone and not listed.
pub(super) async fn list(context: &Context, input: ListPoliciesRequest) -> Result<ListPoliciesResponse, ApiError> {
    if input.policy_usage_filter == Some(PolicyUsageType::PermissionsBoundary) {
        let message = "PolicyUsageFilter PermissionsBoundary is not supported by Hearth";
        return Err(ApiError::bad_request("ValidationError", message));
    }
    let account = &context.account;
    let (policies, marker) = if input.scope == Some(PolicyScopeType::Aws) {
        (Vec::new(), None)
    } else {
        let prefix = input.path_prefix.as_deref().unwrap_or("/");
        let (attached, max) = (input.only_attached.unwrap_or_default(), items_max(input.max_items));
        context.backend.policies(account, prefix, attached, input.marker, max).await.map_err(refused)?
    };
    Ok(ListPoliciesResponse {
        policies: Some(policies.iter().map(|policy| listed(policy.arn(account), policy)).collect()),
        is_truncated: Some(marker.is_some()),
        marker,
    })
}

/// Only roles can have policies here.
pub(super) async fn entities(
    context: &Context,
    input: ListEntitiesForPolicyRequest,
) -> Result<ListEntitiesForPolicyResponse, ApiError> {
    let policy = (input.policy_arn.as_str(), input.policy_usage_filter == Some(PolicyUsageType::PermissionsBoundary));
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let max = items_max(input.max_items);
    let found = context.backend.roles_with_policy(&context.account, policy, prefix, input.marker, max);
    let (mut roles, mut marker) = found.await.map_err(refused)?;
    if input.entity_filter.is_some_and(|kind| kind != EntityType::Role) {
        (roles, marker) = (Vec::new(), None);
    }
    let roles = roles.into_iter().map(|role| PolicyRole { role_name: Some(role.name), role_id: Some(role.id) });
    Ok(ListEntitiesForPolicyResponse {
        policy_groups: Some(Vec::new()),
        policy_users: Some(Vec::new()),
        policy_roles: Some(roles.collect()),
        is_truncated: Some(marker.is_some()),
        marker,
    })
}

pub(super) async fn delete(context: &Context, input: DeletePolicyRequest) -> Result<(), ApiError> {
    context.backend.delete_policy(&context.account, &input.policy_arn).await.map_err(refused)
}

pub(super) async fn create_version(
    context: &Context,
    input: CreatePolicyVersionRequest,
) -> Result<CreatePolicyVersionResponse, ApiError> {
    let (arn, document) = (&input.policy_arn, &input.policy_document);
    let set_default = input.set_as_default.unwrap_or_default();
    let (account, now) = (&context.account, context.now);
    let created = context.backend.create_policy_version(account, arn, document, set_default, now);
    let number = created.await.map_err(refused)?.last_version;
    let created = iam::PolicyVersion { document: input.policy_document, created_at: now };
    Ok(CreatePolicyVersionResponse { policy_version: Some(version(number, &created, set_default)) })
}

pub(super) async fn get_version(
    context: &Context,
    input: GetPolicyVersionRequest,
) -> Result<GetPolicyVersionResponse, ApiError> {
    let (arn, id) = (&input.policy_arn, &input.version_id);
    let (found, is_default) = context.backend.policy_version(&context.account, arn, id).await.map_err(refused)?;
    let number = id.trim_start_matches('v').parse().unwrap_or_default();
    let document = Some(encoded_document(&found.document));
    let policy_version = PolicyVersion { document, ..version(number, &found, is_default) };
    Ok(GetPolicyVersionResponse { policy_version: Some(policy_version) })
}

pub(super) async fn list_versions(
    context: &Context,
    input: ListPolicyVersionsRequest,
) -> Result<ListPolicyVersionsResponse, ApiError> {
    let policy = named(context, &input.policy_arn).await?;
    let (versions, marker) = page(policy.versions.iter().rev(), input.marker.as_deref(), input.max_items)?;
    let versions = versions.into_iter();
    let versions = versions.map(|(number, found)| version(*number, found, *number == policy.default_version));
    Ok(ListPolicyVersionsResponse { versions: Some(versions.collect()), is_truncated: Some(marker.is_some()), marker })
}

pub(super) async fn set_default_version(
    context: &Context,
    input: SetDefaultPolicyVersionRequest,
) -> Result<(), ApiError> {
    let set = context.backend.set_default_policy_version(&context.account, &input.policy_arn, &input.version_id);
    set.await.map(drop).map_err(refused)
}

pub(super) async fn delete_version(context: &Context, input: DeletePolicyVersionRequest) -> Result<(), ApiError> {
    let deleted = context.backend.delete_policy_version(&context.account, &input.policy_arn, &input.version_id);
    deleted.await.map(drop).map_err(refused)
}

pub(super) async fn list_tags(
    context: &Context,
    input: ListPolicyTagsRequest,
) -> Result<ListPolicyTagsResponse, ApiError> {
    let tags = named(context, &input.policy_arn).await?.tags;
    let (tags, marker) = page(tags, input.marker.as_deref(), input.max_items)?;
    Ok(ListPolicyTagsResponse { tags: tags_out(tags), is_truncated: Some(marker.is_some()), marker })
}
