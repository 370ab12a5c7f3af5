//! `hearth serve`: puts the rooms together, serves until told to stop, then drains.

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, Result};
use hearth_capacity::CapacityPlan;
use hearth_engine::port::Invoker;
use hearth_frontend::{Backends, Frontend, FrontendConfig};
use hearth_functions::{Functions, FunctionsConfig, NodePorts, RoleChecks, RuntimeState, RuntimeStates};
use hearth_iam::Iam;
use hearth_iam::access::Access;
use hearth_logs::{LogConfig, LogStore};
use hearth_node::{Node, NodeConfig, Parts, TemplateParts};
use hearth_packages::{PackageLimits, Packages};
use hearth_runtimes::{RuntimeName, Runtimes};
use hearth_sandbox::{Isolation, LinuxConfig, LinuxIsolation, Saving};
use hearth_store::Embedded;
use hearth_sys::failpoint;
use hearth_tasks::TaskGroup;
use hearth_templates::{Images, ImagesConfig};
use hearth_types::limits;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::buckets::ConfiguredBuckets;
use crate::claim;
use crate::config::{Config, Roles};
use crate::fleet::{NodeFleet, wall_now};
use crate::tunnel::ApiTunnels;

/// The agent's binary, built with this one.
const AGENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hearth-agent"));

/// Makes this program the launcher of sandboxes.
pub(crate) const LAUNCHER_ARGUMENT: &str = "__launcher";

/// Threads for what blocks, made as they are needed. Each account has a bounded part of them (`hearth_tasks::Shares`), and those of
/// several whose work hangs are not all that there are.
const BLOCKING_THREADS_MAX: usize = 4096;
/// Connections that are idle at shutdown are not waited for longer than this.
const CONNECTIONS_CLOSE_WITHIN: Duration = Duration::from_secs(5);

pub(crate) fn run(config: &Config) -> Result<ExitCode> {
    run_anywhere(config).map_err(|error| claim::with_remedy(error, &config.data_dir))
}

fn run_anywhere(config: &Config) -> Result<ExitCode> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().max_blocking_threads(BLOCKING_THREADS_MAX).enable_all().build()?;
    // Whoever can reach the daemon can also tell it to stop.
    let mut signals = {
        let _within = runtime.enter();
        StopSignals::new()?
    };
    // Bind before anything is touched: a second daemon must find nothing changed by its failure.
    let listener = claim::address(config.listen)?;
    hearth_frontend::check_exposure(listener.local_addr()?, config.keys().len())?;
    claim::data_dir(&config.data_dir)?;
    // The store's lock comes before anything that another daemon on this directory would feel.
    let store = Arc::new(Embedded::open(&config.data_dir.join("store"))?);
    let isolation = start_isolation(config)?;
    end_in_any_case(runtime.handle().clone())?;
    let result = runtime.block_on(async {
        tokio::select! {
            biased;
            result = serve(config, listener, store, isolation, &mut signals) => result,
            task = hearth_tasks::rung() => anyhow::bail!("{task} has panicked before the daemon was ready"),
        }
    });
    // Whatever is still in a blocking call after the drain does not hold up the exit.
    let patience = if hearth_tasks::has_rung() { Duration::from_millis(100) } else { Duration::from_secs(1) };
    runtime.shutdown_timeout(patience);
    result
}

/// Sandboxes for the data directory of `config`.
pub(crate) fn start_isolation(config: &Config) -> Result<Arc<dyn Isolation>> {
    let run_dir = config.data_dir.join("run");
    fs_err::create_dir_all(&run_dir)?;
    // Beside it: the launcher uses the directory as a mount point.
    let agent_binary = config.data_dir.join("agent");
    write_executable(&agent_binary, AGENT)?;
    let isolation = LinuxIsolation::start(LinuxConfig {
        launcher_exe: std::env::current_exe().context("cannot find this program's own file")?,
        launcher_args: vec![LAUNCHER_ARGUMENT.into()],
        agent_binary,
        run_dir,
        instance: instance_name(&config.data_dir)?,
        uid_base: config.node.uid_base,
        egress_allow: config.egress_allow(),
        criu: config.criu(),
    })
    .context("this machine cannot isolate functions; see `hearth doctor`")?;
    match isolation.saving() {
        Saving::Available { identity } => tracing::info!(by = identity.lines().next(), "templates"),
        Saving::Unavailable { reason } => tracing::warn!("no function starts from a template: {reason}"),
    }
    let tier = isolation.tier();
    tracing::info!(tier = tier.name, privilege = tier.privilege, "isolation");
    for missing in &tier.missing {
        tracing::warn!("isolation: {missing}");
    }
    Ok(Arc::new(isolation))
}

fn write_executable(path: &Path, bytes: &[u8]) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let fresh = path.with_extension("new");
    if let Err(error) = fs_err::write(&fresh, bytes) {
        let _takes_no_room_on_a_full_disk = fs_err::remove_file(&fresh).is_err();
        return Err(error.into());
    }
    fs_err::set_permissions(&fresh, std::fs::Permissions::from_mode(0o755))?;
    fs_err::rename(&fresh, path)?;
    Ok(())
}

