//! Instances, the sub-pools in which they wait, and who may use them.
//!
//! What is promised on an instance is changed here alone: each method says what happened there.

mod rights;
mod site;
mod spread;
mod sub_pool;
mod tenure;
mod trust;

use std::collections::{BTreeMap, HashMap};
use std::ops::Index;

use hearth_types::{AccountId, Instant, SandboxId};
use slotmap::SlotMap;

use super::model::{Claim, Shelf};
use crate::capacity::{AccountPolicy, Instance, InstanceId};
use crate::event::RootId;
use crate::keys::{AccountKey, SiteKey};
pub(super) use site::{Amount, Site, Standing, Stock};
use spread::Widths;
pub(super) use sub_pool::Held;
use sub_pool::SubPools;
use trust::Trust;

#[derive(Debug)]
pub(super) struct Instances {
    all: SlotMap<SiteKey, Site>,
    /// The node's own memory.
    node: SiteKey,
    by_id: BTreeMap<InstanceId, SiteKey>,
    sub_pools: SubPools,
    policies: HashMap<AccountId, AccountPolicy>,
    widths: Widths,
    trust: Trust,
    /// Idle sandboxes that may be ended, of all instances together.
    idle: Amount,
    /// There is nothing but the node itself, for everybody.
    plain: bool,
    /// Perhaps somebody uses fewer instances than before.
    narrow_due: bool,
    /// Those that may have lost their last sandbox in this step.
    perhaps_empty: Vec<SiteKey>,
}

impl Index<SiteKey> for Instances {
    type Output = Site;

    fn index(&self, site: SiteKey) -> &Site {
        &self.all[site]
    }
}

impl Instances {
    /// The node alone.
    pub(super) fn new(node: Instance) -> Self {
        let id = node.id;
        let mut all = SlotMap::default();
        let node = all.insert(Site::new(node, Instant::ZERO));
        Self {
            all,
            node,
            by_id: BTreeMap::from([(id, node)]),
            sub_pools: SubPools::default(),
            policies: HashMap::new(),
            widths: Widths::new(),
            trust: Trust::default(),
            idle: Amount::default(),
            plain: true,
            narrow_due: false,
            perhaps_empty: Vec::new(),
        }
    }

    pub(super) fn node(&self) -> SiteKey {
        self.node
    }

