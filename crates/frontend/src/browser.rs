//! Keeping web pages out: where any credentials pass, a page in the user's browser could otherwise call Hearth on the
//! loopback address, by a cross-site request or by a host name that it points there ("DNS rebinding").

use std::net::IpAddr;

use http::header::{HeaderName, ORIGIN};
use http::request::Parts;

use crate::unsigned;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Whether a browser sent this for a page that is not Hearth's own.
pub(crate) fn is_foreign_page(parts: &Parts) -> bool {
    if let Some(origin) = parts.headers.get(ORIGIN) {
        let host = origin.to_str().ok().and_then(|text| text.split_once("://")).map(|(_, rest)| rest);
        return !host.is_some_and(is_local);
    }
    let Some(site) = parts.headers.get(FETCH_SITE) else { return false };
    let typed_in = parts.headers.get(FETCH_MODE).is_some_and(|mode| mode == "navigate");
    !unsigned::host(parts).is_some_and(is_local) || (site == "cross-site" && !typed_in)
}

/// `localhost`, names under it and loopback addresses, with or without a port.
fn is_local(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => authority.split([':', '/']).next().unwrap_or(authority),
    };
    let host = host.to_ascii_lowercase();
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn foreign(headers: &[(&str, &str)]) -> bool {
        let mut request = Request::post("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        is_foreign_page(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn clients_that_are_no_browsers_pass_under_any_host_name() {
        assert!(!foreign(&[]));
        assert!(!foreign(&[("host", "hearth.internal:4566")]));
    }

    #[test]
    fn only_local_pages_pass() {
        for origin in ["http://localhost:3000", "http://127.0.0.1:4566", "http://[::1]:4566", "http://a.localhost"] {
            assert!(!foreign(&[("origin", origin)]), "{origin}");
        }
        for origin in ["null", "", "https://evil.example", "http://localhost.evil.example", "http://127.0.0.1.nip.io"] {
            assert!(foreign(&[("origin", origin)]), "{origin}");
        }
        let local = ("host", "127.0.0.1:4566");
        assert!(foreign(&[local, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")]));
        assert!(!foreign(&[local, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]));
        assert!(!foreign(&[local, ("sec-fetch-site", "same-origin")]));
        assert!(foreign(&[("host", "rebound.example:4566"), ("sec-fetch-site", "same-origin")]));
    }
}
