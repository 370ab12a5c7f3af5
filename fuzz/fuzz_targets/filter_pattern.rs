//! No filter pattern and no message makes the parser or the matcher panic or take long.

#![no_main]

use hearth_logs::FilterPattern;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let at = input.iter().position(|byte| *byte == 0).unwrap_or(input.len());
    let (pattern, message) = input.split_at(at);
    let Ok(pattern) = std::str::from_utf8(pattern) else { return };
    if let Ok(pattern) = FilterPattern::parse(pattern) {
        pattern.matches(message);
    }
});
