//! Checks a request, as JSON, against its shape and reports violations in AWS's words.

use serde_json::Value;

use crate::error::ApiError;
use crate::model::{Kind, Model, Shape};

/// Deepest nesting of structures, lists and maps that is looked at; shapes of Lambda need 5.
const DEPTH_MAX: usize = 32;

/// What is wrong with an input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The body is no JSON, for the reason given.
    Syntax(String),
    /// A member has the wrong JSON type.
    Type(ApiError),
    /// Every constraint that is violated.
    Constraints(Vec<Violation>),
}

/// A constraint that a member violates.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// As messages name the member: `snapStart.applyOn`.
    pub path: String,
    /// The value as messages show it; `None`: it is missing.
    pub value: Option<String>,
    /// Such as `Member must have length less than or equal to 64`.
    pub constraint: String,
}

impl Refused {
    /// In the words that most services have, with the code for violations that is this service's.
    pub fn with_code(self, code: &'static str) -> ApiError {
        match self {
            Self::Syntax(reason) => ApiError::serialization(reason),
            Self::Type(error) => error,
            Self::Constraints(violations) => {
                let (count, errors) = (violations.len(), if violations.len() == 1 { "error" } else { "errors" });
                let all: Vec<String> = violations.iter().map(Violation::to_string).collect();
                ApiError::new(400, code, format!("{count} validation {errors} detected: {}", all.join("; ")))
            }
        }
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        refused.with_code("ValidationException")
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { path, value, constraint } = self;
        match value {
            Some(value) => write!(f, "Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"),
            None => write!(f, "Value null at '{path}' failed to satisfy constraint: {constraint}"),
        }
    }
}

/// Checks `input` against the structure `structure`. Explicit nulls are absent members and are removed.
///
/// # Errors
/// The first member of a wrong JSON type, else every violated constraint.
pub fn check(model: &Model, structure: &str, input: &mut Value) -> Result<(), Refused> {
    let mut checker = Checker { model, violations: Vec::new() };
    if let Some(shape) = model.shape(structure) {
        checker.structure(shape, "", input, 0).map_err(Refused::Type)?;
    }
    if checker.violations.is_empty() { Ok(()) } else { Err(Refused::Constraints(checker.violations)) }
}

struct Checker<'a> {
    model: &'a Model,
    violations: Vec<Violation>,
}

impl<'a> Checker<'a> {
    fn structure(&mut self, shape: &'a Shape, path: &str, value: &mut Value, depth: usize) -> Result<(), ApiError> {
        let Value::Object(object) = value else {
            return Err(wrong_type(value, shape.kind));
        };
        object.retain(|_, value| !value.is_null());
        // Recorded: violations come in the order of the members' names.
        let mut members: Vec<_> = shape.members.iter().collect();
        members.sort_unstable_by_key(|(name, _)| *name);
        for (name, member) in members {
            let path = join(path, &camel(name));
            match object.get_mut(name) {
                Some(value) => {
                    if let Some(shape) = self.model.shape(&member.shape) {
                        self.value(shape, &path, value, depth + 1)?;
                    }
                }
                None if shape.required.contains(name) => self.violations.push(Violation {
                    path,
                    value: None,
                    constraint: "Member must not be null".to_owned(),
                }),
                None => {}
            }
        }
        Ok(())
    }

    fn value(&mut self, shape: &'a Shape, path: &str, value: &mut Value, depth: usize) -> Result<(), ApiError> {
        if depth > DEPTH_MAX {
            return Err(ApiError::serialization("The request is nested too deeply"));
        }
        match (shape.kind, &mut *value) {
            (Kind::Structure, _) => self.structure(shape, path, value, depth),
            (Kind::List, Value::Array(_)) => self.list(shape, path, value, depth),
            (Kind::Map, Value::Object(_)) => self.map(shape, path, value, depth),
            (kind, value) if has_type(kind, value) => {
                for constraint in broken(shape, value) {
                    self.violations.push(violation(value, path, constraint));
                }
                Ok(())
            }
            (kind, value) => Err(wrong_type(value, kind)),
        }
    }

