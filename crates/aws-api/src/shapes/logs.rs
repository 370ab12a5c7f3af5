//! Shapes of logs 2014-03-28. Made by `cargo xtask models`; do not edit.

use std::collections::BTreeMap;

use crate::shape::{enumeration, errors, operations, structure};

structure! {
    ["camelCase" Default Serialize]
    AggregateLogGroupSummary {
        |
        log_group_count: u32,
        grouping_identifiers: Vec<GroupingIdentifier>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    CreateLogGroupRequest {
        log_group_name: String,
        |
        kms_key_id: String,
        tags: BTreeMap<String, String>,
        log_group_class: LogGroupClass,
        deletion_protection_enabled: bool,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    CreateLogStreamRequest {
        log_group_name: String,
        log_stream_name: String,
        |
    }
}

enumeration! {
    DataProtectionStatus {
        Activated = "ACTIVATED",
        Deleted = "DELETED",
        Archived = "ARCHIVED",
        Disabled = "DISABLED",
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DataSourceFilter {
        name: String,
        |
        r#type: String,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DeleteLogGroupRequest {
        log_group_name: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DeleteLogStreamRequest {
        log_group_name: String,
        log_stream_name: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DeleteMetricFilterRequest {
        log_group_name: String,
        filter_name: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DeleteResourcePolicyRequest {
        |
        policy_name: String,
        resource_arn: String,
        expected_revision_id: String,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DeleteRetentionPolicyRequest {
        log_group_name: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DeleteSubscriptionFilterRequest {
        log_group_name: String,
        filter_name: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DescribeLogGroupsRequest {
        |
        account_identifiers: Vec<String>,
        log_group_name_prefix: String,
        log_group_name_pattern: String,
        next_token: String,
        limit: u32,
        include_linked_accounts: bool,
        log_group_class: LogGroupClass,
        log_group_identifiers: Vec<String>,
    }
}

structure! {
    ["camelCase" Default Serialize]
    DescribeLogGroupsResponse {
        |
        log_groups: Vec<LogGroup>,
        next_token: String,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DescribeLogStreamsRequest {
        |
        log_group_name: String,
        log_group_identifier: String,
        log_stream_name_prefix: String,
        order_by: OrderBy,
        descending: bool,
        next_token: String,
        limit: u32,
    }
}

structure! {
    ["camelCase" Default Serialize]
    DescribeLogStreamsResponse {
        |
        log_streams: Vec<LogStream>,
        next_token: String,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DescribeMetricFiltersRequest {
        |
        log_group_name: String,
        filter_name_prefix: String,
        next_token: String,
        limit: u32,
        metric_name: String,
        metric_namespace: String,
    }
}

structure! {
    ["camelCase" Default Serialize]
    DescribeMetricFiltersResponse {
        |
        metric_filters: Vec<MetricFilter>,
        next_token: String,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DescribeResourcePoliciesRequest {
        |
        next_token: String,
        limit: u32,
        resource_arn: String,
        policy_scope: PolicyScope,
    }
}

structure! {
    ["camelCase" Default Serialize]
    DescribeResourcePoliciesResponse {
        |
        resource_policies: Vec<ResourcePolicy>,
        next_token: String,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DescribeSubscriptionFiltersRequest {
        log_group_name: String,
        |
        filter_name_prefix: String,
        next_token: String,
        limit: u32,
    }
}

structure! {
    ["camelCase" Default Serialize]
    DescribeSubscriptionFiltersResponse {
        |
        subscription_filters: Vec<SubscriptionFilter>,
        next_token: String,
    }
}

enumeration! {
    Distribution {
        Random = "Random",
        ByLogStream = "ByLogStream",
    }
}

structure! {
    ["camelCase" Default Deserialize]
    Entity {
        |
        key_attributes: BTreeMap<String, String>,
        attributes: BTreeMap<String, String>,
    }
}

enumeration! {
    EntityRejectionErrorType {
        InvalidEntity = "InvalidEntity",
        InvalidTypeValue = "InvalidTypeValue",
        InvalidKeyAttributes = "InvalidKeyAttributes",
        InvalidAttributes = "InvalidAttributes",
        EntitySizeTooLarge = "EntitySizeTooLarge",
        UnsupportedLogGroupType = "UnsupportedLogGroupType",
        MissingRequiredFields = "MissingRequiredFields",
    }
}

structure! {
    ["camelCase" Default Deserialize]
    FilterLogEventsRequest {
        |
        log_group_name: String,
        log_group_identifier: String,
        log_stream_names: Vec<String>,
        log_stream_name_prefix: String,
        start_time: u64,
        end_time: u64,
        filter_pattern: String,
        next_token: String,
        limit: u32,
        start_from_head: bool,
        interleaved: bool,
        unmask: bool,
    }
}

structure! {
    ["camelCase" Default Serialize]
    FilterLogEventsResponse {
        |
        events: Vec<FilteredLogEvent>,
        searched_log_streams: Vec<SearchedLogStream>,
        next_token: String,
    }
}

structure! {
    ["camelCase" Default Serialize]
    FilteredLogEvent {
        |
        log_stream_name: String,
        timestamp: u64,
        message: String,
        ingestion_time: u64,
        event_id: String,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetLogEventsRequest {
        log_stream_name: String,
        |
        log_group_name: String,
        log_group_identifier: String,
        start_time: u64,
        end_time: u64,
        next_token: String,
        limit: u32,
        start_from_head: bool,
        unmask: bool,
    }
}

structure! {
    ["camelCase" Default Serialize]
    GetLogEventsResponse {
        |
        events: Vec<OutputLogEvent>,
        next_forward_token: String,
        next_backward_token: String,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetLogGroupFieldsRequest {
        |
        log_group_name: String,
        time: u64,
        log_group_identifier: String,
    }
}

structure! {
    ["camelCase" Default Serialize]
    GetLogGroupFieldsResponse {
        |
        log_group_fields: Vec<LogGroupField>,
    }
}

structure! {
    ["camelCase" Default Serialize]
    GroupingIdentifier {
        |
        key: String,
        value: String,
    }
}

enumeration! {
    InheritedProperty {
        AccountDataProtection = "ACCOUNT_DATA_PROTECTION",
    }
}

structure! {
    ["camelCase" Default Deserialize]
    InputLogEvent {
        timestamp: u64,
        message: String,
        |
    }
}

enumeration! {
    ListAggregateLogGroupSummariesGroupBy {
        DataSourceNameTypeAndFormat = "DATA_SOURCE_NAME_TYPE_AND_FORMAT",
        DataSourceNameAndType = "DATA_SOURCE_NAME_AND_TYPE",
    }
}

structure! {
    ["camelCase" Deserialize]
    ListAggregateLogGroupSummariesRequest {
        group_by: ListAggregateLogGroupSummariesGroupBy,
        |
        account_identifiers: Vec<String>,
        include_linked_accounts: bool,
        log_group_class: LogGroupClass,
        log_group_name_pattern: String,
        data_sources: Vec<DataSourceFilter>,
        next_token: String,
        limit: u32,
    }
}

structure! {
    ["camelCase" Default Serialize]
    ListAggregateLogGroupSummariesResponse {
        |
        aggregate_log_group_summaries: Vec<AggregateLogGroupSummary>,
        next_token: String,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    ListLogGroupsRequest {
        |
        log_group_name_pattern: String,
        log_group_class: LogGroupClass,
        include_linked_accounts: bool,
        account_identifiers: Vec<String>,
        next_token: String,
        limit: u32,
        data_sources: Vec<DataSourceFilter>,
        field_index_names: Vec<String>,
        log_group_tags: Vec<TagFilter>,
    }
}

structure! {
    ["camelCase" Default Serialize]
    ListLogGroupsResponse {
        |
        log_groups: Vec<LogGroupSummary>,
        next_token: String,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    ListTagsForResourceRequest {
        resource_arn: String,
        |
    }
}

structure! {
    ["camelCase" Default Serialize]
    ListTagsForResourceResponse {
        |
        tags: BTreeMap<String, String>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    ListTagsLogGroupRequest {
        log_group_name: String,
        |
    }
}

structure! {
    ["camelCase" Default Serialize]
    ListTagsLogGroupResponse {
        |
        tags: BTreeMap<String, String>,
    }
}

structure! {
    ["camelCase" Default Serialize]
    LogGroup {
        |
        log_group_name: String,
        creation_time: u64,
        retention_in_days: i32,
        metric_filter_count: u32,
        arn: String,
        stored_bytes: u64,
        kms_key_id: String,
        data_protection_status: DataProtectionStatus,
        inherited_properties: Vec<InheritedProperty>,
        log_group_class: LogGroupClass,
        log_group_arn: String,
        deletion_protection_enabled: bool,
        bearer_token_authentication_enabled: bool,
        retention_policy_name: String,
    }
}

enumeration! {
    LogGroupClass {
        Standard = "STANDARD",
        InfrequentAccess = "INFREQUENT_ACCESS",
        Delivery = "DELIVERY",
        Essentials = "ESSENTIALS",
    }
}

structure! {
    ["camelCase" Default Serialize]
    LogGroupField {
        |
        name: String,
        percent: u32,
    }
}

structure! {
    ["camelCase" Default Serialize]
    LogGroupSummary {
        |
        log_group_name: String,
        log_group_arn: String,
        log_group_class: LogGroupClass,
    }
}

structure! {
    ["camelCase" Default Serialize]
    LogStream {
        |
        log_stream_name: String,
        creation_time: u64,
        first_event_timestamp: u64,
        last_event_timestamp: u64,
        last_ingestion_time: u64,
        upload_sequence_token: String,
        arn: String,
        stored_bytes: u64,
    }
}

structure! {
    ["camelCase" Default Serialize]
    MetricFilter {
        |
        filter_name: String,
        filter_pattern: String,
        metric_transformations: Vec<MetricTransformation>,
        creation_time: u64,
        log_group_name: String,
        apply_on_transformed_logs: bool,
        field_selection_criteria: String,
        emit_system_field_dimensions: Vec<String>,
    }
}

structure! {
    ["camelCase" Default Serialize]
    MetricFilterMatchRecord {
        |
        event_number: u64,
        event_message: String,
        extracted_values: BTreeMap<String, String>,
    }
}

structure! {
    ["camelCase" Default Deserialize Serialize]
    MetricTransformation {
        metric_name: String,
        metric_namespace: String,
        metric_value: String,
        |
        default_value: f64,
        dimensions: BTreeMap<String, String>,
        unit: StandardUnit,
    }
}

enumeration! {
    OrderBy {
        LogStreamName = "LogStreamName",
        LastEventTime = "LastEventTime",
    }
}

structure! {
    ["camelCase" Default Serialize]
    OutputLogEvent {
        |
        timestamp: u64,
        message: String,
        ingestion_time: u64,
    }
}

enumeration! {
    PolicyScope {
        Account = "ACCOUNT",
        Resource = "RESOURCE",
    }
}

structure! {
    ["camelCase" Default Deserialize]
    PutLogEventsRequest {
        log_group_name: String,
        log_stream_name: String,
        log_events: Vec<InputLogEvent>,
        |
        sequence_token: String,
        entity: Entity,
    }
}

structure! {
    ["camelCase" Default Serialize]
    PutLogEventsResponse {
        |
        next_sequence_token: String,
        rejected_log_events_info: RejectedLogEventsInfo,
        rejected_entity_info: RejectedEntityInfo,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    PutLogGroupDeletionProtectionRequest {
        log_group_identifier: String,
        deletion_protection_enabled: bool,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    PutMetricFilterRequest {
        log_group_name: String,
        filter_name: String,
        filter_pattern: String,
        metric_transformations: Vec<MetricTransformation>,
        |
        apply_on_transformed_logs: bool,
        field_selection_criteria: String,
        emit_system_field_dimensions: Vec<String>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    PutResourcePolicyRequest {
        |
        policy_name: String,
        policy_document: String,
        resource_arn: String,
        expected_revision_id: String,
    }
}

structure! {
    ["camelCase" Default Serialize]
    PutResourcePolicyResponse {
        |
        resource_policy: ResourcePolicy,
        revision_id: String,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    PutRetentionPolicyRequest {
        log_group_name: String,
        retention_in_days: i32,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    PutSubscriptionFilterRequest {
        log_group_name: String,
        filter_name: String,
        filter_pattern: String,
        destination_arn: String,
        |
        role_arn: String,
        distribution: Distribution,
        apply_on_transformed_logs: bool,
        field_selection_criteria: String,
        emit_system_fields: Vec<String>,
    }
}

structure! {
    ["camelCase" Serialize]
    RejectedEntityInfo {
        error_type: EntityRejectionErrorType,
        |
    }
}

structure! {
    ["camelCase" Default Serialize]
    RejectedLogEventsInfo {
        |
        too_new_log_event_start_index: u32,
        too_old_log_event_end_index: u32,
        expired_log_event_end_index: u32,
    }
}

structure! {
    ["camelCase" Default Serialize]
    ResourcePolicy {
        |
        policy_name: String,
        policy_document: String,
        last_updated_time: u64,
        policy_scope: PolicyScope,
        resource_arn: String,
        revision_id: String,
    }
}

structure! {
    ["camelCase" Default Serialize]
    SearchedLogStream {
        |
        log_stream_name: String,
        searched_completely: bool,
    }
}

enumeration! {
    StandardUnit {
        Seconds = "Seconds",
        Microseconds = "Microseconds",
        Milliseconds = "Milliseconds",
        Bytes = "Bytes",
        Kilobytes = "Kilobytes",
        Megabytes = "Megabytes",
        Gigabytes = "Gigabytes",
        Terabytes = "Terabytes",
        Bits = "Bits",
        Kilobits = "Kilobits",
        Megabits = "Megabits",
        Gigabits = "Gigabits",
        Terabits = "Terabits",
        Percent = "Percent",
        Count = "Count",
        BytesSecond = "Bytes/Second",
        KilobytesSecond = "Kilobytes/Second",
        MegabytesSecond = "Megabytes/Second",
        GigabytesSecond = "Gigabytes/Second",
        TerabytesSecond = "Terabytes/Second",
        BitsSecond = "Bits/Second",
        KilobitsSecond = "Kilobits/Second",
        MegabitsSecond = "Megabits/Second",
        GigabitsSecond = "Gigabits/Second",
        TerabitsSecond = "Terabits/Second",
        CountSecond = "Count/Second",
        None = "None",
    }
}

structure! {
    ["camelCase" Default Deserialize]
    StartLiveTailRequest {
        log_group_identifiers: Vec<String>,
        |
        log_stream_names: Vec<String>,
        log_stream_name_prefixes: Vec<String>,
        log_event_filter_pattern: String,
    }
}

structure! {
    ["camelCase" Default Serialize]
    StartLiveTailResponse {
        |
    }
}

structure! {
    ["camelCase" Default Serialize]
    SubscriptionFilter {
        |
        filter_name: String,
        log_group_name: String,
        filter_pattern: String,
        destination_arn: String,
        role_arn: String,
        distribution: Distribution,
        apply_on_transformed_logs: bool,
        creation_time: u64,
        field_selection_criteria: String,
        emit_system_fields: Vec<String>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    TagFilter {
        key: String,
        |
        values: Vec<String>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    TagLogGroupRequest {
        log_group_name: String,
        tags: BTreeMap<String, String>,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    TagResourceRequest {
        resource_arn: String,
        tags: BTreeMap<String, String>,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    TestMetricFilterRequest {
        filter_pattern: String,
        log_event_messages: Vec<String>,
        |
    }
}

structure! {
    ["camelCase" Default Serialize]
    TestMetricFilterResponse {
        |
        matches: Vec<MetricFilterMatchRecord>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    UntagLogGroupRequest {
        log_group_name: String,
        tags: Vec<String>,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    UntagResourceRequest {
        resource_arn: String,
        tag_keys: Vec<String>,
        |
    }
}

operations! {
    CreateLogGroup(CreateLogGroupRequest) -> (),
    CreateLogStream(CreateLogStreamRequest) -> (),
    DeleteLogGroup(DeleteLogGroupRequest) -> (),
    DeleteLogStream(DeleteLogStreamRequest) -> (),
    DeleteMetricFilter(DeleteMetricFilterRequest) -> (),
    DeleteResourcePolicy(DeleteResourcePolicyRequest) -> (),
    DeleteRetentionPolicy(DeleteRetentionPolicyRequest) -> (),
    DeleteSubscriptionFilter(DeleteSubscriptionFilterRequest) -> (),
    DescribeLogGroups(DescribeLogGroupsRequest) -> DescribeLogGroupsResponse,
    DescribeLogStreams(DescribeLogStreamsRequest) -> DescribeLogStreamsResponse,
    DescribeMetricFilters(DescribeMetricFiltersRequest) -> DescribeMetricFiltersResponse,
    DescribeResourcePolicies(DescribeResourcePoliciesRequest) -> DescribeResourcePoliciesResponse,
    DescribeSubscriptionFilters(DescribeSubscriptionFiltersRequest) -> DescribeSubscriptionFiltersResponse,
    FilterLogEvents(FilterLogEventsRequest) -> FilterLogEventsResponse,
    GetLogEvents(GetLogEventsRequest) -> GetLogEventsResponse,
    GetLogGroupFields(GetLogGroupFieldsRequest) -> GetLogGroupFieldsResponse,
    ListAggregateLogGroupSummaries(ListAggregateLogGroupSummariesRequest) -> ListAggregateLogGroupSummariesResponse,
    ListLogGroups(ListLogGroupsRequest) -> ListLogGroupsResponse,
    ListTagsForResource(ListTagsForResourceRequest) -> ListTagsForResourceResponse,
    ListTagsLogGroup(ListTagsLogGroupRequest) -> ListTagsLogGroupResponse,
    PutLogEvents(PutLogEventsRequest) -> PutLogEventsResponse,
    PutLogGroupDeletionProtection(PutLogGroupDeletionProtectionRequest) -> (),
    PutMetricFilter(PutMetricFilterRequest) -> (),
    PutResourcePolicy(PutResourcePolicyRequest) -> PutResourcePolicyResponse,
    PutRetentionPolicy(PutRetentionPolicyRequest) -> (),
    PutSubscriptionFilter(PutSubscriptionFilterRequest) -> (),
    StartLiveTail(StartLiveTailRequest) -> StartLiveTailResponse,
    TagLogGroup(TagLogGroupRequest) -> (),
    TagResource(TagResourceRequest) -> (),
    TestMetricFilter(TestMetricFilterRequest) -> TestMetricFilterResponse,
    UntagLogGroup(UntagLogGroupRequest) -> (),
    UntagResource(UntagResourceRequest) -> (),
}

errors! {
    ACCESS_DENIED_EXCEPTION = "AccessDeniedException" 400,
    CONFLICT_EXCEPTION = "ConflictException" 400,
    DATA_ALREADY_ACCEPTED_EXCEPTION = "DataAlreadyAcceptedException" 400,
    INTERNAL_SERVER_EXCEPTION = "InternalServerException" 500,
    INTERNAL_STREAMING_EXCEPTION = "InternalStreamingException" 400,
    INVALID_OPERATION_EXCEPTION = "InvalidOperationException" 400,
    INVALID_PARAMETER_EXCEPTION = "InvalidParameterException" 400,
    INVALID_SEQUENCE_TOKEN_EXCEPTION = "InvalidSequenceTokenException" 400,
    LIMIT_EXCEEDED_EXCEPTION = "LimitExceededException" 400,
    MALFORMED_QUERY_EXCEPTION = "MalformedQueryException" 400,
    OPERATION_ABORTED_EXCEPTION = "OperationAbortedException" 400,
    RESOURCE_ALREADY_EXISTS_EXCEPTION = "ResourceAlreadyExistsException" 400,
    RESOURCE_NOT_FOUND_EXCEPTION = "ResourceNotFoundException" 400,
    SERVICE_QUOTA_EXCEEDED_EXCEPTION = "ServiceQuotaExceededException" 400,
    SERVICE_UNAVAILABLE_EXCEPTION = "ServiceUnavailableException" 500,
    SESSION_STREAMING_EXCEPTION = "SessionStreamingException" 400,
    SESSION_TIMEOUT_EXCEPTION = "SessionTimeoutException" 400,
    THROTTLING_EXCEPTION = "ThrottlingException" 400,
    TOO_MANY_TAGS_EXCEPTION = "TooManyTagsException" 400,
    UNRECOGNIZED_CLIENT_EXCEPTION = "UnrecognizedClientException" 400,
    VALIDATION_EXCEPTION = "ValidationException" 400,
}
