//! Blank sandboxes made ahead of need: a few at a time, and first of all those that a burst leaves to others.

use super::instances::Standing;
use super::{Engine, Turn};
use crate::event::RootId;
use crate::keys::SiteKey;

/// Ready blank sandboxes of each root on an instance beside the node itself.
const BLANKS_PER_INSTANCE: usize = 1;

impl Engine {
    /// Ready blank sandboxes to keep of each available root.
    pub(super) fn blanks_wanted(&self, site: SiteKey) -> usize {
        match self.instances[site].standing {
            Standing::Closed => 0,
            _ if site == self.instances.node() => self.config.blanks_per_root,
            Standing::Waiting | Standing::Active => self.config.blanks_per_root.min(BLANKS_PER_INSTANCE),
        }
    }

    /// Makes blank sandboxes ahead of need, where nobody waits for room or, but for crowds, for a blank one of that root.
    pub(super) fn refill(&mut self, turn: &mut Turn<'_>) {
        if self.draining || turn.lacks_room {
            return;
        }
        let roots = self.roots.usable(turn.now);
        let sites: Vec<SiteKey> = self.instances.iter().map(|(site, _)| site).collect();
        for site in sites {
            for root in &roots {
                while self.lacks_blank(turn, site, *root) && self.instances.fits(site, self.blank_need()) {
                    self.make_blank(turn, site, *root, false);
                }
                self.instances.tidy(site, *root);
            }
        }
    }

    /// Whether another is to be made now. The reserve comes one by one while the machine is busy, what is beyond it when fewer
    /// are started than it takes.
    fn lacks_blank(&self, turn: &Turn<'_>, site: SiteKey, root: RootId) -> bool {
        let wanted = self.blanks_wanted(site);
        let (there, claimed) = self.instances[site]
            .stock
            .get(&root)
            .map_or((0, false), |stock| (stock.unclaimed(), stock.claims.iter().any(|claim| !claim.crowd)));
        let stocks = || self.instances.iter().flat_map(|(_, site)| site.stock.values());
        let making: usize = stocks().map(|stock| stock.making.saturating_sub(stock.claims.len())).sum();
        let idle = self.queue.is_empty() && stocks().all(|stock| stock.claims.is_empty());
        let has_time = idle && self.pace.under_way() + making < self.pace_max(None, turn.now);
        !claimed && (there < wanted && has_time || there < reserve(wanted) && making == 0)
    }
}

/// How many of the ready ones a crowd leaves to others.
pub(super) fn reserve(wanted: usize) -> usize {
    wanted.div_ceil(2)
}
