//! Operations on what no function has here. Reading finds nothing; everything else is refused by name, so that no client
//! takes it for done.

use hearth_aws_api::ApiError;
use serde_json::{Value, json};

pub(super) fn answer(operation: &str) -> Result<Value, ApiError> {
    Ok(match operation {
        "ListFunctionUrlConfigs" => json!({ "FunctionUrlConfigs": [] }),
        "ListEventSourceMappings" => json!({ "EventSourceMappings": [] }),
        "ListCodeSigningConfigs" => json!({ "CodeSigningConfigs": [] }),
        "ListCapacityProviders" => json!({ "CapacityProviders": [] }),
        "ListDurableExecutionsByFunction" => json!({ "DurableExecutions": [] }),
        "GetFunctionUrlConfig" | "GetEventSourceMapping" | "GetResourcePolicy" => {
            return Err(ApiError::not_found("The resource you requested does not exist."));
        }
        other => {
            return Err(ApiError::invalid_parameter(format!("The operation {other} is not supported by Hearth")));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_finds_nothing_and_writing_is_refused_by_name() {
        assert_eq!(answer("ListEventSourceMappings").unwrap(), json!({ "EventSourceMappings": [] }));
        assert_eq!(answer("GetFunctionUrlConfig").unwrap_err().status, 404);
        let error = answer("CreateCapacityProvider").unwrap_err();
        assert_eq!((error.status, error.name), (400, "InvalidParameterValueException"));
        assert!(error.message.contains("CreateCapacityProvider"));
    }
}
