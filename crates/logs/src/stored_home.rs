//! Homes as files have them.

use hearth_types::{AccountId, Home, Region};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `ACCOUNT/REGION`; the account alone where it was written before there were Regions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct StoredHome {
    account: AccountId,
    region: Option<Region>,
}

impl StoredHome {
    /// `regionless`: where whatever names no Region belongs.
    pub(crate) fn or_in(self, regionless: &Region) -> Home {
        Home::new(self.account, self.region.unwrap_or_else(|| regionless.clone()))
    }

    #[cfg(test)]
    pub(crate) fn without_region(account: AccountId) -> Self {
        Self { account, region: None }
    }
}

impl From<&Home> for StoredHome {
    fn from(home: &Home) -> Self {
        Self { account: home.account.clone(), region: Some(home.region.clone()) }
    }
}

impl Serialize for StoredHome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.region {
            Some(region) => serializer.collect_str(&format_args!("{}/{region}", self.account)),
            None => self.account.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for StoredHome {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (account, region) = match text.split_once('/') {
            Some((account, region)) => (account, Some(region.parse().map_err(serde::de::Error::custom)?)),
            None => (text.as_str(), None),
        };
        Ok(Self { account: account.parse().map_err(serde::de::Error::custom)?, region })
    }
}
