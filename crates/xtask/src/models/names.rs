//! AWS's names as Rust's.

use heck::{ToShoutySnakeCase, ToSnakeCase, ToUpperCamelCase};

/// Words that cannot be the name of a field.
const KEYWORDS: &[&str] = &["as", "enum", "for", "in", "match", "mod", "ref", "static", "type", "use", "where"];

pub(crate) fn field(member: &str) -> String {
    let name = member.to_snake_case();
    if KEYWORDS.contains(&name.as_str()) { format!("r#{name}") } else { name }
}

/// What serde makes of the field's name under the structure's rule.
pub(super) fn wire(field: &str, rule: Case) -> String {
    let field = field.trim_start_matches("r#");
    let pascal: String = field
        .split('_')
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters)
        })
        .collect();
    match rule {
        Case::Pascal => pascal,
        Case::Camel => lower_first(&pascal),
    }
}

/// How a structure's members begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Case {
    Pascal,
    Camel,
}

impl Case {
    /// That of most names.
    pub(super) fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let upper = |name: &str| if name.starts_with(char::is_uppercase) { 1 } else { -1 };
        if names.map(upper).sum::<i32>() >= 0 { Self::Pascal } else { Self::Camel }
    }
}

pub(crate) fn type_name(shape: &str) -> String {
    let shape = shape.trim_start_matches('_');
    let mut letters = shape.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

pub(super) fn constant(name: &str) -> String {
    name.replace(|c: char| !c.is_ascii_alphanumeric(), "_").to_shouty_snake_case()
}

/// `python3.10` is `Python3_10`, `$LATEST` is `Latest`.
pub(super) fn variant(value: &str) -> String {
    let mut name = String::new();
    let mut words = value.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).peekable();
    while let Some(word) = words.next() {
        name.push_str(&word.to_upper_camel_case());
        let between_digits = word.ends_with(|c: char| c.is_ascii_digit())
            && words.peek().is_some_and(|next| next.starts_with(|c: char| c.is_ascii_digit()));
        if between_digits {
            name.push('_');
        }
    }
    match name.chars().next() {
        None => "Empty".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("V{name}"),
        Some(_) if name == "Self" => "Itself".to_owned(),
        Some(_) => name,
    }
}

fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}
