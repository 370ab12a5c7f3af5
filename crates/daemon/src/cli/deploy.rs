//! `hearth deploy DIR|FILE.zip`.

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
    /// Environment variable `NAME=VALUE`; may be repeated.
    #[arg(long = "env", value_name = "NAME=VALUE")]
    pub(crate) environment: Vec<String>,
    /// Deploy again whenever a file changes.
    #[arg(long)]
    pub(crate) watch: bool,
}

pub(crate) fn run(args: &DeployArgs, endpoint: &str, output: &Output) -> Result<ExitCode> {
    let client = Client::new(endpoint)?;
    let deployed = deploy(&client, args)?;
    report(&deployed, output);
    if args.watch {
        ensure!(args.code.is_dir(), "--watch needs a directory");
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

/// Creates the function or brings code and configuration up to date, and waits until it can be called.
pub(crate) fn deploy(client: &Client, args: &DeployArgs) -> Result<Value> {
    let name = function_name(args)?;
    let zip = base64::engine::general_purpose::STANDARD.encode(package(&args.code)?);
    let path = format!("/2015-03-31/functions/{}", path_segment(&name));
    match client.json("lambda", Method::GET, &path, &Value::Null) {
        Ok(_) => {
            client.json("lambda", Method::PUT, &format!("{path}/code"), &json!({"ZipFile": zip}))?;
            wait_until_settled(client, &path)?;
            let changes = configuration(args)?;
            if changes != json!({}) {
                client.json("lambda", Method::PUT, &format!("{path}/configuration"), &changes)?;
            }
        }
        Err(error) if is_not_found(&error) => {
            let mut request = configuration(args)?;
            let guess = guess(&args.code, args)?;
            request["FunctionName"] = json!(name);
            request["Runtime"] = json!(guess.runtime);
            request["Handler"] = json!(guess.handler);
            request["Role"] = json!(super::role::default_role(client)?);
            request["Code"] = json!({"ZipFile": zip});
            client.json("lambda", Method::POST, "/2015-03-31/functions", &request)?;
        }
        Err(error) => return Err(error),
    }
    wait_until_settled(client, &path)
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

fn configuration(args: &DeployArgs) -> Result<Value> {
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
    if !args.environment.is_empty() {
        let mut variables = serde_json::Map::new();
        for pair in &args.environment {
            let (name, value) = pair.split_once('=').with_context(|| format!("--env {pair}: write NAME=VALUE"))?;
            variables.insert(name.to_owned(), json!(value));
        }
        set("Environment", Some(json!({"Variables": variables})));
    }
    Ok(request)
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
