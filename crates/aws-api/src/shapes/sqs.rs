//! Shapes of sqs 2012-11-05. Made by `cargo xtask models`; do not edit.

use std::collections::BTreeMap;

use crate::shape::{Blob, enumeration, errors, operations, structure};

structure! {
    ["PascalCase" Default Deserialize]
    AddPermissionRequest {
        queue_url: String,
        label: String,
        #[serde(rename = "AWSAccountIds")]
        aws_account_ids: Vec<String>,
        actions: Vec<String>,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    BatchResultErrorEntry {
        id: String,
        sender_fault: bool,
        code: String,
        |
        message: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CancelMessageMoveTaskRequest {
        task_handle: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CancelMessageMoveTaskResult {
        |
        approximate_number_of_messages_moved: u64,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ChangeMessageVisibilityBatchRequest {
        queue_url: String,
        entries: Vec<ChangeMessageVisibilityBatchRequestEntry>,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ChangeMessageVisibilityBatchRequestEntry {
        id: String,
        receipt_handle: String,
        |
        visibility_timeout: i32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ChangeMessageVisibilityBatchResult {
        successful: Vec<ChangeMessageVisibilityBatchResultEntry>,
        failed: Vec<BatchResultErrorEntry>,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ChangeMessageVisibilityBatchResultEntry {
        id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ChangeMessageVisibilityRequest {
        queue_url: String,
        receipt_handle: String,
        visibility_timeout: i32,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreateQueueRequest {
        queue_name: String,
        |
        attributes: BTreeMap<String, String>,
        #[serde(rename = "tags")]
        tags: BTreeMap<String, String>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CreateQueueResult {
        |
        queue_url: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteMessageBatchRequest {
        queue_url: String,
        entries: Vec<DeleteMessageBatchRequestEntry>,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteMessageBatchRequestEntry {
        id: String,
        receipt_handle: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    DeleteMessageBatchResult {
        successful: Vec<DeleteMessageBatchResultEntry>,
        failed: Vec<BatchResultErrorEntry>,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    DeleteMessageBatchResultEntry {
        id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteMessageRequest {
        queue_url: String,
        receipt_handle: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteQueueRequest {
        queue_url: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetQueueAttributesRequest {
        queue_url: String,
        |
        attribute_names: Vec<QueueAttributeName>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetQueueAttributesResult {
        |
        attributes: BTreeMap<String, String>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetQueueUrlRequest {
        queue_name: String,
        |
        #[serde(rename = "QueueOwnerAWSAccountId")]
        queue_owner_aws_account_id: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetQueueUrlResult {
        |
        queue_url: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListDeadLetterSourceQueuesRequest {
        queue_url: String,
        |
        next_token: String,
        max_results: i32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListDeadLetterSourceQueuesResult {
        #[serde(rename = "queueUrls")]
        queue_urls: Vec<String>,
        |
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListMessageMoveTasksRequest {
        source_arn: String,
        |
        max_results: i32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListMessageMoveTasksResult {
        |
        results: Vec<ListMessageMoveTasksResultEntry>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListMessageMoveTasksResultEntry {
        |
        task_handle: String,
        status: String,
        source_arn: String,
        destination_arn: String,
        max_number_of_messages_per_second: i32,
        approximate_number_of_messages_moved: u64,
        approximate_number_of_messages_to_move: u64,
        failure_reason: String,
        started_timestamp: u64,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListQueueTagsRequest {
        queue_url: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListQueueTagsResult {
        |
        tags: BTreeMap<String, String>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListQueuesRequest {
        |
        queue_name_prefix: String,
        next_token: String,
        max_results: i32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListQueuesResult {
        |
        queue_urls: Vec<String>,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    Message {
        |
        message_id: String,
        receipt_handle: String,
        #[serde(rename = "MD5OfBody")]
        md5_of_body: String,
        body: String,
        attributes: BTreeMap<String, String>,
        #[serde(rename = "MD5OfMessageAttributes")]
        md5_of_message_attributes: String,
        message_attributes: BTreeMap<String, MessageAttributeValue>,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    MessageAttributeValue {
        data_type: String,
        |
        string_value: String,
        binary_value: Blob,
        string_list_values: Vec<String>,
        binary_list_values: Vec<Blob>,
    }
}

enumeration! {
    MessageSystemAttributeName {
        All = "All",
        SenderId = "SenderId",
        SentTimestamp = "SentTimestamp",
        ApproximateReceiveCount = "ApproximateReceiveCount",
        ApproximateFirstReceiveTimestamp = "ApproximateFirstReceiveTimestamp",
        SequenceNumber = "SequenceNumber",
        MessageDeduplicationId = "MessageDeduplicationId",
        MessageGroupId = "MessageGroupId",
        AwsTraceHeader = "AWSTraceHeader",
        DeadLetterQueueSourceArn = "DeadLetterQueueSourceArn",
    }
}

enumeration! {
    MessageSystemAttributeNameForSends {
        AwsTraceHeader = "AWSTraceHeader",
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    MessageSystemAttributeValue {
        data_type: String,
        |
        string_value: String,
        binary_value: Blob,
        string_list_values: Vec<String>,
        binary_list_values: Vec<Blob>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    PurgeQueueRequest {
        queue_url: String,
        |
    }
}

enumeration! {
    QueueAttributeName {
        All = "All",
        Policy = "Policy",
        VisibilityTimeout = "VisibilityTimeout",
        MaximumMessageSize = "MaximumMessageSize",
        MessageRetentionPeriod = "MessageRetentionPeriod",
        ApproximateNumberOfMessages = "ApproximateNumberOfMessages",
        ApproximateNumberOfMessagesNotVisible = "ApproximateNumberOfMessagesNotVisible",
        CreatedTimestamp = "CreatedTimestamp",
        LastModifiedTimestamp = "LastModifiedTimestamp",
        QueueArn = "QueueArn",
        ApproximateNumberOfMessagesDelayed = "ApproximateNumberOfMessagesDelayed",
        DelaySeconds = "DelaySeconds",
        ReceiveMessageWaitTimeSeconds = "ReceiveMessageWaitTimeSeconds",
        RedrivePolicy = "RedrivePolicy",
        FifoQueue = "FifoQueue",
        ContentBasedDeduplication = "ContentBasedDeduplication",
        KmsMasterKeyId = "KmsMasterKeyId",
        KmsDataKeyReusePeriodSeconds = "KmsDataKeyReusePeriodSeconds",
        DeduplicationScope = "DeduplicationScope",
        FifoThroughputLimit = "FifoThroughputLimit",
        RedriveAllowPolicy = "RedriveAllowPolicy",
        SqsManagedSseEnabled = "SqsManagedSseEnabled",
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ReceiveMessageRequest {
        queue_url: String,
        |
        attribute_names: Vec<QueueAttributeName>,
        message_system_attribute_names: Vec<MessageSystemAttributeName>,
        message_attribute_names: Vec<String>,
        max_number_of_messages: i32,
        visibility_timeout: i32,
        wait_time_seconds: i32,
        receive_request_attempt_id: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ReceiveMessageResult {
        |
        messages: Vec<Message>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    RemovePermissionRequest {
        queue_url: String,
        label: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    SendMessageBatchRequest {
        queue_url: String,
        entries: Vec<SendMessageBatchRequestEntry>,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    SendMessageBatchRequestEntry {
        id: String,
        message_body: String,
        |
        delay_seconds: i32,
        message_attributes: BTreeMap<String, MessageAttributeValue>,
        message_system_attributes: BTreeMap<String, MessageSystemAttributeValue>,
        message_deduplication_id: String,
        message_group_id: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    SendMessageBatchResult {
        successful: Vec<SendMessageBatchResultEntry>,
        failed: Vec<BatchResultErrorEntry>,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    SendMessageBatchResultEntry {
        id: String,
        message_id: String,
        #[serde(rename = "MD5OfMessageBody")]
        md5_of_message_body: String,
        |
        #[serde(rename = "MD5OfMessageAttributes")]
        md5_of_message_attributes: String,
        #[serde(rename = "MD5OfMessageSystemAttributes")]
        md5_of_message_system_attributes: String,
        sequence_number: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    SendMessageRequest {
        queue_url: String,
        message_body: String,
        |
        delay_seconds: i32,
        message_attributes: BTreeMap<String, MessageAttributeValue>,
        message_system_attributes: BTreeMap<String, MessageSystemAttributeValue>,
        message_deduplication_id: String,
        message_group_id: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    SendMessageResult {
        |
        #[serde(rename = "MD5OfMessageBody")]
        md5_of_message_body: String,
        #[serde(rename = "MD5OfMessageAttributes")]
        md5_of_message_attributes: String,
        #[serde(rename = "MD5OfMessageSystemAttributes")]
        md5_of_message_system_attributes: String,
        message_id: String,
        sequence_number: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    SetQueueAttributesRequest {
        queue_url: String,
        attributes: BTreeMap<String, String>,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    StartMessageMoveTaskRequest {
        source_arn: String,
        |
        destination_arn: String,
        max_number_of_messages_per_second: i32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    StartMessageMoveTaskResult {
        |
        task_handle: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    TagQueueRequest {
        queue_url: String,
        tags: BTreeMap<String, String>,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UntagQueueRequest {
        queue_url: String,
        tag_keys: Vec<String>,
        |
    }
}

operations! {
    AddPermission(AddPermissionRequest) -> (),
    CancelMessageMoveTask(CancelMessageMoveTaskRequest) -> CancelMessageMoveTaskResult,
    ChangeMessageVisibility(ChangeMessageVisibilityRequest) -> (),
    ChangeMessageVisibilityBatch(ChangeMessageVisibilityBatchRequest) -> ChangeMessageVisibilityBatchResult,
    CreateQueue(CreateQueueRequest) -> CreateQueueResult,
    DeleteMessage(DeleteMessageRequest) -> (),
    DeleteMessageBatch(DeleteMessageBatchRequest) -> DeleteMessageBatchResult,
    DeleteQueue(DeleteQueueRequest) -> (),
    GetQueueAttributes(GetQueueAttributesRequest) -> GetQueueAttributesResult,
    GetQueueUrl(GetQueueUrlRequest) -> GetQueueUrlResult,
    ListDeadLetterSourceQueues(ListDeadLetterSourceQueuesRequest) -> ListDeadLetterSourceQueuesResult,
    ListMessageMoveTasks(ListMessageMoveTasksRequest) -> ListMessageMoveTasksResult,
    ListQueueTags(ListQueueTagsRequest) -> ListQueueTagsResult,
    ListQueues(ListQueuesRequest) -> ListQueuesResult,
    PurgeQueue(PurgeQueueRequest) -> (),
    ReceiveMessage(ReceiveMessageRequest) -> ReceiveMessageResult,
    RemovePermission(RemovePermissionRequest) -> (),
    SendMessage(SendMessageRequest) -> SendMessageResult,
    SendMessageBatch(SendMessageBatchRequest) -> SendMessageBatchResult,
    SetQueueAttributes(SetQueueAttributesRequest) -> (),
    StartMessageMoveTask(StartMessageMoveTaskRequest) -> StartMessageMoveTaskResult,
    TagQueue(TagQueueRequest) -> (),
    UntagQueue(UntagQueueRequest) -> (),
}

errors! {
    BATCH_ENTRY_IDS_NOT_DISTINCT = "BatchEntryIdsNotDistinct" 400,
    BATCH_REQUEST_TOO_LONG = "BatchRequestTooLong" 400,
    EMPTY_BATCH_REQUEST = "EmptyBatchRequest" 400,
    INVALID_ADDRESS = "InvalidAddress" 400,
    INVALID_ATTRIBUTE_NAME = "InvalidAttributeName" 400,
    INVALID_ATTRIBUTE_VALUE = "InvalidAttributeValue" 400,
    INVALID_BATCH_ENTRY_ID = "InvalidBatchEntryId" 400,
    INVALID_ID_FORMAT = "InvalidIdFormat" 400,
    INVALID_MESSAGE_CONTENTS = "InvalidMessageContents" 400,
    INVALID_SECURITY = "InvalidSecurity" 400,
    KMS_ACCESS_DENIED = "KmsAccessDenied" 400,
    KMS_DISABLED = "KmsDisabled" 400,
    KMS_INVALID_KEY_USAGE = "KmsInvalidKeyUsage" 400,
    KMS_INVALID_STATE = "KmsInvalidState" 400,
    KMS_NOT_FOUND = "KmsNotFound" 400,
    KMS_OPT_IN_REQUIRED = "KmsOptInRequired" 400,
    KMS_THROTTLED = "KmsThrottled" 400,
    MESSAGE_NOT_INFLIGHT = "MessageNotInflight" 400,
    OVER_LIMIT = "OverLimit" 400,
    PURGE_QUEUE_IN_PROGRESS = "PurgeQueueInProgress" 400,
    QUEUE_DELETED_RECENTLY = "QueueDeletedRecently" 400,
    QUEUE_DOES_NOT_EXIST = "QueueDoesNotExist" 400,
    QUEUE_NAME_EXISTS = "QueueNameExists" 400,
    RECEIPT_HANDLE_IS_INVALID = "ReceiptHandleIsInvalid" 400,
    REQUEST_THROTTLED = "RequestThrottled" 400,
    RESOURCE_NOT_FOUND_EXCEPTION = "ResourceNotFoundException" 400,
    TOO_MANY_ENTRIES_IN_BATCH_REQUEST = "TooManyEntriesInBatchRequest" 400,
    UNSUPPORTED_OPERATION = "UnsupportedOperation" 400,
}
