//! Operations on roles.

use hearth_control::iam::{NewRole, Role, RoleUpdate};
use hearth_types::AccountId;

use super::{Call, encoded_document, page_end, refused, tags};
use crate::context::Response;
use crate::error::ApiError;
use crate::query::{Xml, iso_time};

/// `MaxSessionDuration` unless given, seconds.
const SESSION_S: u32 = 3600;

/// What every answer with a role has; the rest depends on the operation.
fn write_basics(xml: &mut Xml, account: &AccountId, role: &Role) {
    xml.text("Path", &role.path).text("RoleName", &role.name).text("RoleId", &role.id);
    xml.text("Arn", role.arn(account)).text("CreateDate", iso_time(role.created_at));
    xml.text("AssumeRolePolicyDocument", encoded_document(&role.trust));
    xml.optional("Description", role.description.as_deref());
}

fn write_role(xml: &mut Xml, account: &AccountId, role: &Role) {
    write_basics(xml, account, role);
    xml.text("MaxSessionDuration", role.session_s_max.to_string());
    write_attributes(xml, role);
}

fn write_attributes(xml: &mut Xml, role: &Role) {
    if let Some(boundary) = &role.permissions_boundary {
        xml.element("PermissionsBoundary", |xml| {
            xml.text("PermissionsBoundaryType", "Policy").text("PermissionsBoundaryArn", boundary);
        });
    }
    if !role.tags.is_empty() {
        tags(xml, &role.tags);
    }
}

pub(super) async fn create(call: &Call<'_>) -> Result<Response, ApiError> {
    let form = &call.form;
    let new = NewRole {
        name: form.required("RoleName")?.to_owned(),
        path: call.path(),
        trust: form.required("AssumeRolePolicyDocument")?.to_owned(),
        description: form.get("Description").map(str::to_owned),
        session_s_max: form.number("MaxSessionDuration", SESSION_S, 3600..=43_200)?,
        permissions_boundary: form.get("PermissionsBoundary").map(str::to_owned),
        tags: form.tags("Tags"),
    };
    let account = &call.context.account;
    let role = call.iam.create_role(account, new, call.context.now).await.map_err(refused)?;
    // Recorded: without MaxSessionDuration.
    call.answer(|xml| {
        xml.element("Role", |xml| {
            write_basics(xml, account, &role);
            write_attributes(xml, &role);
        });
    })
}

async fn named(call: &Call<'_>) -> Result<Role, ApiError> {
    call.iam.role(&call.context.account, call.form.required("RoleName")?).await.map_err(refused)
}

pub(super) async fn get(call: &Call<'_>) -> Result<Response, ApiError> {
    let role = named(call).await?;
    call.answer(|xml| {
        xml.element("Role", |xml| {
            write_role(xml, &call.context.account, &role);
            xml.element("RoleLastUsed", |_| {});
        });
    })
}

