use hearth_aws_api::shapes::lambda::{AddPermissionRequest, TagResourceRequest};
use hearth_functions::Scope;
use hearth_types::Home;
use serde_json::json;

use crate::world::{FUNCTION_ARN, World, refusal};

const ROOT: &str = "arn:aws:iam::210987654321:root";
const SESSION: &str = "arn:aws:sts::210987654321:assumed-role/caller/session";

async fn grant(world: &World, action: &str, principal: &str, qualifier: Option<&str>) {
    let request = AddPermissionRequest {
        function_name: "f".into(),
        statement_id: format!("{}{}", action.replace([':', '*'], "-"), qualifier.unwrap_or_default()),
        action: action.into(),
        principal: principal.into(),
        qualifier: qualifier.map(Into::into),
        ..Default::default()
    };
    world.functions().add_permission(world.scope(), request).await.unwrap();
}

fn other() -> Home {
    "210987654321/eu-west-1".parse().unwrap()
}

#[tokio::test]
async fn each_action_is_granted_by_itself_and_to_whom_the_statement_names() {
    let world = World::new().await;
    world.create("f").await;
    world.publish("f").await.unwrap();
    grant(&world, "lambda:GetFunction", "arn:aws:iam::210987654321:role/a/path/caller", None).await;
    grant(&world, "lambda:getpolicy", "210987654321", Some("1")).await;
    let other = other();
    let ask = |principal, operation, arn: &str| {
        let scope = Scope { home: &other, principal, ..world.scope() };
        world.functions().granting_account(scope, operation, &json!({ "FunctionName": arn }))
    };
    let granted = Ok(Some(world.home.clone()));
    assert_eq!(ask(SESSION, "GetFunction", FUNCTION_ARN), granted);
    let qualified = format!("{FUNCTION_ARN}:1");
    assert_eq!(ask(ROOT, "GetPolicy", &qualified), granted);
    for (principal, operation, arn) in [
        (ROOT, "GetFunction", FUNCTION_ARN),
        ("arn:aws:sts::210987654321:assumed-role/another/session", "GetFunction", FUNCTION_ARN),
        (SESSION, "GetFunctionConfiguration", FUNCTION_ARN),
        (SESSION, "GetFunction", &qualified),
        (SESSION, "GetFunction", "arn:aws:lambda:eu-west-1:123456789012:function:nothing"),
    ] {
        assert_eq!(
            refusal(ask(principal, operation, arn)),
            format!(
                "403 AccessDeniedException: User: {principal} is not authorized to perform: lambda:{operation} on resource: {arn} \
                 because no resource-based policy allows the lambda:{operation} action"
            )
        );
    }
    // What no policy can open, what is the caller's own, and what is in another region, the operation judges itself.
    assert_eq!(ask(SESSION, "UpdateFunctionConfiguration", FUNCTION_ARN), Ok(None));
    assert_eq!(ask(SESSION, "GetFunction", "f"), Ok(None));
    assert_eq!(ask(SESSION, "GetFunction", &FUNCTION_ARN.replace("eu-west-1", "eu-west-2")), Ok(None));
}

#[tokio::test]
async fn another_account_does_not_open_the_network_or_the_host() {
    let world = World::new().await;
    world.create("f").await;
    grant(&world, "lambda:*", "210987654321", None).await;
    let caller = Scope { principal: ROOT, ..world.scope() };
    let tag = |name: &str, value: &str| TagResourceRequest {
        resource: FUNCTION_ARN.into(),
        tags: [(name.to_owned(), value.to_owned())].into(),
    };
    world.functions().tag_resource(caller, tag("colour", "red")).await.unwrap();
    for (name, value) in [("hearth:network", "egress"), ("hearth:live-dir", "/src")] {
        let refused = refusal(world.functions().tag_resource(caller, tag(name, value)).await);
        assert!(refused.starts_with("403 AccessDeniedException: "), "{refused}");
    }
}
