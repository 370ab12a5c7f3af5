use hearth_aws_api::shapes::lambda::{
    DeleteFunctionConcurrencyRequest, DeleteFunctionEventInvokeConfigRequest, DestinationConfig,
    GetFunctionCodeSigningConfigRequest, GetFunctionConcurrencyRequest, GetFunctionEventInvokeConfigRequest,
    GetFunctionRecursionConfigRequest, GetRuntimeManagementConfigRequest, ListTagsRequest, OnFailure, OnSuccess,
    PutFunctionConcurrencyRequest, PutFunctionEventInvokeConfigRequest, PutFunctionRecursionConfigRequest,
    PutRuntimeManagementConfigRequest, RecursiveLoop, TagResourceRequest, UntagResourceRequest,
    UpdateFunctionEventInvokeConfigRequest, UpdateRuntimeOn,
};
use serde_json::json;

use crate::world::{FUNCTION_ARN, World, refusal, root};

#[tokio::test]
async fn tags_come_and_go() {
    let world = World::new().await;
    let before = world.create("f").await;
    let tag = |pairs: &[(&str, &str)]| TagResourceRequest {
        resource: FUNCTION_ARN.into(),
        tags: pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
    };
    let functions = world.functions();
    functions.tag_resource(world.scope(), tag(&[("a", "1"), ("b", "2")])).await.unwrap();
    functions.tag_resource(world.scope(), tag(&[("b", "3")])).await.unwrap();
    let untag = UntagResourceRequest { resource: FUNCTION_ARN.into(), tag_keys: vec!["a".into(), "zzz".into()] };
    functions.untag_resource(world.scope(), untag).await.unwrap();
    let list = |resource: &str| functions.list_tags(world.scope(), &ListTagsRequest { resource: resource.into() });
    assert_eq!(list(FUNCTION_ARN).unwrap().tags, Some([("b".to_owned(), "3".to_owned())].into()));
    assert_ne!(world.get("f", None).unwrap().revision_id, before.revision_id);
    assert_eq!(
        refusal(list(&format!("{FUNCTION_ARN}:1"))),
        "400 InvalidParameterValueException: Tags on function aliases and versions are not supported. Please specify a function ARN."
    );
    let many: Vec<(String, String)> = (0..51).map(|number| (number.to_string(), String::new())).collect();
    let request = TagResourceRequest { resource: FUNCTION_ARN.into(), tags: many.into_iter().collect() };
    assert_eq!(
        refusal(functions.tag_resource(world.scope(), request).await),
        "400 InvalidParameterValueException: Number of tags exceeds resource tag limit."
    );
}

#[tokio::test]
async fn reservations_leave_a_hundred_unreserved() {
    let world = World::new().await;
    world.create("f").await;
    world.create("g").await;
    let put = |name: &str, count| PutFunctionConcurrencyRequest {
        function_name: name.into(),
        reserved_concurrent_executions: count,
    };
    let functions = world.functions();
    functions.put_function_concurrency(world.scope(), put("f", 800)).await.unwrap();
    let expected = "400 InvalidParameterValueException: Specified ReservedConcurrentExecutions for function decreases account's \
                    UnreservedConcurrentExecution below its minimum value of [100].";
    assert_eq!(refusal(functions.put_function_concurrency(world.scope(), put("g", 101)).await), expected);
    functions.put_function_concurrency(world.scope(), put("g", 100)).await.unwrap();
    functions.put_function_concurrency(world.scope(), put("f", 0)).await.unwrap();
    let settings = functions.get_account_settings(world.scope());
    assert_eq!(settings.account_limit.unwrap().unreserved_concurrent_executions, Some(900));
    let resolved = functions.resolve((&world.home, &root(&world.home)), &"f".parse().unwrap(), None, 0.0).unwrap();
    assert_eq!((resolved.reserved_concurrency, resolved.account_unreserved), (Some(0), 900));
    let delete = DeleteFunctionConcurrencyRequest { function_name: "f".into() };
    functions.delete_function_concurrency(world.scope(), delete).await.unwrap();
    let get = GetFunctionConcurrencyRequest { function_name: "f".into() };
    let shown = functions.get_function_concurrency(world.scope(), &get).unwrap();
    assert_eq!(serde_json::to_value(shown).unwrap(), json!({}));
    assert!(refusal(functions.put_function_concurrency(world.scope(), put("f:1", 1)).await).starts_with("400 "));
    assert!(refusal(functions.put_function_concurrency(world.scope(), put("h", 1)).await).ends_with(":h:$LATEST"));
}

