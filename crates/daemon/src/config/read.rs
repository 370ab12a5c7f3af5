//! Reading the configuration file: what is wrong with it is said with its place in the file, the key, and what is allowed.

use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::Config;

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("cannot read the configuration")]
    Read(#[source] std::io::Error),
    #[error("the data directory has no absolute path")]
    DataDir(#[source] std::io::Error),
    #[error("{} stands for a home directory, and this user has none (HOME is not set): write an absolute path, as in --data /srv/hearth", path.display())]
    NoHome { path: PathBuf },
    #[error("{}, line {line}, column {column}: {message}", path.display())]
    Syntax { path: PathBuf, line: usize, column: usize, message: String },
    #[error("{key}: {problem}")]
    Value { key: &'static str, problem: String },
    #[error("{}{}", path.display(), line.map(|line| format!(", line {line}")).unwrap_or_default())]
    InFile {
        path: PathBuf,
        line: Option<usize>,
        #[source]
        source: Box<ConfigError>,
    },
}

/// Words of the parser, and what they mean in a configuration file.
const WORDS: &[(&str, &str)] = &[
    ("unknown field", "unknown key"),
    ("missing field", "missing key"),
    ("duplicate field", "duplicate key"),
    ("unknown variant", "unknown value"),
    ("expected u8", "expected a whole number"),
    ("expected u32", "expected a whole number"),
    ("expected u64", "expected a whole number"),
    ("expected usize", "expected a whole number"),
    ("expected i64", "expected a whole number"),
    ("expected f64", "expected a number"),
    ("expected a boolean", "expected true or false"),
    ("expected a sequence", "expected a list in [ ]"),
    ("expected a map", "expected a table"),
    ("expected path string", "expected a path in quotes"),
    ("expected a string", "expected a text in quotes"),
];

pub(super) fn read(path: &Path) -> Result<Config, ConfigError> {
    let text = fs_err::read_to_string(path).map_err(ConfigError::Read)?;
    let config: Config = toml::from_str(&text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let before = text.get(..at).unwrap_or_default();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        ConfigError::Syntax { path: path.to_owned(), line: line(before), column, message: plain(error.message()) }
    })?;
    config.validate().map_err(|error| match error {
        ConfigError::Value { key, .. } => {
            ConfigError::InFile { path: path.to_owned(), line: line_of(&text, key), source: Box::new(error) }
        }
        other => other,
    })?;
    Ok(config)
}

/// The number of the line that begins after this text.
fn line(before: &str) -> usize {
    before.matches('\n').count() + 1
}

fn plain(message: &str) -> String {
    let mut message = message.replace('\n', " ");
    for (theirs, ours) in WORDS {
        message = message.replace(theirs, ours);
    }
    // The names of types say nothing to who writes the file.
    match message.split_once("expected struct ") {
        Some((before, _name)) => format!("{before}expected a table"),
        None => message,
    }
}

/// Where `key` is set, unless it is something that the file may have several of.
fn line_of(text: &str, key: &str) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let mut table = document.get_ref();
    let mut parts = key.split('.').peekable();
    while let Some(part) = parts.next() {
        let (name, value) = table.iter().find(|(name, _)| name.get_ref() == part)?;
        match value.get_ref() {
            DeValue::Table(inner) if parts.peek().is_some() => table = inner,
            DeValue::Table(_) if !key.contains('.') => return None,
            DeValue::Array(elements) if elements.iter().any(|element| element.get_ref().is_table()) => return None,
            _ => return text.get(..name.span().start).map(line),
        }
    }
    None
}

/// `~` at the beginning of a path, which no shell has replaced.
pub(super) fn at_home(path: &Path) -> Result<PathBuf, ConfigError> {
    let Ok(rest) = path.strip_prefix("~") else { return Ok(path.to_owned()) };
    let home = std::env::home_dir().filter(|home| home.is_absolute());
    home.map(|home| home.join(rest)).ok_or_else(|| ConfigError::NoHome { path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), text).unwrap();
        let error = anyhow::Error::from(read(file.path()).unwrap_err());
        let told = format!("{error:#}");
        told.strip_prefix(&file.path().display().to_string())
            .unwrap_or_else(|| panic!("names no file: {told}"))
            .to_owned()
    }

    #[test]
    fn what_is_wrong_is_said_with_file_line_key_and_what_is_allowed() {
        for (text, expected) in [
            (
                "\n[node]\nmemroy_mib = 1\n",
                ", line 3, column 1: unknown key `memroy_mib`, expected one of `memory_mib`",
            ),
            ("[node\n", ", line 1, column 6: unclosed table"),
            ("node = 5\n", ", line 1, column 8: invalid type: integer `5`, expected a table"),
            (
                "[node]\nsandboxes = \"many\"\n",
                ", line 2, column 13: invalid type: string \"many\", expected a whole number",
            ),
            ("[node]\ncpu_quota = 1\n", ", line 2, column 13: invalid type: integer `1`, expected true or false"),
            ("data_dir = 1\n", ", line 1, column 12: invalid type: integer `1`, expected a path in quotes"),
            ("[network]\negress_allow = \"10.0.0.0/8\"\n", "expected a list in [ ]"),
            ("roles = \"x\"\n", "unknown value `x`, expected `strict` or `lenient`"),
            ("[[access_keys]]\nid = \"A\"\n", ", line 1, column 1: missing key `secret`"),
            (
                "[[access_keys]]\nid = \"A\"\nsecret = \"s\"\naccount = \"12\"\n",
                ", line 4, column 11: \"12\" is not a valid account id (twelve digits)",
            ),
            ("region = \"x\"\n", "\"x\" is not a valid region (such as eu-central-1)"),
            ("[node]\n\nsandboxes = 0\n", ", line 3: node.sandboxes: must be at least 1"),
            ("[logs]\nsize_mib = 1 # small\n", ", line 2: logs.size_mib: must be at least 16"),
            ("node.uid_base = 1\n", ", line 1: node.uid_base: must be at least 65536"),
            ("[capacity.hook]\nurl = \"https://x\"\n", ", line 1: capacity.hook: url must be an http:// URL"),
            (
                "[[capacity.instance]]\nname = \"a\"\nmemory_mib = 5\n",
                ": capacity: instance \"a\": memory_mib must be between 128",
            ),
        ] {
            let told = told(text);
            assert!(told.contains(expected), "{text}\n{told}\nexpected: {expected}");
            assert!(!told.contains("u32") && !told.contains("Section") && !told.contains('\n'), "{told}");
        }
    }

    #[test]
    fn a_tilde_is_the_home_directory() {
        let home = std::env::home_dir().unwrap();
        assert_eq!(at_home(Path::new("~/a/b")).unwrap(), home.join("a/b"));
        for other in ["/a/~", "a", "~a/b"] {
            assert_eq!(at_home(Path::new(other)).unwrap(), Path::new(other));
        }
    }
}
