//! The role that a function gets.

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http::Method;

use super::client::{Answer, Client};

/// What functions get whose role nobody names.
const DEFAULT: &str = "hearth";
const TRUST: &str = concat!(
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"#,
    r#""Action":"sts:AssumeRole"}]}"#
);

/// Of this role, by name or ARN; of the default one, made if it is not there, if none is named.
pub(crate) fn arn(client: &Client, role: Option<&str>) -> Result<String> {
    match role {
        Some(arn) if arn.starts_with("arn:") => Ok(arn.to_owned()),
        Some(name) => found(client, name)?.with_context(|| {
            format!(
                "there is no role {name}: make it (aws iam create-role), or leave --role out to use the role {DEFAULT}"
            )
        }),
        None => match found(client, DEFAULT)? {
            Some(arn) => Ok(arn),
            None => made(client),
        },
    }
}

fn found(client: &Client, name: &str) -> Result<Option<String>> {
    let answer = ask(client, &[("Action", "GetRole"), ("RoleName", name)])?;
    if answer.status == 404 {
        return Ok(None);
    }
    arn_in(answer).map(Some)
}

fn made(client: &Client) -> Result<String> {
    let fields = [("Action", "CreateRole"), ("RoleName", DEFAULT), ("AssumeRolePolicyDocument", TRUST)];
    arn_in(ask(client, &fields)?)
}

/// IAM's protocol: a form, answered in XML.
fn ask(client: &Client, fields: &[(&str, &str)]) -> Result<Answer> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields).append_pair("Version", "2010-05-08");
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    client.call("iam", Method::POST, "/", &headers, Bytes::from(form.finish()))
}

fn arn_in(answer: Answer) -> Result<String> {
    let text = String::from_utf8_lossy(&answer.body);
    let inside = |element: &str| {
        let (_, rest) = text.split_once(&format!("<{element}>"))?;
        rest.split_once(&format!("</{element}>")).map(|(inside, _)| inside.to_owned())
    };
    if answer.status >= 300 {
        bail!(
            "the role cannot be looked up: {}",
            inside("Message").unwrap_or_else(|| format!("status {}", answer.status))
        );
    }
    inside("Arn").context("the daemon's answer names no role")
}
