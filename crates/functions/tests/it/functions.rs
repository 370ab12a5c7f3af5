use hearth_aws_api::shape::Blob;
use hearth_aws_api::shapes::lambda::{
    Architecture, DeadLetterConfig, Environment, EphemeralStorage, FunctionVersion, GetFunctionRequest,
    LastUpdateStatus, LastUpdateStatusReasonCode, ListFunctionsRequest, LogFormat, LoggingConfig, PackageType,
    SnapStart, SnapStartApplyOn, TracingConfig, TracingMode, UpdateFunctionCodeRequest,
    UpdateFunctionConfigurationRequest, VpcConfig,
};
use serde_json::json;

use crate::world::{FUNCTION_ARN, World, create, refusal, zip};

#[tokio::test]
async fn a_new_function_is_pending_then_active_and_shown_as_lambda_shows_it() {
    let world = World::new().await;
    let view = world.functions().create_function(world.scope(), create("f")).await.unwrap();
    let first_revision = view.revision_id.clone();
    let mut shown = serde_json::to_value(&view).unwrap();
    for volatile in ["RevisionId", "CodeSha256", "CodeSize", "RuntimeVersionConfig"] {
        assert!(shown.as_object_mut().unwrap().remove(volatile).is_some(), "{volatile}");
    }
    assert_eq!(
        shown,
        json!({
            "Architectures": ["x86_64"],
            "Description": "",
            "EphemeralStorage": {"Size": 512},
            "FunctionArn": FUNCTION_ARN,
            "FunctionName": "f",
            "Handler": "index.handler",
            "LastModified": "2026-09-21T14:13:20.123+0000",
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/f"},
            "MemorySize": 128,
            "PackageType": "Zip",
            "Role": "arn:aws:iam::123456789012:role/r",
            "Runtime": "python3.11",
            "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
            "State": "Pending",
            "StateReason": "The function is being created.",
            "StateReasonCode": "Creating",
            "Timeout": 3,
            "TracingConfig": {"Mode": "PassThrough"},
            "Version": "$LATEST"
        })
    );
    let settled = world.settled("f").await;
    assert_eq!(settled.state_reason, None);
    assert_ne!(settled.revision_id, first_revision);
}

#[tokio::test]
async fn while_pending_changes_are_refused() {
    let world = World::new().await;
    world.functions().create_function(world.scope(), create("f")).await.unwrap();
    let expected = "409 ResourceConflictException: The operation cannot be performed at this time. The function is currently \
                    in the following state: Pending";
    assert_eq!(refusal(world.publish("f").await), expected);
}

#[tokio::test]
async fn while_updating_changes_are_refused() {
    let world = World::new().await;
    world.create("f").await;
    let view = world.update_code("f", "other").await.unwrap();
    assert_eq!(view.last_update_status, Some(LastUpdateStatus::InProgress));
    assert_eq!(view.last_update_status_reason_code, Some(LastUpdateStatusReasonCode::Creating));
    let expected = format!(
        "409 ResourceConflictException: The operation cannot be performed at this time. An update is in progress for resource: \
         {FUNCTION_ARN}"
    );
    assert_eq!(refusal(world.publish("f").await), expected);
    assert_eq!(refusal(world.update_code("f", "third").await), expected);
    let settled = world.settled("f").await;
    assert_ne!(settled.revision_id, view.revision_id);
    assert_eq!(settled.code_sha256, view.code_sha256);
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let world = World::new().await;
    world.create("f").await;
    let again = world.functions().create_function(world.scope(), create("f")).await;
    assert_eq!(refusal(again), "409 ResourceConflictException: Function already exist: f");
}