    /// Whether there is nothing but the node itself, for everybody.
    pub(super) fn is_plain(&self) -> bool {
        self.plain
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (SiteKey, &Site)> {
        self.all.iter()
    }

    /// In the order of their ids.
    pub(super) fn by_id(&self) -> impl Iterator<Item = &Site> {
        self.by_id.values().map(|site| &self.all[*site])
    }

    pub(super) fn sub_pools(&self) -> impl Iterator<Item = &Held> {
        self.sub_pools.iter()
    }

    pub(super) fn policy(&self, account: &AccountId) -> Option<&AccountPolicy> {
        self.policies.get(account)
    }

    pub(super) fn idle(&self) -> Amount {
        self.idle
    }

    /// The idle sandbox of the least worth.
    pub(super) fn least_worth(&self) -> Option<SandboxId> {
        let first = self.all.values().filter_map(Site::least_worth).min()?;
        Some(first.2)
    }

    /// Whether `need` fits once what is ending has ended.
    pub(super) fn will_fit(&self, site: SiteKey, need: Amount) -> bool {
        self.all[site].will_fit(need)
    }

    /// Whether `need` fits now and leaves what is promised to others.
    pub(super) fn fits(&self, site: SiteKey, need: Amount) -> bool {
        self.all[site].fits(need)
    }

    /// Whether so much memory fits on one of them, or on one that may come to be.
    pub(super) fn may_ever_fit(&self, memory_mib: u64) -> bool {
        self.all.values().any(|site| site.may_ever_fit(memory_mib)) || self.sub_pools.may_bring(memory_mib)
    }

    /// The account has a claim there, to a blank sandbox and so much memory beyond it.
    pub(super) fn reserve(&mut self, site: SiteKey, account: AccountKey, extra_mib: u32) {
        let site = &mut self.all[site];
        site.used.memory_mib += u64::from(extra_mib);
        site.occupied += 1;
        site.hold_for(account);
    }

    /// It has it no longer.
    pub(super) fn give_up(&mut self, site: SiteKey, account: AccountKey, extra_mib: u32) {
        let entry = &mut self.all[site];
        entry.used.memory_mib -= u64::from(extra_mib);
        entry.occupied -= 1;
        self.let_go(site, account);
        self.perhaps_empty.push(site);
    }

    pub(super) fn enqueue(&mut self, root: RootId, claim: Claim) {
        self.all[claim.site].stock(root).enqueue(claim);
    }

    /// The oldest claim to a blank sandbox of the root.
    pub(super) fn take_claim(&mut self, site: SiteKey, root: RootId) -> Option<Claim> {
        self.all[site].stock.get_mut(&root)?.claims.pop_front()
    }

    /// The oldest claim, if there are more than blank sandboxes on their way.
    pub(super) fn take_orphan(&mut self, site: SiteKey, root: RootId) -> Option<Claim> {
        let stock = self.all[site].stock(root);
        if stock.claims.len() > stock.making { stock.claims.pop_front() } else { None }
    }

    /// A blank sandbox of the root is on its way.
    pub(super) fn begin_making(&mut self, site: SiteKey, root: RootId, memory_mib: u32) {
        let site = &mut self.all[site];
        site.used.add(memory_mib);
        site.stock(root).making += 1;
    }

    /// It is there, or will not be.
    pub(super) fn end_making(&mut self, site: SiteKey, root: RootId) {
        self.all[site].stock(root).making -= 1;
    }

    pub(super) fn put_ready(&mut self, site: SiteKey, root: RootId, sandbox: SandboxId) {
        let site = &mut self.all[site];
        site.blanks += 1;
        site.stock(root).ready.push_back(sandbox);
    }

    pub(super) fn take_ready(&mut self, site: SiteKey, root: RootId) -> Option<SandboxId> {
        let site = &mut self.all[site];
        let sandbox = site.stock(root).ready.pop_front()?;
        site.blanks -= 1;
        Some(sandbox)
    }

    pub(super) fn drop_ready(&mut self, site: SiteKey, root: RootId, sandbox: SandboxId) {
        let site = &mut self.all[site];
        site.stock(root).ready.retain(|ready| *ready != sandbox);
        site.blanks -= 1;
    }

    /// Claims to sandboxes of the root, which are nobody's from now on.
    pub(super) fn take_claims_of(&mut self, root: RootId) -> Vec<Claim> {
        let stocks = self.all.values_mut().filter_map(|site| site.stock.get_mut(&root));
        stocks.flat_map(|stock| stock.claims.drain(..)).collect()
    }

    /// Forgets the root where there is nothing of it.
    pub(super) fn tidy(&mut self, site: SiteKey, root: RootId) {
        self.all[site].tidy(root);
    }

    /// A sandbox there is told to end.
    pub(super) fn begin_end(&mut self, site: SiteKey, memory_mib: u32) {
        self.all[site].ending.add(memory_mib);
    }

    /// One that was told to end has ended.
    pub(super) fn end_end(&mut self, site: SiteKey, memory_mib: u32) {
        self.all[site].ending.take(memory_mib);
    }

    /// A sandbox there is gone.
    pub(super) fn free(&mut self, site: SiteKey, memory_mib: u32, was_owned: bool) {
        let entry = &mut self.all[site];
        entry.used.take(memory_mib);
        entry.occupied -= usize::from(was_owned);
        self.perhaps_empty.push(site);
    }

    /// A sandbox of the account, or a claim, is there no longer.
    pub(super) fn let_go(&mut self, site: SiteKey, account: AccountKey) {
        self.all[site].let_go(account);
        self.narrow_due = true;
    }

    /// The sandbox is idle and may be ended.
    pub(super) fn shelve(&mut self, sandbox: SandboxId, shelf: Shelf) {
        let site = &mut self.all[shelf.site];
        site.order.insert((shelf.worth, shelf.sequence, sandbox));
        site.idle.add(shelf.memory_mib);
        self.idle.add(shelf.memory_mib);
    }

    pub(super) fn unshelve(&mut self, sandbox: SandboxId, shelf: Shelf) {
        let site = &mut self.all[shelf.site];
        site.order.remove(&(shelf.worth, shelf.sequence, sandbox));
        site.idle.take(shelf.memory_mib);
        self.idle.take(shelf.memory_mib);
    }

    /// The idle sandbox is worth something else.
    pub(super) fn revalue(&mut self, sandbox: SandboxId, shelf: Shelf, worth: u64) {
        let order = &mut self.all[shelf.site].order;
        order.remove(&(shelf.worth, shelf.sequence, sandbox));
        order.insert((worth, shelf.sequence, sandbox));
    }

    /// So much is kept free there for sandboxes to be provisioned.
    pub(super) fn promise(&mut self, site: SiteKey, need: Amount) {
        self.all[site].promised = need;
    }

    pub(super) fn forget_promises(&mut self) {
        self.all.values_mut().for_each(|site| site.promised = Amount::default());
    }

    /// Perhaps somebody uses fewer instances than before.
    pub(super) fn note_narrower(&mut self) {
        self.narrow_due = true;
    }

    pub(super) fn is_narrow_due(&self) -> bool {
        self.narrow_due && !self.widths.is_empty()
    }
}
