//! What a store says instead of an object.

use hearth_engine::port::ObjectError;
use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::{NO_SUCH_KEY, refused, unavailable};

const REPLY_BYTES_MAX: usize = 64 * 1024;

/// Whether asking again may help.
pub(super) enum Fault {
    Lasting(ObjectError),
    Passing(ObjectError),
}

impl Fault {
    pub(super) fn unreachable(error: hyper_util::client::legacy::Error) -> Self {
        Self::Passing(unavailable("ServiceUnavailable", format!("The store cannot be reached: {}", innermost(&error))))
    }

    pub(super) fn broken(error: &hyper::Error) -> Self {
        Self::Passing(unavailable("IncompleteBody", format!("The store broke off: {}", innermost(error))))
    }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// S3's own error, out of the reply's body and head.
pub(super) async fn fault_of(response: Response<Incoming>) -> Fault {
    let (head, body) = response.into_parts();
    let region = head.headers.get("x-amz-bucket-region").and_then(|region| region.to_str().ok());
    let body = Limited::new(body, REPLY_BYTES_MAX).collect().await.map(http_body_util::Collected::to_bytes);
    let said = body.ok().and_then(|body| parse(&body));
    let (code, message) = said.unwrap_or_else(|| unsaid(head.status));
    match (code.as_str(), region) {
        // Lambda's own words.
        ("PermanentRedirect", Some(region)) => {
            let message =
                format!("The bucket is in this region: {region}. Please use this region to retry the request");
            Fault::Lasting(refused(&code, &message))
        }
        _ if head.status.is_server_error() || head.status == StatusCode::TOO_MANY_REQUESTS => {
            Fault::Passing(ObjectError::Unavailable { code, message })
        }
        _ => Fault::Lasting(ObjectError::Refused { code, message }),
    }
}

/// What a status means that nothing is said about.
fn unsaid(status: StatusCode) -> (String, String) {
    let (code, message) = match status.as_u16() {
        301 => (
            "PermanentRedirect",
            "The bucket you are attempting to access must be addressed using the specified endpoint.",
        ),
        401 | 403 => ("AccessDenied", "Access Denied"),
        404 => ("NoSuchKey", NO_SUCH_KEY),
        429 | 503 => ("SlowDown", "Please reduce your request rate."),
        500.. => ("InternalError", "We encountered an internal error. Please try again."),
        _ => ("InvalidRequest", "The store does not take the request."),
    };
    (code.to_owned(), message.to_owned())
}

/// `<Error><Code/><Message/>...</Error>`
fn parse(body: &[u8]) -> Option<(String, String)> {
    let mut reader = Reader::from_reader(body);
    let (mut path, mut code, mut message) = (Vec::new(), String::new(), String::new());
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => path.push(start.local_name().as_ref().to_owned()),
            Event::End(_) => drop(path.pop()),
            Event::Text(text) => append(&path, &mut code, &mut message, &text),
            Event::GeneralRef(reference) => append(&path, &mut code, &mut message, &resolve(&reference)?),
            Event::Eof => break,
            _ => {}
        }
    }
    (path.is_empty() && !code.is_empty()).then_some((code, message))
}

fn append(path: &[String], code: &mut String, message: &mut String, text: &str) {
    match path {
        [_, name] if name == "Code" => code.push_str(text),
        [_, name] if name == "Message" => message.push_str(text),
        _ => {}
    }
}

fn resolve(reference: &quick_xml::events::BytesRef<'_>) -> Option<String> {
    if let Some(letter) = reference.resolve_char_ref().ok()? {
        return Some(letter.to_string());
    }
    quick_xml::escape::resolve_predefined_entity(reference).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_read_as_s3_and_its_kin_write_them() {
        let error = |text: &str| parse(text.as_bytes());
        let text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization \
                    header is malformed; the region &apos;us-east-1&#39; is wrong</Message><Region>a</Region></Error>";
        let message = "The authorization header is malformed; the region 'us-east-1' is wrong";
        assert_eq!(error(text), Some(("AuthorizationHeaderMalformed".into(), message.into())));
        let spaced = "<Error xmlns=\"a\">\n <Code>A</Code>\n <Detail><Code>B</Code></Detail>\n</Error>";
        assert_eq!(error(spaced), Some(("A".into(), String::new())));
        for other in
            ["", "<html>Bad gateway</html>", "<Error><Code>A", "{}", "<Error><Code>&evil;</Code></Error>", "\u{0}<<<"]
        {
            assert_eq!(error(other), None, "{other:?}");
        }
    }
}
