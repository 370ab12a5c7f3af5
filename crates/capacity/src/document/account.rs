//! What holds for an account, and who trusts whom, as operators write it.

use std::collections::BTreeSet;

use hearth_engine::capacity::{AccountPolicy, GroupName, PoolName, Shortage, Spread, TrustGroup};
use hearth_types::AccountId;
use serde::{Deserialize, Serialize};

use super::{check_name, invalid, price_of};
use crate::CapacityError;

const WAIT_S_MAX: u32 = 86_400;
/// Most instances that anybody's sandboxes are spread over.
const SPREAD_MAX: u32 = 4096;

/// What holds for one account.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountDocument {
    /// Which.
    pub account: AccountId,
    /// Instead of the pool that its identity selects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// What is tried in turn when its pool has nothing: `borrow:POOL,POOL`, `provision:SECONDS`, `wait:SECONDS`, `queue`, `reject`.
    #[serde(default)]
    pub shortage: Vec<String>,
    /// No instance that costs more per hour is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_max: Option<f64>,
    /// Over how many of its pool's shared instances its sandboxes go, such as `{min = 1, max = 3}`; else over all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<Spread>,
}

/// Accounts that trust one another.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupDocument {
    /// What policies and pools name it by.
    pub name: String,
    /// Its members. An account that several groups name is in the first of them.
    pub accounts: BTreeSet<AccountId>,
}

impl AccountDocument {
    pub(crate) fn check(&self) -> Result<(), CapacityError> {
        if let Some(price) = self.price_max {
            price_of("price_max", price)?;
        }
        if self.spread.is_some_and(|spread| !(1..=spread.max).contains(&spread.min) || spread.max > SPREAD_MAX) {
            return Err(invalid(format!(
                "spread needs a min of at least 1 and a max of at least that, at most {SPREAD_MAX}"
            )));
        }
        if self.shortage.len() > 8 {
            return Err(invalid("shortage has at most 8 steps"));
        }
        self.shortage.iter().try_for_each(|step| shortage(step).map(drop))
    }

    /// The pools that it names.
    pub(crate) fn pools(&self) -> impl Iterator<Item = String> {
        let steps = self.shortage.iter().filter_map(|step| shortage(step).ok());
        let borrowed = steps.filter_map(|step| match step {
            Shortage::Borrow { from } => Some(from),
            Shortage::Provision { .. } | Shortage::Wait { .. } | Shortage::Queue | Shortage::Reject => None,
        });
        borrowed.flatten().map(|pool| pool.0).chain(self.pool.clone())
    }

    pub(crate) fn to_policy(&self) -> AccountPolicy {
        AccountPolicy {
            pool: self.pool.clone().map(PoolName),
            shortage: self.shortage.iter().filter_map(|step| shortage(step).ok()).collect(),
            price_max: self.price_max.and_then(|price| price_of("price_max", price).ok()),
            spread: self.spread,
        }
    }
}

impl GroupDocument {
    pub(crate) fn check(&self) -> Result<(), CapacityError> {
        check_name("name", &self.name)
    }

    pub(crate) fn to_group(&self) -> TrustGroup {
        TrustGroup { name: GroupName(self.name.clone()), accounts: self.accounts.clone() }
    }
}

fn shortage(step: &str) -> Result<Shortage, CapacityError> {
    let wrong = || {
        invalid(format!(
            "shortage step {step:?} must be borrow:POOL,POOL, provision:SECONDS, wait:SECONDS (at most {WAIT_S_MAX}), \
             queue or reject"
        ))
    };
    let (word, detail) = step.split_once(':').map_or((step, None), |(word, detail)| (word, Some(detail)));
    let seconds = || {
        let seconds = detail.and_then(|detail| detail.parse().ok());
        seconds.filter(|seconds| (1..=WAIT_S_MAX).contains(seconds)).ok_or_else(wrong)
    };
    match (word, detail) {
        ("queue", None) => Ok(Shortage::Queue),
        ("reject", None) => Ok(Shortage::Reject),
        ("wait", Some(_)) => Ok(Shortage::Wait { seconds: seconds()? }),
        ("provision", Some(_)) => Ok(Shortage::Provision { seconds: seconds()? }),
        ("borrow", Some(pools)) => {
            let from: Vec<PoolName> = pools.split(',').map(|pool| PoolName(pool.to_owned())).collect();
            from.iter().try_for_each(|pool| check_name("pool", &pool.0)).map_err(|_name| wrong())?;
            Ok(Shortage::Borrow { from })
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortage_steps_are_read_or_refused_with_what_to_write() {
        let borrow = Shortage::Borrow { from: vec![PoolName("a".to_owned()), PoolName("b-2".to_owned())] };
        assert_eq!(shortage("borrow:a,b-2").unwrap(), borrow);
        assert_eq!(shortage("wait:30").unwrap(), Shortage::Wait { seconds: 30 });
        assert_eq!(shortage("provision:5").unwrap(), Shortage::Provision { seconds: 5 });
        assert_eq!((shortage("queue").unwrap(), shortage("reject").unwrap()), (Shortage::Queue, Shortage::Reject));
        for wrong in ["", "wait", "wait:", "wait:0", "wait:-1", "wait:86401", "borrow:", "borrow:A", "queue:1", "steal"]
        {
            assert!(shortage(wrong).unwrap_err().to_string().contains("wait:SECONDS"), "{wrong}");
        }
    }

    #[test]
    fn a_spread_is_from_one_instance_up_to_a_maximum() {
        let check = |spread: &str| {
            let text = format!(r#"{{"account": "123456789012", "spread": {spread}}}"#);
            serde_json::from_str::<AccountDocument>(&text).map(|document| document.check().is_ok())
        };
        for good in [r#"{"min": 1, "max": 1}"#, r#"{"min": 2, "max": 4096}"#] {
            assert!(check(good).unwrap(), "{good}");
        }
        for wrong in [r#"{"min": 0, "max": 1}"#, r#"{"min": 3, "max": 2}"#, r#"{"min": 1, "max": 4097}"#] {
            assert!(!check(wrong).unwrap(), "{wrong}");
        }
        for wrong in [r#"{"min": 1}"#, r#"{"min": 1, "max": -1}"#, r#"{"min": 1, "max": 2, "mid": 1}"#, "3"] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }
}
