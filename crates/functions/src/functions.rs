//! The control plane as its users hold it, and the one way in which anything is changed.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use hearth_aws_api::ApiError;
use hearth_engine::port::{Provisioner, Templates};
use hearth_packages::Packages;
use hearth_store::{CommitError, ReadError, Store, Write};
use hearth_types::{Home, Timestamp, VersionKey};
use serde::Serialize;
use tokio::sync::MutexGuard;

use crate::account::{Account, Writer};
use crate::accounts::Accounts;
use crate::config::FunctionsConfig;
use crate::function::{Function, Records};
use crate::load::{self, LoadError};
use crate::location::Signer;
use crate::move_accounts::{MoveError, move_accounts};
use crate::prepare::Preparer;
use crate::record::{self, function_key};
use crate::refuse;
use crate::settle::Settler;
use hearth_iam::Iam;
use hearth_store::stored;

/// For whom an operation is done, when, and at which endpoint (`http://host:port`, for URLs in answers).
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Where it looks for what the request names.
    pub home: &'a Home,
    /// ARN of the caller, which may be a function's role session.
    pub principal: &'a str,
    pub now: Timestamp,
    pub endpoint: &'a str,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("cannot move accounts to their Region")]
    Move(#[source] MoveError),
    #[error("cannot list the accounts")]
    List(#[source] ReadError),
    #[error("cannot load account {account}")]
    Load {
        account: Home,
        #[source]
        source: LoadError,
    },
    #[error("the system gave no randomness")]
    Random,
}

/// Told the keys whose sandboxes serve nobody any more, after their successors are durable.
pub type Retire = Arc<dyn Fn(Vec<VersionKey>) + Send + Sync>;

/// What the node does for the control plane.
#[derive(Clone, Debug)]
pub struct NodePorts {
    pub provisioner: Arc<dyn Provisioner>,
}

/// Functions, versions, aliases, layers and settings of all accounts in all Regions.
#[derive(Debug)]
pub struct Functions {
    pub(crate) shared: Arc<Shared>,
    /// Brings new and changed functions to their lasting state; ends with this.
    _settler: Settler,
    /// Prepares versions for SnapStart, once the node is there.
    preparer: OnceLock<Preparer>,
}

pub(crate) struct Shared {
    pub(crate) config: FunctionsConfig,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) packages: Arc<Packages>,
    pub(crate) iam: Arc<Iam>,
    pub(crate) signer: Signer,
    /// Read while a package is stored and not yet referred to; written while packages are removed.
    pub(crate) collection: tokio::sync::RwLock<()>,
    pub(crate) unsettled: crate::settle::Unsettled,
    pub(crate) unprepared: crate::prepare::Unprepared,
    retire: Retire,
    node: OnceLock<NodePorts>,
    pub(crate) accounts: Accounts,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Functions {
    /// Reads everything back and finishes what a previous life of the daemon left unfinished.
    ///
    /// Must be called on a tokio runtime: a background task lives as long as the result.
    pub async fn open(
        store: Arc<dyn Store>,
        packages: Arc<Packages>,
        iam: Arc<Iam>,
        config: FunctionsConfig,
        retire: Retire,
    ) -> Result<Self, OpenError> {
        let mut accounts = Vec::new();
        move_accounts(&*store, &config.region).await.map_err(OpenError::Move)?;
        let partitions = store.partitions(record::COUNTER).await.map_err(OpenError::List)?;
        for partition in partitions {
            let home =
                partition.strip_prefix(crate::account::PARTITION_PREFIX).and_then(|home| home.parse::<Home>().ok());
            let Some(home) = home else { continue };
            let contents = load::account(&*store, &config, &home).await;
            let contents = contents.map_err(|source| OpenError::Load { account: home.clone(), source })?;
            accounts.push(Account::new(home, contents));
        }
        let shared = Arc::new(Shared {
            signer: Signer::new().ok_or(OpenError::Random)?,
            collection: tokio::sync::RwLock::default(),
            unsettled: crate::settle::Unsettled::default(),
            unprepared: crate::prepare::Unprepared::default(),
            accounts: Accounts::new(accounts),
            config,
            store,
            packages,
            iam,
            retire,
            node: OnceLock::new(),
        });
        let settler = Settler::start(&shared);
        Ok(Self { shared, _settler: settler, preparer: OnceLock::new() })
    }

    /// Tells the node what it is to keep ready; until then nothing is, and nothing is provisioned. Counts the first time only.
    pub async fn connect(&self, node: NodePorts) {
        if self.shared.node.set(node).is_err() {
            return;
        }
        for account in self.shared.all_accounts() {
            let _writer = account.writer.lock().await;
            let functions: Vec<Arc<Function>> = account.functions().values().cloned().collect();
            functions.iter().for_each(|function| self.shared.provision(None, Some(function)));
        }
    }

    /// Has versions prepared for SnapStart from now on; until then they stay Pending. Counts the first time only.
    pub fn prepare_with(&self, templates: &Arc<dyn Templates>) {
        let _preparer = self.preparer.get_or_init(|| {
            let accounts = self.shared.all_accounts();
            let functions =
                accounts.iter().flat_map(|account| account.functions().values().cloned().collect::<Vec<_>>());
            // What is published meanwhile has no template yet.
            templates.retain(functions.flat_map(|function| function.keys().cloned().collect::<Vec<_>>()).collect());
            Preparer::start(&self.shared, templates)
        });
    }

    pub fn config(&self) -> &FunctionsConfig {
        &self.shared.config
    }
}

impl Shared {
    /// The account in the Region, if it ever had anything there.
    pub(crate) fn known_account(&self, home: &Home) -> Option<Arc<Account>> {
        self.accounts.known(home)
    }

    pub(crate) fn all_accounts(&self) -> Vec<Arc<Account>> {
        self.accounts.all()
    }

    /// The account for reading; every account id in every Region means an account, which is empty at first.
    pub(crate) fn seen_account(&self, home: &Home) -> Arc<Account> {
        self.known_account(home).unwrap_or_else(|| Accounts::empty(home))
    }

    /// The account for changing.
    pub(crate) fn account(&self, home: &Home) -> Arc<Account> {
        self.accounts.for_change(home)
    }

    /// Whether there is a function of this name whose records cannot be read.
    pub(crate) fn is_put_aside(&self, home: &Home, name: &str) -> bool {
        self.known_account(home).is_some_and(|account| account.aside().functions.contains(name))
    }

    /// `None` until it is connected.
    pub(crate) fn node(&self) -> Option<&NodePorts> {
        self.node.get()
    }

    pub(crate) fn retire(&self, keys: Vec<VersionKey>) {
        if !keys.is_empty() {
            (self.retire)(keys);
        }
    }

    /// The right to change the account, with memory as the store has it.
    pub(crate) async fn change<'a>(&'a self, account: &'a Account) -> Result<Change<'a>, ApiError> {
        let writer = account.writer.lock().await;
        let mut change = Change { shared: self, account, writer, writes: Vec::new(), generation: 0 };
        if change.writer.doubtful {
            change.reload().await?;
        }
        change.generation = change.writer.generation;
        Ok(change)
    }
}

/// A change in the making: collects writes, then commits them together.
///
/// # Cancel safety
/// A commit that is dropped half done leaves memory behind the store until the account's next change. Whoever serves
/// requests therefore runs changes as tasks of their own.
pub(crate) struct Change<'a> {
    shared: &'a Shared,
    pub(crate) account: &'a Account,
    pub(crate) writer: MutexGuard<'a, Writer>,
    writes: Vec<Write>,
    generation: u64,
}