pub(super) async fn list(call: &Call<'_>) -> Result<Response, ApiError> {
    let account = &call.context.account;
    let page = call.iam.roles(account, call.path_prefix(), call.marker(), call.items_max()?).await;
    let (roles, marker) = page.map_err(refused)?;
    // Neither boundary nor tags, as the API reference says of ListRoles.
    call.answer(|xml| {
        xml.members("Roles", &roles, |xml, role| {
            write_basics(xml, account, role);
            xml.text("MaxSessionDuration", role.session_s_max.to_string());
        });
        page_end(xml, marker);
    })
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Response, ApiError> {
    call.iam.delete_role(&call.context.account, call.form.required("RoleName")?).await.map_err(refused)?;
    call.done()
}

pub(super) async fn update(call: &Call<'_>) -> Result<Response, ApiError> {
    let session_s_max = match call.form.get("MaxSessionDuration") {
        Some(_) => Some(call.form.number("MaxSessionDuration", SESSION_S, 3600..=43_200)?),
        None => None,
    };
    let update = RoleUpdate { description: call.form.get("Description").map(str::to_owned), session_s_max };
    let name = call.form.required("RoleName")?;
    call.iam.update_role(&call.context.account, name, update).await.map_err(refused)?;
    call.answer(|_| {})
}

pub(super) async fn update_description(call: &Call<'_>) -> Result<Response, ApiError> {
    let account = &call.context.account;
    let update = RoleUpdate { description: Some(call.form.required("Description")?.to_owned()), session_s_max: None };
    let role = call.iam.update_role(account, call.form.required("RoleName")?, update).await.map_err(refused)?;
    call.answer(|xml| {
        xml.element("Role", |xml| write_role(xml, account, &role));
    })
}

pub(super) async fn set_trust(call: &Call<'_>) -> Result<Response, ApiError> {
    let (name, document) = (call.form.required("RoleName")?, call.form.required("PolicyDocument")?);
    call.iam.set_trust(&call.context.account, name, document).await.map_err(refused)?;
    call.done()
}

pub(super) async fn put_boundary(call: &Call<'_>) -> Result<Response, ApiError> {
    let (name, boundary) = (call.form.required("RoleName")?, call.form.required("PermissionsBoundary")?);
    call.iam.set_boundary(&call.context.account, name, Some(boundary)).await.map_err(refused)?;
    call.done()
}

pub(super) async fn delete_boundary(call: &Call<'_>) -> Result<Response, ApiError> {
    let name = call.form.required("RoleName")?;
    call.iam.set_boundary(&call.context.account, name, None).await.map_err(refused)?;
    call.done()
}

pub(super) async fn tag(call: &Call<'_>) -> Result<Response, ApiError> {
    let name = call.form.required("RoleName")?;
    call.iam.tag_role(&call.context.account, name, &call.form.tags("Tags")).await.map_err(refused)?;
    call.done()
}

pub(super) async fn untag(call: &Call<'_>) -> Result<Response, ApiError> {
    let name = call.form.required("RoleName")?;
    call.iam.untag_role(&call.context.account, name, &call.form.list("TagKeys")).await.map_err(refused)?;
    call.done()
}

pub(super) async fn list_tags(call: &Call<'_>) -> Result<Response, ApiError> {
    let (page, marker) = call.page(named(call).await?.tags)?;
    call.answer(|xml| {
        tags(xml, &page.into_iter().collect());
        page_end(xml, marker);
    })
}

pub(super) async fn put_policy(call: &Call<'_>) -> Result<Response, ApiError> {
    let form = &call.form;
    let (role, policy) = (form.required("RoleName")?, form.required("PolicyName")?);
    let document = form.required("PolicyDocument")?;
    call.iam.put_role_policy(&call.context.account, role, policy, document).await.map_err(refused)?;
    call.done()
}

pub(super) async fn get_policy(call: &Call<'_>) -> Result<Response, ApiError> {
    let (role, policy) = (call.form.required("RoleName")?, call.form.required("PolicyName")?);
    let document = call.iam.role_policy(&call.context.account, role, policy).await.map_err(refused)?;
    call.answer(|xml| {
        xml.text("RoleName", role).text("PolicyName", policy);
        xml.text("PolicyDocument", encoded_document(&document));
    })
}

pub(super) async fn list_policies(call: &Call<'_>) -> Result<Response, ApiError> {
    let (names, marker) = call.page(named(call).await?.inline.into_keys())?;
    call.answer(|xml| {
        xml.element("PolicyNames", |xml| {
            for name in &names {
                xml.text("member", name);
            }
        });
        page_end(xml, marker);
    })
}

pub(super) async fn delete_policy(call: &Call<'_>) -> Result<Response, ApiError> {
    let (role, policy) = (call.form.required("RoleName")?, call.form.required("PolicyName")?);
    call.iam.delete_role_policy(&call.context.account, role, policy).await.map_err(refused)?;
    call.done()
}

pub(super) async fn attach(call: &Call<'_>) -> Result<Response, ApiError> {
    let (role, arn) = (call.form.required("RoleName")?, call.form.required("PolicyArn")?);
    call.iam.attach_role_policy(&call.context.account, role, arn).await.map_err(refused)?;
    call.done()
}

pub(super) async fn detach(call: &Call<'_>) -> Result<Response, ApiError> {
    let (role, arn) = (call.form.required("RoleName")?, call.form.required("PolicyArn")?);
    call.iam.detach_role_policy(&call.context.account, role, arn).await.map_err(refused)?;
    call.done()
}

pub(super) async fn list_attached(call: &Call<'_>) -> Result<Response, ApiError> {
    let prefix = call.path_prefix();
    // `arn:aws:iam::ACCOUNT:policy/PATH/NAME`
    let path = |arn: &str| arn.split_once(":policy").map(|(_, path)| path.to_owned()).unwrap_or_default();
    let attached = named(call).await?.attached.into_iter().filter(|arn| path(arn).starts_with(prefix));
    let (attached, marker) = call.page(attached)?;
    call.answer(|xml| {
        xml.members("AttachedPolicies", &attached, |xml, arn| {
            xml.text("PolicyName", arn.rsplit('/').next().unwrap_or(arn)).text("PolicyArn", arn);
        });
        page_end(xml, marker);
    })
}

/// Roles are never in instance profiles here; the role must exist all the same.
pub(super) async fn list_instance_profiles(call: &Call<'_>) -> Result<Response, ApiError> {
    named(call).await?;
    call.answer(|xml| {
        xml.element("InstanceProfiles", |_| {});
        page_end(xml, None);
    })
}
