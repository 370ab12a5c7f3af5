//! What a sandbox needs to know of a runtime, as stored beside its root directory.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::parking::{Parking, starts_alike};
use crate::{node, python};

/// Stands for the space of long-lived objects in MiB, as Lambda computes it from the memory size.
const OLD_SPACE: &str = "{old_space_mib}";
/// Stands for half the space of young objects in MiB.
const SEMI_SPACE: &str = "{semi_space_mib}";

/// Names a program that is started in place of the interpreter, with the interpreter's command as its arguments. Source: AWS Lambda
/// Developer Guide, "Modifying the runtime environment"; it says that there is none for `provided` runtimes.
const WRAPPER_VARIABLE: &str = "AWS_LAMBDA_EXEC_WRAPPER";
/// Options that Node.js reads beside those of its command line, which win.
const OPTIONS_VARIABLE: &str = "NODE_OPTIONS";
/// Executes it as AWS's start scripts do, with their messages and exit codes.
const RUN_WRAPPER: [&str; 3] = [
    "/bin/bash",
    "-c",
    r#"if [ ! -f "$0" ]; then echo "$0: does not exist"; exit 127; fi
if [ ! -x "$0" ]; then echo "$0: is not an executable"; exit 126; fi
exec -- "$0" "$@""#,
];

/// How roots and definitions are made. To be raised whenever a daemon can no longer use those that an earlier one made.
pub(crate) const LAYOUT: u32 = 1;

/// A runtime that is ready to use: a root directory and how to start in it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RuntimeDefinition {
    /// Such as `python3.11` or `provided.al2023`.
    pub name: String,
    #[serde(default)]
    pub(crate) layout: u32,
    /// Absolute path on the host; becomes the read-only `/` of a sandbox.
    pub root: PathBuf,
    /// What the root was made from: equal digests are equal roots.
    pub digest: String,
    /// Full version of the interpreter, if there is one.
    pub interpreter_version: Option<String>,
    /// Starts the interpreter with nothing to do, to compare a cold start with. Paths are inside the root.
    pub bare_command: Option<Vec<String>>,
    /// Programs with their arguments, tried in order; may hold placeholders, see [`RuntimeDefinition::commands_for`].
    commands: Vec<Vec<String>>,
    /// How an interpreter waits ahead of need, where that is of use.
    #[serde(default)]
    pub parking: Option<Parking>,
    /// The variables that depend on the runtime alone, and no others.
    pub environment: BTreeMap<String, String>,
}

impl RuntimeDefinition {
    pub(crate) fn new(name: String, root: PathBuf, digest: String, commands: &[&[&str]]) -> Self {
        let owned = |command: &&[&str]| command.iter().map(|word| (*word).to_owned()).collect();
        Self {
            name,
            layout: LAYOUT,
            root,
            digest,
            interpreter_version: None,
            bare_command: None,
            parking: None,
            commands: commands.iter().map(owned).collect(),
            environment: BTreeMap::new(),
        }
    }

    /// Whether copies of one process of this runtime are renewed before they go on (random numbers and the like). A program of
    /// one's own is taken to draw from the kernel. Reads the disk.
    pub fn renews_copies(&self) -> bool {
        let needed = match self.name.split_once(|letter: char| letter.is_ascii_digit()) {
            Some(("python", _)) => python::RESTORED_INSIDE,
            Some(("nodejs", _)) => node::RESTORED_INSIDE,
            _ => return true,
        };
        self.root.join(needed.trim_start_matches('/')).exists()
    }

    /// The programs to try in order (the first whose file exists inside the sandbox is the one), for a function with this
    /// memory size in MiB and environment. Options that `NODE_OPTIONS` decides are left out. Working directory: `/var/task`.
    pub fn commands_for(&self, memory_mib: u32, environment: &[(String, String)]) -> Vec<Vec<String>> {
        let wrapper = self.wrapper(environment);
        let wrapped = |command: Vec<String>| match wrapper {
            Some(wrapper) => RUN_WRAPPER.into_iter().chain([wrapper]).map(str::to_owned).chain(command).collect(),
            None => command,
        };
        let options = value_of(OPTIONS_VARIABLE, environment).unwrap_or_default();
        self.commands.iter().map(|command| wrapped(fill(&without_decided(command, options), memory_mib))).collect()
    }

    fn wrapper<'a>(&self, environment: &'a [(String, String)]) -> Option<&'a str> {
        self.interpreter_version.as_ref()?;
        value_of(WRAPPER_VARIABLE, environment).filter(|wrapper| !wrapper.is_empty())
    }

    /// The command that starts an interpreter ahead of need, for functions of this memory size in MiB; in [`Self::environment`]
    /// alone. `None` where nothing can be parked.
    pub fn parked_command(&self, memory_mib: u32) -> Option<Vec<String>> {
        self.parking.as_ref().map(|parking| fill(&parking.command, memory_mib))
    }

    /// Whether an interpreter that waits has to be started for its function's memory size.
    pub fn parks_by_size(&self) -> bool {
        self.parked_command(128) != self.parked_command(10_240)
    }

    /// The command that starts an interpreter from which waiting ones are forked, in [`Self::environment`] alone. `None` where that
    /// is not possible.
    pub fn zygote_command(&self) -> Option<Vec<String>> {
        self.parking.as_ref()?.zygote.clone()
    }

    /// Whether an interpreter that was parked for the memory size `parked_mib` can become that of a function with this memory
    /// size and environment, and nobody can tell.
    pub fn can_become(&self, parked_mib: u32, memory_mib: u32, environment: &[(String, String)]) -> bool {
        let own: Vec<(String, String)> = self.environment.clone().into_iter().collect();
        let command = self.parked_command(parked_mib);
        let alike = command == self.parked_command(memory_mib) && starts_alike(&own, environment);
        command.is_some() && alike && self.wrapper(environment).is_none()
    }
}

