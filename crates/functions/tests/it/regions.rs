//! What lies in one Region is not in another; and what was stored before there were Regions.

use hearth_aws_api::shapes::lambda::{
    CreateAliasRequest, CreateFunctionRequest, DeleteFunctionRequest, DestinationConfig,
    GetFunctionConfigurationRequest, GetFunctionRequest, LastUpdateStatus, LayerVersionContentInput,
    ListAliasesRequest, ListFunctionsRequest, ListLayersRequest, OnFailure, PublishLayerVersionRequest,
    PutFunctionConcurrencyRequest, PutFunctionEventInvokeConfigRequest, TagResourceRequest,
};
use hearth_engine::port::Catalogue;
use hearth_functions::Scope;
use hearth_store::{Embedded, Entry, Store, Write};
use hearth_types::Home;

use crate::world::{World, create, refusal, root, zip};

fn elsewhere() -> Home {
    "123456789012/us-east-1".parse().unwrap()
}

fn in_home<'a>(world: &World, home: &'a Home) -> Scope<'a> {
    Scope {
        home,
        principal: "arn:aws:iam::123456789012:root",
        now: world.scope().now,
        endpoint: "http://127.0.0.1:4566",
    }
}

fn arn(home: &Home) -> String {
    format!("arn:aws:lambda:{}:{}:function:f", home.region, home.account)
}

async fn create_in(world: &World, home: &Home, request: CreateFunctionRequest) {
    let name = request.function_name.clone();
    world.functions().create_function(in_home(world, home), request).await.unwrap();
    let settled = || {
        let request = GetFunctionConfigurationRequest { function_name: name.clone(), qualifier: None };
        let view = world.functions().get_function_configuration(in_home(world, home), &request).unwrap();
        view.last_update_status == Some(LastUpdateStatus::Successful)
    };
    world.until(settled).await;
}

fn names(world: &World, home: &Home) -> Vec<String> {
    let list = world.functions().list_functions(in_home(world, home), &ListFunctionsRequest::default()).unwrap();
    list.functions.unwrap().into_iter().filter_map(|function| function.function_arn).collect()
}

async fn publish_layer(world: &World, home: &Home, text: &str) -> String {
    let request = PublishLayerVersionRequest {
        layer_name: "l".into(),
        content: LayerVersionContentInput { zip_file: Some(zip(text)), ..Default::default() },
        ..Default::default()
    };
    let published = world.functions().publish_layer_version(in_home(world, home), request).await.unwrap();
    published.layer_version_arn.unwrap()
}

#[tokio::test]
async fn functions_of_one_name_know_nothing_of_each_other() {
    let mut world = World::new().await;
    let (here, there) = (world.home.clone(), elsewhere());
    create_in(&world, &here, create("f")).await;
    assert!(names(&world, &there).is_empty());
    let mut other = create("f");
    other.code.zip_file = Some(zip("def handler(e, c): return 2"));
    create_in(&world, &there, other).await;
    for (home, number) in [(&here, 1), (&there, 2)] {
        let reserve = PutFunctionConcurrencyRequest {
            function_name: "f".into(),
            reserved_concurrent_executions: 850 * number / 2,
        };
        world.functions().put_function_concurrency(in_home(&world, home), reserve).await.unwrap();
        let alias = CreateAliasRequest {
            function_name: "f".into(),
            name: format!("a{number}"),
            function_version: "$LATEST".into(),
            ..Default::default()
        };
        world.functions().create_alias(in_home(&world, home), alias).await.unwrap();
    }
    for _restarted in [false, true] {
        let functions = world.functions();
        let spec = |home: &Home| functions.resolve((home, &root(home)), &"f".parse().unwrap(), None, 0.0).unwrap();
        let (one, other) = (spec(&here), spec(&there));
        assert_eq!(one.spec.key.generation, other.spec.key.generation, "each counts for itself");
        assert_ne!(one.spec.key, other.spec.key);
        assert_ne!(one.spec.key.code, other.spec.key.code);
        for (home, resolved, limit) in [(&here, one, 575), (&there, other, 150)] {
            assert_eq!((resolved.spec.key.home(), &*resolved.invoked_arn), (home.clone(), arn(home).as_str()));
            assert_eq!((names(&world, home), resolved.account_unreserved), (vec![arn(home)], limit));
            assert_eq!(functions.current(&arn(home), 0.0).unwrap().spec.key, resolved.spec.key);
            let list = ListAliasesRequest { function_name: "f".into(), ..Default::default() };
            assert_eq!(functions.list_aliases(in_home(&world, home), &list).unwrap().aliases.unwrap().len(), 1);
            let usage = functions.get_account_settings(in_home(&world, home)).account_usage.unwrap();
            assert_eq!(usage.function_count, Some(1));
        }
        world.reopen().await;
    }
    let delete = DeleteFunctionRequest { function_name: "f".into(), qualifier: None };
    world.functions().delete_function(in_home(&world, &here), delete).await.unwrap();
    world.reopen().await;
    assert_eq!((names(&world, &here), names(&world, &there)), (vec![], vec![arn(&there)]));
}

