//! What is measured: one hello function per runtime, and the same program without Hearth.

use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use hearth_runtimes::{RuntimeDefinition, Runtimes};
use zip::write::SimpleFileOptions;

use crate::Args;
use crate::bare::Bare;

/// What is deployed.
pub(crate) struct Function {
    pub(crate) runtime: String,
    pub(crate) handler: &'static str,
    pub(crate) memory_mib: u32,
    /// A zip file.
    pub(crate) package: Vec<u8>,
}

pub(crate) struct Subject {
    /// Such as `Python`.
    pub(crate) language: &'static str,
    pub(crate) function: Function,
    /// Starts the program with nothing to do.
    pub(crate) bare: Bare,
    /// The same, and loads the runtime's client; `None` where the program is its own client.
    pub(crate) bare_with_client: Option<Bare>,
    /// Runs the function by the runtime's own means, given the address of a Runtime API.
    pub(crate) alone: Bare,
}

impl Subject {
    pub(crate) fn all(args: &Args) -> Result<Vec<Self>> {
        let runtimes = Runtimes::open(&args.runtimes)?;
        let samples = fs_err::canonicalize(&args.samples)?;
        let python = python(args)?;
        let node = newest(&runtimes, "nodejs", args.node.as_deref())?;
        Ok(vec![
            Self::rust(&samples.join("rust-hello/dist"))?,
            Self::python(&python, &samples.join("python-hello"))?,
            Self::node(&node, &samples.join("node-hello"))?,
        ])
    }

    fn rust(dir: &Path) -> Result<Self> {
        let program = dir.join("bootstrap");
        let alone = Bare::new(program.clone(), &[]).lambda("bootstrap", dir);
        Ok(Self {
            language: "Rust",
            function: Function {
                runtime: "provided.al2023".to_owned(),
                handler: "bootstrap",
                memory_mib: 256,
                package: package(dir, "bootstrap", 0o755)?,
            },
            // With all it asks for but nobody listening it ends as soon as it is up.
            bare: alone.clone().variable("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1").failing(),
            bare_with_client: None,
            alone,
        })
    }

    fn python(definition: &RuntimeDefinition, dir: &Path) -> Result<Self> {
        let bare = Bare::of_runtime(definition, definition.bare_command.as_deref().context("no bare command")?)?;
        let client = bare.clone().with_args(&["-c", "import awslambdaric.bootstrap"]);
        Self::interpreted("Python", definition, dir, "app.py", "app.handler", bare, client)
    }

    fn node(definition: &RuntimeDefinition, dir: &Path) -> Result<Self> {
        let bare = Bare::of_runtime(definition, definition.bare_command.as_deref().context("no bare command")?)?;
        let modules = definition.root.join("var/runtime/node_modules/aws-lambda-ric");
        let module = [modules.join("dist/index.mjs"), modules.join("index.mjs")].into_iter().find(|path| path.exists());
        let module = module.context("aws-lambda-ric is not there")?.display().to_string();
        // Newer clients start at once when they are loaded, and find that nobody listens.
        let import = format!("process.on('uncaughtException', () => process.exit(0)); await import({module:?})");
        let client = bare.clone().with_args(&["--input-type=module", "-e", &import]);
        Self::interpreted("Node", definition, dir, "index.mjs", "index.handler", bare, client)
    }

    fn interpreted(
        language: &'static str,
        definition: &RuntimeDefinition,
        dir: &Path,
        file: &str,
        handler: &'static str,
        bare: Bare,
        client: Bare,
    ) -> Result<Self> {
        let memory_mib = 256;
        let commands = definition.commands_for(memory_mib, &[]);
        let command = commands.first().context("the runtime has no command")?;
        Ok(Self {
            language,
            function: Function {
                runtime: definition.name.clone(),
                handler,
                memory_mib,
                package: package(dir, file, 0o644)?,
            },
            bare,
            bare_with_client: Some(client),
            alone: Bare::of_runtime(definition, command)?.lambda(handler, dir),
        })
    }
}

/// The newest Python that is prepared, or the wanted one.
pub(crate) fn python(args: &Args) -> Result<Arc<RuntimeDefinition>> {
    newest(&Runtimes::open(&args.runtimes)?, "python", args.python.as_deref())
}

fn newest(runtimes: &Runtimes, family: &str, wanted: Option<&str>) -> Result<Arc<RuntimeDefinition>> {
    if let Some(name) = wanted {
        return runtimes.get(name).with_context(|| format!("{name} is not prepared"));
    }
    let number = |definition: &Arc<RuntimeDefinition>| -> Vec<u32> {
        definition.name[family.len()..].split('.').filter_map(|part| part.parse().ok()).collect()
    };
    let of_family = runtimes.list().into_iter().filter(|definition| definition.name.starts_with(family));
    of_family.max_by_key(number).with_context(|| format!("no {family} runtime is prepared"))
}

fn package(dir: &Path, file: &str, mode: u32) -> Result<Vec<u8>> {
    let path: PathBuf = dir.join(file);
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(file, SimpleFileOptions::default().unix_permissions(mode))?;
    zip.write_all(&fs_err::read(&path)?)?;
    Ok(zip.finish()?.into_inner())
}
