//! Reads an account back from the store.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use hearth_store::{ReadError, Store};
use hearth_types::{FunctionName, Home};
use serde::de::DeserializeOwned;

use crate::account::{Aside, Contents, partition};
use crate::config::FunctionsConfig;
use crate::function::{Function, Records};
use crate::record::{COUNTER, FunctionRecord, LayerRecord, OF_FUNCTION, VersionRecord};
use hearth_store::stored;

const PAGE: usize = 500;

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the store cannot be read")]
    Read(#[source] ReadError),
}

/// Added to the newest number that is found where the counter of them cannot be read: some may have been given to what is gone.
const SKIPPED: u64 = 1 << 32;

/// Everything of the account, from an empty store nothing. What cannot be read is said in the log and put aside: a function with any part of it
/// that cannot, and single other records.
pub(crate) async fn account(store: &dyn Store, config: &FunctionsConfig, home: &Home) -> Result<Contents, LoadError> {
    let mut reader = Reader { store, partition: partition(home), lost: Vec::new() };
    let mut contents = Contents::default();
    let numbers = reader.map("numbers/").await?;
    let layer_numbers = reader.map("layer-numbers/").await?;
    let mut functions: HashMap<u64, Records> = HashMap::new();
    for (name, function) in reader.map::<FunctionRecord>("function/").await? {
        let Ok(parsed) = name.parse::<FunctionName>() else {
            reader.lose(format!("function/{name}"), &"the name is none of a function");
            continue;
        };
        let records = Records::new(parsed, function);
        functions.insert(records.function.uid, records);
    }
    reader.parts(&mut functions).await?;
    contents.writer.numbers = with_versions(numbers, &functions);
    for (key, record) in reader.map::<LayerRecord>("layer/").await? {
        let parsed = key.split_once('/').and_then(|(name, number)| Some((name, number.parse::<u64>().ok()?)));
        match parsed {
            Some((name, number)) => {
                contents.layers.entry(name.to_owned()).or_default().insert(number, Arc::new(record));
            }
            None => reader.lose(format!("layer/{key}"), &"the key is none of a layer version"),
        }
    }
    contents.writer.layer_numbers = with_layers(layer_numbers, &contents, &reader.lost);
    contents.writer.generation = reader.counter(&functions).await?;
    contents.aside = aside(&reader.lost, &mut functions);
    let functions = functions.into_values().map(|records| {
        let function = Function::new(config, home, records);
        (function.records.name.clone(), Arc::new(function))
    });
    contents.functions = functions.collect();
    Ok(contents)
}

/// Takes out what cannot be used of `functions`.
fn aside(lost: &[String], functions: &mut HashMap<u64, Records>) -> Aside {
    let mut aside = Aside::default();
    for key in lost {
        let (kind, rest) = key.split_once('/').unwrap_or((key, ""));
        let owner = rest.split('/').next().and_then(|uid| uid.parse::<u64>().ok());
        match kind {
            "function" => drop(aside.functions.insert(rest.to_owned())),
            kind if OF_FUNCTION.contains(&kind) => {
                let records = owner.and_then(|uid| functions.remove(&uid));
                match records {
                    Some(records) => drop(aside.functions.insert(records.name.to_string())),
                    None => aside.others += 1,
                }
            }
            _ => aside.others += 1,
        }
    }
    aside
}

/// No number is given out twice, even if the record of the last one cannot be read.
fn with_versions(mut numbers: BTreeMap<String, u64>, functions: &HashMap<u64, Records>) -> BTreeMap<String, u64> {
    for records in functions.values() {
        if let Some((last, _)) = records.versions.last_key_value() {
            let number = numbers.entry(records.name.to_string()).or_default();
            *number = (*number).max(*last);
        }
    }
    numbers
}

fn with_layers(mut numbers: BTreeMap<String, u64>, contents: &Contents, lost: &[String]) -> BTreeMap<String, u64> {
    let found = contents.layers.iter().flat_map(|(name, all)| all.keys().map(|number| (name.as_str(), *number)));
    let unread = lost.iter().filter_map(|key| {
        let (name, number) = key.strip_prefix("layer/")?.split_once('/')?;
        Some((name, number.parse().ok()?))
    });
    for (name, number) in found.chain(unread) {
        let last = numbers.entry(name.to_owned()).or_default();
        *last = (*last).max(number);
    }
    numbers
}

