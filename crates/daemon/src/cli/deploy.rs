//! `hearth deploy DIR|FILE.zip`.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use http::Method;
use notify::Watcher as _;
use serde_json::{Value, json};

use super::client::{Client, is_not_found};
use super::functions::path_segment;
use super::output::{GOOD, Output};
use super::{ConfigArgs, DaemonArgs};
use super::{daemon, role, runtime};

/// Changes of a directory that come within this time are one change.
const SETTLE: Duration = Duration::from_millis(200);
/// How long a deployment may take to become active.
const ACTIVE_WITHIN: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DeployArgs {
    /// Directory or zip file with the function's code.
    pub(crate) code: PathBuf,
    /// Name of the function; by default the directory's.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Such as python3.11, nodejs20.x or provided.al2023; by default guessed from the files.
    #[arg(long)]
    pub(crate) runtime: Option<String>,
    /// Such as app.handler; by default guessed from the files.
    #[arg(long)]
    pub(crate) handler: Option<String>,
    /// Memory, MB.
    #[arg(long)]
    pub(crate) memory: Option<u32>,
    /// Time-out, seconds.
    #[arg(long)]
    pub(crate) timeout: Option<u32>,
    /// Environment variable; may be repeated.
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) environment: Vec<(String, String)>,
    /// Its role, by name or ARN; by default `hearth`, which is made if need be.
    #[arg(long)]
    pub(crate) role: Option<String>,
    /// ARN of a layer's version; may be repeated.
    #[arg(long = "layer", value_name = "ARN")]
    pub(crate) layers: Vec<String>,
    /// Tag; may be repeated.
    #[arg(long = "tag", value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) tags: Vec<(String, String)>,
    /// What it reaches beside AWS's services here: the outside, or nothing.
    #[arg(long, value_parser = ["egress", "none"])]
    pub(crate) network: Option<String>,
    /// Add the runtime without asking if it is not installed.
    #[arg(long)]
    pub(crate) add_runtime: bool,
    /// Deploy again whenever a file changes.
    #[arg(long)]
    pub(crate) watch: bool,
}

pub(crate) fn run(args: &DeployArgs, at: &DaemonArgs, output: &Output) -> Result<ExitCode> {
    ensure!(!args.watch || args.code.is_dir(), "--watch needs a directory");
    let client = Client::of(at)?;
    let deployed = deploy_with_runtime(&client, args, output)?;
    report(&deployed, output);
    if args.watch {
        watch(&client, args, output)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn report(deployed: &Value, output: &Output) {
    output.result(deployed, || {
        let name = deployed["FunctionName"].as_str().unwrap_or_default();
        format!(
            "{GOOD}deployed{GOOD:#} {name} ({}, {} MB). Call it: hearth invoke {name} '{{}}'",
            deployed["Runtime"].as_str().unwrap_or_default(),
            deployed["MemorySize"]
        )
    });
}

/// Adds the runtime first if it is not installed and that is wanted.
fn deploy_with_runtime(client: &Client, args: &DeployArgs, output: &Output) -> Result<Value> {
    let error = match deploy(client, args) {
        Err(error) => error,
        deployed => return deployed,
    };
    let name = guess(&args.code, args).map(|guess| guess.runtime).unwrap_or_default();
    let lacks = client.is_local() && format!("{error:#}").contains("not installed");
    if !lacks || !(args.add_runtime || wants_runtime(&name)?) {
        return Err(error);
    }
    let options = ConfigArgs { config: None, data_dir: None };
    runtime::add(&daemon::runtimes(&options, client.endpoint())?, &name, output)?;
    deploy(client, args)
}

/// Asks, where somebody can answer.
fn wants_runtime(name: &str) -> Result<bool> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(false);
    }
    write!(std::io::stderr(), "{name} is not installed on this machine. Add it now? [Y/n] ")?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes") && !answer.is_empty())
}

/// Creates the function or brings code and configuration up to date, and waits until it can be called.
pub(crate) fn deploy(client: &Client, args: &DeployArgs) -> Result<Value> {
    let name = function_name(args)?;
    let zip = base64::engine::general_purpose::STANDARD.encode(package(&args.code)?);
    let path = format!("/2015-03-31/functions/{}", path_segment(&name));
    match client.json("lambda", Method::GET, &path, &Value::Null) {
        Ok(known) => update(client, args, &path, &known, &zip)?,
        Err(error) if is_not_found(&error) => {
            let mut request = configuration(args);
            let guess = guess(&args.code, args)?;
            request["FunctionName"] = json!(name);
            request["Runtime"] =
                json!(if args.runtime.is_some() { guess.runtime } else { installed(client, guess.runtime) });
            request["Handler"] = json!(guess.handler);
            request["Role"] = json!(role::arn(client, args.role.as_deref())?);
            request["Code"] = json!({"ZipFile": zip});
            let tags = tags(args);
            if !tags.is_empty() {
                request["Tags"] = json!(tags);
            }
            client.json("lambda", Method::POST, "/2015-03-31/functions", &request)?;
        }
        Err(error) => return Err(error),
    }
    wait_until_settled(client, &path)
}

