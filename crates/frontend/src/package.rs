//! A function's package, as `GetFunction` gave the URL of it: what is signed in the URL is all the authentication that it needs.

use std::io::Read as _;

use bytes::Bytes;
use futures_util::{Stream, stream};
use hearth_functions::LocationError;
use http::header::CONTENT_LENGTH;
use http::{Method, StatusCode};

use crate::admin::no_such_page;
use crate::context::{Body, Response, typed_response};
use crate::dispatch::Exchange;
use crate::error::ApiError;

/// Where `Code.Location` points.
pub(crate) const ROOT: &str = "/_hearth/code/";

/// Of a package, bytes.
const PIECE_BYTES: u64 = 256 * 1024;

/// Answers `/_hearth/code/{code}`.
pub(crate) async fn respond(exchange: &Exchange<'_>, code: &str) -> Result<Response, ApiError> {
    if exchange.parts.method != Method::GET {
        return Err(no_such_page());
    }
    let query = exchange.parts.uri.query().unwrap_or("");
    let field = |wanted: &str| {
        let found = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    let (expires, signature) = (field("expires"), field("signature"));
    let functions = &exchange.shared.backends.functions;
    let file = functions.verify_code_location(code, &expires, &signature, exchange.now).map_err(|error| {
        let (status, code) = match error {
            LocationError::Malformed => (StatusCode::FORBIDDEN, "SignatureDoesNotMatch"),
            LocationError::Expired => (StatusCode::FORBIDDEN, "AccessDenied"),
            LocationError::Gone => (StatusCode::NOT_FOUND, "NoSuchKey"),
        };
        ApiError::new(status, code, error.to_string())
    })?;
    let opened = hearth_tasks::blocking("reading of a package", move || {
        let file = fs_err::File::open(file)?;
        let length = file.metadata()?.len();
        Ok::<_, std::io::Error>((file, length))
    });
    let opened = opened.await.map_err(|error| unreadable(&error))?;
    let (file, length) = opened.map_err(|error| unreadable(&error))?;
    let mut response = typed_response(StatusCode::OK, "application/zip", Body::stream(pieces(file)));
    response.headers_mut().insert(CONTENT_LENGTH, length.into());
    Ok(response)
}

/// The rest of a file as it is asked for: however many read it, none of them holds the whole. One that breaks off leaves the answer
/// shorter than its head says.
fn pieces(file: fs_err::File) -> impl Stream<Item = Bytes> + Send + 'static {
    stream::unfold(file, |mut file| async move {
        let read = hearth_tasks::blocking("reading of a package", move || {
            let mut piece = Vec::new();
            file.by_ref().take(PIECE_BYTES).read_to_end(&mut piece).map(|_| (piece, file))
        });
        match read.await {
            Ok(Ok((piece, file))) => (!piece.is_empty()).then(|| (piece.into(), file)),
            Ok(Err(error)) => {
                tracing::error!(%error, "a package cannot be read");
                None
            }
            Err(_panicked) => None,
        }
    })
}

fn unreadable(error: &dyn std::fmt::Display) -> ApiError {
    tracing::error!(%error, "a package cannot be read");
    ApiError::service("The package cannot be read")
}
