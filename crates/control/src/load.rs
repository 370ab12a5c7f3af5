//! Reads an account back from the store.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use hearth_store::{Entry, ReadError, Store};
use hearth_types::{AccountId, FunctionName};
use serde::de::DeserializeOwned;

use crate::account::{Contents, partition};
use crate::config::ControlConfig;
use crate::function::{Function, Records};
use crate::record::{COUNTER, FunctionRecord, LayerRecord, VersionRecord};

const PAGE: usize = 500;

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the store cannot be read")]
    Read(#[source] ReadError),
    #[error("the record {key} is not what this version of Hearth writes")]
    Malformed {
        key: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("{key} is not a key of this version of Hearth")]
    Key { key: String },
}

/// Everything of the account, from an empty store nothing.
pub(crate) async fn account(store: &dyn Store, config: &ControlConfig, id: &AccountId) -> Result<Contents, LoadError> {
    let reader = Reader { store, partition: partition(id) };
    let mut contents = Contents::default();
    if let Some(entry) = store.get(&reader.partition, COUNTER).await.map_err(LoadError::Read)? {
        contents.writer.generation = decode(&entry)?;
    }
    contents.writer.numbers = reader.map("numbers/").await?;
    contents.writer.layer_numbers = reader.map("layer-numbers/").await?;
    let mut functions: HashMap<u64, Records> = HashMap::new();
    for (name, function) in reader.map::<FunctionRecord>("function/").await? {
        let parsed: Result<FunctionName, _> = name.parse();
        let name = parsed.ok().ok_or(LoadError::Key { key: format!("function/{name}") })?;
        let records = Records::new(name, function);
        functions.insert(records.function.uid, records);
    }
    reader.parts(&mut functions).await?;
    let functions = functions.into_values().map(|records| {
        let function = Function::new(config, id, records);
        (function.records.name.clone(), Arc::new(function))
    });
    contents.functions = functions.collect();
    for (key, record) in reader.map::<LayerRecord>("layer/").await? {
        let malformed = || LoadError::Key { key: format!("layer/{key}") };
        let (name, number) = key.split_once('/').ok_or_else(malformed)?;
        let number: u64 = number.parse().ok().ok_or_else(malformed)?;
        contents.layers.entry(name.to_owned()).or_default().insert(number, Arc::new(record));
    }
    Ok(contents)
}

struct Reader<'a> {
    store: &'a dyn Store,
    partition: String,
}

impl Reader<'_> {
    /// All records under the prefix, by the rest of their key.
    async fn map<T: DeserializeOwned>(&self, prefix: &str) -> Result<BTreeMap<String, T>, LoadError> {
        let mut all = BTreeMap::new();
        let mut after: Option<String> = None;
        loop {
            let page =
                self.store.list(&self.partition, prefix, after.as_deref(), PAGE).await.map_err(LoadError::Read)?;
            for entry in &page {
                all.insert(entry.key[prefix.len()..].to_owned(), decode(entry)?);
            }
            match page.last() {
                Some(last) if page.len() == PAGE => after = Some(last.key.clone()),
                _ => return Ok(all),
            }
        }
    }

    /// What belongs to the functions. Parts of a function that is gone are left to the settler.
    async fn parts(&self, functions: &mut HashMap<u64, Records>) -> Result<(), LoadError> {
        for (key, record) in self.map::<VersionRecord>("version/").await? {
            let (owner, number) = owned(functions, "version/", &key)?;
            let number: u64 = number.parse().ok().ok_or(LoadError::Key { key: format!("version/{key}") })?;
            owner.map(|records| records.versions.insert(number, Arc::new(record)));
        }
        for (key, record) in self.map("alias/").await? {
            let (owner, name) = owned(functions, "alias/", &key)?;
            owner.map(|records| records.aliases.insert(name.to_owned(), record));
        }
        for (key, record) in self.map("policy/").await? {
            let (owner, qualifier) = owned(functions, "policy/", &key)?;
            owner.map(|records| records.policies.insert(qualifier.to_owned(), record));
        }
        for (key, record) in self.map("async/").await? {
            let (owner, qualifier) = owned(functions, "async/", &key)?;
            owner.map(|records| records.async_configs.insert(qualifier.to_owned(), record));
        }
        for (key, record) in self.map("provisioned/").await? {
            let (owner, qualifier) = owned(functions, "provisioned/", &key)?;
            owner.map(|records| records.provisioned.insert(qualifier.to_owned(), record));
        }
        Ok(())
    }
}

/// The function that `UID/REST` belongs to, if it still exists, and the rest.
fn owned<'a, 'k>(
    functions: &'a mut HashMap<u64, Records>,
    kind: &str,
    key: &'k str,
) -> Result<(Option<&'a mut Records>, &'k str), LoadError> {
    let malformed = || LoadError::Key { key: format!("{kind}{key}") };
    let (uid, rest) = key.split_once('/').ok_or_else(malformed)?;
    let uid: u64 = uid.parse().ok().ok_or_else(malformed)?;
    Ok((functions.get_mut(&uid), rest))
}

fn decode<T: DeserializeOwned>(entry: &Entry) -> Result<T, LoadError> {
    serde_json::from_slice(&entry.value).map_err(|source| LoadError::Malformed { key: entry.key.clone(), source })
}
