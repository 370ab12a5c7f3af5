//! Makes real roots from this host and runs programs in them.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::Path;
use std::process::Command;

use hearth_runtimes::{RuntimeDefinition, Runtimes};

/// Runs a command of a runtime with its root as `/`, in `/var/task`, with its environment alone, and returns what it printed.
fn run_inside(definition: &RuntimeDefinition, command: &[&str]) -> String {
    let mut enter = Command::new("/usr/sbin/chroot");
    enter.arg(&definition.root).args(["/usr/bin/env", "-C", "/var/task"]).args(command);
    enter.env_clear().envs(&definition.environment);
    let output = enter.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}: {printed}{}", String::from_utf8_lossy(&output.stderr));
    printed
}

fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("skipped: entering a root directory takes root");
    }
    root
}

fn every_file(root: &Path) -> impl Iterator<Item = (std::path::PathBuf, std::fs::Metadata)> {
    walkdir::WalkDir::new(root).into_iter().map(|entry| {
        let entry = entry.unwrap();
        (entry.path().to_owned(), entry.path().symlink_metadata().unwrap())
    })
}

#[test]
fn a_provided_root_has_a_shell_certificates_and_no_privileged_files() {
    use std::os::unix::fs::MetadataExt;
    let dir = tempfile::tempdir().unwrap();
    let runtimes = Runtimes::open(dir.path()).unwrap();
    assert!(runtimes.get("provided.al2023").is_none());
    let mut doing = Vec::new();
    let added = runtimes.add("provided.al2023", &mut |progress| doing.push((progress.done, progress.steps))).unwrap();
    assert_eq!(doing, [(0, 2), (1, 2)]);
    assert_eq!(runtimes.get("provided.al2023"), Some(added.clone()));
    for (path, metadata) in every_file(&added.root) {
        assert_eq!(metadata.mode() & 0o6000, 0, "{}", path.display());
        assert!(metadata.is_symlink() || metadata.mode() & 0o444 == 0o444 || path.starts_with(added.root.join("dev")));
    }
    assert!(!added.environment.contains_key("AWS_EXECUTION_ENV"));
    assert_eq!(added.commands_for(128, &[]), [["/var/task/bootstrap"], ["/opt/bootstrap"]]);
    if is_root() {
        assert_eq!(
            run_inside(&added, &["sh", "-c", "ls -A /var/task /opt /tmp | wc -w; head -c 1 /dev/zero | wc -c"]),
            "3\n1\n"
        );
    }
}

/// What packages made for Lambda find out about where they are, and expect of the shell.
#[test]
fn a_root_is_amazon_linux_to_those_who_look() {
    let dir = tempfile::tempdir().unwrap();
    let runtimes = Runtimes::open(dir.path()).unwrap();
    for (name, version) in [("provided.al2023", "2023"), ("provided.al2", "2")] {
        let added = runtimes.add(name, &mut |_| {}).unwrap();
        if !is_root() {
            continue;
        }
        let script = "set -euo pipefail; source /etc/os-release; echo $ID $VERSION_ID; [[ $0 == sh ]] && readlink -f /bin/sh; \
                      getent passwd sbx_user1051; getent hosts localhost; false | true || echo failed";
        let said = run_inside(&added, &["sh", "-c", script, "sh"]);
        let expected = [
            &format!("amzn {version}"),
            "/usr/bin/bash",
            "sbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin",
            "127.0.0.1       localhost localhost.localdomain localhost4 localhost4.localdomain4",
            "failed",
        ];
        assert_eq!(said.lines().collect::<Vec<_>>(), expected);
        let entry = "/lambda-entrypoint.sh 2>&1 || echo $?; /lambda-entrypoint.sh a.b 2>&1 || echo $?";
        let said = run_inside(&added, &["sh", "-c", entry]);
        assert!(said.contains("first argument\n142\n") && said.ends_with("/var/task or /opt\n127\n"), "{said}");
    }
}

