//! Shapes of lambda 2015-03-31. Made by `cargo xtask models`; do not edit.

use std::collections::BTreeMap;

use crate::shape::{Blob, Time, enumeration, errors, operations, structure};

structure! {
    ["PascalCase" Default Deserialize Serialize]
    AcceleratorConfig {
        accelerator_memory_size: i32,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    AccountLimit {
        |
        total_code_size: u64,
        code_size_unzipped: u64,
        code_size_zipped: u64,
        concurrent_executions: u32,
        unreserved_concurrent_executions: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    AccountUsage {
        |
        total_code_size: u64,
        function_count: u64,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    AddLayerVersionPermissionRequest {
        layer_name: String,
        version_number: i64,
        statement_id: String,
        action: String,
        principal: String,
        |
        organization_id: String,
        revision_id: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    AddLayerVersionPermissionResponse {
        |
        statement: String,
        revision_id: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    AddPermissionRequest {
        function_name: String,
        statement_id: String,
        action: String,
        principal: String,
        |
        source_arn: String,
        function_url_auth_type: FunctionUrlAuthType,
        invoked_via_function_url: bool,
        source_account: String,
        event_source_token: String,
        qualifier: String,
        revision_id: String,
        #[serde(rename = "PrincipalOrgID")]
        principal_org_id: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    AddPermissionResponse {
        |
        statement: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    AliasConfiguration {
        |
        alias_arn: String,
        name: String,
        function_version: String,
        description: String,
        routing_config: AliasRoutingConfiguration,
        revision_id: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    AliasRoutingConfiguration {
        |
        additional_version_weights: BTreeMap<String, f64>,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    AllowedPublishers {
        signing_profile_version_arns: Vec<String>,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    AmazonManagedKafkaEventSourceConfig {
        |
        consumer_group_id: String,
        schema_registry_config: KafkaSchemaRegistryConfig,
    }
}

enumeration! {
    ApplicationLogLevel {
        Trace = "TRACE",
        Debug = "DEBUG",
        Info = "INFO",
        Warn = "WARN",
        Error = "ERROR",
        Fatal = "FATAL",
    }
}

enumeration! {
    Architecture {
        X86_64 = "x86_64",
        Arm64 = "arm64",
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CallbackDetails {
        |
        callback_id: String,
        result: String,
        error: ErrorObject,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CallbackFailedDetails {
        error: EventError,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CallbackOptions {
        |
        timeout_seconds: u32,
        heartbeat_timeout_seconds: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CallbackStartedDetails {
        callback_id: String,
        |
        heartbeat_timeout: u32,
        timeout: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CallbackSucceededDetails {
        result: EventResult,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CallbackTimedOutDetails {
        error: EventError,
        |
    }
}

structure! {
    ["PascalCase" Serialize]
    CapacityProvider {
        capacity_provider_arn: String,
        state: CapacityProviderState,
        vpc_config: CapacityProviderVpcConfig,
        permissions_config: CapacityProviderPermissionsConfig,
        |
        instance_requirements: InstanceRequirements,
        capacity_provider_scaling_config: CapacityProviderScalingConfig,
        kms_key_arn: String,
        last_modified: String,
        propagate_tags: PropagateTags,
        telemetry_config: CapacityProviderTelemetryConfig,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    CapacityProviderConfig {
        lambda_managed_instances_capacity_provider_config: LambdaManagedInstancesCapacityProviderConfig,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CapacityProviderLoggingConfig {
        |
        system_log_level: SystemLogLevel,
        log_group: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CapacityProviderPermissionsConfig {
        capacity_provider_operator_role_arn: String,
        |
    }
}

enumeration! {
    CapacityProviderPredefinedMetricType {
        LambdaCapacityProviderAverageCpuUtilization = "LambdaCapacityProviderAverageCPUUtilization",
        LambdaCapacityProviderAverageGpuUtilization = "LambdaCapacityProviderAverageGPUUtilization",
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CapacityProviderScalingConfig {
        |
        max_v_cpu_count: u32,
        scaling_mode: CapacityProviderScalingMode,
        scaling_policies: Vec<TargetTrackingScalingPolicy>,
    }
}

enumeration! {
    CapacityProviderScalingMode {
        Auto = "Auto",
        Manual = "Manual",
    }
}

enumeration! {
    CapacityProviderState {
        Pending = "Pending",
        Active = "Active",
        Failed = "Failed",
        Deleting = "Deleting",
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CapacityProviderTelemetryConfig {
        |
        logging_config: CapacityProviderLoggingConfig,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CapacityProviderVpcConfig {
        subnet_ids: Vec<String>,
        security_group_ids: Vec<String>,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ChainedInvokeDetails {
        |
        result: String,
        error: ErrorObject,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ChainedInvokeFailedDetails {
        error: EventError,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ChainedInvokeOptions {
        function_name: String,
        |
        tenant_id: String,
        x_amzn_trace_id: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ChainedInvokeStartedDetails {
        function_name: String,
        |
        tenant_id: String,
        input: EventInput,
        executed_version: String,
        durable_execution_arn: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ChainedInvokeStoppedDetails {
        error: EventError,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ChainedInvokeSucceededDetails {
        result: EventResult,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ChainedInvokeTimedOutDetails {
        error: EventError,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CheckpointDurableExecutionRequest {
        durable_execution_arn: String,
        checkpoint_token: String,
        |
        updates: Vec<OperationUpdate>,
        client_token: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CheckpointDurableExecutionResponse {
        new_execution_state: CheckpointUpdatedExecutionState,
        |
        checkpoint_token: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CheckpointUpdatedExecutionState {
        |
        operations: Vec<Operation>,
        next_marker: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CodeSigningConfig {
        code_signing_config_id: String,
        code_signing_config_arn: String,
        allowed_publishers: AllowedPublishers,
        code_signing_policies: CodeSigningPolicies,
        last_modified: String,
        |
        description: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    CodeSigningPolicies {
        |
        untrusted_artifact_on_deployment: CodeSigningPolicy,
    }
}

enumeration! {
    CodeSigningPolicy {
        Warn = "Warn",
        Enforce = "Enforce",
    }
}

structure! {
    ["PascalCase" Default Serialize]
    Concurrency {
        |
        reserved_concurrent_executions: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ContextDetails {
        |
        replay_children: bool,
        result: String,
        error: ErrorObject,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ContextFailedDetails {
        error: EventError,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ContextOptions {
        |
        replay_children: bool,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ContextStartedDetails {
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ContextSucceededDetails {
        result: EventResult,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    Cors {
        |
        allow_credentials: bool,
        allow_headers: Vec<String>,
        allow_methods: Vec<String>,
        allow_origins: Vec<String>,
        expose_headers: Vec<String>,
        max_age: u32,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreateAliasRequest {
        function_name: String,
        name: String,
        function_version: String,
        |
        description: String,
        routing_config: AliasRoutingConfiguration,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreateCodeSigningConfigRequest {
        allowed_publishers: AllowedPublishers,
        |
        description: String,
        code_signing_policies: CodeSigningPolicies,
        tags: BTreeMap<String, String>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CreateCodeSigningConfigResponse {
        code_signing_config: CodeSigningConfig,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreateEventSourceMappingRequest {
        function_name: String,
        |
        event_source_arn: String,
        enabled: bool,
        batch_size: u32,
        filter_criteria: FilterCriteria,
        #[serde(rename = "KMSKeyArn")]
        kms_key_arn: String,
        metrics_config: EventSourceMappingMetricsConfig,
        logging_config: EventSourceMappingLoggingConfig,
        scaling_config: ScalingConfig,
        maximum_batching_window_in_seconds: u32,
        parallelization_factor: u32,
        starting_position: EventSourcePosition,
        starting_position_timestamp: Time,
        destination_config: DestinationConfig,
        maximum_record_age_in_seconds: i32,
        bisect_batch_on_function_error: bool,
        maximum_retry_attempts: i32,
        tags: BTreeMap<String, String>,
        tumbling_window_in_seconds: u32,
        topics: Vec<String>,
        queues: Vec<String>,
        source_access_configurations: Vec<SourceAccessConfiguration>,
        self_managed_event_source: SelfManagedEventSource,
        function_response_types: Vec<FunctionResponseType>,
        amazon_managed_kafka_event_source_config: AmazonManagedKafkaEventSourceConfig,
        self_managed_kafka_event_source_config: SelfManagedKafkaEventSourceConfig,
        #[serde(rename = "DocumentDBEventSourceConfig")]
        document_db_event_source_config: DocumentDBEventSourceConfig,
        provisioned_poller_config: ProvisionedPollerConfig,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreateFunctionRequest {
        function_name: String,
        role: String,
        code: FunctionCode,
        |
        runtime: String,
        handler: String,
        description: String,
        timeout: u32,
        memory_size: u32,
        publish: bool,
        publish_to: FunctionVersionLatestPublished,
        vpc_config: VpcConfig,
        package_type: PackageType,
        dead_letter_config: DeadLetterConfig,
        environment: Environment,
        #[serde(rename = "KMSKeyArn")]
        kms_key_arn: String,
        tracing_config: TracingConfig,
        tags: BTreeMap<String, String>,
        layers: Vec<String>,
        file_system_configs: Vec<FileSystemConfig>,
        code_signing_config_arn: String,
        image_config: ImageConfig,
        architectures: Vec<Architecture>,
        ephemeral_storage: EphemeralStorage,
        snap_start: SnapStart,
        logging_config: LoggingConfig,
        tenancy_config: TenancyConfig,
        capacity_provider_config: CapacityProviderConfig,
        durable_config: DurableConfig,
        runtime_config: FunctionRuntimeConfig,
        accelerator_config: AcceleratorConfig,
    }
}

structure! {
    ["PascalCase" Deserialize]
    CreateFunctionUrlConfigRequest {
        function_name: String,
        auth_type: FunctionUrlAuthType,
        |
        qualifier: String,
        cors: Cors,
        invoke_mode: InvokeMode,
    }
}

structure! {
    ["PascalCase" Serialize]
    CreateFunctionUrlConfigResponse {
        function_url: String,
        function_arn: String,
        auth_type: FunctionUrlAuthType,
        creation_time: String,
        |
        cors: Cors,
        invoke_mode: InvokeMode,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    DeadLetterConfig {
        |
        target_arn: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteAliasRequest {
        function_name: String,
        name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteCodeSigningConfigRequest {
        code_signing_config_arn: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    DeleteCodeSigningConfigResponse {
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteDurableExecutionRequest {
        durable_execution_arn: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    DeleteDurableExecutionResponse {
        deletion_request_timestamp: Time,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteEventSourceMappingRequest {
        #[serde(rename = "UUID")]
        uuid: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteFunctionCodeSigningConfigRequest {
        function_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteFunctionConcurrencyRequest {
        function_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteFunctionEventInvokeConfigRequest {
        function_name: String,
        |
        qualifier: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteFunctionRequest {
        function_name: String,
        |
        qualifier: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    DeleteFunctionResponse {
        |
        status_code: u32,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteFunctionUrlConfigRequest {
        function_name: String,
        |
        qualifier: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteLayerVersionRequest {
        layer_name: String,
        version_number: i64,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteProvisionedConcurrencyConfigRequest {
        function_name: String,
        qualifier: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteResourcePolicyRequest {
        resource_arn: String,
        |
        revision_id: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    DestinationConfig {
        |
        on_success: OnSuccess,
        on_failure: OnFailure,
    }
}

enumeration! {
    DirectS3Read {
        Enabled = "ENABLED",
        Disabled = "DISABLED",
        Auto = "AUTO",
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    DocumentDBEventSourceConfig {
        |
        database_name: String,
        collection_name: String,
        full_document: FullDocument,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    DurableConfig {
        |
        #[serde(rename = "KMSKeyArn")]
        kms_key_arn: String,
        retention_period_in_days: u32,
        execution_timeout: u32,
    }
}

enumeration! {
    EndPointType {
        KafkaBootstrapServers = "KAFKA_BOOTSTRAP_SERVERS",
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    Environment {
        |
        variables: BTreeMap<String, String>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    EnvironmentError {
        |
        error_code: String,
        message: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    EnvironmentResponse {
        |
        variables: BTreeMap<String, String>,
        error: EnvironmentError,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    EphemeralStorage {
        size: u32,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    ErrorObject {
        |
        error_message: String,
        error_type: String,
        error_data: String,
        stack_trace: Vec<String>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    Event {
        |
        event_type: EventType,
        sub_type: String,
        event_id: u32,
        id: String,
        name: String,
        event_timestamp: Time,
        parent_id: String,
        execution_started_details: ExecutionStartedDetails,
        execution_succeeded_details: ExecutionSucceededDetails,
        execution_failed_details: ExecutionFailedDetails,
        execution_timed_out_details: ExecutionTimedOutDetails,
        execution_stopped_details: ExecutionStoppedDetails,
        context_started_details: ContextStartedDetails,
        context_succeeded_details: ContextSucceededDetails,
        context_failed_details: ContextFailedDetails,
        wait_started_details: WaitStartedDetails,
        wait_succeeded_details: WaitSucceededDetails,
        wait_cancelled_details: WaitCancelledDetails,
        step_started_details: StepStartedDetails,
        step_succeeded_details: StepSucceededDetails,
        step_failed_details: StepFailedDetails,
        chained_invoke_started_details: ChainedInvokeStartedDetails,
        chained_invoke_succeeded_details: ChainedInvokeSucceededDetails,
        chained_invoke_failed_details: ChainedInvokeFailedDetails,
        chained_invoke_timed_out_details: ChainedInvokeTimedOutDetails,
        chained_invoke_stopped_details: ChainedInvokeStoppedDetails,
        callback_started_details: CallbackStartedDetails,
        callback_succeeded_details: CallbackSucceededDetails,
        callback_failed_details: CallbackFailedDetails,
        callback_timed_out_details: CallbackTimedOutDetails,
        invocation_completed_details: InvocationCompletedDetails,
        execution_paused_details: ExecutionPausedDetails,
        execution_resumed_details: ExecutionResumedDetails,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    EventError {
        |
        payload: ErrorObject,
        truncated: bool,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    EventInput {
        |
        payload: String,
        truncated: bool,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    EventPauseReason {
        |
        payload: String,
        truncated: bool,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    EventResult {
        |
        payload: String,
        truncated: bool,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    EventResumeReason {
        |
        payload: String,
        truncated: bool,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    EventSourceMappingConfiguration {
        |
        #[serde(rename = "UUID")]
        uuid: String,
        starting_position: EventSourcePosition,
        starting_position_timestamp: Time,
        batch_size: u32,
        maximum_batching_window_in_seconds: u32,
        parallelization_factor: u32,
        event_source_arn: String,
        filter_criteria: FilterCriteria,
        filter_criteria_error: FilterCriteriaError,
        #[serde(rename = "KMSKeyArn")]
        kms_key_arn: String,
        metrics_config: EventSourceMappingMetricsConfig,
        logging_config: EventSourceMappingLoggingConfig,
        scaling_config: ScalingConfig,
        function_arn: String,
        last_modified: Time,
        last_processing_result: String,
        state: String,
        state_transition_reason: String,
        destination_config: DestinationConfig,
        topics: Vec<String>,
        queues: Vec<String>,
        source_access_configurations: Vec<SourceAccessConfiguration>,
        self_managed_event_source: SelfManagedEventSource,
        maximum_record_age_in_seconds: i32,
        bisect_batch_on_function_error: bool,
        maximum_retry_attempts: i32,
        tumbling_window_in_seconds: u32,
        function_response_types: Vec<FunctionResponseType>,
        amazon_managed_kafka_event_source_config: AmazonManagedKafkaEventSourceConfig,
        self_managed_kafka_event_source_config: SelfManagedKafkaEventSourceConfig,
        #[serde(rename = "DocumentDBEventSourceConfig")]
        document_db_event_source_config: DocumentDBEventSourceConfig,
        event_source_mapping_arn: String,
        provisioned_poller_config: ProvisionedPollerConfig,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    EventSourceMappingLoggingConfig {
        |
        system_log_level: EventSourceMappingSystemLogLevel,
    }
}

enumeration! {
    EventSourceMappingMetric {
        EventCount = "EventCount",
        ErrorCount = "ErrorCount",
        KafkaMetrics = "KafkaMetrics",
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    EventSourceMappingMetricsConfig {
        |
        metrics: Vec<EventSourceMappingMetric>,
    }
}

enumeration! {
    EventSourceMappingSystemLogLevel {
        Debug = "DEBUG",
        Info = "INFO",
        Warn = "WARN",
    }
}

enumeration! {
    EventSourcePosition {
        TrimHorizon = "TRIM_HORIZON",
        Latest = "LATEST",
        AtTimestamp = "AT_TIMESTAMP",
    }
}

enumeration! {
    EventType {
        ExecutionStarted = "ExecutionStarted",
        ExecutionSucceeded = "ExecutionSucceeded",
        ExecutionFailed = "ExecutionFailed",
        ExecutionTimedOut = "ExecutionTimedOut",
        ExecutionStopped = "ExecutionStopped",
        ContextStarted = "ContextStarted",
        ContextSucceeded = "ContextSucceeded",
        ContextFailed = "ContextFailed",
        WaitStarted = "WaitStarted",
        WaitSucceeded = "WaitSucceeded",
        WaitCancelled = "WaitCancelled",
        StepStarted = "StepStarted",
        StepSucceeded = "StepSucceeded",
        StepFailed = "StepFailed",
        ChainedInvokeStarted = "ChainedInvokeStarted",
        ChainedInvokeSucceeded = "ChainedInvokeSucceeded",
        ChainedInvokeFailed = "ChainedInvokeFailed",
        ChainedInvokeTimedOut = "ChainedInvokeTimedOut",
        ChainedInvokeStopped = "ChainedInvokeStopped",
        CallbackStarted = "CallbackStarted",
        CallbackSucceeded = "CallbackSucceeded",
        CallbackFailed = "CallbackFailed",
        CallbackTimedOut = "CallbackTimedOut",
        InvocationCompleted = "InvocationCompleted",
        ExecutionPaused = "ExecutionPaused",
        ExecutionResumed = "ExecutionResumed",
    }
}

structure! {
    ["PascalCase" Serialize]
    Execution {
        durable_execution_arn: String,
        durable_execution_name: String,
        function_arn: String,
        status: ExecutionStatus,
        start_timestamp: Time,
        |
        end_timestamp: Time,
        #[serde(rename = "KMSKeyArn")]
        kms_key_arn: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ExecutionDetails {
        |
        input_payload: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ExecutionFailedDetails {
        error: EventError,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ExecutionPausedDetails {
        pause_request_timestamp: Time,
        execution_timeout_paused: bool,
        |
        reason: EventPauseReason,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ExecutionResumedDetails {
        resume_request_timestamp: Time,
        |
        reason: EventResumeReason,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ExecutionStartedDetails {
        input: EventInput,
        execution_timeout: u32,
        |
    }
}

enumeration! {
    ExecutionStatus {
        Running = "RUNNING",
        Succeeded = "SUCCEEDED",
        Failed = "FAILED",
        TimedOut = "TIMED_OUT",
        Stopped = "STOPPED",
        Deleting = "DELETING",
        Pausing = "PAUSING",
        Paused = "PAUSED",
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ExecutionStoppedDetails {
        error: EventError,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ExecutionSucceededDetails {
        result: EventResult,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ExecutionTimedOutDetails {
        |
        error: EventError,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    FileSystemConfig {
        arn: String,
        local_mount_path: String,
        |
        s3_files_config: S3FilesConfig,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    Filter {
        |
        pattern: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    FilterCriteria {
        |
        filters: Vec<Filter>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    FilterCriteriaError {
        |
        error_code: String,
        message: String,
    }
}

enumeration! {
    FullDocument {
        UpdateLookup = "UpdateLookup",
        Default = "Default",
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    FunctionCode {
        |
        zip_file: Blob,
        s3_bucket: String,
        s3_key: String,
        s3_object_version: String,
        s3_object_storage_mode: S3ObjectStorageMode,
        image_uri: String,
        #[serde(rename = "SourceKMSKeyArn")]
        source_kms_key_arn: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    FunctionCodeLocation {
        |
        repository_type: String,
        location: String,
        image_uri: String,
        resolved_image_uri: String,
        resolved_s3_object: ResolvedS3Object,
        #[serde(rename = "SourceKMSKeyArn")]
        source_kms_key_arn: String,
        error: FunctionCodeLocationError,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    FunctionCodeLocationError {
        |
        error_code: String,
        message: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    FunctionConfiguration {
        |
        function_name: String,
        function_arn: String,
        runtime: Runtime,
        role: String,
        handler: String,
        code_size: u64,
        description: String,
        timeout: u32,
        memory_size: u32,
        last_modified: String,
        code_sha256: String,
        version: String,
        vpc_config: VpcConfigResponse,
        dead_letter_config: DeadLetterConfig,
        environment: EnvironmentResponse,
        #[serde(rename = "KMSKeyArn")]
        kms_key_arn: String,
        tracing_config: TracingConfigResponse,
        master_arn: String,
        revision_id: String,
        layers: Vec<Layer>,
        state: State,
        state_reason: String,
        state_reason_code: StateReasonCode,
        last_update_status: LastUpdateStatus,
        last_update_status_reason: String,
        last_update_status_reason_code: LastUpdateStatusReasonCode,
        file_system_configs: Vec<FileSystemConfig>,
        signing_profile_version_arn: String,
        signing_job_arn: String,
        package_type: PackageType,
        image_config_response: ImageConfigResponse,
        architectures: Vec<Architecture>,
        ephemeral_storage: EphemeralStorage,
        snap_start: SnapStartResponse,
        runtime_version_config: RuntimeVersionConfig,
        logging_config: LoggingConfig,
        tenancy_config: TenancyConfig,
        capacity_provider_config: CapacityProviderConfig,
        config_sha256: String,
        durable_config: DurableConfig,
        runtime_config: FunctionRuntimeConfig,
        accelerator_config: AcceleratorConfig,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    FunctionEventInvokeConfig {
        |
        last_modified: Time,
        function_arn: String,
        maximum_retry_attempts: u32,
        maximum_event_age_in_seconds: u32,
        destination_config: DestinationConfig,
    }
}

enumeration! {
    FunctionResponseType {
        ReportBatchItemFailures = "ReportBatchItemFailures",
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    FunctionRuntimeConfig {
        runtime_arn: String,
        runtime_alias: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    FunctionScalingConfig {
        |
        min_execution_environments: u32,
        max_execution_environments: u32,
    }
}

enumeration! {
    FunctionUrlAuthType {
        None = "NONE",
        AwsIam = "AWS_IAM",
    }
}

structure! {
    ["PascalCase" Serialize]
    FunctionUrlConfig {
        function_url: String,
        function_arn: String,
        creation_time: String,
        last_modified_time: String,
        auth_type: FunctionUrlAuthType,
        |
        cors: Cors,
        invoke_mode: InvokeMode,
    }
}

enumeration! {
    FunctionVersion {
        All = "ALL",
    }
}

enumeration! {
    FunctionVersionLatestPublished {
        LatestPublished = "LATEST_PUBLISHED",
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetAccountSettingsRequest {
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetAccountSettingsResponse {
        |
        account_limit: AccountLimit,
        account_usage: AccountUsage,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetAliasRequest {
        function_name: String,
        name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetCodeSigningConfigRequest {
        code_signing_config_arn: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetCodeSigningConfigResponse {
        code_signing_config: CodeSigningConfig,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetDurableExecutionHistoryRequest {
        durable_execution_arn: String,
        |
        include_execution_data: bool,
        max_items: u32,
        marker: String,
        reverse_order: bool,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetDurableExecutionHistoryResponse {
        events: Vec<Event>,
        |
        next_marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetDurableExecutionRequest {
        durable_execution_arn: String,
        |
        include_execution_data: bool,
    }
}

structure! {
    ["PascalCase" Serialize]
    GetDurableExecutionResponse {
        durable_execution_arn: String,
        durable_execution_name: String,
        function_arn: String,
        start_timestamp: Time,
        status: ExecutionStatus,
        |
        input_payload: String,
        result: String,
        error: ErrorObject,
        end_timestamp: Time,
        version: String,
        trace_header: TraceHeader,
        execution_data_included: bool,
        durable_config: DurableConfig,
        pause_details: PauseDetails,
        expected_execution_timeout_timestamp: Time,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetDurableExecutionStateRequest {
        durable_execution_arn: String,
        checkpoint_token: String,
        |
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetDurableExecutionStateResponse {
        operations: Vec<Operation>,
        |
        next_marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetEventSourceMappingRequest {
        #[serde(rename = "UUID")]
        uuid: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetFunctionCodeSigningConfigRequest {
        function_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetFunctionCodeSigningConfigResponse {
        function_name: String,
        |
        code_signing_config_arn: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetFunctionConcurrencyRequest {
        function_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetFunctionConcurrencyResponse {
        |
        reserved_concurrent_executions: u32,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetFunctionConfigurationRequest {
        function_name: String,
        |
        qualifier: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetFunctionEventInvokeConfigRequest {
        function_name: String,
        |
        qualifier: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetFunctionRecursionConfigRequest {
        function_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetFunctionRecursionConfigResponse {
        |
        recursive_loop: RecursiveLoop,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetFunctionRequest {
        function_name: String,
        |
        qualifier: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetFunctionResponse {
        |
        configuration: FunctionConfiguration,
        code: FunctionCodeLocation,
        tags: BTreeMap<String, String>,
        tags_error: TagsError,
        concurrency: Concurrency,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetFunctionScalingConfigRequest {
        function_name: String,
        qualifier: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetFunctionScalingConfigResponse {
        |
        function_arn: String,
        applied_function_scaling_config: FunctionScalingConfig,
        requested_function_scaling_config: FunctionScalingConfig,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetFunctionUrlConfigRequest {
        function_name: String,
        |
        qualifier: String,
    }
}

structure! {
    ["PascalCase" Serialize]
    GetFunctionUrlConfigResponse {
        function_url: String,
        function_arn: String,
        auth_type: FunctionUrlAuthType,
        creation_time: String,
        last_modified_time: String,
        |
        cors: Cors,
        invoke_mode: InvokeMode,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetLayerVersionByArnRequest {
        arn: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetLayerVersionPolicyRequest {
        layer_name: String,
        version_number: i64,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetLayerVersionPolicyResponse {
        |
        policy: String,
        revision_id: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetLayerVersionRequest {
        layer_name: String,
        version_number: i64,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetLayerVersionResponse {
        |
        content: LayerVersionContentOutput,
        layer_arn: String,
        layer_version_arn: String,
        description: String,
        created_date: String,
        version: i64,
        compatible_architectures: Vec<Architecture>,
        compatible_runtimes: Vec<Runtime>,
        license_info: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetPolicyRequest {
        function_name: String,
        |
        qualifier: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetPolicyResponse {
        |
        policy: String,
        revision_id: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetProvisionedConcurrencyConfigRequest {
        function_name: String,
        qualifier: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetProvisionedConcurrencyConfigResponse {
        |
        requested_provisioned_concurrent_executions: u32,
        available_provisioned_concurrent_executions: u32,
        allocated_provisioned_concurrent_executions: u32,
        status: ProvisionedConcurrencyStatusEnum,
        status_reason: String,
        last_modified: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetResourcePolicyRequest {
        resource_arn: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetResourcePolicyResponse {
        |
        policy: String,
        revision_id: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetRuntimeManagementConfigRequest {
        function_name: String,
        |
        qualifier: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetRuntimeManagementConfigResponse {
        |
        update_runtime_on: UpdateRuntimeOn,
        function_arn: String,
        runtime_version_arn: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    ImageConfig {
        |
        entry_point: Vec<String>,
        command: Vec<String>,
        working_directory: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ImageConfigError {
        |
        error_code: String,
        message: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ImageConfigResponse {
        |
        image_config: ImageConfig,
        error: ImageConfigError,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    InstanceRequirements {
        |
        architectures: Vec<Architecture>,
        allowed_instance_types: Vec<String>,
        excluded_instance_types: Vec<String>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    InvocationCompletedDetails {
        start_timestamp: Time,
        end_timestamp: Time,
        request_id: String,
        |
        error: EventError,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    InvocationRequest {
        function_name: String,
        |
        invocation_type: InvocationType,
        log_type: LogType,
        client_context: String,
        durable_execution_name: String,
        payload: Blob,
        qualifier: String,
        tenant_id: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    InvocationResponse {
        |
        status_code: u32,
        function_error: String,
        log_result: String,
        payload: Blob,
        executed_version: String,
        durable_execution_arn: String,
    }
}

enumeration! {
    InvocationType {
        Event = "Event",
        RequestResponse = "RequestResponse",
        DryRun = "DryRun",
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    InvokeAsyncRequest {
        function_name: String,
        invoke_args: Blob,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    InvokeAsyncResponse {
        |
        status: u32,
    }
}

enumeration! {
    InvokeMode {
        Buffered = "BUFFERED",
        ResponseStream = "RESPONSE_STREAM",
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    InvokeWithResponseStreamRequest {
        function_name: String,
        |
        log_type: LogType,
        client_context: String,
        qualifier: String,
        payload: Blob,
        tenant_id: String,
        invocation_type: ResponseStreamingInvocationType,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    InvokeWithResponseStreamResponse {
        |
        status_code: u32,
        executed_version: String,
        response_stream_content_type: String,
    }
}

enumeration! {
    KafkaEventSourceMappingConsumptionMode {
        Stream = "Stream",
        Queue = "Queue",
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    KafkaSchemaRegistryAccessConfig {
        |
        r#type: KafkaSchemaRegistryAuthType,
        #[serde(rename = "URI")]
        uri: String,
    }
}

enumeration! {
    KafkaSchemaRegistryAuthType {
        BasicAuth = "BASIC_AUTH",
        ClientCertificateTlsAuth = "CLIENT_CERTIFICATE_TLS_AUTH",
        ServerRootCaCertificate = "SERVER_ROOT_CA_CERTIFICATE",
        OauthbearerAuth = "OAUTHBEARER_AUTH",
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    KafkaSchemaRegistryConfig {
        |
        #[serde(rename = "SchemaRegistryURI")]
        schema_registry_uri: String,
        event_record_format: SchemaRegistryEventRecordFormat,
        access_configs: Vec<KafkaSchemaRegistryAccessConfig>,
        schema_validation_configs: Vec<KafkaSchemaValidationConfig>,
    }
}

enumeration! {
    KafkaSchemaValidationAttribute {
        Key = "KEY",
        Value = "VALUE",
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    KafkaSchemaValidationConfig {
        |
        attribute: KafkaSchemaValidationAttribute,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    LambdaManagedInstancesCapacityProviderConfig {
        capacity_provider_arn: String,
        |
        per_execution_environment_max_concurrency: u32,
        execution_environment_memory_gi_b_per_v_cpu: f64,
    }
}

enumeration! {
    LastUpdateStatus {
        Successful = "Successful",
        Failed = "Failed",
        InProgress = "InProgress",
    }
}

enumeration! {
    LastUpdateStatusReasonCode {
        EniLimitExceeded = "EniLimitExceeded",
        InsufficientRolePermissions = "InsufficientRolePermissions",
        InvalidConfiguration = "InvalidConfiguration",
        InternalError = "InternalError",
        SubnetOutOfIpAddresses = "SubnetOutOfIPAddresses",
        InvalidSubnet = "InvalidSubnet",
        InvalidSecurityGroup = "InvalidSecurityGroup",
        ImageDeleted = "ImageDeleted",
        ImageAccessDenied = "ImageAccessDenied",
        InvalidImage = "InvalidImage",
        KmsKeyAccessDenied = "KMSKeyAccessDenied",
        KmsKeyNotFound = "KMSKeyNotFound",
        InvalidStateKmsKey = "InvalidStateKMSKey",
        DisabledKmsKey = "DisabledKMSKey",
        EfsioError = "EFSIOError",
        EfsMountConnectivityError = "EFSMountConnectivityError",
        EfsMountFailure = "EFSMountFailure",
        EfsMountTimeout = "EFSMountTimeout",
        InvalidRuntime = "InvalidRuntime",
        InvalidZipFileException = "InvalidZipFileException",
        FunctionError = "FunctionError",
        ServiceQuotaExceededException = "ServiceQuotaExceededException",
        VcpuLimitExceeded = "VcpuLimitExceeded",
        CapacityProviderScalingLimitExceeded = "CapacityProviderScalingLimitExceeded",
        InsufficientCapacity = "InsufficientCapacity",
        Ec2RequestLimitExceeded = "EC2RequestLimitExceeded",
        FunctionErrorInitTimeout = "FunctionError.InitTimeout",
        FunctionErrorRuntimeInitError = "FunctionError.RuntimeInitError",
        FunctionErrorExtensionInitError = "FunctionError.ExtensionInitError",
        FunctionErrorInvalidEntryPoint = "FunctionError.InvalidEntryPoint",
        FunctionErrorInvalidWorkingDirectory = "FunctionError.InvalidWorkingDirectory",
        FunctionErrorPermissionDenied = "FunctionError.PermissionDenied",
        FunctionErrorTooManyExtensions = "FunctionError.TooManyExtensions",
        FunctionErrorInitResourceExhausted = "FunctionError.InitResourceExhausted",
        DisallowedByVpcEncryptionControl = "DisallowedByVpcEncryptionControl",
        IncompatibleAcceleratorInstanceTypes = "IncompatibleAcceleratorInstanceTypes",
        DependencyError = "DependencyError",
        Creating = "Creating",
    }
}

structure! {
    ["PascalCase" Default Serialize]
    Layer {
        |
        arn: String,
        code_size: u64,
        signing_profile_version_arn: String,
        signing_job_arn: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    LayerVersionContentInput {
        |
        s3_bucket: String,
        s3_key: String,
        s3_object_version: String,
        s3_object_storage_mode: S3ObjectStorageMode,
        zip_file: Blob,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    LayerVersionContentOutput {
        |
        location: String,
        code_sha256: String,
        code_size: u64,
        signing_profile_version_arn: String,
        signing_job_arn: String,
        resolved_s3_object: ResolvedS3Object,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    LayerVersionsListItem {
        |
        layer_version_arn: String,
        version: i64,
        description: String,
        created_date: String,
        compatible_architectures: Vec<Architecture>,
        compatible_runtimes: Vec<Runtime>,
        license_info: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    LayersListItem {
        |
        layer_name: String,
        layer_arn: String,
        latest_matching_version: LayerVersionsListItem,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListAliasesRequest {
        function_name: String,
        |
        function_version: String,
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListAliasesResponse {
        |
        next_marker: String,
        aliases: Vec<AliasConfiguration>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListCapacityProvidersRequest {
        |
        state: CapacityProviderState,
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListCapacityProvidersResponse {
        capacity_providers: Vec<CapacityProvider>,
        |
        next_marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListCodeSigningConfigsRequest {
        |
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListCodeSigningConfigsResponse {
        |
        next_marker: String,
        code_signing_configs: Vec<CodeSigningConfig>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListDurableExecutionsByFunctionRequest {
        function_name: String,
        |
        qualifier: String,
        durable_execution_name: String,
        statuses: Vec<ExecutionStatus>,
        started_after: Time,
        started_before: Time,
        reverse_order: bool,
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListDurableExecutionsByFunctionResponse {
        |
        durable_executions: Vec<Execution>,
        next_marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListEventSourceMappingsRequest {
        |
        event_source_arn: String,
        function_name: String,
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListEventSourceMappingsResponse {
        |
        next_marker: String,
        event_source_mappings: Vec<EventSourceMappingConfiguration>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListFunctionEventInvokeConfigsRequest {
        function_name: String,
        |
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListFunctionEventInvokeConfigsResponse {
        |
        function_event_invoke_configs: Vec<FunctionEventInvokeConfig>,
        next_marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListFunctionUrlConfigsRequest {
        function_name: String,
        |
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListFunctionUrlConfigsResponse {
        function_url_configs: Vec<FunctionUrlConfig>,
        |
        next_marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListFunctionsByCodeSigningConfigRequest {
        code_signing_config_arn: String,
        |
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListFunctionsByCodeSigningConfigResponse {
        |
        next_marker: String,
        function_arns: Vec<String>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListFunctionsRequest {
        |
        master_region: String,
        function_version: FunctionVersion,
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListFunctionsResponse {
        |
        next_marker: String,
        functions: Vec<FunctionConfiguration>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListLayerVersionsRequest {
        layer_name: String,
        |
        compatible_architecture: Architecture,
        compatible_runtime: Runtime,
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListLayerVersionsResponse {
        |
        next_marker: String,
        layer_versions: Vec<LayerVersionsListItem>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListLayersRequest {
        |
        compatible_architecture: Architecture,
        compatible_runtime: Runtime,
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListLayersResponse {
        |
        next_marker: String,
        layers: Vec<LayersListItem>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListProvisionedConcurrencyConfigsRequest {
        function_name: String,
        |
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListProvisionedConcurrencyConfigsResponse {
        |
        provisioned_concurrency_configs: Vec<ProvisionedConcurrencyConfigListItem>,
        next_marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListTagsRequest {
        resource: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListTagsResponse {
        |
        tags: BTreeMap<String, String>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListVersionsByFunctionRequest {
        function_name: String,
        |
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListVersionsByFunctionResponse {
        |
        next_marker: String,
        versions: Vec<FunctionConfiguration>,
    }
}

enumeration! {
    LogFormat {
        Json = "JSON",
        Text = "Text",
    }
}

enumeration! {
    LogType {
        None = "None",
        Tail = "Tail",
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    LoggingConfig {
        |
        log_format: LogFormat,
        application_log_level: ApplicationLogLevel,
        system_log_level: SystemLogLevel,
        log_group: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    OnFailure {
        |
        destination: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    OnSuccess {
        |
        destination: String,
    }
}

structure! {
    ["PascalCase" Serialize]
    Operation {
        id: String,
        r#type: OperationType,
        start_timestamp: Time,
        status: OperationStatus,
        |
        parent_id: String,
        name: String,
        sub_type: String,
        end_timestamp: Time,
        execution_details: ExecutionDetails,
        context_details: ContextDetails,
        step_details: StepDetails,
        wait_details: WaitDetails,
        callback_details: CallbackDetails,
        chained_invoke_details: ChainedInvokeDetails,
    }
}

enumeration! {
    OperationAction {
        Start = "START",
        Succeed = "SUCCEED",
        Fail = "FAIL",
        Retry = "RETRY",
        Cancel = "CANCEL",
    }
}

enumeration! {
    OperationStatus {
        Started = "STARTED",
        Pending = "PENDING",
        Ready = "READY",
        Succeeded = "SUCCEEDED",
        Failed = "FAILED",
        Cancelled = "CANCELLED",
        TimedOut = "TIMED_OUT",
        Stopped = "STOPPED",
    }
}

enumeration! {
    OperationType {
        Execution = "EXECUTION",
        Context = "CONTEXT",
        Step = "STEP",
        Wait = "WAIT",
        Callback = "CALLBACK",
        ChainedInvoke = "CHAINED_INVOKE",
    }
}

structure! {
    ["PascalCase" Deserialize]
    OperationUpdate {
        id: String,
        r#type: OperationType,
        action: OperationAction,
        |
        parent_id: String,
        name: String,
        sub_type: String,
        payload: String,
        error: ErrorObject,
        context_options: ContextOptions,
        step_options: StepOptions,
        wait_options: WaitOptions,
        callback_options: CallbackOptions,
        chained_invoke_options: ChainedInvokeOptions,
    }
}

enumeration! {
    PackageType {
        Zip = "Zip",
        Image = "Image",
    }
}

structure! {
    ["PascalCase" Default Serialize]
    PauseDetails {
        pause_request_timestamp: Time,
        execution_timeout_paused: bool,
        |
        reason: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    PauseDurableExecutionRequest {
        durable_execution_arn: String,
        |
        client_token: String,
        reason: String,
        execution_timeout_paused: bool,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    PauseDurableExecutionResponse {
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    PropagateTags {
        |
        mode: PropagateTagsMode,
        explicit_tags: BTreeMap<String, String>,
    }
}

enumeration! {
    PropagateTagsMode {
        None = "None",
        Explicit = "Explicit",
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ProvisionedConcurrencyConfigListItem {
        |
        function_arn: String,
        requested_provisioned_concurrent_executions: u32,
        available_provisioned_concurrent_executions: u32,
        allocated_provisioned_concurrent_executions: u32,
        status: ProvisionedConcurrencyStatusEnum,
        status_reason: String,
        last_modified: String,
    }
}

enumeration! {
    ProvisionedConcurrencyStatusEnum {
        InProgress = "IN_PROGRESS",
        Ready = "READY",
        Failed = "FAILED",
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    ProvisionedPollerConfig {
        |
        minimum_pollers: u32,
        maximum_pollers: u32,
        poller_group_name: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    PublishLayerVersionRequest {
        layer_name: String,
        content: LayerVersionContentInput,
        |
        description: String,
        compatible_architectures: Vec<Architecture>,
        compatible_runtimes: Vec<Runtime>,
        license_info: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    PublishLayerVersionResponse {
        |
        content: LayerVersionContentOutput,
        layer_arn: String,
        layer_version_arn: String,
        description: String,
        created_date: String,
        version: i64,
        compatible_architectures: Vec<Architecture>,
        compatible_runtimes: Vec<Runtime>,
        license_info: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    PublishVersionRequest {
        function_name: String,
        |
        code_sha256: String,
        description: String,
        revision_id: String,
        publish_to: FunctionVersionLatestPublished,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    PutFunctionCodeSigningConfigRequest {
        code_signing_config_arn: String,
        function_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    PutFunctionCodeSigningConfigResponse {
        code_signing_config_arn: String,
        function_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    PutFunctionConcurrencyRequest {
        function_name: String,
        reserved_concurrent_executions: u32,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    PutFunctionEventInvokeConfigRequest {
        function_name: String,
        |
        qualifier: String,
        maximum_retry_attempts: u32,
        maximum_event_age_in_seconds: u32,
        destination_config: DestinationConfig,
    }
}

structure! {
    ["PascalCase" Deserialize]
    PutFunctionRecursionConfigRequest {
        function_name: String,
        recursive_loop: RecursiveLoop,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    PutFunctionRecursionConfigResponse {
        |
        recursive_loop: RecursiveLoop,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    PutFunctionScalingConfigRequest {
        function_name: String,
        qualifier: String,
        |
        function_scaling_config: FunctionScalingConfig,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    PutFunctionScalingConfigResponse {
        |
        function_state: State,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    PutProvisionedConcurrencyConfigRequest {
        function_name: String,
        qualifier: String,
        provisioned_concurrent_executions: u32,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    PutProvisionedConcurrencyConfigResponse {
        |
        requested_provisioned_concurrent_executions: u32,
        allocated_provisioned_concurrent_executions: u32,
        available_provisioned_concurrent_executions: u32,
        status: ProvisionedConcurrencyStatusEnum,
        status_reason: String,
        last_modified: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    PutResourcePolicyRequest {
        resource_arn: String,
        policy: String,
        |
        revision_id: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    PutResourcePolicyResponse {
        |
        policy: String,
        revision_id: String,
    }
}

structure! {
    ["PascalCase" Deserialize]
    PutRuntimeManagementConfigRequest {
        function_name: String,
        update_runtime_on: UpdateRuntimeOn,
        |
        qualifier: String,
        runtime_version_arn: String,
    }
}

structure! {
    ["PascalCase" Serialize]
    PutRuntimeManagementConfigResponse {
        update_runtime_on: UpdateRuntimeOn,
        function_arn: String,
        |
        runtime_version_arn: String,
    }
}

enumeration! {
    RecursiveLoop {
        Allow = "Allow",
        Terminate = "Terminate",
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    RemoveLayerVersionPermissionRequest {
        layer_name: String,
        version_number: i64,
        statement_id: String,
        |
        revision_id: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    RemovePermissionRequest {
        function_name: String,
        statement_id: String,
        |
        qualifier: String,
        revision_id: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ResolvedS3Object {
        |
        s3_bucket: String,
        s3_key: String,
        s3_object_version: String,
    }
}

enumeration! {
    ResponseStreamingInvocationType {
        RequestResponse = "RequestResponse",
        DryRun = "DryRun",
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ResumeDurableExecutionRequest {
        durable_execution_arn: String,
        |
        client_token: String,
        reason: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ResumeDurableExecutionResponse {
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    RetryDetails {
        |
        current_attempt: u32,
        next_attempt_delay_seconds: u32,
    }
}

enumeration! {
    Runtime {
        Nodejs = "nodejs",
        Nodejs4_3 = "nodejs4.3",
        Nodejs6_10 = "nodejs6.10",
        Nodejs8_10 = "nodejs8.10",
        Nodejs10X = "nodejs10.x",
        Nodejs12X = "nodejs12.x",
        Nodejs14X = "nodejs14.x",
        Nodejs16X = "nodejs16.x",
        Nodejs18X = "nodejs18.x",
        Nodejs20X = "nodejs20.x",
        Nodejs22X = "nodejs22.x",
        Nodejs24X = "nodejs24.x",
        Java8 = "java8",
        Java8Al2 = "java8.al2",
        Java11 = "java11",
        Java17 = "java17",
        Java21 = "java21",
        Java25 = "java25",
        Python2_7 = "python2.7",
        Python3_6 = "python3.6",
        Python3_7 = "python3.7",
        Python3_8 = "python3.8",
        Python3_9 = "python3.9",
        Python3_10 = "python3.10",
        Python3_11 = "python3.11",
        Python3_12 = "python3.12",
        Python3_13 = "python3.13",
        Python3_14 = "python3.14",
        Dotnetcore1_0 = "dotnetcore1.0",
        Dotnetcore2_0 = "dotnetcore2.0",
        Dotnetcore2_1 = "dotnetcore2.1",
        Dotnetcore3_1 = "dotnetcore3.1",
        Dotnet6 = "dotnet6",
        Dotnet8 = "dotnet8",
        Dotnet10 = "dotnet10",
        Nodejs4_3Edge = "nodejs4.3-edge",
        Go1X = "go1.x",
        Ruby2_5 = "ruby2.5",
        Ruby2_7 = "ruby2.7",
        Ruby3_2 = "ruby3.2",
        Ruby3_3 = "ruby3.3",
        Ruby3_4 = "ruby3.4",
        Ruby4_0 = "ruby4.0",
        Provided = "provided",
        ProvidedAl2 = "provided.al2",
        ProvidedAl2023 = "provided.al2023",
        Nodejs26X = "nodejs26.x",
        Python3_15 = "python3.15",
        Java8Al2023 = "java8.al2023",
        Java11Al2023 = "java11.al2023",
        Java17Al2023 = "java17.al2023",
        Custom = "custom",
    }
}

structure! {
    ["PascalCase" Default Serialize]
    RuntimeVersionConfig {
        |
        runtime_version_arn: String,
        error: RuntimeVersionError,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    RuntimeVersionError {
        |
        error_code: String,
        message: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    S3FilesConfig {
        |
        direct_s3_read: DirectS3Read,
    }
}

enumeration! {
    S3ObjectStorageMode {
        Copy = "COPY",
        Reference = "REFERENCE",
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    ScalingConfig {
        |
        maximum_concurrency: u32,
    }
}

enumeration! {
    SchemaRegistryEventRecordFormat {
        Json = "JSON",
        Source = "SOURCE",
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    SelfManagedEventSource {
        |
        endpoints: BTreeMap<String, Vec<String>>,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    SelfManagedKafkaEventSourceConfig {
        |
        consumer_group_id: String,
        schema_registry_config: KafkaSchemaRegistryConfig,
        consumption_mode: KafkaEventSourceMappingConsumptionMode,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    SendDurableExecutionCallbackFailureRequest {
        callback_id: String,
        |
        error: ErrorObject,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    SendDurableExecutionCallbackFailureResponse {
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    SendDurableExecutionCallbackHeartbeatRequest {
        callback_id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    SendDurableExecutionCallbackHeartbeatResponse {
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    SendDurableExecutionCallbackSuccessRequest {
        callback_id: String,
        |
        result: Blob,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    SendDurableExecutionCallbackSuccessResponse {
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    SnapStart {
        |
        apply_on: SnapStartApplyOn,
    }
}

enumeration! {
    SnapStartApplyOn {
        PublishedVersions = "PublishedVersions",
        None = "None",
    }
}

enumeration! {
    SnapStartOptimizationStatus {
        On = "On",
        Off = "Off",
    }
}

structure! {
    ["PascalCase" Default Serialize]
    SnapStartResponse {
        |
        apply_on: SnapStartApplyOn,
        optimization_status: SnapStartOptimizationStatus,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    SourceAccessConfiguration {
        |
        r#type: SourceAccessType,
        #[serde(rename = "URI")]
        uri: String,
    }
}

enumeration! {
    SourceAccessType {
        BasicAuth = "BASIC_AUTH",
        VpcSubnet = "VPC_SUBNET",
        VpcSecurityGroup = "VPC_SECURITY_GROUP",
        SaslScram512Auth = "SASL_SCRAM_512_AUTH",
        SaslScram256Auth = "SASL_SCRAM_256_AUTH",
        VirtualHost = "VIRTUAL_HOST",
        ClientCertificateTlsAuth = "CLIENT_CERTIFICATE_TLS_AUTH",
        ServerRootCaCertificate = "SERVER_ROOT_CA_CERTIFICATE",
        OauthbearerAuth = "OAUTHBEARER_AUTH",
        OauthbearerScope = "OAUTHBEARER_SCOPE",
        OauthbearerAudience = "OAUTHBEARER_AUDIENCE",
        OauthbearerLogicalCluster = "OAUTHBEARER_LOGICAL_CLUSTER",
        OauthbearerIdentityPool = "OAUTHBEARER_IDENTITY_POOL",
        IamAuth = "IAM_AUTH",
        IamOauthbearerAuth = "IAM_OAUTHBEARER_AUTH",
    }
}

enumeration! {
    State {
        Pending = "Pending",
        Active = "Active",
        Inactive = "Inactive",
        Failed = "Failed",
        Deactivating = "Deactivating",
        Deactivated = "Deactivated",
        ActiveNonInvocable = "ActiveNonInvocable",
        Deleting = "Deleting",
    }
}

enumeration! {
    StateReasonCode {
        Idle = "Idle",
        Creating = "Creating",
        Restoring = "Restoring",
        EniLimitExceeded = "EniLimitExceeded",
        InsufficientRolePermissions = "InsufficientRolePermissions",
        InvalidConfiguration = "InvalidConfiguration",
        InternalError = "InternalError",
        SubnetOutOfIpAddresses = "SubnetOutOfIPAddresses",
        InvalidSubnet = "InvalidSubnet",
        InvalidSecurityGroup = "InvalidSecurityGroup",
        ImageDeleted = "ImageDeleted",
        ImageAccessDenied = "ImageAccessDenied",
        InvalidImage = "InvalidImage",
        KmsKeyAccessDenied = "KMSKeyAccessDenied",
        KmsKeyNotFound = "KMSKeyNotFound",
        InvalidStateKmsKey = "InvalidStateKMSKey",
        DisabledKmsKey = "DisabledKMSKey",
        EfsioError = "EFSIOError",
        EfsMountConnectivityError = "EFSMountConnectivityError",
        EfsMountFailure = "EFSMountFailure",
        EfsMountTimeout = "EFSMountTimeout",
        InvalidRuntime = "InvalidRuntime",
        InvalidZipFileException = "InvalidZipFileException",
        FunctionError = "FunctionError",
        ServiceQuotaExceededException = "ServiceQuotaExceededException",
        VcpuLimitExceeded = "VcpuLimitExceeded",
        CapacityProviderScalingLimitExceeded = "CapacityProviderScalingLimitExceeded",
        InsufficientCapacity = "InsufficientCapacity",
        Ec2RequestLimitExceeded = "EC2RequestLimitExceeded",
        FunctionErrorInitTimeout = "FunctionError.InitTimeout",
        FunctionErrorRuntimeInitError = "FunctionError.RuntimeInitError",
        FunctionErrorExtensionInitError = "FunctionError.ExtensionInitError",
        FunctionErrorInvalidEntryPoint = "FunctionError.InvalidEntryPoint",
        FunctionErrorInvalidWorkingDirectory = "FunctionError.InvalidWorkingDirectory",
        FunctionErrorPermissionDenied = "FunctionError.PermissionDenied",
        FunctionErrorTooManyExtensions = "FunctionError.TooManyExtensions",
        FunctionErrorInitResourceExhausted = "FunctionError.InitResourceExhausted",
        DisallowedByVpcEncryptionControl = "DisallowedByVpcEncryptionControl",
        DrainingDurableExecutions = "DrainingDurableExecutions",
        IncompatibleAcceleratorInstanceTypes = "IncompatibleAcceleratorInstanceTypes",
        DependencyError = "DependencyError",
    }
}

structure! {
    ["PascalCase" Default Serialize]
    StepDetails {
        |
        attempt: u32,
        next_attempt_timestamp: Time,
        result: String,
        error: ErrorObject,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    StepFailedDetails {
        error: EventError,
        retry_details: RetryDetails,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    StepOptions {
        |
        next_attempt_delay_seconds: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    StepStartedDetails {
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    StepSucceededDetails {
        result: EventResult,
        retry_details: RetryDetails,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    StopDurableExecutionRequest {
        durable_execution_arn: String,
        |
        error: ErrorObject,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    StopDurableExecutionResponse {
        stop_timestamp: Time,
        |
    }
}

enumeration! {
    SystemLogLevel {
        Debug = "DEBUG",
        Info = "INFO",
        Warn = "WARN",
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    TagResourceRequest {
        resource: String,
        tags: BTreeMap<String, String>,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    TagsError {
        error_code: String,
        message: String,
        |
    }
}

structure! {
    ["PascalCase" Serialize]
    TargetTrackingScalingPolicy {
        predefined_metric_type: CapacityProviderPredefinedMetricType,
        target_value: f64,
        |
    }
}

structure! {
    ["PascalCase" Deserialize Serialize]
    TenancyConfig {
        tenant_isolation_mode: TenantIsolationMode,
        |
    }
}

enumeration! {
    TenantIsolationMode {
        PerTenant = "PER_TENANT",
    }
}

structure! {
    ["PascalCase" Default Serialize]
    TraceHeader {
        |
        x_amzn_trace_id: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    TracingConfig {
        |
        mode: TracingMode,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    TracingConfigResponse {
        |
        mode: TracingMode,
    }
}

enumeration! {
    TracingMode {
        Active = "Active",
        PassThrough = "PassThrough",
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UntagResourceRequest {
        resource: String,
        tag_keys: Vec<String>,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateAliasRequest {
        function_name: String,
        name: String,
        |
        function_version: String,
        description: String,
        routing_config: AliasRoutingConfiguration,
        revision_id: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateCodeSigningConfigRequest {
        code_signing_config_arn: String,
        |
        description: String,
        allowed_publishers: AllowedPublishers,
        code_signing_policies: CodeSigningPolicies,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    UpdateCodeSigningConfigResponse {
        code_signing_config: CodeSigningConfig,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateEventSourceMappingRequest {
        #[serde(rename = "UUID")]
        uuid: String,
        |
        function_name: String,
        enabled: bool,
        batch_size: u32,
        filter_criteria: FilterCriteria,
        #[serde(rename = "KMSKeyArn")]
        kms_key_arn: String,
        metrics_config: EventSourceMappingMetricsConfig,
        logging_config: EventSourceMappingLoggingConfig,
        scaling_config: ScalingConfig,
        maximum_batching_window_in_seconds: u32,
        parallelization_factor: u32,
        destination_config: DestinationConfig,
        maximum_record_age_in_seconds: i32,
        bisect_batch_on_function_error: bool,
        maximum_retry_attempts: i32,
        tumbling_window_in_seconds: u32,
        source_access_configurations: Vec<SourceAccessConfiguration>,
        function_response_types: Vec<FunctionResponseType>,
        amazon_managed_kafka_event_source_config: AmazonManagedKafkaEventSourceConfig,
        self_managed_kafka_event_source_config: SelfManagedKafkaEventSourceConfig,
        #[serde(rename = "DocumentDBEventSourceConfig")]
        document_db_event_source_config: DocumentDBEventSourceConfig,
        provisioned_poller_config: ProvisionedPollerConfig,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateFunctionCodeRequest {
        function_name: String,
        |
        zip_file: Blob,
        s3_bucket: String,
        s3_key: String,
        s3_object_version: String,
        s3_object_storage_mode: S3ObjectStorageMode,
        image_uri: String,
        architectures: Vec<Architecture>,
        publish: bool,
        publish_to: FunctionVersionLatestPublished,
        dry_run: bool,
        revision_id: String,
        #[serde(rename = "SourceKMSKeyArn")]
        source_kms_key_arn: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateFunctionConfigurationRequest {
        function_name: String,
        |
        role: String,
        handler: String,
        description: String,
        timeout: u32,
        memory_size: u32,
        vpc_config: VpcConfig,
        environment: Environment,
        runtime: String,
        dead_letter_config: DeadLetterConfig,
        #[serde(rename = "KMSKeyArn")]
        kms_key_arn: String,
        tracing_config: TracingConfig,
        revision_id: String,
        layers: Vec<String>,
        file_system_configs: Vec<FileSystemConfig>,
        image_config: ImageConfig,
        ephemeral_storage: EphemeralStorage,
        snap_start: SnapStart,
        logging_config: LoggingConfig,
        capacity_provider_config: CapacityProviderConfig,
        durable_config: DurableConfig,
        runtime_config: FunctionRuntimeConfig,
        accelerator_config: AcceleratorConfig,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateFunctionEventInvokeConfigRequest {
        function_name: String,
        |
        qualifier: String,
        maximum_retry_attempts: u32,
        maximum_event_age_in_seconds: u32,
        destination_config: DestinationConfig,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateFunctionUrlConfigRequest {
        function_name: String,
        |
        qualifier: String,
        auth_type: FunctionUrlAuthType,
        cors: Cors,
        invoke_mode: InvokeMode,
    }
}

structure! {
    ["PascalCase" Serialize]
    UpdateFunctionUrlConfigResponse {
        function_url: String,
        function_arn: String,
        auth_type: FunctionUrlAuthType,
        creation_time: String,
        last_modified_time: String,
        |
        cors: Cors,
        invoke_mode: InvokeMode,
    }
}

enumeration! {
    UpdateRuntimeOn {
        Auto = "Auto",
        Manual = "Manual",
        FunctionUpdate = "FunctionUpdate",
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    VpcConfig {
        |
        subnet_ids: Vec<String>,
        security_group_ids: Vec<String>,
        ipv6_allowed_for_dual_stack: bool,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    VpcConfigResponse {
        |
        subnet_ids: Vec<String>,
        security_group_ids: Vec<String>,
        vpc_id: String,
        ipv6_allowed_for_dual_stack: bool,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    WaitCancelledDetails {
        |
        error: EventError,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    WaitDetails {
        |
        scheduled_end_timestamp: Time,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    WaitOptions {
        |
        wait_seconds: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    WaitStartedDetails {
        duration: u32,
        scheduled_end_timestamp: Time,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    WaitSucceededDetails {
        |
        duration: u32,
    }
}

operations! {
    AddLayerVersionPermission(AddLayerVersionPermissionRequest) -> AddLayerVersionPermissionResponse,
    AddPermission(AddPermissionRequest) -> AddPermissionResponse,
    CheckpointDurableExecution(CheckpointDurableExecutionRequest) -> CheckpointDurableExecutionResponse,
    CreateAlias(CreateAliasRequest) -> AliasConfiguration,
    CreateCodeSigningConfig(CreateCodeSigningConfigRequest) -> CreateCodeSigningConfigResponse,
    CreateEventSourceMapping(CreateEventSourceMappingRequest) -> EventSourceMappingConfiguration,
    CreateFunction(CreateFunctionRequest) -> FunctionConfiguration,
    CreateFunctionUrlConfig(CreateFunctionUrlConfigRequest) -> CreateFunctionUrlConfigResponse,
    DeleteAlias(DeleteAliasRequest) -> (),
    DeleteCodeSigningConfig(DeleteCodeSigningConfigRequest) -> DeleteCodeSigningConfigResponse,
    DeleteDurableExecution(DeleteDurableExecutionRequest) -> DeleteDurableExecutionResponse,
    DeleteEventSourceMapping(DeleteEventSourceMappingRequest) -> EventSourceMappingConfiguration,
    DeleteFunction(DeleteFunctionRequest) -> DeleteFunctionResponse,
    DeleteFunctionCodeSigningConfig(DeleteFunctionCodeSigningConfigRequest) -> (),
    DeleteFunctionConcurrency(DeleteFunctionConcurrencyRequest) -> (),
    DeleteFunctionEventInvokeConfig(DeleteFunctionEventInvokeConfigRequest) -> (),
    DeleteFunctionUrlConfig(DeleteFunctionUrlConfigRequest) -> (),
    DeleteLayerVersion(DeleteLayerVersionRequest) -> (),
    DeleteProvisionedConcurrencyConfig(DeleteProvisionedConcurrencyConfigRequest) -> (),
    DeleteResourcePolicy(DeleteResourcePolicyRequest) -> (),
    GetAccountSettings(GetAccountSettingsRequest) -> GetAccountSettingsResponse,
    GetAlias(GetAliasRequest) -> AliasConfiguration,
    GetCodeSigningConfig(GetCodeSigningConfigRequest) -> GetCodeSigningConfigResponse,
    GetDurableExecution(GetDurableExecutionRequest) -> GetDurableExecutionResponse,
    GetDurableExecutionHistory(GetDurableExecutionHistoryRequest) -> GetDurableExecutionHistoryResponse,
    GetDurableExecutionState(GetDurableExecutionStateRequest) -> GetDurableExecutionStateResponse,
    GetEventSourceMapping(GetEventSourceMappingRequest) -> EventSourceMappingConfiguration,
    GetFunction(GetFunctionRequest) -> GetFunctionResponse,
    GetFunctionCodeSigningConfig(GetFunctionCodeSigningConfigRequest) -> GetFunctionCodeSigningConfigResponse,
    GetFunctionConcurrency(GetFunctionConcurrencyRequest) -> GetFunctionConcurrencyResponse,
    GetFunctionConfiguration(GetFunctionConfigurationRequest) -> FunctionConfiguration,
    GetFunctionEventInvokeConfig(GetFunctionEventInvokeConfigRequest) -> FunctionEventInvokeConfig,
    GetFunctionRecursionConfig(GetFunctionRecursionConfigRequest) -> GetFunctionRecursionConfigResponse,
    GetFunctionScalingConfig(GetFunctionScalingConfigRequest) -> GetFunctionScalingConfigResponse,
    GetFunctionUrlConfig(GetFunctionUrlConfigRequest) -> GetFunctionUrlConfigResponse,
    GetLayerVersion(GetLayerVersionRequest) -> GetLayerVersionResponse,
    GetLayerVersionByArn(GetLayerVersionByArnRequest) -> GetLayerVersionResponse,
    GetLayerVersionPolicy(GetLayerVersionPolicyRequest) -> GetLayerVersionPolicyResponse,
    GetPolicy(GetPolicyRequest) -> GetPolicyResponse,
    GetProvisionedConcurrencyConfig(GetProvisionedConcurrencyConfigRequest) -> GetProvisionedConcurrencyConfigResponse,
    GetResourcePolicy(GetResourcePolicyRequest) -> GetResourcePolicyResponse,
    GetRuntimeManagementConfig(GetRuntimeManagementConfigRequest) -> GetRuntimeManagementConfigResponse,
    Invoke(InvocationRequest) -> InvocationResponse,
    InvokeAsync(InvokeAsyncRequest) -> InvokeAsyncResponse,
    InvokeWithResponseStream(InvokeWithResponseStreamRequest) -> InvokeWithResponseStreamResponse,
    ListAliases(ListAliasesRequest) -> ListAliasesResponse,
    ListCapacityProviders(ListCapacityProvidersRequest) -> ListCapacityProvidersResponse,
    ListCodeSigningConfigs(ListCodeSigningConfigsRequest) -> ListCodeSigningConfigsResponse,
    ListDurableExecutionsByFunction(ListDurableExecutionsByFunctionRequest) -> ListDurableExecutionsByFunctionResponse,
    ListEventSourceMappings(ListEventSourceMappingsRequest) -> ListEventSourceMappingsResponse,
    ListFunctionEventInvokeConfigs(ListFunctionEventInvokeConfigsRequest) -> ListFunctionEventInvokeConfigsResponse,
    ListFunctionUrlConfigs(ListFunctionUrlConfigsRequest) -> ListFunctionUrlConfigsResponse,
    ListFunctions(ListFunctionsRequest) -> ListFunctionsResponse,
    ListFunctionsByCodeSigningConfig(ListFunctionsByCodeSigningConfigRequest) -> ListFunctionsByCodeSigningConfigResponse,
    ListLayerVersions(ListLayerVersionsRequest) -> ListLayerVersionsResponse,
    ListLayers(ListLayersRequest) -> ListLayersResponse,
    ListProvisionedConcurrencyConfigs(ListProvisionedConcurrencyConfigsRequest) -> ListProvisionedConcurrencyConfigsResponse,
    ListTags(ListTagsRequest) -> ListTagsResponse,
    ListVersionsByFunction(ListVersionsByFunctionRequest) -> ListVersionsByFunctionResponse,
    PauseDurableExecution(PauseDurableExecutionRequest) -> PauseDurableExecutionResponse,
    PublishLayerVersion(PublishLayerVersionRequest) -> PublishLayerVersionResponse,
    PublishVersion(PublishVersionRequest) -> FunctionConfiguration,
    PutFunctionCodeSigningConfig(PutFunctionCodeSigningConfigRequest) -> PutFunctionCodeSigningConfigResponse,
    PutFunctionConcurrency(PutFunctionConcurrencyRequest) -> Concurrency,
    PutFunctionEventInvokeConfig(PutFunctionEventInvokeConfigRequest) -> FunctionEventInvokeConfig,
    PutFunctionRecursionConfig(PutFunctionRecursionConfigRequest) -> PutFunctionRecursionConfigResponse,
    PutFunctionScalingConfig(PutFunctionScalingConfigRequest) -> PutFunctionScalingConfigResponse,
    PutProvisionedConcurrencyConfig(PutProvisionedConcurrencyConfigRequest) -> PutProvisionedConcurrencyConfigResponse,
    PutResourcePolicy(PutResourcePolicyRequest) -> PutResourcePolicyResponse,
    PutRuntimeManagementConfig(PutRuntimeManagementConfigRequest) -> PutRuntimeManagementConfigResponse,
    RemoveLayerVersionPermission(RemoveLayerVersionPermissionRequest) -> (),
    RemovePermission(RemovePermissionRequest) -> (),
    ResumeDurableExecution(ResumeDurableExecutionRequest) -> ResumeDurableExecutionResponse,
    SendDurableExecutionCallbackFailure(SendDurableExecutionCallbackFailureRequest) -> SendDurableExecutionCallbackFailureResponse,
    SendDurableExecutionCallbackHeartbeat(SendDurableExecutionCallbackHeartbeatRequest) -> SendDurableExecutionCallbackHeartbeatResponse,
    SendDurableExecutionCallbackSuccess(SendDurableExecutionCallbackSuccessRequest) -> SendDurableExecutionCallbackSuccessResponse,
    StopDurableExecution(StopDurableExecutionRequest) -> StopDurableExecutionResponse,
    TagResource(TagResourceRequest) -> (),
    UntagResource(UntagResourceRequest) -> (),
    UpdateAlias(UpdateAliasRequest) -> AliasConfiguration,
    UpdateCodeSigningConfig(UpdateCodeSigningConfigRequest) -> UpdateCodeSigningConfigResponse,
    UpdateEventSourceMapping(UpdateEventSourceMappingRequest) -> EventSourceMappingConfiguration,
    UpdateFunctionCode(UpdateFunctionCodeRequest) -> FunctionConfiguration,
    UpdateFunctionConfiguration(UpdateFunctionConfigurationRequest) -> FunctionConfiguration,
    UpdateFunctionEventInvokeConfig(UpdateFunctionEventInvokeConfigRequest) -> FunctionEventInvokeConfig,
    UpdateFunctionUrlConfig(UpdateFunctionUrlConfigRequest) -> UpdateFunctionUrlConfigResponse,
}

errors! {
    ALIAS_LIMIT_EXCEEDED_EXCEPTION = "AliasLimitExceededException" 400,
    CALLBACK_TIMEOUT_EXCEPTION = "CallbackTimeoutException" 400,
    CAPACITY_PROVIDER_LIMIT_EXCEEDED_EXCEPTION = "CapacityProviderLimitExceededException" 400,
    CODE_ARTIFACT_USER_DELETED_EXCEPTION = "CodeArtifactUserDeletedException" 409,
    CODE_ARTIFACT_USER_FAILED_EXCEPTION = "CodeArtifactUserFailedException" 409,
    CODE_ARTIFACT_USER_PENDING_EXCEPTION = "CodeArtifactUserPendingException" 409,
    CODE_SIGNING_CONFIG_NOT_FOUND_EXCEPTION = "CodeSigningConfigNotFoundException" 404,
    CODE_STORAGE_EXCEEDED_EXCEPTION = "CodeStorageExceededException" 400,
    CODE_VERIFICATION_FAILED_EXCEPTION = "CodeVerificationFailedException" 400,
    DURABLE_EXECUTION_ALREADY_STARTED_EXCEPTION = "DurableExecutionAlreadyStartedException" 409,
    EC2_ACCESS_DENIED_EXCEPTION = "EC2AccessDeniedException" 502,
    EC2_THROTTLED_EXCEPTION = "EC2ThrottledException" 502,
    EC2_UNEXPECTED_EXCEPTION = "EC2UnexpectedException" 502,
    EFSIO_EXCEPTION = "EFSIOException" 410,
    EFS_MOUNT_CONNECTIVITY_EXCEPTION = "EFSMountConnectivityException" 408,
    EFS_MOUNT_FAILURE_EXCEPTION = "EFSMountFailureException" 403,
    EFS_MOUNT_TIMEOUT_EXCEPTION = "EFSMountTimeoutException" 408,
    ENI_LIMIT_REACHED_EXCEPTION = "ENILimitReachedException" 502,
    ENI_NOT_READY_EXCEPTION = "ENINotReadyException" 502,
    FUNCTION_VERSIONS_PER_CAPACITY_PROVIDER_LIMIT_EXCEEDED_EXCEPTION = "FunctionVersionsPerCapacityProviderLimitExceededException" 400,
    INVALID_CODE_SIGNATURE_EXCEPTION = "InvalidCodeSignatureException" 400,
    INVALID_PARAMETER_VALUE_EXCEPTION = "InvalidParameterValueException" 400,
    INVALID_REQUEST_CONTENT_EXCEPTION = "InvalidRequestContentException" 400,
    INVALID_RUNTIME_EXCEPTION = "InvalidRuntimeException" 502,
    INVALID_SECURITY_GROUP_ID_EXCEPTION = "InvalidSecurityGroupIDException" 502,
    INVALID_SUBNET_ID_EXCEPTION = "InvalidSubnetIDException" 502,
    INVALID_ZIP_FILE_EXCEPTION = "InvalidZipFileException" 502,
    KMS_ACCESS_DENIED_EXCEPTION = "KMSAccessDeniedException" 502,
    KMS_DISABLED_EXCEPTION = "KMSDisabledException" 502,
    KMS_INVALID_STATE_EXCEPTION = "KMSInvalidStateException" 502,
    KMS_NOT_FOUND_EXCEPTION = "KMSNotFoundException" 502,
    MODE_NOT_SUPPORTED_EXCEPTION = "ModeNotSupportedException" 400,
    NO_PUBLISHED_VERSION_EXCEPTION = "NoPublishedVersionException" 400,
    POLICY_LENGTH_EXCEEDED_EXCEPTION = "PolicyLengthExceededException" 400,
    PRECONDITION_FAILED_EXCEPTION = "PreconditionFailedException" 412,
    PROVISIONED_CONCURRENCY_CONFIG_NOT_FOUND_EXCEPTION = "ProvisionedConcurrencyConfigNotFoundException" 404,
    PUBLIC_POLICY_EXCEPTION = "PublicPolicyException" 400,
    RECURSIVE_INVOCATION_EXCEPTION = "RecursiveInvocationException" 400,
    REQUEST_TOO_LARGE_EXCEPTION = "RequestTooLargeException" 413,
    RESOURCE_CONFLICT_EXCEPTION = "ResourceConflictException" 409,
    RESOURCE_IN_USE_EXCEPTION = "ResourceInUseException" 400,
    RESOURCE_NOT_FOUND_EXCEPTION = "ResourceNotFoundException" 404,
    RESOURCE_NOT_READY_EXCEPTION = "ResourceNotReadyException" 502,
    RUNTIME_ALIAS_DELETED_EXCEPTION = "RuntimeAliasDeletedException" 409,
    RUNTIME_VERSION_DELETED_EXCEPTION = "RuntimeVersionDeletedException" 409,
    S3_FILES_MOUNT_CONNECTIVITY_EXCEPTION = "S3FilesMountConnectivityException" 408,
    S3_FILES_MOUNT_FAILURE_EXCEPTION = "S3FilesMountFailureException" 403,
    S3_FILES_MOUNT_TIMEOUT_EXCEPTION = "S3FilesMountTimeoutException" 408,
    SERIALIZED_REQUEST_ENTITY_TOO_LARGE_EXCEPTION = "SerializedRequestEntityTooLargeException" 413,
    SERVICE_EXCEPTION = "ServiceException" 500,
    SERVICE_QUOTA_EXCEEDED_EXCEPTION = "ServiceQuotaExceededException" 402,
    SNAP_START_EXCEPTION = "SnapStartException" 400,
    SNAP_START_NOT_READY_EXCEPTION = "SnapStartNotReadyException" 409,
    SNAP_START_REGENERATION_FAILURE_EXCEPTION = "SnapStartRegenerationFailureException" 409,
    SNAP_START_TIMEOUT_EXCEPTION = "SnapStartTimeoutException" 408,
    SUBNET_IP_ADDRESS_LIMIT_REACHED_EXCEPTION = "SubnetIPAddressLimitReachedException" 502,
    TOO_MANY_REQUESTS_EXCEPTION = "TooManyRequestsException" 429,
    UNSUPPORTED_MEDIA_TYPE_EXCEPTION = "UnsupportedMediaTypeException" 415,
}
