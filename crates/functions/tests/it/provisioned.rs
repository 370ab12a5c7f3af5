use hearth_aws_api::shapes::lambda::{
    AliasRoutingConfiguration, CreateAliasRequest, DeleteAliasRequest, DeleteFunctionConcurrencyRequest,
    DeleteProvisionedConcurrencyConfigRequest, GetProvisionedConcurrencyConfigRequest,
    GetProvisionedConcurrencyConfigResponse, ListProvisionedConcurrencyConfigsRequest, PutFunctionConcurrencyRequest,
    PutProvisionedConcurrencyConfigRequest, PutProvisionedConcurrencyConfigResponse, TagResourceRequest,
    UpdateAliasRequest, UpdateFunctionConfigurationRequest,
};
use hearth_engine::port::{ProvisionFailure, Provisioned};
use hearth_functions::ApiError;

use crate::world::{FUNCTION_ARN, World, create, refusal};

const NOT_FOUND: &str =
    "404 ProvisionedConcurrencyConfigNotFoundException: No Provisioned Concurrency Config found for this function";

/// A function with the versions 1 and 2 and the alias `prod` of 1.
async fn world() -> World {
    let world = World::new().await;
    world.create("f").await;
    world.publish("f").await.unwrap();
    world.touch("f", "two").await;
    world.publish("f").await.unwrap();
    alias(&world, "prod", "1", None).await;
    world
}

async fn alias(world: &World, name: &str, version: &str, weight: Option<(&str, f64)>) {
    let request = CreateAliasRequest {
        function_name: "f".into(),
        name: name.into(),
        function_version: version.into(),
        description: None,
        routing_config: weight.map(routing),
    };
    world.functions().create_alias(world.scope(), request).await.unwrap();
}

fn routing((version, weight): (&str, f64)) -> AliasRoutingConfiguration {
    AliasRoutingConfiguration { additional_version_weights: Some([(version.to_owned(), weight)].into()) }
}

async fn move_alias(world: &World, version: Option<&str>, weight: Option<(&str, f64)>) -> Result<(), ApiError> {
    let request = UpdateAliasRequest {
        function_name: "f".into(),
        name: "prod".into(),
        function_version: version.map(Into::into),
        routing_config: weight.map(routing),
        ..Default::default()
    };
    world.functions().update_alias(world.scope(), request).await.map(drop)
}

async fn put(
    world: &World,
    name: &str,
    qualifier: &str,
    count: u32,
) -> Result<PutProvisionedConcurrencyConfigResponse, ApiError> {
    let request = PutProvisionedConcurrencyConfigRequest {
        function_name: name.into(),
        qualifier: qualifier.into(),
        provisioned_concurrent_executions: count,
    };
    world.functions().put_provisioned_concurrency_config(world.scope(), request).await
}

fn get(world: &World, qualifier: &str) -> Result<GetProvisionedConcurrencyConfigResponse, ApiError> {
    let request = GetProvisionedConcurrencyConfigRequest { function_name: "f".into(), qualifier: qualifier.into() };
    world.functions().get_provisioned_concurrency_config(world.scope(), &request)
}

async fn delete(world: &World, name: &str, qualifier: &str) -> Result<(), ApiError> {
    let request = DeleteProvisionedConcurrencyConfigRequest { function_name: name.into(), qualifier: qualifier.into() };
    world.functions().delete_provisioned_concurrency_config(world.scope(), request).await
}

async fn reserve(world: &World, count: u32) -> Result<(), ApiError> {
    let request = PutFunctionConcurrencyRequest { function_name: "f".into(), reserved_concurrent_executions: count };
    world.functions().put_function_concurrency(world.scope(), request).await.map(drop)
}

fn unreserved(world: &World) -> u32 {
    world
        .functions()
        .get_account_settings(world.scope())
        .account_limit
        .unwrap()
        .unreserved_concurrent_executions
        .unwrap()
}

/// `status reason allocated/available/requested`.
fn told(config: &impl serde::Serialize) -> String {
    let config = serde_json::to_value(config).unwrap();
    let count = |what: &str| config[format!("{what}ProvisionedConcurrentExecutions")].to_string();
    format!(
        "{} {} {}/{}/{}",
        config["Status"].as_str().unwrap(),
        config["StatusReason"].as_str().unwrap_or("-"),
        count("Allocated"),
        count("Available"),
        count("Requested"),
    )
}

fn have(allocated: u32, available: u32, failure: Option<ProvisionFailure>) -> Provisioned {
    Provisioned { allocated, available, failure }
}

