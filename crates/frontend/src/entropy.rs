//! Randomness for ids and draws: a buffer per thread, so that the hot path makes no system call for it.

use std::cell::RefCell;

use hearth_types::RequestId;

const BUFFER_BYTES: usize = 4096;

struct Buffer {
    bytes: Box<[u8; BUFFER_BYTES]>,
    used: usize,
}

thread_local! {
    static BUFFER: RefCell<Buffer> =
        RefCell::new(Buffer { bytes: Box::new([0; BUFFER_BYTES]), used: BUFFER_BYTES });
}

/// `N` random bytes, never given twice. `N` is at most 64.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    const { assert!(N <= 64) };
    BUFFER.with_borrow_mut(|buffer| {
        if buffer.used + N > BUFFER_BYTES {
            aws_lc_rs::rand::fill(&mut buffer.bytes[..]).expect("aws-lc aborts the process before it fails here");
            buffer.used = 0;
        }
        let mut out = [0; N];
        let end = buffer.used + N;
        out.copy_from_slice(&buffer.bytes[buffer.used..end]);
        buffer.bytes[buffer.used..end].fill(0);
        buffer.used = end;
        out
    })
}

pub(crate) fn request_id() -> RequestId {
    RequestId::from_random(random())
}

/// Evenly in 0..1.
pub(crate) fn draw() -> f64 {
    let bits = u64::from_le_bytes(random()) >> 11;
    bits as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_differ_and_draws_stay_in_range() {
        let ids: HashSet<RequestId> = (0..10_000).map(|_| request_id()).collect();
        assert_eq!(ids.len(), 10_000);
        let draws: Vec<f64> = (0..10_000).map(|_| draw()).collect();
        assert!(draws.iter().all(|draw| (0.0..1.0).contains(draw)));
        assert!(draws.iter().any(|draw| *draw < 0.1) && draws.iter().any(|draw| *draw > 0.9));
    }
}