/// Distinguishes the daemons of one machine by their data directories.
fn instance_name(data_dir: &Path) -> Result<String> {
    let path = fs_err::canonicalize(data_dir)?;
    let mut name = hearth_store::blob::digest(path.as_os_str().as_encoded_bytes()).to_hex();
    name.truncate(16);
    Ok(name)
}

async fn serve(
    config: &Config,
    listener: std::net::TcpListener,
    store: Arc<dyn hearth_store::Store>,
    isolation: Arc<dyn Isolation>,
    signals: &mut StopSignals,
) -> Result<ExitCode> {
    let packages = Arc::new(Packages::open(&config.data_dir.join("code"), PackageLimits::default())?);
    let runtimes = Arc::new(Runtimes::open(&config.runtimes_dir())?);
    if config.runtimes_dir.is_none() {
        // A directory of our own: nobody else's sandboxes run on what no runtime names any more.
        runtimes.sweep();
    }
    let logs = Arc::new(LogStore::open(
        &config.data_dir.join("logs"),
        LogConfig { total_bytes_max: config.logs.size_mib * 1024 * 1024, ..LogConfig::default() },
        &config.region,
    )?);
    let node: Arc<OnceLock<Node>> = Arc::default();
    let retire = {
        let node = Arc::clone(&node);
        Arc::new(move |keys| {
            if let Some(node) = node.get() {
                node.retire(keys);
            }
        })
    };
    let access = open_access(config, &store).await?;
    let iam = Arc::new(Iam::open(Arc::clone(&store)).await?);
    let functions = Functions::open(
        Arc::clone(&store),
        Arc::clone(&packages),
        Arc::clone(&iam),
        control_config(config, &runtimes, access.is_guarded())?,
        retire,
    );
    let functions = Arc::new(functions.await?);
    let hook = config.capacity.hook.as_ref().map(crate::config::HookSection::terms);
    let capacity = CapacityPlan::open(Arc::clone(&store), config.capacity_base(), hook, wall_now()).await?;
    let tunnels = Arc::new(ApiTunnels::default());
    let node = node.get_or_init(|| {
        Node::start(Parts {
            config: node_config(config),
            isolation,
            runtimes,
            packages,
            logs: Arc::clone(&logs),
            store,
            catalogue: Arc::clone(&functions) as _,
            tunnels: Arc::clone(&tunnels) as _,
            templates: templates(config),
        })
    });
    node.recall().await;
    functions.prepare_with(&(Arc::new(node.clone()) as _));
    functions.connect(NodePorts { provisioner: Arc::new(node.clone()) }).await;
    node.connect_capacity(Arc::new(capacity.clone()));
    capacity.connect(Arc::new(NodeFleet(node.clone())));
    let stop = CancellationToken::new();
    let backends = Backends {
        functions,
        access,
        iam,
        invoker: Arc::new(node.clone()),
        logs: (*logs).clone(),
        capacity: capacity.clone(),
    };
    let frontend = Frontend::new(frontend_config(config, backends.access.is_guarded()), backends);
    tunnels.connect(frontend.clone(), stop.clone());
    failpoint("events.start");
    node.take_up_events();
    let listener = tokio::net::TcpListener::from_std(listener)?;
    tracing::info!(address = %listener.local_addr()?, data = %config.data_dir.display(), "ready");
    let code = Running { node: node.clone(), capacity, frontend, stop }
        .until_stopped(listener, Duration::from_secs(config.shutdown.grace_s), signals)
        .await;
    logs.flush().context("the last log records could not be written")?;
    Ok(code)
}

/// Keys and accounts. Says so if nobody is left to manage the daemon.
async fn open_access(config: &Config, store: &Arc<dyn hearth_store::Store>) -> Result<Arc<Access>> {
    let master = crate::secret::load(&config.data_dir.join("access.key"))?;
    let access = Access::open(Arc::clone(store), &master, config.keys()).await?;
    if access.is_guarded() && !access.has_operator() {
        tracing::warn!(
            "nobody can manage this daemon: keys of accounts see what is their own alone. For capacity, keys, accounts, metrics and \
             `hearth top` put an [[operator_keys]] with id and secret into the configuration and restart"
        );
    }
    Ok(Arc::new(access))
}

/// What takes requests, and what is ended in order.
struct Running {
    node: Node,
    capacity: CapacityPlan,
    frontend: Frontend,
    /// Cancelled: nothing new is taken.
    stop: CancellationToken,
}

