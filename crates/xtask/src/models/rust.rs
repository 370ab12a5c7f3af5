//! The Rust of a service: structures and enumerations that operations use, the operations, and the names of errors.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context as _, Result, ensure};

use super::document::{Document, Operation, Reference, Shape};
use super::names::{Case, constant, field, type_name, variant, wire};

/// Types that shapes are made of, each with what its use looks like.
const PARTS: &[(&str, &str)] = &[
    ("Blob", "Blob"),
    ("Nothing", "(Nothing)"),
    ("Time", "Time,"),
    ("enumeration", "enumeration!"),
    ("errors", "errors!"),
    ("operations", "operations!"),
    ("structure", "structure!"),
];

/// The module of a service. Operations with one of `without_shapes` in their names are left out.
pub(super) fn module(service: &str, document: &Document, without_shapes: &[&str]) -> Result<String> {
    let is_left_out = |name: &str| without_shapes.iter().any(|part| name.contains(part));
    let operations = document.operations.iter().filter(|(name, _)| !is_left_out(name)).collect();
    let writer = Writer::new(document, operations)?;
    let mut text = String::new();
    for (name, shape) in document.shapes.iter().filter(|(name, _)| writer.uses(name)) {
        match shape.kind.as_str() {
            "structure" => writer.structure(&mut text, name, shape)?,
            "string" if shape.values.is_some() => enumeration(&mut text, name, shape)?,
            _ => {}
        }
    }
    writer.operations(&mut text)?;
    errors(&mut text, document)?;
    let version = &document.metadata.api_version;
    let maps = if text.contains("BTreeMap<") { "use std::collections::BTreeMap;\n\n" } else { "" };
    let parts: Vec<&str> = PARTS.iter().filter(|(_, use_of)| text.contains(use_of)).map(|(part, _)| *part).collect();
    Ok(format!(
        "//! Shapes of {service} {version}. Made by `cargo xtask models`; do not edit.\n\n\
         {maps}use crate::shape::{{{}}};\n{text}",
        parts.join(", ")
    ))
}

struct Writer<'a> {
    document: &'a Document,
    operations: Vec<(&'a String, &'a Operation)>,
    /// Shapes that inputs lead to: these are read.
    inputs: BTreeSet<&'a str>,
    /// Shapes that outputs lead to: these are written.
    outputs: BTreeSet<&'a str>,
    /// Structures without a value to begin with, because a required member is an enumeration.
    without_default: BTreeSet<&'a str>,
    /// Structures that are part of themselves, but for lists and maps.
    recursive: BTreeSet<&'a str>,
}

impl<'a> Writer<'a> {
    fn new(document: &'a Document, operations: Vec<(&'a String, &'a Operation)>) -> Result<Self> {
        let (mut inputs, mut outputs) = (BTreeSet::new(), BTreeSet::new());
        for (_, operation) in &operations {
            operation.input.iter().try_for_each(|input| reach(document, &input.shape, &mut inputs))?;
            operation.output.iter().try_for_each(|output| reach(document, &output.shape, &mut outputs))?;
        }
        let mut writer = Self {
            document,
            operations,
            inputs,
            outputs,
            without_default: BTreeSet::new(),
            recursive: BTreeSet::new(),
        };
        let used = writer.inputs.union(&writer.outputs).copied();
        let structures: Vec<&str> = used.filter(|name| writer.is(name, "structure")).collect();
        loop {
            let before = writer.without_default.len();
            for name in &structures {
                if writer.lacks_default(name)? {
                    writer.without_default.insert(name);
                }
            }
            if writer.without_default.len() == before {
                break;
            }
        }
        for name in structures {
            if writer.leads_to(name, name, &mut BTreeSet::new())? {
                writer.recursive.insert(name);
            }
        }
        Ok(writer)
    }

    fn uses(&self, name: &str) -> bool {
        self.inputs.contains(name) || self.outputs.contains(name)
    }