#[tokio::test]
async fn what_names_another_region_is_refused() {
    let world = World::new().await;
    let (here, there) = (world.home.clone(), elsewhere());
    create_in(&world, &there, create("f")).await;
    create_in(&world, &here, create("g")).await;
    let unreachable =
        "404 ResourceNotFoundException: Functions from 'us-east-1' are not reachable in this region ('eu-west-1')";
    let get = GetFunctionRequest { function_name: arn(&there), qualifier: None };
    assert_eq!(refusal(world.functions().get_function(world.scope(), &get)), unreachable);
    let tag = TagResourceRequest { resource: arn(&there), tags: [("a".to_owned(), "b".to_owned())].into() };
    assert_eq!(refusal(world.functions().tag_resource(world.scope(), tag).await), unreachable);
    assert_eq!(
        refusal(world.functions().resolve((&here, &root(&here)), &arn(&there).parse().unwrap(), None, 0.0)),
        unreachable
    );
    let destination = OnFailure { destination: Some(arn(&there)) };
    let put = PutFunctionEventInvokeConfigRequest {
        function_name: "g".into(),
        destination_config: Some(DestinationConfig { on_success: None, on_failure: Some(destination) }),
        ..Default::default()
    };
    assert_eq!(
        refusal(world.functions().put_function_event_invoke_config(world.scope(), put).await),
        format!("400 InvalidParameterValueException: The destination ARN {} is invalid.", arn(&there))
    );
}

#[tokio::test]
async fn layers_are_of_the_functions_region() {
    let world = World::new().await;
    let (here, there) = (world.home.clone(), elsewhere());
    let ours = publish_layer(&world, &here, "here").await;
    let theirs = publish_layer(&world, &there, "there").await;
    assert_eq!(theirs, ours.replace("eu-west-1", "us-east-1"), "numbers are counted in each Region");
    let with = |layer: &str| CreateFunctionRequest { layers: Some(vec![layer.to_owned()]), ..create("f") };
    assert_eq!(
        refusal(world.functions().create_function(world.scope(), with(&theirs)).await),
        "400 InvalidParameterValueException: Layers are not in the same region as the function. Layers are expected to be in \
         region eu-west-1."
    );
    world.functions().create_function(world.scope(), with(&ours)).await.unwrap();
    world.functions().create_function(in_home(&world, &there), with(&theirs)).await.unwrap();
    let layers = world.functions().list_layers(in_home(&world, &there), &ListLayersRequest::default()).layers.unwrap();
    assert_eq!(layers.len(), 1);
    assert_eq!(layers[0].latest_matching_version.as_ref().unwrap().layer_version_arn, Some(theirs));
}

async fn entries(store: &Embedded, partition: &str) -> Vec<Entry> {
    store.list(partition, "", None, 1000).await.unwrap()
}

/// Everything of the account as a release without Regions has it.
async fn write_without_regions(store: &Embedded, home: &Home) -> Vec<Entry> {
    let (old, new) = (format!("lambda/{}", home.account), format!("lambda/{home}"));
    let entries = entries(store, &new).await;
    for Entry { key, value, .. } in entries.clone() {
        store.commit(&old, vec![], vec![Write::Put { key: key.clone(), value }]).await.unwrap();
        store.commit(&new, vec![], vec![Write::Delete { key }]).await.unwrap();
    }
    entries
}

#[tokio::test]
async fn what_was_stored_before_there_were_regions_moves_to_the_configured_one_whenever_the_daemon_dies() {
    let mut world = World::new().await;
    let home = world.home.clone();
    world.create("f").await;
    for text in ["one", "two", "three"] {
        world.update_code("f", text).await.unwrap();
        world.settled("f").await;
        world.publish("f").await.unwrap();
        publish_layer(&world, &home, text).await;
    }
    let known = |entries: &[Entry]| -> Vec<_> {
        let kept = entries.iter().filter(|entry| !entry.key.starts_with("garbage/"));
        kept.map(|entry| (entry.key.clone(), entry.value.clone())).collect()
    };
    let mut steps = 0;
    loop {
        let store = world.take_store().await;
        let before = known(&write_without_regions(&store, &home).await);
        assert!(before.len() >= 10, "{before:?}");
        drop(store);
        let done = world.open(steps).await.is_ok();
        // Twice: the second finds nothing to do.
        for _ in 0..2 {
            world.reopen().await;
            assert_eq!(world.get("f", Some("3")).unwrap().function_arn, Some(format!("{}:3", arn(&home))));
        }
        let store = world.take_store().await;
        assert_eq!(known(&entries(&store, &format!("lambda/{home}")).await), before, "killed after {steps} commits");
        assert!(entries(&store, &format!("lambda/{}", home.account)).await.is_empty());
        drop(store);
        if done {
            break;
        }
        steps += 1;
    }
    assert!(steps > 5, "{steps}");
    world.reopen().await;
    assert_eq!(world.publish("f").await.unwrap().version.as_deref(), Some("3"), "nothing has changed since");
}
