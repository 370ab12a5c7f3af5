//! Policy documents: what is well-formed, and whom a trust policy trusts.

use hearth_types::AccountId;
use serde_json::Value;

use crate::condition::{self, Facts, matches_pattern};
use crate::error::IamError;

/// Characters that count against a quota: all but white space.
fn counted(document: &str) -> usize {
    document.chars().filter(|c| !c.is_whitespace()).count()
}

/// Kinds of documents; quotas are IAM's defaults (IAM User Guide, "IAM and AWS STS quotas").
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Trust,
    Inline,
    Managed,
}

/// Longest document as sent, white space included, bytes.
const DOCUMENT_BYTES_MAX: usize = 20_480;

/// Refuses what is not a policy of this kind.
pub(crate) fn check(document: &str, kind: Kind) -> Result<(), IamError> {
    let (quota, quota_name) = match kind {
        Kind::Trust => (4096, "ACLSizePerRole"),
        Kind::Inline => (10_240, "PolicySize"),
        Kind::Managed => (6144, "PolicySize"),
    };
    if document.len() > DOCUMENT_BYTES_MAX || counted(document) > quota {
        return Err(IamError::LimitExceeded(format!("Cannot exceed quota for {quota_name}: {quota}")));
    }
    let malformed = |text: &str| IamError::MalformedPolicyDocument(text.to_owned());
    let value: Value =
        serde_json::from_str(document).ok().ok_or_else(|| malformed("This policy contains invalid Json"))?;
    if !value.is_object() {
        return Err(malformed("This policy contains invalid Json"));
    }
    if let Some(version) = value.get("Version")
        && !matches!(version.as_str(), Some("2012-10-17" | "2008-10-17"))
    {
        return Err(malformed("The policy failed legacy parsing"));
    }
    let statements = statements(&value);
    if statements.is_empty() {
        return Err(malformed("Policy document must contain at least one statement."));
    }
    for statement in statements {
        check_statement(statement, kind)?;
    }
    Ok(())
}

fn check_statement(statement: &Value, kind: Kind) -> Result<(), IamError> {
    let has = |names: [&str; 2]| names.iter().any(|name| statement.get(*name).is_some());
    let text = if !matches!(statement.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny")) {
        "Syntax errors in policy."
    } else if !has(["Action", "NotAction"]) {
        "Policy statement must contain actions."
    } else if kind == Kind::Trust && has(["Resource", "NotResource"]) {
        "Has prohibited field Resource"
    } else if kind == Kind::Trust && !has(["Principal", "NotPrincipal"]) {
        "AssumeRole policy must contain principals."
    } else if kind != Kind::Trust && has(["Principal", "NotPrincipal"]) {
        "Policy document should not specify a principal."
    } else if kind != Kind::Trust && !has(["Resource", "NotResource"]) {
        "Policy statement must contain resources."
    } else {
        return Ok(());
    };
    Err(IamError::MalformedPolicyDocument(text.to_owned()))
}

fn statements(document: &Value) -> Vec<&Value> {
    match document.get("Statement") {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one @ Value::Object(_)) => vec![one],
        _ => Vec::new(),
    }
}

pub(crate) fn words(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(word)) => vec![word],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Whom a trust policy may name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trusted<'a> {
    /// An account's principal, by its ARN.
    Principal(&'a AccountId, &'a str),
    /// A service of AWS's, such as `lambda.amazonaws.com`.
    Service(&'a str),
}

/// Whether a trust policy lets them do `action` (`sts:AssumeRole`) to its role. What is not understood does not allow: `Not...`, and
/// conditions about what is not known here.
pub(crate) fn trusts(document: &str, who: Trusted<'_>, action: &str, facts: &Facts<'_>) -> bool {
    allows(document, facts, |statement| has_action(statement, action) && names(statement, who))
}

/// Whether an identity policy allows `action` on `resource`.
pub(crate) fn permits(document: &str, action: &str, resource: &str, facts: &Facts<'_>) -> Verdict {
    judge(document, facts, |statement| {
        has_action(statement, action)
            && words(statement.get("Resource")).iter().any(|pattern| matches_pattern(pattern, resource))
    })
}

/// What a policy says of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    Allowed,
    Denied,
    Silent,
}

fn allows(document: &str, facts: &Facts<'_>, applies: impl Fn(&Value) -> bool) -> bool {
    judge(document, facts, applies) == Verdict::Allowed
}

fn judge(document: &str, facts: &Facts<'_>, applies: impl Fn(&Value) -> bool) -> Verdict {
    let Ok(value) = serde_json::from_str::<Value>(document) else { return Verdict::Silent };
    let mut verdict = Verdict::Silent;
    for statement in statements(&value).into_iter().filter(|statement| applies(statement)) {
        match (statement.get("Effect").and_then(Value::as_str), condition::holds(statement, facts)) {
            (Some("Deny"), Some(true) | None) => return Verdict::Denied,
            (Some("Allow"), Some(true)) => verdict = Verdict::Allowed,
            _ => {}
        }
    }
    verdict
}

fn has_action(statement: &Value, action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    words(statement.get("Action")).iter().any(|word| matches_pattern(&word.to_ascii_lowercase(), &action))
}

