//! `hearth demo`: a daemon, three functions, and what calling them costs.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use hearth_runtimes::Runtimes;
use http::Method;
use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal};
use serde_json::{Value, json};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::ConfigArgs;
use super::aws_cli::Hints;
use super::client::Client;
use super::deploy::{DeployArgs, deploy};
use super::invoke::{INTERRUPTED, invoke};
use super::output::{BAD, DIM, Output, Table, text};
use super::runtime::add;
use crate::config::Config;

const WARM_CALLS: usize = 100;
const READY_WITHIN: Duration = Duration::from_secs(15);
/// How far above the usual port a free one is looked for.
const PORTS_MAX: u16 = 50;
const BLANKS_WITHIN: Duration = Duration::from_secs(3);

#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Address to serve on; by default the configuration's, or the next port that is free.
    #[arg(long, value_name = "ADDRESS", value_parser = crate::config::parse_listen)]
    listen: Option<SocketAddr>,
    /// Directory of the sample functions.
    #[arg(long, default_value = "samples")]
    samples: PathBuf,
    /// End after the table instead of serving on.
    #[arg(long, env = "DEMO_ONCE", value_parser = clap::builder::FalseyValueParser::new())]
    once: bool,
}

struct Sample {
    name: &'static str,
    /// The first that can be prepared on this machine is used.
    runtimes: &'static [&'static str],
    handler: &'static str,
    dir: &'static str,
}

const SAMPLES: [Sample; 3] = [
    Sample {
        name: "hello-python",
        runtimes: &["python3.11", "python3.12", "python3.13", "python3.10", "python3.9"],
        handler: "app.handler",
        dir: "python-hello",
    },
    Sample {
        name: "hello-node",
        runtimes: &["nodejs20.x", "nodejs22.x", "nodejs18.x"],
        handler: "index.handler",
        dir: "node-hello",
    },
    Sample { name: "hello-rust", runtimes: &["provided.al2023"], handler: "bootstrap", dir: "rust-hello/dist" },
];

pub(crate) fn run(args: &DemoArgs, output: &Output) -> Result<ExitCode> {
    let config = beside_others(args, args.config.load()?, output)?;
    let runtimes = Runtimes::open(&config.runtimes_dir())?;
    let chosen = prepare(&runtimes, output)?;
    let mut daemon = Daemon::start(args, &config)?;
    match show(args, &config, &chosen, &mut daemon, output) {
        Err(_) if daemon.is_to_end() => {
            daemon.child.wait()?;
            Ok(INTERRUPTED.into())
        }
        shown => shown,
    }
}

