//! Security Token Service: who am I, and sessions of roles.

use std::time::Duration;

use bytes::Bytes;
use hearth_control::iam::{Iam, IssuedSession};

use crate::context::{RequestContext, Response};
use crate::error::ApiError;
use crate::query::{self, Form, Xml, iso_time};
use crate::route::STS_NAMESPACE;

/// Source: STS API reference, `DurationSeconds` of each operation.
const ASSUME_ROLE_SECONDS: std::ops::RangeInclusive<u32> = 900..=43_200;
const SESSION_TOKEN_SECONDS: std::ops::RangeInclusive<u32> = 900..=129_600;

/// Whether STS has an operation of that name.
pub(crate) fn is_action(action: &str) -> bool {
    matches!(action, "GetCallerIdentity" | "AssumeRole" | "GetSessionToken")
}

pub(crate) async fn handle(
    iam: &Iam,
    context: &RequestContext,
    request: &http::Request<Bytes>,
) -> Result<Response, ApiError> {
    let form = Form::of(request);
    match form.action() {
        "GetCallerIdentity" => Ok(caller_identity(context)),
        "AssumeRole" => assume_role(iam, context, &form).await,
        "GetSessionToken" => session_token(iam, context, &form),
        other => Err(invalid_action(other, "2011-06-15")),
    }
}

/// 400 `InvalidAction`.
pub(crate) fn invalid_action(action: &str, version: &str) -> ApiError {
    let action: String = action.chars().take(128).collect();
    ApiError::bad_request("InvalidAction", format!("Could not find operation {action} for version {version}"))
}

fn caller_identity(context: &RequestContext) -> Response {
    query::answer(
        "GetCallerIdentity",
        STS_NAMESPACE,
        context,
        Some(|xml: &mut Xml| {
            xml.text("Arn", &context.principal_arn).text("UserId", &context.user_id);
            xml.text("Account", context.account.as_str());
        }),
    )
}

async fn assume_role(iam: &Iam, context: &RequestContext, form: &Form) -> Result<Response, ApiError> {
    let role = form.required("RoleArn")?;
    let name = form.required("RoleSessionName")?;
    let word = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    if !(2..=64).contains(&name.len()) || !name.bytes().all(word) {
        let name: String = name.chars().take(100).collect();
        return Err(ApiError::bad_request(
            "ValidationError",
            format!(
                "1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: Member \
                 must satisfy regular expression pattern: [\\w+=,.@-]*"
            ),
        ));
    }
    let seconds = form.number("DurationSeconds", 3600, ASSUME_ROLE_SECONDS)?;
    let denied = || {
        ApiError::new(
            http::StatusCode::FORBIDDEN,
            "AccessDenied",
            format!("User: {} is not authorized to perform: sts:AssumeRole on resource: {role}", context.principal_arn),
        )
    };
    let caller = (&context.account, &*context.principal_arn);
    let issued = iam.assume_role(caller, role, name, (context.now, seconds)).await.map_err(crate::iam::refused)?;
    let issued = issued.ok_or_else(denied)?;
    let answer = query::answer(
        "AssumeRole",
        STS_NAMESPACE,
        context,
        Some(|xml: &mut Xml| {
            credentials(xml, &issued);
            xml.element("AssumedRoleUser", |xml| {
                xml.text("AssumedRoleId", &issued.user_id).text("Arn", &issued.principal_arn);
            });
        }),
    );
    Ok(answer)
}

fn session_token(iam: &Iam, context: &RequestContext, form: &Form) -> Result<Response, ApiError> {
    if context.principal_arn.starts_with("arn:aws:sts:") {
        return Err(ApiError::new(
            http::StatusCode::FORBIDDEN,
            "AccessDenied",
            "Cannot call GetSessionToken with session credentials",
        ));
    }
    let seconds = form.number("DurationSeconds", 43_200, SESSION_TOKEN_SECONDS)?;
    let expires_at = context.now + Duration::from_secs(seconds.into());
    let issued = iam.session_token(&context.account, &context.principal_arn, &context.user_id, expires_at);
    let inner = |xml: &mut Xml| credentials(xml, &issued);
    Ok(query::answer("GetSessionToken", STS_NAMESPACE, context, Some(inner)))
}

fn credentials(xml: &mut Xml, issued: &IssuedSession) {
    xml.element("Credentials", |xml| {
        xml.text("AccessKeyId", &issued.credentials.access_key_id)
            .text("SecretAccessKey", &issued.credentials.secret_access_key)
            .text("SessionToken", &issued.credentials.session_token)
            .text("Expiration", iso_time(issued.expires_at));
    });
}