/// What runs has the new code, then the new configuration; tags come last as they hold for what starts anew.
fn update(client: &Client, args: &DeployArgs, path: &str, known: &Value, zip: &str) -> Result<()> {
    client.json("lambda", Method::PUT, &format!("{path}/code"), &json!({"ZipFile": zip}))?;
    wait_until_settled(client, path)?;
    let mut changes = configuration(args);
    if args.role.is_some() {
        changes["Role"] = json!(role::arn(client, args.role.as_deref())?);
    }
    if changes != json!({}) {
        client.json("lambda", Method::PUT, &format!("{path}/configuration"), &changes)?;
    }
    let tags = tags(args);
    if !tags.is_empty() {
        let arn = known["Configuration"]["FunctionArn"].as_str().unwrap_or_default();
        let path = format!("/2017-03-31/tags/{}", path_segment(arn));
        client.json("lambda", Method::POST, &path, &json!({"Tags": tags}))?;
    }
    Ok(())
}

/// The network is a tag.
fn tags(args: &DeployArgs) -> BTreeMap<String, String> {
    let network = args.network.iter().map(|network| ("hearth:network".to_owned(), network.clone()));
    args.tags.iter().cloned().chain(network).collect()
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or("must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn wait_until_settled(client: &Client, path: &str) -> Result<Value> {
    let deadline = Instant::now() + ACTIVE_WITHIN;
    loop {
        let configuration = client.json("lambda", Method::GET, &format!("{path}/configuration"), &Value::Null)?;
        match (configuration["State"].as_str(), configuration["LastUpdateStatus"].as_str()) {
            (Some("Failed"), _) => bail!("the function failed: {}", configuration["StateReason"]),
            (_, Some("Failed")) => bail!("the update failed: {}", configuration["LastUpdateStatusReason"]),
            (Some("Active"), Some("Successful")) => return Ok(configuration),
            _ => {}
        }
        ensure!(
            Instant::now() < deadline,
            "the function is still {}: look at the daemon's log",
            configuration["State"]
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn function_name(args: &DeployArgs) -> Result<String> {
    if let Some(name) = &args.name {
        return Ok(name.clone());
    }
    let code = fs_err::canonicalize(&args.code)?;
    let stem = code.file_stem().and_then(|name| name.to_str());
    stem.map(str::to_owned).context("the directory's name is no function name: give one with --name")
}

fn configuration(args: &DeployArgs) -> Value {
    let mut request = json!({});
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            request[key] = value;
        }
    };
    set("Runtime", args.runtime.as_ref().map(|runtime| json!(runtime)));
    set("Handler", args.handler.as_ref().map(|handler| json!(handler)));
    set("MemorySize", args.memory.map(|memory| json!(memory)));
    set("Timeout", args.timeout.map(|timeout| json!(timeout)));
    set("Layers", (!args.layers.is_empty()).then(|| json!(args.layers)));
    let variables: BTreeMap<_, _> = args.environment.iter().cloned().collect();
    set("Environment", (!variables.is_empty()).then(|| json!({"Variables": variables})));
    request
}

struct Guess {
    runtime: String,
    handler: String,
}

/// From the files' names, as the samples of most runtimes are laid out.
fn guess(code: &Path, args: &DeployArgs) -> Result<Guess> {
    let known = [
        ("bootstrap", "provided.al2023", "bootstrap"),
        ("lambda_function.py", "python3.11", "lambda_function.lambda_handler"),
        ("app.py", "python3.11", "app.handler"),
        ("main.py", "python3.11", "main.handler"),
        ("index.mjs", "nodejs20.x", "index.handler"),
        ("index.js", "nodejs20.x", "index.handler"),
        ("app.mjs", "nodejs20.x", "app.handler"),
        ("app.js", "nodejs20.x", "app.handler"),
    ];
    let found = known.iter().find(|(file, ..)| code.join(file).exists());
    let missing = |what: &str| format!("cannot tell the {what} from the files: give --{what}");
    let runtime = args.runtime.clone().or_else(|| found.map(|found| found.1.to_owned()));
    let handler = args.handler.clone().or_else(|| found.map(|found| found.2.to_owned()));
    Ok(Guess {
        runtime: runtime.with_context(|| missing("runtime"))?,
        handler: handler.with_context(|| missing("handler"))?,
    })
}

/// The guess, or the newest of its language that the daemon has, if it does not have that.
fn installed(client: &Client, guess: String) -> String {
    let Some(language) = ["python3.", "nodejs"].into_iter().find(|language| guess.starts_with(language)) else {
        return guess;
    };
    let options = ConfigArgs { config: None, data_dir: None };
    let known = daemon::runtimes(&options, client.endpoint()).map(|runtimes| runtimes.list()).unwrap_or_default();
    let number = |name: &str| name.strip_prefix(language)?.trim_end_matches(".x").parse::<u32>().ok();
    let newest = known.iter().map(|runtime| &runtime.name).max_by_key(|name| number(name));
    match newest.filter(|name| name.starts_with(language) && known.iter().all(|runtime| runtime.name != guess)) {
        Some(newest) => newest.clone(),
        None => guess,
    }
}

/// The zip file's bytes, or the directory packed.
fn package(code: &Path) -> Result<Vec<u8>> {
    if !code.is_dir() {
        return Ok(fs_err::read(code)?);
    }
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let mut files = 0;
    for entry in walkdir::WalkDir::new(code).sort_by_file_name() {
        let entry = entry.context("cannot read the directory")?;
        let name = entry.path().strip_prefix(code).unwrap_or(entry.path());
        let name = name.to_str().with_context(|| format!("{} is not Unicode", name.display()))?;
        if !entry.file_type().is_file() || name.starts_with(".git/") {
            continue;
        }
        let mode = if is_executable(entry.path())? { 0o755 } else { 0o644 };
        zip.start_file(name, zip::write::SimpleFileOptions::default().unix_permissions(mode))?;
        std::io::copy(&mut fs_err::File::open(entry.path())?, &mut zip)?;
        files += 1;
    }
    ensure!(files > 0, "{} is empty", code.display());
    Ok(zip.finish()?.into_inner())
}

fn is_executable(path: &Path) -> Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs_err::metadata(path)?.permissions().mode() & 0o111 != 0)
}

