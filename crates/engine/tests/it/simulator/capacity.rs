//! Instances that come and go, who may use them, and the books about that.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hearth_engine::Event;
use hearth_engine::capacity::{
    AccountPolicy, Capacity, Constraint, Frequency, GroupName, Instance, InstanceId, Owner, PoolKind, PoolName, Refill,
    Shortage, Spread, SubPool, TrustGroup,
};
use hearth_engine::view::EngineView;
use hearth_types::{AccountId, Instant, SandboxId, VersionKey};

use super::world::{Occurrence, World};

/// An instance as the world knows it.
#[derive(Debug)]
pub(super) struct Ground {
    memory_mib: u64,
    sandboxes_max: usize,
    shared: bool,
    /// Whose sandboxes are or were on it.
    tenants: BTreeSet<AccountId>,
    /// The engine was not told to use it for nothing new.
    open: bool,
    ends_at: Option<Instant>,
}

/// What is declared beside the node itself.
#[derive(Debug, Default)]
pub(super) struct Grounds {
    pub(super) all: BTreeMap<InstanceId, Ground>,
    groups: Vec<BTreeSet<AccountId>>,
    pub(super) rejecting: BTreeSet<AccountId>,
    /// Of accounts that have one.
    spreads: BTreeMap<AccountId, Spread>,
    next: u64,
    declared: bool,
}

impl Grounds {
    /// How many instances there ever were.
    pub(super) fn declared(&self) -> usize {
        usize::try_from(self.next).expect("few")
    }
}

fn account(number: u64) -> AccountId {
    format!("{number:012}").parse().expect("well-formed")
}

fn pool_name(number: u64) -> PoolName {
    [PoolName::general(), PoolName("own".to_owned()), PoolName("ours".to_owned())]
        [usize::try_from(number % 3).expect("small")]
    .clone()
}

fn group_name() -> GroupName {
    GroupName("g".to_owned())
}

impl World {
    /// The node's own memory; and in one of two worlds sub-pools and groups.
    pub(super) fn declare(&mut self, with_pools: bool) {
        let own = Ground {
            memory_mib: self.config.engine.memory_mib_max,
            sandboxes_max: self.config.engine.sandboxes_max,
            shared: true,
            tenants: BTreeSet::new(),
            open: true,
            ends_at: None,
        };
        self.grounds.all.insert(InstanceId::NODE, own);
        self.grounds.declared = with_pools;
        if with_pools {
            self.set_groups();
            for number in 0..3 {
                self.set_pool(number);
            }
        }
    }

    /// Now and then something changes.
    pub(super) fn change_capacity(&mut self) {
        if !self.grounds.declared || !self.random.chance(80) {
            return;
        }
        match self.random.below(8) {
            0..=2 => self.add_instance(None),
            3 => self.take_away(),
            4 => self.set_groups(),
            5 => self.set_policy(),
            _ => {
                let number = self.random.below(3);
                self.set_pool(number);
            }
        }
    }

    fn tell_capacity(&mut self, change: Capacity) {
        self.tell(Event::Capacity(Box::new(change)));
    }

    pub(super) fn add_instance(&mut self, pool: Option<PoolName>) {
        self.grounds.next += 1;
        let id = InstanceId(self.grounds.next);
        let chosen = self.random.below(3);
        let leased = self.random.chance(400).then(|| self.random.duration(Duration::from_secs(60)));
        let aged = self.random.chance(200).then(|| self.random.duration(Duration::from_secs(60)));
        let terms = Instance {
            id,
            memory_mib: 128 << self.random.below(4),
            cpu_millis: 1000,
            sandboxes_max: 1 + usize::try_from(self.random.below(6)).expect("small"),
            cost_rate: self.random.below(10),
            lease_end: leased.map(|lease| self.now + lease),
            age_max: aged,
            reclaimable: self.random.chance(500),
            shared: self.random.chance(100),
            labels: BTreeSet::new(),
            pool: pool.unwrap_or_else(|| pool_name(chosen)),
        };
        let ground = Ground {
            memory_mib: terms.memory_mib,
            sandboxes_max: terms.sandboxes_max,
            shared: terms.shared,
            tenants: BTreeSet::new(),
            open: true,
            ends_at: terms.lease_end,
        };
        self.grounds.all.insert(id, ground);
        self.coverage.saw("instance added");
        self.tell_capacity(Capacity::Add(terms));
    }

