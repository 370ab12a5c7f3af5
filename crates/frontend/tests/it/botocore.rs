//! botocore as the judge of signatures and wire shapes, where Python has it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::world::{World, config};

fn python() -> Option<PathBuf> {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/venv/bin/python");
    let has_botocore = |python: &Path| {
        Command::new(python).args(["-c", "import boto3"]).output().is_ok_and(|out| out.status.success())
    };
    [venv, PathBuf::from("python3")].into_iter().find(|python| has_botocore(python))
}

async fn judge(world: &World, mode: &str) {
    let Some(python) = python() else {
        eprintln!("skipped: no Python with boto3 (scripts/setup installs one)");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/judge.py");
    let port = world.port.to_string();
    let mode = mode.to_owned();
    let output = tokio::task::spawn_blocking(move || Command::new(python).arg(script).args([port, mode]).output());
    let output = output.await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn its_signatures_pass_and_wrong_ones_do_not() {
    judge(&World::start_guarded(config()).await, "keys").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn its_clients_get_along_without_keys() {
    let world = World::start(config()).await;
    world.create("hello").await;
    judge(&world, "open").await;
}
