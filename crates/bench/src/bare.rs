//! Programs without Hearth, in an environment that holds nothing but what they need.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use hearth_runtimes::RuntimeDefinition;

#[derive(Clone, Debug)]
pub(crate) struct Bare {
    program: PathBuf,
    args: Vec<String>,
    variables: Vec<(String, String)>,
    dir: Option<PathBuf>,
    fails: bool,
}

impl Bare {
    pub(crate) fn new(program: PathBuf, args: &[&str]) -> Self {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Self { program, args, variables: Vec::new(), dir: None, fails: false }
    }

    /// A command of a runtime, run from its root directory without entering it: the same files as inside a sandbox.
    pub(crate) fn of_runtime(definition: &RuntimeDefinition, command: &[String]) -> Result<Self> {
        let (program, args) = command.split_first().context("the runtime has no command")?;
        let outside = |word: &str| match word.strip_prefix('/') {
            Some(path) => definition.root.join(path).display().to_string(),
            None => word.to_owned(),
        };
        let mut bare = Self::new(outside(program).into(), &[]);
        bare.args = args.iter().map(|arg| outside(arg)).collect();
        for (name, value) in &definition.environment {
            // The host's own loader finds the host's own libraries.
            if name != "LD_LIBRARY_PATH" && name != "PATH" {
                let value = value.split(':').map(outside).collect::<Vec<_>>().join(":");
                bare.variables.push((name.clone(), value));
            }
        }
        Ok(bare)
    }

    pub(crate) fn with_args(mut self, args: &[&str]) -> Self {
        self.args = args.iter().map(|arg| (*arg).to_owned()).collect();
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// It is expected to end with an error.
    pub(crate) fn failing(mut self) -> Self {
        self.fails = true;
        self
    }

    /// What a function's process finds in its environment.
    pub(crate) fn lambda(mut self, handler: &str, dir: &Path) -> Self {
        let dir_text = dir.display().to_string();
        for (name, value) in [
            ("_HANDLER", handler),
            ("LAMBDA_TASK_ROOT", dir_text.as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "bench"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
            ("AWS_REGION", "us-east-1"),
        ] {
            self.variables.retain(|(other, _)| other != name);
            self.variables.push((name.to_owned(), value.to_owned()));
        }
        self.dir = Some(dir.to_owned());
        self
    }

    pub(crate) fn spawn(&self) -> Result<Child> {
        let mut command = Command::new(&self.program);
        command.args(&self.args).env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        if let Some(dir) = &self.dir {
            command.current_dir(dir);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().with_context(|| format!("cannot start {}", self.program.display()))
    }

    pub(crate) fn check_end(&self, child: &mut Child) -> Result<()> {
        let status = child.wait()?;
        if status.success() == self.fails {
            bail!("{} {:?} ended with {status}", self.program.display(), self.args);
        }
        Ok(())
    }

    /// From before it is started until it has ended.
    pub(crate) fn time(&self) -> Result<Duration> {
        let started = Instant::now();
        let mut child = self.spawn()?;
        self.check_end(&mut child)?;
        Ok(started.elapsed())
    }

    /// From before the first of `count` is started until all have ended.
    pub(crate) fn time_at_once(&self, count: usize) -> Result<Duration> {
        let started = Instant::now();
        let mut children = (0..count).map(|_| self.spawn()).collect::<Result<Vec<_>>>()?;
        for child in &mut children {
            self.check_end(child)?;
        }
        Ok(started.elapsed())
    }
}
