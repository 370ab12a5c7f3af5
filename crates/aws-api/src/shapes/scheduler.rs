//! Shapes of scheduler 2021-06-30. Made by `cargo xtask models`; do not edit.

use std::collections::BTreeMap;

use crate::shape::{Time, enumeration, errors, operations, structure};

enumeration! {
    ActionAfterCompletion {
        None = "NONE",
        Delete = "DELETE",
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
    CreateScheduleGroupInput {
        name: String,
        |
        tags: Vec<Tag>,
        client_token: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CreateScheduleGroupOutput {
        schedule_group_arn: String,
        |
    }
}

structure! {
    ["PascalCase" Deserialize]
    CreateScheduleInput {
        name: String,
        schedule_expression: String,
        target: Target,
        flexible_time_window: FlexibleTimeWindow,
        |
        group_name: String,
        start_date: Time,
        end_date: Time,
        description: String,
        schedule_expression_timezone: String,
        state: ScheduleState,
        kms_key_arn: String,
        client_token: String,
        action_after_completion: ActionAfterCompletion,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CreateScheduleOutput {
        schedule_arn: String,
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
    DeleteScheduleGroupInput {
        name: String,
        |
        client_token: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    DeleteScheduleGroupOutput {
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteScheduleInput {
        name: String,
        |
        group_name: String,
        client_token: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    DeleteScheduleOutput {
        |
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
        tags: Vec<BTreeMap<String, String>>,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    EventBridgeParameters {
        detail_type: String,
        source: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    EventBridgePutEventsV2Parameters {
        detail_type: String,
        source: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    EventBridgePutRawEventsParameters {
        |
        metadata: BTreeMap<String, String>,
    }
}

structure! {
    ["PascalCase" Deserialize Serialize]
    FlexibleTimeWindow {
        mode: FlexibleTimeWindowMode,
        |
        maximum_window_in_minutes: u32,
    }
}

enumeration! {
    FlexibleTimeWindowMode {
        Off = "OFF",
        Flexible = "FLEXIBLE",
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetScheduleGroupInput {
        name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetScheduleGroupOutput {
        |
        arn: String,
        name: String,
        state: ScheduleGroupState,
        creation_date: Time,
        last_modification_date: Time,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetScheduleInput {
        name: String,
        |
        group_name: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetScheduleOutput {
        |
        arn: String,
        group_name: String,
        name: String,
        schedule_expression: String,
        start_date: Time,
        end_date: Time,
        description: String,
        schedule_expression_timezone: String,
        state: ScheduleState,
        creation_date: Time,
        last_modification_date: Time,
        kms_key_arn: String,
        target: Target,
        flexible_time_window: FlexibleTimeWindow,
        action_after_completion: ActionAfterCompletion,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    KinesisParameters {
        partition_key: String,
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

structure! {
    ["PascalCase" Default Deserialize]
    ListScheduleGroupsInput {
        |
        name_prefix: String,
        next_token: String,
        max_results: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListScheduleGroupsOutput {
        schedule_groups: Vec<ScheduleGroupSummary>,
        |
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListSchedulesInput {
        |
        group_name: String,
        name_prefix: String,
        state: ScheduleState,
        next_token: String,
        max_results: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListSchedulesOutput {
        schedules: Vec<ScheduleSummary>,
        |
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListTagsForResourceInput {
        resource_arn: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListTagsForResourceOutput {
        |
        tags: Vec<Tag>,
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
    ["PascalCase" Default Deserialize Serialize]
    RetryPolicy {
        |
        maximum_event_age_in_seconds: u32,
        maximum_retry_attempts: u32,
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

enumeration! {
    ScheduleGroupState {
        Active = "ACTIVE",
        Deleting = "DELETING",
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ScheduleGroupSummary {
        |
        arn: String,
        name: String,
        state: ScheduleGroupState,
        creation_date: Time,
        last_modification_date: Time,
    }
}

enumeration! {
    ScheduleState {
        Enabled = "ENABLED",
        Disabled = "DISABLED",
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ScheduleSummary {
        |
        arn: String,
        name: String,
        group_name: String,
        state: ScheduleState,
        creation_date: Time,
        last_modification_date: Time,
        target: TargetSummary,
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
    ["PascalCase" Default Deserialize Serialize]
    Tag {
        key: String,
        value: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    TagResourceInput {
        resource_arn: String,
        tags: Vec<Tag>,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    TagResourceOutput {
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    Target {
        arn: String,
        role_arn: String,
        |
        dead_letter_config: DeadLetterConfig,
        retry_policy: RetryPolicy,
        input: String,
        ecs_parameters: EcsParameters,
        event_bridge_parameters: EventBridgeParameters,
        event_bridge_put_events_v2_parameters: EventBridgePutEventsV2Parameters,
        event_bridge_put_raw_events_parameters: EventBridgePutRawEventsParameters,
        kinesis_parameters: KinesisParameters,
        sage_maker_pipeline_parameters: SageMakerPipelineParameters,
        sqs_parameters: SqsParameters,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    TargetSummary {
        arn: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UntagResourceInput {
        resource_arn: String,
        tag_keys: Vec<String>,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    UntagResourceOutput {
        |
    }
}

structure! {
    ["PascalCase" Deserialize]
    UpdateScheduleInput {
        name: String,
        schedule_expression: String,
        target: Target,
        flexible_time_window: FlexibleTimeWindow,
        |
        group_name: String,
        start_date: Time,
        end_date: Time,
        description: String,
        schedule_expression_timezone: String,
        state: ScheduleState,
        kms_key_arn: String,
        client_token: String,
        action_after_completion: ActionAfterCompletion,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    UpdateScheduleOutput {
        schedule_arn: String,
        |
    }
}

operations! {
    CreateSchedule(CreateScheduleInput) -> CreateScheduleOutput,
    CreateScheduleGroup(CreateScheduleGroupInput) -> CreateScheduleGroupOutput,
    DeleteSchedule(DeleteScheduleInput) -> DeleteScheduleOutput,
    DeleteScheduleGroup(DeleteScheduleGroupInput) -> DeleteScheduleGroupOutput,
    GetSchedule(GetScheduleInput) -> GetScheduleOutput,
    GetScheduleGroup(GetScheduleGroupInput) -> GetScheduleGroupOutput,
    ListScheduleGroups(ListScheduleGroupsInput) -> ListScheduleGroupsOutput,
    ListSchedules(ListSchedulesInput) -> ListSchedulesOutput,
    ListTagsForResource(ListTagsForResourceInput) -> ListTagsForResourceOutput,
    TagResource(TagResourceInput) -> TagResourceOutput,
    UntagResource(UntagResourceInput) -> UntagResourceOutput,
    UpdateSchedule(UpdateScheduleInput) -> UpdateScheduleOutput,
}

errors! {
    CONFLICT_EXCEPTION = "ConflictException" 409,
    INTERNAL_SERVER_EXCEPTION = "InternalServerException" 500,
    RESOURCE_NOT_FOUND_EXCEPTION = "ResourceNotFoundException" 404,
    SERVICE_QUOTA_EXCEEDED_EXCEPTION = "ServiceQuotaExceededException" 402,
    THROTTLING_EXCEPTION = "ThrottlingException" 429,
    VALIDATION_EXCEPTION = "ValidationException" 400,
}
