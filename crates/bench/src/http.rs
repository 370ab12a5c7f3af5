//! One HTTP/1.1 connection, without any machinery that would be measured along.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// In development mode, on a loopback address, any signature passes.
const UNCHECKED: &str = "Authorization: AWS4-HMAC-SHA256 Credential=000000000000/20260101/us-east-1/lambda/aws4_request, \
                         SignedHeaders=host, Signature=x\r\n";
pub(crate) const EVENT: &str = r#"{"name":"bench"}"#;

pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) head: &'a str,
    pub(crate) body: &'a [u8],
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a whole request and reads the whole answer, which must have a `Content-Length` or no body.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head_end = loop {
            let seen = self.buffer.len().saturating_sub(3);
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server closed the connection");
            }
            if let Some(end) = find(&self.buffer[seen..], b"\r\n\r\n") {
                break seen + end + 4;
            }
        };
        let head = std::str::from_utf8(&self.buffer[..head_end]).context("the head is not text")?;
        let status = head.get(9..12).and_then(|digits| digits.parse().ok()).context("no status")?;
        let length = content_length(head)?;
        while self.buffer.len() < head_end + length {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server closed the connection");
            }
        }
        let (head, body) = self.buffer.split_at(head_end);
        Ok(Answer { status, head: std::str::from_utf8(head).context("the head is not text")?, body: &body[..length] })
    }
}

impl Answer<'_> {
    /// An error unless the function ran to its end.
    pub(crate) fn succeeded(&self) -> Result<()> {
        if self.status / 100 == 2 && header(self.head, "x-amz-function-error").is_none() {
            return Ok(());
        }
        bail!("status {}: {}", self.status, String::from_utf8_lossy(self.body))
    }
}

/// A request of the Lambda API, as it goes over the wire.
pub(crate) fn request(method: &str, path: &str, body: &str) -> Vec<u8> {
    request_with(UNCHECKED, (method, path), "application/json", body)
}

/// `headers` say who sends it.
pub(crate) fn request_with(headers: &str, (method, path): (&str, &str), content_type: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Type: {content_type}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

pub(crate) fn invocation_path(function: &str) -> String {
    format!("/2015-03-31/functions/{function}/invocations")
}

pub(crate) fn invocation(function: &str) -> Vec<u8> {
    request("POST", &invocation_path(function), EVENT)
}

/// An invocation whose answer tells how it started.
pub(crate) fn told_invocation(function: &str) -> Vec<u8> {
    let mut request = invocation(function);
    let end = find(&request, b"Host:").unwrap_or(0);
    request.splice(end..end, *b"x-hearth-timeline: 1\r\n");
    request
}

/// How the answer to one started, such as `preboot`.
pub(crate) fn start_kind(answer: &Answer<'_>) -> String {
    let told = header(answer.head, "x-hearth-timeline").unwrap_or_default();
    told.split([' ', ':']).next().unwrap_or_default().to_owned()
}

pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.split("\r\n").skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn content_length(head: &str) -> Result<usize> {
    if header(head, "transfer-encoding").is_some() {
        bail!("the answer is chunked");
    }
    header(head, "content-length").map_or(Ok(0), |value| value.parse().context("malformed content-length"))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn serve(pieces: &'static [&'static str]) -> Connection {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let mut request = [0; 1024];
            assert!(stream.read(&mut request).await.unwrap() > 0);
            for piece in pieces {
                stream.write_all(piece.as_bytes()).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
        Connection::open(address).await.unwrap()
    }

    #[tokio::test]
    async fn an_answer_in_pieces_is_put_together() {
        let pieces = &["HTTP/1.1 200 OK\r\nContent-Le", "ngth: 7\r\n\r", "\nHello", ", "];
        let mut connection = serve(pieces).await;
        let answer = connection.exchange(&invocation("f")).await.unwrap();
        assert_eq!((answer.status, answer.body), (200, &b"Hello, "[..]));
        answer.succeeded().unwrap();
    }

    #[tokio::test]
    async fn an_error_of_the_function_is_no_success() {
        let head = "HTTP/1.1 200 OK\r\nX-Amz-Function-Error: Unhandled\r\ncontent-length: 2\r\n\r\n{}";
        let mut connection = serve(Box::leak(Box::new([head]))).await;
        let error = connection.exchange(&invocation("f")).await.unwrap().succeeded().unwrap_err();
        assert_eq!(error.to_string(), "status 200: {}");
    }

    #[tokio::test]
    async fn a_connection_that_ends_early_is_an_error() {
        let mut connection = serve(&["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nHello"]).await;
        assert!(connection.exchange(&invocation("f")).await.is_err());
    }
}
