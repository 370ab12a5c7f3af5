//! Operations on roles.

use hearth_aws_api::shape::Time;
use hearth_aws_api::shapes::iam::{
    AttachRolePolicyRequest, AttachedPermissionsBoundary, AttachedPolicy, CreateRoleRequest, CreateRoleResponse,
    DeleteRolePermissionsBoundaryRequest, DeleteRolePolicyRequest, DeleteRoleRequest, DetachRolePolicyRequest,
    GetRolePolicyRequest, GetRolePolicyResponse, GetRoleRequest, GetRoleResponse, ListAttachedRolePoliciesRequest,
    ListAttachedRolePoliciesResponse, ListInstanceProfilesForRoleRequest, ListInstanceProfilesForRoleResponse,
    ListRolePoliciesRequest, ListRolePoliciesResponse, ListRoleTagsRequest, ListRoleTagsResponse, ListRolesRequest,
    ListRolesResponse, PutRolePermissionsBoundaryRequest, PutRolePolicyRequest, Role, RoleLastUsed, TagRoleRequest,
    UntagRoleRequest, UpdateAssumeRolePolicyRequest, UpdateRoleDescriptionRequest, UpdateRoleDescriptionResponse,
    UpdateRoleRequest, UpdateRoleResponse,
};
use hearth_iam::{self as iam, NewRole, RoleUpdate};

use super::{Context, encoded_document, items_max, page, refused, tags_in, tags_out};
use crate::error::ApiError;

/// `MaxSessionDuration` unless given, seconds.
const SESSION_S: u32 = 3600;

/// What every answer with a role has; the rest depends on the operation.
fn basics(context: &Context, role: &iam::Role) -> Role {
    Role {
        path: role.path.clone(),
        role_name: role.name.clone(),
        role_id: role.id.clone(),
        arn: role.arn(&context.account),
        create_date: Time(role.created_at),
        assume_role_policy_document: Some(encoded_document(&role.trust)),
        description: role.description.clone(),
        ..Role::default()
    }
}

fn with_attributes(context: &Context, role: &iam::Role) -> Role {
    let boundary = role.permissions_boundary.clone().map(|arn| AttachedPermissionsBoundary {
        permissions_boundary_type: Some("Policy".to_owned()),
        permissions_boundary_arn: Some(arn),
    });
    let tags = (!role.tags.is_empty()).then(|| tags_out(role.tags.clone()));
    Role { permissions_boundary: boundary, tags, ..basics(context, role) }
}

fn whole(context: &Context, role: &iam::Role) -> Role {
    Role { max_session_duration: Some(role.session_s_max), ..with_attributes(context, role) }
}

pub(super) async fn create(context: &Context, input: CreateRoleRequest) -> Result<CreateRoleResponse, ApiError> {
    let new = NewRole {
        name: input.role_name,
        path: input.path.unwrap_or_else(|| "/".to_owned()),
        trust: input.assume_role_policy_document,
        description: input.description,
        session_s_max: input.max_session_duration.unwrap_or(SESSION_S),
        permissions_boundary: input.permissions_boundary,
        tags: tags_in(input.tags.unwrap_or_default()),
    };
    let role = context.backend.create_role(&context.account, new, context.now).await.map_err(refused)?;
    // Recorded: without MaxSessionDuration.
    Ok(CreateRoleResponse { role: with_attributes(context, &role) })
}

async fn named(context: &Context, name: &str) -> Result<iam::Role, ApiError> {
    context.backend.role(&context.account, name).await.map_err(refused)
}

pub(super) async fn get(context: &Context, input: GetRoleRequest) -> Result<GetRoleResponse, ApiError> {
    let role = named(context, &input.role_name).await?;
    let role = Role { role_last_used: Some(RoleLastUsed::default()), ..whole(context, &role) };
    Ok(GetRoleResponse { role })
}

/// Neither boundary nor tags, as the API reference says of ListRoles.
pub(super) async fn list(context: &Context, input: ListRolesRequest) -> Result<ListRolesResponse, ApiError> {
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let page = context.backend.roles(&context.account, prefix, input.marker, items_max(input.max_items)).await;
    let (roles, marker) = page.map_err(refused)?;
    let listed = |role: &iam::Role| Role { max_session_duration: Some(role.session_s_max), ..basics(context, role) };
    Ok(ListRolesResponse { roles: roles.iter().map(listed).collect(), is_truncated: Some(marker.is_some()), marker })
}

pub(super) async fn delete(context: &Context, input: DeleteRoleRequest) -> Result<(), ApiError> {
    context.backend.delete_role(&context.account, &input.role_name).await.map_err(refused)
}

pub(super) async fn update(context: &Context, input: UpdateRoleRequest) -> Result<UpdateRoleResponse, ApiError> {
    let update = RoleUpdate { description: input.description, session_s_max: input.max_session_duration };
    context.backend.update_role(&context.account, &input.role_name, update).await.map_err(refused)?;
    Ok(UpdateRoleResponse {})
}

pub(super) async fn update_description(
    context: &Context,
    input: UpdateRoleDescriptionRequest,
) -> Result<UpdateRoleDescriptionResponse, ApiError> {
    let update = RoleUpdate { description: Some(input.description), session_s_max: None };
    let role = context.backend.update_role(&context.account, &input.role_name, update).await.map_err(refused)?;
    Ok(UpdateRoleDescriptionResponse { role: Some(whole(context, &role)) })
}

