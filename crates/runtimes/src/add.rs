//! Making a runtime: find what it takes, build its root aside, put it in place.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;

use crate::definition::RuntimeDefinition;
use crate::name::{RuntimeName, UnknownRuntime};
use crate::node::Node;
use crate::python::Python;
use crate::root::Root;
use crate::{base, provided};

/// Part of every digest: raise it when roots are made differently.
const RECIPE: &str = "5";

/// One step of an addition has begun.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Steps done before this one, of `steps`.
    pub done: u32,
    pub steps: u32,
    /// What is being done now, such as `copying the standard library`.
    pub doing: &'static str,
}

#[derive(Debug, thiserror::Error)]
pub enum AddError {
    #[error(transparent)]
    Name(#[from] UnknownRuntime),
    /// The host lacks something; `install` says how to get it.
    #[error("{what}: {install}")]
    Missing { what: String, install: String },
    #[error(
        "{registry} cannot be reached: see to this machine's network, or name a proxy (HTTPS_PROXY) or a mirror ({mirror}), and try again"
    )]
    Unreachable { registry: &'static str, mirror: &'static str },
    #[error("`{command}` failed: {output}")]
    Command { command: String, output: String },
    #[error("cannot write the root directory while {doing}")]
    Files {
        doing: &'static str,
        #[source]
        source: io::Error,
    },
}

/// Names what was being done when a file operation failed.
pub(crate) fn files(doing: &'static str) -> impl FnOnce(io::Error) -> AddError {
    move |source| AddError::Files { doing, source }
}

/// Tells the caller how far an addition is.
pub(crate) struct Steps<'a> {
    done: u32,
    total: u32,
    report: &'a mut dyn FnMut(Progress),
}

impl Steps<'_> {
    pub(crate) fn begin(&mut self, doing: &'static str) {
        (self.report)(Progress { done: self.done, steps: self.total, doing });
        self.done += 1;
    }
}

/// What a runtime is made from, found on the host.
enum Source {
    Provided,
    Python(Python),
    Node(Node),
}

impl Source {
    fn find(runtime: RuntimeName) -> Result<Self, AddError> {
        Ok(match runtime {
            RuntimeName::Provided { .. } => Self::Provided,
            RuntimeName::Python { minor } => Self::Python(Python::find(minor)?),
            RuntimeName::Node { major } => Self::Node(Node::find(major)?),
        })
    }

    fn identity(&self) -> String {
        match self {
            Self::Provided => String::new(),
            Self::Python(python) => python.identity(),
            Self::Node(node) => node.identity(),
        }
    }

    fn steps(&self) -> u32 {
        match self {
            Self::Provided => provided::STEPS,
            Self::Python(_) => Python::STEPS,
            Self::Node(node) => node.steps(),
        }
    }
}

/// Steps that every runtime shares.
const SHARED_STEPS: u32 = 2;

pub(crate) fn add(
    dir: &Path,
    runtime: RuntimeName,
    current: Option<&RuntimeDefinition>,
    report: &mut dyn FnMut(Progress),
) -> Result<RuntimeDefinition, AddError> {
    let _lock = lock(dir, report)?;
    let name = runtime.to_string();
    let source = Source::find(runtime)?;
    let digest = digest_of(&name, &source.identity());
    if let Some(current) = current.filter(|current| current.digest == digest) {
        return Ok(current.clone());
    }
    let mut steps = Steps { done: 0, total: SHARED_STEPS + source.steps(), report };
    let place = dir.join("roots").join(format!("{name}-{}", &digest[..12]));
    let aside = dir.join("roots").join(format!(".new-{name}"));
    let mut root = Root::create(aside).map_err(files("making its directories"))?;

    steps.begin("copying the base system");
    base::install(&mut root, runtime)?;
    let mut definition = match &source {
        Source::Provided => provided::install(&name),
        Source::Python(python) => python.install(&name, &mut root, &mut steps)?,
        Source::Node(node) => node.install(&name, dir, &mut root, &mut steps)?,
    };
    definition.digest = digest;
    definition.root.clone_from(&place);

    base::finish(&root)?;
    steps.begin("writing to disk");
    root.finish().map_err(files("finishing it"))?;
    root.move_to(&place).map_err(files("putting it in place"))?;
    store(dir, &definition)?;
    Ok(definition)
}

/// One addition at a time per directory, and none while a daemon sweeps. The programs that it runs hold the lock too: where this
/// process is killed and they are not, the next addition waits for them.
fn lock(dir: &Path, report: &mut dyn FnMut(Progress)) -> Result<File, AddError> {
    let failed = || files("locking the directory");
    let file = lock_file(dir).map_err(failed())?;
    if file.try_lock().is_err() {
        report(Progress { done: 0, steps: 1, doing: "waiting for another addition to end" });
        file.lock().map_err(failed())?;
    }
    rustix::io::fcntl_setfd(&file, rustix::io::FdFlags::empty()).map_err(|error| failed()(error.into()))?;
    Ok(file)
}

pub(crate) fn lock_file(dir: &Path) -> io::Result<File> {
    let path = dir.join(".lock");
    Ok(fs_err::OpenOptions::new().create(true).truncate(false).write(true).open(path)?.into_parts().0)
}

fn digest_of(name: &str, identity: &str) -> String {
    let text = format!("{RECIPE}\n{name}\n{}\n{identity}", base::identity());
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn store(dir: &Path, definition: &RuntimeDefinition) -> Result<(), AddError> {
    let failed = || files("writing its definition");
    let text = toml::to_string_pretty(definition).map_err(|error| failed()(io::Error::other(error)))?;
    let aside: PathBuf = dir.join(format!(".{}.toml.new", definition.name));
    fs_err::write(&aside, text).map_err(failed())?;
    fs_err::File::open(&aside).and_then(|file| file.sync_all()).map_err(failed())?;
    fs_err::rename(&aside, dir.join(format!("{}.toml", definition.name))).map_err(failed())?;
    fs_err::File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed())
}
