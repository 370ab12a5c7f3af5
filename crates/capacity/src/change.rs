//! Reading and changing documents: check, store, tell the fleet, in this order and one after the other.

use std::fmt;
use std::time::Duration;

use hearth_engine::capacity::Capacity;
use hearth_store::Write;
use hearth_types::Timestamp;
use serde_json::{Value, json};

use super::document::invalid;
use super::kind::{change_of, deletable, insert, missing, names, plain, remove, shown, source_of};
use super::record::{Unfinished, drop_document, keep, told};
use super::{CapacityError, CapacityPlan, Kind, Shared, now};

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
