//! `/_hearth/v1`: capacity, in JSON, for operators. An account reads the policy that holds for it and the pools that it may draw on.
//!
//! `instances`, `pools`, `accounts` and `groups` are lists of documents; one is read, made or replaced, changed and deleted by its
//! name. Errors are `{"code": "...", "message": "..."}`.

use std::time::Duration;

use bytes::Bytes;
use hearth_capacity::{Actor, CapacityError, CapacityPlan, Kind};
use hearth_types::AccountId;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::admin::{Asker, for_operators};
use crate::context::{Response, empty_response, json_response};
use crate::error::ApiError;

/// Where these pages begin.
pub(crate) const ROOT: &str = "/_hearth/v1/";
/// Longest body, bytes.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;

/// Longest notice of a reclaim, seconds.
const RECLAIM_S_MAX: u64 = 7 * 24 * 3600;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reclaim {
    seconds: u64,
}

/// `path` is below [`ROOT`].
pub(crate) async fn respond(
    plan: &CapacityPlan,
    method: &Method,
    path: &str,
    query: Option<&str>,
    body: &Bytes,
    asker: &Asker,
) -> Result<Response, ApiError> {
    let actor = match asker {
        Asker::Operator(name) => Actor::Caller(name.clone()),
        Asker::Account(account) => return of_account(plan, method, path.trim_end_matches('/'), account),
    };
    let mut parts = path.trim_end_matches('/').splitn(3, '/');
    let (first, name, verb) = (parts.next().unwrap_or(""), parts.next(), parts.next());
    if (first, name) == ("log", None) && method == Method::GET {
        return log(plan, query).await;
    }
    let kind = match first {
        "instances" => Kind::Instance,
        "pools" => Kind::Pool,
        "accounts" => Kind::Account,
        "groups" => Kind::Group,
        _ => return Err(unknown()),
    };
    let answer = match (method, name, verb) {
        (&Method::GET, None, None) => json!({first: plan.list(kind)}),
        (&Method::GET, Some(name), None) => plan.get(kind, name).map_err(refused)?,
        (&Method::PUT, Some(name), None) => {
            let (document, new) = plan.put(kind, name, parsed(body)?, &actor).await.map_err(refused)?;
            let status = if new { StatusCode::CREATED } else { StatusCode::OK };
            return Ok(json_response(status, document.to_string()));
        }
        (&Method::PATCH, Some(name), None) => plan.patch(kind, name, parsed(body)?, &actor).await.map_err(refused)?,
        (&Method::DELETE, Some(name), None) => {
            plan.delete(kind, name, &actor).await.map_err(refused)?;
            return Ok(empty_response(StatusCode::NO_CONTENT));
        }
        (&Method::POST, Some(name), Some("reclaim")) if kind == Kind::Instance => {
            let reclaim: Reclaim = parsed(body)?;
            if reclaim.seconds > RECLAIM_S_MAX {
                return Err(invalid(format!("seconds must be at most {RECLAIM_S_MAX}")));
            }
            plan.reclaim(name, Duration::from_secs(reclaim.seconds), &actor).await.map_err(refused)?;
            return Ok(empty_response(StatusCode::ACCEPTED));
        }
        (_, _, None) => {
            return Err(ApiError::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "MethodNotAllowed",
                format!("not {method} here"),
            ));
        }
        _ => return Err(unknown()),
    };
    Ok(json_response(StatusCode::OK, answer.to_string()))
}

/// What an account sees. Whether anything of others exists makes no difference.
fn of_account(plan: &CapacityPlan, method: &Method, path: &str, account: &AccountId) -> Result<Response, ApiError> {
    let pools = || plan.list(Kind::Pool).into_iter().filter(|pool| may_draw(plan, pool, account));
    let answer = match (method, path.split_once('/').unwrap_or((path, ""))) {
        (&Method::GET, ("pools", "")) => json!({"pools": pools().collect::<Vec<_>>()}),
        (&Method::GET, ("pools", name)) => pools()
            .find(|pool| pool["name"] == name)
            .ok_or_else(|| refused(CapacityError::NotFound { kind: Kind::Pool.word(), name: name.to_owned() }))?,
        (&Method::GET, ("accounts", "")) => {
            let own = plan.get(Kind::Account, account.as_str()).ok();
            json!({"accounts": own.into_iter().collect::<Vec<_>>()})
        }
        (&Method::GET, ("accounts", name)) if name == account.as_str() => {
            plan.get(Kind::Account, name).map_err(refused)?
        }
        _ => return Err(for_operators()),
    };
    Ok(json_response(StatusCode::OK, answer.to_string()))
}

fn may_draw(plan: &CapacityPlan, pool: &Value, account: &AccountId) -> bool {
    let is_member = |group: &str| {
        let group = plan.get(Kind::Group, group).ok();
        group.is_some_and(|group| group["accounts"].as_array().is_some_and(|all| all.contains(&json!(account))))
    };
    pool["kind"] == "general" || pool["account"] == account.as_str() || pool["group"].as_str().is_some_and(is_member)
}

async fn log(plan: &CapacityPlan, query: Option<&str>) -> Result<Response, ApiError> {
    let number = |wanted: &str, default: u64| {
        let mut pairs = form_urlencoded::parse(query.unwrap_or("").as_bytes());
        let Some((_, text)) = pairs.find(|(name, _)| name == wanted) else { return Ok(default) };
        text.parse::<u64>().map_err(|_not_a_number| invalid(format!("{wanted} must be a number")))
    };
    let (from, limit) = (number("from", 0)?, number("limit", 1000)?);
    let records = plan.log(from, usize::try_from(limit).unwrap_or(usize::MAX)).await.map_err(refused)?;
    let next = records.last().map_or(from, |(sequence, _)| sequence + 1);
    let shown = records.into_iter().map(|(sequence, mut record)| {
        record["sequence"] = json!(sequence);
        record
    });
    Ok(json_response(StatusCode::OK, json!({"records": shown.collect::<Vec<Value>>(), "next": next}).to_string()))
}

pub(crate) fn parsed<T: serde::de::DeserializeOwned>(body: &Bytes) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| invalid(format!("the body is not the JSON that is expected: {error}")))
}

fn invalid(message: String) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "InvalidParameter", message)
}

fn unknown() -> ApiError {
    let message = "There is no such page: instances, pools, accounts, groups and log are there";
    ApiError::new(StatusCode::NOT_FOUND, "NotFound", message)
}

fn refused(error: CapacityError) -> ApiError {
    let message = error.to_string();
    match error {
        CapacityError::Invalid { .. } => invalid(message),
        CapacityError::NotFound { .. } => ApiError::new(StatusCode::NOT_FOUND, "NotFound", message),
        CapacityError::Conflict { .. } => ApiError::new(StatusCode::CONFLICT, "Conflict", message),
        CapacityError::Store => ApiError::service(message),
    }
}

/// `{"code": ..., "message": ...}`.
pub(crate) fn error_response(error: &ApiError) -> Response {
    json_response(error.status, json!({"code": error.code, "message": error.message}).to_string())
}
