//! The engine's state as its views.

use std::collections::{BTreeSet, HashMap};

use hearth_types::{AccountId, VersionKey};

use super::Engine;
use super::instances::Held;
use super::instances::{Site, Standing, Stock};
use super::model::{Pool, State};
use crate::event::RootId;
use crate::keys::PoolKey;
use crate::view::{
    AccountView, EngineView, InstanceView, ProvisionView, RootView, SandboxCounts, SubPoolView, VersionView,
};

impl Pool {
    fn provision_view(&self) -> Option<ProvisionView> {
        let provision = self.provision.as_deref()?;
        Some(ProvisionView {
            requested: provision.count,
            started: provision.have,
            ready: provision.ready,
            idle: u32::try_from(self.idle_provisioned.len()).unwrap_or(u32::MAX),
            running: provision.running,
            problem: provision.problem,
        })
    }
}

impl Engine {
    /// Everything it holds now; takes time in proportion to that.
    pub fn view(&self) -> EngineView {
        let (sandboxes, mut by_pool) = self.count_sandboxes();
        let mut versions: Vec<VersionView> = self
            .pools
            .iter()
            .map(|(index, pool)| VersionView {
                key: VersionKey::clone(&pool.key),
                root: pool.root,
                memory_mib: pool.memory_mib,
                retired: pool.retired,
                frequency: self.versions.frequency(pool.version, self.last_step),
                sandboxes: by_pool.remove(&index).unwrap_or_default(),
                waiting: pool.waiting.len(),
                short: pool.short,
                deferred: pool.deferred.len(),
                function_running: self.admission.running(pool.function),
                provisioned: pool.provision_view(),
            })
            .collect();
        versions.sort_by(|a, b| a.key.cmp(&b.key));
        EngineView {
            draining: self.draining,
            memory_mib: self.instances.iter().map(|(_, site)| site.used.memory_mib).sum(),
            memory_mib_max: self.instances.iter().map(|(_, site)| site.terms.memory_mib).sum(),
            sandboxes_max: self.instances.iter().map(|(_, site)| site.terms.sandboxes_max).sum(),
            sandboxes,
            tickets: self.tickets.len(),
            queued: self.queue.tickets(),
            deferred: self.deferred.len(),
            counters: self.counters,
            recalled: self.versions.recalled(),
            versions,
            roots: self.root_views(),
            accounts: self.account_views(),
            sub_pools: self.sub_pool_views(),
            instances: self.instances.by_id().map(|site| self.instance_view(site)).collect(),
        }
    }

    fn instance_view(&self, site: &Site) -> InstanceView {
        // Nobody has one that is shared: whose sandboxes are on it now is all that there is to tell.
        let present = site.held_for.keys().map(|account| self.admission.id(*account));
        let mut tenants: BTreeSet<&AccountId> = site.tenants.iter().collect();
        tenants.extend(present);
        InstanceView {
            id: site.terms.id,
            pool: site.terms.pool.clone(),
            standing: match site.standing {
                Standing::Waiting => "waiting",
                Standing::Active => "active",
                Standing::Closed => "closed",
            },
            tenants: tenants.into_iter().map(ToString::to_string).collect(),
            memory_mib: site.used.memory_mib,
            memory_mib_max: site.terms.memory_mib,
            cpu_millis: site.terms.cpu_millis,
            sandboxes: site.used.sandboxes,
            sandboxes_max: site.terms.sandboxes_max,
            cost_rate: site.terms.cost_rate,
            shared: site.terms.shared,
            reclaimable: site.terms.reclaimable,
            labels: site.terms.labels.iter().cloned().collect(),
            ends_at_ms: site.ends_at.map(|at| at.as_nanos() / 1_000_000),
        }
    }

    /// What is provisioned of the version and what became of it; `None` if nothing is, or nothing any more.
    pub fn provisioned(&self, key: &VersionKey) -> Option<ProvisionView> {
        let pool = &self.pools[self.pools.find(key)?];
        pool.provision_view()
    }

    fn count_sandboxes(&self) -> (SandboxCounts, HashMap<PoolKey, SandboxCounts>) {
        let mut all = SandboxCounts::default();
        let mut by_pool: HashMap<PoolKey, SandboxCounts> = HashMap::new();
        for sandbox in self.sandboxes.values() {
            count(&mut all, sandbox.state);
            if let Some(pool) = sandbox.state.pool() {
                count(by_pool.entry(pool).or_default(), sandbox.state);
            }
        }
        (all, by_pool)
    }

    fn root_views(&self) -> Vec<RootView> {
        let view = |(id, available)| RootView {
            root: id,
            available,
            ready: self.stocks(id).map(|stock| stock.ready.len()).sum(),
            making: self.stocks(id).map(|stock| stock.making).sum(),
            claims: self.stocks(id).map(|stock| stock.claims.len()).sum(),
        };
        self.roots.iter().map(view).collect()
    }

    fn sub_pool_views(&self) -> Vec<SubPoolView> {
        let view = |held: &Held| {
            let of_pool =
                || self.instances.iter().map(|(_, site)| site).filter(|site| site.terms.pool == held.terms.name);
            let standing = |standing| of_pool().filter(|site| site.standing == standing).count();
            SubPoolView {
                terms: held.terms.clone(),
                waiting: standing(Standing::Waiting),
                active: standing(Standing::Active),
                closed: standing(Standing::Closed),
                pending: held.pending,
                memory_mib: of_pool().map(|site| site.used.memory_mib).sum(),
                memory_mib_max: of_pool().map(|site| site.terms.memory_mib).sum(),
                counters: held.counters,
            }
        };
        self.instances.sub_pools().map(view).collect()
    }

    fn stocks(&self, root: RootId) -> impl Iterator<Item = &Stock> {
        self.instances.iter().filter_map(move |(_, site)| site.stock.get(&root))
    }

    fn account_views(&self) -> Vec<AccountView> {
        let accounts = self.admission.accounts();
        let mut views: Vec<AccountView> = accounts
            .map(|(key, id)| {
                let (unreserved_running, unreserved_provisioned) = self.admission.unreserved(key);
                AccountView {
                    account: id.to_string(),
                    unreserved_running,
                    unreserved_provisioned,
                    queued: self.queue.tickets_of(key),
                    spread: self.instances.spread_view(id),
                }
            })
            .collect();
        views.sort_by(|a, b| a.account.cmp(&b.account));
        views
    }
}

fn count(counts: &mut SandboxCounts, state: State) {
    match state {
        State::Making => counts.making += 1,
        State::Blank => counts.blank += 1,
        State::Starting { .. } => counts.starting += 1,
        State::Idle { frozen, .. } => {
            counts.idle += 1;
            counts.frozen += usize::from(frozen);
        }
        State::Busy { .. } => counts.busy += 1,
        State::Finishing { .. } | State::Bound { .. } | State::Withdrawing { .. } | State::Slow { .. } => {
            counts.finishing += 1;
        }
        State::Ending => counts.ending += 1,
    }
}
