//! Function names as requests give them, and what they mean here.

use hearth_aws_api::ApiError;
use hearth_types::{Home, Region};

/// Which function a request is about. The name may be too long to exist.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) qualifier: Option<String>,
}

impl Target {
    /// From a name, a partial ARN or an ARN that has the model's form, and the request's own `Qualifier`, which must agree.
    pub(crate) fn parse(text: &str, qualifier: Option<&str>, home: &Home) -> Result<Self, ApiError> {
        let parts = Parts::of(text);
        if let Some(other) = parts.region.filter(|other| *other != home.region.as_str()) {
            return Err(wrong_region(other, &home.region));
        }
        if parts.account.is_some_and(|other| other != home.account.as_str()) {
            return Err(ApiError::new(403, "AccessDeniedException", "Cross-account pass is not allowed."));
        }
        let qualifier = match (parts.qualifier, qualifier) {
            (Some(derived), Some(given)) if derived != given => return Err(qualifiers_differ()),
            (derived, given) => derived.or(given).map(str::to_owned),
        };
        Ok(Self { name: parts.name.to_owned(), qualifier })
    }

    /// For operations that know no qualifier.
    pub(crate) fn unqualified(self, refusal: &str) -> Result<String, ApiError> {
        match self.qualifier {
            None => Ok(self.name),
            Some(_) => Err(ApiError::invalid_parameter(refusal)),
        }
    }
}

pub(crate) fn wrong_region(other: &str, region: &Region) -> ApiError {
    ApiError::not_found(format!("Functions from '{other}' are not reachable in this region ('{region}')"))
}

pub(crate) fn qualifiers_differ() -> ApiError {
    ApiError::invalid_parameter("The derived qualifier from the function name does not match the specified qualifier.")
}

struct Parts<'a> {
    region: Option<&'a str>,
    account: Option<&'a str>,
    name: &'a str,
    qualifier: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        let mut parts: Vec<&str> = text.split(':').collect();
        if parts.len() > 3 && parts[0] == "arn" {
            parts.drain(..3);
        }
        let is_account = |part: &str| part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit());
        let mut region = None;
        if parts.len() > 1
            && (is_account(parts[1]) || (parts.len() > 2 && parts[1] == "function"))
            && !is_account(parts[0])
        {
            region = Some(parts.remove(0));
        }
        let mut account = None;
        if parts.len() > 1 && is_account(parts[0]) {
            account = Some(parts.remove(0));
        }
        if parts.len() > 1 && parts[0] == "function" {
            parts.remove(0);
        }
        Self { region, account, name: parts[0], qualifier: parts.get(1).copied() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, qualifier: Option<&str>) -> Result<Target, ApiError> {
        Target::parse(text, qualifier, &"123456789012/eu-west-1".parse().unwrap())
    }

    #[test]
    fn understands_every_form_that_the_model_lets_pass() {
        for text in [
            "hello",
            "function:hello",
            "123456789012:hello",
            "123456789012:function:hello",
            "eu-west-1:123456789012:function:hello",
            "arn:aws:lambda:eu-west-1:123456789012:function:hello",
        ] {
            assert_eq!(parse(text, None).unwrap(), Target { name: "hello".into(), qualifier: None }, "{text}");
            let qualified = parse(&format!("{text}:prod"), Some("prod")).unwrap();
            assert_eq!(qualified, Target { name: "hello".into(), qualifier: Some("prod".into()) }, "{text}");
        }
    }

    #[test]
    fn refuses_other_regions_accounts_and_conflicting_qualifiers() {
        let error = parse("arn:aws:lambda:us-east-1:123456789012:function:hello", None).unwrap_err();
        assert_eq!(error.message, "Functions from 'us-east-1' are not reachable in this region ('eu-west-1')");
        assert_eq!(parse("210987654321:function:hello", None).unwrap_err().status, 403);
        let error = parse("hello:1", Some("2")).unwrap_err();
        assert_eq!(
            error.message,
            "The derived qualifier from the function name does not match the specified qualifier."
        );
    }
}
