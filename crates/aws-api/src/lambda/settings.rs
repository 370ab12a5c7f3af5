//! Concurrency, asynchronous invocation, account and other settings.

use super::shape;

shape! {
    PutFunctionConcurrencyRequest {
        function_name: String,
        reserved_concurrent_executions: u32,
    }
}

shape! {
    /// Of the operations that take nothing but a function.
    FunctionNameRequest {
        function_name: String,
    }
}

shape! {
    /// Of PutFunctionEventInvokeConfig and UpdateFunctionEventInvokeConfig.
    EventInvokeConfigRequest {
        function_name: String,
        |
        qualifier: String,
        maximum_retry_attempts: u32,
        maximum_event_age_in_seconds: u32,
        destination_config: DestinationConfig,
    }
}

shape! {
    DestinationConfig {
        |
        on_success: Destination,
        on_failure: Destination,
    }
}

shape! {
    Destination {
        |
        destination: String,
    }
}

shape! {
    FunctionEventInvokeConfig {
        /// Seconds since the epoch.
        last_modified: f64,
        function_arn: String,
        destination_config: DestinationConfig,
        |
        maximum_retry_attempts: u32,
        maximum_event_age_in_seconds: u32,
    }
}

shape! {
    ListFunctionEventInvokeConfigsResponse {
        function_event_invoke_configs: Vec<FunctionEventInvokeConfig>,
        |
        next_marker: String,
    }
}

shape! {
    GetAccountSettingsResponse {
        account_limit: AccountLimit,
        account_usage: AccountUsage,
    }
}

shape! {
    AccountLimit {
        total_code_size: u64,
        code_size_unzipped: u64,
        code_size_zipped: u64,
        concurrent_executions: u32,
        unreserved_concurrent_executions: u32,
    }
}

shape! {
    AccountUsage {
        total_code_size: u64,
        function_count: u64,
    }
}

shape! {
    PutRuntimeManagementConfigRequest {
        function_name: String,
        update_runtime_on: String,
        |
        qualifier: String,
        runtime_version_arn: String,
    }
}

shape! {
    RuntimeManagementConfig {
        update_runtime_on: String,
        function_arn: String,
        |
        runtime_version_arn: String,
    }
}

shape! {
    PutFunctionRecursionConfigRequest {
        function_name: String,
        recursive_loop: String,
    }
}

shape! {
    FunctionRecursionConfig {
        recursive_loop: String,
    }
}

shape! {
    PutProvisionedConcurrencyConfigRequest {
        function_name: String,
        provisioned_concurrent_executions: u32,
        |
        qualifier: String,
    }
}

shape! {
    /// Answer of PutProvisionedConcurrencyConfig and GetProvisionedConcurrencyConfig, and an item of the list.
    ProvisionedConcurrencyConfig {
        requested_provisioned_concurrent_executions: u32,
        available_provisioned_concurrent_executions: u32,
        allocated_provisioned_concurrent_executions: u32,
        /// `IN_PROGRESS`, `READY` or `FAILED`.
        status: String,
        last_modified: String,
        |
        /// In lists only.
        function_arn: String,
        status_reason: String,
    }
}

shape! {
    ListProvisionedConcurrencyConfigsResponse {
        provisioned_concurrency_configs: Vec<ProvisionedConcurrencyConfig>,
        |
        next_marker: String,
    }
}