#[tokio::test]
async fn a_configuration_goes_from_in_progress_to_ready() {
    let world = world().await;
    let answer = put(&world, "f", "1", 5).await.unwrap();
    assert_eq!(told(&answer), "IN_PROGRESS - 0/0/5");
    assert_eq!(answer.last_modified.as_deref().unwrap(), "2026-09-21T14:13:20+0000");
    assert_eq!(world.node.wanted(), ["f:1 5"]);
    world.node.have(&have(3, 2, None));
    assert_eq!(told(&get(&world, "1").unwrap()), "IN_PROGRESS - 3/2/5");
    world.node.have(&have(5, 4, None));
    assert_eq!(told(&get(&world, "1").unwrap()), "READY - 5/4/5");
    assert_eq!(refusal(get(&world, "2")), NOT_FOUND);

    put(&world, "f", "1", 2).await.unwrap();
    assert_eq!(world.node.wanted(), ["f:1 2"]);
    delete(&world, "f", "1").await.unwrap();
    assert_eq!(world.node.wanted(), [""; 0]);
    assert_eq!(refusal(get(&world, "1")), NOT_FOUND);
    delete(&world, "f", "1").await.unwrap();
}

#[tokio::test]
async fn a_failure_is_told_with_its_reason() {
    let world = world().await;
    put(&world, "f", "prod", 3).await.unwrap();
    world.node.have(&have(1, 1, Some(ProvisionFailure::Init)));
    assert_eq!(told(&get(&world, "prod").unwrap()), "FAILED FUNCTION_ERROR_INIT_FAILURE 1/1/3");
    world.node.have(&have(0, 0, Some(ProvisionFailure::Capacity)));
    let answer = told(&get(&world, "prod").unwrap());
    assert!(answer.starts_with("FAILED INSUFFICIENT_CAPACITY"), "{answer}");
    world.node.have(&have(3, 3, Some(ProvisionFailure::Capacity)));
    assert_eq!(told(&get(&world, "prod").unwrap()), "READY - 3/3/3");
    // To ask for the same once more has it tried again.
    let before = world.node.times_told();
    put(&world, "f", "prod", 3).await.unwrap();
    assert_eq!(world.node.times_told(), before + 1);
}

#[tokio::test]
async fn what_does_not_exist_is_refused_in_lambdas_words() {
    let world = world().await;
    let latest = "400 InvalidParameterValueException: Provisioned Concurrency Configs cannot be applied to unpublished function \
                  versions.";
    assert_eq!(refusal(put(&world, "f", "$LATEST", 1).await), latest);
    alias(&world, "newest", "$LATEST", None).await;
    assert_eq!(refusal(put(&world, "f", "newest", 1).await), latest);
    let qualified =
        "400 InvalidParameterValueException: The function resource provided must be an alias or a published version.";
    assert_eq!(refusal(get(&world, "$LATEST")), qualified);
    assert_eq!(refusal(delete(&world, "f", "$LATEST").await), qualified);

    let no_alias = format!("404 ResourceNotFoundException: Cannot find alias arn: {FUNCTION_ARN}:nope");
    assert_eq!(refusal(put(&world, "f", "nope", 1).await), no_alias);
    assert_eq!(refusal(get(&world, "nope")), no_alias);
    assert_eq!(refusal(delete(&world, "f", "nope").await), no_alias);
    let no_version = format!("404 ResourceNotFoundException: Function not found: {FUNCTION_ARN}:9");
    assert_eq!(refusal(put(&world, "f", "9", 1).await), no_version);
    assert_eq!(refusal(get(&world, "9")), no_version);
    assert_eq!(refusal(delete(&world, "f", "9").await), no_version);
    let other = FUNCTION_ARN.replace(":function:f", ":function:g");
    assert_eq!(
        refusal(put(&world, "g", "nope", 1).await),
        format!("404 ResourceNotFoundException: Cannot find alias arn: {other}:nope")
    );
    assert_eq!(
        refusal(delete(&world, "g", "1").await),
        format!("404 ResourceNotFoundException: Function not found: {other}:1")
    );
    let list = ListProvisionedConcurrencyConfigsRequest { function_name: "g".into(), ..Default::default() };
    assert_eq!(
        refusal(world.functions().list_provisioned_concurrency_configs(world.scope(), &list)),
        format!("404 ResourceNotFoundException: Function not found: {other}")
    );
}

#[tokio::test]
async fn an_alias_and_its_version_exclude_each_other() {
    let world = world().await;
    put(&world, "f", "1", 1).await.unwrap();
    let provisioned = "409 ResourceConflictException: Alias can't be used for Provisioned Concurrency configuration on an already \
                       Provisioned version";
    assert_eq!(refusal(put(&world, "f", "prod", 1).await), provisioned);
    delete(&world, "f", "1").await.unwrap();
    put(&world, "f", "prod", 1).await.unwrap();
    let pointed = "409 ResourceConflictException: Version is pointed by a Provisioned Concurrency alias";
    assert_eq!(refusal(put(&world, "f", "1", 1).await), pointed);

    put(&world, "f", "2", 1).await.unwrap();
    assert_eq!(refusal(move_alias(&world, Some("2"), None).await), provisioned);
    assert_eq!(refusal(move_alias(&world, None, Some(("2", 0.5))).await), provisioned);
    assert!(refusal(move_alias(&world, Some("$LATEST"), None).await).contains("unpublished function versions"));
    assert_eq!(world.node.wanted(), ["f:1 1", "f:2 1"]);
}

