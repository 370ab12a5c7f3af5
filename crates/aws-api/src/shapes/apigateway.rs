//! Shapes of apigateway 2015-07-09. Made by `cargo xtask models`; do not edit.

use std::collections::BTreeMap;

use crate::shape::{Blob, Time, enumeration, errors, operations, structure};

structure! {
    ["camelCase" Default Serialize]
    AccessLogSettings {
        |
        format: String,
        destination_arn: String,
    }
}

structure! {
    ["camelCase" Default Serialize]
    Account {
        |
        cloudwatch_role_arn: String,
        throttle_settings: ThrottleSettings,
        features: Vec<String>,
        api_key_version: String,
    }
}

structure! {
    ["camelCase" Default Serialize]
    ApiKey {
        |
        id: String,
        value: String,
        name: String,
        customer_id: String,
        description: String,
        enabled: bool,
        created_date: Time,
        last_updated_date: Time,
        stage_keys: Vec<String>,
        tags: BTreeMap<String, String>,
    }
}

structure! {
    ["camelCase" Default Serialize]
    ApiKeyIds {
        |
        ids: Vec<String>,
        warnings: Vec<String>,
    }
}

enumeration! {
    ApiKeySourceType {
        Header = "HEADER",
        Authorizer = "AUTHORIZER",
    }
}

structure! {
    ["camelCase" Default Serialize]
    ApiKeys {
        |
        warnings: Vec<String>,
        position: String,
        items: Vec<ApiKey>,
    }
}

enumeration! {
    ApiKeysFormat {
        Csv = "csv",
    }
}

structure! {
    ["camelCase" Default Deserialize Serialize]
    ApiStage {
        |
        api_id: String,
        stage: String,
        throttle: BTreeMap<String, ThrottleSettings>,
    }
}

enumeration! {
    ApiStatus {
        Updating = "UPDATING",
        Available = "AVAILABLE",
        Pending = "PENDING",
        Failed = "FAILED",
    }
}

structure! {
    ["camelCase" Default Serialize]
    Authorizer {
        |
        id: String,
        name: String,
        r#type: AuthorizerType,
        #[serde(rename = "providerARNs")]
        provider_ar_ns: Vec<String>,
        auth_type: String,
        authorizer_uri: String,
        authorizer_credentials: String,
        identity_source: String,
        identity_validation_expression: String,
        authorizer_result_ttl_in_seconds: i32,
        jwt_configuration: JwtConfiguration,
    }
}

enumeration! {
    AuthorizerType {
        Token = "TOKEN",
        Request = "REQUEST",
        CognitoUserPools = "COGNITO_USER_POOLS",
        Jwt = "JWT",
    }
}

structure! {
    ["camelCase" Default Serialize]
    Authorizers {
        |
        position: String,
        items: Vec<Authorizer>,
    }
}

structure! {
    ["camelCase" Default Serialize]
    BasePathMapping {
        |
        base_path: String,
        rest_api_id: String,
        stage: String,
    }
}

structure! {
    ["camelCase" Default Serialize]
    BasePathMappings {
        |
        position: String,
        items: Vec<BasePathMapping>,
    }
}

enumeration! {
    CacheClusterSize {
        V0_5 = "0.5",
        V1_6 = "1.6",
        V6_1 = "6.1",
        V13_5 = "13.5",
        V28_4 = "28.4",
        V58_2 = "58.2",
        V118 = "118",
        V237 = "237",
    }
}

enumeration! {
    CacheClusterStatus {
        CreateInProgress = "CREATE_IN_PROGRESS",
        Available = "AVAILABLE",
        DeleteInProgress = "DELETE_IN_PROGRESS",
        NotAvailable = "NOT_AVAILABLE",
        FlushInProgress = "FLUSH_IN_PROGRESS",
    }
}

structure! {
    ["camelCase" Default Deserialize Serialize]
    CanarySettings {
        |
        percent_traffic: f64,
        deployment_id: String,
        stage_variable_overrides: BTreeMap<String, String>,
        use_stage_cache: bool,
    }
}

enumeration! {
    ConnectionType {
        Internet = "INTERNET",
        VpcLink = "VPC_LINK",
    }
}

enumeration! {
    ContentHandlingStrategy {
        ConvertToBinary = "CONVERT_TO_BINARY",
        ConvertToText = "CONVERT_TO_TEXT",
    }
}

structure! {
    ["camelCase" Default Deserialize]
    CreateApiKeyRequest {
        |
        name: String,
        description: String,
        enabled: bool,
        generate_distinct_id: bool,
        value: String,
        stage_keys: Vec<StageKey>,
        customer_id: String,
        tags: BTreeMap<String, String>,
    }
}

