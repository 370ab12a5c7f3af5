use hearth_aws_api::shapes::lambda::{
    AddPermissionRequest, CreateAliasRequest, FunctionUrlAuthType, GetPolicyRequest, GetPolicyResponse,
    RemovePermissionRequest,
};
use hearth_functions::ApiError;
use serde_json::{Value, json};

use crate::world::{FUNCTION_ARN, World, refusal};

fn policy(world: &World, qualifier: Option<&str>) -> Result<GetPolicyResponse, ApiError> {
    let request = GetPolicyRequest { function_name: "f".into(), qualifier: qualifier.map(Into::into) };
    world.functions().get_policy(world.scope(), &request)
}

fn permission(id: &str, qualifier: Option<&str>) -> AddPermissionRequest {
    AddPermissionRequest {
        function_name: "f".into(),
        statement_id: id.into(),
        action: "lambda:InvokeFunction".into(),
        principal: "s3.amazonaws.com".into(),
        qualifier: qualifier.map(Into::into),
        ..Default::default()
    }
}

fn removal(id: &str, qualifier: Option<&str>) -> RemovePermissionRequest {
    RemovePermissionRequest {
        function_name: "f".into(),
        statement_id: id.into(),
        qualifier: qualifier.map(Into::into),
        revision_id: None,
    }
}

async fn world() -> World {
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
    world
}

#[tokio::test]
async fn statements_are_written_as_lambda_writes_them() {
    let world = world().await;
    let request = AddPermissionRequest {
        source_arn: Some("arn:aws:s3:::bucket".into()),
        source_account: Some("123456789012".into()),
        principal_org_id: Some("o-1234567890".into()),
        function_url_auth_type: Some(FunctionUrlAuthType::None),
        event_source_token: Some("token".into()),
        invoked_via_function_url: Some(true),
        principal: "*".into(),
        ..permission("all", None)
    };
    let answer = world.functions().add_permission(world.scope(), request).await.unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&answer.statement.unwrap()).unwrap(),
        json!({
            "Sid": "all", "Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": FUNCTION_ARN,
            "Condition": {
                "StringEquals": {
                    "AWS:SourceAccount": "123456789012", "lambda:FunctionUrlAuthType": "NONE",
                    "aws:PrincipalOrgID": "o-1234567890", "lambda:EventSourceToken": "token"
                },
                "Bool": {"lambda:InvokedViaFunctionUrl": "true"},
                "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::bucket"}
            }
        })
    );
    for (principal, expected) in [
        ("lambda.amazonaws.com", json!({"Service": "lambda.amazonaws.com"})),
        ("alexa-appkit.amazon.com", json!({"Service": "alexa-appkit.amazon.com"})),
        ("123456789012", json!({"AWS": "arn:aws:iam::123456789012:root"})),
        ("arn:aws:iam::123456789012:user/u", json!({"AWS": "arn:aws:iam::123456789012:user/u"})),
    ] {
        let id = format!("p{}", principal.len());
        let request = AddPermissionRequest { principal: principal.into(), ..permission(&id, None) };
        let answer = world.functions().add_permission(world.scope(), request).await.unwrap();
        let statement: Value = serde_json::from_str(&answer.statement.unwrap()).unwrap();
        assert_eq!(statement["Principal"], expected);
        assert_eq!(statement.get("Condition"), None);
    }
}

#[tokio::test]
async fn each_qualifier_has_its_own_policy_with_its_own_revision() {
    let world = world().await;
    let functions = world.functions();
    for (qualifier, resource) in [
        (None, FUNCTION_ARN.to_owned()),
        (Some("1"), format!("{FUNCTION_ARN}:1")),
        (Some("prod"), format!("{FUNCTION_ARN}:prod")),
    ] {
        functions.add_permission(world.scope(), permission("s", qualifier)).await.unwrap();
        let policy = policy(&world, qualifier).unwrap();
        let document: Value = serde_json::from_str(&policy.policy.unwrap()).unwrap();
        assert_eq!((&document["Version"], &document["Id"]), (&json!("2012-10-17"), &json!("default")));
        assert_eq!(document["Statement"][0]["Resource"], resource);
        if qualifier != Some("prod") {
            assert_eq!(world.get("f", qualifier).unwrap().revision_id, policy.revision_id);
        }
    }
    functions.remove_permission(world.scope(), removal("s", Some("1"))).await.unwrap();
    assert_eq!(
        refusal(policy(&world, Some("1"))),
        "404 ResourceNotFoundException: The resource you requested does not exist."
    );
    assert!(policy(&world, None).is_ok());
}

