//! `hearth-bench`: what Hearth costs, beside what the same machine does without it, in one run.
//!
//! Every figure stands beside its baseline, measured in turn with it: a plain hyper server for warm calls, the bare interpreter
//! for cold starts, the runtime alone for memory. Prints tables and writes `target/bench.json`.
#![expect(clippy::disallowed_methods, reason = "a measurement ends with its process")]

mod bare;
mod burst;
mod cold;
mod compare;
mod daemon;
mod hello;
mod http;
mod idle;
mod interference;
mod load;
mod memory;
mod processes;
mod report;
mod runtime_api;
mod science;
mod signed;
mod subject;
mod template;
mod warm;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use cold::WAYS;
use daemon::Daemon;
use report::Report;
use subject::Subject;

#[derive(Debug, Parser)]
#[command(name = "hearth-bench", version, about = "Measure Hearth against baselines of the same run")]
struct Args {
    /// The daemon to measure.
    #[arg(long, default_value = "target/release/hearth")]
    hearth: PathBuf,
    /// Another daemon: both are measured in turn, and nothing else is. Ratios are this one's to the other's.
    #[arg(long, value_name = "OTHER")]
    against: Option<PathBuf>,
    /// Runtimes that the other daemon prepared, where it does not take these.
    #[arg(long, requires = "against")]
    against_runtimes: Option<PathBuf>,
    /// Rounds of each warm figure with `--against`.
    #[arg(long, default_value_t = 8)]
    rounds: usize,
    /// With `--against`: both daemons have an access key, and every request is signed with it, as in production.
    #[arg(long, requires = "against")]
    signed: bool,
    /// Prepared runtimes (`hearth runtime add`).
    #[arg(long, default_value = "target/runtimes")]
    runtimes: PathBuf,
    #[arg(long, default_value = "samples")]
    samples: PathBuf,
    #[arg(long, default_value = "target/bench.json")]
    out: PathBuf,
    /// Runtime of the Python sample; by default the newest that is prepared.
    #[arg(long)]
    python: Option<String>,
    /// Runtime of the Node sample; by default the newest that is prepared.
    #[arg(long)]
    node: Option<String>,
    /// Sections to run: warm, cold, template, burst, memory, idle, interference.
    #[arg(long, value_delimiter = ',', default_value = "warm,cold,template,burst,memory,idle,interference")]
    only: Vec<Section>,
    /// Where the libraries of the function with a slow initialisation are kept.
    #[arg(long, default_value = "target/bench-libraries")]
    libraries: PathBuf,
    /// Functions called cold in turn, per runtime; also the starts from each template, and the sandboxes whose memory is measured.
    #[arg(long, default_value_t = 30)]
    cold: usize,
    /// Distinct cold functions called at once.
    #[arg(long, default_value_t = 50)]
    burst: usize,
    /// Idle Python sandboxes whose memory is measured.
    #[arg(long, default_value_t = 500)]
    idle: usize,
    /// Cold starts of one function at once, beside calls of others.
    #[arg(long, default_value_t = 200)]
    interference: usize,
    /// Seconds of each warm measurement; each is made three times.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum Section {
    Warm,
    Cold,
    Template,
    Burst,
    Memory,
    Idle,
    Interference,
}

#[derive(Debug, clap::Subcommand)]
enum Role {
    /// The plain server that warm calls are compared with.
    #[command(hide = true)]
    HelloServer,
}

fn main() -> Result<()> {
    let args = Args::parse();
    match args.role {
        Some(Role::HelloServer) => hello::serve(),
        None => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut terminate = signal(SignalKind::terminate())?;
                // Whatever ends it, the processes that it started end with it.
                tokio::select! {
                    measured = measure(&args) => measured,
                    interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Into::into).and_then(|()| bail!("interrupted")),
                    _ = terminate.recv() => bail!("interrupted"),
                }
            })
        }
    }
}

async fn measure(args: &Args) -> Result<()> {
    if let Some(other) = &args.against {
        return compare::run(args, other).await;
    }
    let subjects = Subject::all(args).context("cannot prepare the sample functions (`scripts/prepare` does)")?;
    let mut report = Report::new();
    report.busy(processes::load()?);
    let wants = |section| args.only.contains(&section);
    if wants(Section::Warm) {
        let daemon = Daemon::start(&args.hearth, &args.runtimes, "").await?;
        warm::measure(&daemon, &subjects, Duration::from_secs(args.seconds), &mut report).await?;
        daemon.stop()?;
    }
    for subject in &subjects {
        for way in WAYS.into_iter().filter(|_| wants(Section::Cold) || wants(Section::Memory)) {
            let daemon = Daemon::start(&args.hearth, &args.runtimes, way.node).await?;
            if !cold::await_way(&daemon, subject, way).await? {
                daemon.stop()?;
                continue;
            }
            cold::measure(&daemon, subject, way, args.cold, &mut report).await?;
            let sandboxes = memory::of_sandboxes(&daemon, args.cold);
            daemon.stop()?;
            if wants(Section::Memory) {
                memory::compare(subject, way.start, &sandboxes?, args.cold, &mut report).await?;
            }
        }
    }
    if wants(Section::Template) {
        templates(args, &subjects, &mut report).await?;
    }
    for subject in subjects.iter().filter(|_| wants(Section::Burst)) {
        let daemon = Daemon::start(&args.hearth, &args.runtimes, "").await?;
        burst::measure(&daemon, subject, args.burst, &mut report).await?;
        daemon.stop()?;
    }
    for subject in subjects.iter().filter(|subject| subject.language == "Python") {
        if wants(Section::Idle) {
            let daemon = Daemon::start(&args.hearth, &args.runtimes, idle::NODE).await?;
            idle::measure(&daemon, subject, args.idle, &mut report).await?;
            daemon.stop()?;
        }
        if wants(Section::Interference) {
            let daemon = Daemon::start(&args.hearth, &args.runtimes, idle::NODE).await?;
            interference::measure(&daemon, subject, args.interference, &mut report).await?;
            daemon.stop()?;
        }
    }
    report.print()?;
    report.write(&args.out)
}

async fn templates(args: &Args, subjects: &[Subject], report: &mut Report) -> Result<()> {
    let daemon = Daemon::start(&args.hearth, &args.runtimes, template::NODE).await?;
    if let Some(reason) = template::lacking(&daemon).await? {
        report.skip(format!("templates: {reason}"));
        return daemon.stop();
    }
    for subject in subjects {
        template::measure(&daemon, subject.language, &subject.function, &subject.bare, args.cold, report).await?;
    }
    let python = subjects.iter().find(|subject| subject.language == "Python").context("no Python function")?;
    match subject::python(args).and_then(|definition| science::function(&definition, &args.libraries)) {
        Ok(function) => template::measure(&daemon, science::NAME, &function, &python.bare, args.cold, report).await?,
        Err(error) => report.skip(format!("templates, {}: {error:#}", science::NAME)),
    }
    daemon.stop()
}
