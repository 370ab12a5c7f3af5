use hearth_aws_api::shapes::lambda::{
    CreateAliasRequest, GetAliasRequest, GetFunctionRequest, ListFunctionEventInvokeConfigsRequest,
    ListVersionsByFunctionRequest, PutFunctionConcurrencyRequest, PutFunctionEventInvokeConfigRequest,
    UpdateFunctionCodeRequest, UpdateFunctionConfigurationRequest,
};

use std::sync::atomic::Ordering;

use hearth_engine::port::Catalogue;

use crate::world::{World, create, refusal, root, zip};

#[tokio::test]
async fn everything_is_found_again() {
    let mut world = World::new().await;
    world.create("f").await;
    world.publish("f").await.unwrap();
    let alias = CreateAliasRequest {
        function_name: "f".into(),
        name: "prod".into(),
        function_version: "1".into(),
        ..Default::default()
    };
    world.functions().create_alias(world.scope(), alias).await.unwrap();
    let reserve = PutFunctionConcurrencyRequest { function_name: "f".into(), reserved_concurrent_executions: 7 };
    world.functions().put_function_concurrency(world.scope(), reserve).await.unwrap();
    let config = PutFunctionEventInvokeConfigRequest {
        function_name: "f".into(),
        maximum_retry_attempts: Some(1),
        ..Default::default()
    };
    world.functions().put_function_event_invoke_config(world.scope(), config).await.unwrap();
    let seen = |world: &World| {
        let (functions, scope) = (world.functions(), world.scope());
        let alias = GetAliasRequest { function_name: "f".into(), name: "prod".into() };
        let versions = ListVersionsByFunctionRequest { function_name: "f".into(), ..Default::default() };
        let configs = ListFunctionEventInvokeConfigsRequest { function_name: "f".into(), ..Default::default() };
        let get = GetFunctionRequest { function_name: "f".into(), qualifier: None };
        let mut function_view = functions.get_function(scope, &get).unwrap();
        function_view.code = None;
        (
            function_view,
            functions.list_versions_by_function(scope, &versions).unwrap(),
            functions.get_alias(scope, &alias).unwrap(),
            functions.list_function_event_invoke_configs(scope, &configs).unwrap(),
            functions.get_account_settings(scope),
            functions.resolve((&world.home, &root(&world.home)), &"f:prod".parse().unwrap(), None, 0.5).unwrap().spec,
        )
    };
    let before = seen(&world);
    world.reopen().await;
    assert_eq!(seen(&world), before);
}

/// Of two functions one has a part that cannot be read: it is put aside whole and stays as it is, the other goes on.
#[tokio::test]
async fn a_record_that_cannot_be_read_puts_aside_one_function() {
    for prefix in ["function/f", "version/", "alias/"] {
        let mut world = World::new().await;
        world.create("f").await;
        world.publish("f").await.unwrap();
        world.create("g").await;
        let alias = CreateAliasRequest {
            function_name: "f".into(),
            name: "prod".into(),
            function_version: "1".into(),
            ..Default::default()
        };
        world.functions().create_alias(world.scope(), alias).await.unwrap();
        let newer = |record: &[u8]| [b"v99 ", record].concat();
        let mut before = world.rewrite(prefix, newer).await;
        for damage in [b"v2 {\"settings\": 1}".to_vec(), b"\xff".to_vec(), Vec::new()] {
            before.extend(world.rewrite(prefix, |_| damage.clone()).await);
            assert_put_aside(&world).await;
        }
        // What the other does removes nothing of it.
        world.update_code("g", "new").await.unwrap();
        world.settled("g").await;
        world.reopen().await;
        let (_, original) = before.swap_remove(0);
        world.rewrite(prefix, |_| original.clone()).await;
        assert_eq!(world.get("f", Some("prod")).unwrap().version.as_deref(), Some("1"));
        world.functions().resolve((&world.home, &root(&world.home)), &"f".parse().unwrap(), None, 0.5).unwrap();
    }
}

async fn assert_put_aside(world: &World) {
    let invoked =
        world.functions().resolve((&world.home, &root(&world.home)), &"f".parse().unwrap(), None, 0.5).unwrap_err();
    let refusals = [
        invoked,
        world.get("f", None).unwrap_err(),
        world.update_code("f", "new").await.unwrap_err(),
        world.functions().create_function(world.scope(), create("f")).await.unwrap_err(),
    ];
    for error in refusals {
        assert_eq!((error.status, error.name), (500, "ServiceException"), "{error:?}");
    }
    let arn = |name| format!("arn:aws:lambda:eu-west-1:123456789012:function:{name}");
    assert!(world.functions().is_put_aside(&arn("f")) && !world.functions().is_put_aside(&arn("g")));
    assert!(world.functions().current(&arn("f"), 0.5).is_none());
    world.functions().resolve((&world.home, &root(&world.home)), &"g".parse().unwrap(), None, 0.5).unwrap();
}

