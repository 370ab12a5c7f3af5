//! Reading and changing documents: check, store, tell the fleet, in this order and one after the other.

use std::fmt;
use std::time::Duration;

use hearth_engine::capacity::{Capacity, PoolName};
use hearth_store::Write;
use hearth_types::{AccountId, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::document::invalid;
use super::held::{Held, Source, general};
use super::record::{Unfinished, drop_document, keep, told};
use super::{AccountDocument, CapacityError, CapacityPlan, GroupDocument, InstanceDocument, PoolDocument, Shared, now};

/// Most documents of one kind.
const DOCUMENTS_MAX: usize = 4096;

/// Who changed something, for the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Actor {
    /// By the ARN of who signed.
    Caller(String),
    /// The operator's hook, for the fleet.
    Hook,
    /// The fleet itself.
    Fleet,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Caller(arn) => arn,
            Self::Hook => "hook",
            Self::Fleet => "fleet",
        })
    }
}

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
    const fn key(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Instance | Self::Pool | Self::Group => "name",
        }
    }
}

impl CapacityPlan {
    /// All documents of a kind, in the order of their names.
    pub fn list(&self, kind: Kind) -> Vec<Value> {
        let held = self.shared.held();
        names(&held, kind).into_iter().filter_map(|name| shown(&held, kind, &name)).collect()
    }

    pub fn get(&self, kind: Kind, name: &str) -> Result<Value, CapacityError> {
        shown(&self.shared.held(), kind, name).ok_or_else(|| missing(kind, name))
    }

    /// Makes the document or replaces it; what it does not mention has its default. `true`: it is new.
    pub async fn put(
        &self,
        kind: Kind,
        name: &str,
        document: Value,
        actor: &Actor,
    ) -> Result<(Value, bool), CapacityError> {
        let _one_after_the_other = self.shared.writing.lock().await;
        let new = shown(&self.shared.held(), kind, name).is_none();
        let document = self.shared.set(kind, name, document, actor).await?;
        Ok((document, new))
    }

    /// Changes what is mentioned; a member that is null gets its default again.
    pub async fn patch(&self, kind: Kind, name: &str, changes: Value, actor: &Actor) -> Result<Value, CapacityError> {
        let _one_after_the_other = self.shared.writing.lock().await;
        let document = plain(&self.shared.held(), kind, name).ok_or_else(|| missing(kind, name))?;
        let (Value::Object(mut members), Value::Object(changes)) = (document, changes) else {
            return Err(invalid("the changes must be a JSON object"));
        };
        for (member, value) in changes {
            match value {
                Value::Null => drop(members.remove(&member)),
                value => drop(members.insert(member, value)),
            }
        }
        self.shared.set(kind, name, Value::Object(members), actor).await
    }

    /// An instance is emptied first, a pool must have none.
    pub async fn delete(&self, kind: Kind, name: &str, actor: &Actor) -> Result<(), CapacityError> {
        let shared = &self.shared;
        let _one_after_the_other = shared.writing.lock().await;
        let source = deletable(&shared.held(), kind, name)?;
        let mut writes = vec![drop_document(kind, name, source), told(actor, "delete", json!({kind.word(): name}))];
        writes.extend(shared.release_noted(kind, name));
        shared.commit(writes).await?;
        let change = {
            let mut held = shared.held();
            remove(&mut held, kind, name)
        };
        if let Some(change) = change {
            shared.declare(change);
        }
        Ok(())
    }

    /// The instance will be taken away after this time: nothing new runs on it, what still runs then is ended.
    pub async fn reclaim(&self, name: &str, after: Duration, actor: &Actor) -> Result<(), CapacityError> {
        let shared = &self.shared;
        let _one_after_the_other = shared.writing.lock().await;
        let source = deletable(&shared.held(), Kind::Instance, name)?;
        let details = json!({"instance": name, "seconds": after.as_secs()});
        let mut writes = vec![drop_document(Kind::Instance, name, source), told(actor, "reclaim", details)];
        writes.extend(shared.release_noted(Kind::Instance, name));
        shared.commit(writes).await?;
        let at = Timestamp::from_millis(now().as_millis() + u64::try_from(after.as_millis()).unwrap_or(u64::MAX / 2));
        let instance = {
            let mut held = shared.held();
            held.instances.get_mut(name).map(|held| {
                held.leaving = true;
                held.id
            })
        };
        if let (Some(instance), Some(fleet)) = (instance, shared.fleet.get()) {
            fleet.declare(Capacity::Reclaim { instance, at: fleet.instant_at(at) });
        }
        Ok(())
    }
}

impl Shared {
    /// That the hook gets the instance back, whatever becomes of this daemon before it is empty: a restart empties it.
    fn release_noted(&self, kind: Kind, name: &str) -> Option<Write> {
        if kind != Kind::Instance {
            return None;
        }
        let token = self.held().instances.get(name)?.token.clone()?;
        Some(Unfinished::Release { token, name: name.to_owned() }.begin())
    }