impl Running {
    /// Serves until a signal comes, then lets what runs finish within `grace`; until a second one comes.
    async fn until_stopped(
        self,
        listener: tokio::net::TcpListener,
        grace: Duration,
        signals: &mut StopSignals,
    ) -> ExitCode {
        let Self { node, capacity, frontend, stop } = self;
        let tasks = TaskGroup::default();
        tasks.system("serving", {
            let stop = stop.clone();
            async move { frontend.serve(listener, stop).await }
        });
        tasks.close();
        tokio::select! {
            () = signals.next() => {}
            task = hearth_tasks::rung() => return broken(&task),
        }
        stop.cancel();
        let awaited = node.in_flight();
        if !awaited.is_empty() {
            let calls: Vec<String> = awaited.iter().map(|(name, count)| format!("{name} ({count})")).collect();
            let calls = calls.join(", ");
            tracing::warn!("waiting up to {} s for calls that run: {calls}; Ctrl-C again ends them", grace.as_secs());
        }
        let drained = async {
            node.drain(grace).await;
            capacity.close().await;
            let _late = tokio::time::timeout(CONNECTIONS_CLOSE_WITHIN, tasks.wait()).await.is_err();
        };
        tokio::select! {
            () = drained => tracing::info!("stopped"),
            () = signals.next() => tracing::warn!("stopped at once: second signal"),
            task = hearth_tasks::rung() => return broken(&task),
        }
        ExitCode::SUCCESS
    }
}

/// What is broken may also hold up the orderly end.
fn end_in_any_case(runtime: tokio::runtime::Handle) -> Result<()> {
    const ORDERLY_END_MAX: Duration = Duration::from_millis(700);
    let work = move || {
        runtime.block_on(hearth_tasks::rung());
        std::thread::sleep(ORDERLY_END_MAX);
        #[expect(clippy::exit, reason = "whoever supervises the daemon starts another")]
        std::process::exit(1)
    };
    // Joined by nobody: it ends with the process.
    hearth_tasks::system_thread("alarm".to_owned(), work).map(drop).context("cannot start a thread")
}

/// Nothing is drained: what that takes may be what is broken. What was acknowledged is on disk.
fn broken(task: &str) -> ExitCode {
    tracing::error!(
        task,
        "the daemon ends at once because a task has panicked on which everybody counts: start it again"
    );
    ExitCode::FAILURE
}

/// Where templates are kept: on disk, and for use in memory.
fn templates(config: &Config) -> TemplateParts {
    const MIB: u64 = 1024 * 1024;
    let opened = instance_name(&config.data_dir).map_err(|error| format!("{error:#}")).and_then(|instance| {
        let images = Images::open(ImagesConfig {
            dir: config.data_dir.join("templates"),
            hot_dir: Path::new("/dev/shm").join(format!("hearth-{instance}")),
            disk_bytes_max: config.templates.size_mib * MIB,
            hot_bytes_max: config.templates.memory_mib * MIB,
        });
        images.map(Arc::new).map_err(|error| format!("{:#}", anyhow::Error::from(error)))
    });
    TemplateParts {
        images: opened,
        agent: hearth_store::blob::digest(AGENT).to_hex(),
        automatic: config.templates.automatic,
    }
}

/// SIGTERM and SIGINT, kept from the moment that this is made.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// On a tokio runtime.
    fn new() -> Result<Self> {
        let stream = |kind| signal(kind).context("cannot wait for signals");
        Ok(Self { terminate: stream(SignalKind::terminate())?, interrupt: stream(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

fn node_config(config: &Config) -> NodeConfig {
    NodeConfig {
        engine: config.engine(),
        queue_timeout: Duration::from_secs(config.node.queue_timeout_s),
        cpu_quota: config.node.cpu_quota,
        parking: config.node.parking,
        async_concurrency: config.node.async_concurrency,
        region: config.region.clone(),
    }
}

fn control_config(config: &Config, runtimes: &Arc<Runtimes>, guarded: bool) -> Result<FunctionsConfig> {
    let roles = match config.roles(guarded) {
        Roles::Strict => RoleChecks::Strict,
        Roles::Lenient => {
            tracing::info!(
                "roles of functions are not checked (roles = \"lenient\", the default on a loopback address without access keys): any \
                 ARN will do; AWS wants a role that exists and trusts lambda.amazonaws.com"
            );
            RoleChecks::Lenient
        }
    };
    let runtimes = Arc::clone(runtimes);
    let state = move |name: &str| match (runtimes.get(name), name.parse::<RuntimeName>()) {
        (Some(_), _) => RuntimeState::Prepared,
        (None, Ok(_)) => RuntimeState::Addable,
        (None, Err(_)) => RuntimeState::Unsupported,
    };
    Ok(FunctionsConfig {
        roles,
        runtimes: RuntimeStates(Arc::new(state)),
        region: config.region.clone(),
        account_concurrency: limits::ACCOUNT_CONCURRENCY,
        network: config.network.default,
        live_dirs: config.listen.ip().is_loopback(),
        buckets: ConfiguredBuckets::open(&config.code, &config.region)?,
    })
}

fn frontend_config(config: &Config, guarded: bool) -> FrontendConfig {
    FrontendConfig {
        metrics_token: config.metrics.token.clone(),
        policies: config.roles(guarded) == Roles::Strict,
        drain_time: Duration::from_secs(config.shutdown.grace_s),
        connections_max: config.requests.connections,
        body_memory: config.requests.body_memory_mib * 1024 * 1024,
        ..FrontendConfig::new(config.account.clone(), config.region.clone())
    }
}
