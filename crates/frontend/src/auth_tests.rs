//! The modes of authentication, with requests signed as a client signs them.

use http::Request;

use super::sigv4::{Scope, sha256_hex, signing_key};
use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_440_938_160_000);
const BODY: &[u8] = b"{}";

fn account(text: &str) -> AccountId {
    text.parse().unwrap()
}

async fn authenticator(keys: &[(&str, &str)]) -> Authenticator {
    let owner = || Owner::Account(account("111122223333"));
    let key = |(id, secret): &(&str, &str)| AccessKey::configured((*id).to_owned(), (*secret).to_owned(), owner());
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(hearth_store::Embedded::open(&dir.path().join("store")).unwrap());
    let access = Access::open(store, &[1; 32], keys.iter().map(key).collect()).await.unwrap();
    Authenticator::new(Arc::new(access), account("000000000000"))
}

fn signed(id: &str, secret: &str, token: Option<&str>) -> Parts {
    signed_for("eu-west-1", (id, secret), token)
}

/// A `POST /` of [`BODY`] at [`NOW`]. Written out here on purpose, apart from the code under test.
fn signed_for(region: &str, (id, secret): (&str, &str), token: Option<&str>) -> Parts {
    let scope = format!("20150830/{region}/lambda/aws4_request");
    let credential = format!("{id}/{scope}");
    let mut headers = "host:h\nx-amz-date:20150830T123600Z\n".to_owned();
    let mut names = "host;x-amz-date".to_owned();
    let mut request = Request::post("/").header("host", "h").header("x-amz-date", "20150830T123600Z");
    if let Some(token) = token {
        headers.push_str(&format!("x-amz-security-token:{token}\n"));
        names.push_str(";x-amz-security-token");
        request = request.header("x-amz-security-token", token);
    }
    let canonical = format!("POST\n/\n\n{headers}\n{names}\n{}", sha256_hex(BODY));
    let text = format!("AWS4-HMAC-SHA256\n20150830T123600Z\n{scope}\n{}", sha256_hex(canonical.as_bytes()));
    let key = signing_key(secret, &Scope::parse(&credential).unwrap());
    let signature: String = hmac::sign(&key, text.as_bytes()).as_ref().iter().map(|b| format!("{b:02x}")).collect();
    let header = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}");
    request.header("authorization", header).body(()).unwrap().into_parts().0
}

fn sessions() -> Sessions {
    Sessions::new(&[3; 32])
}

fn enter(auth: &Authenticator, parts: &Parts, now: Timestamp) -> Result<Arc<Principal>, AuthError> {
    let admission = auth.admit(parts, &sessions(), now)?;
    auth.accept_body(&admission, parts, Bytes::from_static(BODY), None)?;
    Ok(admission.principal)
}

#[tokio::test]
async fn without_keys_twelve_digits_are_the_account_and_anything_else_the_default() {
    let auth = authenticator(&[]).await;
    let unsigned = Request::get("/").body(()).unwrap().into_parts().0;
    for (parts, expected) in [
        (unsigned, "000000000000"),
        (signed("test", "wrong", None), "000000000000"),
        (signed("123456789012", "wrong", None), "123456789012"),
    ] {
        assert_eq!(enter(&auth, &parts, NOW).unwrap().account.as_str(), expected);
    }
}

#[tokio::test]
async fn with_keys_only_their_signatures_pass() {
    let auth = authenticator(&[("AKID", "secret")]).await;
    for _ in 0..2 {
        let principal = enter(&auth, &signed("AKID", "secret", None), NOW).unwrap();
        assert_eq!(principal.arn, "arn:aws:iam::111122223333:root");
        let wrong = enter(&auth, &signed("AKID", "other", None), NOW);
        assert_eq!(wrong, Err(AuthError::Signature(SignatureError::Mismatch)));
        assert_eq!(enter(&auth, &signed("AKIX", "secret", None), NOW), Err(AuthError::UnknownKey));
        assert_eq!(enter(&auth, &signed("123456789012", "secret", None), NOW), Err(AuthError::UnknownKey));
    }
    let unsigned = Request::get("/").body(()).unwrap().into_parts().0;
    assert_eq!(enter(&auth, &unsigned, NOW), Err(AuthError::Signature(SignatureError::Missing)));
    let late = Timestamp::from_millis(NOW.as_millis() + 301_000);
    let result = enter(&auth, &signed("AKID", "secret", None), late);
    assert!(matches!(result, Err(AuthError::Signature(SignatureError::Skewed(_)))), "{result:?}");
}