    fn shape(&self, name: &str) -> Result<&'a Shape> {
        shape(self.document, name)
    }

    fn is(&self, name: &str, kind: &str) -> bool {
        self.document.shapes.get(name).is_some_and(|shape| shape.kind == kind)
    }

    fn lacks_default(&self, name: &str) -> Result<bool> {
        let shape = self.shape(name)?;
        for member in &shape.required {
            let reference = shape.members.get(member).with_context(|| format!("{name} has no {member}"))?;
            let of = self.shape(&reference.shape)?;
            if of.values.is_some() || self.without_default.contains(reference.shape.as_str()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn leads_to(&self, from: &'a str, to: &str, seen: &mut BTreeSet<&'a str>) -> Result<bool> {
        for reference in self.shape(from)?.members.values() {
            let next = reference.shape.as_str();
            if !self.is(next, "structure") {
                continue;
            }
            if next == to || (seen.insert(next) && self.leads_to(next, to, seen)?) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn structure(&self, text: &mut String, name: &'a str, shape: &'a Shape) -> Result<()> {
        let rule = Case::of(shape.members.keys().map(String::as_str));
        let default = if self.without_default.contains(name) { "" } else { " Default" };
        let read = if self.inputs.contains(name) { " Deserialize" } else { "" };
        let written = if self.outputs.contains(name) { " Serialize" } else { "" };
        let case = match rule {
            Case::Pascal => "PascalCase",
            Case::Camel => "camelCase",
        };
        write!(text, "\nstructure! {{\n    [\"{case}\"{default}{read}{written}]\n    {} {{\n", type_name(name))?;
        let is_required = |member: &String| shape.required.contains(member);
        let (required, optional): (Vec<_>, Vec<_>) = shape.members.iter().partition(|(member, _)| is_required(member));
        for (member, reference) in required {
            self.member(text, rule, member, reference)?;
        }
        text.push_str("        |\n");
        for (member, reference) in optional {
            self.member(text, rule, member, reference)?;
        }
        text.push_str("    }\n}\n");
        Ok(())
    }

    fn member(&self, text: &mut String, rule: Case, member: &str, reference: &Reference) -> Result<()> {
        if self.shape(&reference.shape)?.eventstream {
            return Ok(());
        }
        let name = field(member);
        if wire(&name, rule) != member {
            writeln!(text, "        #[serde(rename = \"{member}\")]")?;
        }
        writeln!(text, "        {name}: {},", self.rust_type(&reference.shape)?)?;
        Ok(())
    }

    fn rust_type(&self, name: &str) -> Result<String> {
        let shape = self.shape(name)?;
        let of = |reference: &Option<Reference>| {
            let reference = reference.as_ref().with_context(|| format!("{name} does not say of what it is"))?;
            self.rust_type(&reference.shape)
        };
        // What is only written has no need of a sign unless the model says so: it counts something.
        let min = shape.min.as_ref().and_then(serde_json::Number::as_f64);
        let is_natural = min.map_or(!self.inputs.contains(name), |min| min >= 0.0);
        Ok(match shape.kind.as_str() {
            "string" if shape.values.is_some() => type_name(name),
            "string" => "String".to_owned(),
            "integer" => if is_natural { "u32" } else { "i32" }.to_owned(),
            "long" => if is_natural { "u64" } else { "i64" }.to_owned(),
            "double" | "float" => "f64".to_owned(),
            "boolean" => "bool".to_owned(),
            "blob" => "Blob".to_owned(),
            "timestamp" => "Time".to_owned(),
            "list" => format!("Vec<{}>", of(&shape.member)?),
            "map" => format!("BTreeMap<String, {}>", of(&shape.value)?),
            "structure" if self.recursive.contains(name) => format!("Box<{}>", type_name(name)),
            "structure" => type_name(name),
            kind => anyhow::bail!("{name}: no Rust type for {kind}"),
        })
    }

    fn operations(&self, text: &mut String) -> Result<()> {
        text.push_str("\noperations! {\n");
        for (name, operation) in &self.operations {
            let of = |reference: &Option<Reference>, nothing: &str| {
                reference.as_ref().map_or_else(|| nothing.to_owned(), |reference| type_name(&reference.shape))
            };
            writeln!(text, "    {name}({}) -> {},", of(&operation.input, "Nothing"), of(&operation.output, "()"))?;
        }
        text.push_str("}\n");
        Ok(())
    }
}

fn shape<'a>(document: &'a Document, name: &str) -> Result<&'a Shape> {
    document.shapes.get(name).with_context(|| format!("there is no shape {name}"))
}

/// Adds the shape and all that it leads to.
fn reach<'a>(document: &'a Document, name: &'a str, reached: &mut BTreeSet<&'a str>) -> Result<()> {
    if !reached.insert(name) {
        return Ok(());
    }
    let of = shape(document, name)?;
    for reference in of.members.values().chain(&of.member).chain(&of.key).chain(&of.value) {
        if !shape(document, &reference.shape)?.eventstream {
            reach(document, &reference.shape, reached)?;
        }
    }
    Ok(())
}

fn enumeration(text: &mut String, name: &str, shape: &Shape) -> Result<()> {
    let mut variants: BTreeMap<String, &str> = BTreeMap::new();
    write!(text, "\nenumeration! {{\n    {} {{\n", type_name(name))?;
    for value in shape.values.iter().flatten() {
        let variant = variant(value);
        let other = variants.insert(variant.clone(), value);
        ensure!(other.is_none(), "{name}: {value} and {other:?} are both {variant}");
        writeln!(text, "        {variant} = \"{value}\",")?;
    }
    text.push_str("    }\n}\n");
    Ok(())
}

fn errors(text: &mut String, document: &Document) -> Result<()> {
    text.push_str("\nerrors! {\n");
    for (name, shape) in document.shapes.iter().filter(|(_, shape)| shape.exception) {
        let modelled = shape.error.as_ref();
        let code = modelled.and_then(|error| error.code.as_deref()).unwrap_or(name);
        let status = modelled.and_then(|error| error.http_status_code).unwrap_or(if shape.fault { 500 } else { 400 });
        writeln!(text, "    {} = \"{code}\" {status},", constant(name))?;
    }
    text.push_str("}\n");
    Ok(())
}
