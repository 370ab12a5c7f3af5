//! Shapes of events 2015-10-07. Made by `cargo xtask models`; do not edit.

use std::collections::BTreeMap;

use crate::shape::{Time, enumeration, errors, operations, structure};

structure! {
    ["PascalCase" Default Deserialize]
    ActivateEventSourceRequest {
        name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ApiDestination {
        |
        api_destination_arn: String,
        name: String,
        api_destination_state: ApiDestinationState,
        connection_arn: String,
        invocation_endpoint: String,
        http_method: ApiDestinationHttpMethod,
        invocation_rate_limit_per_second: u32,
        creation_time: Time,
        last_modified_time: Time,
    }
}

enumeration! {
    ApiDestinationHttpMethod {
        Post = "POST",
        Get = "GET",
        Head = "HEAD",
        Options = "OPTIONS",
        Put = "PUT",
        Patch = "PATCH",
        Delete = "DELETE",
    }
}

enumeration! {
    ApiDestinationState {
        Active = "ACTIVE",
        Inactive = "INACTIVE",
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    AppSyncParameters {
        |
        #[serde(rename = "GraphQLOperation")]
        graph_ql_operation: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    Archive {
        |
        archive_name: String,
        event_source_arn: String,
        state: ArchiveState,
        state_reason: String,
        retention_days: u32,
        size_bytes: u64,
        event_count: u64,
        creation_time: Time,
    }
}

enumeration! {
    ArchiveState {
        Enabled = "ENABLED",
        Disabled = "DISABLED",
        Creating = "CREATING",
        Updating = "UPDATING",
        CreateFailed = "CREATE_FAILED",
        UpdateFailed = "UPDATE_FAILED",
    }
}

enumeration! {
    AssignPublicIp {
        Enabled = "ENABLED",
        Disabled = "DISABLED",
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    AwsVpcConfiguration {
        subnets: Vec<String>,
        |
        security_groups: Vec<String>,
        assign_public_ip: AssignPublicIp,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    BatchArrayProperties {
        |
        size: i32,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    BatchParameters {
        job_definition: String,
        job_name: String,
        |
        array_properties: BatchArrayProperties,
        retry_strategy: BatchRetryStrategy,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    BatchRetryStrategy {
        |
        attempts: i32,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CancelReplayRequest {
        replay_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CancelReplayResponse {
        |
        replay_arn: String,
        state: ReplayState,
        state_reason: String,
    }
}

structure! {
    ["camelCase" Default Deserialize Serialize]
    CapacityProviderStrategyItem {
        capacity_provider: String,
        |
        weight: u32,
        base: u32,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    Condition {
        r#type: String,
        key: String,
        value: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    Connection {
        |
        connection_arn: String,
        name: String,
        connection_state: ConnectionState,
        state_reason: String,
        authorization_type: ConnectionAuthorizationType,
        creation_time: Time,
        last_modified_time: Time,
        last_authorized_time: Time,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ConnectionApiKeyAuthResponseParameters {
        |
        api_key_name: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ConnectionAuthResponseParameters {
        |
        basic_auth_parameters: ConnectionBasicAuthResponseParameters,
        o_auth_parameters: ConnectionOAuthResponseParameters,
        api_key_auth_parameters: ConnectionApiKeyAuthResponseParameters,
        invocation_http_parameters: ConnectionHttpParameters,
        connectivity_parameters: DescribeConnectionConnectivityParameters,
    }
}

enumeration! {
    ConnectionAuthorizationType {
        Basic = "BASIC",
        OauthClientCredentials = "OAUTH_CLIENT_CREDENTIALS",
        ApiKey = "API_KEY",
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ConnectionBasicAuthResponseParameters {
        |
        username: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    ConnectionBodyParameter {
        |
        key: String,
        value: String,
        is_value_secret: bool,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    ConnectionHeaderParameter {
        |
        key: String,
        value: String,
        is_value_secret: bool,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    ConnectionHttpParameters {
        |
        header_parameters: Vec<ConnectionHeaderParameter>,
        query_string_parameters: Vec<ConnectionQueryStringParameter>,
        body_parameters: Vec<ConnectionBodyParameter>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ConnectionOAuthClientResponseParameters {
        |
        #[serde(rename = "ClientID")]
        client_id: String,
    }
}

enumeration! {
    ConnectionOAuthHttpMethod {
        Get = "GET",
        Post = "POST",
        Put = "PUT",
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ConnectionOAuthResponseParameters {
        |
        client_parameters: ConnectionOAuthClientResponseParameters,
        authorization_endpoint: String,
        http_method: ConnectionOAuthHttpMethod,
        o_auth_http_parameters: ConnectionHttpParameters,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    ConnectionQueryStringParameter {
        |
        key: String,
        value: String,
        is_value_secret: bool,
    }
}

enumeration! {
    ConnectionState {
        Creating = "CREATING",
        Updating = "UPDATING",
        Deleting = "DELETING",
        Authorized = "AUTHORIZED",
        Deauthorized = "DEAUTHORIZED",
        Authorizing = "AUTHORIZING",
        Deauthorizing = "DEAUTHORIZING",
        Active = "ACTIVE",
        FailedConnectivity = "FAILED_CONNECTIVITY",
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ConnectivityResourceConfigurationArn {
        resource_configuration_arn: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ConnectivityResourceParameters {
        resource_parameters: ConnectivityResourceConfigurationArn,
        |
    }
}

structure! {
    ["PascalCase" Deserialize]
    CreateApiDestinationRequest {
        name: String,
        connection_arn: String,
        invocation_endpoint: String,
        http_method: ApiDestinationHttpMethod,
        |
        description: String,
        invocation_rate_limit_per_second: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CreateApiDestinationResponse {
        |
        api_destination_arn: String,
        api_destination_state: ApiDestinationState,
        creation_time: Time,
        last_modified_time: Time,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreateArchiveRequest {
        archive_name: String,
        event_source_arn: String,
        |
        description: String,
        event_pattern: String,
        retention_days: u32,
        kms_key_identifier: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CreateArchiveResponse {
        |
        archive_arn: String,
        state: ArchiveState,
        state_reason: String,
        creation_time: Time,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreateConnectionApiKeyAuthRequestParameters {
        api_key_name: String,
        api_key_value: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreateConnectionAuthRequestParameters {
        |
        basic_auth_parameters: CreateConnectionBasicAuthRequestParameters,
        o_auth_parameters: CreateConnectionOAuthRequestParameters,
        api_key_auth_parameters: CreateConnectionApiKeyAuthRequestParameters,
        invocation_http_parameters: ConnectionHttpParameters,
        connectivity_parameters: ConnectivityResourceParameters,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreateConnectionBasicAuthRequestParameters {
        username: String,
        password: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreateConnectionOAuthClientRequestParameters {
        #[serde(rename = "ClientID")]
        client_id: String,
        client_secret: String,
        |
    }
}

structure! {
    ["PascalCase" Deserialize]
    CreateConnectionOAuthRequestParameters {
        client_parameters: CreateConnectionOAuthClientRequestParameters,
        authorization_endpoint: String,
        http_method: ConnectionOAuthHttpMethod,
        |
        o_auth_http_parameters: ConnectionHttpParameters,
    }
}

structure! {
    ["PascalCase" Deserialize]
    CreateConnectionRequest {
        name: String,
        authorization_type: ConnectionAuthorizationType,
        auth_parameters: CreateConnectionAuthRequestParameters,
        |
        description: String,
        invocation_connectivity_parameters: ConnectivityResourceParameters,
        kms_key_identifier: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CreateConnectionResponse {
        |
        connection_arn: String,
        connection_state: ConnectionState,
        creation_time: Time,
        last_modified_time: Time,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreateEventBusRequest {
        name: String,
        |
        event_source_name: String,
        description: String,
        kms_key_identifier: String,
        dead_letter_config: DeadLetterConfig,
        log_config: LogConfig,
        tags: Vec<Tag>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CreateEventBusResponse {
        |
        event_bus_arn: String,
        description: String,
        kms_key_identifier: String,
        dead_letter_config: DeadLetterConfig,
        log_config: LogConfig,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeactivateEventSourceRequest {
        name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    DeadLetterConfig {
        |
        arn: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeauthorizeConnectionRequest {
        name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    DeauthorizeConnectionResponse {
        |
        connection_arn: String,
        connection_state: ConnectionState,
        creation_time: Time,
        last_modified_time: Time,
        last_authorized_time: Time,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteApiDestinationRequest {
        name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    DeleteApiDestinationResponse {
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteArchiveRequest {
        archive_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    DeleteArchiveResponse {
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteConnectionRequest {
        name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    DeleteConnectionResponse {
        |
        connection_arn: String,
        connection_state: ConnectionState,
        creation_time: Time,
        last_modified_time: Time,
        last_authorized_time: Time,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteEventBusRequest {
        name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteRuleRequest {
        name: String,
        |
        event_bus_name: String,
        force: bool,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DescribeApiDestinationRequest {
        name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    DescribeApiDestinationResponse {
        |
        api_destination_arn: String,
        name: String,
        description: String,
        api_destination_state: ApiDestinationState,
        connection_arn: String,
        invocation_endpoint: String,
        http_method: ApiDestinationHttpMethod,
        invocation_rate_limit_per_second: u32,
        creation_time: Time,
        last_modified_time: Time,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DescribeArchiveRequest {
        archive_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    DescribeArchiveResponse {
        |
        archive_arn: String,
        archive_name: String,
        event_source_arn: String,
        description: String,
        event_pattern: String,
        state: ArchiveState,
        state_reason: String,
        kms_key_identifier: String,
        retention_days: u32,
        size_bytes: u64,
        event_count: u64,
        creation_time: Time,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    DescribeConnectionConnectivityParameters {
        resource_parameters: DescribeConnectionResourceParameters,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DescribeConnectionRequest {
        name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    DescribeConnectionResourceParameters {
        resource_configuration_arn: String,
        resource_association_arn: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    DescribeConnectionResponse {
        |
        connection_arn: String,
        name: String,
        description: String,
        invocation_connectivity_parameters: DescribeConnectionConnectivityParameters,
        connection_state: ConnectionState,
        state_reason: String,
        authorization_type: ConnectionAuthorizationType,
        secret_arn: String,
        kms_key_identifier: String,
        auth_parameters: ConnectionAuthResponseParameters,
        creation_time: Time,
        last_modified_time: Time,
        last_authorized_time: Time,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DescribeEventBusRequest {
        |
        name: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    DescribeEventBusResponse {
        |
        name: String,
        arn: String,
        description: String,
        kms_key_identifier: String,
        dead_letter_config: DeadLetterConfig,
        policy: String,
        log_config: LogConfig,
        creation_time: Time,
        last_modified_time: Time,
        managed_by: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DescribeEventSourceRequest {
        name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    DescribeEventSourceResponse {
        |
        arn: String,
        created_by: String,
        creation_time: Time,
        expiration_time: Time,
        name: String,
        state: EventSourceState,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DescribeReplayRequest {
        replay_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    DescribeReplayResponse {
        |
        replay_name: String,
        replay_arn: String,
        description: String,
        state: ReplayState,
        state_reason: String,
        event_source_arn: String,
        destination: ReplayDestination,
        event_start_time: Time,
        event_end_time: Time,
        event_last_replayed_time: Time,
        replay_start_time: Time,
        replay_end_time: Time,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DescribeRuleRequest {
        name: String,
        |
        event_bus_name: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    DescribeRuleResponse {
        |
        name: String,
        arn: String,
        event_pattern: String,
        schedule_expression: String,
        state: RuleState,
        description: String,
        role_arn: String,
        managed_by: String,
        event_bus_name: String,
        created_by: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DisableRuleRequest {
        name: String,
        |
        event_bus_name: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    EcsParameters {
        task_definition_arn: String,
        |
        task_count: u32,
        launch_type: LaunchType,
        network_configuration: NetworkConfiguration,
        platform_version: String,
        group: String,
        capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
        #[serde(rename = "EnableECSManagedTags")]
        enable_ecs_managed_tags: bool,
        enable_execute_command: bool,
        placement_constraints: Vec<PlacementConstraint>,
        placement_strategy: Vec<PlacementStrategy>,
        propagate_tags: PropagateTags,
        reference_id: String,
        tags: Vec<Tag>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    EnableRuleRequest {
        name: String,
        |
        event_bus_name: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    EventBus {
        |
        name: String,
        arn: String,
        description: String,
        policy: String,
        creation_time: Time,
        last_modified_time: Time,
        managed_by: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    EventSource {
        |
        arn: String,
        created_by: String,
        creation_time: Time,
        expiration_time: Time,
        name: String,
        state: EventSourceState,
    }
}

enumeration! {
    EventSourceState {
        Pending = "PENDING",
        Active = "ACTIVE",
        Deleted = "DELETED",
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    HttpParameters {
        |
        path_parameter_values: Vec<String>,
        header_parameters: BTreeMap<String, String>,
        query_string_parameters: BTreeMap<String, String>,
    }
}

enumeration! {
    IncludeDetail {
        None = "NONE",
        Full = "FULL",
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    InputTransformer {
        input_template: String,
        |
        input_paths_map: BTreeMap<String, String>,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    KinesisParameters {
        partition_key_path: String,
        |
    }
}

enumeration! {
    LaunchType {
        Ec2 = "EC2",
        Fargate = "FARGATE",
        External = "EXTERNAL",
    }
}

enumeration! {
    Level {
        Off = "OFF",
        Error = "ERROR",
        Info = "INFO",
        Trace = "TRACE",
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListApiDestinationsRequest {
        |
        name_prefix: String,
        connection_arn: String,
        next_token: String,
        limit: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListApiDestinationsResponse {
        |
        api_destinations: Vec<ApiDestination>,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListArchivesRequest {
        |
        name_prefix: String,
        event_source_arn: String,
        state: ArchiveState,
        next_token: String,
        limit: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListArchivesResponse {
        |
        archives: Vec<Archive>,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListConnectionsRequest {
        |
        name_prefix: String,
        connection_state: ConnectionState,
        next_token: String,
        limit: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListConnectionsResponse {
        |
        connections: Vec<Connection>,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListEventBusesRequest {
        |
        name_prefix: String,
        next_token: String,
        limit: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListEventBusesResponse {
        |
        event_buses: Vec<EventBus>,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListEventSourcesRequest {
        |
        name_prefix: String,
        next_token: String,
        limit: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListEventSourcesResponse {
        |
        event_sources: Vec<EventSource>,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListReplaysRequest {
        |
        name_prefix: String,
        state: ReplayState,
        event_source_arn: String,
        next_token: String,
        limit: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListReplaysResponse {
        |
        replays: Vec<Replay>,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListRuleNamesByTargetRequest {
        target_arn: String,
        |
        event_bus_name: String,
        next_token: String,
        limit: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListRuleNamesByTargetResponse {
        |
        rule_names: Vec<String>,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListRulesRequest {
        |
        name_prefix: String,
        event_bus_name: String,
        next_token: String,
        limit: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListRulesResponse {
        |
        rules: Vec<Rule>,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListTagsForResourceRequest {
        #[serde(rename = "ResourceARN")]
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
    ListTargetsByRuleRequest {
        rule: String,
        |
        event_bus_name: String,
        next_token: String,
        limit: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListTargetsByRuleResponse {
        |
        targets: Vec<Target>,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    LogConfig {
        |
        include_detail: IncludeDetail,
        level: Level,
    }
}

structure! {
    ["camelCase" Default Deserialize Serialize]
    NetworkConfiguration {
        |
        awsvpc_configuration: AwsVpcConfiguration,
    }
}

structure! {
    ["camelCase" Default Deserialize Serialize]
    PlacementConstraint {
        |
        r#type: PlacementConstraintType,
        expression: String,
    }
}

enumeration! {
    PlacementConstraintType {
        DistinctInstance = "distinctInstance",
        MemberOf = "memberOf",
    }
}

structure! {
    ["camelCase" Default Deserialize Serialize]
    PlacementStrategy {
        |
        r#type: PlacementStrategyType,
        field: String,
    }
}

enumeration! {
    PlacementStrategyType {
        Random = "random",
        Spread = "spread",
        Binpack = "binpack",
    }
}

enumeration! {
    PropagateTags {
        TaskDefinition = "TASK_DEFINITION",
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    PutEventsRequest {
        entries: Vec<PutEventsRequestEntry>,
        |
        endpoint_id: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    PutEventsRequestEntry {
        |
        time: Time,
        source: String,
        resources: Vec<String>,
        detail_type: String,
        detail: String,
        event_bus_name: String,
        trace_header: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    PutEventsResponse {
        |
        failed_entry_count: i32,
        entries: Vec<PutEventsResultEntry>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    PutEventsResultEntry {
        |
        event_id: String,
        error_code: String,
        error_message: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    PutPermissionRequest {
        |
        event_bus_name: String,
        action: String,
        principal: String,
        statement_id: String,
        condition: Condition,
        policy: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    PutRuleRequest {
        name: String,
        |
        schedule_expression: String,
        event_pattern: String,
        state: RuleState,
        description: String,
        role_arn: String,
        tags: Vec<Tag>,
        event_bus_name: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    PutRuleResponse {
        |
        rule_arn: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    PutTargetsRequest {
        rule: String,
        targets: Vec<Target>,
        |
        event_bus_name: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    PutTargetsResponse {
        |
        failed_entry_count: i32,
        failed_entries: Vec<PutTargetsResultEntry>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    PutTargetsResultEntry {
        |
        target_id: String,
        error_code: String,
        error_message: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    RedshiftDataParameters {
        database: String,
        |
        secret_manager_arn: String,
        db_user: String,
        sql: String,
        statement_name: String,
        with_event: bool,
        sqls: Vec<String>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    RemovePermissionRequest {
        |
        statement_id: String,
        remove_all_permissions: bool,
        event_bus_name: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    RemoveTargetsRequest {
        rule: String,
        ids: Vec<String>,
        |
        event_bus_name: String,
        force: bool,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    RemoveTargetsResponse {
        |
        failed_entry_count: i32,
        failed_entries: Vec<RemoveTargetsResultEntry>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    RemoveTargetsResultEntry {
        |
        target_id: String,
        error_code: String,
        error_message: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    Replay {
        |
        replay_name: String,
        event_source_arn: String,
        state: ReplayState,
        state_reason: String,
        event_start_time: Time,
        event_end_time: Time,
        event_last_replayed_time: Time,
        replay_start_time: Time,
        replay_end_time: Time,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    ReplayDestination {
        arn: String,
        |
        filter_arns: Vec<String>,
    }
}

enumeration! {
    ReplayState {
        Starting = "STARTING",
        Running = "RUNNING",
        Cancelling = "CANCELLING",
        Completed = "COMPLETED",
        Cancelled = "CANCELLED",
        Failed = "FAILED",
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    RetryPolicy {
        |
        maximum_retry_attempts: u32,
        maximum_event_age_in_seconds: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    Rule {
        |
        name: String,
        arn: String,
        event_pattern: String,
        state: RuleState,
        description: String,
        schedule_expression: String,
        role_arn: String,
        managed_by: String,
        event_bus_name: String,
    }
}

enumeration! {
    RuleState {
        Enabled = "ENABLED",
        Disabled = "DISABLED",
        EnabledWithAllCloudtrailManagementEvents = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    RunCommandParameters {
        run_command_targets: Vec<RunCommandTarget>,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    RunCommandTarget {
        key: String,
        values: Vec<String>,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    SageMakerPipelineParameter {
        name: String,
        value: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    SageMakerPipelineParameters {
        |
        pipeline_parameter_list: Vec<SageMakerPipelineParameter>,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    SqsParameters {
        |
        message_group_id: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    StartReplayRequest {
        replay_name: String,
        event_source_arn: String,
        event_start_time: Time,
        event_end_time: Time,
        destination: ReplayDestination,
        |
        description: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    StartReplayResponse {
        |
        replay_arn: String,
        state: ReplayState,
        state_reason: String,
        replay_start_time: Time,
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
        #[serde(rename = "ResourceARN")]
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
    ["PascalCase" Default Deserialize Serialize]
    Target {
        id: String,
        arn: String,
        |
        role_arn: String,
        input: String,
        input_path: String,
        input_transformer: InputTransformer,
        kinesis_parameters: KinesisParameters,
        run_command_parameters: RunCommandParameters,
        ecs_parameters: EcsParameters,
        batch_parameters: BatchParameters,
        sqs_parameters: SqsParameters,
        http_parameters: HttpParameters,
        redshift_data_parameters: RedshiftDataParameters,
        sage_maker_pipeline_parameters: SageMakerPipelineParameters,
        dead_letter_config: DeadLetterConfig,
        retry_policy: RetryPolicy,
        app_sync_parameters: AppSyncParameters,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    TestEventPatternRequest {
        event_pattern: String,
        event: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    TestEventPatternResponse {
        |
        result: bool,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UntagResourceRequest {
        #[serde(rename = "ResourceARN")]
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

structure! {
    ["PascalCase" Default Deserialize]
    UpdateApiDestinationRequest {
        name: String,
        |
        description: String,
        connection_arn: String,
        invocation_endpoint: String,
        http_method: ApiDestinationHttpMethod,
        invocation_rate_limit_per_second: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    UpdateApiDestinationResponse {
        |
        api_destination_arn: String,
        api_destination_state: ApiDestinationState,
        creation_time: Time,
        last_modified_time: Time,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateArchiveRequest {
        archive_name: String,
        |
        description: String,
        event_pattern: String,
        retention_days: u32,
        kms_key_identifier: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    UpdateArchiveResponse {
        |
        archive_arn: String,
        state: ArchiveState,
        state_reason: String,
        creation_time: Time,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateConnectionApiKeyAuthRequestParameters {
        |
        api_key_name: String,
        api_key_value: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateConnectionAuthRequestParameters {
        |
        basic_auth_parameters: UpdateConnectionBasicAuthRequestParameters,
        o_auth_parameters: UpdateConnectionOAuthRequestParameters,
        api_key_auth_parameters: UpdateConnectionApiKeyAuthRequestParameters,
        invocation_http_parameters: ConnectionHttpParameters,
        connectivity_parameters: ConnectivityResourceParameters,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateConnectionBasicAuthRequestParameters {
        |
        username: String,
        password: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateConnectionOAuthClientRequestParameters {
        |
        #[serde(rename = "ClientID")]
        client_id: String,
        client_secret: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateConnectionOAuthRequestParameters {
        |
        client_parameters: UpdateConnectionOAuthClientRequestParameters,
        authorization_endpoint: String,
        http_method: ConnectionOAuthHttpMethod,
        o_auth_http_parameters: ConnectionHttpParameters,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateConnectionRequest {
        name: String,
        |
        description: String,
        authorization_type: ConnectionAuthorizationType,
        auth_parameters: UpdateConnectionAuthRequestParameters,
        invocation_connectivity_parameters: ConnectivityResourceParameters,
        kms_key_identifier: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    UpdateConnectionResponse {
        |
        connection_arn: String,
        connection_state: ConnectionState,
        creation_time: Time,
        last_modified_time: Time,
        last_authorized_time: Time,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateEventBusRequest {
        |
        name: String,
        kms_key_identifier: String,
        description: String,
        dead_letter_config: DeadLetterConfig,
        log_config: LogConfig,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    UpdateEventBusResponse {
        |
        arn: String,
        name: String,
        kms_key_identifier: String,
        description: String,
        dead_letter_config: DeadLetterConfig,
        log_config: LogConfig,
    }
}

operations! {
    ActivateEventSource(ActivateEventSourceRequest) -> (),
    CancelReplay(CancelReplayRequest) -> CancelReplayResponse,
    CreateApiDestination(CreateApiDestinationRequest) -> CreateApiDestinationResponse,
    CreateArchive(CreateArchiveRequest) -> CreateArchiveResponse,
    CreateConnection(CreateConnectionRequest) -> CreateConnectionResponse,
    CreateEventBus(CreateEventBusRequest) -> CreateEventBusResponse,
    DeactivateEventSource(DeactivateEventSourceRequest) -> (),
    DeauthorizeConnection(DeauthorizeConnectionRequest) -> DeauthorizeConnectionResponse,
    DeleteApiDestination(DeleteApiDestinationRequest) -> DeleteApiDestinationResponse,
    DeleteArchive(DeleteArchiveRequest) -> DeleteArchiveResponse,
    DeleteConnection(DeleteConnectionRequest) -> DeleteConnectionResponse,
    DeleteEventBus(DeleteEventBusRequest) -> (),
    DeleteRule(DeleteRuleRequest) -> (),
    DescribeApiDestination(DescribeApiDestinationRequest) -> DescribeApiDestinationResponse,
    DescribeArchive(DescribeArchiveRequest) -> DescribeArchiveResponse,
    DescribeConnection(DescribeConnectionRequest) -> DescribeConnectionResponse,
    DescribeEventBus(DescribeEventBusRequest) -> DescribeEventBusResponse,
    DescribeEventSource(DescribeEventSourceRequest) -> DescribeEventSourceResponse,
    DescribeReplay(DescribeReplayRequest) -> DescribeReplayResponse,
    DescribeRule(DescribeRuleRequest) -> DescribeRuleResponse,
    DisableRule(DisableRuleRequest) -> (),
    EnableRule(EnableRuleRequest) -> (),
    ListApiDestinations(ListApiDestinationsRequest) -> ListApiDestinationsResponse,
    ListArchives(ListArchivesRequest) -> ListArchivesResponse,
    ListConnections(ListConnectionsRequest) -> ListConnectionsResponse,
    ListEventBuses(ListEventBusesRequest) -> ListEventBusesResponse,
    ListEventSources(ListEventSourcesRequest) -> ListEventSourcesResponse,
    ListReplays(ListReplaysRequest) -> ListReplaysResponse,
    ListRuleNamesByTarget(ListRuleNamesByTargetRequest) -> ListRuleNamesByTargetResponse,
    ListRules(ListRulesRequest) -> ListRulesResponse,
    ListTagsForResource(ListTagsForResourceRequest) -> ListTagsForResourceResponse,
    ListTargetsByRule(ListTargetsByRuleRequest) -> ListTargetsByRuleResponse,
    PutEvents(PutEventsRequest) -> PutEventsResponse,
    PutPermission(PutPermissionRequest) -> (),
    PutRule(PutRuleRequest) -> PutRuleResponse,
    PutTargets(PutTargetsRequest) -> PutTargetsResponse,
    RemovePermission(RemovePermissionRequest) -> (),
    RemoveTargets(RemoveTargetsRequest) -> RemoveTargetsResponse,
    StartReplay(StartReplayRequest) -> StartReplayResponse,
    TagResource(TagResourceRequest) -> TagResourceResponse,
    TestEventPattern(TestEventPatternRequest) -> TestEventPatternResponse,
    UntagResource(UntagResourceRequest) -> UntagResourceResponse,
    UpdateApiDestination(UpdateApiDestinationRequest) -> UpdateApiDestinationResponse,
    UpdateArchive(UpdateArchiveRequest) -> UpdateArchiveResponse,
    UpdateConnection(UpdateConnectionRequest) -> UpdateConnectionResponse,
    UpdateEventBus(UpdateEventBusRequest) -> UpdateEventBusResponse,
}

errors! {
    ACCESS_DENIED_EXCEPTION = "AccessDeniedException" 400,
    CONCURRENT_MODIFICATION_EXCEPTION = "ConcurrentModificationException" 400,
    ILLEGAL_STATUS_EXCEPTION = "IllegalStatusException" 400,
    INTERNAL_EXCEPTION = "InternalException" 500,
    INVALID_EVENT_PATTERN_EXCEPTION = "InvalidEventPatternException" 400,
    INVALID_STATE_EXCEPTION = "InvalidStateException" 400,
    LIMIT_EXCEEDED_EXCEPTION = "LimitExceededException" 400,
    MANAGED_RULE_EXCEPTION = "ManagedRuleException" 400,
    OPERATION_DISABLED_EXCEPTION = "OperationDisabledException" 400,
    POLICY_LENGTH_EXCEEDED_EXCEPTION = "PolicyLengthExceededException" 400,
    RESOURCE_ALREADY_EXISTS_EXCEPTION = "ResourceAlreadyExistsException" 400,
    RESOURCE_NOT_FOUND_EXCEPTION = "ResourceNotFoundException" 400,
    THROTTLING_EXCEPTION = "ThrottlingException" 400,
}