    fn take_away(&mut self) {
        let ids: Vec<InstanceId> = self.grounds.all.keys().copied().filter(|id| *id != InstanceId::NODE).collect();
        let count = u64::try_from(ids.len()).expect("small");
        if count == 0 {
            return;
        }
        let id = ids[usize::try_from(self.random.below(count)).expect("small")];
        self.grounds.all.get_mut(&id).expect("known").open = false;
        let at = self.now + self.random.duration(Duration::from_secs(5));
        let change = match self.random.below(3) {
            0 => Capacity::Remove(id),
            1 => Capacity::Reclaim { instance: id, at },
            _ => Capacity::Lost(id),
        };
        self.coverage.saw("instance taken away");
        self.tell_capacity(change);
    }

    fn set_groups(&mut self) {
        let members: BTreeSet<AccountId> = (0..4).filter(|_| self.random.chance(500)).map(account).collect();
        self.grounds.groups = vec![members.clone()];
        self.tell_capacity(Capacity::SetTrustGroups(vec![TrustGroup { name: group_name(), accounts: members }]));
    }

    fn set_policy(&mut self) {
        let account = account(self.random.below(4));
        let shortage = match self.random.below(5) {
            0 => vec![],
            1 => vec![Shortage::Borrow { from: vec![PoolName::general()] }],
            2 => vec![Shortage::Provision { seconds: 10 }],
            3 => vec![Shortage::Borrow { from: vec![pool_name(1)] }, Shortage::Wait { seconds: 5 }],
            _ => vec![Shortage::Reject],
        };
        if shortage.contains(&Shortage::Reject) {
            self.grounds.rejecting.insert(account.clone());
        }
        let price_max = self.random.chance(200).then(|| self.random.below(10));
        let (min, more) = (self.random.below(2), self.random.below(2));
        let [min, max] = [1 + min, 1 + min + more].map(|count| u32::try_from(count).expect("small"));
        let spread = self.random.chance(500).then_some(Spread { min, max });
        match spread {
            Some(spread) => drop(self.grounds.spreads.insert(account.clone(), spread)),
            None => drop(self.grounds.spreads.remove(&account)),
        }
        let policy = AccountPolicy { shortage, price_max, spread, ..AccountPolicy::default() };
        self.tell_capacity(Capacity::SetAccount { account, policy });
    }

    fn set_pool(&mut self, number: u64) {
        let owner = match number {
            0 => None,
            1 => Some(Owner::Account(account(0))),
            _ => Some(Owner::Group(group_name())),
        };
        let available = self.random.chance(700);
        let variable = number > 0 && self.random.chance(300);
        let constraint =
            if variable { Constraint::Variable { available, price: self.random.below(10) } } else { Constraint::Fixed };
        let rare = if self.random.chance(500) { Frequency::Rare } else { Frequency::Frequent };
        let frequency = (number > 0 && self.random.chance(300)).then_some(rare);
        let small = |world: &mut Self| u32::try_from(world.random.below(3)).expect("small");
        let terms = SubPool {
            name: pool_name(number),
            kind: if owner.is_some() { PoolKind::Dedicated } else { PoolKind::General },
            owner,
            constraint,
            frequency,
            min: small(self),
            target: small(self),
            max: 1 + small(self),
            refill: Refill { per_removal: small(self), fast_from: small(self), fast_per_removal: 1 + small(self) },
            instance_memory_mib: 256,
        };
        self.tell_capacity(Capacity::SetPool(terms));
    }

