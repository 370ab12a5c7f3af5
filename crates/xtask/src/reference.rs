//! `reference`: the second half of `docs/configuration.md`, made from the structures that the configuration file is read into, so that
//! every key stands there with what the code says of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail, ensure};
use quote::ToTokens as _;
use syn::{Expr, Fields, ImplItem, Item, Lit, Meta, Stmt, Type};

use crate::report;

/// Where the structures are, the one of the whole file first.
const SOURCES: &[&str] = &[
    "crates/daemon/src/config.rs",
    "crates/daemon/src/buckets/section.rs",
    "crates/capacity/src/document.rs",
    "crates/capacity/src/document/pool.rs",
    "crates/capacity/src/document/account.rs",
    "crates/engine/src/capacity.rs",
];
const PAGE: &str = "docs/configuration.md";
const MARK: &str = "<!-- From here on written by `cargo xtask reference`. -->\n";

/// Defaults that are not literals, without their spaces, and as the file would say them.
const EXPRESSIONS: &[(&str, &str)] = &[
    ("SocketAddr::from(([127,0,0,1],DEFAULT_PORT))", "\"127.0.0.1:4566\""),
    ("default_data_dir()", "\"/var/lib/hearth\"; not as root: \"~/.local/share/hearth\""),
    ("\"us-east-1\".parse().expect(\"awell-formedRegion\")", "\"us-east-1\""),
    ("\"000000000000\".parse().expect(\"twelvedigits\")", "\"000000000000\""),
    ("Choice::HEARTH", "\"hearth\""),
    ("ParkingMode::default()", "\"zygote\""),
    ("hearth_types::NetworkMode::default()", "\"none\""),
    ("PoolName::general().0", "\"general\""),
    ("PoolKind::General", "\"general\""),
];

/// Writes the page anew.
pub(super) fn write() -> Result<ExitCode> {
    std::fs::write(PAGE, page()?)?;
    Ok(ExitCode::SUCCESS)
}

