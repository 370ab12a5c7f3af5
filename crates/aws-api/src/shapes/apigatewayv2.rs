//! Shapes of apigatewayv2 2018-11-29. Made by `cargo xtask models`; do not edit.

use std::collections::BTreeMap;

use crate::shape::{Blob, Time, enumeration, errors, operations, structure};

structure! {
    ["PascalCase" Default Deserialize Serialize]
    AccessLogSettings {
        |
        destination_arn: String,
        format: String,
    }
}

structure! {
    ["PascalCase" Serialize]
    Api {
        name: String,
        protocol_type: ProtocolType,
        route_selection_expression: String,
        |
        api_endpoint: String,
        api_gateway_managed: bool,
        api_id: String,
        api_key_selection_expression: String,
        cors_configuration: Cors,
        created_date: Time,
        description: String,
        disable_schema_validation: bool,
        disable_execute_api_endpoint: bool,
        import_info: Vec<String>,
        ip_address_type: IpAddressType,
        tags: BTreeMap<String, String>,
        version: String,
        warnings: Vec<String>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ApiMapping {
        api_id: String,
        stage: String,
        |
        api_mapping_id: String,
        api_mapping_key: String,
    }
}

enumeration! {
    AuthorizationType {
        None = "NONE",
        AwsIam = "AWS_IAM",
        Custom = "CUSTOM",
        Jwt = "JWT",
    }
}

structure! {
    ["PascalCase" Default Serialize]
    Authorizer {
        name: String,
        |
        authorizer_credentials_arn: String,
        authorizer_id: String,
        authorizer_payload_format_version: String,
        authorizer_result_ttl_in_seconds: u32,
        authorizer_type: AuthorizerType,
        authorizer_uri: String,
        enable_simple_responses: bool,
        identity_source: Vec<String>,
        identity_validation_expression: String,
        jwt_configuration: JWTConfiguration,
    }
}

enumeration! {
    AuthorizerType {
        Request = "REQUEST",
        Jwt = "JWT",
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
    ["PascalCase" Default Deserialize Serialize]
    Cors {
        |
        allow_credentials: bool,
        allow_headers: Vec<String>,
        allow_methods: Vec<String>,
        allow_origins: Vec<String>,
        expose_headers: Vec<String>,
        max_age: i32,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreateApiMappingRequest {
        api_id: String,
        domain_name: String,
        stage: String,
        |
        api_mapping_key: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CreateApiMappingResponse {
        |
        api_id: String,
        api_mapping_id: String,
        api_mapping_key: String,
        stage: String,
    }
}

structure! {
    ["PascalCase" Deserialize]
    CreateApiRequest {
        name: String,
        protocol_type: ProtocolType,
        |
        api_key_selection_expression: String,
        cors_configuration: Cors,
        credentials_arn: String,
        description: String,
        disable_schema_validation: bool,
        disable_execute_api_endpoint: bool,
        ip_address_type: IpAddressType,
        route_key: String,
        route_selection_expression: String,
        tags: BTreeMap<String, String>,
        target: String,
        version: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CreateApiResponse {
        |
        api_endpoint: String,
        api_gateway_managed: bool,
        api_id: String,
        api_key_selection_expression: String,
        cors_configuration: Cors,
        created_date: Time,
        description: String,
        disable_schema_validation: bool,
        disable_execute_api_endpoint: bool,
        import_info: Vec<String>,
        ip_address_type: IpAddressType,
        name: String,
        protocol_type: ProtocolType,
        route_selection_expression: String,
        tags: BTreeMap<String, String>,
        version: String,
        warnings: Vec<String>,
    }
}

structure! {
    ["PascalCase" Deserialize]
    CreateAuthorizerRequest {
        api_id: String,
        authorizer_type: AuthorizerType,
        identity_source: Vec<String>,
        name: String,
        |
        authorizer_credentials_arn: String,
        authorizer_payload_format_version: String,
        authorizer_result_ttl_in_seconds: u32,
        authorizer_uri: String,
        enable_simple_responses: bool,
        identity_validation_expression: String,
        jwt_configuration: JWTConfiguration,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CreateAuthorizerResponse {
        |
        authorizer_credentials_arn: String,
        authorizer_id: String,
        authorizer_payload_format_version: String,
        authorizer_result_ttl_in_seconds: u32,
        authorizer_type: AuthorizerType,
        authorizer_uri: String,
        enable_simple_responses: bool,
        identity_source: Vec<String>,
        identity_validation_expression: String,
        jwt_configuration: JWTConfiguration,
        name: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreateDeploymentRequest {
        api_id: String,
        |
        description: String,
        stage_name: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CreateDeploymentResponse {
        |
        auto_deployed: bool,
        created_date: Time,
        deployment_id: String,
        deployment_status: DeploymentStatus,
        deployment_status_message: String,
        description: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreateDomainNameRequest {
        domain_name: String,
        |
        domain_name_configurations: Vec<DomainNameConfiguration>,
        mutual_tls_authentication: MutualTlsAuthenticationInput,
        routing_mode: RoutingMode,
        tags: BTreeMap<String, String>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CreateDomainNameResponse {
        |
        api_mapping_selection_expression: String,
        domain_name: String,
        domain_name_arn: String,
        domain_name_configurations: Vec<DomainNameConfiguration>,
        mutual_tls_authentication: MutualTlsAuthentication,
        routing_mode: RoutingMode,
        tags: BTreeMap<String, String>,
    }
}

structure! {
    ["PascalCase" Deserialize]
    CreateIntegrationRequest {
        api_id: String,
        integration_type: IntegrationType,
        |
        connection_id: String,
        connection_type: ConnectionType,
        content_handling_strategy: ContentHandlingStrategy,
        credentials_arn: String,
        description: String,
        integration_method: String,
        integration_subtype: String,
        integration_uri: String,
        passthrough_behavior: PassthroughBehavior,
        payload_format_version: String,
        request_parameters: BTreeMap<String, String>,
        request_templates: BTreeMap<String, String>,
        response_parameters: BTreeMap<String, BTreeMap<String, String>>,
        template_selection_expression: String,
        timeout_in_millis: u32,
        tls_config: TlsConfigInput,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreateIntegrationResponseRequest {
        api_id: String,
        integration_id: String,
        integration_response_key: String,
        |
        content_handling_strategy: ContentHandlingStrategy,
        response_parameters: BTreeMap<String, String>,
        response_templates: BTreeMap<String, String>,
        template_selection_expression: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CreateIntegrationResponseResponse {
        |
        content_handling_strategy: ContentHandlingStrategy,
        integration_response_id: String,
        integration_response_key: String,
        response_parameters: BTreeMap<String, String>,
        response_templates: BTreeMap<String, String>,
        template_selection_expression: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CreateIntegrationResult {
        |
        api_gateway_managed: bool,
        connection_id: String,
        connection_type: ConnectionType,
        content_handling_strategy: ContentHandlingStrategy,
        credentials_arn: String,
        description: String,
        integration_id: String,
        integration_method: String,
        integration_response_selection_expression: String,
        integration_subtype: String,
        integration_type: IntegrationType,
        integration_uri: String,
        passthrough_behavior: PassthroughBehavior,
        payload_format_version: String,
        request_parameters: BTreeMap<String, String>,
        request_templates: BTreeMap<String, String>,
        response_parameters: BTreeMap<String, BTreeMap<String, String>>,
        template_selection_expression: String,
        timeout_in_millis: u32,
        tls_config: TlsConfig,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreateModelRequest {
        api_id: String,
        name: String,
        schema: String,
        |
        content_type: String,
        description: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CreateModelResponse {
        |
        content_type: String,
        description: String,
        model_id: String,
        name: String,
        schema: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreateRouteRequest {
        api_id: String,
        route_key: String,
        |
        api_key_required: bool,
        authorization_scopes: Vec<String>,
        authorization_type: AuthorizationType,
        authorizer_id: String,
        model_selection_expression: String,
        operation_name: String,
        request_models: BTreeMap<String, String>,
        request_parameters: BTreeMap<String, ParameterConstraints>,
        route_response_selection_expression: String,
        target: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreateRouteResponseRequest {
        api_id: String,
        route_id: String,
        route_response_key: String,
        |
        model_selection_expression: String,
        response_models: BTreeMap<String, String>,
        response_parameters: BTreeMap<String, ParameterConstraints>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CreateRouteResponseResponse {
        |
        model_selection_expression: String,
        response_models: BTreeMap<String, String>,
        response_parameters: BTreeMap<String, ParameterConstraints>,
        route_response_id: String,
        route_response_key: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CreateRouteResult {
        |
        api_gateway_managed: bool,
        api_key_required: bool,
        authorization_scopes: Vec<String>,
        authorization_type: AuthorizationType,
        authorizer_id: String,
        model_selection_expression: String,
        operation_name: String,
        request_models: BTreeMap<String, String>,
        request_parameters: BTreeMap<String, ParameterConstraints>,
        route_id: String,
        route_key: String,
        route_response_selection_expression: String,
        target: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreateStageRequest {
        api_id: String,
        stage_name: String,
        |
        access_log_settings: AccessLogSettings,
        auto_deploy: bool,
        client_certificate_id: String,
        default_route_settings: RouteSettings,
        deployment_id: String,
        description: String,
        route_settings: BTreeMap<String, RouteSettings>,
        stage_variables: BTreeMap<String, String>,
        tags: BTreeMap<String, String>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CreateStageResponse {
        |
        access_log_settings: AccessLogSettings,
        api_gateway_managed: bool,
        auto_deploy: bool,
        client_certificate_id: String,
        created_date: Time,
        default_route_settings: RouteSettings,
        deployment_id: String,
        description: String,
        last_deployment_status_message: String,
        last_updated_date: Time,
        route_settings: BTreeMap<String, RouteSettings>,
        stage_name: String,
        stage_variables: BTreeMap<String, String>,
        tags: BTreeMap<String, String>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteAccessLogSettingsRequest {
        api_id: String,
        stage_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteApiMappingRequest {
        api_mapping_id: String,
        domain_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteApiRequest {
        api_id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteAuthorizerRequest {
        api_id: String,
        authorizer_id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteCorsConfigurationRequest {
        api_id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteDeploymentRequest {
        api_id: String,
        deployment_id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteDomainNameRequest {
        domain_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteIntegrationRequest {
        api_id: String,
        integration_id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteIntegrationResponseRequest {
        api_id: String,
        integration_id: String,
        integration_response_id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteModelRequest {
        api_id: String,
        model_id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteRouteRequest {
        api_id: String,
        route_id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteRouteRequestParameterRequest {
        api_id: String,
        request_parameter_key: String,
        route_id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteRouteResponseRequest {
        api_id: String,
        route_id: String,
        route_response_id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteRouteSettingsRequest {
        api_id: String,
        route_key: String,
        stage_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteStageRequest {
        api_id: String,
        stage_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    Deployment {
        |
        auto_deployed: bool,
        created_date: Time,
        deployment_id: String,
        deployment_status: DeploymentStatus,
        deployment_status_message: String,
        description: String,
    }
}

enumeration! {
    DeploymentStatus {
        Pending = "PENDING",
        Failed = "FAILED",
        Deployed = "DEPLOYED",
    }
}

structure! {
    ["PascalCase" Default Serialize]
    DomainName {
        domain_name: String,
        |
        api_mapping_selection_expression: String,
        domain_name_arn: String,
        domain_name_configurations: Vec<DomainNameConfiguration>,
        mutual_tls_authentication: MutualTlsAuthentication,
        routing_mode: RoutingMode,
        tags: BTreeMap<String, String>,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    DomainNameConfiguration {
        |
        api_gateway_domain_name: String,
        certificate_arn: String,
        certificate_name: String,
        certificate_upload_date: Time,
        domain_name_status: DomainNameStatus,
        domain_name_status_message: String,
        endpoint_type: EndpointType,
        hosted_zone_id: String,
        ip_address_type: IpAddressType,
        security_policy: SecurityPolicy,
        ownership_verification_certificate_arn: String,
    }
}

enumeration! {
    DomainNameStatus {
        Available = "AVAILABLE",
        Updating = "UPDATING",
        PendingCertificateReimport = "PENDING_CERTIFICATE_REIMPORT",
        PendingOwnershipVerification = "PENDING_OWNERSHIP_VERIFICATION",
    }
}

enumeration! {
    EndpointType {
        Regional = "REGIONAL",
        Edge = "EDGE",
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ExportApiRequest {
        api_id: String,
        output_type: String,
        specification: String,
        |
        export_version: String,
        include_extensions: bool,
        stage_name: String,
    }
}

structure! {
    ["camelCase" Default Serialize]
    ExportApiResponse {
        |
        body: Blob,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetApiMappingRequest {
        api_mapping_id: String,
        domain_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetApiMappingResponse {
        |
        api_id: String,
        api_mapping_id: String,
        api_mapping_key: String,
        stage: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetApiMappingsRequest {
        domain_name: String,
        |
        max_results: String,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetApiMappingsResponse {
        |
        items: Vec<ApiMapping>,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetApiRequest {
        api_id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetApiResponse {
        |
        api_endpoint: String,
        api_gateway_managed: bool,
        api_id: String,
        api_key_selection_expression: String,
        cors_configuration: Cors,
        created_date: Time,
        description: String,
        disable_schema_validation: bool,
        disable_execute_api_endpoint: bool,
        import_info: Vec<String>,
        ip_address_type: IpAddressType,
        name: String,
        protocol_type: ProtocolType,
        route_selection_expression: String,
        tags: BTreeMap<String, String>,
        version: String,
        warnings: Vec<String>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetApisRequest {
        |
        max_results: String,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetApisResponse {
        |
        items: Vec<Api>,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetAuthorizerRequest {
        api_id: String,
        authorizer_id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetAuthorizerResponse {
        |
        authorizer_credentials_arn: String,
        authorizer_id: String,
        authorizer_payload_format_version: String,
        authorizer_result_ttl_in_seconds: u32,
        authorizer_type: AuthorizerType,
        authorizer_uri: String,
        enable_simple_responses: bool,
        identity_source: Vec<String>,
        identity_validation_expression: String,
        jwt_configuration: JWTConfiguration,
        name: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetAuthorizersRequest {
        api_id: String,
        |
        max_results: String,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetAuthorizersResponse {
        |
        items: Vec<Authorizer>,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetDeploymentRequest {
        api_id: String,
        deployment_id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetDeploymentResponse {
        |
        auto_deployed: bool,
        created_date: Time,
        deployment_id: String,
        deployment_status: DeploymentStatus,
        deployment_status_message: String,
        description: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetDeploymentsRequest {
        api_id: String,
        |
        max_results: String,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetDeploymentsResponse {
        |
        items: Vec<Deployment>,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetDomainNameRequest {
        domain_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetDomainNameResponse {
        |
        api_mapping_selection_expression: String,
        domain_name: String,
        domain_name_arn: String,
        domain_name_configurations: Vec<DomainNameConfiguration>,
        mutual_tls_authentication: MutualTlsAuthentication,
        routing_mode: RoutingMode,
        tags: BTreeMap<String, String>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetDomainNamesRequest {
        |
        max_results: String,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetDomainNamesResponse {
        |
        items: Vec<DomainName>,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetIntegrationRequest {
        api_id: String,
        integration_id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetIntegrationResponseRequest {
        api_id: String,
        integration_id: String,
        integration_response_id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetIntegrationResponseResponse {
        |
        content_handling_strategy: ContentHandlingStrategy,
        integration_response_id: String,
        integration_response_key: String,
        response_parameters: BTreeMap<String, String>,
        response_templates: BTreeMap<String, String>,
        template_selection_expression: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetIntegrationResponsesRequest {
        api_id: String,
        integration_id: String,
        |
        max_results: String,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetIntegrationResponsesResponse {
        |
        items: Vec<IntegrationResponse>,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetIntegrationResult {
        |
        api_gateway_managed: bool,
        connection_id: String,
        connection_type: ConnectionType,
        content_handling_strategy: ContentHandlingStrategy,
        credentials_arn: String,
        description: String,
        integration_id: String,
        integration_method: String,
        integration_response_selection_expression: String,
        integration_subtype: String,
        integration_type: IntegrationType,
        integration_uri: String,
        passthrough_behavior: PassthroughBehavior,
        payload_format_version: String,
        request_parameters: BTreeMap<String, String>,
        request_templates: BTreeMap<String, String>,
        response_parameters: BTreeMap<String, BTreeMap<String, String>>,
        template_selection_expression: String,
        timeout_in_millis: u32,
        tls_config: TlsConfig,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetIntegrationsRequest {
        api_id: String,
        |
        max_results: String,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetIntegrationsResponse {
        |
        items: Vec<Integration>,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetModelRequest {
        api_id: String,
        model_id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetModelResponse {
        |
        content_type: String,
        description: String,
        model_id: String,
        name: String,
        schema: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetModelTemplateRequest {
        api_id: String,
        model_id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetModelTemplateResponse {
        |
        value: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetModelsRequest {
        api_id: String,
        |
        max_results: String,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetModelsResponse {
        |
        items: Vec<Model>,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetRouteRequest {
        api_id: String,
        route_id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetRouteResponseRequest {
        api_id: String,
        route_id: String,
        route_response_id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetRouteResponseResponse {
        |
        model_selection_expression: String,
        response_models: BTreeMap<String, String>,
        response_parameters: BTreeMap<String, ParameterConstraints>,
        route_response_id: String,
        route_response_key: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetRouteResponsesRequest {
        api_id: String,
        route_id: String,
        |
        max_results: String,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetRouteResponsesResponse {
        |
        items: Vec<RouteResponse>,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetRouteResult {
        |
        api_gateway_managed: bool,
        api_key_required: bool,
        authorization_scopes: Vec<String>,
        authorization_type: AuthorizationType,
        authorizer_id: String,
        model_selection_expression: String,
        operation_name: String,
        request_models: BTreeMap<String, String>,
        request_parameters: BTreeMap<String, ParameterConstraints>,
        route_id: String,
        route_key: String,
        route_response_selection_expression: String,
        target: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetRoutesRequest {
        api_id: String,
        |
        max_results: String,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetRoutesResponse {
        |
        items: Vec<Route>,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetStageRequest {
        api_id: String,
        stage_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetStageResponse {
        |
        access_log_settings: AccessLogSettings,
        api_gateway_managed: bool,
        auto_deploy: bool,
        client_certificate_id: String,
        created_date: Time,
        default_route_settings: RouteSettings,
        deployment_id: String,
        description: String,
        last_deployment_status_message: String,
        last_updated_date: Time,
        route_settings: BTreeMap<String, RouteSettings>,
        stage_name: String,
        stage_variables: BTreeMap<String, String>,
        tags: BTreeMap<String, String>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetStagesRequest {
        api_id: String,
        |
        max_results: String,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetStagesResponse {
        |
        items: Vec<Stage>,
        next_token: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetTagsRequest {
        resource_arn: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetTagsResponse {
        |
        tags: BTreeMap<String, String>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ImportApiRequest {
        body: String,
        |
        basepath: String,
        fail_on_warnings: bool,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ImportApiResponse {
        |
        api_endpoint: String,
        api_gateway_managed: bool,
        api_id: String,
        api_key_selection_expression: String,
        cors_configuration: Cors,
        created_date: Time,
        description: String,
        disable_schema_validation: bool,
        disable_execute_api_endpoint: bool,
        import_info: Vec<String>,
        ip_address_type: IpAddressType,
        name: String,
        protocol_type: ProtocolType,
        route_selection_expression: String,
        tags: BTreeMap<String, String>,
        version: String,
        warnings: Vec<String>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    Integration {
        |
        api_gateway_managed: bool,
        connection_id: String,
        connection_type: ConnectionType,
        content_handling_strategy: ContentHandlingStrategy,
        credentials_arn: String,
        description: String,
        integration_id: String,
        integration_method: String,
        integration_response_selection_expression: String,
        integration_subtype: String,
        integration_type: IntegrationType,
        integration_uri: String,
        passthrough_behavior: PassthroughBehavior,
        payload_format_version: String,
        request_parameters: BTreeMap<String, String>,
        request_templates: BTreeMap<String, String>,
        response_parameters: BTreeMap<String, BTreeMap<String, String>>,
        template_selection_expression: String,
        timeout_in_millis: u32,
        tls_config: TlsConfig,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    IntegrationResponse {
        integration_response_key: String,
        |
        content_handling_strategy: ContentHandlingStrategy,
        integration_response_id: String,
        response_parameters: BTreeMap<String, String>,
        response_templates: BTreeMap<String, String>,
        template_selection_expression: String,
    }
}

enumeration! {
    IntegrationType {
        Aws = "AWS",
        Http = "HTTP",
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
    ["PascalCase" Default Deserialize Serialize]
    JWTConfiguration {
        |
        audience: Vec<String>,
        issuer: String,
    }
}

enumeration! {
    LoggingLevel {
        Error = "ERROR",
        Info = "INFO",
        Off = "OFF",
    }
}

structure! {
    ["PascalCase" Default Serialize]
    Model {
        name: String,
        |
        content_type: String,
        description: String,
        model_id: String,
        schema: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    MutualTlsAuthentication {
        |
        truststore_uri: String,
        truststore_version: String,
        truststore_warnings: Vec<String>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    MutualTlsAuthenticationInput {
        |
        truststore_uri: String,
        truststore_version: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    ParameterConstraints {
        |
        required: bool,
    }
}

enumeration! {
    PassthroughBehavior {
        WhenNoMatch = "WHEN_NO_MATCH",
        Never = "NEVER",
        WhenNoTemplates = "WHEN_NO_TEMPLATES",
    }
}

enumeration! {
    ProtocolType {
        Websocket = "WEBSOCKET",
        Http = "HTTP",
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ReimportApiRequest {
        api_id: String,
        body: String,
        |
        basepath: String,
        fail_on_warnings: bool,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ReimportApiResponse {
        |
        api_endpoint: String,
        api_gateway_managed: bool,
        api_id: String,
        api_key_selection_expression: String,
        cors_configuration: Cors,
        created_date: Time,
        description: String,
        disable_schema_validation: bool,
        disable_execute_api_endpoint: bool,
        import_info: Vec<String>,
        ip_address_type: IpAddressType,
        name: String,
        protocol_type: ProtocolType,
        route_selection_expression: String,
        tags: BTreeMap<String, String>,
        version: String,
        warnings: Vec<String>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ResetAuthorizersCacheRequest {
        api_id: String,
        stage_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    Route {
        route_key: String,
        |
        api_gateway_managed: bool,
        api_key_required: bool,
        authorization_scopes: Vec<String>,
        authorization_type: AuthorizationType,
        authorizer_id: String,
        model_selection_expression: String,
        operation_name: String,
        request_models: BTreeMap<String, String>,
        request_parameters: BTreeMap<String, ParameterConstraints>,
        route_id: String,
        route_response_selection_expression: String,
        target: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    RouteResponse {
        route_response_key: String,
        |
        model_selection_expression: String,
        response_models: BTreeMap<String, String>,
        response_parameters: BTreeMap<String, ParameterConstraints>,
        route_response_id: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize Serialize]
    RouteSettings {
        |
        data_trace_enabled: bool,
        detailed_metrics_enabled: bool,
        logging_level: LoggingLevel,
        throttling_burst_limit: i32,
        throttling_rate_limit: f64,
    }
}

enumeration! {
    RoutingMode {
        ApiMappingOnly = "API_MAPPING_ONLY",
        RoutingRuleOnly = "ROUTING_RULE_ONLY",
        RoutingRuleThenApiMapping = "ROUTING_RULE_THEN_API_MAPPING",
    }
}

enumeration! {
    SecurityPolicy {
        Tls1_0 = "TLS_1_0",
        Tls1_2 = "TLS_1_2",
    }
}

structure! {
    ["PascalCase" Default Serialize]
    Stage {
        stage_name: String,
        |
        access_log_settings: AccessLogSettings,
        api_gateway_managed: bool,
        auto_deploy: bool,
        client_certificate_id: String,
        created_date: Time,
        default_route_settings: RouteSettings,
        deployment_id: String,
        description: String,
        last_deployment_status_message: String,
        last_updated_date: Time,
        route_settings: BTreeMap<String, RouteSettings>,
        stage_variables: BTreeMap<String, String>,
        tags: BTreeMap<String, String>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    TagResourceRequest {
        resource_arn: String,
        |
        tags: BTreeMap<String, String>,
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
    TlsConfig {
        |
        server_name_to_verify: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    TlsConfigInput {
        |
        server_name_to_verify: String,
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
    ["PascalCase" Default Deserialize]
    UpdateApiMappingRequest {
        api_id: String,
        api_mapping_id: String,
        domain_name: String,
        |
        api_mapping_key: String,
        stage: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    UpdateApiMappingResponse {
        |
        api_id: String,
        api_mapping_id: String,
        api_mapping_key: String,
        stage: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateApiRequest {
        api_id: String,
        |
        api_key_selection_expression: String,
        cors_configuration: Cors,
        credentials_arn: String,
        description: String,
        disable_schema_validation: bool,
        disable_execute_api_endpoint: bool,
        ip_address_type: IpAddressType,
        name: String,
        route_key: String,
        route_selection_expression: String,
        target: String,
        version: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    UpdateApiResponse {
        |
        api_endpoint: String,
        api_gateway_managed: bool,
        api_id: String,
        api_key_selection_expression: String,
        cors_configuration: Cors,
        created_date: Time,
        description: String,
        disable_schema_validation: bool,
        disable_execute_api_endpoint: bool,
        import_info: Vec<String>,
        ip_address_type: IpAddressType,
        name: String,
        protocol_type: ProtocolType,
        route_selection_expression: String,
        tags: BTreeMap<String, String>,
        version: String,
        warnings: Vec<String>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateAuthorizerRequest {
        api_id: String,
        authorizer_id: String,
        |
        authorizer_credentials_arn: String,
        authorizer_payload_format_version: String,
        authorizer_result_ttl_in_seconds: u32,
        authorizer_type: AuthorizerType,
        authorizer_uri: String,
        enable_simple_responses: bool,
        identity_source: Vec<String>,
        identity_validation_expression: String,
        jwt_configuration: JWTConfiguration,
        name: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    UpdateAuthorizerResponse {
        |
        authorizer_credentials_arn: String,
        authorizer_id: String,
        authorizer_payload_format_version: String,
        authorizer_result_ttl_in_seconds: u32,
        authorizer_type: AuthorizerType,
        authorizer_uri: String,
        enable_simple_responses: bool,
        identity_source: Vec<String>,
        identity_validation_expression: String,
        jwt_configuration: JWTConfiguration,
        name: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateDeploymentRequest {
        api_id: String,
        deployment_id: String,
        |
        description: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    UpdateDeploymentResponse {
        |
        auto_deployed: bool,
        created_date: Time,
        deployment_id: String,
        deployment_status: DeploymentStatus,
        deployment_status_message: String,
        description: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateDomainNameRequest {
        domain_name: String,
        |
        domain_name_configurations: Vec<DomainNameConfiguration>,
        mutual_tls_authentication: MutualTlsAuthenticationInput,
        routing_mode: RoutingMode,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    UpdateDomainNameResponse {
        |
        api_mapping_selection_expression: String,
        domain_name: String,
        domain_name_arn: String,
        domain_name_configurations: Vec<DomainNameConfiguration>,
        mutual_tls_authentication: MutualTlsAuthentication,
        routing_mode: RoutingMode,
        tags: BTreeMap<String, String>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateIntegrationRequest {
        api_id: String,
        integration_id: String,
        |
        connection_id: String,
        connection_type: ConnectionType,
        content_handling_strategy: ContentHandlingStrategy,
        credentials_arn: String,
        description: String,
        integration_method: String,
        integration_subtype: String,
        integration_type: IntegrationType,
        integration_uri: String,
        passthrough_behavior: PassthroughBehavior,
        payload_format_version: String,
        request_parameters: BTreeMap<String, String>,
        request_templates: BTreeMap<String, String>,
        response_parameters: BTreeMap<String, BTreeMap<String, String>>,
        template_selection_expression: String,
        timeout_in_millis: u32,
        tls_config: TlsConfigInput,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateIntegrationResponseRequest {
        api_id: String,
        integration_id: String,
        integration_response_id: String,
        |
        content_handling_strategy: ContentHandlingStrategy,
        integration_response_key: String,
        response_parameters: BTreeMap<String, String>,
        response_templates: BTreeMap<String, String>,
        template_selection_expression: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    UpdateIntegrationResponseResponse {
        |
        content_handling_strategy: ContentHandlingStrategy,
        integration_response_id: String,
        integration_response_key: String,
        response_parameters: BTreeMap<String, String>,
        response_templates: BTreeMap<String, String>,
        template_selection_expression: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    UpdateIntegrationResult {
        |
        api_gateway_managed: bool,
        connection_id: String,
        connection_type: ConnectionType,
        content_handling_strategy: ContentHandlingStrategy,
        credentials_arn: String,
        description: String,
        integration_id: String,
        integration_method: String,
        integration_response_selection_expression: String,
        integration_subtype: String,
        integration_type: IntegrationType,
        integration_uri: String,
        passthrough_behavior: PassthroughBehavior,
        payload_format_version: String,
        request_parameters: BTreeMap<String, String>,
        request_templates: BTreeMap<String, String>,
        response_parameters: BTreeMap<String, BTreeMap<String, String>>,
        template_selection_expression: String,
        timeout_in_millis: u32,
        tls_config: TlsConfig,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateModelRequest {
        api_id: String,
        model_id: String,
        |
        content_type: String,
        description: String,
        name: String,
        schema: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    UpdateModelResponse {
        |
        content_type: String,
        description: String,
        model_id: String,
        name: String,
        schema: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateRouteRequest {
        api_id: String,
        route_id: String,
        |
        api_key_required: bool,
        authorization_scopes: Vec<String>,
        authorization_type: AuthorizationType,
        authorizer_id: String,
        model_selection_expression: String,
        operation_name: String,
        request_models: BTreeMap<String, String>,
        request_parameters: BTreeMap<String, ParameterConstraints>,
        route_key: String,
        route_response_selection_expression: String,
        target: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateRouteResponseRequest {
        api_id: String,
        route_id: String,
        route_response_id: String,
        |
        model_selection_expression: String,
        response_models: BTreeMap<String, String>,
        response_parameters: BTreeMap<String, ParameterConstraints>,
        route_response_key: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    UpdateRouteResponseResponse {
        |
        model_selection_expression: String,
        response_models: BTreeMap<String, String>,
        response_parameters: BTreeMap<String, ParameterConstraints>,
        route_response_id: String,
        route_response_key: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    UpdateRouteResult {
        |
        api_gateway_managed: bool,
        api_key_required: bool,
        authorization_scopes: Vec<String>,
        authorization_type: AuthorizationType,
        authorizer_id: String,
        model_selection_expression: String,
        operation_name: String,
        request_models: BTreeMap<String, String>,
        request_parameters: BTreeMap<String, ParameterConstraints>,
        route_id: String,
        route_key: String,
        route_response_selection_expression: String,
        target: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateStageRequest {
        api_id: String,
        stage_name: String,
        |
        access_log_settings: AccessLogSettings,
        auto_deploy: bool,
        client_certificate_id: String,
        default_route_settings: RouteSettings,
        deployment_id: String,
        description: String,
        route_settings: BTreeMap<String, RouteSettings>,
        stage_variables: BTreeMap<String, String>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    UpdateStageResponse {
        |
        access_log_settings: AccessLogSettings,
        api_gateway_managed: bool,
        auto_deploy: bool,
        client_certificate_id: String,
        created_date: Time,
        default_route_settings: RouteSettings,
        deployment_id: String,
        description: String,
        last_deployment_status_message: String,
        last_updated_date: Time,
        route_settings: BTreeMap<String, RouteSettings>,
        stage_name: String,
        stage_variables: BTreeMap<String, String>,
        tags: BTreeMap<String, String>,
    }
}

operations! {
    CreateApi(CreateApiRequest) -> CreateApiResponse,
    CreateApiMapping(CreateApiMappingRequest) -> CreateApiMappingResponse,
    CreateAuthorizer(CreateAuthorizerRequest) -> CreateAuthorizerResponse,
    CreateDeployment(CreateDeploymentRequest) -> CreateDeploymentResponse,
    CreateDomainName(CreateDomainNameRequest) -> CreateDomainNameResponse,
    CreateIntegration(CreateIntegrationRequest) -> CreateIntegrationResult,
    CreateIntegrationResponse(CreateIntegrationResponseRequest) -> CreateIntegrationResponseResponse,
    CreateModel(CreateModelRequest) -> CreateModelResponse,
    CreateRoute(CreateRouteRequest) -> CreateRouteResult,
    CreateRouteResponse(CreateRouteResponseRequest) -> CreateRouteResponseResponse,
    CreateStage(CreateStageRequest) -> CreateStageResponse,
    DeleteAccessLogSettings(DeleteAccessLogSettingsRequest) -> (),
    DeleteApi(DeleteApiRequest) -> (),
    DeleteApiMapping(DeleteApiMappingRequest) -> (),
    DeleteAuthorizer(DeleteAuthorizerRequest) -> (),
    DeleteCorsConfiguration(DeleteCorsConfigurationRequest) -> (),
    DeleteDeployment(DeleteDeploymentRequest) -> (),
    DeleteDomainName(DeleteDomainNameRequest) -> (),
    DeleteIntegration(DeleteIntegrationRequest) -> (),
    DeleteIntegrationResponse(DeleteIntegrationResponseRequest) -> (),
    DeleteModel(DeleteModelRequest) -> (),
    DeleteRoute(DeleteRouteRequest) -> (),
    DeleteRouteRequestParameter(DeleteRouteRequestParameterRequest) -> (),
    DeleteRouteResponse(DeleteRouteResponseRequest) -> (),
    DeleteRouteSettings(DeleteRouteSettingsRequest) -> (),
    DeleteStage(DeleteStageRequest) -> (),
    ExportApi(ExportApiRequest) -> ExportApiResponse,
    GetApi(GetApiRequest) -> GetApiResponse,
    GetApiMapping(GetApiMappingRequest) -> GetApiMappingResponse,
    GetApiMappings(GetApiMappingsRequest) -> GetApiMappingsResponse,
    GetApis(GetApisRequest) -> GetApisResponse,
    GetAuthorizer(GetAuthorizerRequest) -> GetAuthorizerResponse,
    GetAuthorizers(GetAuthorizersRequest) -> GetAuthorizersResponse,
    GetDeployment(GetDeploymentRequest) -> GetDeploymentResponse,
    GetDeployments(GetDeploymentsRequest) -> GetDeploymentsResponse,
    GetDomainName(GetDomainNameRequest) -> GetDomainNameResponse,
    GetDomainNames(GetDomainNamesRequest) -> GetDomainNamesResponse,
    GetIntegration(GetIntegrationRequest) -> GetIntegrationResult,
    GetIntegrationResponse(GetIntegrationResponseRequest) -> GetIntegrationResponseResponse,
    GetIntegrationResponses(GetIntegrationResponsesRequest) -> GetIntegrationResponsesResponse,
    GetIntegrations(GetIntegrationsRequest) -> GetIntegrationsResponse,
    GetModel(GetModelRequest) -> GetModelResponse,
    GetModelTemplate(GetModelTemplateRequest) -> GetModelTemplateResponse,
    GetModels(GetModelsRequest) -> GetModelsResponse,
    GetRoute(GetRouteRequest) -> GetRouteResult,
    GetRouteResponse(GetRouteResponseRequest) -> GetRouteResponseResponse,
    GetRouteResponses(GetRouteResponsesRequest) -> GetRouteResponsesResponse,
    GetRoutes(GetRoutesRequest) -> GetRoutesResponse,
    GetStage(GetStageRequest) -> GetStageResponse,
    GetStages(GetStagesRequest) -> GetStagesResponse,
    GetTags(GetTagsRequest) -> GetTagsResponse,
    ImportApi(ImportApiRequest) -> ImportApiResponse,
    ReimportApi(ReimportApiRequest) -> ReimportApiResponse,
    ResetAuthorizersCache(ResetAuthorizersCacheRequest) -> (),
    TagResource(TagResourceRequest) -> TagResourceResponse,
    UntagResource(UntagResourceRequest) -> (),
    UpdateApi(UpdateApiRequest) -> UpdateApiResponse,
    UpdateApiMapping(UpdateApiMappingRequest) -> UpdateApiMappingResponse,
    UpdateAuthorizer(UpdateAuthorizerRequest) -> UpdateAuthorizerResponse,
    UpdateDeployment(UpdateDeploymentRequest) -> UpdateDeploymentResponse,
    UpdateDomainName(UpdateDomainNameRequest) -> UpdateDomainNameResponse,
    UpdateIntegration(UpdateIntegrationRequest) -> UpdateIntegrationResult,
    UpdateIntegrationResponse(UpdateIntegrationResponseRequest) -> UpdateIntegrationResponseResponse,
    UpdateModel(UpdateModelRequest) -> UpdateModelResponse,
    UpdateRoute(UpdateRouteRequest) -> UpdateRouteResult,
    UpdateRouteResponse(UpdateRouteResponseRequest) -> UpdateRouteResponseResponse,
    UpdateStage(UpdateStageRequest) -> UpdateStageResponse,
}

errors! {
    ACCESS_DENIED_EXCEPTION = "AccessDeniedException" 403,
    BAD_REQUEST_EXCEPTION = "BadRequestException" 400,
    CONFLICT_EXCEPTION = "ConflictException" 409,
    NOT_FOUND_EXCEPTION = "NotFoundException" 404,
    TOO_MANY_REQUESTS_EXCEPTION = "TooManyRequestsException" 429,
}
