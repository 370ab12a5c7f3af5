//! Operations on groups: their life, retention and tags.

use std::collections::BTreeMap;

use hearth_logs::{Group, LogError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::names::{check_group, group_arn, limit, of_identifier};
use super::{Call, invalid, not_supported, refused};
use crate::context::RequestContext;
use crate::error::ApiError;

type Answer = Result<Option<Value>, ApiError>;

/// Source: API reference, PutRetentionPolicy, "retentionInDays".
const RETENTION_DAYS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
/// What every group here is.
const STANDARD: &str = "STANDARD";
const CLASSES: [&str; 4] = [STANDARD, "INFREQUENT_ACCESS", "DELIVERY", "ESSENTIALS"];
const TAGS_MAX: usize = 50;
const DESCRIBE_MAX: usize = 50;
const LIST_MAX: usize = 1000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    log_group_name: String,
}

fn named(call: &Call) -> Result<String, ApiError> {
    let Named { log_group_name } = call.input()?;
    check_group(&log_group_name)?;
    Ok(log_group_name)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    log_group_name: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    kms_key_id: Option<String>,
    log_group_class: Option<String>,
    #[serde(default)]
    deletion_protection_enabled: bool,
}

pub(super) fn create(call: &Call) -> Answer {
    let input: Create = call.input()?;
    check_group(&input.log_group_name)?;
    check_tags(&input.tags)?;
    if input.kms_key_id.is_some() {
        let arn = group_arn(&call.context, &input.log_group_name);
        return Err(invalid(format!(
            "The specified KMS key does not exist or is not allowed to be used with Arn '{arn}'"
        )));
    }
    check_class(input.log_group_class.as_deref())?;
    if let Some(class) = input.log_group_class.filter(|class| class != STANDARD) {
        return Err(not_supported(&format!("logGroupClass {class}")));
    }
    if input.deletion_protection_enabled {
        return Err(not_supported("deletionProtectionEnabled"));
    }
    let account = &call.context.account;
    call.store.create_group(account, &input.log_group_name, input.tags).map_err(refused)?;
    Ok(None)
}

fn check_class(class: Option<&str>) -> Result<(), ApiError> {
    match class.filter(|class| !CLASSES.contains(class)) {
        None => Ok(()),
        Some(class) => Err(invalid(format!(
            "1 validation error detected: Value '{}' at 'logGroupClass' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
            class.chars().take(100).collect::<String>(),
            CLASSES.join(", ")
        ))),
    }
}

fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    let legal =
        |(key, value): (&String, &String)| (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256;
    if tags.len() > TAGS_MAX {
        return Err(ApiError::bad_request("TooManyTagsException", "A resource can have no more than 50 tags."));
    }
    if tags.iter().all(legal) { Ok(()) } else { Err(invalid("Tag keys have 1 to 128 characters, values up to 256.")) }
}

pub(super) fn delete(call: &Call) -> Answer {
    call.store.delete_group(&call.context.account, &named(call)?).map_err(refused)?;
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    log_group_class: Option<String>,
    log_group_identifiers: Option<Vec<String>>,
    /// Accounts beside the caller's are linked to none; whether these are asked for makes no difference.
    account_identifiers: Option<Vec<String>>,
    next_token: Option<String>,
    limit: Option<i64>,
}

/// Whether the groups of the caller's account are among those that are asked for.
fn is_asked(call: &Call, accounts: Option<&[String]>, class: Option<&str>) -> Result<bool, ApiError> {
    check_class(class)?;
    let own =
        |accounts: &[String]| accounts.is_empty() || accounts.iter().any(|id| id == call.context.account.as_str());
    Ok(class.is_none_or(|class| class == STANDARD) && accounts.is_none_or(own))
}

