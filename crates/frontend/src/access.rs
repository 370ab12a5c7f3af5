//! `/_hearth/v1/access`: keys and accounts, in JSON. Operators manage all; an account reads what is its own.
//!
//! A secret is shown once, in the answer that makes its key.

use std::time::Duration;

use bytes::Bytes;
use hearth_iam::access::{Access, AccessError, AccessKey, AccountEntry, Owner};
use hearth_types::{AccountId, Timestamp};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::admin::{Asker, for_operators};
use crate::capacity::parsed;
use crate::context::{Response, empty_response, json_response};
use crate::error::ApiError;

/// Where these pages begin, below those of capacity.
pub(crate) const BELOW: &str = "access/";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKey {
    account: Option<AccountId>,
    #[serde(default)]
    operator: bool,
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotation {
    /// For how long the old key goes on.
    keep_s: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    account: Option<AccountId>,
    name: Option<String>,
}

/// `path` is below [`BELOW`].
pub(crate) async fn respond(
    access: &Access,
    method: &Method,
    path: &str,
    body: &Bytes,
    (asker, now): (&Asker, Timestamp),
) -> Result<Response, ApiError> {
    let mut parts = path.trim_end_matches('/').splitn(3, '/');
    let (first, name, verb) = (parts.next().unwrap_or(""), parts.next(), parts.next());
    if let Asker::Account(account) = asker {
        return of_account(access, method, (first, name, verb), account);
    }
    match (method, first, name, verb) {
        (&Method::GET, "keys", None, None) => {
            let keys = access.keys(None);
            Ok(ok(&json!({"keys": keys.iter().map(|key| shown(key)).collect::<Vec<_>>()})))
        }
        (&Method::GET, "keys", Some(id), None) => Ok(ok(&shown(&found(access, id)?))),
        (&Method::POST, "keys", None, None) => {
            let (owner, name) = owner(parsed(body)?)?;
            let key = access.create_key(owner, name, now).await.map_err(refused)?;
            Ok(json_response(StatusCode::CREATED, with_secret(&key).to_string()))
        }
        (&Method::POST, "keys", Some(id), Some("rotate")) => {
            let rotation: Rotation = parsed(body)?;
            let keep = Duration::from_secs(rotation.keep_s);
            let (key, old) = access.rotate_key(id, keep, now).await.map_err(refused)?;
            let mut answer = with_secret(&key);
            answer["replaces"] = shown(&old);
            Ok(json_response(StatusCode::CREATED, answer.to_string()))
        }
        (&Method::DELETE, "keys", Some(id), None) => {
            access.delete_key(id, now).await.map_err(refused)?;
            Ok(empty_response(StatusCode::NO_CONTENT))
        }
        (&Method::GET, "accounts", None, None) => {
            let accounts = access.accounts();
            Ok(ok(&json!({"accounts": accounts.iter().map(account_shown).collect::<Vec<_>>()})))
        }
        (&Method::GET, "accounts", Some(account), None) => {
            Ok(ok(&account_shown(&access.account(account).map_err(refused)?)))
        }
        (&Method::POST, "accounts", None, None) => {
            let NewAccount { account, name } = parsed(body)?;
            let entry = access.create_account(account, name, now).await.map_err(refused)?;
            Ok(json_response(StatusCode::CREATED, account_shown(&entry).to_string()))
        }
        (&Method::POST, "accounts", Some(account), Some(verb @ ("disable" | "enable"))) => {
            let entry = access.set_disabled(account, verb == "disable", now).await.map_err(refused)?;
            Ok(ok(&account_shown(&entry)))
        }
        _ => {
            Err(ApiError::new(StatusCode::NOT_FOUND, "NotFound", "There is no such page: keys and accounts are there"))
        }
    }
}

/// What an account sees. Whether anything of others exists makes no difference.
fn of_account(
    access: &Access,
    method: &Method,
    path: (&str, Option<&str>, Option<&str>),
    account: &AccountId,
) -> Result<Response, ApiError> {
    let own = Owner::Account(account.clone());
    match (method, path) {
        (&Method::GET, ("keys", None, None)) => {
            let keys = access.keys(Some(&own));
            Ok(ok(&json!({"keys": keys.iter().map(|key| shown(key)).collect::<Vec<_>>()})))
        }
        (&Method::GET, ("accounts", None, None)) => {
            let entry = access.account(account.as_str()).map_err(refused)?;
            Ok(ok(&json!({"accounts": [account_shown(&entry)]})))
        }
        _ => Err(for_operators()),
    }
}

fn ok(value: &Value) -> Response {
    json_response(StatusCode::OK, value.to_string())
}

fn found(access: &Access, id: &str) -> Result<AccessKey, ApiError> {
    let key = access.keys(None).into_iter().find(|key| key.id == id);
    let missing = || refused(AccessError::NotFound { what: "key", name: id.to_owned() });
    key.map(|key| (*key).clone()).ok_or_else(missing)
}

fn owner(request: NewKey) -> Result<(Owner, Option<String>), ApiError> {
    match (request.account, request.operator) {
        (Some(account), false) => Ok((Owner::Account(account), request.name)),
        (None, true) => Ok((Owner::Operator, request.name)),
        _ => Err(refused(AccessError::Invalid("a key is an account's or an operator's: name one of both".to_owned()))),
    }
}

fn shown(key: &AccessKey) -> Value {
    let account = match &key.owner {
        Owner::Account(account) => json!(account),
        Owner::Operator => Value::Null,
    };
    json!({
        "id": key.id, "account": account, "operator": key.owner == Owner::Operator, "name": key.name,
        "source": if key.created_at.is_some() { "command" } else { "file" },
        "created_at_ms": key.created_at.map(Timestamp::as_millis),
        "expires_at_ms": key.expires_at.map(Timestamp::as_millis),
    })
}

fn with_secret(key: &AccessKey) -> Value {
    let mut value = shown(key);
    value["secret"] = json!(key.secret);
    value
}

fn account_shown(entry: &AccountEntry) -> Value {
    json!({"account": entry.account, "name": entry.name, "disabled": entry.disabled, "keys": entry.keys})
}

fn refused(error: AccessError) -> ApiError {
    let message = error.to_string();
    match error {
        AccessError::Invalid(_) => ApiError::new(StatusCode::BAD_REQUEST, "InvalidParameter", message),
        AccessError::NotFound { .. } => ApiError::new(StatusCode::NOT_FOUND, "NotFound", message),
        AccessError::Conflict(_) => ApiError::new(StatusCode::CONFLICT, "Conflict", message),
        AccessError::Store => ApiError::service(message),
    }
}
