//! Layers.

use std::sync::Arc;

use hearth_aws_api::ApiError;
use hearth_aws_api::shapes::lambda::{
    Architecture, DeleteLayerVersionRequest, GetLayerVersionByArnRequest, GetLayerVersionRequest,
    GetLayerVersionResponse, LayerVersionContentOutput, LayerVersionsListItem, LayersListItem,
    ListLayerVersionsRequest, ListLayerVersionsResponse, ListLayersRequest, ListLayersResponse,
    PublishLayerVersionRequest, PublishLayerVersionResponse, Runtime,
};
use hearth_types::{AccountId, Home};

use crate::code::check_storage;
use crate::functions::{Functions, Scope, Shared};
use crate::garbage::{Stored, steady_time};
use crate::name::wrong_region;
use crate::record::{LayerRecord, layer_key, layer_numbers_key};
use crate::source::{S3Members, Source};
use crate::{refuse, view};

/// Most layers or versions on one page (API reference: `MaxItems`).
const PAGE_MAX: u32 = 50;

impl Functions {
    pub async fn publish_layer_version(
        &self,
        scope: Scope<'_>,
        request: PublishLayerVersionRequest,
    ) -> Result<PublishLayerVersionResponse, ApiError> {
        let name = self.layer_name(scope, "PublishLayerVersion", &request.layer_name)?;
        let content = request.content;
        let s3 = S3Members {
            bucket: content.s3_bucket,
            key: content.s3_key,
            version: content.s3_object_version,
            storage_mode: content.s3_object_storage_mode,
        };
        let account = self.shared.account(scope.home);
        let source = Source { zip: content.zip_file, s3 };
        let zip = self.shared.receive(&account, source).await?;
        let _kept = self.shared.collection.read().await;
        let package = self.shared.ingest(&account, zip).await?;
        let mut change = self.shared.change(&account).await?;
        check_storage(&account, &package)?;
        let number = change.writer.layer_numbers.get(&name).copied().unwrap_or(0) + 1;
        let record = LayerRecord {
            package,
            description: request.description.unwrap_or_default(),
            created: scope.now,
            architectures: request.compatible_architectures,
            runtimes: request.compatible_runtimes,
            license: request.license_info,
            policy: None,
        };
        change.put(layer_key(&name, number), &record)?;
        change.put(layer_numbers_key(&name), &number)?;
        change.commit().await?;
        change.writer.layer_numbers.insert(name.clone(), number);
        account.put_layer(&name, number, Some(record.clone()));
        let layer_arn = layer_arn(scope.home, &name);
        Ok(PublishLayerVersionResponse {
            content: Some(self.layer_content(scope, &record)),
            layer_version_arn: Some(format!("{layer_arn}:{number}")),
            layer_arn: Some(layer_arn),
            description: Some(record.description),
            created_date: Some(view::date(record.created)),
            version: i64::try_from(number).ok(),
            compatible_architectures: record.architectures,
            compatible_runtimes: record.runtimes,
            license_info: record.license,
        })
    }

    /// Of another account where its policy says so: then the layer is named by its ARN.
    pub fn get_layer_version(
        &self,
        scope: Scope<'_>,
        request: &GetLayerVersionRequest,
    ) -> Result<GetLayerVersionResponse, ApiError> {
        let number = layer_number(request.version_number)?;
        if request.layer_name.starts_with("arn:") {
            return self.layer_version_of(scope, &format!("{}:{number}", request.layer_name));
        }
        let name = &request.layer_name;
        let record = self.shared.seen_account(scope.home).layer(name, number);
        Ok(self.layer_version(scope, name, number, &*record.ok_or_else(refuse::no_such_resource)?))
    }

    pub fn get_layer_version_by_arn(
        &self,
        scope: Scope<'_>,
        request: &GetLayerVersionByArnRequest,
    ) -> Result<GetLayerVersionResponse, ApiError> {
        self.layer_version_of(scope, &request.arn)
    }

