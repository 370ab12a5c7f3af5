//! Security Token Service: who am I, and sessions of roles.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use hearth_control::iam::{Assumed, Assumption, Iam, IssuedSession};

use crate::context::{RequestContext, Response};
use crate::error::ApiError;
use crate::query::{self, Form, Xml, iso_time};
use crate::route::STS_NAMESPACE;

/// Source: STS API reference, `DurationSeconds` of each operation.
const ASSUME_ROLE_SECONDS: std::ops::RangeInclusive<u32> = 900..=43_200;
const SESSION_TOKEN_SECONDS: std::ops::RangeInclusive<u32> = 900..=129_600;
const SESSION_TAGS_MAX: usize = 50;
const TOKEN_BYTES_MAX: u32 = 4096;

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
    check_word("roleSessionName", name)?;
    if let Some(identity) = form.get("SourceIdentity") {
        check_word("sourceIdentity", identity)?;
    }
    refuse_policies(form)?;
    let tags = session_tags(form)?;
    let source_identity = form.get("SourceIdentity");
    let asked = Assumption {
        account: &context.account,
        caller: &context.principal_arn,
        role,
        session: name,
        seconds: form.number("DurationSeconds", 3600, ASSUME_ROLE_SECONDS)?,
        external_id: form.get("ExternalId"),
        source_identity,
        tags: &tags,
        token_bytes_min: token_bytes_min(form)?,
        now: context.now,
    };
    let issued = match iam.assume_role(asked).await.map_err(crate::iam::refused)? {
        Assumed::Issued(issued) => issued,
        Assumed::Denied { action } => {
            return Err(denied(format!(
                "User: {} is not authorized to perform: {action} on resource: {role}",
                context.principal_arn
            )));
        }
    };
    let answer = query::answer(
        "AssumeRole",
        STS_NAMESPACE,
        context,
        Some(|xml: &mut Xml| {
            credentials(xml, &issued);
            xml.element("AssumedRoleUser", |xml| {
                xml.text("AssumedRoleId", &issued.user_id).text("Arn", &issued.principal_arn);
            });
            xml.optional("SourceIdentity", source_identity);
        }),
    );
    Ok(answer)
}

fn token_bytes_min(form: &Form) -> Result<usize, ApiError> {
    form.number("MinimumSessionTokenSize", 0, 0..=TOKEN_BYTES_MAX).map(|size| size as usize)
}

fn check_word(member: &str, text: &str) -> Result<(), ApiError> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    if (2..=64).contains(&text.len()) && text.bytes().all(legal) {
        return Ok(());
    }
    let text: String = text.chars().take(100).collect();
    Err(validation(format!(
        "1 validation error detected: Value '{text}' at '{member}' failed to satisfy constraint: Member must satisfy regular \
         expression pattern: [\\w+=,.@-]*"
    )))
}

/// What would take rights from the session, or need what does not exist here: without it the session could do more than was asked.
fn refuse_policies(form: &Form) -> Result<(), ApiError> {
    for member in ["Policy", "PolicyArns", "ProvidedContexts"] {
        if form.has(member) {
            return Err(validation(format!("{member} is not supported by Hearth")));
        }
    }
    refuse_mfa(form)
}

/// Nobody has a device here; in the words for a code that is not the device's.
fn refuse_mfa(form: &Form) -> Result<(), ApiError> {
    if form.has("SerialNumber") || form.has("TokenCode") {
        return Err(denied("MultiFactorAuthentication failed with invalid MFA one time pass code.".to_owned()));
    }
    Ok(())
}

/// Seen by the conditions of the role's trust policy. No other policy here asks for them, so whether they are transitive makes no
/// difference; but they must be there.
fn session_tags(form: &Form) -> Result<BTreeMap<String, String>, ApiError> {
    let tags = form.tags("Tags");
    let fits = |(key, value): (&String, &String)| {
        (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256 && !key.starts_with("aws:")
    };
    if tags.len() > SESSION_TAGS_MAX || !tags.iter().all(fits) {
        return Err(validation(
            "Session tags: at most 50, keys of 1 to 128 characters, values of up to 256.".to_owned(),
        ));
    }
    if form.list("TransitiveTagKeys").iter().any(|key| !tags.contains_key(*key)) {
        return Err(validation("One or more keys in TransitiveTagKeys are not session tags.".to_owned()));
    }
    Ok(tags)
}

fn validation(message: String) -> ApiError {
    ApiError::bad_request("ValidationError", message)
}

fn denied(message: String) -> ApiError {
    ApiError::new(http::StatusCode::FORBIDDEN, "AccessDenied", message)
}

fn session_token(iam: &Iam, context: &RequestContext, form: &Form) -> Result<Response, ApiError> {
    if context.principal_arn.starts_with("arn:aws:sts:") {
        return Err(denied("Cannot call GetSessionToken with session credentials".to_owned()));
    }
    refuse_mfa(form)?;
    let seconds = form.number("DurationSeconds", 43_200, SESSION_TOKEN_SECONDS)?;
    let expires_at = context.now + Duration::from_secs(seconds.into());
    let issued = iam.session_token(
        &context.account,
        &context.principal_arn,
        &context.user_id,
        expires_at,
        token_bytes_min(form)?,
    );
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
