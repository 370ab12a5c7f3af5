//! Interpreters that wait ahead of need to become some function's.

use serde::{Deserialize, Serialize};

/// Variables that an interpreter, its libraries or its client read once, when they start: what waits has read the runtime's own.
/// A name, or the beginning of names.
const READ_AT_START: &[&str] = &[
    "AWS_LAMBDA_NODEJS_",
    "AWS_LAMBDA_RUNTIME_VERBOSE",
    "GCONV_PATH",
    "GLIBC_TUNABLES",
    "HOME",
    "ICU_",
    "LANG",
    "LC_",
    "LD_",
    "LOCPATH",
    "MALLOC_",
    "NODE_",
    "OPENSSL_",
    "PYTHON",
    "SSL_",
    "UV_",
];
/// Begins like one of those, but is read only by modules of the function's.
const READ_LATER: &[&str] = &["NODE_ENV"];

/// How an interpreter is started to wait.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Parking {
    /// Program and arguments; may hold the placeholders of a definition's commands.
    pub(crate) command: Vec<String>,
    /// Starts the ancestor of waiting interpreters, where these can be forked.
    #[serde(default)]
    pub(crate) zygote: Option<Vec<String>>,
}

/// Whether a process that was started with one environment can become one with another.
pub(crate) fn starts_alike(parked: &[(String, String)], wanted: &[(String, String)]) -> bool {
    let of_start = |variables: &[(String, String)]| {
        let mut variables: Vec<_> = variables.iter().filter(|(name, _)| is_read_at_start(name)).cloned().collect();
        variables.sort();
        variables
    };
    of_start(parked) == of_start(wanted)
}

fn is_read_at_start(name: &str) -> bool {
    !READ_LATER.contains(&name) && READ_AT_START.iter().any(|begin| name.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(variables: &[(&str, &str)]) -> Vec<(String, String)> {
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_is_read_later_may_differ() {
        let parked = variables(&[("LANG", "C"), ("TZ", ":UTC")]);
        let wanted = variables(&[("TZ", "Europe/Berlin"), ("NODE_ENV", "production"), ("STAGE", "1"), ("LANG", "C")]);
        assert!(starts_alike(&parked, &wanted));
    }

    #[test]
    fn what_is_read_at_start_may_not_differ_come_or_go() {
        let parked = variables(&[("LANG", "C"), ("PYTHONPATH", "/opt")]);
        for wanted in [
            &[("LANG", "C"), ("PYTHONPATH", "/other")][..],
            &[("LANG", "C")],
            &[("LANG", "C"), ("PYTHONPATH", "/opt"), ("LD_PRELOAD", "/opt/spy.so")],
            &[("LANG", "C"), ("PYTHONPATH", "/opt"), ("NODE_OPTIONS", "--inspect")],
            &[("LANG", "C"), ("PYTHONPATH", "/opt"), ("PYTHONHASHSEED", "0")],
        ] {
            assert!(!starts_alike(&parked, &variables(wanted)), "{wanted:?}");
        }
    }
}
