//! What a function asks for and does not get here, told in its own log when it starts.

use std::path::Path;

use hearth_types::{LogLevel, NetworkMode, Timestamp, VersionSpec};
use serde_json::json;

use crate::report::SystemLines;

/// More are not named, nor longer names.
const EXTENSIONS_NAMED_MAX: usize = 10;
const NAME_CHARS_MAX: usize = 100;

/// How runtimes and libraries say that there is no network, or no names in it; in lower case.
const NO_NETWORK: [&str; 10] = [
    "network is unreachable",
    "enetunreach",
    "temporary failure in name resolution",
    "name or service not known",
    "eai_again",
    "enotfound",
    "fetch failed",
    "no such host",
    "failed to lookup address",
    "could not connect to the endpoint url",
];
const ERROR_BYTES_READ: usize = 16 * 1024;

/// One line each, as the function's log has them.
pub(crate) fn lines(spec: &VersionSpec, opt_dir: Option<&Path>, now: Timestamp) -> Vec<String> {
    let tracing = spec.tracing_active.then(|| {
        "TracingConfig.Mode is Active: Hearth has no X-Ray and sends no traces. Functions get their trace header all the same."
            .to_owned()
    });
    let extensions = opt_dir.map(extensions).filter(|names| !names.is_empty()).map(|names| {
        format!(
            "The layers hold extensions, which Hearth does not start, as it has no Extensions API: {}",
            names.join(", ")
        )
    });
    tracing.into_iter().chain(extensions).filter_map(|message| line(spec, now, &message)).collect()
}

fn line(spec: &VersionSpec, now: Timestamp, message: &str) -> Option<String> {
    let text = || format!("[WARN] {message}\n");
    SystemLines::of(spec).line(LogLevel::Warn, now, "platform.hearthNotice", text, || json!({"message": message}))
}

/// How to get a network, if the error that a function without one ended with is of the want of it.
pub(crate) fn of_network(spec: &VersionSpec, error: &[u8], now: Timestamp) -> Option<String> {
    if spec.network != NetworkMode::None {
        return None;
    }
    let begin = error.get(..ERROR_BYTES_READ).unwrap_or(error);
    let text = String::from_utf8_lossy(begin).to_lowercase();
    if !NO_NETWORK.iter().any(|words| text.contains(words)) {
        return None;
    }
    line(
        spec,
        now,
        "This function has no network. With the tag hearth:network=egress it reaches the outside: hearth deploy --network egress",
    )
}

/// `/opt/extensions/*`: the files there. Layers are anybody's: a link is not followed, out of them or within.
fn extensions(opt_dir: &Path) -> Vec<String> {
    let dir = opt_dir.join("extensions");
    if !fs_err::symlink_metadata(&dir).is_ok_and(|metadata| metadata.is_dir()) {
        return Vec::new();
    }
    let Ok(entries) = fs_err::read_dir(&dir) else { return Vec::new() };
    let files = entries.filter_map(Result::ok).filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_dir()));
    let plain = |character: &char| !character.is_control();
    let name = |entry: fs_err::DirEntry| {
        entry.file_name().to_string_lossy().chars().filter(plain).take(NAME_CHARS_MAX).collect()
    };
    let mut names: Vec<String> = files.map(name).take(EXTENSIONS_NAMED_MAX).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_in_the_extensions_directory_are_named_and_links_are_not_followed() {
        let opt = tempfile::tempdir().unwrap();
        assert_eq!(extensions(opt.path()), Vec::<String>::new());
        let dir = opt.path().join("extensions");
        fs_err::create_dir_all(dir.join("lib")).unwrap();
        assert_eq!(extensions(opt.path()), Vec::<String>::new());
        fs_err::write(dir.join("b\u{1b}[31m"), "").unwrap();
        fs_err::write(dir.join("a"), "").unwrap();
        assert_eq!(extensions(opt.path()), ["a", "b[31m"]);
        let linked = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(&dir, linked.path().join("extensions")).unwrap();
        assert_eq!(extensions(linked.path()), Vec::<String>::new());
    }
}
