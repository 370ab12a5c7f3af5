//! A service model without prose: what remains of botocore's after reading it into these types.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::path::Path;

use anyhow::{Context as _, Result};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// `(service, structure, member, shape)`: what is text for the model's purposes, because the service has its own words.
const FREE_TEXT: &[(&str, &str, &str, &str)] = &[
    // Recorded: an unknown runtime is InvalidParameterValueException "Value x at 'runtime' failed to satisfy constraint: ..
    // or be a valid ARN", not ValidationException.
    ("lambda", "CreateFunctionRequest", "Runtime", "String"),
    ("lambda", "UpdateFunctionConfigurationRequest", "Runtime", "String"),
    // The model says PermissionsBoundaryPolicy; the service, as the API reference's examples show, Policy.
    ("iam", "AttachedPermissionsBoundary", "PermissionsBoundaryType", "stringType"),
];

/// `(service, structure, member)`: required by the model, yet absent from answers of the service.
const LEFT_OUT: &[(&str, &str, &str)] = &[
    // Recorded of functions that have no code signing configuration.
    ("lambda", "GetFunctionCodeSigningConfigResponse", "CodeSigningConfigArn"),
];

/// `(service, enumeration, value)`: what the service answers beyond the model's values.
const MORE_VALUES: &[(&str, &str, &str)] = &[
    // Recorded of functions whose update is in progress.
    ("lambda", "LastUpdateStatusReasonCode", "Creating"),
];

#[derive(Debug, Deserialize)]
pub(super) struct Document {
    pub(super) metadata: Metadata,
    pub(super) operations: BTreeMap<String, Operation>,
    pub(super) shapes: BTreeMap<String, Shape>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    pub(super) api_version: String,
    pub(super) protocol: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    json_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    xml_namespace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signing_name: Option<String>,
    endpoint_prefix: String,
    /// Spoke the query protocol once, and still answers those who do.
    #[serde(skip_serializing_if = "Option::is_none")]
    aws_query_compatible: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Operation {
    http: Http,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input: Option<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output: Option<Reference>,
    #[serde(default)]
    errors: Vec<Reference>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Http {
    method: String,
    request_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_code: Option<u16>,
}

/// A use of a shape.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reference {
    pub(super) shape: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location_name: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    flattened: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_wrapper: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shape {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) required: Vec<String>,
    /// In the model's order, which is that of XML answers.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub(super) members: IndexMap<String, Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) member: Option<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<Reference>,
    #[serde(rename = "enum", skip_serializing_if = "Option::is_none")]
    pub(super) values: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) min: Option<serde_json::Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<serde_json::Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    flattened: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp_format: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) eventstream: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) exception: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) fault: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<ErrorTrait>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ErrorTrait {
    /// On the wire, if it is not the shape's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    pub(super) http_status_code: Option<u16>,
}

fn is_false(value: &bool) -> bool {
    !value
}

impl Document {
    pub(super) fn read(service: &str, path: &Path) -> Result<Self> {
        let mut document: Self = serde_json::from_reader(flate2::read::GzDecoder::new(File::open(path)?))?;
        document.correct(service)?;
        Ok(document)
    }

    /// Where the service is not as its model says.
    fn correct(&mut self, service: &str) -> Result<()> {
        let missing = |name: &str| format!("{service} has no {name} any more that could be corrected");
        for (_, structure, member, text) in FREE_TEXT.iter().filter(|(of, ..)| *of == service) {
            let member = self.shape(structure)?.members.get_mut(*member).with_context(|| missing(member))?;
            member.shape = (*text).to_owned();
        }
        for (_, structure, member) in LEFT_OUT.iter().filter(|(of, ..)| *of == service) {
            self.shape(structure)?.required.retain(|required| required != member);
        }
        for (_, enumeration, value) in MORE_VALUES.iter().filter(|(of, ..)| *of == service) {
            let values = self.shape(enumeration)?.values.as_mut();
            values.with_context(|| missing(enumeration))?.push((*value).to_owned());
        }
        Ok(())
    }

    fn shape(&mut self, name: &str) -> Result<&mut Shape> {
        self.shapes.get_mut(name).with_context(|| format!("there is no shape {name} to correct"))
    }

    /// An entry per line, so that a new version of the model shows what changed.
    pub(super) fn to_text(&self) -> Result<String> {
        let mut text = format!("{{\n\"metadata\": {},\n\"operations\": {{\n", serde_json::to_string(&self.metadata)?);
        entries(&mut text, &self.operations)?;
        text.push_str("},\n\"shapes\": {\n");
        entries(&mut text, &self.shapes)?;
        text.push_str("}\n}\n");
        Ok(text)
    }
}

fn entries<T: Serialize>(text: &mut String, entries: &BTreeMap<String, T>) -> Result<()> {
    for (index, (name, entry)) in entries.iter().enumerate() {
        let comma = if index + 1 == entries.len() { "" } else { "," };
        writeln!(text, "\"{name}\": {}{comma}", serde_json::to_string(entry)?)?;
    }
    Ok(())
}
