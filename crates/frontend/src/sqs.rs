//! Simple Queue Service. There are no queues here: who asks for one hears so in the service's words.

use hearth_aws_api::Service;
use hearth_aws_api::shapes::sqs::{GetQueueUrlRequest, GetQueueUrlResult, error};
use hearth_aws_api::validate::Refused;

use crate::error::ApiError;
use crate::permit::Need;
use crate::service::{Context, Table, table};

pub(crate) const TABLE: Table<()> = Table {
    service: Service::Sqs,
    operations: table! { sqs, ();
        GetQueueUrl => queue_url,
    },
    before: |_, _, _| Ok(()),
    needs,
    denied: |message| ApiError::new(http::StatusCode::FORBIDDEN, "AccessDenied", message),
    words: in_words_of_sqs,
    unknown: |operation| match operation {
        "" => ApiError::bad_request("MissingAction", "The request must contain the parameter Action."),
        operation => ApiError::modelled(
            error::UNSUPPORTED_OPERATION,
            format!("The operation {operation} is not supported by Hearth"),
        ),
    },
};

fn needs(context: &Context<()>, operation: &str, input: &serde_json::Value) -> Vec<Need> {
    let text = |member: &str| input.get(member).and_then(serde_json::Value::as_str);
    let url = text("QueueUrl").map(|url| url.rsplit('/').next().unwrap_or(url));
    let owner = text("QueueOwnerAWSAccountId").unwrap_or(context.account.as_str());
    let resource = match url.or(text("QueueName")) {
        Some(queue) => format!("arn:aws:sqs:{}:{owner}:{queue}", context.region),
        None => "*".to_owned(),
    };
    vec![Need::new(format!("sqs:{operation}"), resource)]
}

async fn queue_url(_context: &Context<()>, _input: GetQueueUrlRequest) -> Result<GetQueueUrlResult, ApiError> {
    Err(ApiError::modelled(error::QUEUE_DOES_NOT_EXIST, "The specified queue does not exist."))
}

/// A member that is missing is named as the model names it.
fn in_words_of_sqs(refused: Refused) -> hearth_aws_api::ApiError {
    let missing = match &refused {
        Refused::Constraints(violations) => violations.iter().find(|violation| violation.value.is_none()),
        Refused::Syntax(_) | Refused::Type(_) => None,
    };
    let Some(missing) = missing else { return refused.with_code("InvalidParameterValue") };
    let (first, rest) = missing.path.split_at(1);
    let message = format!("The request must contain the parameter {}{rest}.", first.to_ascii_uppercase());
    hearth_aws_api::ApiError::new(400, "MissingParameter", message)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;
    use http_body_util::BodyExt;

    use super::*;
    use crate::context::RequestContext;
    use crate::protocol::Protocol;

    /// The answer's header for those who spoke the query protocol, and its body.
    async fn ask(request: Request<Bytes>) -> (Option<String>, String) {
        let id = "8fb0a1f4-6c77-4f2a-9a5e-2b1f3c4d5e6f".parse().unwrap();
        let context = RequestContext {
            home: "123456789012/eu-west-1".parse().unwrap(),
            request_id: id,
            principal_arn: String::new(),
            user_id: String::new(),
            now: hearth_types::Timestamp::from_millis(0),
            endpoint: String::new(),
        };
        let (parts, body) = request.into_parts();
        let protocol = Protocol::of(Service::Sqs, &parts);
        let context = Context { backend: (), request: context };
        let answer =
            TABLE.handle(&crate::permit::Guard::lenient(), context, protocol, Request::from_parts(parts, body)).await;
        let response = answer.unwrap_or_else(|error| error.into_response(protocol, &id));
        let header = response.headers().get("x-amzn-query-error").map(|value| value.to_str().unwrap().to_owned());
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (header, String::from_utf8(body.to_vec()).unwrap())
    }

    fn json(operation: &str, body: &str) -> Request<Bytes> {
        let request = Request::post("/").header("x-amz-target", format!("AmazonSQS.{operation}"));
        request.body(Bytes::from(body.to_owned())).unwrap()
    }

    fn form(body: &str) -> Request<Bytes> {
        let request = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
        request.body(Bytes::from(body.to_owned())).unwrap()
    }

    /// As SDKs' tests quote the service.
    #[tokio::test]
    async fn a_queue_that_does_not_exist_is_named_in_either_protocol() {
        let (header, body) = ask(json("GetQueueUrl", r#"{"QueueName":"q"}"#)).await;
        assert_eq!(header.as_deref(), Some("AWS.SimpleQueueService.NonExistentQueue;Sender"));
        assert_eq!(
            body,
            r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}"#
        );
        let (_, body) = ask(form("Action=GetQueueUrl&QueueName=q&Version=2012-11-05")).await;
        assert!(body.contains("<Code>AWS.SimpleQueueService.NonExistentQueue</Code>"), "{body}");
        assert!(body.contains("http://queue.amazonaws.com/doc/2012-11-05/"), "{body}");
    }

    /// Not everybody who speaks it says that it is a form.
    #[tokio::test]
    async fn the_query_protocol_needs_no_content_type() {
        let asked = "Action=GetQueueUrl&QueueName=q&Version=2012-11-05";
        let get = Request::get(format!("/?{asked}")).body(Bytes::new()).unwrap();
        let plain = Request::post("/").body(Bytes::from(asked)).unwrap();
        let typed = Request::post("/").header("content-type", "text/plain").body(Bytes::from(asked)).unwrap();
        for request in [get, plain, typed] {
            let (_, body) = ask(request).await;
            assert!(body.contains("<Code>AWS.SimpleQueueService.NonExistentQueue</Code>"), "{body}");
        }
        let (_, body) = ask(Request::get("/").body(Bytes::new()).unwrap()).await;
        assert!(body.contains("<Code>MissingAction</Code>"), "{body}");
        let nameless = Request::post("/").header("content-type", "application/x-amz-json-1.0");
        let (_, body) = ask(nameless.body(Bytes::from("{}")).unwrap()).await;
        assert!(body.starts_with('{'), "{body}");
    }

    #[tokio::test]
    async fn what_is_missing_and_what_is_not_there_are_named() {
        let (_, body) = ask(json("GetQueueUrl", "{}")).await;
        assert!(body.contains("The request must contain the parameter QueueName."), "{body}");
        let (_, body) = ask(json("SendMessage", "{}")).await;
        assert!(body.contains("UnsupportedOperation") && body.contains("SendMessage"), "{body}");
    }
}
