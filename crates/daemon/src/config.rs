//! The configuration file: raw TOML, validated into what each component takes.
//!
//! Every key has one default, here. `hearth config print` shows what is in force, `hearth config check FILE` what is wrong.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hearth_capacity::{
    AccountDocument, CapacityBase, CapacityPlan, GroupDocument, HookTerms, InstanceDocument, PoolDocument,
};
use hearth_engine::EngineConfig;
use hearth_engine::keep_alive::Choice;
use hearth_engine::port::CapacityHook;
use hearth_iam::access::{self, Owner};
use hearth_node::ParkingMode;
use hearth_sandbox::Subnet;
use hearth_types::{AccountId, Region};
use serde::{Deserialize, Serialize};

use crate::buckets::CodeSection;
use crate::hook::{CommandHook, UrlHook, guarded};

mod read;

pub(crate) use read::ConfigError;

pub(crate) const DEFAULT_PORT: u16 = 4566;

/// An address with a port; a port alone is one of this machine's loopback address.
pub(crate) fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.strip_prefix(':').unwrap_or(text).parse() {
        return Ok(SocketAddr::from(([127, 0, 0, 1], port)));
    }
    let named = text.replace("localhost", "127.0.0.1");
    let address = named.parse().or_else(|_no_port| named.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, DEFAULT_PORT)));
    address.map_err(|_neither| format!("{text:?} is no address such as 127.0.0.1:{DEFAULT_PORT}, and no port"))
}

