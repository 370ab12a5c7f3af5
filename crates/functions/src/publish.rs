//! PublishVersion.

use std::sync::Arc;

use hearth_aws_api::ApiError;
use hearth_aws_api::shapes::lambda::{FunctionConfiguration, PublishVersionRequest};

use crate::function::Records;
use crate::functions::{Change, Functions, Scope, missing, revision_id};
use crate::name::Target;
use crate::record::{Status, VersionRecord, numbers_key, version_key};
use crate::update::{GETTER, ONLY_FUNCTIONS, check_ready};
use crate::{refuse, settings, view};

impl Functions {
    pub async fn publish_version(
        &self,
        scope: Scope<'_>,
        request: PublishVersionRequest,
    ) -> Result<FunctionConfiguration, ApiError> {
        let target = Target::parse(&request.function_name, None, scope.home)?;
        let name = target.unqualified(ONLY_FUNCTIONS)?;
        if request.publish_to.is_some() {
            return Err(refuse::not_supported("PublishTo"));
        }
        let account = self.shared.account(scope.home);
        let mut change = self.shared.change(&account).await?;
        let function = change.function(&name, || missing(&self.shared, scope.home, &name, None))?;
        check_ready(&function)?;
        let latest = &function.records.function.latest;
        refuse::check_revision(request.revision_id.as_deref(), Some(&latest.revision_id), GETTER)?;
        let current = view::base64_of(&latest.settings.package.code);
        if let Some(given) = request.code_sha256.filter(|given| !given.is_empty() && *given != current) {
            return Err(ApiError::invalid_parameter(format!(
                "CodeSHA256 ({given}) is different from current CodeSHA256 in $LATEST ({current}). Please try again with the \
                 CodeSHA256 in $LATEST."
            )));
        }
        if let Some(number) = unchanged_since(&function.records) {
            return self.show_version(&function, number);
        }
        let mut records = function.records.clone();
        let number = self.add_version(&mut change, &mut records, request.description)?;
        records.function.latest.revision_id = revision_id();
        let function = change.commit_function(records).await?;
        change.writer.numbers.insert(name, number);
        self.show_version(&function, number)
    }

    /// Adds what `$LATEST` is now as the next version. The caller notes the number in the writer once it is committed.
    pub(crate) fn add_version(
        &self,
        change: &mut Change<'_>,
        records: &mut Records,
        description: Option<String>,
    ) -> Result<u64, ApiError> {
        let number = change.writer.numbers.get(records.name.as_str()).copied().unwrap_or(0) + 1;
        let mut version = settings::published(&records.function.latest, description, change.next_generation());
        match version.status {
            _ if version.settings.snap_start => Arc::make_mut(&mut version).status = Status::Preparing,
            Status::Updating => Arc::make_mut(&mut version).status = Status::Creating,
            _ => {}
        }
        change.put(version_key(records.function.uid, number), &*version)?;
        change.put(numbers_key(records.name.as_str()), &number)?;
        records.versions.insert(number, version);
        records.function.last_published = Some(number);
        Ok(number)
    }
}

/// The last published version, if `$LATEST` is still what it was then.
fn unchanged_since(records: &Records) -> Option<u64> {
    let number = records.function.last_published?;
    let version: &VersionRecord = records.versions.get(&number)?;
    let mut then = version.settings.clone();
    then.description = version.source_description.clone()?;
    (then == records.function.latest.settings).then_some(number)
}
