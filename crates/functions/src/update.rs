//! UpdateFunctionCode and UpdateFunctionConfiguration.

use std::sync::Arc;

use hearth_aws_api::ApiError;
use hearth_aws_api::shapes::lambda::{
    FunctionConfiguration, UpdateFunctionCodeRequest, UpdateFunctionConfigurationRequest,
};
use hearth_types::{Timestamp, VersionLabel};

use crate::code::{check_sizes, check_storage};
use crate::function::Function;
use crate::functions::{Functions, Scope, missing, revision_id};
use crate::name::Target;
use crate::record::{Settings, Status, VersionRecord};
use crate::source::{S3Members, Source};
use crate::{refuse, settings, unsupported, view};

impl Functions {
    pub async fn update_function_code(
        &self,
        scope: Scope<'_>,
        mut request: UpdateFunctionCodeRequest,
    ) -> Result<FunctionConfiguration, ApiError> {
        let name = self.changeable(scope, &request.function_name)?;
        let account = self.shared.account(scope.home);
        let absent = || missing(&self.shared, scope.home, &name, None);
        check_ready(&*account.function(&name).ok_or_else(absent)?)?;
        if request.image_uri.is_some() {
            return Err(ApiError::invalid_parameter(
                "Please don't provide ImageUri when updating a function with packageType Zip.",
            ));
        }
        if request.publish_to.is_some() || request.source_kms_key_arn.as_ref().is_some_and(|arn| !arn.is_empty()) {
            let member = if request.publish_to.is_some() { "PublishTo" } else { "SourceKMSKeyArn" };
            return Err(refuse::not_supported(member));
        }
        if let Some(architecture) = request.architectures.as_ref().and_then(|list| list.first().copied()) {
            settings::check_architecture(architecture)?;
        }
        let s3 = S3Members {
            bucket: request.s3_bucket.take(),
            key: request.s3_key.take(),
            version: request.s3_object_version.take(),
            storage_mode: request.s3_object_storage_mode.take(),
        };
        let source = Source { zip: request.zip_file.take(), s3 };
        let zip = self.shared.receive(&account, source).await?;
        let _kept = self.shared.collection.read().await;
        let package = self.shared.ingest(&account, zip).await?;
        let architecture = request.architectures.and_then(|list| list.into_iter().next());

        let mut change = self.shared.change(&account).await?;
        let function = change.function(&name, || missing(&self.shared, scope.home, &name, None))?;
        check_ready(&function)?;
        let latest = &function.records.function.latest;
        refuse::check_revision(request.revision_id.as_deref(), Some(&latest.revision_id), GETTER)?;
        check_sizes(&package, &latest.settings.layers)?;
        let mut settings = Settings { package, ..latest.settings.clone() };
        settings.architecture = architecture.unwrap_or(settings.architecture);
        if request.dry_run == Some(true) {
            let record = VersionRecord { settings, ..latest.clone() };
            return Ok(self.show(&function, VersionLabel::Latest, function.arn.to_string(), &record));
        }
        check_storage(&account, &package)?;
        let mut records = function.records.clone();
        records.function.latest = updating(settings, change.next_generation(), scope.now);
        let published = match request.publish {
            Some(true) => Some(self.add_version(&mut change, &mut records, None)?),
            _ => None,
        };
        let function = change.commit_function(records).await?;
        match published {
            Some(number) => {
                change.writer.numbers.insert(name, number);
                self.show_version(&function, number)
            }
            None => Ok(self.show_latest(&function)),
        }
    }

    pub async fn update_function_configuration(
        &self,
        scope: Scope<'_>,
        mut request: UpdateFunctionConfigurationRequest,
    ) -> Result<FunctionConfiguration, ApiError> {
        let name = self.changeable(scope, &request.function_name)?;
        unsupported::check_update(&request)?;
        let account = self.shared.account(scope.home);
        if let (Some(role), Some(function)) = (&request.role, account.function(&name)) {
            self.check_role(scope, &function.records.name, role).await?;
        }
        let mut change = self.shared.change(&account).await?;
        let function = change.function(&name, || missing(&self.shared, scope.home, &name, None))?;
        check_ready(&function)?;
        let latest = &function.records.function.latest;
        refuse::check_revision(request.revision_id.take().as_deref(), Some(&latest.revision_id), GETTER)?;
        let settings = settings::change(&latest.settings, request, &self.shared, scope.home)?;
        let mut records = function.records.clone();
        records.function.latest = updating(settings, change.next_generation(), scope.now);
        let function = change.commit_function(records).await?;
        Ok(self.show_latest(&function))
    }

    /// The function's name, of a request that changes `$LATEST`.
    fn changeable(&self, scope: Scope<'_>, text: &str) -> Result<String, ApiError> {
        let target = Target::parse(text, None, scope.home)?;
        if target.qualifier.as_deref() == Some("$LATEST") {
            return Ok(target.name);
        }
        target.unqualified(ONLY_FUNCTIONS)
    }

    pub(crate) fn show_latest(&self, function: &Function) -> FunctionConfiguration {
        let latest = &function.records.function.latest;
        self.show(function, VersionLabel::Latest, function.arn.to_string(), latest)
    }

    pub(crate) fn show_version(&self, function: &Function, number: u64) -> Result<FunctionConfiguration, ApiError> {
        let record: &Arc<VersionRecord> = function
            .records
            .versions
            .get(&number)
            .ok_or_else(|| refuse::function_not_found(&function.qualified_arn(&number.to_string())))?;
        let arn = function.qualified_arn(&number.to_string());
        Ok(self.show(function, VersionLabel::Number(number), arn, record))
    }

    pub(crate) fn show(
        &self,
        function: &Function,
        version: VersionLabel,
        arn: String,
        record: &VersionRecord,
    ) -> FunctionConfiguration {
        let (region, name) = (function.region(), function.records.name.as_str());
        view::configuration(view::Shown { region, name, arn, version }, record)
    }
}

/// `$LATEST` after a change, until it has settled.
fn updating(settings: Settings, generation: u64, now: Timestamp) -> VersionRecord {
    VersionRecord {
        settings,
        generation,
        revision_id: revision_id(),
        modified: now,
        status: Status::Updating,
        source_description: None,
        preparation: None,
    }
}

/// The operations that tell a function's newest revision id.
pub(crate) const GETTER: &str = "GetFunction/GetAlias";

pub(crate) const ONLY_FUNCTIONS: &str = "This operation is permitted on Lambda functions only. Aliases and versions do not \
     support this operation. Please specify either a function name or an unqualified function ARN.";

/// 409 while the function is being created or changed.
pub(crate) fn check_ready(function: &Function) -> Result<(), ApiError> {
    match function.records.function.latest.status {
        // `$LATEST` is never prepared.
        Status::Active | Status::Preparing | Status::Failed => Ok(()),
        Status::Creating => Err(refuse::pending()),
        Status::Updating => Err(refuse::update_in_progress(&function.arn)),
    }
}
