//! Routes without a signature: what a host name or a path belongs to, before any service is thought of. What such a place lets in is
//! its own to decide.

use http::StatusCode;
use http::header::{HOST, HeaderValue};
use http::request::Parts;

use crate::context::{Response, json_response};
use crate::error::{ApiError, ERROR_TYPE};

/// Who answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place<'a> {
    /// The daemon's own pages.
    Daemon,
    /// A package, by the code that is the path's end.
    Package(&'a str),
    /// A function URL, by its id.
    FunctionUrl(&'a str),
    /// A stage of an API, by the API's id.
    Api(&'a str),
}

enum Pattern {
    /// The label behind the first in `<id>.lambda-url.<any>`; the place gets the id.
    Host(&'static str),
    /// What the path begins with; the place gets the rest.
    Path(&'static str),
}

type Make = for<'a> fn(&'a str) -> Place<'a>;

/// In this order: a path below a host that is somebody's is that somebody's.
const ROUTES: &[(Pattern, Make)] = &[
    (Pattern::Host("lambda-url"), |id| Place::FunctionUrl(id)),
    (Pattern::Host("execute-api"), |id| Place::Api(id)),
    (Pattern::Path(crate::package::ROOT), |code| Place::Package(code)),
    (Pattern::Path(crate::admin::ROOT), |_| Place::Daemon),
];

/// Where a request goes that is no service's.
pub(crate) fn place(parts: &Parts) -> Option<Place<'_>> {
    let mut labels = host(parts).unwrap_or_default().splitn(3, '.');
    let (id, kind) = (labels.next().unwrap_or_default(), labels.next().unwrap_or_default());
    // The last label of a name has the port behind it.
    let kind = kind.split(':').next().unwrap_or_default();
    ROUTES.iter().find_map(|(pattern, make)| match pattern {
        Pattern::Host(label) => (!id.is_empty() && kind.eq_ignore_ascii_case(label)).then(|| make(id)),
        Pattern::Path(root) => parts.uri.path().strip_prefix(root).map(make),
    })
}

/// The host that the client asked, with the port if it named one.
pub(crate) fn host(parts: &Parts) -> Option<&str> {
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    host.or_else(|| parts.uri.authority().map(http::uri::Authority::as_str))
}

/// What Lambda answers under a function URL that nobody has (recorded).
pub(crate) fn no_function_url(id: &str) -> Response {
    tracing::debug!(id, "there is no such function URL");
    let mut response = json_response(StatusCode::FORBIDDEN, r#"{"Message":null}"#.to_owned());
    response.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static("AccessDeniedException"));
    response
}

/// What API Gateway answers for an API that nobody has.
pub(crate) fn no_api(id: &str) -> ApiError {
    tracing::debug!(id, "there is no such API");
    ApiError::new(StatusCode::FORBIDDEN, "ForbiddenException", "Forbidden")
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts(host: &str, path: &str) -> Parts {
        Request::get(path).header(HOST, host).body(()).unwrap().into_parts().0
    }

    #[test]
    fn hosts_come_before_paths_and_paths_before_services() {
        for (host, path, expected) in [
            ("abc.lambda-url.localhost:4566", "/", Some(Place::FunctionUrl("abc"))),
            ("abc.Lambda-URL.us-east-1.on.aws", "/2015-03-31/functions", Some(Place::FunctionUrl("abc"))),
            ("abc.lambda-url:4566", "/_hearth/health", Some(Place::FunctionUrl("abc"))),
            ("a1b2.execute-api.localhost:4566", "/prod/pets", Some(Place::Api("a1b2"))),
            ("localhost:4566", "/_hearth/code/x?signature=y", Some(Place::Package("x"))),
            ("localhost:4566", "/_hearth/v1/pools", Some(Place::Daemon)),
            ("localhost:4566", "/_hearth", None),
            ("127.0.0.1:4566", "/2015-03-31/functions", None),
            (".lambda-url.localhost", "/", None),
            ("lambda-url.localhost", "/", None),
            ("", "/", None),
        ] {
            let parts = parts(host, path);
            assert_eq!(place(&parts), expected, "{host}{path}");
        }
    }

    #[test]
    fn a_request_without_a_host_header_has_the_one_of_its_address() {
        let parts = Request::get("http://abc.lambda-url.localhost:80/x").body(()).unwrap().into_parts().0;
        assert_eq!(place(&parts), Some(Place::FunctionUrl("abc")));
    }
}