struct Reader<'a> {
    store: &'a dyn Store,
    partition: String,
    /// Keys of records that cannot be read.
    lost: Vec<String>,
}

impl Reader<'_> {
    fn lose(&mut self, key: String, error: &dyn std::fmt::Display) {
        tracing::error!(partition = self.partition, key, %error, "a stored record cannot be read and is put aside");
        self.lost.push(key);
    }

    /// All records under the prefix, by the rest of their key.
    async fn map<T: DeserializeOwned>(&mut self, prefix: &str) -> Result<BTreeMap<String, T>, LoadError> {
        let mut all = BTreeMap::new();
        let mut after: Option<String> = None;
        loop {
            let page =
                self.store.list(&self.partition, prefix, after.as_deref(), PAGE).await.map_err(LoadError::Read)?;
            for entry in &page {
                match stored::decode(&entry.value) {
                    Ok(record) => drop(all.insert(entry.key[prefix.len()..].to_owned(), record)),
                    Err(error) => self.lose(entry.key.clone(), &error),
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE => after = Some(last.key.clone()),
                _ => return Ok(all),
            }
        }
    }

    /// The last number given out.
    async fn counter(&mut self, functions: &HashMap<u64, Records>) -> Result<u64, LoadError> {
        let entry = self.store.get(&self.partition, COUNTER).await.map_err(LoadError::Read)?;
        let Some(entry) = entry else { return Ok(0) };
        Ok(match stored::decode(&entry.value) {
            Ok(number) => number,
            Err(error) => {
                self.lose(COUNTER.to_owned(), &error);
                let newest = |records: &Records| {
                    let versions = records.versions.values().map(|version| version.generation);
                    let own = [records.function.uid, records.function.latest.generation, records.function.placed];
                    versions.chain(own).max()
                };
                functions.values().filter_map(newest).max().unwrap_or_default() + SKIPPED
            }
        })
    }

    /// What belongs to the functions. Parts of a function that is gone are left to the settler.
    async fn parts(&mut self, functions: &mut HashMap<u64, Records>) -> Result<(), LoadError> {
        for (key, record) in self.map::<VersionRecord>("version/").await? {
            let Some((owner, number)) = self.owned(functions, "version/", &key) else { continue };
            match number.parse::<u64>() {
                Ok(number) => drop(owner.versions.insert(number, Arc::new(record))),
                Err(error) => self.lose(format!("version/{key}"), &error),
            }
        }
        for (key, record) in self.map("alias/").await? {
            if let Some((owner, name)) = self.owned(functions, "alias/", &key) {
                owner.aliases.insert(name.to_owned(), record);
            }
        }
        for (key, record) in self.map("policy/").await? {
            if let Some((owner, qualifier)) = self.owned(functions, "policy/", &key) {
                owner.policies.insert(qualifier.to_owned(), record);
            }
        }
        for (key, record) in self.map("async/").await? {
            if let Some((owner, qualifier)) = self.owned(functions, "async/", &key) {
                owner.async_configs.insert(qualifier.to_owned(), record);
            }
        }
        for (key, record) in self.map("provisioned/").await? {
            if let Some((owner, qualifier)) = self.owned(functions, "provisioned/", &key) {
                owner.provisioned.insert(qualifier.to_owned(), record);
            }
        }
        Ok(())
    }

    /// The function that `UID/REST` belongs to, if it still exists, and the rest.
    fn owned<'f, 'k>(
        &mut self,
        functions: &'f mut HashMap<u64, Records>,
        kind: &str,
        key: &'k str,
    ) -> Option<(&'f mut Records, &'k str)> {
        let parsed = key.split_once('/').and_then(|(uid, rest)| Some((uid.parse::<u64>().ok()?, rest)));
        let Some((uid, rest)) = parsed else {
            self.lose(format!("{kind}{key}"), &"the key is none of a part of a function");
            return None;
        };
        Some((functions.get_mut(&uid)?, rest))
    }
}