    /// The caller holds the writing lock.
    async fn set(&self, kind: Kind, name: &str, document: Value, actor: &Actor) -> Result<Value, CapacityError> {
        let document = named(kind, name, document)?;
        let mut next = self.held().tentative();
        let (document, token) = insert(&mut next, kind, document)?;
        next.check_references()?;
        let (source, what) = (source_of(&next, kind, name), format!("set {}", kind.word()));
        let details = json!({kind.word(): name, "document": document});
        let writes = vec![keep(kind, name, source, &document, token.as_deref()), told(actor, &what, details)];
        self.commit(writes).await?;
        let change = {
            let mut held = self.held();
            insert(&mut held, kind, document.clone())?;
            let at = |wall| self.fleet.get().map_or(hearth_types::Instant::ZERO, |fleet| fleet.instant_at(wall));
            change_of(&held, kind, name, at)
        };
        if let Some(change) = change {
            self.declare(change);
        }
        shown(&self.held(), kind, name).ok_or_else(|| missing(kind, name))
    }
}

/// The document with its name in it.
fn named(kind: Kind, name: &str, document: Value) -> Result<Value, CapacityError> {
    let Value::Object(mut members) = document else {
        return Err(invalid("the document must be a JSON object"));
    };
    match members.get(kind.key()) {
        Some(given) if given != name => {
            return Err(invalid(format!("the document is about {given}, but it was sent to {name:?}")));
        }
        Some(_) | None => members.insert(kind.key().to_owned(), json!(name)),
    };
    Ok(Value::Object(members))
}

fn parsed<T: DeserializeOwned>(document: Value) -> Result<T, CapacityError> {
    serde_json::from_value(document).map_err(|error| invalid(error.to_string()))
}

fn normal(document: &impl Serialize) -> Result<Value, CapacityError> {
    serde_json::to_value(document).map_err(|error| invalid(error.to_string()))
}

/// Takes the document in, with all its defaults in the result, and the hook's token if it has one.
fn insert(held: &mut Held, kind: Kind, document: Value) -> Result<(Value, Option<String>), CapacityError> {
    let count = names(held, kind).len();
    if count >= DOCUMENTS_MAX {
        return Err(invalid(format!("there can be at most {DOCUMENTS_MAX} of them")));
    }
    match kind {
        Kind::Instance => {
            let document: InstanceDocument = parsed(document)?;
            document.check(now())?;
            let known = held.instances.get(&document.name);
            if known.is_some_and(|known| known.leaving) {
                let message = format!("instance {:?} is still being emptied: try again when it is gone", document.name);
                return Err(CapacityError::Conflict { message });
            }
            let token = known.and_then(|known| known.token.clone());
            let source = if token.is_some() { Source::Hook } else { Source::Api };
            let value = normal(&document)?;
            held.put_instance(document, source, token.clone());
            Ok((value, token))
        }
        Kind::Pool => {
            let document: PoolDocument = parsed(document)?;
            document.check()?;
            let value = normal(&document)?;
            held.pools.insert(document.name.clone(), (Source::Api, document));
            Ok((value, None))
        }
        Kind::Account => {
            let document: AccountDocument = parsed(document)?;
            document.check()?;
            let value = normal(&document)?;
            held.accounts.insert(document.account.to_string(), (Source::Api, document));
            Ok((value, None))
        }
        Kind::Group => {
            let document: GroupDocument = parsed(document)?;
            document.check()?;
            let value = normal(&document)?;
            held.groups.insert(document.name.clone(), (Source::Api, document));
            Ok((value, None))
        }
    }
}

fn source_of(held: &Held, kind: Kind, name: &str) -> Source {
    match kind {
        Kind::Instance => held.instances.get(name).map_or(Source::Api, |held| held.source),
        Kind::Pool | Kind::Account | Kind::Group => Source::Api,
    }
}

fn change_of(held: &Held, kind: Kind, name: &str, at: impl Fn(Timestamp) -> hearth_types::Instant) -> Option<Capacity> {
    match kind {
        Kind::Instance => held.instances.get(name).map(|held| Capacity::Add(held.document.to_instance(held.id, at))),
        Kind::Pool => Some(held.pool_change(name)),
        Kind::Account => name.parse().ok().map(|account| held.account_change(&account)),
        Kind::Group => Some(held.trust_groups()),
    }
}

fn remove(held: &mut Held, kind: Kind, name: &str) -> Option<Capacity> {
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
fn deletable(held: &Held, kind: Kind, name: &str) -> Result<Source, CapacityError> {
    let conflict = |message: String| Err(CapacityError::Conflict { message });
    let not_there = || missing(kind, name);
    match kind {
        Kind::Instance => {
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

fn names(held: &Held, kind: Kind) -> Vec<String> {
    match kind {
        Kind::Instance => held.instances.keys().cloned().collect(),
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

/// The document alone.
fn plain(held: &Held, kind: Kind, name: &str) -> Option<Value> {
    let value = match kind {
        Kind::Instance => normal(&held.instances.get(name)?.document),
        Kind::Pool if name == PoolName::general().0 && !held.pools.contains_key(name) => normal(&general()),
        Kind::Pool => normal(&held.pools.get(name)?.1),
        Kind::Account => normal(&held.accounts.get(name)?.1),
        Kind::Group => normal(&held.groups.get(name)?.1),
    };
    value.ok()
}

/// The document with where it comes from.
fn shown(held: &Held, kind: Kind, name: &str) -> Option<Value> {
    let mut document = plain(held, kind, name)?;
    let source = match kind {
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

fn missing(kind: Kind, name: &str) -> CapacityError {
    CapacityError::NotFound { kind: kind.word(), name: name.to_owned() }
}