#[tokio::test]
async fn requests_that_cannot_be_met_are_refused_in_lambdas_words() {
    let world = World::new().await;
    let long = "a".repeat(65);
    let reserved = [("AWS_REGION".to_owned(), "x".to_owned())];
    let big = [("BIG".to_owned(), "x".repeat(4096))];
    type Edit<'a> = Box<dyn Fn(&mut hearth_aws_api::shapes::lambda::CreateFunctionRequest) + 'a>;
    let cases: Vec<(Edit<'_>, String)> = vec![
        (
            Box::new(|request| request.function_name.clone_from(&long)),
            format!(
                "400 InvalidParameterValueException: 1 validation error detected: Value '{long}' at 'functionName' failed to \
                 satisfy constraint: Member must have length less than or equal to 64"
            ),
        ),
        (
            Box::new(|request| request.runtime = None),
            "400 InvalidParameterValueException: Runtime and Handler are mandatory parameters for functions created with \
             deployment packages."
                .into(),
        ),
        (
            Box::new(|request| request.runtime = Some("python3.7".into())),
            "400 InvalidParameterValueException: The runtime parameter of python3.7 is no longer supported for creating or \
             updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions."
                .into(),
        ),
        (
            Box::new(|request| request.code.zip_file = Some(Blob(b"not a zip".to_vec()))),
            "400 InvalidParameterValueException: Could not unzip uploaded file. Please check your file, then try to upload again."
                .into(),
        ),
        (
            Box::new(|request| request.code.zip_file = Some(Blob::default())),
            "400 InvalidParameterValueException: Uploaded file must be a non-empty zip".into(),
        ),
        (
            Box::new(|request| request.code.zip_file = None),
            "400 InvalidParameterValueException: Please provide a source for function code.".into(),
        ),
        (
            Box::new(|request| request.code.zip_file = Some(Blob(vec![0; 52_428_801]))),
            "413 RequestEntityTooLargeException: Zipped size must be smaller than 52428800 bytes".into(),
        ),
        (
            Box::new(|request| request.code.zip_file = Some(Blob([b"PK\x05\x06".as_slice(), &[0; 18]].concat()))),
            "400 InvalidParameterValueException: Uploaded file must be a non-empty zip".into(),
        ),
        (
            Box::new(|request| request.timeout = Some(901)),
            "400 InvalidParameterValueException: 1 validation error detected: Value '901' at 'timeout' failed to satisfy \
             constraint: Member must have value less than or equal to 900"
                .into(),
        ),
        (
            Box::new(|request| request.environment = Some(Environment { variables: Some(reserved.clone().into()) })),
            "400 InvalidParameterValueException: Lambda was unable to configure your environment variables because the \
             environment variables you have provided contains reserved keys that are currently not supported for modification. \
             Reserved keys used in this request: AWS_REGION"
                .into(),
        ),
        (
            Box::new(|request| request.environment = Some(Environment { variables: Some(big.clone().into()) })),
            format!(
                "400 InvalidParameterValueException: Lambda was unable to configure your environment variables because the \
                 environment variables you have provided exceeded the 4KB limit. String measured: {{\"BIG\":\"{}\"}}",
                "x".repeat(4096)
            ),
        ),
        (
            Box::new(|request| request.tags = Some([("hearth:network".to_owned(), "wide".to_owned())].into())),
            "400 InvalidParameterValueException: Value 'wide' of tag hearth:network failed to satisfy constraint: Member must \
             satisfy enum value set: [none, egress]"
                .into(),
        ),
    ];
    for (edit, expected) in cases {
        let mut request = create("f");
        edit(&mut request);
        assert_eq!(refusal(world.functions().create_function(world.scope(), request).await), expected);
    }
}

#[tokio::test]
async fn what_hearth_does_not_have_is_refused_by_name_and_empty_forms_are_accepted() {
    let world = World::new().await;
    let mut request = create("f");
    request.vpc_config = Some(VpcConfig { subnet_ids: Some(vec!["subnet-1".into()]), ..Default::default() });
    let refused = refusal(world.functions().create_function(world.scope(), request).await);
    assert_eq!(refused, "400 InvalidParameterValueException: VpcConfig is not supported by Hearth");
    let mut request = create("f");
    request.package_type = Some(PackageType::Image);
    let refused = refusal(world.functions().create_function(world.scope(), request).await);
    assert_eq!(refused, "400 InvalidParameterValueException: PackageType Image is not supported by Hearth");
    let mut request = create("f");
    request.code.zip_file = None;
    request.code.s3_bucket = Some("bucket".into());
    request.code.s3_key = Some("key".into());
    let refused = refusal(world.functions().create_function(world.scope(), request).await);
    assert!(refused.starts_with("400 InvalidParameterValueException: Code from S3Bucket and S3Key"), "{refused}");
    let mut request = create("f");
    request.architectures = Some(vec![Architecture::Arm64]);
    let refused = refusal(world.functions().create_function(world.scope(), request).await);
    assert!(refused.contains("Architecture arm64 is not supported by this host"), "{refused}");
    let mut request = create("f");
    request.vpc_config = Some(VpcConfig { subnet_ids: Some(vec![]), ..Default::default() });
    request.kms_key_arn = Some(String::new());
    world.functions().create_function(world.scope(), request).await.unwrap();
}

