//! The little of protocol buffers and of CRIU's `rpc.proto` that is needed. Numbers are those of that file.

/// A message in the making.
#[derive(Clone, Default, Debug)]
pub(super) struct Encoder {
    pub(super) bytes: Vec<u8>,
}

impl Encoder {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.bytes.push(value.to_le_bytes()[0]);
    }

    pub(super) fn number(&mut self, field: u32, value: u64) {
        self.varint(u64::from(field) << 3);
        self.varint(value);
    }

    pub(super) fn flag(&mut self, field: u32) {
        self.number(field, 1);
    }

    pub(super) fn text(&mut self, field: u32, value: &[u8]) {
        self.varint(u64::from(field) << 3 | 2);
        self.varint(value.len() as u64);
        self.bytes.extend_from_slice(value);
    }

    pub(super) fn group(&mut self, field: u32, fill: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        fill(&mut inner);
        self.text(field, &inner.bytes);
    }
}

/// One field of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    pub(super) fn number(self) -> u64 {
        match self {
            Self::Number(number) => number,
            Self::Bytes(_) => 0,
        }
    }

    pub(super) fn bytes(self) -> &'a [u8] {
        match self {
            Self::Number(_) => &[],
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// Not a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("malformed protocol buffer")]
pub(crate) struct Malformed;

/// All fields of a message, in order.
pub(super) fn fields(mut bytes: &[u8]) -> Result<Vec<(u32, Value<'_>)>, Malformed> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = take_varint(&mut bytes)?;
        let field = u32::try_from(tag >> 3).ok().ok_or(Malformed)?;
        let value = match tag & 7 {
            0 => Value::Number(take_varint(&mut bytes)?),
            1 => Value::Bytes(take(&mut bytes, 8)?),
            2 => {
                let length = take_varint(&mut bytes)?;
                Value::Bytes(take(&mut bytes, usize::try_from(length).ok().ok_or(Malformed)?)?)
            }
            5 => Value::Bytes(take(&mut bytes, 4)?),
            _ => return Err(Malformed),
        };
        fields.push((field, value));
    }
    Ok(fields)
}

fn take_varint(bytes: &mut &[u8]) -> Result<u64, Malformed> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Malformed)
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], Malformed> {
    let (taken, rest) = bytes.split_at_checked(length).ok_or(Malformed)?;
    *bytes = rest;
    Ok(taken)
}

pub(super) const DUMP: u64 = 1;
pub(super) const RESTORE: u64 = 2;
const NOTIFY: u64 = 6;
const VERSION: u64 = 10;

/// Of CRIU.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Version {
    pub(crate) major: u64,
    pub(crate) minor: u64,
    pub(crate) patch: u64,
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// What CRIU says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// Something is about to happen to the tree whose first process is `pid`; it waits for our leave.
    Notice {
        script: String,
        pid: i32,
    },
    /// The end, well or not; after a restore, with the first process.
    Done {
        pid: Option<i32>,
    },
    /// Why is in the log: what is said here is the first error, which may be a harmless one.
    Refused,
    Version(Version),
}

pub(super) fn encode_request(kind: u64, options: impl FnOnce(&mut Encoder)) -> Vec<u8> {
    let mut request = Encoder::default();
    request.number(1, kind);
    request.group(2, options);
    request.bytes
}

pub(super) fn encode_leave() -> Vec<u8> {
    let mut request = Encoder::default();
    request.number(1, NOTIFY);
    request.flag(3);
    request.bytes
}

pub(super) fn encode_version_request() -> Vec<u8> {
    let mut request = Encoder::default();
    request.number(1, VERSION);
    request.bytes
}

pub(super) fn decode_answer(bytes: &[u8]) -> Result<Answer, Malformed> {
    let (mut kind, mut success, mut pid) = (0, false, None);
    let (mut script, mut version) = (None, None);
    for (field, value) in fields(bytes)? {
        match field {
            1 => kind = value.number(),
            2 => success = value.number() != 0,
            4 => pid = number_of(value, 1)?,
            5 => {
                script = text_of(value, 1)?;
                pid = number_of(value, 2)?;
            }
            10 => version = Some(version_of(value)?),
            _ => {}
        }
    }
    let pid = pid.and_then(|pid| i32::try_from(pid).ok());
    Ok(match (kind, success) {
        (NOTIFY, _) => Answer::Notice { script: script.ok_or(Malformed)?, pid: pid.unwrap_or(0) },
        (VERSION, true) => Answer::Version(version.ok_or(Malformed)?),
        (_, true) => Answer::Done { pid },
        (_, false) => Answer::Refused,
    })
}

fn number_of(value: Value<'_>, wanted: u32) -> Result<Option<u64>, Malformed> {
    Ok(fields(value.bytes())?.into_iter().find(|(field, _)| *field == wanted).map(|(_, value)| value.number()))
}

fn text_of(value: Value<'_>, wanted: u32) -> Result<Option<String>, Malformed> {
    let found = fields(value.bytes())?.into_iter().find(|(field, _)| *field == wanted);
    Ok(found.map(|(_, value)| String::from_utf8_lossy(value.bytes()).into_owned()))
}

fn version_of(value: Value<'_>) -> Result<Version, Malformed> {
    let number = |field| number_of(value, field).map(Option::unwrap_or_default);
    Ok(Version { major: number(1)?, minor: number(2)?, patch: number(4)? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_notice_has_its_script_and_process() {
        let mut message = Encoder::default();
        message.number(1, NOTIFY);
        message.number(2, 1);
        message.group(5, |notice| {
            notice.text(1, b"setup-namespaces");
            notice.number(2, 300);
        });
        let expected = Answer::Notice { script: "setup-namespaces".to_owned(), pid: 300 };
        assert_eq!(decode_answer(&message.bytes), Ok(expected));
    }

    #[test]
    fn a_restore_ends_with_its_process_or_is_refused() {
        let mut message = Encoder::default();
        message.number(1, RESTORE);
        message.number(2, 1);
        message.group(4, |restore| restore.number(1, 77));
        assert_eq!(decode_answer(&message.bytes), Ok(Answer::Done { pid: Some(77) }));
        let mut message = Encoder::default();
        message.number(1, DUMP);
        message.number(2, 0);
        message.text(9, b"no");
        assert_eq!(decode_answer(&message.bytes), Ok(Answer::Refused));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(decode_answer(&bytes));
        }

        #[test]
        fn numbers_and_texts_come_back(field in 1_u32..1000, number: u64, text: Vec<u8>) {
            let mut encoder = Encoder::default();
            encoder.number(field, number);
            encoder.text(field, &text);
            let expected = vec![(field, Value::Number(number)), (field, Value::Bytes(&text))];
            prop_assert_eq!(fields(&encoder.bytes), Ok(expected));
        }
    }
}
