//! `[code]` of the configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hearth_types::AccountId;
use serde::{Deserialize, Serialize};

/// Where packages come from that requests name by `S3Bucket` and `S3Key`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CodeSection {
    /// By the name of the bucket; `*` stands for all that have no entry.
    pub(crate) buckets: BTreeMap<String, BucketSection>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct BucketSection {
    /// A directory of this machine, whose files are the objects. Of `*`: one whose directories are the buckets.
    pub(crate) dir: Option<PathBuf>,
    /// Instead: the URL of an S3-compatible store.
    pub(crate) endpoint: Option<String>,
    /// The region that the store's requests are signed for; by default the daemon's.
    pub(crate) region: Option<String>,
    /// By default what the environment of the daemon has: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`.
    pub(crate) access_key_id: Option<String>,
    /// Belongs to the id.
    pub(crate) secret_access_key: Option<String>,
    /// The bucket's name in the path instead of the host name. Unless it is said: yes, but not of `amazonaws.com`.
    pub(crate) path_style: Option<bool>,
    /// Whether the endpoint may be an `http://` URL.
    pub(crate) allow_http: bool,
    /// How long one package may take, seconds. 0: 60, after which clients give up.
    pub(crate) timeout_s: u64,
    /// The accounts that may read it; none named: all.
    pub(crate) accounts: Vec<AccountId>,
}

impl CodeSection {
    /// What is wrong, of which bucket.
    pub(crate) fn problem(&self) -> Option<String> {
        let mut problems = self.buckets.iter().filter_map(|(name, bucket)| Some((name, bucket.problem()?)));
        problems.next().map(|(name, problem)| format!("{name:?} {problem}"))
    }
}

impl BucketSection {
    fn speaks_to_a_store(&self) -> bool {
        let texts = [&self.region, &self.access_key_id, &self.secret_access_key];
        texts.into_iter().any(Option::is_some) || self.path_style.is_some() || self.allow_http || self.timeout_s > 0
    }

    fn problem(&self) -> Option<&'static str> {
        let Some(endpoint) = &self.endpoint else {
            if self.dir.as_ref().is_none_or(|dir| !dir.is_absolute()) {
                return Some("needs an absolute dir or an endpoint");
            }
            return self.speaks_to_a_store().then_some("has a dir: only an endpoint needs other keys than accounts");
        };
        if self.dir.is_some() {
            return Some("has both a dir and an endpoint");
        }
        let uri = endpoint.parse::<http::Uri>().ok();
        let scheme =
            uri.as_ref().filter(|uri| uri.path() == "/" && uri.query().is_none()).and_then(http::Uri::scheme_str);
        match scheme {
            Some("https") => {}
            Some("http") if self.allow_http => {}
            Some("http") => return Some("has an http:// endpoint, which is read in the clear: say allow_http = true"),
            _ => return Some("has an endpoint that is no URL such as https://minio.internal:9000"),
        }
        if self.access_key_id.is_some() != self.secret_access_key.is_some() {
            return Some("needs both of access_key_id and secret_access_key, or none");
        }
        (self.timeout_s > 3600).then_some("has a timeout_s of more than 3600")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_either_a_directory_or_a_store() {
        for (text, problem) in [
            ("dir = '/srv/artifacts'", None),
            ("endpoint = 'https://minio.internal:9000'", None),
            ("endpoint = 'http://127.0.0.1:9000'\nallow_http = true", None),
            ("", Some("needs an absolute dir")),
            ("dir = 'artifacts'", Some("needs an absolute dir")),
            ("dir = '/srv'\nendpoint = 'https://a'", Some("both")),
            ("dir = '/srv'\naccounts = ['123456789012']", None),
            ("dir = '/srv'\nregion = 'us-east-1'", Some("only an endpoint")),
            ("dir = '/srv'\ntimeout_s = 5", Some("only an endpoint")),
            ("endpoint = 'http://127.0.0.1:9000'", Some("allow_http")),
            ("endpoint = 'ftp://a'", Some("no URL")),
            ("endpoint = 'https://a/path'", Some("no URL")),
            ("endpoint = 'https://a'\naccess_key_id = 'a'", Some("needs both")),
            ("endpoint = 'https://a'\ntimeout_s = 3601", Some("3600")),
        ] {
            let section: CodeSection = toml::from_str(&format!("[buckets.b]\n{text}")).unwrap();
            match (section.problem(), problem) {
                (None, None) => {}
                (Some(found), Some(wanted)) => assert!(found.contains(wanted), "{text}: {found}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }
}