/// Whether the page says what the code does.
pub(super) fn check() -> Result<ExitCode> {
    let mut count = 0;
    if std::fs::read_to_string(PAGE)? != page()? {
        report(&mut count, &format!("{PAGE} is not what the code says: run `cargo xtask reference`"));
    }
    Ok(if count == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn page() -> Result<String> {
    let page = std::fs::read_to_string(PAGE)?;
    let (by_hand, _) = page.split_once(MARK).with_context(|| format!("{PAGE} has no line {MARK}"))?;
    let code = Code::read()?;
    let mut text = format!("{by_hand}{MARK}\n## Every key\n");
    code.section(&mut text, "", "Config")?;
    Ok(text)
}

/// What is said of one key.
struct Key {
    name: String,
    kind: Type,
    doc: String,
    /// What the serialisation of a missing key is left to: a function, or the type's own default.
    default: Option<String>,
}

/// The structures by name.
struct Code {
    structures: BTreeMap<String, Vec<Key>>,
    /// `structure.field`, as its `Default` has it; of functions: their bodies, by name.
    defaults: BTreeMap<String, String>,
}

impl Code {
    fn read() -> Result<Self> {
        let mut code = Self { structures: BTreeMap::new(), defaults: BTreeMap::new() };
        for source in SOURCES {
            let text = std::fs::read_to_string(Path::new(source)).with_context(|| format!("cannot read {source}"))?;
            for item in syn::parse_file(&text)?.items {
                code.take(item);
            }
        }
        Ok(code)
    }

    fn take(&mut self, item: Item) {
        match item {
            Item::Struct(structure) => {
                if let Fields::Named(fields) = structure.fields {
                    let keys = fields.named.iter().filter_map(key).collect();
                    self.structures.entry(structure.ident.to_string()).or_insert(keys);
                }
            }
            Item::Fn(function) => {
                if let [Stmt::Expr(body, None)] = function.block.stmts.as_slice() {
                    self.defaults.insert(function.sig.ident.to_string(), literal(body));
                }
            }
            Item::Impl(implementation) if of_default(&implementation) => {
                let Type::Path(owner) = implementation.self_ty.as_ref() else { return };
                let owner = owner.to_token_stream().to_string();
                for item in implementation.items {
                    if let ImplItem::Fn(function) = item
                        && let [Stmt::Expr(Expr::Struct(value), None)] = function.block.stmts.as_slice()
                    {
                        let fields = value.fields.iter();
                        let named = fields.map(|field| {
                            let name = field.member.to_token_stream();
                            (format!("{owner}.{name}"), literal(&field.expr))
                        });
                        self.defaults.extend(named);
                    }
                }
            }
            _ => {}
        }
    }

    /// The keys of a structure as a table, and behind it those of the structures in it.
    fn section(&self, text: &mut String, place: &str, structure: &str) -> Result<()> {
        let keys = self.structures.get(structure).with_context(|| format!("no structure {structure}"))?;
        let (tables, keys): (Vec<&Key>, Vec<&Key>) = keys.iter().partition(|key| self.table(&key.kind).is_some());
        if !keys.is_empty() {
            text.push_str("\n| key | default | |\n|---|---|---|\n");
        }
        for key in keys {
            let Key { name, doc, .. } = key;
            ensure!(!doc.is_empty(), "{structure}.{name} says nothing of itself");
            let default = self.default(structure, key)?;
            let default = if default.is_empty() {
                default
            } else {
                format!("`{default}`").replace("; ", "`; ").replace(": \"", ": `\"")
            };
            writeln!(text, "| `{name}` | {} | {doc} |", default.replace("``", "`"))?;
        }
        for key in tables {
            let (inner, many) = self.table(&key.kind).context("a table")?;
            let dotted = if place.is_empty() { key.name.clone() } else { format!("{place}.{}", key.name) };
            let heading = match many {
                Many::One => format!("[{dotted}]"),
                Many::List => format!("[[{dotted}]]"),
                Many::Named => format!("[{dotted}.NAME]"),
            };
            let below = self.structures.get(inner).context("a structure")?;
            let bare = below.iter().all(|key| self.table(&key.kind).is_some());
            if !bare {
                write!(text, "\n### `{heading}`\n")?;
                if !key.doc.is_empty() {
                    write!(text, "\n{}\n", key.doc)?;
                }
            }
            self.section(text, &dotted, inner)?;
        }
        Ok(())
    }

    /// The structure in a key's type, if it has a table of its own in the file.
    fn table(&self, kind: &Type) -> Option<(&str, Many)> {
        let Type::Path(path) = kind else { return None };
        let last = path.path.segments.last()?;
        let inner = || match &last.arguments {
            syn::PathArguments::AngleBracketed(arguments) => match arguments.args.last()? {
                syn::GenericArgument::Type(kind) => Some(kind),
                _ => None,
            },
            _ => None,
        };
        let name = last.ident.to_string();
        match name.as_str() {
            "Option" => self.table(inner()?),
            "Vec" => Some((self.table(inner()?)?.0, Many::List)),
            "BTreeMap" => Some((self.table(inner()?)?.0, Many::Named)),
            _ => {
                let is_table = name.ends_with("Section") || name.ends_with("Document") || name.ends_with("Key");
                let (name, _) = self.structures.get_key_value(&name).filter(|_| is_table)?;
                Some((name, Many::One))
            }
        }
    }

    fn default(&self, structure: &str, key: &Key) -> Result<String> {
        let found = match &key.default {
            Some(function) => self.defaults.get(function),
            None => self.defaults.get(&format!("{structure}.{}", key.name)),
        };
        let kind = key.kind.to_token_stream().to_string().replace(' ', "");
        let text = match found {
            Some(text) => text.clone(),
            None if kind.starts_with("bool") => "false".to_owned(),
            None if matches!(kind.as_str(), "u32" | "u64" | "f64" | "usize") && key.default.is_some() => "0".to_owned(),
            None => format!("{kind}::default()"),
        };
        if text == "None"
            || text.starts_with("Vec")
            || text.starts_with("Option")
            || text.starts_with("BTree")
            || text.starts_with("String")
        {
            return Ok(String::new());
        }
        if let Some((_, shown)) = EXPRESSIONS.iter().find(|(expression, _)| *expression == text) {
            return Ok((*shown).to_owned());
        }
        if text.ends_with("::default()") {
            return Ok(String::new());
        }
        if text.contains(['(', ':']) {
            bail!("EXPRESSIONS does not say what {text} is, the default of {structure}.{}", key.name);
        }
        Ok(text.replace('_', ""))
    }
}

#[derive(Clone, Copy)]
enum Many {
    One,
    List,
    Named,
}

fn of_default(implementation: &syn::ItemImpl) -> bool {
    implementation.trait_.as_ref().is_some_and(|(_, path, _)| path.is_ident("Default"))
}

fn literal(expression: &Expr) -> String {
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => format!("{:?}", text.value()),
            other => other.to_token_stream().to_string(),
        },
        other => other.to_token_stream().to_string().replace(' ', ""),
    }
}

fn key(field: &syn::Field) -> Option<Key> {
    let mut name = field.ident.as_ref()?.to_string();
    let (mut doc, mut default) = (String::new(), None);
    for attribute in &field.attrs {
        match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("doc") => {
                if let Expr::Lit(literal) = &pair.value
                    && let Lit::Str(line) = &literal.lit
                {
                    doc.push_str(&line.value());
                }
            }
            Meta::List(list) if list.path.is_ident("serde") => {
                // What is not known here is of no concern.
                let _other = list.parse_nested_meta(|meta| {
                    let value = meta.value().and_then(syn::parse::ParseBuffer::parse::<syn::LitStr>);
                    match value {
                        Ok(value) if meta.path.is_ident("rename") => name = value.value(),
                        Ok(value) if meta.path.is_ident("default") => default = Some(value.value()),
                        Ok(_) => {}
                        Err(_) if meta.path.is_ident("default") => default = Some("Default".to_owned()),
                        Err(_) => {}
                    }
                    Ok(())
                });
            }
            _ => {}
        }
    }
    Some(Key { name, kind: field.ty.clone(), doc: doc.trim().replace('|', "\\|"), default })
}
