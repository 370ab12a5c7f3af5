//! Shapes of sts 2011-06-15. Made by `cargo xtask models`; do not edit.

use crate::shape::{Time, errors, operations, structure};

structure! {
    ["PascalCase" Default Deserialize]
    AssumeRoleRequest {
        role_arn: String,
        role_session_name: String,
        |
        policy_arns: Vec<PolicyDescriptorType>,
        policy: String,
        duration_seconds: u32,
        tags: Vec<Tag>,
        transitive_tag_keys: Vec<String>,
        external_id: String,
        serial_number: String,
        token_code: String,
        source_identity: String,
        provided_contexts: Vec<ProvidedContext>,
        minimum_session_token_size: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    AssumeRoleResponse {
        |
        credentials: Credentials,
        assumed_role_user: AssumedRoleUser,
        packed_policy_size: u32,
        source_identity: String,
        session_token_utilization: u32,
        session_token_size: u32,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    AssumeRootRequest {
        target_principal: String,
        task_policy_arn: PolicyDescriptorType,
        |
        duration_seconds: u32,
        minimum_session_token_size: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    AssumeRootResponse {
        |
        credentials: Credentials,
        source_identity: String,
        session_token_utilization: u32,
        session_token_size: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    AssumedRoleUser {
        assumed_role_id: String,
        arn: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    Credentials {
        access_key_id: String,
        secret_access_key: String,
        session_token: String,
        expiration: Time,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    FederatedUser {
        federated_user_id: String,
        arn: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetAccessKeyInfoRequest {
        access_key_id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetAccessKeyInfoResponse {
        |
        account: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetCallerIdentityRequest {
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetCallerIdentityResponse {
        |
        user_id: String,
        account: String,
        arn: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetFederationTokenRequest {
        name: String,
        |
        policy: String,
        policy_arns: Vec<PolicyDescriptorType>,
        duration_seconds: u32,
        tags: Vec<Tag>,
        minimum_session_token_size: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetFederationTokenResponse {
        |
        credentials: Credentials,
        federated_user: FederatedUser,
        packed_policy_size: u32,
        session_token_utilization: u32,
        session_token_size: u32,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetSessionTokenRequest {
        |
        duration_seconds: u32,
        serial_number: String,
        token_code: String,
        minimum_session_token_size: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetSessionTokenResponse {
        |
        credentials: Credentials,
        session_token_utilization: u32,
        session_token_size: u32,
    }
}

structure! {
    ["camelCase" Default Deserialize]
    PolicyDescriptorType {
        |
        arn: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ProvidedContext {
        |
        provider_arn: String,
        context_assertion: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    Tag {
        key: String,
        value: String,
        |
    }
}

operations! {
    AssumeRole(AssumeRoleRequest) -> AssumeRoleResponse,
    AssumeRoot(AssumeRootRequest) -> AssumeRootResponse,
    GetAccessKeyInfo(GetAccessKeyInfoRequest) -> GetAccessKeyInfoResponse,
    GetCallerIdentity(GetCallerIdentityRequest) -> GetCallerIdentityResponse,
    GetFederationToken(GetFederationTokenRequest) -> GetFederationTokenResponse,
    GetSessionToken(GetSessionTokenRequest) -> GetSessionTokenResponse,
}

errors! {
    EXPIRED_TOKEN_EXCEPTION = "ExpiredTokenException" 400,
    EXPIRED_TRADE_IN_TOKEN_EXCEPTION = "ExpiredTradeInTokenException" 400,
    IDP_COMMUNICATION_ERROR_EXCEPTION = "IDPCommunicationError" 400,
    IDP_REJECTED_CLAIM_EXCEPTION = "IDPRejectedClaim" 403,
    INVALID_AUTHORIZATION_MESSAGE_EXCEPTION = "InvalidAuthorizationMessageException" 400,
    INVALID_IDENTITY_TOKEN_EXCEPTION = "InvalidIdentityToken" 400,
    JWT_PAYLOAD_SIZE_EXCEEDED_EXCEPTION = "JWTPayloadSizeExceededException" 400,
    MALFORMED_POLICY_DOCUMENT_EXCEPTION = "MalformedPolicyDocument" 400,
    OUTBOUND_WEB_IDENTITY_FEDERATION_DISABLED_EXCEPTION = "OutboundWebIdentityFederationDisabledException" 403,
    PACKED_POLICY_TOO_LARGE_EXCEPTION = "PackedPolicyTooLarge" 400,
    REGION_DISABLED_EXCEPTION = "RegionDisabledException" 403,
    SESSION_DURATION_ESCALATION_EXCEPTION = "SessionDurationEscalationException" 403,
}
