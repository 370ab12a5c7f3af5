//! SQS spoke the query protocol before it spoke JSON, and still answers those who do. Its model no longer says what members and
//! errors are called there.

use hearth_aws_api::model::{Member, Model};

pub(super) const SQS_NAMESPACE: &str = "http://queue.amazonaws.com/doc/2012-11-05/";
/// Before the names of errors in JSON.
pub(super) const SQS_ERRORS: &str = "com.amazonaws.sqs";

/// Lists and maps are numbered without a step between, each under a name in the singular.
const NAMES: &[(&str, &str)] = &[
    ("AWSAccountIds", "AWSAccountId"),
    ("Actions", "ActionName"),
    ("AttributeNames", "AttributeName"),
    ("Attributes", "Attribute"),
    ("BinaryListValues", "BinaryListValue"),
    ("MessageAttributeNames", "MessageAttributeName"),
    ("MessageAttributes", "MessageAttribute"),
    ("MessageSystemAttributeNames", "MessageSystemAttributeName"),
    ("MessageSystemAttributes", "MessageSystemAttribute"),
    ("QueueUrls", "QueueUrl"),
    ("StringListValues", "StringListValue"),
    ("TagKeys", "TagKey"),
    ("Tags", "Tag"),
    ("queueUrls", "QueueUrl"),
    ("tags", "Tag"),
];

/// What a member is called in a form or in XML.
pub(super) fn name<'a>(model: &'a Model, name: &'a str, member: &'a Member) -> &'a str {
    if let Some(given) = member.location_name.as_deref() {
        return given;
    }
    if !model.metadata.is_legacy_query() {
        return name;
    }
    if let Some((_, singular)) = NAMES.iter().find(|(plural, _)| *plural == name) {
        return singular;
    }
    // Lists of structures have the structure's name: SendMessageBatchRequestEntry.
    let element = model.shape(&member.shape).and_then(|shape| shape.member.as_ref());
    element.map_or(name, |element| &element.shape)
}

/// What keys and values of a map are called.
pub(super) fn pair(model: &Model, map: &str) -> (&'static str, &'static str) {
    match map {
        _ if !model.metadata.is_legacy_query() => ("key", "value"),
        "TagMap" => ("Key", "Value"),
        _ => ("Name", "Value"),
    }
}

/// Codes of errors that are not their names. Source: the `awsQueryError` traits of the service's model.
const CODES: &[(&str, &str)] = &[
    ("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
    ("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong"),
    ("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest"),
    ("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId"),
    ("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight"),
    ("PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress"),
    ("QueueDeletedRecently", "AWS.SimpleQueueService.QueueDeletedRecently"),
    ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"),
    ("QueueNameExists", "QueueAlreadyExists"),
    ("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"),
    ("UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation"),
];

/// The code of an error for those who speak the query protocol, or once did.
pub(crate) fn code(name: &str) -> &str {
    CODES.iter().find(|(modelled, _)| *modelled == name).map_or(name, |(_, code)| code)
}
