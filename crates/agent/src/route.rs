//! Which call of the Runtime API a request is.

use crate::{
    http::{Method, Request},
    reply::Refusal,
};

const BASE: &[u8] = b"/2018-06-01/runtime/";
/// What is Hearth's alone.
const OWN_BASE: &[u8] = b"/hearth/";
/// Longest request id worth comparing with that of the invocation at hand.
const REQUEST_ID_BYTES_MAX: usize = 256;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Route<'a> {
    Next,
    Response {
        request_id: &'a [u8],
    },
    InvocationError {
        request_id: &'a [u8],
    },
    InitError,
    RestoreNext,
    RestoreError,
    /// Of a sandbox that is saved or restored: below a secret.
    Renewed {
        secret: &'a [u8],
        what: Renewed,
    },
}

/// What differs between restored copies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Renewed {
    Credentials,
    Variables,
}

impl Route<'_> {
    fn method(self) -> Method {
        match self {
            Self::Next | Self::RestoreNext | Self::Renewed { .. } => Method::Get,
            Self::Response { .. } | Self::InvocationError { .. } | Self::InitError | Self::RestoreError => Method::Post,
        }
    }
}

/// # Errors
/// There is no such path, or not with this method.
pub(crate) fn route<'a>(request: &Request, buffer: &'a [u8]) -> Result<Route<'a>, Refusal> {
    let path = request.path.get(buffer);
    let path = path.strip_suffix(b"/").unwrap_or(path);
    let own = || path.strip_prefix(OWN_BASE).and_then(own_route_of);
    let route = path.strip_prefix(BASE).and_then(route_of).or_else(own).ok_or_else(|| Refusal {
        status: 404,
        error_type: "NotFound",
        message: "no such path".to_owned(),
    })?;
    if route.method() == request.method {
        return Ok(route);
    }
    Err(Refusal { status: 405, error_type: "MethodNotAllowed", message: "method not allowed on this path".to_owned() })
}

fn own_route_of(path: &[u8]) -> Option<Route<'_>> {
    let slash = path.iter().position(|&byte| byte == b'/')?;
    let what = match &path[slash + 1..] {
        b"credentials" => Renewed::Credentials,
        b"variables" => Renewed::Variables,
        _ => return None,
    };
    Some(Route::Renewed { secret: &path[..slash], what })
}

fn route_of(path: &[u8]) -> Option<Route<'_>> {
    match path {
        b"invocation/next" => return Some(Route::Next),
        b"init/error" => return Some(Route::InitError),
        b"restore/next" => return Some(Route::RestoreNext),
        b"restore/error" => return Some(Route::RestoreError),
        _ => {}
    }
    let rest = path.strip_prefix(b"invocation/")?;
    let slash = rest.iter().position(|&byte| byte == b'/')?;
    let (request_id, action) = (&rest[..slash], &rest[slash + 1..]);
    if request_id.is_empty() || request_id.len() > REQUEST_ID_BYTES_MAX {
        return None;
    }
    match action {
        b"response" => Some(Route::Response { request_id }),
        b"error" => Some(Route::InvocationError { request_id }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::parse_request;

    fn status_or_route(line: &str) -> Result<String, u16> {
        let head = format!("{line} HTTP/1.1\r\n\r\n");
        let request = parse_request(head.as_bytes(), &mut 0).unwrap().unwrap();
        match route(&request, head.as_bytes()) {
            Ok(Route::Response { request_id }) => Ok(format!("response {}", String::from_utf8_lossy(request_id))),
            Ok(Route::InvocationError { request_id }) => Ok(format!("error {}", String::from_utf8_lossy(request_id))),
            Ok(other) => Ok(format!("{other:?}")),
            Err(refusal) => Err(refusal.status),
        }
    }

    #[test]
    fn every_call_has_one_method_and_path() {
        let base = "/2018-06-01/runtime";
        for (line, expected) in [
            (format!("GET {base}/invocation/next"), Ok("Next")),
            (format!("GET {base}/invocation/next/?a=b"), Ok("Next")),
            (format!("POST {base}/invocation/7-a/response"), Ok("response 7-a")),
            (format!("POST {base}/invocation/7-a/error"), Ok("error 7-a")),
            (format!("POST {base}/init/error"), Ok("InitError")),
            (format!("GET {base}/restore/next"), Ok("RestoreNext")),
            (format!("POST {base}/restore/error"), Ok("RestoreError")),
            (format!("POST {base}/restore/next"), Err(405)),
            ("GET /hearth/s/other".to_owned(), Err(404)),
            ("POST /hearth/s/credentials".to_owned(), Err(405)),
            (format!("POST {base}/invocation/next"), Err(405)),
            (format!("GET {base}/invocation/7/response"), Err(405)),
            (format!("DELETE {base}/init/error"), Err(405)),
            (format!("POST {base}/invocation//response"), Err(404)),
            (format!("POST {base}/invocation/7/response/more"), Err(404)),
            (format!("POST {base}/invocation/{}/response", "7".repeat(300)), Err(404)),
            ("GET /".to_owned(), Err(404)),
            ("GET *".to_owned(), Err(404)),
            ("GET /2020-01-01/extension/event/next".to_owned(), Err(404)),
        ] {
            assert_eq!(status_or_route(&line), expected.map(str::to_owned), "{line}");
        }
    }
}