    fn list(&mut self, shape: &'a Shape, path: &str, value: &mut Value, depth: usize) -> Result<(), ApiError> {
        let Value::Array(items) = &*value else { return Ok(()) };
        for constraint in broken_length(shape, items.len()) {
            self.violations.push(violation(value, path, constraint));
        }
        let Value::Array(items) = value else { return Ok(()) };
        let Some(member) = shape.member.as_ref().and_then(|member| self.model.shape(&member.shape)) else {
            return Ok(());
        };
        let mut unfit = false;
        for (index, item) in items.iter_mut().enumerate() {
            if item.is_null() {
                unfit = true;
            } else if is_scalar(member.kind) {
                if !has_type(member.kind, item) {
                    return Err(wrong_type(item, member.kind));
                }
                unfit |= !broken(member, item).is_empty();
            } else {
                self.value(member, &format!("{path}.{}.member", index + 1), item, depth + 1)?;
            }
        }
        if unfit {
            let rules = constraints(member, true);
            self.violations.push(violation(value, path, format!("Member must satisfy constraint: [{rules}]")));
        }
        Ok(())
    }

    fn map(&mut self, shape: &'a Shape, path: &str, value: &mut Value, depth: usize) -> Result<(), ApiError> {
        let key_shape = shape.key.as_ref().and_then(|key| self.model.shape(&key.shape));
        let value_shape = shape.value.as_ref().and_then(|value| self.model.shape(&value.shape));
        if let (Some(Kind::Double), Value::Object(entries)) = (value_shape.map(|shape| shape.kind), &mut *value) {
            for item in entries.values_mut() {
                // A 2 that was sent for a double is shown as 2.0.
                *item = item.as_f64().map_or_else(|| item.take(), Value::from);
            }
        }
        let Value::Object(entries) = &*value else { return Ok(()) };
        for constraint in broken_length(shape, entries.len()) {
            self.violations.push(violation(value, path, constraint));
        }
        let Value::Object(entries) = value else { return Ok(()) };
        let (mut unfit_keys, mut unfit_values) = (false, false);
        for (key, item) in entries.iter_mut() {
            unfit_keys |= key_shape.is_some_and(|shape| !broken(shape, &Value::String(key.clone())).is_empty());
            let Some(shape) = value_shape else { continue };
            if item.is_null() {
                unfit_values = true;
            } else if is_scalar(shape.kind) {
                if !has_type(shape.kind, item) {
                    return Err(wrong_type(item, shape.kind));
                }
                unfit_values |= !broken(shape, item).is_empty();
            } else {
                self.value(shape, &format!("{path}.{key}.member"), item, depth + 1)?;
            }
        }
        if let (true, Some(shape)) = (unfit_keys, key_shape) {
            let rules = constraints(shape, false);
            self.violations.push(violation(value, path, format!("Map keys must satisfy constraint: [{rules}]")));
        }
        if let (true, Some(shape)) = (unfit_values, value_shape) {
            let rules = constraints(shape, true);
            self.violations.push(violation(value, path, format!("Map value must satisfy constraint: [{rules}]")));
        }
        Ok(())
    }
}

