//! What crosses between deciding and doing: events in, actions out.

use std::sync::Arc;
use std::time::Duration;

use hearth_types::{Instant, SandboxId, VersionKey};

use crate::capacity::{Capacity, InstanceId, PoolName, Wishes};
use crate::keep_alive::Memory;
use crate::port::ThrottleReason;

/// One attempt to run a version, numbered by the node; never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket(pub u64);

/// A runtime root (what a sandbox is built from before it has any function), interned by the node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize)]
#[serde(transparent)]
pub struct RootId(pub u32);

/// What one attempt needs.
#[derive(Clone, Debug)]
pub struct Demand {
    pub key: Arc<VersionKey>,
    pub root: RootId,
    pub memory_mib: u32,
    /// Reserved concurrency of the function.
    pub reserved: Option<u32>,
    /// Concurrency that the account's functions without a reservation share.
    pub account_unreserved: u32,
    /// The longest that a run may take.
    pub timeout: Duration,
    /// Until then it may wait for a place; once a sandbox is on its way it waits for that, however long.
    pub queue_deadline: Instant,
    /// What this one asks for beyond that.
    pub wishes: Option<Box<Wishes>>,
}

/// A version as sandboxes are made for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Version {
    pub key: Arc<VersionKey>,
    pub root: RootId,
    pub memory_mib: u32,
    /// The longest that a run may take: what is expected of the first ones.
    pub timeout: Duration,
}

/// What a sandbox is started for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// An attempt waits for it.
    Invocation,
    /// An attempt is expected; it is kept like one that has served.
    Prewarm,
    /// Provisioned concurrency: it is kept until it is provisioned no longer, and replaced when it is lost.
    Provisioned,
}

impl Demand {
    pub(crate) fn version(&self) -> Version {
        Version { key: self.key.clone(), root: self.root, memory_mib: self.memory_mib, timeout: self.timeout }
    }
}

/// What happened. The order of the events about one sandbox is the order in which things happened to it.
#[derive(Clone, Debug)]
pub enum Event {
    Invoke {
        ticket: Ticket,
        demand: Demand,
    },
    /// The caller gave up. Without effect once the ticket was dispatched: the function then runs to its end.
    Abandon {
        ticket: Ticket,
    },
    /// After `MakeBlank`: it can be assigned.
    BlankReady {
        sandbox: SandboxId,
    },
    /// After `MakeBlank`: it could not be made, and nothing of it is left.
    BlankFailed {
        sandbox: SandboxId,
    },
    /// After `Assign`: the runtime asked for its first event. `Idle` is not reported for this.
    Initialised {
        sandbox: SandboxId,
    },
    /// After `Assign`: the function's own initialisation failed, crashed or took too long.
    InitFailed {
        sandbox: SandboxId,
    },
    /// The response (or the function's error) is handed over; the runtime has not asked for the next event yet.
    Responded {
        sandbox: SandboxId,
    },
    /// After `Responded`: runtime and extensions asked for the next event. Also reported when an invocation was held for that
    /// moment and went out at once.
    Idle {
        sandbox: SandboxId,
    },
    /// After `Withdraw`: the invocation was still held and is not delivered. If it was delivered already, `Idle` has been
    /// reported, and nothing else is.
    Withdrawn {
        sandbox: SandboxId,
    },
    /// After `Dispatch`: no runtime was there any more to take the invocation. `Dead` follows.
    Undelivered {
        sandbox: SandboxId,
    },
    /// It has ended, or will not come to be, by no doing of its function's, and no runtime in it has had an invocation: whoever waits for
    /// it gets another. It is destroyed; its memory counts until `Dead`.
    Lost {
        sandbox: SandboxId,
    },
    /// The sandbox is gone, for whatever reason (crash, time-out, lost, destroyed), and holds no memory any more. Reported
    /// exactly once for each sandbox that was made, also after `Destroy`; not after `BlankFailed`.
    Dead {
        sandbox: SandboxId,
    },
    /// So many sandboxes of the version should be idle or on their way now. They are started if that costs nobody his place.
    Prewarm {
        version: Version,
        count: u32,
    },
    /// So many sandboxes of the version are to be kept initialised from now on, whatever it takes but the end of a run; 0 ends
    /// it. They count as concurrency of the function (`reserved`: its reservation, if it has one) while they are.
    Provision {
        version: Version,
        count: u32,
        reserved: Option<u32>,
    },
    /// These versions are no longer current.
    Retire {
        keys: Vec<Arc<VersionKey>>,
    },
    /// What was learned of versions another time, before they are called.
    Recall {
        memories: Vec<Memory>,
    },
    /// Sandboxes can be made of this root; blank ones are made ahead from now on.
    RootAvailable {
        root: RootId,
    },
    /// No sandbox can be made of this root until it is available again; those that run are left alone.
    RootGone {
        root: RootId,
    },
    /// Capacity, or who gets it, has changed.
    Capacity(Box<Capacity>),
    /// The host runs out of memory: so much of what nobody uses is to be ended.
    Pressure {
        memory_mib: u64,
    },
    /// The time of the last `Wake` has come.
    Tick,
    /// Take nothing new, finish what was admitted, destroy what is not needed for that.
    Drain,
    /// The time for that is up: what waits still fails, and nothing is begun any more. What runs is the node's to end.
    Stop,
}