fn names(statement: &Value, who: Trusted<'_>) -> bool {
    let Some(principal) = statement.get("Principal") else { return false };
    match who {
        Trusted::Service(service) => {
            principal.as_str() == Some("*") || words(principal.get("Service")).contains(&service)
        }
        Trusted::Principal(account, arn) => {
            let listed = if principal.is_object() { words(principal.get("AWS")) } else { words(Some(principal)) };
            let root = format!("arn:aws:iam::{account}:root");
            listed.iter().any(|word| *word == "*" || *word == account.as_str() || *word == root || *word == arn)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trust(principal: &str, rest: &str) -> String {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{principal}{rest}}}]}}"#
        )
    }

    #[test]
    fn documents_of_each_kind_are_told_apart() {
        let identity = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        let lambda = trust(r#"{"Service":"lambda.amazonaws.com"}"#, "");
        assert!(check(&lambda, Kind::Trust).is_ok());
        assert!(check(identity, Kind::Inline).is_ok());
        assert!(check(identity, Kind::Managed).is_ok());
        assert!(check(identity, Kind::Trust).is_err());
        assert!(check(&lambda, Kind::Inline).is_err());
        for wrong in ["", "{", "[]", "1", "{}", r#"{"Statement":[]}"#, r#"{"Version":"1","Statement":[{}]}"#] {
            assert!(matches!(check(wrong, Kind::Inline), Err(IamError::MalformedPolicyDocument(_))), "{wrong}");
        }
        let long = identity.replace("\"Action\":\"*\"", &format!("\"Action\":\"{}\"", "a".repeat(7000)));
        assert!(matches!(check(&long, Kind::Managed), Err(IamError::LimitExceeded(_))));
        assert!(check(&long, Kind::Inline).is_ok());
    }

    #[test]
    fn services_are_trusted_by_name_and_condition() {
        let facts: &Facts<'_> = &[("aws:SourceAccount", Some("123456789012"))];
        let lambda = Trusted::Service("lambda.amazonaws.com");
        let same = r#","Condition":{"StringEquals":{"aws:SourceAccount":"123456789012"}}"#;
        for (principal, rest, expected) in [
            (r#"{"Service":"lambda.amazonaws.com"}"#, "", true),
            (r#"{"Service":["edgelambda.amazonaws.com","lambda.amazonaws.com"]}"#, same, true),
            (r#"{"Service":"lambda.amazonaws.com"}"#, &same.replace("9012", "9999"), false),
            (r#"{"Service":"ec2.amazonaws.com"}"#, "", false),
            (r#"{"AWS":"123456789012"}"#, "", false),
        ] {
            assert_eq!(trusts(&trust(principal, rest), lambda, "sts:AssumeRole", facts), expected, "{principal}");
            assert!(!trusts(&trust(principal, rest), lambda, "sts:TagSession", facts));
        }
    }

    #[test]
    fn identity_policies_allow_by_action_and_resource_and_a_denial_wins() {
        let policy = |statements: &str| format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        let allow = r#"{"Effect":"Allow","Action":["iam:Pass*","s3:*"],"Resource":"arn:aws:iam::1:role/app-*"}"#;
        let deny = r#"{"Effect":"Deny","Action":"iam:PassRole","Resource":"*/app-admin"}"#;
        let judged =
            |document: &str, role: &str| permits(document, "iam:PassRole", &format!("arn:aws:iam::1:role/{role}"), &[]);
        assert_eq!(judged(&policy(allow), "app-x"), Verdict::Allowed);
        assert_eq!(judged(&policy(allow), "x"), Verdict::Silent);
        let both = policy(&format!("{allow},{deny}"));
        assert_eq!((judged(&both, "app-x"), judged(&both, "app-admin")), (Verdict::Allowed, Verdict::Denied));
    }

    #[test]
    fn only_named_principals_are_trusted() {
        let account: AccountId = "123456789012".parse().unwrap();
        let caller = "arn:aws:sts::123456789012:assumed-role/r/s";
        for (principal, rest, expected) in [
            (r#"{"AWS":"arn:aws:iam::123456789012:root"}"#, "", true),
            (r#"{"AWS":["999999999999","123456789012"]}"#, "", true),
            (r#"{"AWS":"*"}"#, "", true),
            (r#""*""#, "", true),
            (r#"{"AWS":"arn:aws:sts::123456789012:assumed-role/r/s"}"#, "", true),
            (r#"{"AWS":"999999999999"}"#, "", false),
            (r#"{"Service":"lambda.amazonaws.com"}"#, "", false),
            (r#"{"AWS":"*"}"#, r#","Condition":{"Bool":{"a":"b"}}"#, false),
        ] {
            let who = Trusted::Principal(&account, caller);
            assert_eq!(trusts(&trust(principal, rest), who, "sts:AssumeRole", &[]), expected, "{principal}");
        }
        let denied = r#"{"Statement":[{"Effect":"Allow","Action":"*","Principal":"*"},{"Effect":"Deny","Action":"sts:*","Principal":"*"}]}"#;
        assert!(!trusts(denied, Trusted::Principal(&account, caller), "sts:AssumeRole", &[]));
    }
}
