//! Blank sandboxes: claimed by pools that need one, and made ahead of need.

use hearth_types::SandboxId;

use super::instances::Amount;
use super::model::{Claim, Sandbox, State};
use super::refill::reserve;
use super::{Engine, Turn};
use crate::event::{Action, ColdReason, DestroyReason, FailReason, Purpose, RootId, Ticket};
use crate::keys::{PoolKey, SiteKey};
use crate::view::ProvisionProblem;

/// Sandboxes lost in a row before the ticket that waits for them fails.
pub(super) const LOSSES_MAX: u32 = 3;

impl Engine {
    /// Why a ticket of the pool would have to wait for another sandbox.
    fn cold_reason(&self, pool: PoolKey) -> ColdReason {
        let pool = &self.pools[pool];
        let alone = pool.live == 0 && pool.on_way == 0;
        if alone { self.versions.missed_as(pool.version) } else { ColdReason::AllBusy }
    }

    /// Gives `pool` the right to one blank sandbox, at once if one is ready. The caller has checked that it fits. A crowd leaves
    /// what is ready to others, unless there is more than a reserve or no room for others.
    pub(super) fn claim(
        &mut self,
        turn: &mut Turn<'_>,
        site: SiteKey,
        pool: PoolKey,
        ticket: Option<Ticket>,
        purpose: Purpose,
    ) {
        self.take_site(turn, site, pool);
        self.ahead.begin(purpose);
        let cold = self.cold_reason(pool);
        let entry = &mut self.pools[pool];
        let extra_mib = entry.memory_mib.saturating_sub(self.config.blank_memory_mib);
        let (root_id, account) = (entry.root, entry.account);
        entry.on_way += 1;
        let paced = self.is_pacing();
        let crowd = self.is_crowd(pool, turn.now) || paced && purpose != Purpose::Invocation;
        let start = self.begin_start(turn.now, pool);
        let claim = Claim { site, pool, ticket, purpose, extra_mib, cold, start, crowd };
        let reserve = if crowd { reserve(self.blanks_wanted(site)) } else { 0 };
        self.instances.reserve(site, account, extra_mib);
        let spare = self.instances[site].ready(root_id) > reserve;
        let fits_another = self.instances.fits(site, self.blank_need());
        let leaves_it = crowd && !spare && fits_another;
        if !leaves_it && let Some(sandbox) = self.instances.take_ready(site, root_id) {
            self.roots.note_change();
            return self.assign(turn, sandbox, &claim);
        }
        self.instances.enqueue(root_id, claim);
        // What is made ahead of need gives way to everything: nobody waits for that alone.
        let is_orphan = self.instances[site].stock_of(root_id).is_some_and(|stock| stock.claims.len() > stock.making);
        if paced && fits_another || is_orphan {
            self.make_blank(turn, site, root_id, !crowd);
        }
    }

    pub(super) fn blank_need(&self) -> Amount {
        Amount { memory_mib: u64::from(self.config.blank_memory_mib), sandboxes: 1 }
    }

    pub(super) fn make_blank(&mut self, turn: &mut Turn<'_>, site: SiteKey, root: RootId, urgent: bool) {
        self.last_sandbox += 1;
        let sandbox = SandboxId(self.last_sandbox);
        let memory_mib = self.config.blank_memory_mib;
        self.instances.begin_making(site, root, memory_mib);
        self.sandboxes.insert(
            sandbox,
            Sandbox {
                root,
                site,
                owned: false,
                doomed: false,
                affinity: None,
                state: State::Making,
                purpose: Purpose::Invocation,
                memory_mib,
                sequence: 0,
                worth: 0,
                stands_for: None,
                rank: 0,
                assigned: turn.now,
                start: 0,
                armed: None,
            },
        );
        self.roots.meet(root);
        let instance = self.instances[site].terms.id;
        turn.push(Action::MakeBlank { sandbox, root, instance, urgent });
    }

    /// Gives a blank sandbox to the claim's pool. The claim's memory becomes the sandbox's.
    fn assign(&mut self, turn: &mut Turn<'_>, sandbox: SandboxId, claim: &Claim) {
        let Some(entry) = self.sandboxes.get_mut(&sandbox) else {
            return;
        };
        entry.state = State::Starting { pool: claim.pool, cold: claim.cold };
        entry.assigned = turn.now;
        entry.memory_mib += claim.extra_mib;
        entry.purpose = claim.purpose;
        entry.start = claim.start;
        entry.owned = true;
        let pool = &mut self.pools[claim.pool];
        pool.live += 1;
        if claim.purpose == Purpose::Prewarm {
            entry.stands_for = pool.loading.pop_front();
        }
        let waits = |ticket: &Ticket| self.tickets.get(ticket).is_some_and(|attempt| attempt.waiting);
        let oldest = pool.waiting.first().map(|(_, ticket)| *ticket);
        let ticket = claim.ticket.filter(waits).or_else(|| claim.ticket.and(oldest));
        self.counters.started += 1;
        let (key, purpose) = (pool.key.clone(), claim.purpose);
        turn.push(Action::Assign { sandbox, key, ticket, purpose, urgent: !claim.crowd });
    }