    fn layer_version_of(&self, scope: Scope<'_>, arn: &str) -> Result<GetLayerVersionResponse, ApiError> {
        let parts: Vec<&str> = arn.split(':').collect();
        let [_, _, _, region, owner, _, name, number] = parts.as_slice() else {
            return Err(refuse::no_such_resource());
        };
        if *region != scope.home.region.as_str() {
            return Err(wrong_region(region, &scope.home.region));
        }
        let owner = owner.parse().ok().ok_or_else(refuse::no_such_resource)?;
        let home = Home::new(owner, scope.home.region.clone());
        let number = number.parse().ok().ok_or_else(refuse::no_such_resource)?;
        let record = self.shared.layer_for(scope.home, arn);
        let record = record.map_err(|error| if error.status == 403 { error } else { refuse::no_such_resource() })?;
        Ok(self.layer_version(Scope { home: &home, ..scope }, name, number, &record))
    }

    pub fn list_layers(&self, scope: Scope<'_>, request: &ListLayersRequest) -> ListLayersResponse {
        let account = self.shared.seen_account(scope.home);
        let layers = account.layers();
        let wanted = |record: &&LayerRecord| fits(record, request.compatible_runtime, request.compatible_architecture);
        let all = layers.iter().filter_map(|(name, versions)| {
            let mut newest = versions.iter().rev().map(|(number, record)| (*number, &**record));
            let (number, record) = newest.find(|(_, record)| wanted(record))?;
            let layer_arn = layer_arn(scope.home, name);
            let latest = list_item(&layer_arn, number, record);
            let item = LayersListItem {
                layer_name: Some(name.clone()),
                layer_arn: Some(layer_arn),
                latest_matching_version: Some(latest),
            };
            Some((name.clone(), item))
        });
        let (layers, next_marker) = view::page(all.collect(), request.marker.as_deref(), request.max_items, PAGE_MAX);
        ListLayersResponse { layers: Some(layers), next_marker }
    }

    /// Newest first.
    pub fn list_layer_versions(
        &self,
        scope: Scope<'_>,
        request: &ListLayerVersionsRequest,
    ) -> Result<ListLayerVersionsResponse, ApiError> {
        let name = self.layer_name(scope, "ListLayerVersions", &request.layer_name)?;
        let account = self.shared.seen_account(scope.home);
        let layers = account.layers();
        let layer_arn = layer_arn(scope.home, &name);
        let versions = layers
            .get(&name)
            .into_iter()
            .flatten()
            .rev()
            .filter(|(_, record)| fits(record, request.compatible_runtime, request.compatible_architecture));
        // Markers ascend: the number's distance from the largest there is.
        let all = versions
            .map(|(number, record)| (format!("{:020}", u64::MAX - number), list_item(&layer_arn, *number, record)))
            .collect();
        let (layer_versions, next_marker) = view::page(all, request.marker.as_deref(), request.max_items, PAGE_MAX);
        Ok(ListLayerVersionsResponse { layer_versions: Some(layer_versions), next_marker })
    }

    /// A version that is not there is as good as deleted (recorded: 204). Functions that use it keep it.
    pub async fn delete_layer_version(
        &self,
        scope: Scope<'_>,
        request: DeleteLayerVersionRequest,
    ) -> Result<(), ApiError> {
        let name = self.layer_name(scope, "DeleteLayerVersion", &request.layer_name)?;
        let number = layer_number(request.version_number)?;
        let account = self.shared.account(scope.home);
        let mut change = self.shared.change(&account).await?;
        let Some(record) = account.layer(&name, number) else { return Ok(()) };
        change.drop_stored(Stored::Package(record.package.code), steady_time())?;
        change.delete(layer_key(&name, number));
        change.commit().await?;
        account.put_layer(&name, number, None);
        Ok(())
    }

    /// The layer's name, from a name or an ARN of this account. `operation` is one that no policy opens to other accounts.
    pub(crate) fn layer_name(&self, scope: Scope<'_>, operation: &str, text: &str) -> Result<String, ApiError> {
        let parts: Vec<&str> = text.split(':').collect();
        let [_, _, _, region, account, _, name] = parts.as_slice() else { return Ok(text.to_owned()) };
        if *region != scope.home.region.as_str() {
            return Err(wrong_region(region, &scope.home.region));
        }
        if *account != scope.home.account.as_str() {
            return Err(refuse::not_authorized(scope.principal, &format!("lambda:{operation}"), text));
        }
        Ok((*name).to_owned())
    }

