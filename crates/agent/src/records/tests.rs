use proptest::{collection::vec, prelude::*};

use super::*;

type Record = (LogSource, Option<u64>, Vec<u8>);

fn collect(records: &mut Vec<Record>) -> impl Sink {
    |source, time, bytes| records.push((source, time, bytes.to_vec()))
}

fn lines_of(parts: &[&[u8]]) -> Vec<Vec<u8>> {
    let (mut records, mut cutter) = (Vec::new(), LineCutter::default());
    parts.iter().for_each(|part| cutter.feed(part, &mut collect(&mut records)));
    cutter.flush(&mut collect(&mut records));
    records.into_iter().map(|(_, _, bytes)| bytes).collect()
}

fn frame(kind: u32, time_us: u64, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap();
    [&kind.to_be_bytes()[..], &length.to_be_bytes(), &time_us.to_be_bytes(), message].concat()
}

fn frames_of(parts: &[&[u8]]) -> Vec<Record> {
    let (mut records, mut cutter) = (Vec::new(), FrameCutter::default());
    parts.iter().for_each(|part| cutter.feed(part, &mut collect(&mut records)));
    cutter.finish(&mut collect(&mut records));
    records
}

#[test]
fn a_line_is_a_record_however_it_was_written() {
    assert_eq!(lines_of(&[b"one\ntw", b"o\n", b"\nthree"]), [&b"one\n"[..], b"two\n", b"\n", b"three"]);
}

#[test]
fn a_long_line_is_cut() {
    let line = [vec![b'x'; LOG_BYTES_MAX + 5], b"\n".to_vec()].concat();
    let lengths: Vec<_> = lines_of(&[&line]).iter().map(Vec::len).collect();
    assert_eq!(lengths, [LOG_BYTES_MAX, 6]);
    let lengths: Vec<_> = lines_of(&[&line[..9], &line[9..]]).iter().map(Vec::len).collect();
    assert_eq!(lengths, [LOG_BYTES_MAX, 6]);
}

#[test]
fn a_frame_is_a_record_with_its_line_ends() {
    let bytes =
        [frame(0xa55a_0003, 5, b"a\nb\n"), frame(0xa55a_0002 | 12, 6, b"{}"), frame(0xa55a_0003, 7, b"")].concat();
    let expected = [
        (LogSource::Framed { json: false, level: 0 }, Some(5), b"a\nb\n".to_vec()),
        (LogSource::Framed { json: true, level: 12 }, Some(6), b"{}".to_vec()),
    ];
    assert_eq!(frames_of(&[&bytes]), expected);
}

#[test]
fn a_frame_of_any_claimed_length_holds_no_more_than_a_record() {
    let mut bytes = frame(0xa55a_0003 | 24, 1, b"");
    bytes[4..8].copy_from_slice(&u32::MAX.to_be_bytes());
    bytes.extend(vec![b'x'; LOG_BYTES_MAX + 1]);
    let lengths: Vec<_> = frames_of(&[&bytes]).iter().map(|(_, _, bytes)| bytes.len()).collect();
    assert_eq!(lengths, [LOG_BYTES_MAX, 1]);
}

#[test]
fn bytes_that_are_no_frame_are_output() {
    let bytes = [frame(0xa55a_0003, 5, b"framed"), b"plain text, no frame\nmore".to_vec()].concat();
    let texts: Vec<_> = frames_of(&[&bytes]).into_iter().map(|(source, _, bytes)| (source, bytes)).collect();
    let expected = [
        (LogSource::Framed { json: false, level: 0 }, b"framed".to_vec()),
        (LogSource::Output, b"plain text, no frame\n".to_vec()),
        (LogSource::Output, b"more".to_vec()),
    ];
    assert_eq!(texts, expected);
}

proptest! {
    #[test]
    fn lines_lose_nothing(parts in vec(vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..50), 0..10)) {
        let parts: Vec<_> = parts.iter().map(Vec::as_slice).collect();
        prop_assert_eq!(lines_of(&parts).concat(), parts.concat());
    }

    #[test]
    fn frames_are_the_same_in_any_pieces(
        messages in vec((0_u32..7, any::<bool>(), any::<u64>(), vec(any::<u8>(), 1..60)), 0..6),
        cut in 1_usize..40,
    ) {
        let (mut bytes, mut expected) = (Vec::new(), Vec::new());
        for (level, json, time_us, message) in messages {
            let kind = if json { 0xa55a_0002 } else { 0xa55a_0003 } | level << 2;
            bytes.extend(frame(kind, time_us, &message));
            let level = u8::try_from(level << 2).unwrap();
            expected.push((LogSource::Framed { json, level }, Some(time_us), message));
        }
        let parts: Vec<_> = bytes.chunks(cut).collect();
        prop_assert_eq!(frames_of(&parts), expected);
    }

    #[test]
    fn any_bytes_are_cut(parts in vec(vec(any::<u8>(), 0..50), 0..10)) {
        let parts: Vec<_> = parts.iter().map(Vec::as_slice).collect();
        frames_of(&parts);
    }
}