    pub(super) fn acquire(&mut self, pool: &PoolName, count: u32) {
        self.coverage.saw("acquire");
        for _ in 0..count {
            let comes = self.random.chance(700);
            self.plan_within(Duration::from_secs(2), Occurrence::Acquired { pool: pool.clone(), comes });
        }
    }

    pub(super) fn acquired(&mut self, pool: PoolName, comes: bool) {
        if comes {
            self.add_instance(Some(pool));
        } else {
            self.tell_capacity(Capacity::NotAcquired { pool, count: 1 });
        }
    }

    pub(super) fn release(&mut self, instance: InstanceId) {
        self.coverage.saw("release");
        let seed = self.seed;
        assert!(self.grounds.all.remove(&instance).is_some(), "seed {seed}: {instance:?} released twice");
        let left = self.sandboxes.values().any(|sandbox| sandbox.instance == instance && sandbox.memory_mib > 0);
        assert!(!left, "seed {seed}: {instance:?} released with sandboxes on it");
    }

    /// Only those who trust one another meet on an instance, and nothing new comes onto one that is taken away.
    pub(super) fn check_tenant(&mut self, sandbox: SandboxId, key: &VersionKey) {
        let seed = self.seed;
        let instance = self.sandboxes[&sandbox].instance;
        let ground = self.grounds.all.get_mut(&instance).expect("known");
        assert!(ground.open, "seed {seed}: {sandbox} on an instance that is taken away");
        assert!(ground.ends_at.is_none_or(|at| self.now < at), "seed {seed}: {sandbox} on an instance that has ended");
        if ground.shared {
            return;
        }
        for tenant in &ground.tenants {
            let trusted = |group: &BTreeSet<AccountId>| group.contains(tenant) && group.contains(&key.account);
            let friends = *tenant == key.account || self.grounds.groups.iter().any(trusted);
            assert!(friends, "seed {seed}: {} meets {tenant} on {instance:?}", key.account);
        }
        if ground.tenants.insert(key.account.clone()) && ground.tenants.len() > 1 {
            self.coverage.saw("friends");
        }
    }

    /// Nobody uses more of a sub-pool's shared instances than it may, and none twice.
    pub(super) fn check_spreads(&mut self, view: &EngineView) {
        for found in &view.accounts {
            let declared = self.grounds.spreads.iter().find(|(account, _)| account.as_str() == found.account);
            let (Some((_, spread)), Some(sets)) = (declared, &found.spread) else {
                assert!(declared.is_none() && found.spread.is_none(), "seed {}: {found:?}", self.seed);
                continue;
            };
            for set in sets {
                let distinct: BTreeSet<InstanceId> = set.instances.iter().copied().collect();
                assert_eq!(distinct.len(), set.instances.len(), "seed {}", self.seed);
                assert!(distinct.len() <= spread.max as usize, "seed {}: {set:?} {spread:?}", self.seed);
                if distinct.len() > spread.min as usize {
                    self.coverage.saw("spread");
                }
            }
        }
    }

    pub(super) fn check_grounds(&self) {
        let mut used: BTreeMap<InstanceId, (u64, usize)> = BTreeMap::new();
        for sandbox in self.sandboxes.values().filter(|sandbox| sandbox.memory_mib > 0) {
            let used = used.entry(sandbox.instance).or_default();
            *used = (used.0 + sandbox.memory_mib, used.1 + 1);
        }
        for (instance, (memory_mib, sandboxes)) in used {
            let ground = self.grounds.all.get(&instance).expect("nothing is on what was released");
            let within = memory_mib <= ground.memory_mib && sandboxes <= ground.sandboxes_max;
            assert!(within, "seed {}: {instance:?} has {memory_mib} MiB, {sandboxes} sandboxes", self.seed);
        }
    }
}
