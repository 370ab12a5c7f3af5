//! AWS's own managed policies, as far as they are about services that are spoken here. Each says what AWS's says of these services, by
//! the AWS Managed Policy Reference; of other services it says nothing, since there are none to use.

/// The document; `None`: it is not known here, and allows nothing.
pub(crate) fn document(arn: &str) -> Option<&'static str> {
    let name = arn.strip_prefix("arn:aws:iam::aws:policy/")?;
    POLICIES.iter().find(|(known, _)| *known == name).map(|(_, document)| *document)
}

macro_rules! allow {
    ($($actions:literal),+) => {
        concat!(r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["#, allow!(@list $($actions),+), r#"],"Resource":"*"}}"#)
    };
    (@list $first:literal $(, $more:literal)*) => { concat!("\"", $first, "\"" $(, ",\"", $more, "\"")*) };
}

const WRITE_LOGS: &str = allow!("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents");
const USE_QUEUES: &str = allow!(
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:PutLogEvents"
);

const POLICIES: &[(&str, &str)] = &[
    ("AdministratorAccess", allow!("*")),
    (
        "PowerUserAccess",
        r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","NotAction":["iam:*","organizations:*","account:*"],"Resource":"*"},
            {"Effect":"Allow","Action":["iam:ListRoles","iam:CreateServiceLinkedRole","iam:DeleteServiceLinkedRole"],"Resource":"*"}]}"#,
    ),
    (
        "ReadOnlyAccess",
        allow!(
            "lambda:Get*",
            "lambda:List*",
            "iam:Get*",
            "iam:List*",
            "logs:Describe*",
            "logs:FilterLogEvents",
            "logs:Get*",
            "logs:List*",
            "logs:StartLiveTail",
            "sqs:Get*",
            "sqs:List*",
            "sqs:ReceiveMessage"
        ),
    ),
    ("IAMFullAccess", allow!("iam:*")),
    (
        "IAMReadOnlyAccess",
        allow!(
            "iam:Get*",
            "iam:List*",
            "iam:GenerateCredentialReport",
            "iam:SimulateCustomPolicy",
            "iam:SimulatePrincipalPolicy"
        ),
    ),
    (
        "AWSLambda_FullAccess",
        r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":["lambda:*","iam:GetPolicy","iam:GetPolicyVersion","iam:GetRole","iam:GetRolePolicy",
                "iam:ListAttachedRolePolicies","iam:ListRolePolicies","iam:ListRoles","logs:DescribeLogGroups"],"Resource":"*"},
            {"Effect":"Allow","Action":"iam:PassRole","Resource":"*",
                "Condition":{"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}}},
            {"Effect":"Allow","Action":["logs:DescribeLogStreams","logs:GetLogEvents","logs:FilterLogEvents","logs:StartLiveTail","logs:StopLiveTail"],
                "Resource":"arn:aws:logs:*:*:log-group:/aws/lambda/*"}]}"#,
    ),
    (
        "AWSLambda_ReadOnlyAccess",
        r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":["iam:GetPolicy","iam:GetPolicyVersion","iam:GetRole","iam:GetRolePolicy","iam:ListAttachedRolePolicies",
                "iam:ListRolePolicies","iam:ListRoles","logs:DescribeLogGroups","lambda:Get*","lambda:List*"],"Resource":"*"},
            {"Effect":"Allow","Action":["logs:DescribeLogStreams","logs:GetLogEvents","logs:FilterLogEvents","logs:StartLiveTail","logs:StopLiveTail"],
                "Resource":"arn:aws:logs:*:*:log-group:/aws/lambda/*"}]}"#,
    ),
    ("CloudWatchLogsFullAccess", allow!("logs:*")),
    (
        "CloudWatchLogsReadOnlyAccess",
        allow!(
            "logs:Describe*",
            "logs:Get*",
            "logs:List*",
            "logs:StartQuery",
            "logs:StopQuery",
            "logs:TestMetricFilter",
            "logs:FilterLogEvents",
            "logs:StartLiveTail",
            "logs:StopLiveTail"
        ),
    ),
    ("AmazonSQSFullAccess", allow!("sqs:*")),
    (
        "AmazonSQSReadOnlyAccess",
        allow!(
            "sqs:GetQueueAttributes",
            "sqs:GetQueueUrl",
            "sqs:ListDeadLetterSourceQueues",
            "sqs:ListQueues",
            "sqs:ListMessageMoveTasks",
            "sqs:ListQueueTags"
        ),
    ),
    ("service-role/AWSLambdaBasicExecutionRole", WRITE_LOGS),
    ("service-role/AWSLambdaVPCAccessExecutionRole", WRITE_LOGS),
    ("service-role/AWSLambdaDynamoDBExecutionRole", WRITE_LOGS),
    ("service-role/AWSLambdaKinesisExecutionRole", WRITE_LOGS),
    ("service-role/AWSLambdaMSKExecutionRole", WRITE_LOGS),
    ("service-role/AWSLambdaSQSQueueExecutionRole", USE_QUEUES),
    ("service-role/AWSLambdaRole", allow!("lambda:InvokeFunction")),
    (
        "AWSLambdaExecute",
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"logs:*","Resource":"arn:aws:logs:*:*:*"}}"#,
    ),
];

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn each_is_a_policy() {
        for (name, document) in POLICIES {
            let policy: Value = serde_json::from_str(document).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(policy["Statement"].is_object() || policy["Statement"].is_array(), "{name}");
        }
    }
}
