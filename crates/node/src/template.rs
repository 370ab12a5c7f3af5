//! Versions that start from a saved sandbox: which there are, and where their images lie.

mod make;
mod restore;

pub(crate) use make::prepare;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hearth_engine::TemplateHistory;
use hearth_engine::port::{PrepareError, Prepared, SessionCredentials};
use hearth_sandbox::{Isolation, Saving};
use hearth_tasks::FairTurns;
use hearth_templates::{Hot, ImageKey, Images, ImagesError};
use hearth_types::{AccountId, Instant, NetworkMode, SandboxId, VersionKey, VersionSpec};
use tokio::sync::watch;

/// Where images are kept, and what they are bound to.
#[derive(Clone, Debug)]
pub struct TemplateParts {
    /// Or why there are none.
    pub images: Result<Arc<Images>, String>,
    /// Digest of the agent: it is a part of what is saved.
    pub agent: String,
    /// Make templates also for versions that did not ask for one, where that pays.
    pub automatic: bool,
}

/// Sandboxes that have no place in the engine's books are numbered from here: those that are saved, and as the isolation
/// knows them those that are restored.
const IDS_FROM: u64 = 1 << 40;
/// The file in an image that says what it was made from.
const MADE_OF: &str = "hearth-made-of";
/// What copies lack of their tier; shown beside what the tier itself lacks.
const MISSING: &str = "Landlock as a second layer: CRIU cannot put a process back under it";
/// Histories that are kept before stale ones are forgotten.
const HISTORIES_MAX: usize = 10_000;
/// Credentials that are handed out before a save are to be fetched anew by whoever kept them: clients do so some minutes
/// before they expire.
const CREDENTIALS_BEFORE_SAVE: Duration = Duration::from_secs(60);
/// Those of a restored copy are its own, and last as long as it does.
const CREDENTIALS_OF_COPY: Duration = Duration::from_secs(365 * 24 * 3600);

type Outcome = Result<Prepared, PrepareError>;
type Making = watch::Receiver<Option<Outcome>>;

/// All that this node knows of templates.
#[derive(Debug)]
pub(crate) struct TemplateShop {
    images: Result<Arc<Images>, String>,
    /// What an image is bound to besides its version.
    made_by: String,
    automatic: bool,
    known: Mutex<HashSet<(AccountId, ImageKey)>>,
    making: Mutex<HashMap<VersionKey, Making>>,
    /// Retired while their template was being made.
    dropped: Mutex<HashSet<VersionKey>>,
    histories: Mutex<HashMap<VersionKey, TemplateHistory>>,
    /// More at once only take longer each.
    restores: FairTurns,
    /// Few: they are made beside everything else. One of each account, as an initialisation may take minutes.
    saves: FairTurns,
    next_id: AtomicU64,
}

