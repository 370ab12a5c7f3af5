//! What each kind of document is among those that are held: read, put in its place, taken out, shown.

use hearth_engine::capacity::{Capacity, InstanceId, PoolName};
use hearth_types::{AccountId, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::document::invalid;
use super::held::{Held, Source, general};
use super::{AccountDocument, CapacityError, GroupDocument, InstanceDocument, PoolDocument, now};

/// Most documents of one kind.
const DOCUMENTS_MAX: usize = 4096;

/// What a document is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Instance,
    Pool,
    Account,
    Group,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Instance, Self::Pool, Self::Account, Self::Group];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Pool => "pool",
            Self::Account => "account",
            Self::Group => "group",
        }
    }

    /// The member that names a document.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Instance | Self::Pool | Self::Group => "name",
        }
    }
}

/// The document, and how it is shown: with all its defaults.
fn checked<T: DeserializeOwned + Serialize>(
    document: Value,
    check: impl Fn(&T) -> Result<(), CapacityError>,
) -> Result<(T, Value), CapacityError> {
    let document: T = serde_json::from_value(document).map_err(|error| invalid(error.to_string()))?;
    check(&document)?;
    let shown = normal(&document)?;
    Ok((document, shown))
}

fn normal(document: &impl Serialize) -> Result<Value, CapacityError> {
    serde_json::to_value(document).map_err(|error| invalid(error.to_string()))
}

/// Takes the document in, with all its defaults in the result, and the hook's token if it has one.
pub(super) fn insert(held: &mut Held, kind: Kind, document: Value) -> Result<(Value, Option<String>), CapacityError> {
    let count = names(held, kind).len();
    if count >= DOCUMENTS_MAX {
        return Err(invalid(format!("there can be at most {DOCUMENTS_MAX} of them")));
    }
    match kind {
        Kind::Instance => {
            let (document, value) = checked(document, |document: &InstanceDocument| document.check(now()))?;
            let known = held.instances.get(&document.name);
            if known.is_some_and(|known| known.leaving) {
                let message = format!("instance {:?} is still being emptied: try again when it is gone", document.name);
                return Err(CapacityError::Conflict { message });
            }
            let token = known.and_then(|known| known.token.clone());
            let source = if token.is_some() { Source::Hook } else { Source::Api };
            held.put_instance(document, source, token.clone());
            Ok((value, token))
        }
        Kind::Pool => {
            let (document, value) = checked(document, PoolDocument::check)?;
            held.pools.insert(document.name.clone(), (Source::Api, document));
            Ok((value, None))
        }
        Kind::Account => {
            let (document, value) = checked(document, AccountDocument::check)?;
            held.accounts.insert(document.account.to_string(), (Source::Api, document));
            Ok((value, None))
        }
        Kind::Group => {
            let (document, value) = checked(document, GroupDocument::check)?;
            held.groups.insert(document.name.clone(), (Source::Api, document));
            Ok((value, None))
        }
    }
}

pub(super) fn source_of(held: &Held, kind: Kind, name: &str) -> Source {
    match kind {
        Kind::Instance => held.instances.get(name).map_or(Source::Api, |held| held.source),
        Kind::Pool | Kind::Account | Kind::Group => Source::Api,
    }
}

pub(super) fn change_of(
    held: &Held,
    kind: Kind,
    name: &str,
    at: impl Fn(Timestamp) -> hearth_types::Instant,
) -> Option<Capacity> {
    match kind {
        Kind::Instance => held.instances.get(name).map(|held| Capacity::Add(held.document.to_instance(held.id, at))),
        Kind::Pool => Some(held.pool_change(name)),
        Kind::Account => name.parse().ok().map(|account| held.account_change(&account)),
        Kind::Group => Some(held.trust_groups()),
    }
}

pub(super) fn remove(held: &mut Held, kind: Kind, name: &str) -> Option<Capacity> {
    match kind {
        Kind::Instance => {
            let instance = held.instances.get_mut(name)?;
            instance.leaving = true;
            Some(Capacity::Remove(instance.id))
        }
        Kind::Pool => {
            held.pools.remove(name);
            Some(held.pool_change(name))
        }
        Kind::Account => {
            held.accounts.remove(name);
            name.parse::<AccountId>().ok().map(|account| held.account_change(&account))
        }
        Kind::Group => {
            held.groups.remove(name);
            Some(held.trust_groups())
        }
    }
}

