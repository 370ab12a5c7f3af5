//! Request heads.

use super::{HEAD_BYTES_MAX, LINES_MAX, Malformed, is_token, split_line};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    Get,
    Post,
    Other,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BodyLength {
    Known(u64),
    Chunked,
}

/// A piece of the buffer that a request was parsed from, which must still start with the request.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn of(part: &[u8], whole: &[u8]) -> Self {
        let start = part.as_ptr().addr() - whole.as_ptr().addr();
        // A head is shorter than `HEAD_BYTES_MAX`, so both fit.
        Self { start: start as u32, end: (start + part.len()) as u32 }
    }

    pub fn get(self, buffer: &[u8]) -> &[u8] {
        buffer.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// A request's head. Of its headers only those that the Runtime API knows are kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    pub method: Method,
    /// Without query; still percent-encoded.
    pub path: Span,
    pub body: BodyLength,
    pub keep_alive: bool,
    /// HTTP/1.0, whose clients must be told that the connection stays open.
    pub old: bool,
    /// `Expect: 100-continue`.
    pub expects_continue: bool,
    /// `Lambda-Runtime-Function-Response-Mode: streaming`.
    pub streaming: bool,
    pub content_type: Option<Span>,
    pub invocation_id: Option<Span>,
    pub error_type: Option<Span>,
    /// Bytes of the head, the empty line included.
    pub head_bytes: usize,
}

/// The request head at the start of `buffer`, or `None` until all of it is there. `scanned` is 0 for a new head and else as
/// the last call left it: bytes that need no second look.
///
/// # Errors
/// The head is malformed, ambiguous or too long.
pub fn parse_request(buffer: &[u8], scanned: &mut usize) -> Result<Option<Request>, Malformed> {
    let from = scanned.saturating_sub(3).min(buffer.len());
    let Some(end) = buffer[from..].windows(4).position(|window| window == b"\r\n\r\n") else {
        *scanned = buffer.len();
        return if buffer.len() > HEAD_BYTES_MAX { Err(Malformed::TooLong) } else { Ok(None) };
    };
    let end = from + end;
    if end > HEAD_BYTES_MAX {
        return Err(Malformed::TooLong);
    }
    *scanned = 0;
    let mut lines = Lines { rest: &buffer[..end + 2] };
    let line = lines.next().ok_or(Malformed::RequestLine)??;
    let mut request = parse_request_line(line, buffer)?;
    request.head_bytes = end + 4;
    let mut framing = Framing::default();
    for (count, line) in lines.enumerate() {
        if count >= LINES_MAX {
            return Err(Malformed::TooLong);
        }
        let (name, value) = split_line(line?)?;
        read_header(&mut request, &mut framing, name, value, buffer)?;
    }
    request.body = framing.length(request.old)?;
    Ok(Some(request))
}

/// Lines that end in CRLF; a CR or LF alone is refused.
struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Lines<'a> {
    type Item = Result<&'a [u8], Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let Some(end) = self.rest.iter().position(|&byte| byte == b'\r' || byte == b'\n') else {
            self.rest = &[];
            return Some(Err(Malformed::Header));
        };
        let (line, rest) = self.rest.split_at(end);
        let Some(rest) = rest.strip_prefix(b"\r\n") else {
            self.rest = &[];
            return Some(Err(Malformed::Header));
        };
        self.rest = rest;
        Some(Ok(line))
    }
}

fn parse_request_line(line: &[u8], buffer: &[u8]) -> Result<Request, Malformed> {
    let mut words = line.split(|&byte| byte == b' ');
    let (Some(method), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Malformed::RequestLine);
    };
    if method.is_empty() || !method.iter().all(|&byte| is_token(byte)) {
        return Err(Malformed::RequestLine);
    }
    let old = match version {
        b"HTTP/1.1" => false,
        b"HTTP/1.0" => true,
        version if version.starts_with(b"HTTP/") => return Err(Malformed::Version),
        _ => return Err(Malformed::RequestLine),
    };
    let method = match method {
        b"GET" => Method::Get,
        b"POST" => Method::Post,
        _ => Method::Other,
    };
    Ok(Request {
        method,
        path: Span::of(path_of(target)?, buffer),
        body: BodyLength::Known(0),
        keep_alive: !old,
        old,
        expects_continue: false,
        streaming: false,
        content_type: None,
        invocation_id: None,
        error_type: None,
        head_bytes: 0,
    })
}

/// The path of a target in origin form, or in the absolute form that clients send to proxies.
fn path_of(target: &[u8]) -> Result<&[u8], Malformed> {
    if !target.iter().all(u8::is_ascii_graphic) {
        return Err(Malformed::RequestLine);
    }
    let target = match target.strip_prefix(b"http://") {
        Some(rest) => {
            let slash = rest.iter().position(|&byte| byte == b'/').ok_or(Malformed::RequestLine)?;
            &rest[slash..]
        }
        None => target,
    };
    Ok(target.split(|&byte| byte == b'?').next().unwrap_or_default())
}

#[derive(Default)]
struct Framing {
    content_length: Option<u64>,
    chunked: bool,
}

impl Framing {
    fn length(&self, old: bool) -> Result<BodyLength, Malformed> {
        match (self.content_length, self.chunked) {
            (Some(_), true) => Err(Malformed::Framing),
            (None, true) if old => Err(Malformed::Framing),
            (None, true) => Ok(BodyLength::Chunked),
            (length, false) => Ok(BodyLength::Known(length.unwrap_or(0))),
        }
    }
}

fn read_header(
    request: &mut Request,
    framing: &mut Framing,
    name: &[u8],
    value: &[u8],
    buffer: &[u8],
) -> Result<(), Malformed> {
    let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
    let says = |known: &str| value.eq_ignore_ascii_case(known.as_bytes());
    if is("content-length") {
        if framing.content_length.replace(parse_length(value)?).is_some() {
            return Err(Malformed::Framing);
        }
    } else if is("transfer-encoding") {
        if framing.chunked || !says("chunked") {
            return Err(Malformed::Framing);
        }
        framing.chunked = true;
    } else if is("content-type") {
        request.content_type = Some(Span::of(value, buffer));
    } else if is("connection") {
        for option in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
            if option.eq_ignore_ascii_case(b"close") {
                request.keep_alive = false;
            } else if option.eq_ignore_ascii_case(b"keep-alive") && request.old {
                request.keep_alive = true;
            }
        }
    } else if is("expect") {
        request.expects_continue = says("100-continue");
    } else if is("lambda-runtime-function-response-mode") {
        request.streaming = says("streaming");
    } else if is("lambda-runtime-invocation-id") {
        request.invocation_id = Some(Span::of(value, buffer));
    } else if is("lambda-runtime-function-error-type") {
        request.error_type = Some(Span::of(value, buffer));
    }
    Ok(())
}

fn parse_length(value: &[u8]) -> Result<u64, Malformed> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(Malformed::Framing);
    }
    let text = std::str::from_utf8(value).ok().ok_or(Malformed::Framing)?;
    text.parse().ok().ok_or(Malformed::Framing)
}

#[cfg(test)]
mod tests;
