//! The event stream of InvokeWithResponseStream.

use std::pin::Pin;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use hearth_engine::port::{ReplyChunk, StreamError, StreamingReply};
use http::StatusCode;

use crate::body::{LargeAnswer, Reader};
use crate::context::{Body, Response, typed_response};
use crate::eventstream;

type Chunks = Pin<Box<dyn Stream<Item = ReplyChunk> + Send>>;

/// 200 with the chunks as they come and one `InvokeComplete`.
pub(super) fn response(reply: StreamingReply, reader: Reader) -> Response {
    let messages = stream::unfold((Some(reply.chunks), None), move |(chunks, large)| {
        let reader = reader.clone();
        async move { next_message(chunks, large, &reader).await }
    });
    typed_response(StatusCode::OK, "application/vnd.amazon.eventstream", Body::stream(messages))
}

/// What is still to come, and a large chunk of it that was begun.
type Rest = (Option<Chunks>, Option<LargeAnswer>);

async fn next_message(chunks: Option<Chunks>, large: Option<LargeAnswer>, reader: &Reader) -> Option<(Bytes, Rest)> {
    if let Some(mut large) = large
        && let Some(piece) = large.next()
    {
        return Some((payload_message(&piece), (chunks, Some(large))));
    }
    let mut chunks = chunks?;
    match chunks.next().await {
        Some(ReplyChunk::Data(data)) if Reader::counts(&data) => {
            let mut large = reader.charge(data);
            let first = large.next().unwrap_or_default();
            Some((payload_message(&first), (Some(chunks), Some(large))))
        }
        Some(ReplyChunk::Data(data)) => Some((payload_message(&data), (Some(chunks), None))),
        Some(ReplyChunk::End { error, log_tail }) => Some((complete(error, log_tail), (None, None))),
        None => {
            let error = StreamError {
                code: "ServiceException".to_owned(),
                details: r#"{"errorType":"ServiceException","errorMessage":"The response ended before its end"}"#
                    .to_owned(),
            };
            Some((complete(Some(error), None), (None, None)))
        }
    }
}

fn payload_message(piece: &[u8]) -> Bytes {
    eventstream::event("PayloadChunk", "application/octet-stream", piece)
}

fn complete(error: Option<StreamError>, log_tail: Option<Bytes>) -> Bytes {
    let mut body = serde_json::Map::new();
    if let Some(error) = error {
        body.insert("ErrorCode".to_owned(), error.code.into());
        body.insert("ErrorDetails".to_owned(), error.details.into());
    }
    if let Some(tail) = log_tail {
        body.insert("LogResult".to_owned(), STANDARD.encode(tail).into());
    }
    let body = serde_json::Value::Object(body).to_string();
    eventstream::event("InvokeComplete", "application/json", body.as_bytes())
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use hearth_engine::port::Timeline;
    use tokio_util::sync::CancellationToken;

    use crate::body::{BodyBudget, Holder, PIECE_BYTES};

    use super::*;

    async fn body(chunks: Vec<ReplyChunk>) -> Bytes {
        let reply = StreamingReply {
            content_type: String::new(),
            timeline: Timeline::default(),
            chunks: Box::pin(stream::iter(chunks)),
        };
        let reader = BodyBudget::new(1 << 20).reader(Holder::Operator, CancellationToken::new());
        response(reply, reader).into_body().collect().await.unwrap().to_bytes()
    }

    #[tokio::test]
    async fn chunks_come_in_order_and_then_the_end() {
        let bytes = body(vec![
            ReplyChunk::Data(Bytes::from_static(b"one")),
            ReplyChunk::Data(Bytes::from(vec![b'x'; PIECE_BYTES + 1])),
            ReplyChunk::End { error: None, log_tail: Some(Bytes::from_static(b"log")) },
        ])
        .await;
        let mut expected = payload_message(b"one").to_vec();
        let piece = |bytes: &[u8]| eventstream::event("PayloadChunk", "application/octet-stream", bytes);
        expected.extend_from_slice(&piece(&[b'x'; PIECE_BYTES]));
        expected.extend_from_slice(&piece(b"x"));
        expected.extend_from_slice(&eventstream::event(
            "InvokeComplete",
            "application/json",
            br#"{"LogResult":"bG9n"}"#,
        ));
        assert_eq!(bytes, expected);
    }

    #[tokio::test]
    async fn a_stream_that_breaks_off_ends_with_an_error() {
        let bytes = body(vec![ReplyChunk::Data(Bytes::from_static(b"one"))]).await;
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("InvokeComplete") && text.contains(r#""ErrorCode":"ServiceException""#), "{text}");
    }
}
