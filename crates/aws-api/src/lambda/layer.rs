//! Layers.

use super::{Blob, shape};

shape! {
    PublishLayerVersionRequest {
        layer_name: String,
        content: LayerVersionContentInput,
        |
        description: String,
        compatible_architectures: Vec<String>,
        compatible_runtimes: Vec<String>,
        license_info: String,
    }
}

shape! {
    LayerVersionContentInput {
        |
        s3_bucket: String,
        s3_key: String,
        s3_object_version: String,
        s3_object_storage_mode: String,
        zip_file: Blob,
    }
}

shape! {
    /// Of PublishLayerVersion, GetLayerVersion and GetLayerVersionByArn.
    LayerVersion {
        content: LayerVersionContentOutput,
        layer_arn: String,
        layer_version_arn: String,
        description: String,
        created_date: String,
        version: u64,
        |
        compatible_architectures: Vec<String>,
        compatible_runtimes: Vec<String>,
        license_info: String,
    }
}

shape! {
    LayerVersionContentOutput {
        location: String,
        code_sha256: String,
        code_size: u64,
    }
}

shape! {
    /// Of GetLayerVersion, DeleteLayerVersion and GetLayerVersionPolicy.
    LayerVersionRequest {
        layer_name: String,
        version_number: i64,
    }
}

shape! {
    GetLayerVersionByArnRequest {
        arn: String,
    }
}

shape! {
    ListLayersRequest {
        |
        compatible_architecture: String,
        compatible_runtime: String,
        marker: String,
        max_items: u32,
    }
}

shape! {
    ListLayersResponse {
        layers: Vec<LayersListItem>,
        |
        next_marker: String,
    }
}

shape! {
    LayersListItem {
        layer_name: String,
        layer_arn: String,
        latest_matching_version: LayerVersionsListItem,
    }
}

shape! {
    ListLayerVersionsRequest {
        layer_name: String,
        |
        compatible_architecture: String,
        compatible_runtime: String,
        marker: String,
        max_items: u32,
    }
}

shape! {
    ListLayerVersionsResponse {
        layer_versions: Vec<LayerVersionsListItem>,
        |
        next_marker: String,
    }
}

shape! {
    LayerVersionsListItem {
        layer_version_arn: String,
        version: u64,
        description: String,
        created_date: String,
        |
        compatible_architectures: Vec<String>,
        compatible_runtimes: Vec<String>,
        license_info: String,
    }
}

shape! {
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

shape! {
    AddLayerVersionPermissionResponse {
        statement: String,
        revision_id: String,
    }
}

shape! {
    RemoveLayerVersionPermissionRequest {
        layer_name: String,
        version_number: i64,
        statement_id: String,
        |
        revision_id: String,
    }
}
