//! What is stored: one JSON document per function, version, alias, policy and setting, each behind the mark of its form (`stored`).
//!
//! Keys, all in the account's partition:
//! ```text
//! counter                          the next generation
//! function/NAME                    FunctionRecord
//! numbers/NAME                     the last version number; outlives the function
//! version/UID/NUMBER               VersionRecord      UID: of this life of the function, so that deleting the
//! alias/UID/NAME                   AliasRecord        function's own record is enough to be rid of all of it
//! policy/UID/QUALIFIER             list of IAM statements
//! async/UID/QUALIFIER              AsyncRecord
//! provisioned/UID/QUALIFIER        ProvisionedRecord
//! layer/NAME/NUMBER                LayerRecord
//! layer-numbers/NAME               the last layer version number
//! ```

use std::collections::BTreeMap;

use hearth_aws_api::shapes::lambda::{Architecture, Runtime, StateReasonCode, UpdateRuntimeOn};
use hearth_packages::Package;
use hearth_types::{LogFormat, LogLevel, Timestamp};
use serde::{Deserialize, Serialize};

/// A layer version as a function uses it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct LayerUse {
    pub(crate) arn: String,
    pub(crate) package: Package,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Logging {
    pub(crate) format: LogFormat,
    pub(crate) application_level: Option<LogLevel>,
    pub(crate) system_level: Option<LogLevel>,
    pub(crate) group: String,
}

/// Code and configuration: what publishing freezes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) package: Package,
    pub(crate) runtime: Runtime,
    pub(crate) handler: String,
    pub(crate) role: String,
    pub(crate) description: String,
    pub(crate) timeout_s: u32,
    pub(crate) memory_mib: u32,
    pub(crate) ephemeral_storage_mib: u32,
    /// `None`: never given, and not shown.
    pub(crate) environment: Option<BTreeMap<String, String>>,
    pub(crate) layers: Vec<LayerUse>,
    pub(crate) dead_letter: Option<String>,
    pub(crate) tracing_active: bool,
    pub(crate) architecture: Architecture,
    pub(crate) snap_start: bool,
    pub(crate) logging: Logging,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Status {
    /// State Pending.
    Creating,
    /// State Active, LastUpdateStatus Successful.
    Active,
    /// State Active, LastUpdateStatus InProgress.
    Updating,
    /// State Pending: a published version that is initialised for SnapStart.
    Preparing,
    /// State Failed: its preparation failed.
    Failed,
}

/// What became of preparing a published version for SnapStart.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Preparation {
    /// It starts from a template.
    Template,
    /// It starts as any other, because the host could not do better.
    Plain { reason: String },
    /// What the version's state says of it.
    Failed { code: StateReasonCode, reason: String },
}

/// `$LATEST` or a published version.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct VersionRecord {
    pub(crate) settings: Settings,
    /// New with every change; see `VersionKey`.
    pub(crate) generation: u64,
    pub(crate) revision_id: String,
    pub(crate) modified: Timestamp,
    pub(crate) status: Status,
    /// Of `$LATEST` when this was published, as its own description may have been given with the publishing.
    pub(crate) source_description: Option<String>,
    /// `None` where there is nothing to prepare, and until it is done.
    #[serde(default)]
    pub(crate) preparation: Option<Preparation>,
}

