//! A service model as data: operations with their routes, and shapes with their constraints.

use std::collections::{BTreeMap, HashMap};
use std::sync::{LazyLock, OnceLock};

use fancy_regex::Regex;
use indexmap::IndexMap;
use serde::Deserialize;

use crate::overrides;

/// A service of AWS whose model is known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Service {
    ApiGateway,
    ApiGatewayV2,
    Events,
    Iam,
    Lambda,
    Logs,
    Scheduler,
    Sns,
    Sqs,
    Sts,
}

macro_rules! models {
    ($($service:ident = $file:literal $signing_name:literal,)*) => {
        impl Service {
            pub const ALL: &'static [Self] = &[$(Self::$service,)*];

            /// The service in a signature's scope. Known without its model, which takes a while to read.
            pub const fn signing_name(self) -> &'static str {
                match self { $(Self::$service => $signing_name,)* }
            }

            /// Its operations and shapes.
            pub fn model(self) -> &'static Model {
                match self {
                    $(Self::$service => {
                        static MODEL: LazyLock<Model> = LazyLock::new(|| {
                            Model::read(include_str!(concat!("../models/", $file, ".json")))
                        });
                        &MODEL
                    })*
                }
            }
        }
    };
}

models! {
    ApiGateway = "apigateway" "apigateway",
    ApiGatewayV2 = "apigatewayv2" "apigateway",
    Events = "events" "events",
    Iam = "iam" "iam",
    Lambda = "lambda" "lambda",
    Logs = "logs" "logs",
    Scheduler = "scheduler" "scheduler",
    Sns = "sns" "sns",
    Sqs = "sqs" "sqs",
    Sts = "sts" "sts",
}

/// Operations and shapes of one service.
#[derive(Debug)]
pub struct Model {
    pub metadata: Metadata,
    operations: Vec<Operation>,
    shapes: HashMap<String, Shape>,
}

/// How a service is spoken to.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    pub api_version: String,
    pub protocol: Protocol,
    /// `1.0` or `1.1`, in the content type of JSON protocols.
    pub json_version: Option<String>,
    /// Before the dot in `X-Amz-Target`.
    pub target_prefix: Option<String>,
    /// Of XML answers.
    pub xml_namespace: Option<String>,
    #[cfg(test)]
    signing_name: Option<String>,
    #[cfg(test)]
    endpoint_prefix: String,
    aws_query_compatible: Option<serde::de::IgnoredAny>,
}

impl Metadata {
    /// Whether the service spoke the query protocol once, and still answers those who do.
    pub fn is_legacy_query(&self) -> bool {
        self.aws_query_compatible.is_some()
    }

    /// Whether the service answers forms.
    pub fn takes_forms(&self) -> bool {
        self.protocol == Protocol::Query || self.is_legacy_query()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    RestJson,
    Json,
    Query,
}

/// One operation of a service.
#[derive(Debug)]
pub struct Operation {
    /// Such as `CreateFunction`.
    pub name: String,
    pub method: String,
    /// Path and query with `{parameters}`, as in the model.
    pub uri: String,
    /// Status of success.
    pub status: u16,
    /// Name of the input structure.
    pub input: Option<String>,
    pub output: Option<String>,
    /// Element around the members of a query protocol's answer.
    pub result_wrapper: Option<String>,
    pub errors: Vec<String>,
    path: Vec<Segment>,
    query: Vec<(String, String)>,
}

#[derive(Debug)]
enum Segment {
    Literal(String),
    Parameter(String),
}

/// A request's operation and its decoded path parameters.
#[derive(Debug)]
pub struct Matched<'m, 'p> {
    pub operation: &'m Operation,
    /// `(location name, value)`, percent-decoding left to the caller.
    pub parameters: Vec<(&'m str, &'p str)>,
}

/// What the model says of an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exception<'m> {
    pub status: u16,
    /// What the message is called on the wire.
    pub message: &'m str,
    /// Whether `Type` names the side at fault.
    pub has_type: bool,
}

/// Where a member of a structure travels.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Location {
    #[default]
    Body,
    Uri,
    Querystring,
    Header,
    Headers,
    StatusCode,
}

