//! Identity and Access Management: roles and managed policies, as far as deploying tools ask for them.

mod policies;
mod roles;

use std::collections::BTreeMap;
use std::sync::Arc;

use hearth_aws_api::Service;
use hearth_aws_api::shape::Time;
use hearth_aws_api::shapes::iam::{GetUserRequest, GetUserResponse, Tag, User};
use hearth_iam::{Iam, IamError};
use hearth_types::Timestamp;
use http::StatusCode;

use crate::error::ApiError;
use crate::service::{self, Table, table};

type Context = service::Context<Arc<Iam>>;

pub(crate) const TABLE: Table<Arc<Iam>> = Table {
    service: Service::Iam,
    operations: table! { iam, Arc<Iam>;
        AttachRolePolicy => roles::attach,
        CreatePolicy => policies::create,
        CreatePolicyVersion => policies::create_version,
        CreateRole => roles::create,
        DeletePolicy => policies::delete,
        DeletePolicyVersion => policies::delete_version,
        DeleteRole => roles::delete,
        DeleteRolePermissionsBoundary => roles::delete_boundary,
        DeleteRolePolicy => roles::delete_policy,
        DetachRolePolicy => roles::detach,
        GetPolicy => policies::get,
        GetPolicyVersion => policies::get_version,
        GetRole => roles::get,
        GetRolePolicy => roles::get_policy,
        GetUser => get_user,
        ListAttachedRolePolicies => roles::list_attached,
        ListEntitiesForPolicy => policies::entities,
        ListInstanceProfilesForRole => roles::list_instance_profiles,
        ListPolicies => policies::list,
        ListPolicyTags => policies::list_tags,
        ListPolicyVersions => policies::list_versions,
        ListRolePolicies => roles::list_policies,
        ListRoleTags => roles::list_tags,
        ListRoles => roles::list,
        PutRolePermissionsBoundary => roles::put_boundary,
        PutRolePolicy => roles::put_policy,
        SetDefaultPolicyVersion => policies::set_default_version,
        TagRole => roles::tag,
        UntagRole => roles::untag,
        UpdateAssumeRolePolicy => roles::set_trust,
        UpdateRole => roles::update,
        UpdateRoleDescription => roles::update_description,
    },
    words: |refused| refused.with_code("ValidationError"),
    unknown: |action| invalid_action(action, "2010-05-08"),
};

/// Entries of a page, unless the client says otherwise.
const ITEMS: u32 = 100;

/// 400 `InvalidAction`.
pub(crate) fn invalid_action(action: &str, version: &str) -> ApiError {
    ApiError::bad_request("InvalidAction", format!("Could not find operation {action} for version {version}"))
}

fn items_max(asked: Option<u32>) -> usize {
    asked.unwrap_or(ITEMS) as usize
}

/// A page of what is listed whole, and the marker of the next; a marker is how many came before.
fn page<T>(
    items: impl IntoIterator<Item = T>,
    marker: Option<&str>,
    max: Option<u32>,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let before = match marker {
        None => 0,
        Some(marker) => {
            marker.parse().map_err(|_not_ours| ApiError::bad_request("ValidationError", "Invalid Marker."))?
        }
    };
    let max = items_max(max);
    let mut items: Vec<T> = items.into_iter().skip(before).take(max + 1).collect();
    let more = items.len() > max;
    items.truncate(max);
    Ok((items, more.then(|| (before + max).to_string())))
}

fn tags_in(tags: Vec<Tag>) -> BTreeMap<String, String> {
    tags.into_iter().map(|tag| (tag.key, tag.value)).collect()
}

fn tags_out(tags: impl IntoIterator<Item = (String, String)>) -> Vec<Tag> {
    tags.into_iter().map(|(key, value)| Tag { key, value }).collect()
}

/// IAM gives documents percent-encoded (RFC 3986).
fn encoded_document(document: &str) -> String {
    const RESERVED: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    percent_encoding::utf8_percent_encode(document, RESERVED).to_string()
}

/// The caller: accounts have no users here but their root.
async fn get_user(context: &Context, input: GetUserRequest) -> Result<GetUserResponse, ApiError> {
    if let Some(name) = input.user_name.filter(|name| name != "root") {
        return Err(refused(IamError::NoSuchEntity(format!("The user with name {name} cannot be found."))));
    }
    let user = User {
        path: "/".to_owned(),
        user_name: "root".to_owned(),
        user_id: context.account.to_string(),
        arn: format!("arn:aws:iam::{}:root", context.account),
        create_date: Time(Timestamp::from_millis(0)),
        ..User::default()
    };
    Ok(GetUserResponse { user })
}

/// The refusal of an IAM operation.
pub(crate) fn refused(error: IamError) -> ApiError {
    let message = error.to_string();
    let (status, code) = match error {
        IamError::NoSuchEntity(_) => (StatusCode::NOT_FOUND, "NoSuchEntity"),
        IamError::EntityAlreadyExists(_) => (StatusCode::CONFLICT, "EntityAlreadyExists"),
        IamError::DeleteConflict(_) => (StatusCode::CONFLICT, "DeleteConflict"),
        IamError::LimitExceeded(_) => (StatusCode::CONFLICT, "LimitExceeded"),
        IamError::MalformedPolicyDocument(_) => (StatusCode::BAD_REQUEST, "MalformedPolicyDocument"),
        IamError::InvalidInput(_) => (StatusCode::BAD_REQUEST, "InvalidInput"),
        IamError::Validation(_) => (StatusCode::BAD_REQUEST, "ValidationError"),
        IamError::ConcurrentModification => (StatusCode::CONFLICT, "ConcurrentModification"),
        IamError::Store => (StatusCode::INTERNAL_SERVER_ERROR, "ServiceFailure"),
    };
    ApiError::new(status, code, message)
}
