//! CreateFunction.

use hearth_aws_api::ApiError;
use hearth_aws_api::shape::StringMap;
use hearth_aws_api::shapes::lambda::{
    CreateFunctionRequest, FunctionConfiguration, PackageType, Runtime, SnapStartApplyOn, TracingMode,
};
use hearth_packages::Package;
use hearth_types::{FunctionName, Home, Timestamp, VersionLabel};

use crate::code::{check_sizes, check_storage};
use crate::function::Records;
use crate::functions::{Functions, Scope, revision_id};
use crate::name::Target;
use crate::record::{FunctionRecord, Settings, Status, VersionRecord};
use crate::settings::{self, EPHEMERAL_STORAGE_MIB, MEMORY_MIB, TIMEOUT_S};
use crate::source::{S3Members, Source};
use crate::{logging, refuse, runtime, unsupported};

impl Functions {
    pub async fn create_function(
        &self,
        scope: Scope<'_>,
        mut request: CreateFunctionRequest,
    ) -> Result<FunctionConfiguration, ApiError> {
        let name = self.new_name(scope, &request.function_name)?;
        self.check_tags(scope, &Default::default(), request.tags.as_ref().unwrap_or(&Default::default()))?;
        // Recorded: layers are looked at before the name.
        let _layers = settings::use_layers(&self.shared, scope.home, request.layers.as_deref().unwrap_or_default())?;
        let account = self.shared.account(scope.home);
        if self.shared.is_put_aside(scope.home, name.as_str()) {
            return Err(refuse::put_aside(name.as_str()));
        }
        if account.find(&name).is_some() {
            return Err(exists(&name));
        }
        let (source, runtime) = self.check_request(&mut request)?;
        self.check_role(scope, &name, &request.role).await?;
        let zip = self.shared.receive(&account, source).await?;
        let _kept = self.shared.collection.read().await;
        let package = self.shared.ingest(&account, zip).await?;
        let publish = request.publish == Some(true);
        let tags = request.tags.take().unwrap_or_default();
        let mut change = self.shared.change(&account).await?;
        if account.find(&name).is_some() {
            return Err(exists(&name));
        }
        check_storage(&account, &package)?;
        let uid = change.next_generation();
        let settings = self.new_settings(scope.home, &name, request, (runtime, package))?;
        let mut records = new_records(name, uid, settings, tags, scope.now);
        let published = if publish { Some(self.add_version(&mut change, &mut records, None)?) } else { None };
        let function = change.commit_function(records).await?;
        if let Some(number) = published {
            change.writer.numbers.insert(function.records.name.to_string(), number);
        }
        // Recorded: with Publish the answer has the version's number and the function's own ARN.
        let label = published.map_or(VersionLabel::Latest, VersionLabel::Number);
        let version = published.and_then(|number| function.records.versions.get(&number));
        let record = version.map_or(&function.records.function.latest, |version| version);
        Ok(self.show(&function, label, function.arn.to_string(), record))
    }

    fn new_name(&self, scope: Scope<'_>, text: &str) -> Result<FunctionName, ApiError> {
        let target = Target::parse(text, None, scope.home)?;
        target.name.parse().ok().ok_or_else(|| {
            ApiError::invalid_parameter(format!(
                "1 validation error detected: Value '{}' at 'functionName' failed to satisfy constraint: Member must have length \
                 less than or equal to 64",
                target.name
            ))
        })
    }

    /// Everything that can be said without the code; takes the code's source out of the request.
    fn check_request(&self, request: &mut CreateFunctionRequest) -> Result<(Source, Runtime), ApiError> {
        if request.package_type == Some(PackageType::Image) || request.code.image_uri.is_some() {
            return Err(refuse::not_supported("PackageType Image"));
        }
        unsupported::check_create(request)?;
        let (Some(runtime), Some(_)) = (&request.runtime, &request.handler) else {
            return Err(ApiError::invalid_parameter(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
            ));
        };
        let runtime = runtime::check(runtime, &self.shared.config.runtimes)?;
        if let Some(architecture) = request.architectures.as_ref().and_then(|list| list.first().copied()) {
            settings::check_architecture(architecture)?;
        }
        if let Some(variables) = request.environment.as_ref().and_then(|environment| environment.variables.as_ref()) {
            settings::check_environment(variables)?;
        }
        let s3 = S3Members {
            bucket: request.code.s3_bucket.take(),
            key: request.code.s3_key.take(),
            version: request.code.s3_object_version.take(),
            storage_mode: request.code.s3_object_storage_mode.take(),
        };
        Ok((Source { zip: request.code.zip_file.take(), s3 }, runtime))
    }

    fn new_settings(
        &self,
        home: &Home,
        name: &FunctionName,
        request: CreateFunctionRequest,
        (runtime, package): (Runtime, Package),
    ) -> Result<Settings, ApiError> {
        let mut logging = logging::default(name.as_str());
        if let Some(given) = &request.logging_config {
            logging::change(&mut logging, given)?;
        }
        let layers = settings::use_layers(&self.shared, home, &request.layers.unwrap_or_default())?;
        check_sizes(&package, &layers)?;
        let architectures = request.architectures.unwrap_or_default();
        let settings = Settings {
            package,
            runtime,
            handler: request.handler.unwrap_or_default(),
            role: request.role,
            description: request.description.unwrap_or_default(),
            timeout_s: request.timeout.unwrap_or(TIMEOUT_S),
            memory_mib: request.memory_size.unwrap_or(MEMORY_MIB),
            ephemeral_storage_mib: request.ephemeral_storage.map_or(EPHEMERAL_STORAGE_MIB, |storage| storage.size),
            environment: request.environment.map(|environment| environment.variables.unwrap_or_default()),
            layers,
            dead_letter: settings::dead_letter(
                request.dead_letter_config.and_then(|config| config.target_arn).as_deref(),
            )?,
            tracing_active: request.tracing_config.and_then(|config| config.mode) == Some(TracingMode::Active),
            architecture: architectures.into_iter().next().unwrap_or_else(settings::host_architecture),
            snap_start: request.snap_start.and_then(|snap| snap.apply_on) == Some(SnapStartApplyOn::PublishedVersions),
            logging,
        };
        settings::check_limits(&settings)?;
        Ok(settings)
    }
}

fn new_records(name: FunctionName, uid: u64, settings: Settings, tags: StringMap, now: Timestamp) -> Records {
    let latest = VersionRecord {
        settings,
        generation: uid,
        revision_id: revision_id(),
        modified: now,
        status: Status::Creating,
        source_description: None,
        preparation: None,
    };
    let function = FunctionRecord {
        uid,
        latest,
        tags,
        placed: 0,
        reserved_concurrency: None,
        last_published: None,
        recursion_allowed: false,
        runtime_updates: Default::default(),
    };
    Records::new(name, function)
}

fn exists(name: &FunctionName) -> ApiError {
    ApiError::conflict(format!("Function already exist: {name}"))
}
