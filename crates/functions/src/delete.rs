//! DeleteFunction, of the function or of one version.

use hearth_aws_api::ApiError;
use hearth_aws_api::shapes::lambda::DeleteFunctionRequest;

use crate::function::Function;
use crate::functions::{Functions, Scope, missing};
use crate::garbage::{of_settings, steady_time};
use crate::name::Target;
use crate::record::{async_key, function_key, policy_key, provisioned_key, version_key};

impl Functions {
    pub async fn delete_function(&self, scope: Scope<'_>, request: DeleteFunctionRequest) -> Result<(), ApiError> {
        let target = Target::parse(&request.function_name, request.qualifier.as_deref(), scope.home)?;
        if target.qualifier.as_deref() == Some("$LATEST") {
            return Err(ApiError::invalid_parameter(
                "$LATEST version cannot be deleted without deleting the function.",
            ));
        }
        let account = self.shared.account(scope.home);
        let mut change = self.shared.change(&account).await?;
        let function = change.function(&target.name, || missing(&self.shared, scope.home, &target.name, None))?;
        if let Some(qualifier) = target.qualifier.as_deref() {
            let number = qualifier.parse().ok();
            let number =
                number.ok_or_else(|| ApiError::invalid_parameter("Deletion of aliases is not currently supported."))?;
            return delete_version(&mut change, &function, number).await;
        }
        let latest = &function.records.function.latest.settings;
        let now = steady_time();
        of_settings(latest).try_for_each(|stored| change.drop_stored(stored, now))?;
        change.delete(function_key(&target.name));
        change.commit().await?;
        account.remove_function(&function.records.name);
        self.shared.retire(function.keys().cloned().collect());
        self.shared.provision(Some(&function), None);
        self.shared.unsettled.add_deleted(account.home.clone(), function.records.function.uid, now);
        Ok(())
    }
}

/// A version that is not there is as good as deleted (recorded: 204).
async fn delete_version(
    change: &mut crate::functions::Change<'_>,
    function: &Function,
    number: u64,
) -> Result<(), ApiError> {
    let mut records = function.records.clone();
    if records.versions.remove(&number).is_none() {
        return Ok(());
    }
    let pointing = |alias: &crate::record::AliasRecord| {
        alias.version == Some(number) || alias.other.is_some_and(|(other, _)| other == number)
    };
    let users: Vec<&str> =
        records.aliases.iter().filter(|(_, alias)| pointing(alias)).map(|(name, _)| name.as_str()).collect();
    if !users.is_empty() {
        return Err(ApiError::conflict(format!(
            "Version {number} is currently referenced by one or more aliases: {}",
            users.join(", ")
        )));
    }
    let uid = records.function.uid;
    let qualifier = number.to_string();
    change.delete(version_key(uid, number));
    if records.policies.remove(&qualifier).is_some() {
        change.delete(policy_key(uid, &qualifier));
    }
    if records.async_configs.remove(&qualifier).is_some() {
        change.delete(async_key(uid, &qualifier));
    }
    if records.provisioned.remove(&qualifier).is_some() {
        change.delete(provisioned_key(uid, &qualifier));
    }
    change.commit_function(records).await.map(drop)
}
