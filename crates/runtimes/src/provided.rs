//! `provided.*`: the package brings the program, the root only what a Linux program expects.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::definition::RuntimeDefinition;

pub(crate) const STEPS: u32 = 0;

pub(crate) fn install(name: &str) -> RuntimeDefinition {
    // In the order of Lambda's documentation: the package before the layers.
    let commands: &[&[&str]] = &[&["/var/task/bootstrap"], &["/opt/bootstrap"]];
    let mut definition = RuntimeDefinition::new(name.to_owned(), PathBuf::new(), String::new(), commands);
    definition.environment = environment();
    definition
}

/// Variables that all runtimes share, with the values that Lambda documents.
pub(crate) fn environment() -> BTreeMap<String, String> {
    let libraries = format!(
        "/usr/lib/{}-linux-gnu:/usr/lib64:/var/lang/lib:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
        std::env::consts::ARCH
    );
    let values = [
        ("LANG", "en_US.UTF-8"),
        ("TZ", ":UTC"),
        ("PATH", "/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin"),
        ("LD_LIBRARY_PATH", &libraries),
        ("LAMBDA_TASK_ROOT", "/var/task"),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
    ];
    values.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}
