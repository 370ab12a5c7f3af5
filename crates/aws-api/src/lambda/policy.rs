//! Resource policies and tags.

use super::{StringMap, shape};

shape! {
    AddPermissionRequest {
        function_name: String,
        statement_id: String,
        action: String,
        principal: String,
        |
        source_arn: String,
        source_account: String,
        event_source_token: String,
        qualifier: String,
        revision_id: String,
        #[serde(rename = "PrincipalOrgID")]
        principal_org_id: String,
        function_url_auth_type: String,
        invoked_via_function_url: bool,
    }
}

shape! {
    AddPermissionResponse {
        /// JSON.
        statement: String,
    }
}

shape! {
    RemovePermissionRequest {
        function_name: String,
        statement_id: String,
        |
        qualifier: String,
        revision_id: String,
    }
}

shape! {
    /// Of GetPolicy and GetLayerVersionPolicy.
    PolicyResponse {
        /// JSON.
        policy: String,
        revision_id: String,
    }
}

shape! {
    ListTagsRequest {
        resource: String,
    }
}

shape! {
    ListTagsResponse {
        tags: StringMap,
    }
}

shape! {
    TagResourceRequest {
        resource: String,
        tags: StringMap,
    }
}

shape! {
    UntagResourceRequest {
        resource: String,
        tag_keys: Vec<String>,
    }
}
