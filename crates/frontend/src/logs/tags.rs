//! Tags of groups, by ARN and in the older form by name.

use std::collections::BTreeMap;

use hearth_aws_api::shapes::logs::{
    ListTagsForResourceRequest, ListTagsForResourceResponse, ListTagsLogGroupRequest, ListTagsLogGroupResponse,
    TagLogGroupRequest, TagResourceRequest, UntagLogGroupRequest, UntagResourceRequest,
};
use hearth_logs::{Group, LogError};

use super::names::of_identifier;
use super::{Context, refused};
use crate::error::ApiError;

const TAGS_MAX: usize = 50;

pub(super) fn list(
    context: &Context,
    input: ListTagsForResourceRequest,
) -> Result<ListTagsForResourceResponse, ApiError> {
    let group = group(context, &of_identifier(context, &input.resource_arn)?)?;
    Ok(ListTagsForResourceResponse { tags: Some(group.tags) })
}

pub(super) fn list_of_group(
    context: &Context,
    input: ListTagsLogGroupRequest,
) -> Result<ListTagsLogGroupResponse, ApiError> {
    Ok(ListTagsLogGroupResponse { tags: Some(group(context, &input.log_group_name)?.tags) })
}

pub(super) fn tag(context: &Context, input: TagResourceRequest) -> Result<(), ApiError> {
    add(context, &of_identifier(context, &input.resource_arn)?, input.tags)
}

pub(super) fn tag_group(context: &Context, input: TagLogGroupRequest) -> Result<(), ApiError> {
    add(context, &input.log_group_name, input.tags)
}

pub(super) fn untag(context: &Context, input: UntagResourceRequest) -> Result<(), ApiError> {
    remove(context, &of_identifier(context, &input.resource_arn)?, &input.tag_keys)
}

pub(super) fn untag_group(context: &Context, input: UntagLogGroupRequest) -> Result<(), ApiError> {
    remove(context, &input.log_group_name, &input.tags)
}

fn group(context: &Context, name: &str) -> Result<Group, ApiError> {
    let found = context.backend.store.group(&context.home, name);
    found.ok_or_else(|| refused(LogError::NotFound { what: "group" }))
}

fn add(context: &Context, name: &str, tags: BTreeMap<String, String>) -> Result<(), ApiError> {
    let mut merged = group(context, name)?.tags;
    merged.extend(tags.clone());
    if merged.len() > TAGS_MAX {
        return Err(ApiError::bad_request("TooManyTagsException", "A resource can have no more than 50 tags."));
    }
    context.backend.store.tag_group(&context.home, name, tags).map_err(refused)
}

fn remove(context: &Context, name: &str, keys: &[String]) -> Result<(), ApiError> {
    context.backend.store.untag_group(&context.home, name, keys).map_err(refused)
}
