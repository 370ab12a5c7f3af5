//! Builds the agent, which the daemon carries inside itself: static, small, with a profile of its own.
//!
//! `$OUT_DIR/hearth-agent` is the program. Where `HEARTH_AGENT` names a ready one, that is taken instead.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// What the agent is made from, relative to the workspace.
const SOURCES: &[&str] =
    &["crates/agent", "crates/agent-proto", "crates/sys", "crates/types", "Cargo.toml", "Cargo.lock"];

fn main() -> Result<(), String> {
    let out = variable("OUT_DIR")?;
    let workspace = variable("CARGO_MANIFEST_DIR")?.join("../..");
    println!("cargo::rerun-if-env-changed=HEARTH_AGENT");
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", workspace.join(source).display());
    }
    let agent = match env::var_os("HEARTH_AGENT") {
        Some(path) => PathBuf::from(path),
        None => build(&workspace, &out)?,
    };
    copy_if_changed(&agent, &out.join("hearth-agent"))
        .map_err(|error| format!("cannot copy {}: {error}", agent.display()))
}

fn variable(name: &str) -> Result<PathBuf, String> {
    env::var_os(name).map(PathBuf::from).ok_or_else(|| format!("{name} is not set"))
}

/// Its own target directory, as cargo holds a lock on ours, shared by all profiles of the daemon.
fn build(workspace: &Path, out: &Path) -> Result<PathBuf, String> {
    // target/PROFILE/build/hearth-HASH/out
    let target_dir = out.ancestors().nth(4).ok_or("OUT_DIR is not in a target directory")?.join("agent");
    let triple = variable("TARGET")?;
    let mut cargo = Command::new(variable("CARGO")?);
    cargo.current_dir(workspace).args(["build", "--quiet", "--locked", "--package=hearth-agent", "--profile=agent"]);
    cargo.arg("--target").arg(&triple).arg("--target-dir").arg(&target_dir);
    // Naming the target keeps the flags away from build scripts and procedural macros.
    cargo.env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+crt-static");
    for name in ["RUSTFLAGS", "RUSTC_WORKSPACE_WRAPPER", "CLIPPY_ARGS", "CARGO_TARGET_DIR", "CARGO_BUILD_TARGET"] {
        cargo.env_remove(name);
    }
    let status = cargo.status().map_err(|error| format!("cannot run cargo: {error}"))?;
    if !status.success() {
        return Err(format!("building the agent failed: {status}"));
    }
    Ok(target_dir.join(triple).join("agent/hearth-agent"))
}

/// An equal file keeps its time, so that the daemon is not linked again.
fn copy_if_changed(from: &Path, to: &Path) -> io::Result<()> {
    let content = fs::read(from)?;
    if fs::read(to).is_ok_and(|old| old == content) { Ok(()) } else { fs::write(to, content) }
}
