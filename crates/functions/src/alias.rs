//! Aliases.

use std::sync::Arc;

use hearth_aws_api::ApiError;
use hearth_aws_api::shapes::lambda::{
    AliasConfiguration, AliasRoutingConfiguration, CreateAliasRequest, DeleteAliasRequest, GetAliasRequest,
    ListAliasesRequest, ListAliasesResponse, UpdateAliasRequest,
};

use crate::function::{Function, Records};
use crate::functions::{Change, Functions, Scope, missing, revision_id};
use crate::name::Target;
use crate::provisioned::check_alias;
use crate::record::{AliasRecord, AliasTarget, Status, alias_key, async_key, policy_key, provisioned_key};
use crate::update::{GETTER, ONLY_FUNCTIONS};
use crate::{refuse, view};

/// Most aliases on one page (API reference, ListAliases: `MaxItems`).
const PAGE_MAX: u32 = 10_000;

impl Functions {
    pub async fn create_alias(
        &self,
        scope: Scope<'_>,
        request: CreateAliasRequest,
    ) -> Result<AliasConfiguration, ApiError> {
        let name = self.alias_owner(scope, &request.function_name)?;
        let account = self.shared.account(scope.home);
        let mut change = self.shared.change(&account).await?;
        let absent = || missing(&self.shared, scope.home, &name, Some(&request.function_version));
        let function = change.function(&name, absent)?;
        if function.records.aliases.contains_key(&request.name) {
            let arn = function.qualified_arn(&request.name);
            return Err(ApiError::conflict(format!("Alias already exists: {arn}")));
        }
        let version = target(&function, &request.function_version)?;
        let alias = AliasRecord {
            version,
            other: other(&function, version, request.routing_config.as_ref())?,
            description: request.description.unwrap_or_default(),
            revision_id: revision_id(),
        };
        store(&mut change, &function, &request.name, alias).await
    }

    pub async fn update_alias(
        &self,
        scope: Scope<'_>,
        request: UpdateAliasRequest,
    ) -> Result<AliasConfiguration, ApiError> {
        let name = self.alias_owner(scope, &request.function_name)?;
        let account = self.shared.account(scope.home);
        let mut change = self.shared.change(&account).await?;
        let function = change.function(&name, || missing(&self.shared, scope.home, &name, None))?;
        let Some(present) = function.records.aliases.get(&request.name) else {
            return Err(ApiError::not_found(format!("Alias not found: {}", function.qualified_arn(&request.name))));
        };
        refuse::check_revision(request.revision_id.as_deref(), Some(&present.revision_id), GETTER)?;
        let mut alias = present.clone();
        if let Some(text) = &request.function_version {
            alias.version = target(&function, text)?;
        }
        if request.routing_config.is_some() {
            alias.other = other(&function, alias.version, request.routing_config.as_ref())?;
        } else {
            check_routing(alias.version, alias.other)?;
        }
        if function.records.provisioned.contains_key(&request.name) {
            check_alias(&function.records, &alias)?;
        }
        alias.description = request.description.unwrap_or(alias.description);
        alias.revision_id = revision_id();
        store(&mut change, &function, &request.name, alias).await
    }

    pub fn get_alias(&self, scope: Scope<'_>, request: &GetAliasRequest) -> Result<AliasConfiguration, ApiError> {
        let name = self.alias_owner(scope, &request.function_name)?;
        let function = self.alias_function(scope, &name, &request.name)?;
        let alias = function.records.aliases.get(&request.name);
        let alias = alias.ok_or_else(|| refuse::alias_not_found(&function.qualified_arn(&request.name)))?;
        Ok(shown(&function, &request.name, alias))
    }

    /// An alias that is not there is as good as deleted (recorded: 204).
    pub async fn delete_alias(&self, scope: Scope<'_>, request: DeleteAliasRequest) -> Result<(), ApiError> {
        let name = self.alias_owner(scope, &request.function_name)?;
        let account = self.shared.account(scope.home);
        let mut change = self.shared.change(&account).await?;
        let function = self.alias_function(scope, &name, &request.name)?;
        let mut records = function.records.clone();
        if records.aliases.remove(&request.name).is_none() {
            return Ok(());
        }
        let uid = records.function.uid;
        change.delete(alias_key(uid, &request.name));
        if records.policies.remove(&request.name).is_some() {
            change.delete(policy_key(uid, &request.name));
        }
        if records.async_configs.remove(&request.name).is_some() {
            change.delete(async_key(uid, &request.name));
        }
        if records.provisioned.remove(&request.name).is_some() {
            change.delete(provisioned_key(uid, &request.name));
        }
        change.commit_function(records).await.map(drop)
    }

