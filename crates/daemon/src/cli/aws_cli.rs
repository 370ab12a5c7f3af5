//! What to type next, for the AWS CLI that is installed.

use std::fmt;
use std::process::Command;

use super::output::GOOD;

/// The lines, for a daemon with a function `hello-python`.
#[derive(Debug)]
pub(crate) struct Hints {
    endpoint: String,
    region: String,
    version: Option<Version>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Version {
    major: u32,
    minor: u32,
}

impl Version {
    fn installed() -> Option<Self> {
        let shown = Command::new("aws").arg("--version").output().ok()?;
        // Old ones tell it on standard error.
        let text = [shown.stdout, shown.stderr].concat();
        Self::parse(&String::from_utf8_lossy(&text))
    }

    /// Of a line such as `aws-cli/2.9.19 Python/3.11.2 Linux/6.1`.
    fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.split_once("aws-cli/")?;
        let mut numbers = rest.split('.').map(str::parse);
        Some(Self { major: numbers.next()?.ok()?, minor: numbers.next()?.ok()? })
    }

    fn reads_endpoint_variable(self) -> bool {
        match self.major {
            0 => false,
            1 => self.minor >= 29,
            2 => self.minor >= 13,
            3.. => true,
        }
    }
}

impl Hints {
    pub(crate) fn of(endpoint: &str, region: &str) -> Self {
        Self { endpoint: endpoint.to_owned(), region: region.to_owned(), version: Version::installed() }
    }

    fn aws(&self, version: Version) -> Vec<String> {
        let mut lines = vec![
            "export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_PAGER=".to_owned(),
            format!("export AWS_REGION={0} AWS_DEFAULT_REGION={0}", self.region),
        ];
        lines.push(match version.reads_endpoint_variable() {
            true => format!("export AWS_ENDPOINT_URL={}", self.endpoint),
            false => format!("alias aws='aws --endpoint-url {}'", self.endpoint),
        });
        lines.push("aws lambda list-functions".to_owned());
        lines.push("aws lambda invoke --function-name hello-python \\".to_owned());
        if version.major >= 2 {
            lines.push("    --cli-binary-format raw-in-base64-out \\".to_owned());
        }
        lines.push("    --payload '{\"name\": \"me\"}' /dev/stdout".to_owned());
        if version.major >= 2 {
            lines.push("aws logs tail /aws/lambda/hello-python --follow".to_owned());
        } else {
            lines.push("aws logs filter-log-events --log-group-name /aws/lambda/hello-python \\".to_owned());
            lines.push("    --query 'events[].message' --output text".to_owned());
        }
        lines
    }

    fn own(&self) -> Vec<String> {
        vec![
            format!("export HEARTH_ENDPOINT={}", self.endpoint),
            "hearth invoke hello-python '{\"name\": \"me\"}'".to_owned(),
            "hearth logs -f hello-python".to_owned(),
        ]
    }
}

impl fmt::Display for Hints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lines, with) = match self.version {
            Some(version) => (self.aws(version), format!("with your AWS CLI {}.{}", version.major, version.minor)),
            None => (self.own(), "as no AWS CLI is installed".to_owned()),
        };
        write!(f, "{GOOD}Try next{GOOD:#}, in another terminal ({with}):\n  {}", lines.join("\n  "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(shown: &str) -> String {
        let version = Version::parse(shown);
        Hints { endpoint: "http://127.0.0.1:4567".to_owned(), region: "eu-central-1".to_owned(), version }.to_string()
    }

    #[test]
    fn each_cli_gets_what_it_knows() {
        let old = lines("aws-cli/2.9.19 Python/3.11.2 Linux/6.1.0 source/x86_64.debian.12 prompt/off");
        assert!(old.contains("--endpoint-url http://127.0.0.1:4567") && !old.contains("AWS_ENDPOINT_URL"), "{old}");
        assert!(old.contains("raw-in-base64-out") && old.contains("logs tail"), "{old}");
        let one = lines("aws-cli/1.45.11 Python/3.11.7 Linux/6.18 botocore/1.43.11");
        assert!(one.contains("AWS_ENDPOINT_URL=") && !one.contains("raw-in-base64-out"), "{one}");
        assert!(one.contains("filter-log-events"), "{one}");
        let new = lines("aws-cli/2.31.1 Python/3.13.7 Linux/6.18 exe/x86_64.debian.13");
        assert!(new.contains("AWS_ENDPOINT_URL=") && new.contains("AWS_REGION=eu-central-1"), "{new}");
        let none = lines("bash: aws: command not found");
        assert!(none.contains("hearth invoke") && none.contains("HEARTH_ENDPOINT=http://127.0.0.1:4567"), "{none}");
        assert!(
            [old, one, new, none]
                .iter()
                .all(|text| anstream::adapter::strip_str(text).to_string().lines().all(|line| line.len() <= 80))
        );
    }
}
