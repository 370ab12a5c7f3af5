//! AWS's published test vectors, and what must never pass.

use http::Request;
use proptest::prelude::*;

use super::*;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const CREDENTIAL: &str = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request";
/// 2015-08-30 12:36:00.
const NOW_S: i64 = 1_440_938_160;

fn request(method: &str, uri: &str, headers: &[(&str, &str)], signed: &str, signature: &str) -> Parts {
    let mut builder = Request::builder().method(method).uri(uri).header("x-amz-date", "20150830T123600Z");
    builder = builder.header("host", "example.amazonaws.com");
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={CREDENTIAL}, SignedHeaders={signed}, Signature={signature}");
    builder.header("authorization", authorization).body(()).unwrap().into_parts().0
}

fn check(parts: &Parts, body: &[u8]) -> Result<(), SignatureError> {
    let claim = Claim::of(parts)?;
    claim.check_time(NOW_S)?;
    let key = signing_key(SECRET, &claim.scope()?);
    claim.verify(parts, &sha256_hex(body), &key)
}

const VANILLA: &str = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";

#[test]
fn published_vectors_verify() {
    let form = "application/x-www-form-urlencoded";
    for (name, parts, body) in [
        ("get-vanilla", request("GET", "/", &[], "host;x-amz-date", VANILLA), ""),
        (
            "get-vanilla-query-order-key-case",
            request(
                "GET",
                "/?Param2=value2&Param1=value1",
                &[],
                "host;x-amz-date",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            "",
        ),
        (
            "post-vanilla",
            request(
                "POST",
                "/",
                &[],
                "host;x-amz-date",
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            "",
        ),
        (
            "post-x-www-form-urlencoded",
            request(
                "POST",
                "/",
                &[("content-type", form)],
                "content-type;host;x-amz-date",
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
            "Param1=value1",
        ),
        (
            "get-header-value-trim",
            request(
                "GET",
                "/",
                &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
                "host;my-header1;my-header2;x-amz-date",
                "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
            ),
            "",
        ),
        ("get-slash-dot-slash", request("GET", "/./", &[], "host;x-amz-date", VANILLA), ""),
        ("get-relative-relative", request("GET", "/a/b/../..", &[], "host;x-amz-date", VANILLA), ""),
        ("get-slashes", request("GET", "//", &[], "host;x-amz-date", VANILLA), ""),
    ] {
        assert_eq!(check(&parts, body.as_bytes()), Ok(()), "{name}");
    }
}

#[test]
fn any_other_request_or_secret_does_not() {
    let signed = "host;x-amz-date";
    for (name, parts, body) in [
        ("method", request("PUT", "/", &[], signed, VANILLA), ""),
        ("path", request("GET", "/a", &[], signed, VANILLA), ""),
        ("query", request("GET", "/?a=b", &[], signed, VANILLA), ""),
        ("body", request("GET", "/", &[], signed, VANILLA), "x"),
        ("header list", request("GET", "/", &[("a", "b")], "a;host;x-amz-date", VANILLA), ""),
        ("short signature", request("GET", "/", &[], signed, &VANILLA[..62]), ""),
        ("no signature", request("GET", "/", &[], signed, ""), ""),
        ("not hexadecimal", request("GET", "/", &[], signed, &VANILLA.replace('5', "g")), ""),
    ] {
        assert_eq!(check(&parts, body.as_bytes()), Err(SignatureError::Mismatch), "{name}");
    }
    let parts = request("GET", "/", &[], "x-amz-date", VANILLA);
    assert!(matches!(check(&parts, b""), Err(SignatureError::Skewed(text)) if text.contains("'Host'")));
}

#[test]
fn clocks_may_differ_by_five_minutes() {
    let parts = request("GET", "/", &[], "host;x-amz-date", VANILLA);
    let claim = Claim::of(&parts).unwrap();
    assert_eq!(claim.check_time(NOW_S + 300), Ok(()));
    assert_eq!(claim.check_time(NOW_S - 300), Ok(()));
    let expired = claim.check_time(NOW_S + 301).unwrap_err();
    assert_eq!(
        expired.to_string(),
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)"
    );
    let early = claim.check_time(NOW_S - 301).unwrap_err();
    assert_eq!(
        early.to_string(),
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)"
    );
}

#[test]
fn presigned_requests_expire_when_they_say() {
    let uri = format!(
        "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}&X-Amz-Date=20150830T123600Z&X-Amz-Expires=60\
         &X-Amz-SignedHeaders=host&X-Amz-Signature={VANILLA}",
        CREDENTIAL.replace('/', "%2F")
    );
    let parts = Request::get(uri).body(()).unwrap().into_parts().0;
    let claim = Claim::of(&parts).unwrap();
    assert_eq!(claim.scope().unwrap().access_key_id, "AKIDEXAMPLE");
    assert_eq!(claim.check_time(NOW_S + 60), Ok(()));
    assert_eq!(claim.check_time(NOW_S + 61), Err(SignatureError::Expired));
}

#[test]
fn what_is_missing_is_named() {
    let parts = Request::get("/").body(()).unwrap().into_parts().0;
    assert_eq!(Claim::of(&parts), Err(SignatureError::Missing));
    let parts =
        Request::get("/").header("authorization", "AWS4-HMAC-SHA256 Credential=a").body(()).unwrap().into_parts().0;
    let Err(SignatureError::Incomplete(text)) = Claim::of(&parts) else { panic!("accepted") };
    assert!(text.contains("requires 'Signature' parameter"), "{text}");
    assert!(text.contains("requires 'SignedHeaders' parameter"), "{text}");
    assert!(text.contains("'X-Amz-Date' or a 'Date'"), "{text}");
    let parts = Request::get("/").header("authorization", "Bearer x").body(()).unwrap().into_parts().0;
    assert!(matches!(Claim::of(&parts), Err(SignatureError::Incomplete(_))));
}

#[test]
fn credentials_are_read_without_the_rest() {
    let parts = request("GET", "/", &[], "host", "x");
    assert_eq!(peek_credential(&parts), Some(CREDENTIAL));
    assert_eq!(
        Scope::parse("a/b/20150830/us-east-1/service/aws4_request").map(|scope| scope.access_key_id),
        Some("a/b")
    );
    for text in ["", "/", "a/20150830/r/s/aws5_request", "a/2015083/r/s/aws4_request", "/20150830/r/s/aws4_request"] {
        assert_eq!(Scope::parse(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn no_header_or_query_makes_it_panic(header in "[ -~]{0,300}", query in "[!-~]{0,300}") {
        let text = format!("AWS4-HMAC-SHA256 {header}");
        for (uri, value) in [(format!("/x?{query}"), header), ("/".to_owned(), text)] {
            let Ok(request) = Request::get(uri).header("authorization", value).body(()) else { continue };
            let parts = request.into_parts().0;
            let _outcome = check(&parts, b"");
        }
    }
}