/// What the samples cost; then the daemon goes on until it is told to end.
fn show(
    args: &DemoArgs,
    config: &Config,
    runtimes: &[Option<&str>],
    daemon: &mut Daemon,
    output: &Output,
) -> Result<ExitCode> {
    let client = Client::new(&daemon.endpoint)?;
    daemon.wait_until_ready(&client)?;
    wait_for_blanks(&client)?;
    let mut rows = Vec::new();
    for (sample, runtime) in SAMPLES.iter().zip(runtimes) {
        match runtime {
            Some(runtime) => rows.push(measure(&client, args, sample, runtime)?),
            None => output.note(&format!("{BAD}skipped{BAD:#} {}: its runtime could not be prepared", sample.name)),
        }
    }
    print(&rows, &Hints::of(&daemon.endpoint, config.region.as_str()), output);
    if args.once {
        daemon.stop()?;
    } else {
        daemon.wait(output)?;
    }
    Ok(if rows.iter().all(|row| row["ok"] == true) && !rows.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Where the configuration's address is taken, by another demonstration say, the next one that is free is used, with a data directory of
/// its own.
fn beside_others(args: &DemoArgs, mut config: Config, output: &Output) -> Result<Config> {
    let wanted = args.listen.unwrap_or(config.listen);
    let usual = config.listen.port();
    let ports = if args.listen.is_some() { 0..=0 } else { 0..=PORTS_MAX };
    let candidates = ports.filter_map(|more| Some(SocketAddr::new(wanted.ip(), wanted.port().checked_add(more)?)));
    let is_free = |address: &SocketAddr| std::net::TcpListener::bind(address).is_ok();
    let Some(free) = candidates.into_iter().find(is_free) else {
        bail!(
            "cannot listen on {wanted}: another program does, or this machine has no such address (--listen names another)"
        );
    };
    if free != wanted {
        output.note(&format!("{wanted} is taken by another program, so this demonstration serves on {free}"));
    }
    if free.port() != usual {
        let mut dir = config.data_dir.into_os_string();
        dir.push(format!("-{}", free.port()));
        // What is prepared once serves all.
        config.runtimes_dir.get_or_insert_with(|| PathBuf::from(&dir).join("runtimes"));
        config.data_dir = dir.into();
    }
    config.listen = free;
    Ok(config)
}

/// First calls are to be those of a daemon that has been there for a while, with its blank sandboxes ready. Where none get ready
/// they are shown all the same.
fn wait_for_blanks(client: &Client) -> Result<()> {
    let are_ready = || {
        let state = client.json("hearth", Method::GET, "/_hearth/state", &Value::Null)?;
        let roots = state["engine"]["roots"].as_array().context("the daemon's state cannot be read")?;
        Ok(roots.iter().all(|root| root["ready"] != 0))
    };
    poll(BLANKS_WITHIN, are_ready).map(drop)
}

/// Looks until it is so; `false` if it is not within this time.
fn poll(within: Duration, mut is_so: impl FnMut() -> Result<bool>) -> Result<bool> {
    let deadline = Instant::now() + within;
    loop {
        if is_so()? {
            return Ok(true);
        }
        if Instant::now() > deadline {
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// For each sample the runtime to use, prepared now if it was not before.
fn prepare(runtimes: &Runtimes, output: &Output) -> Result<Vec<Option<&'static str>>> {
    let mut chosen = Vec::new();
    for sample in &SAMPLES {
        let ready = sample.runtimes.iter().find(|name| runtimes.get(name).is_some());
        let found = match ready {
            Some(name) => Some(*name),
            None => {
                let mut found = None;
                for name in sample.runtimes {
                    match add(runtimes, name, output) {
                        Ok(()) => {
                            found = Some(*name);
                            break;
                        }
                        Err(error) => output.note(&format!("{DIM}{name}: {error:#}{DIM:#}")),
                    }
                }
                found
            }
        };
        chosen.push(found);
    }
    if chosen.iter().all(Option::is_none) {
        bail!("no runtime could be prepared: see `hearth doctor`");
    }
    Ok(chosen)
}

fn measure(client: &Client, args: &DemoArgs, sample: &Sample, runtime: &str) -> Result<Value> {
    deploy(
        client,
        &DeployArgs {
            code: args.samples.join(sample.dir),
            name: Some(sample.name.to_owned()),
            runtime: Some(runtime.to_owned()),
            handler: Some(sample.handler.to_owned()),
            memory: Some(256),
            timeout: Some(10),
            environment: vec![("DEPLOYED".to_owned(), format!("{:?}", Instant::now()))],
            role: None,
            layers: Vec::new(),
            tags: Vec::new(),
            network: None,
            add_runtime: false,
            watch: false,
        },
    )
    .with_context(|| format!("cannot deploy {}", sample.name))?;
    let payload = Bytes::from_static(br#"{"name":"Hearth"}"#);
    let call = || -> Result<(Duration, super::client::Answer)> {
        let started = Instant::now();
        let answer = invoke(client, sample.name, payload.clone())?;
        Ok((started.elapsed(), answer))
    };
    let (cold, first) = call()?;
    let phases = first.header("x-hearth-timeline").map(str::to_owned);
    let mut warm = Vec::with_capacity(WARM_CALLS);
    for _ in 0..WARM_CALLS {
        warm.push(call()?.0);
    }
    warm.sort_unstable();
    let millis = |time: Duration| (time.as_secs_f64() * 1e5).round() / 1e2;
    Ok(json!({
        "function": sample.name, "runtime": runtime,
        "ok": first.status == 200 && first.header("x-amz-function-error").is_none(),
        "answer": String::from_utf8_lossy(&first.body),
        "coldMs": millis(cold), "phases": phases,
        "warmP50Ms": millis(warm[WARM_CALLS / 2]), "warmP99Ms": millis(warm[WARM_CALLS * 99 / 100]),
    }))
}

fn print(rows: &[Value], hints: &Hints, output: &Output) {
    output.result(&json!(rows), || {
        let mut lines = Table::new(&["function", "runtime", "first call", "warm p50", "warm p99"]).numbers_from(2);
        for row in rows {
            lines.row([
                text(&row["function"]),
                text(&row["runtime"]),
                format!("{} ms", row["coldMs"]),
                format!("{} ms", row["warmP50Ms"]),
                format!("{} ms", row["warmP99Ms"]),
            ]);
        }
        let answers = rows.iter().map(|row| {
            format!("{}: {DIM}{}{DIM:#}\n  {}", text(&row["function"]), text(&row["phases"]), text(&row["answer"]))
        });
        let answers: Vec<String> = answers.collect();
        format!(
            "{lines}\n\nWhere the time of the first calls went, and what they answered:\n{}\n\n{hints}",
            answers.join("\n")
        )
    });
}

/// The daemon that the demonstration runs, ended with it.
struct Daemon {
    child: Child,
    endpoint: String,
    /// Somebody wants the end.
    to_end: Arc<AtomicBool>,
}

impl Daemon {
    fn start(args: &DemoArgs, config: &Config) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve").arg("--data").arg(&config.data_dir).stdin(Stdio::null());
        command.arg("--listen").arg(config.listen.to_string());
        if let Some(file) = &args.config.config {
            command.arg("--config").arg(file);
        }
        // Of the terminal's signals it gets what this process passes on: each one once, whoever sent it.
        let signals = Signals::new()?;
        let child = command.process_group(0).env("HEARTH_LOG", "warn").spawn().context("cannot start the daemon")?;
        let process = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())?;
        let to_end = Arc::default();
        signals.pass_on(process, Arc::clone(&to_end))?;
        Ok(Self { child, endpoint: format!("http://{}", config.listen), to_end })
    }

    fn is_to_end(&self) -> bool {
        self.to_end.load(Ordering::Acquire)
    }

    fn wait_until_ready(&mut self, client: &Client) -> Result<()> {
        let is_ready = || {
            if let Some(status) = self.child.try_wait()? {
                bail!("the daemon ended ({status}): its last lines say why");
            }
            let answer = client.call("lambda", Method::GET, "/_hearth/health", &[], Bytes::new());
            Ok(answer.is_ok_and(|answer| answer.status == 200))
        };
        if !poll(READY_WITHIN, is_ready)? {
            bail!("the daemon did not get ready within {READY_WITHIN:?}");
        }
        Ok(())
    }

    fn stop(&mut self) -> Result<()> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        self.child.wait()?;
        Ok(())
    }

    fn wait(&mut self, output: &Output) -> Result<()> {
        output.note(&format!("\n{DIM}serving on {} until Ctrl-C{DIM:#}", self.endpoint));
        let status = self.child.wait()?;
        if !self.is_to_end() {
            bail!("the daemon ended by itself ({status}): `hearth demo` starts it again, with all that was deployed");
        }
        Ok(())
    }
}

/// Ctrl-C, SIGTERM and the end of the terminal, caught from the moment that this is made.
struct Signals {
    runtime: tokio::runtime::Runtime,
    streams: [Signal; 3],
}

impl Signals {
    fn new() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let streams = {
            let _within = runtime.enter();
            [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?]
        };
        Ok(Self { runtime, streams })
    }

    /// To the daemon, as what ends it in order, and at once when it comes again; for as long as this process lives.
    fn pass_on(self, process: OwnedFd, to_end: Arc<AtomicBool>) -> Result<()> {
        let Self { runtime, streams: [mut interrupt, mut terminate, mut hangup] } = self;
        let work = move || {
            runtime.block_on(async {
                loop {
                    tokio::select! {
                        _ = interrupt.recv() => {}
                        _ = terminate.recv() => {}
                        _ = hangup.recv() => {}
                    }
                    to_end.store(true, Ordering::Release);
                    let _gone = pidfd_send_signal(&process, rustix::process::Signal::TERM).is_err();
                }
            });
        };
        // Joined by nobody: it ends with the process.
        hearth_tasks::system_thread("signals".to_owned(), work).map(drop).context("cannot start a thread")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) && self.stop().is_err() {
            // The process ended in between.
        }
    }
}
