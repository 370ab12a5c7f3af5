//! Who asks for what, and the body type of what is given back.

use std::convert::Infallible;
use std::fmt;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use hearth_types::{Home, RequestId, Timestamp};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderName, StatusCode};
use http_body::{Frame, SizeHint};

use crate::body::{LargeAnswer, Reader};
use crate::connection::Busy;

/// Who asks, for what account and Region, when and where.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// Whose resources it is about, and where they lie.
    pub home: Home,
    pub request_id: RequestId,
    /// Such as `arn:aws:iam::000000000000:root` or a function's role session.
    pub principal_arn: String,
    /// As `GetCallerIdentity` shows it.
    pub user_id: String,
    pub now: Timestamp,
    /// Where the client found us, as `http://host:port`: URLs in answers lead there again.
    pub endpoint: String,
}

impl Deref for RequestContext {
    type Target = Home;

    fn deref(&self) -> &Home {
        &self.home
    }
}

pub type Response = http::Response<Body>;

/// `x-amzn-requestid`; the server puts it on every response that lacks it.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// A response body: nothing, one piece, or pieces as they come.
#[derive(Default)]
pub struct Body {
    content: Content,
    /// Marks the request as worked on for as long as its body is not handed over.
    busy: Option<Busy>,
}

#[derive(Default)]
enum Content {
    #[default]
    Empty,
    Full(Bytes),
    Large(LargeAnswer),
    Stream(Pin<Box<dyn Stream<Item = Bytes> + Send>>),
}

impl Body {
    pub const fn empty() -> Self {
        Self { content: Content::Empty, busy: None }
    }

    /// Sent chunked (HTTP/1.1) and flushed piece by piece.
    pub fn stream(pieces: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        Self { content: Content::Stream(Box::pin(pieces)), busy: None }
    }

    /// From now on a large one counts among what `reader` has not read yet.
    pub(crate) fn counted(mut self, reader: impl FnOnce() -> Reader) -> Self {
        if let Content::Full(bytes) = &mut self.content
            && Reader::counts(bytes)
        {
            self.content = Content::Large(reader().charge(std::mem::take(bytes)));
        }
        self
    }

    pub(crate) fn holding(mut self, busy: Busy) -> Self {
        self.busy = Some(busy);
        self
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        let content = if bytes.is_empty() { Content::Empty } else { Content::Full(bytes) };
        Self { content, busy: None }
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            Content::Empty => f.write_str("Body(empty)"),
            Content::Full(bytes) => write!(f, "Body({} bytes)", bytes.len()),
            Content::Large(answer) => write!(f, "Body({} bytes)", answer.len()),
            Content::Stream(_) => f.write_str("Body(stream)"),
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.content {
            Content::Empty => Poll::Ready(None),
            Content::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                self.content = Content::Empty;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Content::Large(answer) => {
                let piece = answer.next();
                if answer.len() == 0 {
                    self.content = Content::Empty;
                }
                Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
            }
            Content::Stream(pieces) => {
                pieces.as_mut().poll_next(cx).map(|piece| piece.map(|data| Ok(Frame::data(data))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.content, Content::Empty)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Empty => SizeHint::with_exact(0),
            Content::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Large(answer) => SizeHint::with_exact(answer.len() as u64),
            Content::Stream(_) => SizeHint::default(),
        }
    }
}

/// A response of `status` with `body` as `application/json`.
pub fn json_response(status: StatusCode, body: impl Into<Body>) -> Response {
    typed_response(status, "application/json", body)
}

/// A response without a body, such as 204 or 202.
pub fn empty_response(status: StatusCode) -> Response {
    let mut response = http::Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

pub(crate) fn typed_response(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = http::Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