    pub(super) fn blank_ready(&mut self, turn: &mut Turn<'_>, sandbox: SandboxId) {
        let Some(entry) = self.sandboxes.get_mut(&sandbox) else {
            return self.anomaly();
        };
        if entry.state != State::Making {
            return self.anomaly();
        }
        entry.state = State::Blank;
        let (root_id, site) = (entry.root, entry.site);
        self.roots.made(root_id);
        self.instances.end_making(site, root_id);
        if !self.is_for_reserve(site, root_id)
            && let Some(claim) = self.next_claim(site, root_id)
        {
            return self.assign(turn, sandbox, &claim);
        }
        let wanted = self.blanks_wanted(site);
        self.instances.put_ready(site, root_id, sandbox);
        let surplus = self.instances[site].ready(root_id) > wanted;
        if self.draining {
            self.destroy(turn, sandbox, DestroyReason::Draining);
        } else if self.roots.is_gone(root_id) {
            self.destroy(turn, sandbox, DestroyReason::RootGone);
        } else if surplus {
            self.destroy(turn, sandbox, DestroyReason::Surplus);
        }
    }

    /// Whether what has become ready is for others than the crowd that waits: a crowd would else take what is made for the reserve.
    fn is_for_reserve(&self, site: SiteKey, root: RootId) -> bool {
        let Some(stock) = self.instances[site].stock_of(root) else { return false };
        let crowd = stock.claims.front().is_some_and(|claim| claim.crowd && self.pace.is_hurried(claim.start));
        crowd && stock.ready.len() < reserve(self.blanks_wanted(site)) && stock.making >= stock.claims.len()
    }

    /// The oldest claim that is still needed; those before it are given up.
    fn next_claim(&mut self, site: SiteKey, root: RootId) -> Option<Claim> {
        while let Some(claim) = self.instances.take_claim(site, root) {
            let pool = &self.pools[claim.pool];
            let wanted = match claim.purpose {
                Purpose::Invocation => false,
                Purpose::Prewarm => !pool.retired,
                Purpose::Provisioned => !self.has_surplus(claim.pool),
            };
            if wanted || pool.waiting.len() >= pool.on_way {
                return Some(claim);
            }
            self.give_up(&claim);
        }
        None
    }

    pub(super) fn give_up(&mut self, claim: &Claim) {
        self.pools[claim.pool].on_way -= 1;
        self.end_start(claim.start);
        self.ahead.end(claim.purpose);
        if claim.purpose == Purpose::Prewarm {
            self.pools[claim.pool].loading.pop_front();
        }
        if claim.purpose == Purpose::Provisioned {
            self.lose_provisioned_claim(claim.pool);
        }
        self.pools.note_end(claim.pool);
        self.instances.give_up(claim.site, self.pools[claim.pool].account, claim.extra_mib);
        self.roots.note_change();
    }

    pub(super) fn blank_failed(&mut self, turn: &mut Turn<'_>, sandbox: SandboxId) {
        let making = self.sandboxes.get(&sandbox).filter(|entry| entry.state == State::Making);
        let Some((site, root)) = making.map(|entry| (entry.site, entry.root)) else {
            return self.anomaly();
        };
        self.forget(sandbox);
        self.making_failed(turn, site, root);
    }

    /// A blank sandbox was lost in the making.
    pub(super) fn making_failed(&mut self, turn: &mut Turn<'_>, site: SiteKey, root_id: RootId) {
        self.counters.lost += 1;
        self.roots.failed(&mut self.timers, turn.now, root_id);
        if let Some(claim) = self.instances.take_orphan(site, root_id) {
            self.give_up(&claim);
            if claim.purpose == Purpose::Provisioned {
                self.provision_failed(turn, claim.pool, ProvisionProblem::SandboxLost);
            }
            self.blame(turn, claim.pool);
        }
    }

    /// A sandbox on its way to `pool` could not be made or given to it. Who waits for it longest tries again, but not for ever.
    pub(super) fn blame(&mut self, turn: &mut Turn<'_>, pool: PoolKey) {
        if let Some(ticket) = self.unserved(pool)
            && let Some(attempt) = self.tickets.get_mut(&ticket)
        {
            attempt.losses += 1;
            if attempt.losses >= LOSSES_MAX {
                self.fail(turn, ticket, FailReason::SandboxLost);
            }
        }
        self.settle(turn, pool);
    }

    /// The oldest waiting ticket, if there are more than sandboxes on their way.
    pub(super) fn unserved(&self, pool: PoolKey) -> Option<Ticket> {
        let pool = &self.pools[pool];
        let (_, ticket) = pool.waiting.first()?;
        (pool.waiting.len() > pool.on_way).then_some(*ticket)
    }

    pub(super) fn root_available(&mut self, root: RootId) {
        self.roots.come(root);
        self.ahead.note_change();
    }

    pub(super) fn root_gone(&mut self, turn: &mut Turn<'_>, root: RootId) {
        self.roots.go(root);
        let stocks = self.instances.iter().filter_map(|(_, site)| site.stock_of(root));
        let ready: Vec<SandboxId> = stocks.flat_map(|stock| stock.ready.iter().copied()).collect();
        for claim in self.instances.take_claims_of(root) {
            self.give_up(&claim);
        }
        for sandbox in ready {
            self.destroy(turn, sandbox, DestroyReason::RootGone);
        }
        let pools: Vec<PoolKey> =
            self.pools.iter().filter(|(_, pool)| pool.root == root).map(|(index, _)| index).collect();
        for pool in pools {
            self.settle(turn, pool);
        }
    }
}