/// What is to be done, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Make a sandbox of this root without any function. Answered by `BlankReady` or `BlankFailed`. `urgent`: somebody waits for
    /// it who waits for no other of his version; what is not gives way to everything else.
    MakeBlank {
        sandbox: SandboxId,
        root: RootId,
        instance: InstanceId,
        urgent: bool,
    },
    /// Attach code and environment to a blank sandbox and start its runtime. `ticket` is a waiting attempt of the version, if one
    /// is what it is started for; another may be dispatched to it. Answered by `Initialised`, `InitFailed` or `Dead`. `urgent` as
    /// above; once it is initialised it is like any other.
    Assign {
        sandbox: SandboxId,
        key: Arc<VersionKey>,
        ticket: Option<Ticket>,
        purpose: Purpose,
        urgent: bool,
    },
    /// Hand the invocation to the agent, which holds it until the runtime asks for it.
    Dispatch {
        sandbox: SandboxId,
        ticket: Ticket,
        start: Start,
    },
    /// Take back an invocation that the runtime has not asked for yet. Answered by `Withdrawn`, or by the `Idle` that was under way.
    Withdraw {
        sandbox: SandboxId,
        ticket: Ticket,
    },
    Freeze {
        sandbox: SandboxId,
    },
    /// Comes before the `Dispatch` to a frozen sandbox.
    Thaw {
        sandbox: SandboxId,
    },
    /// Answered by `Dead`; its memory counts until then.
    Destroy {
        sandbox: SandboxId,
        reason: DestroyReason,
    },
    /// Get so many instances of at least this size for the sub-pool. Answered by as many `Capacity::Add`, or by
    /// `Capacity::NotAcquired`.
    Acquire {
        pool: PoolName,
        count: u32,
        memory_mib: u64,
    },
    /// Nothing is on the instance any more, and it is used for nothing again.
    Release {
        instance: InstanceId,
    },
    /// A ticket that was not urgent is admitted now, and from here on like any other.
    Admit {
        ticket: Ticket,
    },
    /// The end of this ticket: over a concurrency limit.
    Throttle {
        ticket: Ticket,
        reason: ThrottleReason,
    },
    /// The end of this ticket: it will not be dispatched.
    Fail {
        ticket: Ticket,
        reason: FailReason,
    },
    /// Report `Tick` at this time. Earlier than any time that was asked for since the last `Tick`.
    Wake {
        at: Instant,
    },
}

/// How an attempt came by its sandbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    Warm,
    /// It is the first attempt in a sandbox that it waited for.
    Cold(ColdReason),
}

/// Why there was no sandbox to use when one was started.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ColdReason {
    /// The version is not known to have had any.
    First,
    /// All of this version were in use or still starting.
    AllBusy,
    /// The function's code or configuration is new.
    Updated,
    /// The last one had been idle for as long as it was to be kept.
    Expired,
    /// The last one had to make room: for others, or because memory, or its instance, was taken away.
    Evicted,
    /// The last one was lost: it crashed, ran out of time or memory, or could not initialise.
    Failed,
}

impl ColdReason {
    pub const ALL: [Self; 6] = [Self::First, Self::AllBusy, Self::Updated, Self::Expired, Self::Evicted, Self::Failed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::AllBusy => "all-busy",
            Self::Updated => "updated",
            Self::Expired => "expired",
            Self::Evicted => "evicted",
            Self::Failed => "failed",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DestroyReason {
    /// Idle for the whole keep-alive time.
    Expired,
    /// Idle, and its place was needed.
    Evicted,
    /// In demand, but somebody else had waited for a place for too long.
    Yielded,
    /// Its version is no longer current.
    Retired,
    /// It was provisioned, and is no longer.
    Unprovisioned,
    InitFailed,
    /// It ended before it was of use.
    Lost,
    /// A blank one beyond those that are kept: nobody needed it any more when it was ready.
    Surplus,
    /// A blank one of a root that is gone.
    RootGone,
    /// Its instance ends, or takes nothing new.
    Reclaimed,
    /// Idle or blank, and the host ran out of memory.
    Pressure,
    /// It responded, and has not asked for more within the time that its run may take.
    Overdue,
    Draining,
}

impl DestroyReason {
    /// What it is to whoever would have used the sandbox next.
    pub(crate) const fn missed_as(self) -> ColdReason {
        match self {
            Self::Expired | Self::Unprovisioned | Self::Surplus | Self::Draining => ColdReason::Expired,
            Self::Evicted | Self::Yielded | Self::Reclaimed | Self::Pressure => ColdReason::Evicted,
            Self::Retired | Self::RootGone => ColdReason::Updated,
            Self::InitFailed | Self::Lost | Self::Overdue => ColdReason::Failed,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FailReason {
    /// Initialisation failed in this sandbox, which is destroyed.
    InitFailed {
        sandbox: SandboxId,
    },
    /// Sandboxes for it were lost before they had it, several times, or could not be had at all.
    SandboxLost,
    /// No place came free in the sub-pool before the deadline, or too many wait already.
    Capacity {
        pool: PoolName,
    },
    /// It needs more memory than there is.
    TooLarge,
    /// This sub-pool of its account has nothing for it, and its account does not wait.
    Refused {
        pool: PoolName,
    },
    /// The runtime root is gone.
    RootGone,
    Draining,
}
