//! Buffers that are used again and again, and large once in a while.

/// Buffers that grew beyond this are given back when they are empty: a parked sandbox should be small.
const KEPT_BYTES_MAX: usize = 128 * 1024;

pub(crate) fn clear(buffer: &mut Vec<u8>) {
    buffer.clear();
    if buffer.capacity() > KEPT_BYTES_MAX {
        *buffer = Vec::new();
    }
}

/// Removes the first `length` bytes.
pub(crate) fn consume(buffer: &mut Vec<u8>, length: usize) {
    if length >= buffer.len() {
        clear(buffer);
    } else if length > 0 {
        buffer.drain(..length);
    }
}
