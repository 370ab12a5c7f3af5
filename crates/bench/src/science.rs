//! A function whose initialisation is slow: it imports numpy and pandas, installed by pip once and kept with other build results.

use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use hearth_runtimes::{Pip, RuntimeDefinition};
use walkdir::WalkDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::bare::Bare;
use crate::subject::Function;

pub(crate) const NAME: &str = "Python, numpy and pandas";
const HANDLER: &str = include_str!("assets/science.py");
/// Where functions find their files.
const TASK_ROOT: &str = "/var/task";
/// Nothing imports these; without them the package is within Lambda's limits.
const LEFT_OUT: [&str; 2] = ["bin", "pandas/tests"];

/// Needs the package index where `dir` does not hold them yet.
pub(crate) fn function(definition: &RuntimeDefinition, dir: &Path) -> Result<Function> {
    let libraries = libraries(definition, dir)?;
    let mut zip = ZipWriter::new_append(Cursor::new(libraries))?;
    zip.start_file("app.py", options(0o644))?;
    zip.write_all(HANDLER.as_bytes())?;
    Ok(Function {
        runtime: definition.name.clone(),
        handler: "app.handler",
        memory_mib: 512,
        package: zip.finish()?.into_inner(),
    })
}

/// A zip file of the libraries and their bytecode, of this interpreter.
fn libraries(definition: &RuntimeDefinition, dir: &Path) -> Result<Vec<u8>> {
    let version = definition.interpreter_version.as_deref().context("the runtime has no interpreter")?;
    let pins = pins(version)?;
    let kept: PathBuf = dir.join(format!("python-{version}-{}.zip", pins[..2].join("-").replace("==", "-")));
    if kept.exists() {
        return Ok(fs_err::read(&kept)?);
    }
    fs_err::create_dir_all(dir)?;
    // Made beside it, and there only when it is whole.
    let place = tempfile::Builder::new().prefix(".libraries-").tempdir_in(fs_err::canonicalize(dir)?)?;
    let tree = place.path().join("libraries");
    install(version, pins, &tree)?;
    compile(definition, &tree)?;
    let made = place.path().join("libraries.zip");
    fs_err::write(&made, pack(&tree)?)?;
    fs_err::rename(&made, &kept)?;
    Ok(fs_err::read(&kept)?)
}

/// The newest that have wheels for this interpreter, with what they need.
fn pins(version: &str) -> Result<&'static [&'static str]> {
    let minor = version.strip_prefix("3.").and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
    match minor.with_context(|| format!("{version} is no version of Python"))? {
        ..=8 => bail!("pandas for Python {version} is too old to be measured"),
        9 => Ok(&["numpy==2.0.2", PANDAS, DATEUTIL, PYTZ, SIX, TZDATA]),
        10..=13 => Ok(&["numpy==2.2.6", PANDAS, DATEUTIL, PYTZ, SIX, TZDATA]),
        14.. => Ok(&["numpy==2.3.5", PANDAS, DATEUTIL, PYTZ, SIX, TZDATA]),
    }
}

const PANDAS: &str = "pandas==2.3.3";
const DATEUTIL: &str = "python-dateutil==2.9.0.post0";
const PYTZ: &str = "pytz==2025.2";
const SIX: &str = "six==1.17.0";
const TZDATA: &str = "tzdata==2025.2";

fn install(version: &str, pins: &[&str], tree: &Path) -> Result<()> {
    let mut command = Pip::find(&[])?.command();
    command.args(["install", "--no-deps", "--no-compile", "--only-binary=:all:", "--implementation=cp"]);
    command.arg(format!("--python-version={version}")).arg("--target").arg(tree).args(pins);
    let output = command.output().context("cannot start pip")?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        bail!(
            "pip cannot install {}: {}",
            pins[..2].join(" and "),
            told.trim().lines().last().unwrap_or("no reason told")
        );
    }
    for left_out in LEFT_OUT.map(|path| tree.join(path)).iter().filter(|path| path.exists()) {
        fs_err::remove_dir_all(left_out)?;
    }
    Ok(())
}

/// By the runtime's own interpreter. It is told not to compare times, which a zip file keeps to two seconds.
fn compile(definition: &RuntimeDefinition, tree: &Path) -> Result<()> {
    let tree = tree.to_str().context("the directory's name is not text")?;
    let interpreter = definition.bare_command.as_deref().context("no bare command")?;
    let args =
        ["-I", "-S", "-m", "compileall", "-q", "--invalidation-mode=unchecked-hash", "-s", tree, "-p", TASK_ROOT];
    let compile = Bare::of_runtime(definition, interpreter)?.with_args(&[&args[..], &[tree]].concat());
    compile.time().map(drop).context("cannot compile the libraries")
}

fn pack(tree: &Path) -> Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for entry in WalkDir::new(tree).sort_by_file_name() {
        let entry = entry?;
        if entry.file_type().is_file() {
            let inside = entry.path().strip_prefix(tree)?.to_str().context("a file's name is not text")?;
            zip.start_file(inside, options(0o755))?;
            zip.write_all(&fs_err::read(entry.path())?)?;
        }
    }
    Ok(zip.finish()?.into_inner())
}

fn options(mode: u32) -> SimpleFileOptions {
    SimpleFileOptions::default().unix_permissions(mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_installed_is_pinned_for_each_interpreter() {
        for version in ["3.9.2", "3.11.2", "3.13.5", "3.14.0"] {
            let pins = pins(version).unwrap();
            assert!(pins[0].starts_with("numpy==") && pins[1].starts_with("pandas=="), "{pins:?}");
            assert!(pins.iter().all(|pin| pin.contains("==")), "{pins:?}");
        }
        assert!(pins("3.8.20").is_err());
        assert!(pins("20.1.0").is_err());
    }

    #[test]
    fn the_package_holds_the_handler_beside_the_libraries() {
        let tree = tempfile::tempdir().unwrap();
        fs_err::create_dir(tree.path().join("numpy")).unwrap();
        fs_err::write(tree.path().join("numpy/__init__.py"), "__version__ = '0'").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let kept = "python-3.11.2-numpy-2.2.6-pandas-2.3.3.zip";
        fs_err::write(dir.path().join(kept), pack(tree.path()).unwrap()).unwrap();
        let definition: RuntimeDefinition = serde_json::from_value(serde_json::json!({
            "name": "python3.11", "root": "/nowhere", "digest": "00", "interpreter_version": "3.11.2", "commands": [], "environment": {},
        }))
        .unwrap();
        let function = function(&definition, dir.path()).unwrap();
        let zip = zip::ZipArchive::new(Cursor::new(function.package)).unwrap();
        assert_eq!(zip.file_names().map(Result::unwrap).collect::<Vec<_>>(), ["numpy/__init__.py", "app.py"]);
    }
}
