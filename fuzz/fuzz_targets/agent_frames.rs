//! Whatever a sandbox sends, the daemon understands it or refuses it, and a message that was understood means the same when it
//! is said again.

#![no_main]

use hearth_agent_proto::{FromAgent, HEADER_BYTES, PAYLOAD_BYTES_MAX, ToAgent, read_frame};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut rest = input;
    while let Ok(Some((header, payload, taken))) = read_frame(rest) {
        assert!(taken == HEADER_BYTES + payload.len() && payload.len() <= PAYLOAD_BYTES_MAX);
        if let Ok(message) = FromAgent::decode(header, payload) {
            let mut again = Vec::new();
            message.encode(&mut again);
            let (header, payload, _) = read_frame(&again).expect("short enough").expect("whole");
            assert_eq!(FromAgent::decode(header, payload).expect("known"), message);
        }
        if let Ok(message) = ToAgent::decode(header, payload) {
            let mut again = Vec::new();
            message.encode(&mut again);
            let (header, payload, _) = read_frame(&again).expect("short enough").expect("whole");
            assert_eq!(ToAgent::decode(header, payload).expect("known"), message);
        }
        rest = &rest[taken..];
    }
});
