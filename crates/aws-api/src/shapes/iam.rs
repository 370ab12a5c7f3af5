//! Shapes of iam 2010-05-08. Made by `cargo xtask models`; do not edit.

use std::collections::BTreeMap;

use crate::shape::{Nothing, Time, enumeration, errors, operations, structure};

structure! {
    ["PascalCase" Serialize]
    AccessKey {
        user_name: String,
        access_key_id: String,
        status: StatusType,
        secret_access_key: String,
        |
        create_date: Time,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    AccessKeyLastUsed {
        service_name: String,
        region: String,
        |
        last_used_date: Time,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    AccessKeyMetadata {
        |
        user_name: String,
        access_key_id: String,
        status: StatusType,
        create_date: Time,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    AcquireRoleRequest {
        template_arn: String,
        |
        template_minor_version: i32,
        replacement_values: BTreeMap<String, ReplacementValueEntry>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    AcquireRoleResponse {
        role: Role,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    AddRoleToInstanceProfileRequest {
        instance_profile_name: String,
        role_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    AddUserToGroupRequest {
        group_name: String,
        user_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    AttachGroupPolicyRequest {
        group_name: String,
        policy_arn: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    AttachRolePolicyRequest {
        role_name: String,
        policy_arn: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    AttachUserPolicyRequest {
        user_name: String,
        policy_arn: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    AttachedPermissionsBoundary {
        |
        permissions_boundary_type: String,
        permissions_boundary_arn: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    AttachedPolicy {
        |
        policy_name: String,
        policy_arn: String,
    }
}

enumeration! {
    AttachmentType {
        User = "user",
        Group = "group",
        Role = "role",
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ContextEntry {
        |
        context_key_name: String,
        context_key_values: Vec<String>,
        context_key_type: ContextKeyTypeEnum,
    }
}

enumeration! {
    ContextKeyTypeEnum {
        String = "string",
        StringList = "stringList",
        Numeric = "numeric",
        NumericList = "numericList",
        Boolean = "boolean",
        BooleanList = "booleanList",
        Ip = "ip",
        IpList = "ipList",
        Binary = "binary",
        BinaryList = "binaryList",
        Date = "date",
        DateList = "dateList",
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreateAccessKeyRequest {
        |
        user_name: String,
    }
}

structure! {
    ["PascalCase" Serialize]
    CreateAccessKeyResponse {
        access_key: AccessKey,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreateAccountAliasRequest {
        account_alias: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreateGroupRequest {
        group_name: String,
        |
        path: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CreateGroupResponse {
        group: Group,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreateInstanceProfileRequest {
        instance_profile_name: String,
        |
        path: String,
        tags: Vec<Tag>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CreateInstanceProfileResponse {
        instance_profile: InstanceProfile,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreatePolicyRequest {
        policy_name: String,
        policy_document: String,
        |
        path: String,
        description: String,
        tags: Vec<Tag>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CreatePolicyResponse {
        |
        policy: Policy,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreatePolicyVersionRequest {
        policy_arn: String,
        policy_document: String,
        |
        set_as_default: bool,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CreatePolicyVersionResponse {
        |
        policy_version: PolicyVersion,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreateRoleRequest {
        role_name: String,
        assume_role_policy_document: String,
        |
        path: String,
        description: String,
        max_session_duration: u32,
        permissions_boundary: String,
        tags: Vec<Tag>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CreateRoleResponse {
        role: Role,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    CreateUserRequest {
        user_name: String,
        |
        path: String,
        permissions_boundary: String,
        tags: Vec<Tag>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    CreateUserResponse {
        |
        user: User,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteAccessKeyRequest {
        access_key_id: String,
        |
        user_name: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteAccountAliasRequest {
        account_alias: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteGroupPolicyRequest {
        group_name: String,
        policy_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteGroupRequest {
        group_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteInstanceProfileRequest {
        instance_profile_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeletePolicyRequest {
        policy_arn: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeletePolicyVersionRequest {
        policy_arn: String,
        version_id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteRolePermissionsBoundaryRequest {
        role_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteRolePolicyRequest {
        role_name: String,
        policy_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteRoleRequest {
        role_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteUserPermissionsBoundaryRequest {
        user_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteUserPolicyRequest {
        user_name: String,
        policy_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DeleteUserRequest {
        user_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DetachGroupPolicyRequest {
        group_name: String,
        policy_arn: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DetachRolePolicyRequest {
        role_name: String,
        policy_arn: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    DetachUserPolicyRequest {
        user_name: String,
        policy_arn: String,
        |
    }
}

enumeration! {
    EntityType {
        User = "User",
        Role = "Role",
        Group = "Group",
        LocalManagedPolicy = "LocalManagedPolicy",
        AwsManagedPolicy = "AWSManagedPolicy",
    }
}

structure! {
    ["PascalCase" Serialize]
    EvaluationResult {
        eval_action_name: String,
        eval_decision: PolicyEvaluationDecisionType,
        |
        eval_resource_name: String,
        matched_statements: Vec<Statement>,
        missing_context_values: Vec<String>,
        organizations_decision_detail: OrganizationsDecisionDetail,
        permissions_boundary_decision_detail: PermissionsBoundaryDecisionDetail,
        eval_decision_details: BTreeMap<String, PolicyEvaluationDecisionType>,
        resource_specific_results: Vec<ResourceSpecificResult>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetAccessKeyLastUsedRequest {
        access_key_id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetAccessKeyLastUsedResponse {
        |
        user_name: String,
        access_key_last_used: AccessKeyLastUsed,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetAccountAuthorizationDetailsRequest {
        |
        filter: Vec<EntityType>,
        max_items: u32,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetAccountAuthorizationDetailsResponse {
        |
        user_detail_list: Vec<UserDetail>,
        group_detail_list: Vec<GroupDetail>,
        role_detail_list: Vec<RoleDetail>,
        policies: Vec<ManagedPolicyDetail>,
        is_truncated: bool,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetAccountPropertiesRequest {
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetAccountPropertiesResponse {
        |
        properties: BTreeMap<String, String>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetAccountSummaryResponse {
        |
        summary_map: BTreeMap<String, u32>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetGroupPolicyRequest {
        group_name: String,
        policy_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetGroupPolicyResponse {
        group_name: String,
        policy_name: String,
        policy_document: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetGroupRequest {
        group_name: String,
        |
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetGroupResponse {
        group: Group,
        users: Vec<User>,
        |
        is_truncated: bool,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetInstanceProfileRequest {
        instance_profile_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetInstanceProfileResponse {
        instance_profile: InstanceProfile,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetPolicyRequest {
        policy_arn: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetPolicyResponse {
        |
        policy: Policy,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetPolicyVersionRequest {
        policy_arn: String,
        version_id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetPolicyVersionResponse {
        |
        policy_version: PolicyVersion,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetRolePolicyRequest {
        role_name: String,
        policy_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetRolePolicyResponse {
        role_name: String,
        policy_name: String,
        policy_document: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetRoleRequest {
        role_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetRoleResponse {
        role: Role,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetRoleTemplateVersionRequest {
        template_arn: String,
        |
        minor_version: i32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetRoleTemplateVersionResponse {
        role_template_version: RoleTemplateVersion,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetUserPolicyRequest {
        user_name: String,
        policy_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetUserPolicyResponse {
        user_name: String,
        policy_name: String,
        policy_document: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    GetUserRequest {
        |
        user_name: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GetUserResponse {
        user: User,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    Group {
        path: String,
        group_name: String,
        group_id: String,
        arn: String,
        create_date: Time,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    GroupDetail {
        |
        path: String,
        group_name: String,
        group_id: String,
        arn: String,
        create_date: Time,
        group_policy_list: Vec<PolicyDetail>,
        attached_managed_policies: Vec<AttachedPolicy>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    InlinePolicy {
        policy_name: String,
        policy_document: String,
        |
    }
}

structure! {
    ["PascalCase" Deserialize]
    InlinePolicyIdentifierType {
        policy_name: String,
        attachment_type: AttachmentType,
        attachment_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    InstanceProfile {
        path: String,
        instance_profile_name: String,
        instance_profile_id: String,
        arn: String,
        create_date: Time,
        roles: Vec<Role>,
        |
        tags: Vec<Tag>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListAccessKeysRequest {
        |
        user_name: String,
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListAccessKeysResponse {
        access_key_metadata: Vec<AccessKeyMetadata>,
        |
        is_truncated: bool,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListAccountAliasesRequest {
        |
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListAccountAliasesResponse {
        account_aliases: Vec<String>,
        |
        is_truncated: bool,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListAttachedGroupPoliciesRequest {
        group_name: String,
        |
        path_prefix: String,
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListAttachedGroupPoliciesResponse {
        |
        attached_policies: Vec<AttachedPolicy>,
        is_truncated: bool,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListAttachedRolePoliciesRequest {
        role_name: String,
        |
        path_prefix: String,
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListAttachedRolePoliciesResponse {
        |
        attached_policies: Vec<AttachedPolicy>,
        is_truncated: bool,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListAttachedUserPoliciesRequest {
        user_name: String,
        |
        path_prefix: String,
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListAttachedUserPoliciesResponse {
        |
        attached_policies: Vec<AttachedPolicy>,
        is_truncated: bool,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListEntitiesForPolicyRequest {
        policy_arn: String,
        |
        entity_filter: EntityType,
        path_prefix: String,
        policy_usage_filter: PolicyUsageType,
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListEntitiesForPolicyResponse {
        |
        policy_groups: Vec<PolicyGroup>,
        policy_users: Vec<PolicyUser>,
        policy_roles: Vec<PolicyRole>,
        is_truncated: bool,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListGroupPoliciesRequest {
        group_name: String,
        |
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListGroupPoliciesResponse {
        policy_names: Vec<String>,
        |
        is_truncated: bool,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListGroupsForUserRequest {
        user_name: String,
        |
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListGroupsForUserResponse {
        groups: Vec<Group>,
        |
        is_truncated: bool,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListGroupsRequest {
        |
        path_prefix: String,
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListGroupsResponse {
        groups: Vec<Group>,
        |
        is_truncated: bool,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListInstanceProfileTagsRequest {
        instance_profile_name: String,
        |
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListInstanceProfileTagsResponse {
        tags: Vec<Tag>,
        |
        is_truncated: bool,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListInstanceProfilesForRoleRequest {
        role_name: String,
        |
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListInstanceProfilesForRoleResponse {
        instance_profiles: Vec<InstanceProfile>,
        |
        is_truncated: bool,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListInstanceProfilesRequest {
        |
        path_prefix: String,
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListInstanceProfilesResponse {
        instance_profiles: Vec<InstanceProfile>,
        |
        is_truncated: bool,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListPoliciesGrantingServiceAccessEntry {
        |
        service_namespace: String,
        policies: Vec<PolicyGrantingServiceAccess>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListPoliciesGrantingServiceAccessRequest {
        arn: String,
        service_namespaces: Vec<String>,
        |
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListPoliciesGrantingServiceAccessResponse {
        policies_granting_service_access: Vec<ListPoliciesGrantingServiceAccessEntry>,
        |
        is_truncated: bool,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListPoliciesRequest {
        |
        scope: PolicyScopeType,
        only_attached: bool,
        path_prefix: String,
        policy_usage_filter: PolicyUsageType,
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListPoliciesResponse {
        |
        policies: Vec<Policy>,
        is_truncated: bool,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListPolicyTagsRequest {
        policy_arn: String,
        |
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListPolicyTagsResponse {
        tags: Vec<Tag>,
        |
        is_truncated: bool,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListPolicyVersionsRequest {
        policy_arn: String,
        |
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListPolicyVersionsResponse {
        |
        versions: Vec<PolicyVersion>,
        is_truncated: bool,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListRolePoliciesRequest {
        role_name: String,
        |
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListRolePoliciesResponse {
        policy_names: Vec<String>,
        |
        is_truncated: bool,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListRoleTagsRequest {
        role_name: String,
        |
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListRoleTagsResponse {
        tags: Vec<Tag>,
        |
        is_truncated: bool,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListRolesRequest {
        |
        path_prefix: String,
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListRolesResponse {
        roles: Vec<Role>,
        |
        is_truncated: bool,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListUserPoliciesRequest {
        user_name: String,
        |
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListUserPoliciesResponse {
        policy_names: Vec<String>,
        |
        is_truncated: bool,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListUserTagsRequest {
        user_name: String,
        |
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListUserTagsResponse {
        tags: Vec<Tag>,
        |
        is_truncated: bool,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ListUsersRequest {
        |
        path_prefix: String,
        marker: String,
        max_items: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ListUsersResponse {
        users: Vec<User>,
        |
        is_truncated: bool,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    ManagedPolicyDetail {
        |
        policy_name: String,
        policy_id: String,
        arn: String,
        path: String,
        default_version_id: String,
        attachment_count: u32,
        permissions_boundary_usage_count: u32,
        is_attachable: bool,
        description: String,
        create_date: Time,
        update_date: Time,
        policy_version_list: Vec<PolicyVersion>,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    OrderedOrganizationPolicyType {
        |
        service_control_policy_input_list: Vec<String>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    OrganizationsDecisionDetail {
        |
        allowed_by_organizations: bool,
    }
}

structure! {
    ["PascalCase" Serialize]
    ParameterDefinition {
        name: String,
        r#type: ParameterTypeType,
        |
        sub_type: String,
        description: String,
        is_required: bool,
        default_value: String,
        immutable: bool,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    PermissionsBoundaryDecisionDetail {
        |
        allowed_by_permissions_boundary: bool,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    Policy {
        |
        policy_name: String,
        policy_id: String,
        arn: String,
        path: String,
        default_version_id: String,
        attachment_count: u32,
        permissions_boundary_usage_count: u32,
        is_attachable: bool,
        description: String,
        create_date: Time,
        update_date: Time,
        tags: Vec<Tag>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    PolicyDetail {
        |
        policy_name: String,
        policy_document: String,
    }
}

enumeration! {
    PolicyEvaluationDecisionType {
        Allowed = "allowed",
        ExplicitDeny = "explicitDeny",
        ImplicitDeny = "implicitDeny",
    }
}

structure! {
    ["PascalCase" Serialize]
    PolicyGrantingServiceAccess {
        policy_name: String,
        policy_type: PolicyType,
        |
        policy_arn: String,
        entity_type: PolicyOwnerEntityType,
        entity_name: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    PolicyGroup {
        |
        group_name: String,
        group_id: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    PolicyIdentifier {
        |
        policy_type: PolicyIdentifierPolicyType,
        policy_arn: String,
        inline_policy_identifier: InlinePolicyIdentifierType,
    }
}

enumeration! {
    PolicyIdentifierPolicyType {
        Inline = "inline",
        AwsManaged = "aws-managed",
        UserManaged = "user-managed",
        PermissionBoundary = "permission-boundary",
        Scp = "scp",
        Rcp = "rcp",
    }
}

structure! {
    ["PascalCase" Default Serialize]
    PolicyRole {
        |
        role_name: String,
        role_id: String,
    }
}

enumeration! {
    PolicySourceType {
        User = "user",
        Group = "group",
        Role = "role",
        AwsManaged = "aws-managed",
        UserManaged = "user-managed",
        Resource = "resource",
        None = "none",
    }
}

enumeration! {
    PolicyUsageType {
        PermissionsPolicy = "PermissionsPolicy",
        PermissionsBoundary = "PermissionsBoundary",
    }
}

structure! {
    ["PascalCase" Default Serialize]
    PolicyUser {
        |
        user_name: String,
        user_id: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    PolicyVersion {
        |
        document: String,
        version_id: String,
        is_default_version: bool,
        create_date: Time,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    Position {
        |
        line: u32,
        column: u32,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    PutAccountPropertiesRequest {
        properties: BTreeMap<String, String>,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    PutAccountPropertiesResponse {
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    PutGroupPolicyRequest {
        group_name: String,
        policy_name: String,
        policy_document: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    PutRolePermissionsBoundaryRequest {
        role_name: String,
        permissions_boundary: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    PutRolePolicyRequest {
        role_name: String,
        policy_name: String,
        policy_document: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    PutUserPermissionsBoundaryRequest {
        user_name: String,
        permissions_boundary: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    PutUserPolicyRequest {
        user_name: String,
        policy_name: String,
        policy_document: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    RemoveRoleFromInstanceProfileRequest {
        instance_profile_name: String,
        role_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    RemoveUserFromGroupRequest {
        group_name: String,
        user_name: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    ReplacementValueEntry {
        values: Vec<String>,
        |
    }
}

structure! {
    ["PascalCase" Serialize]
    ResourceSpecificResult {
        eval_resource_name: String,
        eval_resource_decision: PolicyEvaluationDecisionType,
        |
        matched_statements: Vec<Statement>,
        missing_context_values: Vec<String>,
        eval_decision_details: BTreeMap<String, PolicyEvaluationDecisionType>,
        permissions_boundary_decision_detail: PermissionsBoundaryDecisionDetail,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    Role {
        path: String,
        role_name: String,
        role_id: String,
        arn: String,
        create_date: Time,
        |
        assume_role_policy_document: String,
        description: String,
        max_session_duration: u32,
        permissions_boundary: AttachedPermissionsBoundary,
        tags: Vec<Tag>,
        role_last_used: RoleLastUsed,
        source_role_template: SourceRoleTemplate,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    RoleDetail {
        |
        path: String,
        role_name: String,
        role_id: String,
        arn: String,
        create_date: Time,
        assume_role_policy_document: String,
        instance_profile_list: Vec<InstanceProfile>,
        role_policy_list: Vec<PolicyDetail>,
        attached_managed_policies: Vec<AttachedPolicy>,
        permissions_boundary: AttachedPermissionsBoundary,
        tags: Vec<Tag>,
        role_last_used: RoleLastUsed,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    RoleLastUsed {
        |
        last_used_date: Time,
        region: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    RoleTemplateVersion {
        |
        template_arn: String,
        template_name: String,
        template_version_id: String,
        description: String,
        major_version: i32,
        default_minor_version: i32,
        managed_by_type: ManagedByTypeType,
        managed_by_value: String,
        enabled: bool,
        minor_version: i32,
        role_name_pattern: String,
        role_path_pattern: String,
        role_description_pattern: String,
        assume_role_policy_document_template: String,
        inline_policy_templates: Vec<InlinePolicy>,
        managed_policy_arns: Vec<String>,
        permission_boundary_arn: String,
        parameters_definition: Vec<ParameterDefinition>,
        role_tags_template: Vec<TagTemplate>,
        max_session_duration: u32,
        version_enabled: bool,
        create_timestamp: Time,
        update_timestamp: Time,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    SetDefaultPolicyVersionRequest {
        policy_arn: String,
        version_id: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    SimulateCustomPolicyRequest {
        policy_input_list: Vec<String>,
        action_names: Vec<String>,
        |
        permissions_boundary_policy_input_list: Vec<String>,
        ordered_organization_policy_input_list: Vec<OrderedOrganizationPolicyType>,
        resource_arns: Vec<String>,
        resource_policy: String,
        resource_owner: String,
        caller_arn: String,
        context_entries: Vec<ContextEntry>,
        resource_handling_option: String,
        max_items: u32,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    SimulatePolicyResponse {
        |
        evaluation_results: Vec<EvaluationResult>,
        is_truncated: bool,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    SimulatePrincipalPolicyRequest {
        policy_source_arn: String,
        action_names: Vec<String>,
        |
        policy_input_list: Vec<String>,
        permissions_boundary_policy_input_list: Vec<String>,
        policy_exclusion_list: Vec<PolicyIdentifier>,
        resource_arns: Vec<String>,
        resource_policy: String,
        resource_owner: String,
        caller_arn: String,
        context_entries: Vec<ContextEntry>,
        resource_handling_option: String,
        max_items: u32,
        marker: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    SourceRoleTemplate {
        template_arn: String,
        template_minor_version: i32,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    Statement {
        |
        source_policy_id: String,
        source_policy_type: PolicySourceType,
        start_position: Position,
        end_position: Position,
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
    TagInstanceProfileRequest {
        instance_profile_name: String,
        tags: Vec<Tag>,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    TagPolicyRequest {
        policy_arn: String,
        tags: Vec<Tag>,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    TagRoleRequest {
        role_name: String,
        tags: Vec<Tag>,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    TagTemplate {
        key: String,
        value: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    TagUserRequest {
        user_name: String,
        tags: Vec<Tag>,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UntagInstanceProfileRequest {
        instance_profile_name: String,
        tag_keys: Vec<String>,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UntagPolicyRequest {
        policy_arn: String,
        tag_keys: Vec<String>,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UntagRoleRequest {
        role_name: String,
        tag_keys: Vec<String>,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UntagUserRequest {
        user_name: String,
        tag_keys: Vec<String>,
        |
    }
}

structure! {
    ["PascalCase" Deserialize]
    UpdateAccessKeyRequest {
        access_key_id: String,
        status: StatusType,
        |
        user_name: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateAssumeRolePolicyRequest {
        role_name: String,
        policy_document: String,
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateGroupRequest {
        group_name: String,
        |
        new_path: String,
        new_group_name: String,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateRoleDescriptionRequest {
        role_name: String,
        description: String,
        |
    }
}

structure! {
    ["PascalCase" Default Serialize]
    UpdateRoleDescriptionResponse {
        |
        role: Role,
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateRoleRequest {
        role_name: String,
        |
        description: String,
        max_session_duration: u32,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    UpdateRoleResponse {
        |
    }
}

structure! {
    ["PascalCase" Default Deserialize]
    UpdateUserRequest {
        user_name: String,
        |
        new_path: String,
        new_user_name: String,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    User {
        path: String,
        user_name: String,
        user_id: String,
        arn: String,
        create_date: Time,
        |
        password_last_used: Time,
        permissions_boundary: AttachedPermissionsBoundary,
        tags: Vec<Tag>,
    }
}

structure! {
    ["PascalCase" Default Serialize]
    UserDetail {
        |
        path: String,
        user_name: String,
        user_id: String,
        arn: String,
        create_date: Time,
        user_policy_list: Vec<PolicyDetail>,
        group_list: Vec<String>,
        attached_managed_policies: Vec<AttachedPolicy>,
        permissions_boundary: AttachedPermissionsBoundary,
        tags: Vec<Tag>,
    }
}

enumeration! {
    ManagedByTypeType {
        Service = "Service",
    }
}

enumeration! {
    ParameterTypeType {
        String = "String",
        StringList = "StringList",
        Number = "Number",
        NumberList = "NumberList",
        Arn = "Arn",
        ArnList = "ArnList",
    }
}

enumeration! {
    PolicyOwnerEntityType {
        User = "USER",
        Role = "ROLE",
        Group = "GROUP",
    }
}

enumeration! {
    PolicyScopeType {
        All = "All",
        Aws = "AWS",
        Local = "Local",
    }
}

enumeration! {
    PolicyType {
        Inline = "INLINE",
        Managed = "MANAGED",
    }
}

enumeration! {
    StatusType {
        Active = "Active",
        Inactive = "Inactive",
        Expired = "Expired",
    }
}

enumeration! {
    SummaryKeyType {
        Users = "Users",
        UsersQuota = "UsersQuota",
        Groups = "Groups",
        GroupsQuota = "GroupsQuota",
        ServerCertificates = "ServerCertificates",
        ServerCertificatesQuota = "ServerCertificatesQuota",
        UserPolicySizeQuota = "UserPolicySizeQuota",
        GroupPolicySizeQuota = "GroupPolicySizeQuota",
        GroupsPerUserQuota = "GroupsPerUserQuota",
        SigningCertificatesPerUserQuota = "SigningCertificatesPerUserQuota",
        AccessKeysPerUserQuota = "AccessKeysPerUserQuota",
        MfaDevices = "MFADevices",
        MfaDevicesInUse = "MFADevicesInUse",
        AccountMfaEnabled = "AccountMFAEnabled",
        AccountAccessKeysPresent = "AccountAccessKeysPresent",
        AccountPasswordPresent = "AccountPasswordPresent",
        AccountSigningCertificatesPresent = "AccountSigningCertificatesPresent",
        AttachedPoliciesPerGroupQuota = "AttachedPoliciesPerGroupQuota",
        AttachedPoliciesPerRoleQuota = "AttachedPoliciesPerRoleQuota",
        AttachedPoliciesPerUserQuota = "AttachedPoliciesPerUserQuota",
        Policies = "Policies",
        PoliciesQuota = "PoliciesQuota",
        PolicySizeQuota = "PolicySizeQuota",
        PolicyVersionsInUse = "PolicyVersionsInUse",
        PolicyVersionsInUseQuota = "PolicyVersionsInUseQuota",
        VersionsPerPolicyQuota = "VersionsPerPolicyQuota",
        GlobalEndpointTokenVersion = "GlobalEndpointTokenVersion",
        AssumeRolePolicySizeQuota = "AssumeRolePolicySizeQuota",
        InstanceProfiles = "InstanceProfiles",
        InstanceProfilesQuota = "InstanceProfilesQuota",
        Providers = "Providers",
        RolePolicySizeQuota = "RolePolicySizeQuota",
        Roles = "Roles",
        RolesQuota = "RolesQuota",
    }
}

operations! {
    AcquireRole(AcquireRoleRequest) -> AcquireRoleResponse,
    AddRoleToInstanceProfile(AddRoleToInstanceProfileRequest) -> (),
    AddUserToGroup(AddUserToGroupRequest) -> (),
    AttachGroupPolicy(AttachGroupPolicyRequest) -> (),
    AttachRolePolicy(AttachRolePolicyRequest) -> (),
    AttachUserPolicy(AttachUserPolicyRequest) -> (),
    CreateAccessKey(CreateAccessKeyRequest) -> CreateAccessKeyResponse,
    CreateAccountAlias(CreateAccountAliasRequest) -> (),
    CreateGroup(CreateGroupRequest) -> CreateGroupResponse,
    CreateInstanceProfile(CreateInstanceProfileRequest) -> CreateInstanceProfileResponse,
    CreatePolicy(CreatePolicyRequest) -> CreatePolicyResponse,
    CreatePolicyVersion(CreatePolicyVersionRequest) -> CreatePolicyVersionResponse,
    CreateRole(CreateRoleRequest) -> CreateRoleResponse,
    CreateUser(CreateUserRequest) -> CreateUserResponse,
    DeleteAccessKey(DeleteAccessKeyRequest) -> (),
    DeleteAccountAlias(DeleteAccountAliasRequest) -> (),
    DeleteGroup(DeleteGroupRequest) -> (),
    DeleteGroupPolicy(DeleteGroupPolicyRequest) -> (),
    DeleteInstanceProfile(DeleteInstanceProfileRequest) -> (),
    DeletePolicy(DeletePolicyRequest) -> (),
    DeletePolicyVersion(DeletePolicyVersionRequest) -> (),
    DeleteRole(DeleteRoleRequest) -> (),
    DeleteRolePermissionsBoundary(DeleteRolePermissionsBoundaryRequest) -> (),
    DeleteRolePolicy(DeleteRolePolicyRequest) -> (),
    DeleteUser(DeleteUserRequest) -> (),
    DeleteUserPermissionsBoundary(DeleteUserPermissionsBoundaryRequest) -> (),
    DeleteUserPolicy(DeleteUserPolicyRequest) -> (),
    DetachGroupPolicy(DetachGroupPolicyRequest) -> (),
    DetachRolePolicy(DetachRolePolicyRequest) -> (),
    DetachUserPolicy(DetachUserPolicyRequest) -> (),
    GetAccessKeyLastUsed(GetAccessKeyLastUsedRequest) -> GetAccessKeyLastUsedResponse,
    GetAccountAuthorizationDetails(GetAccountAuthorizationDetailsRequest) -> GetAccountAuthorizationDetailsResponse,
    GetAccountProperties(GetAccountPropertiesRequest) -> GetAccountPropertiesResponse,
    GetAccountSummary(Nothing) -> GetAccountSummaryResponse,
    GetGroup(GetGroupRequest) -> GetGroupResponse,
    GetGroupPolicy(GetGroupPolicyRequest) -> GetGroupPolicyResponse,
    GetInstanceProfile(GetInstanceProfileRequest) -> GetInstanceProfileResponse,
    GetPolicy(GetPolicyRequest) -> GetPolicyResponse,
    GetPolicyVersion(GetPolicyVersionRequest) -> GetPolicyVersionResponse,
    GetRole(GetRoleRequest) -> GetRoleResponse,
    GetRolePolicy(GetRolePolicyRequest) -> GetRolePolicyResponse,
    GetRoleTemplateVersion(GetRoleTemplateVersionRequest) -> GetRoleTemplateVersionResponse,
    GetUser(GetUserRequest) -> GetUserResponse,
    GetUserPolicy(GetUserPolicyRequest) -> GetUserPolicyResponse,
    ListAccessKeys(ListAccessKeysRequest) -> ListAccessKeysResponse,
    ListAccountAliases(ListAccountAliasesRequest) -> ListAccountAliasesResponse,
    ListAttachedGroupPolicies(ListAttachedGroupPoliciesRequest) -> ListAttachedGroupPoliciesResponse,
    ListAttachedRolePolicies(ListAttachedRolePoliciesRequest) -> ListAttachedRolePoliciesResponse,
    ListAttachedUserPolicies(ListAttachedUserPoliciesRequest) -> ListAttachedUserPoliciesResponse,
    ListEntitiesForPolicy(ListEntitiesForPolicyRequest) -> ListEntitiesForPolicyResponse,
    ListGroupPolicies(ListGroupPoliciesRequest) -> ListGroupPoliciesResponse,
    ListGroups(ListGroupsRequest) -> ListGroupsResponse,
    ListGroupsForUser(ListGroupsForUserRequest) -> ListGroupsForUserResponse,
    ListInstanceProfileTags(ListInstanceProfileTagsRequest) -> ListInstanceProfileTagsResponse,
    ListInstanceProfiles(ListInstanceProfilesRequest) -> ListInstanceProfilesResponse,
    ListInstanceProfilesForRole(ListInstanceProfilesForRoleRequest) -> ListInstanceProfilesForRoleResponse,
    ListPolicies(ListPoliciesRequest) -> ListPoliciesResponse,
    ListPoliciesGrantingServiceAccess(ListPoliciesGrantingServiceAccessRequest) -> ListPoliciesGrantingServiceAccessResponse,
    ListPolicyTags(ListPolicyTagsRequest) -> ListPolicyTagsResponse,
    ListPolicyVersions(ListPolicyVersionsRequest) -> ListPolicyVersionsResponse,
    ListRolePolicies(ListRolePoliciesRequest) -> ListRolePoliciesResponse,
    ListRoleTags(ListRoleTagsRequest) -> ListRoleTagsResponse,
    ListRoles(ListRolesRequest) -> ListRolesResponse,
    ListUserPolicies(ListUserPoliciesRequest) -> ListUserPoliciesResponse,
    ListUserTags(ListUserTagsRequest) -> ListUserTagsResponse,
    ListUsers(ListUsersRequest) -> ListUsersResponse,
    PutAccountProperties(PutAccountPropertiesRequest) -> PutAccountPropertiesResponse,
    PutGroupPolicy(PutGroupPolicyRequest) -> (),
    PutRolePermissionsBoundary(PutRolePermissionsBoundaryRequest) -> (),
    PutRolePolicy(PutRolePolicyRequest) -> (),
    PutUserPermissionsBoundary(PutUserPermissionsBoundaryRequest) -> (),
    PutUserPolicy(PutUserPolicyRequest) -> (),
    RemoveRoleFromInstanceProfile(RemoveRoleFromInstanceProfileRequest) -> (),
    RemoveUserFromGroup(RemoveUserFromGroupRequest) -> (),
    SetDefaultPolicyVersion(SetDefaultPolicyVersionRequest) -> (),
    SimulateCustomPolicy(SimulateCustomPolicyRequest) -> SimulatePolicyResponse,
    SimulatePrincipalPolicy(SimulatePrincipalPolicyRequest) -> SimulatePolicyResponse,
    TagInstanceProfile(TagInstanceProfileRequest) -> (),
    TagPolicy(TagPolicyRequest) -> (),
    TagRole(TagRoleRequest) -> (),
    TagUser(TagUserRequest) -> (),
    UntagInstanceProfile(UntagInstanceProfileRequest) -> (),
    UntagPolicy(UntagPolicyRequest) -> (),
    UntagRole(UntagRoleRequest) -> (),
    UntagUser(UntagUserRequest) -> (),
    UpdateAccessKey(UpdateAccessKeyRequest) -> (),
    UpdateAssumeRolePolicy(UpdateAssumeRolePolicyRequest) -> (),
    UpdateGroup(UpdateGroupRequest) -> (),
    UpdateRole(UpdateRoleRequest) -> UpdateRoleResponse,
    UpdateRoleDescription(UpdateRoleDescriptionRequest) -> UpdateRoleDescriptionResponse,
    UpdateUser(UpdateUserRequest) -> (),
}

errors! {
    ACCOUNT_NOT_MANAGEMENT_OR_DELEGATED_ADMINISTRATOR_EXCEPTION = "AccountNotManagementOrDelegatedAdministratorException" 400,
    CALLER_IS_NOT_MANAGEMENT_ACCOUNT_EXCEPTION = "CallerIsNotManagementAccountException" 400,
    CONCURRENT_MODIFICATION_EXCEPTION = "ConcurrentModification" 409,
    CREDENTIAL_REPORT_EXPIRED_EXCEPTION = "ReportExpired" 410,
    CREDENTIAL_REPORT_NOT_PRESENT_EXCEPTION = "ReportNotPresent" 410,
    CREDENTIAL_REPORT_NOT_READY_EXCEPTION = "ReportInProgress" 404,
    DELETE_CONFLICT_EXCEPTION = "DeleteConflict" 409,
    DUPLICATE_CERTIFICATE_EXCEPTION = "DuplicateCertificate" 409,
    DUPLICATE_SSH_PUBLIC_KEY_EXCEPTION = "DuplicateSSHPublicKey" 400,
    ENTITY_ALREADY_EXISTS_EXCEPTION = "EntityAlreadyExists" 409,
    ENTITY_TEMPORARILY_UNMODIFIABLE_EXCEPTION = "EntityTemporarilyUnmodifiable" 409,
    FEATURE_DISABLED_EXCEPTION = "FeatureDisabled" 404,
    FEATURE_ENABLED_EXCEPTION = "FeatureEnabled" 409,
    INVALID_AUTHENTICATION_CODE_EXCEPTION = "InvalidAuthenticationCode" 403,
    INVALID_CERTIFICATE_EXCEPTION = "InvalidCertificate" 400,
    INVALID_INPUT_EXCEPTION = "InvalidInput" 400,
    INVALID_PUBLIC_KEY_EXCEPTION = "InvalidPublicKey" 400,
    INVALID_USER_TYPE_EXCEPTION = "InvalidUserType" 400,
    KEY_PAIR_MISMATCH_EXCEPTION = "KeyPairMismatch" 400,
    LIMIT_EXCEEDED_EXCEPTION = "LimitExceeded" 409,
    MALFORMED_CERTIFICATE_EXCEPTION = "MalformedCertificate" 400,
    MALFORMED_POLICY_DOCUMENT_EXCEPTION = "MalformedPolicyDocument" 400,
    NAME_CONFLICT_EXCEPTION = "NameConflict" 409,
    NO_SUCH_ENTITY_EXCEPTION = "NoSuchEntity" 404,
    OPEN_ID_IDP_COMMUNICATION_ERROR_EXCEPTION = "OpenIdIdpCommunicationError" 400,
    ORGANIZATION_NOT_FOUND_EXCEPTION = "OrganizationNotFoundException" 400,
    ORGANIZATION_NOT_IN_ALL_FEATURES_MODE_EXCEPTION = "OrganizationNotInAllFeaturesModeException" 400,
    PASSWORD_POLICY_VIOLATION_EXCEPTION = "PasswordPolicyViolation" 400,
    POLICY_EVALUATION_EXCEPTION = "PolicyEvaluation" 500,
    POLICY_NOT_ATTACHABLE_EXCEPTION = "PolicyNotAttachable" 400,
    REPORT_GENERATION_LIMIT_EXCEEDED_EXCEPTION = "ReportGenerationLimitExceeded" 409,
    ROLE_MODIFIED_EXCEPTION = "RoleModified" 409,
    ROLE_TEMPLATE_DISABLED_EXCEPTION = "RoleTemplateDisabled" 400,
    SERVICE_ACCESS_NOT_ENABLED_EXCEPTION = "ServiceAccessNotEnabledException" 400,
    SERVICE_FAILURE_EXCEPTION = "ServiceFailure" 500,
    SERVICE_NOT_SUPPORTED_EXCEPTION = "NotSupportedService" 404,
    UNMODIFIABLE_ENTITY_EXCEPTION = "UnmodifiableEntity" 400,
    UNRECOGNIZED_PUBLIC_KEY_ENCODING_EXCEPTION = "UnrecognizedPublicKeyEncoding" 400,
}