    pub fn list_aliases(
        &self,
        scope: Scope<'_>,
        request: &ListAliasesRequest,
    ) -> Result<ListAliasesResponse, ApiError> {
        let name = self.alias_owner(scope, &request.function_name)?;
        let function = self.shared.seen_account(scope.home).function(&name);
        let function = function.ok_or_else(|| missing(&self.shared, scope.home, &name, None))?;
        let wanted = |alias: &AliasRecord| {
            let version = request.function_version.as_deref();
            version.is_none_or(|version| {
                version_text(alias.version) == version
                    || alias.other.is_some_and(|(other, _)| other.to_string() == version)
            })
        };
        let aliases = function.records.aliases.iter().filter(|(_, alias)| wanted(alias));
        let all = aliases.map(|(name, alias)| (name.clone(), shown(&function, name, alias))).collect();
        let (aliases, next_marker) = view::page(all, request.marker.as_deref(), request.max_items, PAGE_MAX);
        Ok(ListAliasesResponse { aliases: Some(aliases), next_marker })
    }

    fn alias_owner(&self, scope: Scope<'_>, text: &str) -> Result<String, ApiError> {
        Target::parse(text, None, scope.home)?.unqualified(ONLY_FUNCTIONS)
    }

    /// A missing function is reported as a missing alias.
    fn alias_function(&self, scope: Scope<'_>, name: &str, alias: &str) -> Result<Arc<Function>, ApiError> {
        self.shared.seen_account(scope.home).function(name).ok_or_else(|| {
            let arn = crate::function::function_arn(scope.home, name);
            refuse::alias_not_found(&format!("{arn}:{alias}"))
        })
    }
}

async fn store(
    change: &mut Change<'_>,
    function: &Function,
    name: &str,
    alias: AliasRecord,
) -> Result<AliasConfiguration, ApiError> {
    let mut records: Records = function.records.clone();
    change.put(alias_key(records.function.uid, name), &alias)?;
    records.aliases.insert(name.to_owned(), alias.clone());
    change.commit_function(records).await?;
    Ok(shown(function, name, &alias))
}

fn shown(function: &Function, name: &str, alias: &AliasRecord) -> AliasConfiguration {
    AliasConfiguration {
        alias_arn: Some(function.qualified_arn(name)),
        name: Some(name.to_owned()),
        function_version: Some(version_text(alias.version)),
        description: Some(alias.description.clone()),
        revision_id: Some(alias.revision_id.clone()),
        routing_config: alias.other.map(|(number, share)| AliasRoutingConfiguration {
            additional_version_weights: Some([(number.to_string(), share)].into()),
        }),
    }
}

fn version_text(version: AliasTarget) -> String {
    version.map_or_else(|| "$LATEST".to_owned(), |number| number.to_string())
}

fn target(function: &Function, text: &str) -> Result<AliasTarget, ApiError> {
    if text == "$LATEST" {
        return Ok(None);
    }
    let found = text.parse().ok().and_then(|number| Some((number, function.records.versions.get(&number)?)));
    match found {
        None => Err(refuse::function_not_found(&function.qualified_arn(text))),
        Some((_, version)) if version.status == Status::Failed => Err(refuse::failed()),
        Some((number, _)) => Ok(Some(number)),
    }
}

/// The other version of a routing configuration and its share.
fn other(
    function: &Function,
    version: AliasTarget,
    routing: Option<&AliasRoutingConfiguration>,
) -> Result<Option<(u64, f64)>, ApiError> {
    let weights = routing.and_then(|routing| routing.additional_version_weights.as_ref());
    let Some(weights) = weights.filter(|weights| !weights.is_empty()) else { return Ok(None) };
    if weights.len() > 1 {
        return Err(ApiError::invalid_parameter(
            "Number of items in AdditionalVersionWeights cannot be greater than 1",
        ));
    }
    let mut chosen = None;
    for (text, share) in weights {
        if version == text.parse().ok() && version.is_some() {
            return Err(ApiError::invalid_parameter(format!(
                "Invalid function version {text}. Function version {text} is already included in routing configuration."
            )));
        }
        chosen = target(function, text)?.map(|number| (number, *share));
    }
    check_routing(version, chosen)?;
    Ok(chosen)
}

fn check_routing(version: AliasTarget, other: Option<(u64, f64)>) -> Result<(), ApiError> {
    if version.is_none() && other.is_some() {
        return Err(ApiError::invalid_parameter(
            "$LATEST is not supported for an alias pointing to more than 1 version",
        )
        .without_type());
    }
    if let (Some(version), Some((other, _))) = (version, other)
        && version == other
    {
        return Err(ApiError::invalid_parameter(format!(
            "Invalid function version {version}. Function version {version} is already included in routing configuration."
        )));
    }
    Ok(())
}