pub(super) fn describe(call: &Call) -> Answer {
    let input: Describe = call.input()?;
    if input.log_group_name_prefix.is_some() && input.log_group_name_pattern.is_some() {
        return Err(invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."));
    }
    let identifiers = input.log_group_identifiers.map(|given| {
        given.iter().map(|identifier| of_identifier(&call.context, identifier)).collect::<Result<Vec<_>, _>>()
    });
    let identifiers = identifiers.transpose()?;
    let asked = is_asked(call, input.account_identifiers.as_deref(), input.log_group_class.as_deref())?;
    let pattern = input.log_group_name_pattern.map(|pattern| pattern.to_ascii_lowercase());
    let wanted = |name: &str| {
        asked
            && input.log_group_name_prefix.as_deref().is_none_or(|prefix| name.starts_with(prefix))
            && pattern.as_deref().is_none_or(|pattern| name.to_ascii_lowercase().contains(pattern))
            && identifiers.as_ref().is_none_or(|names| names.iter().any(|one| one == name))
    };
    let limit = limit(input.limit, DESCRIBE_MAX)?;
    let page = call.store.groups(&call.context.account, wanted, input.next_token.as_deref(), limit);
    let mut groups: Vec<Value> = page.groups.iter().map(|group| described(&call.context, group)).collect();
    if pattern.is_some() {
        // Recorded: what a pattern finds has neither.
        for group in groups.iter_mut().filter_map(Value::as_object_mut) {
            group.remove("storedBytes");
            group.remove("deletionProtectionEnabled");
        }
    }
    let mut answer = json!({ "logGroups": groups });
    add(&mut answer, "nextToken", page.next);
    Ok(Some(answer))
}

fn described(context: &RequestContext, group: &Group) -> Value {
    let arn = group_arn(context, &group.name);
    let mut value = json!({
        "logGroupName": group.name,
        "creationTime": group.created_ms,
        "metricFilterCount": 0,
        "arn": format!("{arn}:*"),
        "logGroupArn": arn,
        "storedBytes": group.stored_bytes,
        "logGroupClass": STANDARD,
        "deletionProtectionEnabled": false,
    });
    add(&mut value, "retentionInDays", group.retention_days);
    value
}

/// Sets a member that may be absent.
pub(super) fn add(value: &mut Value, name: &str, member: Option<impl Into<Value>>) {
    if let (Some(object), Some(member)) = (value.as_object_mut(), member) {
        object.insert(name.to_owned(), member.into());
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    /// Alternatives joined by `|`; `^` ties one to the start.
    log_group_name_pattern: Option<String>,
    log_group_class: Option<String>,
    account_identifiers: Option<Vec<String>>,
    data_sources: Option<Value>,
    field_index_names: Option<Value>,
    log_group_tags: Option<Value>,
    next_token: Option<String>,
    limit: Option<i64>,
}

impl List {
    /// Filters by what groups here do not have: the answer without them would hold more than was asked for.
    fn refused_filter(&self) -> Option<&'static str> {
        let filters = [
            ("dataSources", &self.data_sources),
            ("fieldIndexNames", &self.field_index_names),
            ("logGroupTags", &self.log_group_tags),
        ];
        let given = |filter: &Value| filter.as_array().is_none_or(|items| !items.is_empty());
        filters.into_iter().find(|(_, filter)| filter.as_ref().is_some_and(given)).map(|(name, _)| name)
    }
}

pub(super) fn list(call: &Call) -> Answer {
    let input: List = call.input()?;
    if let Some(filter) = input.refused_filter() {
        return Err(not_supported(filter));
    }
    let asked = is_asked(call, input.account_identifiers.as_deref(), input.log_group_class.as_deref())?;
    let wanted = |name: &str| {
        let alternative = |part: &str| match part.strip_prefix('^') {
            Some(start) => name.starts_with(start),
            None => name.contains(part),
        };
        asked && input.log_group_name_pattern.as_deref().is_none_or(|pattern| pattern.split('|').any(alternative))
    };
    let limit = match input.limit {
        None => DESCRIBE_MAX,
        given => limit(given, LIST_MAX)?,
    };
    let page = call.store.groups(&call.context.account, wanted, input.next_token.as_deref(), limit);
    let summary = |group: &Group| {
        let arn = group_arn(&call.context, &group.name);
        json!({ "logGroupName": group.name, "logGroupArn": arn, "logGroupClass": STANDARD })
    };
    let mut answer = json!({ "logGroups": page.groups.iter().map(summary).collect::<Vec<_>>() });
    add(&mut answer, "nextToken", page.next);
    Ok(Some(answer))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Retention {
    log_group_name: String,
    retention_in_days: u32,
}

pub(super) fn put_retention(call: &Call) -> Answer {
    let input: Retention = call.input()?;
    check_group(&input.log_group_name)?;
    if !RETENTION_DAYS.contains(&input.retention_in_days) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy \
             enum value set",
            input.retention_in_days
        )));
    }
    let days = Some(input.retention_in_days);
    call.store.set_retention(&call.context.account, &input.log_group_name, days).map_err(refused)?;
    Ok(None)
}

pub(super) fn delete_retention(call: &Call) -> Answer {
    call.store.set_retention(&call.context.account, &named(call)?, None).map_err(refused)?;
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tagging {
    resource_arn: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    tag_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupTagging {
    log_group_name: String,
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupUntagging {
    log_group_name: String,
    tags: Vec<String>,
}

pub(super) fn list_tags(call: &Call) -> Answer {
    let input: Tagging = call.input()?;
    tags_of(call, &of_identifier(&call.context, &input.resource_arn)?)
}

pub(super) fn list_group_tags(call: &Call) -> Answer {
    tags_of(call, &named(call)?)
}

fn tags_of(call: &Call, group: &str) -> Answer {
    let found = call.store.group(&call.context.account, group);
    let group = found.ok_or_else(|| refused(LogError::NotFound { what: "group" }))?;
    Ok(Some(json!({ "tags": group.tags })))
}

pub(super) fn tag(call: &Call) -> Answer {
    let input: Tagging = call.input()?;
    set_tags(call, &of_identifier(&call.context, &input.resource_arn)?, input.tags)
}

pub(super) fn tag_group(call: &Call) -> Answer {
    let input: GroupTagging = call.input()?;
    set_tags(call, &input.log_group_name, input.tags)
}

fn set_tags(call: &Call, name: &str, tags: BTreeMap<String, String>) -> Answer {
    let account = &call.context.account;
    let found = call.store.group(account, name).ok_or_else(|| refused(LogError::NotFound { what: "group" }))?;
    let mut merged = found.tags;
    merged.extend(tags.clone());
    check_tags(&merged)?;
    call.store.tag_group(account, name, tags).map_err(refused)?;
    Ok(None)
}

pub(super) fn untag(call: &Call) -> Answer {
    let input: Tagging = call.input()?;
    let name = of_identifier(&call.context, &input.resource_arn)?;
    call.store.untag_group(&call.context.account, &name, &input.tag_keys).map_err(refused)?;
    Ok(None)
}

pub(super) fn untag_group(call: &Call) -> Answer {
    let input: GroupUntagging = call.input()?;
    call.store.untag_group(&call.context.account, &input.log_group_name, &input.tags).map_err(refused)?;
    Ok(None)
}
