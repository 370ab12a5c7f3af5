//! All images of this daemon.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use aws_lc_rs::digest::{Context, SHA256};
use fs_err as fs;
use hearth_types::{AccountId, Sha256};

use crate::account::Account;
use crate::hot::{Hot, HotDir};
use crate::seal::{Broken, SealingKey, load_master};

/// What an image was made from: equal keys, equal images.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ImageKey([u8; 32]);

impl ImageKey {
    /// From everything that the image depends on.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut digest = Context::new(&SHA256);
        for part in parts {
            digest.update(&(part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        let mut key = [0; 32];
        key.copy_from_slice(digest.finish().as_ref());
        Self(key)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn to_hex(self) -> String {
        Sha256(self.0).to_hex()
    }

    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        Sha256::from_hex(text).map(|digest| Self(digest.0))
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ImagesError {
    #[error("cannot {step} {}", path.display())]
    Io {
        step: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// What is on disk is not what was written there. The image is removed.
    #[error("the template does not check")]
    Broken,
    #[error("{} is not a file system in memory", path.display())]
    NotInMemory { path: PathBuf },
    #[error("the template is larger than all of them may be ({bytes} bytes)")]
    TooLarge { bytes: u64 },
    #[error("the disk has {bytes} bytes left, and some are kept for what must be stored")]
    DiskFull { bytes: u64 },
}

/// What templates leave free on the disk that they share with everything that must be stored.
const DISK_RESERVE_BYTES: u64 = 256 << 20;

impl From<Broken> for ImagesError {
    fn from(_: Broken) -> Self {
        Self::Broken
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImagesConfig {
    /// On disk; of this daemon alone.
    pub dir: PathBuf,
    /// In memory; of this daemon alone. Its parent is a tmpfs.
    pub hot_dir: PathBuf,
    pub disk_bytes_max: u64,
    /// Copies in memory, without those that are being read by somebody.
    pub hot_bytes_max: u64,
}

/// An image in the making: an empty directory in memory, to be filled.
#[derive(Debug)]
pub struct Draft(Hot);

impl Draft {
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

type Accounts = BTreeMap<AccountId, Arc<Account>>;
/// Copies in memory, and when each was asked for last.
type Copies = HashMap<(AccountId, ImageKey), (Arc<Hot>, SystemTime)>;

/// Calls block on the disk.
#[derive(Debug)]
pub struct Images {
    config: ImagesConfig,
    master: SealingKey,
    /// Held for moments, as everybody needs it: what is slow is done under locks of one account.
    accounts: Mutex<Accounts>,
    /// Held while the first image of an account makes its directory.
    opening: Mutex<()>,
    /// Held for moments, and before an account's index where both are.
    copies: Mutex<Copies>,
    /// Goes last, when it is empty.
    hot_dir: HotDir,
}

impl Images {
    /// Opens what an earlier process left, without what it left half done.
    ///
    /// # Errors
    /// The directories cannot be made, or the one in memory is not.
    pub fn open(config: ImagesConfig) -> Result<Self, ImagesError> {
        let failed = |source| ImagesError::Io { step: "open", path: config.dir.clone(), source };
        fs::create_dir_all(&config.dir).map_err(failed)?;
        std::fs::set_permissions(&config.dir, std::os::unix::fs::PermissionsExt::from_mode(0o700)).map_err(failed)?;
        let hot_dir = HotDir::open(&config.hot_dir)?;
        let master = load_master(&config.dir.join("master.key")).map_err(failed)?;
        let mut accounts = Accounts::new();
        for entry in fs::read_dir(&config.dir).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let account = entry.file_name().to_str().and_then(|name| name.parse::<AccountId>().ok());
            if let Some(account) = account {
                let opened = Account::open(&entry.path(), &master, account.as_str())?;
                accounts.insert(account, Arc::new(opened));
            }
        }
        let (opening, copies) = (Mutex::default(), Mutex::default());
        let images = Self { config, hot_dir, master, accounts: Mutex::new(accounts), opening, copies };
        images.shrink_disk();
        Ok(images)
    }

    fn accounts(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn copies(&self) -> MutexGuard<'_, Copies> {
        self.copies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn draft(&self) -> Result<Draft, ImagesError> {
        self.hot_dir.make().map(Draft)
    }

    /// Keeps what the draft was filled with, in place of whatever was there under this key. On disk when this returns.
    pub fn keep(&self, account: &AccountId, key: ImageKey, draft: Draft) -> Result<(), ImagesError> {
        let Draft(mut hot) = draft;
        hot.bytes = size(hot.path())?;
        if hot.bytes > self.config.disk_bytes_max {
            return Err(ImagesError::TooLarge { bytes: hot.bytes });
        }
        let left = disk_left(&self.config.dir)?;
        if left < hot.bytes.saturating_add(DISK_RESERVE_BYTES) {
            return Err(ImagesError::DiskFull { bytes: left });
        }
        self.opened(account)?.keep(key, hot.path())?;
        self.keep_copy(account, key, Arc::new(hot));
        self.shrink_disk();
        Ok(())
    }

    fn account(&self, account: &AccountId) -> Option<Arc<Account>> {
        self.accounts().get(account).cloned()
    }

    /// The account's, made if there is none.
    fn opened(&self, account: &AccountId) -> Result<Arc<Account>, ImagesError> {
        if let Some(known) = self.account(account) {
            return Ok(known);
        }
        let _turn = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = self.account(account) {
            return Ok(known);
        }
        let opened = Account::open(&self.config.dir.join(account.as_str()), &self.master, account.as_str())?;
        let opened = Arc::new(opened);
        self.accounts().insert(account.clone(), Arc::clone(&opened));
        Ok(opened)
    }

    /// For the next who asks, unless the image is gone already.
    fn keep_copy(&self, account: &AccountId, key: ImageKey, hot: Arc<Hot>) {
        let Some(opened) = self.account(account) else { return };
        let mut copies = self.copies();
        let replaced = opened.contains(key).then(|| copies.insert((account.clone(), key), (hot, SystemTime::now())));
        let surplus = self.shrink_copies(&mut copies);
        drop(copies);
        // Their files are removed only now.
        drop((replaced, surplus));
    }

    /// All that there are.
    pub fn list(&self) -> Vec<(AccountId, ImageKey)> {
        let accounts = self.accounts().clone();
        accounts.iter().flat_map(|(id, account)| account.keys().into_iter().map(|key| (id.clone(), key))).collect()
    }

    pub fn contains(&self, account: &AccountId, key: ImageKey) -> bool {
        self.account(account).is_some_and(|account| account.contains(key))
    }

    fn copy(&self, account: &AccountId, key: ImageKey) -> Option<Arc<Hot>> {
        let mut copies = self.copies();
        let (hot, used) = copies.get_mut(&(account.clone(), key))?;
        *used = SystemTime::now();
        Some(Arc::clone(hot))
    }

    /// The image's files in memory, each checked against what was kept; `None` if there is no such image.
    ///
    /// # Errors
    /// It does not check, and is gone now; or there is no room in memory.
    pub fn fetch(&self, account: &AccountId, key: ImageKey) -> Result<Option<Arc<Hot>>, ImagesError> {
        if let Some(hot) = self.copy(account, key) {
            return Ok(Some(hot));
        }
        let Some(opened) = self.account(account) else { return Ok(None) };
        let _turn = opened.read_turn();
        // Somebody else may have read it meanwhile.
        if let Some(hot) = self.copy(account, key) {
            return Ok(Some(hot));
        }
        let mut hot = self.hot_dir.make()?;
        let Some(bytes) = opened.unpack(key, hot.path())? else { return Ok(None) };
        hot.bytes = bytes;
        let hot = Arc::new(hot);
        self.keep_copy(account, key, Arc::clone(&hot));
        Ok(Some(hot))
    }

    pub fn remove(&self, account: &AccountId, key: ImageKey) {
        if let Some(opened) = self.account(account) {
            opened.remove(key);
        }
        let copy = self.copies().remove(&(account.clone(), key));
        drop(copy);
    }

    /// Lets go of all copies in memory: at the end, or where they are in the way.
    pub fn close(&self) {
        let copies = std::mem::take(&mut *self.copies());
        drop(copies);
        self.hot_dir.close();
    }

    /// Bytes on disk and in memory.
    pub fn sizes(&self) -> (u64, u64) {
        (self.disk_bytes(), self.copies().values().map(|(hot, _)| hot.bytes).sum())
    }

    fn disk_bytes(&self) -> u64 {
        let accounts = self.accounts().clone();
        accounts.values().map(|account| account.bytes()).sum()
    }

    /// Drops the least recently used until all fit.
    fn shrink_disk(&self) {
        while self.disk_bytes() > self.config.disk_bytes_max {
            let Some((_, account, key)) = self.last_used().into_iter().min() else { return };
            self.remove(&account, key);
        }
    }

    /// All images, by when they were read from disk or asked for last.
    fn last_used(&self) -> Vec<(SystemTime, AccountId, ImageKey)> {
        let accounts = self.accounts().clone();
        let copies = self.copies();
        let used = accounts.iter().flat_map(|(id, account)| {
            let images = account.last_used().into_iter();
            images.map(|(key, read)| {
                let asked = copies.get(&(id.clone(), key)).map(|(_, asked)| *asked);
                (asked.map_or(read, |asked| asked.max(read)), id.clone(), key)
            })
        });
        used.collect()
    }

    /// The latest stays in any case: it is about to be used.
    fn shrink_copies(&self, copies: &mut Copies) -> Vec<Arc<Hot>> {
        let mut surplus = Vec::new();
        while copies.len() > 1 && copies.values().map(|(hot, _)| hot.bytes).sum::<u64>() > self.config.hot_bytes_max {
            let oldest = copies.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone());
            let Some((hot, _)) = oldest.and_then(|oldest| copies.remove(&oldest)) else { break };
            surplus.push(hot);
        }
        surplus
    }
}

/// Bytes that this process may still write.
fn disk_left(dir: &Path) -> Result<u64, ImagesError> {
    let failed =
        |errno: rustix::io::Errno| ImagesError::Io { step: "measure", path: dir.to_owned(), source: errno.into() };
    rustix::fs::statvfs(dir).map(|found| found.f_bavail.saturating_mul(found.f_frsize)).map_err(failed)
}

fn size(dir: &Path) -> Result<u64, ImagesError> {
    let total =
        |dir: &Path| -> std::io::Result<u64> { fs::read_dir(dir)?.map(|entry| Ok(entry?.metadata()?.len())).sum() };
    total(dir).map_err(|source| ImagesError::Io { step: "read", path: dir.to_owned(), source })
}
