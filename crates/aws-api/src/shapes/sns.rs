//! Shapes of sns 2010-03-31. Made by `cargo xtask models`; do not edit.

use std::collections::BTreeMap;

use crate::shape::{Blob, Time, enumeration, errors, operations, structure};

structure! {
    ["PascalCase" Default Deserialize]
    AddPermissionInput {
        topic_arn: String,
        label: String,
        #[serde(rename = "AWSAccountId")]
        aws_account_id: Vec<String>,
        action_name: Vec<String>,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    BatchResultErrorEntry {
        id: String,
        code: String,
        sender_fault: bool,
        |
        message: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ConfirmSubscriptionInput {
        topic_arn: String,
        token: String,
        |
        authenticate_on_unsubscribe: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ConfirmSubscriptionResponse {
        |
        subscription_arn: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreateTopicInput {
        name: String,
        |
        attributes: BTreeMap<String, String>,
        tags: Vec<Tag>,
        data_protection_policy: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CreateTopicResponse {
        |
        topic_arn: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteEndpointInput {
        endpoint_arn: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteTopicInput {
        topic_arn: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetEndpointAttributesInput {
        endpoint_arn: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetEndpointAttributesResponse {
        |
        attributes: BTreeMap<String, String>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetSubscriptionAttributesInput {
        subscription_arn: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetSubscriptionAttributesResponse {
        |
        attributes: BTreeMap<String, String>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetTopicAttributesInput {
        topic_arn: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetTopicAttributesResponse {
        |
        attributes: BTreeMap<String, String>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListOriginationNumbersRequest {
        |
        next_token: String,
        max_results: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListOriginationNumbersResult {
        |
        next_token: String,
        phone_numbers: Vec<PhoneNumberInformation>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListSubscriptionsByTopicInput {
        topic_arn: String,
        |
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListSubscriptionsByTopicResponse {
        |
        subscriptions: Vec<Subscription>,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListSubscriptionsInput {
        |
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListSubscriptionsResponse {
        |
        subscriptions: Vec<Subscription>,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListTagsForResourceRequest {
        resource_arn: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListTagsForResourceResponse {
        |
        tags: Vec<Tag>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListTopicsInput {
        |
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListTopicsResponse {
        |
        topics: Vec<Topic>,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    MessageAttributeValue {
        data_type: String,
        |
        string_value: String,
        binary_value: Blob,
    }
}

enumeration! {
    NumberCapability {
        Sms = "SMS",
        Mms = "MMS",
        Voice = "VOICE",
    }
}

structure! {
    ["PascalCase" Default Serialize]
    PhoneNumberInformation {
        |
        created_at: Time,
        phone_number: String,
        status: String,
        iso2_country_code: String,
        route_type: RouteType,
        number_capabilities: Vec<NumberCapability>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    PublishBatchInput {
        topic_arn: String,
        publish_batch_request_entries: Vec<PublishBatchRequestEntry>,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    PublishBatchRequestEntry {
        id: String,
        message: String,
        |
        subject: String,
        message_structure: String,
        message_attributes: BTreeMap<String, MessageAttributeValue>,
        message_deduplication_id: String,
        message_group_id: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    PublishBatchResponse {
        |
        successful: Vec<PublishBatchResultEntry>,
        failed: Vec<BatchResultErrorEntry>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    PublishBatchResultEntry {
        |
        id: String,
        message_id: String,
        sequence_number: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    PublishInput {
        message: String,
        |
        topic_arn: String,
        target_arn: String,
        phone_number: String,
        subject: String,
        message_structure: String,
        message_attributes: BTreeMap<String, MessageAttributeValue>,
        message_deduplication_id: String,
        message_group_id: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    PublishResponse {
        |
        message_id: String,
        sequence_number: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    RemovePermissionInput {
        topic_arn: String,
        label: String,
        |
    }
}

enumeration! {
    RouteType {
        Transactional = "Transactional",
        Promotional = "Promotional",
        Premium = "Premium",
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    SetEndpointAttributesInput {
        endpoint_arn: String,
        attributes: BTreeMap<String, String>,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    SetSubscriptionAttributesInput {
        subscription_arn: String,
        attribute_name: String,
        |
        attribute_value: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    SetTopicAttributesInput {
        topic_arn: String,
        attribute_name: String,
        |
        attribute_value: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    SubscribeInput {
        topic_arn: String,
        protocol: String,
        |
        endpoint: String,
        attributes: BTreeMap<String, String>,
        return_subscription_arn: bool,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    SubscribeResponse {
        |
        subscription_arn: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    Subscription {
        |
        subscription_arn: String,
        owner: String,
        protocol: String,
        endpoint: String,
        topic_arn: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    Tag {
        key: String,
        value: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    TagResourceRequest {
        resource_arn: String,
        tags: Vec<Tag>,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    TagResourceResponse {
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    Topic {
        |
        topic_arn: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UnsubscribeInput {
        subscription_arn: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UntagResourceRequest {
        resource_arn: String,
        tag_keys: Vec<String>,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    UntagResourceResponse {
        |
    }
}

operations! {
    AddPermission(AddPermissionInput) -> (),
    ConfirmSubscription(ConfirmSubscriptionInput) -> ConfirmSubscriptionResponse,
    CreateTopic(CreateTopicInput) -> CreateTopicResponse,
    DeleteEndpoint(DeleteEndpointInput) -> (),
    DeleteTopic(DeleteTopicInput) -> (),
    GetEndpointAttributes(GetEndpointAttributesInput) -> GetEndpointAttributesResponse,
    GetSubscriptionAttributes(GetSubscriptionAttributesInput) -> GetSubscriptionAttributesResponse,
    GetTopicAttributes(GetTopicAttributesInput) -> GetTopicAttributesResponse,
    ListOriginationNumbers(ListOriginationNumbersRequest) -> ListOriginationNumbersResult,
    ListSubscriptions(ListSubscriptionsInput) -> ListSubscriptionsResponse,
    ListSubscriptionsByTopic(ListSubscriptionsByTopicInput) -> ListSubscriptionsByTopicResponse,
    ListTagsForResource(ListTagsForResourceRequest) -> ListTagsForResourceResponse,
    ListTopics(ListTopicsInput) -> ListTopicsResponse,
    Publish(PublishInput) -> PublishResponse,
    PublishBatch(PublishBatchInput) -> PublishBatchResponse,
    RemovePermission(RemovePermissionInput) -> (),
    SetEndpointAttributes(SetEndpointAttributesInput) -> (),
    SetSubscriptionAttributes(SetSubscriptionAttributesInput) -> (),
    SetTopicAttributes(SetTopicAttributesInput) -> (),
    Subscribe(SubscribeInput) -> SubscribeResponse,
    TagResource(TagResourceRequest) -> TagResourceResponse,
    Unsubscribe(UnsubscribeInput) -> (),
    UntagResource(UntagResourceRequest) -> UntagResourceResponse,
}

errors! {
    AUTHORIZATION_ERROR_EXCEPTION = "AuthorizationError" 403,
    BATCH_ENTRY_IDS_NOT_DISTINCT_EXCEPTION = "BatchEntryIdsNotDistinct" 400,
    BATCH_REQUEST_TOO_LONG_EXCEPTION = "BatchRequestTooLong" 400,
    CONCURRENT_ACCESS_EXCEPTION = "ConcurrentAccess" 400,
    EMPTY_BATCH_REQUEST_EXCEPTION = "EmptyBatchRequest" 400,
    ENDPOINT_DISABLED_EXCEPTION = "EndpointDisabled" 400,
    FILTER_POLICY_LIMIT_EXCEEDED_EXCEPTION = "FilterPolicyLimitExceeded" 403,
    INTERNAL_ERROR_EXCEPTION = "InternalError" 500,
    INVALID_BATCH_ENTRY_ID_EXCEPTION = "InvalidBatchEntryId" 400,
    INVALID_PARAMETER_EXCEPTION = "InvalidParameter" 400,
    INVALID_PARAMETER_VALUE_EXCEPTION = "ParameterValueInvalid" 400,
    INVALID_SECURITY_EXCEPTION = "InvalidSecurity" 403,
    INVALID_STATE_EXCEPTION = "InvalidState" 400,
    KMS_ACCESS_DENIED_EXCEPTION = "KMSAccessDenied" 400,
    KMS_DISABLED_EXCEPTION = "KMSDisabled" 400,
    KMS_INVALID_STATE_EXCEPTION = "KMSInvalidState" 400,
    KMS_NOT_FOUND_EXCEPTION = "KMSNotFound" 400,
    KMS_OPT_IN_REQUIRED = "KMSOptInRequired" 403,
    KMS_THROTTLING_EXCEPTION = "KMSThrottling" 400,
    NOT_FOUND_EXCEPTION = "NotFound" 404,
    OPTED_OUT_EXCEPTION = "OptedOut" 400,
    PLATFORM_APPLICATION_DISABLED_EXCEPTION = "PlatformApplicationDisabled" 400,
    REPLAY_LIMIT_EXCEEDED_EXCEPTION = "ReplayLimitExceeded" 403,
    RESOURCE_NOT_FOUND_EXCEPTION = "ResourceNotFound" 404,
    STALE_TAG_EXCEPTION = "StaleTag" 400,
    SUBSCRIPTION_LIMIT_EXCEEDED_EXCEPTION = "SubscriptionLimitExceeded" 403,
    TAG_LIMIT_EXCEEDED_EXCEPTION = "TagLimitExceeded" 400,
    TAG_POLICY_EXCEPTION = "TagPolicy" 400,
    THROTTLED_EXCEPTION = "Throttled" 429,
    TOO_MANY_ENTRIES_IN_BATCH_REQUEST_EXCEPTION = "TooManyEntriesInBatchRequest" 400,
    TOPIC_LIMIT_EXCEEDED_EXCEPTION = "TopicLimitExceeded" 403,
    USER_ERROR_EXCEPTION = "UserError" 400,
    VALIDATION_EXCEPTION = "ValidationException" 400,
    VERIFICATION_EXCEPTION = "VerificationException" 400,
}
