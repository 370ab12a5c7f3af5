//! Whatever a function sends to the Runtime API, its requests are the same however the bytes were cut, and no step takes what is
//! not there. The first byte says how they are cut.

#![no_main]

use hearth_agent::http::{BodyReader, Malformed, Request, Step, parse_request};
use libfuzzer_sys::fuzz_target;

type Seen = (Request, Vec<u8>);

fuzz_target!(|input: &[u8]| {
    let Some((&cut, bytes)) = input.split_first() else { return };
    let whole = read_requests(&[bytes], usize::MAX);
    let cut = usize::from(cut).max(1);
    let parts: Vec<_> = bytes.chunks(cut).collect();
    assert_eq!(read_requests(&parts, cut), whole);
});

/// All whole requests and their content, until the bytes end or are refused.
fn read_requests(parts: &[&[u8]], data_max: usize) -> (Vec<Seen>, Option<Malformed>) {
    let (mut seen, mut input) = (Vec::new(), Vec::new());
    let mut parts = parts.iter();
    loop {
        let mut scanned = 0;
        let request = loop {
            match parse_request(&input, &mut scanned) {
                Err(malformed) => return (seen, Some(malformed)),
                Ok(Some(request)) => break request,
                Ok(None) => match parts.next() {
                    Some(part) => input.extend_from_slice(part),
                    None => return (seen, None),
                },
            }
        };
        assert!(request.path.get(&input).len() < request.head_bytes);
        input.drain(..request.head_bytes);
        let mut reader = BodyReader::new(request.body);
        let mut content = Vec::new();
        loop {
            let (taken, step) = match reader.step(&input, data_max) {
                Ok(stepped) => stepped,
                Err(malformed) => return (seen, Some(malformed)),
            };
            if let Step::Data(range) = &step {
                assert!(!range.is_empty() && range.len() <= data_max && range.end <= taken);
                content.extend_from_slice(&input[range.clone()]);
            }
            input.drain(..taken);
            match step {
                Step::Data(_) => {}
                Step::End => break,
                Step::More => match parts.next() {
                    Some(part) => input.extend_from_slice(part),
                    None => return (seen, None),
                },
            }
        }
        seen.push((request, content));
    }
}