/// A use of a shape.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    pub shape: String,
    #[serde(default)]
    pub location: Location,
    pub location_name: Option<String>,
    #[serde(default)]
    pub flattened: bool,
    result_wrapper: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    String,
    Integer,
    Long,
    Float,
    Double,
    Boolean,
    Blob,
    Timestamp,
    List,
    Map,
    Structure,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shape {
    #[serde(rename = "type")]
    pub kind: Kind,
    #[serde(default)]
    pub(crate) required: Vec<String>,
    /// In the order in which XML answers have them.
    #[serde(default)]
    pub members: IndexMap<String, Member>,
    pub member: Option<Member>,
    pub key: Option<Member>,
    pub value: Option<Member>,
    #[serde(rename = "enum")]
    pub(crate) values: Option<Vec<String>>,
    pub(crate) pattern: Option<String>,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
    #[serde(default)]
    pub flattened: bool,
    /// The member that is the whole body.
    pub payload: Option<String>,
    /// Such as `iso8601`, of a timestamp that is not as the protocol has it.
    pub timestamp_format: Option<String>,
    #[serde(default)]
    exception: bool,
    #[serde(default)]
    fault: bool,
    error: Option<ErrorTrait>,
    #[serde(skip)]
    compiled: OnceLock<Option<Regex>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorTrait {
    http_status_code: Option<u16>,
}

#[derive(Deserialize)]
struct Document {
    metadata: Metadata,
    operations: BTreeMap<String, DocumentOperation>,
    shapes: HashMap<String, Shape>,
}

#[derive(Deserialize)]
struct DocumentOperation {
    http: Http,
    input: Option<Member>,
    output: Option<Member>,
    errors: Vec<Member>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Http {
    method: String,
    request_uri: String,
    response_code: Option<u16>,
}

impl Model {
    fn read(document: &str) -> Self {
        let document: Document = serde_json::from_str(document).expect("the checked-in model is well-formed");
        let mut shapes = document.shapes;
        for (name, order) in overrides::ENUM_ORDER {
            let place = |value: &String| order.iter().position(|known| known == value).unwrap_or(order.len());
            if let Some(values) = shapes.get_mut(*name).and_then(|shape| shape.values.as_mut()) {
                values.sort_by_key(place);
            }
        }
        let operations = document.operations.into_iter().map(|(name, entry)| Operation::new(name, entry)).collect();
        Self { metadata: document.metadata, operations, shapes }
    }

    /// The operation of a request line. `raw_path` is as received, because encoded separators are part of a parameter; one
    /// trailing slash is ignored. Of several matches the one that asks for most of the query is meant.
    pub fn route<'m, 'p>(
        &'m self,
        method: &str,
        raw_path: &'p str,
        query: &[(String, String)],
    ) -> Option<Matched<'m, 'p>> {
        let path = raw_path.strip_prefix('/')?;
        let segments: Vec<&str> = path.strip_suffix('/').unwrap_or(path).split('/').collect();
        self.operations
            .iter()
            .filter(|operation| operation.method == method)
            .filter(|operation| operation.query.iter().all(|pair| query.contains(pair)))
            .filter_map(|operation| Some(Matched { operation, parameters: operation.parameters(&segments)? }))
            .max_by_key(|matched| matched.operation.query.len())
    }

    pub fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.name == name)
    }

    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter()
    }

    /// Where each member of the structure travels and under which name: `(member, location, name on the wire)`.
    pub fn members<'a>(&'a self, structure: &str) -> impl Iterator<Item = (&'a str, &'a Location, &'a str)> {
        let members = self.shapes.get(structure).into_iter().flat_map(|shape| &shape.members);
        members.map(|(name, member)| {
            (name.as_str(), &member.location, member.location_name.as_deref().unwrap_or(name.as_str()))
        })
    }

    /// An error by the name of its shape.
    pub fn exception(&self, name: &str) -> Option<Exception<'_>> {
        let shape = self.shapes.get(name).filter(|shape| shape.exception)?;
        let status = shape.error.as_ref().and_then(|error| error.http_status_code);
        let message = shape.members.iter().find(|(member, _)| member.eq_ignore_ascii_case("message"));
        Some(Exception {
            status: status.unwrap_or(if shape.fault { 500 } else { 400 }),
            message: message.map_or("message", |(name, member)| member.location_name.as_deref().unwrap_or(name)),
            has_type: shape.members.contains_key("Type"),
        })
    }

    pub fn shape(&self, name: &str) -> Option<&Shape> {
        self.shapes.get(name)
    }
}

impl Operation {
    fn new(name: String, entry: DocumentOperation) -> Self {
        let http = entry.http;
        let (path, query) = http.request_uri.split_once('?').unwrap_or((&http.request_uri, ""));
        let segment = |text: &str| match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            Some(parameter) => Segment::Parameter(parameter.to_owned()),
            None => Segment::Literal(text.to_owned()),
        };
        Self {
            path: path.trim_matches('/').split('/').map(segment).collect(),
            query: query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
            name,
            uri: http.request_uri.clone(),
            method: http.method,
            status: http.response_code.unwrap_or(200),
            result_wrapper: entry.output.as_ref().and_then(|output| output.result_wrapper.clone()),
            input: entry.input.map(|input| input.shape),
            output: entry.output.map(|output| output.shape),
            errors: entry.errors.into_iter().map(|error| error.shape).collect(),
        }
    }

    /// Whether this is in the route of the operation, and so no part of its input.
    pub fn is_routed_by(&self, pair: &(String, String)) -> bool {
        self.query.contains(pair)
    }

    fn parameters<'m, 'p>(&'m self, segments: &[&'p str]) -> Option<Vec<(&'m str, &'p str)>> {
        if segments.len() != self.path.len() {
            return None;
        }
        let mut parameters = Vec::new();
        for (expected, segment) in self.path.iter().zip(segments) {
            match expected {
                Segment::Literal(text) if text == segment => {}
                Segment::Parameter(name) if !segment.is_empty() => parameters.push((name.as_str(), *segment)),
                Segment::Literal(_) | Segment::Parameter(_) => return None,
            }
        }
        Some(parameters)
    }
}

