//! `rooms`: the table of rooms in ARCHITECTURE.md and the crates' dependencies say the same.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};

use crate::report;

/// Holds the table against the crates.
pub(crate) fn check() -> Result<ExitCode> {
    let allowed = allowed(&std::fs::read_to_string("ARCHITECTURE.md").context("run this in the workspace's root")?);
    let actual = actual()?;
    let mut wrong = 0;
    for (room, dependencies) in &actual {
        let Some(allowed) = allowed.get(room) else {
            report(&mut wrong, &format!("{room} is not in ARCHITECTURE.md's table"));
            continue;
        };
        if allowed.contains("all libraries") {
            continue;
        }
        for dependency in dependencies.difference(allowed) {
            report(&mut wrong, &format!("{room} depends on {dependency}, which ARCHITECTURE.md does not allow"));
        }
    }
    for room in allowed.keys().filter(|room| !actual.contains_key(*room)) {
        report(&mut wrong, &format!("{room} is in ARCHITECTURE.md's table but is no crate"));
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Rows of the form ``| `room` | purpose | a, b |``.
fn allowed(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let room = cells.next()?.strip_suffix('`')?.to_owned();
        let dependencies = cells.nth(1)?.trim_end_matches('|').trim();
        let dependencies = dependencies.split(", ").filter(|name| *name != "-").map(str::to_owned).collect();
        Some((room, dependencies))
    });
    rows.collect()
}

fn actual() -> Result<BTreeMap<String, BTreeSet<String>>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version=1", "--offline"])
        .output()
        .context("cannot run cargo metadata")?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let room = |name: &str| match name {
        "hearth" => "daemon".to_owned(),
        name => name.trim_start_matches("hearth-").to_owned(),
    };
    let mut rooms = BTreeMap::new();
    for package in metadata["packages"].as_array().context("packages")? {
        let name = package["name"].as_str().context("name")?;
        let dependencies = package["dependencies"].as_array().context("dependencies")?.iter();
        let ours = dependencies
            .filter(|dependency| dependency["kind"].is_null())
            .filter_map(|dependency| dependency["name"].as_str())
            .filter(|name| name.starts_with("hearth-"))
            .map(room)
            .collect();
        rooms.insert(room(name), ours);
    }
    Ok(rooms)
}