    fn layer_content(&self, scope: Scope<'_>, record: &LayerRecord) -> LayerVersionContentOutput {
        LayerVersionContentOutput {
            location: Some(self.code_location(scope, &record.package.code)),
            code_sha256: Some(view::base64_of(&record.package.code)),
            code_size: Some(record.package.zip_bytes),
            ..Default::default()
        }
    }

    fn layer_version(
        &self,
        scope: Scope<'_>,
        name: &str,
        number: u64,
        record: &LayerRecord,
    ) -> GetLayerVersionResponse {
        let layer_arn = layer_arn(scope.home, name);
        GetLayerVersionResponse {
            content: Some(self.layer_content(scope, record)),
            layer_version_arn: Some(format!("{layer_arn}:{number}")),
            layer_arn: Some(layer_arn),
            description: Some(record.description.clone()),
            created_date: Some(view::date(record.created)),
            version: i64::try_from(number).ok(),
            compatible_architectures: record.architectures.clone(),
            compatible_runtimes: record.runtimes.clone(),
            license_info: record.license.clone(),
        }
    }
}

pub(crate) fn layer_arn(Home { account, region }: &Home, name: &str) -> String {
    format!("arn:aws:lambda:{region}:{account}:layer:{name}")
}

pub(crate) fn layer_number(number: i64) -> Result<u64, ApiError> {
    match u64::try_from(number) {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(ApiError::invalid_parameter("Layer Version Cannot be less than 1")),
    }
}

impl Shared {
    /// The layer version that a function of `user` names, which another account may own if its policy says so. It is of the
    /// function's own Region.
    pub(crate) fn layer_for(&self, user: &Home, arn: &str) -> Result<Arc<LayerRecord>, ApiError> {
        let missing = || ApiError::invalid_parameter(format!("Layer version {arn} does not exist."));
        let parts: Vec<&str> = arn.split(':').collect();
        let [_, _, _, region, owner, _, name, number] = parts.as_slice() else { return Err(missing()) };
        let owner: AccountId = owner.parse().ok().ok_or_else(missing)?;
        let (is_own, is_here) = (owner == user.account, *region == user.region.as_str());
        if is_own && !is_here {
            return Err(ApiError::invalid_parameter(format!(
                "Layers are not in the same region as the function. Layers are expected to be in region {}.",
                user.region
            )));
        }
        let number = number.parse().ok().ok_or_else(missing)?;
        let home = Home::new(owner, user.region.clone());
        let record = self.known_account(&home).and_then(|account| account.layer(name, number));
        if is_own {
            return record.ok_or_else(missing);
        }
        // Recorded: of another account's layer in another Region too.
        record
            .filter(|record| is_here && record.policy.as_ref().is_some_and(|policy| policy.opens_to(&user.account)))
            .ok_or_else(|| {
                refuse::not_authorized(&format!("arn:aws:iam::{}:root", user.account), "lambda:GetLayerVersion", arn)
            })
    }
}

fn fits(record: &LayerRecord, runtime: Option<Runtime>, architecture: Option<Architecture>) -> bool {
    fn has<T: PartialEq>(list: Option<&Vec<T>>, wanted: Option<T>) -> bool {
        wanted.is_none_or(|wanted| list.is_some_and(|list| list.contains(&wanted)))
    }
    has(record.runtimes.as_ref(), runtime) && has(record.architectures.as_ref(), architecture)
}

fn list_item(layer_arn: &str, number: u64, record: &LayerRecord) -> LayerVersionsListItem {
    LayerVersionsListItem {
        layer_version_arn: Some(format!("{layer_arn}:{number}")),
        version: i64::try_from(number).ok(),
        description: Some(record.description.clone()),
        created_date: Some(view::date(record.created)),
        compatible_architectures: record.architectures.clone(),
        compatible_runtimes: record.runtimes.clone(),
        license_info: record.license.clone(),
    }
}