fn watch(client: &Client, args: &DeployArgs, output: &Output) -> Result<()> {
    let (sender, changes) = mpsc::channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access()) {
            // Nobody listens any more only when the command ends.
            let _ended = sender.send(()).is_err();
        }
    })?;
    watcher.watch(&args.code, notify::RecursiveMode::Recursive)?;
    output.note(&format!("watching {}; Ctrl-C ends", args.code.display()));
    while changes.recv().is_ok() {
        while changes.recv_timeout(SETTLE).is_ok() {}
        let started = Instant::now();
        match deploy(client, args) {
            Ok(_) => output.note(&format!("{GOOD}deployed{GOOD:#} in {} ms", started.elapsed().as_millis())),
            Err(error) => output.error(&error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(code: &Path) -> DeployArgs {
        DeployArgs {
            code: code.to_owned(),
            name: None,
            runtime: None,
            handler: None,
            memory: None,
            timeout: None,
            environment: Vec::new(),
            role: None,
            layers: Vec::new(),
            tags: Vec::new(),
            network: None,
            add_runtime: false,
            watch: false,
        }
    }

    #[test]
    fn the_runtime_is_guessed_from_the_files() {
        let dir = tempfile::tempdir().unwrap();
        fs_err::write(dir.path().join("index.mjs"), "").unwrap();
        let guess = guess(dir.path(), &args(dir.path())).unwrap();
        assert_eq!((guess.runtime.as_str(), guess.handler.as_str()), ("nodejs20.x", "index.handler"));
    }

    #[test]
    fn an_unknown_layout_asks_for_the_runtime() {
        let dir = tempfile::tempdir().unwrap();
        let error = guess(dir.path(), &args(dir.path())).err().unwrap();
        assert!(error.to_string().contains("--runtime"), "{error}");
    }

    #[test]
    fn a_directory_is_packed_with_its_executable_bits() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        fs_err::write(dir.path().join("bootstrap"), "#!/bin/sh").unwrap();
        fs_err::set_permissions(dir.path().join("bootstrap"), std::fs::Permissions::from_mode(0o755)).unwrap();
        let bytes = package(dir.path()).unwrap();
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
        assert_eq!(archive.by_index(0).unwrap().unix_mode().unwrap() & 0o777, 0o755);
    }

    #[test]
    fn an_empty_directory_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(package(dir.path()).is_err());
    }
}