impl VersionRecord {
    /// A published version that is still to be prepared.
    pub(crate) fn is_unprepared(&self) -> bool {
        self.settings.snap_start && self.preparation.is_none() && self.source_description.is_some()
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct FunctionRecord {
    /// Of this life of the function.
    pub(crate) uid: u64,
    pub(crate) latest: VersionRecord,
    pub(crate) tags: BTreeMap<String, String>,
    /// A generation: of the last change of tags that change how sandboxes are made.
    pub(crate) placed: u64,
    pub(crate) reserved_concurrency: Option<u32>,
    /// The published version that PublishVersion compares with.
    pub(crate) last_published: Option<u64>,
    pub(crate) recursion_allowed: bool,
    /// `UpdateRuntimeOn` per qualifier, where it is not `Auto`.
    pub(crate) runtime_updates: BTreeMap<String, RuntimeUpdate>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct RuntimeUpdate {
    pub(crate) update_on: UpdateRuntimeOn,
    pub(crate) version_arn: Option<String>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct AliasRecord {
    pub(crate) version: AliasTarget,
    /// Another version and its share, 0 to 1.
    pub(crate) other: Option<(u64, f64)>,
    pub(crate) description: String,
    pub(crate) revision_id: String,
}

/// What an alias points to: a published version or, by `None`, `$LATEST`.
pub(crate) type AliasTarget = Option<u64>;

/// IAM statements in the order they were added, each an object with `Sid`.
pub(crate) type Statements = Vec<serde_json::Value>;

/// The policy of a function, version, alias or layer version. Its revision changes with the policy alone, whatever else changes
/// of what it belongs to.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(from = "StoredPolicy")]
pub(crate) struct PolicyRecord {
    pub(crate) statements: Statements,
    pub(crate) revision_id: String,
}

/// Policies of functions were once stored without a revision of their own.
#[derive(Deserialize)]
#[serde(untagged)]
enum StoredPolicy {
    Bare(Statements),
    Whole { statements: Statements, revision_id: String },
}

impl From<StoredPolicy> for PolicyRecord {
    fn from(stored: StoredPolicy) -> Self {
        match stored {
            StoredPolicy::Whole { statements, revision_id } => Self { statements, revision_id },
            StoredPolicy::Bare(statements) => Self { statements, revision_id: uuid::Uuid::nil().to_string() },
        }
    }
}

/// How asynchronous invocations of one qualifier are retried and what becomes of them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct AsyncRecord {
    pub(crate) retries_max: Option<u32>,
    pub(crate) age_s_max: Option<u32>,
    pub(crate) on_success: Option<String>,
    pub(crate) on_failure: Option<String>,
    pub(crate) modified: Timestamp,
}

/// Provisioned concurrency of a published version or of an alias.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct ProvisionedRecord {
    pub(crate) requested: u32,
    pub(crate) modified: Timestamp,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct LayerRecord {
    pub(crate) package: Package,
    pub(crate) description: String,
    pub(crate) created: Timestamp,
    pub(crate) architectures: Option<Vec<Architecture>>,
    pub(crate) runtimes: Option<Vec<Runtime>>,
    pub(crate) license: Option<String>,
    pub(crate) policy: Option<PolicyRecord>,
}

pub(crate) const COUNTER: &str = "counter";

pub(crate) fn function_key(name: &str) -> String {
    format!("function/{name}")
}

pub(crate) fn numbers_key(name: &str) -> String {
    format!("numbers/{name}")
}

pub(crate) fn version_key(uid: u64, number: u64) -> String {
    format!("version/{uid:020}/{number:020}")
}

pub(crate) fn alias_key(uid: u64, name: &str) -> String {
    format!("alias/{uid:020}/{name}")
}

pub(crate) fn policy_key(uid: u64, qualifier: &str) -> String {
    format!("policy/{uid:020}/{qualifier}")
}

pub(crate) fn async_key(uid: u64, qualifier: &str) -> String {
    format!("async/{uid:020}/{qualifier}")
}

pub(crate) fn provisioned_key(uid: u64, qualifier: &str) -> String {
    format!("provisioned/{uid:020}/{qualifier}")
}

pub(crate) fn layer_key(name: &str, number: u64) -> String {
    format!("layer/{name}/{number:020}")
}

pub(crate) fn layer_numbers_key(name: &str) -> String {
    format!("layer-numbers/{name}")
}

/// The kinds of record that belong to one life of a function.
pub(crate) const OF_FUNCTION: [&str; 5] = ["version", "alias", "policy", "async", "provisioned"];

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;

    /// Stores keep the API's own words, which older ones held as text.
    #[test]
    fn words_of_the_api_are_stored_as_they_travel() {
        fn assert_kept<T: DeserializeOwned + Serialize>(stored: Value) {
            let read: T = serde_json::from_value(stored.clone()).unwrap();
            assert_eq!(serde_json::to_value(read).unwrap(), stored);
        }
        let package = Package { code: hearth_types::Sha256([7; 32]), zip_bytes: 1, unpacked_bytes: 2 };
        assert_kept::<Settings>(json!({
            "package": package, "runtime": "python3.12", "handler": "h", "role": "r", "description": "", "timeout_s": 3,
            "memory_mib": 128, "ephemeral_storage_mib": 512, "environment": null, "layers": [], "dead_letter": null,
            "tracing_active": false, "architecture": "x86_64", "snap_start": false,
            "logging": {"format": "Json", "application_level": "TRACE", "system_level": "WARN", "group": "g"},
        }));
        assert_kept::<LayerRecord>(json!({
            "package": package, "description": "", "created": 1, "architectures": ["x86_64", "arm64"],
            "runtimes": ["nodejs4.3-edge", "java8.al2"], "license": null, "policy": null,
        }));
        assert_kept::<RuntimeUpdate>(json!({"update_on": "FunctionUpdate", "version_arn": null}));
        assert_kept::<Preparation>(json!({"Failed": {"code": "FunctionError.InitTimeout", "reason": "r"}}));
    }
}
