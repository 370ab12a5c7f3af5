//! `python3.x`: an interpreter of the host, moved to `/var/lang`, with `awslambdaric` and boto3 where AWS has them.

use std::path::{Path, PathBuf};

use crate::add::{AddError, Steps, files};
use crate::definition::RuntimeDefinition;
use crate::parking::Parking;
use crate::pip::Pip;
use crate::root::Root;
use crate::{host, provided};

/// What waits, and where it lies inside.
const WAITING: [(&str, &str); 4] = [
    (PARK_INSIDE, include_str!("assets/python/park.py")),
    ("/.hearth/rehearse.py", include_str!("assets/python/rehearse.py")),
    ("/.hearth/rehearsed.py", include_str!("assets/python/rehearsed.py")),
    (ZYGOTE_INSIDE, include_str!("assets/python/zygote.py")),
];
const PARK_INSIDE: &str = "/.hearth/park.py";
const ZYGOTE_INSIDE: &str = "/.hearth/zygote.py";
/// What is started, in the place that it has on AWS, where tools for tracing and debugging look for it.
const BOOTSTRAP: &str = include_str!("assets/python/bootstrap.py");
const BOOTSTRAP_INSIDE: &str = "/var/runtime/bootstrap.py";
const PROBE: &str = include_str!("assets/python/probe.py");
/// What restored copies of a process must not have in common, and how awslambdaric comes to call it.
const RESTORED: &str = include_str!("assets/python/hearth_restored.py");
const HOOKS_RUNNER: &str = include_str!("assets/python/hooks_runner.py");

/// As AWS's images have them, since Python's own installation brings them along; only pip from Python 3.12 on. Packages import
/// `pkg_resources` without saying that they need it.
const INSTALLERS: [&str; 2] = ["pip==25.0.1", "setuptools==75.3.2"];
/// Runs where an interpreter searches directories of other names than usual.
const SEARCH_SITE_PACKAGES: &str =
    "import site, sys; site.addsitedir(sys.path.pop().replace('dist-packages', 'site-packages'))\n";

/// There where copies are renewed.
pub(crate) const RESTORED_INSIDE: &str = "/var/runtime/hearth_restored.py";

/// Parts of the standard library that no function needs: tests, windows, installers, what the interpreter is linked from.
const SKIPPED: &[&str] = &[
    "__pycache__",
    "dist-packages",
    "ensurepip",
    "EXTERNALLY-MANAGED",
    "idlelib",
    "site-packages",
    "sitecustomize.py",
    "test",
    "tests",
    "tkinter",
    "turtle.py",
    "turtledemo",
];

/// An interpreter of the host.
pub(crate) struct Python {
    minor: u32,
    program: PathBuf,
    version: String,
    library: PathBuf,
    platform_library: PathBuf,
    pip: Pip,
}

impl Python {
    pub(crate) const STEPS: u32 = 3;

    /// The first interpreter of that version that is complete.
    pub(crate) fn find(minor: u32) -> Result<Self, AddError> {
        let mut incomplete = None;
        for program in candidates(minor) {
            match host::run(host::command(&program).args(["-I", "-S", "-c", PROBE])) {
                Ok(printed) => return Self::from_probe(minor, program, &printed),
                Err(error) => incomplete = incomplete.or(Some((program, error))),
            }
        }
        Err(match incomplete {
            Some((program, error)) => AddError::Missing {
                what: format!("{} is incomplete ({error})", program.display()),
                install: format!(
                    "install all of Python 3.{minor}, on Debian with: apt-get install libpython3.{minor}-stdlib"
                ),
            },
            None => AddError::Missing {
                what: format!("there is no Python 3.{minor} on this machine"),
                install: format!(
                    "install it (apt-get install python3.{minor}, or: pyenv install 3.{minor}) and try again"
                ),
            },
        })
    }

    fn from_probe(minor: u32, program: PathBuf, printed: &str) -> Result<Self, AddError> {
        let mut lines = printed.lines();
        let [Some(version), Some(library), Some(platform)] = [lines.next(), lines.next(), lines.next()] else {
            return Err(AddError::Command { command: program.display().to_string(), output: printed.to_owned() });
        };
        let pip = Pip::find(&[&program])?;
        Ok(Self {
            minor,
            program,
            version: version.to_owned(),
            library: library.into(),
            platform_library: platform.into(),
            pip,
        })
    }

    pub(crate) fn identity(&self) -> String {
        let program = host::file_identity(&self.program);
        let waiting = WAITING.iter().map(|(_, source)| *source);
        let sources = [BOOTSTRAP, RESTORED, HOOKS_RUNNER, SEARCH_SITE_PACKAGES]
            .into_iter()
            .chain(waiting)
            .collect::<Vec<_>>()
            .join("\n");
        format!("{}\n{program}\n{}\n{sources}", self.version, self.packages())
    }

    /// Pinned requirements for this interpreter: chosen here, since pip asks its own interpreter for markers.
    fn packages(&self) -> String {
        let pinned = match self.minor {
            ..=8 => include_str!("assets/python/packages-3.8.txt"),
            9 => include_str!("assets/python/packages-3.9.txt"),
            10.. => include_str!("assets/python/packages-3.10.txt"),
        };
        let installers = if self.minor >= 12 { &INSTALLERS[..1] } else { &INSTALLERS };
        format!("{pinned}{}\n", installers.join("\n"))
    }

