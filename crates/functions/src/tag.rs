//! Tags of functions.

use std::collections::BTreeMap;

use hearth_aws_api::ApiError;
use hearth_aws_api::shapes::lambda::{ListTagsRequest, ListTagsResponse, TagResourceRequest, UntagResourceRequest};

use crate::function::{Function, LIVE_DIR_TAG, NETWORK_TAG, tagged_network};
use crate::functions::{Change, Functions, Scope, missing, revision_id};
use crate::name::Target;
use crate::record::{Status, version_key};
use crate::refuse;

/// Tags of one resource (Developer Guide, "Using tags").
const TAGS_MAX: usize = 50;

impl Functions {
    pub fn list_tags(&self, scope: Scope<'_>, request: &ListTagsRequest) -> Result<ListTagsResponse, ApiError> {
        let name = self.tagged(scope, &request.resource)?;
        let function = self.shared.seen_account(scope.home).function(&name);
        let function = function.ok_or_else(|| missing(&self.shared, scope.home, &name, None))?;
        Ok(ListTagsResponse { tags: Some(function.records.function.tags.clone()) })
    }

    pub async fn tag_resource(&self, scope: Scope<'_>, request: TagResourceRequest) -> Result<(), ApiError> {
        let name = self.tagged(scope, &request.resource)?;
        if request.tags.is_empty() {
            return Err(ApiError::invalid_parameter("An error occurred and the request cannot be processed."));
        }
        let account = self.shared.account(scope.home);
        let mut change = self.shared.change(&account).await?;
        let function = change.function(&name, || missing(&self.shared, scope.home, &name, None))?;
        let present = &function.records.function.tags;
        let mut tags = present.clone();
        tags.extend(request.tags);
        self.check_tags(scope, present, &tags)?;
        store(&mut change, &function, tags).await
    }

    pub async fn untag_resource(&self, scope: Scope<'_>, request: UntagResourceRequest) -> Result<(), ApiError> {
        let name = self.tagged(scope, &request.resource)?;
        let account = self.shared.account(scope.home);
        let mut change = self.shared.change(&account).await?;
        let function = change.function(&name, || missing(&self.shared, scope.home, &name, None))?;
        let present = &function.records.function.tags;
        let mut tags = present.clone();
        tags.retain(|key, _| !request.tag_keys.contains(key));
        self.check_tags(scope, present, &tags)?;
        store(&mut change, &function, tags).await
    }

    /// The number of tags, and those that Hearth obeys: their values, and that neither functions nor other
    /// accounts change them, because they open
    /// the network or the host's files to it.
    pub(crate) fn check_tags(
        &self,
        scope: Scope<'_>,
        present: &BTreeMap<String, String>,
        wanted: &BTreeMap<String, String>,
    ) -> Result<(), ApiError> {
        if wanted.len() > TAGS_MAX {
            return Err(ApiError::invalid_parameter("Number of tags exceeds resource tag limit."));
        }
        let changed = |tag: &&str| present.get(*tag) != wanted.get(*tag);
        let Some(tag) = [NETWORK_TAG, LIVE_DIR_TAG].into_iter().find(changed) else { return Ok(()) };
        let is_of_owner = scope.principal.split(':').nth(4) == Some(scope.home.account.as_str());
        if scope.principal.contains(":assumed-role/") || !is_of_owner {
            return Err(ApiError::new(
                403,
                "AccessDeniedException",
                format!("User: {} is not authorized to change the tag {tag}", scope.principal),
            ));
        }
        if let Some(value) = wanted.get(NETWORK_TAG).filter(|_| tagged_network(wanted).is_none()) {
            return Err(ApiError::invalid_parameter(format!(
                "Value '{value}' of tag {NETWORK_TAG} failed to satisfy constraint: Member must satisfy enum value set: \
                 [none, egress]"
            )));
        }
        match wanted.get(LIVE_DIR_TAG) {
            Some(_) if !self.shared.config.live_dirs => Err(ApiError::invalid_parameter(format!(
                "Tag {LIVE_DIR_TAG} is accepted only by a daemon that listens on a loopback address"
            ))),
            Some(path) if !path.starts_with('/') => {
                Err(ApiError::invalid_parameter(format!("Tag {LIVE_DIR_TAG} must be an absolute path")))
            }
            _ => Ok(()),
        }
    }

    /// The function that an ARN of the model's form names; only functions have tags here.
    fn tagged(&self, scope: Scope<'_>, arn: &str) -> Result<String, ApiError> {
        if !arn.contains(":function:") {
            let kind = arn.split(':').nth(5).unwrap_or_default();
            return Err(match kind {
                "event-source-mapping" => ApiError::not_found(format!("Event source mapping not found: {arn}")),
                "capacity-provider" => ApiError::not_found(format!("Capacity provider not found: {arn}")),
                _ => refuse::no_such_resource(),
            });
        }
        let target = Target::parse(arn, None, scope.home)?;
        target.unqualified("Tags on function aliases and versions are not supported. Please specify a function ARN.")
    }
}

async fn store(change: &mut Change<'_>, function: &Function, tags: BTreeMap<String, String>) -> Result<(), ApiError> {
    if function.records.function.latest.status == Status::Updating {
        return Err(refuse::update_in_progress(&function.arn));
    }
    let mut records = function.records.clone();
    let moved = |tag: &str| records.function.tags.get(tag) != tags.get(tag);
    if moved(NETWORK_TAG) || moved(LIVE_DIR_TAG) {
        records.function.placed = change.next_generation();
        // Their sandboxes are others from now on, and so are their templates.
        for (number, version) in &mut records.versions {
            if version.settings.snap_start && version.status == Status::Active {
                std::sync::Arc::make_mut(version).preparation = None;
                change.put(version_key(records.function.uid, *number), &**version)?;
            }
        }
    }
    records.function.tags = tags;
    records.function.latest.revision_id = revision_id();
    change.commit_function(records).await.map(drop)
}
