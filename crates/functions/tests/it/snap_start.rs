use hearth_aws_api::shapes::lambda::{
    CreateAliasRequest, CreateFunctionRequest, EphemeralStorage, FunctionConfiguration,
    PutProvisionedConcurrencyConfigRequest, SnapStart, SnapStartApplyOn, SnapStartOptimizationStatus, State,
    TagResourceRequest, UpdateFunctionCodeRequest, UpdateFunctionConfigurationRequest,
};
use hearth_engine::port::{Catalogue, PrepareError, Prepared};
use hearth_functions::ApiError;
use hearth_types::VersionLabel;

use crate::world::{FUNCTION_ARN, World, create, refusal, root, zip};

const NOT_READY: &str = "409 SnapStartNotReadyException: Lambda is initializing your function. It will be ready to invoke once your \
                         function state becomes ACTIVE.";

fn on() -> Option<SnapStart> {
    Some(SnapStart { apply_on: Some(SnapStartApplyOn::PublishedVersions) })
}

async fn world() -> World {
    let world = World::new().await;
    let request = CreateFunctionRequest { snap_start: on(), ..create("f") };
    world.functions().create_function(world.scope(), request).await.unwrap();
    world.settled("f").await;
    world
}

/// `State code reason OptimizationStatus LastUpdateStatus`.
fn told(view: &FunctionConfiguration) -> String {
    fn text(text: Option<impl ToString>) -> String {
        text.map_or_else(|| "-".to_owned(), |text| text.to_string())
    }
    format!(
        "{} | {} | {} | {} | {}",
        text(view.state),
        text(view.state_reason_code),
        text(view.state_reason.as_ref()),
        text(view.snap_start.as_ref().unwrap().optimization_status),
        text(view.last_update_status)
    )
}

fn shown(world: &World, qualifier: &str) -> String {
    told(&world.get("f", Some(qualifier)).unwrap())
}

async fn becomes(world: &World, qualifier: &str, state: State) {
    world.until(|| world.get("f", Some(qualifier)).unwrap().state == Some(state)).await;
}

fn resolve(world: &World, text: &str) -> Result<(), ApiError> {
    world.functions().resolve((&world.home, &root(&world.home)), &text.parse().unwrap(), None, 0.5).map(drop)
}

async fn alias(world: &World, name: &str, version: &str) -> Result<(), ApiError> {
    let request = CreateAliasRequest {
        function_name: "f".into(),
        name: name.into(),
        function_version: version.into(),
        ..Default::default()
    };
    world.functions().create_alias(world.scope(), request).await.map(drop)
}

async fn tag(world: &World, mode: &str) {
    let tags = [("hearth:network".to_owned(), mode.to_owned())].into();
    let request = TagResourceRequest { resource: FUNCTION_ARN.into(), tags };
    world.functions().tag_resource(world.scope(), request).await.unwrap();
}

fn function_error(error_type: &str) -> PrepareError {
    PrepareError::Function { error_type: error_type.into(), message: "it was not to be".into() }
}

#[tokio::test]
async fn a_published_version_is_pending_until_it_is_prepared() {
    let world = world().await;
    let published = world.publish("f").await.unwrap();
    assert_eq!(told(&published), "Pending | Creating | The function is being created. | Off | -");
    assert_eq!(refusal(resolve(&world, "f:1")), NOT_READY);
    alias(&world, "prod", "1").await.unwrap();
    assert_eq!(refusal(resolve(&world, "f:prod")), NOT_READY);
    // `$LATEST` is not concerned.
    resolve(&world, "f").unwrap();
    world.settled("f").await;

    world.node.answer(Ok(Prepared::FromTemplate));
    becomes(&world, "1", State::Active).await;
    assert_eq!(shown(&world, "1"), "Active | - | - | On | Successful");
    assert_eq!(shown(&world, "$LATEST"), "Active | - | - | Off | Successful");
    resolve(&world, "f:prod").unwrap();
    let asked = world.node.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].version, VersionLabel::Number(1));
    let resolved = |text: &str| {
        world.functions().resolve((&world.home, &root(&world.home)), &text.parse().unwrap(), None, 0.5).unwrap()
    };
    assert!(resolved("f:1").spec.snap_start);
    assert!(!resolved("f").spec.snap_start);
}

#[tokio::test]
async fn a_host_without_templates_says_so_and_starts_the_version_plainly() {
    let world = world().await;
    world.publish("f").await.unwrap();
    world.node.answer(Ok(Prepared::Plain { reason: "no tool".into() }));
    becomes(&world, "1", State::Active).await;
    assert_eq!(shown(&world, "1"), "Active | - | SnapStart has no effect on this host: no tool | Off | Successful");
    resolve(&world, "f:1").unwrap();
}