    pub(crate) fn install(
        &self,
        name: &str,
        root: &mut Root,
        steps: &mut Steps<'_>,
    ) -> Result<RuntimeDefinition, AddError> {
        steps.begin("copying the interpreter and its standard library");
        let inside = format!("/var/lang/bin/python3.{}", self.minor);
        self.copy_interpreter(root, &inside).map_err(files("copying the interpreter"))?;
        steps.begin("installing awslambdaric and boto3");
        self.install_packages(root)?;
        self.add_restore_hook(root).map_err(files("adding the restore hook"))?;
        root.complete(&self.packages_inside()).map_err(files("copying libraries"))?;
        steps.begin("compiling Python modules");
        for dir in [self.library_inside(), "/var/runtime".to_owned()] {
            self.compile(root, &dir)?;
        }

        root.write(BOOTSTRAP_INSIDE, BOOTSTRAP).map_err(files("writing the start script"))?;
        let commands: &[&[&str]] = &[&[&inside, BOOTSTRAP_INSIDE]];
        let mut definition = RuntimeDefinition::new(name.to_owned(), PathBuf::new(), String::new(), commands);
        definition.interpreter_version = Some(self.version.clone());
        for (path, source) in WAITING {
            root.write(path, source).map_err(files("writing what waits"))?;
        }
        let started = |script| [inside.as_str(), script].map(str::to_owned).to_vec();
        definition.parking = Some(Parking { command: started(PARK_INSIDE), zygote: Some(started(ZYGOTE_INSIDE)) });
        definition.bare_command = Some([inside.as_str(), "-c", "pass"].map(str::to_owned).into());
        definition.environment = provided::managed_environment(&format!("python3.{}", self.minor));
        Ok(definition)
    }

    /// Where AWS has the client and the SDK: beside the functions' other modules from Python 3.11 on.
    fn packages_inside(&self) -> String {
        if self.minor >= 11 { format!("{}/site-packages", self.library_inside()) } else { "/var/runtime".to_owned() }
    }

    fn library_inside(&self) -> String {
        format!("/var/lang/lib/python3.{}", self.minor)
    }

    fn copy_interpreter(&self, root: &mut Root, inside: &str) -> std::io::Result<()> {
        root.copy(&self.program, inside)?;
        for link in ["python3", "python"] {
            root.link(format!("/var/lang/bin/{link}"), &format!("python3.{}", self.minor))?;
        }
        let library = self.library_inside();
        root.make_dir(format!("{library}/site-packages"))?;
        let skip = |path: &Path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            SKIPPED.contains(&name) || name.starts_with("config-3.") || name.ends_with(".a")
        };
        root.copy_tree(&self.library, &library, &skip)?;
        if self.platform_library != self.library {
            root.copy_tree(&self.platform_library, &library, &skip)?;
        }
        self.search_site_packages(root)
    }

    /// Debian's interpreters search directories of other names, and have that built in. They run the lines of path files there.
    fn search_site_packages(&self, root: &Root) -> std::io::Result<()> {
        let library = self.library_inside();
        let others = format!("{library}/dist-packages");
        if !fs_err::read_to_string(root.at(format!("{library}/site.py")))?.contains("dist-packages") {
            return Ok(());
        }
        root.write(format!("{others}/site-packages.pth"), SEARCH_SITE_PACKAGES)
    }

    fn install_packages(&self, root: &Root) -> Result<(), AddError> {
        root.write("/var/runtime/.packages.txt", self.packages()).map_err(files("writing the list of packages"))?;
        let list = root.at("/var/runtime/.packages.txt");
        let mut install = self.pip.command();
        install.args(["install", "--no-deps", "--no-compile", "--only-binary=:all:", "--implementation=cp"]);
        install.arg(format!("--python-version=3.{}", self.minor));
        let packages = root.at(self.packages_inside());
        install.arg("--target").arg(&packages).arg("--requirement").arg(&list);
        host::fetch(&mut install, &host::PYPI)?;
        let unneeded = [list, packages.join("bin")];
        for path in unneeded.iter().filter(|path| path.exists()) {
            let removed = if path.is_dir() { fs_err::remove_dir_all(path) } else { fs_err::remove_file(path) };
            removed.map_err(files("cleaning up"))?;
        }
        Ok(())
    }

    /// Clients of the oldest versions know nothing of restores: functions of theirs are not saved.
    fn add_restore_hook(&self, root: &Root) -> std::io::Result<()> {
        let runner = format!("{}/awslambdaric/lambda_runtime_hooks_runner.py", self.packages_inside());
        match fs_err::read_to_string(root.at(&runner)) {
            Ok(own) => {
                root.write(&runner, format!("{own}{HOOKS_RUNNER}"))?;
                root.write(RESTORED_INSIDE, RESTORED)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Compiles ahead, and so that no start compares a module with its source: the root never changes.
    fn compile(&self, root: &Root, dir: &str) -> Result<(), AddError> {
        let mut compile = host::command(&self.program);
        compile.args(["-I", "-S", "-m", "compileall", "-q", "-j0", "--invalidation-mode=unchecked-hash"]);
        // Tracebacks show where a module lies inside.
        if self.minor >= 9 {
            compile.arg("-s").arg(root.at("/")).args(["-p", "/"]).arg(root.at(dir));
        } else {
            compile.args(["-d", dir]).arg(root.at(dir));
        }
        host::run(&mut compile).map(drop)
    }
}

/// Interpreters of that version, the system's own first: programs, not the scripts of version managers.
fn candidates(minor: u32) -> Vec<PathBuf> {
    let name = format!("python3.{minor}");
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let managed = [home.join(".pyenv/versions"), home.join(".local/share/uv/python"), PathBuf::from("/opt/python")];
    let installed = managed.iter().filter_map(|dir| fs_err::read_dir(dir).ok()).flatten().flatten();
    let mut installed: Vec<_> = installed.map(|entry| entry.path().join("bin").join(&name)).collect();
    installed.sort();
    host::programs(&name).chain(installed.into_iter().rev()).filter(|path| host::is_binary(path)).collect()
}
