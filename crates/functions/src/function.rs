//! A function in memory: one immutable snapshot with everything that reads and invocations need.

use std::collections::BTreeMap;
use std::sync::Arc;

use hearth_engine::port::AsyncConfig;
use hearth_iam::evaluator::Policy;
use hearth_types::{FunctionName, Home, NetworkMode, Qualifier, Region, VersionKey, VersionLabel, VersionSpec};

use crate::config::FunctionsConfig;
use crate::record::{AliasRecord, AsyncRecord, FunctionRecord, PolicyRecord, ProvisionedRecord, Status, VersionRecord};
use crate::runtime;

/// Lambda's defaults for asynchronous invocation (Developer Guide, "Asynchronous invocation").
const RETRIES_DEFAULT: u32 = 2;
const AGE_S_DEFAULT: u32 = 21_600;

/// Tag that chooses the network of a function's sandboxes: `none` or `egress`.
pub(crate) const NETWORK_TAG: &str = "hearth:network";
/// Tag that names the host directory mounted instead of the package.
pub(crate) const LIVE_DIR_TAG: &str = "hearth:live-dir";

/// The stored parts of a function.
#[derive(Clone, Debug)]
pub(crate) struct Records {
    pub(crate) name: FunctionName,
    pub(crate) function: FunctionRecord,
    pub(crate) versions: BTreeMap<u64, Arc<VersionRecord>>,
    pub(crate) aliases: BTreeMap<String, AliasRecord>,
    pub(crate) policies: BTreeMap<String, PolicyRecord>,
    pub(crate) async_configs: BTreeMap<String, AsyncRecord>,
    pub(crate) provisioned: BTreeMap<String, ProvisionedRecord>,
}

impl Records {
    /// Without anything that belongs to the function.
    pub(crate) fn new(name: FunctionName, function: FunctionRecord) -> Self {
        let (versions, aliases, policies, async_configs, provisioned) = Default::default();
        Self { name, function, versions, aliases, policies, async_configs, provisioned }
    }
}

/// What an invocation of one qualifier gets.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) spec: Arc<VersionSpec>,
    /// With this qualifier.
    pub(crate) arn: Arc<str>,
    pub(crate) async_config: Arc<AsyncConfig>,
    pub(crate) readiness: Readiness,
}

/// Whether a version can be run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Readiness {
    Invocable,
    /// It is being created.
    Pending,
    /// It is being prepared for SnapStart.
    Preparing,
    /// Its preparation failed.
    Failed,
}

impl From<Status> for Readiness {
    fn from(status: Status) -> Self {
        match status {
            Status::Active | Status::Updating => Self::Invocable,
            Status::Creating => Self::Pending,
            Status::Preparing => Self::Preparing,
            Status::Failed => Self::Failed,
        }
    }
}

#[derive(Debug)]
pub(crate) struct ReadyAlias {
    pub(crate) primary: Ready,
    /// The other version and its share.
    pub(crate) other: Option<(Ready, f64)>,
}

#[derive(Debug)]
pub(crate) struct Function {
    /// Unqualified.
    pub(crate) arn: Arc<str>,
    pub(crate) records: Records,
    pub(crate) unqualified: Ready,
    pub(crate) latest: Ready,
    pub(crate) versions: BTreeMap<u64, Ready>,
    pub(crate) aliases: BTreeMap<String, ReadyAlias>,
    /// Resource policies, compiled, by qualifier; of the function itself under the empty one.
    policies: BTreeMap<String, Arc<Policy>>,
}

impl Function {
    pub(crate) fn new(config: &FunctionsConfig, home: &Home, records: Records) -> Self {
        let maker = Maker { config, home, records: &records, arn: function_arn(home, records.name.as_str()) };
        let arn: Arc<str> = maker.arn.as_str().into();
        let latest = maker.latest("$LATEST");
        let unqualified = Ready {
            spec: Arc::clone(&latest.spec),
            arn: Arc::clone(&arn),
            async_config: Arc::clone(&latest.async_config),
            readiness: latest.readiness,
        };
        let versions =
            records.versions.keys().filter_map(|number| Some((*number, maker.version(*number, &number.to_string())?)));
        let versions = versions.collect();
        let aliases =
            records.aliases.iter().filter_map(|(name, alias)| Some((name.clone(), maker.alias(name, alias)?)));
        let aliases = aliases.collect();
        let compiled = |policy: &PolicyRecord| Arc::new(Policy::compile(&crate::policy::document(&policy.statements)));
        let policies = records.policies.iter().map(|(qualifier, policy)| (qualifier.clone(), compiled(policy)));
        let policies = policies.collect();
        Self { arn, unqualified, latest, versions, aliases, policies, records }
    }

    /// The resource policy of the function, version or alias.
    pub(crate) fn policy(&self, qualifier: Option<&Qualifier>) -> Option<&Arc<Policy>> {
        match qualifier {
            None | Some(Qualifier::Latest) => self.policies.get(""),
            Some(qualifier) => self.policies.get(&*qualifier.to_string()),
        }
    }

    pub(crate) fn region(&self) -> &Region {
        &self.latest.spec.key.region
    }

    pub(crate) fn qualified_arn(&self, qualifier: &str) -> String {
        format!("{}:{qualifier}", self.arn)
    }

