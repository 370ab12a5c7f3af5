//! From configurations of provisioned concurrency to sandboxes of versions, and the telling of them to the node.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use hearth_engine::port::Provision;
use hearth_types::{VersionKey, VersionSpec};

use crate::function::{Function, Records};
use crate::functions::Shared;
use crate::record::AliasRecord;

/// What one configuration asks for, 0 if there is none.
pub(crate) fn requested(records: &Records, qualifier: &str) -> u32 {
    records.provisioned.get(qualifier).map_or(0, |record| record.requested)
}

/// What all configurations of the function ask for.
pub(crate) fn total(records: &Records) -> u32 {
    records.provisioned.values().fold(0, |sum: u32, record| sum.saturating_add(record.requested))
}

/// The published versions that an alias means.
pub(crate) fn versions_of(alias: &AliasRecord) -> impl Iterator<Item = u64> {
    alias.version.into_iter().chain(alias.other.map(|(number, _)| number))
}

/// The versions of one configuration and how many sandboxes of each it asks for: a weighted alias divides them by its weights.
pub(crate) fn shares(records: &Records, qualifier: &str) -> Vec<(u64, u32)> {
    let requested = requested(records, qualifier);
    let Some(alias) = records.aliases.get(qualifier) else {
        return qualifier.parse().ok().map(|number| (number, requested)).into_iter().collect();
    };
    let (Some(main), other) = (alias.version, alias.other) else { return Vec::new() };
    match other {
        None => vec![(main, requested)],
        Some((other, share)) => {
            // At most `requested`, as the share is at most 1.
            let moved = (f64::from(requested) * share).round() as u32;
            vec![(main, requested.saturating_sub(moved)), (other, moved.min(requested))]
        }
    }
}

/// What configurations before this one, in the order of their names, ask of the same version.
pub(crate) fn shared_before(records: &Records, qualifier: &str, number: u64) -> u32 {
    let before =
        records.provisioned.range::<str, _>((Bound::Unbounded, Bound::Excluded(qualifier))).map(|(other, _)| other);
    let of_version = before.flat_map(|other| shares(records, other)).filter(|(version, _)| *version == number);
    of_version.map(|(_, count)| count).sum()
}

/// What the node is to keep of each version, and within which reservation.
fn kept(function: &Function) -> BTreeMap<&VersionKey, (&Arc<VersionSpec>, u32)> {
    let records = &function.records;
    let mut kept = BTreeMap::new();
    for (number, count) in records.provisioned.keys().flat_map(|qualifier| shares(records, qualifier)) {
        if let Some(version) = function.versions.get(&number).filter(|_| count > 0) {
            kept.entry(&version.spec.key).or_insert((&version.spec, 0)).1 += count;
        }
    }
    kept
}

impl Shared {
    /// Tells the node once more what one configuration asks for: it tries again what failed.
    pub(crate) fn provision_again(&self, function: &Function, qualifier: &str) {
        let Some(node) = self.node() else { return };
        let kept = kept(function);
        let reserved_concurrency = function.records.function.reserved_concurrency;
        for (number, _) in shares(&function.records, qualifier) {
            let version = function.versions.get(&number);
            if let Some((spec, count)) = version.and_then(|version| kept.get(&version.spec.key)) {
                node.provisioner.provision(Provision { spec: Arc::clone(spec), count: *count, reserved_concurrency });
            }
        }
    }

    /// Tells the node what changed from `before` to `after`. Under the account's writer, so that the last change is told last.
    pub(crate) fn provision(&self, before: Option<&Function>, after: Option<&Function>) {
        let Some(node) = self.node() else { return };
        if let Some(spec) = after.map(|after| &after.latest.spec)
            && before.is_none_or(|before| before.latest.spec.key != spec.key)
        {
            node.provisioner.expect(spec);
        }
        let was = before.map(kept).unwrap_or_default();
        let is = after.map(kept).unwrap_or_default();
        let reserved = |function: &Function| function.records.function.reserved_concurrency;
        let reservation = after.and_then(reserved);
        for (key, (spec, _)) in &was {
            if !is.contains_key(key) {
                let spec = Arc::clone(spec);
                node.provisioner.provision(Provision { spec, count: 0, reserved_concurrency: reservation });
            }
        }
        let moved = before.and_then(reserved) != reservation;
        for (key, (spec, count)) in &is {
            if moved || was.get(key).is_none_or(|(_, before)| before != count) {
                let spec = Arc::clone(spec);
                node.provisioner.provision(Provision { spec, count: *count, reserved_concurrency: reservation });
            }
        }
    }
}