#[tokio::test]
async fn numbers_that_cannot_be_read_are_not_given_out_again() {
    let mut world = World::new().await;
    world.create("f").await;
    world.publish("f").await.unwrap();
    let before =
        world.functions().resolve((&world.home, &root(&world.home)), &"f".parse().unwrap(), None, 0.5).unwrap();
    world.rewrite("counter", |_| b"what?".to_vec()).await;
    world.rewrite("numbers/f", |_| b"what?".to_vec()).await;
    world.update_code("f", "new").await.unwrap();
    world.settled("f").await;
    let after = world.functions().resolve((&world.home, &root(&world.home)), &"f".parse().unwrap(), None, 0.5).unwrap();
    assert!(after.spec.key.generation > before.spec.key.generation + 2);
    assert_eq!(world.publish("f").await.unwrap().version.as_deref(), Some("2"));
}

#[tokio::test]
async fn records_of_the_first_form_are_read() {
    let mut world = World::new().await;
    world.create("f").await;
    world.publish("f").await.unwrap();
    let plain = |record: &[u8]| record.strip_prefix(b"v2 ").unwrap().to_vec();
    world.rewrite("function/", plain).await;
    world.rewrite("version/", plain).await;
    world.rewrite("counter", plain).await;
    assert_eq!(world.get("f", Some("1")).unwrap().version.as_deref(), Some("1"));
}

#[tokio::test]
async fn what_was_pending_or_updating_is_finished() {
    let mut world = World::new().await;
    world.create("f").await;
    // Both acknowledgements stand; the settler has had no turn since.
    world.functions().create_function(world.scope(), create("g")).await.unwrap();
    world.update_code("f", "new").await.unwrap();
    let code = world.get("f", None).unwrap().code_sha256;
    world.reopen().await;
    world.settled("g").await;
    assert_eq!(world.settled("f").await.code_sha256, code);
}

#[tokio::test]
async fn what_a_deleted_function_left_does_not_come_back() {
    let mut world = World::new().await;
    world.create("f").await;
    world.publish("f").await.unwrap();
    world.delete("f", None).await.unwrap();
    world.reopen().await;
    assert!(world.get("f", None).is_err());
    world.create("f").await;
    let list = ListVersionsByFunctionRequest { function_name: "f".into(), ..Default::default() };
    assert_eq!(world.functions().list_versions_by_function(world.scope(), &list).unwrap().versions.unwrap().len(), 1);
}

#[tokio::test]
async fn packages_that_nothing_refers_to_leave_the_disk() {
    let mut world = World::new().await;
    world.create("f").await;
    world.create("g").await;
    let shared = world.get("g", None).unwrap().code_sha256;
    for text in ["one", "two"] {
        world.update_code("f", text).await.unwrap();
        world.settled("f").await;
    }
    world.publish("f").await.unwrap();
    world.update_code("f", "three").await.unwrap();
    world.settled("f").await;
    assert!(world.update_code("nobody", "four").await.is_err());
    let dry = UpdateFunctionCodeRequest {
        function_name: "f".into(),
        zip_file: Some(zip("five")),
        dry_run: Some(true),
        ..Default::default()
    };
    world.functions().update_function_code(world.scope(), dry).await.unwrap();
    assert_eq!(world.packages().len(), 5);
    world.reopen().await;
    let latest = world.get("f", None).unwrap().code_sha256;
    let published = world.get("f", Some("1")).unwrap().code_sha256;
    let mut expected = vec![shared, latest, published];
    expected.sort();
    world.until(|| world.packages() == expected).await;
    world.delete("f", None).await.unwrap();
    world.delete("g", None).await.unwrap();
    world.reopen().await;
    world.until(|| world.packages().is_empty()).await;
}

#[tokio::test]
async fn a_change_whose_acknowledgement_was_lost_is_found() {
    let world = World::new().await;
    world.create("f").await;
    let key = |world: &World| {
        world
            .functions()
            .resolve((&world.home, &root(&world.home)), &"f".parse().unwrap(), None, 0.0)
            .unwrap()
            .spec
            .key
            .clone()
    };
    let before = key(&world);
    world.lose_next.store(true, Ordering::SeqCst);
    let update =
        UpdateFunctionConfigurationRequest { function_name: "f".into(), timeout: Some(30), ..Default::default() };
    let lost = refusal(world.functions().update_function_configuration(world.scope(), update).await);
    assert_eq!(lost, "500 ServiceException: An error occurred and the request cannot be processed.");
    // What was stored counts, and is brought to its end.
    let after = key(&world);
    assert!(after.generation > before.generation);
    assert_eq!(world.settled("f").await.timeout, Some(30));
    assert!(world.retired.lock().unwrap().contains(&before));
    world.touch("f", "next").await;
    assert!(key(&world).generation > after.generation);
}
