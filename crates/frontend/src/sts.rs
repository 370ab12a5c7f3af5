//! Security Token Service: who am I, and sessions of roles.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hearth_aws_api::Service;
use hearth_aws_api::shape::Time;
use hearth_aws_api::shapes::sts::{
    AssumeRoleRequest, AssumeRoleResponse, AssumedRoleUser, Credentials, GetCallerIdentityRequest,
    GetCallerIdentityResponse, GetSessionTokenRequest, GetSessionTokenResponse, Tag,
};
use hearth_iam::{Assumed, Assumption, Iam, IssuedSession};
use serde_json::Value;

use crate::error::ApiError;
use crate::permit::{Need, ResourcePolicy};
use crate::service::{self, Table, table};

type Context = service::Context<Arc<Iam>>;

pub(crate) const TABLE: Table<Arc<Iam>> = Table {
    service: Service::Sts,
    operations: table! { sts, Arc<Iam>;
        AssumeRole => assume_role,
        GetCallerIdentity => caller_identity,
        GetSessionToken => session_token,
    },
    before: |_, _, _| Ok(()),
    needs,
    denied,
    words: |refused| refused.with_code("ValidationError"),
    unknown: |action| crate::iam::invalid_action(action, "2011-06-15"),
};

/// Who one is needs no permission, and a session of one's own neither. Whether the role trusts the caller is asked when it is assumed.
fn needs(_context: &Context, operation: &str, input: &Value) -> Vec<Need> {
    let role = input.get("RoleArn").and_then(Value::as_str);
    let need = |role| Need { policy: ResourcePolicy::Trust, ..Need::new(format!("sts:{operation}"), role) };
    role.map(need).into_iter().collect()
}

/// Unless the client says otherwise (API reference).
const ASSUME_ROLE_S: u32 = 3600;
const SESSION_TOKEN_S: u32 = 43_200;

async fn caller_identity(
    context: &Context,
    _input: GetCallerIdentityRequest,
) -> Result<GetCallerIdentityResponse, ApiError> {
    Ok(GetCallerIdentityResponse {
        user_id: Some(context.user_id.clone()),
        account: Some(context.account.to_string()),
        arn: Some(context.principal_arn.clone()),
    })
}

async fn assume_role(context: &Context, input: AssumeRoleRequest) -> Result<AssumeRoleResponse, ApiError> {
    refuse_policies(&input)?;
    refuse_mfa(input.serial_number.as_deref(), input.token_code.as_deref())?;
    let tags = session_tags(input.tags.unwrap_or_default(), &input.transitive_tag_keys.unwrap_or_default())?;
    let asked = Assumption {
        account: &context.account,
        caller: &context.principal_arn,
        role: &input.role_arn,
        session: &input.role_session_name,
        seconds: input.duration_seconds.unwrap_or(ASSUME_ROLE_S),
        external_id: input.external_id.as_deref(),
        source_identity: input.source_identity.as_deref(),
        tags: &tags,
        token_bytes_min: input.minimum_session_token_size.unwrap_or_default() as usize,
        now: context.now,
    };
    let issued = match context.backend.assume_role(asked).await.map_err(crate::iam::refused)? {
        Assumed::Issued(issued) => issued,
        Assumed::Denied { action } => {
            return Err(denied(format!(
                "User: {} is not authorized to perform: {action} on resource: {}",
                context.principal_arn, input.role_arn
            )));
        }
    };
    Ok(AssumeRoleResponse {
        credentials: Some(credentials(&issued)),
        assumed_role_user: Some(AssumedRoleUser { assumed_role_id: issued.user_id, arn: issued.principal_arn }),
        source_identity: input.source_identity,
        ..AssumeRoleResponse::default()
    })
}

/// What would take rights from the session, or need what does not exist here: without it the session could do more than was asked.
fn refuse_policies(input: &AssumeRoleRequest) -> Result<(), ApiError> {
    for (member, given) in [
        ("Policy", input.policy.is_some()),
        ("PolicyArns", input.policy_arns.is_some()),
        ("ProvidedContexts", input.provided_contexts.is_some()),
    ] {
        if given {
            return Err(validation(format!("{member} is not supported by Hearth")));
        }
    }
    Ok(())
}

/// Nobody has a device here; in the words for a code that is not the device's.
fn refuse_mfa(device: Option<&str>, code: Option<&str>) -> Result<(), ApiError> {
    if device.is_some() || code.is_some() {
        return Err(denied("MultiFactorAuthentication failed with invalid MFA one time pass code.".to_owned()));
    }
    Ok(())
}

/// Seen by the conditions of the role's trust policy. No other policy here asks for them, so whether they are transitive makes no
/// difference; but they must be there.
fn session_tags(tags: Vec<Tag>, transitive: &[String]) -> Result<BTreeMap<String, String>, ApiError> {
    let tags: BTreeMap<String, String> = tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    if tags.keys().any(|key| key.starts_with("aws:")) {
        return Err(validation("Session tags: keys must not begin with aws:.".to_owned()));
    }
    if transitive.iter().any(|key| !tags.contains_key(key)) {
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

async fn session_token(context: &Context, input: GetSessionTokenRequest) -> Result<GetSessionTokenResponse, ApiError> {
    if context.principal_arn.starts_with("arn:aws:sts:") {
        return Err(denied("Cannot call GetSessionToken with session credentials".to_owned()));
    }
    refuse_mfa(input.serial_number.as_deref(), input.token_code.as_deref())?;
    let seconds = input.duration_seconds.unwrap_or(SESSION_TOKEN_S);
    let issued = context.backend.session_token(
        &context.account,
        &context.principal_arn,
        &context.user_id,
        context.now + Duration::from_secs(seconds.into()),
        input.minimum_session_token_size.unwrap_or_default() as usize,
    );
    Ok(GetSessionTokenResponse { credentials: Some(credentials(&issued)), ..GetSessionTokenResponse::default() })
}

fn credentials(issued: &IssuedSession) -> Credentials {
    Credentials {
        access_key_id: issued.credentials.access_key_id.clone(),
        secret_access_key: issued.credentials.secret_access_key.clone(),
        session_token: issued.credentials.session_token.clone(),
        expiration: Time(issued.expires_at),
    }
}