impl Change<'_> {
    /// A number that no key of this account in this Region ever had.
    pub(crate) fn next_generation(&mut self) -> u64 {
        self.generation += 1;
        self.generation
    }

    pub(crate) fn put<T: Serialize>(&mut self, key: String, record: &T) -> Result<(), ApiError> {
        let value = stored::encode(record).map_err(|error| {
            tracing::error!(%key, %error, "cannot encode a record");
            ApiError::service("An error occurred and the request cannot be processed.")
        })?;
        self.writes.push(Write::Put { key, value: value.into() });
        Ok(())
    }

    pub(crate) fn delete(&mut self, key: String) {
        self.writes.push(Write::Delete { key });
    }

    /// The function as it is now.
    pub(crate) fn function(
        &self,
        name: &str,
        missing: impl FnOnce() -> ApiError,
    ) -> Result<std::sync::Arc<Function>, ApiError> {
        self.account.function(name).ok_or_else(missing)
    }

    /// Makes the writes durable.
    pub(crate) async fn commit(&mut self) -> Result<(), ApiError> {
        // The counter is also what says that there is an account: the first commit writes it whatever it changes.
        if self.generation != self.writer.generation || self.generation == 0 {
            self.generation = self.generation.max(1);
            let generation = self.generation;
            self.put(record::COUNTER.to_owned(), &generation)?;
        }
        let writes = std::mem::take(&mut self.writes);
        self.shared.accounts.keep(&self.account.home);
        self.writer.doubtful = true;
        let result = self.shared.store.commit(&self.account.partition, Vec::new(), writes).await;
        let error = match result {
            Ok(_) => {
                self.writer.doubtful = false;
                self.writer.generation = self.generation;
                return Ok(());
            }
            Err(error) => error,
        };
        tracing::error!(account = %self.account.home, %error, "a change was not stored");
        if let CommitError::TooLarge { .. } = error {
            self.writer.doubtful = false;
            return Err(ApiError::invalid_parameter("The resource is too large to be stored."));
        }
        // It may be stored nevertheless. If it cannot be read back now, the next change tries again.
        let _found = self.reload().await.is_ok();
        Err(ApiError::service("An error occurred and the request cannot be processed."))
    }

    /// Stores the function's own record, commits, and makes `records` what everybody sees; retires what it supersedes.
    pub(crate) async fn commit_function(&mut self, records: Records) -> Result<Arc<Function>, ApiError> {
        let before = self.account.find(&records.name);
        if let Some(before) = &before {
            self.drop_difference(&before.records, &records)?;
        }
        self.put(function_key(records.name.as_str()), &records.function)?;
        self.commit().await?;
        let function = Arc::new(Function::new(&self.shared.config, &self.account.home, records));
        self.account.put_function(Arc::clone(&function));
        if let Some(before) = before {
            let current: Vec<&VersionKey> = function.keys().collect();
            let superseded = before.keys().filter(|key| !current.contains(key)).cloned().collect();
            self.shared.retire(superseded);
            self.shared.provision(Some(&before), Some(&function));
        } else {
            self.shared.provision(None, Some(&function));
        }
        if function.is_unsettled() {
            self.shared.unsettled.add(self.account.home.clone(), function.records.name.clone());
        }
        self.shared.unprepared.add(&self.account.home, &function);
        Ok(function)
    }

    async fn reload(&mut self) -> Result<(), ApiError> {
        let contents = load::account(&*self.shared.store, &self.shared.config, &self.account.home).await;
        let contents = contents.map_err(|error| {
            tracing::error!(account = %self.account.home, error = &error as &dyn std::error::Error, "cannot read an account back");
            ApiError::service("An error occurred and the request cannot be processed.")
        })?;
        *self.writer = contents.writer;
        let before: Vec<Arc<Function>> = self.account.functions().values().cloned().collect();
        self.account.replace(contents.functions, contents.layers, contents.aside);
        let after: Vec<Arc<Function>> = self.account.functions().values().cloned().collect();
        let current: HashSet<&VersionKey> = after.iter().flat_map(|function| function.keys()).collect();
        let superseded = before.iter().flat_map(|function| function.keys()).filter(|key| !current.contains(key));
        self.shared.retire(superseded.cloned().collect());
        let find = |functions: &[Arc<Function>], wanted: &Function| {
            let same = |function: &&Arc<Function>| function.records.name == wanted.records.name;
            functions.iter().find(same).cloned()
        };
        for gone in before.iter().filter(|function| find(&after, function).is_none()) {
            self.shared.provision(Some(gone), None);
        }
        after.iter().for_each(|function| self.shared.provision(find(&before, function).as_deref(), Some(function)));
        for function in after.iter().filter(|function| function.is_unsettled()) {
            self.shared.unsettled.add(self.account.home.clone(), function.records.name.clone());
        }
        after.iter().for_each(|function| self.shared.unprepared.add(&self.account.home, function));
        Ok(())
    }
}

/// A new revision id.
pub(crate) fn revision_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// 404 for a function of the account; if there is one and it cannot be read, that is what is said.
pub(crate) fn missing(shared: &Shared, home: &Home, name: &str, qualifier: Option<&str>) -> ApiError {
    if shared.is_put_aside(home, name) {
        return refuse::put_aside(name);
    }
    let arn = crate::function::function_arn(home, name);
    refuse::function_not_found(&match qualifier {
        Some(qualifier) => format!("{arn}:{qualifier}"),
        None => arn,
    })
}