#[tokio::test]
async fn it_moves_and_divides_with_its_alias() {
    let world = world().await;
    put(&world, "f", "prod", 10).await.unwrap();
    assert_eq!(world.node.wanted(), ["f:1 10"]);
    move_alias(&world, None, Some(("2", 0.3))).await.unwrap();
    assert_eq!(world.node.wanted(), ["f:1 7", "f:2 3"]);
    assert_eq!(
        refusal(put(&world, "f", "prod", 11).await),
        "400 InvalidParameterValueException: Alias with weights can not be used with Provisioned Concurrency"
    );
    world.node.have(&have(7, 6, None));
    assert_eq!(told(&get(&world, "prod").unwrap()), "READY - 10/9/10");
    let done = UpdateAliasRequest {
        function_name: "f".into(),
        name: "prod".into(),
        function_version: Some("2".into()),
        routing_config: Some(AliasRoutingConfiguration { additional_version_weights: Some([].into()) }),
        ..Default::default()
    };
    world.functions().update_alias(world.scope(), done).await.unwrap();
    assert_eq!(world.node.wanted(), ["f:2 10"]);
    let gone = DeleteAliasRequest { function_name: "f".into(), name: "prod".into() };
    world.functions().delete_alias(world.scope(), gone).await.unwrap();
    assert_eq!(world.node.wanted(), [""; 0]);
    // Another alias of this name has nothing.
    alias(&world, "prod", "1", None).await;
    assert_eq!(refusal(get(&world, "prod")), NOT_FOUND);
}

#[tokio::test]
async fn aliases_of_one_version_add_up() {
    let world = world().await;
    alias(&world, "beta", "1", None).await;
    put(&world, "f", "prod", 3).await.unwrap();
    put(&world, "f", "beta", 2).await.unwrap();
    assert_eq!(world.node.wanted(), ["f:1 5"]);
    world.node.have(&have(4, 3, None));
    assert_eq!(told(&get(&world, "beta").unwrap()), "READY - 2/2/2");
    assert_eq!(told(&get(&world, "prod").unwrap()), "IN_PROGRESS - 2/1/3");
    delete(&world, "f", "beta").await.unwrap();
    assert_eq!(world.node.wanted(), ["f:1 3"]);
}

#[tokio::test]
async fn it_is_bounded_by_the_account_and_counted() {
    let world = world().await;
    assert_eq!(
        refusal(put(&world, "f", "1", 1001).await),
        "400 InvalidParameterValueException: Specified ConcurrentExecutions for function is greater than account's unreserved \
         concurrency [1000]."
    );
    assert_eq!(
        refusal(put(&world, "f", "1", 901).await),
        "400 InvalidParameterValueException: Specified ConcurrentExecutions for function decreases account's \
         UnreservedConcurrentExecution below its minimum value of [100]."
    );
    put(&world, "f", "1", 600).await.unwrap();
    assert_eq!(unreserved(&world), 400);
    assert!(refusal(put(&world, "f", "2", 301).await).contains("below its minimum value"));
    put(&world, "f", "1", 900).await.unwrap();
    put(&world, "f", "1", 600).await.unwrap();
    world.functions().create_function(world.scope(), create("g")).await.unwrap();
    let g = PutFunctionConcurrencyRequest { function_name: "g".into(), reserved_concurrent_executions: 301 };
    let answer = world.functions().put_function_concurrency(world.scope(), g).await;
    assert!(refusal(answer).contains("below its minimum value of [100]"));
    delete(&world, "f", "1").await.unwrap();
    assert_eq!(unreserved(&world), 1000);
}

#[tokio::test]
async fn it_is_part_of_the_functions_reservation() {
    let world = world().await;
    put(&world, "f", "1", 20).await.unwrap();
    assert_eq!(
        refusal(reserve(&world, 19).await),
        "400 InvalidParameterValueException:  ReservedConcurrentExecutions  19 should not be lower than function's total \
         provisioned concurrency [20]."
    );
    reserve(&world, 30).await.unwrap();
    assert_eq!(unreserved(&world), 970);
    assert_eq!(world.node.wanted(), ["f:1 20 of 30"]);
    assert_eq!(
        refusal(put(&world, "f", "2", 11).await),
        "400 InvalidParameterValueException: Requested Provisioned Concurrency should not be greater than the \
         reservedConcurrentExecution for function"
    );
    put(&world, "f", "2", 10).await.unwrap();
    put(&world, "f", "1", 5).await.unwrap();
    assert_eq!(unreserved(&world), 970);
    let name = DeleteFunctionConcurrencyRequest { function_name: "f".into() };
    world.functions().delete_function_concurrency(world.scope(), name).await.unwrap();
    assert_eq!(unreserved(&world), 985);
    assert_eq!(world.node.wanted(), ["f:1 5", "f:2 10"]);
}

