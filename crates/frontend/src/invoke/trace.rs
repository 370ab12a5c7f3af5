//! `X-Amzn-Trace-Id`: taken from the caller or begun here, always with the lineage that recursion detection goes by.

use std::fmt::Write as _;

use hearth_types::VersionKey;

use crate::auth::sigv4::push_hex;
use crate::entropy;

/// Longest header that is passed on, bytes.
const TRACE_BYTES_MAX: usize = 512;

/// The trace header of an invocation: the caller's, if it is one, else a new trace of this second.
pub(super) fn header(given: Option<&str>, key: &VersionKey, sampled: bool, now_s: u64) -> String {
    let mut out = String::with_capacity(112);
    match given.filter(|text| is_trace(text)) {
        Some(text) => out.push_str(text),
        None => {
            write!(out, "Root=1-{now_s:08x}-").expect("writing to a string does not fail");
            push_hex(&mut out, &entropy::random::<12>());
            out.push_str(";Parent=");
            push_hex(&mut out, &entropy::random::<8>());
            out.push_str(if sampled { ";Sampled=1" } else { ";Sampled=0" });
        }
    }
    if !out.contains("Lineage=") {
        let mut hash = crc32fast::Hasher::new();
        hash.update(key.account.as_str().as_bytes());
        hash.update(key.function.as_str().as_bytes());
        write!(out, ";Lineage=1:{:08x}:0", hash.finalize()).expect("writing to a string does not fail");
    }
    out
}

fn is_trace(text: &str) -> bool {
    text.len() <= TRACE_BYTES_MAX
        && text.split(';').any(|field| field.trim_start().starts_with("Root=1-"))
        && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

#[cfg(test)]
mod tests {
    use hearth_types::{Sha256, VersionLabel};

    use super::*;

    fn key() -> VersionKey {
        VersionKey {
            account: "123456789012".parse().unwrap(),
            function: "f".parse().unwrap(),
            version: VersionLabel::Latest,
            code: Sha256([0; 32]),
            generation: 1,
        }
    }

    #[test]
    fn a_new_trace_has_all_its_fields() {
        let text = header(None, &key(), false, 0x5759_e988);
        assert!(text.starts_with("Root=1-5759e988-"), "{text}");
        let fields: Vec<&str> = text.split(';').collect();
        assert_eq!(fields[0].len(), "Root=1-5759e988-bd862e3fe1be46a994272793".len());
        assert_eq!(fields[1].len(), "Parent=53995c3f42cd8ad8".len());
        assert_eq!(fields[2], "Sampled=0");
        assert!(fields[3].starts_with("Lineage=1:") && fields[3].ends_with(":0"));
    }

    #[test]
    fn a_given_trace_is_kept_and_junk_is_replaced() {
        let given = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        assert!(header(Some(given), &key(), false, 1).starts_with(&format!("{given};Lineage=1:")));
        let lineage = format!("{given};Lineage=1:aabbccdd:3");
        assert_eq!(header(Some(&lineage), &key(), false, 1), lineage);
        let long = format!("Root=1-{}", "a".repeat(600));
        for junk in ["", "hello", "Root=2-x", "Root=1-a\nb", &long] {
            assert!(header(Some(junk), &key(), true, 1).starts_with("Root=1-00000001-"));
        }
    }
}
