//! Which service a request is for: by the scope of its signature, its target header, its path or its form.

use http::header::CONTENT_TYPE;
use http::request::Parts;

use crate::auth::sigv4::{self, Claim, Scope};
use crate::error::Protocol;

/// Namespace of STS answers.
pub(crate) const STS_NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
/// Namespace of IAM answers.
pub(crate) const IAM_NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// A service that Hearth speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Service {
    Lambda,
    Sts,
    Iam,
    Logs,
}

impl Service {
    pub(crate) const ALL: [Self; 4] = [Self::Iam, Self::Lambda, Self::Logs, Self::Sts];

    /// The signing name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Lambda => "lambda",
            Self::Sts => "sts",
            Self::Iam => "iam",
            Self::Logs => "logs",
        }
    }

    pub(crate) const fn protocol(self) -> Protocol {
        match self {
            Self::Lambda => Protocol::RestJson,
            Self::Logs => Protocol::Json,
            Self::Sts => Protocol::Query { namespace: STS_NAMESPACE },
            Self::Iam => Protocol::Query { namespace: IAM_NAMESPACE },
        }
    }
}

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
        return match prefix {
            "Logs_20140328" => Destination::Service(Service::Logs),
            _ => Destination::Unsupported { name: shortened(prefix), protocol: Protocol::Json },
        };
    }
    match parts.uri.query() {
        Some(query) if has_action(query) => of_form(query),
        // Query services have one path. Elsewhere `curl -d` says that an event is a form.
        _ if is_form(parts) && parts.uri.path() == "/" => Destination::Form,
        _ => Destination::Service(Service::Lambda),
    }
}

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
    match (version.as_deref(), action.as_deref()) {
        (Some("2011-06-15"), _) => Destination::Service(Service::Sts),
        (Some("2010-05-08"), _) => Destination::Service(Service::Iam),
        (_, Some(action)) if crate::sts::is_action(action) => Destination::Service(Service::Sts),
        (None, Some(_)) => Destination::Service(Service::Iam),
        _ => Destination::Unsupported { name: "query".to_owned(), protocol: Service::Iam.protocol() },
    }
}

/// `application/x-www-form-urlencoded`.
pub(crate) fn is_form(parts: &Parts) -> bool {
    parts
        .headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().to_ascii_lowercase().starts_with(b"application/x-www-form-urlencoded"))
}

fn has_action(query: &str) -> bool {
    query.split('&').any(|pair| pair.starts_with("Action="))
}

fn of_name(name: &str, has_target: bool, is_form: bool) -> Destination {
    if let Some(service) = Service::ALL.into_iter().find(|service| service.name() == name) {
        return Destination::Service(service);
    }
    let protocol = match name {
        "s3" => Protocol::RestXml,
        _ if has_target => Protocol::Json,
        _ if is_form => Protocol::Query { namespace: "" },
        _ => Protocol::RestJson,
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
        for service in Service::ALL {
            let parts = parts("/", &[("authorization", &signed(service.name())), ("x-amz-target", "X.Y")]);
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
            ("sqs", vec![("x-amz-target", "AmazonSQS.SendMessage")], Protocol::Json),
            ("s3", vec![], Protocol::RestXml),
            ("apigateway", vec![], Protocol::RestJson),
            (
                "cloudformation",
                vec![("content-type", "application/x-www-form-urlencoded")],
                Protocol::Query { namespace: "" },
            ),
        ] {
            let authorization = signed(name);
            let mut headers = headers;
            headers.push(("authorization", &authorization));
            let expected = Destination::Unsupported { name: name.to_owned(), protocol };
            assert_eq!(of(&parts("/", &headers)), expected);
        }
    }
}
