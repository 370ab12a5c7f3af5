use hearth_aws_api::shapes::lambda::{
    AddPermissionRequest, AliasRoutingConfiguration, CreateAliasRequest, PutFunctionEventInvokeConfigRequest,
    TagResourceRequest,
};
use hearth_engine::port::Catalogue;
use hearth_functions::Resolved;
use hearth_types::{NetworkMode, VersionLabel};

use crate::world::{FUNCTION_ARN, World, create, refusal, root};

fn resolve(world: &World, text: &str, draw: f64) -> Result<Resolved, hearth_functions::ApiError> {
    world.functions().resolve((&world.home, &root(&world.home)), &text.parse().unwrap(), None, draw)
}

async fn weighted() -> World {
    let world = World::new().await;
    world.create("f").await;
    world.publish("f").await.unwrap();
    world.touch("f", "two").await;
    world.publish("f").await.unwrap();
    let alias = CreateAliasRequest {
        function_name: "f".into(),
        name: "prod".into(),
        function_version: "1".into(),
        routing_config: Some(AliasRoutingConfiguration {
            additional_version_weights: Some([("2".to_owned(), 0.25)].into()),
        }),
        description: None,
    };
    world.functions().create_alias(world.scope(), alias).await.unwrap();
    world
}

#[tokio::test]
async fn each_qualifier_means_its_version_and_keeps_its_arn() {
    let world = weighted().await;
    let cases = [
        ("f", 0.0, VersionLabel::Latest, FUNCTION_ARN.to_owned()),
        ("f:$LATEST", 0.0, VersionLabel::Latest, format!("{FUNCTION_ARN}:$LATEST")),
        ("f:1", 0.0, VersionLabel::Number(1), format!("{FUNCTION_ARN}:1")),
        ("f:prod", 0.1, VersionLabel::Number(2), format!("{FUNCTION_ARN}:prod")),
        ("f:prod", 0.25, VersionLabel::Number(1), format!("{FUNCTION_ARN}:prod")),
        ("f:prod", 0.9, VersionLabel::Number(1), format!("{FUNCTION_ARN}:prod")),
    ];
    for (text, draw, version, arn) in cases {
        let resolved = resolve(&world, text, draw).unwrap();
        assert_eq!((resolved.executed_version, &*resolved.invoked_arn), (version, arn.as_str()), "{text} {draw}");
        assert_eq!(resolved.account_unreserved, 1000);
    }
    for (text, arn) in [("f:3", "f:3"), ("f:nope", "f:nope"), ("g", "g:$LATEST")] {
        let expected = FUNCTION_ARN.replace(":function:f", &format!(":function:{arn}"));
        assert_eq!(
            refusal(resolve(&world, text, 0.0)),
            format!("404 ResourceNotFoundException: Function not found: {expected}")
        );
    }
}

#[tokio::test]
async fn conflicting_qualifiers_and_other_regions_are_refused() {
    let world = weighted().await;
    let reference = "f:1".parse().unwrap();
    let other = "2".parse().unwrap();
    assert_eq!(
        refusal(world.functions().resolve((&world.home, &root(&world.home)), &reference, Some(&other), 0.0)),
        "400 InvalidParameterValueException: The derived qualifier from the function name does not match the specified qualifier."
    );
    let same = "1".parse().unwrap();
    assert!(world.functions().resolve((&world.home, &root(&world.home)), &reference, Some(&same), 0.0).is_ok());
    assert_eq!(
        refusal(resolve(&world, "arn:aws:lambda:us-east-1:123456789012:function:f", 0.0)),
        "404 ResourceNotFoundException: Functions from 'us-east-1' are not reachable in this region ('eu-west-1')"
    );
}

#[tokio::test]
async fn nothing_runs_before_it_is_active_and_updates_count_at_once() {
    let world = World::new().await;
    world.functions().create_function(world.scope(), create("f")).await.unwrap();
    assert!(refusal(resolve(&world, "f", 0.0)).starts_with("409 ResourceConflictException: "));
    world.settled("f").await;
    let before = resolve(&world, "f", 0.0).unwrap().spec;
    world.update_code("f", "new code").await.unwrap();
    let after = resolve(&world, "f", 0.0).unwrap().spec;
    assert_ne!(after.key.code, before.key.code);
    assert!(after.key.generation > before.key.generation);
    assert_eq!(*world.retired.lock().unwrap(), std::slice::from_ref(&before.key));
    world.settled("f").await;
    assert_eq!(resolve(&world, "f", 0.0).unwrap().spec.key, after.key);
}

