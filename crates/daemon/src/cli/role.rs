//! The role of functions that are deployed without one.

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http::Method;

use super::client::{Answer, Client};

const FORM: &[(&str, &str)] = &[("content-type", "application/x-www-form-urlencoded")];
const NAME: &str = "hearth";
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// ARN of the caller's role `hearth`, which is made if need be.
pub(crate) fn default_role(client: &Client) -> Result<String> {
    let identity = query(client, "sts", &[("Action", "GetCallerIdentity"), ("Version", "2011-06-15")])?;
    let identity = succeeded(&identity)?;
    let account = element(&identity, "Account").context("the daemon does not say whose account this is")?;
    let parameters =
        [("Action", "CreateRole"), ("Version", "2010-05-08"), ("RoleName", NAME), ("AssumeRolePolicyDocument", TRUST)];
    let made = query(client, "iam", &parameters)?;
    let text = String::from_utf8_lossy(&made.body);
    if element(&text, "Code").as_deref() != Some("EntityAlreadyExists") {
        succeeded(&made)?;
    }
    Ok(format!("arn:aws:iam::{account}:role/{NAME}"))
}

fn query(client: &Client, service: &str, parameters: &[(&str, &str)]) -> Result<Answer> {
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    client.call(service, Method::POST, "/", FORM, Bytes::from(form))
}

fn succeeded(answer: &Answer) -> Result<String> {
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    if answer.status < 300 {
        return Ok(text);
    }
    let part = |name| element(&text, name).unwrap_or_default();
    bail!("{}: {}", part("Code"), part("Message"))
}

/// What stands in the first element of this name.
fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_by_name() {
        let xml = "<R><Account>123456789012</Account></R>";
        assert_eq!(element(xml, "Account").as_deref(), Some("123456789012"));
        assert_eq!(element(xml, "Arn"), None);
    }
}