#[tokio::test]
async fn a_configuration_update_changes_what_is_given_and_nothing_else() {
    let world = World::new().await;
    let before = world.create("f").await;
    let request = UpdateFunctionConfigurationRequest {
        function_name: "f".into(),
        timeout: Some(10),
        memory_size: Some(512),
        description: Some("changed".into()),
        environment: Some(Environment { variables: Some([("A".to_owned(), "a".to_owned())].into()) }),
        ephemeral_storage: Some(EphemeralStorage { size: 512 }),
        tracing_config: Some(TracingConfig { mode: Some(TracingMode::Active) }),
        snap_start: Some(SnapStart { apply_on: Some(SnapStartApplyOn::PublishedVersions) }),
        dead_letter_config: Some(DeadLetterConfig { target_arn: Some(String::new()) }),
        logging_config: Some(LoggingConfig { log_format: Some(LogFormat::Json), ..Default::default() }),
        ..Default::default()
    };
    world.functions().update_function_configuration(world.scope(), request).await.unwrap();
    let after = world.settled("f").await;
    assert_eq!((after.timeout, after.memory_size), (Some(10), Some(512)));
    assert_eq!(after.handler, before.handler);
    assert_eq!(after.code_sha256, before.code_sha256);
    let logging = serde_json::to_value(&after.logging_config).unwrap();
    assert_eq!(
        logging,
        json!({"LogFormat": "JSON", "LogGroup": "/aws/lambda/f", "ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"})
    );
    let snap_start = serde_json::to_value(&after.snap_start).unwrap();
    assert_eq!(snap_start, json!({"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}));
}

#[tokio::test]
async fn a_stale_revision_is_refused() {
    let world = World::new().await;
    let view = world.create("f").await;
    let expected = "412 PreconditionFailedException: The Revision Id provided does not match the latest Revision Id. Call the \
                    GetFunction/GetAlias API to retrieve the latest Revision Id";
    let code = |revision: Option<String>| UpdateFunctionCodeRequest {
        function_name: "f".into(),
        zip_file: Some(zip("x")),
        revision_id: revision,
        ..Default::default()
    };
    assert_eq!(
        refusal(world.functions().update_function_code(world.scope(), code(Some("wrong".into()))).await),
        expected
    );
    world.functions().update_function_code(world.scope(), code(view.revision_id)).await.unwrap();
}

#[tokio::test]
async fn a_dry_run_shows_the_change_and_makes_none() {
    let world = World::new().await;
    let before = world.create("f").await;
    let request = UpdateFunctionCodeRequest {
        function_name: "f".into(),
        zip_file: Some(zip("other")),
        dry_run: Some(true),
        ..Default::default()
    };
    let shown = world.functions().update_function_code(world.scope(), request).await.unwrap();
    assert_ne!(shown.code_sha256, before.code_sha256);
    assert_eq!(world.get("f", None).unwrap(), before);
}

#[tokio::test]
async fn functions_that_are_not_there_are_named() {
    let world = World::new().await;
    assert_eq!(
        refusal(world.get("f", None)),
        format!("404 ResourceNotFoundException: Function not found: {FUNCTION_ARN}")
    );
    assert_eq!(
        refusal(world.get("f", Some("$LATEST"))),
        format!("404 ResourceNotFoundException: Function not found: {FUNCTION_ARN}:$LATEST")
    );
    assert_eq!(
        refusal(world.delete("f", None).await),
        format!("404 ResourceNotFoundException: Function not found: {FUNCTION_ARN}")
    );
}

#[tokio::test]
async fn lists_page_by_marker() {
    let world = World::new().await;
    for name in ["a", "b", "c"] {
        world.create(name).await;
    }
    let mut names = Vec::new();
    let mut request = ListFunctionsRequest { max_items: Some(2), ..Default::default() };
    loop {
        let page = world.functions().list_functions(world.scope(), &request).unwrap();
        let functions = page.functions.unwrap();
        assert!(functions.len() <= 2);
        assert!(functions.iter().all(|function| function.state.is_none()));
        names.extend(functions.into_iter().filter_map(|function| function.function_name));
        match page.next_marker {
            Some(marker) => request.marker = Some(marker),
            None => break,
        }
    }
    assert_eq!(names, ["a", "b", "c"]);
}

#[tokio::test]
async fn lists_of_all_versions_leave_none_out_whatever_the_names() {
    let world = World::new().await;
    for name in ["a", "a-b", "a0", "A"] {
        world.create(name).await;
        world.publish(name).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut request =
        ListFunctionsRequest { max_items: Some(1), function_version: Some(FunctionVersion::All), ..Default::default() };
    loop {
        let page = world.functions().list_functions(world.scope(), &request).unwrap();
        seen.extend(
            page.functions
                .unwrap()
                .into_iter()
                .map(|view| view.function_arn.unwrap().rsplit("function:").next().unwrap().to_owned()),
        );
        request.marker = page.next_marker;
        if request.marker.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["A:$LATEST", "A:1", "a:$LATEST", "a:1", "a-b:$LATEST", "a-b:1", "a0:$LATEST", "a0:1"]);
}

#[tokio::test]
async fn the_package_can_be_fetched_for_ten_minutes() {
    let world = World::new().await;
    world.create("f").await;
    let request = GetFunctionRequest { function_name: "f".into(), qualifier: None };
    let answer = world.functions().get_function(world.scope(), &request).unwrap();
    let location = answer.code.unwrap().location.unwrap();
    let rest = location.strip_prefix("http://127.0.0.1:4566/_hearth/code/").unwrap();
    let (code, query) = rest.split_once('?').unwrap();
    let (expires, signature) = query.strip_prefix("expires=").unwrap().split_once("&signature=").unwrap();
    let now = world.scope().now;
    let path = world.functions().verify_code_location(code, expires, signature, now).unwrap();
    assert_eq!(std::fs::read(path).unwrap(), create("f").code.zip_file.unwrap().0);
    let late = now + std::time::Duration::from_secs(601);
    assert!(world.functions().verify_code_location(code, expires, signature, late).is_err());
    let longer = (expires.parse::<u64>().unwrap() + 1).to_string();
    assert!(world.functions().verify_code_location(code, &longer, signature, now).is_err());
}
