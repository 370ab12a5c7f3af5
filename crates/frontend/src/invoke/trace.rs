//! `X-Amzn-Trace-Id`: taken from the caller or begun here, always with the lineage that recursion detection goes by.

use std::borrow::Cow;
use std::fmt::Write as _;

use hearth_engine::lineage::Lineage;
use hearth_types::VersionKey;

use crate::auth::sigv4::push_hex;
use crate::entropy;

/// Longest header that is passed on, bytes.
const TRACE_BYTES_MAX: usize = 512;
const LINEAGE: &str = "Lineage=";
const WRITES: &str = "writing to a string does not fail";

/// What a trace says of an invocation beside where it comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Traced<'a> {
    pub(super) key: &'a VersionKey,
    pub(super) sampled: bool,
    pub(super) may_recur: bool,
    pub(super) now_s: u64,
}

/// The trace header of an invocation: the caller's, if it is one, else a new trace of this second. `None`: the chain of requests is a
/// loop that is to be stopped.
pub(super) fn header(given: Option<&str>, traced: Traced<'_>) -> Option<String> {
    let mut out = String::with_capacity(112);
    let mut lineage = Lineage::first(hash(traced.key));
    match given.filter(|text| is_trace(text)) {
        Some(text) => {
            let (rest, led_here) = without_lineage(text);
            out.push_str(&rest);
            if let Some(led_here) = led_here {
                lineage = led_here.next(hash(traced.key), traced.may_recur)?;
            }
        }
        None => {
            write!(out, "Root=1-{:08x}-", traced.now_s).expect(WRITES);
            push_hex(&mut out, &entropy::random::<12>());
            out.push_str(";Parent=");
            push_hex(&mut out, &entropy::random::<8>());
            out.push_str(if traced.sampled { ";Sampled=1" } else { ";Sampled=0" });
        }
    }
    write!(out, ";Lineage={lineage}").expect(WRITES);
    Some(out)
}

fn hash(key: &VersionKey) -> u32 {
    let mut hash = crc32fast::Hasher::new();
    hash.update(key.account.as_str().as_bytes());
    hash.update(key.region.as_str().as_bytes());
    hash.update(key.function.as_str().as_bytes());
    hash.finalize()
}

/// The header's other fields, and its lineage if it has one.
fn without_lineage(text: &str) -> (Cow<'_, str>, Option<Lineage>) {
    let field = |field: &&str| field.trim_start().starts_with(LINEAGE);
    let Some(found) = text.split(';').find(field) else { return (text.into(), None) };
    let rest: Vec<&str> = text.split(';').filter(|part| !field(part)).collect();
    (rest.join(";").into(), Lineage::parse(found.trim()[LINEAGE.len()..].trim()))
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
            region: "eu-west-1".parse().unwrap(),
            function: "f".parse().unwrap(),
            version: VersionLabel::Latest,
            code: Sha256([0; 32]),
            generation: 1,
        }
    }

    fn header_of(given: Option<&str>, may_recur: bool) -> Option<String> {
        header(given, Traced { key: &key(), sampled: false, may_recur, now_s: 0x5759_e988 })
    }

    #[test]
    fn a_new_trace_has_all_its_fields() {
        let text = header_of(None, false).unwrap();
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
        let kept = header_of(Some(given), false).unwrap();
        assert!(kept.starts_with(&format!("{given};Lineage=1:")), "{kept}");
        let lineage = header_of(Some(&format!("{given};Lineage=4:aabbccdd:3")), false).unwrap();
        assert_eq!(lineage, format!("{given};Lineage=5:aabbccdd:3"));
        let junk = header_of(Some(&format!("Lineage=x;{given}")), false).unwrap();
        assert!(junk.starts_with(&format!("{given};Lineage=1:")), "{junk}");
        let long = format!("Root=1-{}", "a".repeat(600));
        for junk in ["", "hello", "Root=2-x", "Root=1-a\nb", &long] {
            assert!(header_of(Some(junk), false).unwrap().starts_with("Root=1-5759e988-"));
        }
    }

    #[test]
    fn a_loop_is_stopped_unless_the_function_may_recur() {
        let rounds = |may_recur| {
            let mut trace = header_of(None, may_recur);
            (0..100)
                .take_while(|_| {
                    trace = trace.take().and_then(|given| header_of(Some(&given), may_recur));
                    trace.is_some()
                })
                .count()
        };
        assert_eq!((rounds(false), rounds(true)), (15, 100));
    }
}
