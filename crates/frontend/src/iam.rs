//! Identity and Access Management: roles and managed policies, as far as deploying tools ask for them.

mod needs;
mod policies;
mod roles;

use std::collections::BTreeMap;
use std::sync::Arc;

use hearth_aws_api::Service;
use hearth_aws_api::shape::Time;
use hearth_aws_api::shapes::iam::{GetUserRequest, GetUserResponse, Tag, User, error};
use hearth_iam::{Iam, IamError};
use hearth_types::Timestamp;

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
    before: |_, _, _| Ok(()),
    needs: needs::of,
    denied: |message| ApiError::new(http::StatusCode::FORBIDDEN, "AccessDenied", message),
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
pub(crate) fn refused(problem: IamError) -> ApiError {
    let message = problem.to_string();
    let modelled = match problem {
        IamError::NoSuchEntity(_) => error::NO_SUCH_ENTITY_EXCEPTION,
        IamError::EntityAlreadyExists(_) => error::ENTITY_ALREADY_EXISTS_EXCEPTION,
        IamError::DeleteConflict(_) => error::DELETE_CONFLICT_EXCEPTION,
        IamError::LimitExceeded(_) => error::LIMIT_EXCEEDED_EXCEPTION,
        IamError::MalformedPolicyDocument(_) => error::MALFORMED_POLICY_DOCUMENT_EXCEPTION,
        IamError::InvalidInput(_) => error::INVALID_INPUT_EXCEPTION,
        IamError::ConcurrentModification => error::CONCURRENT_MODIFICATION_EXCEPTION,
        IamError::Store => error::SERVICE_FAILURE_EXCEPTION,
        // In no model.
        IamError::Validation(_) => return ApiError::bad_request("ValidationError", message),
    };
    ApiError::modelled(modelled, message)
}
