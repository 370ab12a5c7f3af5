//! `YYYYMMDDThhmmssZ`, the only form of time that signatures know.

/// Seconds since the epoch of `20150830T123600Z`.
pub(crate) fn parse_amz(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    let number = |from: usize, to: usize| {
        bytes[from..to]
            .iter()
            .try_fold(0i16, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i16::from(byte - b'0')))
    };
    let small = |from: usize| number(from, from + 2).and_then(|value| i8::try_from(value).ok());
    let time =
        jiff::civil::DateTime::new(number(0, 4)?, small(4)?, small(6)?, small(9)?, small(11)?, small(13)?, 0).ok()?;
    Some(jiff::tz::Offset::UTC.to_timestamp(time).ok()?.as_second())
}

pub(crate) fn write_amz(seconds: i64) -> String {
    let Ok(timestamp) = jiff::Timestamp::from_second(seconds) else { return String::new() };
    let time = jiff::tz::Offset::UTC.to_datetime(timestamp);
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_refuses_the_rest() {
        assert_eq!(parse_amz("20150830T123600Z"), Some(1_440_938_160));
        assert_eq!(write_amz(1_440_938_160), "20150830T123600Z");
        for text in ["", "20150830T123600", "20151330T123600Z", "2015083 T123600Z", "99999999T999999Z", "２０150830T1Z"]
        {
            assert_eq!(parse_amz(text), None, "{text}");
        }
    }
}