structure! {
    ["camelCase" Deserialize]
    CreateAuthorizerRequest {
        rest_api_id: String,
        name: String,
        r#type: AuthorizerType,
        |
        #[serde(rename = "providerARNs")]
        provider_ar_ns: Vec<String>,
        auth_type: String,
        authorizer_uri: String,
        authorizer_credentials: String,
        identity_source: String,
        identity_validation_expression: String,
        authorizer_result_ttl_in_seconds: i32,
        jwt_configuration: JwtConfigurationInput,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    CreateBasePathMappingRequest {
        domain_name: String,
        rest_api_id: String,
        |
        domain_name_id: String,
        base_path: String,
        stage: String,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    CreateDeploymentRequest {
        rest_api_id: String,
        |
        stage_name: String,
        stage_description: String,
        description: String,
        cache_cluster_enabled: bool,
        cache_cluster_size: CacheClusterSize,
        variables: BTreeMap<String, String>,
        canary_settings: DeploymentCanarySettings,
        tracing_enabled: bool,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    CreateDomainNameRequest {
        domain_name: String,
        |
        certificate_name: String,
        certificate_body: String,
        certificate_private_key: String,
        certificate_chain: String,
        certificate_arn: String,
        regional_certificate_name: String,
        regional_certificate_arn: String,
        endpoint_configuration: EndpointConfiguration,
        tags: BTreeMap<String, String>,
        security_policy: SecurityPolicy,
        endpoint_access_mode: EndpointAccessMode,
        mutual_tls_authentication: MutualTlsAuthenticationInput,
        ownership_verification_certificate_arn: String,
        policy: String,
        routing_mode: RoutingMode,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    CreateModelRequest {
        rest_api_id: String,
        name: String,
        content_type: String,
        |
        description: String,
        schema: String,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    CreateRequestValidatorRequest {
        rest_api_id: String,
        |
        name: String,
        validate_request_body: bool,
        validate_request_parameters: bool,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    CreateResourceRequest {
        rest_api_id: String,
        parent_id: String,
        path_part: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    CreateRestApiRequest {
        name: String,
        |
        description: String,
        version: String,
        clone_from: String,
        binary_media_types: Vec<String>,
        minimum_compression_size: i32,
        api_key_source: ApiKeySourceType,
        endpoint_configuration: EndpointConfiguration,
        policy: String,
        tags: BTreeMap<String, String>,
        disable_execute_api_endpoint: bool,
        security_policy: SecurityPolicy,
        endpoint_access_mode: EndpointAccessMode,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    CreateStageRequest {
        rest_api_id: String,
        stage_name: String,
        deployment_id: String,
        |
        description: String,
        cache_cluster_enabled: bool,
        cache_cluster_size: CacheClusterSize,
        variables: BTreeMap<String, String>,
        documentation_version: String,
        canary_settings: CanarySettings,
        tracing_enabled: bool,
        tags: BTreeMap<String, String>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    CreateUsagePlanKeyRequest {
        usage_plan_id: String,
        key_id: String,
        key_type: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    CreateUsagePlanRequest {
        name: String,
        |
        description: String,
        api_stages: Vec<ApiStage>,
        throttle: ThrottleSettings,
        quota: QuotaSettings,
        tags: BTreeMap<String, String>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DeleteApiKeyRequest {
        api_key: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DeleteAuthorizerRequest {
        rest_api_id: String,
        authorizer_id: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DeleteBasePathMappingRequest {
        domain_name: String,
        base_path: String,
        |
        domain_name_id: String,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DeleteDeploymentRequest {
        rest_api_id: String,
        deployment_id: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DeleteDomainNameRequest {
        domain_name: String,
        |
        domain_name_id: String,
    }
}

structure! {
    ["camelCase" Deserialize]
    DeleteGatewayResponseRequest {
        rest_api_id: String,
        response_type: GatewayResponseType,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DeleteIntegrationRequest {
        rest_api_id: String,
        resource_id: String,
        http_method: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DeleteIntegrationResponseRequest {
        rest_api_id: String,
        resource_id: String,
        http_method: String,
        status_code: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DeleteMethodRequest {
        rest_api_id: String,
        resource_id: String,
        http_method: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DeleteMethodResponseRequest {
        rest_api_id: String,
        resource_id: String,
        http_method: String,
        status_code: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DeleteModelRequest {
        rest_api_id: String,
        model_name: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DeleteRequestValidatorRequest {
        rest_api_id: String,
        request_validator_id: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DeleteResourceRequest {
        rest_api_id: String,
        resource_id: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DeleteRestApiRequest {
        rest_api_id: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DeleteStageRequest {
        rest_api_id: String,
        stage_name: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DeleteUsagePlanKeyRequest {
        usage_plan_id: String,
        key_id: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DeleteUsagePlanRequest {
        usage_plan_id: String,
        |
    }
}

structure! {
    ["camelCase" Default Serialize]
    Deployment {
        |
        id: String,
        description: String,
        created_date: Time,
        api_summary: BTreeMap<String, BTreeMap<String, MethodSnapshot>>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    DeploymentCanarySettings {
        |
        percent_traffic: f64,
        stage_variable_overrides: BTreeMap<String, String>,
        use_stage_cache: bool,
    }
}

structure! {
    ["camelCase" Default Serialize]
    Deployments {
        |
        position: String,
        items: Vec<Deployment>,
    }
}

structure! {
    ["camelCase" Default Serialize]
    DomainName {
        |
        domain_name: String,
        domain_name_id: String,
        domain_name_arn: String,
        certificate_name: String,
        certificate_arn: String,
        certificate_upload_date: Time,
        regional_domain_name: String,
        regional_hosted_zone_id: String,
        regional_certificate_name: String,
        regional_certificate_arn: String,
        distribution_domain_name: String,
        distribution_hosted_zone_id: String,
        endpoint_configuration: EndpointConfiguration,
        domain_name_status: DomainNameStatus,
        domain_name_status_message: String,
        security_policy: SecurityPolicy,
        endpoint_access_mode: EndpointAccessMode,
        tags: BTreeMap<String, String>,
        mutual_tls_authentication: MutualTlsAuthentication,
        ownership_verification_certificate_arn: String,
        management_policy: String,
        policy: String,
        routing_mode: RoutingMode,
    }
}

enumeration! {
    DomainNameStatus {
        Available = "AVAILABLE",
        Updating = "UPDATING",
        Pending = "PENDING",
        PendingCertificateReimport = "PENDING_CERTIFICATE_REIMPORT",
        PendingOwnershipVerification = "PENDING_OWNERSHIP_VERIFICATION",
        Failed = "FAILED",
    }
}

structure! {
    ["camelCase" Default Serialize]
    DomainNames {
        |
        position: String,
        items: Vec<DomainName>,
    }
}

enumeration! {
    EndpointAccessMode {
        Basic = "BASIC",
        Strict = "STRICT",
    }
}

structure! {
    ["camelCase" Default Deserialize Serialize]
    EndpointConfiguration {
        |
        types: Vec<EndpointType>,
        ip_address_type: IpAddressType,
        vpc_endpoint_ids: Vec<String>,
    }
}

enumeration! {
    EndpointType {
        Regional = "REGIONAL",
        Edge = "EDGE",
        Private = "PRIVATE",
    }
}

structure! {
    ["camelCase" Default Serialize]
    ExportResponse {
        |
        content_type: String,
        content_disposition: String,
        body: Blob,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    FlushStageAuthorizersCacheRequest {
        rest_api_id: String,
        stage_name: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    FlushStageCacheRequest {
        rest_api_id: String,
        stage_name: String,
        |
    }
}

structure! {
    ["camelCase" Default Serialize]
    GatewayResponse {
        |
        response_type: GatewayResponseType,
        status_code: String,
        response_parameters: BTreeMap<String, String>,
        response_templates: BTreeMap<String, String>,
        default_response: bool,
    }
}

enumeration! {
    GatewayResponseType {
        Default4xx = "DEFAULT_4XX",
        Default5xx = "DEFAULT_5XX",
        ResourceNotFound = "RESOURCE_NOT_FOUND",
        Unauthorized = "UNAUTHORIZED",
        InvalidApiKey = "INVALID_API_KEY",
        AccessDenied = "ACCESS_DENIED",
        AuthorizerFailure = "AUTHORIZER_FAILURE",
        AuthorizerConfigurationError = "AUTHORIZER_CONFIGURATION_ERROR",
        InvalidSignature = "INVALID_SIGNATURE",
        ExpiredToken = "EXPIRED_TOKEN",
        MissingAuthenticationToken = "MISSING_AUTHENTICATION_TOKEN",
        IntegrationFailure = "INTEGRATION_FAILURE",
        IntegrationTimeout = "INTEGRATION_TIMEOUT",
        ApiConfigurationError = "API_CONFIGURATION_ERROR",
        UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE",
        BadRequestParameters = "BAD_REQUEST_PARAMETERS",
        BadRequestBody = "BAD_REQUEST_BODY",
        RequestTooLarge = "REQUEST_TOO_LARGE",
        Throttled = "THROTTLED",
        QuotaExceeded = "QUOTA_EXCEEDED",
        WafFiltered = "WAF_FILTERED",
    }
}

structure! {
    ["camelCase" Default Serialize]
    GatewayResponses {
        |
        position: String,
        items: Vec<GatewayResponse>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetAccountRequest {
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetApiKeyRequest {
        api_key: String,
        |
        include_value: bool,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetApiKeysRequest {
        |
        position: String,
        limit: i32,
        name_query: String,
        customer_id: String,
        include_values: bool,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetAuthorizerRequest {
        rest_api_id: String,
        authorizer_id: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetAuthorizersRequest {
        rest_api_id: String,
        |
        position: String,
        limit: i32,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetBasePathMappingRequest {
        domain_name: String,
        base_path: String,
        |
        domain_name_id: String,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetBasePathMappingsRequest {
        domain_name: String,
        |
        domain_name_id: String,
        position: String,
        limit: i32,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetDeploymentRequest {
        rest_api_id: String,
        deployment_id: String,
        |
        embed: Vec<String>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetDeploymentsRequest {
        rest_api_id: String,
        |
        position: String,
        limit: i32,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetDomainNameRequest {
        domain_name: String,
        |
        domain_name_id: String,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetDomainNamesRequest {
        |
        position: String,
        limit: i32,
        resource_owner: ResourceOwner,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetExportRequest {
        rest_api_id: String,
        stage_name: String,
        export_type: String,
        |
        parameters: BTreeMap<String, String>,
        accepts: String,
    }
}

structure! {
    ["camelCase" Deserialize]
    GetGatewayResponseRequest {
        rest_api_id: String,
        response_type: GatewayResponseType,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetGatewayResponsesRequest {
        rest_api_id: String,
        |
        position: String,
        limit: i32,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetIntegrationRequest {
        rest_api_id: String,
        resource_id: String,
        http_method: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetIntegrationResponseRequest {
        rest_api_id: String,
        resource_id: String,
        http_method: String,
        status_code: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetMethodRequest {
        rest_api_id: String,
        resource_id: String,
        http_method: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetMethodResponseRequest {
        rest_api_id: String,
        resource_id: String,
        http_method: String,
        status_code: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetModelRequest {
        rest_api_id: String,
        model_name: String,
        |
        flatten: bool,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetModelTemplateRequest {
        rest_api_id: String,
        model_name: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetModelsRequest {
        rest_api_id: String,
        |
        position: String,
        limit: i32,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetRequestValidatorRequest {
        rest_api_id: String,
        request_validator_id: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetRequestValidatorsRequest {
        rest_api_id: String,
        |
        position: String,
        limit: i32,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetResourceRequest {
        rest_api_id: String,
        resource_id: String,
        |
        embed: Vec<String>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetResourcesRequest {
        rest_api_id: String,
        |
        position: String,
        limit: i32,
        embed: Vec<String>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetRestApiRequest {
        rest_api_id: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetRestApisRequest {
        |
        position: String,
        limit: i32,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetStageRequest {
        rest_api_id: String,
        stage_name: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetStagesRequest {
        rest_api_id: String,
        |
        deployment_id: String,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetTagsRequest {
        resource_arn: String,
        |
        position: String,
        limit: i32,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetUsagePlanKeyRequest {
        usage_plan_id: String,
        key_id: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetUsagePlanKeysRequest {
        usage_plan_id: String,
        |
        position: String,
        limit: i32,
        name_query: String,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetUsagePlanRequest {
        usage_plan_id: String,
        |
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetUsagePlansRequest {
        |
        position: String,
        key_id: String,
        limit: i32,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    GetUsageRequest {
        usage_plan_id: String,
        start_date: String,
        end_date: String,
        |
        key_id: String,
        position: String,
        limit: i32,
    }
}

structure! {
    ["camelCase" Deserialize]
    ImportApiKeysRequest {
        body: Blob,
        format: ApiKeysFormat,
        |
        fail_on_warnings: bool,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    ImportRestApiRequest {
        body: Blob,
        |
        fail_on_warnings: bool,
        parameters: BTreeMap<String, String>,
    }
}

structure! {
    ["camelCase" Default Serialize]
    Integration {
        |
        r#type: IntegrationType,
        http_method: String,
        uri: String,
        connection_type: ConnectionType,
        connection_id: String,
        credentials: String,
        request_parameters: BTreeMap<String, String>,
        request_templates: BTreeMap<String, String>,
        passthrough_behavior: String,
        content_handling: ContentHandlingStrategy,
        timeout_in_millis: i32,
        cache_namespace: String,
        cache_key_parameters: Vec<String>,
        integration_responses: BTreeMap<String, IntegrationResponse>,
        tls_config: TlsConfig,
        response_transfer_mode: ResponseTransferMode,
        integration_target: String,
    }
}

structure! {
    ["camelCase" Default Serialize]
    IntegrationResponse {
        |
        status_code: String,
        selection_pattern: String,
        response_parameters: BTreeMap<String, String>,
        response_templates: BTreeMap<String, String>,
        content_handling: ContentHandlingStrategy,
    }
}

enumeration! {
    IntegrationType {
        Http = "HTTP",
        Aws = "AWS",
        Mock = "MOCK",
        HttpProxy = "HTTP_PROXY",
        AwsProxy = "AWS_PROXY",
    }
}

enumeration! {
    IpAddressType {
        Ipv4 = "ipv4",
        Dualstack = "dualstack",
    }
}

structure! {
    ["camelCase" Deserialize Serialize]
    JwtAdditionalClaim {
        claim_name: String,
        format: JwtClaimFormat,
        |
        required: bool,
        expected_values: Vec<String>,
    }
}

enumeration! {
    JwtClaimFormat {
        SingleString = "SINGLE_STRING",
    }
}

structure! {
    ["camelCase" Default Serialize]
    JwtConfiguration {
        |
        issuers: Vec<JwtIssuer>,
        default_algorithms: Vec<JwtSigningAlgorithm>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    JwtConfigurationInput {
        issuers: Vec<JwtIssuerInput>,
        default_algorithms: Vec<JwtSigningAlgorithm>,
        |
    }
}

structure! {
    ["camelCase" Default Serialize]
    JwtIssuer {
        |
        issuer: String,
        audiences: Vec<String>,
        additional_claims: Vec<JwtAdditionalClaim>,
        jwks_uri: String,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    JwtIssuerInput {
        issuer: String,
        audiences: Vec<String>,
        |
        additional_claims: Vec<JwtAdditionalClaim>,
    }
}

enumeration! {
    JwtSigningAlgorithm {
        Rs256 = "RS256",
        Rs384 = "RS384",
        Rs512 = "RS512",
        Es256 = "ES256",
        Es384 = "ES384",
        Es512 = "ES512",
    }
}

structure! {
    ["camelCase" Default Serialize]
    Method {
        |
        http_method: String,
        authorization_type: String,
        authorizer_id: String,
        api_key_required: bool,
        request_validator_id: String,
        operation_name: String,
        request_parameters: BTreeMap<String, bool>,
        request_models: BTreeMap<String, String>,
        method_responses: BTreeMap<String, MethodResponse>,
        method_integration: Integration,
        authorization_scopes: Vec<String>,
    }
}

structure! {
    ["camelCase" Default Serialize]
    MethodResponse {
        |
        status_code: String,
        response_parameters: BTreeMap<String, bool>,
        response_models: BTreeMap<String, String>,
    }
}

structure! {
    ["camelCase" Default Serialize]
    MethodSetting {
        |
        metrics_enabled: bool,
        logging_level: String,
        data_trace_enabled: bool,
        throttling_burst_limit: i32,
        throttling_rate_limit: f64,
        caching_enabled: bool,
        cache_ttl_in_seconds: i32,
        cache_data_encrypted: bool,
        require_authorization_for_cache_control: bool,
        unauthorized_cache_control_header_strategy: UnauthorizedCacheControlHeaderStrategy,
    }
}

structure! {
    ["camelCase" Default Serialize]
    MethodSnapshot {
        |
        authorization_type: String,
        api_key_required: bool,
    }
}

structure! {
    ["camelCase" Default Serialize]
    Model {
        |
        id: String,
        name: String,
        description: String,
        schema: String,
        content_type: String,
    }
}

structure! {
    ["camelCase" Default Serialize]
    Models {
        |
        position: String,
        items: Vec<Model>,
    }
}

structure! {
    ["camelCase" Default Serialize]
    MutualTlsAuthentication {
        |
        truststore_uri: String,
        truststore_version: String,
        truststore_warnings: Vec<String>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    MutualTlsAuthenticationInput {
        |
        truststore_uri: String,
        truststore_version: String,
    }
}

enumeration! {
    Op {
        Add = "add",
        Remove = "remove",
        Replace = "replace",
        Move = "move",
        Copy = "copy",
        Test = "test",
    }
}

structure! {
    ["camelCase" Default Deserialize]
    PatchOperation {
        |
        op: Op,
        path: String,
        value: String,
        from: String,
    }
}

structure! {
    ["camelCase" Deserialize]
    PutGatewayResponseRequest {
        rest_api_id: String,
        response_type: GatewayResponseType,
        |
        status_code: String,
        response_parameters: BTreeMap<String, String>,
        response_templates: BTreeMap<String, String>,
    }
}

structure! {
    ["camelCase" Deserialize]
    PutIntegrationRequest {
        rest_api_id: String,
        resource_id: String,
        http_method: String,
        r#type: IntegrationType,
        |
        integration_http_method: String,
        uri: String,
        connection_type: ConnectionType,
        connection_id: String,
        credentials: String,
        request_parameters: BTreeMap<String, String>,
        request_templates: BTreeMap<String, String>,
        passthrough_behavior: String,
        cache_namespace: String,
        cache_key_parameters: Vec<String>,
        content_handling: ContentHandlingStrategy,
        timeout_in_millis: i32,
        tls_config: TlsConfig,
        response_transfer_mode: ResponseTransferMode,
        integration_target: String,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    PutIntegrationResponseRequest {
        rest_api_id: String,
        resource_id: String,
        http_method: String,
        status_code: String,
        |
        selection_pattern: String,
        response_parameters: BTreeMap<String, String>,
        response_templates: BTreeMap<String, String>,
        content_handling: ContentHandlingStrategy,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    PutMethodRequest {
        rest_api_id: String,
        resource_id: String,
        http_method: String,
        authorization_type: String,
        |
        authorizer_id: String,
        api_key_required: bool,
        operation_name: String,
        request_parameters: BTreeMap<String, bool>,
        request_models: BTreeMap<String, String>,
        request_validator_id: String,
        authorization_scopes: Vec<String>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    PutMethodResponseRequest {
        rest_api_id: String,
        resource_id: String,
        http_method: String,
        status_code: String,
        |
        response_parameters: BTreeMap<String, bool>,
        response_models: BTreeMap<String, String>,
    }
}

enumeration! {
    PutMode {
        Merge = "merge",
        Overwrite = "overwrite",
    }
}

structure! {
    ["camelCase" Default Deserialize]
    PutRestApiRequest {
        rest_api_id: String,
        body: Blob,
        |
        mode: PutMode,
        fail_on_warnings: bool,
        parameters: BTreeMap<String, String>,
    }
}

enumeration! {
    QuotaPeriodType {
        Day = "DAY",
        Week = "WEEK",
        Month = "MONTH",
    }
}

structure! {
    ["camelCase" Default Deserialize Serialize]
    QuotaSettings {
        |
        limit: i32,
        offset: i32,
        period: QuotaPeriodType,
    }
}

structure! {
    ["camelCase" Default Serialize]
    RequestValidator {
        |
        id: String,
        name: String,
        validate_request_body: bool,
        validate_request_parameters: bool,
    }
}

structure! {
    ["camelCase" Default Serialize]
    RequestValidators {
        |
        position: String,
        items: Vec<RequestValidator>,
    }
}

structure! {
    ["camelCase" Default Serialize]
    Resource {
        |
        id: String,
        parent_id: String,
        path_part: String,
        path: String,
        resource_methods: BTreeMap<String, Method>,
    }
}

enumeration! {
    ResourceOwner {
        Itself = "SELF",
        OtherAccounts = "OTHER_ACCOUNTS",
    }
}

structure! {
    ["camelCase" Default Serialize]
    Resources {
        |
        position: String,
        items: Vec<Resource>,
    }
}

enumeration! {
    ResponseTransferMode {
        Buffered = "BUFFERED",
        Stream = "STREAM",
    }
}

structure! {
    ["camelCase" Default Serialize]
    RestApi {
        |
        id: String,
        name: String,
        description: String,
        created_date: Time,
        version: String,
        warnings: Vec<String>,
        binary_media_types: Vec<String>,
        minimum_compression_size: i32,
        api_key_source: ApiKeySourceType,
        endpoint_configuration: EndpointConfiguration,
        policy: String,
        tags: BTreeMap<String, String>,
        disable_execute_api_endpoint: bool,
        root_resource_id: String,
        security_policy: SecurityPolicy,
        endpoint_access_mode: EndpointAccessMode,
        api_status: ApiStatus,
        api_status_message: String,
    }
}

structure! {
    ["camelCase" Default Serialize]
    RestApis {
        |
        position: String,
        items: Vec<RestApi>,
    }
}

enumeration! {
    RoutingMode {
        BasePathMappingOnly = "BASE_PATH_MAPPING_ONLY",
        RoutingRuleOnly = "ROUTING_RULE_ONLY",
        RoutingRuleThenBasePathMapping = "ROUTING_RULE_THEN_BASE_PATH_MAPPING",
    }
}

enumeration! {
    SecurityPolicy {
        Tls1_0 = "TLS_1_0",
        Tls1_2 = "TLS_1_2",
        SecurityPolicyTls13_1_3_2025_09 = "SecurityPolicy_TLS13_1_3_2025_09",
        SecurityPolicyTls13_1_3Fips2025_09 = "SecurityPolicy_TLS13_1_3_FIPS_2025_09",
        SecurityPolicyTls13_1_2PfsPq2025_09 = "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09",
        SecurityPolicyTls13_1_2FipsPq2025_09 = "SecurityPolicy_TLS13_1_2_FIPS_PQ_2025_09",
        SecurityPolicyTls13_1_2FipsPfsPq2025_09 = "SecurityPolicy_TLS13_1_2_FIPS_PFS_PQ_2025_09",
        SecurityPolicyTls13_1_2Ext2Pq2025_09 = "SecurityPolicy_TLS13_1_2_Ext2_PQ_2025_09",
        SecurityPolicyTls13_1_2Ext2FipsPq2025_09 = "SecurityPolicy_TLS13_1_2_Ext2_FIPS_PQ_2025_09",
        SecurityPolicyTls13_1_2Pq2025_09 = "SecurityPolicy_TLS13_1_2_PQ_2025_09",
        SecurityPolicyTls13_1_2_2021_06 = "SecurityPolicy_TLS13_1_2_2021_06",
        SecurityPolicyTls13_2025Edge = "SecurityPolicy_TLS13_2025_EDGE",
        SecurityPolicyTls12Pfs2025Edge = "SecurityPolicy_TLS12_PFS_2025_EDGE",
        SecurityPolicyTls12_2018Edge = "SecurityPolicy_TLS12_2018_EDGE",
    }
}

structure! {
    ["camelCase" Default Serialize]
    Stage {
        |
        deployment_id: String,
        client_certificate_id: String,
        stage_name: String,
        description: String,
        cache_cluster_enabled: bool,
        cache_cluster_size: CacheClusterSize,
        cache_cluster_status: CacheClusterStatus,
        method_settings: BTreeMap<String, MethodSetting>,
        variables: BTreeMap<String, String>,
        documentation_version: String,
        access_log_settings: AccessLogSettings,
        canary_settings: CanarySettings,
        tracing_enabled: bool,
        web_acl_arn: String,
        tags: BTreeMap<String, String>,
        created_date: Time,
        last_updated_date: Time,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    StageKey {
        |
        rest_api_id: String,
        stage_name: String,
    }
}

structure! {
    ["camelCase" Default Serialize]
    Stages {
        |
        item: Vec<Stage>,
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
    ["camelCase" Default Serialize]
    Tags {
        |
        tags: BTreeMap<String, String>,
    }
}

structure! {
    ["camelCase" Default Serialize]
    Template {
        |
        value: String,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    TestInvokeAuthorizerRequest {
        rest_api_id: String,
        authorizer_id: String,
        |
        headers: BTreeMap<String, String>,
        multi_value_headers: BTreeMap<String, Vec<String>>,
        path_with_query_string: String,
        body: String,
        stage_variables: BTreeMap<String, String>,
        additional_context: BTreeMap<String, String>,
    }
}

structure! {
    ["camelCase" Default Serialize]
    TestInvokeAuthorizerResponse {
        |
        client_status: i32,
        log: String,
        latency: u64,
        principal_id: String,
        policy: String,
        authorization: BTreeMap<String, Vec<String>>,
        claims: BTreeMap<String, String>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    TestInvokeMethodRequest {
        rest_api_id: String,
        resource_id: String,
        http_method: String,
        |
        path_with_query_string: String,
        body: String,
        headers: BTreeMap<String, String>,
        multi_value_headers: BTreeMap<String, Vec<String>>,
        client_certificate_id: String,
        stage_variables: BTreeMap<String, String>,
    }
}

structure! {
    ["camelCase" Default Serialize]
    TestInvokeMethodResponse {
        |
        status: i32,
        body: String,
        headers: BTreeMap<String, String>,
        multi_value_headers: BTreeMap<String, Vec<String>>,
        log: String,
        latency: u64,
    }
}

structure! {
    ["camelCase" Default Deserialize Serialize]
    ThrottleSettings {
        |
        burst_limit: i32,
        rate_limit: f64,
    }
}

structure! {
    ["camelCase" Default Deserialize Serialize]
    TlsConfig {
        |
        insecure_skip_verification: bool,
    }
}

enumeration! {
    UnauthorizedCacheControlHeaderStrategy {
        FailWith403 = "FAIL_WITH_403",
        SucceedWithResponseHeader = "SUCCEED_WITH_RESPONSE_HEADER",
        SucceedWithoutResponseHeader = "SUCCEED_WITHOUT_RESPONSE_HEADER",
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

structure! {
    ["camelCase" Default Deserialize]
    UpdateAccountRequest {
        |
        patch_operations: Vec<PatchOperation>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    UpdateApiKeyRequest {
        api_key: String,
        |
        patch_operations: Vec<PatchOperation>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    UpdateAuthorizerRequest {
        rest_api_id: String,
        authorizer_id: String,
        |
        patch_operations: Vec<PatchOperation>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    UpdateBasePathMappingRequest {
        domain_name: String,
        base_path: String,
        |
        domain_name_id: String,
        patch_operations: Vec<PatchOperation>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    UpdateDeploymentRequest {
        rest_api_id: String,
        deployment_id: String,
        |
        patch_operations: Vec<PatchOperation>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    UpdateDomainNameRequest {
        domain_name: String,
        |
        domain_name_id: String,
        patch_operations: Vec<PatchOperation>,
    }
}

structure! {
    ["camelCase" Deserialize]
    UpdateGatewayResponseRequest {
        rest_api_id: String,
        response_type: GatewayResponseType,
        |
        patch_operations: Vec<PatchOperation>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    UpdateIntegrationRequest {
        rest_api_id: String,
        resource_id: String,
        http_method: String,
        |
        patch_operations: Vec<PatchOperation>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    UpdateIntegrationResponseRequest {
        rest_api_id: String,
        resource_id: String,
        http_method: String,
        status_code: String,
        |
        patch_operations: Vec<PatchOperation>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    UpdateMethodRequest {
        rest_api_id: String,
        resource_id: String,
        http_method: String,
        |
        patch_operations: Vec<PatchOperation>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    UpdateMethodResponseRequest {
        rest_api_id: String,
        resource_id: String,
        http_method: String,
        status_code: String,
        |
        patch_operations: Vec<PatchOperation>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    UpdateModelRequest {
        rest_api_id: String,
        model_name: String,
        |
        patch_operations: Vec<PatchOperation>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    UpdateRequestValidatorRequest {
        rest_api_id: String,
        request_validator_id: String,
        |
        patch_operations: Vec<PatchOperation>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    UpdateResourceRequest {
        rest_api_id: String,
        resource_id: String,
        |
        patch_operations: Vec<PatchOperation>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    UpdateRestApiRequest {
        rest_api_id: String,
        |
        patch_operations: Vec<PatchOperation>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    UpdateStageRequest {
        rest_api_id: String,
        stage_name: String,
        |
        patch_operations: Vec<PatchOperation>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    UpdateUsagePlanRequest {
        usage_plan_id: String,
        |
        patch_operations: Vec<PatchOperation>,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    UpdateUsageRequest {
        usage_plan_id: String,
        key_id: String,
        |
        patch_operations: Vec<PatchOperation>,
    }
}

structure! {
    ["camelCase" Default Serialize]
    Usage {
        |
        usage_plan_id: String,
        start_date: String,
        end_date: String,
        position: String,
        items: BTreeMap<String, Vec<Vec<u64>>>,
    }
}

structure! {
    ["camelCase" Default Serialize]
    UsagePlan {
        |
        id: String,
        name: String,
        description: String,
        api_stages: Vec<ApiStage>,
        throttle: ThrottleSettings,
        quota: QuotaSettings,
        product_code: String,
        tags: BTreeMap<String, String>,
    }
}

structure! {
    ["camelCase" Default Serialize]
    UsagePlanKey {
        |
        id: String,
        r#type: String,
        value: String,
        name: String,
    }
}

structure! {
    ["camelCase" Default Serialize]
    UsagePlanKeys {
        |
        position: String,
        items: Vec<UsagePlanKey>,
    }
}

structure! {
    ["camelCase" Default Serialize]
    UsagePlans {
        |
        position: String,
        items: Vec<UsagePlan>,
    }
}

operations! {
    CreateApiKey(CreateApiKeyRequest) -> ApiKey,
    CreateAuthorizer(CreateAuthorizerRequest) -> Authorizer,
    CreateBasePathMapping(CreateBasePathMappingRequest) -> BasePathMapping,
    CreateDeployment(CreateDeploymentRequest) -> Deployment,
    CreateDomainName(CreateDomainNameRequest) -> DomainName,
    CreateModel(CreateModelRequest) -> Model,
    CreateRequestValidator(CreateRequestValidatorRequest) -> RequestValidator,
    CreateResource(CreateResourceRequest) -> Resource,
    CreateRestApi(CreateRestApiRequest) -> RestApi,
    CreateStage(CreateStageRequest) -> Stage,
    CreateUsagePlan(CreateUsagePlanRequest) -> UsagePlan,
    CreateUsagePlanKey(CreateUsagePlanKeyRequest) -> UsagePlanKey,
    DeleteApiKey(DeleteApiKeyRequest) -> (),
    DeleteAuthorizer(DeleteAuthorizerRequest) -> (),
    DeleteBasePathMapping(DeleteBasePathMappingRequest) -> (),
    DeleteDeployment(DeleteDeploymentRequest) -> (),
    DeleteDomainName(DeleteDomainNameRequest) -> (),
    DeleteGatewayResponse(DeleteGatewayResponseRequest) -> (),
    DeleteIntegration(DeleteIntegrationRequest) -> (),
    DeleteIntegrationResponse(DeleteIntegrationResponseRequest) -> (),
    DeleteMethod(DeleteMethodRequest) -> (),
    DeleteMethodResponse(DeleteMethodResponseRequest) -> (),
    DeleteModel(DeleteModelRequest) -> (),
    DeleteRequestValidator(DeleteRequestValidatorRequest) -> (),
    DeleteResource(DeleteResourceRequest) -> (),
    DeleteRestApi(DeleteRestApiRequest) -> (),
    DeleteStage(DeleteStageRequest) -> (),
    DeleteUsagePlan(DeleteUsagePlanRequest) -> (),
    DeleteUsagePlanKey(DeleteUsagePlanKeyRequest) -> (),
    FlushStageAuthorizersCache(FlushStageAuthorizersCacheRequest) -> (),
    FlushStageCache(FlushStageCacheRequest) -> (),
    GetAccount(GetAccountRequest) -> Account,
    GetApiKey(GetApiKeyRequest) -> ApiKey,
    GetApiKeys(GetApiKeysRequest) -> ApiKeys,
    GetAuthorizer(GetAuthorizerRequest) -> Authorizer,
    GetAuthorizers(GetAuthorizersRequest) -> Authorizers,
    GetBasePathMapping(GetBasePathMappingRequest) -> BasePathMapping,
    GetBasePathMappings(GetBasePathMappingsRequest) -> BasePathMappings,
    GetDeployment(GetDeploymentRequest) -> Deployment,
    GetDeployments(GetDeploymentsRequest) -> Deployments,
    GetDomainName(GetDomainNameRequest) -> DomainName,
    GetDomainNames(GetDomainNamesRequest) -> DomainNames,
    GetExport(GetExportRequest) -> ExportResponse,
    GetGatewayResponse(GetGatewayResponseRequest) -> GatewayResponse,
    GetGatewayResponses(GetGatewayResponsesRequest) -> GatewayResponses,
    GetIntegration(GetIntegrationRequest) -> Integration,
    GetIntegrationResponse(GetIntegrationResponseRequest) -> IntegrationResponse,
    GetMethod(GetMethodRequest) -> Method,
    GetMethodResponse(GetMethodResponseRequest) -> MethodResponse,
    GetModel(GetModelRequest) -> Model,
    GetModelTemplate(GetModelTemplateRequest) -> Template,
    GetModels(GetModelsRequest) -> Models,
    GetRequestValidator(GetRequestValidatorRequest) -> RequestValidator,
    GetRequestValidators(GetRequestValidatorsRequest) -> RequestValidators,
    GetResource(GetResourceRequest) -> Resource,
    GetResources(GetResourcesRequest) -> Resources,
    GetRestApi(GetRestApiRequest) -> RestApi,
    GetRestApis(GetRestApisRequest) -> RestApis,
    GetStage(GetStageRequest) -> Stage,
    GetStages(GetStagesRequest) -> Stages,
    GetTags(GetTagsRequest) -> Tags,
    GetUsage(GetUsageRequest) -> Usage,
    GetUsagePlan(GetUsagePlanRequest) -> UsagePlan,
    GetUsagePlanKey(GetUsagePlanKeyRequest) -> UsagePlanKey,
    GetUsagePlanKeys(GetUsagePlanKeysRequest) -> UsagePlanKeys,
    GetUsagePlans(GetUsagePlansRequest) -> UsagePlans,
    ImportApiKeys(ImportApiKeysRequest) -> ApiKeyIds,
    ImportRestApi(ImportRestApiRequest) -> RestApi,
    PutGatewayResponse(PutGatewayResponseRequest) -> GatewayResponse,
    PutIntegration(PutIntegrationRequest) -> Integration,
    PutIntegrationResponse(PutIntegrationResponseRequest) -> IntegrationResponse,
    PutMethod(PutMethodRequest) -> Method,
    PutMethodResponse(PutMethodResponseRequest) -> MethodResponse,
    PutRestApi(PutRestApiRequest) -> RestApi,
    TagResource(TagResourceRequest) -> (),
    TestInvokeAuthorizer(TestInvokeAuthorizerRequest) -> TestInvokeAuthorizerResponse,
    TestInvokeMethod(TestInvokeMethodRequest) -> TestInvokeMethodResponse,
    UntagResource(UntagResourceRequest) -> (),
    UpdateAccount(UpdateAccountRequest) -> Account,
    UpdateApiKey(UpdateApiKeyRequest) -> ApiKey,
    UpdateAuthorizer(UpdateAuthorizerRequest) -> Authorizer,
    UpdateBasePathMapping(UpdateBasePathMappingRequest) -> BasePathMapping,
    UpdateDeployment(UpdateDeploymentRequest) -> Deployment,
    UpdateDomainName(UpdateDomainNameRequest) -> DomainName,
    UpdateGatewayResponse(UpdateGatewayResponseRequest) -> GatewayResponse,
    UpdateIntegration(UpdateIntegrationRequest) -> Integration,
    UpdateIntegrationResponse(UpdateIntegrationResponseRequest) -> IntegrationResponse,
    UpdateMethod(UpdateMethodRequest) -> Method,
    UpdateMethodResponse(UpdateMethodResponseRequest) -> MethodResponse,
    UpdateModel(UpdateModelRequest) -> Model,
    UpdateRequestValidator(UpdateRequestValidatorRequest) -> RequestValidator,
    UpdateResource(UpdateResourceRequest) -> Resource,
    UpdateRestApi(UpdateRestApiRequest) -> RestApi,
    UpdateStage(UpdateStageRequest) -> Stage,
    UpdateUsage(UpdateUsageRequest) -> Usage,
    UpdateUsagePlan(UpdateUsagePlanRequest) -> UsagePlan,
}

errors! {
    BAD_REQUEST_EXCEPTION = "BadRequestException" 400,
    CONFLICT_EXCEPTION = "ConflictException" 409,
    LIMIT_EXCEEDED_EXCEPTION = "LimitExceededException" 429,
    NOT_FOUND_EXCEPTION = "NotFoundException" 404,
    SERVICE_UNAVAILABLE_EXCEPTION = "ServiceUnavailableException" 503,
    TOO_MANY_REQUESTS_EXCEPTION = "TooManyRequestsException" 429,
    UNAUTHORIZED_EXCEPTION = "UnauthorizedException" 401,
}
