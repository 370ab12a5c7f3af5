//! Reading invoke requests: what is taken, and the exact refusals.

use http::Request;
use proptest::prelude::*;

use super::*;

fn parts(method: &str, uri: &str) -> Parts {
    Request::builder().method(method).uri(uri).body(()).unwrap().into_parts().0
}

fn options(headers: &[(&str, &str)]) -> Result<Options, ApiError> {
    let mut request = Request::post("/");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Options::read(Operation::Invoke, &request.body(()).unwrap().into_parts().0.headers)
}

#[test]
fn calls_are_known_by_their_path() {
    for (uri, operation) in [
        ("/2015-03-31/functions/f/invocations", Operation::Invoke),
        ("/2015-03-31/functions/f/invocations/", Operation::Invoke),
        ("/2015-03-31/functions/f/invocations?Qualifier=1", Operation::Invoke),
        ("/2021-11-15/functions/f/response-streaming-invocations", Operation::InvokeWithResponseStream),
        ("/2014-11-13/functions/f/invoke-async", Operation::InvokeAsync),
        ("/2014-11-13/functions/f/invoke-async/", Operation::InvokeAsync),
    ] {
        assert_eq!(Call::of(&parts("POST", uri)), Some(Call { operation, function: "f" }), "{uri}");
        assert_eq!(Call::of(&parts("GET", uri)), None, "{uri}");
    }
    for uri in ["/2015-03-31/functions/f", "/2015-03-31/functions/f/g/invocations", "/2015-03-31/functions/invocations"]
    {
        assert_eq!(Call::of(&parts("POST", uri)), None, "{uri}");
    }
}

#[test]
fn names_are_decoded_after_routing() {
    let arn = "arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Ahello%3A%24LATEST";
    let function = function(arn).unwrap();
    assert_eq!(function.name.as_str(), "hello");
    assert_eq!(function.qualifier, Some("$LATEST".parse().unwrap()));
    for wrong in ["", "a%20b", "%ff", "a%2Fb"] {
        assert_eq!(super::function(wrong), None, "{wrong}");
        let error = check_names(wrong, None).unwrap_err();
        assert_eq!(error.code, "ValidationException", "{wrong}");
        assert!(error.message.contains("at 'functionName' failed to satisfy constraint"), "{}", error.message);
    }
}

#[test]
fn qualifiers_come_from_the_query() {
    assert_eq!(qualifier(None), None);
    assert_eq!(qualifier(Some("a=b")), None);
    assert_eq!(qualifier(Some("Qualifier=%24LATEST")).unwrap(), "$LATEST");
    assert_eq!(qualifier(Some("x=y&Qualifier=7")).unwrap(), "7");
}

#[test]
fn names_are_refused_in_lambdas_words() {
    let refusal = |name: &str, qualifier: Option<&str>| check_names(name, qualifier).unwrap_err().message;
    assert!(
        refusal("f", Some("a b")).contains("at 'qualifier' failed to satisfy constraint: Member must satisfy regular")
    );
    assert!(refusal("f", Some(&"q".repeat(129))).ends_with("Member must have length less than or equal to 128"));
    let both = refusal("arn:aws:lambda:nowhere:123456789012:function:f", Some(&"q".repeat(129)));
    assert!(both.starts_with("2 validation errors detected: "), "{both}");
    // As recorded: nothing is wrong with these, but that there is no such function.
    for (name, qualifier) in [(&*"f".repeat(65), None), ("f", Some("$latest")), ("123456789012:function", None)] {
        assert!(check_names(name, qualifier).is_ok(), "{name}");
    }
}

#[test]
fn headers_choose_type_and_log() {
    let plain = options(&[]).unwrap();
    assert_eq!(plain, Options { kind: InvocationType::RequestResponse, log_tail: false, client_context: None });
    assert!(options(&[("x-amz-log-type", "Tail")]).unwrap().log_tail);
    let event = options(&[("x-amz-invocation-type", "Event"), ("x-amz-log-type", "Tail")]).unwrap();
    assert_eq!((event.kind, event.log_tail), (InvocationType::Event, false));
    for headers in [("x-amz-invocation-type", "event"), ("x-amz-log-type", "tail")] {
        assert_eq!(options(&[headers]).unwrap_err().code, "ValidationException");
    }
}

#[test]
fn what_functions_cannot_do_here_is_refused() {
    for header in ["x-amz-tenant-id", "x-amz-durable-execution-name"] {
        assert_eq!(options(&[(header, "a")]).unwrap_err().code, "InvalidParameterValueException");
    }
}

#[test]
fn client_context_is_a_json_object_and_never_for_events() {
    let context = STANDARD.encode(r#"{"custom":{"a":1}}"#);
    let read = options(&[("x-amz-client-context", &context)]).unwrap();
    assert_eq!(read.client_context.as_deref(), Some(r#"{"custom":{"a":1}}"#));
    let event = options(&[("x-amz-client-context", &context), ("x-amz-invocation-type", "Event")]).unwrap();
    assert_eq!(event.client_context, None);
    let long = STANDARD.encode(format!(r#"{{"a":"{}"}}"#, "x".repeat(3000)));
    for wrong in ["%", &STANDARD.encode("[1]"), &STANDARD.encode("{"), &long] {
        let error = options(&[("x-amz-client-context", wrong)]).unwrap_err();
        assert_eq!(error.code, "InvalidRequestContentException");
    }
}

#[test]
fn payloads_are_json_or_nothing() {
    let sync = InvocationType::RequestResponse;
    for good in ["", "{}", "null", " 1 ", "\"é\"", "[[[]]]"] {
        assert!(check_payload(good.as_bytes(), sync).is_ok(), "{good}");
    }
    for bad in [&b"{"[..], b"hello", b"{} x", b"\"\xff\"", b"'a'", b"\xef\xbb\xbf{}"] {
        let error = check_payload(bad, sync).unwrap_err();
        assert_eq!(error.code, "InvalidRequestContentException");
        assert!(error.message.starts_with("Could not parse request body into json: "), "{}", error.message);
    }
    let large = format!("\"{}\"", "x".repeat(ASYNC_PAYLOAD_BYTES_MAX));
    assert!(check_payload(large.as_bytes(), sync).is_ok());
    let error = check_payload(large.as_bytes(), InvocationType::Event).unwrap_err();
    assert_eq!((error.status, &*error.code), (StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException"));
    assert_eq!(error.message, "1048578 byte payload is too large for the Event invocation type (limit 1048576 bytes)");
}

#[test]
fn deeply_nested_payloads_do_not_exhaust_the_stack() {
    let deep = "[".repeat(1_000_000);
    assert!(check_payload(deep.as_bytes(), InvocationType::RequestResponse).is_err());
    let closed = format!("{deep}{}", "]".repeat(1_000_000));
    let _either = check_payload(closed.as_bytes(), InvocationType::RequestResponse);
}

proptest! {
    #[test]
    fn nothing_sent_makes_it_panic(name in ".{0,100}", query in ".{0,100}", header in "[ -~]{0,100}", body: Vec<u8>) {
        let _name = function(&name);
        let _qualifier = qualifier(Some(&query));
        let _options = options(&[("x-amz-invocation-type", &header), ("x-amz-client-context", &header)]);
        let _payload = check_payload(&body, InvocationType::Event);
    }
}
