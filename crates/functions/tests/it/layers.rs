use hearth_aws_api::shapes::lambda::{
    AddLayerVersionPermissionRequest, DeleteLayerVersionRequest, GetLayerVersionByArnRequest,
    GetLayerVersionPolicyRequest, GetLayerVersionPolicyResponse, GetLayerVersionRequest, GetLayerVersionResponse,
    LayerVersionContentInput, ListLayerVersionsRequest, ListLayersRequest, PublishLayerVersionRequest,
    PublishLayerVersionResponse, RemoveLayerVersionPermissionRequest, Runtime, UpdateFunctionConfigurationRequest,
};

use hearth_functions::ApiError;

use crate::world::{World, create, refusal, root, zip};

const LAYER_ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:layer:l";

async fn publish(world: &World, name: &str, text: &str, runtimes: &[Runtime]) -> PublishLayerVersionResponse {
    let request = PublishLayerVersionRequest {
        layer_name: name.into(),
        content: LayerVersionContentInput { zip_file: Some(zip(text)), ..Default::default() },
        compatible_runtimes: Some(runtimes.to_vec()),
        ..Default::default()
    };
    world.functions().publish_layer_version(world.scope(), request).await.unwrap()
}

fn get(world: &World, number: i64) -> Result<GetLayerVersionResponse, ApiError> {
    let request = GetLayerVersionRequest { layer_name: "l".into(), version_number: number };
    world.functions().get_layer_version(world.scope(), &request)
}

async fn delete(world: &World, number: i64) -> Result<(), ApiError> {
    let request = DeleteLayerVersionRequest { layer_name: "l".into(), version_number: number };
    world.functions().delete_layer_version(world.scope(), request).await
}

fn policy(world: &World, number: i64) -> Result<GetLayerVersionPolicyResponse, ApiError> {
    let request = GetLayerVersionPolicyRequest { layer_name: "l".into(), version_number: number };
    world.functions().get_layer_version_policy(world.scope(), &request)
}

#[tokio::test]
async fn layer_versions_are_published_found_listed_and_deleted() {
    let mut world = World::new().await;
    let first = publish(&world, "l", "one", &[Runtime::Python3_11]).await;
    assert_eq!((first.version, &first.layer_version_arn), (Some(1), &Some(format!("{LAYER_ARN}:1"))));
    let second = publish(&world, "l", "two", &[Runtime::Python3_12]).await;
    assert_eq!(second.version, Some(2));
    publish(&world, "k", "three", &[]).await;
    let functions = world.functions();
    let by_arn = GetLayerVersionByArnRequest { arn: format!("{LAYER_ARN}:1") };
    let found = get(&world, 1).unwrap();
    assert_eq!(functions.get_layer_version_by_arn(world.scope(), &by_arn).unwrap(), found);
    assert_eq!(serde_json::to_value(found).unwrap(), serde_json::to_value(first).unwrap());
    let list = ListLayerVersionsRequest { layer_name: "l".into(), ..Default::default() };
    let versions = functions.list_layer_versions(world.scope(), &list).unwrap().layer_versions.unwrap();
    assert_eq!(versions.iter().filter_map(|item| item.version).collect::<Vec<_>>(), [2, 1]);
    let layers = |compatible_runtime: Option<Runtime>| {
        let request = ListLayersRequest { compatible_runtime, ..Default::default() };
        let layers = functions.list_layers(world.scope(), &request).layers.unwrap().into_iter();
        let latest =
            layers.map(|item| (item.layer_name.unwrap(), item.latest_matching_version.unwrap().version.unwrap()));
        latest.collect::<Vec<_>>()
    };
    assert_eq!(layers(None), [("k".to_owned(), 1), ("l".to_owned(), 2)]);
    assert_eq!(layers(Some(Runtime::Python3_11)), [("l".to_owned(), 1)]);
    delete(&world, 2).await.unwrap();
    delete(&world, 2).await.unwrap();
    world.reopen().await;
    assert_eq!(refusal(get(&world, 2)), "404 ResourceNotFoundException: The resource you requested does not exist.");
    assert_eq!(refusal(get(&world, 0)), "400 InvalidParameterValueException: Layer Version Cannot be less than 1");
    assert_eq!(publish(&world, "l", "two", &[]).await.version, Some(3));
}

#[tokio::test]
async fn functions_use_layers_and_keep_them() {
    let world = World::new().await;
    publish(&world, "l", "one", &[]).await;
    let second = publish(&world, "l", "two", &[]).await;
    let arn = second.layer_version_arn.unwrap();
    let mut request = create("f");
    request.layers = Some(vec![arn.clone()]);
    let view = world.functions().create_function(world.scope(), request).await.unwrap();
    assert_eq!(view.layers.unwrap()[0].arn.as_ref(), Some(&arn));
    world.settled("f").await;
    delete(&world, 2).await.unwrap();
    let spec =
        world.functions().resolve((&world.home, &root(&world.home)), &"f".parse().unwrap(), None, 0.0).unwrap().spec;
    assert_eq!(spec.layers[0].arn, arn);
    let six: Vec<String> = (1..=6).map(|number| format!("{LAYER_ARN}:{number}")).collect();
    let other_region = "arn:aws:lambda:us-east-1:123456789012:layer:l:1";
    let cases = [
        (vec![format!("{LAYER_ARN}:1"), format!("{LAYER_ARN}:1")], format!(
            "400 InvalidParameterValueException: Two different versions of the same layer are not allowed to be referenced in \
             the same function. {LAYER_ARN}:1 and {LAYER_ARN}:1 are versions of the same layer."
        )),
        (vec![format!("{LAYER_ARN}:2")], format!(
            "400 InvalidParameterValueException: Layer version {LAYER_ARN}:2 does not exist."
        )),
        (six, "400 InvalidParameterValueException: Cannot reference more than 5 layers.".to_owned()),
        (vec![other_region.to_owned()],
            "400 InvalidParameterValueException: Layers are not in the same region as the function. Layers are expected to be in \
             region eu-west-1.".to_owned()),
        // Recorded: another account's is not said to be elsewhere.
        (vec![other_region.replace("123456789012", "210987654321")],
            "403 AccessDeniedException: User: arn:aws:iam::123456789012:root is not authorized to perform: lambda:GetLayerVersion \
             on resource: arn:aws:lambda:us-east-1:210987654321:layer:l:1 because no resource-based policy allows the \
             lambda:GetLayerVersion action".to_owned()),
    ];
    for (layers, expected) in cases {
        let request = UpdateFunctionConfigurationRequest {
            function_name: "f".into(),
            layers: Some(layers),
            ..Default::default()
        };
        assert_eq!(refusal(world.functions().update_function_configuration(world.scope(), request).await), expected);
    }
}

