//! What is run: a function version, resolved and immutable.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, FunctionName, Home, Region, Sha256, VersionLabel};

/// The identity under which sandboxes are kept and routed. Two requests may share a sandbox only if their keys are
/// equal; every change of code or configuration yields another `generation`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct VersionKey {
    pub account: AccountId,
    pub region: Region,
    pub function: FunctionName,
    pub version: VersionLabel,
    pub code: Sha256,
    /// Unique over all functions of the account in the Region, never reused, not even after delete and create under the same name.
    pub generation: u64,
}

impl VersionKey {
    /// Whose function it is, and where.
    pub fn home(&self) -> Home {
        Home::new(self.account.clone(), self.region.clone())
    }
}

impl fmt::Display for VersionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}:{}@{}", self.account, self.region, self.function, self.version, self.generation)
    }
}

/// A layer's content, in the order of the function's configuration.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LayerRef {
    pub arn: String,
    pub code: Sha256,
}

/// What a sandbox may reach. Set per function by the tag `hearth:network`, else by configuration.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkMode {
    /// The sandbox's own loopback only.
    #[default]
    None,
    /// The outside, but neither the host's addresses nor private ranges unless configuration allows them.
    Egress,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Fatal,
}

/// Everything that the node needs to run a version.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct VersionSpec {
    pub key: VersionKey,
    /// Such as `python3.11` or `provided.al2023`.
    pub runtime: String,
    /// Of the interpreter and runtime client, as configurations and logs name them.
    pub runtime_version_arn: String,
    pub handler: String,
    pub role: String,
    pub memory_mib: u32,
    pub timeout_ms: u64,
    pub ephemeral_storage_mib: u32,
    pub environment: BTreeMap<String, String>,
    pub layers: Vec<LayerRef>,
    /// A host directory mounted as `/var/task` instead of the unpacked package: development only.
    pub live_dir: Option<String>,
    pub network: NetworkMode,
    pub log_group: String,
    pub log_format: LogFormat,
    /// `ApplicationLogLevel`; `None` where the format is text.
    pub application_log_level: Option<LogLevel>,
    /// `SystemLogLevel`; `None` where the format is text.
    pub system_log_level: Option<LogLevel>,
    /// A published version that is initialised once and then starts from what was saved, where the host can do that.
    #[serde(default)]
    pub snap_start: bool,
    /// `TracingConfig.Mode` is `Active`.
    pub tracing_active: bool,
}
