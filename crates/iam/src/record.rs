//! What is stored of roles and policies, one JSON document each, in the partition `iam/ACCOUNT`:
//! ```text
//! role/NAME, policy/NAME      NAME in lower case: names differ by more than case
//! ```

use std::collections::{BTreeMap, BTreeSet};

use hearth_types::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Role {
    pub name: String,
    /// `/` or `/a/b/`.
    pub path: String,
    /// `AROA...`.
    pub id: String,
    pub created_at: Timestamp,
    /// JSON, as sent.
    pub trust: String,
    pub description: Option<String>,
    pub session_s_max: u32,
    pub permissions_boundary: Option<String>,
    pub tags: BTreeMap<String, String>,
    /// Name and JSON of each.
    pub inline: BTreeMap<String, String>,
    /// ARNs.
    pub attached: BTreeSet<String>,
}

impl Role {
    pub fn arn(&self, account: &AccountId) -> String {
        format!("arn:aws:iam::{account}:role{}{}", self.path, self.name)
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PolicyVersion {
    /// JSON, as sent.
    pub document: String,
    pub created_at: Timestamp,
}

/// A managed policy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Policy {
    pub name: String,
    pub path: String,
    /// `ANPA...`.
    pub id: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub description: Option<String>,
    pub default_version: u32,
    /// Never reused.
    pub last_version: u32,
    pub versions: BTreeMap<u32, PolicyVersion>,
    /// Roles that it is attached to.
    pub attachments: u32,
    pub tags: BTreeMap<String, String>,
}

impl Policy {
    pub fn arn(&self, account: &AccountId) -> String {
        format!("arn:aws:iam::{account}:policy{}{}", self.path, self.name)
    }
}
