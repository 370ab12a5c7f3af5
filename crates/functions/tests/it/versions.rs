use hearth_aws_api::shapes::lambda::{
    CreateAliasRequest, ListVersionsByFunctionRequest, PublishVersionRequest, State, UpdateFunctionCodeRequest,
};

use crate::world::{FUNCTION_ARN, World, create, refusal, zip};

#[tokio::test]
async fn publishing_twice_without_a_change_answers_with_the_same_version() {
    let world = World::new().await;
    let before = world.create("f").await;
    let first = world.publish("f").await.unwrap();
    assert_eq!(first.version.as_deref(), Some("1"));
    assert_eq!(first.function_arn, Some(format!("{FUNCTION_ARN}:1")));
    assert_ne!(world.get("f", None).unwrap().revision_id, before.revision_id);
    assert_eq!(world.publish("f").await.unwrap(), first);
    world.touch("f", "two").await;
    assert_eq!(world.publish("f").await.unwrap().version.as_deref(), Some("2"));
    assert_eq!(world.get("f", Some("1")).unwrap(), first);
}

#[tokio::test]
async fn a_change_that_changes_nothing_publishes_nothing() {
    let world = World::new().await;
    world.create("f").await;
    world.touch("f", "same").await;
    assert_eq!(world.publish("f").await.unwrap().version.as_deref(), Some("1"));
    world.touch("f", "same").await;
    assert_eq!(world.publish("f").await.unwrap().version.as_deref(), Some("1"));
}

#[tokio::test]
async fn numbers_never_return() {
    let mut world = World::new().await;
    world.create("f").await;
    world.publish("f").await.unwrap();
    world.delete("f", Some("1")).await.unwrap();
    world.touch("f", "again").await;
    assert_eq!(world.publish("f").await.unwrap().version.as_deref(), Some("2"));
    world.delete("f", None).await.unwrap();
    world.reopen().await;
    world.create("f").await;
    assert_eq!(world.publish("f").await.unwrap().version.as_deref(), Some("3"));
}

#[tokio::test]
async fn a_deleted_version_can_be_published_again_under_a_new_number() {
    let world = World::new().await;
    world.create("f").await;
    world.publish("f").await.unwrap();
    world.delete("f", Some("1")).await.unwrap();
    assert_eq!(world.publish("f").await.unwrap().version.as_deref(), Some("2"));
}

#[tokio::test]
async fn preconditions_of_publishing_are_checked() {
    let world = World::new().await;
    let view = world.create("f").await;
    let request =
        PublishVersionRequest { function_name: "f".into(), code_sha256: Some("x".into()), ..Default::default() };
    let code = view.code_sha256.unwrap();
    assert_eq!(
        refusal(world.functions().publish_version(world.scope(), request).await),
        format!(
            "400 InvalidParameterValueException: CodeSHA256 (x) is different from current CodeSHA256 in $LATEST ({code}). Please \
             try again with the CodeSHA256 in $LATEST."
        )
    );
    let request =
        PublishVersionRequest { function_name: "f".into(), revision_id: Some("x".into()), ..Default::default() };
    assert!(refusal(world.functions().publish_version(world.scope(), request).await).starts_with("412 "));
    let request = PublishVersionRequest {
        function_name: "f".into(),
        code_sha256: Some(code),
        revision_id: view.revision_id,
        description: Some("first".into()),
        publish_to: None,
    };
    let version = world.functions().publish_version(world.scope(), request).await.unwrap();
    assert_eq!(version.description.as_deref(), Some("first"));
    assert_eq!(world.get("f", None).unwrap().description.as_deref(), Some(""));
}

#[tokio::test]
async fn creating_and_updating_may_publish_at_once() {
    let world = World::new().await;
    let mut request = create("f");
    request.publish = Some(true);
    let view = world.functions().create_function(world.scope(), request).await.unwrap();
    assert_eq!((view.version.as_deref(), view.function_arn.as_deref()), (Some("1"), Some(FUNCTION_ARN)));
    assert_eq!(view.state, Some(State::Pending));
    world.settled("f").await;
    let request = UpdateFunctionCodeRequest {
        function_name: "f".into(),
        zip_file: Some(zip("two")),
        publish: Some(true),
        ..Default::default()
    };
    let view = world.functions().update_function_code(world.scope(), request).await.unwrap();
    assert_eq!(view.version.as_deref(), Some("2"));
    assert_eq!(view.function_arn, Some(format!("{FUNCTION_ARN}:2")));
    assert_eq!(view.state, Some(State::Pending));
    world.settled("f").await;
    assert_eq!(world.get("f", Some("2")).unwrap().state, Some(State::Active));
}

#[tokio::test]
async fn versions_are_listed_from_latest_on_upwards() {
    let world = World::new().await;
    world.create("f").await;
    for number in 1..=3 {
        world.touch("f", &number.to_string()).await;
        world.publish("f").await.unwrap();
    }
    let mut versions = Vec::new();
    let mut request = ListVersionsByFunctionRequest { function_name: "f".into(), max_items: Some(3), marker: None };
    loop {
        let page = world.functions().list_versions_by_function(world.scope(), &request).unwrap();
        versions
            .extend(page.versions.unwrap().into_iter().map(|view| (view.version.unwrap(), view.function_arn.unwrap())));
        request.marker = page.next_marker;
        if request.marker.is_none() {
            break;
        }
    }
    let expected = ["$LATEST", "1", "2", "3"].map(|version| (version.to_owned(), format!("{FUNCTION_ARN}:{version}")));
    assert_eq!(versions, expected);
}

#[tokio::test]
async fn only_versions_that_no_alias_uses_are_deleted() {
    let world = World::new().await;
    world.create("f").await;
    world.publish("f").await.unwrap();
    let alias = CreateAliasRequest {
        function_name: "f".into(),
        name: "prod".into(),
        function_version: "1".into(),
        ..Default::default()
    };
    world.functions().create_alias(world.scope(), alias).await.unwrap();
    let refused = refusal(world.delete("f", Some("1")).await);
    assert!(refused.starts_with("409 ResourceConflictException: "), "{refused}");
    assert_eq!(
        refusal(world.delete("f", Some("prod")).await),
        "400 InvalidParameterValueException: Deletion of aliases is not currently supported."
    );
    // Which function comes first.
    let refused = refusal(world.delete("g", Some("prod")).await);
    assert!(refused.starts_with("404 ResourceNotFoundException: Function not found: "), "{refused}");
    assert!(refused.ends_with(":function:g"), "{refused}");
    assert_eq!(
        refusal(world.delete("f", Some("$LATEST")).await),
        "400 InvalidParameterValueException: $LATEST version cannot be deleted without deleting the function."
    );
    world.delete("f", Some("7")).await.unwrap();
}