/// Where the document comes from, if nothing needs it.
pub(super) fn deletable(held: &Held, kind: Kind, name: &str) -> Result<Source, CapacityError> {
    let conflict = |message: String| Err(CapacityError::Conflict { message });
    let not_there = || missing(kind, name);
    match kind {
        Kind::Instance => {
            if is_node(held, name) {
                return conflict("the instance `node` is this machine's own memory: it stays".to_owned());
            }
            let instance = held.instances.get(name).ok_or_else(not_there)?;
            if instance.leaving {
                return conflict(format!("instance {name:?} is being emptied already"));
            }
            Ok(instance.source)
        }
        Kind::Pool => {
            let (source, _) = held.pools.get(name).ok_or_else(not_there)?;
            if name == PoolName::general().0 {
                return Ok(*source);
            }
            if let Some(instance) = held.instances.values().find(|held| !held.leaving && held.document.pool == name) {
                return conflict(format!(
                    "instance {:?} is in the pool: remove it first, or put it into another pool",
                    instance.document.name
                ));
            }
            let user = held.accounts.values().find(|(_, account)| account.pools().any(|pool| pool == name));
            match user {
                Some((_, account)) => conflict(format!("the policy of account {} names it", account.account)),
                None => Ok(*source),
            }
        }
        Kind::Account => held.accounts.get(name).map(|(source, _)| *source).ok_or_else(not_there),
        Kind::Group => {
            let (source, _) = held.groups.get(name).ok_or_else(not_there)?;
            match held.pools.values().find(|(_, pool)| pool.group.as_deref() == Some(name)) {
                Some((_, pool)) => {
                    conflict(format!("pool {:?} belongs to it: give that another owner first", pool.name))
                }
                None => Ok(*source),
            }
        }
    }
}

pub(super) fn names(held: &Held, kind: Kind) -> Vec<String> {
    match kind {
        Kind::Instance => {
            let mut names: Vec<String> = held.instances.keys().cloned().collect();
            if is_node(held, InstanceDocument::NODE) {
                names.insert(0, InstanceDocument::NODE.to_owned());
            }
            names
        }
        Kind::Pool => {
            let mut names: Vec<String> = held.pools.keys().cloned().collect();
            if !held.pools.contains_key(&PoolName::general().0) {
                names.push(PoolName::general().0);
                names.sort_unstable();
            }
            names
        }
        Kind::Account => held.accounts.keys().cloned().collect(),
        Kind::Group => held.groups.keys().cloned().collect(),
    }
}

/// Whether this is the node's own memory.
fn is_node(held: &Held, name: &str) -> bool {
    name == InstanceDocument::NODE && held.node.is_some() && !held.instances.contains_key(name)
}

/// The document alone.
pub(super) fn plain(held: &Held, kind: Kind, name: &str) -> Option<Value> {
    let value = match kind {
        Kind::Instance if is_node(held, name) => normal(held.node.as_ref()?),
        Kind::Instance => normal(&held.instances.get(name)?.document),
        Kind::Pool if name == PoolName::general().0 && !held.pools.contains_key(name) => normal(&general()),
        Kind::Pool => normal(&held.pools.get(name)?.1),
        Kind::Account => normal(&held.accounts.get(name)?.1),
        Kind::Group => normal(&held.groups.get(name)?.1),
    };
    value.ok()
}

/// The document with where it comes from.
pub(super) fn shown(held: &Held, kind: Kind, name: &str) -> Option<Value> {
    let mut document = plain(held, kind, name)?;
    let source = match kind {
        Kind::Instance if is_node(held, name) => {
            document["id"] = json!(InstanceId::NODE);
            document["leaving"] = json!(false);
            None
        }
        Kind::Instance => Some(held.instances.get(name)?.source),
        Kind::Pool => held.pools.get(name).map(|(source, _)| *source),
        Kind::Account => held.accounts.get(name).map(|(source, _)| *source),
        Kind::Group => held.groups.get(name).map(|(source, _)| *source),
    };
    document["source"] = source.map_or(json!("default"), |source| json!(source));
    if let (Kind::Instance, Some(instance)) = (kind, held.instances.get(name)) {
        document["id"] = json!(instance.id);
        document["leaving"] = json!(instance.leaving);
    }
    Some(document)
}

pub(super) fn missing(kind: Kind, name: &str) -> CapacityError {
    CapacityError::NotFound { kind: kind.word(), name: name.to_owned() }
}
