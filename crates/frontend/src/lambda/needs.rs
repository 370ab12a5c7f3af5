//! What a caller of the Lambda API must be allowed (Service Authorization Reference, "Actions, resources, and condition keys for AWS
//! Lambda").

use hearth_types::FunctionRef;
use serde_json::Value;

use super::Context;
use crate::permit::Need;

/// Operations whose action has another name.
const ACTIONS: &[(&str, &str)] = &[("GetLayerVersionByArn", "GetLayerVersion")];

pub(super) fn of(context: &Context, operation: &str, input: &Value) -> Vec<Need> {
    let action = ACTIONS.iter().find(|(named, _)| *named == operation).map_or(operation, |(_, action)| action);
    vec![Need::new(format!("lambda:{action}"), resource(context, input))]
}

/// The ARN of what the request is about.
fn resource(context: &Context, input: &Value) -> String {
    let text = |member: &str| input.get(member).and_then(Value::as_str);
    if let Some(arn) = text("Resource").or(text("ResourceArn")).or(text("Arn")) {
        return arn.to_owned();
    }
    let here = |kind: &str, name: &str| format!("arn:aws:lambda:{}:{}:{kind}:{name}", context.region, context.account);
    if let Some(layer) = text("LayerName") {
        let layer = if layer.starts_with("arn:") { layer.to_owned() } else { here("layer", layer) };
        return match input.get("VersionNumber").and_then(Value::as_i64) {
            Some(number) => format!("{layer}:{number}"),
            None => layer,
        };
    }
    let Some(function) = text("FunctionName") else { return "*".to_owned() };
    let Ok(function) = function.parse::<FunctionRef>() else { return here("function", function) };
    let region = function.region.as_ref().unwrap_or(&context.region);
    let account = function.account.as_ref().unwrap_or(&context.account);
    let arn = format!("arn:aws:lambda:{region}:{account}:function:{}", function.name);
    match function.qualifier.map(|qualifier| qualifier.to_string()).or(text("Qualifier").map(str::to_owned)) {
        Some(qualifier) => format!("{arn}:{qualifier}"),
        None => arn,
    }
}
