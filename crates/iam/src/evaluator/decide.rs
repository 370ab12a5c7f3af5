//! What all policies together say, within an account and across two.

use std::sync::Arc;

use super::policy::{Policy, Verdict};
use super::principal::Named;
use super::request::Request;

/// The policies that a request is held to.
#[derive(Clone, Copy, Debug)]
pub struct Policies<'a> {
    /// Of the user or role.
    pub identity: &'a [Arc<Policy>],
    /// Given for the session alone.
    pub session: Option<&'a [Arc<Policy>]>,
    pub boundary: Option<&'a Policy>,
    pub resource: Option<&'a Policy>,
    pub rule: ResourceRule,
}

/// What a resource's policy means to principals of its own account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ResourceRule {
    /// It or a policy of the principal has to allow.
    Either,
    /// It has to allow, as a role's trust policy does.
    Required,
}

/// Kinds of policies, as messages name them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    Identity,
    Resource,
    Session,
    Boundary,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    Allowed,
    /// No policy of this kind allows it.
    ImplicitlyDenied(Source),
    /// A policy of this kind denies it.
    ExplicitlyDenied(Source),
}

impl Source {
    fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity-based policy",
            Self::Resource => "resource-based policy",
            Self::Session => "session policy",
            Self::Boundary => "permissions boundary",
        }
    }
}

impl Decision {
    /// What AWS tells one who is denied (IAM User Guide, "Troubleshoot access denied error messages").
    pub fn message(self, principal: &str, action: &str, resource: &str) -> Option<String> {
        let reason = match self {
            Self::Allowed => return None,
            Self::ImplicitlyDenied(source) => format!("because no {} allows the {action} action", source.name()),
            Self::ExplicitlyDenied(source) => {
                let article = if source == Source::Identity { "an" } else { "a" };
                format!("with an explicit deny in {article} {}", source.name())
            }
        };
        Some(format!("User: {principal} is not authorized to perform: {action} on resource: {resource} {reason}"))
    }
}

/// Decides a request about a resource of account `owner`.
pub fn decide(request: &Request<'_>, policies: &Policies<'_>, owner: &str) -> Decision {
    let said = Said::of(request, policies);
    if let Some(source) = said.denying() {
        return Decision::ExplicitlyDenied(source);
    }
    let missing = if request.principal.has_no_identity() {
        said.resource_missing()
    } else if request.principal.account() != owner {
        said.resource_missing().or_else(|| said.own_missing())
    } else if policies.rule == ResourceRule::Required {
        said.resource_missing().or_else(|| said.same_account_missing())
    } else {
        said.same_account_missing()
    };
    missing.map_or(Decision::Allowed, Decision::ImplicitlyDenied)
}

/// What each kind of policies says. Without a boundary or session policies, those allow.
struct Said {
    identity: Verdict,
    session: Verdict,
    boundary: Verdict,
    resource: Verdict,
    /// Whether a resource's policy that names a role leaves boundary and session policies in force: not for users.
    is_session: bool,
}

impl Said {
    fn of(request: &Request<'_>, policies: &Policies<'_>) -> Self {
        let most = |policies: &[Arc<Policy>]| {
            policies.iter().map(|policy| policy.judge(request)).max().unwrap_or(Verdict::Silent)
        };
        let allowed = Verdict::Allowed(Named::Itself);
        let principal = request.principal;
        Self {
            identity: if principal.is_root() { allowed } else { most(policies.identity) },
            session: policies.session.map_or(allowed, most),
            boundary: policies.boundary.map_or(allowed, |boundary| boundary.judge(request)),
            resource: policies.resource.map_or(Verdict::Silent, |policy| policy.judge_principal(request)),
            is_session: principal.is_role_session(),
        }
    }

    fn denying(&self) -> Option<Source> {
        let said = [
            (self.identity, Source::Identity),
            (self.resource, Source::Resource),
            (self.boundary, Source::Boundary),
            (self.session, Source::Session),
        ];
        said.into_iter().find(|(verdict, _)| *verdict == Verdict::Denied).map(|(_, source)| source)
    }

    fn resource_missing(&self) -> Option<Source> {
        (self.resource == Verdict::Silent).then_some(Source::Resource)
    }

    fn limits_missing(&self) -> Option<Source> {
        if self.boundary == Verdict::Silent {
            Some(Source::Boundary)
        } else {
            (self.session == Verdict::Silent).then_some(Source::Session)
        }
    }

    fn own_missing(&self) -> Option<Source> {
        if self.identity == Verdict::Silent { Some(Source::Identity) } else { self.limits_missing() }
    }

    /// A resource's policy that names a user or a session lets it through; one that names the session's role, or everybody, as far
    /// as boundary and session policies go; one that names the account leaves it to the account's own policies.
    fn same_account_missing(&self) -> Option<Source> {
        match self.resource {
            Verdict::Allowed(Named::Itself) => None,
            Verdict::Allowed(Named::Everyone) if !self.is_session => None,
            Verdict::Allowed(Named::Everyone | Named::Role) => self.limits_missing(),
            Verdict::Allowed(Named::Account) | Verdict::Silent | Verdict::Denied => self.own_missing(),
        }
    }
}
