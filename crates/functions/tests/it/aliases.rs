use hearth_aws_api::shapes::lambda::{
    AliasRoutingConfiguration, CreateAliasRequest, DeleteAliasRequest, GetAliasRequest, ListAliasesRequest,
    UpdateAliasRequest,
};
use serde_json::json;

use crate::world::{FUNCTION_ARN, World, refusal};

fn weights(pairs: &[(&str, f64)]) -> Option<AliasRoutingConfiguration> {
    let weights = pairs.iter().map(|(version, weight)| ((*version).to_owned(), *weight)).collect();
    Some(AliasRoutingConfiguration { additional_version_weights: Some(weights) })
}

fn request(name: &str, version: &str, routing: Option<AliasRoutingConfiguration>) -> CreateAliasRequest {
    CreateAliasRequest {
        function_name: "f".into(),
        name: name.into(),
        function_version: version.into(),
        description: None,
        routing_config: routing,
    }
}

fn change(name: &str) -> UpdateAliasRequest {
    UpdateAliasRequest { function_name: "f".into(), name: name.into(), ..Default::default() }
}

/// A function with the versions 1 and 2.
async fn world() -> World {
    let world = World::new().await;
    world.create("f").await;
    world.publish("f").await.unwrap();
    world.touch("f", "two").await;
    world.publish("f").await.unwrap();
    world
}

#[tokio::test]
async fn an_alias_lives_from_creation_to_deletion() {
    let world = world().await;
    let created =
        world.functions().create_alias(world.scope(), request("prod", "1", weights(&[("2", 0.2)]))).await.unwrap();
    let mut shown = serde_json::to_value(&created).unwrap();
    shown.as_object_mut().unwrap().remove("RevisionId").unwrap();
    assert_eq!(
        shown,
        json!({"AliasArn": format!("{FUNCTION_ARN}:prod"), "Description": "", "FunctionVersion": "1", "Name": "prod",
            "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.2}}})
    );
    let wanted = GetAliasRequest { function_name: "f".into(), name: "prod".into() };
    assert_eq!(world.functions().get_alias(world.scope(), &wanted).unwrap(), created);
    let view = world.get("f", Some("prod")).unwrap();
    assert_eq!((view.version.as_deref(), view.function_arn), (Some("1"), Some(format!("{FUNCTION_ARN}:prod"))));

    let stale = UpdateAliasRequest { revision_id: Some("x".into()), ..change("prod") };
    assert!(refusal(world.functions().update_alias(world.scope(), stale).await).starts_with("412 "));
    let cleared = UpdateAliasRequest {
        function_version: Some("2".into()),
        routing_config: weights(&[]),
        revision_id: created.revision_id.clone(),
        ..change("prod")
    };
    let updated = world.functions().update_alias(world.scope(), cleared).await.unwrap();
    assert_eq!((updated.function_version.as_deref(), &updated.routing_config), (Some("2"), &None));
    assert_ne!(updated.revision_id, created.revision_id);

    let gone = || DeleteAliasRequest { function_name: "f".into(), name: "prod".into() };
    world.functions().delete_alias(world.scope(), gone()).await.unwrap();
    world.functions().delete_alias(world.scope(), gone()).await.unwrap();
    assert_eq!(
        refusal(world.functions().get_alias(world.scope(), &wanted)),
        format!("404 ResourceNotFoundException: Cannot find alias arn: {FUNCTION_ARN}:prod")
    );
}

#[tokio::test]
async fn bad_routing_is_refused_in_lambdas_words() {
    let world = world().await;
    let cases = [
        (
            request("a", "1", weights(&[("1", 0.5), ("2", 0.5)])),
            "400 InvalidParameterValueException: Number of items in AdditionalVersionWeights cannot be greater than 1".to_owned(),
        ),
        (
            request("a", "1", weights(&[("1", 0.5)])),
            "400 InvalidParameterValueException: Invalid function version 1. Function version 1 is already included in routing \
             configuration."
                .to_owned(),
        ),
        (
            request("a", "$LATEST", weights(&[("1", 0.5)])),
            "400 InvalidParameterValueException: $LATEST is not supported for an alias pointing to more than 1 version".to_owned(),
        ),
        (
            request("a", "10", None),
            format!("404 ResourceNotFoundException: Function not found: {FUNCTION_ARN}:10"),
        ),
        (
            request("a", "1", weights(&[("9", 0.5)])),
            format!("404 ResourceNotFoundException: Function not found: {FUNCTION_ARN}:9"),
        ),
    ];
    for (request, expected) in cases {
        assert_eq!(refusal(world.functions().create_alias(world.scope(), request).await), expected);
    }
    world.functions().create_alias(world.scope(), request("a", "1", weights(&[("2", 0.5)]))).await.unwrap();
    assert_eq!(
        refusal(world.functions().create_alias(world.scope(), request("a", "1", None)).await),
        format!("409 ResourceConflictException: Alias already exists: {FUNCTION_ARN}:a")
    );
    let onto_other = UpdateAliasRequest { function_version: Some("2".into()), ..change("a") };
    assert!(refusal(world.functions().update_alias(world.scope(), onto_other).await).starts_with("400 "));
    assert_eq!(
        refusal(world.functions().update_alias(world.scope(), change("b")).await),
        format!("404 ResourceNotFoundException: Alias not found: {FUNCTION_ARN}:b")
    );
}

#[tokio::test]
async fn aliases_are_listed_by_version() {
    let world = world().await;
    for (name, version, routing) in [("a", "1", weights(&[("2", 0.5)])), ("b", "1", None), ("c", "$LATEST", None)] {
        world.functions().create_alias(world.scope(), request(name, version, routing)).await.unwrap();
    }
    let list = |version: Option<&str>| {
        let request = ListAliasesRequest {
            function_name: "f".into(),
            function_version: version.map(Into::into),
            ..Default::default()
        };
        let aliases = world.functions().list_aliases(world.scope(), &request).unwrap().aliases;
        aliases.into_iter().flatten().filter_map(|alias| alias.name).collect::<Vec<_>>()
    };
    assert_eq!(list(None), ["a", "b", "c"]);
    assert_eq!(list(Some("1")), ["a", "b"]);
    assert_eq!(list(Some("2")), ["a"]);
    assert_eq!(list(Some("$LATEST")), ["c"]);
}
