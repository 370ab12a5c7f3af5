//! Who asks, and whom `Principal` and `NotPrincipal` name.

use serde_json::Value;

use super::operand::texts;

#[derive(Clone, PartialEq, Eq, Debug)]
enum Kind {
    Root,
    User,
    RoleSession,
    FederatedUser,
    Service,
    /// By the provider that vouches for them.
    Federated,
    Anonymous,
}

/// Who asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Principal {
    kind: Kind,
    account: String,
    /// As a request shows it; of services and providers, their name.
    arn: String,
    /// Of a user or role, without its path.
    name: String,
    /// `aws:PrincipalArn`: of a role's session it is the role's.
    issuer_arn: String,
    user_id: Option<String>,
    /// `aws:PrincipalTag/KEY` and the tag's value; `None`: they are not known here.
    tags: Option<Vec<(String, String)>>,
}

impl Principal {
    /// Of `arn:aws:iam::ACCOUNT:root`, `:user/...`, `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION` or `:federated-user/NAME`.
    pub fn of_arn(arn: &str) -> Option<Self> {
        let sections: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", partition, service @ ("iam" | "sts"), "", account, resource] = *sections else { return None };
        let (kind, name) = match (service, resource.split_once('/')) {
            ("iam", None) if resource == "root" => (Kind::Root, ""),
            ("iam", Some(("user", path))) => (Kind::User, path.rsplit('/').next()?),
            ("sts", Some(("assumed-role", rest))) => (Kind::RoleSession, rest.split_once('/')?.0),
            ("sts", Some(("federated-user", name))) => (Kind::FederatedUser, name),
            _ => return None,
        };
        let issuer_arn = match kind {
            Kind::RoleSession => format!("arn:{partition}:iam::{account}:role/{name}"),
            _ => arn.to_owned(),
        };
        let (account, arn, name) = (account.to_owned(), arn.to_owned(), name.to_owned());
        Some(Self { kind, account, arn, name, issuer_arn, user_id: None, tags: None })
    }

    /// A service of AWS's, such as `lambda.amazonaws.com`.
    pub fn service(name: &str) -> Self {
        Self::outside(Kind::Service, name)
    }

    /// Someone for whom a provider vouches, such as `cognito-identity.amazonaws.com`.
    pub fn federated(provider: &str) -> Self {
        Self::outside(Kind::Federated, provider)
    }

    pub fn anonymous() -> Self {
        Self::outside(Kind::Anonymous, "*")
    }

    fn outside(kind: Kind, name: &str) -> Self {
        let (arn, none) = (name.to_owned(), String::new);
        Self { kind, account: none(), arn, name: none(), issuer_arn: none(), user_id: None, tags: None }
    }

    /// With the role's whole ARN, which a session's lacks.
    #[must_use]
    pub fn with_role_arn(self, arn: &str) -> Self {
        Self { issuer_arn: arn.to_owned(), ..self }
    }

    #[must_use]
    pub fn with_user_id(self, id: &str) -> Self {
        Self { user_id: Some(id.to_owned()), ..self }
    }