#[tokio::test]
async fn another_body_than_the_signed_one_is_refused() {
    let auth = authenticator(&[("AKID", "secret")]).await;
    let parts = signed("AKID", "secret", None);
    let admission = auth.admit(&parts, &sessions(), NOW).unwrap();
    let result = auth.accept_body(&admission, &parts, Bytes::from_static(b"{} "), None);
    assert_eq!(result, Err(AuthError::Signature(SignatureError::Mismatch)));
}

#[tokio::test]
async fn sessions_pass_in_both_modes_until_they_expire() {
    let ends = Timestamp::from_millis(NOW.as_millis() + 60_000);
    let arn = "arn:aws:sts::444455556666:assumed-role/r/f";
    let credentials = sessions().issue(account("444455556666"), arn.to_owned(), "AROA:f".to_owned(), ends, [1; 10], 0);
    let parts = signed(&credentials.access_key_id, &credentials.secret_access_key, Some(&credentials.session_token));
    for auth in [authenticator(&[]).await, authenticator(&[("AKID", "secret")]).await] {
        for _ in 0..2 {
            assert_eq!(enter(&auth, &parts, NOW).unwrap().arn, arn);
        }
        assert_eq!(enter(&auth, &parts, ends), Err(AuthError::ExpiredToken));
    }
    let strict = authenticator(&[("AKID", "secret")]).await;
    let forged = signed(&credentials.access_key_id, "guess", Some(&credentials.session_token));
    assert_eq!(enter(&strict, &forged, NOW), Err(AuthError::Signature(SignatureError::Mismatch)));
    let tokenless = signed(&credentials.access_key_id, &credentials.secret_access_key, None);
    assert_eq!(enter(&strict, &tokenless, NOW), Err(AuthError::UnknownKey));
}

#[tokio::test]
async fn a_request_is_for_the_region_that_it_is_signed_for() {
    let key = ("AKID", "secret");
    for auth in [authenticator(&[]).await, authenticator(&[key]).await] {
        for region in ["eu-west-1", "us-east-1", "eu-west-1"] {
            let parts = signed_for(region, key, None);
            let admission = auth.admit(&parts, &sessions(), NOW).unwrap();
            auth.accept_body(&admission, &parts, Bytes::from_static(BODY), None).unwrap();
            assert_eq!(admission.region.unwrap().as_str(), region);
        }
        for region in ["EU-WEST-1", "eu_west", "x", "a-region-of-more-than-thirty-two-characters"] {
            let result = auth.admit(&signed_for(region, key, None), &sessions(), NOW).map(drop);
            assert_eq!(result, Err(AuthError::Region { signed: region.to_owned() }));
        }
    }
    let unsigned = Request::get("/").body(()).unwrap().into_parts().0;
    assert_eq!(authenticator(&[]).await.admit(&unsigned, &sessions(), NOW).unwrap().region, None);
    let elsewhere = signed_for("us-east-1", key, None).headers.remove("authorization").unwrap();
    let mut moved = signed(key.0, key.1, None);
    let text = moved.headers["authorization"].to_str().unwrap().replace("eu-west-1", "us-east-1");
    assert_ne!(text, elsewhere.to_str().unwrap());
    moved.headers.insert("authorization", text.parse().unwrap());
    let refused = enter(&authenticator(&[key]).await, &moved, NOW);
    assert_eq!(refused, Err(AuthError::Signature(SignatureError::Mismatch)), "the signature covers it");
}

#[test]
fn only_loopback_may_do_without_keys() {
    for (address, open) in [
        ("127.0.0.1:1", true),
        ("127.9.9.9:1", true),
        ("[::1]:1", true),
        ("[::ffff:127.0.0.1]:1", true),
        ("0.0.0.0:1", false),
        ("10.0.0.1:1", false),
        ("[::]:1", false),
    ] {
        let address: SocketAddr = address.parse().unwrap();
        assert_eq!(check_exposure(address, 0).is_ok(), open, "{address}");
        assert!(check_exposure(address, 1).is_ok());
    }
}
