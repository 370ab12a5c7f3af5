//! Policy documents: what is well-formed.

use serde_json::Value;

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
}
