//! One account in one Region, in memory: what readers see, and the writer that all changes of the account pass through.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use hearth_types::{FunctionName, Home};

use crate::function::{Function, Records};
use crate::provision;
use crate::record::LayerRecord;

pub(crate) type Layers = BTreeMap<String, BTreeMap<u64, Arc<LayerRecord>>>;

#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) home: Home,
    pub(crate) partition: String,
    functions: RwLock<BTreeMap<FunctionName, Arc<Function>>>,
    layers: RwLock<Layers>,
    aside: RwLock<Aside>,
    /// Sum of all reserved concurrency.
    reserved: AtomicU32,
    /// That, and what is provisioned of functions without a reservation.
    claimed: AtomicU32,
    /// Held by whoever changes anything, over its commit.
    pub(crate) writer: tokio::sync::Mutex<Writer>,
}

/// What only changes need.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    /// The last generation given out.
    pub(crate) generation: u64,
    /// The last version number of each function name that ever was.
    pub(crate) numbers: BTreeMap<String, u64>,
    pub(crate) layer_numbers: BTreeMap<String, u64>,
    /// A commit ended without an answer: memory may be behind the store.
    pub(crate) doubtful: bool,
}

/// Everything that the store knows of an account in a Region.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) functions: BTreeMap<FunctionName, Arc<Function>>,
    pub(crate) layers: Layers,
    pub(crate) writer: Writer,
    pub(crate) aside: Aside,
}

/// What is in the store and cannot be read: nothing of it is used, changed or removed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aside {
    /// Functions of which a record cannot be read.
    pub(crate) functions: BTreeSet<String>,
    /// Other records, such as layer versions.
    pub(crate) others: usize,
}

impl Aside {
    pub(crate) fn is_any(&self) -> bool {
        !self.functions.is_empty() || self.others > 0
    }
}

impl Account {
    pub(crate) fn new(home: Home, contents: Contents) -> Self {
        let account = Self {
            partition: partition(&home),
            home,
            functions: RwLock::default(),
            layers: RwLock::default(),
            aside: RwLock::default(),
            reserved: AtomicU32::new(0),
            claimed: AtomicU32::new(0),
            writer: tokio::sync::Mutex::new(contents.writer),
        };
        account.replace(contents.functions, contents.layers, contents.aside);
        account
    }

    /// Puts what was read from the store in the place of everything.
    pub(crate) fn replace(&self, functions: BTreeMap<FunctionName, Arc<Function>>, layers: Layers, aside: Aside) {
        *self.aside.write().unwrap_or_else(PoisonError::into_inner) = aside;
        *self.functions_mut() = functions;
        *self.layers.write().unwrap_or_else(PoisonError::into_inner) = layers;
        self.count_reserved();
    }

    pub(crate) fn aside(&self) -> RwLockReadGuard<'_, Aside> {
        self.aside.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn function(&self, name: &str) -> Option<Arc<Function>> {
        let name: FunctionName = name.parse().ok()?;
        self.functions().get(&name).cloned()
    }

    pub(crate) fn find(&self, name: &FunctionName) -> Option<Arc<Function>> {
        self.functions().get(name).cloned()
    }

    pub(crate) fn functions(&self) -> RwLockReadGuard<'_, BTreeMap<FunctionName, Arc<Function>>> {
        self.functions.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn functions_mut(&self) -> RwLockWriteGuard<'_, BTreeMap<FunctionName, Arc<Function>>> {
        self.functions.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn layers(&self) -> RwLockReadGuard<'_, Layers> {
        self.layers.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The layer version, present or deleted only if it is present.
    pub(crate) fn layer(&self, name: &str, number: u64) -> Option<Arc<LayerRecord>> {
        self.layers().get(name)?.get(&number).cloned()
    }

    pub(crate) fn put_function(&self, function: Arc<Function>) {
        self.functions_mut().insert(function.records.name.clone(), function);
        self.count_reserved();
    }

    pub(crate) fn remove_function(&self, name: &FunctionName) {
        self.functions_mut().remove(name);
        self.count_reserved();
    }

    pub(crate) fn put_layer(&self, name: &str, number: u64, record: Option<LayerRecord>) {
        let mut layers = self.layers.write().unwrap_or_else(PoisonError::into_inner);
        let versions = layers.entry(name.to_owned()).or_default();
        match record {
            Some(record) => {
                versions.insert(number, Arc::new(record));
            }
            None => {
                versions.remove(&number);
            }
        }
        if versions.is_empty() {
            layers.remove(name);
        }
    }

    /// What all functions have reserved together.
    pub(crate) fn reserved(&self) -> u32 {
        self.reserved.load(Ordering::Relaxed)
    }

    /// What is left of the account's concurrency is its `UnreservedConcurrentExecutions` without this.
    pub(crate) fn claimed(&self) -> u32 {
        self.claimed.load(Ordering::Relaxed)
    }

    fn count_reserved(&self) {
        let functions = self.functions();
        let reserved = functions.values().filter_map(|function| function.records.function.reserved_concurrency).sum();
        self.reserved.store(reserved, Ordering::Relaxed);
        self.claimed.store(functions.values().map(|function| claim(&function.records)).sum(), Ordering::Relaxed);
    }
}

/// What a function takes out of what the account's functions share.
pub(crate) fn claim(records: &Records) -> u32 {
    records.function.reserved_concurrency.unwrap_or_else(|| provision::total(records))
}

pub(crate) const PARTITION_PREFIX: &str = "lambda/";

pub(crate) fn partition(home: &Home) -> String {
    format!("{PARTITION_PREFIX}{home}")
}
