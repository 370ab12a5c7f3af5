//! The form of stored records: JSON behind a mark of the form it has.
//!
//! A record whose form is not known, or which is damaged, is an error of its own record: whoever reads it puts that aside and goes on.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What stands in front of records of the present form. JSON never begins like that: records without it are of the first form, which is
/// the same otherwise.
const MARK: &[u8] = b"v2 ";

/// Why a record cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("it was written by another version of Hearth")]
    Form,
    #[error("it is not what this version of Hearth writes")]
    Malformed(#[source] serde_json::Error),
}

pub fn encode<T: Serialize>(record: &T) -> serde_json::Result<Vec<u8>> {
    let mut bytes = MARK.to_vec();
    serde_json::to_writer(&mut bytes, record)?;
    Ok(bytes)
}

pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unreadable> {
    let json = match bytes.strip_prefix(MARK) {
        Some(json) => json,
        None if bytes.first() == Some(&MARK[0]) => return Err(Unreadable::Form),
        None => bytes,
    };
    serde_json::from_slice(json).map_err(Unreadable::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_the_present_and_the_first_form_are_read_and_no_others() {
        let record = vec![Some(1), None];
        assert_eq!(decode::<Vec<Option<u64>>>(&encode(&record).unwrap()).unwrap(), record);
        assert_eq!(decode::<Vec<Option<u64>>>(b"[1, null]").unwrap(), record);
        assert!(matches!(decode::<u64>(b"v3 1"), Err(Unreadable::Form)));
        for damaged in [&b""[..], b"\xff", b"[1", b"v2 ", b"v2 [1"] {
            assert!(matches!(decode::<Vec<u64>>(damaged), Err(Unreadable::Malformed(_))), "{damaged:?}");
        }
    }
}