#[tokio::test]
async fn layer_versions_have_policies() {
    let world = World::new().await;
    publish(&world, "l", "one", &[]).await;
    let add = |id: &str, revision: Option<String>| AddLayerVersionPermissionRequest {
        layer_name: "l".into(),
        version_number: 1,
        statement_id: id.into(),
        action: "lambda:GetLayerVersion".into(),
        principal: "*".into(),
        revision_id: revision,
        organization_id: None,
    };
    let functions = world.functions();
    let added = functions.add_layer_version_permission(world.scope(), add("s1", None)).await.unwrap();
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&added.statement.unwrap()).unwrap(),
        serde_json::json!({"Sid": "s1", "Effect": "Allow", "Principal": "*", "Action": "lambda:GetLayerVersion",
            "Resource": format!("{LAYER_ARN}:1")})
    );
    assert!(refusal(functions.add_layer_version_permission(world.scope(), add("s1", None)).await).starts_with("409 "));
    let stale = refusal(functions.add_layer_version_permission(world.scope(), add("s2", Some("x".into()))).await);
    assert!(stale.starts_with("412 ") && stale.contains("GetLayerPolicy"), "{stale}");
    assert_eq!(policy(&world, 1).unwrap().revision_id, added.revision_id);
    let remove = |id: &str| RemoveLayerVersionPermissionRequest {
        layer_name: "l".into(),
        version_number: 1,
        statement_id: id.into(),
        revision_id: None,
    };
    assert_eq!(
        refusal(functions.remove_layer_version_permission(world.scope(), remove("nope")).await),
        "404 ResourceNotFoundException: Statement nope is not found in resource policy."
    );
    functions.remove_layer_version_permission(world.scope(), remove("s1")).await.unwrap();
    assert!(refusal(policy(&world, 1)).starts_with("404 "));
    assert_eq!(
        refusal(policy(&world, 2)),
        format!("404 ResourceNotFoundException: Layer version {LAYER_ARN}:2 does not exist.")
    );
}

#[tokio::test]
async fn other_accounts_use_layers_that_are_open_to_them() {
    let world = World::new().await;
    let arn = publish(&world, "l", "one", &[]).await.layer_version_arn.unwrap();
    let other = "210987654321/eu-west-1".parse().unwrap();
    let scope = hearth_functions::Scope { home: &other, ..world.scope() };
    let request = || {
        let mut request = create("f");
        request.layers = Some(vec![arn.clone()]);
        request
    };
    let refused = refusal(world.functions().create_function(scope, request()).await);
    assert!(refused.starts_with("403 AccessDeniedException: "), "{refused}");
    let theirs = || GetLayerVersionRequest { layer_name: LAYER_ARN.into(), version_number: 1 };
    assert_eq!(
        refusal(world.functions().get_layer_version(scope, &theirs())),
        format!(
            "403 AccessDeniedException: User: arn:aws:iam::210987654321:root is not authorized to perform: \
             lambda:GetLayerVersion on resource: {arn} because no resource-based policy allows the lambda:GetLayerVersion action"
        )
    );
    let open = AddLayerVersionPermissionRequest {
        layer_name: "l".into(),
        version_number: 1,
        statement_id: "s".into(),
        action: "lambda:GetLayerVersion".into(),
        principal: "210987654321".into(),
        ..Default::default()
    };
    world.functions().add_layer_version_permission(world.scope(), open).await.unwrap();
    world.functions().create_function(scope, request()).await.unwrap();
    let by_arn = GetLayerVersionByArnRequest { arn: arn.clone() };
    assert_eq!(
        world.functions().get_layer_version_by_arn(scope, &by_arn).unwrap().layer_version_arn.as_ref(),
        Some(&arn)
    );
    assert_eq!(world.functions().get_layer_version(scope, &theirs()).unwrap().layer_version_arn.as_ref(), Some(&arn));
    // Nothing but reading can be granted.
    let delete = DeleteLayerVersionRequest { layer_name: LAYER_ARN.into(), version_number: 1 };
    let refused = refusal(world.functions().delete_layer_version(scope, delete).await);
    assert!(
        refused.starts_with("403 AccessDeniedException: ") && refused.contains("lambda:DeleteLayerVersion"),
        "{refused}"
    );
    assert!(get(&world, 1).is_ok());
}