fn value_of<'a>(name: &str, environment: &'a [(String, String)]) -> Option<&'a str> {
    environment.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
}

/// The command without what a function's own options for Node.js decide, as AWS's start scripts have it: sizes, if they name one, and
/// what they turn on that is turned off.
fn without_decided(command: &[String], options: &str) -> Vec<String> {
    let options = options.replace('_', "-");
    let sized = ["--max-semi-space-size", "--max-old-space-size"].iter().any(|option| options.contains(option));
    let is_decided = |word: &String| {
        let is_size = word.contains(SEMI_SPACE) || word.contains(OLD_SPACE);
        let turned_on = word.strip_prefix("--no-").is_some_and(|option| options.contains(&format!("--{option}")));
        is_size && sized || turned_on
    };
    command.iter().filter(|word| !is_decided(word)).cloned().collect()
}

fn fill(command: &[String], memory_mib: u32) -> Vec<String> {
    // The split that Lambda's own Node.js bootstrap makes: a tenth for young objects, in two halves.
    let new_space = memory_mib / 10;
    let fill = |word: &String| {
        word.replace(OLD_SPACE, &(memory_mib - new_space).to_string())
            .replace(SEMI_SPACE, &(new_space / 2).max(1).to_string())
    };
    command.iter().map(fill).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_runtimes_without_the_means_are_not_renewed() {
        let root = tempfile::tempdir().unwrap();
        let definition = |name: &str| RuntimeDefinition::new(name.into(), root.path().into(), "d".into(), &[]);
        assert!(definition("provided.al2023").renews_copies());
        for (name, file) in [("python3.11", python::RESTORED_INSIDE), ("nodejs20.x", node::RESTORED_INSIDE)] {
            assert!(!definition(name).renews_copies());
            let file = root.path().join(&file[1..]);
            fs_err::create_dir_all(file.parent().unwrap()).unwrap();
            fs_err::write(file, "").unwrap();
            assert!(definition(name).renews_copies());
        }
    }

    #[test]
    fn placeholders_are_filled() {
        let commands: &[&[&str]] = &[&["/bin/node", "--max-old-space-size={old_space_mib}", "main"]];
        let definition = RuntimeDefinition::new("nodejs20.x".into(), "/r".into(), "d".into(), commands);
        let filled = definition.commands_for(128, &[]);
        assert_eq!(filled, [["/bin/node", "--max-old-space-size=116", "main"]]);
    }

    #[test]
    fn a_functions_own_options_decide() {
        let words = ["node", "--max-old-space-size={old_space_mib}", "--no-experimental-x", "main"];
        let commands: &[&[&str]] = &[&words];
        let definition = RuntimeDefinition::new("nodejs20.x".into(), "/r".into(), "d".into(), commands);
        let with = |options: &str| definition.commands_for(128, &[("NODE_OPTIONS".to_owned(), options.to_owned())]);
        assert_eq!(with("--inspect"), [["node", "--max-old-space-size=116", "--no-experimental-x", "main"]]);
        assert_eq!(with("--max_old_space_size=64"), [["node", "--no-experimental-x", "main"]]);
        assert_eq!(with("-r a --experimental-x"), [["node", "--max-old-space-size=116", "main"]]);
    }

    #[test]
    fn a_wrapper_is_given_the_command_that_starts_an_interpreter() {
        let commands: &[&[&str]] = &[&["/bin/node", "main"]];
        let mut definition = RuntimeDefinition::new("nodejs20.x".into(), "/r".into(), "d".into(), commands);
        let with = |wrapper: &str| [("AWS_LAMBDA_EXEC_WRAPPER".to_owned(), wrapper.to_owned())];
        assert_eq!(definition.commands_for(128, &with("/opt/w")), [["/bin/node", "main"]], "not without one");
        definition.interpreter_version = Some("20.0.0".into());
        let wrapped = definition.commands_for(128, &with("/opt/w"));
        assert_eq!(wrapped[0][3..], ["/opt/w", "/bin/node", "main"]);
        assert_eq!(definition.commands_for(128, &with("")), [["/bin/node", "main"]]);
        definition.parking = Some(Parking { command: vec!["/bin/node".into()], zygote: None });
        assert!(definition.can_become(128, 128, &with("")));
        assert!(!definition.can_become(128, 128, &with("/opt/w")), "it would not be asked");
    }

    #[test]
    fn a_parked_interpreter_becomes_what_its_arguments_and_environment_allow() {
        let mut definition = RuntimeDefinition::new("nodejs20.x".into(), "/r".into(), "d".into(), &[]);
        definition.environment.insert("NODE_PATH".into(), "/opt".into());
        let own = [("NODE_PATH".to_owned(), "/opt".to_owned()), ("A".to_owned(), "1".to_owned())];
        assert_eq!(definition.parked_command(128), None);
        assert!(!definition.can_become(128, 128, &own));
        let command = ["/bin/node", "--max-old-space-size={old_space_mib}"].map(str::to_owned).into();
        definition.parking = Some(Parking { command, zygote: None });
        assert_eq!(definition.parked_command(128).unwrap(), ["/bin/node", "--max-old-space-size=116"]);
        assert!(definition.can_become(128, 128, &own) && definition.parks_by_size());
        assert!(!definition.can_become(128, 256, &own), "the heap is of another size");
        assert!(!definition.can_become(128, 128, &[]), "the environment at start was another");
    }
}
