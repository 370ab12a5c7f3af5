//! Aliases.

use std::collections::BTreeMap;

use super::shape;

shape! {
    CreateAliasRequest {
        function_name: String,
        name: String,
        function_version: String,
        |
        description: String,
        routing_config: AliasRoutingConfiguration,
    }
}

shape! {
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

shape! {
    /// Of GetAlias and DeleteAlias.
    AliasRequest {
        function_name: String,
        name: String,
    }
}

shape! {
    ListAliasesRequest {
        function_name: String,
        |
        function_version: String,
        marker: String,
        max_items: u32,
    }
}

shape! {
    ListAliasesResponse {
        aliases: Vec<AliasConfiguration>,
        |
        next_marker: String,
    }
}

shape! {
    AliasRoutingConfiguration {
        |
        additional_version_weights: BTreeMap<String, f64>,
    }
}

shape! {
    AliasConfiguration {
        alias_arn: String,
        name: String,
        function_version: String,
        description: String,
        revision_id: String,
        |
        routing_config: AliasRoutingConfiguration,
    }
}
