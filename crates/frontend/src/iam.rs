//! Identity and Access Management: roles and managed policies, as far as deploying tools ask for them.

mod policies;
mod roles;

use bytes::Bytes;
use hearth_control::iam::{Iam, IamError};
use http::StatusCode;

use crate::context::{RequestContext, Response};
use crate::error::ApiError;
use crate::query::{self, Form, Xml};
use crate::route::IAM_NAMESPACE;
use crate::sts::invalid_action;

/// Entries of a page, unless the client says otherwise.
const ITEMS: u32 = 100;
const ITEMS_MAX: u32 = 1000;

/// A call of one operation.
pub(crate) struct Call<'a> {
    iam: &'a Iam,
    context: &'a RequestContext,
    form: Form,
}

pub(crate) async fn handle(
    iam: &Iam,
    context: &RequestContext,
    request: &http::Request<Bytes>,
) -> Result<Response, ApiError> {
    let call = Call { iam, context, form: Form::of(request) };
    match call.form.action() {
        "CreateRole" => roles::create(&call).await,
        "GetRole" => roles::get(&call).await,
        "ListRoles" => roles::list(&call).await,
        "DeleteRole" => roles::delete(&call).await,
        "UpdateRole" => roles::update(&call).await,
        "UpdateRoleDescription" => roles::update_description(&call).await,
        "UpdateAssumeRolePolicy" => roles::set_trust(&call).await,
        "PutRolePermissionsBoundary" => roles::put_boundary(&call).await,
        "DeleteRolePermissionsBoundary" => roles::delete_boundary(&call).await,
        "TagRole" => roles::tag(&call).await,
        "UntagRole" => roles::untag(&call).await,
        "ListRoleTags" => roles::list_tags(&call).await,
        "PutRolePolicy" => roles::put_policy(&call).await,
        "GetRolePolicy" => roles::get_policy(&call).await,
        "ListRolePolicies" => roles::list_policies(&call).await,
        "DeleteRolePolicy" => roles::delete_policy(&call).await,
        "AttachRolePolicy" => roles::attach(&call).await,
        "DetachRolePolicy" => roles::detach(&call).await,
        "ListAttachedRolePolicies" => roles::list_attached(&call).await,
        "ListInstanceProfilesForRole" => roles::list_instance_profiles(&call).await,
        "CreatePolicy" => policies::create(&call).await,
        "GetPolicy" => policies::get(&call).await,
        "ListPolicies" => policies::list(&call).await,
        "DeletePolicy" => policies::delete(&call).await,
        "CreatePolicyVersion" => policies::create_version(&call).await,
        "GetPolicyVersion" => policies::get_version(&call).await,
        "ListPolicyVersions" => policies::list_versions(&call).await,
        "SetDefaultPolicyVersion" => policies::set_default_version(&call).await,
        "DeletePolicyVersion" => policies::delete_version(&call).await,
        "ListPolicyTags" => policies::list_tags(&call).await,
        "GetUser" => get_user(&call),
        other => Err(invalid_action(other, "2010-05-08")),
    }
}

impl Call<'_> {
    /// The answer of an operation that has a result.
    fn answer(&self, inner: impl FnOnce(&mut Xml)) -> Result<Response, ApiError> {
        Ok(query::answer(self.form.action(), IAM_NAMESPACE, self.context, Some(inner)))
    }

    /// The answer of an operation that has none.
    fn done(&self) -> Result<Response, ApiError> {
        Ok(query::answer(self.form.action(), IAM_NAMESPACE, self.context, None::<fn(&mut Xml)>))
    }

    fn path(&self) -> String {
        self.form.get("Path").unwrap_or("/").to_owned()
    }

    fn path_prefix(&self) -> &str {
        self.form.get("PathPrefix").unwrap_or("/")
    }

    fn marker(&self) -> Option<String> {
        self.form.get("Marker").map(str::to_owned)
    }

    /// A page of what is listed whole; the marker is how many came before.
    fn page<T>(&self, items: impl IntoIterator<Item = T>) -> Result<(Vec<T>, Option<String>), ApiError> {
        let before = match self.form.get("Marker") {
            None => 0,
            Some(marker) => marker
                .parse::<usize>()
                .map_err(|_not_ours| ApiError::bad_request("ValidationError", "Invalid Marker."))?,
        };
        let max = self.items_max()?;
        let mut items: Vec<T> = items.into_iter().skip(before).take(max + 1).collect();
        let more = items.len() > max;
        items.truncate(max);
        Ok((items, more.then(|| (before + max).to_string())))
    }

    fn items_max(&self) -> Result<usize, ApiError> {
        self.form.number("MaxItems", ITEMS, 1..=ITEMS_MAX).map(|number| number as usize)
    }
}

/// `IsTruncated` and `Marker` of a page.
fn page_end(xml: &mut Xml, marker: Option<String>) {
    xml.text("IsTruncated", if marker.is_some() { "true" } else { "false" });
    xml.optional("Marker", marker);
}

fn tags(xml: &mut Xml, tags: &std::collections::BTreeMap<String, String>) {
    xml.members("Tags", tags, |xml, (key, value)| {
        xml.text("Key", key).text("Value", value);
    });
}

/// IAM gives documents percent-encoded (RFC 3986).
fn encoded_document(document: &str) -> String {
    const RESERVED: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    percent_encoding::utf8_percent_encode(document, RESERVED).to_string()
}

/// The caller: accounts have no users here but their root.
fn get_user(call: &Call<'_>) -> Result<Response, ApiError> {
    let account = &call.context.account;
    if let Some(name) = call.form.get("UserName").filter(|name| *name != "root") {
        return Err(refused(IamError::NoSuchEntity(format!("The user with name {name} cannot be found."))));
    }
    Ok(query::answer(
        "GetUser",
        IAM_NAMESPACE,
        call.context,
        Some(|xml: &mut Xml| {
            xml.element("User", |xml| {
                xml.text("Path", "/").text("UserName", "root").text("UserId", account.as_str());
                xml.text("Arn", format!("arn:aws:iam::{account}:root"));
                xml.text("CreateDate", query::iso_time(hearth_types::Timestamp::from_millis(0)));
            });
        }),
    ))
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