#[test]
fn adding_again_changes_nothing_and_removing_forgets() {
    let dir = tempfile::tempdir().unwrap();
    let runtimes = Runtimes::open(dir.path()).unwrap();
    let first = runtimes.add("provided.al2", &mut |_| {}).unwrap();
    let mut steps = 0;
    let again = Runtimes::open(dir.path()).unwrap().add("provided.al2", &mut |_| steps += 1).unwrap();
    assert_eq!((again, steps), (first.clone(), 0));
    assert_eq!(runtimes.list(), std::slice::from_ref(&first));

    assert!(runtimes.remove("provided.al2").unwrap());
    assert!(!runtimes.remove("provided.al2").unwrap());
    assert!(runtimes.get("provided.al2").is_none());
    assert!(first.root.is_dir(), "a sandbox may still run in it");
    runtimes.sweep();
    assert!(!first.root.exists());
}

#[test]
fn runtimes_of_another_version_are_not_used_and_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let runtimes = Runtimes::open(dir.path()).unwrap();
    let first = runtimes.add("provided.al2", &mut |_| {}).unwrap();
    let path = dir.path().join("provided.al2.toml");
    let stored = fs_err::read_to_string(&path).unwrap();
    let earlier: Vec<_> = stored.lines().filter(|line| !line.starts_with("layout")).collect();
    assert_eq!(earlier.len() + 1, stored.lines().count());
    fs_err::write(&path, earlier.join("\n")).unwrap();
    assert!(runtimes.get("provided.al2").is_none() && runtimes.list().is_empty());
    assert_eq!(runtimes.add("provided.al2", &mut |_| {}).unwrap(), first);
    assert_eq!(runtimes.get("provided.al2"), Some(first));
}

#[test]
fn what_the_host_lacks_is_named_with_the_way_to_get_it() {
    let dir = tempfile::tempdir().unwrap();
    let runtimes = Runtimes::open(dir.path()).unwrap();
    let error = runtimes.add("python3.99", &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("no Python 3.99") && error.contains("apt-get install python3.99"), "{error}");
    let error = runtimes.add("nodejs9.x", &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("install"), "{error}");
    assert!(runtimes.add("java21", &mut |_| {}).unwrap_err().to_string().contains("provided.al2023"));
}

#[test]
fn a_python_root_imports_what_functions_use() {
    let dir = tempfile::tempdir().unwrap();
    let runtimes = Runtimes::open(dir.path()).unwrap();
    let added = runtimes.add("python3.11", &mut |_| {}).unwrap();
    assert_eq!(added.commands_for(128, &[]), [["/var/lang/bin/python3.11", "/var/runtime/bootstrap.py"]]);
    if !is_root() {
        return;
    }
    let script = "import awslambdaric, boto3, ssl, sqlite3, ctypes, lzma, bz2, zoneinfo, locale, runtime_client, os, pwd\n\
                  assert boto3.__file__ == '/var/lang/lib/python3.11/site-packages/boto3/__init__.py', boto3.__file__\n\
                  assert ssl.__file__.startswith('/var/lang/lib/'), ssl.__file__\n\
                  assert os.path.exists(ssl.__cached__) and os.path.exists(boto3.__cached__)\n\
                  assert locale.setlocale(locale.LC_ALL, '') == 'en_US.UTF-8'\n\
                  zoneinfo.ZoneInfo('Europe/Paris'), ctypes.CDLL('libstdc++.so.6')\n\
                  assert ssl.create_default_context().get_ca_certs()\n\
                  print(pwd.getpwuid(993).pw_name)";
    assert_eq!(run_inside(&added, &["python3", "-c", script]), "sbx_user1051\n");
}

#[test]
fn a_node_root_loads_the_client_and_the_sdk_from_both_kinds_of_modules() {
    let dir = tempfile::tempdir().unwrap();
    let runtimes = Runtimes::open(dir.path()).unwrap();
    let added = runtimes.add("nodejs20.x", &mut |_| {}).unwrap();
    if !is_root() {
        return;
    }
    let common = "require('@aws-sdk/client-lambda').LambdaClient && require('@aws-sdk/client-sqs').SQSClient.name";
    assert_eq!(run_inside(&added, &["node", "-p", common]), "SQSClient\n");
    let module = "import { LambdaClient } from '@aws-sdk/client-lambda'; console.log(LambdaClient.name)";
    assert_eq!(run_inside(&added, &["node", "--input-type=module", "-e", module]), "LambdaClient\n");
    let native = "process.env.AWS_LAMBDA_RUNTIME_API = '127.0.0.1:9001'; \
                  typeof require('/var/runtime/node_modules/aws-lambda-ric/dist/rapid-client.node').done";
    assert_eq!(run_inside(&added, &["node", "-p", native]), "function\n");
}
