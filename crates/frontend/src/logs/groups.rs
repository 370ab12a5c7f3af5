//! Operations on groups: their life and retention.

use hearth_aws_api::shapes::logs::{
    CreateLogGroupRequest, DeleteLogGroupRequest, DeleteRetentionPolicyRequest, DescribeLogGroupsRequest,
    DescribeLogGroupsResponse, DescribeMetricFiltersRequest, DescribeMetricFiltersResponse, ListLogGroupsRequest,
    ListLogGroupsResponse, LogGroup, LogGroupClass, LogGroupSummary, PutRetentionPolicyRequest,
};
use hearth_logs::{Group, LogError};

use super::names::{group_arn, of_identifier};
use super::{Context, invalid, not_supported, refused};
use crate::error::ApiError;

/// Source: API reference, PutRetentionPolicy, "retentionInDays".
const RETENTION_DAYS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
/// Groups of a page, unless the client says otherwise.
const LIMIT: u32 = 50;

pub(super) fn create(context: &Context, input: CreateLogGroupRequest) -> Result<(), ApiError> {
    if input.kms_key_id.is_some() {
        let arn = group_arn(context, &input.log_group_name);
        return Err(invalid(format!(
            "The specified KMS key does not exist or is not allowed to be used with Arn '{arn}'"
        )));
    }
    if let Some(class) = input.log_group_class.filter(|class| *class != LogGroupClass::Standard) {
        return Err(not_supported(&format!("logGroupClass {class}")));
    }
    if input.deletion_protection_enabled == Some(true) {
        return Err(not_supported("deletionProtectionEnabled"));
    }
    let tags = input.tags.unwrap_or_default();
    context.backend.store.create_group(&context.home, &input.log_group_name, tags).map_err(refused)
}

pub(super) fn delete(context: &Context, input: DeleteLogGroupRequest) -> Result<(), ApiError> {
    context.backend.store.delete_group(&context.home, &input.log_group_name).map_err(refused)
}

/// Whether the groups of the caller's account are among those that are asked for. Accounts beside the caller's are linked to none.
fn is_asked(context: &Context, accounts: Option<&[String]>, class: Option<LogGroupClass>) -> bool {
    let own = |accounts: &[String]| accounts.is_empty() || accounts.iter().any(|id| id == context.account.as_str());
    class.is_none_or(|class| class == LogGroupClass::Standard) && accounts.is_none_or(own)
}

pub(super) fn describe(
    context: &Context,
    input: DescribeLogGroupsRequest,
) -> Result<DescribeLogGroupsResponse, ApiError> {
    if input.log_group_name_prefix.is_some() && input.log_group_name_pattern.is_some() {
        return Err(invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."));
    }
    let identifiers = input
        .log_group_identifiers
        .map(|given| given.iter().map(|identifier| of_identifier(context, identifier)).collect::<Result<Vec<_>, _>>());
    let identifiers = identifiers.transpose()?;
    let asked = is_asked(context, input.account_identifiers.as_deref(), input.log_group_class);
    let pattern = input.log_group_name_pattern.map(|pattern| pattern.to_ascii_lowercase());
    let wanted = |name: &str| {
        asked
            && input.log_group_name_prefix.as_deref().is_none_or(|prefix| name.starts_with(prefix))
            && pattern.as_deref().is_none_or(|pattern| name.to_ascii_lowercase().contains(pattern))
            && identifiers.as_ref().is_none_or(|names| names.iter().any(|one| one == name))
    };
    let limit = input.limit.unwrap_or(LIMIT) as usize;
    let page = context.backend.store.groups(&context.home, wanted, input.next_token.as_deref(), limit);
    let described = page.groups.iter().map(|group| LogGroup {
        // Recorded: what a pattern finds has neither.
        stored_bytes: pattern.is_none().then_some(group.stored_bytes),
        deletion_protection_enabled: pattern.is_none().then_some(false),
        ..described(context, group)
    });
    Ok(DescribeLogGroupsResponse { log_groups: Some(described.collect()), next_token: page.next })
}

fn described(context: &Context, group: &Group) -> LogGroup {
    let arn = group_arn(context, &group.name);
    LogGroup {
        log_group_name: Some(group.name.clone()),
        creation_time: Some(group.created_ms),
        retention_in_days: group.retention_days.and_then(|days| days.try_into().ok()),
        metric_filter_count: Some(0),
        arn: Some(format!("{arn}:*")),
        log_group_arn: Some(arn),
        log_group_class: Some(LogGroupClass::Standard),
        ..LogGroup::default()
    }
}

/// Filters by what groups here do not have: the answer without them would hold more than was asked for.
fn refused_filter(input: &ListLogGroupsRequest) -> Option<&'static str> {
    let filters = [
        ("dataSources", input.data_sources.as_ref().map_or(0, Vec::len)),
        ("fieldIndexNames", input.field_index_names.as_ref().map_or(0, Vec::len)),
        ("logGroupTags", input.log_group_tags.as_ref().map_or(0, Vec::len)),
    ];
    filters.into_iter().find(|(_, given)| *given > 0).map(|(name, _)| name)
}

pub(super) fn list(context: &Context, input: ListLogGroupsRequest) -> Result<ListLogGroupsResponse, ApiError> {
    if let Some(filter) = refused_filter(&input) {
        return Err(not_supported(filter));
    }
    let asked = is_asked(context, input.account_identifiers.as_deref(), input.log_group_class);
    // Alternatives joined by `|`; `^` ties one to the start.
    let alternative = |name: &str, part: &str| match part.strip_prefix('^') {
        Some(start) => name.starts_with(start),
        None => name.contains(part),
    };
    let pattern = input.log_group_name_pattern.as_deref();
    let wanted =
        |name: &str| asked && pattern.is_none_or(|pattern| pattern.split('|').any(|part| alternative(name, part)));
    let limit = input.limit.unwrap_or(LIMIT) as usize;
    let page = context.backend.store.groups(&context.home, wanted, input.next_token.as_deref(), limit);
    let summaries = page.groups.into_iter().map(|group| LogGroupSummary {
        log_group_arn: Some(group_arn(context, &group.name)),
        log_group_name: Some(group.name),
        log_group_class: Some(LogGroupClass::Standard),
    });
    Ok(ListLogGroupsResponse { log_groups: Some(summaries.collect()), next_token: page.next })
}

pub(super) fn put_retention(context: &Context, input: PutRetentionPolicyRequest) -> Result<(), ApiError> {
    let days = u32::try_from(input.retention_in_days).ok().filter(|days| RETENTION_DAYS.contains(days));
    let Some(days) = days else {
        return Err(invalid(format!(
            "1 validation error detected: Value '{}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy \
             enum value set",
            input.retention_in_days
        )));
    };
    context.backend.store.set_retention(&context.home, &input.log_group_name, Some(days)).map_err(refused)
}

pub(super) fn delete_retention(context: &Context, input: DeleteRetentionPolicyRequest) -> Result<(), ApiError> {
    context.backend.store.set_retention(&context.home, &input.log_group_name, None).map_err(refused)
}

/// No group has metric filters here.
pub(super) fn metric_filters(
    context: &Context,
    input: DescribeMetricFiltersRequest,
) -> Result<DescribeMetricFiltersResponse, ApiError> {
    if let Some(name) = input.log_group_name
        && context.backend.store.group(&context.home, &name).is_none()
    {
        return Err(refused(LogError::NotFound { what: "group" }));
    }
    Ok(DescribeMetricFiltersResponse { metric_filters: Some(Vec::new()), next_token: None })
}
