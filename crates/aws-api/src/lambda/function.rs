//! Functions and versions.

use super::{Blob, StringMap, shape};

shape! {
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
        publish_to: String,
        vpc_config: VpcConfig,
        package_type: String,
        dead_letter_config: DeadLetterConfig,
        environment: Environment,
        #[serde(rename = "KMSKeyArn")]
        kms_key_arn: String,
        tracing_config: TracingConfig,
        tags: StringMap,
        layers: Vec<String>,
        file_system_configs: Vec<serde_json::Value>,
        code_signing_config_arn: String,
        image_config: serde_json::Value,
        architectures: Vec<String>,
        ephemeral_storage: EphemeralStorage,
        snap_start: SnapStart,
        logging_config: LoggingConfig,
        tenancy_config: serde_json::Value,
        capacity_provider_config: serde_json::Value,
        durable_config: serde_json::Value,
        runtime_config: serde_json::Value,
        accelerator_config: serde_json::Value,
    }
}

shape! {
    FunctionCode {
        |
        zip_file: Blob,
        s3_bucket: String,
        s3_key: String,
        s3_object_version: String,
        s3_object_storage_mode: String,
        image_uri: String,
        #[serde(rename = "SourceKMSKeyArn")]
        source_kms_key_arn: String,
    }
}

shape! {
    VpcConfig {
        |
        subnet_ids: Vec<String>,
        security_group_ids: Vec<String>,
        vpc_id: String,
        ipv6_allowed_for_dual_stack: bool,
    }
}

shape! {
    DeadLetterConfig {
        |
        target_arn: String,
    }
}

shape! {
    Environment {
        |
        variables: StringMap,
    }
}

shape! {
    TracingConfig {
        |
        mode: String,
    }
}

shape! {
    EphemeralStorage {
        size: u32,
    }
}

shape! {
    SnapStart {
        |
        apply_on: String,
        optimization_status: String,
    }
}

shape! {
    LoggingConfig {
        |
        log_format: String,
        application_log_level: String,
        system_log_level: String,
        log_group: String,
    }
}

shape! {
    LayerReference {
        arn: String,
        |
        code_size: u64,
    }
}

shape! {
    RuntimeVersionConfig {
        |
        runtime_version_arn: String,
    }
}

shape! {
    FunctionConfiguration {
        |
        function_name: String,
        function_arn: String,
        runtime: String,
        role: String,
        handler: String,
        code_size: u64,
        description: String,
        timeout: u32,
        memory_size: u32,
        last_modified: String,
        code_sha256: String,
        version: String,
        vpc_config: VpcConfig,
        dead_letter_config: DeadLetterConfig,
        environment: Environment,
        #[serde(rename = "KMSKeyArn")]
        kms_key_arn: String,
        tracing_config: TracingConfig,
        revision_id: String,
        layers: Vec<LayerReference>,
        state: String,
        state_reason: String,
        state_reason_code: String,
        last_update_status: String,
        last_update_status_reason: String,
        last_update_status_reason_code: String,
        package_type: String,
        architectures: Vec<String>,
        ephemeral_storage: EphemeralStorage,
        snap_start: SnapStart,
        runtime_version_config: RuntimeVersionConfig,
        logging_config: LoggingConfig,
    }
}

shape! {
    /// Of GetFunction, GetFunctionConfiguration and DeleteFunction.
    FunctionRequest {
        function_name: String,
        |
        qualifier: String,
    }
}

shape! {
    GetFunctionResponse {
        configuration: FunctionConfiguration,
        code: FunctionCodeLocation,
        |
        tags: StringMap,
        concurrency: Concurrency,
    }
}

shape! {
    FunctionCodeLocation {
        |
        repository_type: String,
        location: String,
    }
}

shape! {
    Concurrency {
        |
        reserved_concurrent_executions: u32,
    }
}

shape! {
    UpdateFunctionCodeRequest {
        function_name: String,
        |
        zip_file: Blob,
        s3_bucket: String,
        s3_key: String,
        s3_object_version: String,
        s3_object_storage_mode: String,
        image_uri: String,
        architectures: Vec<String>,
        publish: bool,
        publish_to: String,
        dry_run: bool,
        revision_id: String,
        #[serde(rename = "SourceKMSKeyArn")]
        source_kms_key_arn: String,
    }
}

shape! {
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
        file_system_configs: Vec<serde_json::Value>,
        image_config: serde_json::Value,
        ephemeral_storage: EphemeralStorage,
        snap_start: SnapStart,
        logging_config: LoggingConfig,
        capacity_provider_config: serde_json::Value,
        durable_config: serde_json::Value,
        runtime_config: serde_json::Value,
        accelerator_config: serde_json::Value,
    }
}

shape! {
    ListFunctionsRequest {
        |
        master_region: String,
        function_version: String,
        marker: String,
        max_items: u32,
    }
}

shape! {
    ListFunctionsResponse {
        functions: Vec<FunctionConfiguration>,
        |
        next_marker: String,
    }
}

shape! {
    PublishVersionRequest {
        function_name: String,
        |
        code_sha256: String,
        description: String,
        revision_id: String,
        publish_to: String,
    }
}

shape! {
    /// Of ListVersionsByFunction and ListFunctionEventInvokeConfigs.
    FunctionListRequest {
        function_name: String,
        |
        marker: String,
        max_items: u32,
    }
}

shape! {
    ListVersionsByFunctionResponse {
        versions: Vec<FunctionConfiguration>,
        |
        next_marker: String,
    }
}
