//! The event stream of InvokeWithResponseStream.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use hearth_engine::port::{ReplyChunk, StreamError, StreamingReply};
use http::StatusCode;

use crate::context::{Body, Response, typed_response};
use crate::eventstream;

/// Longest piece of payload in one message; clients refuse messages over 16 MB.
const CHUNK_BYTES_MAX: usize = 64 * 1024;

/// 200 with the chunks as they come and one `InvokeComplete`.
pub(super) fn response(reply: StreamingReply) -> Response {
    let messages = stream::unfold(Some(reply.chunks), |chunks| async move {
        let mut chunks = chunks?;
        match chunks.next().await {
            Some(ReplyChunk::Data(data)) => Some((payload_messages(&data), Some(chunks))),
            Some(ReplyChunk::End { error, log_tail }) => Some((complete(error, log_tail), None)),
            None => {
                let error = StreamError {
                    code: "ServiceException".to_owned(),
                    details: r#"{"errorType":"ServiceException","errorMessage":"The response ended before its end"}"#
                        .to_owned(),
                };
                Some((complete(Some(error), None), None))
            }
        }
    });
    typed_response(StatusCode::OK, "application/vnd.amazon.eventstream", Body::stream(messages))
}

fn payload_messages(data: &Bytes) -> Bytes {
    let message = |piece: &[u8]| eventstream::event("PayloadChunk", "application/octet-stream", piece);
    if data.len() <= CHUNK_BYTES_MAX {
        return message(data);
    }
    let mut out = BytesMut::with_capacity(data.len() + data.len() / 256);
    for piece in data.chunks(CHUNK_BYTES_MAX) {
        out.extend_from_slice(&message(piece));
    }
    out.freeze()
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

    use super::*;

    async fn body(chunks: Vec<ReplyChunk>) -> Bytes {
        let reply = StreamingReply {
            content_type: String::new(),
            timeline: Timeline::default(),
            chunks: Box::pin(stream::iter(chunks)),
        };
        response(reply).into_body().collect().await.unwrap().to_bytes()
    }

    #[tokio::test]
    async fn chunks_come_in_order_and_then_the_end() {
        let bytes = body(vec![
            ReplyChunk::Data(Bytes::from_static(b"one")),
            ReplyChunk::Data(Bytes::from(vec![b'x'; CHUNK_BYTES_MAX + 1])),
            ReplyChunk::End { error: None, log_tail: Some(Bytes::from_static(b"log")) },
        ])
        .await;
        let mut expected = payload_messages(&Bytes::from_static(b"one")).to_vec();
        let piece = |bytes: &[u8]| eventstream::event("PayloadChunk", "application/octet-stream", bytes);
        expected.extend_from_slice(&piece(&[b'x'; CHUNK_BYTES_MAX]));
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
