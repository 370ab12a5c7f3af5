//! Why a payload is no JSON, in the words of the parser that Lambda has (Jackson 2.17 and newer, reading bytes).
//!
//! Only payloads that were found to be wrong come here, so that nothing of it is on the hot path.

use std::fmt::Write as _;

const SOURCE: &str = "Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)";
const VALUES: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";
/// Jackson's `MAX_ERROR_TOKEN_LENGTH`.
const TOKEN_CHARS_MAX: usize = 256;

/// Jackson's message, with the place; `None` if it has nothing against the payload.
pub(super) fn complaint(payload: &[u8]) -> Option<String> {
    Parser { bytes: payload, at: 0, open: Vec::new() }.run().err()
}

struct Parser<'a> {
    bytes: &'a [u8],
    /// What has been read.
    at: usize,
    open: Vec<Open>,
}

#[derive(Clone, Copy)]
struct Open {
    closer: u8,
    /// Where its marker stands.
    from: usize,
}

type Parsed<T> = Result<T, String>;

impl Parser<'_> {
    fn run(&mut self) -> Parsed<()> {
        let mut byte = self.blank().unwrap_or(b' ');
        if byte == b' ' {
            return Err(self.here("No content to map due to end-of-input"));
        }
        loop {
            let begun = self.value(byte)?;
            // Behind a value, or in an array or object that has just begun: to where the next value is.
            byte = loop {
                let Some(open) = self.open.last().copied() else { return self.nothing_more() };
                let Some(mut next) = self.blank() else { return Err(self.not_closed(open)) };
                if matches!(next, b']' | b'}') {
                    self.close(next, open)?;
                    continue;
                }
                if !(begun && self.at_first(open)) {
                    if next != b',' {
                        return Err(
                            self.unexpected(next, &format!("was expecting comma to separate {} entries", open.kind()))
                        );
                    }
                    next = self.blank().ok_or_else(|| self.between(open))?;
                }
                if open.closer == b']' {
                    break next;
                }
                self.name(next)?;
                match self.blank().ok_or_else(|| self.between(open))? {
                    b':' => {}
                    other => {
                        return Err(self.unexpected(other, "was expecting a colon to separate field name and value"));
                    }
                }
                break self.blank().ok_or_else(|| self.between(open))?;
            };
        }
    }

    /// Whether nothing but blanks and one byte stands behind the marker.
    fn at_first(&self, open: Open) -> bool {
        self.bytes[open.from + 1..self.at - 1].iter().all(|byte| is_blank(*byte))
    }

    fn nothing_more(&mut self) -> Parsed<()> {
        self.blank().map_or(Ok(()), |byte| self.value(byte).map(drop))
    }

    /// Reads a value of which `byte` is the first; whether it is an array or object that begins.
    fn value(&mut self, byte: u8) -> Parsed<bool> {
        match byte {
            b'[' | b'{' => self.open.push(Open { closer: byte + 2, from: self.at - 1 }),
            b'"' => self.string("string value")?,
            b'-' | b'0'..=b'9' => self.number(byte)?,
            b't' => self.word(b"true")?,
            b'f' => self.word(b"false")?,
            b'n' => self.word(b"null")?,
            _ => return Err(self.no_value(byte)),
        }
        Ok(matches!(byte, b'[' | b'{'))
    }

    fn no_value(&mut self, byte: u8) -> String {
        let in_array = self.open.last().is_some_and(|open| open.closer == b']');
        if matches!(byte, b',' | b'}') || (byte == b']' && in_array) {
            return self.unexpected(byte, "expected a value");
        }
        if is_identifier(char::from(byte)) && !byte.is_ascii_digit() && !is_control(byte) {
            return self.token(char::from(byte).to_string());
        }
        self.unexpected(byte, &format!("expected a valid value {VALUES}"))
    }

    fn word(&mut self, word: &[u8]) -> Parsed<()> {
        let matched = 1 + self.bytes[self.at..].iter().zip(&word[1..]).take_while(|(a, b)| a == b).count();
        self.at += matched - 1;
        let follows = self.bytes.get(self.at).is_some_and(|next| is_identifier(char::from(*next)));
        if matched < word.len() || follows {
            return Err(self.token(String::from_utf8_lossy(&word[..matched]).into_owned()));
        }
        Ok(())
    }

    /// Of a token that none of the known ones is, and of which this is read.
    fn token(&mut self, mut token: String) -> String {
        while self.at < self.bytes.len() {
            match self.char() {
                Ok(char) if !is_identifier(char) => break,
                Ok(char) => token.push(char),
                Err(error) => return error,
            }
            if token.chars().count() >= TOKEN_CHARS_MAX {
                token.push_str("...");
                break;
            }
        }
        self.here(&format!("Unrecognized token '{token}': was expecting {VALUES}"))
    }

    fn number(&mut self, first: u8) -> Parsed<()> {
        let mut digit = first;
        if first == b'-' {
            digit = self.digit("expected digit (0-9) to follow minus sign, for valid numeric value")?;
        }
        if digit == b'0' && self.peek().is_some_and(|next| next.is_ascii_digit()) {
            return Err(self.here("Invalid numeric value: Leading zeroes not allowed"));
        }
        self.digits();
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digit("Decimal point not followed by a digit")?;
            self.digits();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digit("Exponent indicator not followed by a digit")?;
            self.digits();
        }
        match self.peek() {
            Some(next) if self.open.is_empty() && !is_blank(next) => {
                self.at += 1;
                Err(self.unexpected(next, "Expected space separating root-level values"))
            }
            _ => Ok(()),
        }
    }

    fn digit(&mut self, comment: &str) -> Parsed<u8> {
        match self.next() {
            Some(byte) if byte.is_ascii_digit() => Ok(byte),
            Some(byte) => Err(self
                .before(&format!("Unexpected character ({}) in numeric value: {comment}", description(byte.into())))),
            None => Err(self.here("Unexpected end-of-input in a Number value")),
        }
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn name(&mut self, byte: u8) -> Parsed<()> {
        if byte == b'"' {
            return self.string("name");
        }
        self.at -= 1;
        let char = self.char()?;
        Err(self.before(&format!(
            "Unexpected character ({}): was expecting double-quote to start field name",
            description(char.into())
        )))
    }

    fn string(&mut self, what: &str) -> Parsed<()> {
        loop {
            match self.peek() {
                None if what == "name" => return Err(self.here("Unexpected end-of-input in field name")),
                None => {
                    return Err(self.here("Unexpected end-of-input: was expecting closing quote for a string value"));
                }
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    self.escape()?;
                }
                Some(byte) if byte < b' ' => {
                    self.at += 1;
                    return Err(self.before(&format!(
                        "Illegal unquoted character ({}): has to be escaped using backslash to be included in {what}",
                        description(byte.into())
                    )));
                }
                Some(_) => drop(self.char()?),
            }
        }
    }

    fn escape(&mut self) -> Parsed<()> {
        let cut = |parser: &Self| parser.here("Unexpected end-of-input in character escape sequence");
        match self.next().ok_or_else(|| cut(self))? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
            b'u' => {
                for _ in 0..4 {
                    let byte = self.next().ok_or_else(|| cut(self))?;
                    if !byte.is_ascii_hexdigit() {
                        return Err(self.unexpected(byte, "expected a hex-digit for character escape sequence"));
                    }
                }
                Ok(())
            }
            other => Err(self.before(&format!("Unrecognized character escape {}", description(other.into())))),
        }
    }

    fn close(&mut self, closer: u8, open: Open) -> Parsed<()> {
        if closer == open.closer {
            self.open.pop();
            return Ok(());
        }
        let (found, expected, kind) = (char::from(closer), char::from(open.closer), open.kind());
        let begun = self.place(open.from);
        Err(self.here(&format!(
            "Unexpected close marker '{found}': expected '{expected}' (for {kind} starting at {begun})"
        )))
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The next byte that is no blank.
    fn blank(&mut self) -> Option<u8> {
        while self.peek().is_some_and(is_blank) {
            self.at += 1;
        }
        self.next()
    }

    /// Decodes one character, of which at least a byte is there.
    fn char(&mut self) -> Parsed<char> {
        let Some(first) = self.next() else { return Ok(' ') };
        let (mut code, more) = match first {
            0..=0x7f => return Ok(char::from(first)),
            byte if byte & 0xe0 == 0xc0 => (u32::from(byte & 0x1f), 1),
            byte if byte & 0xf0 == 0xe0 => (u32::from(byte & 0x0f), 2),
            byte if byte & 0xf8 == 0xf0 => (u32::from(byte & 0x07), 3),
            byte => return Err(self.here(&format!("Invalid UTF-8 start byte 0x{byte:x}"))),
        };
        for _ in 0..more {
            match self.next() {
                Some(byte) if byte & 0xc0 == 0x80 => code = code << 6 | u32::from(byte & 0x3f),
                Some(byte) => return Err(self.here(&format!("Invalid UTF-8 middle byte 0x{byte:x}"))),
                None => return Err(self.here("Unexpected end-of-input in the middle of a character")),
            }
        }
        Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn unexpected(&self, byte: u8, comment: &str) -> String {
        self.before(&format!("Unexpected character ({}): {comment}", description(byte.into())))
    }

    fn between(&self, open: Open) -> String {
        self.here(&format!("Unexpected end-of-input within/between {} entries", open.kind()))
    }

    fn not_closed(&self, open: Open) -> String {
        let (kind, begun) = (open.kind(), self.place(open.from));
        self.here(&format!("Unexpected end-of-input: expected close marker for {kind} (start marker at {begun})"))
    }

    /// A message with the place behind what has been read.
    fn here(&self, message: &str) -> String {
        format!("{message}\n at {}", self.place(self.at))
    }

    /// A message with the place of what was read last.
    fn before(&self, message: &str) -> String {
        format!("{message}\n at {}", self.place(self.at.saturating_sub(1)))
    }

    fn place(&self, at: usize) -> String {
        let read = &self.bytes[..at];
        let row_start = read.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let line = 1 + read.iter().filter(|byte| **byte == b'\n').count();
        format!("[{SOURCE}; line: {line}, column: {}]", at - row_start + 1)
    }
}

impl Open {
    fn kind(self) -> &'static str {
        if self.closer == b']' { "Array" } else { "Object" }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn is_control(byte: u8) -> bool {
    byte < b' ' || (0x7f..=0x9f).contains(&byte)
}

/// Java's `isJavaIdentifierPart`, near enough for what stands in a payload by mistake.
fn is_identifier(char: char) -> bool {
    char.is_alphanumeric() || matches!(char, '_' | '$' | '\u{a2}'..='\u{a5}')
}

/// As Jackson describes a character: `'c' (code 99)`.
fn description(code: u32) -> String {
    let char = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    if char.is_control() {
        return format!("(CTRL-CHAR, code {code})");
    }
    let mut text = format!("'{char}' (code {code}");
    if code > 255 {
        let _always = write!(text, " / 0x{code:x}");
    }
    text.push(')');
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(payload: &[u8]) -> String {
        complaint(payload).expect("must be refused").replace(SOURCE, "S")
    }

    /// The first four as recorded from Lambda and in public reports of its users.
    #[test]
    fn speaks_as_lambdas_parser_does() {
        for (payload, expected) in [
            (&b"n\x87r\x9e\xe9"[..], "Invalid UTF-8 start byte 0x87\n at [S; line: 1, column: 3]"),
            (
                b"\x99\xeb,j",
                "Unexpected character ((CTRL-CHAR, code 153)): expected a valid value (JSON String, Number, Array, Object or \
                 token 'null', 'true' or 'false')\n at [S; line: 1, column: 1]",
            ),
            (
                b"Hello World",
                "Unrecognized token 'Hello': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or \
                 'false')\n at [S; line: 1, column: 7]",
            ),
            (
                b"{client_id:1}",
                "Unexpected character ('c' (code 99)): was expecting double-quote to start field name\n at [S; line: 1, column: 2]",
            ),
            (
                b"------Web",
                "Unexpected character ('-' (code 45)) in numeric value: expected digit (0-9) to follow minus sign, for valid \
                 numeric value\n at [S; line: 1, column: 2]",
            ),
            (
                b"{\"a\": \"x\" \"b\"}",
                "Unexpected character ('\"' (code 34)): was expecting comma to separate Object entries\n at [S; line: 1, column: 11]",
            ),
            (
                b"{\"a\" 1}",
                "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value\n \
                 at [S; line: 1, column: 6]",
            ),
            (
                b"{\"a\": 1,}",
                "Unexpected character ('}' (code 125)): was expecting double-quote to start field name\n at [S; line: 1, column: 9]",
            ),
            (b"[1,]", "Unexpected character (']' (code 93)): expected a value\n at [S; line: 1, column: 4]"),
            (
                b"{\n \"a\": [1, 2}",
                "Unexpected close marker '}': expected ']' (for Array starting at [S; line: 2, column: 7])\n \
                 at [S; line: 2, column: 13]",
            ),
            (
                b"{\"a\": 1",
                "Unexpected end-of-input: expected close marker for Object (start marker at [S; line: 1, column: 1])\n \
                 at [S; line: 1, column: 8]",
            ),
            (
                b"\"abc",
                "Unexpected end-of-input: was expecting closing quote for a string value\n at [S; line: 1, column: 5]",
            ),
            (
                b"\"a\nb\"",
                "Illegal unquoted character ((CTRL-CHAR, code 10)): has to be escaped using backslash to be included in string \
                 value\n at [S; line: 1, column: 3]",
            ),
            (b"\"\\x\"", "Unrecognized character escape 'x' (code 120)\n at [S; line: 1, column: 3]"),
            (b"01", "Invalid numeric value: Leading zeroes not allowed\n at [S; line: 1, column: 2]"),
        ] {
            assert_eq!(said(payload), expected, "{payload:?}");
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_has_nothing_against_json(payload in prop::collection::vec(any::<u8>(), 0..60)) {
            let complaint = complaint(&payload);
            if serde_json::from_slice::<serde_json::Value>(&payload).is_ok() {
                prop_assert_eq!(complaint, None);
            }
        }

        #[test]
        fn finds_fault_where_there_is_one(text in "[\\[\\]{}:,\"0-9.e tn-]{0,12}") {
            let is_json = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            prop_assume!(!text.contains('e'));
            // Jackson does not ask what follows the first value.
            if is_json {
                prop_assert_eq!(complaint(text.as_bytes()), None);
            }
        }
    }
}