impl Shape {
    /// Whether the whole of `text` is of the shape's pattern. A pattern that gives up (backtracking limit) does not match.
    pub(crate) fn matches_pattern(&self, text: &str) -> bool {
        let Some(pattern) = &self.pattern else { return true };
        let compiled = self.compiled.get_or_init(|| compile(pattern));
        compiled.as_ref().is_some_and(|regex| regex.is_match(text).unwrap_or(false))
    }
}

/// A pattern in Java's words, which has to match the whole.
fn compile(pattern: &str) -> Option<Regex> {
    // Java takes a hyphen behind a class for itself.
    let pattern = pattern.replace(r"\w-", r"\w\-");
    Regex::new(&format!(r"\A(?:{pattern})\z")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_of(method: &str, path: &str, query: &[(&str, &str)]) -> Option<String> {
        let query: Vec<_> = query.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Service::Lambda.model().route(method, path, &query).map(|matched| matched.operation.name.clone())
    }

    #[test]
    fn knows_all_operations_and_reaches_each_by_its_own_route() {
        assert_eq!(Service::Lambda.model().operations.len(), 91);
        for service in Service::ALL.iter().filter(|service| service.model().metadata.protocol == Protocol::RestJson) {
            for operation in service.model().operations() {
                let path: String = operation
                    .path
                    .iter()
                    .map(|segment| match segment {
                        Segment::Literal(text) => format!("/{text}"),
                        Segment::Parameter(_) => "/x".to_owned(),
                    })
                    .collect();
                let matched = service.model().route(&operation.method, &path, &operation.query).unwrap();
                assert_eq!(matched.operation.name, operation.name, "{service:?}");
            }
        }
    }

    #[test]
    fn the_query_chooses_between_operations_of_one_path() {
        let layers = "/2018-10-31/layers";
        assert_eq!(name_of("GET", layers, &[]).as_deref(), Some("ListLayers"));
        assert_eq!(name_of("GET", layers, &[("find", "LayerVersion")]).as_deref(), Some("GetLayerVersionByArn"));
        let provisioned = "/2019-09-30/functions/f/provisioned-concurrency";
        assert_eq!(
            name_of("GET", provisioned, &[("List", "ALL")]).as_deref(),
            Some("ListProvisionedConcurrencyConfigs")
        );
        assert_eq!(
            name_of("GET", provisioned, &[("Qualifier", "1")]).as_deref(),
            Some("GetProvisionedConcurrencyConfig")
        );
    }

    #[test]
    fn routes_before_decoding_and_ignores_one_trailing_slash() {
        let path = "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af%2Fg/";
        let matched = Service::Lambda.model().route("GET", path, &[]).unwrap();
        assert_eq!(matched.operation.name, "ListTags");
        assert!(matched.parameters[0].1.ends_with("f%2Fg"));
        assert_eq!(name_of("GET", "/2015-03-31/functions/", &[]).as_deref(), Some("ListFunctions"));
        assert_eq!(name_of("GET", "/2015-03-31/nothing", &[]), None);
        assert_eq!(name_of("PATCH", "/2015-03-31/functions", &[]), None);
    }

    #[test]
    fn signing_names_are_the_models() {
        for service in Service::ALL {
            let metadata = &service.model().metadata;
            let modelled = metadata.signing_name.as_ref().unwrap_or(&metadata.endpoint_prefix);
            assert_eq!(service.signing_name(), modelled);
        }
    }

    #[test]
    fn every_pattern_compiles() {
        for service in Service::ALL {
            for (name, shape) in &service.model().shapes {
                if let Some(pattern) = &shape.pattern {
                    assert!(compile(pattern).is_some(), "{service:?} {name}: {pattern}");
                }
            }
        }
    }

    #[test]
    fn exceptions_have_the_modelled_status_and_message_key() {
        let of = |service: Service, name| {
            service.model().exception(name).map(|found| (found.status, found.message, found.has_type))
        };
        assert_eq!(of(Service::Lambda, "ResourceNotFoundException"), Some((404, "Message", true)));
        assert_eq!(of(Service::Lambda, "InvalidParameterValueException"), Some((400, "message", true)));
        assert_eq!(of(Service::Lambda, "PreconditionFailedException"), Some((412, "message", true)));
        assert_eq!(of(Service::Lambda, "Function"), None);
        assert_eq!(of(Service::Scheduler, "ConflictException"), Some((409, "Message", false)));
        assert_eq!(of(Service::ApiGatewayV2, "NotFoundException"), Some((404, "message", false)));
    }
}