    #[must_use]
    pub fn with_tags<'t>(self, tags: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        let named = |(key, value): (&str, &str)| (format!("aws:PrincipalTag/{key}"), value.to_owned());
        Self { tags: Some(tags.into_iter().map(named).collect()), ..self }
    }

    pub fn arn(&self) -> &str {
        &self.arn
    }

    pub fn account(&self) -> &str {
        &self.account
    }

    pub(super) fn is_role_session(&self) -> bool {
        self.kind == Kind::RoleSession
    }

    pub(super) fn is_root(&self) -> bool {
        self.kind == Kind::Root
    }

    /// Whether nothing but a resource's policy can let them do anything.
    pub(super) fn has_no_identity(&self) -> bool {
        matches!(self.kind, Kind::Service | Kind::Federated | Kind::Anonymous)
    }

    pub(super) fn has_unknown_tags(&self) -> bool {
        self.tags.is_none() && !self.is_root() && !self.has_no_identity()
    }

    /// Condition keys that follow from who asks.
    pub(super) fn fact(&self, key: &str) -> Option<&str> {
        if let Some((_, value)) = self.tags.iter().flatten().find(|(name, _)| name.eq_ignore_ascii_case(key)) {
            return Some(value);
        }
        let of_accounts = !self.has_no_identity();
        let known = [
            ("aws:PrincipalArn", Some(self.issuer_arn.as_str()).filter(|_| of_accounts)),
            ("aws:PrincipalAccount", Some(self.account.as_str()).filter(|_| of_accounts)),
            ("aws:PrincipalType", self.kind_name()),
            ("aws:PrincipalIsAWSService", Some(if self.kind == Kind::Service { "true" } else { "false" })),
            ("aws:PrincipalServiceName", Some(self.arn.as_str()).filter(|_| self.kind == Kind::Service)),
            ("aws:userid", self.user_id.as_deref()),
            ("aws:username", Some(self.name.as_str()).filter(|_| self.kind == Kind::User)),
        ];
        known.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).and_then(|(_, value)| value)
    }

    fn kind_name(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Root => Some("Account"),
            Kind::User => Some("User"),
            Kind::RoleSession => Some("AssumedRole"),
            Kind::FederatedUser => Some("FederatedUser"),
            Kind::Anonymous => Some("Anonymous"),
            Kind::Service | Kind::Federated => None,
        }
    }

    /// Whether `arn` is that of the role whose session this is. Names of roles are unique in an account, whatever their path.
    fn is_session_of(&self, arn: &str) -> bool {
        let Some((head, path)) = arn.split_once(":role/") else { return false };
        let name = path.rsplit('/').next();
        self.kind == Kind::RoleSession && head.split(':').nth(4) == Some(&self.account) && name == Some(&self.name)
    }
}

/// How a principal is named, from the loosest to the closest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Named {
    /// By its account, which leaves it to the account's own policies.
    Account,
    /// As everybody.
    Everyone,
    /// By the role whose session it is.
    Role,
    /// By its own ARN or name.
    Itself,
}

/// Whom a statement names. `CanonicalUser` names nobody here.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Principals {
    everyone: bool,
    /// ARNs and numbers of accounts.
    aws: Vec<String>,
    services: Vec<String>,
    federated: Vec<String>,
}

impl Principals {
    /// `None`: it is no list of principals.
    pub(super) fn read(value: &Value) -> Option<Self> {
        if let Value::String(all) = value {
            return (all == "*").then(|| Self { everyone: true, ..Self::default() });
        }
        let mut read = Self::default();
        for (kind, names) in value.as_object()? {
            let names = texts(names)?;
            match kind.as_str() {
                "AWS" => {
                    read.everyone |= names.iter().any(|name| name == "*");
                    read.aws.extend(names);
                }
                "Service" => read.services.extend(names),
                "Federated" => read.federated.extend(names),
                "CanonicalUser" => {}
                _ => return None,
            }
        }
        Some(read)
    }

    /// The closest way in which `who` is named.
    pub(super) fn named(&self, who: &Principal) -> Option<Named> {
        let itself = match who.kind {
            Kind::Service => self.services.contains(&who.arn),
            Kind::Federated => self.federated.contains(&who.arn),
            Kind::Anonymous => false,
            Kind::Root => self.has_account(&who.account),
            Kind::User | Kind::RoleSession | Kind::FederatedUser => self.aws.contains(&who.arn),
        };
        if itself {
            Some(Named::Itself)
        } else if self.aws.iter().any(|name| who.is_session_of(name)) {
            Some(Named::Role)
        } else if self.everyone {
            Some(Named::Everyone)
        } else {
            (!who.has_no_identity() && self.has_account(&who.account)).then_some(Named::Account)
        }
    }

    /// Whether everything that `who` is stands here: itself, its role and its account. `NotPrincipal` with `Deny` spares nobody
    /// else (IAM User Guide, "NotPrincipal").
    pub(super) fn name_all_of(&self, who: &Principal) -> bool {
        let account = who.has_no_identity() || self.has_account(&who.account);
        let role = who.kind != Kind::RoleSession || self.aws.iter().any(|name| who.is_session_of(name));
        self.everyone || (account && role && self.named(who) == Some(Named::Itself))
    }

    fn has_account(&self, account: &str) -> bool {
        self.aws.iter().any(|name| {
            let of_arn =
                || name.strip_suffix(":root").and_then(|arn| arn.split_once(":iam::")).map(|(_, number)| number);
            name == account || of_arn() == Some(account)
        })
    }
}
