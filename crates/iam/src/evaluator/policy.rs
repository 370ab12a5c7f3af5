//! A policy document, compiled, and what it says of a request.

use serde_json::Value;

use super::condition::{self, Condition};
use super::operand::texts;
use super::pattern::{Pattern, Wildcards};
use super::principal::{Named, Principals};
use super::request::Request;

/// A document, compiled. Of what is no policy nothing is allowed.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    statements: Vec<Statement>,
}

/// What one policy says of a request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verdict {
    Silent,
    /// Of a policy without principals: `Named::Itself`.
    Allowed(Named),
    Denied,
}

#[derive(Clone, Debug)]
struct Statement {
    denies: bool,
    /// `None`: it names nobody, as identity policies do.
    principals: Option<Listed<Principals>>,
    actions: Listed<Vec<Pattern>>,
    /// `None`: whatever the policy belongs to, as in trust policies.
    resources: Option<Listed<Vec<Pattern>>>,
    conditions: Vec<Condition>,
}

/// What an element lists, or with `Not...`, excepts.
#[derive(Clone, Debug)]
enum Listed<T> {
    These(T),
    Others(T),
}

impl Policy {
    pub fn compile(document: &str) -> Self {
        serde_json::from_str(document).map(|value: Value| Self::of_value(&value)).unwrap_or_default()
    }

    pub(super) fn of_value(document: &Value) -> Self {
        // Variables came with this version; before, and where none is given, they are plain text.
        let variables = document.get("Version").and_then(Value::as_str) == Some("2012-10-17");
        let statements = match document.get("Statement") {
            Some(Value::Array(list)) => list.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        Self { statements: statements.iter().filter_map(|value| Statement::read(value, variables)).collect() }
    }

    /// What a policy of an identity says: a user's, a role's, a session's, or a boundary.
    pub fn judge(&self, request: &Request<'_>) -> Verdict {
        self.verdict(request, Some(Named::Itself))
    }

    /// What a policy of a resource says, where a statement that names nobody means nobody.
    pub fn judge_principal(&self, request: &Request<'_>) -> Verdict {
        self.verdict(request, None)
    }

    fn verdict(&self, request: &Request<'_>, nobody_named: Option<Named>) -> Verdict {
        let mut verdict = Verdict::Silent;
        for statement in &self.statements {
            match statement.applies(request, nobody_named) {
                Some(_) if statement.denies => return Verdict::Denied,
                Some(named) => verdict = verdict.max(Verdict::Allowed(named)),
                None => {}
            }
        }
        verdict
    }
}

impl Statement {
    /// `None`: it has no effect. What is not understood makes an allowing statement have none, and a denying one deny all.
    fn read(value: &Value, variables: bool) -> Option<Self> {
        let denies = match value.get("Effect").and_then(Value::as_str) {
            Some("Allow") => false,
            Some("Deny") => true,
            _ => return None,
        };
        let action = |text: &str| Pattern::ignoring_case(text, Wildcards::Anything, false);
        let resource = |text: &str| Pattern::new(text, Wildcards::Resource, variables);
        let patterns = |value: &Value, read: &dyn Fn(&str) -> Pattern| -> Option<Vec<Pattern>> {
            Some(texts(value)?.iter().map(|text| read(text)).collect())
        };
        let principals = listed(value, "Principal", Principals::read);
        let actions = listed(value, "Action", |value| patterns(value, &action));
        let resources = listed(value, "Resource", |value| patterns(value, &resource));
        let conditions = value.get("Condition").map_or(Some(Vec::new()), |value| condition::read(value, variables));
        let unclear =
            principals.is_none() || resources.is_none() || conditions.is_none() || !matches!(actions, Some(Some(_)));
        if unclear && !denies {
            return None;
        }
        let everybody = || Some(Listed::Others(Principals::default()));
        Some(Self {
            denies,
            principals: principals.unwrap_or_else(everybody),
            actions: actions.flatten().unwrap_or_else(|| Listed::Others(Vec::new())),
            resources: resources.unwrap_or_else(|| Some(Listed::Others(Vec::new()))),
            conditions: conditions.unwrap_or_default(),
        })
    }

    /// How it names the principal, if it is about this request.
    fn applies(&self, request: &Request<'_>, nobody_named: Option<Named>) -> Option<Named> {
        let has = |listed: &Listed<Vec<Pattern>>, text: &str| match listed {
            Listed::These(patterns) => patterns.iter().any(|pattern| pattern.matches(text, request)),
            Listed::Others(patterns) => !patterns.iter().any(|pattern| pattern.matches(text, request)),
        };
        if !has(&self.actions, &request.action)
            || !self.resources.as_ref().is_none_or(|resources| has(resources, request.resource))
        {
            return None;
        }
        let named = match &self.principals {
            None => nobody_named,
            Some(Listed::These(principals)) => principals.named(request.principal),
            Some(Listed::Others(spared)) if self.denies => {
                (!spared.name_all_of(request.principal)).then_some(Named::Everyone)
            }
            Some(Listed::Others(excepted)) => excepted.named(request.principal).is_none().then_some(Named::Everyone),
        };
        let holds = |condition: &Condition| condition.holds(request).unwrap_or(self.denies);
        named.filter(|_| self.conditions.iter().all(holds))
    }
}

/// `NAME` or `NotNAME` of a statement; `Some(None)` if there is neither, `None` if it is not understood.
#[expect(clippy::option_option, reason = "absent and not understood differ")]
fn listed<T>(statement: &Value, name: &str, read: impl Fn(&Value) -> Option<T>) -> Option<Option<Listed<T>>> {
    match (statement.get(name), statement.get(format!("Not{name}"))) {
        (None, None) => Some(None),
        (Some(these), None) => read(these).map(|these| Some(Listed::These(these))),
        (None, Some(others)) => read(others).map(|others| Some(Listed::Others(others))),
        (Some(_), Some(_)) => None,
    }
}