fn violation(value: &Value, path: &str, constraint: String) -> Violation {
    Violation { path: path.to_owned(), value: Some(display(value)), constraint }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn camel(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

fn is_scalar(kind: Kind) -> bool {
    !matches!(kind, Kind::List | Kind::Map | Kind::Structure)
}

fn has_type(kind: Kind, value: &Value) -> bool {
    match kind {
        Kind::String | Kind::Blob => value.is_string(),
        Kind::Integer => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        Kind::Long => value.is_i64(),
        Kind::Float | Kind::Double => value.is_number(),
        Kind::Boolean => value.is_boolean(),
        Kind::Timestamp => value.is_number() || value.is_string(),
        Kind::List | Kind::Map | Kind::Structure => false,
    }
}

/// The constraints of the shape that a value of the right type violates.
fn broken(shape: &Shape, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    match value {
        Value::String(text) => {
            // Sizes of blobs are those of the decoded bytes, which nobody has yet.
            if shape.kind == Kind::String {
                found.extend(broken_length(shape, text.chars().count()));
            }
            if !shape.matches_pattern(text) {
                found.push(pattern_rule(shape));
            }
            if shape.values.as_ref().is_some_and(|values| !values.contains(text)) {
                found.push(enum_rule(shape));
            }
        }
        Value::Number(number) => {
            let number = number.as_f64().unwrap_or(f64::NAN);
            if shape.max.is_some_and(|max| number > max) {
                found.push(value_rule(shape, "less", shape.max));
            }
            if shape.min.is_some_and(|min| number < min) {
                found.push(value_rule(shape, "greater", shape.min));
            }
        }
        _ => {}
    }
    found
}

fn broken_length(shape: &Shape, length: usize) -> Vec<String> {
    let mut found = Vec::new();
    if shape.max.is_some_and(|max| length as f64 > max) {
        found.push(length_rule("less", shape.max));
    }
    if shape.min.is_some_and(|min| (length as f64) < min) {
        found.push(length_rule("greater", shape.min));
    }
    found
}

/// Every rule of the shape, as AWS lists them for members of lists and maps.
fn constraints(shape: &Shape, not_null: bool) -> String {
    let mut rules = Vec::new();
    if is_scalar(shape.kind) {
        let text = shape.kind == Kind::String;
        for (word, bound) in [("less", shape.max), ("greater", shape.min)] {
            if bound.is_some() {
                rules.push(if text { length_rule(word, bound) } else { value_rule(shape, word, bound) });
            }
        }
    }
    if shape.pattern.is_some() {
        rules.push(pattern_rule(shape));
    }
    if shape.values.is_some() {
        rules.push(enum_rule(shape));
    }
    if not_null {
        rules.push("Member must not be null".to_owned());
    }
    rules.join(", ")
}

fn length_rule(word: &str, bound: Option<f64>) -> String {
    format!("Member must have length {word} than or equal to {}", bound.unwrap_or_default())
}

fn value_rule(shape: &Shape, word: &str, bound: Option<f64>) -> String {
    let bound = bound.unwrap_or_default();
    let bound = if shape.kind == Kind::Double { format!("{bound:?}") } else { format!("{bound}") };
    format!("Member must have value {word} than or equal to {bound}")
}

fn pattern_rule(shape: &Shape) -> String {
    format!("Member must satisfy regular expression pattern: {}", shape.pattern.as_deref().unwrap_or_default())
}

fn enum_rule(shape: &Shape) -> String {
    format!("Member must satisfy enum value set: [{}]", shape.values.as_deref().unwrap_or_default().join(", "))
}

/// A value as Java writes it.
fn display(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(display).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) => {
            let entries: Vec<_> = entries.iter().map(|(key, value)| format!("{key}={}", display(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Number(number) if number.is_f64() => format!("{:?}", number.as_f64().unwrap_or_default()),
        Value::Number(_) | Value::Bool(_) | Value::Null => value.to_string(),
    }
}

/// In the words of AWS's JSON unmarshaller.
fn wrong_type(value: &Value, kind: Kind) -> ApiError {
    let token = match value {
        Value::Object(_) => return ApiError::serialization("Start of structure or map found where not expected."),
        Value::Array(_) => return ApiError::serialization("Start of list found where not expected."),
        Value::String(_) => "STRING_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(number) if number.is_f64() => "DECIMAL_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::Null => "NULL_VALUE",
    };
    let wanted = match kind {
        Kind::String => "a String",
        Kind::Integer => "an Integer",
        Kind::Long => "a Long",
        Kind::Float => "a Float",
        Kind::Double => "a Double",
        Kind::Boolean => "a Boolean",
        Kind::Blob => "a Blob",
        Kind::Timestamp => "a Date",
        Kind::List => return ApiError::serialization("Expected list or null"),
        Kind::Map | Kind::Structure => return ApiError::serialization("Expected map or null"),
    };
    ApiError::serialization(format!("{token} can not be converted to {wanted}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::Service;

    fn message(structure: &str, mut input: Value) -> String {
        let error = ApiError::from(check(Service::Lambda.model(), structure, &mut input).expect_err("must be refused"));
        assert_eq!(error.status, 400);
        format!("{}: {}", error.name, error.message)
    }

    fn function() -> Value {
        json!({"FunctionName": "f", "Role": "arn:aws:iam::000000000000:role/r", "Code": {"ZipFile": ""}})
    }

    fn with(name: &str, value: Value) -> Value {
        let mut input = function();
        input[name] = value;
        input
    }

    #[test]
    fn accepts_what_fits_and_forgets_nulls() {
        let mut input = with("Description", Value::Null);
        check(Service::Lambda.model(), "CreateFunctionRequest", &mut input).unwrap();
        assert_eq!(input, function());
    }

    #[test]
    fn names_a_pattern_that_does_not_match() {
        assert_eq!(
            message("CreateFunctionRequest", with("Role", json!("r1"))),
            "ValidationException: 1 validation error detected: Value 'r1' at 'role' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+"
        );
    }

    #[test]
    fn names_numbers_out_of_range() {
        assert_eq!(
            message("CreateFunctionRequest", with("Timeout", json!(5401))),
            "ValidationException: 1 validation error detected: Value '5401' at 'timeout' failed to satisfy constraint: Member \
             must have value less than or equal to 5400"
        );
        assert_eq!(
            message("CreateFunctionRequest", with("MemorySize", json!(127))),
            "ValidationException: 1 validation error detected: Value '127' at 'memorySize' failed to satisfy constraint: \
             Member must have value greater than or equal to 128"
        );
    }

    #[test]
    fn lists_several_violations_at_once() {
        let text = message(
            "CreateFunctionRequest",
            json!({"FunctionName": "f", "Role": "r", "Code": {}, "SnapStart": {"ApplyOn": "invalidOption"}}),
        );
        assert!(text.starts_with("ValidationException: 2 validation errors detected: Value 'r' at 'role'"), "{text}");
        assert!(
            text.ends_with(
                "; Value 'invalidOption' at 'snapStart.applyOn' failed to satisfy constraint: Member must satisfy enum value \
                 set: [PublishedVersions, None]"
            ),
            "{text}"
        );
    }

    #[test]
    fn reports_members_of_lists_and_maps_as_a_whole() {
        assert_eq!(
            message("CreateFunctionRequest", with("Architectures", json!(["X86_64"]))),
            "ValidationException: 1 validation error detected: Value '[X86_64]' at 'architectures' failed to satisfy \
             constraint: Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must \
             not be null]"
        );
        assert_eq!(
            message("CreateFunctionRequest", with("Architectures", json!(["x86_64", "arm64"]))),
            "ValidationException: 1 validation error detected: Value '[x86_64, arm64]' at 'architectures' failed to satisfy \
             constraint: Member must have length less than or equal to 1"
        );
        let alias = |weights: Value| {
            json!({"FunctionName": "f", "Name": "a", "FunctionVersion": "1",
                "RoutingConfig": {"AdditionalVersionWeights": weights}})
        };
        let whole = message("CreateAliasRequest", alias(json!({"2": -1})));
        assert!(whole.contains("Value '{2=-1.0}' at 'routingConfig.additionalVersionWeights'"), "{whole}");
        assert_eq!(
            message("CreateAliasRequest", alias(json!({"2": 2.0}))),
            "ValidationException: 1 validation error detected: Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' \
             failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to \
             1.0, Member must have value greater than or equal to 0.0, Member must not be null]"
        );
        assert_eq!(
            message("CreateAliasRequest", alias(json!({"$LATEST": 0.5}))),
            "ValidationException: 1 validation error detected: Value '{$LATEST=0.5}' at \
             'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map keys must satisfy constraint: [Member \
             must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must \
             satisfy regular expression pattern: [0-9]+]"
        );
    }

    #[test]
    fn lists_the_values_of_an_enumeration_in_the_services_order() {
        let loops = json!({"FunctionName": "f", "RecursiveLoop": "InvalidValue"});
        assert_eq!(
            message("PutFunctionRecursionConfigRequest", loops),
            "ValidationException: 1 validation error detected: Value 'InvalidValue' at 'recursiveLoop' failed to satisfy \
             constraint: Member must satisfy enum value set: [Terminate, Allow]"
        );
    }

    #[test]
    fn names_missing_members() {
        assert_eq!(
            message("UntagResourceRequest", json!({"Resource": "arn:aws:lambda:us-east-1:000000000000:function:f"})),
            "ValidationException: 1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: Member \
             must not be null"
        );
    }

    #[test]
    fn refuses_wrong_types() {
        let cases = [
            ("Timeout", json!("3"), "STRING_VALUE can not be converted to an Integer"),
            ("Timeout", json!(3.5), "DECIMAL_VALUE can not be converted to an Integer"),
            ("Handler", json!(3), "NUMBER_VALUE can not be converted to a String"),
            ("Publish", json!("yes"), "STRING_VALUE can not be converted to a Boolean"),
            ("Layers", json!("x"), "Expected list or null"),
            ("Tags", json!(["x"]), "Start of list found where not expected."),
            ("Tags", json!({"a": 1}), "NUMBER_VALUE can not be converted to a String"),
            ("Environment", json!(true), "Expected map or null"),
        ];
        for (member, value, expected) in cases {
            let text = message("CreateFunctionRequest", with(member, value));
            assert_eq!(text, format!("SerializationException: {expected}"), "{member}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,20}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("(Code|Layers|Tags|Role|Environment|Variables|[a-z]{1,3})", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn never_panics_on_any_json(mut input in any_json()) {
            let _verdict = check(Service::Lambda.model(), "CreateFunctionRequest", &mut input);
        }
    }
}
