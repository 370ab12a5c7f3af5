use proptest::{collection::vec, prelude::*};

use super::*;

/// Content, what is left behind it, trailers.
type Read = (Vec<u8>, Vec<u8>, Trailers);

/// Reads a body that comes in `parts`, no more than `data_max` at a step; `None` if it lacks its end.
fn read(length: BodyLength, parts: &[&[u8]], data_max: usize) -> Result<Option<Read>, Malformed> {
    let mut reader = BodyReader::new(length);
    let (mut content, mut input) = (Vec::new(), Vec::new());
    let mut parts = parts.iter();
    loop {
        let (taken, step) = reader.step(&input, data_max)?;
        assert!(taken <= input.len());
        match step {
            Step::Data(range) => {
                assert!(range.len() <= data_max && range.end <= taken && !range.is_empty());
                content.extend_from_slice(&input[range]);
            }
            Step::More => match parts.next() {
                Some(part) => input.extend_from_slice(part),
                None => return Ok(None),
            },
            Step::End => {
                input.drain(..taken);
                input.extend(parts.flat_map(|part| part.iter()));
                return Ok(Some((content, input, reader.trailers().clone())));
            }
        }
        input.drain(..taken);
    }
}

fn chunks(contents: &[Vec<u8>]) -> Vec<u8> {
    let chunk = |content: &Vec<u8>| [format!("{:X};ext=1\r\n", content.len()).as_bytes(), content, b"\r\n"].concat();
    contents.iter().filter(|content| !content.is_empty()).flat_map(chunk).collect()
}

#[test]
fn trailers_are_kept() {
    let body = b"1\r\na\r\n0\r\nlambda-runtime-function-error-type:E\r\nOther: x\r\n\
        Lambda-Runtime-Function-Error-Body: e30=\r\n\r\nrest";
    let (content, rest, trailers) = read(BodyLength::Chunked, &[body], usize::MAX).unwrap().unwrap();
    assert_eq!((content.as_slice(), rest.as_slice()), (&b"a"[..], &b"rest"[..]));
    let expected = Trailers { error_type: Some(b"E".to_vec()), error_body: Some(b"e30=".to_vec()) };
    assert_eq!(trailers, expected);
}

#[test]
fn nothing_is_taken_of_a_chunk_without_room_for_it() {
    let mut reader = BodyReader::new(BodyLength::Chunked);
    assert_eq!(reader.step(b"3\r\nabc\r\n0\r\n\r\n", 0), Ok((3, Step::More)));
    assert_eq!(reader.step(b"abc\r\n0\r\n\r\n", 3), Ok((3, Step::Data(0..3))));
    assert_eq!(reader.step(b"\r\n0\r\n\r\n", 0), Ok((7, Step::End)));
}

#[test]
fn lines_and_trailers_are_bounded() {
    let long_chunk_line = [b"1;".to_vec(), vec![b'x'; CHUNK_LINE_BYTES_MAX]].concat();
    assert_eq!(read(BodyLength::Chunked, &[&long_chunk_line], 1), Err(Malformed::TooLong));
    let trailers =
        [b"0\r\n".to_vec(), [b"A: ".to_vec(), vec![b'x'; HEAD_BYTES_MAX / 3], b"\r\n".to_vec()].concat().repeat(4)];
    assert_eq!(read(BodyLength::Chunked, &[&trailers.concat()], 1), Err(Malformed::TooLong));
}

proptest! {
    #[test]
    fn content_is_the_same_in_any_pieces(
        contents in vec(vec(any::<u8>(), 0..30), 0..6), cut in 1_usize..20, data_max in 1_usize..20,
    ) {
        let body = [chunks(&contents), b"0\r\nA: b\r\n\r\nrest".to_vec()].concat();
        let parts: Vec<_> = body.chunks(cut).collect();
        let (content, rest, _) = read(BodyLength::Chunked, &parts, data_max).unwrap().unwrap();
        prop_assert_eq!(content, contents.concat());
        prop_assert_eq!(rest, b"rest");
    }

    #[test]
    fn a_known_length_is_the_length(body in vec(any::<u8>(), 0..60), length in 0_u64..80, cut in 1_usize..20) {
        let parts: Vec<_> = body.chunks(cut).collect();
        let read = read(BodyLength::Known(length), &parts, usize::MAX).unwrap();
        match body.split_at_checked(usize::try_from(length).unwrap()) {
            Some((content, rest)) => {
                let (got, left, _) = read.unwrap();
                prop_assert_eq!((got.as_slice(), left.as_slice()), (content, rest));
            }
            None => prop_assert_eq!(read, None),
        }
    }

    #[test]
    fn any_bytes_are_chunks_or_not(pieces in vec(
        prop_oneof![vec(any::<u8>(), 0..5), Just(b"\r\n".to_vec()), Just(b"5\r\nhello\r\n".to_vec()), Just(b"0".to_vec())], 0..12,
    )) {
        let bytes = pieces.concat();
        let whole = read(BodyLength::Chunked, &[&bytes], usize::MAX);
        let parts: Vec<_> = bytes.chunks(1).collect();
        prop_assert_eq!(read(BodyLength::Chunked, &parts, usize::MAX), whole);
    }
}
