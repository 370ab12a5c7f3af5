//! What a request asks for as to where it runs, in headers of Hearth's own.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use hearth_aws_api::ApiError;
use hearth_engine::capacity::{PoolName, Wishes, millionths};
use http::{HeaderMap, HeaderName};

/// A sub-pool.
const POOL: HeaderName = HeaderName::from_static("x-hearth-pool");
/// The most that an instance may cost, in the operator's currency per hour, such as `0.25`.
const PRICE_MAX: HeaderName = HeaderName::from_static("x-hearth-price-max");
/// Any text: requests with the same one go to the same sandbox where it is idle.
const AFFINITY: HeaderName = HeaderName::from_static("x-hearth-affinity");
/// Seconds for which the request may wait while load is high.
const DEFER: HeaderName = HeaderName::from_static("x-hearth-defer");
/// As long as the longest run.
const DEFER_S_MAX: u64 = 900;

pub(crate) fn read(headers: &HeaderMap) -> Result<Option<Box<Wishes>>, ApiError> {
    let price_max = match text(headers, &PRICE_MAX)? {
        Some(price) => Some(price.parse().ok().and_then(millionths).ok_or_else(|| malformed(&PRICE_MAX))?),
        None => None,
    };
    let pool = text(headers, &POOL)?.map(|name| PoolName(name.to_owned()));
    let affinity = headers.get(AFFINITY).map(|value| {
        let mut hasher = DefaultHasher::new();
        value.as_bytes().hash(&mut hasher);
        hasher.finish()
    });
    let defer = match text(headers, &DEFER)? {
        Some(seconds) => Some(deferral(seconds)?),
        None => None,
    };
    let wishes = Wishes { pool, price_max, affinity, defer };
    Ok((wishes != Wishes::default()).then(|| Box::new(wishes)))
}

fn deferral(seconds: &str) -> Result<Duration, ApiError> {
    match seconds.parse() {
        Ok(seconds @ 1..=DEFER_S_MAX) => Ok(Duration::from_secs(seconds)),
        Ok(_) | Err(_) => Err(malformed(&DEFER)),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, ApiError> {
    headers.get(name).map(|value| value.to_str().map_err(|_not_text| malformed(name))).transpose()
}

fn malformed(name: &HeaderName) -> ApiError {
    ApiError::invalid_parameter(format!("The value of the header {name} is malformed."))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        let pair = |(name, value): &(HeaderName, &str)| (name.clone(), HeaderValue::from_str(value).unwrap());
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn nothing_is_wished_without_a_header() {
        assert_eq!(read(&HeaderMap::new()).unwrap(), None);
    }

    #[test]
    fn each_header_is_a_wish() {
        let wishes = read(&headers(&[(POOL, "spot"), (PRICE_MAX, "0.07"), (AFFINITY, "user-7")])).unwrap().unwrap();
        assert_eq!((wishes.pool, wishes.price_max), (Some(PoolName("spot".to_owned())), Some(70_000)));
        let affinity = |text| read(&headers(&[(AFFINITY, text)])).unwrap().unwrap().affinity;
        assert_eq!(wishes.affinity, affinity("user-7"));
        assert_ne!(wishes.affinity, affinity("user-8"));
    }

    #[test]
    fn what_is_not_urgent_may_wait_for_a_quarter_of_an_hour_at_most() {
        let defer = |text| read(&headers(&[(DEFER, text)])).map(|wishes| wishes.unwrap().defer.unwrap().as_secs());
        assert_eq!((defer("1").ok(), defer("900").ok()), (Some(1), Some(900)));
        for refused in ["0", "901", "-1", "1.5", "soon", "", "18446744073709551616"] {
            assert!(defer(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_price_that_is_no_number_is_refused() {
        for refused in ["cheap", "", "-1", "NaN", "inf", "1e10"] {
            assert!(read(&headers(&[(PRICE_MAX, refused)])).is_err(), "{refused}");
        }
    }
}