#[tokio::test]
async fn it_ends_with_its_version_and_its_function() {
    let world = world().await;
    put(&world, "f", "1", 4).await.unwrap();
    put(&world, "f", "2", 6).await.unwrap();
    world.delete("f", Some("2")).await.unwrap();
    assert_eq!(world.node.wanted(), ["f:1 4"]);
    assert_eq!(unreserved(&world), 996);
    world.delete("f", None).await.unwrap();
    assert_eq!(world.node.wanted(), [""; 0]);
    assert_eq!(unreserved(&world), 1000);
    world.create("f").await;
    world.publish("f").await.unwrap();
    let number = world.publish("f").await.unwrap().version.unwrap();
    assert_eq!(refusal(get(&world, &number)), NOT_FOUND);
}

#[tokio::test]
async fn it_follows_changes_of_how_sandboxes_are_made() {
    let world = world().await;
    put(&world, "f", "1", 4).await.unwrap();
    world.node.have(&have(4, 4, None));
    let tags = [("hearth:network".to_owned(), "egress".to_owned())].into();
    let request = TagResourceRequest { resource: FUNCTION_ARN.into(), tags };
    world.functions().tag_resource(world.scope(), request).await.unwrap();
    assert_eq!(world.node.wanted(), ["f:1 4"]);
    // They are others, which are not there yet.
    assert_eq!(told(&get(&world, "1").unwrap()), "IN_PROGRESS - 0/0/4");
}

#[tokio::test]
async fn it_survives_a_restart() {
    let mut world = world().await;
    put(&world, "f", "1", 4).await.unwrap();
    reserve(&world, 8).await.unwrap();
    world.node.forget();
    world.reopen().await;
    assert_eq!(world.node.wanted(), ["f:1 4 of 8"]);
    assert_eq!(told(&get(&world, "1").unwrap()), "IN_PROGRESS - 0/0/4");
}

#[tokio::test]
async fn configurations_are_listed_in_pages() {
    let world = world().await;
    put(&world, "f", "2", 4).await.unwrap();
    put(&world, "f", "prod", 2).await.unwrap();
    let list = |marker: Option<String>| {
        let request =
            ListProvisionedConcurrencyConfigsRequest { function_name: "f".into(), marker, max_items: Some(1) };
        world.functions().list_provisioned_concurrency_configs(world.scope(), &request).unwrap()
    };
    let first = list(None);
    let configs = first.provisioned_concurrency_configs.unwrap();
    assert_eq!(configs.len(), 1);
    assert_eq!(configs[0].function_arn, Some(format!("{FUNCTION_ARN}:2")));
    let second = list(first.next_marker);
    assert_eq!(second.next_marker, None);
    assert_eq!(second.provisioned_concurrency_configs.unwrap()[0].function_arn, Some(format!("{FUNCTION_ARN}:prod")));
}

#[tokio::test]
async fn it_goes_together_with_changes_of_the_function() {
    let world = world().await;
    let before = world.get("f", Some("1")).unwrap().revision_id;
    put(&world, "f", "1", 4).await.unwrap();
    assert_ne!(world.get("f", Some("1")).unwrap().revision_id, before);
    let request = UpdateFunctionConfigurationRequest {
        function_name: "f".into(),
        description: Some("other".into()),
        ..Default::default()
    };
    world.functions().update_function_configuration(world.scope(), request).await.unwrap();
    assert_eq!(world.node.wanted(), ["f:1 4"]);
}

#[tokio::test]
async fn the_node_hears_of_what_may_be_called_before_it_is() {
    let mut world = World::new().await;
    world.create("f").await;
    let heard = |world: &World| world.node.expected().iter().map(ToString::to_string).collect::<Vec<_>>();
    let first = heard(&world);
    assert_eq!(first.len(), 1, "{first:?}");
    world.publish("f").await.unwrap();
    assert_eq!(heard(&world), first, "a published version needs what the latest needs");
    world.touch("f", "two").await;
    let second = heard(&world);
    assert_eq!(second.len(), 2, "{second:?}");
    world.reopen().await;
    assert_eq!(heard(&world)[2..], second[1..], "and once more after a restart");
}