impl TemplateShop {
    pub(crate) fn new(parts: TemplateParts, isolation: &dyn Isolation) -> Self {
        let (images, identity) = match (parts.images, isolation.saving()) {
            (Ok(images), Saving::Available { identity }) => (Ok(images), identity.clone()),
            (_, Saving::Unavailable { reason }) => (Err(reason.clone()), String::new()),
            (Err(reason), _) => (Err(reason), String::new()),
        };
        let known = images.as_ref().map(|images| images.list().into_iter().collect()).unwrap_or_default();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            images,
            made_by: format!("{identity}\nagent {}", parts.agent),
            automatic: parts.automatic,
            known: Mutex::new(known),
            making: Mutex::default(),
            dropped: Mutex::default(),
            histories: Mutex::default(),
            restores: FairTurns::new(cores, cores),
            saves: FairTurns::new(2, 1),
            next_id: AtomicU64::new(IDS_FROM),
        }
    }

    fn next_id(&self) -> SandboxId {
        SandboxId(self.next_id.fetch_add(1, Ordering::Relaxed))
    }

    /// Where images are, if this version may have one; else why not.
    fn images_for(&self, spec: &VersionSpec) -> Result<&Arc<Images>, String> {
        if spec.live_dir.is_some() {
            return Err("its code is a live directory".to_owned());
        }
        if spec.network != NetworkMode::None {
            return Err("functions with a network start without templates".to_owned());
        }
        self.images.as_ref().map_err(Clone::clone)
    }

    /// Cheap, for every start: whether looking for an image is worth it.
    fn may_have(&self, key: &VersionKey) -> bool {
        lock(&self.known).contains(&(key.account.clone(), image_key(key)))
    }

    /// The image of this version, made in exactly this way.
    fn fetch(&self, spec: &VersionSpec, made_of: &str) -> Result<Option<Arc<Hot>>, ImagesError> {
        let Ok(images) = &self.images else { return Ok(None) };
        let key = image_key(&spec.key);
        let fetched = images.fetch(&spec.key.account, key);
        let fits =
            |hot: &Arc<Hot>| fs_err::read(hot.path().join(MADE_OF)).is_ok_and(|bytes| bytes == made_of.as_bytes());
        match fetched {
            Ok(Some(hot)) if fits(&hot) => return Ok(Some(hot)),
            // Made by another kernel, agent or the like.
            Ok(Some(_)) => images.remove(&spec.key.account, key),
            Ok(None) | Err(ImagesError::Broken) => {}
            Err(error) => return Err(error),
        }
        lock(&self.known).remove(&(spec.key.account.clone(), key));
        fetched.map(|_unusable| None)
    }

    /// Removes the images of versions.
    pub(crate) fn remove(&self, keys: &[VersionKey]) {
        let Ok(images) = &self.images else { return };
        for key in keys {
            lock(&self.histories).remove(key);
            if lock(&self.making).contains_key(key) {
                lock(&self.dropped).insert(key.clone());
            }
            if lock(&self.known).remove(&(key.account.clone(), image_key(key))) {
                images.remove(&key.account, image_key(key));
            }
        }
    }

    /// Removes one image, and keeps what is remembered of its version.
    fn remove_image(&self, key: &VersionKey) {
        lock(&self.known).remove(&(key.account.clone(), image_key(key)));
        if let Ok(images) = &self.images {
            images.remove(&key.account, image_key(key));
        }
    }

    /// Removes the images of all other versions.
    pub(crate) fn retain(&self, current: &HashSet<VersionKey>) {
        let Ok(images) = &self.images else { return };
        let current: HashSet<(AccountId, ImageKey)> =
            current.iter().map(|key| (key.account.clone(), image_key(key))).collect();
        let gone: Vec<_> = lock(&self.known).extract_if(|known| !current.contains(known)).collect();
        for (account, key) in gone {
            images.remove(&account, key);
        }
    }

    /// A sandbox of the version started without a template: whether one is to be made now.
    fn note_cold_start(&self, spec: &VersionSpec, now: Instant, init: Duration, took: Option<Duration>) -> bool {
        if self.images_for(spec).is_err() {
            return false;
        }
        let mut histories = lock(&self.histories);
        if histories.len() > HISTORIES_MAX {
            histories.retain(|_, history| !history.is_stale(now));
        }
        let history = histories.entry(spec.key.clone()).or_default();
        let pays = history.note_cold_start(now, init, took);
        (pays && self.automatic) || (spec.snap_start && history.may_try(now))
    }

    /// A copy came to life: whether its version is better off without a template. Where a function asked for SnapStart it has
    /// what it asked for.
    fn note_restored(&self, spec: &VersionSpec, now: Instant, took: Option<Duration>) -> bool {
        let mut histories = lock(&self.histories);
        let history = histories.entry(spec.key.clone()).or_default();
        let is_worse = history.note_restored(took) && !spec.snap_start;
        if is_worse {
            history.note_no_gain(now);
        }
        is_worse
    }

    fn note_failure(&self, key: &VersionKey, now: Instant) {
        lock(&self.histories).entry(key.clone()).or_default().note_failure(now);
    }

    /// Nothing is restored any more.
    pub(crate) fn close(&self) {
        if let Ok(images) = &self.images {
            images.close();
        }
    }

    /// Images, and bytes of them on disk and in memory, for the views.
    pub(crate) fn view(&self) -> serde_json::Value {
        match &self.images {
            Ok(images) => {
                let (disk_bytes, memory_bytes) = images.sizes();
                serde_json::json!({
                    "available": true, "images": lock(&self.known).len(), "making": lock(&self.making).len(),
                    "disk_bytes": disk_bytes, "memory_bytes": memory_bytes, "missing": [MISSING],
                })
            }
            Err(reason) => serde_json::json!({"available": false, "reason": reason}),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn image_key(key: &VersionKey) -> ImageKey {
    ImageKey::of(&[key.to_string().as_bytes(), &key.code.0])
}

/// As AWS's clients expect them of a container's host.
fn credentials_json(credentials: &SessionCredentials, expire: jiff::Timestamp) -> String {
    serde_json::json!({
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key,
        "Token": credentials.session_token,
        "Expiration": expire.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    })
    .to_string()
}