#[tokio::test]
async fn a_version_that_cannot_be_initialised_has_failed() {
    let world = world().await;
    let cases = [
        ("Runtime.BeforeSnapshotError", "FunctionError"),
        ("Sandbox.Timedout", "FunctionError.InitTimeout"),
        ("Runtime.ExitError", "FunctionError.RuntimeInitError"),
        ("Runtime.InvalidEntrypoint", "FunctionError.InvalidEntryPoint"),
        ("Runtime.OutOfMemory", "FunctionError.InitResourceExhausted"),
    ];
    for (index, (error_type, code)) in cases.into_iter().enumerate() {
        world.touch("f", &format!("n{index}")).await;
        let number = world.publish("f").await.unwrap().version.unwrap();
        world.node.answer(Err(function_error(error_type)));
        becomes(&world, &number, State::Failed).await;
        let reason = format!("An error occurred during function initialization. {error_type}: it was not to be");
        assert_eq!(shown(&world, &number), format!("Failed | {code} | {reason} | Off | Failed"));
    }
    let failed = "409 ResourceConflictException: The operation cannot be performed at this time. The function is currently in the \
                  following state: Failed";
    assert_eq!(refusal(resolve(&world, "f:1")), failed);
    assert_eq!(refusal(alias(&world, "prod", "1").await), failed);
    // The function goes on, and a failed version can be deleted.
    resolve(&world, "f").unwrap();
    world.delete("f", Some("1")).await.unwrap();
    assert!(refusal(world.get("f", Some("1"))).starts_with("404 "));
}

#[tokio::test]
async fn what_was_interrupted_is_prepared_again() {
    let world = world().await;
    world.publish("f").await.unwrap();
    world.node.answer(Err(PrepareError::Interrupted("killed".into())));
    world.until(|| world.node.asked().len() == 2).await;
    assert_eq!(refusal(resolve(&world, "f:1")), NOT_READY);
    world.node.answer(Ok(Prepared::FromTemplate));
    becomes(&world, "1", State::Active).await;
}

#[tokio::test]
async fn a_restart_goes_on_with_what_is_pending_and_asks_again_where_nothing_could_be_saved() {
    let mut world = world().await;
    world.publish("f").await.unwrap();
    world.until(|| world.node.asked().len() == 1).await;
    world.reopen().await;
    assert_eq!(refusal(resolve(&world, "f:1")), NOT_READY);
    world.node.answer(Ok(Prepared::Plain { reason: "no tool".into() }));
    becomes(&world, "1", State::Active).await;

    world.reopen().await;
    // It serves meanwhile.
    resolve(&world, "f:1").unwrap();
    world.node.answer(Ok(Prepared::FromTemplate));
    let optimised = |world: &World| world.get("f", Some("1")).unwrap().snap_start.unwrap().optimization_status.unwrap();
    world.until(|| optimised(&world) == SnapStartOptimizationStatus::On).await;
    let asked = world.node.asked().len();

    world.reopen().await;
    let retained = world.node.retained();
    let labels: Vec<_> = retained.last().unwrap().iter().map(|key| key.version).collect();
    assert_eq!(retained.len(), 4);
    assert_eq!(labels.len(), 2, "{labels:?}");
    // A version that has its template is not prepared again: the next that is asked for is another.
    world.touch("f", "two").await;
    world.publish("f").await.unwrap();
    world.until(|| world.node.asked().len() > asked).await;
    assert_eq!(world.node.asked().last().unwrap().version, VersionLabel::Number(2));
}

#[tokio::test]
async fn versions_published_with_the_function_and_its_code_are_prepared_as_well() {
    let world = World::new().await;
    let request = CreateFunctionRequest { snap_start: on(), publish: Some(true), ..create("f") };
    let created = world.functions().create_function(world.scope(), request).await.unwrap();
    assert_eq!((created.version.as_deref(), created.state), (Some("1"), Some(State::Pending)));
    world.settled("f").await;
    assert_eq!(refusal(resolve(&world, "f:1")), NOT_READY);
    world.node.answer(Ok(Prepared::FromTemplate));
    becomes(&world, "1", State::Active).await;

    let request = UpdateFunctionCodeRequest {
        function_name: "f".into(),
        zip_file: Some(zip("other")),
        publish: Some(true),
        ..Default::default()
    };
    let updated = world.functions().update_function_code(world.scope(), request).await.unwrap();
    assert_eq!((updated.version.as_deref(), updated.state), (Some("2"), Some(State::Pending)));
    world.node.answer(Err(function_error("Runtime.ImportModuleError")));
    becomes(&world, "2", State::Failed).await;
    assert_eq!(shown(&world, "1"), "Active | - | - | On | Successful");
}

