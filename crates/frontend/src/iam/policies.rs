//! Operations on managed policies.

use hearth_control::iam::{NewPolicy, Policy, PolicyVersion};
use hearth_types::AccountId;

use super::{Call, encoded_document, page_end, refused, tags};
use crate::context::Response;
use crate::error::ApiError;
use crate::query::{Xml, iso_time};

fn write_policy(xml: &mut Xml, account: &AccountId, arn: Option<&str>, policy: &Policy) {
    write_listed(xml, account, arn, policy);
    xml.optional("Description", policy.description.as_deref());
    if !policy.tags.is_empty() {
        tags(xml, &policy.tags);
    }
}

/// As lists show it: without description and tags (API reference, ListPolicies).
fn write_listed(xml: &mut Xml, account: &AccountId, arn: Option<&str>, policy: &Policy) {
    xml.text("PolicyName", &policy.name).text("PolicyId", &policy.id);
    xml.text("Arn", arn.map_or_else(|| policy.arn(account), str::to_owned)).text("Path", &policy.path);
    xml.text("DefaultVersionId", format!("v{}", policy.default_version));
    xml.text("AttachmentCount", policy.attachments.to_string()).text("PermissionsBoundaryUsageCount", "0");
    xml.text("IsAttachable", "true");
    xml.text("CreateDate", iso_time(policy.created_at)).text("UpdateDate", iso_time(policy.updated_at));
}

fn write_version(xml: &mut Xml, number: u32, version: &PolicyVersion, is_default: bool, document: bool) {
    if document {
        xml.text("Document", encoded_document(&version.document));
    }
    xml.text("VersionId", format!("v{number}"));
    xml.text("IsDefaultVersion", if is_default { "true" } else { "false" });
    xml.text("CreateDate", iso_time(version.created_at));
}

pub(super) async fn create(call: &Call<'_>) -> Result<Response, ApiError> {
    let form = &call.form;
    let new = NewPolicy {
        name: form.required("PolicyName")?.to_owned(),
        path: call.path(),
        document: form.required("PolicyDocument")?.to_owned(),
        description: form.get("Description").map(str::to_owned),
        tags: form.tags("Tags"),
    };
    let account = &call.context.account;
    let policy = call.iam.create_policy(account, new, call.context.now).await.map_err(refused)?;
    call.answer(|xml| {
        xml.element("Policy", |xml| write_policy(xml, account, None, &policy));
    })
}

pub(super) async fn get(call: &Call<'_>) -> Result<Response, ApiError> {
    let account = &call.context.account;
    let arn = call.form.required("PolicyArn")?;
    let policy = call.iam.policy(account, arn).await.map_err(refused)?;
    call.answer(|xml| {
        xml.element("Policy", |xml| write_policy(xml, account, Some(arn), &policy));
    })
}

/// The account's own policies; AWS's are known by name alone and not listed.
pub(super) async fn list(call: &Call<'_>) -> Result<Response, ApiError> {
    let account = &call.context.account;
    let form = &call.form;
    if form.get("PolicyUsageFilter") == Some("PermissionsBoundary") {
        return Err(ApiError::bad_request(
            "ValidationError",
            "PolicyUsageFilter PermissionsBoundary is not supported by Hearth",
        ));
    }
    let (policies, marker) = if form.get("Scope") == Some("AWS") {
        (Vec::new(), None)
    } else {
        let attached = form.get("OnlyAttached") == Some("true");
        let page = call.iam.policies(account, call.path_prefix(), attached, call.marker(), call.items_max()?).await;
        page.map_err(refused)?
    };
    call.answer(|xml| {
        xml.members("Policies", &policies, |xml, policy| write_listed(xml, account, None, policy));
        page_end(xml, marker);
    })
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Response, ApiError> {
    call.iam.delete_policy(&call.context.account, call.form.required("PolicyArn")?).await.map_err(refused)?;
    call.done()
}

pub(super) async fn create_version(call: &Call<'_>) -> Result<Response, ApiError> {
    let form = &call.form;
    let (arn, document) = (form.required("PolicyArn")?, form.required("PolicyDocument")?);
    let set_default = form.get("SetAsDefault") == Some("true");
    let (account, now) = (&call.context.account, call.context.now);
    let policy = call.iam.create_policy_version(account, arn, document, set_default, now).await.map_err(refused)?;
    let version = PolicyVersion { document: document.to_owned(), created_at: now };
    call.answer(|xml| {
        xml.element("PolicyVersion", |xml| write_version(xml, policy.last_version, &version, set_default, false));
    })
}

pub(super) async fn get_version(call: &Call<'_>) -> Result<Response, ApiError> {
    let (arn, id) = (call.form.required("PolicyArn")?, call.form.required("VersionId")?);
    let (version, is_default) = call.iam.policy_version(&call.context.account, arn, id).await.map_err(refused)?;
    let number = id.trim_start_matches('v').parse().unwrap_or_default();
    call.answer(|xml| {
        xml.element("PolicyVersion", |xml| write_version(xml, number, &version, is_default, true));
    })
}

pub(super) async fn list_versions(call: &Call<'_>) -> Result<Response, ApiError> {
    let policy = call.iam.policy(&call.context.account, call.form.required("PolicyArn")?).await.map_err(refused)?;
    let (versions, marker) = call.page(policy.versions.iter().rev())?;
    call.answer(|xml| {
        xml.members("Versions", versions, |xml, (number, version)| {
            write_version(xml, *number, version, *number == policy.default_version, false);
        });
        page_end(xml, marker);
    })
}

pub(super) async fn set_default_version(call: &Call<'_>) -> Result<Response, ApiError> {
    let (arn, id) = (call.form.required("PolicyArn")?, call.form.required("VersionId")?);
    call.iam.set_default_policy_version(&call.context.account, arn, id).await.map_err(refused)?;
    call.done()
}

pub(super) async fn delete_version(call: &Call<'_>) -> Result<Response, ApiError> {
    let (arn, id) = (call.form.required("PolicyArn")?, call.form.required("VersionId")?);
    call.iam.delete_policy_version(&call.context.account, arn, id).await.map_err(refused)?;
    call.done()
}

pub(super) async fn list_tags(call: &Call<'_>) -> Result<Response, ApiError> {
    let policy = call.iam.policy(&call.context.account, call.form.required("PolicyArn")?).await.map_err(refused)?;
    let (page, marker) = call.page(policy.tags)?;
    call.answer(|xml| {
        tags(xml, &page.into_iter().collect());
        page_end(xml, marker);
    })
}