fn read_listen<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    parse_listen(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

/// The file as written. Unknown keys are errors.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Where the API is served.
    #[serde(deserialize_with = "read_listen")]
    pub(crate) listen: SocketAddr,
    /// Everything that outlives the daemon.
    pub(crate) data_dir: PathBuf,
    /// Prepared runtimes; by default `runtimes` in the data directory. May be shared by several daemons.
    pub(crate) runtimes_dir: Option<PathBuf>,
    /// The Region of requests that name none, and of what was made before Hearth had several.
    pub(crate) region: Region,
    /// The account of requests without a 12-digit access key id, in development mode.
    pub(crate) account: AccountId,
    /// Whether a function's role has to exist, to trust Lambda and to be passed by one who may, and whether users and sessions of roles may
    /// do only what their policies say: `strict`, as on AWS, or `lenient`. By default `lenient` on a loopback address without access keys, else `strict`.
    pub(crate) roles: Option<Roles>,
    /// Requests are verified against these; needed on any address that is not loopback.
    pub(crate) access_keys: Vec<AccessKey>,
    /// Keys of operators: they manage capacity, keys and accounts and see what everybody runs, and have no functions.
    pub(crate) operator_keys: Vec<OperatorKey>,
    pub(crate) node: NodeSection,
    pub(crate) network: NetworkSection,
    pub(crate) templates: TemplatesSection,
    pub(crate) logs: LogsSection,
    pub(crate) requests: RequestsSection,
    pub(crate) metrics: MetricsSection,
    pub(crate) capacity: CapacitySection,
    pub(crate) code: CodeSection,
    pub(crate) shutdown: ShutdownSection,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Roles {
    Strict,
    Lenient,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccessKey {
    /// The access key id.
    pub(crate) id: String,
    /// The secret access key.
    pub(crate) secret: String,
    /// Whose it is.
    pub(crate) account: AccountId,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OperatorKey {
    /// The access key id.
    pub(crate) id: String,
    /// The secret access key.
    pub(crate) secret: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NodeSection {
    /// Sum of the functions' memory sizes that may be alive at once, MiB. 0: twice the machine's memory, since functions
    /// seldom use what they may.
    pub(crate) memory_mib: u64,
    /// Sandboxes that may be alive at once.
    pub(crate) sandboxes: u32,
    /// Blank sandboxes kept ready per runtime.
    pub(crate) blanks_per_runtime: u32,
    /// How long idle sandboxes are kept: `hearth` by what was learned of each version, `hearth:THRESHOLD` with another price of
    /// memory, `fixed:SECONDS`, or another policy by its name.
    pub(crate) keep_alive: Choice,
    /// Idle sandboxes are frozen after this many milliseconds.
    pub(crate) freeze_after_ms: u64,
    /// How long an invocation may wait for room, seconds.
    pub(crate) queue_timeout_s: u64,
    /// Limit CPU strictly in proportion to memory (1769 MB = one core), as Lambda does. Otherwise it is a weight, which counts
    /// only when the machine is busy.
    pub(crate) cpu_quota: bool,
    /// What waits in blank sandboxes: `zygote` (interpreters forked from one that has everything trusted loaded, where the runtime
    /// can: quick, and their memory is shared, but so is the layout of their addresses), `exec` (interpreters executed one by
    /// one), `none`.
    pub(crate) parking: ParkingMode,
    /// Asynchronous invocations that run at once.
    pub(crate) async_concurrency: usize,
    /// First host uid of the ranges that sandboxes get, 65,536 each.
    pub(crate) uid_base: u32,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NetworkSection {
    /// What functions without the tag `hearth:network` get: `none` or `egress`.
    pub(crate) default: hearth_types::NetworkMode,
    /// Private ranges that functions with egress may reach, such as `10.1.0.0/16`.
    pub(crate) egress_allow: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TemplatesSection {
    /// The program that saves and restores sandboxes. Without it: what the environment variable `HEARTH_CRIU` names, what
    /// `scripts/install-criu` installed, the system's.
    pub(crate) criu: Option<PathBuf>,
    /// Templates least recently used beyond this are dropped, MiB on disk.
    pub(crate) size_mib: u64,
    /// Of those in use a copy stays in memory, up to this many MiB.
    pub(crate) memory_mib: u64,
    /// Also for functions without SnapStart, once their initialisation has proved slow and their cold starts frequent.
    pub(crate) automatic: bool,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LogsSection {
    /// Oldest log records beyond this are dropped, MiB.
    pub(crate) size_mib: u64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RequestsSection {
    /// Memory for the bodies of all requests that are read, wait or are handed to functions, MiB. An account gets a quarter of it at
    /// most, and so do all requests together whose senders are not proven yet.
    pub(crate) body_memory_mib: usize,
    /// Connections at once. Beyond that those on which nothing happens are closed.
    pub(crate) connections: usize,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MetricsSection {
    /// Whoever sends `Authorization: Bearer` with it may read `/_hearth/metrics`; needed by Prometheus where there are access keys.
    pub(crate) token: Option<String>,
}

/// Capacity beside the node's own; what the API declares holds over it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CapacitySection {
    /// Sub-pools, in which instances wait.
    #[serde(rename = "pool")]
    pub(crate) pools: Vec<PoolDocument>,
    /// Instances: machines, or shares of this one.
    #[serde(rename = "instance")]
    pub(crate) instances: Vec<InstanceDocument>,
    /// What holds for an account.
    #[serde(rename = "account")]
    pub(crate) accounts: Vec<AccountDocument>,
    /// Accounts that trust one another: they may share instances.
    #[serde(rename = "group")]
    pub(crate) groups: Vec<GroupDocument>,
    /// How more of it is acquired.
    pub(crate) hook: Option<HookSection>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HookSection {
    /// A program and its arguments; it gets the request on its standard input.
    #[serde(default)]
    pub(crate) command: Vec<String>,
    /// Instead: an `http://` URL, which the request is posted to.
    pub(crate) url: Option<String>,
    /// Longest time of one call, seconds.
    #[serde(default = "hook_timeout")]
    pub(crate) timeout_s: u64,
    /// Pause before a failed call is repeated, seconds; doubled with each.
    #[serde(default = "hook_retry")]
    pub(crate) retry_s: f64,
    /// Instances that it may hold at once.
    #[serde(default = "hook_instances")]
    pub(crate) instances_max: usize,
    /// What they may cost together, per hour.
    pub(crate) cost_rate_max: Option<f64>,
}

const fn hook_timeout() -> u64 {
    300
}

const fn hook_retry() -> f64 {
    5.0
}

const fn hook_instances() -> usize {
    10
}

impl HookSection {
    fn problem(&self) -> Option<&'static str> {
        if self.command.is_empty() == self.url.is_none() {
            return Some("needs either a command or a url");
        }
        if self.url.as_ref().is_some_and(|url| !url.starts_with("http://") || url.parse::<http::Uri>().is_err()) {
            return Some("url must be an http:// URL; for anything else use a command such as curl");
        }
        if !(1..=3600).contains(&self.timeout_s) {
            return Some("timeout_s must be between 1 and 3600");
        }
        if !(0.1..=600.0).contains(&self.retry_s) {
            return Some("retry_s must be between 0.1 and 600");
        }
        if self.cost_rate_max.is_some_and(|max| !max.is_finite() || max < 0.0) {
            return Some("cost_rate_max must not be negative");
        }
        None
    }

    pub(crate) fn terms(&self) -> HookTerms {
        let timeout = Duration::from_secs(self.timeout_s);
        let url = self.url.as_ref().and_then(|url| url.parse::<http::Uri>().ok());
        let hook: Arc<dyn CapacityHook> = match url {
            Some(url) => Arc::new(UrlHook::new(url, timeout)),
            None => Arc::new(CommandHook { command: guarded(&self.command), timeout }),
        };
        HookTerms {
            hook,
            instances_max: self.instances_max,
            cost_rate_max: self.cost_rate_max,
            retry: Duration::from_secs_f64(self.retry_s),
        }
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ShutdownSection {
    /// How long running invocations may take to finish, seconds.
    pub(crate) grace_s: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], DEFAULT_PORT)),
            data_dir: default_data_dir(),
            runtimes_dir: None,
            region: "us-east-1".parse().expect("a well-formed Region"),
            account: "000000000000".parse().expect("twelve digits"),
            access_keys: Vec::new(),
            operator_keys: Vec::new(),
            roles: None,
            node: NodeSection::default(),
            network: NetworkSection::default(),
            templates: TemplatesSection::default(),
            logs: LogsSection::default(),
            requests: RequestsSection::default(),
            metrics: MetricsSection::default(),
            capacity: CapacitySection::default(),
            code: CodeSection::default(),
            shutdown: ShutdownSection::default(),
        }
    }
}

impl Default for NodeSection {
    fn default() -> Self {
        Self {
            memory_mib: 0,
            sandboxes: 2000,
            blanks_per_runtime: 4,
            keep_alive: Choice::HEARTH,
            freeze_after_ms: 2000,
            queue_timeout_s: 60,
            cpu_quota: false,
            parking: ParkingMode::default(),
            async_concurrency: 100,
            uid_base: 1_000_000_000,
        }
    }
}

impl Default for TemplatesSection {
    fn default() -> Self {
        Self { criu: None, size_mib: 4096, memory_mib: 1024, automatic: true }
    }
}

impl Default for LogsSection {
    fn default() -> Self {
        Self { size_mib: 1024 }
    }
}

impl Default for RequestsSection {
    fn default() -> Self {
        Self { body_memory_mib: 512, connections: 8192 }
    }
}

impl Default for ShutdownSection {
    fn default() -> Self {
        Self { grace_s: 25 }
    }
}

impl Config {
    /// Reads and validates `path`; without one, the defaults.
    pub(crate) fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        match path {
            None => Ok(Self::default()),
            Some(path) => read::read(path),
        }
    }

    /// Makes paths what they mean on this machine: the launcher works in another directory, and no shell replaces `~` in a file.
    pub(crate) fn resolve(&mut self) -> Result<(), ConfigError> {
        let data_dir = read::at_home(&self.data_dir)?;
        self.data_dir = std::path::absolute(data_dir).map_err(ConfigError::DataDir)?;
        for path in [&mut self.runtimes_dir, &mut self.templates.criu].into_iter().flatten() {
            *path = read::at_home(path)?;
        }
        Ok(())
    }

    fn validate(&self) -> Result<(), ConfigError> {
        let value = |key, problem: &str| Err(ConfigError::Value { key, problem: problem.to_owned() });
        if self.node.sandboxes == 0 {
            return value("node.sandboxes", "must be at least 1");
        }
        if self.node.async_concurrency == 0 {
            return value("node.async_concurrency", "must be at least 1");
        }
        if self.node.uid_base < 65_536 {
            return value("node.uid_base", "must be at least 65536, above the host's own users");
        }
        self.check_keys()?;
        if let Some(bad) = self.network.egress_allow.iter().find(|text| parse_subnet(text).is_none()) {
            return value("network.egress_allow", &format!("{bad:?} is no range such as 10.1.0.0/16"));
        }
        if self.metrics.token.as_ref().is_some_and(|token| token.len() < 16) {
            return value("metrics.token", "must have at least 16 characters");
        }
        if let Some(problem) = self.capacity.hook.as_ref().and_then(HookSection::problem) {
            return value("capacity.hook", problem);
        }
        if let Some(problem) = self.code.problem() {
            return value("code.buckets", &problem);
        }
        CapacityPlan::check(self.capacity_base())
            .map_err(|error| ConfigError::Value { key: "capacity", problem: error.to_string() })?;
        if self.requests.body_memory_mib < 256 {
            return value("requests.body_memory_mib", "must be at least 256");
        }
        if self.requests.connections < 16 {
            return value("requests.connections", "must be at least 16");
        }
        if self.logs.size_mib < 16 {
            return value("logs.size_mib", "must be at least 16");
        }
        Ok(())
    }

    /// `guarded`: there are keys, of the configuration or made by command.
    pub(crate) fn roles(&self, guarded: bool) -> Roles {
        let open = self.listen.ip().is_loopback() && !guarded;
        self.roles.unwrap_or(if open { Roles::Lenient } else { Roles::Strict })
    }

    fn check_keys(&self) -> Result<(), ConfigError> {
        let accounts = self.access_keys.iter().map(|key| ("access_keys", &key.id, &key.secret));
        let operators = self.operator_keys.iter().map(|key| ("operator_keys", &key.id, &key.secret));
        let mut seen = std::collections::HashSet::new();
        for (key, id, secret) in accounts.chain(operators) {
            if id.is_empty() || secret.is_empty() {
                return Err(ConfigError::Value { key, problem: "id and secret must not be empty".to_owned() });
            }
            if !seen.insert(id) {
                return Err(ConfigError::Value { key, problem: format!("the id {id:?} is there twice") });
            }
        }
        Ok(())
    }

    /// The keys of accounts and operators.
    pub(crate) fn keys(&self) -> Vec<access::AccessKey> {
        let of_account = |key: &AccessKey| {
            access::AccessKey::configured(key.id.clone(), key.secret.clone(), Owner::Account(key.account.clone()))
        };
        let of_operator =
            |key: &OperatorKey| access::AccessKey::configured(key.id.clone(), key.secret.clone(), Owner::Operator);
        self.access_keys.iter().map(of_account).chain(self.operator_keys.iter().map(of_operator)).collect()
    }

    pub(crate) fn runtimes_dir(&self) -> PathBuf {
        self.runtimes_dir.clone().unwrap_or_else(|| self.data_dir.join("runtimes"))
    }

    /// The program that saves and restores sandboxes, if there is one.
    pub(crate) fn criu(&self) -> Option<PathBuf> {
        hearth_sandbox::find_criu(self.templates.criu.as_deref())
    }

    pub(crate) fn egress_allow(&self) -> Vec<Subnet> {
        self.network.egress_allow.iter().filter_map(|text| parse_subnet(text)).collect()
    }

    pub(crate) fn capacity_base(&self) -> CapacityBase {
        let engine = self.engine();
        CapacityBase {
            node: Some(InstanceDocument::of_node(engine.memory_mib_max, self.node.sandboxes)),
            instances: self.capacity.instances.clone(),
            pools: self.capacity.pools.clone(),
            accounts: self.capacity.accounts.clone(),
            groups: self.capacity.groups.clone(),
        }
    }

    pub(crate) fn engine(&self) -> EngineConfig {
        let memory_mib_max = match self.node.memory_mib {
            0 => 2 * machine_memory_mib(),
            given => given,
        };
        EngineConfig {
            memory_mib_max,
            sandboxes_max: self.node.sandboxes as usize,
            blanks_per_root: self.node.blanks_per_runtime as usize,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            keep_alive: self.node.keep_alive,
            freeze_after: Duration::from_millis(self.node.freeze_after_ms),
            ..EngineConfig::default()
        }
    }
}

/// `ADDRESS/LENGTH`.
fn parse_subnet(text: &str) -> Option<Subnet> {
    let (address, length) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let prefix_length: u8 = length.parse().ok()?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    (prefix_length <= longest).then_some(Subnet { address, prefix_length })
}

fn machine_memory_mib() -> u64 {
    let info = rustix::system::sysinfo();
    info.totalram * u64::from(info.mem_unit) / (1024 * 1024)
}

/// Root's service directory, else the user's own.
fn default_data_dir() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/var/lib/hearth");
    }
    let named = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|dir| dir.is_absolute());
    named.unwrap_or_else(|| PathBuf::from("~/.local/share")).join("hearth")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_enough_of_an_address() {
        for (written, meant) in [
            ("4599", "127.0.0.1:4599"),
            (":4599", "127.0.0.1:4599"),
            ("localhost:4599", "127.0.0.1:4599"),
            ("0.0.0.0", "0.0.0.0:4566"),
            ("[::1]:4599", "[::1]:4599"),
        ] {
            assert_eq!(parse_listen(written).unwrap(), meant.parse().unwrap());
        }
        assert!(parse_listen("example").unwrap_err().contains("127.0.0.1:4566"));
        assert!(parse_listen("99999").is_err());
    }

    #[test]
    fn the_defaults_are_valid_and_print_as_a_file_that_reads_back() {
        let config = Config::default();
        config.validate().unwrap();
        let text = toml::to_string(&config).unwrap();
        let read: Config = toml::from_str(&text).unwrap();
        assert_eq!(toml::to_string(&read).unwrap(), text);
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        let error = toml::from_str::<Config>("[node]\nmemroy = 1").unwrap_err();
        assert!(error.to_string().contains("memroy"), "{error}");
    }

    #[test]
    fn capacity_is_read_and_checked() {
        let text = r#"
            [[capacity.pool]]
            name = "gold"
            kind = "dedicated"
            account = "123456789012"
            frequency = "rare"
            [[capacity.instance]]
            name = "m1"
            pool = "gold"
            memory_mib = 2048
            lease_end = "2099-01-01T00:00:00Z"
            [[capacity.account]]
            account = "123456789012"
            shortage = ["wait:30", "reject"]
            spread = { min = 1, max = 3 }
            [capacity.hook]
            command = ["/usr/local/bin/more"]
        "#;
        let config: Config = toml::from_str(text).unwrap();
        config.validate().unwrap();
        let again: Config = toml::from_str(&toml::to_string(&config).unwrap()).unwrap();
        assert_eq!(again.capacity_base(), config.capacity_base());
        for (wrong, told) in [
            ("[[capacity.instance]]\nname = \"m1\"\nmemory_mib = 512\npool = \"x\"", "make it first"),
            ("[[capacity.account]]\naccount = \"123456789012\"\nshortage = [\"steal\"]", "wait:SECONDS"),
            ("[[capacity.account]]\naccount = \"123456789012\"\nspread = { min = 2, max = 1 }", "min of at least 1"),
            ("[[capacity.pool]]\nname = \"general\"\nfrequency = \"rare\"", "make another pool"),
            ("[capacity.hook]\ninstances_max = 1", "either a command or a url"),
            ("[capacity.hook]\nurl = \"https://x\"", "http:// URL"),
        ] {
            let config: Config = toml::from_str(wrong).unwrap();
            let error = config.validate().unwrap_err().to_string();
            assert!(error.starts_with("capacity") && error.contains(told), "{error}");
        }
    }

    #[test]
    fn keys_are_of_accounts_or_of_operators_and_each_is_there_once() {
        let account = "[[access_keys]]\nid = \"A\"\nsecret = \"s\"\naccount = \"123456789012\"\n";
        let operator = "[[operator_keys]]\nid = \"O\"\nsecret = \"s\"\n";
        let read = |text: &str| toml::from_str::<Config>(text).unwrap();
        let config = read(&format!("{account}{operator}"));
        config.validate().unwrap();
        let owners: Vec<Owner> = config.keys().into_iter().map(|key| key.owner).collect();
        assert_eq!(owners, [Owner::Account("123456789012".parse().unwrap()), Owner::Operator]);
        let twice = format!("{account}{}", operator.replace('O', "A"));
        let error = read(&twice).validate().unwrap_err().to_string();
        assert_eq!(error, "operator_keys: the id \"A\" is there twice");
        assert!(read(&operator.replace("\"s\"", "\"\"")).validate().is_err());
    }

    #[test]
    fn subnets_are_checked() {
        assert!(parse_subnet("10.1.0.0/16").is_some());
        for bad in ["10.1.0.0", "10.1.0.0/33", "x/8", "fd00::/129", "/8"] {
            assert!(parse_subnet(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn roles_are_checked_wherever_keys_are() {
        for (text, guarded, expected) in [
            ("", false, Roles::Lenient),
            ("", true, Roles::Strict),
            ("roles = \"strict\"", false, Roles::Strict),
            ("roles = \"lenient\"", true, Roles::Lenient),
            ("listen = \"0.0.0.0:1\"", false, Roles::Strict),
        ] {
            assert_eq!(toml::from_str::<Config>(text).unwrap().roles(guarded), expected, "{text} {guarded}");
        }
    }

    #[test]
    fn keep_alive_is_a_policy_by_name() {
        let config: Config = toml::from_str("[node]\nkeep_alive = \"fixed:30\"").unwrap();
        assert_eq!(config.engine().keep_alive, Choice::Fixed { seconds: 30 });
        let error = toml::from_str::<Config>("[node]\nkeep_alive = \"lru\"").unwrap_err();
        assert!(error.to_string().contains("no keep-alive policy"), "{error}");
    }

    #[test]
    fn values_out_of_range_name_their_key() {
        let config: Config = toml::from_str("[node]\nuid_base = 0").unwrap();
        let error = config.validate().unwrap_err();
        assert!(error.to_string().starts_with("node.uid_base"), "{error}");
    }
}
