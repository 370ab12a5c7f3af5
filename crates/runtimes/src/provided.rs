//! `provided.*`: the package brings the program, the root only what a Linux program expects.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::definition::RuntimeDefinition;

pub(crate) const STEPS: u32 = 0;

/// Where the program is looked for, in the order of Lambda's documentation: the package before the layers.
pub const BOOTSTRAPS: [&str; 2] = ["/var/task/bootstrap", "/opt/bootstrap"];

pub(crate) fn install(name: &str) -> RuntimeDefinition {
    let commands = BOOTSTRAPS.each_ref().map(std::slice::from_ref);
    let mut definition = RuntimeDefinition::new(name.to_owned(), PathBuf::new(), String::new(), &commands);
    definition.environment = environment(name != "provided.al2");
    definition
}

/// What every runtime finds, as recorded on AWS. In `provided.al2` there is no `/var/lang`.
fn environment(has_lang: bool) -> BTreeMap<String, String> {
    let (lang_bin, lang_lib) = if has_lang { ("/var/lang/bin:", "/var/lang/lib:") } else { ("", "") };
    let path = format!("{lang_bin}/usr/local/bin:/usr/bin/:/bin:/opt/bin");
    let libraries =
        format!("{lang_lib}/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib");
    let values = [
        ("LANG", "en_US.UTF-8"),
        ("TZ", ":UTC"),
        ("PATH", &path),
        ("LD_LIBRARY_PATH", &libraries),
        ("LAMBDA_TASK_ROOT", "/var/task"),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
        // Nobody listens there: segments are sent by UDP, and lost without an error.
        ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR"),
        ("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:2000"),
        ("_AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1"),
        ("_AWS_XRAY_DAEMON_PORT", "2000"),
    ];
    values.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// And what those with an interpreter find besides: AWS starts it from a shell script.
pub(crate) fn managed_environment(runtime: &str) -> BTreeMap<String, String> {
    let mut environment = environment(true);
    let started =
        [("AWS_EXECUTION_ENV", format!("AWS_Lambda_{runtime}")), ("PWD", "/var/task".into()), ("SHLVL", "0".into())];
    environment.extend(started.map(|(name, value)| (name.to_owned(), value)));
    environment
}