#[tokio::test]
async fn asynchronous_configuration_is_put_updated_listed_and_deleted() {
    let world = World::new().await;
    world.create("f").await;
    world.create("g").await;
    let request = || PutFunctionEventInvokeConfigRequest { function_name: "f".into(), ..Default::default() };
    let functions = world.functions();
    let put = PutFunctionEventInvokeConfigRequest { maximum_event_age_in_seconds: Some(60), ..request() };
    let answer = functions.put_function_event_invoke_config(world.scope(), put).await.unwrap();
    assert_eq!(
        serde_json::to_value(answer).unwrap(),
        json!({"DestinationConfig": {"OnFailure": {}, "OnSuccess": {}}, "FunctionArn": format!("{FUNCTION_ARN}:$LATEST"),
            "LastModified": 1_790_000_000.123, "MaximumEventAgeInSeconds": 60})
    );
    let queue = "arn:aws:sqs:eu-west-1:123456789012:q";
    let destinations = |success: Option<&str>, failure: Option<&str>| {
        Some(DestinationConfig {
            on_success: success.map(|arn| OnSuccess { destination: Some(arn.to_owned()) }),
            on_failure: failure.map(|arn| OnFailure { destination: Some(arn.to_owned()) }),
        })
    };
    let update = UpdateFunctionEventInvokeConfigRequest {
        function_name: "f".into(),
        maximum_retry_attempts: Some(1),
        destination_config: destinations(None, None),
        ..Default::default()
    };
    let answer = functions.update_function_event_invoke_config(world.scope(), update).await.unwrap();
    assert_eq!((answer.maximum_retry_attempts, answer.maximum_event_age_in_seconds), (Some(1), Some(60)));

    let other = FUNCTION_ARN.replace(":function:f", ":function:g");
    let missing = FUNCTION_ARN.replace(":function:f", ":function:h");
    let unknown = format!("{other}:none");
    let iam = "arn:aws:iam:eu-west-1:123456789012:function:f";
    let cases = [
        (
            destinations(Some(FUNCTION_ARN), None),
            "You can't specify the function as a destination for itself.".to_owned(),
        ),
        (destinations(Some(&missing), None), format!("The destination ARN {missing} is invalid.")),
        (destinations(None, Some(&unknown)), format!("The destination ARN {unknown} is invalid.")),
        (
            destinations(None, Some(queue)),
            format!(
                "The destination ARN {queue} is invalid. Hearth delivers to functions alone: name one of this account."
            ),
        ),
        (
            destinations(Some(iam), None),
            format!(
                "The provided destination config DestinationConfig(onSuccess=OnSuccess(destination={iam}), onFailure=null) is invalid."
            ),
        ),
        (None, "You must specify at least one of error handling or destination setting.".to_owned()),
    ];
    for (destination_config, expected) in cases {
        let put = PutFunctionEventInvokeConfigRequest { destination_config, ..request() };
        let refused = refusal(functions.put_function_event_invoke_config(world.scope(), put).await);
        assert_eq!(refused, format!("400 InvalidParameterValueException: {expected}"));
    }
    let nothing =
        PutFunctionEventInvokeConfigRequest { function_name: "missing".into(), destination_config: None, ..request() };
    let refused = refusal(functions.put_function_event_invoke_config(world.scope(), nothing).await);
    assert!(refused.contains("You must specify at least one"), "{refused}");
    let put = PutFunctionEventInvokeConfigRequest { destination_config: destinations(Some(&other), None), ..request() };
    functions.put_function_event_invoke_config(world.scope(), put).await.unwrap();
    let delete = DeleteFunctionEventInvokeConfigRequest { function_name: "f".into(), qualifier: None };
    functions.delete_function_event_invoke_config(world.scope(), delete).await.unwrap();
    let get = GetFunctionEventInvokeConfigRequest { function_name: "f".into(), qualifier: None };
    assert_eq!(
        refusal(functions.get_function_event_invoke_config(world.scope(), &get)),
        format!("404 ResourceNotFoundException: The function {FUNCTION_ARN}:$LATEST doesn't have an EventInvokeConfig")
    );
    let put = PutFunctionEventInvokeConfigRequest {
        function_name: "h".into(),
        maximum_retry_attempts: Some(1),
        ..Default::default()
    };
    assert_eq!(
        refusal(functions.put_function_event_invoke_config(world.scope(), put).await),
        "404 ResourceNotFoundException: The function doesn't exist."
    );
}

#[tokio::test]
async fn small_settings_have_lambdas_defaults_and_are_kept() {
    let mut world = World::new().await;
    world.create("f").await;
    let runtime = |world: &World| {
        let get = GetRuntimeManagementConfigRequest { function_name: "f".into(), qualifier: None };
        world.functions().get_runtime_management_config(world.scope(), &get).unwrap()
    };
    let recursion = |world: &World| {
        let get = GetFunctionRecursionConfigRequest { function_name: "f".into() };
        world.functions().get_function_recursion_config(world.scope(), &get).unwrap().recursive_loop
    };
    assert_eq!(
        serde_json::to_value(runtime(&world)).unwrap(),
        json!({"UpdateRuntimeOn": "Auto", "FunctionArn": FUNCTION_ARN})
    );
    assert_eq!(recursion(&world), Some(RecursiveLoop::Terminate));
    let put = PutFunctionRecursionConfigRequest { function_name: "f".into(), recursive_loop: RecursiveLoop::Allow };
    world.functions().put_function_recursion_config(world.scope(), put).await.unwrap();
    let put = PutRuntimeManagementConfigRequest {
        function_name: "f".into(),
        update_runtime_on: UpdateRuntimeOn::FunctionUpdate,
        qualifier: None,
        runtime_version_arn: None,
    };
    world.functions().put_runtime_management_config(world.scope(), put).await.unwrap();
    world.reopen().await;
    assert_eq!(recursion(&world), Some(RecursiveLoop::Allow));
    assert_eq!(runtime(&world).update_runtime_on, Some(UpdateRuntimeOn::FunctionUpdate));
    let get = GetFunctionCodeSigningConfigRequest { function_name: "f".into() };
    let signing = world.functions().get_function_code_signing_config(world.scope(), &get).unwrap();
    assert_eq!(serde_json::to_value(signing).unwrap(), json!({"FunctionName": "f"}));
}