#[tokio::test]
async fn keys_never_return_even_under_the_same_name_with_the_same_code() {
    let mut world = World::new().await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..3 {
        world.create("f").await;
        assert!(seen.insert(resolve(&world, "f", 0.0).unwrap().spec.key.generation));
        world.touch("f", "x").await;
        assert!(seen.insert(resolve(&world, "f", 0.0).unwrap().spec.key.generation));
        world.delete("f", None).await.unwrap();
        assert!(resolve(&world, "f", 0.0).is_err());
        world.reopen().await;
    }
    let retired: std::collections::BTreeSet<u64> =
        world.retired.lock().unwrap().iter().map(|key| key.generation).collect();
    assert_eq!(retired, seen);
}

#[tokio::test]
async fn tags_choose_the_network_of_new_sandboxes() {
    let world = weighted().await;
    let before: Vec<_> = ["f", "f:1"].map(|text| resolve(&world, text, 0.0).unwrap().spec).into();
    assert_eq!(before[0].network, NetworkMode::None);
    let tags = [("hearth:network", "egress"), ("hearth:live-dir", "/src")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    let request = TagResourceRequest { resource: FUNCTION_ARN.into(), tags: tags.into() };
    let function = hearth_functions::Scope { principal: "arn:aws:sts::123456789012:assumed-role/r/f", ..world.scope() };
    assert_eq!(
        refusal(world.functions().tag_resource(function, request.clone()).await),
        "403 AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/r/f is not authorized to change the tag \
         hearth:network"
    );
    world.functions().tag_resource(world.scope(), request).await.unwrap();
    for (text, before) in ["f", "f:1"].iter().zip(before) {
        let after = resolve(&world, text, 0.0).unwrap().spec;
        assert_eq!((after.network, after.live_dir.as_deref()), (NetworkMode::Egress, Some("/src")));
        assert!(after.key.generation > before.key.generation, "{text}");
        assert!(world.retired.lock().unwrap().contains(&before.key), "{text}");
    }
}

#[tokio::test]
async fn asynchronous_settings_are_those_of_the_qualifier() {
    let world = weighted().await;
    let request = PutFunctionEventInvokeConfigRequest {
        function_name: "f".into(),
        qualifier: Some("prod".into()),
        maximum_retry_attempts: Some(0),
        ..Default::default()
    };
    world.functions().put_function_event_invoke_config(world.scope(), request).await.unwrap();
    let current = world.functions().current(&format!("{FUNCTION_ARN}:prod"), 0.5).unwrap();
    assert_eq!((current.async_config.retries_max, current.async_config.age_s_max), (0, 21_600));
    let current = world.functions().current(FUNCTION_ARN, 0.5).unwrap();
    assert_eq!(current.async_config.retries_max, 2);
    assert!(world.functions().current("arn:aws:lambda:eu-west-1:123456789012:function:gone", 0.5).is_none());
    let session = world.functions().session(&current.spec);
    assert!(session.access_key_id.starts_with("ASIA"), "{session:?}");
}

#[tokio::test]
async fn other_accounts_need_a_permission() {
    let world = weighted().await;
    let other = "210987654321/eu-west-1".parse().unwrap();
    let reference = FUNCTION_ARN.parse().unwrap();
    assert!(
        refusal(world.functions().resolve((&other, &root(&other)), &reference, None, 0.0))
            .starts_with("403 AccessDeniedException: ")
    );
    let request = AddPermissionRequest {
        function_name: "f".into(),
        statement_id: "s".into(),
        action: "lambda:InvokeFunction".into(),
        principal: "210987654321".into(),
        ..Default::default()
    };
    world.functions().add_permission(world.scope(), request).await.unwrap();
    assert!(world.functions().resolve((&other, &root(&other)), &reference, None, 0.0).is_ok());
    let qualified = format!("{FUNCTION_ARN}:1").parse().unwrap();
    assert!(world.functions().resolve((&other, &root(&other)), &qualified, None, 0.0).is_err());
}