    /// The keys under which sandboxes of this function may exist.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &VersionKey> {
        std::iter::once(&self.latest).chain(self.versions.values()).map(|ready| &ready.spec.key)
    }

    /// Whether it, or a version of it, is still being created or changed.
    pub(crate) fn is_unsettled(&self) -> bool {
        let versions = self.records.versions.values().map(|version| version.status);
        let latest = self.records.function.latest.status;
        versions.chain([latest]).any(|status| matches!(status, Status::Creating | Status::Updating))
    }

    /// The versions that are to be prepared for SnapStart.
    pub(crate) fn unprepared(&self) -> impl Iterator<Item = u64> {
        self.records.versions.iter().filter(|(_, version)| version.is_unprepared()).map(|(number, _)| *number)
    }

    /// The version that a qualifier means now; of a weighted alias the main one.
    pub(crate) fn version(&self, qualifier: Option<&str>) -> Option<(VersionLabel, &VersionRecord)> {
        let number = match qualifier {
            None | Some("$LATEST") => None,
            Some(text) => match text.parse::<u64>() {
                Ok(number) => Some(number),
                Err(_) => self.records.aliases.get(text)?.version,
            },
        };
        match number {
            None => Some((VersionLabel::Latest, &self.records.function.latest)),
            Some(number) => Some((VersionLabel::Number(number), self.records.versions.get(&number)?)),
        }
    }
}

pub(crate) fn function_arn(Home { account, region }: &Home, name: &str) -> String {
    format!("arn:aws:lambda:{region}:{account}:function:{name}")
}

/// The network that the tags ask for, if they do.
pub(crate) fn tagged_network(tags: &BTreeMap<String, String>) -> Option<NetworkMode> {
    match tags.get(NETWORK_TAG).map(String::as_str) {
        Some("none") => Some(NetworkMode::None),
        Some("egress") => Some(NetworkMode::Egress),
        _ => None,
    }
}

struct Maker<'a> {
    config: &'a FunctionsConfig,
    home: &'a Home,
    records: &'a Records,
    arn: String,
}

impl Maker<'_> {
    fn latest(&self, qualifier: &str) -> Ready {
        self.ready(VersionLabel::Latest, &self.records.function.latest, qualifier)
    }

    fn version(&self, number: u64, qualifier: &str) -> Option<Ready> {
        let record = self.records.versions.get(&number)?;
        Some(self.ready(VersionLabel::Number(number), record, qualifier))
    }

    fn alias(&self, name: &str, alias: &AliasRecord) -> Option<ReadyAlias> {
        let primary = match alias.version {
            None => self.latest(name),
            Some(number) => self.version(number, name)?,
        };
        let other = alias.other.and_then(|(number, share)| Some((self.version(number, name)?, share)));
        Some(ReadyAlias { primary, other })
    }

    fn ready(&self, label: VersionLabel, version: &VersionRecord, qualifier: &str) -> Ready {
        Ready {
            spec: Arc::new(self.spec(label, version)),
            arn: format!("{}:{qualifier}", self.arn).into(),
            async_config: Arc::new(self.async_config(qualifier)),
            readiness: version.status.into(),
        }
    }

    fn async_config(&self, qualifier: &str) -> AsyncConfig {
        let record = self.records.async_configs.get(qualifier);
        AsyncConfig {
            retries_max: record.and_then(|record| record.retries_max).unwrap_or(RETRIES_DEFAULT),
            age_s_max: record.and_then(|record| record.age_s_max).unwrap_or(AGE_S_DEFAULT),
            on_success: record.and_then(|record| record.on_success.clone()),
            on_failure: record.and_then(|record| record.on_failure.clone()),
        }
    }

    fn spec(&self, label: VersionLabel, version: &VersionRecord) -> VersionSpec {
        let settings = &version.settings;
        let function = &self.records.function;
        let layers = settings
            .layers
            .iter()
            .map(|layer| hearth_types::LayerRef { arn: layer.arn.clone(), code: layer.package.code });
        VersionSpec {
            key: VersionKey {
                account: self.home.account.clone(),
                region: self.home.region.clone(),
                function: self.records.name.clone(),
                version: label,
                code: settings.package.code,
                generation: version.generation.max(function.placed),
            },
            runtime: settings.runtime.to_string(),
            runtime_version_arn: runtime::version_arn(&self.home.region, settings.runtime),
            handler: settings.handler.clone(),
            role: settings.role.clone(),
            memory_mib: settings.memory_mib,
            timeout_ms: u64::from(settings.timeout_s) * 1000,
            ephemeral_storage_mib: settings.ephemeral_storage_mib,
            environment: settings.environment.clone().unwrap_or_default(),
            layers: layers.collect(),
            live_dir: function.tags.get(LIVE_DIR_TAG).filter(|_| self.config.live_dirs).cloned(),
            network: tagged_network(&function.tags).unwrap_or(self.config.network),
            log_group: settings.logging.group.clone(),
            log_format: settings.logging.format,
            application_log_level: settings.logging.application_level,
            system_log_level: settings.logging.system_level,
            snap_start: settings.snap_start && label != VersionLabel::Latest,
            tracing_active: settings.tracing_active,
        }
    }
}