#[tokio::test]
async fn a_version_that_is_deleted_meanwhile_is_forgotten() {
    let world = world().await;
    world.publish("f").await.unwrap();
    world.until(|| world.node.asked().len() == 1).await;
    world.delete("f", Some("1")).await.unwrap();
    let retired = world.retired.lock().unwrap().clone();
    assert_eq!(retired, world.node.asked());
    world.node.answer(Ok(Prepared::FromTemplate));
    world.touch("f", "two").await;
    world.publish("f").await.unwrap();
    world.node.answer(Ok(Prepared::FromTemplate));
    becomes(&world, "2", State::Active).await;
    assert!(refusal(world.get("f", Some("1"))).starts_with("404 "));
}

#[tokio::test]
async fn what_changes_sandboxes_has_versions_prepared_anew_while_they_serve() {
    let world = world().await;
    world.publish("f").await.unwrap();
    world.node.answer(Ok(Prepared::FromTemplate));
    becomes(&world, "1", State::Active).await;
    tag(&world, "egress").await;
    assert_eq!(shown(&world, "1"), "Active | - | - | Off | Successful");
    resolve(&world, "f:1").unwrap();
    world.until(|| world.node.asked().len() == 2).await;
    let asked = world.node.asked();
    assert!(asked[1].generation > asked[0].generation);
    world.node.answer(Err(function_error("Runtime.ExitError")));
    let expected =
        "Active | - | SnapStart could not be renewed: Runtime.ExitError: it was not to be | Off | Successful";
    world.until(|| shown(&world, "1") == expected).await;
    resolve(&world, "f:1").unwrap();
}

#[tokio::test]
async fn a_result_for_what_has_changed_meanwhile_does_not_count() {
    let world = world().await;
    world.publish("f").await.unwrap();
    world.until(|| world.node.asked().len() == 1).await;
    tag(&world, "egress").await;
    world.node.answer(Err(function_error("Runtime.ExitError")));
    world.until(|| world.node.asked().len() == 2).await;
    assert_eq!(refusal(resolve(&world, "f:1")), NOT_READY);
    world.node.answer(Ok(Prepared::FromTemplate));
    becomes(&world, "1", State::Active).await;
    assert_eq!(shown(&world, "1"), "Active | - | - | On | Successful");
}

#[tokio::test]
async fn it_excludes_provisioned_concurrency_and_large_ephemeral_storage() {
    let world = world().await;
    world.publish("f").await.unwrap();
    world.node.answer(Ok(Prepared::FromTemplate));
    becomes(&world, "1", State::Active).await;
    let request = PutProvisionedConcurrencyConfigRequest {
        function_name: "f".into(),
        qualifier: "1".into(),
        provisioned_concurrent_executions: 1,
    };
    assert_eq!(
        refusal(world.functions().put_provisioned_concurrency_config(world.scope(), request).await),
        "400 InvalidParameterValueException: Provisioned Concurrency is not supported for SnapStart enabled functions."
    );
    let storage = "400 InvalidParameterValueException: Ephemeral storage larger than 512 MB is not supported for SnapStart enabled \
                   functions.";
    let request = CreateFunctionRequest {
        snap_start: on(),
        ephemeral_storage: Some(EphemeralStorage { size: 513 }),
        ..create("g")
    };
    assert_eq!(refusal(world.functions().create_function(world.scope(), request).await), storage);
    let request = UpdateFunctionConfigurationRequest {
        function_name: "f".into(),
        ephemeral_storage: Some(EphemeralStorage { size: 1024 }),
        ..Default::default()
    };
    assert_eq!(refusal(world.functions().update_function_configuration(world.scope(), request).await), storage);
}

#[tokio::test]
async fn events_find_the_version_before_it_can_be_run() {
    let world = world().await;
    world.publish("f").await.unwrap();
    let arn = format!("{FUNCTION_ARN}:1");
    assert!(!world.functions().current(&arn, 0.5).unwrap().invocable);
    world.node.answer(Ok(Prepared::FromTemplate));
    becomes(&world, "1", State::Active).await;
    assert!(world.functions().current(&arn, 0.5).unwrap().invocable);
    assert!(world.functions().current(&format!("{FUNCTION_ARN}:2"), 0.5).is_none());
}