#[tokio::test]
async fn a_policys_revision_changes_with_the_policy_alone() {
    let mut world = world().await;
    let functions = world.functions();
    let revision = || policy(&world, None).unwrap().revision_id.unwrap();
    let of_function = || world.get("f", None).unwrap().revision_id.unwrap();
    // Before there is a policy, the function's own revision is the condition.
    let first = AddPermissionRequest { revision_id: Some(of_function()), ..permission("a", None) };
    functions.add_permission(world.scope(), first).await.unwrap();
    let added = revision();
    assert_eq!(added, of_function());
    world.touch("f", "other").await;
    world.publish("f").await.unwrap();
    assert_ne!(of_function(), added);
    assert_eq!(revision(), added);
    let stale = AddPermissionRequest { revision_id: Some(of_function()), ..permission("b", None) };
    assert!(refusal(functions.add_permission(world.scope(), stale).await).starts_with("412 "));
    let fresh = AddPermissionRequest { revision_id: Some(added.clone()), ..permission("b", None) };
    functions.add_permission(world.scope(), fresh).await.unwrap();
    assert_ne!(revision(), added);
    let before = revision();
    world.reopen().await;
    assert_eq!(policy(&world, None).unwrap().revision_id.unwrap(), before);
}

#[tokio::test]
async fn bad_permissions_are_refused_in_lambdas_words() {
    let world = world().await;
    let functions = world.functions();
    functions.add_permission(world.scope(), permission("s3", None)).await.unwrap();
    let missing = AddPermissionRequest { function_name: "g".into(), ..permission("s", None) };
    let nobody = AddPermissionRequest { principal: "nobody".into(), ..permission("s", None) };
    let elsewhere = AddPermissionRequest { principal: "service.example.com".into(), ..permission("s", None) };
    let stale = AddPermissionRequest { revision_id: Some("x".into()), ..permission("s", None) };
    let cases = [
        (permission("s", Some("$LATEST")), "400 InvalidParameterValueException: We currently do not support adding policies for $LATEST.".to_owned()),
        (permission("s", Some("nope")), format!("404 ResourceNotFoundException: Cannot find alias arn: {FUNCTION_ARN}:nope")),
        (permission("s", Some("42")), format!("404 ResourceNotFoundException: Function not found: {FUNCTION_ARN}:42")),
        (permission("s", Some("a$b")), format!("404 ResourceNotFoundException: Function not found: {FUNCTION_ARN}:a$b")),
        (missing, format!("404 ResourceNotFoundException: Function not found: {}", FUNCTION_ARN.replace(":function:f", ":function:g"))),
        (nobody, "400 InvalidParameterValueException: The provided principal was invalid. Please check the principal and try again.".to_owned()),
        (elsewhere, "400 InvalidParameterValueException: The provided principal was invalid. Please check the principal and try again.".to_owned()),
        (permission("s3", None), "409 ResourceConflictException: The statement id (s3) provided already exists. Please provide a new statement id, or remove the existing statement.".to_owned()),
        (stale, "412 PreconditionFailedException: The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest Revision Id".to_owned()),
    ];
    for (request, expected) in cases {
        assert_eq!(refusal(functions.add_permission(world.scope(), request).await), expected);
    }
    assert_eq!(
        refusal(functions.remove_permission(world.scope(), removal("nope", None)).await),
        "404 ResourceNotFoundException: Statement nope is not found in resource policy."
    );
    assert_eq!(
        refusal(functions.remove_permission(world.scope(), removal("s", Some("prod"))).await),
        "404 ResourceNotFoundException: No policy is associated with the given resource."
    );
}

#[tokio::test]
async fn a_policy_has_a_largest_size() {
    let world = world().await;
    let mut last = Ok(());
    for number in 0..200 {
        let id = format!("{number:0>100}");
        let added = world.functions().add_permission(world.scope(), permission(&id, None)).await;
        last = added.map(drop);
        if last.is_err() {
            break;
        }
    }
    let refused = refusal(last);
    assert!(refused.starts_with("400 PolicyLengthExceededException: The final policy size ("), "{refused}");
    let policy = policy(&world, None).unwrap().policy.unwrap();
    assert!(policy.len() <= 20 * 1024);
}
