//! Which service a request is for: by the scope of its signature, its target header, its path or its form.

use hearth_aws_api::Service;
use http::header::CONTENT_TYPE;
use http::request::Parts;

use crate::auth::sigv4::{self, Claim, Scope};
use crate::protocol::Protocol;

/// The services that Hearth speaks, in the order in which refusals list them.
pub(crate) const SPOKEN: [Service; 5] = [Service::Iam, Service::Lambda, Service::Logs, Service::Sqs, Service::Sts];

/// What a request is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Destination {
    Service(Service),
    /// The body's form says which: [`of_form`].
    Form,
    /// An AWS service that Hearth does not speak, by its signing name or target, and how it would write an error.
    Unsupported {
        name: String,
        protocol: Protocol,
    },
}

/// Where a request goes, by its head; forms without a signature are decided by [`of_form`].
pub(crate) fn of(parts: &Parts) -> Destination {
    let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    if let Some(name) = scope_service(parts) {
        return of_name(&name, target.is_some(), is_form(parts));
    }
    if let Some(target) = target {
        let prefix = target.split('.').next().unwrap_or(target);
        let meant = |service: &Service| service.model().metadata.target_prefix.as_deref() == Some(prefix);
        return match SPOKEN.into_iter().find(meant) {
            Some(service) => Destination::Service(service),
            None => Destination::Unsupported { name: shortened(prefix), protocol: Protocol::JSON },
        };
    }
    match parts.uri.query() {
        Some(query) if has_action(query) => of_form(query),
        // Query services have one path. Elsewhere `curl -d` says that an event is a form.
        _ if is_form(parts) && parts.uri.path() == "/" => Destination::Form,
        _ => Destination::Service(Service::Lambda),
    }
}

/// How a service that takes forms and of which no more is known would write an error.
const QUERY: Protocol = Protocol::Query { namespace: "", json: false };

/// Where a query-protocol request goes that no signature routes: by the API version or the action in its form.
pub(crate) fn of_form(form: &str) -> Destination {
    let [mut action, mut version] = [None, None];
    for (name, value) in form_urlencoded::parse(form.as_bytes()) {
        match &*name {
            "Action" => action = Some(value),
            "Version" => version = Some(value),
            _ => {}
        }
    }
    let mut forms = SPOKEN.into_iter().filter(|service| service.model().metadata.takes_forms());
    let meant = match (version, action) {
        (Some(version), _) => forms.find(|service| service.model().metadata.api_version == *version),
        // One that nobody has is the first's to refuse.
        (None, Some(action)) => {
            forms.clone().find(|service| service.model().operation(&action).is_some()).or_else(|| forms.next())
        }
        (None, None) => None,
    };
    match meant {
        Some(service) => Destination::Service(service),
        None => Destination::Unsupported { name: "query".to_owned(), protocol: QUERY },
    }
}

/// `application/x-www-form-urlencoded`.
pub(crate) fn is_form(parts: &Parts) -> bool {
    has_type(parts, b"application/x-www-form-urlencoded")
}

/// Whether the content type begins so.
pub(crate) fn has_type(parts: &Parts, begin: &[u8]) -> bool {
    let given = parts.headers.get(CONTENT_TYPE).map(|value| value.as_bytes());
    given.and_then(|given| given.get(..begin.len())).is_some_and(|given| given.eq_ignore_ascii_case(begin))
}

fn has_action(query: &str) -> bool {
    query.split('&').any(|pair| pair.starts_with("Action="))
}

fn of_name(name: &str, has_target: bool, is_form: bool) -> Destination {
    if let Some(service) = SPOKEN.into_iter().find(|service| service.signing_name() == name) {
        return Destination::Service(service);
    }
    let protocol = match name {
        "s3" => Protocol::RestXml,
        _ if has_target => Protocol::JSON,
        _ if is_form => QUERY,
        _ => Protocol::LAMBDA,
    };
    Destination::Unsupported { name: shortened(name), protocol }
}

fn shortened(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_graphic()).take(64).collect()
}

fn scope_service(parts: &Parts) -> Option<String> {
    if let Some(credential) = sigv4::peek_credential(parts) {
        return Scope::parse(credential).map(|scope| scope.service.to_owned());
    }
    let claim = Claim::of(parts).ok()?;
    claim.scope().ok().map(|scope| scope.service.to_owned())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::post(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn signed(service: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=00"
        )
    }

    #[test]
    fn the_signature_scope_comes_first() {
        for service in SPOKEN {
            let parts = parts("/", &[("authorization", &signed(service.signing_name())), ("x-amz-target", "X.Y")]);
            assert_eq!(of(&parts), Destination::Service(service));
        }
        let presigned = "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20150830%2Fr1a%2Fsts%2Faws4_request\
                         &X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00";
        assert_eq!(of(&parts(presigned, &[])), Destination::Service(Service::Sts));
    }

    #[test]
    fn unsigned_requests_go_by_target_form_or_path() {
        let form = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        assert_eq!(
            of(&parts("/", &[("x-amz-target", "Logs_20140328.GetLogEvents")])),
            Destination::Service(Service::Logs)
        );
        assert_eq!(of(&parts("/?Action=GetCallerIdentity", &form)), Destination::Service(Service::Sts));
        assert_eq!(of(&parts("/", &form)), Destination::Form);
        assert_eq!(of_form("Action=ListRoles&Version=2010-05-08"), Destination::Service(Service::Iam));
        assert_eq!(of(&parts("/2015-03-31/functions", &[])), Destination::Service(Service::Lambda));
        assert_eq!(of(&parts("/2015-03-31/functions/f/invocations", &form)), Destination::Service(Service::Lambda));
    }

    #[test]
    fn other_services_are_named_in_their_own_protocol() {
        for (name, headers, protocol) in [
            ("events", vec![("x-amz-target", "AWSEvents.PutEvents")], Protocol::JSON),
            ("s3", vec![], Protocol::RestXml),
            ("apigateway", vec![], Protocol::LAMBDA),
            ("cloudformation", vec![("content-type", "application/x-www-form-urlencoded")], QUERY),
        ] {
            let authorization = signed(name);
            let mut headers = headers;
            headers.push(("authorization", &authorization));
            let expected = Destination::Unsupported { name: name.to_owned(), protocol };
            assert_eq!(of(&parts("/", &headers)), expected);
        }
    }
}