pub(super) async fn set_trust(context: &Context, input: UpdateAssumeRolePolicyRequest) -> Result<(), ApiError> {
    let set = context.backend.set_trust(&context.account, &input.role_name, &input.policy_document);
    set.await.map_err(refused)
}

pub(super) async fn put_boundary(context: &Context, input: PutRolePermissionsBoundaryRequest) -> Result<(), ApiError> {
    let boundary = Some(input.permissions_boundary.as_str());
    context.backend.set_boundary(&context.account, &input.role_name, boundary).await.map_err(refused)
}

pub(super) async fn delete_boundary(
    context: &Context,
    input: DeleteRolePermissionsBoundaryRequest,
) -> Result<(), ApiError> {
    context.backend.set_boundary(&context.account, &input.role_name, None).await.map_err(refused)
}

pub(super) async fn tag(context: &Context, input: TagRoleRequest) -> Result<(), ApiError> {
    context.backend.tag_role(&context.account, &input.role_name, &tags_in(input.tags)).await.map_err(refused)
}

pub(super) async fn untag(context: &Context, input: UntagRoleRequest) -> Result<(), ApiError> {
    let keys: Vec<&str> = input.tag_keys.iter().map(String::as_str).collect();
    context.backend.untag_role(&context.account, &input.role_name, &keys).await.map_err(refused)
}

pub(super) async fn list_tags(context: &Context, input: ListRoleTagsRequest) -> Result<ListRoleTagsResponse, ApiError> {
    let tags = named(context, &input.role_name).await?.tags;
    let (tags, marker) = page(tags, input.marker.as_deref(), input.max_items)?;
    Ok(ListRoleTagsResponse { tags: tags_out(tags), is_truncated: Some(marker.is_some()), marker })
}

pub(super) async fn put_policy(context: &Context, input: PutRolePolicyRequest) -> Result<(), ApiError> {
    let (role, policy, document) = (&input.role_name, &input.policy_name, &input.policy_document);
    context.backend.put_role_policy(&context.account, role, policy, document).await.map_err(refused)
}

pub(super) async fn get_policy(
    context: &Context,
    input: GetRolePolicyRequest,
) -> Result<GetRolePolicyResponse, ApiError> {
    let (role_name, policy_name) = (input.role_name, input.policy_name);
    let document = context.backend.role_policy(&context.account, &role_name, &policy_name).await.map_err(refused)?;
    Ok(GetRolePolicyResponse { role_name, policy_name, policy_document: encoded_document(&document) })
}

pub(super) async fn list_policies(
    context: &Context,
    input: ListRolePoliciesRequest,
) -> Result<ListRolePoliciesResponse, ApiError> {
    let names = named(context, &input.role_name).await?.inline.into_keys();
    let (policy_names, marker) = page(names, input.marker.as_deref(), input.max_items)?;
    Ok(ListRolePoliciesResponse { policy_names, is_truncated: Some(marker.is_some()), marker })
}

pub(super) async fn delete_policy(context: &Context, input: DeleteRolePolicyRequest) -> Result<(), ApiError> {
    let deleted = context.backend.delete_role_policy(&context.account, &input.role_name, &input.policy_name);
    deleted.await.map_err(refused)
}

pub(super) async fn attach(context: &Context, input: AttachRolePolicyRequest) -> Result<(), ApiError> {
    let attached = context.backend.attach_role_policy(&context.account, &input.role_name, &input.policy_arn);
    attached.await.map_err(refused)
}

pub(super) async fn detach(context: &Context, input: DetachRolePolicyRequest) -> Result<(), ApiError> {
    let detached = context.backend.detach_role_policy(&context.account, &input.role_name, &input.policy_arn);
    detached.await.map_err(refused)
}

pub(super) async fn list_attached(
    context: &Context,
    input: ListAttachedRolePoliciesRequest,
) -> Result<ListAttachedRolePoliciesResponse, ApiError> {
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    // `arn:aws:iam::ACCOUNT:policy/PATH/NAME`
    let path = |arn: &str| arn.split_once(":policy").map(|(_, path)| path.to_owned()).unwrap_or_default();
    let attached = named(context, &input.role_name).await?.attached;
    let attached = attached.into_iter().filter(|arn| path(arn).starts_with(prefix));
    let (attached, marker) = page(attached, input.marker.as_deref(), input.max_items)?;
    let attached = attached.into_iter().map(|arn| AttachedPolicy {
        policy_name: Some(arn.rsplit('/').next().unwrap_or(&arn).to_owned()),
        policy_arn: Some(arn),
    });
    Ok(ListAttachedRolePoliciesResponse {
        attached_policies: Some(attached.collect()),
        is_truncated: Some(marker.is_some()),
        marker,
    })
}

/// Roles are never in instance profiles here; the role must exist all the same.
pub(super) async fn list_instance_profiles(
    context: &Context,
    input: ListInstanceProfilesForRoleRequest,
) -> Result<ListInstanceProfilesForRoleResponse, ApiError> {
    named(context, &input.role_name).await?;
    Ok(ListInstanceProfilesForRoleResponse { instance_profiles: Vec::new(), is_truncated: Some(false), marker: None })
}
